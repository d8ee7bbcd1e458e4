//! The store as its callers use it.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::{DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit, TimeZone};

use super::{Snapshot, Writer};

/// 22 November 2026, midnight UTC, microseconds.
pub(super) const DAY_US: i64 = 1_795_305_600_000_000;

/// Rows `from..to` of a generation: 100 bytes each, one a second.
pub(super) fn rows(generation: &str, from: i64, to: i64) -> DataFrame {
    let numbers: Vec<i64> = (from..to).collect();
    let ts: Vec<i64> = numbers.iter().map(|n| DAY_US + n * 1_000_000).collect();
    let ts = Series::new("ts".into(), &ts)
        .cast(&DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
        .unwrap();
    let days: Vec<i32> =
        numbers.iter().map(|n| ((DAY_US + n * 1_000_000) / 86_400_000_000) as i32).collect();
    let columns = vec![
        ts.into_column(),
        Series::new("_gen".into(), vec![generation; numbers.len()]).into_column(),
        Series::new("_off".into(), numbers.iter().map(|n| n * 100).collect::<Vec<i64>>())
            .into_column(),
        Series::new("_len".into(), vec![100i64; numbers.len()]).into_column(),
        Series::new("_ord".into(), vec![0i32; numbers.len()]).into_column(),
        Series::new("flags".into(), vec![0i32; numbers.len()]).into_column(),
        Series::new("user".into(), numbers.iter().map(|n| format!("u{}", n % 7)).collect::<Vec<_>>())
            .into_column(),
        Series::new("body".into(), numbers.iter().map(|n| format!("line {n} of {generation}")).collect::<Vec<_>>())
            .into_column(),
        Series::new("date".into(), &days).cast(&DataType::Date).unwrap().into_column(),
    ];
    DataFrame::new(numbers.len(), columns).unwrap()
}

pub(super) fn cursor(position: i64) -> BTreeMap<String, String> {
    BTreeMap::from([("app".to_owned(), format!("{{\"position\":{position}}}"))])
}

#[test]
fn what_was_appended_is_read_with_its_cursor() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let mut writer = Writer::create_or_open(&path).unwrap();
    let committed = writer.append(&rows("a", 0, 1_000), &cursor(100_000)).unwrap();
    assert_eq!((committed.version, committed.row_count, committed.segment_count), (1, 1_000, 1));
    let nothing = rows("a", 0, 0);
    let only_cursor = writer.append(&nothing, &cursor(100_001)).unwrap();
    assert_eq!((only_cursor.version, only_cursor.row_count), (2, 0), "cursors go without rows");
    let same = writer.append(&nothing, &cursor(100_001)).unwrap();
    assert_eq!(same.version, 2, "nothing new is no commit");
    drop(writer);

    let writer = Writer::create_or_open(&path).unwrap();
    assert_eq!(*writer.cursors(), cursor(100_001));
    let snapshot = Snapshot::open(&path).unwrap();
    assert_eq!(snapshot.row_count(), 1_000);
    assert_eq!(count(&path), 1_000);
}

pub(super) fn count(path: &Path) -> usize {
    let snapshot = Snapshot::open(path).unwrap();
    snapshot
        .segments()
        .iter()
        .map(|segment| snapshot.read(segment, &["body", "date"], None).unwrap().height())
        .sum()
}
