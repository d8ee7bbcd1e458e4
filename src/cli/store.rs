//! `plimsoll verify`, `compact`, `erase` and `repair`: the store itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;

use super::args::ConfigFile;
use super::config;
use super::error::{BAD_VALUE, Exit, Failure, UNREADABLE};
use super::output::Terminal;
use crate::clock::{Clock, SystemClock};
use crate::model::Positions;
use crate::query::Condition;
use crate::store::{self, CompactOptions, Keep, Snapshot, Writer};

/// Differences shown.
const MAX_SHOWN: usize = 20;

/// Prove from the store alone that nothing is lost and nothing doubled.
#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn verify(args: &VerifyArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = config::load(&args.config, terminal)?;
    let path = &loaded.config.store.path;
    let ends = ends(&Snapshot::open(path)?)?;
    let verified = store::verify(path, &ends)?;
    let mut text = format!(
        "version {}: {} rows of {} generations in {} segments, {} source bytes\n",
        verified.version,
        verified.row_count,
        verified.generation_count,
        verified.segment_count,
        verified.source_bytes
    );
    if verified.retired_count > 0 {
        let _ = writeln!(text, "{} records were removed by retention", verified.retired_count);
    }
    for difference in verified.differences.iter().take(MAX_SHOWN) {
        let _ = writeln!(text, "{difference}");
    }
    if verified.is_whole() {
        text.push_str("nothing is lost and nothing doubled\n");
        terminal.data(&text)?;
        return Ok(Exit::Yes);
    }
    let hidden = verified.difference_count.saturating_sub(MAX_SHOWN as u64);
    if hidden > 0 {
        let _ = writeln!(text, "and {hidden} more differences");
    }
    terminal.data(&text)?;
    Ok(Exit::No)
}

/// How far each generation was read, as the positions in the store say.
fn ends(snapshot: &Snapshot) -> Result<BTreeMap<String, u64>, Failure> {
    let mut ends = BTreeMap::new();
    for (source, cursors) in snapshot.cursors() {
        let positions = Positions::parse(cursors).map_err(|error| {
            Failure::new(&UNREADABLE, format!("positions of source `{source}`: {error}"))
        })?;
        let known = positions.ends().into_iter();
        ends.extend(known.map(|(generation, end)| (generation.to_string(), end)));
    }
    Ok(ends)
}

/// Merge small segments, and remove what is older than the configured retention.
#[derive(Args, Debug)]
pub(super) struct CompactArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Merge segments of any age, and remove replaced files at once
    #[arg(long)]
    now: bool,
}

pub(super) fn compact(args: &CompactArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = config::load(&args.config, terminal)?;
    let settings = &loaded.config.store;
    Snapshot::open(&settings.path)?;
    let mut writer = Writer::create_or_open(&settings.path)?;
    let us = |time: Duration| if args.now { 0 } else { time.as_micros() as i64 };
    let sweep_age_us = us(settings.vacuum_age);
    if settings.retention.is_some() || settings.retention_bytes.is_some() {
        let age_us = settings.retention.map(|age| age.as_micros() as i64);
        let since_us = age_us.map(|age_us| SystemClock.now_us().saturating_sub(age_us));
        let keep = Keep { since_us, max_bytes: settings.retention_bytes, sweep_age_us };
        let retired = store::retain(&mut writer, &keep)?;
        if retired.row_count > 0 {
            terminal.say(&format!(
                "removed {} rows in {} segments, {} bytes",
                retired.row_count, retired.segment_count, retired.bytes
            ));
        }
    }
    let min_age_us = us(settings.compact_after);
    let small_bytes = settings.compact_below_bytes;
    let options = CompactOptions { min_age_us, sweep_age_us, small_bytes };
    let compacted = store::compact(&mut writer, &options)?;
    terminal.data(&format!(
        "merged {} segments into {}: {} rows, {} bytes before, {} after\n",
        compacted.input_count,
        compacted.output_count,
        compacted.row_count,
        compacted.input_bytes,
        compacted.output_bytes
    ))?;
    Ok(Exit::Yes)
}

/// Erase records for good: their text and all that was made of it.
#[derive(Args, Debug)]
pub(super) struct EraseArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Condition on the columns of `logs`, such as "user = 'u-123'"
    #[arg(long = "where", value_name = "CONDITION")]
    condition: String,
    /// Say how many records the condition holds for, and erase nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn erase(args: &EraseArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = config::load(&args.config, terminal)?;
    let path = &loaded.config.store.path;
    Snapshot::open(path)?;
    let bad = |error: &dyn std::error::Error| {
        Failure::caused(&BAD_VALUE, error).hint("a condition looks like: user = 'u-123'")
    };
    let condition = Condition::parse(&args.condition).map_err(|error| bad(&error))?;
    if args.dry_run {
        let row_count = condition.count(&Snapshot::open(path)?)?;
        terminal.data(&format!("the condition holds for {row_count} records\n"))?;
        return Ok(Exit::Yes);
    }
    let mut writer = Writer::create_or_open(path)?;
    let erased = store::erase(&mut writer, &|rows| condition.holds(rows))?;
    terminal.data(&format!(
        "erased {} records; {} segments were written anew\n",
        erased.row_count, erased.segment_count
    ))?;
    Ok(Exit::Yes)
}

/// Make a store readable again whose last version is damaged.
#[derive(Args, Debug)]
pub(super) struct RepairArgs {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn repair(args: &RepairArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = config::load(&args.config, terminal)?;
    let repaired = store::repair(&loaded.config.store.path)?;
    let text = match repaired.dropped_version {
        None => "nothing to repair\n".to_owned(),
        Some(version) => {
            let mut text = format!(
                "dropped version {version}; the positions went back with it, so `plimsoll \
                 collect` reads again what is still there\n"
            );
            for segment in &repaired.segments {
                let _ = writeln!(text, "its segment {segment} is no longer part of the table");
            }
            text
        }
    };
    for copy in &repaired.copies {
        terminal.say(&format!("kept a copy of what was dropped: {}", copy.display()));
    }
    terminal.data(&text)?;
    Ok(Exit::Yes)
}
