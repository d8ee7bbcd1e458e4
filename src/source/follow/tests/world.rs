//! Writers, rotation, crashes and a collector over the simulated disk.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::oracle::{Oracle, line_of};
use super::sim::SimFiles;
use crate::model::{Cursor, GenerationId};
use crate::source::follow::{Follower, Notice, Piece, Settings};

/// What happens next. `w` is a writer, `old` picks one of the rotated files.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Append {
        w: usize,
        records: u8,
        pad: u16,
    },
    /// Half a line; the other half comes with whatever the writer writes next.
    Half {
        w: usize,
    },
    /// A complete object without its line end, which comes with what is written next.
    Tail {
        w: usize,
    },
    /// `mv a.log a.log.1`; the writer goes on writing into it until it opens its file again.
    Rename {
        w: usize,
        to_outside: bool,
    },
    Reopen {
        w: usize,
    },
    /// `cp a.log a.log.1; truncate -s0 a.log`, with things happening in between.
    CopyTruncate {
        w: usize,
        between: [Vec<Step>; 3],
        regrow: u8,
        pad: u16,
    },
    Truncate {
        w: usize,
    },
    Delete {
        w: usize,
    },
    DeleteOld {
        old: usize,
    },
    Link {
        w: usize,
    },
    Gz {
        old: usize,
        between: [Vec<Step>; 2],
    },
    /// Moves a rotated file one number up.
    Shift {
        old: usize,
    },
    Sync {
        w: usize,
    },
    SyncNames,
    Step(Step),
    /// Scan, read all, commit.
    Cycle,
    Clock {
        seconds: i32,
    },
    Crash,
    PowerLoss,
    /// In the midst of a later call of the follower.
    Race {
        calls: u8,
        w: usize,
        act: Act,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Scan,
    Read,
    Commit,
    Crash,
    Append { w: usize },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Append,
    Rename,
    CopyTruncate,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) tells_birth: bool,
    pub(super) max_open: usize,
    pub(super) has_banner: bool,
    pub(super) max_record: u64,
}

const NAMES: [&str; 2] = ["a.log", "b.log"];
const BANNER: &[u8] = b"{\"banner\":\"server 1.0 starts; nothing here is unique at all\"}\n";

#[derive(Debug, Default)]
struct Writer {
    ino: Option<u64>,
    /// What is missing of the last line, and of which record.
    missing: Option<(u32, Vec<u8>)>,
}

pub(super) struct World {
    pub(super) files: SimFiles,
    setup: Setup,
    follower: Option<Follower<SimFiles>>,
    ids: Arc<AtomicU64>,
    now_us: i64,
    stored: String,
    pending: Vec<Vec<u8>>,
    /// How far the rows of each generation reach, committed and with the pending ones.
    reached: BTreeMap<GenerationId, u64>,
    pending_reached: BTreeMap<GenerationId, u64>,
    oracle: Oracle,
    writers: [Writer; 2],
    next_record: u32,
    next_old: u32,
    old: Vec<String>,
    pub(super) notices: Vec<Notice>,
    pub(super) rows: Vec<Vec<u8>>,
}

impl World {
    pub(super) fn new(setup: Setup) -> Self {
        let mut files = SimFiles::new();
        files.takes = |name| !name.starts_with("outside/");
        files.disk().tells_birth = setup.tells_birth;
        let mut world = Self {
            files,
            setup,
            follower: None,
            ids: Arc::new(AtomicU64::new(1)),
            now_us: 1_000_000_000,
            stored: "[]".to_owned(),
            pending: Vec::new(),
            reached: BTreeMap::new(),
            pending_reached: BTreeMap::new(),
            oracle: Oracle::default(),
            writers: Default::default(),
            next_record: 0,
            next_old: 0,
            old: Vec::new(),
            notices: Vec::new(),
            rows: Vec::new(),
        };
        world.resume();
        world
    }

    pub(super) fn run(setup: Setup, ops: &[Op]) {
        let mut world = Self::new(setup);
        for op in ops {
            world.apply(op);
        }
        world.finish();
    }

    /// The writers finish their lines, and the collector gets all the time it wants.
    pub(super) fn finish(&mut self) {
        for w in 0..2 {
            if self.writers[w].missing.is_some() {
                self.append(w, 0, 0);
            }
        }
        self.oracle.note_records(&self.files);
        for _ in 0..30 {
            self.now_us += 3_000_000;
            self.cycle();
        }
        self.files.disk().at_call.clear();
        self.oracle.check(&self.files, self.next_record);
    }

