//! The same checks judged again and again as time goes by, for `watch` and `collect`.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{CheckArgs, Read, Subject};
use crate::cli::check::measured::{ReadFor, read_by};
use crate::cli::error::Failure;
use crate::cli::marks::{self, Events};
use crate::cli::output::Terminal;
use crate::cli::when;
use crate::config::Config;
use crate::judge::rules::matched_since_us;
use crate::model::{Decision, Window};
use crate::query::{Ended, Opened, read, stored_sources};
use crate::source::discover;

impl Subject {
    /// The configuration in effect.
    pub(in crate::cli) fn config(&self) -> &Config {
        &self.loaded.config
    }

    /// Judges this often.
    pub(in crate::cli) fn set_interval(&mut self, interval: Duration) {
        self.loaded.config.alert.interval = interval;
    }

    /// Judges this much time where no window was asked for.
    pub(in crate::cli) fn set_window(&mut self, window: Duration) {
        self.loaded.config.check.window = Some(window);
    }

    /// Reads the inputs, or what is needed of the store, and judges; where nothing was logged the
    /// checks say so. `None` when `stop` was raised meanwhile.
    ///
    /// Silent, and catches no signal: other threads may have work to end.
    pub(in crate::cli) fn judge_present(
        &self,
        args: &CheckArgs,
        now_us: i64,
        stop: &AtomicBool,
        terminal: &Terminal,
    ) -> Result<Option<Decision>, Failure> {
        let (opened, events) = self.open_present(args, now_us)?;
        for note in &events.notes {
            tracing::warn!(trouble = %note, "a known event cannot be read");
        }
        let (read, reading) = read_by(&self.checks, opened, |opened, wanted, consume| {
            Ok(read(opened, wanted, stop, consume)?)
        })?;
        if reading.ended == Ended::Stopped {
            return Ok(None);
        }
        for damage in &reading.damaged {
            tracing::warn!(error = %damage, "the records before were read");
        }
        let ReadFor { measured, records, unseen, .. } = read;
        let inputs = Vec::new();
        let read = Read { measured, inputs, records, events, unseen };
        self.judge(args, &read, now_us, terminal).map(Some)
    }

    fn open_present(&self, args: &CheckArgs, now_us: i64) -> Result<(Opened, Events), Failure> {
        let overrides = args.input.fields.overrides(when::year(now_us))?;
        if !args.input.inputs.is_empty() {
            let opened = Opened::open(&discover(&args.input.inputs)?, &overrides)?;
            let events = self.events(marks::calendars_in(&args.input.inputs), &opened)?;
            return Ok((opened, events));
        }
        let sources = stored_sources(&self.loaded.config.store.path)?;
        let mut opened = Opened::open_stored(sources, &overrides)?;
        let events = self.events(Vec::new(), &opened)?;
        let longest_us = self.windows_us(args, i64::MAX).last().copied().unwrap_or_default();
        let len_us = self.window_us(args, 0)?.max(longest_us);
        let current = Window { start_us: now_us.saturating_sub(len_us), end_us: now_us };
        let said_us = self.look_back_us().map_or(0, |look_back_us| look_back_us + len_us);
        let reach_us = self.checks.reach_us(len_us, self.compared).max(said_us);
        let reach_us = now_us.saturating_sub(reach_us);
        // Exam weeks are months apart.
        let matched_us = matched_since_us(&events.marks, &self.kinds(), current);
        let start_us = matched_us.map_or(reach_us, |matched_us| matched_us.min(reach_us));
        // The end of the window is rounded up.
        let end_us = now_us.saturating_add(1_000_000);
        opened.narrow_to(Window { start_us, end_us });
        Ok((opened, events))
    }
}
