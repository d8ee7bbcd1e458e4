//! A level against the level of the baseline, with an interval.

use super::gauge::Reading;
use super::series;
use super::term::{Case, Judged, bar_pct, is_same};
use crate::model::Evidence;
use crate::query::Values;
use crate::rule::{Measure, Offset};
use crate::stats::{
    Change, Direction, Outcome,
    count::{Count, Dispersion, rate_ratio},
    next::{MIN_LIKE, Next, widened_by_like},
    normal::{Z_98, upper_tail},
    proportion::{Share, share_change},
    quantile::Sorted,
    quantile_change::{QuantileInterval, difference_interval, ratio_interval_pct},
    rank::{MAX_COMPARED, Shift, shift, shift_of_sorted},
    serial,
};

/// Inflation where the order of time is lost: an autocorrelation of one third is taken for granted.
const UNKNOWN_INFLATION: f64 = std::f64::consts::SQRT_2;

/// Judges `MEASURE CMP baseline ± OFFSET`.
pub(super) fn against_baseline(case: &Case<'_>, offset: Offset) -> Judged {
    if let Some(missing) = case.before.missing() {
        return case.inconclusive(missing);
    }
    let before = case.before.reading();
    if let Some(few) = case.too_few(Some(before.n)) {
        return few;
    }
    match &case.term.measure {
        Measure::Share(_) => share(case, before, offset),
        Measure::Count | Measure::Rate => counts(case, before, offset),
        Measure::Quantile { percent, .. } => quantile(case, before, (*percent / 100.0, offset)),
        Measure::Average(_) => average(case, before, offset),
        _ => beside_like(case, before, offset),
    }
}

/// A change and its bar, turned so that more is worse.
fn turned(change: &Change, bar: f64, direction: Direction) -> (Change, f64) {
    match direction {
        Direction::Decrease => {
            let estimate = -change.estimate;
            (Change { estimate, lo: -change.hi, hi: -change.lo }, -bar)
        }
        Direction::Increase | Direction::Either => (*change, bar),
    }
}

/// Whether a change lies beyond a bar, which may be negative: "at least 10 % better".
fn judge(change: &Change, bar: f64) -> Outcome {
    // Of more than nothing only the lower end is known.
    if change.estimate.is_nan() || !(change.lo.is_finite() || change.hi.is_finite()) {
        Outcome::Inconclusive
    } else if change.lo > bar {
        Outcome::Fail
    } else if change.estimate > bar && change.lo > bar.min(0.0) {
        Outcome::Warn
    } else {
        Outcome::Pass
    }
}

fn reason(outcome: Outcome) -> String {
    match outcome {
        Outcome::Fail => "the whole likely range of the change lies beyond the limit",
        Outcome::Warn => "the change is real; that it is beyond the limit is likely, not certain",
        Outcome::Pass => "no change beyond the limit can be told",
        Outcome::Inconclusive => "there is too little to bound the change",
    }
    .to_owned()
}

/// One-sided p-value that the change is not beyond the bar, from a 98 % interval.
fn p_beyond(change: &Change, bar: f64) -> Option<f64> {
    // Ranges of ratios are lopsided: what counts is the half that lies towards the bar, so that a
    // range beyond the bar and a small p-value are the same.
    let half = if change.estimate > bar {
        change.estimate - change.lo
    } else {
        change.hi - change.estimate
    };
    let error = half / Z_98;
    (error.is_finite() && error > 0.0).then(|| upper_tail((change.estimate - bar) / error))
}

fn judged(case: &Case<'_>, evidence: Evidence, change: &Change, bar: f64) -> Judged {
    let interval = [change.lo, change.hi];
    let interval = interval.iter().all(|end| end.is_finite()).then_some(interval);
    let (change, bar) = turned(change, bar, case.direction());
    let outcome = judge(&change, bar);
    let evidence = Evidence { interval, p_value: p_beyond(&change, bar), ..evidence };
    Judged { outcome, evidence, reason: reason(outcome), rate: None }
}

