//! Sentences, made from tested findings only.
//!
//! Each sentence carries its numbers with unit, likely range and time. Nothing here says
//! "unchanged" of a thing that was not tested, or "because" of an event that was merely near.

use crate::model::{Coverage, Finding, FindingKind, Group, LinkedEvent, Report, Unit, Verdict};

use super::number;
use super::page;
use super::visible;
use super::when::{Zone, instant_us};

/// Most sentences in a headline.
const HEADLINE_MAX: usize = 3;

/// At most three sentences that say whether it is healthy and, if not, what broke, how much,
/// since when, near which deploy, and how sure that is.
pub fn headline(report: &Report) -> Vec<String> {
    let moved: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.verdict >= Verdict::Warn).collect();
    let Some((first, rest)) = moved.split_first() else { return quiet_headline(report) };
    let mut sentences = vec![full_sentence(first)];
    if rest.len() < HEADLINE_MAX {
        sentences.extend(rest.iter().map(|finding| short_sentence(finding, first)));
    } else if let Some((second, others)) = rest.split_first() {
        sentences.push(short_sentence(second, first));
        let ids: Vec<&str> = others.iter().map(|finding| finding.id.as_str()).collect();
        sentences.push(format!("{} more findings: {}.", others.len(), id_list(&ids)));
    }
    sentences
}

/// The picture in words, for those who do not see it.
pub fn alt_text(report: &Report) -> String {
    let mut lines = vec![format!("{}.", page::title(report))];
    lines.extend(report.headline.iter().map(|text| visible::sentence(text)));
    lines.push(coverage(report.coverage));
    lines.extend(report.tiles.iter().map(|tile| {
        let tile = page::TileText::of(tile);
        let parts = [tile.value, tile.before, tile.usual, tile.note];
        let said: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}: {}.", tile.name, said.join("; "))
    }));
    lines.extend(report.findings.iter().map(|finding| {
        let id = visible::name(&finding.id);
        format!("{id}: {}: {}, {}.", title(finding), change(finding), since_or_unknown(finding))
    }));
    lines.join("\n") + "\n"
}

/// How much was tested and how it came out.
pub(crate) fn coverage(coverage: Coverage) -> String {
    if coverage.tested == 0 {
        return "Nothing could be tested.".to_owned();
    }
    let things = if coverage.tested == 1 { "thing" } else { "things" };
    let mut parts = vec![
        format!("{} changed", number::count(coverage.changed.into())),
        format!("{} unchanged", number::count(coverage.unchanged.into())),
    ];
    if coverage.inconclusive > 0 {
        parts.push(format!("{} can't tell", number::count(coverage.inconclusive.into())));
    }
    format!("{} {things} tested: {}.", number::count(coverage.tested.into()), parts.join(", "))
}

/// How many routes stayed as they were; nothing where none did, which may mean that none could be
/// told.
pub(crate) fn unchanged_routes(count: usize) -> Option<String> {
    let routes = if count == 1 { "route" } else { "routes" };
    (count > 0).then(|| format!("{count} {routes} without a change beyond the tolerated size."))
}

/// What happened, without numbers: the heading of a card.
pub(crate) fn title(finding: &Finding) -> String {
    if finding.kind == FindingKind::NewMessage {
        return format!("New message {}", quoted(&finding.group));
    }
    format!("{} {}", capital(&subject(finding)), verb(finding))
}

/// How much: `p95 406 → 759 ms (+87 %, likely +74 to +97 %)`.
pub(crate) fn change(finding: &Finding) -> String {
    let change = &finding.change;
    let size = format!("{}{}", measure_name(finding), from_to(finding));
    let mut remarks = Vec::new();
    if let Some(change_pct) = change.change_pct.filter(|_| change.unit != Unit::Ratio) {
        remarks.push(number::relative(change_pct));
    }
    if let Some(interval) = change.interval {
        remarks.push(format!("likely {}", number::likely(interval, change.unit)));
    }
    if remarks.is_empty() { size } else { format!("{size} ({})", remarks.join(", ")) }
}

/// Before and after with the unit once: `406 → 759 ms`.
pub(crate) fn from_to(finding: &Finding) -> String {
    let change = &finding.change;
    pair(change.before, change.after, change.unit)
}

