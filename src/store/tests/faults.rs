//! Crashes, failing disks, damaged files, other writers.
#![expect(clippy::disallowed_methods, reason = "damage is written as it comes")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{count, cursor, files, position, prove, rows};
use crate::store::steps::{Fault, Step, fail_at};
use crate::store::{CompactOptions, Snapshot, StoreError, Writer, compact, entry, repair};

const STORE: &str = "PLIMSOLL_TEST_STORE";
const STEP: &str = "PLIMSOLL_TEST_STEP";
const STEPS: [Step; 9] = [
    Step::SegmentWrite,
    Step::SegmentSync,
    Step::SegmentDirectory,
    Step::EntryWrite,
    Step::EntrySync,
    Step::EntryLink,
    Step::EntryDirectory,
    Step::Checkpoint,
    Step::Remove,
];

/// Runs this test binary again as another process that works on a store.
fn spawn(child: &str, store: &Path, step: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("store::tests::faults::{child}"), "--ignored", "--nocapture"])
        .env(STORE, store)
        .env(STEP, step.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn in_child() -> Option<(std::path::PathBuf, usize)> {
    let store = std::env::var_os(STORE)?;
    Some((store.into(), std::env::var(STEP).unwrap().parse().unwrap()))
}

#[test]
#[ignore = "run by other tests as a process of its own, to be killed"]
fn child_that_appends_for_ever() {
    let Some((store, _)) = in_child() else { return };
    let mut writer = Writer::create_or_open(&store).unwrap();
    let mut next = position(writer.cursors()) / 100;
    loop {
        writer.append(&rows("a", next, next + 50), &cursor((next + 50) * 100)).unwrap();
        next += 50;
        if next % 1_000 == 0 {
            compact(&mut writer, &NOW).unwrap();
        }
    }
}

const NOW: CompactOptions =
    CompactOptions { min_age_us: -1_000_000, sweep_age_us: 0, small_bytes: 32 << 20 };

#[test]
fn killed_at_any_moment_nothing_is_lost_or_doubled() {
    let dir = tempfile::tempdir().unwrap();
    let mut reached = 0;
    for round in 0..25u64 {
        let mut child = spawn("child_that_appends_for_ever", dir.path(), 0);
        // Not chance but a spread: every run tries other moments of start, append, compaction.
        let noise = u64::from(std::process::id()) * 31 + round * 7_919;
        std::thread::sleep(Duration::from_millis(40 + noise % 400));
        child.kill().unwrap();
        child.wait().unwrap();
        if entry::list(dir.path()).unwrap().is_none_or(|log| log.entries.is_empty()) {
            continue; // killed before the table was made
        }
        let verified = prove(dir.path());
        assert!(verified.row_count >= reached, "round {round}");
        reached = verified.row_count;
    }
    assert!(reached > 500, "only {reached} rows were written: the test no longer tests");
    let writer = Writer::create_or_open(dir.path()).unwrap();
    drop(writer);
    prove(dir.path());
}

#[test]
#[ignore = "run by other tests as a process of its own, to be aborted"]
fn child_that_aborts_at_a_step() {
    let Some((store, step)) = in_child() else { return };
    let mut writer = Writer::create_or_open(&store).unwrap();
    let next = position(writer.cursors()) / 100;
    fail_at(STEPS[step], Fault::Abort);
    writer.append(&rows("a", next, next + 50), &cursor((next + 50) * 100)).unwrap();
    compact(&mut writer, &NOW).unwrap();
}

#[test]
fn aborted_at_each_step_the_store_is_as_before_or_as_after() {
    let before = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(before.path()).unwrap();
    // One commit before a checkpoint is due, so that the next one reaches every step.
    for n in 0..9 {
        writer.append(&rows("a", n, n + 1), &cursor((n + 1) * 100)).unwrap();
    }
    drop(writer);
    for (number, step) in STEPS.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        for file in files(before.path(), |_| true) {
            let copy = dir.path().join(file.strip_prefix(before.path()).unwrap());
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(file, copy).unwrap();
        }
        let mut child = spawn("child_that_aborts_at_a_step", dir.path(), number);
        assert!(!child.wait().unwrap().success(), "{step:?} was not reached");
        let row_count = prove(dir.path()).row_count;
        assert!(row_count == 9 || row_count == 59, "{step:?}: {row_count} rows");

        let mut writer = Writer::create_or_open(dir.path()).unwrap();
        let next = position(writer.cursors()) / 100;
        writer.append(&rows("a", next, next + 50), &cursor((next + 50) * 100)).unwrap();
        compact(&mut writer, &NOW).unwrap();
        let left = files(dir.path(), |name| name.starts_with(".plimsoll-tmp"));
        assert_eq!(left.len(), 0, "{step:?} leaves {left:?}");
        assert_eq!(prove(dir.path()).row_count, next as u64 + 50, "{step:?}");
    }
}

