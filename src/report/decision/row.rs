//! What is said of a decision and of each check, before it is laid out.
//!
//! Everything here went through `visible`, so it holds no control characters and is not longer
//! than its limit; each renderer still escapes it for its own format.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::super::number::{self, UNKNOWN};
use super::super::prose;
use super::super::visible;
use super::super::when::{Zone, instant_us};
use crate::model::{
    Answer, CheckKind, CheckResult, Decision, Evidence, LinkedEvent, OptionRow, Since, Unit,
    Verdict,
};

/// Spans shorter than this are shown with their seconds.
const SHORT_US: i64 = 5 * 60 * 1_000_000;

/// A check in words.
pub(super) struct Row<'a> {
    pub(super) check: &'a CheckResult,
    pub(super) id: String,
    /// `GET /api/search p95(duration)`.
    pub(super) subject: String,
    pub(super) actual: String,
    /// `< 300 ms`: what must hold.
    pub(super) limit: String,
    pub(super) baseline: String,
    /// `+87 %`, or the likely range of a share in points.
    pub(super) change: String,
    /// Samples in the window.
    pub(super) n: String,
    /// `GET /api/search p95(duration) 759 ms > 300 ms`: what is.
    pub(super) statement: String,
    /// `baseline 406 ms, +87 %, likely +74 to +97 %, n 1,847`.
    pub(super) evidence: String,
    /// `since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0`, or empty.
    pub(super) since: String,
    /// Why this verdict.
    pub(super) reason: String,
    /// Why it does not count, or empty.
    pub(super) remark: String,
}

/// Where a check stands.
pub(super) struct Place {
    /// Relative to the repository.
    pub(super) file: String,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
}

impl<'a> Row<'a> {
    fn of(check: &'a CheckResult) -> Self {
        let evidence = &check.evidence;
        let metric = visible::name(&evidence.metric);
        let subject = match prose::group_name(&check.group) {
            group if group.is_empty() => metric,
            group => visible::sentence(&format!("{group} {metric}")),
        };
        Self {
            check,
            id: visible::name(&check.id),
            actual: number::measure_or_dash(evidence.actual, evidence.unit),
            limit: limit(evidence),
            baseline: number::measure_or_dash(evidence.baseline, evidence.unit),
            change: change(evidence).unwrap_or_else(|| UNKNOWN.to_owned()),
            n: number::count(evidence.n[1]),
            statement: format!("{subject} {}", relation(evidence)),
            subject,
            evidence: clauses(check),
            since: since(check.since.as_ref(), check.linked_event.as_ref()),
            reason: visible::sentence(&check.reason),
            remark: remark(check),
        }
    }

    pub(super) fn shape(&self) -> &'static str {
        self.check.verdict.shape()
    }

    /// Whether it holds and nothing is to be said about it.
    pub(super) fn is_quiet(&self) -> bool {
        self.check.verdict == Verdict::Pass
    }

    /// Whether the number lies beyond the limit, which alone proves nothing.
    pub(super) fn is_beyond(&self) -> bool {
        let Evidence { actual, limit, cmp, .. } = &self.check.evidence;
        match (actual, limit, cmp.chars().next()) {
            (Some(actual), Some(limit), Some('<')) => actual > limit,
            (Some(actual), Some(limit), Some('>')) => actual < limit,
            _ => false,
        }
    }

    /// The statement with its evidence, time and reason.
    pub(super) fn sentence(&self) -> String {
        let mut said = self.statement.clone();
        if !self.evidence.is_empty() {
            said = format!("{said} ({})", self.evidence);
        }
        if !self.since.is_empty() {
            said = format!("{said} {}", self.since);
        }
        for part in [&self.remark, &self.reason] {
            if !part.is_empty() {
                said = format!("{}. {part}", said.trim_end_matches('.'));
            }
        }
        said
    }

    /// Where the check stands, or else the configuration's file.
    pub(super) fn place(&self, decision: &Decision) -> Option<Place> {
        let Some(file) = &self.check.file else {
            let file = visible::sentence(&decision.config.as_ref()?.file);
            return Some(Place { file, line: None, column: None });
        };
        let (line, column) = (self.check.line, self.check.column);
        let from_one = |number: Option<u32>| number.filter(|number| *number > 0);
        Some(Place {
            file: visible::sentence(file),
            line: from_one(line),
            column: from_one(column).filter(|_| from_one(line).is_some()),
        })
    }

    /// Hex digits that stay the same as long as the check and its group do.
    pub(super) fn fingerprint(&self, decision: &Decision) -> String {
        let gate = decision.gate.as_deref().unwrap_or_default();
        let named = [gate, self.check.kind.as_str(), &self.check.id];
        let group = self.check.group.iter().flat_map(|(key, value)| [key.as_str(), value]);
        let mut hash = Sha256::new();
        for part in named.into_iter().chain(group) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hex(&hash.finalize(), 16)
    }
}

