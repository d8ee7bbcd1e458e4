//! Gates, their checks, and what is compared with.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use super::super::checked::{
    BaselineSource, BaselineSpec, CalendarKind, ChangeDirection, Check, CheckKind, Gate, GateCheck,
    GateCheckKind, MinEffect, OnNoData, Score,
};
use super::super::grammar::one_of;
use super::super::quantity;
use super::super::raw::{
    BaselineText, EffectText, PercentText, Placed, RawBaseline, RawCheck, RawGate, RawGateCheck,
    RawScore,
};
use super::super::texts::Origin;
use super::super::written;
use super::entry::label;
use super::value::{Bounds, is_name};
use super::{Checker, DAY, HOUR, MINUTE, MONTH, SECOND};
use crate::model::nearest;

const WINDOW: Bounds<Duration> = Bounds(MINUTE, Duration::from_hours(24 * 366));
const INTERVAL: Bounds<Duration> = Bounds(SECOND, DAY);
const DELAY: Bounds<Duration> = Bounds(Duration::ZERO, DAY);
const MAX_AGE: Bounds<Duration> = Bounds(SECOND, MONTH);
const MAX_EFFECT_TIME: Duration = HOUR;
/// Changes below these pass where `min_effect` is not said.
const MIN_EFFECT_RATIO: f64 = 0.1;
const MIN_EFFECT_POINTS: f64 = 0.005;

impl Checker<'_, '_> {
    pub(super) fn check_section(&mut self, raw: &RawCheck) -> Check {
        let exclude = kinds(raw.exclude.as_deref());
        self.each_kind_once(raw);
        if raw.baseline.from.is_none() && raw.baseline.deployment.is_none() {
            self.derived.push(("check.baseline.from".to_owned(), "history".to_owned()));
        }
        let baseline = self.baseline("check.baseline", &raw.baseline, &exclude);
        let source = baseline.source.unwrap_or(BaselineSource::History);
        let window = raw.window.as_ref().filter(|window| window.value().as_ref() != "all");
        let mut windows: Vec<Duration> = raw
            .windows
            .iter()
            .flatten()
            .map(|length| self.length("check.windows", Some(length), WINDOW))
            .collect();
        windows.sort_unstable();
        windows.dedup();
        Check {
            windows,
            window: window.map(|window| self.length("check.window", Some(window), WINDOW)),
            baseline: BaselineSpec { source, window: baseline.window, exclude: baseline.exclude },
            min_samples: raw.min_samples.as_ref().map_or(2, |least| *least.value()),
            level_ratio: self.level(raw.level.as_ref()),
            segment: kinds(raw.segment.as_deref()),
            mute: kinds(raw.mute.as_deref()),
        }
    }

    /// What is left out can be matched by nothing, and what is muted is left out already.
    fn each_kind_once(&mut self, raw: &RawCheck) {
        let lists = [("exclude", &raw.exclude), ("segment", &raw.segment), ("mute", &raw.mute)];
        let mut seen: Vec<(&str, CalendarKind)> = Vec::new();
        for (list, kinds) in lists {
            for kind in kinds.iter().flatten() {
                let word = *kind.value();
                let other = seen.iter().find(|(other, known)| *known == word && *other != list);
                if let Some((other, _)) = other {
                    let word = word.as_str();
                    let message =
                        format!("`check.{list}` has `{word}`, which `check.{other}` has too");
                    let help = "a kind of events is left out, or matched, or muted; what is muted \
                                is left out as well";
                    let key = format!("check.{list}");
                    self.findings.report(&kind.span(), &key, &message, Some(help.to_owned()));
                }
                seen.push((list, word));
            }
        }
    }

    /// 0 stands for what is wrong.
    fn level(&mut self, raw: Option<&Placed<PercentText>>) -> f64 {
        let Some(raw) = raw else { return 0.0 };
        match quantity::percent(raw.value().as_ref()) {
            Ok(ratio) if 0.0 < ratio && ratio <= 0.5 => return ratio,
            Ok(_) => {
                let need = "must be more than `0%` and at most `50%`";
                self.findings.value(&raw.span(), "check.level", need, None);
            }
            Err(no) => self.no_quantity(&raw.span(), "check.level", "percentage such as `2%`", no),
        }
        0.0
    }

