//! What checks ask of inputs, read once.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::baseline::Shelved;
use crate::cli::error::Failure;
use crate::cli::output::Terminal;
use crate::cli::reading;
use crate::judge::rules::{Calendar, Checks};
use crate::model::{BaselineRef, EventKinds, EventMark, Wanted};
use crate::query::{Batch, InputCount, Measured, Measures, Opened, UnseenWord};
use crate::rule::{Mistake, unknown_field, unknown_word};

/// What checks ask of inputs.
pub(super) struct ReadFor {
    pub(super) measured: Measured,
    /// Records, and those that could not be decoded.
    pub(super) records: [u64; 2],
    /// What rules name and no record has.
    pub(super) unseen: Unseen,
    /// Bytes of each input after decompression.
    pub(super) bytes: Vec<u64>,
}

/// Reads inputs for checks.
pub(super) fn read_for(
    checks: &Checks,
    opened: Opened,
    terminal: &Terminal,
) -> Result<ReadFor, Failure> {
    let read = read_by(checks, opened, |opened, wanted, consume| {
        reading::each_batch(opened, wanted, terminal, consume)
    });
    Ok(read?.0)
}

/// Takes every batch; `false` would end the reading.
type Consume<'c> = &'c mut (dyn FnMut(Batch<'_>) -> bool + Send);

/// The same by `reader`, whose answer is given too.
pub(super) fn read_by<T>(
    checks: &Checks,
    opened: Opened,
    reader: impl FnOnce(Opened, &Wanted, Consume<'_>) -> Result<T, Failure>,
) -> Result<(ReadFor, T), Failure> {
    let known: Vec<String> = opened.fields.keys().cloned().collect();
    let joins_requests = opened.profiles().any(|(_, profile)| profile.joins_requests);
    let mut measures = Measures::new(checks.questions(), joins_requests);
    let wanted = measures.wanted().clone();
    let read = reader(opened, &wanted, &mut |batch| {
        measures.add(&batch);
        true
    })?;
    let sum = |of: fn(&InputCount) -> u64| measures.inputs.iter().map(of).sum();
    let records = [sum(|input| input.records), sum(|input| input.rejects.count())];
    let bytes = measures.inputs.iter().map(|input| input.bytes).collect();
    let finished = measures.finish();
    let unseen = Unseen::of(checks, &finished, &known);
    Ok((ReadFor { measured: finished, records, unseen, bytes }, read))
}

/// What rules name and no record has.
pub(super) struct Unseen {
    /// Fields, with what to say of them.
    pub(super) fields: BTreeMap<String, String>,
    /// What to say of words of labels.
    pub(super) notes: Vec<String>,
}

impl Unseen {
    /// `known` are the keys of the records.
    fn of(checks: &Checks, measured: &Measured, known: &[String]) -> Self {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let fields = checks
            .fields()
            .filter(|field| measured.unseen_fields().contains(&field.name))
            .map(|field| {
                let Mistake { message, help, .. } = unknown_field(field, &known);
                let text = help.map_or(message.clone(), |help| format!("{message}; {help}"));
                (field.name.clone(), text)
            })
            .collect();
        let note = |UnseenWord { field, word, meant }: &UnseenWord| {
            unknown_word(field, word, meant.as_deref())
        };
        Self { fields, notes: measured.unseen_words().iter().map(note).collect() }
    }
}

/// From what windows are chosen in what was measured.
pub(super) fn calendar<'a>(
    measured: &Measured,
    (marks, kinds): (&'a [EventMark], &'a EventKinds),
    (zone, look_back_us): (TimeZone, Option<i64>),
) -> Calendar<'a> {
    let of_version = |(name, (first_us, _)): (&String, &(i64, i64))| (*first_us, name.clone());
    let mut versions: Vec<(i64, String)> = measured.versions().iter().map(of_version).collect();
    versions.sort();
    let grain_us = measured.grain_us();
    let (first_us, last_us) = measured.span_us().unwrap_or_default();
    let span_us = (first_us.div_euclid(grain_us) * grain_us, last_us);
    Calendar { span_us, grain_us, versions, marks, kinds, zone, look_back_us }
}

/// A saved baseline as a decision names it.
pub(super) fn saved_ref(Shelved { baseline, sha256, .. }: &Shelved) -> BaselineRef {
    BaselineRef {
        name: format!("name:{}", baseline.name),
        from: baseline.span.from.clone(),
        to: baseline.span.to.clone(),
        excluded: baseline.excluded.clone(),
        sha256: Some(sha256.clone()),
    }
}
