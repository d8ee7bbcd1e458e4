//! Where things stand in the picture.

use crate::model::{Report, Tile, Verdict};

use super::super::chart::{self, Anchor, ChartSpec, Frame, Ink, Shape};
use super::super::number;
use super::super::page::{self, Card, TileText};
use super::super::prose;
use super::super::visible;
use super::super::when::Zone;
use super::SIZE;
use super::canvas::{Canvas, Face, Paint};

const MARGIN: f64 = 48.0;
const INNER: f64 = 1_104.0;
const FOOT: f64 = 36.0;

/// Findings drawn as cards.
const CARDS_MAX: usize = 3;

/// Tiles drawn.
const TILES_MAX: usize = 4;

const BACKGROUND: Paint = Paint(0xf6_f5f2, 1.0);
const CARD: Paint = Paint(0xff_ffff, 1.0);
const INK: Paint = Paint(0x1b_2026, 1.0);
const MUTED: Paint = Paint(0x58_616b, 1.0);
const RULE: Paint = Paint(0xe2_e0da, 1.0);

/// Draws the whole picture.
pub(super) fn draw(report: &Report, canvas: &mut Canvas) {
    canvas.rect([0.0, 0.0, SIZE.0, SIZE.1], BACKGROUND);
    let top = header(report, canvas);
    let top = banner(report, canvas, top);
    let top = tiles(report, canvas, top + 22.0);
    let top = heading(canvas, top + 46.0, "What changed");
    if report.findings.is_empty() {
        quiet(report, canvas, top);
    } else {
        cards(report, canvas, top);
    }
    footer(report, canvas);
}

fn header(report: &Report, canvas: &mut Canvas) -> f64 {
    let base = 50.0;
    let name = visible::visible(&report.project, 40);
    let bold = face(17.0, true, INK);
    let width = canvas.text((MARGIN, base), &name, Anchor::Start, bold);
    let rest = format!("health report, {}", page::week(&report.week));
    let quiet = face(17.0, false, MUTED);
    let rest = fitted(canvas, &rest, quiet, INNER - width - 6.0);
    canvas.text((MARGIN + width + 6.0, base), &rest, Anchor::Start, quiet);
    base + 22.0
}

fn banner(report: &Report, canvas: &mut Canvas, top: f64) -> f64 {
    let text_width = INNER - 92.0;
    let mut lines = Vec::new();
    for (index, sentence) in report.headline.iter().take(3).enumerate() {
        let face = if index == 0 { face(23.0, false, INK) } else { face(18.0, false, INK) };
        let sentence = visible::sentence(sentence);
        let gap = if index == 0 { 0.0 } else { 6.0 };
        lines.extend(
            wrapped(canvas, &sentence, face, text_width, 4)
                .into_iter()
                .enumerate()
                .map(|(line, text)| (text, face, if line == 0 { gap } else { 0.0 }, line == 0)),
        );
    }
    let tested = format!("{} {}.", prose::coverage(report.coverage), page::period(report));
    let small = face(15.0, false, MUTED);
    lines.extend(
        wrapped(canvas, &tested, small, text_width, 2)
            .into_iter()
            .enumerate()
            .map(|(line, text)| (text, small, if line == 0 { 10.0 } else { 0.0 }, false)),
    );
    let height =
        106.0 + lines.iter().map(|(_, face, gap, _)| face.size * 1.42 + gap).sum::<f64>() + 6.0;
    let (strong, soft) = verdict_paints(report.verdict);
    canvas.rounded([MARGIN, top, INNER, height], 14.0, soft);
    canvas.rect([MARGIN, top, 20.0, height], soft);
    canvas.rect([MARGIN, top, 8.0, height], strong);
    let left = MARGIN + 46.0;
    sign(canvas, report.verdict, (left + 19.0, top + 54.0), 38.0);
    let word = face(46.0, true, strong);
    canvas.text((left + 52.0, top + 71.0), report.verdict.page_word(), Anchor::Start, word);
    let mut base = top + 94.0;
    for (text, face, gap, first) in lines {
        base += face.size * 1.42 + gap;
        emphasised(canvas, (left, base - face.size * 0.3), &text, face, first);
    }
    top + height
}

