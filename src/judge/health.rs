//! Puts a health report together: view, findings, tables, data quality, method.

use super::detail::{ASSUMED_OBJECTIVE, is_overspent, route_details, route_rows, tiles};
use super::findings::{FALSE_DISCOVERY_RATE, Findings, findings};
use super::messages::template_rows;
use super::novel::look_here;
use super::view::{MAX_ASKED_WINDOWS, View, ViewError, ViewSettings};
use crate::model::{
    EventMark, Finding, InputSummary, Method, Quality, QualityNote, Report, Verdict, format_ts,
};
use crate::query::{Counted, Requests, Survey};
use crate::stats::sketch::RELATIVE_ERROR;

/// A version that is first seen this long after the data begins is a deploy; one seen earlier
/// was there before.
const FIRST_SEEN_SLACK_US: i64 = 10 * 60 * 1_000_000;
/// A deploy from a file this close to a version's first record is the same deploy.
const SAME_DEPLOY_US: i64 = 60 * 60 * 1_000_000;
/// Versions beyond which first appearances are no deploys (a request id mistaken for a version).
const MAX_DEPLOYS: usize = 60;
/// Routes beyond which ids are likely left in them.
const MANY_ROUTES: usize = 200;
/// Gaps longer than this share of the span are noted.
const GAP_SHARE: f64 = 0.05;
/// Gap notes at most.
const MAX_GAPS: usize = 3;

/// What the caller knows beside the data.
#[derive(Clone, Debug, Default)]
pub struct HealthOptions {
    /// Project or input name.
    pub project: String,
    /// IANA name of the zone.
    pub zone: String,
    /// ISO week of "now" in that zone.
    pub week: String,
    /// Now, window and width.
    pub view: ViewSettings,
    /// Deploys and calendar from files.
    pub marks: Vec<EventMark>,
    /// Inputs as named on the command line, for the commands that are advised.
    pub words: Vec<String>,
    /// Inputs with what was understood of them; counts are filled in.
    pub inputs: Vec<InputSummary>,
    /// Remarks made while reading.
    pub notes: Vec<QualityNote>,
    /// plimsoll's version.
    pub version: String,
}

/// Judges everything that was read.
///
/// The headline is left empty: sentences are made by `report`.
///
/// # Errors
/// When no event has a time.
pub fn health(
    survey: &Survey,
    requests: &Requests,
    options: HealthOptions,
) -> Result<Report, ViewError> {
    let marks = with_first_seen(options.marks, survey);
    let view = View::new(survey, requests, &marks, options.view)?;
    let names: Vec<String> = options.inputs.iter().map(|input| input.name.clone()).collect();
    let Findings { findings, coverage, has_evidence } = findings(&view, &names, &options.words);
    let routes = route_rows(&view, &findings);
    let details = route_details(&view, &routes, &names);
    let quality = quality(&view, options.inputs, options.notes);
    let report = Report {
        schema: "plimsoll.report/1".to_owned(),
        project: options.project,
        inputs: options.words,
        week: options.week,
        zone: options.zone,
        now: format_ts(view.current.end_us - 1),
        span: view.data,
        current: view.current,
        before: view.before,
        verdict: verdict(&view, &findings, &quality, has_evidence),
        headline: Vec::new(),
        coverage,
        tiles: tiles(&view, &findings),
        events: marks.iter().filter(|mark| touches(&view, mark)).cloned().collect(),
        routes,
        details,
        templates: template_rows(&view),
        look_here: look_here(&view),
        quality,
        method: method(&view, options.version),
        untrusted_text_fields: Report::UNTRUSTED_TEXT_FIELDS.map(str::to_owned).to_vec(),
        findings,
    };
    Ok(report)
}

/// The worst verdict of a finding or of the error budget. Missing data is never a pass: without
/// evidence, without a request in the current window, or with many records that could not be
/// decoded, it is inconclusive.
fn verdict(
    view: &View<'_>,
    findings: &[Finding],
    quality: &Quality,
    has_evidence: bool,
) -> Verdict {
    let worst = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Pass);
    let now = view.requests.counts(None, view.current);
    let worst = worst.max(if is_overspent(now) { Verdict::Warn } else { Verdict::Pass });
    let fell_silent = view.survey.request_count > 0 && now.n == 0;
    if has_evidence && !fell_silent && quality.is_readable() {
        worst
    } else {
        worst.max(Verdict::Inconclusive)
    }
}

fn touches(view: &View<'_>, mark: &EventMark) -> bool {
    let until_us = mark.until_us.unwrap_or(mark.at_us);
    mark.at_us < view.span.end_us && until_us >= view.span.start_us
}

/// Adds the first record of each version as a deploy, unless a file tells of it.
fn with_first_seen(mut marks: Vec<EventMark>, survey: &Survey) -> Vec<EventMark> {
    let Some((first_us, _)) = survey.span_us else { return marks };
    let versions: Vec<(&str, i64)> = survey
        .names
        .versions
        .iter()
        .filter_map(|(id, name)| Some((name, survey.version_span_us.get(id as usize)?.0)))
        .filter(|(_, seen_us)| *seen_us != i64::MAX && *seen_us > first_us + FIRST_SEEN_SLACK_US)
        .collect();
    if versions.len() <= MAX_DEPLOYS {
        for (name, at_us) in versions {
            let told = marks
                .iter()
                .any(|mark| mark.kind == "deploy" && (mark.at_us - at_us).abs() <= SAME_DEPLOY_US);
            if !told {
                marks.push(EventMark {
                    kind: "deploy".to_owned(),
                    name: name.to_owned(),
                    at_us,
                    until_us: None,
                    origin: "first seen".to_owned(),
                });
            }
        }
    }
    marks.sort_by(|a, b| a.at_us.cmp(&b.at_us).then(a.name.cmp(&b.name)));
    marks
}

