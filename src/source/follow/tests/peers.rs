//! What broke other collectors, one test each, named after the thread that told of it.

use std::io::Write;
use std::path::Path;

use super::rig::Rig;
use super::world::gzip;
use crate::source::follow::evidence::print_of;
use crate::source::follow::{RecordKind, Settings};

/// A hundred lines, long enough to be told from any banner.
fn lines(from: u32) -> String {
    let pad = "x".repeat(200);
    let all: Vec<String> =
        (from..from + 100).map(|n| format!("{{\"n\":{n},\"pad\":\"{pad}\"}}\n")).collect();
    all.concat()
}

#[test]
fn vector_25079_truncated_and_grown_beyond_the_position_between_scans() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", b"one\ntwo\n");
    rig.cycle();
    rig.disk().truncate("a.log", 0);
    rig.disk().write("a.log", b"three, and longer\nfour\n");
    rig.wait(2);
    assert_eq!(
        rig.new_rows(),
        ["a.log: one", "a.log: two", "a.log: three, and longer", "a.log: four"]
    );
    insta::assert_snapshot!(rig.new_notices(), @r#""a.log" was truncated or rewritten; no byte is known to be unread"#);
}

#[test]
fn loki_924_stored_position_lies_beyond_the_end() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", b"one\ntwo\n");
    rig.cycle();
    rig.disk().truncate("a.log", 0);
    rig.disk().write("a.log", b"new\n");
    rig.restart();
    rig.wait(2);
    assert_eq!(rig.new_rows(), ["a.log: one", "a.log: two", "a.log: new"]);
}

#[test]
fn beats_1341_inode_of_a_deleted_file_is_used_again() {
    for tells_birth in [true, false] {
        for restarts in [true, false] {
            let mut rig = Rig::new();
            rig.disk().tells_birth = tells_birth;
            for round in 0..20 {
                rig.disk().write("a.log", format!("{round} one\n{round} two\n").as_bytes());
                rig.cycle();
                rig.disk().unlink("a.log");
                if restarts {
                    rig.restart();
                } else {
                    rig.wait(32);
                }
            }
            assert_eq!(rig.new_rows().len(), 40, "births {tells_birth}, restarts {restarts}");
        }
    }
}

#[test]
fn otel_46496_two_live_files_start_with_the_same_8_kib() {
    let banner = format!("{}\n", "=".repeat(2047)).repeat(4);
    let mut rig = Rig::new();
    for name in ["a.log", "b.log"] {
        rig.disk().write(name, banner.as_bytes());
    }
    rig.cycle();
    for name in ["a.log", "b.log"] {
        rig.disk().write(name, format!("{name} one\n").as_bytes());
    }
    rig.wait(2);
    rig.restart();
    rig.wait(2);
    let rows = rig.new_rows();
    assert_eq!(rows.iter().filter(|row| row.contains("=====")).count(), 8);
    assert_eq!(rows.iter().filter(|row| row.ends_with(" one")).count(), 2);
}

#[test]
fn two_live_files_that_stay_equal_are_both_read_in_the_end() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", b"same\n");
    rig.disk().write("b.log", b"same\n");
    rig.wait(8);
    assert_eq!(rig.new_rows(), ["a.log: same", "b.log: same"]);
}

#[test]
fn vector_7990_compressed_after_rotation_is_not_read_again() {
    for format in ["gz", "zst"] {
        let mut rig = Rig::new();
        let content = lines(0);
        rig.disk().write("a.log", content.as_bytes());
        rig.cycle();
        rig.disk().rename("a.log", "a.log.1");
        rig.disk().write("a.log", b"new\n");
        rig.cycle();
        let packed = match format {
            "gz" => gzip(content.as_bytes()),
            _ => zstd::encode_all(content.as_bytes(), 1).unwrap(),
        };
        let name = format!("a.log.1.{format}");
        rig.disk().write(&name, &packed[..packed.len() / 2]);
        rig.cycle();
        rig.disk().write(&name, &packed[packed.len() / 2..]);
        rig.disk().unlink("a.log.1");
        rig.wait(40);
        assert_eq!(rig.new_rows().len(), 101, "{format}");
        rig.restart();
        rig.wait(40);
        rig.disk().rename(&name, &format!("a.log.2.{format}"));
        rig.restart();
        rig.wait(3);
        assert_eq!(rig.new_rows(), Vec::<String>::new(), "{format} after a restart");
    }
}