fn tiles(report: &Report, canvas: &mut Canvas, top: f64) -> f64 {
    let shown = report.tiles.len().min(TILES_MAX);
    if shown == 0 {
        return top - 22.0;
    }
    let (gap, height) = (16.0, 168.0);
    let width = (INNER - gap * (TILES_MAX as f64 - 1.0)) / TILES_MAX as f64;
    for (index, tile) in report.tiles.iter().take(TILES_MAX).enumerate() {
        let left = MARGIN + index as f64 * (width + gap);
        paper(canvas, [left, top, width, height]);
        one_tile(canvas, tile, [left + 18.0, top, width - 36.0, height]);
    }
    top + height
}

fn one_tile(canvas: &mut Canvas, tile: &Tile, [left, top, width, height]: [f64; 4]) {
    let text = TileText::of(tile);
    let small = face(14.0, false, MUTED);
    let name = fitted(canvas, &text.name, small, width - 26.0);
    canvas.text((left, top + 28.0), &name, Anchor::Start, small);
    canvas.text((left, top + 64.0), &text.value, Anchor::Start, face(32.0, true, INK));
    if tile.verdict != Verdict::Pass {
        sign(canvas, tile.verdict, (left + width - 9.0, top + 23.0), 14.0);
    }
    let before = face(14.0, false, INK);
    let mut base = top + 88.0;
    for (line, face) in [(&text.before, before), (&text.usual, small), (&text.note, small)] {
        if !line.is_empty() && base < top + 112.0 {
            let line = fitted(canvas, line, face, width);
            canvas.text((left, base), &line, Anchor::Start, face);
            base += 20.0;
        }
    }
    let frame = Frame { width, height: 42.0, text_px: 0.0, points_max: 84 };
    let shapes = chart::spark_shapes(&tile.series.values, tile.series.usual, frame);
    paint(canvas, &shapes, (left, top + height - 56.0), tile.verdict);
}

fn cards(report: &Report, canvas: &mut Canvas, top: f64) {
    let zone = Zone::of(report);
    let shown = report.findings.len().min(CARDS_MAX);
    let gap = 16.0;
    let room = SIZE.1 - FOOT - 24.0 - top;
    let height = ((room - gap * (shown as f64 - 1.0)) / shown as f64).clamp(200.0, 420.0);
    for (index, finding) in report.findings.iter().take(CARDS_MAX).enumerate() {
        let at = top + index as f64 * (height + gap);
        if at + height > SIZE.1 - FOOT {
            break;
        }
        let area = [MARGIN, at, INNER, height];
        let spec = chart::finding_spec(report, finding);
        card(canvas, &Card::of(finding, &zone), spec.as_ref(), area);
    }
}

fn card(
    canvas: &mut Canvas,
    card: &Card,
    spec: Option<&ChartSpec>,
    [left, top, width, height]: [f64; 4],
) {
    paper(canvas, [left, top, width, height]);
    let (left, inner) = (left + 24.0, width - 48.0);
    let (strong, _) = verdict_paints(card.verdict);
    let badge = face(15.0, true, strong);
    let word = card.verdict.page_word();
    let word_width = canvas.text((left + inner, top + 33.0), word, Anchor::End, badge);
    sign(canvas, card.verdict, (left + inner - word_width - 15.0, top + 28.0), 13.0);
    let id = canvas.text((left, top + 34.0), &card.id, Anchor::Start, face(19.0, false, MUTED));
    let title = face(19.0, true, INK);
    let text = fitted(canvas, &card.title, title, inner - id - word_width - 60.0);
    canvas.text((left + id + 9.0, top + 34.0), &text, Anchor::Start, title);
    let line = face(16.0, false, INK);
    let size = fitted(canvas, &card.change, line, inner);
    let end = left + canvas.text((left, top + 61.0), &size, Anchor::Start, line);
    let when = prose::since_or_unknown(card.finding);
    let sure = format!("; confidence {}", card.finding.confidence.as_str());
    let quiet = face(15.0, false, MUTED);
    let text = fitted(canvas, &format!("{when}{sure}"), quiet, left + inner - end - 12.0);
    canvas.text((end + 12.0, top + 61.0), &text, Anchor::Start, quiet);
    if let Some(spec) = spec {
        let frame = Frame { width: inner, height: height - 84.0, text_px: 13.0, points_max: 336 };
        paint(canvas, &chart::shapes(spec, frame), (left, top + 76.0), spec.verdict);
    }
}