fn quality(view: &View<'_>, inputs: Vec<InputSummary>, notes: Vec<QualityNote>) -> Quality {
    let mut quality = view.survey.counted(inputs);
    quality.inputs = merged(quality.inputs);
    quality.notes = notes;
    quality.notes.extend(quality_notes(view));
    quality
}

/// Inputs as listed: once the list is long, one that was understood as another is added to it. A
/// tree of documents is one line.
fn merged(inputs: Vec<InputSummary>) -> Vec<InputSummary> {
    const MAX_LISTED: usize = 20;
    let mut listed: Vec<InputSummary> = Vec::new();
    for input in inputs {
        let is_long = listed.len() >= MAX_LISTED;
        let mut known = listed.iter_mut().rev();
        let alike = known.find(|k| k.format == input.format && k.fields == input.fields);
        match alike {
            Some(known) if is_long => {
                known.bytes += input.bytes;
                known.records += input.records;
                known.rejected += input.rejected;
                known.more_files += 1 + input.more_files;
                known.sha256 = None;
            }
            _ => listed.push(input),
        }
    }
    listed
}

fn quality_notes(view: &View<'_>) -> Vec<QualityNote> {
    let survey = view.survey;
    let mut notes = Vec::new();
    let mut note = |kind: &str, text: String| {
        notes.push(QualityNote { kind: kind.to_owned(), text });
    };
    if survey.with_duration == 0 && survey.request_count > 0 {
        note("missing", "No field holds a duration: latency was not tested.".to_owned());
    }
    if survey.request_count == 0 {
        note(
            "missing",
            "No record is a request: routes and error rates were not tested.".to_owned(),
        );
    }
    if view.before.is_none() {
        note("missing", "There is no history to compare with.".to_owned());
    }
    let routes = survey.names.routes.len();
    if routes > MANY_ROUTES {
        let text = format!(
            "{routes} routes remain after ids were masked: thin groups are not tested. \
             Choose another field with --group-by."
        );
        note("thin", text);
    }
    if survey.names.routes.over_limit() > 0 {
        let text = format!(
            "{} requests came on routes beyond the first {routes} and were counted together.",
            survey.names.routes.over_limit()
        );
        note("limit", text);
    }
    if let Some(asked) = view.asked_width.filter(|asked| *asked < view.width) {
        let text = format!(
            "Windows of {} s were asked for; they are {} s wide, so that there are at most \
             {MAX_ASKED_WINDOWS} of them and none is narrower than what was counted.",
            asked.seconds(),
            view.width.seconds()
        );
        note("limit", text);
    }
    let tally = &survey.tally;
    if tally.width().seconds() > 60 {
        let text = format!(
            "There are so many kinds of events and messages that they were counted by {} s \
             instead of by the minute.",
            tally.width().seconds()
        );
        note("limit", text);
    }
    if tally.lost() > 0 {
        let text = format!("{} events and messages had no room to be counted.", tally.lost());
        note("limit", text);
    }
    for (from_us, until_us) in gaps(view) {
        let text = format!("No record between {} and {}.", format_ts(from_us), format_ts(until_us));
        note("gap", text);
    }
    notes
}

/// The longest stretches without any record.
fn gaps(view: &View<'_>) -> Vec<(i64, i64)> {
    let tally = &view.survey.tally;
    let cell_us = tally.width().micros();
    let mut cells: Vec<i64> = tally.of(Counted::Records).map(|(start_us, _)| start_us).collect();
    cells.sort_unstable();
    let least_us = ((view.data.end_us - view.data.start_us) as f64 * GAP_SHARE) as i64;
    let mut gaps: Vec<(i64, i64)> = cells
        .windows(2)
        .filter_map(|pair| match pair {
            [before, after] => Some((before + cell_us, *after)),
            _ => None,
        })
        .filter(|(from, until)| until - from > least_us.max(600_000_000))
        .collect();
    gaps.sort_by_key(|(from, until)| from - until);
    gaps.truncate(MAX_GAPS);
    gaps
}

fn method(view: &View<'_>, version: String) -> Method {
    let percentiles = if view.requests.is_exact() {
        "exact (type 7)".to_owned()
    } else {
        format!("sketch (relative error ≤ {:.2} %)", RELATIVE_ERROR * 100.0)
    };
    let notes = [
        "Percentiles: type 7, as DuckDB's quantile_cont.",
        "Latency: the clearest step or burst of the median and of the p90 by window, without the \
         daily and weekly rhythm; then the Hodges–Lehmann shift of the durations before and after, \
         98 % interval widened for autocorrelation; a change counts from 10 % on.",
        "Error rate: the clearest step or burst of failed requests; Newcombe's hybrid score \
         interval, 98 %; a change counts from 0.5 points on. Failed is 5xx, crashed, or error \
         level where there is no status.",
        "Events: the clearest stretch with more or fewer than like hours, allowing for how \
         bursty they are; a change counts from 1.5 times on.",
        "All p-values of the report are corrected together (Benjamini–Hochberg).",
    ];
    let setting = |name: &str, value: String| (name.to_owned(), value);
    Method {
        version,
        percentiles,
        window_s: view.width.seconds(),
        notes: notes.map(str::to_owned).to_vec(),
        settings: vec![
            setting("false discovery rate", format!("{FALSE_DISCOVERY_RATE}")),
            setting("objective", format!("{} % (assumed)", ASSUMED_OBJECTIVE * 100.0)),
            setting("current window", format!("{} s", view.current.len_s())),
        ],
    }
}
