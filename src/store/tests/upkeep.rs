//! Compaction, erasure, retention, proof.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use polars::prelude::{ChunkCompareEq, DataFrame, IntoColumn, NamedFrom, Series};

use super::{DAY_US, count, cursor, files, prove, rows};
use crate::store::compact::slices;
use crate::store::segment::ROW_GROUP_ROWS;
use crate::store::{
    CompactOptions, Difference, Keep, Snapshot, Swept, Writer, compact, erase, flag, retain, verify,
};

const NOW: CompactOptions =
    CompactOptions { min_age_us: -1_000_000, sweep_age_us: 0, small_bytes: 32 << 20 };

fn filled(path: &Path, batch_count: i64) -> Writer {
    let mut writer = Writer::create_or_open(path).unwrap();
    for n in 0..batch_count {
        writer.append(&rows("a", n * 100, n * 100 + 100), &cursor((n + 1) * 10_000)).unwrap();
    }
    writer
}

fn segment_files(path: &Path) -> usize {
    files(path, |name| name.starts_with("part-")).len()
}

#[test]
fn compaction_moves_every_row_and_keeps_the_cursors() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = filled(dir.path(), 20);
    let young = compact(&mut writer, &CompactOptions::default()).unwrap();
    assert_eq!((young.input_count, young.swept), (0, Swept::default()), "all are too young");
    let before = writer.cursors().clone();
    let compacted =
        compact(&mut writer, &CompactOptions { sweep_age_us: 3_600_000_000, ..NOW }).unwrap();
    assert_eq!(
        (compacted.input_count, compacted.output_count, compacted.row_count),
        (20, 1, 2_000)
    );
    assert_eq!(compacted.swept.file_count, 0, "readers of older versions go on for an hour");
    assert_eq!(segment_files(dir.path()), 21);
    assert_eq!(*writer.cursors(), before);
    assert_eq!(prove(dir.path()).row_count, 2_000);

    let again = compact(&mut writer, &NOW).unwrap();
    assert_eq!((again.input_count, again.swept.file_count), (0, 20), "one segment is not merged");
    assert_eq!((segment_files(dir.path()), count(dir.path())), (1, 2_000));
    drop(writer);
    assert_eq!(*Writer::create_or_open(dir.path()).unwrap().cursors(), before);
}

#[test]
fn a_reader_sees_the_same_rows_whatever_compaction_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = filled(dir.path(), 40);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut read_count = 0;
            while !is_done.load(Ordering::Relaxed) || read_count == 0 {
                assert_eq!(count(dir.path()), 4_000);
                read_count += 1;
            }
            read_count
        });
        let hour = CompactOptions { sweep_age_us: 3_600_000_000, ..NOW };
        for _ in 0..10 {
            compact(&mut writer, &hour).unwrap();
            let nothing = rows("a", 0, 0);
            let position = super::position(writer.cursors());
            let texts = BTreeMap::from([("b".to_owned(), writer.version().to_string())]);
            writer.append(&nothing, &texts).unwrap();
            assert_eq!(super::position(writer.cursors()), position);
        }
        is_done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}

#[test]
fn a_snapshot_older_than_a_sweep_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = filled(dir.path(), 3);
    let old = Snapshot::open(dir.path()).unwrap();
    compact(&mut writer, &NOW).unwrap();
    let error = old.read(&old.segments()[0], &["_off"], None).unwrap_err();
    assert!(error.to_string().contains("try again"), "{error}");
}

#[test]
fn only_our_own_leftovers_are_swept_and_only_old_ones() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path(), 1));
    let segment = files(dir.path(), |name| name.starts_with("part-")).pop().unwrap();
    let day = segment.parent().unwrap();
    let orphan = format!("part-{}-{}.parquet", "0".repeat(32), "a".repeat(16));
    for (path, is_old, stays) in [
        (day.join(&orphan), true, false),
        (day.join(orphan.replace("part-0", "part-1")), false, true), // perhaps about to be committed
        (day.join(".plimsoll-tmp-1"), true, false),
        (dir.path().join("_delta_log/.plimsoll-tmp-2"), true, false),
        (day.join("notes.txt"), true, true),
        (day.join("part-00000-c000.snappy.parquet"), true, true), // another writer's
        (dir.path().join(orphan.clone()), true, true),            // not where we put segments
        (segment.clone(), true, true),                            // live
    ] {
        if path != segment {
            fs::copy(&segment, &path).unwrap();
        }
        if is_old {
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(1)).unwrap();
        }
        drop(Writer::create_or_open(dir.path()).unwrap());
        assert_eq!(path.try_exists().unwrap(), stays, "{}", path.display());
    }
    assert_eq!(count(dir.path()), 100);
}

