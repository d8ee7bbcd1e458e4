//! One configured source: the files it follows, and rows of what they hold.

use crate::config;
use crate::decode::{DurationUnit, Overrides, Role};
use crate::model::Cursor;
use crate::source::follow::{Counters, DiskFiles, Follower, Notice, Settings};

use crate::store::Rows;

use super::CollectError;
use super::encode::Encoder;

/// A source that is being followed.
pub(super) struct Watched {
    pub(super) name: String,
    follower: Follower<DiskFiles>,
    encoder: Encoder,
    committed: String,
}

impl Watched {
    /// Goes on from `cursors`, the JSON text of the last commit.
    pub(super) fn resume(
        source: &config::Source,
        settings: Settings,
        mut overrides: Overrides,
        key: &[u8],
        cursors: Option<&str>,
    ) -> Result<Self, CollectError> {
        let name = source.name.clone();
        let include: Vec<String> = source.files.patterns().map(str::to_owned).collect();
        let files = DiskFiles::new(&name, &include, source.files.excluded())
            .map_err(|error| CollectError::Glob { source_name: name.clone(), error })?;
        let known: Vec<Cursor> = match cursors {
            Some(text) => serde_json::from_str(text).map_err(|error| CollectError::Cursors {
                source_name: name.clone(),
                store: std::path::PathBuf::new(),
                reason: error.to_string(),
            })?,
            None => Vec::new(),
        };
        overrides.fields.extend(fields_of(source));
        overrides.duration_unit = source.duration_unit.map(unit_of);
        let follower = Follower::new(files, settings, random_id, known);
        let encoder = Encoder::new(&name, source.event.as_deref(), overrides, key);
        let committed = cursors.unwrap_or_default().to_owned();
        Ok(Self { name, follower, encoder, committed })
    }

    /// Looks at all files.
    pub(super) fn reconcile(&mut self, now_us: i64) {
        self.follower.reconcile(now_us);
    }

    /// Rows of the next records, with the bytes read; `None` when there are none for now.
    pub(super) fn read(
        &mut self,
        now_us: i64,
        budget_bytes: usize,
    ) -> Result<Option<(Rows, usize)>, CollectError> {
        while let Some(piece) = self.follower.read(now_us, budget_bytes) {
            if !piece.records.is_empty() {
                let rows = self.encoder.encode(&piece, now_us)?;
                return Ok(Some((rows, piece.bytes.len())));
            }
        }
        Ok(None)
    }

    /// The positions, when they differ from those given last.
    pub(super) fn changed_cursors(&mut self) -> Option<String> {
        let cursors = serde_json::to_string(&self.follower.cursors()).unwrap_or_default();
        let is_new = cursors != self.committed && (cursors != "[]" || !self.committed.is_empty());
        is_new.then(|| {
            self.committed.clone_from(&cursors);
            cursors
        })
    }

    pub(super) fn notices(&mut self) -> Vec<Notice> {
        self.follower.take_notices()
    }

    pub(super) fn counters(&self) -> Counters {
        self.follower.counters()
    }
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
