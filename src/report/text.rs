//! The report for a terminal: at most 80 columns, readable without colour and in plain ASCII.

use crate::model::{Finding, Report, Verdict};

use super::markdown::spark;
use super::number;
use super::page::{self, CARDS_MAX, Card, OPTIONS_MAX, OptionText, RowText, TileText};
use super::prose;
use super::visible;
use super::when::{Zone, instant_us};

/// Columns of a line. Characters count as one column each, also wide ones.
const COLUMNS: usize = 80;

/// Routes listed.
const ROUTES_MAX: usize = 10;

/// How a terminal wants it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextStyle {
    /// Colours, by ANSI escape sequences.
    pub colour: bool,
    /// ASCII only; other characters of log text become escapes.
    pub ascii: bool,
}

/// The report as lines of text, each ended by a line break.
pub fn text(report: &Report, style: TextStyle) -> String {
    let mut page = Page::new(style);
    page.top(report);
    page.findings(report);
    page.routes(report);
    page.look_here(report);
    page.quality(report);
    page.finish()
}

/// Lines as they are added.
pub(super) struct Page {
    style: TextStyle,
    lines: Vec<String>,
}

impl Page {
    pub(super) fn new(style: TextStyle) -> Self {
        Self { style, lines: Vec::new() }
    }

    /// Everything added, each line ended by a line break.
    pub(super) fn finish(self) -> String {
        self.lines.join("\n") + "\n"
    }

    fn top(&mut self, report: &Report) {
        let title = format!("{} {}", report.verdict.shape(), page::title(report));
        self.coloured("", &title, report.verdict);
        for sentence in report.headline.iter().take(3) {
            self.wrapped("  ", "  ", &visible::sentence(sentence));
        }
        let tested = prose::coverage(report.coverage);
        self.wrapped("  ", "  ", &format!("{tested} {}.", page::period(report)));
        self.blank();
        for tile in &report.tiles {
            let text = TileText::of(tile);
            let parts = [text.before, text.usual, text.note];
            let said: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let line =
                format!("{}  {:>10}  {}", padded(&text.name, 20), text.value, said.join(", "));
            self.wrapped("  ", &" ".repeat(36), &line);
        }
    }

    fn look_here(&mut self, report: &Report) {
        if report.look_here.is_empty() {
            return;
        }
        self.blank();
        self.wrapped("", "", "Look here (never like this before; no part of the verdict):");
        for moment in &report.look_here {
            let at = instant_us(&moment.at).map_or_else(|| moment.at.clone(), Zone::utc);
            let value = number::measure(moment.value, moment.unit);
            let line = format!("{}  {} {value}: {}", at, moment.metric, moment.reason);
            self.wrapped("  ", "    ", &visible::sentence(&line));
        }
    }

    fn findings(&mut self, report: &Report) {
        let zone = Zone::of(report);
        for finding in report.findings.iter().take(CARDS_MAX) {
            self.finding(finding, &zone);
        }
        let beyond = report.findings.len().saturating_sub(CARDS_MAX);
        if beyond > 0 {
            self.blank();
            self.wrapped("", "", &format!("{beyond} more findings are in the page."));
        }
    }

    fn finding(&mut self, finding: &Finding, zone: &Zone) {
        let card = Card::of(finding, zone);
        self.blank();
        let heading = format!("{} {} {}", card.verdict.shape(), card.id, card.title);
        self.coloured("", &heading, card.verdict);
        self.wrapped("  ", "  ", &card.change);
        let spark = spark(&finding.series.values);
        if !spark.is_empty() {
            self.wrapped("  ", "  ", &spark);
        }
        for (label, text) in &card.facts {
            self.labelled(label, text);
        }
        if !card.also_moved.is_empty() {
            self.labelled("Began then too", &card.also_moved.join(", "));
        }
        for (index, action) in finding.options.iter().take(OPTIONS_MAX).enumerate() {
            let option = OptionText::of(action);
            let first = if index == 0 { "Options" } else { "" };
            let said = format!("{} {} ({})", index + 1, option.title, option.cost);
            self.labelled(first, &said);
            if !option.verify.is_empty() {
                self.labelled("", &format!("  check: {}", option.verify));
            }
        }
    }

    fn routes(&mut self, report: &Report) {
        let moved = report.routes.iter().filter(|row| row.verdict != Verdict::Pass);
        let same_count = report.routes.iter().filter(|row| row.verdict == Verdict::Pass).count();
        if report.routes.is_empty() {
            return;
        }
        self.blank();
        if moved.clone().next().is_some() {
            self.wrapped("", "", &row_line(["  route", "before", "now", "change", "n", "failed"]));
        }
        for row in moved.take(ROUTES_MAX) {
            let text = RowText::of(row);
            let route = format!("{} {}", row.verdict.shape(), text.route);
            let failed = text.errors.rsplit('→').next().unwrap_or_default().trim().to_owned();
            let now = if row.thin { format!("({})", text.now) } else { text.now };
            let cells = [&route, &text.before, &now, &text.change, &text.n, &failed];
            self.coloured("", &row_line(cells.map(String::as_str)), row.verdict);
        }
        if let Some(same) = prose::unchanged_routes(same_count) {
            self.wrapped("", "", &same);
        }
    }

