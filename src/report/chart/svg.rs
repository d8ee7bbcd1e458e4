//! Shapes as inline SVG, coloured by the page's style sheet.
//!
//! Written through templates that escape all text; there is no style attribute, because the
//! page's content security policy allows none.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use super::ChartSpec;
use super::layout::{Anchor, Frame, Ink, Shape, shapes, spark_shapes};

/// A chart as two drawings of which the style sheet shows one: for desks and for phones.
///
/// `id` must be unique on the page; it ties `<title>` and `<desc>` to the drawing.
pub(crate) fn chart(spec: &ChartSpec, id: &str) -> Markup {
    let (wide, narrow) = match spec.lines.len() {
        0 | 1 => (Frame::WIDE, Frame::NARROW),
        _ => (Frame::HALF, Frame::NARROW_HALF),
    };
    html! {
        (drawing(spec, wide, "wide", &format!("{id}-w")))
        (drawing(spec, narrow, "narrow", &format!("{id}-n")))
    }
}

/// A small line beside a number that is also there as text, so it is hidden from screen readers.
pub(crate) fn spark(values: &[Option<f64>], usual: Option<[f64; 2]>, frame: Frame) -> Markup {
    let shapes = spark_shapes(values, usual, frame);
    html! {
        @if !shapes.is_empty() {
            svg.spark viewBox=(view_box(frame)) aria-hidden="true" preserveAspectRatio="none" {
                @for shape in &shapes { (markup(shape)) }
            }
        }
    }
}

fn drawing(spec: &ChartSpec, frame: Frame, class: &str, id: &str) -> Markup {
    html! {
        svg class=(class) viewBox=(view_box(frame)) role="img"
            aria-labelledby={ (id) "t " (id) "d" } {
            title id={ (id) "t" } { (spec.title) }
            desc id={ (id) "d" } { (spec.description) }
            @for shape in shapes(spec, frame) { (markup(&shape)) }
        }
    }
}

fn view_box(frame: Frame) -> String {
    format!("0 0 {} {}", frame.width, frame.height)
}

fn markup(shape: &Shape) -> Markup {
    match shape {
        Shape::Rect([left, top, width, height], ink) => html! {
            rect class=(fill(*ink)) x=(tenths(*left)) y=(tenths(*top)) width=(tenths(*width))
                height=(tenths(*height)) {}
        },
        Shape::Area(outline, ink) => html! {
            path class=(fill(*ink)) d={ (path(outline)) "z" } {}
        },
        Shape::Strokes { runs, width, dashed, ink } => {
            let dash = dashed.then_some("3 3");
            let d: String = runs.iter().map(|run| path(run).0).collect();
            html! { path class=(stroke(*ink)) stroke-width=(width) stroke-dasharray=[dash] d=(d) {} }
        }
        Shape::Text { at: (x, y), text, size: _, anchor, bold, ink } => {
            let anchor = match anchor {
                Anchor::Start => None,
                Anchor::Middle => Some("middle"),
                Anchor::End => Some("end"),
            };
            let class =
                if *bold { format!("{} b", text_class(*ink)) } else { text_class(*ink).to_owned() };
            html! { text class=(class) x=(tenths(*x)) y=(tenths(*y)) text-anchor=[anchor] { (text) } }
        }
    }
}

/// Path data with one decimal and relative steps: a third of the size of absolute positions.
fn path(points: &[(f64, f64)]) -> PreEscaped<String> {
    let tenth = |value: f64| (value * 10.0).round() as i64;
    let mut data = String::with_capacity(points.len() * 8);
    let mut last = None;
    for (x, y) in points.iter().map(|(x, y)| (tenth(*x), tenth(*y))) {
        // Writing to a String cannot fail.
        let _ = match last {
            None => write!(data, "M{} {}l", ratio(x), ratio(y)),
            Some((last_x, last_y)) => {
                let (dx, dy) = (ratio(x - last_x), ratio(y - last_y));
                let gap = if dy.starts_with('-') { "" } else { " " };
                let before = if dx.starts_with('-') || data.ends_with('l') { "" } else { " " };
                write!(data, "{before}{dx}{gap}{dy}")
            }
        };
        last = Some((x, y));
    }
    PreEscaped(data)
}

/// Tenths as a number without needless zeros: 15 → `1.5`, 5 → `.5`, 20 → `2`.
fn ratio(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    match (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10) {
        (whole, 0) => format!("{sign}{whole}"),
        (0, part) => format!("{sign}.{part}"),
        (whole, part) => format!("{sign}{whole}.{part}"),
    }
}

fn tenths(value: f64) -> String {
    ratio((value * 10.0).round() as i64)
}

fn fill(ink: Ink) -> &'static str {
    match ink {
        Ink::Usual => "fu",
        Ink::EventSpan => "fe",
        Ink::ChangeSpan => "fc",
        _ => "fl",
    }
}

fn stroke(ink: Ink) -> &'static str {
    match ink {
        Ink::Grid => "sg",
        Ink::LineSecond => "s2",
        Ink::LineFaint => "sf",
        Ink::Event => "se",
        Ink::Change => "sc",
        Ink::Muted => "sm",
        _ => "sl",
    }
}

fn text_class(ink: Ink) -> &'static str {
    match ink {
        Ink::Change => "tc",
        Ink::Event => "te",
        Ink::Text => "tt",
        _ => "tm",
    }
}

#[cfg(test)]
mod tests {
    use super::{path, ratio};

    #[test]
    fn path_data_is_short_and_does_not_drift() {
        assert_eq!(path(&[(1.0, 2.0), (2.5, 1.5), (3.04, 1.5)]).0, "M1 2l1.5-.5 .5 0");
        // Each step is the difference of rounded positions, so errors do not add up.
        let points: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i) * 0.04, 0.0)).collect();
        assert!(path(&points).0.matches(".1 0").count() == 40);
        assert_eq!(ratio(0), "0");
        assert_eq!(ratio(-5), "-.5");
    }
}