    fn baseline(&mut self, key: &str, raw: &RawBaseline, exclude: &[CalendarKind]) -> Baseline {
        let from = raw.from.as_ref().map(|from| self.baseline_source(&format!("{key}.from"), from));
        if let (Some(_), Some(deployment)) = (&from, &raw.deployment) {
            let message = format!("`{key}` has both `from` and `deployment`, must have one");
            self.findings.report(&deployment.span(), &format!("{key}.deployment"), &message, None);
        }
        let deployment = raw.deployment.as_ref().map(|_| BaselineSource::PreviousDeployment);
        let source = from.flatten().or(deployment);
        let window = raw.window.as_ref();
        let (window_key, word) = (format!("{key}.window"), raw.from.as_ref());
        let has_own = |source: &&BaselineSource| {
            !matches!(source, BaselineSource::History | BaselineSource::PreviousDeployment)
        };
        if let (Some(window), Some(_)) = (window, source.as_ref().filter(has_own)) {
            let word = word.map_or("4x-before", |word| word.value().as_ref());
            let message = format!("`{window_key}` is of no use to `{word}`");
            let help = Some("that says by itself how much it is".to_owned());
            self.findings.report(&window.span(), &window_key, &message, help);
        }
        let window = window.map(|window| self.length(&window_key, Some(window), WINDOW));
        let own = raw.exclude.as_deref();
        Baseline { source, window, exclude: own.map_or(exclude.to_vec(), |own| kinds(Some(own))) }
    }

    /// `None` stands for what is wrong.
    fn baseline_source(&mut self, key: &str, raw: &Placed<BaselineText>) -> Option<BaselineSource> {
        const WORDS: [&str; 4] = ["4x-before", "last-week", "previous-deployment", "history"];
        let text = raw.value().as_ref();
        match text {
            "4x-before" => return Some(BaselineSource::FourTimesBefore),
            "last-week" => return Some(BaselineSource::LastWeek),
            "previous-deployment" => return Some(BaselineSource::PreviousDeployment),
            "history" => return Some(BaselineSource::History),
            _ => {}
        }
        if let Some(name) = text.strip_prefix("name:").filter(|name| is_name(name)) {
            return Some(BaselineSource::Named(name.to_owned()));
        }
        let need = "must be `4x-before`, `last-week`, `previous-deployment`, `history` or `name:` \
                    and the name of a saved baseline";
        let near = nearest(text, WORDS);
        let help = near.map(|near| format!("did you mean `{near}`?"));
        self.findings.value(&raw.span(), key, need, help);
        None
    }

    pub(super) fn gates(
        &mut self,
        raw: &BTreeMap<Placed<String>, RawGate>,
        usual: &Check,
    ) -> Vec<Gate> {
        raw.iter().map(|(name, raw)| self.gate(name, raw, usual)).collect()
    }

    fn gate(&mut self, name: &Placed<String>, raw: &RawGate, usual: &Check) -> Gate {
        let label = format!("gate.{}", written::key(name.value()));
        let key = |part: &str| format!("{label}.{part}");
        let has_own = raw.baseline.from.is_some() || raw.baseline.deployment.is_some();
        let own = self.baseline(&key("baseline"), &raw.baseline, &usual.baseline.exclude);
        let baseline = BaselineSpec {
            source: own.source.unwrap_or_else(|| usual.baseline.source.clone()),
            window: own.window.or(usual.baseline.window.filter(|_| !has_own)),
            exclude: own.exclude,
        };
        let count = number(raw.count.as_ref());
        let streak = raw.success_streak.as_ref().filter(|streak| *streak.value() > 0);
        if let Some(streak) = streak.filter(|streak| *streak.value() > count) {
            let need = format!("must be at most `{}`, which is `{count}`", key("count"));
            self.findings.value(&streak.span(), &key("success_streak"), &need, None);
        }
        Gate {
            name: self.name(&label, name),
            baseline,
            window: self.length(&key("window"), raw.window.as_ref(), WINDOW),
            interval: self.length(&key("interval"), raw.interval.as_ref(), INTERVAL),
            count,
            delay: self.length(&key("delay"), raw.delay.as_ref(), DELAY),
            fail_limit: number(raw.fail_limit.as_ref()),
            success_streak: streak.map(|streak| *streak.value()),
            error_limit: number(raw.error_limit.as_ref()),
            on_no_data: raw.on_nodata.as_ref().map_or(OnNoData::Hold, |word| *word.value()),
            score: self.score(&key("score"), &raw.score),
            checks: self.gate_checks(&label, raw.check.as_deref().unwrap_or_default()),
        }
    }