    pub(super) fn apply(&mut self, op: &Op) {
        match op {
            Op::Append { w, records, pad } => self.append(*w, *records, usize::from(*pad)),
            Op::Half { w } => self.half(*w, true),
            Op::Tail { w } => self.half(*w, false),
            Op::Rename { w, to_outside } => {
                let to = self.old_name(*w, if *to_outside { "outside/" } else { "" });
                self.destroy(|world| world.rename(*w, &to));
            }
            Op::Reopen { w } => self.reopen(*w),
            Op::CopyTruncate { w, between, regrow, pad } => {
                self.copy_truncate(*w, between, *regrow, usize::from(*pad));
            }
            Op::Truncate { w } => self.destroy(|world| world.truncate(*w)),
            Op::Delete { w } => self.destroy(|world| {
                world.tear(*w);
                world.files.disk().unlink(NAMES[*w]);
            }),
            Op::DeleteOld { old } => {
                if let Some(name) = self.take_old(*old) {
                    self.destroy(|world| world.files.disk().unlink(&name));
                }
            }
            Op::Link { w } => self.link(*w),
            Op::Gz { old, between } => self.gz(*old, between),
            Op::Shift { old } => {
                if let Some(name) = self.take_old(*old) {
                    let to = self.old_name(usize::from(name.starts_with('b')), "");
                    let to = if is_gz(&name) { format!("{to}.gz") } else { to };
                    self.files.disk().rename(&name, &to);
                    self.old.push(to);
                }
            }
            Op::Sync { w } => self.files.disk().sync(NAMES[*w]),
            Op::SyncNames => self.destroy(|world| world.files.disk().sync_names()),
            Op::Step(step) => self.step(*step),
            Op::Cycle => self.cycle(),
            Op::Clock { seconds } => self.now_us += i64::from(*seconds) * 1_000_000,
            Op::Crash => self.crash(),
            Op::PowerLoss => self.lose_power(),
            Op::Race { calls, w, act } => self.race(*calls, *w, *act),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Scan => self.scan(),
            Step::Read => self.read(2),
            Step::Commit => self.commit(),
            Step::Crash => self.crash(),
            Step::Append { w } => self.append(w, 1, 3),
        }
    }

    fn resume(&mut self) {
        let cursors: Vec<Cursor> = serde_json::from_str(&self.stored).unwrap();
        let settings = Settings {
            max_open: self.setup.max_open,
            max_record: self.setup.max_record,
            ..Settings::default()
        };
        let ids = Arc::clone(&self.ids);
        let new_id =
            move || ids.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.follower = Some(Follower::new(self.files.clone(), settings, new_id, cursors));
        self.pending.clear();
        self.pending_reached = self.reached.clone();
    }

    fn crash(&mut self) {
        self.destroy(|world| world.follower = None);
        self.oracle.note_uncommitted(&self.pending, &self.files);
        self.resume();
    }

    fn lose_power(&mut self) {
        let before = self.oracle.note_records(&self.files);
        self.follower = None;
        let old: BTreeMap<u64, Vec<u8>> =
            self.files.disk().inodes.iter().map(|(ino, it)| (*ino, it.bytes.clone())).collect();
        let names = self.files.disk().names.clone();
        self.files.disk().lose_power();
        self.files.disk().at_call.clear();
        let now: Vec<(u64, Vec<u8>)> =
            self.files.disk().inodes.iter().map(|(ino, it)| (*ino, it.bytes.clone())).collect();
        for (ino, bytes) in now {
            // An undone rename leaves no evidence but the inode, which says little without a birth.
            let is_renamed = !self.setup.tells_birth && names != self.files.disk().names;
            if old.get(&ino) != Some(&bytes) || is_renamed {
                self.oracle.note_again(&bytes);
            }
            self.oracle.note_torn_end(&bytes);
        }
        for w in 0..2 {
            self.tear(w);
            self.writers[w] = Writer::default();
        }
        let names: Vec<String> = self.files.disk().names.keys().cloned().collect();
        self.old = names.into_iter().filter(|name| !NAMES.contains(&name.as_str())).collect();
        self.oracle.note_losses(&before, &self.files);
        self.oracle.note_uncommitted(&self.pending, &self.files);
        self.resume();
    }

    fn scan(&mut self) {
        self.now_us += 100_000;
        let now_us = self.now_us;
        self.follow(|follower| follower.reconcile(now_us));
        self.take_notices();
    }