fn share(case: &Case<'_>, before: Reading, offset: Offset) -> Judged {
    let (control, now) =
        (Share::new(before.matching, before.n), Share::new(case.now.matching, case.now.n));
    let (Some(control), Some(now)) = (control, now) else {
        return case.inconclusive("there is nothing to take a share of");
    };
    let inflation = case.before.share_dispersion(control.ratio());
    let change = share_change(control, now, Z_98, inflation);
    let points = |ratio: f64| ratio * 100.0;
    let change =
        Change { estimate: points(change.estimate), lo: points(change.lo), hi: points(change.hi) };
    let change = among_like(case, change, 1.0);
    let level = 100.0 * control.ratio();
    let limit = offset.limit(level);
    let evidence = case.with_baseline(limit, before);
    judged(case, evidence, &change, limit - level)
}

fn counts(case: &Case<'_>, before: Reading, offset: Offset) -> Judged {
    let exposure = case.before.exposure_s();
    let usual = Count { events: before.n as f64, exposure };
    let seconds = case.situation.windows.judged_s();
    let now = Count { events: case.now.n as f64, exposure: seconds };
    let dispersion = series::count_dispersion(&case.before.counts()).unwrap_or(Dispersion::UNKNOWN);
    let per_window = usual.events / exposure * seconds;
    let level = if case.term.measure == Measure::Rate { per_window / seconds } else { per_window };
    let limit = offset.limit(level);
    let before = Reading { value: Some(level), ..before };
    let evidence = case.with_baseline(limit, before);
    if before.n + case.now.n == 0 && case.direction() == Direction::Increase {
        let outcome = Outcome::Pass;
        let reason = "there were none, and are none".to_owned();
        return Judged { outcome, evidence, reason, rate: None };
    }
    let Some(rate) = rate_ratio(now, usual, dispersion, Z_98) else {
        return case.inconclusive("nothing was counted on either side");
    };
    let Some(bar) = bar_pct(offset, level) else {
        return case.inconclusive("the baseline has none to compare with");
    };
    let pct = |ratio: f64| (ratio - 1.0) * 100.0;
    let change = Change { estimate: pct(rate.ratio), lo: pct(rate.lo), hi: pct(rate.hi) };
    let judged = judged(case, evidence, &change, bar);
    // Few windows measure their spread badly, which an end of the interval says nothing about
    // further out: the test itself is asked for the rate at the bar.
    let at_bar = Count { exposure: usual.exposure / (1.0 + bar / 100.0), ..usual };
    let p_value =
        rate_ratio(now, at_bar, dispersion, Z_98).map(|rate| rate.p_value(case.direction()));
    Judged { evidence: Evidence { p_value, ..judged.evidence }, ..judged }
}

fn quantile(case: &Case<'_>, before: Reading, (q, offset): (f64, Offset)) -> Judged {
    let then = case.before.values();
    let now = case.now_values();
    let interval =
        |values: &Values| QuantileInterval::of(values.all.count(), q, |q| values.all.quantile(q));
    let level = before.value.unwrap_or(f64::NAN);
    let evidence = case.with_baseline(offset.limit(level), before);
    let (Some(control), Some(experiment)) = (interval(&then), interval(&now)) else {
        let text = "there are too few values to bound so high or low a percentile";
        return Judged { evidence, ..case.inconclusive(text) };
    };
    let inflation = inflation(case, &then, &now);
    let (Some([lo, hi]), Some(bar)) =
        (ratio_interval_pct(control, experiment), bar_pct(offset, level))
    else {
        let change = difference_interval(control, experiment, inflation);
        return by_difference(case, evidence, &change, (level, offset));
    };
    let estimate = (experiment.estimate / control.estimate - 1.0) * 100.0;
    let change = widened(Change { estimate, lo, hi }, inflation);
    judged(case, evidence, &among_like(case, change, 100.0 / level), bar)
}

/// Judges a change in the unit of the measure, of which nothing is a percentage where it is of 0.
fn by_difference(
    case: &Case<'_>,
    evidence: Evidence,
    change: &Change,
    (level, offset): (f64, Offset),
) -> Judged {
    let change = among_like(case, *change, 1.0);
    let judged = judged(case, evidence, &change, offset.limit(level) - level);
    let pct = |end: f64| end / level.abs() * 100.0;
    let interval = judged.evidence.interval.map(|ends| ends.map(pct));
    let interval = interval.filter(|ends| ends.iter().all(|end| end.is_finite()));
    Judged { evidence: Evidence { interval, ..judged.evidence }, ..judged }
}

