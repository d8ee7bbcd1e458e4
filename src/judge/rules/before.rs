//! What a measure was before: read from earlier windows, or from a saved baseline.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::gauge::{Gauge, Reading};
use super::series;
use super::windows::Windows;
use crate::baseline::{Baseline, SavedGroup, SavedMeasure, SavedWindow, Slot};
use crate::model::Window;
use crate::query::{Durations, Values};
use crate::rule::Measure;
use crate::stats::{rank::MAX_COMPARED, serial};

/// Two lengths of windows that differ by less are the same.
const SAME_LENGTH_RATIO: f64 = 0.01;

/// A saved baseline, the measure in it, and the slot of the current window.
#[derive(Clone, Copy)]
pub(super) struct Saved<'a> {
    pub(super) baseline: &'a Baseline,
    /// `None` when the file does not have it.
    pub(super) measure: Option<&'a SavedMeasure>,
    pub(super) slot: Slot,
}

/// The other side of a comparison, for one group.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub(super) gauge: &'a Gauge<'a>,
    pub(super) group: Option<&'a str>,
    pub(super) windows: &'a Windows,
    pub(super) saved: Option<Saved<'a>>,
}

impl<'a> Before<'a> {
    /// Why there is nothing to compare with; `None` when there is.
    pub(super) fn missing(&self) -> Option<String> {
        let Some(Saved { baseline, .. }) = self.saved else {
            let is_empty = self.windows.baseline.is_empty();
            return is_empty.then(|| format!("there is no baseline: {}", self.windows.name));
        };
        let kind = |segment: &Option<String>| match segment {
            Some(kind) => format!("time within `{kind}`"),
            None => "ordinary time".to_owned(),
        };
        if baseline.segment != self.windows.segment {
            let [then, now] = [&baseline.segment, &self.windows.segment].map(kind);
            let name = &baseline.name;
            return Some(format!(
                "the baseline `{name}` is of {then}, and this is {now}: judge with `--baseline \
                 history`"
            ));
        }
        self.not_saved()
    }

    /// Why the saved baseline says nothing of it, whatever time it is of.
    fn not_saved(&self) -> Option<String> {
        let Saved { baseline, measure, .. } = self.saved?;
        let name = &baseline.name;
        if measure.is_none() {
            return Some(format!(
                "the baseline `{name}` does not have this measure: save it anew with `plimsoll \
                 baseline save {name} --from …`"
            ));
        }
        self.saved_group().is_none().then(|| format!("the baseline `{name}` has no such group"))
    }

    /// Whether it is read from a saved baseline.
    pub(super) fn is_saved(&self) -> bool {
        self.saved.is_some()
    }

