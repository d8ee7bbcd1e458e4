//! A follower over the simulated disk with its rows and notices at hand.

use std::collections::BTreeMap;
use std::sync::MutexGuard;

use super::sim::{Disk, SimFiles};
use crate::model::{Cursor, GenerationId};
use crate::source::follow::{Follower, Piece, RecordKind, Settings};

pub(super) struct Rig {
    pub(super) files: SimFiles,
    pub(super) settings: Settings,
    pub(super) follower: Follower<SimFiles>,
    pub(super) now_us: i64,
    /// Bodies as text, with `path: ` in front and the kind behind if it is not a line.
    pub(super) rows: Vec<String>,
    pub(super) notices: Vec<String>,
    pub(super) last: Option<Piece>,
    reached: BTreeMap<GenerationId, u64>,
    next_id: u64,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(super) fn with(settings: Settings) -> Self {
        let files = SimFiles::new();
        let follower = Follower::new(files.clone(), settings, || 1, Vec::new());
        let mut rig = Self {
            files,
            settings,
            follower,
            now_us: 1_000_000_000,
            rows: Vec::new(),
            notices: Vec::new(),
            last: None,
            reached: BTreeMap::new(),
            next_id: 0,
        };
        rig.restart();
        rig
    }

    pub(super) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.files.disk()
    }

    /// The collector stops and starts again from what it has committed.
    pub(super) fn restart(&mut self) {
        let stored = serde_json::to_string(&self.follower.cursors()).unwrap();
        let cursors: Vec<Cursor> = serde_json::from_str(&stored).unwrap();
        self.next_id += 1000;
        let mut id = self.next_id;
        let new_id = move || {
            id += 1;
            id
        };
        self.follower = Follower::new(self.files.clone(), self.settings, new_id, cursors);
    }

    pub(super) fn cycle(&mut self) {
        self.now_us += 1_000_000;
        self.follower.reconcile(self.now_us);
        self.read();
    }

    pub(super) fn read(&mut self) {
        while let Some(piece) = self.follower.read(self.now_us, 64 * 1024) {
            self.take(piece);
        }
        self.notices.extend(self.follower.take_notices().iter().map(ToString::to_string));
    }

    pub(super) fn wait(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.cycle();
        }
    }

    /// The rows since the last call.
    pub(super) fn new_rows(&mut self) -> Vec<String> {
        std::mem::take(&mut self.rows)
    }

    /// The notices since the last call, one a line.
    pub(super) fn new_notices(&mut self) -> String {
        std::mem::take(&mut self.notices).join("\n")
    }

    fn take(&mut self, piece: Piece) {
        let reached = self.reached.entry(piece.generation).or_default();
        for record in &piece.records {
            assert_eq!(record.off, *reached, "the ranges of a generation tile");
            *reached += record.len;
            let body = &piece.bytes[record.body.start as usize..record.body.end as usize];
            let text = String::from_utf8_lossy(body);
            let kind = match record.kind {
                RecordKind::Line => String::new(),
                kind => format!(" ({kind:?}, {} bytes)", record.len),
            };
            let text: String = text.chars().take(60).collect();
            self.rows.push(format!("{}: {text}{kind}", piece.path.display()));
        }
        self.last = Some(piece);
    }
}