/// Widens a change by how much windows like the judged one differ, where they are known; `unit` is
/// that of the change in the measure's.
fn among_like(case: &Case<'_>, change: Change, unit: f64) -> Change {
    let before = &case.before;
    if before.saved.is_none() && before.windows.baseline.len() < MIN_LIKE {
        return change;
    }
    let like: Vec<f64> = before.like().unwrap_or_default();
    widened_by_like(change, &like.iter().map(|value| value * unit).collect::<Vec<f64>>())
}

/// Makes the ends of a relative change as uncertain as the autocorrelation says.
fn widened(change: Change, inflation: f64) -> Change {
    let log = |pct: f64| (1.0 + pct / 100.0).max(f64::MIN_POSITIVE).ln();
    let pct = |log: f64| (log.exp() - 1.0) * 100.0;
    let middle = log(change.estimate);
    let end = |end: f64| pct(middle + (log(end) - middle) * inflation);
    Change { lo: end(change.lo), hi: end(change.hi), ..change }
}

/// How much more uncertain a difference is because values near each other in time are alike. Of
/// ranks: which values lie beyond a high percentile would be told by a few odd minutes alone.
fn inflation(case: &Case<'_>, then: &Values, now: &Values) -> f64 {
    let (Some(then), Some(now)) = (&then.in_order, &now.in_order) else {
        return UNKNOWN_INFLATION;
    };
    // A saved sample is too thin to show neighbours, so what they were like is saved too.
    let of_saved = case.before.saved_lag1().map_or(1.0, serial::inflation);
    serial::inflation_between(&serial::ranks(then), &serial::ranks(now)).max(of_saved)
}

/// Difference of two means with Welch's interval, relative to the baseline's.
fn average(case: &Case<'_>, before: Reading, offset: Offset) -> Judged {
    let then = case.before.values();
    let now = case.now_values();
    let level = before.value.unwrap_or(f64::NAN);
    let evidence = case.with_baseline(offset.limit(level), before);
    let Some(mean) = case.now.value else { return point(case, before, offset) };
    let error = |values: &Values, mean: f64| {
        let thinned = values.all.thin(10 * MAX_COMPARED);
        let squares = thinned.as_slice().iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        squares / thinned.len().saturating_sub(1).max(1) as f64 / values.all.count().max(1) as f64
    };
    let inflation = inflation(case, &then, &now);
    let half = Z_98 * (error(&then, level) + error(&now, mean)).sqrt() * inflation;
    let estimate = mean - level;
    let change = Change { estimate, lo: estimate - half, hi: estimate + half };
    by_difference(case, evidence, &change, (level, offset))
}

/// What has no interval of its own, such as a maximum, lies beyond the limit when windows like it
/// hardly ever would.
fn beside_like(case: &Case<'_>, before: Reading, offset: Offset) -> Judged {
    let (like, counts) = match case.before.like() {
        Ok(like) => (like, Sorted::new(case.before.counts())),
        Err(missing) => return case.inconclusive(missing),
    };
    let Some(now) = case.now.value else {
        return case.inconclusive("there is no value in the window");
    };
    // Nothing is less than the share of half a row.
    let level = Sorted::new(like.clone()).median().unwrap_or_default();
    let least = 0.5 * level.abs() / counts.median().unwrap_or(1.0).max(1.0);
    let Some(next) = Next::of(&like, now, least) else {
        let known = like.len();
        let text = format!(
            "{known} windows as long as this one are known, {MIN_LIKE} are needed: compare with \
             more time, or judge a shorter --window"
        );
        return case.inconclusive(text);
    };
    let before = Reading { value: Some(level), ..before };
    let Some(bar) = bar_pct(offset, level).filter(|_| level.abs() > 0.0) else {
        return point(case, before, offset);
    };
    let evidence = case.with_baseline(offset.limit(level), before);
    let judged = judged(case, evidence, &next.change_pct(), bar);
    let [p_more, p_less] = next.p_values(bar);
    let p_value = if case.direction() == Direction::Decrease { p_less } else { p_more };
    let p_value = Some(p_value).filter(|p_value| p_value.is_finite());
    Judged { evidence: Evidence { p_value, ..judged.evidence }, ..judged }
}

