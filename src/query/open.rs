//! Opens inputs: files by their beginnings, or the sources of a store.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::sql::{Query, Times};
use super::stored::StoredSource;
use crate::decode::{
    DetectError, Detected, Overrides, Profile, Role, Sample, SeenField, ValueKind, detect,
};
use crate::frame::Column;
use crate::model::{Window, one_line};
use crate::source::{Discovery, Framing, Input, ReadError, Source};
use crate::store::StoreError;

/// The inputs cannot be read, or hold no records.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An input cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An input is no log.
    #[error("`{}` {source}", one_line(name))]
    NotALog {
        /// The input.
        name: String,
        /// Why it is none.
        source: DetectError,
    },
    /// There are inputs, but no record in any of them.
    #[error("no records in {names}")]
    Empty {
        /// The inputs.
        names: String,
    },
}

/// Inputs whose formats are known.
pub struct Opened {
    pub(super) inputs: Vec<OpenedInput>,
    /// Inputs that were passed over, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Inputs that list deploys and other known events, not log records.
    pub event_files: Vec<String>,
    /// Fields of all samples, by path.
    pub fields: BTreeMap<String, ValueKind>,
    /// Fields that were asked for and that no sample has; records may still have them.
    pub unconfirmed: Vec<(Role, String)>,
    /// Whether there is one input and no other was named or found.
    pub(super) is_only: bool,
    /// Columns that a store hands on as they are.
    pub(super) columns: Vec<Column>,
}

pub(super) struct OpenedInput {
    pub(super) origin: Origin,
    pub(super) profile: Arc<Profile>,
}

/// Where the records of an input are.
pub(super) enum Origin {
    File(Source),
    Store(StoredSource),
}

impl Origin {
    fn name(&self) -> &str {
        match self {
            Self::File(source) => source.name(),
            Self::Store(source) => &source.name,
        }
    }

    fn bytes_to_read(&self) -> Option<u64> {
        match self {
            Self::File(source) => source.bytes_to_read(),
            Self::Store(source) => Some(source.bytes_on_disk()),
        }
    }
}

impl Opened {
    /// Looks at the beginning of each input and tells its format.
    ///
    /// What a directory or glob led to and cannot be used is passed over and listed; so is what
    /// is empty. Of a damaged archive among several inputs is read what can be read.
    ///
    /// # Errors
    /// When an input that was named, or the only one, cannot be read or is no log, and when there
    /// is no record at all.
    pub fn open(discovery: &Discovery, overrides: &Overrides) -> Result<Self, OpenError> {
        let inputs = &discovery.inputs;
        let mut opened = Self {
            inputs: Vec::new(),
            skipped: discovery.passed_over.clone(),
            event_files: Vec::new(),
            fields: BTreeMap::new(),
            unconfirmed: Vec::new(),
            is_only: inputs.len() == 1,
            columns: Vec::new(),
        };
        let mut profiles: Vec<Arc<Profile>> = Vec::new();
        for input in inputs {
            let must_do = input.is_named() || opened.is_only;
            match opened.open_one(input, overrides, &mut profiles) {
                Ok(()) => {}
                Err(OpenError::NotALog { name, source: DetectError::Empty }) => {
                    opened.skipped.push((name, "is empty".to_owned()));
                }
                Err(error) if must_do => return Err(error),
                Err(OpenError::NotALog { name, source }) => {
                    opened.skipped.push((name, source.to_string()));
                }
                Err(OpenError::Read(ReadError::Compressed { name, kind, .. })) => {
                    opened.skipped.push((name, format!("is a damaged {kind} file")));
                }
                Err(_) => opened.skipped.push((input.name(), "cannot be read".to_owned())),
            }
        }
        if opened.inputs.is_empty() {
            let names = inputs.iter().take(3).map(|input| one_line(&input.name()).into_owned());
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            return Err(OpenError::Empty { names: names.join(", ") });
        }
        let is_unseen = |(_, path): &&(Role, String)| !opened.fields.contains_key(path);
        opened.unconfirmed = overrides.fields.iter().filter(is_unseen).cloned().collect();
        Ok(opened)
    }

