//! Chart specifications from the parts of a report.

use crate::model::{
    EventMark, Finding, Report, RouteDetail, Series, Tile, Unit, Verdict, Window, WindowCell,
};

use super::super::number;
use super::super::prose;
use super::super::visible;
use super::super::when::{Zone, instant_us};
use super::scale;
use super::{ChangeLine, ChartSpec, EventLine, Ink, Line};

/// Takes one percentile out of a window.
type Pick = fn(&WindowCell) -> Option<f64>;

/// Most event lines on a chart.
const EVENTS_MAX: usize = 40;

/// Most windows with a usual range of their own.
const BANDS_MAX: usize = 400;

/// The chart of a finding: its measure, usual range, events, and the change.
///
/// `None` when the finding carries no values.
pub(crate) fn finding_spec(report: &Report, finding: &Finding) -> Option<ChartSpec> {
    let series = &finding.series;
    let span = series_span(series)?;
    let change = change_line(finding);
    let mut values: Vec<f64> = series.values.iter().flatten().copied().collect();
    let usual = usual_bands(series, span);
    values.extend(usual.iter().map(|(_, _, [_, high])| *high));
    let drawn: Vec<f64> = change.iter().flat_map(|line| [line.before, line.after]).collect();
    let (top, levels) = scale::axis(&values, &drawn);
    let since = prose::since_or_unknown(finding);
    let linked = finding.linked_event.as_ref().and_then(|event| instant_us(&event.at));
    let unit = finding.change.unit;
    let usual_text = series
        .usual
        .map_or_else(String::new, |usual| format!(" Usual {}.", number::range(usual, unit)));
    Some(ChartSpec {
        title: prose::title(finding),
        description: format!("{}, {since}.{usual_text}", prose::change(finding)),
        verdict: finding.verdict,
        unit,
        span,
        ticks: Zone::of(report).ticks(span),
        top,
        levels,
        usual,
        lines: vec![Line { name: String::new(), ink: Ink::Line, points: points(series) }],
        stepped: false,
        events: event_lines(&report.events, span, linked),
        change,
    })
}

/// A tile as a full chart, for the picture of a report without findings.
pub(crate) fn tile_spec(report: &Report, tile: &Tile) -> Option<ChartSpec> {
    let span = series_span(&tile.series)?;
    let usual = usual_bands(&tile.series, span);
    let mut values: Vec<f64> = tile.series.values.iter().flatten().copied().collect();
    values.extend(usual.iter().map(|(_, _, [_, high])| *high));
    let (top, levels) = scale::axis(&values, &[]);
    let name = visible::name(&tile.name);
    Some(ChartSpec {
        description: format!("{name} over the whole span."),
        title: name,
        verdict: tile.verdict,
        unit: tile.unit,
        span,
        ticks: Zone::of(report).ticks(span),
        top,
        levels,
        usual,
        lines: vec![Line { name: String::new(), ink: Ink::Line, points: points(&tile.series) }],
        stepped: false,
        events: event_lines(&report.events, span, None),
        change: None,
    })
}

/// Median, 95th and 99th percentile of one route over time.
pub(crate) fn percentile_spec(report: &Report, detail: &RouteDetail) -> Option<ChartSpec> {
    let cells = &detail.windows;
    let (first, last) = (cells.first()?, cells.last()?);
    let step_us = i64::from(report.method.window_s.max(1)) * 1_000_000;
    let span = Window { start_us: first.start_us, end_us: last.start_us.checked_add(step_us)? };
    let picks: [(&str, Ink, Pick); 3] = [
        ("p99", Ink::LineFaint, |cell| cell.p99_ms),
        ("p95", Ink::Line, |cell| cell.p95_ms),
        ("p50", Ink::LineSecond, |cell| cell.p50_ms),
    ];
    let lines: Vec<Line> = picks
        .into_iter()
        .map(|(name, ink, pick)| {
            let middle = |start_us: i64| start_us.saturating_add(step_us / 2);
            let points = cells.iter().map(|cell| (middle(cell.start_us), pick(cell))).collect();
            Line { name: name.to_owned(), ink, points }
        })
        .filter(|line: &Line| line.points.iter().any(|(_, value)| value.is_some()))
        .collect();
    if lines.is_empty() || span.end_us <= span.start_us {
        return None;
    }
    let values: Vec<f64> =
        lines.iter().flat_map(|line| &line.points).filter_map(|point| point.1).collect();
    let (top, levels) = scale::axis(&values, &[]);
    let route = visible::name(&detail.route);
    Some(ChartSpec {
        title: format!("Durations of {route} over time"),
        description: format!("Median, 95th and 99th percentile of the durations of {route}."),
        verdict: Verdict::Pass,
        unit: Unit::Ms,
        span,
        ticks: Zone::of(report).ticks(span),
        top,
        levels,
        usual: Vec::new(),
        lines,
        stepped: false,
        events: event_lines(&report.events, span, None),
        change: None,
    })
}