#[test]
fn otel_37772_rotated_and_compressed_while_the_collector_is_down() {
    let mut rig = Rig::new();
    let mut content = lines(0);
    rig.disk().write("a.log", content.as_bytes());
    rig.cycle();
    content += "{\"n\":\"written while it was down\"}\n";
    rig.disk().write("a.log.1.gz", &gzip(content.as_bytes()));
    rig.disk().unlink("a.log");
    rig.disk().write("a.log", b"new\n");
    rig.restart();
    rig.new_rows();
    rig.wait(3);
    let mut rows = rig.new_rows();
    rows.sort();
    assert_eq!(
        rows,
        ["a.log.1.gz: {\"n\":\"written while it was down\"}", "a.log: new"],
        "only the tail of the twin"
    );
}

#[test]
fn compressed_file_of_its_own_is_read_once_and_only_when_it_is_complete() {
    let mut rig = Rig::new();
    let packed = gzip(lines(0).as_bytes());
    rig.disk().write("old.log.gz", &packed[..packed.len() - 1]);
    rig.wait(2);
    assert_eq!(rig.new_rows(), Vec::<String>::new(), "its trailer is missing");
    insta::assert_snapshot!(rig.new_notices(), @r#""old.log.gz" is not a complete compressed file (unexpected end of file); it is looked at again when it changes"#);
    rig.disk().write("old.log.gz", &packed[packed.len() - 1..]);
    rig.wait(2);
    rig.restart();
    let read_before = rig.disk().bytes_read;
    rig.wait(10);
    assert_eq!(rig.new_rows().len(), 100);
    assert!(rig.disk().bytes_read - read_before < 10_000, "a restart does not unpack it again");
}

#[test]
fn damaged_compressed_file_is_told_once_and_left() {
    let mut rig = Rig::new();
    let mut packed = gzip(lines(0).as_bytes());
    packed[40] ^= 0xff;
    rig.disk().write("a.gz", &packed);
    rig.wait(5);
    assert_eq!(rig.new_rows(), Vec::<String>::new());
    assert_eq!(rig.new_notices().lines().count(), 1);
}

#[test]
fn gunzip_of_what_was_read_is_not_read_again() {
    let mut rig = Rig::new();
    let content = lines(0);
    rig.disk().write("a.log.1.gz", &gzip(content.as_bytes()));
    rig.wait(2);
    rig.disk().write("a.log.1", &content.as_bytes()[..5000]);
    rig.cycle();
    rig.disk().write("a.log.1", &content.as_bytes()[5000..]);
    rig.disk().unlink("a.log.1.gz");
    rig.wait(10);
    assert_eq!(rig.new_rows().len(), 100);
}

#[test]
fn f05_copytruncate_with_the_copy_in_the_glob() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", lines(0).as_bytes());
    rig.cycle();
    let content = rig.disk().content("a.log").to_vec();
    rig.disk().write("a.log.1", &content);
    rig.cycle();
    rig.disk().truncate("a.log", 0);
    rig.disk().write("a.log", lines(100).as_bytes());
    rig.wait(8);
    rig.restart();
    rig.wait(8);
    assert_eq!(rig.new_rows().len(), 200);
}

#[test]
fn copy_finishes_the_tail_that_was_not_read_before_the_truncation() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", lines(0).as_bytes());
    rig.cycle();
    rig.disk().write("a.log", lines(100).as_bytes());
    let content = rig.disk().content("a.log").to_vec();
    rig.disk().write("a.log.1", &content);
    rig.disk().truncate("a.log", 0);
    rig.disk().write("a.log", b"new\n");
    rig.wait(3);
    assert_eq!(rig.new_rows().len(), 201);
    assert_eq!(rig.follower.counters().bytes_unread_at_loss, 0, "the copy has it all");
}

#[test]
fn original_grows_and_is_read_between_the_end_of_the_copy_and_the_truncation() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", lines(0).as_bytes());
    rig.cycle();
    rig.cycle();
    rig.disk().write("a.log", lines(100).as_bytes());
    let content = rig.disk().content("a.log").to_vec();
    rig.disk().write("a.log.1", &content);
    for n in 0..3 {
        rig.disk().write("a.log", format!("late {n}\n").as_bytes());
        rig.follower.hint(Path::new("a.log"));
        rig.read();
    }
    rig.disk().truncate("a.log", 0);
    rig.restart();
    rig.wait(10);
    assert_eq!(rig.new_rows().len(), 203);
}

