//! The store as its callers use it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polars::prelude::{DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit, TimeZone};

use super::{CompactOptions, Snapshot, StoreError, Verified, Writer, compact, verify};

mod faults;
mod readers;
mod upkeep;

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
        Series::new(
            "user".into(),
            numbers.iter().map(|n| format!("u{}", n % 7)).collect::<Vec<_>>(),
        )
        .into_column(),
        Series::new(
            "body".into(),
            numbers.iter().map(|n| format!("line {n} of {generation}")).collect::<Vec<_>>(),
        )
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

/// The position of `app` that the store has.
pub(super) fn position(cursors: &BTreeMap<String, String>) -> i64 {
    let Some(text) = cursors.get("app") else { return 0 };
    serde_json::from_str::<serde_json::Value>(text).unwrap()["position"].as_i64().unwrap()
}

/// Proves the store whole up to its cursor, for the one generation that tests write.
pub(super) fn prove(path: &Path) -> Verified {
    let end = position(Snapshot::open(path).unwrap().cursors()) as u64;
    let ends = if end == 0 { BTreeMap::new() } else { BTreeMap::from([("a".to_owned(), end)]) };
    let verified = verify(path, &ends).unwrap();
    assert!(verified.is_whole(), "{:?}", verified.differences);
    verified
}

/// Names of all files below a directory that satisfy a test.
pub(super) fn files(path: &Path, wanted: impl Fn(&str) -> bool + Copy) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path(), wanted));
        } else if wanted(entry.file_name().to_str().unwrap()) {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

#[test]
fn rows_go_to_their_day_in_order_of_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    // Seconds around midnight, backwards.
    let rows = rows("a", 86_390, 86_410).reverse();
    let committed = writer.append(&rows, &BTreeMap::new()).unwrap();
    assert_eq!((committed.row_count, committed.segment_count), (20, 2));
    let snapshot = Snapshot::open(dir.path()).unwrap();
    let days: Vec<i32> = snapshot.segments().iter().map(|segment| segment.day).collect();
    let day = (DAY_US / 86_400_000_000) as i32;
    assert_eq!(days, [day, day + 1]);
    for segment in snapshot.segments() {
        let ts = snapshot.read(segment, &["ts"], None).unwrap();
        let ts = ts.column("ts").unwrap().to_physical_repr();
        assert!(ts.i64().unwrap().iter().is_sorted());
        assert_eq!(ts.i64().unwrap().get(0), segment.ts_min_us);
    }
    let midnight = DAY_US + 86_400_000_000;
    check_between(&snapshot, (midnight - 5_000_000, midnight), (1, 5)); // end is not in it
    check_between(&snapshot, (midnight - 1, midnight + 1), (1, 1)); // one row, exactly at midnight
    check_between(&snapshot, (midnight, midnight), (0, 0)); // nothing is in an empty interval
    check_between(&snapshot, (0, DAY_US), (0, 0)); // before all
    check_between(&snapshot, (i64::MIN, i64::MAX), (2, 20));
}

fn check_between(snapshot: &Snapshot, (from, to): (i64, i64), expected: (usize, usize)) {
    let met: Vec<_> = snapshot.segments_between(from, to).collect();
    let heights = met
        .iter()
        .map(|segment| snapshot.read(segment, &["_off"], Some((from, to))).unwrap().height());
    let rows: usize = heights.sum();
    assert_eq!((met.len().min(expected.0), rows), expected, "{from}..{to}");
}

#[test]
fn rows_without_a_time_or_of_absurd_times_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    let ts = Series::new("ts".into(), [None, Some(i64::MIN), Some(0), Some(i64::MAX)])
        .cast(&DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
        .unwrap();
    let mut odd = rows("a", 0, 4);
    odd.replace("ts", ts.into_column()).unwrap();
    writer.append(&odd, &cursor(400)).unwrap();
    writer.append(&rows("a", 4, 8), &cursor(800)).unwrap();
    assert_eq!(count(dir.path()), 8);
    compact(
        &mut writer,
        &CompactOptions { min_age_us: -1_000_000, sweep_age_us: 0, small_bytes: 32 << 20 },
    )
    .unwrap();
    assert_eq!(Snapshot::open(dir.path()).unwrap().segments().len(), 1);
    assert_eq!(count(dir.path()), 8);
    prove(dir.path());
}