/// The checks in words, worst first; what does not count stands behind what does.
pub(super) fn rows(decision: &Decision) -> Vec<Row<'_>> {
    let mut checks: Vec<&CheckResult> = decision.checks.iter().collect();
    checks.sort_by(|left, right| worst_first(left, right));
    checks.into_iter().map(Row::of).collect()
}

fn worst_first(left: &CheckResult, right: &CheckResult) -> Ordering {
    let key = |check: &CheckResult| {
        (check.counted().unwrap_or(Verdict::Pass), check.verdict, check.critical)
    };
    key(right).cmp(&key(left)).then(right.weight.total_cmp(&left.weight))
}

/// `plimsoll: 1 of 6 rules failed — GET /api/search p95(duration) 759 ms > 300 ms (+87 % since
/// v1.42.0)`.
pub fn headline(decision: &Decision) -> String {
    headline_of(decision, &rows(decision))
}

/// The same for rows that are known.
pub(super) fn headline_of(decision: &Decision, rows: &[Row<'_>]) -> String {
    let counted = counted(decision);
    let worst = rows.first().filter(|row| {
        row.check.counted() == Some(decision.verdict) && decision.verdict != Verdict::Pass
    });
    let Some(row) = worst else { return format!("plimsoll: {counted}") };
    let event = row.check.linked_event.as_ref();
    let since = event.map(|event| format!("since {}", visible::name(&event.name)));
    let remarks = [change(&row.check.evidence), since];
    let remarks = remarks.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let remarks = if remarks.is_empty() { remarks } else { format!(" ({remarks})") };
    // Where nothing was measured, the check is all that there is to name.
    let id = if row.subject.is_empty() { row.id.as_str() } else { "" };
    format!("plimsoll: {counted} — {id}{}{remarks}", row.statement)
}

/// One check in one sentence: what is, by which numbers, since when.
pub fn sentence(check: &CheckResult) -> String {
    Row::of(check).sentence()
}

/// `1 of 6 rules failed`.
fn counted(decision: &Decision) -> String {
    let coverage = decision.coverage;
    let (count, said) = match decision.verdict {
        _ if coverage.tested == 0 => return "nothing was checked".to_owned(),
        Verdict::Pass => (coverage.passed, "passed"),
        Verdict::Inconclusive => (coverage.inconclusive, "can't be told"),
        Verdict::Warn if coverage.warned == 1 => (coverage.warned, "needs a look"),
        Verdict::Warn => (coverage.warned, "need a look"),
        Verdict::Fail => (coverage.failed, "failed"),
    };
    let [count, tested] = [count, coverage.tested].map(|number| number::count(number.into()));
    let plural = if coverage.tested == 1 { "" } else { "s" };
    let excused = |is_it: fn(&CheckResult) -> bool, word: &str| {
        let excused = decision.checks.iter().filter(|check| is_excused(check) && is_it(check));
        match excused.count() {
            0 => String::new(),
            count => format!(", {} {word}", number::count(count as u64)),
        }
    };
    let accepted = excused(|check| check.accepted.is_some(), "accepted");
    let muted = excused(|check| check.accepted.is_none(), "muted");
    format!("{count} of {tested} {}{plural} {said}{accepted}{muted}", noun(decision))
}

/// Whether it counts as a pass only because somebody accepted it, or a known event mutes it.
pub(super) fn is_excused(check: &CheckResult) -> bool {
    check.counted().is_some_and(|counted| counted != check.verdict)
}

/// What the checks are, where they are all of one kind and each has one result.
pub(super) fn noun(decision: &Decision) -> &'static str {
    let all = |kind: CheckKind| decision.checks.iter().all(|check| check.kind == kind);
    let ids: BTreeSet<&str> = decision.checks.iter().map(|check| check.id.as_str()).collect();
    match () {
        () if ids.len() < decision.checks.len() => "check",
        () if all(CheckKind::Rule) => "rule",
        () if all(CheckKind::Slo) => "objective",
        () => "check",
    }
}