#[test]
fn a_failing_disk_is_told_by_what_it_asks_for() {
    use Fault::{Eio, Full};
    check(Step::SegmentWrite, Eio, "other", 0);
    check(Step::SegmentSync, Eio, "restart", 0);
    check(Step::SegmentDirectory, Eio, "restart", 0);
    check(Step::EntryWrite, Eio, "other", 0);
    check(Step::EntrySync, Eio, "restart", 0);
    check(Step::EntryLink, Eio, "other", 0);
    check(Step::EntryDirectory, Eio, "restart", 50); // it is there, but for how long?
    check(Step::SegmentWrite, Full, "full", 0);
    check(Step::SegmentSync, Full, "full", 0); // some systems find room only now
    check(Step::SegmentDirectory, Full, "restart", 0);
    check(Step::EntryWrite, Full, "full", 0);
    check(Step::EntrySync, Full, "full", 0);
    check(Step::EntryLink, Full, "full", 0); // the directory cannot grow
    check(Step::EntryDirectory, Full, "restart", 50);
}

fn check(step: Step, fault: Fault, expected: &str, rows_after: u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    fail_at(step, fault);
    let error = writer.append(&rows("a", 0, 50), &cursor(5_000)).unwrap_err();
    let kind = match &error {
        error if error.is_full() => "full",
        error if error.needs_restart() => "restart",
        _ => "other",
    };
    assert_eq!(kind, expected, "{step:?} {fault:?}: {error}");
    if let StoreError::Full { needed_bytes, .. } = error {
        assert!(needed_bytes > 100, "{step:?}: {needed_bytes}");
    }
    assert_eq!(Snapshot::open(dir.path()).unwrap().row_count(), rows_after, "{step:?} {fault:?}");
    let temporary = files(dir.path(), |name| name.starts_with(".plimsoll-tmp"));
    assert_eq!(temporary.len(), 0, "{step:?} {fault:?}");

    let again = writer.append(&rows("a", 0, 50), &cursor(5_000));
    if expected == "restart" {
        assert!(matches!(again, Err(StoreError::Closed { .. })), "{step:?} {fault:?}");
        drop(writer);
        writer = Writer::create_or_open(dir.path()).unwrap();
        let next = position(writer.cursors()) / 100;
        if next == 0 {
            writer.append(&rows("a", 0, 50), &cursor(5_000)).unwrap();
        }
    } else {
        again.unwrap();
        let segments = files(dir.path(), |name| name.ends_with(".parquet"));
        assert_eq!(segments.len(), 1, "{step:?} {fault:?}: no segment is left behind");
    }
    assert_eq!(prove(dir.path()).row_count, 50, "{step:?} {fault:?}");
}

#[test]
fn a_checkpoint_that_fails_does_not_take_back_the_commit() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    for n in 0..9 {
        writer.append(&rows("a", n, n + 1), &cursor((n + 1) * 100)).unwrap();
    }
    fail_at(Step::Checkpoint, Fault::Full);
    writer.append(&rows("a", 9, 10), &cursor(1_000)).unwrap();
    assert_eq!(checkpoints(dir.path()), 0);
    writer.append(&rows("a", 10, 11), &cursor(1_100)).unwrap();
    assert_eq!(checkpoints(dir.path()), 1, "the next commit tries again");
    prove(dir.path());
}

fn checkpoints(store: &Path) -> usize {
    files(store, |name| name.ends_with(".checkpoint.parquet")).len()
}