#[test]
fn what_is_erased_is_nowhere_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = filled(dir.path(), 3);
    let secret: Vec<String> = (0..50).map(|n| format!("erika-{n}@example.org")).collect();
    let mut personal = rows("a", 300, 350);
    personal.replace("user", Series::new("user".into(), vec!["erika"; 50]).into_column()).unwrap();
    personal.replace("body", Series::new("body".into(), &secret).into_column()).unwrap();
    for name in ["message", "_id", "attrs", "path"] {
        personal.with_column(Series::new(name.into(), &secret).into_column()).unwrap();
    }
    writer.append(&personal, &cursor(35_000)).unwrap();

    // The segments it replaces stay for an hour, were it not for the erasure.
    let hour = CompactOptions { sweep_age_us: 3_600_000_000, ..NOW };
    assert_eq!(compact(&mut writer, &hour).unwrap().input_count, 4);

    let erika = |rows: &DataFrame| Ok(rows.column("user")?.str()?.equal("erika"));
    let erased = erase(&mut writer, &erika).unwrap();
    assert_eq!((erased.row_count, erased.segment_count), (50, 1));
    assert_eq!(erase(&mut writer, &erika).unwrap().row_count, 0, "once is enough");

    let verified = prove(dir.path());
    assert_eq!(verified.row_count, 350, "a row stays for each place");
    for file in files(dir.path(), |_| true) {
        let bytes = fs::read(&file).unwrap();
        for word in ["erika", "example.org"] {
            let is_there = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!is_there, "{word} in {}", file.display());
        }
    }
    let snapshot = Snapshot::open(dir.path()).unwrap();
    let erased_rows: usize = snapshot
        .segments()
        .iter()
        .map(|segment| {
            let rows =
                snapshot.read(segment, &["flags", "body", "ts", "_off", "source"], None).unwrap();
            let flags = rows.column("flags").unwrap().i32().unwrap().clone();
            let bodies = rows.column("body").unwrap().str().unwrap().clone();
            flags
                .iter()
                .zip(bodies.iter())
                .filter(|(flags, body)| {
                    let is_erased = flags.unwrap() & flag::ERASED != 0;
                    assert_eq!(is_erased, body.is_none());
                    is_erased
                })
                .count()
        })
        .sum();
    assert_eq!(erased_rows, 50);
    // Erased rows survive a merge with others.
    compact(&mut writer, &NOW).unwrap();
    assert_eq!(prove(dir.path()).row_count, 350);
}

#[test]
fn a_predicate_that_fails_erases_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = filled(dir.path(), 2);
    let no_column = |rows: &DataFrame| Ok(rows.column("color")?.str()?.equal("red"));
    assert!(erase(&mut writer, &no_column).is_err());
    let too_short = |rows: &DataFrame| Ok(rows.head(Some(1)).column("user")?.str()?.equal("u0"));
    assert!(erase(&mut writer, &too_short).is_err());
    assert_eq!(files(dir.path(), |name| name.contains("tmp")).len(), 0);
    assert_eq!((segment_files(dir.path()), prove(dir.path()).row_count), (2, 200));
}

#[test]
fn retention_removes_whole_segments_and_the_rest_is_still_proved() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = filled(dir.path(), 10);
    let keep = Keep { since_us: Some(DAY_US + 250_000_000), max_bytes: None, sweep_age_us: 0 };
    let retired = retain(&mut writer, &keep).unwrap();
    // The third segment holds seconds 200 to 299: one of its rows is young enough.
    assert_eq!((retired.row_count, retired.segment_count, retired.swept.file_count), (200, 2, 2));
    let verified = prove(dir.path());
    assert_eq!((verified.row_count, verified.retired_count), (800, 200));

    let bytes: u64 = Snapshot::open(dir.path()).unwrap().segments().iter().map(|s| s.bytes).sum();
    let keep = Keep { since_us: None, max_bytes: Some(bytes - 1), sweep_age_us: 0 };
    assert_eq!(retain(&mut writer, &keep).unwrap().segment_count, 1, "the oldest goes first");
    assert_eq!(retain(&mut writer, &keep).unwrap().segment_count, 0);
    assert_eq!(prove(dir.path()).retired_count, 300);

    // The generation is named by no cursor here, so its sums go with its last row.
    let all = Keep { since_us: Some(i64::MAX), max_bytes: None, sweep_age_us: 0 };
    assert_eq!(retain(&mut writer, &all).unwrap().row_count, 700);
    let verified = verify(dir.path(), &BTreeMap::new()).unwrap();
    assert_eq!((verified.row_count, verified.retired_count, verified.is_whole()), (0, 0, true));
}

