//! The same checks judged again and again as time goes by, for `watch` and `collect`.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{CheckArgs, Read, Subject, TENTH_US};
use crate::cli::check::measured::missing;
use crate::cli::error::Failure;
use crate::cli::output::Terminal;
use crate::cli::{marks, when};
use crate::config::Config;
use crate::model::{Decision, Window};
use crate::query::{Ended, Measures, Opened, read, stored_sources};
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
        let opened = self.open_present(args, now_us)?;
        let mut files: Vec<PathBuf> = opened.event_files.iter().map(PathBuf::from).collect();
        files.extend(marks::calendars_in(&args.input.inputs));
        let marks = self.marks(files)?;
        let missing = missing(&self.checks, &opened);
        let joins_requests = opened.profiles().any(|(_, profile)| profile.joins_requests);
        let mut measures = Measures::new(self.checks.questions(), joins_requests);
        let wanted = measures.wanted().clone();
        let reading = read(opened, &wanted, stop, &mut |batch| {
            measures.add(&batch);
            true
        })?;
        if reading.ended == Ended::Stopped {
            return Ok(None);
        }
        for damage in &reading.damaged {
            tracing::warn!(error = %damage, "the records before were read");
        }
        let counts = measures.inputs.iter();
        let records = counts.fold([0, 0], |[records, rejected], input| {
            [records + input.records, rejected + input.rejects.count()]
        });
        let inputs = Vec::new();
        let read = Read { measured: measures.finish(), inputs, records, marks, missing };
        self.judge(args, &read, now_us, terminal).map(Some)
    }

    fn open_present(&self, args: &CheckArgs, now_us: i64) -> Result<Opened, Failure> {
        let overrides = args.input.fields.overrides(when::year(now_us))?;
        if !args.input.inputs.is_empty() {
            return Ok(Opened::open(&discover(&args.input.inputs)?, &overrides)?);
        }
        let sources = stored_sources(&self.loaded.config.store.path)?;
        let mut opened = Opened::open_stored(sources, &overrides)?;
        let longest_us = self.windows_us(args, i64::MAX).last().copied().unwrap_or_default();
        let len_us = self.window_us(args, 0)?.max(longest_us);
        let reach_us = self.checks.reach_us(len_us, self.compared);
        let start_us = now_us.saturating_sub(reach_us);
        opened.narrow_to(Window { start_us, end_us: now_us.saturating_add(TENTH_US) });
        Ok(opened)
    }
}