    /// The follower itself may only let go of bytes when it may not open enough files.
    fn follow<T>(&mut self, act: impl FnOnce(&mut Follower<SimFiles>) -> T) -> T {
        let is_crowded = self.setup.max_open < 8;
        let before = is_crowded.then(|| self.oracle.note_records(&self.files));
        let result = act(self.follower.as_mut().unwrap());
        if let Some(before) = before {
            self.oracle.note_losses(&before, &self.files);
        }
        result
    }

    fn take_notices(&mut self) {
        self.notices.extend(self.follower.as_mut().unwrap().take_notices());
    }

    pub(super) fn read(&mut self, pieces: usize) {
        for _ in 0..pieces {
            let now_us = self.now_us;
            let Some(piece) = self.follow(|follower| follower.read(now_us, 1024)) else { break };
            self.take(&piece);
        }
        self.take_notices();
    }

    fn take(&mut self, piece: &Piece) {
        let reached = self.pending_reached.entry(piece.generation).or_default();
        for record in &piece.records {
            assert_eq!(record.off, *reached, "the ranges of a generation tile");
            assert!(record.len > 0);
            *reached += record.len;
            let body = &piece.bytes[record.body.start as usize..record.body.end as usize];
            assert!(!body.contains(&b'\n'));
            self.pending.push(body.to_vec());
        }
    }

    fn commit(&mut self) {
        let cursors = self.follower.as_ref().unwrap().cursors();
        for cursor in &cursors {
            assert_eq!(Some(&cursor.position), self.pending_reached.get(&cursor.generation));
        }
        self.stored = serde_json::to_string(&cursors).unwrap();
        self.oracle.commit(&self.pending);
        self.rows.append(&mut self.pending);
        self.reached = self.pending_reached.clone();
    }

    pub(super) fn cycle(&mut self) {
        self.scan();
        self.read(usize::MAX);
        self.commit();
    }

    /// Runs something after which some bytes may be gone for good.
    fn destroy(&mut self, act: impl FnOnce(&mut Self)) {
        let before = self.oracle.note_records(&self.files);
        act(self);
        self.oracle.note_losses(&before, &self.files);
    }

    fn open(&mut self, w: usize) -> u64 {
        if let Some(ino) = self.writers[w].ino {
            return ino;
        }
        let mut disk = self.files.disk();
        let ino = disk.create(NAMES[w]);
        disk.inodes.get_mut(&ino).unwrap().written_by += 1;
        self.writers[w].ino = Some(ino);
        ino
    }

    fn append(&mut self, w: usize, records: u8, pad: usize) {
        let ino = self.open(w);
        let mut bytes = self.writers[w].missing.take().map(|it| it.1).unwrap_or_default();
        let last = self.files.disk().inodes[&ino].bytes.last().copied();
        let is_start = last.is_none();
        if bytes.is_empty() && last.is_some_and(|last| last != b'\n') {
            // Cut back by a power failure; not every writer is so kind.
            bytes.push(b'\n');
        }
        if records > 0 && is_start && self.setup.has_banner {
            bytes.extend_from_slice(BANNER);
        }
        for _ in 0..records {
            self.next_record += 1;
            bytes.extend(line_of(self.next_record, pad));
        }
        self.files.disk().append(ino, &bytes);
    }

    fn half(&mut self, w: usize, is_torn: bool) {
        self.append(w, 0, 0);
        let ino = self.open(w);
        self.next_record += 1;
        let line = line_of(self.next_record, 9);
        let at = if is_torn { line.len() - 7 } else { line.len() - 1 };
        self.files.disk().append(ino, &line[..at]);
        let torn_id = if is_torn { self.next_record } else { 0 };
        self.writers[w].missing = Some((torn_id, line[at..].to_vec()));
        // A renamed file gets no more lines that anybody waits for.
        if self.files.disk().names.get(NAMES[w]) != Some(&ino) {
            self.tear(w);
        }
    }

    /// What the writer has begun may not become whole where it was begun.
    fn tear(&mut self, w: usize) {
        if let Some((id, _)) = &self.writers[w].missing {
            self.oracle.note_torn(*id);
        }
    }

    fn old_name(&mut self, w: usize, dir: &str) -> String {
        self.next_old += 1;
        format!("{dir}{}.{}", NAMES[w], self.next_old)
    }

    fn take_old(&mut self, old: usize) -> Option<String> {
        let at = old.checked_rem(self.old.len())?;
        let name = self.old.remove(at);
        self.files.disk().names.contains_key(&name).then_some(name)
    }

    fn has_file(&self, w: usize) -> bool {
        self.files.disk().names.contains_key(NAMES[w])
    }

    fn rename(&mut self, w: usize, to: &str) {
        if self.has_file(w) {
            self.tear(w);
            self.files.disk().rename(NAMES[w], to);
            if !to.starts_with("outside/") {
                self.old.push(to.to_owned());
            }
        }
    }