#[test]
fn f07_bytes_known_to_be_unread_at_a_truncation_are_counted() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", b"one\n");
    rig.cycle();
    rig.disk().write("a.log", b"seen, not read\n");
    rig.follower.reconcile(rig.now_us);
    rig.disk().truncate("a.log", 0);
    rig.wait(3);
    assert_eq!(rig.new_rows(), ["a.log: one"]);
    assert_eq!(rig.follower.counters().bytes_unread_at_loss, 15);
    insta::assert_snapshot!(rig.new_notices(), @r#""a.log" was truncated, 15 bytes unread: rotate by rename, or keep the copy in `include`"#);
}

#[test]
fn otel_4849_last_line_without_an_end_is_a_record_when_it_is_an_object() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", b"{\"f\":0}");
    rig.cycle();
    assert_eq!(rig.new_rows(), Vec::<String>::new(), "it may grow");
    rig.wait(3);
    assert_eq!(rig.new_rows(), ["a.log: {\"f\":0} (Unterminated, 7 bytes)"]);
    rig.disk().write("a.log", b"\n{\"f\":1}\n");
    rig.cycle();
    assert_eq!(rig.new_rows(), ["a.log: {\"f\":1}"], "the late line end belongs to the next");
}

#[test]
fn otel_32170_half_a_line_is_never_a_record() {
    let mut rig = Rig::new();
    for part in ["{\"f\":2,\"x\":12", "34", "}", "\n"] {
        rig.disk().write("a.log", part.as_bytes());
        rig.cycle();
        if part != "}" {
            rig.wait(8);
        }
    }
    rig.disk().write("b.log", b"plain text that goes ");
    rig.wait(60);
    rig.disk().write("b.log", b"on\n");
    rig.cycle();
    assert_eq!(rig.new_rows(), ["a.log: {\"f\":2,\"x\":1234}", "b.log: plain text that goes on"]);
}

#[test]
fn record_that_goes_on_after_all_leaves_its_rest_as_a_record() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", b"{\"f\":2}");
    rig.wait(4);
    rig.disk().write("a.log", b" and more\n");
    rig.cycle();
    assert_eq!(rig.new_rows(), ["a.log: {\"f\":2} (Unterminated, 7 bytes)", "a.log:  and more"]);
}

#[test]
fn fluent_bit_5382_line_that_ends_after_the_rename() {
    let mut rig = Rig::new();
    let ino = rig.disk().create("a.log");
    rig.disk().append(ino, b"half ");
    rig.cycle();
    rig.disk().rename("a.log", "a.log.1");
    rig.disk().write("a.log", b"new\n");
    rig.cycle();
    rig.disk().append(ino, b"and half\nlast words");
    rig.wait(40);
    assert_eq!(
        rig.new_rows(),
        ["a.log: new", "a.log.1: half and half", "a.log.1: last words (Unterminated, 10 bytes)"]
    );
}

#[test]
fn fluent_bit_10435_endless_line_does_not_blind_the_collector() {
    let mut rig = Rig::with(Settings { max_record: 100_000, ..Settings::default() });
    let endless = "x".repeat(150_000);
    rig.disk().write("a.log", endless.as_bytes());
    rig.cycle();
    for round in 0..5 {
        rig.disk().write("a.log", endless.as_bytes());
        rig.disk().write("b.log", format!("{round}\n").as_bytes());
        rig.cycle();
    }
    assert_eq!(rig.new_rows(), ["b.log: 0", "b.log: 1", "b.log: 2", "b.log: 3", "b.log: 4"]);
    rig.disk().write("a.log", b"\r\nnext\n");
    rig.cycle();
    let rows = rig.new_rows();
    assert!(rows[0].ends_with("(Truncated, 900002 bytes)"), "{rows:?}");
    assert_eq!(rows[1], "a.log: next");
}

