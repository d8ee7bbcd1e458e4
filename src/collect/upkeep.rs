//! Merging and retention while collecting, so that nobody needs to run `compact`.
//!
//! Merges run on a thread of their own, as they may take long; only their short commits are made
//! between those of rows. What fails is said and tried again later: rows come first.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::store::{self, CompactOptions, Keep, Merge, Merged, StoreError, Writer};

/// How often at most the store is looked through for something to do.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// What is due and what is under way.
pub(super) struct Upkeep<'a> {
    settings: &'a config::Store,
    /// Whether there is a single pass, with all upkeep at its end.
    once: bool,
    clock: &'a dyn Clock,
    say: &'a dyn Fn(&str),
    looked: Option<Instant>,
    waiting: Vec<Merge>,
    merging: Option<JoinHandle<Result<Merged, StoreError>>>,
}

impl<'a> Upkeep<'a> {
    pub(super) fn new(
        config: &'a Config,
        once: bool,
        clock: &'a dyn Clock,
        say: &'a dyn Fn(&str),
    ) -> Self {
        let settings = &config.store;
        Self { settings, once, clock, say, looked: None, waiting: Vec::new(), merging: None }
    }

    /// Does what takes little time and is due; to be called often.
    pub(super) fn step(&mut self, writer: &mut Writer) {
        if self.once {
            return;
        }
        if let Some(done) = self.merging.take_if(|merging| merging.is_finished()) {
            let merged = done.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            self.check(merged.and_then(|merged| merged.adopt(writer)));
        }
        if self.merging.is_some() {
            return;
        }
        if let Some(merge) = self.waiting.pop() {
            let store: PathBuf = writer.store().to_owned();
            self.merging = Some(std::thread::spawn(move || merge.run(&store)));
        } else if self.looked.is_none_or(|at| at.elapsed() >= self.look_every()) {
            self.looked = Some(Instant::now());
            let looked = self.look(writer);
            self.check(looked);
        }
    }

    /// Does all that is due at the end of a single pass.
    pub(super) fn finish(&self, writer: &mut Writer) {
        if !self.once {
            return;
        }
        let done = store::retain(writer, &self.keep())
            .and_then(|_| store::compact(writer, &self.options()));
        self.check(done.map(drop));
    }

    fn look_every(&self) -> Duration {
        LOOK_EVERY.min(self.settings.compact_after)
    }

    fn look(&mut self, writer: &mut Writer) -> Result<(), StoreError> {
        // Sweeps what was replaced long enough ago, too.
        let retired = store::retain(writer, &self.keep())?;
        if retired.row_count > 0 {
            tracing::info!(rows = retired.row_count, bytes = retired.bytes, "removed by retention");
        }
        self.waiting = store::due(writer, &self.options())?;
        Ok(())
    }

    fn check(&self, done: Result<(), StoreError>) {
        if let Err(error) = done {
            tracing::warn!("upkeep of the store: {error}");
            (self.say)(&format!("{error}; the store is not merged, rows go on"));
        }
    }

    fn keep(&self) -> Keep {
        let age_us = self.settings.retention.map(|age| age.as_micros() as i64);
        Keep {
            since_us: age_us.map(|age_us| self.clock.now_us().saturating_sub(age_us)),
            max_bytes: self.settings.retention_bytes,
            sweep_age_us: self.settings.vacuum_age.as_micros() as i64,
        }
    }

    fn options(&self) -> CompactOptions {
        CompactOptions {
            min_age_us: self.settings.compact_after.as_micros() as i64,
            sweep_age_us: self.settings.vacuum_age.as_micros() as i64,
            small_bytes: self.settings.compact_below_bytes,
        }
    }
}