#[test]
fn two_writers_at_once_are_one_too_many() {
    let dir = tempfile::tempdir().unwrap();
    let started = std::sync::Barrier::new(20);
    let opened: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    started.wait();
                    let writer = Writer::create_or_open(dir.path());
                    if let Err(error) = &writer {
                        assert!(matches!(error, StoreError::Locked { .. }), "{error}");
                    }
                    // Held until all have tried.
                    started.wait();
                    writer.is_ok()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(opened.iter().filter(|is_open| **is_open).count(), 1);
    Writer::create_or_open(dir.path()).unwrap().append(&rows("a", 0, 1), &cursor(100)).unwrap();
}

#[test]
fn a_torn_last_entry_is_refused_and_repaired() {
    for kept_share in [0, 1, 50, 99] {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::create_or_open(dir.path()).unwrap();
        for n in 0..3 {
            writer.append(&rows("a", n * 10, n * 10 + 10), &cursor((n + 1) * 1_000)).unwrap();
        }
        drop(writer);
        let path = entry::path_of(&dir.path().canonicalize().unwrap(), 3);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() * kept_share / 100]).unwrap();

        for error in [
            Snapshot::open(dir.path()).unwrap_err(),
            Writer::create_or_open(dir.path()).map(drop).unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Entry { version: 3, .. }), "{error}");
        }
        let repaired = repair(dir.path()).unwrap();
        assert_eq!(repaired.dropped_version, Some(3));
        assert!(repaired.copies.iter().all(|copy| copy.is_file()));
        if kept_share == 99 {
            assert_eq!(repaired.segments.len(), 1, "the line of the segment is whole");
        }
        assert_eq!(prove(dir.path()).row_count, 20);
        // The rows are read again from where the positions now are.
        let mut writer = Writer::create_or_open(dir.path()).unwrap();
        assert_eq!(position(writer.cursors()), 2_000);
        writer.append(&rows("a", 20, 30), &cursor(3_000)).unwrap();
        assert_eq!(prove(dir.path()).row_count, 30);
        assert_eq!(
            repair(dir.path()).map_err(|error| error.to_string()),
            Err(format!("{}", Writer::create_or_open(dir.path()).map(drop).unwrap_err())),
            "not while a writer is there"
        );
    }
}

#[test]
fn a_missing_or_damaged_entry_in_the_middle_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    for n in 0..3 {
        writer.append(&rows("a", n * 10, n * 10 + 10), &cursor((n + 1) * 1_000)).unwrap();
    }
    drop(writer);
    let path = entry::path_of(&dir.path().canonicalize().unwrap(), 2);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, "{").unwrap();
    assert!(matches!(repair(dir.path()).unwrap_err(), StoreError::Entry { version: 2, .. }));
    fs::remove_file(&path).unwrap();
    for error in [
        Snapshot::open(dir.path()).unwrap_err(),
        Writer::create_or_open(dir.path()).map(drop).unwrap_err(),
        repair(dir.path()).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Missing { version: 2, .. }), "{error}");
    }
    fs::write(&path, whole).unwrap();
    prove(dir.path());
}

#[test]
fn a_damaged_checkpoint_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    for n in 0..25 {
        writer.append(&rows("a", n, n + 1), &cursor((n + 1) * 100)).unwrap();
    }
    drop(writer);
    assert_eq!(checkpoints(dir.path()), 2);
    let entries = entry::list(dir.path()).unwrap().unwrap().entries;
    assert_eq!((entries.first(), entries.len()), (Some(&10), 16), "older ones are gone");
    let newest = files(dir.path(), |name| name.ends_with(".checkpoint.parquet")).pop().unwrap();
    let bytes = fs::read(&newest).unwrap();
    fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
    let error = Snapshot::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Log { .. }), "{error}");
    let repaired = repair(dir.path()).unwrap();
    assert_eq!(repaired.dropped_version, None, "no rows are lost");
    assert_eq!(prove(dir.path()).row_count, 25);
}

#[test]
fn a_damaged_segment_is_named_and_never_read_as_less() {
    let flip = |bytes: &mut Vec<u8>, at: usize| bytes[at] ^= 0x10;
    check_damage("first byte", |bytes| flip(bytes, 0));
    check_damage("middle", |bytes| flip(bytes, bytes.len() / 2));
    check_damage("a third", |bytes| flip(bytes, bytes.len() / 3));
    check_damage("footer", |bytes| flip(bytes, bytes.len() - 100));
    check_damage("last byte", |bytes| flip(bytes, bytes.len() - 1));
    check_damage("cut", |bytes| bytes.truncate(bytes.len() - 100));
    check_damage("empty", Vec::clear);
    check_damage("grown", |bytes| bytes.push(0));
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    writer.append(&rows("a", 500, 1_500), &BTreeMap::new()).unwrap();
    let other = files(dir.path(), |name| name.ends_with(".parquet")).pop().unwrap();
    let other = fs::read(other).unwrap();
    check_damage("another segment of as many rows", |bytes| *bytes = other);
}

