//! The report as Markdown for chats, tickets and step summaries.
//!
//! Text from logs can make no markup here: no link, mention, table cell, HTML, or workflow command.

use std::fmt::Write;

use crate::model::{Finding, Report, RouteRow, Verdict};

use super::chart::thinned;
use super::number;
use super::page::{self, CARDS_MAX, Card, OPTIONS_MAX, OptionText, RowText, TileText};
use super::prose;
use super::visible;
use super::when::Zone;

/// Rows in the table of routes.
const ROUTES_MAX: usize = 20;

/// Characters of a spark line.
const SPARK_CHARS: usize = 28;

/// Remarks on the data.
const NOTES_MAX: usize = 10;

/// The report as GitHub-flavoured Markdown.
pub fn markdown(report: &Report) -> String {
    let mut page = String::new();
    push_top(&mut page, report);
    push_findings(&mut page, report);
    push_routes(&mut page, report);
    push_look_here(&mut page, report);
    push_quality(&mut page, report);
    page
}

/// Where to look, though nothing was proven.
fn push_look_here(page: &mut String, report: &Report) {
    if report.look_here.is_empty() {
        return;
    }
    page.push_str("## Look here\n\nNever like this before; no part of the verdict.\n\n");
    for moment in &report.look_here {
        let value = number::measure(moment.value, moment.unit);
        let shown = |text: &str| escape(&visible::name(text));
        let (at, metric) = (shown(&moment.at), shown(&moment.metric));
        let reason = shown(&moment.reason);
        let _ = writeln!(page, "- {at}: {metric} {value}, {reason}");
    }
    page.push('\n');
}

/// Text from logs as Markdown that shows exactly this text.
///
/// A backslash makes punctuation literal; `<`, `>` and `&` become entities. `@name`, `#12`, web
/// addresses and `::commands` are recognised after rendering, so they are broken by an entity or
/// a zero-width space.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut previous = ' ';
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '@' | '#' => {
                escaped.push(character);
                escaped.push_str("&#8203;");
            }
            ':' if previous == ':' => escaped.push_str("&#58;"),
            '/' if previous == ':' => escaped.push_str("&#8203;/"),
            '.' if previous.eq_ignore_ascii_case(&'w') => escaped.push_str("&#46;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
        previous = character;
    }
    escaped
}