#[test]
fn beats_28317_line_at_the_limit_is_whole_and_one_beyond_is_cut_with_its_measures() {
    for (len, kind) in
        [(99_999, RecordKind::Line), (100_000, RecordKind::Line), (100_001, RecordKind::Truncated)]
    {
        let mut rig = Rig::with(Settings { max_record: 100_000, ..Settings::default() });
        let line: String = (0..len).map(|at| char::from(b'a' + (at % 23) as u8)).collect();
        rig.disk().write("a.log", format!("first\n{line}\n").as_bytes());
        rig.cycle();
        let piece = rig.last.take().unwrap();
        let record = piece.records.last().unwrap();
        assert_eq!(record.kind, kind, "{len}");
        assert_eq!((record.off, record.len), (6, len + 1), "{len}");
        let body = &piece.bytes[record.body.start as usize..record.body.end as usize];
        match piece.truncated {
            None => assert_eq!(body, line.as_bytes()),
            Some(whole) => {
                assert_eq!(body, &line.as_bytes()[..65_536]);
                assert_eq!((whole.len, whole.print), (len, print_of(line.as_bytes())));
            }
        }
        rig.restart();
        rig.cycle();
        assert_eq!(rig.new_rows().len(), 2, "a restart adds no row");
    }
}

#[test]
fn a_line_beyond_the_limit_is_cut_also_within_one_read() {
    let settings = Settings { max_record: 8 * 1024, truncated_keep: 3, ..Settings::default() };
    let (fits, long) = ("f".repeat(8 * 1024), "x".repeat(8 * 1024 + 1));
    let mut rig = Rig::with(settings);
    rig.disk().write("a.log", format!("a\n{fits}\r\n\n{long}\r\nb\n{long}\n").as_bytes());
    rig.disk().write("b.log", format!("\n{long}\nc\n").as_bytes());
    rig.cycle();
    let cut = |name: &str, len: u64| format!("{name}: xxx (Truncated, {len} bytes)");
    let fits = format!("a.log: {}", "f".repeat(60));
    let a = [
        "a.log: a".to_owned(),
        fits,
        cut("a.log", 8_196),
        "a.log: b".to_owned(),
        cut("a.log", 8_194),
    ];
    let b = [cut("b.log", 8_195), "b.log: c".to_owned()];
    let (of_a, of_b): (Vec<_>, Vec<_>) =
        rig.new_rows().into_iter().partition(|row| row.starts_with("a.log"));
    assert_eq!((of_a.as_slice(), of_b.as_slice()), (a.as_slice(), b.as_slice()));
    assert_eq!(rig.follower.counters().truncated_records, 3);
    // Without its end it waits, and is cut with it.
    rig.disk().write("b.log", long.as_bytes());
    rig.cycle();
    assert_eq!(rig.new_rows(), Vec::<String>::new());
    rig.disk().write("b.log", b"y\nd\n");
    rig.cycle();
    assert_eq!(rig.new_rows(), [cut("b.log", 8_195), "b.log: d".to_owned()]);
}

#[test]
fn fluent_bit_3117_hole_is_one_counted_row() {
    let mut rig = Rig::new();
    let ino = rig.disk().create("a.log");
    rig.disk().append(ino, b"one\n");
    rig.disk().append(ino, &vec![0; 300_000]);
    rig.disk().append(ino, b"two\n");
    rig.disk().append(ino, &[0; 511]);
    rig.disk().append(ino, b"not a hole\n");
    rig.cycle();
    let rows = rig.new_rows();
    assert_eq!(rows[..3], ["a.log: one", "a.log:  (NulHole, 300000 bytes)", "a.log: two"]);
    assert_eq!(rows.len(), 4);
    assert_eq!(rig.follower.counters().nul_holes, 1);
}

#[test]
fn f03_moved_out_of_the_glob_is_read_to_its_end() {
    let mut rig = Rig::new();
    rig.files.takes = |name| !name.starts_with("outside/");
    rig.restart();
    let ino = rig.disk().create("a.log");
    rig.disk().append(ino, b"one\n");
    rig.cycle();
    rig.disk().append(ino, b"two\n");
    rig.disk().rename("a.log", "outside/a.log");
    rig.disk().write("a.log", b"new\n");
    rig.cycle();
    rig.disk().append(ino, b"three\n");
    rig.wait(2);
    let mut rows = rig.new_rows();
    rows.sort();
    assert_eq!(rows, ["a.log: new", "a.log: one", "a.log: three", "a.log: two"]);
}