/// Nothing changed: the tiles once more, large enough to see that nothing did.
fn quiet(report: &Report, canvas: &mut Canvas, top: f64) {
    let said = match report.verdict {
        Verdict::Inconclusive => "No finding, but also too little data to rule one out.".to_owned(),
        _ => format!("No finding in {} tests.", number::count(report.coverage.tested.into())),
    };
    canvas.text((MARGIN, top + 14.0), &said, Anchor::Start, face(17.0, false, MUTED));
    let specs = report.tiles.iter().take(TILES_MAX);
    let specs: Vec<ChartSpec> =
        specs.filter_map(|tile| chart::tile_spec(report, tile)).filter(has_a_line).collect();
    let (top, gap) = (top + 36.0, 16.0);
    let width = (INNER - gap) / 2.0;
    let height = ((SIZE.1 - FOOT - 24.0 - top - gap) / 2.0).min(400.0);
    for (index, spec) in specs.iter().enumerate() {
        let left = MARGIN + (index % 2) as f64 * (width + gap);
        let at = top + (index / 2) as f64 * (height + gap);
        paper(canvas, [left, at, width, height]);
        canvas.text((left + 20.0, at + 32.0), &spec.title, Anchor::Start, face(16.0, true, INK));
        let frame =
            Frame { width: width - 40.0, height: height - 62.0, text_px: 13.0, points_max: 168 };
        paint(canvas, &chart::shapes(spec, frame), (left + 20.0, at + 46.0), spec.verdict);
    }
}

fn has_a_line(spec: &ChartSpec) -> bool {
    let known = spec.lines.iter().flat_map(|line| &line.points).filter(|point| point.1.is_some());
    known.count() > 1
}

fn footer(report: &Report, canvas: &mut Canvas) {
    let base = SIZE.1 - FOOT + 8.0;
    let small = face(14.0, false, MUTED);
    let version = format!("plimsoll {}", visible::visible(&report.method.version, 20));
    canvas.text((MARGIN + INNER, base), &version, Anchor::End, small);
    let beyond = report.findings.len().saturating_sub(CARDS_MAX);
    if beyond > 0 {
        let more = format!("{beyond} more in the report");
        canvas.text((MARGIN, base), &more, Anchor::Start, small);
    }
}

fn heading(canvas: &mut Canvas, base: f64, text: &str) -> f64 {
    canvas.text((MARGIN, base), text, Anchor::Start, face(23.0, true, INK));
    base + 18.0
}

/// A white card with a thin border.
fn paper(canvas: &mut Canvas, [left, top, width, height]: [f64; 4]) {
    canvas.rounded([left, top, width, height], 12.0, RULE);
    canvas.rounded([left + 1.0, top + 1.0, width - 2.0, height - 2.0], 11.0, CARD);
}

/// Paints chart shapes at a place.
fn paint(canvas: &mut Canvas, shapes: &[Shape], (left, top): (f64, f64), verdict: Verdict) {
    let moved = |(x, y): &(f64, f64)| (x + left, y + top);
    for shape in shapes {
        match shape {
            Shape::Rect([x, y, width, height], ink) => {
                canvas.rect([x + left, y + top, *width, *height], ink_paint(*ink, verdict));
            }
            Shape::Area(outline, ink) => {
                let outline: Vec<(f64, f64)> = outline.iter().map(moved).collect();
                canvas.polygon(&outline, ink_paint(*ink, verdict));
            }
            Shape::Strokes { runs, width, dashed, ink } => {
                let runs: Vec<Vec<(f64, f64)>> =
                    runs.iter().map(|run| run.iter().map(moved).collect()).collect();
                canvas.strokes(&runs, *width, *dashed, ink_paint(*ink, verdict));
            }
            Shape::Text { at, text, size, anchor, bold, ink } => {
                let face = face(*size, *bold, ink_paint(*ink, verdict));
                canvas.text(moved(at), text, *anchor, face);
            }
        }
    }
}

