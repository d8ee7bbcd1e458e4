//! From what was measured to a baseline that can be saved, and how it would have judged itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::before::lag1;
use super::gauge::{Gauge, Reading};
use super::shelf::{Answers, Shelf};
use super::windows::Whole;
use super::{Checked, Checks, Scene, groups::MAX_GROUPS, series, term};
use crate::baseline::{Baseline, MeasureKey, SavedGroup, SavedMeasure, SavedWindow, Season};
use crate::model::{InputRef, Span, Unit, format_ts, zone_name};
use crate::query::{Durations, Measured};
use crate::rule::{Cmp, Limit, Measure, Rule, Term, parse_rule};
use crate::stats::{
    limit::{FalseAlarms, Side},
    quantile::Sorted,
    rank::evenly_spaced,
    season::MIN_LIKE_WINDOWS,
    sketch::Sketch,
};

/// Windows and sampled values of a group, at most; of many groups each has fewer.
const MAX_KEPT: usize = 2_000;
const MIN_KEPT: usize = 200;
/// The same of all groups of a measure.
const MAX_KEPT_TOGETHER: usize = 20_000;
/// Different values of a field, at most.
const MAX_DISTINCT: usize = 10_000;

/// What is known of a baseline besides its measures.
#[derive(Clone, Debug)]
pub struct Making {
    /// Its name.
    pub name: String,
    /// When, RFC 3339 UTC.
    pub made_at: String,
    /// plimsoll's version.
    pub version: String,
    /// What was read.
    pub inputs: Vec<InputRef>,
}

/// Everything the checks would ask of a baseline, over all that was measured.
pub fn baseline_of(
    checks: &Checks,
    measured: &Measured,
    scene: &Scene<'_>,
    making: Making,
) -> Baseline {
    let whole = scene.calendar.whole(scene.now_us, scene.len_us, MAX_KEPT);
    let mut kept: Vec<SavedMeasure> = Vec::new();
    let mut answers = Answers::new(measured);
    for (check, places) in checks.checks.iter().zip(&checks.places) {
        let Checked::Rule(rule) = &check.checked else { continue };
        for (term, places) in rule.terms.iter().zip(places) {
            add(&mut kept, (term, rule), || {
                // What is read of one measure helps no other: keeping it would only cost memory.
                let shelf = Shelf::default();
                let gauge = Gauge::new(&term.measure, (&shelf, &mut answers), places)?;
                Some(groups_of(&gauge, scene, &whole))
            });
        }
    }
    let zone = zone_name(&scene.calendar.zone);
    let (first_us, last_us) = scene.calendar.span_us;
    Baseline {
        schema: Baseline::SCHEMA.to_owned(),
        name: making.name,
        made_at: making.made_at,
        version: making.version,
        inputs: making.inputs,
        span: Span { from: format_ts(first_us), to: format_ts(last_us.min(scene.now_us)) },
        window_us: scene.len_us,
        zone,
        segment: whole.segment,
        excluded: whole.excluded,
        measures: kept,
        untrusted_text_fields: Baseline::UNTRUSTED_TEXT_FIELDS.map(str::to_owned).to_vec(),
    }
}

type Groups = (Vec<SavedGroup>, u64);

fn add(
    measures: &mut Vec<SavedMeasure>,
    (term, rule): (&Term, &Rule),
    groups: impl FnOnce() -> Option<Groups>,
) {
    let (key, text) = (MeasureKey::of(&term.measure, rule), term.to_string());
    if let Some(known) = measures.iter_mut().find(|known| known.key == key) {
        if !known.terms.contains(&text) {
            known.terms.push(text);
        }
        return;
    }
    // An age is of now, and novelty is told from the course that is judged.
    if matches!(term.measure, Measure::Age | Measure::Novelty(_)) {
        return;
    }
    if let Some((groups, groups_left_out)) = groups() {
        measures.push(SavedMeasure { key, terms: vec![text], groups, groups_left_out });
    }
}