/// `rollback, score 83.3 of 100 (go from 90, hold from 75), confidence high`; without a score where
/// there are no bars, because rules decide by themselves.
pub(super) fn answer(decision: &Decision) -> String {
    let bars = decision.thresholds;
    let [pass, warn] = [bars.pass, bars.warn].map(number::short_count);
    let score = match decision.score {
        _ if bars.pass <= 0.0 => String::new(),
        Some(score) => format!(
            ", score {} of 100 (go from {pass}, hold from {warn})",
            number::short_count(score)
        ),
        None => format!(", no score (go from {pass}, hold from {warn})"),
    };
    let confidence = decision.confidence.as_str();
    let word = decision.decision.as_str();
    let human = match decision.decision {
        Answer::Go if !decision.needs_human => "",
        _ => ", a person must decide",
    };
    format!("{word}{score}, confidence {confidence}{human}")
}

/// What was left out, and what was probably meant otherwise.
pub(super) fn notes(decision: &Decision) -> impl Iterator<Item = String> {
    const NOTES_MAX: usize = 10;
    decision.notes.iter().take(NOTES_MAX).map(|note| visible::sentence(note))
}

/// What was judged, against what, how much was read.
pub(super) fn scope(decision: &Decision) -> String {
    let between = |from: &str, to: &str| {
        // The minutes of a short span are all the same.
        let length_us = instant_us(from).zip(instant_us(to)).map(|(from, to)| to - from);
        let is_short = length_us.is_some_and(|length_us| length_us < SHORT_US);
        let shown: fn(i64) -> String = if is_short { Zone::utc_second } else { Zone::utc };
        format!("{} – {}", instant(from, shown), instant(to, shown))
    };
    let window = between(&decision.window.from, &decision.window.to);
    let against = match &decision.baseline {
        Some(baseline) => {
            let (name, span) =
                (visible::name(&baseline.name), between(&baseline.from, &baseline.to));
            format!("against {name} ({span})")
        }
        None => "without a baseline".to_owned(),
    };
    let [records, skipped] =
        [decision.coverage.records, decision.coverage.skipped].map(number::count);
    format!("{window}, {against}; {records} records read, {skipped} skipped")
}

fn instant(rfc3339: &str, shown: fn(i64) -> String) -> String {
    instant_us(rfc3339).map_or_else(|| visible::name(rfc3339), shown)
}

fn limit(evidence: &Evidence) -> String {
    match evidence.limit {
        Some(limit) => {
            format!("{} {}", visible::name(&evidence.cmp), number::measure(limit, evidence.unit))
        }
        None => UNKNOWN.to_owned(),
    }
}