/// The colours of the page's light theme.
fn ink_paint(ink: Ink, verdict: Verdict) -> Paint {
    let (strong, _) = verdict_paints(verdict);
    match ink {
        Ink::Grid => RULE,
        Ink::Usual => Paint(0xdf_e8f0, 1.0),
        Ink::Line => Paint(0x28_507d, 1.0),
        Ink::LineSecond => Paint(0x2b_7a66, 1.0),
        Ink::LineFaint => Paint(0x8b_95a0, 1.0),
        Ink::Event => Paint(0x64_50a0, 1.0),
        Ink::EventSpan => Paint(0x64_50a0, 0.1),
        Ink::Change => strong,
        Ink::ChangeSpan => Paint(strong.0, 0.2),
        Ink::Muted => MUTED,
        Ink::Text => INK,
    }
}

/// Strong and soft colour of a verdict.
fn verdict_paints(verdict: Verdict) -> (Paint, Paint) {
    let (strong, soft) = match verdict {
        Verdict::Pass => (0x1b_6e43, 0xe9_f4ed),
        Verdict::Inconclusive => (0x4a_5562, 0xed_eff1),
        Verdict::Warn => (0x7d_5200, 0xfd_f3dd),
        Verdict::Fail => (0xb3_261e, 0xfc_ecea),
    };
    (Paint(strong, 1.0), Paint(soft, 1.0))
}

/// The shape of a verdict around a middle: check mark, diamond, triangle, cross.
fn sign(canvas: &mut Canvas, verdict: Verdict, (x, y): (f64, f64), size: f64) {
    let (strong, _) = verdict_paints(verdict);
    let at = |dx: f64, dy: f64| (x + dx * size, y + dy * size);
    match verdict {
        Verdict::Pass => {
            let mark = vec![at(-0.42, 0.04), at(-0.14, 0.32), at(0.42, -0.34)];
            canvas.strokes(&[mark], size * 0.17, false, strong);
        }
        Verdict::Inconclusive => {
            canvas.polygon(&[at(0.0, -0.46), at(0.46, 0.0), at(0.0, 0.46), at(-0.46, 0.0)], strong);
        }
        Verdict::Warn => {
            canvas.polygon(&[at(0.0, -0.44), at(0.48, 0.4), at(-0.48, 0.4)], strong);
        }
        Verdict::Fail => {
            let falling = vec![at(-0.36, -0.36), at(0.36, 0.36)];
            let rising = vec![at(-0.36, 0.36), at(0.36, -0.36)];
            canvas.strokes(&[falling, rising], size * 0.2, false, strong);
        }
    }
}

fn face(size: f64, bold: bool, paint: Paint) -> Face {
    Face { size, bold, paint }
}

/// A line whose first clause, up to a colon, stands out.
fn emphasised(canvas: &mut Canvas, (x, y): (f64, f64), text: &str, face: Face, first: bool) {
    match text.split_once(": ").filter(|_| first) {
        Some((what, rest)) => {
            let width = canvas.text((x, y), what, Anchor::Start, Face { bold: true, ..face });
            canvas.text((x + width, y), &format!(": {rest}"), Anchor::Start, face);
        }
        None => {
            canvas.text((x, y), text, Anchor::Start, face);
        }
    }
}

/// Lines no wider than `width`; the last of `lines_max` ends with an ellipsis when text is left.
///
/// Measured in semibold, the wider face, because a first clause may stand out.
fn wrapped(canvas: &Canvas, text: &str, face: Face, width: f64, lines_max: usize) -> Vec<String> {
    let bold = Face { bold: true, ..face };
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in page::tied(text).split(' ') {
        let grown = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        let full = lines.len() + 1 == lines_max;
        if full || line.is_empty() || canvas.width(&grown, bold) <= width {
            line = grown;
        } else {
            lines.push(fitted(canvas, &line, bold, width));
            word.clone_into(&mut line);
        }
    }
    lines.push(fitted(canvas, &line, bold, width));
    lines
}

/// Text cut with an ellipsis where it is wider than `width`.
fn fitted(canvas: &Canvas, text: &str, face: Face, width: f64) -> String {
    if canvas.width(text, face) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for character in text.chars() {
        cut.push(character);
        if canvas.width(&format!("{cut}…"), face) > width {
            cut.pop();
            break;
        }
    }
    format!("{}…", cut.trim_end())
}
