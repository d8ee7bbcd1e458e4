//! What a measure did over time: its usual windows, its spread, and its newest change point.

use super::gauge::{Gauge, Reading};
use super::term::{Case, Judged};
use super::windows::Windows;
use crate::model::{Evidence, SlotWidth, Window};
use crate::rule::{Measure, Offset, UsualMethod};
use crate::stats::{
    Outcome,
    count::Dispersion,
    limit::Method,
    novelty::{Novelty, Scored},
    serial,
    step::{Point, Step, locate_step, newest_step},
};

/// Windows of a series at most.
const MAX_WINDOWS: usize = 240;
/// Windows that the detector of novelties sees at most: four weeks of five minutes.
const MAX_NOVELTY_WINDOWS: usize = 8_064;
/// Windows of any course at most, the newest ones.
const MAX_COURSE: i64 = 100_000;
/// The detector says nothing before it has seen so many.
const MIN_NOVELTY_WINDOWS: usize = 160;
/// Parts of a baseline whose counts are looked at.
const MAX_PARTS: i64 = 1_000;
/// Fewest values of a window that has a percentile.
const MIN_IN_WINDOW: u64 = 5;
/// Values that windows have on average at least, so that hardly any is without one.
const USUAL_IN_WINDOW: u64 = 4 * MIN_IN_WINDOW;
/// Chance of so clear a change point where there is none, from which on it counts.
const MAX_P_VALUE: f64 = 0.01;

/// The method of a rule's `usual(…)`.
pub(super) fn method(method: UsualMethod, parameter: f64) -> Method {
    let rate = parameter / 100.0;
    match method {
        UsualMethod::Mad => Method::Mad { z: parameter },
        UsualMethod::Iqr => Method::Iqr { k: parameter },
        UsualMethod::DeltaIqr => Method::DeltaIqr { k: parameter },
        UsualMethod::Lognormal => Method::LogNormal { rate },
        UsualMethod::Conformal => Method::Conformal { rate },
        UsualMethod::T => Method::StudentT { rate },
    }
}

/// A window's value, if it rests on enough.
pub(super) fn value(measure: &Measure, reading: Reading) -> Option<f64> {
    let counts =
        matches!(measure, Measure::Count | Measure::Rate | Measure::Distinct(_) | Measure::Sum(_));
    reading.value.filter(|_| counts || reading.n >= MIN_IN_WINDOW)
}

/// How much more the share varies from window to window than independent events would.
pub(super) fn share_dispersion(
    gauge: &Gauge<'_>,
    group: Option<&str>,
    windows: &[Window],
    ratio: f64,
) -> f64 {
    let pieces = windows.iter().flat_map(|window| pieces(*window, 24));
    let seen: Vec<(f64, f64)> = pieces
        .map(|window| gauge.read(group, &[window]))
        .map(|reading| (reading.matching as f64, reading.n as f64 * ratio))
        .collect();
    // What makes many fail lasts longer than a piece.
    let beyond: Vec<f64> = seen.iter().map(|(matching, expected)| matching - expected).collect();
    let lasting = serial::inflation(serial::lag1_autocorrelation(&beyond)).powi(2);
    let pieces = seen.iter().map(|(matching, expected)| (*matching, *expected, 1e6));
    Dispersion::of(pieces).map_or(1.0, |dispersion| dispersion.estimate * lasting)
}

/// Parts of the baseline that are as long as the current window, newest first of each.
pub(super) fn parts(windows: &Windows) -> impl Iterator<Item = Window> {
    let len_us = (windows.current.end_us - windows.current.start_us).max(1);
    windows.baseline.iter().flat_map(move |window| {
        let Window { start_us, end_us } = *window;
        (0..((end_us - start_us) / len_us).min(MAX_PARTS)).map(move |part| Window {
            start_us: end_us - (part + 1) * len_us,
            end_us: end_us - part * len_us,
        })
    })
}

/// Burstiness of the counts of like windows.
pub(super) fn count_dispersion(counts: &[f64]) -> Option<Dispersion> {
    let others = counts.len().checked_sub(1).filter(|others| *others > 0)? as f64;
    let total: f64 = counts.iter().sum();
    Dispersion::of(counts.iter().map(|count| (*count, (total - count) / others, others)))
}

fn pieces(window: Window, count: i64) -> impl Iterator<Item = Window> {
    let len_us = ((window.end_us - window.start_us) / count).max(1);
    (0..count).map(move |piece| Window {
        start_us: window.start_us + piece * len_us,
        end_us: (window.start_us + (piece + 1) * len_us).min(window.end_us),
    })
}

/// The measure by window over everything up to now.
pub(super) struct Course {
    pub(super) width: SlotWidth,
    pub(super) start_us: i64,
    pub(super) readings: Vec<Reading>,
    pub(super) values: Vec<Option<f64>>,
}

impl Course {
    /// Over everything up to now, in windows of at most the current one's length.
    pub(super) fn of(case: &Case<'_>, most: usize) -> Self {
        Self::over(case, case.situation.windows.span, most)
    }