/// What is: `759 ms > 300 ms`, also where `<` was asked for.
fn relation(evidence: &Evidence) -> String {
    let actual = number::measure_or_dash(evidence.actual, evidence.unit);
    match (evidence.actual, evidence.limit) {
        (Some(value), Some(bound)) => {
            let bound_text = number::measure(bound, evidence.unit);
            let alike = actual == bound_text;
            let sign = match value.partial_cmp(&bound) {
                Some(Ordering::Less) if alike => "just below",
                Some(Ordering::Greater) if alike => "just above",
                Some(Ordering::Less) => "<",
                Some(Ordering::Equal) => "=",
                Some(Ordering::Greater) => ">",
                None => "against",
            };
            format!("{actual} {sign} {bound_text}")
        }
        (Some(_), None) => actual,
        (None, Some(_)) => format!("can't be told, must be {}", limit(evidence)),
        (None, None) => "can't be told".to_owned(),
    }
}

/// A relative change says little of a share, whose range is in points.
fn change(evidence: &Evidence) -> Option<String> {
    match evidence.change_pct {
        Some(change_pct) if evidence.unit != Unit::Ratio => Some(number::relative(change_pct)),
        _ => evidence.interval.map(|interval| likely(interval, &evidence.metric, evidence.unit)),
    }
}

/// A likely range in per cent, or in points of a share; a shift is a change already.
pub(super) fn likely(bounds: [f64; 2], metric: &str, unit: Unit) -> String {
    number::likely(bounds, if is_shift(metric) { Unit::Count } else { unit })
}

/// Whether the measure is a change of its own, so that there is no level before it.
pub(super) fn is_shift(metric: &str) -> bool {
    metric.starts_with("shift(")
}

fn clauses(check: &CheckResult) -> String {
    let evidence = &check.evidence;
    let baseline = evidence
        .baseline
        .map(|value| format!("baseline {}", number::measure(value, evidence.unit)));
    let change = evidence.change_pct.filter(|_| evidence.unit != Unit::Ratio).map(number::relative);
    let likely = evidence
        .interval
        .map(|interval| format!("likely {}", likely(interval, &evidence.metric, evidence.unit)));
    let is_told = evidence.actual.is_some() || evidence.n[1] > 0;
    let within = check.window.as_ref().and_then(|window| {
        let len_us = instant_us(&window.to)? - instant_us(&window.from)?;
        Some(format!(" in {}", number::span(len_us as f64 / 1e6)))
    });
    let within = within.unwrap_or_default();
    let n = is_told.then(|| format!("n {}{within}", number::count(evidence.n[1])));
    [baseline, change, likely, n].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0`, or what of it is
/// known.
pub(super) fn since(since: Option<&Since>, event: Option<&LinkedEvent>) -> String {
    let parts = [since.and_then(since_text), event.map(prose::lag)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn since_text(since: &Since) -> Option<String> {
    let at_us = instant_us(&since.at)?;
    let bounds = match (instant_us(&since.earliest), instant_us(&since.latest)) {
        (Some(earliest), Some(latest)) if earliest < latest => prose::between(earliest, latest),
        _ => String::new(),
    };
    Some(format!("since {}{bounds}", Zone::utc(at_us)))
}

fn remark(check: &CheckResult) -> String {
    match (&check.accepted, &check.muted) {
        _ if check.shadow => "shadow: does not count".to_owned(),
        (Some(accepted), _) => visible::sentence(&format!(
            "accepted by {} on {}: {}",
            accepted.who,
            instant(&accepted.when, Zone::utc),
            accepted.why
        )),
        (None, Some(muted)) => visible::sentence(&format!("muted: {muted}")),
        (None, None) => String::new(),
    }
}

/// What the command of an option is for: it checks afterwards, or it does what the option says.
pub(super) fn purpose(option: &OptionRow) -> &'static str {
    if option.action == "accept" { "run" } else { "check" }
}

/// A web address that can be written anywhere as it is; `None` for anything else.
pub(super) fn web_address(text: &str) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/?#=&%+:,;".contains(c);
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    (!rest.is_empty() && text.len() <= 2_000 && rest.chars().all(is_plain)).then_some(text)
}

/// The first bytes in hex.
pub(super) fn hex(bytes: &[u8], count: usize) -> String {
    bytes.iter().take(count).fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