    /// Looks at the beginning of each source of a store and tells its format.
    ///
    /// # Errors
    /// When a segment cannot be read, or there is no record at all.
    pub fn open_stored(
        sources: Vec<StoredSource>,
        overrides: &Overrides,
    ) -> Result<Self, OpenError> {
        let mut opened = Self {
            inputs: Vec::new(),
            skipped: Vec::new(),
            event_files: Vec::new(),
            fields: BTreeMap::new(),
            unconfirmed: Vec::new(),
            is_only: sources.len() == 1,
            columns: Vec::new(),
        };
        for mut source in sources {
            let name = source.name.clone();
            let detected = source.detect(overrides).map_err(|error| stored_error(&name, error))?;
            match detected {
                Ok(Detected { profile, fields }) => {
                    opened.see_fields(fields);
                    let (origin, profile) = (Origin::Store(source), Arc::new(profile));
                    opened.inputs.push(OpenedInput { origin, profile });
                }
                Err(error) => opened.skipped.push((name, error.to_string())),
            }
        }
        if opened.inputs.is_empty() {
            return Err(OpenError::Empty { names: "the store".to_owned() });
        }
        let is_unseen = |(_, path): &&(Role, String)| !opened.fields.contains_key(path);
        opened.unconfirmed = overrides.fields.iter().filter(is_unseen).cloned().collect();
        Ok(opened)
    }

    fn open_one(
        &mut self,
        input: &Input,
        overrides: &Overrides,
        profiles: &mut Vec<Arc<Profile>>,
    ) -> Result<(), OpenError> {
        let mut source = Source::peek(input)?;
        let name = source.name().to_owned();
        // Where some of it came out and there are other inputs, reading comes to the damage again.
        let is_readable = source.sample().contains(&b'\n') && !self.is_only;
        if let Some(damage) = source.take_damage().filter(|_| !is_readable) {
            return Err(damage.into());
        }
        let sample =
            Sample { head: source.sample(), later: source.later(), is_whole: source.is_whole() };
        let Detected { profile, fields } = detect(&sample, overrides)
            .map_err(|source| OpenError::NotALog { name: name.clone(), source })?;
        match profile.shape {
            "event-file" => self.event_files.push(name),
            "plimsoll" => self.skipped.push((name, "was written by plimsoll".to_owned())),
            _ => {
                self.see_fields(fields);
                let known = profiles.iter().find(|known| ***known == profile).cloned();
                let profile = known.unwrap_or_else(|| {
                    let profile = Arc::new(profile);
                    profiles.push(Arc::clone(&profile));
                    profile
                });
                source.forget_sample();
                self.inputs.push(OpenedInput { origin: Origin::File(source), profile });
            }
        }
        Ok(())
    }

    /// Reads no more of a store than a query asks for.
    pub fn narrow(&mut self, query: &Query) {
        self.columns = query.columns().to_vec();
        for input in &mut self.inputs {
            if let (Origin::Store(source), Some(times)) = (&mut input.origin, query.times()) {
                source.narrow(times);
            }
        }
    }

    /// Reads no more of a store than the records of a window; those without a time are left out.
    pub fn narrow_to(&mut self, window: Window) {
        let Window { start_us: from_us, end_us: to_us } = window;
        for input in &mut self.inputs {
            if let Origin::Store(source) = &mut input.origin {
                source.narrow(Times { from_us, to_us });
            }
        }
    }

    fn see_fields(&mut self, fields: Vec<SeenField>) {
        for field in fields {
            let seen = self.fields.entry(field.path).or_insert(field.kind);
            *seen = seen.joined(field.kind);
        }
    }

    /// Name and profile of each input that will be read.
    pub fn profiles(&self) -> impl Iterator<Item = (&str, &Arc<Profile>)> {
        self.inputs.iter().map(|input| (input.origin.name(), &input.profile))
    }

    /// How each input's records can be read again by their offsets, by name; without inputs whose
    /// events do not lie in them by themselves.
    pub fn framings(&self) -> BTreeMap<String, Framing> {
        let files = self.inputs.iter().filter(|input| matches!(input.origin, Origin::File(_)));
        let named = files.map(|input| (input.origin.name(), &input.profile));
        let alone = named.filter(|(name, profile)| *name != "-" && !profile.unfolds);
        alone.map(|(name, profile)| (name.to_owned(), framing_of(profile))).collect()
    }

    /// Bytes that reading will give; `None` when an input is a stream or compressed.
    pub fn bytes_to_read(&self) -> Option<u64> {
        self.inputs.iter().map(|input| input.origin.bytes_to_read()).sum()
    }
}

pub(super) fn stored_error(name: &str, error: StoreError) -> ReadError {
    ReadError::Io { name: name.to_owned(), source: std::io::Error::other(error) }
}

pub(super) fn framing_of(profile: &Profile) -> Framing {
    if profile.wrapped { Framing::JsonValues } else { Framing::Lines }
}