    /// The same over a span.
    pub(super) fn over(case: &Case<'_>, span: Window, most: usize) -> Self {
        let current_s = case.situation.windows.current.len_s();
        // Where values are rare, the windows are wider.
        let filled = (case.gauge.read(case.group, &[span]).n / USUAL_IN_WINDOW).max(1);
        let most = if case.needs_samples() { most.min(filled as usize) } else { most };
        let width = SlotWidth::fitting(span.len_s(), most).min(SlotWidth::within(current_s));
        // Whole windows up to the end of the current one: what is judged must not be cut off.
        let count = ((span.end_us - span.start_us) / width.micros()).clamp(0, MAX_COURSE);
        let start_us = span.end_us - count * width.micros();
        let window = |index: i64| Window {
            start_us: start_us + index * width.micros(),
            end_us: start_us + (index + 1) * width.micros(),
        };
        let readings: Vec<Reading> =
            (0..count).map(|index| case.gauge.read(case.group, &[window(index)])).collect();
        let values = readings.iter().map(|reading| value(&case.term.measure, *reading)).collect();
        Self { width, start_us, readings, values }
    }

    pub(super) fn window(&self, index: usize) -> Window {
        let start_us = self.start_us + index as i64 * self.width.micros();
        Window { start_us, end_us: start_us + self.width.micros() }
    }

    /// The clearest change of level, in logarithms where all values are positive.
    pub(super) fn step(&self) -> Option<(Step, bool)> {
        let (points, in_logs) = self.points();
        Some((locate_step(&points)?, in_logs))
    }

    /// The newest change of level that is one.
    fn newest_step(&self) -> Option<(Step, bool)> {
        let (points, in_logs) = self.points();
        Some((newest_step(&points, MAX_P_VALUE)?, in_logs))
    }

    /// What steps are sought in, and whether it is logarithms.
    fn points(&self) -> (Vec<Option<Point>>, bool) {
        let in_logs = self.values.iter().flatten().all(|value| *value > 0.0);
        let scaled = |value: f64| if in_logs { value.ln() } else { value };
        let point = |(value, reading): (&Option<f64>, &Reading)| {
            value.map(|value| Point::of_count(scaled(value), reading.n.max(1)))
        };
        (self.values.iter().zip(&self.readings).map(point).collect(), in_logs)
    }
}

/// Judges `MEASURE CMP before_change ± OFFSET`.
pub(super) fn before_change(case: &Case<'_>, offset: Offset) -> Judged {
    let course = Course::of(case, MAX_WINDOWS);
    let known = course.values.iter().flatten().count();
    if known < 2 * crate::stats::step::MIN_WINDOWS {
        return case.inconclusive(format!("{known} windows are too few to find a change point in"));
    }
    // What was tested and found to hold counts among the tests that are corrected together.
    let holds_surely = Some(1.0);
    let Some((step, in_logs)) = course.newest_step() else {
        let evidence = Evidence { p_value: holds_surely, ..case.evidence() };
        let reason = "there is no change point".to_owned();
        return Judged { outcome: Outcome::Pass, evidence, reason, rate: None };
    };
    let level = |value: f64| if in_logs { value.exp() } else { value };
    let [before, after] = step.levels.map(level);
    let limit = offset.limit(before);
    let side: u64 = course.readings.iter().take(step.place.index).map(|reading| reading.n).sum();
    let reading = Reading { value: Some(before), n: side, matching: 0 };
    let later = course.readings.iter().skip(step.place.index).map(|reading| reading.n).sum();
    let now = Reading { value: Some(after), n: later, matching: 0 };
    let case = Case { now, ..*case };
    let holds = case.term.cmp.holds(after, limit);
    let pct =
        |end: f64| if in_logs { (end.exp() - 1.0) * 100.0 } else { end / before.abs() * 100.0 };
    let interval = [pct(step.change.lo), pct(step.change.hi)];
    let evidence = Evidence {
        interval: interval.iter().all(|end| end.is_finite()).then_some(interval),
        p_value: if holds { holds_surely } else { Some(step.p_value) },
        ..case.with_baseline(limit, reading)
    };
    let outcome = if holds { Outcome::Pass } else { Outcome::Fail };
    let reason = format!(
        "the level changed at {}; it is that of {} s before and since",
        crate::model::format_ts(course.window(step.place.index).start_us),
        course.width.seconds()
    );
    Judged { outcome, evidence, reason, rate: None }
}

/// Judges `novelty(MEASURE) CMP SCORE`: the highest score in the current window, by a detector that
/// has seen everything before it in order.
pub(super) fn novelty(case: &Case<'_>, limit: f64) -> Judged {
    let course = Course::of(case, MAX_NOVELTY_WINDOWS);
    let mut detector = Novelty::new(Some(f64::from(course.width.seconds())));
    let current = case.situation.windows.current;
    let mut best: Option<(Scored, usize)> = None;
    let mut seen = 0_usize;
    for (index, value) in course.values.iter().enumerate() {
        let scored = detector.push(*value);
        seen += usize::from(value.is_some());
        let is_current = course.window(index).end_us > current.start_us && value.is_some();
        if is_current && best.is_none_or(|(known, _)| known.score < scored.score) {
            best = Some((scored, index));
        }
    }
    let Some((scored, index)) = best.filter(|_| seen >= MIN_NOVELTY_WINDOWS) else {
        let text = format!("{seen} windows have values, {MIN_NOVELTY_WINDOWS} are needed");
        let case = Case { now: Reading { value: None, ..case.now }, ..*case };
        return case.inconclusive(text);
    };
    let reading = Reading { value: Some(scored.score), ..case.now };
    let case = Case { now: reading, ..*case };
    let holds = case.term.cmp.holds(scored.score, limit);
    let at = crate::model::format_ts(course.window(index).start_us);
    let reason = match scored.reason {
        Some(feature) => format!("{feature} at {at}"),
        None => "nothing new".to_owned(),
    };
    let outcome = if holds { Outcome::Pass } else { Outcome::Fail };
    Judged { outcome, evidence: case.with_limit(limit), reason, rate: None }
}