    fn reopen(&mut self, w: usize) {
        self.tear(w);
        if let Some(ino) = self.writers[w].ino.take() {
            self.destroy(|world| {
                let mut disk = world.files.disk();
                disk.inodes.get_mut(&ino).unwrap().written_by -= 1;
                disk.free(Some(ino));
            });
        }
        self.open(w);
    }

    fn truncate(&mut self, w: usize) {
        if self.has_file(w) {
            self.tear(w);
            self.files.disk().truncate(NAMES[w], 0);
        }
    }

    fn copy_truncate(&mut self, w: usize, between: &[Vec<Step>; 3], regrow: u8, pad: usize) {
        if !self.has_file(w) {
            return;
        }
        self.tear(w);
        // Two rotations of one file at the same time are nobody's wish.
        self.files.disk().at_call.clear();
        let to = self.old_name(w, "");
        let from = self.files.disk().names[NAMES[w]];
        let ino = self.files.disk().create(&to);
        for open in [from, ino] {
            self.files.disk().inodes.get_mut(&open).unwrap().written_by += 1;
        }
        self.steps(&between[0]);
        let whole = self.files.disk().inodes[&from].bytes.clone();
        self.files.disk().append(ino, &whole[..whole.len() / 2]);
        self.steps(&between[1]);
        let whole = self.files.disk().inodes[&from].bytes.clone();
        let had = self.files.disk().inodes[&ino].bytes.len();
        self.files.disk().append(ino, whole.get(had..).unwrap_or_default());
        // Between the end of the copy and the truncation lie microseconds: what is written and
        // read then without a scan is the documented limit.
        for step in &between[2] {
            self.step(*step);
            if matches!(step, Step::Append { .. }) {
                self.scan();
            }
        }
        self.tear(w);
        self.destroy(|world| {
            let mut disk = world.files.disk();
            disk.truncate_inode(from, 0);
            for open in [from, ino] {
                disk.inodes.get_mut(&open).unwrap().written_by -= 1;
                disk.free(Some(open));
            }
        });
        self.old.push(to);
        if regrow > 0 {
            self.append(w, regrow, pad);
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(*step);
        }
    }

    fn link(&mut self, w: usize) {
        let to = self.old_name(w, "");
        if self.has_file(w) {
            self.files.disk().link(NAMES[w], &to);
            self.old.push(to);
        }
    }

    fn gz(&mut self, old: usize, between: &[Vec<Step>; 2]) {
        let Some(name) = self.take_old(old) else { return };
        let ino = self.files.disk().names[&name];
        // A compressor refuses files with other names, and takes what nobody writes any more.
        let is_linked = self.files.disk().names.values().filter(|it| **it == ino).count() > 1;
        if is_gz(&name) || is_linked || self.files.disk().inodes[&ino].written_by > 0 {
            self.old.push(name);
            return;
        }
        let packed = gzip(self.files.disk().content(&name));
        let to = format!("{name}.gz");
        self.files.disk().write(&to, &packed[..packed.len() / 2]);
        self.steps(&between[0]);
        self.files.disk().write(&to, &packed[packed.len() / 2..]);
        self.steps(&between[1]);
        self.destroy(|world| world.files.disk().unlink(&name));
        self.old.push(to);
    }

    fn race(&mut self, calls: u8, w: usize, act: Act) {
        let to = self.old_name(w, "");
        self.next_record += 1;
        let line = line_of(self.next_record, 5);
        if self.writers[w].missing.is_some() {
            return;
        }
        let at = self.files.disk().calls + u64::from(calls);
        self.old.push(to.clone());
        let act = Box::new(move |disk: &mut super::sim::Disk| {
            if !disk.names.contains_key(NAMES[w]) || disk.names.contains_key(&to) {
                return;
            }
            // A line in two halves is torn by other acts, not here.
            if disk.content(NAMES[w]).last().is_some_and(|last| *last != b'\n') {
                return;
            }
            match act {
                Act::Append => disk.write(NAMES[w], &line),
                Act::Rename => disk.rename(NAMES[w], &to),
                Act::CopyTruncate => {
                    let bytes = disk.content(NAMES[w]).to_vec();
                    disk.write(&to, &bytes);
                    disk.truncate(NAMES[w], 0);
                    disk.write(NAMES[w], &line);
                }
            }
        });
        self.files.disk().at_call.push((at, act));
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn is_gz(name: &str) -> bool {
    name.rsplit('.').next() == Some("gz")
}