/// Two values with the unit once where both have the same.
pub(crate) fn pair(before: f64, after: f64, unit: Unit) -> String {
    let (before, after) = (number::measure(before, unit), number::measure(after, unit));
    let same_unit = |text: &str| text.split_once(' ').map(|(_, unit)| unit.to_owned());
    match before.split_once(' ') {
        Some((value, unit)) if same_unit(&after).as_deref() == Some(unit) => {
            format!("{value} → {after}")
        }
        _ => format!("{before} → {after}"),
    }
}

/// The measure's short name with a space behind it, or nothing where the numbers speak.
pub(crate) fn measure_name(finding: &Finding) -> String {
    let name = finding.metric.split('(').next().unwrap_or_default();
    match finding.kind {
        FindingKind::Latency if !name.is_empty() => format!("{} ", visible::name(name)),
        _ => String::new(),
    }
}

/// Since when, with the interval of the instant.
pub(crate) fn since_or_unknown(finding: &Finding) -> String {
    since(finding).unwrap_or_else(|| "beginning not known".to_owned())
}

/// How far a change began from a known event: `3 min after deploy v1.42.0`, `during exam finals`.
pub(crate) fn lag(event: &LinkedEvent) -> String {
    let name = format!("{} {}", visible::name(&event.kind), visible::name(&event.name));
    match event.lag_s {
        _ if event.is_during => format!("during {name}"),
        lag_s if lag_s.abs() < 60.0 => format!("within a minute of {name}"),
        lag_s if lag_s > 0.0 => format!("{} after {name}", number::span(lag_s)),
        lag_s => format!("{} before {name}", number::span(lag_s)),
    }
}

/// What a finding is about: `GET /api/search`, `auth.failure events`, `all requests together`.
pub(crate) fn group_name(group: &Group) -> String {
    let value = |key: &str| group.get(key).map(|text| visible::name(text));
    let mut parts = Vec::new();
    match (value("method"), value("route")) {
        (Some(method), Some(route)) => parts.push(format!("{method} {route}")),
        (None, Some(route)) => parts.push(route),
        (Some(method), None) => parts.push(format!("{method} requests")),
        (None, None) => {}
    }
    parts.extend(value("event").map(|event| format!("{event} events")));
    let known = ["method", "route", "event"];
    let others = group.iter().filter(|(key, _)| !known.contains(&key.as_str()));
    parts.extend(
        others.map(|(key, text)| format!("{} {}", visible::name(key), visible::name(text))),
    );
    parts.join(", ")
}

fn quiet_headline(report: &Report) -> Vec<String> {
    let Coverage { tested, changed, unchanged, .. } = report.coverage;
    let mut sentences = match report.verdict {
        Verdict::Pass => {
            let tests = if unchanged == 1 { "test" } else { "tests" };
            vec![format!("No change beyond the tolerated size in {unchanged} {tests}.")]
        }
        Verdict::Inconclusive => vec![why_inconclusive(report)],
        Verdict::Warn | Verdict::Fail => vec![match overspent(report) {
            Some(sentence) => sentence,
            None => format!("{changed} of {tested} tests found a change; see the tables below."),
        }],
    };
    if report.before.is_none() {
        sentences.push("There is no earlier window to compare with.".to_owned());
    }
    if let Some(better) = report.findings.iter().find(|finding| finding.verdict == Verdict::Pass) {
        sentences.push(format!("{}: {}.", title(better), change(better)));
    }
    sentences
}

fn why_inconclusive(report: &Report) -> String {
    let Coverage { tested, inconclusive, .. } = report.coverage;
    let quality = &report.quality;
    let requests_now = report.tiles.first().and_then(|tile| tile.value);
    if !quality.is_readable() {
        let [rejected, records] = [quality.rejected, quality.records].map(number::count);
        return format!(
            "{rejected} of {records} records could not be decoded: too many to say whether it is \
             healthy."
        );
    }
    if quality.requests > 0 && requests_now == Some(0.0) {
        return "No request in the current window: it fell silent, or the end asked for is not \
                that of the data."
            .to_owned();
    }
    if tested == 0 {
        return "Too little data to test anything.".to_owned();
    }
    format!(
        "Too little data to say whether it is healthy: {inconclusive} of {tested} tests had too \
         few samples."
    )
}