#[test]
fn frames_that_are_not_of_the_store_are_refused_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    let good = rows("a", 0, 3);
    let unknown = good
        .clone()
        .with_column(Series::new("color".into(), ["r", "g", "b"]).into_column())
        .unwrap()
        .clone();
    let mistyped = good
        .clone()
        .with_column(Series::new("_off".into(), ["0", "1", "2"]).into_column())
        .unwrap()
        .clone();
    let undated = good.drop("date").unwrap();
    let half_dated = {
        let date =
            Series::new("date".into(), [Some(1), None, Some(2)]).cast(&DataType::Date).unwrap();
        good.clone().with_column(date.into_column()).unwrap().clone()
    };
    let off_calendar = {
        let date = Series::new("date".into(), [i32::MAX, 1, 2]).cast(&DataType::Date).unwrap();
        good.clone().with_column(date.into_column()).unwrap().clone()
    };
    check_refused(&mut writer, &unknown, "`color`");
    check_refused(&mut writer, &mistyped, "`_off`");
    check_refused(&mut writer, &undated, "absent");
    check_refused(&mut writer, &half_dated, "null in 1 rows");
    check_refused(&mut writer, &off_calendar, "outside the calendar");
    assert_eq!(
        files(dir.path(), |name| name.ends_with(".parquet") || name.contains("tmp")).len(),
        0
    );
    writer.append(&good, &cursor(300)).unwrap();
    prove(dir.path());
}

fn check_refused(writer: &mut Writer, rows: &DataFrame, names: &str) {
    let error = writer.append(rows, &cursor(1)).unwrap_err();
    assert!(error.to_string().contains(names), "{error}");
    assert_eq!(writer.version(), 0);
}

#[test]
fn a_path_that_readers_would_misread_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (name, is_good) in [
        ("store", true),
        ("a b", true),       // spaces
        ("Größe#1?x", true), // not ASCII, and what URLs give meaning to
        ("a[1]*{b}", true),  // what globs give meaning to
        ("a%41", false),     // an escape to some readers
    ] {
        let path = dir.path().join(name);
        match Writer::create_or_open(&path) {
            Ok(mut writer) => {
                assert!(is_good, "{name}");
                writer.append(&rows("a", 0, 10), &cursor(1_000)).unwrap();
                assert_eq!(count(&path), 10, "{name}");
                prove(&path);
            }
            Err(error) => assert!(!is_good && error.to_string().contains('%'), "{name}: {error}"),
        }
    }
    let absent = Snapshot::open(&dir.path().join("nothing")).unwrap_err();
    assert!(matches!(absent, StoreError::Absent { .. }), "{absent}");
    assert!(matches!(Snapshot::open(dir.path()).unwrap_err(), StoreError::Absent { .. }));
}

#[test]
fn files_and_directories_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/store");
    let mut writer = Writer::create_or_open(&path).unwrap();
    writer.append(&rows("a", 0, 10), &cursor(1_000)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for file in files(&path, |_| true) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_writer_and_a_snapshot_may_move_to_another_thread() {
    fn check<T: Send>() {}
    check::<Writer>();
    check::<Snapshot>();
}

#[test]
fn a_store_that_was_removed_is_not_made_again_by_a_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let mut writer = Writer::create_or_open(&path).unwrap();
    writer.append(&rows("a", 0, 10), &cursor(1_000)).unwrap();
    std::fs::remove_dir_all(&path).unwrap();
    writer.append(&rows("a", 10, 20), &cursor(2_000)).unwrap_err();
    drop(writer);
    // What would be left behind is taken for the remains of a store, and refused.
    assert!(!path.try_exists().unwrap());
    Writer::create_or_open(&path).unwrap();
}