/// What has neither interval nor like windows is compared as it is.
fn point(case: &Case<'_>, before: Reading, offset: Offset) -> Judged {
    let (Some(level), Some(now)) = (before.value, case.now.value) else {
        return case.inconclusive("there is no value on one side");
    };
    let limit = offset.limit(level);
    let holds = is_same(now, limit) || case.term.cmp.holds(now, limit);
    let outcome = if holds { Outcome::Pass } else { Outcome::Fail };
    let reason = if holds { "the limit holds" } else { "the limit is broken" };
    let evidence = case.with_baseline(limit, before);
    Judged { outcome, evidence, reason: reason.to_owned(), rate: None }
}

/// Judges `shift(field) CMP BAR%`: the Hodges–Lehmann shift in per cent of the baseline's median.
pub(super) fn shifted(case: &Case<'_>, bar_pct: f64) -> Judged {
    if let Some(missing) = case.before.missing() {
        return case.inconclusive(missing);
    }
    let then = case.before.values();
    let now = case.now_values();
    if let Some(few) = case.too_few(Some(then.all.count())) {
        return few;
    }
    let Some(found) = shift_between(&then, &now) else {
        return case.inconclusive("there is nothing to compare");
    };
    let median = found.control_median;
    if median.abs() <= 0.0 {
        return case.inconclusive("the baseline's median is 0, of which nothing is a percentage");
    }
    let pct = |value: f64| value / median.abs() * 100.0;
    let change = Change {
        estimate: pct(found.change.estimate),
        lo: pct(found.change.lo),
        hi: pct(found.change.hi),
    };
    let change = among_like(case, change, 100.0 / median.abs());
    let before = Reading { n: then.all.count(), ..Reading::default() };
    let reading = Reading { value: Some(change.estimate), n: now.all.count(), matching: 0 };
    let case = Case { now: reading, ..*case };
    let evidence = Evidence {
        change_pct: Some(change.estimate).filter(|pct| pct.is_finite()),
        ..case.with_baseline(bar_pct, before)
    };
    judged(&case, evidence, &change, bar_pct)
}

fn shift_between(then: &Values, now: &Values) -> Option<Shift> {
    if let (Some(then), Some(now)) = (&then.in_order, &now.in_order) {
        return shift(then, now);
    }
    let (then, now) = (then.all.thin(MAX_COMPARED), now.all.thin(MAX_COMPARED));
    shift_of_sorted(&then, &now, UNKNOWN_INFLATION, Z_98)
}

/// Chance of so many values beyond a fixed limit if the measure just kept it; `None` where there is
/// no such test.
pub(super) fn limit_p_value(case: &Case<'_>, limit: f64) -> Option<f64> {
    let n = case.now.n;
    let (beyond, expected) = match &case.term.measure {
        Measure::Quantile { percent, .. } => {
            let values = case.now_values();
            let below = values.all.count_at_most(limit);
            match case.direction() {
                Direction::Increase => (n - below, 1.0 - percent / 100.0),
                _ => (below, percent / 100.0),
            }
        }
        Measure::Share(_) => match case.direction() {
            Direction::Increase => (case.now.matching, limit / 100.0),
            _ => (n - case.now.matching, 1.0 - limit / 100.0),
        },
        _ => return None,
    };
    let expected = expected.clamp(0.0, 1.0);
    let error = (expected * (1.0 - expected) * n as f64).sqrt();
    (error > 0.0).then(|| upper_tail((beyond as f64 - 0.5 - expected * n as f64) / error))
}

#[cfg(test)]
mod tests {
    use super::{Change, Direction, p_beyond, turned};

    #[test]
    fn a_range_beyond_the_bar_and_a_small_p_value_are_the_same() {
        let check = |lo: f64, estimate: f64, hi: f64, is_beyond: bool, why: &str| {
            let change = Change { estimate, lo, hi };
            let p_value = p_beyond(&change, 10.0).unwrap();
            assert_eq!(p_value < 0.01, is_beyond, "{why}: {p_value}");
            let mirrored = Change { estimate: -estimate, lo: -hi, hi: -lo };
            assert_eq!(turned(&mirrored, -10.0, Direction::Decrease), (change, 10.0));
        };
        check(22.0, 45.0, 68.0, true, "an even range");
        check(22.0, 45.0, 281.0, true, "a long tail away from the bar says nothing against it");
        check(9.0, 45.0, 50.0, false, "a long tail across the bar does");
        check(10.1, 45.0, 50.0, true, "just beyond");
        check(-20.0, 5.0, 9.0, false, "on the other side");
    }
}