fn groups_of(gauge: &Gauge<'_>, scene: &Scene<'_>, whole: &Whole) -> Groups {
    let names = gauge.groups(usize::MAX);
    let left_out = names.len().saturating_sub(MAX_GROUPS) as u64;
    let count = names.len().min(MAX_GROUPS);
    let most = (MAX_KEPT_TOGETHER / count.max(1)).clamp(MIN_KEPT, MAX_KEPT);
    let groups = names.into_iter().take(count);
    (groups.map(|name| group_of(gauge, name, (scene, whole, most))).collect(), left_out)
}

fn group_of(
    gauge: &Gauge<'_>,
    name: Option<String>,
    (scene, whole, most): (&Scene<'_>, &Whole, usize),
) -> SavedGroup {
    let group = name.as_deref();
    let Reading { n, matching, value } = gauge.read(group, &whole.kept);
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let newest = whole.windows.len().saturating_sub(most);
    let windows = whole.windows.iter().skip(newest).map(|window| {
        let reading = gauge.read(group, &[*window]);
        let value = finite(series::value(gauge.measure(), reading));
        let slot = scene.calendar.slot(*window, scene.len_us);
        SavedWindow(slot, reading.n, reading.matching, value)
    });
    let mut saved = SavedGroup {
        n,
        matching,
        exposure_s: whole.kept.iter().map(|window| window.len_s()).sum(),
        value: finite(value),
        windows: windows.collect(),
        share_dispersion: 1.0,
        ..SavedGroup::default()
    };
    match gauge.measure() {
        Measure::Share(_) => {
            let ratio = matching as f64 / (n as f64).max(1.0);
            let seen = series::share_dispersion(gauge, group, &whole.kept, ratio);
            saved.share_dispersion = finite(Some(seen)).unwrap_or(1.0);
        }
        Measure::Count | Measure::Rate | Measure::Age | Measure::Novelty(_) => {}
        Measure::Distinct(_) | Measure::New(_) => {
            let distinct = gauge.distinct(group, &whole.kept);
            saved.distinct_count = distinct.len() as u64;
            saved.distinct = distinct.into_iter().take(MAX_DISTINCT).collect();
        }
        _ => {
            let values = gauge.values(group, &whole.kept);
            saved.lag1 = lag1(&values);
            saved.sample = evenly_spaced(values.in_order.as_deref().unwrap_or_default(), most).0;
            saved.values = Some(match &values.all {
                Durations::Sketched(sketch) => sketch.clone(),
                Durations::Exact(sorted) => {
                    let mut sketch = Sketch::default();
                    sketch.extend(sorted.as_slice().iter().copied());
                    sketch
                }
            });
        }
    }
    SavedGroup { name, ..saved }
}

/// A baseline in short. Schema `plimsoll.baseline-summary/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Always `plimsoll.baseline-summary/1`.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// When it was made, RFC 3339 UTC.
    pub made_at: String,
    /// plimsoll's version.
    pub version: String,
    /// What was read. Names may hold hostile text.
    pub inputs: Vec<InputRef>,
    /// From the first record to the last.
    pub span: Span,
    /// Length of the windows, microseconds.
    pub window_us: i64,
    /// Zone in which hours and weeks were counted.
    pub zone: String,
    /// By measure, group and term.
    pub rows: Vec<SummaryRow>,
    /// JSON paths of the fields that hold text from logs.
    pub untrusted_text_fields: Vec<String>,
}

/// One group of a measure, as one term asks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SummaryRow {
    /// The measure with its `where` and `per`.
    pub measure: String,
    /// What a rule asks of it.
    pub term: String,
    /// The group. Log text: untrusted.
    pub group: Option<String>,
    /// Rows, or values where some are taken.
    pub n: u64,
    /// Unit of `level` and `spread`.
    pub unit: Unit,
    /// The measure over the whole baseline.
    pub level: Option<f64>,
    /// Quartiles of its windows.
    pub spread: Option<[f64; 2]>,
    /// Windows.
    pub windows: u64,
    /// Windows that break the term as the like windows besides them are, and windows held against
    /// it; for terms judged by an interval an upper bound.
    pub false_alarms: Option<[u64; 2]>,
}

