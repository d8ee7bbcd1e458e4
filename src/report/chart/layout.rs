//! A chart specification laid out as shapes in a frame of pixels.

use crate::model::Unit;

use super::super::number;
use super::{ChartSpec, thinned};

/// What a shape is drawn with; each renderer has its own colours for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Grid lines.
    Grid,
    /// The usual range.
    Usual,
    /// The measure.
    Line,
    /// A second measure.
    LineSecond,
    /// A measure in the background.
    LineFaint,
    /// Deploys and calendar events.
    Event,
    /// A calendar event that lasts.
    EventSpan,
    /// The change, in the colour of the verdict.
    Change,
    /// The interval of the change.
    ChangeSpan,
    /// Axis text.
    Muted,
    /// Text that matters.
    Text,
}

/// Side of a text that lies at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Something to draw. Positions are in pixels from the top left corner.
pub(crate) enum Shape {
    /// A filled rectangle: left, top, width, height.
    Rect([f64; 4], Ink),
    /// A filled polygon.
    Area(Vec<(f64, f64)>, Ink),
    /// Lines through points; several when values are missing in between.
    Strokes { runs: Vec<Vec<(f64, f64)>>, width: f64, dashed: bool, ink: Ink },
    /// A text on its base line.
    Text { at: (f64, f64), text: String, size: f64, anchor: Anchor, bold: bool, ink: Ink },
}

/// The size of a drawing.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Size of the text.
    pub(crate) text_px: f64,
    /// Most points of one line.
    pub(crate) points_max: usize,
}

impl Frame {
    /// Beside text on a desk; text stays above 10 px down to three quarters of the width.
    pub(crate) const WIDE: Self =
        Self { width: 700.0, height: 280.0, text_px: 12.0, points_max: 170 };
    /// On a phone, down to 320 px.
    pub(crate) const NARROW: Self =
        Self { width: 320.0, height: 220.0, text_px: 12.0, points_max: 84 };

    /// Half of a desk's width, for several lines.
    pub(crate) const HALF: Self =
        Self { width: 500.0, height: 230.0, text_px: 12.0, points_max: 84 };
    /// A phone, for several lines.
    pub(crate) const NARROW_HALF: Self = Self { points_max: 48, ..Self::NARROW };

    /// Width of a text, by the average width of a character in a sans serif face.
    fn text_width(self, text: &str) -> f64 {
        text.chars().count() as f64 * self.text_px * 0.56
    }
}

/// The part of the frame that values are drawn in.
struct Plot<'a> {
    spec: &'a ChartSpec,
    frame: Frame,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    marks: Vec<Mark>,
}

/// A vertical line with its label.
struct Mark {
    x: f64,
    label: String,
    ink: Ink,
    dashed: bool,
    width: f64,
    /// Row and side of the label; `None` when there is no room for it.
    place: Option<(usize, Anchor)>,
}

/// Rows of labels above the plot.
const LABEL_ROWS: usize = 3;

/// All shapes of a chart, back to front.
pub(crate) fn shapes(spec: &ChartSpec, frame: Frame) -> Vec<Shape> {
    let plot = Plot::new(spec, frame);
    let mut shapes = Vec::new();
    plot.push_usual(&mut shapes);
    plot.push_axes(&mut shapes);
    plot.push_marks(&mut shapes);
    plot.push_lines(&mut shapes);
    plot.push_levels(&mut shapes);
    shapes
}

/// A line without axes, with its usual range: left to right over the whole frame.
pub(crate) fn spark_shapes(
    values: &[Option<f64>],
    usual: Option<[f64; 2]>,
    frame: Frame,
) -> Vec<Shape> {
    let (_, values) = thinned(values, frame.points_max);
    if values.iter().flatten().count() < 2 {
        return Vec::new(); // one value is no trend
    }
    let known = values.iter().flatten().copied().chain(usual.into_iter().flatten());
    let (lowest, highest) = known
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if lowest > highest {
        return Vec::new();
    }
    let (pad, range) =
        (frame.height / 12.0, (highest - lowest).max(highest.abs() * 0.05).max(1e-9));
    let y = |value: f64| {
        (frame.height - pad - (value - lowest) / range * (frame.height - 2.0 * pad)).round()
    };
    let step = frame.width / values.len().max(1) as f64;
    // Whole positions keep the path data short; the frame is drawn smaller than it is.
    let x = |index: usize| (step * (index as f64 + 0.5)).round();
    let mut shapes = Vec::new();
    if let Some([low, high]) = usual.filter(|range| range.iter().all(|end| end.is_finite())) {
        let height = (y(low) - y(high)).max(1.0);
        shapes.push(Shape::Rect([0.0, y(high), frame.width, height], Ink::Usual));
    }
    let points = values.iter().enumerate().map(|(index, value)| value.map(|v| (x(index), y(v))));
    shapes.push(Shape::Strokes {
        runs: unbroken(points),
        width: 1.5,
        dashed: false,
        ink: Ink::Line,
    });
    shapes
}