    fn quality(&mut self, report: &Report) {
        let quality = &report.quality;
        self.blank();
        let counts = format!(
            "read {} records, {} rejected, {} without a time",
            number::count(quality.records),
            number::count(quality.rejected),
            number::count(quality.no_time)
        );
        self.wrapped("", "  ", &counts);
        for note in quality.notes.iter().take(5) {
            let (kind, text) = (visible::name(&note.kind), visible::sentence(&note.text));
            self.wrapped("", "  ", &format!("{kind}: {text}"));
        }
    }

    pub(super) fn blank(&mut self) {
        self.lines.push(String::new());
    }

    fn labelled(&mut self, label: &str, text: &str) {
        self.wrapped(&format!("  {}  ", padded(label, 17)), &" ".repeat(21), text);
    }

    pub(super) fn wrapped(&mut self, first: &str, rest: &str, text: &str) {
        let text = self.plain(&format!("{first}{}", page::tied(text)));
        self.lines.extend(wrap(&text, rest));
    }

    pub(super) fn coloured(&mut self, indent: &str, text: &str, verdict: Verdict) {
        let text = self.plain(&format!("{indent}{text}"));
        let colour = match verdict {
            Verdict::Pass => "32",
            Verdict::Inconclusive => "36",
            Verdict::Warn => "33",
            Verdict::Fail => "31",
        };
        for line in wrap(&text, "  ") {
            let line =
                if self.style.colour { format!("\u{1b}[{colour}m{line}\u{1b}[0m") } else { line };
            self.lines.push(line);
        }
    }

    /// The same text in the characters of the style.
    fn plain(&self, text: &str) -> String {
        if self.style.ascii { text.chars().map(ascii_of).collect() } else { text.to_owned() }
    }
}

/// Lines of at most [`COLUMNS`] characters; a longer word is cut where the line ends.
fn wrap(text: &str, rest_indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut left: Vec<char> = text.chars().collect();
    while left.len() > COLUMNS {
        let body_start = left.iter().position(|c| *c != ' ').unwrap_or(0);
        let mut head = left.iter().take(COLUMNS + 1);
        let space = head.rposition(|c| *c == ' ').filter(|at| *at > body_start);
        let rest: Vec<char> = left.split_off(space.unwrap_or(COLUMNS));
        lines.push(left.iter().collect::<String>().trim_end().to_owned());
        let rest: String = rest.into_iter().collect();
        left = format!("{rest_indent}{}", rest.trim_start()).chars().collect();
    }
    lines.push(left.into_iter().collect::<String>().trim_end().to_owned());
    lines.iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

fn row_line(cells: [&str; 6]) -> String {
    let [route, before, now, change, n, failed] = cells;
    let route = padded(&visible::visible(route, 32), 32);
    format!("{route} {before:>9} {now:>9} {change:>8} {n:>8} {failed:>8}")
}

/// Text with spaces up to a width; longer text is left as it is.
fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

/// Text for a person in ASCII alone: signs become what looks like them, letters their escapes.
pub fn ascii(text: &str) -> String {
    text.chars().map(ascii_of).collect::<String>().replace('\u{a0}', " ")
}

fn ascii_of(character: char) -> String {
    let replaced = match character {
        '\n' | ' '..='~' | '\u{a0}' => return character.to_string(),
        '✔' | '▅' => "+",
        '✖' | '×' => "x",
        '◆' => "?",
        '▲' => "^",
        '▼' => "v",
        '→' => "->",
        '–' | '—' | '−' | '▃' => "-",
        '·' => ";",
        'µ' => "u",
        '…' => "...",
        '“' | '”' => "\"",
        '≤' => "<=",
        '≥' => ">=",
        '±' => "+-",
        '▁' => "_",
        '▂' => ".",
        '▄' => "=",
        '▆' => "*",
        '▇' => "%",
        '█' => "#",
        other => return other.escape_unicode().to_string(),
    };
    replaced.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{ascii_of, wrap};
    use proptest::prelude::*;

    #[test]
    fn long_lines_are_wrapped_at_words() {
        assert_eq!(wrap("", ""), [""]);
        let text = format!("{} end", "word ".repeat(16)); // 80 + " end"
        assert_eq!(wrap(&text, "  ").len(), 2);
        let long = "x".repeat(81);
        assert_eq!(wrap(&long, ""), ["x".repeat(80), "x".to_owned()]);
        assert_eq!(wrap(&"x".repeat(80), "").len(), 1); // exactly fits
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_no_word_is_lost(text in "[a-z ]{0,300}", indent in " {0,30}") {
            let lines = wrap(&text, &indent);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= 80));
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }

        #[test]
        fn ascii_is_ascii(character in any::<char>()) {
            const TIE: char = '\u{a0}'; // becomes a space when the line is wrapped
            prop_assert!(ascii_of(character).is_ascii() || character == TIE);
        }
    }
}