#[test]
fn a_generation_that_a_cursor_names_is_proved_with_no_row_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    let text = BTreeMap::from([("app".to_owned(), r#"{"gen-1":1000}"#.to_owned())]);
    writer.append(&rows("gen-1", 0, 10), &text).unwrap();
    let all = Keep { since_us: Some(i64::MAX), max_bytes: None, sweep_age_us: 0 };
    assert_eq!(retain(&mut writer, &all).unwrap().row_count, 10);
    check_ends(dir.path(), "gen-1", 1_000, &[]);
    let lost = Difference::Unaccounted { generation: "gen-1".into(), missing_bytes: 100 };
    check_ends(dir.path(), "gen-1", 1_100, &[lost]);
    writer.append(&rows("gen-1", 10, 20), &BTreeMap::new()).unwrap();
    check_ends(dir.path(), "gen-1", 2_000, &[]);
}

fn check_ends(path: &Path, generation: &str, end: u64, expected: &[Difference]) {
    let ends = BTreeMap::from([(generation.to_owned(), end)]);
    assert_eq!(verify(path, &ends).unwrap().differences, expected, "{generation} to {end}");
}

#[test]
fn differences_are_found_and_named() {
    let gap = |from, to| Difference::Gap { generation: "a".into(), from, to };
    let overlap = |from, to| Difference::Overlap { generation: "a".into(), from, to };
    check(&[(0, 10)], 1_000, &[]);
    check(&[(0, 5), (5, 10)], 1_000, &[]);
    check(&[(5, 10), (0, 5)], 1_000, &[]); // order of commits does not matter
    check(&[], 1_000, &[gap(0, 1_000)]); // read, they say, but nothing is there
    check(&[(0, 5)], 1_000, &[gap(500, 1_000)]);
    check(&[(1, 10)], 1_000, &[gap(0, 100)]);
    check(&[(0, 4), (6, 10)], 1_000, &[gap(400, 600)]);
    check(&[(0, 10), (3, 4)], 1_000, &[overlap(300, 400)]); // a row twice
    check(&[(0, 11)], 1_000, &[overlap(1_000, 1_100)]); // beyond the position
    check(
        &[(0, 5), (0, 5)],
        1_000,
        &[
            overlap(0, 100),
            overlap(100, 200),
            overlap(200, 300),
            overlap(300, 400),
            overlap(400, 500),
            gap(500, 1_000),
        ],
    );
}

fn check(batches: &[(i64, i64)], end: u64, expected: &[Difference]) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    for (from, to) in batches {
        writer.append(&rows("a", *from, *to), &BTreeMap::new()).unwrap();
    }
    check_ends(dir.path(), "a", end, expected);
}

#[test]
fn rows_of_one_range_are_numbered_without_a_hole() {
    check_numbers(&[0, 1, 2], true); // a document with three records
    check_numbers(&[2, 0, 1], true);
    check_numbers(&[0, 2], false);
    check_numbers(&[0, 1, 1], false);
    check_numbers(&[0, 0, 1], false); // the range twice
    check_numbers(&[1, 2], false); // the first row is missing
    check_numbers(&[0, 2, 2], false); // as many rows as numbers, but the wrong ones
    check_numbers(&[0, -1], false);
}

fn check_numbers(ords: &[i32], is_whole: bool) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    // Rows of one document need not be of one day, so not of one segment.
    let mut document = rows("doc", 0, ords.len() as i64);
    document
        .replace("_off", Series::new("_off".into(), vec![0i64; ords.len()]).into_column())
        .unwrap();
    document
        .replace("_len", Series::new("_len".into(), vec![700i64; ords.len()]).into_column())
        .unwrap();
    document.replace("_ord", Series::new("_ord".into(), ords).into_column()).unwrap();
    writer.append(&document.head(Some(1)), &BTreeMap::new()).unwrap();
    writer.append(&document.slice(1, ords.len()), &BTreeMap::new()).unwrap();
    let verified = verify(dir.path(), &BTreeMap::from([("doc".to_owned(), 700)])).unwrap();
    assert_eq!(verified.is_whole(), is_whole, "{ords:?}: {:?}", verified.differences);
}

#[test]
fn slices_hold_every_time_once() {
    let group = ROW_GROUP_ROWS as i64;
    check_slices(&[], 0); // no times at all
    check_slices(&[5], 1);
    check_slices(&[i64::MIN, i64::MAX], 1);
    check_slices(&(0..group).collect::<Vec<_>>(), 1); // exactly one row group
    check_slices(&(0..=group).collect::<Vec<_>>(), 2); // one row more
    check_slices(&vec![7; 3 * group as usize], 1); // equal times are not parted
}

fn check_slices(times: &[i64], expected: usize) {
    let slices = slices(times);
    assert_eq!(slices.len(), expected);
    for time in [times.first(), times.last()].into_iter().flatten() {
        assert_eq!(slices.iter().filter(|slice| slice.contains(time)).count(), 1);
    }
    assert!(slices.windows(2).all(|pair| pair[0].end() < pair[1].start()));
}

/// Not a test of right or wrong: prints what a commit costs on this machine.
#[test]
#[ignore = "measures"]
fn latency_of_a_commit() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    let mut latencies_us: Vec<u128> = (0..300)
        .map(|n| {
            let batch = rows("a", n * 100, n * 100 + 100);
            let start = std::time::Instant::now();
            writer.append(&batch, &cursor((n + 1) * 10_000)).unwrap();
            start.elapsed().as_micros()
        })
        .collect();
    latencies_us.sort_unstable();
    println!("append of 100 rows: p50 {} us, p99 {} us", latencies_us[150], latencies_us[297]);
    let start = std::time::Instant::now();
    Snapshot::open(dir.path()).unwrap();
    println!("open of 300 versions: {} us", start.elapsed().as_micros());
}
