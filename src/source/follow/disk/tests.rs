use std::io::{Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::source::follow::{Follower, Settings};

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}

fn files(dir: &Path, include: &[&str]) -> DiskFiles {
    let include: Vec<String> =
        include.iter().map(|glob| format!("{}/{glob}", dir.display())).collect();
    DiskFiles::new("app", &include, &[]).unwrap()
}

/// The names below `dir` that are listed.
fn listed(dir: &Path, files: &mut DiskFiles) -> Vec<String> {
    let listing = files.list();
    let below = |file: &Listed| file.path.strip_prefix(dir).unwrap().display().to_string();
    listing.files.iter().map(below).collect()
}

fn follow(files: DiskFiles, settings: Settings) -> Follower<DiskFiles> {
    let mut id = 0;
    let new_id = move || {
        id += 1;
        id
    };
    Follower::new(files, settings, new_id, Vec::new())
}

fn rows(follower: &mut Follower<DiskFiles>) -> Vec<String> {
    let mut rows = Vec::new();
    while let Some(piece) = follower.read(0, 1 << 20) {
        for record in &piece.records {
            let body = &piece.bytes[record.body.start as usize..record.body.end as usize];
            rows.push(String::from_utf8_lossy(body).into_owned());
        }
    }
    rows
}

#[test]
fn globs_take_what_they_say() {
    let dir = TempDir::new().unwrap();
    for name in ["a.log", "a.log.1", "b.txt", "sub/c.log", "sub/deep/d.log", "e.log.gz"] {
        write(&dir.path().join(name), "x\n");
    }
    let check = |include: &[&str], want: &[&str]| {
        assert_eq!(listed(dir.path(), &mut files(dir.path(), include)), want, "{include:?}");
    };
    check(&["*.log"], &["a.log"]); // one directory only
    check(&["*.log*"], &["a.log", "a.log.1", "e.log.gz"]);
    check(&["**/*.log"], &["a.log", "sub/c.log", "sub/deep/d.log"]); // any depth, also none
    check(&["sub/*"], &["sub/c.log"]);
    check(&["*/*/*.log"], &["sub/deep/d.log"]);
    check(&["a.log"], &["a.log"]); // a plain name
    check(&["a.log", "*.log", "a*"], &["a.log", "a.log.1"]); // overlapping globs
    check(&["{a,b}.*"], &["a.log", "a.log.1", "b.txt"]);
    check(&["none*"], &[]);
}

#[test]
fn exclude_takes_away() {
    let dir = TempDir::new().unwrap();
    write(&dir.path().join("a.log"), "x\n");
    write(&dir.path().join("b.log"), "x\n");
    let glob = |name: &str| vec![format!("{}/{name}", dir.path().display())];
    let mut files = DiskFiles::new("app", &glob("*.log"), &glob("b*")).unwrap();
    assert_eq!(listed(dir.path(), &mut files), ["a.log"]);
}

#[test]
fn bad_globs_are_named() {
    let check = |include: &[&str], want: &str| {
        let include: Vec<String> = include.iter().map(ToString::to_string).collect();
        assert_eq!(DiskFiles::new("app", &include, &[]).unwrap_err().to_string(), want);
    };
    check(&[], "source `app` has no `include`, it needs at least one glob");
    check(&["logs/[a.log"], "`logs/[a.log` is not a valid glob");
}