    fn score(&mut self, key: &str, raw: &RawScore) -> Score {
        let points = |raw: &Option<Placed<f64>>| raw.as_ref().map_or(0.0, |raw| *raw.value());
        let (pass, warn) = (points(&raw.pass), points(&raw.warn));
        if let (Some(pass_raw), Some(warn_raw)) = (&raw.pass, &raw.warn)
            && warn > pass
        {
            // The one that somebody has said is blamed.
            let is_default = self.is_default(&warn_raw.span());
            let (part, raw, need) = if is_default {
                ("pass", pass_raw, format!("must be at least `{key}.warn`, which is `{warn}`"))
            } else {
                ("warn", warn_raw, format!("must be at most `{key}.pass`, which is `{pass}`"))
            };
            self.findings.value(&raw.span(), &format!("{key}.{part}"), &need, None);
        }
        Score { pass, warn }
    }

    fn gate_checks(&mut self, gate: &str, raw: &[Placed<RawGateCheck>]) -> Vec<GateCheck> {
        let mut seen: HashMap<String, Range<usize>> = HashMap::new();
        let mut checks = Vec::new();
        for (index, placed) in raw.iter().enumerate() {
            let raw = placed.value();
            let is_taken = |name: &str| seen.contains_key(name);
            let label = label(&format!("{gate}.check"), index, raw.name.as_ref(), is_taken);
            let name_key = format!("{label}.name");
            let name = raw.name.as_ref().map(|name| self.title(&name_key, name));
            if let (Some(name), Some(at)) = (&name, &raw.name) {
                match seen.get(name) {
                    Some(first) => self.taken(&at.span(), &name_key, first),
                    None => drop(seen.insert(name.clone(), at.span())),
                }
            }
            let kind = self.check_kind(&label, placed);
            let runbook = raw.runbook.as_ref();
            let runbook = runbook.map(|runbook| self.runbook(&format!("{label}.runbook"), runbook));
            let (Some(name), Some(kind)) = (name, kind) else { continue };
            let is_set =
                |answer: &Option<Placed<bool>>| answer.as_ref().is_some_and(|a| *a.value());
            checks.push(GateCheck {
                name,
                kind,
                weight: raw.weight.as_ref().map_or(1.0, |weight| *weight.value()),
                min_samples: number(raw.min_samples.as_ref()),
                is_critical: is_set(&raw.critical),
                is_shadow: is_set(&raw.shadow),
                runbook,
            });
        }
        checks
    }

    /// `None` stands for what is wrong; every key is looked at, also one that has no use.
    fn check_kind(&mut self, label: &str, placed: &Placed<RawGateCheck>) -> Option<GateCheckKind> {
        let raw = placed.value();
        let key = |part: &str| format!("{label}.{part}");
        let filter = self.expr(&key("where"), raw.filter.as_ref());
        let bad = self.expr(&key("bad"), raw.bad.as_ref());
        let expr = self.expr(&key("expr"), raw.expr.as_ref());
        let value = raw.value.as_ref().and_then(|value| self.field(&key("value"), value));
        let max_age = raw.max_age.as_ref();
        let max_age = max_age.map(|age| self.length(&key("max_age"), Some(age), MAX_AGE));
        let kind = *raw.kind.as_ref()?.value();
        self.only_useful(label, kind, raw);
        self.all_needed(label, kind, placed);
        let direction = raw.direction.as_ref().map(|word| *word.value());
        let usually_more = direction.unwrap_or(ChangeDirection::Increase);
        let effect = self.effect(&key("min_effect"), kind, raw.min_effect.as_ref());
        Some(match kind {
            CheckKind::Shift => GateCheckKind::Shift {
                value: value?,
                filter,
                direction: usually_more,
                min_effect: effect,
            },
            CheckKind::Proportion => GateCheckKind::Proportion {
                bad: bad?,
                filter,
                direction: usually_more,
                min_effect_points: ratio(effect),
            },
            CheckKind::Count => GateCheckKind::Count {
                filter,
                direction: direction?,
                min_effect_ratio: ratio(effect),
            },
            CheckKind::Freshness => GateCheckKind::Freshness { filter, max_age: max_age? },
            CheckKind::Rule => GateCheckKind::Rule { expr: expr? },
        })
    }

    fn only_useful(&mut self, label: &str, kind: CheckKind, raw: &RawGateCheck) {
        let useful = own_keys(kind);
        for (name, span) in written_keys(raw) {
            let is_said = span.filter(|span| !self.is_default(span));
            let Some(span) = is_said.filter(|_| !useful.contains(&name)) else { continue };
            let message = format!("`{label}.{name}` is of no use to `{}`", kind.as_str());
            let help = match (name, kind) {
                ("where", CheckKind::Rule) => {
                    "write the filter into `expr`: `… where …`".to_owned()
                }
                _ => format!("its own keys are {}", one_of(useful)),
            };
            self.findings.report(&span, &format!("{label}.{name}"), &message, Some(help));
        }
    }