/// A histogram drawn as two outlines over bins of equal width: before and now.
///
/// Bins stand in for time: bin `i` lies at `i` microseconds, and its bound is the tick.
pub(crate) fn histogram_spec(detail: &RouteDetail) -> Option<ChartSpec> {
    let [before, now] = &detail.histogram;
    let bins = before.len().max(now.len());
    if bins == 0 || detail.histogram_bounds_ms.len() <= bins {
        return None;
    }
    let outline = |shares: &[f64]| -> Vec<(i64, Option<f64>)> {
        let edges = shares.iter().enumerate().flat_map(|(bin, share)| {
            let left = bin as i64 * BIN_US;
            [(left, Some(*share)), (left + BIN_US, Some(*share))]
        });
        edges.collect()
    };
    let every = bins.div_ceil(8);
    let ticks = detail.histogram_bounds_ms.iter().enumerate().step_by(every);
    let (top, levels) = scale::axis(&[before.as_slice(), now.as_slice()].concat(), &[]);
    let route = visible::name(&detail.route);
    Some(ChartSpec {
        title: format!("Durations of {route} before and now"),
        description: format!("Share of the requests of {route} by duration, before and now."),
        verdict: Verdict::Pass,
        unit: Unit::Ratio,
        span: Window { start_us: 0, end_us: bins as i64 * BIN_US },
        ticks: ticks
            .map(|(bin, bound)| super::Tick {
                at_us: bin as i64 * BIN_US,
                label: number::measure(*bound, Unit::Ms),
            })
            .collect(),
        top,
        levels,
        usual: Vec::new(),
        lines: vec![
            Line { name: "before".to_owned(), ink: Ink::LineFaint, points: outline(before) },
            Line { name: "now".to_owned(), ink: Ink::Line, points: outline(now) },
        ],
        stepped: true,
        events: Vec::new(),
        change: None,
    })
}

/// Width of a histogram bin on the axis that is otherwise time.
const BIN_US: i64 = 1_000_000;

fn series_span(series: &Series) -> Option<Window> {
    let step_us = i64::from(series.step_s) * 1_000_000;
    let len_us = step_us.checked_mul(i64::try_from(series.values.len()).ok()?)?;
    let end_us = series.start_us.checked_add(len_us)?;
    let any = series.values.iter().flatten().any(|value| value.is_finite());
    (any && len_us > 0).then_some(Window { start_us: series.start_us, end_us })
}

/// Each value stands in the middle of its window.
fn points(series: &Series) -> Vec<(i64, Option<f64>)> {
    let step_us = i64::from(series.step_s) * 1_000_000;
    let middle = series.start_us + step_us / 2;
    let at = |index: usize| middle + step_us * index as i64;
    series.values.iter().enumerate().map(|(index, value)| (at(index), *value)).collect()
}

fn usual_bands(series: &Series, span: Window) -> Vec<(i64, i64, [f64; 2])> {
    let step_us = i64::from(series.step_s) * 1_000_000;
    if let Some(windows) = &series.usual_by_window
        && windows.len() <= BANDS_MAX
    {
        let bands = windows.iter().enumerate().map(|(index, range)| {
            let from_us = series.start_us + step_us * index as i64;
            (from_us, from_us + step_us, *range)
        });
        return bands.filter(|(from_us, ..)| *from_us < span.end_us).collect();
    }
    let range = series.usual.filter(|range| range.iter().all(|end| end.is_finite()));
    range.map(|range| (span.start_us, span.end_us, range)).into_iter().collect()
}

fn event_lines(events: &[EventMark], span: Window, linked_us: Option<i64>) -> Vec<EventLine> {
    let inside = events.iter().filter(|event| {
        let until_us = event.until_us.unwrap_or(event.at_us);
        event.at_us < span.end_us && until_us >= span.start_us
    });
    let mut lines: Vec<EventLine> = inside
        .map(|event| EventLine {
            label: format!(
                "{} {}",
                visible::visible(&event.kind, 16),
                visible::visible(&event.name, 24)
            ),
            at_us: event.at_us.max(span.start_us),
            until_us: event.until_us.map(|until_us| until_us.min(span.end_us)),
            linked: linked_us == Some(event.at_us),
        })
        .collect();
    lines.sort_by_key(|line| (!line.linked, std::cmp::Reverse(line.at_us)));
    lines.truncate(EVENTS_MAX);
    lines
}

fn change_line(finding: &Finding) -> Option<ChangeLine> {
    let since = finding.since.as_ref()?;
    let at_us = instant_us(&since.at)?;
    let until_us = finding.until.as_deref().and_then(instant_us);
    // A count is told over the whole change, and drawn as its share of one window.
    let windows = match (finding.change.unit, series_span(&finding.series)) {
        (Unit::Count, Some(span)) => {
            let step_us = f64::from(finding.series.step_s) * 1e6;
            ((until_us.unwrap_or(span.end_us) - at_us) as f64 / step_us).max(1.0)
        }
        _ => 1.0,
    };
    Some(ChangeLine {
        at_us,
        earliest_us: instant_us(&since.earliest).unwrap_or(at_us).min(at_us),
        latest_us: instant_us(&since.latest).unwrap_or(at_us).max(at_us),
        until_us,
        label: Zone::utc(at_us),
        before: finding.change.before / windows,
        after: finding.change.after / windows,
    })
}
