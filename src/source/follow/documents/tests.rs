use super::*;
use crate::source::follow::tests::sim::SimFiles;

struct Rig {
    files: SimFiles,
    documents: Documents<SimFiles>,
    now_us: i64,
    next_id: u64,
}

impl Rig {
    fn new() -> Self {
        let files = SimFiles::new();
        let documents = Documents::new(files.clone(), false, || 0, Vec::new());
        let mut rig = Self { files, documents, now_us: 0, next_id: 0 };
        rig.restart();
        rig
    }

    fn restart(&mut self) {
        let stored = serde_json::to_string(&self.documents.cursors()).unwrap();
        self.next_id += 1000;
        let mut id = self.next_id;
        let new_id = move || {
            id += 1;
            id
        };
        let cursors = serde_json::from_str(&stored).unwrap();
        self.documents = Documents::new(self.files.clone(), false, new_id, cursors);
    }

    /// Replaces a file as careful writers do: written aside and renamed over.
    fn put(&self, name: &str, text: &str) {
        let mut disk = self.files.disk();
        disk.write(".aside", text.as_bytes());
        disk.rename(".aside", name);
    }

    fn rows(&mut self, scans: u32) -> Vec<String> {
        let mut rows = Vec::new();
        for _ in 0..scans {
            self.now_us += 1_000_000;
            self.documents.reconcile(self.now_us);
            while let Some(piece) = self.documents.read(self.now_us) {
                for record in &piece.records {
                    let body = &piece.bytes[record.body.start as usize..record.body.end as usize];
                    let text = String::from_utf8_lossy(body);
                    let path = piece.path.display();
                    match record.kind {
                        RecordKind::Tombstone => rows.push(format!("{path} ended")),
                        _ => rows.push(format!("{path}: {text}")),
                    }
                }
            }
        }
        rows
    }
}

const NONE: [&str; 0] = [];

#[test]
fn each_version_is_handed_out_once() {
    let mut rig = Rig::new();
    rig.put("a.json", "{\"v\":1}");
    assert_eq!(rig.rows(3), ["a.json: {\"v\":1}"]);
    rig.put("a.json", "{\"v\":1}");
    assert_eq!(rig.rows(2), NONE, "saved again as it was");
    for version in 2..52 {
        rig.put("a.json", &format!("{{\"v\":{version}}}"));
        assert_eq!(rig.rows(1), [format!("a.json: {{\"v\":{version}}}")]);
    }
    rig.restart();
    assert_eq!(rig.rows(2), NONE, "known after a restart");
    rig.put("a.json", "{\"v\":1}");
    assert_eq!(rig.rows(1), ["a.json: {\"v\":1}"], "a version may come back");
}

#[test]
fn only_new_elements_of_a_changed_array_are_handed_out() {
    let mut rig = Rig::new();
    rig.put("a.json", "[{\"n\":1},{\"n\":2}]");
    assert_eq!(rig.rows(1), ["a.json: {\"n\":1}", "a.json: {\"n\":2}"]);
    rig.put("a.json", "{\"records\":[{\"n\":2},{\"n\":3},{\"n\":2}]}");
    rig.restart();
    assert_eq!(rig.rows(1), ["a.json: {\"n\":3}", "a.json: {\"n\":2}"], "the second 2 is new");
    rig.put("a.json", "[]");
    assert_eq!(rig.rows(2), NONE);
}

#[test]
fn deleted_document_leaves_a_tombstone_and_a_moved_one_nothing() {
    let mut rig = Rig::new();
    rig.put("in/a.json", "{\"v\":1}");
    rig.put("in/b.json", "{\"v\":2}");
    rig.rows(1);
    rig.files.disk().rename("in/a.json", "done/a.json");
    assert_eq!(rig.rows(4), NONE, "moved");
    rig.put("done/a.json", "{\"v\":3}");
    assert_eq!(rig.rows(1), ["done/a.json: {\"v\":3}"], "and followed there");
    rig.files.disk().unlink("in/b.json");
    assert_eq!(rig.rows(4), ["in/b.json ended"]);
    rig.files.disk().rename("done/a.json", "in/c.json");
    rig.restart();
    assert_eq!(rig.rows(4), NONE, "moved while nobody looked");
    rig.files.disk().unlink("in/c.json");
    rig.restart();
    assert_eq!(rig.rows(4), ["in/c.json ended"]);
    rig.put("in/c.json", "{\"v\":3}");
    assert_eq!(rig.rows(1), ["in/c.json: {\"v\":3}"], "it lives again");
}

#[test]
fn copy_is_a_document_of_its_own() {
    let mut rig = Rig::new();
    rig.put("a.json", "{\"v\":1}");
    rig.rows(1);
    rig.put("b.json", "{\"v\":1}");
    assert_eq!(rig.rows(3), ["b.json: {\"v\":1}"]);
}

#[test]
fn document_is_taken_when_it_is_whole() {
    let mut rig = Rig::new();
    rig.files.disk().write("a.json", b"{\"v\":");
    assert_eq!(rig.rows(3), NONE);
    rig.files.disk().write("a.json", b"1}");
    assert_eq!(rig.rows(1), ["a.json: {\"v\":1}"]);
    rig.files.disk().write("bad.json", b"{\"v\":");
    assert_eq!(rig.rows(5), NONE, "five seconds");
    assert_eq!(rig.rows(3), ["bad.json: {\"v\":"], "and then once as it is");
    rig.files.disk().write("empty.json", b" \n");
    assert_eq!(rig.rows(9), NONE);
}

#[test]
fn unfinished_names_are_passed_over() {
    let mut rig = Rig::new();
    for name in [".hidden.json", "a.json~", "a.json.tmp", "sub/.a.json.swp"] {
        rig.put(name, "{}");
    }
    assert_eq!(rig.rows(3), NONE);
}

#[test]
fn documents_of_a_directory_that_cannot_be_listed_have_not_ended() {
    let mut rig = Rig::new();
    rig.put("in/a.json", "{}");
    rig.rows(1);
    rig.files.disk().unreadable_dirs = vec!["in".to_owned()];
    assert_eq!(rig.rows(5), NONE);
    rig.files.disk().unreadable_dirs.clear();
    assert_eq!(rig.rows(5), NONE);
    assert_eq!(rig.documents.take_notices().len(), 1);
}

#[test]
fn file_written_while_it_is_read_is_read_again() {
    let mut rig = Rig::new();
    rig.files.disk().write("a.json", b"{\"v\":1}");
    // In the second look of the first scan: after the read, before it counts.
    let at = rig.files.disk().calls + 4;
    let act = |disk: &mut crate::source::follow::tests::sim::Disk| {
        disk.truncate("a.json", 0);
        disk.write("a.json", b"{\"v\":2}");
    };
    rig.files.disk().at_call.push((at, Box::new(act)));
    assert_eq!(rig.rows(3), ["a.json: {\"v\":2}"]);
}
