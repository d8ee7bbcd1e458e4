//! The oracle: which complete records were written, which of them may be missing, and which may
//! come twice. It knows bytes and names only, nothing of how following works.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::sim::{Disk, SimFiles};

/// What may happen to a record.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    /// It stood as a whole line somewhere.
    is_complete: bool,
    /// Its last readable bytes went away before it was committed.
    may_be_lost: bool,
    /// Its line was torn apart by what the writer did.
    may_be_torn: bool,
    /// Power failures that cut back a file holding it.
    may_come_again: u32,
}

#[derive(Debug, Default)]
pub(super) struct Oracle {
    fates: BTreeMap<u32, Fate>,
    committed: BTreeMap<u32, u32>,
}

impl Oracle {
    /// Rows were committed.
    pub(super) fn commit(&mut self, bodies: &[Vec<u8>]) {
        for body in bodies {
            if let Some((id, is_whole)) = record_id(body) {
                if is_whole {
                    *self.committed.entry(id).or_default() += 1;
                } else {
                    let may_be_torn = self.fates.get(&id).is_some_and(|fate| fate.may_be_torn);
                    assert!(may_be_torn, "half of record {id} is a row");
                }
            }
        }
    }

    /// Runs something that may destroy bytes, and notes what can no longer be read after it.
    pub(super) fn note_records(&mut self, files: &SimFiles) -> BTreeSet<u32> {
        let readable = readable(&files.disk(), files.takes);
        for id in &readable {
            self.fates.entry(*id).or_default().is_complete = true;
        }
        readable
    }

    /// What was readable `before` and is not any more may be lost, unless it is committed.
    pub(super) fn note_losses(&mut self, before: &BTreeSet<u32>, files: &SimFiles) {
        let after = readable(&files.disk(), files.takes);
        for id in before.difference(&after) {
            if !self.committed.contains_key(id) {
                self.fates.entry(*id).or_default().may_be_lost = true;
            }
        }
    }

    /// Rows were handed out, and their collector died before it committed them.
    pub(super) fn note_uncommitted(&mut self, bodies: &[Vec<u8>], files: &SimFiles) {
        let after = readable(&files.disk(), files.takes);
        for (id, _) in bodies.iter().filter_map(|body| record_id(body)) {
            if !after.contains(&id) {
                self.fates.entry(id).or_default().may_be_lost = true;
            }
        }
    }

    pub(super) fn note_torn(&mut self, id: u32) {
        self.fates.entry(id).or_default().may_be_torn = true;
    }

    /// A power failure left half a line at the end of a file.
    pub(super) fn note_torn_end(&mut self, bytes: &[u8]) {
        let last = bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        if let Some((id, _)) = record_id(last) {
            self.note_torn(id);
        }
    }

    pub(super) fn note_again(&mut self, bytes: &[u8]) {
        for id in whole_records(bytes) {
            self.fates.entry(id).or_default().may_come_again += 1;
        }
    }

    /// Everything that could be read was read: once, and nothing else is missing.
    pub(super) fn check(&mut self, files: &SimFiles, last_record: u32) {
        let still_there = self.note_records(files);
        for (id, fate) in &self.fates {
            let count = self.committed.get(id).copied().unwrap_or_default();
            if fate.may_be_torn {
                continue;
            }
            let may_miss = fate.may_be_lost && !still_there.contains(id);
            assert!(count > 0 || may_miss || !fate.is_complete, "record {id} is lost: {fate:?}");
            assert!(count <= 1 + fate.may_come_again, "record {id} came {count} times: {fate:?}");
        }
        for id in self.committed.keys() {
            assert!(*id <= last_record, "record {id} was never written");
        }
    }
}

pub(super) fn line_of(id: u32, pad: usize) -> Vec<u8> {
    let text: String = format!("{id}.").chars().cycle().take(pad).collect();
    format!("{{\"r\":{id},\"p\":\"{text}\"}}\n").into_bytes()
}

/// The number of the record that a row starts like, and whether it is all there.
fn record_id(body: &[u8]) -> Option<(u32, bool)> {
    let rest = body.strip_prefix(b"{\"r\":")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let id = std::str::from_utf8(&rest[..digits]).unwrap().parse().ok()?;
    Some((id, rest[digits..].starts_with(b",\"p\":\"") && rest.ends_with(b"\"}")))
}

fn whole_records(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines.filter_map(|line| record_id(line).filter(|(_, is_whole)| *is_whole).map(|(id, _)| id))
}

/// The records that can still be read: in a listed file, or in one that the follower has open.
fn readable(disk: &Disk, takes: fn(&str) -> bool) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let listed = disk.names.iter().filter(|(name, _)| takes(name)).map(|(_, ino)| *ino);
    let open = disk.inodes.iter().filter(|(_, it)| it.followed_by > 0).map(|(ino, _)| *ino);
    for ino in listed.chain(open).collect::<BTreeSet<u64>>() {
        let bytes = &disk.inodes[&ino].bytes;
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut plain = Vec::new();
            if flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).is_ok() {
                found.extend(whole_records(&plain));
            }
        } else {
            found.extend(whole_records(bytes));
        }
    }
    found
}
