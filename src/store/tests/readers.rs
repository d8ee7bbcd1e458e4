//! Writes a store for readers of other makers, and says what they must find.

use super::{cursor, rows};
use crate::store::{CompactOptions, Writer, compact, erase};
use polars::prelude::{ChunkCompareEq, DataFrame};

#[test]
#[ignore = "writes the store that other programs read"]
fn a_store_for_other_readers() {
    let Some(path) = std::env::var_os("PLIMSOLL_TEST_STORE") else { return };
    let mut writer = Writer::create_or_open(path.as_ref()).unwrap();
    for n in 0..130 {
        writer.append(&rows("a", n * 700, n * 700 + 700), &cursor((n + 1) * 70_000)).unwrap();
    }
    compact(
        &mut writer,
        &CompactOptions { min_age_us: -1_000_000, sweep_age_us: 0, small_bytes: 32 << 20 },
    )
    .unwrap();
    let u3 = |rows: &DataFrame| Ok(rows.column("user")?.str()?.equal("u3"));
    erase(&mut writer, &u3).unwrap();
    for n in 130..135 {
        writer.append(&rows("a", n * 700, n * 700 + 700), &cursor((n + 1) * 70_000)).unwrap();
    }
}

/// Prints what a narrow query and a full disk cost; not a test of right or wrong.
#[test]
#[ignore = "measures"]
fn a_narrow_query_reads_few_row_groups() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    writer.append(&rows("a", 0, 86_000), &cursor(1)).unwrap();
    for n in 1..10 {
        let mut more = rows("a", n * 1_000_000, n * 1_000_000 + 86_000);
        let date = rows("a", 0, 86_000).column("date").unwrap().clone();
        more.replace("date", date).unwrap();
        writer.append(&more, &cursor(1)).unwrap();
    }
    compact(
        &mut writer,
        &CompactOptions { min_age_us: -1_000_000, sweep_age_us: 0, small_bytes: 32 << 20 },
    )
    .unwrap();
    let snapshot = crate::store::Snapshot::open(dir.path()).unwrap();
    let segment = &snapshot.segments()[0];
    for between in [None, Some((super::DAY_US, super::DAY_US + 60_000_000))] {
        let start = std::time::Instant::now();
        let height = snapshot.read(segment, &["body", "user"], between).unwrap().height();
        println!("{} rows of {} in {} ms", height, segment.row_count, start.elapsed().as_millis());
    }
}