    fn all_needed(&mut self, label: &str, kind: CheckKind, placed: &Placed<RawGateCheck>) {
        let raw = placed.value();
        let (name, is_there, example) = match kind {
            CheckKind::Shift => ("value", raw.value.is_some(), "duration_ms"),
            CheckKind::Proportion => ("bad", raw.bad.is_some(), "status >= 500"),
            CheckKind::Count => ("direction", raw.direction.is_some(), "decrease"),
            CheckKind::Freshness => ("max_age", raw.max_age.is_some(), "1h"),
            CheckKind::Rule => ("expr", raw.expr.is_some(), "p95(duration) < 300ms"),
        };
        if !is_there {
            let message = format!("`{label}` needs `{name}`, its kind is `{}`", kind.as_str());
            let help = Some(format!("add `{name} = \"{example}\"`"));
            self.findings.report(&placed.span(), &format!("{label}.{name}"), &message, help);
        }
    }

    /// What stands for a wrong value is of no use.
    fn effect(
        &mut self,
        key: &str,
        kind: CheckKind,
        raw: Option<&Placed<EffectText>>,
    ) -> MinEffect {
        let usual =
            if kind == CheckKind::Proportion { MIN_EFFECT_POINTS } else { MIN_EFFECT_RATIO };
        let usual = MinEffect::Ratio(usual);
        let Some(raw) = raw else { return usual };
        let text = raw.value().as_ref();
        let read = match kind {
            CheckKind::Proportion => quantity::points(text).map(MinEffect::Ratio),
            CheckKind::Shift if !text.ends_with('%') => match quantity::length(text) {
                Ok(length) if length <= MAX_EFFECT_TIME => Ok(MinEffect::Length(length)),
                Ok(_) => Err(quantity::NoQuantity::default()),
                Err(no) => Err(no),
            },
            _ => quantity::percent(text).map(MinEffect::Ratio),
        };
        let what = match kind {
            CheckKind::Proportion => "number of points from `0pt` to `100pt`, such as `0.5pt`",
            CheckKind::Shift => "percentage such as `10%`, or a length of time up to `1h`",
            CheckKind::Count => "percentage such as `10%`",
            CheckKind::Freshness | CheckKind::Rule => return usual,
        };
        match read {
            Ok(effect) => return effect,
            Err(no) => self.no_quantity(&raw.span(), key, what, no),
        }
        usual
    }

    fn is_default(&self, span: &Range<usize>) -> bool {
        self.findings.texts().origin(span) == Origin::Default
    }
}

/// A baseline that may not say where it comes from.
struct Baseline {
    source: Option<BaselineSource>,
    window: Option<Duration>,
    exclude: Vec<CalendarKind>,
}

fn kinds(raw: Option<&[Placed<CalendarKind>]>) -> Vec<CalendarKind> {
    let mut kinds: Vec<CalendarKind> = Vec::new();
    for kind in raw.unwrap_or_default() {
        if !kinds.contains(kind.value()) {
            kinds.push(*kind.value());
        }
    }
    kinds
}

/// Zero is what a missing key comes to; the defaults leave none out.
fn number(raw: Option<&Placed<u32>>) -> u32 {
    raw.map_or(0, |number| *number.value())
}

fn ratio(effect: MinEffect) -> f64 {
    match effect {
        MinEffect::Ratio(ratio) => ratio,
        MinEffect::Length(_) => MIN_EFFECT_RATIO,
    }
}

/// The keys that a kind can use, besides those of every kind.
fn own_keys(kind: CheckKind) -> &'static [&'static str] {
    match kind {
        CheckKind::Shift => &["value", "where", "direction", "min_effect", "min_samples"],
        CheckKind::Proportion => &["bad", "where", "direction", "min_effect", "min_samples"],
        CheckKind::Count => &["where", "direction", "min_effect", "min_samples"],
        CheckKind::Freshness => &["max_age", "where"],
        CheckKind::Rule => &["expr", "min_samples"],
    }
}

/// The keys that not every kind has, and where they are said.
fn written_keys(raw: &RawGateCheck) -> [(&'static str, Option<Range<usize>>); 8] {
    fn at<T>(raw: Option<&Placed<T>>) -> Option<Range<usize>> {
        raw.map(Placed::span)
    }
    [
        ("expr", at(raw.expr.as_ref())),
        ("where", at(raw.filter.as_ref())),
        ("value", at(raw.value.as_ref())),
        ("bad", at(raw.bad.as_ref())),
        ("direction", at(raw.direction.as_ref())),
        ("min_effect", at(raw.min_effect.as_ref())),
        ("max_age", at(raw.max_age.as_ref())),
        ("min_samples", at(raw.min_samples.as_ref())),
    ]
}