impl<'a> Plot<'a> {
    fn new(spec: &'a ChartSpec, frame: Frame) -> Self {
        let tick_width = spec
            .levels
            .iter()
            .map(|level| frame.text_width(&level_label(*level, spec.unit)))
            .fold(0.0, f64::max);
        let direct_width = spec
            .direct_labels()
            .iter()
            .map(|(_, name, _)| frame.text_width(name))
            .fold(0.0, f64::max);
        let mut plot = Self {
            spec,
            frame,
            left: tick_width + 8.0,
            right: frame.width - if direct_width > 0.0 { direct_width + 10.0 } else { 6.0 },
            top: 8.0,
            bottom: frame.height - frame.text_px - 12.0,
            marks: Vec::new(),
        };
        plot.marks = plot.placed_marks();
        let rows = plot.marks.iter().filter_map(|mark| mark.place).map(|(row, _)| row + 1).max();
        plot.top += plot.row_px() * rows.unwrap_or(0) as f64;
        plot
    }

    /// Height of a row of labels.
    fn row_px(&self) -> f64 {
        self.frame.text_px + 3.0
    }

    fn x(&self, at_us: i64) -> f64 {
        let span = self.spec.span;
        let share = (at_us as f64 - span.start_us as f64)
            / (span.end_us as f64 - span.start_us as f64).max(1.0);
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// Values above the axis are drawn at its top edge.
    fn y(&self, value: f64) -> f64 {
        let share = (value / self.spec.top).clamp(0.0, 1.03);
        self.bottom - share * (self.bottom - self.top)
    }

    fn push_usual(&self, shapes: &mut Vec<Shape>) {
        let bands = &self.spec.usual;
        let finite = bands.iter().all(|(_, _, range)| range.iter().all(|end| end.is_finite()));
        let Some((_, _, [first_low, _])) = bands.first().filter(|_| finite) else { return };
        let size = bands.len().div_ceil(self.frame.points_max / 2).max(1);
        let (mut outline, mut lower) = (Vec::new(), Vec::new());
        for chunk in bands.chunks(size) {
            let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { continue };
            let Some((_, _, [low, high])) = chunk.get(chunk.len() / 2) else { continue };
            let at_us = if bands.len() > 1 {
                vec![first.0 / 2 + last.1 / 2]
            } else {
                vec![first.0, last.1]
            };
            for at_us in at_us {
                outline.push((self.x(at_us), self.y(*high)));
                lower.push((self.x(at_us), self.y(*low)));
            }
        }
        outline.extend(lower.into_iter().rev());
        shapes.push(Shape::Area(outline, Ink::Usual));
        let below = self.y(*first_low) + self.frame.text_px + 2.0;
        if below < self.bottom - 2.0 && bands.len() == 1 {
            self.push_text(shapes, (self.left + 4.0, below), "usual range", Anchor::Start);
        }
    }

    fn push_axes(&self, shapes: &mut Vec<Shape>) {
        let text_px = self.frame.text_px;
        let mut grid = Vec::new();
        for level in &self.spec.levels {
            let y = self.y(*level);
            grid.push(vec![(self.left, y), (self.right, y)]);
            let label = level_label(*level, self.spec.unit);
            self.push_text(shapes, (self.left - 6.0, y + text_px * 0.36), &label, Anchor::End);
        }
        let base = self.bottom + text_px + 6.0;
        let mut free_from = 0.0;
        for tick in &self.spec.ticks {
            let (x, half) = (self.x(tick.at_us), self.frame.text_width(&tick.label) / 2.0);
            if x - half < free_from || x + half > self.frame.width {
                continue;
            }
            free_from = x + half + 8.0;
            grid.push(vec![(x, self.bottom), (x, self.bottom + 4.0)]);
            self.push_text(shapes, (x, base), &tick.label, Anchor::Middle);
        }
        shapes.push(Shape::Strokes { runs: grid, width: 1.0, dashed: false, ink: Ink::Grid });
    }

    /// The change first, then events, each with a label in the first free row.
    fn placed_marks(&self) -> Vec<Mark> {
        let mut rows = LabelRows::default();
        let mut marks = Vec::new();
        if let Some(change) = &self.spec.change {
            let x = self.x(change.at_us);
            let labels = [format!("change {}", change.label), "change".to_owned()];
            let places = labels.map(|label| (rows.place(self, x, &label), label));
            let [long, short] = places;
            let (place, label) = if long.0.is_some() { long } else { short };
            rows.0.iter_mut().for_each(|taken| taken.push((x - 1.0, x + 1.0)));
            marks.push(Mark { x, label, ink: Ink::Change, dashed: false, width: 2.0, place });
        }
        for event in &self.spec.events {
            let x = self.x(event.at_us);
            let place = rows.place(self, x, &event.label);
            let (label, dashed) = (event.label.clone(), !event.linked);
            marks.push(Mark { x, label, ink: Ink::Event, dashed, width: 1.0, place });
        }
        marks
    }

    fn push_marks(&self, shapes: &mut Vec<Shape>) {
        let height = self.bottom - self.top;
        for event in &self.spec.events {
            if let Some(until_us) = event.until_us {
                let x = self.x(event.at_us);
                let band = [x, self.top, (self.x(until_us) - x).max(1.0), height];
                shapes.push(Shape::Rect(band, Ink::EventSpan));
            }
        }
        if let Some(change) = &self.spec.change {
            let (from, to) = (self.x(change.earliest_us), self.x(change.latest_us));
            let width = (to - from).max(3.0);
            let band = [from.min(to - width / 2.0), self.top, width, height];
            shapes.push(Shape::Rect(band, Ink::ChangeSpan));
        }
        for mark in &self.marks {
            let Mark { x, ink, dashed, width, .. } = *mark;
            let top = mark.place.map_or(self.top, |(row, _)| self.row_px() * row as f64 + 4.0);
            let runs = vec![vec![(x, top), (x, self.bottom)]];
            shapes.push(Shape::Strokes { runs, width, dashed, ink });
            let Some((row, anchor)) = mark.place else { continue };
            let shift = if anchor == Anchor::End { -4.0 } else { 4.0 };
            let at = (x + shift, self.row_px() * (row as f64 + 1.0));
            let (size, bold) = (self.frame.text_px, ink == Ink::Change);
            shapes.push(Shape::Text { at, text: mark.label.clone(), size, anchor, bold, ink });
        }
    }

    fn push_lines(&self, shapes: &mut Vec<Shape>) {
        for line in &self.spec.lines {
            let values: Vec<Option<f64>> = line.points.iter().map(|point| point.1).collect();
            let limit = if self.spec.stepped { usize::MAX } else { self.frame.points_max };
            let (size, values) = thinned(&values, limit);
            let points = line.points.chunks(size).zip(values).map(|(chunk, value)| {
                let middle = chunk.get(chunk.len() / 2)?;
                Some((self.x(middle.0), self.y(value?)))
            });
            let width = if line.ink == Ink::LineFaint { 1.2 } else { 1.8 };
            let runs = unbroken(points);
            if self.spec.stepped {
                self.push_peak_label(shapes, &line.name, line.ink, &runs);
            }
            shapes.push(Shape::Strokes { runs, width, dashed: false, ink: line.ink });
        }
    }

    /// The name of an outline beside its peak: a faint one on the left, the other on the right.
    fn push_peak_label(
        &self,
        shapes: &mut Vec<Shape>,
        name: &str,
        ink: Ink,
        runs: &[Vec<(f64, f64)>],
    ) {
        let points = runs.iter().flatten();
        let higher = |a: &&(f64, f64), b: &&(f64, f64)| b.1.total_cmp(&a.1);
        // The last of equal maxima is the right end of the highest bin, the first its left end.
        let (peak, anchor, ink, shift) = match ink {
            Ink::LineFaint => (points.rev().max_by(higher), Anchor::End, Ink::Muted, -6.0),
            _ => (points.max_by(higher), Anchor::Start, Ink::Text, 6.0),
        };
        let Some((x, y)) = peak else { return };
        let (at, size) = ((x + shift, y + 4.0), self.frame.text_px);
        shapes.push(Shape::Text { at, text: name.to_owned(), size, anchor, bold: false, ink });
    }

    /// Levels before and after the change, and names of lines, at the right edge.
    fn push_levels(&self, shapes: &mut Vec<Shape>) {
        if let Some(change) = &self.spec.change {
            let split = self.x(change.at_us);
            let end = change.until_us.map_or(self.right, |until_us| self.x(until_us));
            let level = |from: f64, to: f64, value: f64, ink| Shape::Strokes {
                runs: vec![vec![(from, self.y(value)), (to, self.y(value))]],
                width: 1.5,
                dashed: true,
                ink,
            };
            shapes.push(level(self.left, split, change.before, Ink::Muted));
            shapes.push(level(split, end, change.after, Ink::Change));
        }
        let mut labels = self.spec.direct_labels();
        labels.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut free_from = self.top - self.frame.text_px;
        for (value, text, ink) in labels {
            let base = (self.y(value) + self.frame.text_px * 0.36).max(free_from);
            free_from = base + self.frame.text_px + 2.0;
            let (at, size) = ((self.right + 6.0, base), self.frame.text_px);
            let bold = ink == Ink::Change;
            shapes.push(Shape::Text { at, text, size, anchor: Anchor::Start, bold, ink });
        }
    }

    fn push_text(&self, shapes: &mut Vec<Shape>, at: (f64, f64), text: &str, anchor: Anchor) {
        let (text, size) = (text.to_owned(), self.frame.text_px);
        shapes.push(Shape::Text { at, text, size, anchor, bold: false, ink: Ink::Muted });
    }
}

impl ChartSpec {
    /// Value, text and ink of the labels at the right edge.
    fn direct_labels(&self) -> Vec<(f64, String, Ink)> {
        if let Some(change) = &self.change {
            let word = if change.until_us.is_some() { "then" } else { "now" };
            return vec![
                (change.before, number::measure(change.before, self.unit), Ink::Muted),
                (
                    change.after,
                    format!("{} {word}", number::measure(change.after, self.unit)),
                    Ink::Change,
                ),
            ];
        }
        let named = self.lines.iter().filter(|line| !line.name.is_empty() && !self.stepped);
        let last = |line: &super::Line| line.points.iter().rev().find_map(|point| point.1);
        named
            .filter_map(|line| {
                let ink = if line.ink == Ink::LineFaint { Ink::Muted } else { Ink::Text };
                Some((last(line)?, line.name.clone(), ink))
            })
            .collect()
    }
}

/// Bold letters are this much wider than those that widths are known of, at most.
const BOLD_FACTOR: f64 = 1.12;

/// Which parts of the label rows are taken.
#[derive(Default)]
struct LabelRows([Vec<(f64, f64)>; LABEL_ROWS]);

impl LabelRows {
    /// The first row with room on the right of `x`, or else on its left.
    fn place(&mut self, plot: &Plot, x: f64, label: &str) -> Option<(usize, Anchor)> {
        let width = plot.frame.text_width(label) * BOLD_FACTOR + 8.0;
        for (row, taken) in self.0.iter_mut().enumerate() {
            let sides =
                [(Anchor::Start, (x + 2.0, x + width)), (Anchor::End, (x - width, x - 2.0))];
            for (anchor, (from, to)) in sides {
                let inside = from >= 0.0 && to <= plot.frame.width;
                let free = taken.iter().all(|(left, right)| to <= *left || from >= *right);
                if inside && free {
                    taken.push((from, to));
                    return Some((row, anchor));
                }
            }
        }
        None
    }
}

fn level_label(level: f64, unit: Unit) -> String {
    match unit {
        Unit::PerHour => number::measure(level, Unit::Count),
        unit => number::measure(level, unit),
    }
}

/// Unbroken runs of known points. A run of one point becomes a dot.
fn unbroken(points: impl Iterator<Item = Option<(f64, f64)>>) -> Vec<Vec<(f64, f64)>> {
    let mut runs = vec![Vec::new()];
    for point in points {
        match (point, runs.last_mut()) {
            (Some((x, y)), Some(run)) if x.is_finite() && y.is_finite() => run.push((x, y)),
            (_, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
            _ => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    for run in &mut runs {
        if let [(x, y)] = run.as_slice() {
            let dot_end = (x + 0.1, *y);
            run.push(dot_end);
        }
    }
    runs
}
