use std::sync::Arc;

use polars::prelude::{DataFrame, df};

use super::{FrameError, Frames, SpillSpace};

fn frame(start: i64) -> DataFrame {
    df!("n" => [start, start + 1], "s" => [Some("a long enough text"), None]).unwrap()
}

fn frames(budget_bytes: usize, max_bytes: u64) -> (Frames, Arc<SpillSpace>) {
    let space = Arc::new(SpillSpace::new(max_bytes));
    (Frames::new(frame(0).schema().clone(), budget_bytes, Arc::clone(&space)), space)
}

fn directory(space: &SpillSpace) -> Option<std::path::PathBuf> {
    space.directory.lock().unwrap().as_ref().map(|directory| directory.path().to_owned())
}

#[test]
fn rows_come_back_in_order_from_memory_and_files() {
    for budget_bytes in [0, 100, 200, 1 << 20] {
        let (mut frames, _space) = frames(budget_bytes, u64::MAX);
        (0..10).for_each(|part| frames.push(frame(2 * part)).unwrap());
        assert_eq!(frames.has_spilled(), budget_bytes < 1 << 20);
        let scanned = frames.scan().unwrap().collect().unwrap();
        let numbers: Vec<i64> =
            scanned.column("n").unwrap().i64().unwrap().iter().flatten().collect();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>(), "{budget_bytes}");
        let drained: Vec<DataFrame> = frames.drain().map(Result::unwrap).collect();
        assert_eq!(drained.iter().map(DataFrame::height).sum::<usize>(), 20);
    }
}

#[test]
fn no_frames_are_an_empty_table() {
    let (mut frames, space) = frames(0, 0);
    frames.push(frame(0).head(Some(0))).unwrap(); // empty frames cost nothing
    assert_eq!(frames.scan().unwrap().collect().unwrap().shape(), (0, 2));
    assert_eq!(directory(&space), None);
}

#[test]
fn files_are_private_and_go_with_the_space() {
    let (mut frames, space) = frames(0, u64::MAX);
    frames.push(frame(0)).unwrap();
    let path = directory(&space).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
    space.remove(); // an abandoned query still holds its frames
    assert!(!path.try_exists().unwrap());
    drop(frames);
}

#[test]
fn files_have_a_limit() {
    let (mut frames, _space) = frames(0, 1);
    assert!(matches!(frames.push(frame(0)), Err(FrameError::TooMuch { max_bytes: 1 })));
}