/// Failures beyond the error budget, where no test found when they began.
fn overspent(report: &Report) -> Option<String> {
    let tile = |name: &str| report.tiles.iter().find(|tile| tile.name == name);
    let budget = tile("Error budget left").filter(|tile| tile.verdict >= Verdict::Warn)?;
    let rate = tile("Error rate")?;
    Some(format!(
        "{} of requests failed, more than the error budget allows ({}); no test found when that \
         began.",
        number::measure(rate.value?, rate.unit),
        budget.note
    ))
}

fn full_sentence(finding: &Finding) -> String {
    let when = since(finding).map_or_else(String::new, |since| format!(" {since}"));
    let near = finding.linked_event.as_ref();
    let near = near.map_or_else(String::new, |event| format!(", {}", lag(event)));
    let (what, size) = (title(finding), change(finding));
    format!("{what}: {size}{when}{near}; confidence {}.", finding.confidence.as_str())
}

fn short_sentence(finding: &Finding, first: &Finding) -> String {
    let what = format!("{}: {}{}", title(finding), measure_name(finding), from_to(finding));
    if first.also_moved.contains(&finding.id) || finding.also_moved.contains(&first.id) {
        return format!("{what}, from the same time on.");
    }
    match finding.since.as_ref().and_then(|since| instant_us(&since.at)) {
        Some(at_us) => format!("{what} since {}.", Zone::utc(at_us)),
        None => format!("{what}."),
    }
}

fn since(finding: &Finding) -> Option<String> {
    let since = finding.since.as_ref()?;
    let at_us = instant_us(&since.at)?;
    let bounds = match (instant_us(&since.earliest), instant_us(&since.latest)) {
        (Some(earliest), Some(latest)) if earliest < latest => between(earliest, latest),
        _ => String::new(),
    };
    match finding.until.as_deref().and_then(instant_us) {
        Some(until_us) => {
            Some(format!("from {}{bounds} to {}", Zone::utc(at_us), Zone::utc(until_us)))
        }
        None => Some(format!("since {}{bounds}", Zone::utc(at_us))),
    }
}

/// Clock times only when both ends lie on the same day.
pub(crate) fn between(earliest_us: i64, latest_us: i64) -> String {
    const DAY_US: i64 = 86_400_000_000;
    if earliest_us.div_euclid(DAY_US) == latest_us.div_euclid(DAY_US) {
        return format!(" ({}–{})", Zone::utc_clock(earliest_us), Zone::utc_clock(latest_us));
    }
    format!(" ({} – {})", Zone::utc(earliest_us), Zone::utc(latest_us))
}

fn subject(finding: &Finding) -> String {
    match (finding.kind, group_name(&finding.group)) {
        (FindingKind::Latency | FindingKind::ErrorRate, name) if name.is_empty() => {
            "all requests together".to_owned()
        }
        (_, name) if name.is_empty() => "all events together".to_owned(),
        (_, name) => name,
    }
}

fn verb(finding: &Finding) -> &'static str {
    let rose = finding.change.after > finding.change.before;
    match (finding.kind, rose) {
        (FindingKind::Latency, true) => "became slower",
        (FindingKind::Latency, false) => "became faster",
        (FindingKind::ErrorRate, true) => "failed more often",
        (FindingKind::ErrorRate, false) => "failed less often",
        (FindingKind::EventRise | FindingKind::NewMessage, _) => "came more often than usual",
        (FindingKind::EventDrop, _) => "came less often than usual",
    }
}

/// The message of a new-message finding in quotation marks.
fn quoted(group: &Group) -> String {
    let message = group.get("template").or_else(|| group.get("message"));
    match message {
        Some(message) => format!("“{}”", visible::name(message)),
        None => group_name(group),
    }
}

/// Routes and event names keep their case; only our own words get a capital.
fn capital(text: &str) -> String {
    text.strip_prefix("all ").map_or_else(|| text.to_owned(), |rest| format!("All {rest}"))
}

/// `F3, F4, F5`, or `F3–F9` when there are many.
fn id_list(ids: &[&str]) -> String {
    match ids {
        [first, .., last] if ids.len() > 4 => {
            format!("{}–{}", visible::name(first), visible::name(last))
        }
        _ => ids.iter().map(|id| visible::name(id)).collect::<Vec<_>>().join(", "),
    }
}
