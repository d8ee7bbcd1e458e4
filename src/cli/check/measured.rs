//! What checks ask of inputs, read once.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::baseline::Shelved;
use crate::cli::error::Failure;
use crate::cli::output::Terminal;
use crate::cli::reading;
use crate::judge::rules::{Calendar, Checks};
use crate::model::{BaselineRef, EventMark};
use crate::query::{InputCount, Measured, Measures, Opened};
use crate::rule::{Mistake, is_column, unknown_field};

/// What checks ask of inputs.
pub(super) struct ReadFor {
    pub(super) measured: Measured,
    /// Records, and those that could not be decoded.
    pub(super) records: [u64; 2],
    /// Fields of rules that no record has, with what to say of them.
    pub(super) missing: BTreeMap<String, String>,
    /// Bytes of each input after decompression.
    pub(super) bytes: Vec<u64>,
}

/// Reads inputs for checks.
pub(super) fn read_for(
    checks: &Checks,
    opened: Opened,
    terminal: &Terminal,
) -> Result<ReadFor, Failure> {
    let missing = missing(checks, &opened);
    let joins_requests = opened.profiles().any(|(_, profile)| profile.joins_requests);
    let mut measures = Measures::new(checks.questions(), joins_requests);
    let wanted = measures.wanted().clone();
    reading::each_batch(opened, &wanted, terminal, &mut |batch| {
        measures.add(&batch);
        true
    })?;
    let sum = |of: fn(&InputCount) -> u64| measures.inputs.iter().map(of).sum();
    let records = [sum(|input| input.records), sum(|input| input.rejects.count())];
    let bytes = measures.inputs.iter().map(|input| input.bytes).collect();
    Ok(ReadFor { measured: measures.finish(), records, missing, bytes })
}

/// Keys of records that rules name and no sample has, with the near ones.
pub(super) fn missing(checks: &Checks, opened: &Opened) -> BTreeMap<String, String> {
    let known: Vec<&str> = opened.fields.keys().map(String::as_str).collect();
    let unknown = checks
        .fields()
        .filter(|field| !is_column(&field.name) && !known.contains(&field.name.as_str()));
    unknown
        .map(|field| {
            let Mistake { message, help, .. } = unknown_field(field, &known);
            let text = help.map_or(message.clone(), |help| format!("{message}; {help}"));
            (field.name.clone(), text)
        })
        .collect()
}

/// From what windows are chosen in what was measured.
pub(super) fn calendar<'a>(
    measured: &Measured,
    (marks, exclude): (&'a [EventMark], &'a [String]),
    zone: TimeZone,
) -> Calendar<'a> {
    let of_version = |(name, (first_us, _)): (&String, &(i64, i64))| (*first_us, name.clone());
    let mut versions: Vec<(i64, String)> = measured.versions().iter().map(of_version).collect();
    versions.sort();
    let grain_us = measured.grain_us();
    let (first_us, last_us) = measured.span_us().unwrap_or_default();
    let span_us = (first_us.div_euclid(grain_us) * grain_us, last_us);
    Calendar { span_us, grain_us, versions, marks, exclude, zone }
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