fn check_damage(what: &str, damage: impl FnOnce(&mut Vec<u8>)) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    writer.append(&rows("a", 0, 1_000), &cursor(100_000)).unwrap();
    let path = files(dir.path(), |name| name.ends_with(".parquet")).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    damage(&mut bytes);
    fs::write(&path, bytes).unwrap();
    check_unusable(what, dir.path(), &mut writer);
    fs::remove_file(&path).unwrap();
    check_unusable("missing", dir.path(), &mut writer);
}

fn check_unusable(what: &str, store: &Path, writer: &mut Writer) {
    let snapshot = Snapshot::open(store).unwrap();
    let segment = &snapshot.segments()[0];
    let error = snapshot.read(segment, &["_off"], None).unwrap_err();
    let StoreError::Segment { path, rows, .. } = &error else { panic!("{what}: {error}") };
    assert!(path.ends_with(&segment.path) && *rows == 1_000, "{what}: {error}");
    assert!(snapshot.scan(segment, None).is_err(), "{what}");
    assert!(crate::store::verify(store, &BTreeMap::new()).is_err(), "{what}");
    let everything = |rows: &polars::prelude::DataFrame| {
        Ok((0..rows.height()).map(|_| true).collect::<polars::prelude::BooleanChunked>())
    };
    assert!(crate::store::erase(writer, &everything).is_err(), "{what}");
}

#[test]
fn commits_of_others_are_given_way_to_only_if_they_move_rows() {
    let commit = |writer: &Writer, action: &str| {
        let path = entry::path_of(writer.store(), writer.version() + 1);
        let info = r#"{"commitInfo":{"operation":"X","engineInfo":"another/1.0"}}"#;
        fs::write(path, format!("{info}\n{action}\n")).unwrap();
    };
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    writer.append(&rows("a", 0, 10), &cursor(1_000)).unwrap();
    commit(&writer, r#"{"txn":{"appId":"another","version":1}}"#);
    writer.append(&rows("a", 10, 20), &cursor(2_000)).unwrap();
    assert_eq!(prove(dir.path()).row_count, 20);

    let remove = format!(
        r#"{{"remove":{{"path":"{}","dataChange":true,"deletionTimestamp":1}}}}"#,
        Snapshot::open(dir.path()).unwrap().segments()[0].path
    );
    commit(&writer, &remove);
    let error = writer.append(&rows("a", 20, 30), &cursor(3_000)).unwrap_err();
    assert!(
        matches!(&error, StoreError::Foreign { writer, .. } if writer == "another/1.0"),
        "{error}"
    );
    assert_eq!(count(dir.path()), 10, "the other's change stands, ours did not happen");
}

#[test]
fn no_new_table_is_made_over_the_remains_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create_or_open(dir.path()).unwrap();
    writer.append(&rows("a", 0, 10), &cursor(1_000)).unwrap();
    drop(writer);
    fs::remove_dir_all(dir.path().join("_delta_log")).unwrap();
    let error = Writer::create_or_open(dir.path()).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Missing { version: 0, .. }), "{error}");
    assert!(matches!(Snapshot::open(dir.path()).unwrap_err(), StoreError::Absent { .. }));
}

#[test]
fn a_table_of_other_columns_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Writer::create_or_open(dir.path()).unwrap());
    let path = entry::path_of(&dir.path().canonicalize().unwrap(), 0);
    let text = fs::read_to_string(&path).unwrap().replace("_gen", "gen2");
    let sealed = text.find("\"plimsollSeal\"").unwrap();
    let unsealed = format!("{}{}", &text[..sealed], &text[sealed + 34..]);
    fs::write(&path, unsealed).unwrap();
    for error in [
        Snapshot::open(dir.path()).unwrap_err(),
        Writer::create_or_open(dir.path()).map(drop).unwrap_err(),
    ] {
        assert!(error.to_string().contains("columns"), "{error}");
    }
}