    fn saved_group(&self) -> Option<&'a SavedGroup> {
        self.saved?.measure?.group(self.group)
    }

    /// Saved windows like the current one, where they tell more than the whole: of counts, which
    /// have their hours, and in windows of the same length.
    fn season(&self) -> Option<Vec<SavedWindow>> {
        let Saved { slot, .. } = self.saved?;
        let group = self.saved_group()?;
        let has_season = self.is_same_length() && group.has_season(slot);
        has_season.then(|| group.like(slot).copied().collect())
    }

    fn is_same_length(&self) -> bool {
        let Some(Saved { baseline, .. }) = self.saved else { return true };
        let saved_s = baseline.window_us as f64 / 1e6;
        (self.windows.current.len_s() / saved_s - 1.0).abs() <= SAME_LENGTH_RATIO
    }

    /// The measure and how much it rests on.
    pub(super) fn reading(&self) -> Reading {
        let Some(Saved { .. }) = self.saved else {
            return self.gauge.read(self.group, &self.windows.baseline);
        };
        let Some(group) = self.saved_group() else { return Reading::default() };
        let whole = Reading { n: group.n, matching: group.matching, value: group.value };
        let Some(like) = self.season() else { return whole };
        let n = like.iter().map(|window| window.1).sum();
        let matching = like.iter().map(|window| window.2).sum();
        match self.gauge.measure() {
            Measure::Count | Measure::Rate => {
                let per_second = n as f64 / self.exposure_s();
                let is_rate = matches!(self.gauge.measure(), Measure::Rate);
                let value = if is_rate { per_second } else { n as f64 };
                Reading { n, matching, value: Some(value).filter(|value| value.is_finite()) }
            }
            Measure::Share(_) => {
                let value = (n > 0).then(|| 100.0 * matching as f64 / n as f64);
                Reading { n, matching, value }
            }
            _ => whole,
        }
    }

    /// Seconds over which [`Self::reading`] was taken, of a count.
    pub(super) fn exposure_s(&self) -> f64 {
        let Some(Saved { baseline, .. }) = self.saved else {
            return self.windows.baseline.iter().map(|window| window.len_s()).sum();
        };
        match self.season() {
            Some(like) => like.len() as f64 * baseline.window_us as f64 / 1e6,
            None => self.saved_group().map_or(0.0, |group| group.exposure_s),
        }
    }

    /// All values.
    pub(super) fn values(&self) -> Rc<Values> {
        if self.saved.is_none() {
            return self.gauge.values(self.group, &self.windows.baseline);
        }
        let group = self.saved_group();
        let values = group.and_then(|group| group.values.clone()).unwrap_or_default();
        let in_order = group.filter(|group| group.lag1.is_some()).map(|group| group.sample.clone());
        Rc::new(Values { all: Durations::Sketched(values), in_order })
    }

    /// Autocorrelation of neighbours among the values of a saved baseline.
    pub(super) fn saved_lag1(&self) -> Option<f64> {
        self.saved_group()?.lag1
    }

    /// Values of the windows like the current one, in the order of time. Of fewer than `least` the
    /// next wider kind of windows, if there are more of those, and which it is.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) fn usual(&self, least: usize) -> Result<(Vec<f64>, Option<&'static str>), String> {
        let mut usual = (self.of_each(self.windows.history.iter().copied())?, None);
        for (name, windows) in self.windows.wider.iter().filter(|_| !self.is_saved()) {
            if usual.0.len() >= least {
                break;
            }
            usual = (self.of_each(windows.iter().copied())?, Some(*name));
        }
        Ok(usual)
    }

    /// Values of what the current window is compared with, in windows as long as it.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) fn like(&self) -> Result<Vec<f64>, String> {
        self.of_each(series::parts(self.windows))
    }

    /// Values of windows, or of the saved ones like the current one.
    fn of_each(&self, windows: impl Iterator<Item = Window>) -> Result<Vec<f64>, String> {
        let Some(Saved { baseline, slot, .. }) = self.saved else {
            let reading = |window: Window| self.gauge.read(self.group, &[window]);
            let measure = self.gauge.measure();
            return Ok(windows
                .filter_map(|window| series::value(measure, reading(window)))
                .collect());
        };
        if let Some(missing) = self.missing() {
            return Err(missing);
        }
        if !self.is_same_length() {
            let (name, saved_s) = (&baseline.name, baseline.window_us / 1_000_000);
            let is_too_short = self.windows.span.len_s() < baseline.window_us as f64 / 1e6;
            let judge = if is_too_short {
                String::new()
            } else {
                format!("judge with `--window {saved_s}s`, or ")
            };
            return Err(format!(
                "the baseline `{name}` has windows of {saved_s} s, and this one has {} s: {judge}\
                 save it anew with a --window like this one",
                self.windows.current.len_s()
            ));
        }
        let like = self.saved_group().into_iter().flat_map(|group| group.like(slot));
        Ok(like.filter_map(|window| window.3).collect())
    }

    /// Rows in each window like the current one.
    pub(super) fn counts(&self) -> Vec<f64> {
        let Some(Saved { slot, .. }) = self.saved else {
            let n = |window: Window| self.gauge.read(self.group, &[window]).n as f64;
            return series::parts(self.windows).map(n).collect();
        };
        let Some(group) = self.saved_group() else { return Vec::new() };
        group.like(slot).map(|window| window.1 as f64).collect()
    }

    /// How much more a share varies from window to window than independent events would.
    pub(super) fn share_dispersion(&self, ratio: f64) -> f64 {
        if self.saved.is_some() {
            return self.saved_group().map_or(1.0, |group| group.share_dispersion.max(1.0));
        }
        series::share_dispersion(self.gauge, self.group, &self.windows.baseline, ratio)
    }

    /// Every value that was seen.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub(super) fn known(&self) -> Result<BTreeSet<String>, String> {
        let Some(Saved { baseline, .. }) = self.saved else {
            let Windows { span, current, .. } = self.windows;
            let earlier = Window { start_us: span.start_us, end_us: current.start_us };
            return Ok(self.gauge.distinct(self.group, &[earlier]));
        };
        if let Some(missing) = self.not_saved() {
            return Err(missing);
        }
        let Some(group) = self.saved_group() else { return Ok(BTreeSet::new()) };
        let held = group.distinct.len() as u64;
        if held < group.distinct_count {
            return Err(format!(
                "the baseline `{}` holds {held} of {} different values, so what is new cannot be \
                 told",
                baseline.name, group.distinct_count
            ));
        }
        Ok(group.distinct.iter().cloned().collect())
    }
}

/// Autocorrelation of neighbours; `None` where their order was lost.
pub(super) fn lag1(values: &Values) -> Option<f64> {
    let in_order = values.in_order.as_ref()?;
    let first: Vec<f64> = in_order.iter().take(10 * MAX_COMPARED).copied().collect();
    Some(serial::lag1_rank_autocorrelation(&first))
}