#[test]
fn f10_deleted_while_unread_is_read_and_then_let_go() {
    let mut rig = Rig::new();
    let ino = rig.disk().create("a.log");
    rig.cycle();
    rig.disk().append(ino, lines(0).as_bytes());
    rig.disk().unlink("a.log");
    rig.cycle();
    assert_eq!(rig.new_rows().len(), 100);
    rig.wait(60);
    assert!(!rig.disk().inodes.contains_key(&ino), "nobody has it open any more");
    assert_eq!(rig.new_notices(), "");
}

#[test]
fn deleted_without_an_open_file_is_told_with_its_bytes() {
    let mut rig = Rig::with(Settings { max_open: 1, ..Settings::default() });
    for name in ["a.log", "b.log"] {
        rig.disk().write(name, format!("{name} one\n").as_bytes());
    }
    rig.cycle();
    rig.disk().write("a.log", b"never read\n");
    rig.follower.reconcile(rig.now_us);
    rig.disk().write("b.log", b"more\n");
    rig.follower.reconcile(rig.now_us);
    rig.disk().unlink("a.log");
    rig.wait(3);
    assert_eq!(rig.follower.counters().bytes_unread_at_loss, 11);
    insta::assert_snapshot!(rig.new_notices(), @r#"
    the limit of 1 open files is reached; idle ones are closed and opened again
    "a.log" went away, 11 bytes unread: delete logs only some time after rotating them
    "#);
}

#[test]
fn f13_hard_links_are_one_file() {
    let mut rig = Rig::new();
    rig.disk().write("b.log", b"one\n");
    rig.cycle();
    rig.disk().link("b.log", "a.log");
    rig.cycle();
    rig.disk().write("a.log", b"two\n");
    rig.cycle();
    rig.disk().unlink("b.log");
    rig.disk().write("a.log", b"three\n");
    rig.cycle();
    assert_eq!(rig.new_rows(), ["b.log: one", "b.log: two", "a.log: three"]);
}

#[test]
fn f25_permission_denied_then_granted_is_told_once_each() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", b"one\n");
    rig.cycle();
    rig.restart();
    rig.disk().write("a.log", b"two\n");
    rig.disk().denied = vec!["a.log".to_owned()];
    rig.wait(5);
    assert_eq!(rig.follower.counters().unreadable, 1);
    rig.disk().denied.clear();
    rig.wait(3);
    assert_eq!(rig.new_rows(), ["a.log: one", "a.log: two"]);
    assert_eq!(rig.follower.counters().unreadable, 0);
    insta::assert_snapshot!(rig.new_notices(), @r#"
    "a.log" cannot be read: permission denied; it is tried again on each scan
    "a.log" can be read now
    "#);
}

#[test]
fn files_of_a_directory_that_cannot_be_listed_are_not_gone() {
    let mut rig = Rig::new();
    rig.disk().write("logs/a.log", b"one\n");
    rig.cycle();
    rig.disk().unreadable_dirs = vec!["logs".to_owned()];
    rig.wait(40);
    rig.restart();
    rig.now_us += 7_200_000_000;
    rig.wait(3);
    rig.disk().unreadable_dirs.clear();
    rig.disk().write("logs/a.log", b"two\n");
    rig.wait(2);
    assert_eq!(rig.new_rows(), ["logs/a.log: one", "logs/a.log: two"]);
    insta::assert_snapshot!(rig.new_notices(), @r#"
    "logs" cannot be read: permission denied; it is tried again on each scan
    "logs" cannot be read: permission denied; it is tried again on each scan
    "logs" can be read now
    "#);
}

#[test]
fn f18_mark_line_ends_and_utf_16() {
    let mut rig = Rig::new();
    rig.disk()
        .write("a.log", b"\xef\xbb\xbf{\"f\":0}\r\n\r\n\n{\"f\":1}\r\n{\"f\":2,\"z\":\"a\0b\"}\n");
    rig.disk().write("u16.log", b"\xff\xfe{\0}\0\n\0");
    rig.wait(4);
    assert_eq!(
        rig.new_rows(),
        [
            "a.log: {\"f\":0}",
            "a.log: {\"f\":1}",
            "a.log: {\"f\":2,\"z\":\"a\0b\"}",
            "u16.log: \u{fffd}\u{fffd}{\0}\0"
        ]
    );
    insta::assert_snapshot!(rig.new_notices(), @r#""u16.log" is UTF-16, its lines are kept but not understood: let the program write UTF-8"#);
}

#[test]
fn once_reads_tails_and_copies_without_waiting() {
    let mut rig = Rig::with(Settings { once: true, ..Settings::default() });
    rig.disk().write("a.log", b"one\ntail");
    rig.disk().write("b.log", b"one\ntail");
    rig.disk().write("c.log.gz", &gzip(b"packed"));
    rig.cycle();
    assert_eq!(rig.new_rows().len(), 5);
}

#[test]
fn clock_that_is_set_back_stops_no_tail() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", b"{\"f\":0}");
    rig.cycle();
    rig.now_us -= 3_600_000_000;
    rig.wait(4);
    assert_eq!(rig.new_rows().len(), 1);
}

#[test]
fn hint_reads_growth_before_the_next_scan() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", b"one\n");
    rig.cycle();
    rig.disk().write("a.log", b"two\n");
    rig.follower.hint(Path::new("a.log"));
    rig.follower.hint(Path::new("never seen"));
    rig.read();
    assert_eq!(rig.new_rows(), ["a.log: one", "a.log: two"]);
}

#[test]
fn idle_scan_reads_no_byte() {
    let mut rig = Rig::new();
    for n in 0..100 {
        rig.disk().write(&format!("{n}.log"), format!("number {n}\n").as_bytes());
    }
    rig.wait(2);
    let bytes_before = rig.disk().bytes_read;
    let calls_before = rig.disk().calls;
    rig.cycle();
    let bytes_after = rig.disk().bytes_read;
    let calls_after = rig.disk().calls;
    assert_eq!(bytes_after, bytes_before);
    assert_eq!(calls_after - calls_before, 100, "one stat for each file");
}

#[test]
fn memory_of_ended_files_ends_after_an_hour() {
    let mut rig = Rig::new();
    rig.disk().write("a.log", lines(0).as_bytes());
    rig.cycle();
    rig.disk().unlink("a.log");
    rig.wait(70);
    assert_eq!(rig.follower.cursors().len(), 1);
    rig.now_us += 3_600_000_000;
    rig.cycle();
    assert_eq!(rig.follower.cursors().len(), 0);
}

#[test]
fn memory_of_ended_files_is_bounded() {
    let mut rig = Rig::new();
    for n in 0..1_030 {
        rig.disk().write(&format!("{n}.log"), format!("{n}\n").as_bytes());
    }
    rig.cycle();
    for n in 0..1_030 {
        rig.disk().unlink(&format!("{n}.log"));
    }
    rig.wait(70);
    assert_eq!(rig.follower.cursors().len(), 1024);
    assert!(rig.new_notices().contains("6 ended files are no longer remembered"));
}

#[test]
fn name_of_a_file_cannot_steer_the_terminal() {
    let mut rig = Rig::new();
    let packed = gzip(b"x");
    rig.disk().write("a\x1b[2J\u{202e}\n.gz", &packed[..9]);
    rig.cycle();
    insta::assert_snapshot!(rig.new_notices(), @r#""a\u{1b}[2J\u{202e}\n.gz" is not a complete compressed file (unexpected end of file); it is looked at again when it changes"#);
}

#[test]
fn appended_member_of_a_compressed_file_is_its_tail() {
    let mut rig = Rig::new();
    rig.disk().write("a.log.gz", &gzip(lines(0).as_bytes()));
    rig.wait(2);
    let mut more = Vec::new();
    let mut encoder = flate2::write::GzEncoder::new(&mut more, flate2::Compression::fast());
    encoder.write_all(b"more\n").unwrap();
    encoder.finish().unwrap();
    rig.disk().write("a.log.gz", &more);
    rig.wait(2);
    assert_eq!(rig.new_rows().len(), 101);
}

#[test]
fn tail_is_waited_for_as_long_as_it_is_said() {
    for (idle_tail_us, rows) in [(5_000_000, 0), (1_000_000, 1)] {
        let mut rig = Rig::with(Settings { idle_tail_us, ..Settings::default() });
        rig.disk().write("a.log", b"{\"a\":1}");
        rig.cycle();
        rig.wait(3);
        assert_eq!(rig.new_rows().len(), rows, "{idle_tail_us}");
        rig.wait(6);
        assert_eq!(rig.new_rows().len(), 1 - rows, "{idle_tail_us}");
    }
}