#[test]
fn beats_18682_pipes_sockets_and_foreign_links_are_refused_and_nothing_hangs() {
    let (dir, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let at = |name: &str| dir.path().join(name);
    write(&at("a.log"), "one\n");
    write(&outside.path().join("shadow"), "secret\n");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("pipe.log"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let _socket = UnixListener::bind(at("socket.log")).unwrap();
    symlink(outside.path().join("shadow"), at("link.log")).unwrap();
    symlink(at("nowhere"), at("broken.log")).unwrap();
    symlink("/dev/zero", at("zero.log")).unwrap();
    let mut follower = follow(files(dir.path(), &["*.log"]), Settings::default());
    follower.reconcile(0);
    follower.reconcile(0);
    assert_eq!(rows(&mut follower), ["one"]);
    let mut told: Vec<String> = follower
        .take_notices()
        .iter()
        .map(|notice| notice.to_string().replace(&dir.path().display().to_string(), "DIR"))
        .collect();
    told.sort();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "DIR/broken.log" is not followed: the link leads out of the followed directories; include its target
    "DIR/link.log" is not followed: the link leads out of the followed directories; include its target
    "DIR/pipe.log" is not followed: it is a named pipe; only regular files are
    "DIR/socket.log" is not followed: it is a socket; only regular files are
    "DIR/zero.log" is not followed: the link leads out of the followed directories; include its target
    "#);
}

#[test]
fn opening_tests_what_is_really_there() {
    let (dir, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write(&outside.path().join("shadow"), "secret\n");
    write(&dir.path().join("a.log"), "one\n");
    let mut files = files(dir.path(), &["*.log"]);
    files.list();
    fs::remove_file(dir.path().join("a.log")).unwrap();
    symlink(outside.path().join("shadow"), dir.path().join("a.log")).unwrap();
    let error = files.open(&dir.path().join("a.log")).unwrap_err();
    assert_eq!(error.to_string(), "it leads out of the followed directories");
    assert!(files.open(dir.path()).is_err(), "a directory is no file");
}

#[test]
fn loki_274_links_within_the_directories_are_followed_and_loops_end() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(&at("pods/a/0.log"), "one\n");
    symlink(at("pods/a/0.log"), at("app.log")).unwrap();
    symlink(at("pods"), at("pods/a/loop")).unwrap();
    symlink(at("pods/a"), at("linked")).unwrap();
    let mut follower = follow(files(dir.path(), &["**/*.log"]), Settings::default());
    follower.reconcile(0);
    assert_eq!(rows(&mut follower), ["one"], "one file under many names");
    fs::remove_file(at("app.log")).unwrap();
    write(&at("pods/a/1.log"), "two\n");
    symlink(at("pods/a/1.log"), at("app.log")).unwrap();
    follower.reconcile(0);
    assert_eq!(rows(&mut follower), ["two"], "the link was switched");
}

#[test]
fn directory_that_is_not_there_is_told_and_waited_for() {
    let dir = TempDir::new().unwrap();
    let mut follower = follow(files(dir.path(), &["later/*.log"]), Settings::default());
    follower.reconcile(0);
    follower.reconcile(0);
    assert_eq!(follower.take_notices().len(), 1);
    write(&dir.path().join("later/a.log"), "one\n");
    follower.reconcile(0);
    assert_eq!(rows(&mut follower), ["one"]);
}

#[test]
fn f28_directory_renamed_under_the_writer() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("sub/a.log");
    write(&path, "one\n");
    let mut follower = follow(files(dir.path(), &["**/*.log"]), Settings::default());
    follower.reconcile(0);
    let mut writer = OpenOptions::new().append(true).open(&path).unwrap();
    fs::rename(dir.path().join("sub"), dir.path().join("old")).unwrap();
    writer.write_all(b"two\n").unwrap();
    write(&path, "three\n");
    follower.reconcile(1);
    let mut all = rows(&mut follower);
    all.sort();
    assert_eq!(all, ["one", "three", "two"]);
}

#[test]
fn f27_directories_made_deep_and_at_once() {
    let dir = TempDir::new().unwrap();
    let mut follower = follow(files(dir.path(), &["**/*.log*"]), Settings::default());
    follower.reconcile(0);
    for n in 0..300 {
        write(&dir.path().join(format!("x{n}/b/c/d/y.log")), &format!("row {n}\n"));
    }
    follower.reconcile(1);
    assert_eq!(rows(&mut follower).len(), 300);
}

#[test]
fn sparse_hole_is_leapt_over() {
    let dir = TempDir::new().unwrap();
    let mut file = File::create(dir.path().join("a.log")).unwrap();
    file.write_all(b"one\n").unwrap();
    file.seek(io::SeekFrom::Start(8 << 30)).unwrap();
    file.write_all(b"two\n").unwrap();
    let mut follower = follow(files(dir.path(), &["*.log"]), Settings::default());
    follower.reconcile(0);
    let start = Instant::now();
    assert_eq!(rows(&mut follower), ["one", "", "two"]);
    assert!(start.elapsed().as_secs() < 5, "8 GiB of nothing are not read");
    assert_eq!(follower.counters().bytes, (8 << 30) + 4);
}

#[test]
fn name_that_is_not_utf_8_is_followed() {
    let dir = TempDir::new().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"a\xff\xfe.log");
    write(&dir.path().join(name), "one\n");
    let mut follower = follow(files(dir.path(), &["*.log"]), Settings::default());
    follower.reconcile(0);
    assert_eq!(rows(&mut follower), ["one"]);
    let stored = serde_json::to_string(&follower.cursors()).unwrap();
    let cursors = serde_json::from_str(&stored).unwrap();
    let mut again =
        Follower::new(files(dir.path(), &["*.log"]), Settings::default(), || 9, cursors);
    again.reconcile(0);
    assert_eq!(rows(&mut again), Vec::<String>::new());
}

#[test]
fn f23_5000_files_are_each_read_once_with_few_of_them_open() {
    let dir = TempDir::new().unwrap();
    for n in 0..5_000 {
        write(&dir.path().join(format!("z{n}.log")), &format!("{{\"seq\":{n}}}\n"));
    }
    let settings = Settings { max_open: 100, ..Settings::default() };
    let mut follower = follow(files(dir.path(), &["*.log"]), settings);
    follower.reconcile(0);
    let mut all = rows(&mut follower);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 5_000);
    let open = fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(open < 400, "{open} files are open");
    for n in 0..5_000 {
        write(&dir.path().join(format!("z{n}.log")), "more\n");
    }
    follower.reconcile(1);
    assert_eq!(rows(&mut follower).len(), 5_000);
    let cursors = follower.cursors();
    let mut again = Follower::new(files(dir.path(), &["*.log"]), settings, || 9, cursors);
    again.reconcile(0);
    assert_eq!(rows(&mut again), Vec::<String>::new());
}

#[test]
fn other_content_with_the_old_length_and_time_is_read() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.log");
    write(&path, "old\n");
    let mut follower = follow(files(dir.path(), &["*.log"]), Settings::default());
    follower.reconcile(0);
    follower.reconcile(6_000_000);
    assert_eq!(rows(&mut follower), ["old"]);
    let before = fs::metadata(&path).unwrap().modified().unwrap();

    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all(b"new\n").unwrap();
    file.set_modified(before).unwrap();
    for scan in 2..8 {
        follower.reconcile(scan * 6_000_000);
    }
    assert_eq!(rows(&mut follower), ["new"]);
}
