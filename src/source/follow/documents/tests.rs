use super::*;
use crate::source::follow::tests::sim::SimFiles;

const SETTINGS: DocumentSettings = DocumentSettings { once: false, settle_us: 5_000_000 };

struct Rig {
    files: SimFiles,
    documents: Documents<SimFiles>,
    now_us: i64,
    next_id: u64,
    /// Names of the records handed out, in their order.
    names: Vec<String>,
}

impl Rig {
    fn new() -> Self {
        let files = SimFiles::new();
        let documents = Documents::new(files.clone(), SETTINGS, || 0, Vec::new());
        let mut rig = Self { files, documents, now_us: 0, next_id: 0, names: Vec::new() };
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
        self.documents = Documents::new(self.files.clone(), SETTINGS, new_id, cursors);
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
            while let Some(Version { piece, names }) = self.documents.read(self.now_us) {
                assert_eq!(piece.records.len(), names.len());
                self.names.extend(names);
                // The records of a version are one range of its own generation, or its end.
                let cursors = self.documents.cursors();
                let cursor = cursors.iter().find(|cursor| cursor.generation == piece.generation);
                let is_right = |it: &RecordSpan| match (it.kind, cursor) {
                    (RecordKind::Tombstone, None) => it.len == 0,
                    (_, Some(cursor)) => (it.off, it.len) == (0, cursor.len),
                    (_, None) => false,
                };
                assert!(piece.records.iter().all(is_right));
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

#[test]
fn document_keeps_its_name_and_shares_it_with_no_other() {
    let mut rig = Rig::new();
    rig.put("new.json", "{\"v\":1}");
    rig.rows(1);
    rig.files.disk().rename("new.json", "old.json");
    rig.rows(1);
    rig.restart();
    rig.put("new.json", "{\"v\":2}");
    rig.put("old.json", "{\"v\":3}");
    rig.rows(1);
    let [first, new, old] = &rig.names[..] else { panic!("{:?}", rig.names) };
    assert_eq!((first.as_str(), first), ("new.json", old), "moved, then changed");
    assert!(new.starts_with("new.json#"), "another document at the path of the first: {new}");
    rig.files.disk().unlink("old.json");
    rig.rows(3);
    assert_eq!(rig.names.last().unwrap(), "new.json", "its end is that of the first");
}

#[test]
fn elements_of_a_list_are_known_by_what_they_say() {
    let mut rig = Rig::new();
    rig.put("a.json", "[1,1,2]");
    rig.rows(1);
    let known = rig.names.clone();
    let all: HashSet<&String> = known.iter().collect();
    assert_eq!(all.len(), 3, "equal elements have names of their own");
    rig.files.disk().unlink("a.json");
    rig.rows(3);
    rig.names.clear();
    rig.put("a.json", "[2,1,1,1]");
    rig.rows(1);
    let again = rig.names.iter().filter(|name| known.contains(name)).count();
    assert_eq!((again, rig.names.len()), (3, 4), "only the third 1 is new after all was gone");
}

#[test]
fn version_without_anything_new_has_no_generation() {
    let mut rig = Rig::new();
    rig.put("a.json", "[]");
    assert_eq!(rig.rows(1), NONE);
    assert_eq!(rig.documents.changed_cursors().unwrap()[0].len, 0);
    rig.put("a.json", "[1,22]");
    rig.rows(1);
    let full = rig.documents.changed_cursors().unwrap().remove(0);
    rig.put("a.json", "[1]");
    assert_eq!(rig.rows(1), NONE);
    let less = rig.documents.changed_cursors().unwrap().remove(0);
    assert_eq!((less.generation, less.len), (full.generation, 6));
    assert_ne!(less.version, full.version);
    rig.rows(1);
    assert_eq!(rig.documents.changed_cursors(), None);
}
