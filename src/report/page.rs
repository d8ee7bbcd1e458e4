//! What is said, before it is laid out: the strings that all renderers share.
//!
//! Everything here went through `visible`, so it holds no control characters and is not longer
//! than its limit; each renderer still escapes it for its own format.

use crate::model::{Action, Finding, Report, RouteRow, Tile, Unit, Verdict};

use super::number;
use super::prose;
use super::visible;
use super::when::{Zone, instant_us};

/// Findings shown as open cards; the rest is folded.
pub(crate) const CARDS_MAX: usize = 5;

/// Options shown for a finding.
pub(crate) const OPTIONS_MAX: usize = 4;

/// `Action needed – intellego, week 47`.
pub(crate) fn title(report: &Report) -> String {
    let word = report.verdict.page_word();
    format!("{word} – {}, {}", visible::name(&report.project), week(&report.week))
}

/// `week 47 of 2026` is said as `week 47`; anything else as it is.
pub(crate) fn week(iso_week: &str) -> String {
    match iso_week.split_once("-W") {
        Some((_, number)) if number.parse::<u8>().is_ok() => {
            format!("week {}", number.trim_start_matches('0'))
        }
        _ => visible::name(iso_week),
    }
}

/// Which window is judged against which.
pub(crate) fn period(report: &Report) -> String {
    let zone = Zone::of(report);
    let current = zone.window(report.current);
    let compared = match report.before {
        Some(before) => format!("compared with {}", zone.window(before)),
        None => "nothing earlier to compare with".to_owned(),
    };
    format!("{current}, {compared} ({})", zone.name)
}

/// A tile in words.
pub(crate) struct TileText {
    pub(crate) name: String,
    /// The big number.
    pub(crate) value: String,
    /// `▲ from 406 ms`, empty when there is no earlier value.
    pub(crate) before: String,
    /// `usual 380–430 ms`, empty when not known.
    pub(crate) usual: String,
    pub(crate) note: String,
}

impl TileText {
    pub(crate) fn of(tile: &Tile) -> Self {
        let before = tile.before.map_or_else(String::new, |before| {
            let arrow = match tile.value {
                Some(value) if value > before => "▲ from",
                Some(value) if value < before => "▼ from",
                Some(_) => "same as before:",
                None => "before:",
            };
            format!("{arrow} {}", number::measure(before, tile.unit))
        });
        Self {
            name: visible::name(&tile.name),
            value: number::measure_or_dash(tile.value, tile.unit),
            before,
            usual: tile.usual.map_or_else(String::new, |usual| {
                format!("usual {}", number::range(usual, tile.unit))
            }),
            note: visible::sentence(&tile.note),
        }
    }
}

/// A finding in words.
pub(crate) struct Card<'a> {
    /// `F1`, safe as a fragment id.
    pub(crate) id: String,
    pub(crate) verdict: Verdict,
    pub(crate) title: String,
    /// `p95 406 → 759 ms (+87 %, likely +74 to +97 %)`.
    pub(crate) change: String,
    /// Label and text, in reading order.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Other findings that began then, as fragment ids.
    pub(crate) also_moved: Vec<String>,
    pub(crate) finding: &'a Finding,
}

impl<'a> Card<'a> {
    pub(crate) fn of(finding: &'a Finding, zone: &Zone) -> Self {
        let also_moved = finding.also_moved.iter().map(|id| fragment(id)).collect();
        Self {
            id: fragment(&finding.id),
            verdict: finding.verdict,
            title: prose::title(finding),
            change: prose::change(finding),
            facts: facts(finding, zone),
            also_moved,
            finding,
        }
    }
}

fn facts(finding: &Finding, zone: &Zone) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let local = finding.since.as_ref().and_then(|since| instant_us(&since.at));
    let since = prose::since_or_unknown(finding);
    facts.push(match local.and_then(|at_us| zone.local(at_us)) {
        Some(local) => ("When", format!("{since} · {local}")),
        None => ("When", since),
    });
    let event = finding.linked_event.as_ref();
    facts.push(("Nearest event", event.map_or_else(|| "none".to_owned(), prose::lag)));
    let why = visible::sentence(&finding.confidence_why);
    let sure = finding.confidence.as_str();
    facts.push((
        "How sure",
        if why.is_empty() { sure.to_owned() } else { format!("{sure} – {why}") },
    ));
    let change = &finding.change;
    let [before, now] = change.n.map(number::count);
    let level = if change.interval.is_some() && change.level > 0.0 {
        format!("; likely range at {}", number::measure(change.level, Unit::Ratio))
    } else {
        String::new()
    };
    facts.push(("Samples", format!("{before} before, {now} now{level}")));
    if let Some([last_week, this_week]) = change.week_over_week {
        let pair = prose::pair(last_week, this_week, change.unit);
        facts.push(("Week against week", pair));
    }
    facts
}