/// A command as a code span that no backtick in it can end, and no `|` can split.
pub(crate) fn code(text: &str) -> String {
    let text = text.replace('`', "'").replace('|', "¦").replace("::", ": :");
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

fn push_top(page: &mut String, report: &Report) {
    let (shape, title) = (report.verdict.shape(), escape(&page::title(report)));
    push(page, &format!("# {shape} {title}\n"));
    for sentence in report.headline.iter().take(3) {
        push(page, &format!("{}\n", escape(&visible::sentence(sentence))));
    }
    let period = escape(&page::period(report));
    push(page, &format!("{} {period}.\n", prose::coverage(report.coverage)));
    if report.tiles.is_empty() {
        return;
    }
    push(page, "| | now | before | usual | |\n|:---|---:|:---|:---|:---|");
    for tile in &report.tiles {
        let text = TileText::of(tile);
        let cells = [text.name, text.value, text.before, text.usual, text.note].map(|c| escape(&c));
        push(page, &format!("| {} |", cells.join(" | ")));
    }
    page.push('\n');
}

fn push_findings(page: &mut String, report: &Report) {
    push(page, "## What changed\n");
    if report.findings.is_empty() {
        push(page, "No finding.\n");
        return;
    }
    let zone = Zone::of(report);
    for finding in report.findings.iter().take(CARDS_MAX) {
        push_finding(page, finding, &zone);
    }
    let beyond = report.findings.iter().skip(CARDS_MAX);
    for finding in beyond.clone().take(ROUTES_MAX) {
        let card = Card::of(finding, &zone);
        let (shape, title, change) =
            (card.verdict.shape(), escape(&card.title), escape(&card.change));
        push(page, &format!("- {shape} **{}** {title}: {change}", card.id));
    }
    if beyond.count() > 0 {
        page.push('\n');
    }
}

fn push_finding(page: &mut String, finding: &Finding, zone: &Zone) {
    let card = Card::of(finding, zone);
    let (shape, word) = (card.verdict.shape(), card.verdict.page_word());
    push(page, &format!("### {shape} {}: {} ({word})\n", card.id, escape(&card.title)));
    push(page, &format!("**{}**\n", escape(&card.change)));
    let spark = spark(&finding.series.values);
    if !spark.is_empty() {
        push(page, &format!("{}\n", code(&spark)));
    }
    for (label, text) in &card.facts {
        push(page, &format!("- {label}: {}", escape(text)));
    }
    if !card.also_moved.is_empty() {
        push(page, &format!("- Began then too: {}", card.also_moved.join(", ")));
    }
    page.push('\n');
    if finding.options.is_empty() {
        return;
    }
    push(page, "What you can do:\n");
    for (index, action) in finding.options.iter().take(OPTIONS_MAX).enumerate() {
        let option = OptionText::of(action);
        let parts = [&option.expected, &option.cost, &option.evidence];
        let said: Vec<String> =
            parts.into_iter().filter(|part| !part.is_empty()).map(|part| escape(part)).collect();
        let (title, said) = (escape(&option.title), said.join("; "));
        push(page, &format!("{}. **{title}** – {said}", index + 1));
        if !option.verify.is_empty() {
            push(page, &format!("   Check: {}", code(&option.verify)));
        }
    }
    page.push('\n');
}

fn push_routes(page: &mut String, report: &Report) {
    let moved = report.routes.iter().filter(|row| row.verdict != Verdict::Pass);
    let same_count = report.routes.iter().filter(|row| row.verdict == Verdict::Pass).count();
    if report.routes.is_empty() {
        return;
    }
    push(page, "## Routes\n");
    if moved.clone().next().is_some() {
        push(page, "| verdict | route | p95 before | now | change | likely | trend | n | failed |");
        push(page, "|:---|:---|---:|---:|---:|---:|:---|---:|---:|");
        for row in moved.clone().take(ROUTES_MAX) {
            push(page, &route_line(row));
        }
        page.push('\n');
    }
    let beyond = moved.count().saturating_sub(ROUTES_MAX);
    if beyond > 0 {
        push(page, &format!("{beyond} more changed or cannot be told.\n"));
    }
    if let Some(same) = prose::unchanged_routes(same_count) {
        push(page, &format!("{same}\n"));
    }
}

fn route_line(row: &RouteRow) -> String {
    let text = RowText::of(row);
    let verdict = format!("{} {}", row.verdict.shape(), row.verdict.page_word());
    let now = if row.thin { format!("{} (few)", text.now) } else { text.now };
    let cells = [text.route, text.before, now, text.change, text.interval];
    let [route, before, now, change, interval] = cells.map(|cell| escape(&cell));
    let (trend, n, errors) = (spark(&row.sparkline.values), text.n, text.errors);
    format!(
        "| {verdict} | {route} | {before} | {now} | {change} | {interval} | {trend} | {n} | {errors} |"
    )
}

fn push_quality(page: &mut String, report: &Report) {
    let quality = &report.quality;
    push(page, "## Data quality\n");
    push(
        page,
        &format!(
            "{} records read, {} rejected, {} without a time, {} out of order.\n",
            number::count(quality.records),
            number::count(quality.rejected),
            number::count(quality.no_time),
            number::count(quality.out_of_order)
        ),
    );
    for note in quality.notes.iter().take(NOTES_MAX) {
        let (kind, text) =
            (escape(&visible::name(&note.kind)), escape(&visible::sentence(&note.text)));
        push(page, &format!("- {kind}: {text}"));
    }
    let version = escape(&visible::name(&report.method.version));
    push(page, &format!("\nplimsoll {version}; all numbers are in `report.json`."));
}

fn push(page: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{line}");
}

/// Values as bars of eight heights from zero; an unknown value is a space.
pub(crate) fn spark(values: &[Option<f64>]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (_, values) = thinned(values, SPARK_CHARS);
    let highest = values.iter().flatten().copied().fold(0.0, f64::max);
    let bar = |value: &f64| {
        let share = if highest > 0.0 { value / highest } else { 0.0 };
        BARS.get((share * 7.0).round() as usize).copied().unwrap_or('▁')
    };
    let spark: String = values.iter().map(|value| value.as_ref().map_or(' ', bar)).collect();
    spark.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{code, escape, spark};

    #[test]
    fn markdown_from_logs_is_literal() {
        let check = |text: &str, want: &str| assert_eq!(escape(text), want);
        check("/api/search", "/api/search");
        check("a|b\nc", "a\\|b c"); // a table cell stays one cell
        check("**bold** `code`", "\\*\\*bold\\*\\* \\`code\\`");
        check("[x](http://evil)", "\\[x\\](http:&#8203;//evil)");
        check("<img onerror=x>", "&lt;img onerror=x&gt;");
        check("&#64;", "&amp;#&#8203;64;");
        check("@team", "@&#8203;team"); // no mention
        check("::error::x", ":&#58;error:&#58;x"); // no workflow command
        check("www.evil.example", "www&#46;evil.example"); // no link without a scheme
    }

    #[test]
    fn code_spans_cannot_be_left() {
        assert_eq!(code("a `b` | c"), "`a 'b' ¦ c`");
        assert_eq!(code(""), "");
    }

    #[test]
    fn sparks_show_the_shape() {
        assert_eq!(spark(&[]), "");
        assert_eq!(spark(&[Some(0.0), Some(0.0)]), "▁▁");
        assert_eq!(spark(&[Some(1.0), None, Some(8.0)]), "▂ █");
        assert_eq!(spark(&[Some(-1.0), Some(f64::NAN)]), "▁"); // no number has no height
    }
}