/// A baseline in short, with the false alarms that its own history shows.
pub fn summary(baseline: &Baseline) -> Summary {
    let mut rows = Vec::new();
    for saved in &baseline.measures {
        for text in &saved.terms {
            let rule = parse_rule(text).ok();
            let Some(parsed) = rule.as_ref().and_then(|rule| rule.terms.first()) else { continue };
            // The level of a shift is a median of its field, not a share.
            let shown = match &parsed.measure {
                Measure::Shift(field) => Measure::Max(field.clone()),
                measure => measure.clone(),
            };
            let scale = term::scale(&shown);
            rows.extend(saved.groups.iter().map(|group| {
                SummaryRow {
                    measure: saved.key.0.clone(),
                    term: text.clone(),
                    group: group.name.clone(),
                    n: group.n,
                    unit: term::unit(&shown),
                    level: group.value.map(|value| value * scale),
                    spread: group.spread().map(|ends| ends.map(|end| end * scale)),
                    windows: group.windows.len() as u64,
                    false_alarms: false_alarms(group, parsed)
                        .map(|found| [found.alarms as u64, found.tested as u64]),
                }
            }));
        }
    }
    let untrusted = ["inputs[].name", "rows[].group"];
    Summary {
        schema: "plimsoll.baseline-summary/1".to_owned(),
        name: baseline.name.clone(),
        made_at: baseline.made_at.clone(),
        version: baseline.version.clone(),
        inputs: baseline.inputs.clone(),
        span: baseline.span.clone(),
        window_us: baseline.window_us,
        zone: baseline.zone.clone(),
        rows,
        untrusted_text_fields: untrusted.map(str::to_owned).to_vec(),
    }
}

/// How often the value of a window alone breaks a term as the like windows besides it are.
///
/// Changes are judged by intervals, so there it is an upper bound. `None` where windows do not
/// tell, or are too few.
fn false_alarms(group: &SavedGroup, term: &Term) -> Option<FalseAlarms> {
    let seasons = group.seasons();
    let all = seasons.iter().filter_map(|season| of_season(season, term));
    all.reduce(|a, b| FalseAlarms { alarms: a.alarms + b.alarms, tested: a.tested + b.tested })
}

fn of_season(season: &Season, Term { measure, cmp, limit, .. }: &Term) -> Option<FalseAlarms> {
    type Bound = Box<dyn Fn(&[f64]) -> Option<f64>>;
    let (bound, cmp): (Bound, Cmp) = match (measure, limit) {
        (Measure::Shift(_) | Measure::New(_), _) | (_, Limit::BeforeChange(_)) => return None,
        (_, Limit::Usual { method, parameter }) => {
            let method = series::method(*method, *parameter);
            // What is at the end of a usual range is usual.
            let (side, cmp) = match cmp {
                Cmp::Less | Cmp::AtMost => (Side::Upper, Cmp::AtMost),
                _ => (Side::Lower, Cmp::AtLeast),
            };
            (Box::new(move |others| method.bound(others, side)), cmp)
        }
        _ if season.values.len() < MIN_LIKE_WINDOWS => return None,
        (_, Limit::Literal(quantity)) => {
            let literal = quantity.base();
            (Box::new(move |_| Some(literal)), *cmp)
        }
        (_, Limit::Baseline(offset)) => {
            let offset = *offset;
            let median = |others: &[f64]| Sorted::new(others.to_vec()).median();
            (Box::new(move |others| Some(offset.limit(median(others)?))), *cmp)
        }
    };
    let mut found = FalseAlarms { alarms: 0, tested: 0 };
    for index in &season.own {
        let mut others = season.values.clone();
        let value = others.remove(*index);
        if let Some(bound) = bound(&others) {
            found.tested += 1;
            found.alarms += usize::from(!cmp.holds(value, bound));
        }
    }
    (found.tested > 0).then_some(found)
}