/// What can be done about a finding, in words.
pub(crate) struct OptionText {
    pub(crate) title: String,
    pub(crate) expected: String,
    /// `risk low · reversible · effort small`.
    pub(crate) cost: String,
    pub(crate) evidence: String,
    /// The command that shows afterwards whether it worked.
    pub(crate) verify: String,
}

impl OptionText {
    pub(crate) fn of(action: &Action) -> Self {
        let reversible = if action.reversible { "reversible" } else { "cannot be undone" };
        let cost = format!(
            "risk {} · {reversible} · effort {}",
            visible::name(&action.risk),
            visible::name(&action.effort)
        );
        Self {
            title: visible::sentence(&action.title),
            expected: visible::sentence(&action.expected),
            cost,
            evidence: visible::sentence(&action.evidence),
            verify: command(&action.verify),
        }
    }
}

/// A row of the route table in words.
pub(crate) struct RowText {
    pub(crate) route: String,
    pub(crate) anchor: String,
    pub(crate) before: String,
    pub(crate) now: String,
    pub(crate) change: String,
    pub(crate) interval: String,
    pub(crate) n: String,
    /// `0.5 % → 1.2 %`, or one value when both read the same.
    pub(crate) errors: String,
}

impl RowText {
    pub(crate) fn of(row: &RouteRow) -> Self {
        let ratios = row.error_ratio.map(|ratio| number::measure_or_dash(ratio, Unit::Ratio));
        let errors = match ratios {
            [before, now] if before == now => now,
            [before, now] => format!("{before} → {now}"),
        };
        let dash = || number::UNKNOWN.to_owned();
        Self {
            route: visible::name(&row.route),
            anchor: fragment(&row.anchor),
            before: number::measure_or_dash(row.before_ms, Unit::Ms),
            now: number::measure_or_dash(row.now_ms, Unit::Ms),
            change: row.change_pct.map_or_else(dash, number::relative),
            interval: row
                .interval_pct
                .map_or_else(dash, |interval| number::likely(interval, Unit::Ms)),
            n: number::short_count(row.n[1] as f64),
            errors,
        }
    }
}

/// Keeps a number and its unit on one line.
pub(crate) fn tied(text: &str) -> String {
    const UNITS: [&str; 23] = [
        "%", "ms", "s", "min", "h", "d", "k", "M", "G", "UTC", "per", "Jan", "Feb", "Mar", "Apr",
        "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut tied = String::with_capacity(text.len() + 16);
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        tied.push_str(word);
        let Some(next) = words.peek() else { break };
        let unit = next.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '%');
        let number = word.ends_with(|c: char| c.is_ascii_digit());
        tied.push(if number && UNITS.contains(&unit) { '\u{a0}' } else { ' ' });
    }
    tied
}

/// A fragment id: letters, digits, `-`, `_` and `.` only, so that it is safe in any attribute.
pub(crate) fn fragment(id: &str) -> String {
    let safe = |character: char| {
        if character.is_ascii_alphanumeric() || "-_.".contains(character) { character } else { '_' }
    };
    id.chars().take(visible::NAME_MAX_CHARS).map(safe).collect()
}

/// A command line for a POSIX shell, quoted where needed.
///
/// The arguments may hold log text: it is quoted, so that pasting it runs nothing else.
pub(crate) fn command(arguments: &[String]) -> String {
    let plain = |argument: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
        !argument.is_empty() && argument.chars().all(allowed)
    };
    let quoted = arguments.iter().map(|argument| {
        let argument = visible::sentence(argument);
        if plain(&argument) { argument } else { format!("'{}'", argument.replace('\'', "'\\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{command, fragment, tied, week};

    #[test]
    fn commands_are_quoted_for_a_shell() {
        let check = |arguments: &[&str], want: &str| {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            assert_eq!(command(&arguments), want);
        };
        check(&[], "");
        check(&["plimsoll", "compare", "app.jsonl"], "plimsoll compare app.jsonl");
        check(&["plimsoll", "my file"], "plimsoll 'my file'");
        check(&["a", "$(rm -rf x)", "it's"], r"a '$(rm -rf x)' 'it'\''s'");
        check(&[""], "''");
    }

    #[test]
    fn ids_and_weeks_are_plain() {
        assert_eq!(fragment("r-1f2e"), "r-1f2e");
        assert_eq!(fragment("\"><script>"), "___script_");
        assert_eq!(week("2026-W07"), "week 7");
        assert_eq!(week("soon"), "soon");
    }

    #[test]
    fn numbers_stay_with_their_units() {
        assert_eq!(tied("p95 406 → 759 ms (+87 %, x)"), "p95 406 → 759\u{a0}ms (+87\u{a0}%, x)");
        assert_eq!(tied("24 things"), "24 things");
        assert_eq!(tied(""), "");
    }
}
