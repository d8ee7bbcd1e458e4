//! One configured source: the files it follows, and what they hold without its secrets.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config;
use crate::decode::{DurationUnit, Overrides, Role};
use crate::model::{Cursor, DocumentCursor, Positions};
use crate::redact::Redactor;
use crate::source::follow::{
    Counters, DiskFiles, DocumentSettings, Documents, Follower, Notice, Piece, Settings, Version,
};

use super::CollectError;
use super::encode::Encoder;
use super::redacted::Redacted;

/// A source that is being followed.
pub(super) struct Watched {
    pub(super) name: String,
    reading: Reading,
    redactor: Arc<Redactor>,
    committed: String,
}

/// What was read at once.
pub(super) struct Taken {
    pub(super) records: Records,
    pub(super) redacted: Redacted,
    pub(super) read_bytes: usize,
    pub(super) observed_us: i64,
}

/// Where records come from.
pub(super) enum Records {
    /// Lines; their text is gone, but for what is redacted.
    Piece(Piece),
    /// A document.
    Version(Box<Version>),
}

enum Reading {
    Files(Box<Follower<DiskFiles>>),
    Documents(Box<Documents<DiskFiles>>, Counters),
}

/// How all sources are followed.
#[derive(Clone, Copy)]
pub(super) struct Limits<'a> {
    pub(super) files: Settings,
    pub(super) documents: DocumentSettings,
    /// Where symbolic links may lead, besides a source's own directories.
    pub(super) link_roots: &'a [PathBuf],
}

impl Watched {
    /// Goes on from `cursors`, the text of the last commit; also gives what makes rows of it.
    pub(super) fn resume(
        source: &config::Source,
        limits: Limits<'_>,
        mut overrides: Overrides,
        redactor: Arc<Redactor>,
        cursors: Option<&str>,
    ) -> Result<(Self, Encoder), CollectError> {
        let name = source.name.clone();
        let include: Vec<String> = source.files.patterns().map(str::to_owned).collect();
        let files = DiskFiles::new(&name, &include, source.files.excluded())
            .map_err(|error| CollectError::Glob { source_name: name.clone(), error })?
            .with_link_roots(limits.link_roots);
        let damaged = |reason: String| CollectError::Cursors { source_name: name.clone(), reason };
        let known = cursors.map(Positions::parse).transpose();
        let known = known.map_err(|error| damaged(error.to_string()))?;
        let are_documents = source.kind == config::SourceKind::Documents;
        let reading = match known {
            Some(Positions::Documents(known)) if are_documents => documents(files, limits, known),
            None if are_documents => documents(files, limits, Vec::new()),
            Some(Positions::Files(known)) if !are_documents => lines(files, limits, known),
            None => lines(files, limits, Vec::new()),
            Some(_) => return Err(CollectError::OtherKind { source_name: name }),
        };
        overrides.fields.extend(fields_of(source));
        overrides.duration_unit = source.duration_unit.map(unit_of);
        let encoder = Encoder::new(source, overrides, Arc::clone(&redactor));
        let committed = cursors.unwrap_or_default().to_owned();
        Ok((Self { name, reading, redactor, committed }, encoder))
    }

    /// Looks at all files.
    pub(super) fn reconcile(&mut self, now_us: i64) {
        match &mut self.reading {
            Reading::Files(follower) => follower.reconcile(now_us),
            Reading::Documents(documents, counters) => {
                documents.reconcile(now_us);
                counters.rescans += 1;
            }
        }
    }

    /// The next records; `None` when there are none for now.
    pub(super) fn read(&mut self, observed_us: i64, budget_bytes: usize) -> Option<Taken> {
        match &mut self.reading {
            Reading::Files(follower) => {
                while let Some(mut piece) = follower.read(observed_us, budget_bytes) {
                    if !piece.records.is_empty() {
                        let redacted = Redacted::new(&piece, &self.redactor);
                        let read_bytes = std::mem::take(&mut piece.bytes).len();
                        let records = Records::Piece(piece);
                        return Some(Taken { records, redacted, read_bytes, observed_us });
                    }
                }
                None
            }
            Reading::Documents(documents, counters) => {
                let version = documents.read(observed_us)?;
                let redacted = Redacted::new(&version.piece, &self.redactor);
                let read_bytes = version.piece.bytes.len();
                counters.records += version.piece.records.len() as u64;
                counters.bytes += read_bytes as u64;
                let records = Records::Version(Box::new(version));
                Some(Taken { records, redacted, read_bytes, observed_us })
            }
        }
    }

    /// The positions, when they differ from those given last.
    pub(super) fn changed_cursors(&mut self) -> Option<String> {
        let positions = match &mut self.reading {
            Reading::Files(follower) => Positions::Files(follower.cursors()),
            Reading::Documents(documents, _) => Positions::Documents(documents.changed_cursors()?),
        };
        let cursors = positions.text();
        let is_new = cursors != self.committed && (cursors != "[]" || !self.committed.is_empty());
        is_new.then(|| {
            self.committed.clone_from(&cursors);
            cursors
        })
    }

    pub(super) fn notices(&mut self) -> Vec<Notice> {
        match &mut self.reading {
            Reading::Files(follower) => follower.take_notices(),
            Reading::Documents(documents, _) => documents.take_notices(),
        }
    }

    pub(super) fn counters(&self) -> Counters {
        match &self.reading {
            Reading::Files(follower) => follower.counters(),
            Reading::Documents(_, counters) => *counters,
        }
    }
}

fn lines(files: DiskFiles, limits: Limits<'_>, known: Vec<Cursor>) -> Reading {
    Reading::Files(Box::new(Follower::new(files, limits.files, random_id, known)))
}

fn documents(files: DiskFiles, limits: Limits<'_>, known: Vec<DocumentCursor>) -> Reading {
    let documents = Documents::new(files, limits.documents, random_id, known);
    Reading::Documents(Box::new(documents), Counters::default())
}

/// What the configuration says about fields.
fn fields_of(source: &config::Source) -> impl Iterator<Item = (Role, String)> {
    let time = source.time.iter().map(|path| (Role::Time, path.to_string()));
    let role = |name: &str| Role::ALL.into_iter().find(|role| role.name() == name);
    let named = source.fields.iter();
    time.chain(named.filter_map(move |(name, path)| Some((role(name)?, path.to_string()))))
}

fn unit_of(unit: config::FieldUnit) -> DurationUnit {
    match unit {
        config::FieldUnit::Ns => DurationUnit::Ns,
        config::FieldUnit::Us => DurationUnit::Us,
        config::FieldUnit::Ms => DurationUnit::Ms,
        config::FieldUnit::S => DurationUnit::S,
    }
}

/// A number that no other generation has: from the system's source of randomness.
fn random_id() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
