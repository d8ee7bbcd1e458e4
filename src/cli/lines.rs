//! `plimsoll lines`: the raw records behind a finding or a row.

use std::path::PathBuf;

use clap::Args;

use super::args::FieldArgs;
use super::error::{BAD_VALUE, Exit, Failure, UNREADABLE, USAGE};
use super::output::{self, Terminal};
use super::{reading, when};
use crate::decode::parse_duration_text;
use crate::model::{
    EventBatch, Finding, FindingKind, Label, NO_STATUS, NO_TIME, Report, Text, Wanted, one_line,
};
use crate::query::{DOCUMENTS_SUFFIX, NO_ROUTE};

/// Show the raw records behind a finding or a row of a report
///
/// `plimsoll lines F1` shows the records of finding F1 of the last report; with inputs and
/// filters it shows any records. Exit status: 0 some were found, 3 none, 4 unusable input.
#[derive(Args, Debug)]
pub(super) struct LinesArgs {
    /// A finding such as F1, or inputs
    #[arg(value_name = "FINDING | INPUT", required = true)]
    pub words: Vec<String>,
    /// Report that the finding is in
    #[arg(long, value_name = "FILE", default_value = "plimsoll-report/report.json")]
    pub report: PathBuf,
    /// Only this route
    #[arg(long)]
    pub route: Option<String>,
    /// Only this event name
    #[arg(long)]
    pub event: Option<String>,
    /// Only this status, or class such as 5xx
    #[arg(long, allow_negative_numbers = true)]
    pub status: Option<String>,
    /// Only records that took at least this long, such as 500ms
    #[arg(long, value_name = "DURATION")]
    pub slower_than: Option<String>,
    /// Only records whose text holds this
    #[arg(long, value_name = "TEXT")]
    pub contains: Option<String>,
    /// Only records from this time on
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only records before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Records shown at most; 0 shows all
    #[arg(short = 'n', long, default_value_t = 20)]
    pub limit: usize,
    /// Write control characters as they are
    #[arg(long)]
    pub raw: bool,
    /// Fields
    #[command(flatten)]
    pub fields: FieldArgs,
}

/// Which records are wanted; what is `None` does not filter.
#[derive(Debug, Default)]
struct Filter {
    route: Option<String>,
    event: Option<String>,
    template: Option<String>,
    status: Option<(i32, i32)>,
    failed: bool,
    least_ms: Option<f64>,
    contains: Option<String>,
    from_us: Option<i64>,
    until_us: Option<i64>,
}

pub(super) fn run(args: &LinesArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let (inputs, fields, mut filter) = match args.words.as_slice() {
        [word] if is_finding(word) => of_finding(word, args)?,
        words if words.iter().any(|word| is_finding(word)) => {
            return Err(Failure::new(&USAGE, "`lines` takes one finding, or inputs"));
        }
        words => (words.to_vec(), args.fields.clone(), Filter::default()),
    };
    narrow(&mut filter, args)?;
    let opened = reading::open(&inputs, &fields, terminal)?;
    let mut wanted = Wanted::default();
    for label in [Label::Route, Label::Event, Label::Template] {
        wanted.add_label(label);
    }
    wanted.add_text(Text::Body);
    let (mut found, mut written) = (0, Ok(()));
    reading::each_batch(opened, &wanted, terminal, &mut |batch| {
        let mut shown = String::new();
        for row in 0..batch.events.len {
            let body = batch.events.text(Text::Body).get(row).unwrap_or_default();
            if filter.takes(batch.events, row, body) {
                found += 1;
                if args.limit == 0 || found <= args.limit {
                    push_record(&mut shown, body, args.raw);
                }
            }
        }
        written = if args.raw { terminal.data(&shown) } else { terminal.text(&shown) };
        written.is_ok()
    })?;
    written?;
    if found == 0 {
        terminal.say("no record fits; widen the filters");
        return Ok(Exit::CannotTell);
    }
    if let Some(more) = found.checked_sub(args.limit).filter(|more| *more > 0 && args.limit > 0) {
        terminal.say(&format!("{more} more not shown: -n 0 shows all"));
    }
    Ok(Exit::Yes)
}

/// One record, one line.
fn push_record(shown: &mut String, record: &str, raw: bool) {
    if raw {
        shown.push_str(record);
    } else {
        shown.push_str(&output::visible(&one_line(record)));
    }
    shown.push('\n');
}

fn is_finding(word: &str) -> bool {
    word.strip_prefix('F').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Inputs and fields of the report that holds a finding, and what the finding is about.
fn of_finding(id: &str, args: &LinesArgs) -> Result<(Vec<String>, FieldArgs, Filter), Failure> {
    let path = args.report.display();
    let bytes = std::fs::read(&args.report).map_err(|error| {
        Failure::new(&UNREADABLE, format!("cannot read the report `{path}`: {error}"))
            .hint("run `plimsoll report` first, or name the report with --report FILE")
    })?;
    let report: Report = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(&UNREADABLE, format!("`{path}` is no plimsoll report: {error}"))
    })?;
    let Some(finding) = report.findings.iter().find(|finding| finding.id == id) else {
        let ids: Vec<&str> = report.findings.iter().map(|f| f.id.as_str()).collect();
        let hint = match ids.as_slice() {
            [] => "that report found no change; name inputs and filters instead: plimsoll lines \
                   app.log --status 5xx"
                .to_owned(),
            ids => format!("it has {}", ids.join(", ")),
        };
        return Err(Failure::new(&BAD_VALUE, format!("`{path}` has no finding {id}")).hint(hint));
    };
    if report.inputs.iter().any(|input| input == "-") {
        let message = format!("`{path}` was made of standard input, which is not kept");
        return Err(Failure::new(&BAD_VALUE, message)
            .hint("pipe it again and filter: … | plimsoll lines - --status 5xx"));
    }
    let fields = args.fields.with_settings(&report.method.settings);
    Ok((report.inputs.clone(), fields, filter_of(finding)))
}

fn filter_of(finding: &Finding) -> Filter {
    let at = |time: &str| when::instant("since", time).ok();
    Filter {
        route: finding.group.get("route").cloned(),
        // Documents name the event without the suffix that tells them from logs.
        event: finding
            .group
            .get("event")
            .map(|event| event.strip_suffix(DOCUMENTS_SUFFIX).unwrap_or(event).to_owned()),
        template: finding.group.get("message").cloned(),
        failed: finding.kind == FindingKind::ErrorRate,
        least_ms: (finding.kind == FindingKind::Latency).then_some(finding.change.before),
        from_us: finding.since.as_ref().and_then(|since| at(&since.at)),
        until_us: finding.until.as_deref().and_then(at),
        ..Filter::default()
    }
}

/// Adds what the options say.
fn narrow(filter: &mut Filter, args: &LinesArgs) -> Result<(), Failure> {
    filter.route = args.route.clone().or(filter.route.take());
    filter.event = args.event.clone().or(filter.event.take());
    filter.contains.clone_from(&args.contains);
    if let Some(status) = &args.status {
        filter.status = Some(status_range(status)?);
    }
    if let Some(text) = &args.slower_than {
        let least_ms = parse_duration_text(text.as_bytes()).ok_or_else(|| {
            Failure::new(&BAD_VALUE, format!("`--slower-than` is `{text}`, which is no duration"))
                .hint("durations look like 500ms or 1.5s")
        })?;
        filter.least_ms = Some(least_ms);
    }
    if let Some(from) = &args.from {
        filter.from_us = Some(when::instant("--from", from)?);
    }
    if let Some(until) = &args.until {
        filter.until_us = Some(when::instant("--until", until)?);
    }
    Ok(())
}

fn status_range(text: &str) -> Result<(i32, i32), Failure> {
    let class = text.strip_suffix("xx").and_then(|class| class.parse::<i32>().ok());
    let class = class.filter(|class| (0..=9).contains(class));
    match (class, text.parse::<i32>()) {
        (Some(class), _) => Ok((class * 100, class * 100 + 99)),
        (None, Ok(status)) => Ok((status, status)),
        (None, Err(_)) => Err(Failure::new(&BAD_VALUE, format!("`--status` is `{text}`"))
            .hint("a status looks like 503 or 5xx")),
    }
}

impl Filter {
    fn takes(&self, events: &EventBatch, row: usize, body: &str) -> bool {
        let label = |wanted: &Option<String>, label: Label| {
            wanted.as_deref().is_none_or(|name| {
                let named = events.label(label).get(row);
                named.unwrap_or(if label == Label::Route { NO_ROUTE } else { "" }) == name
            })
        };
        let ts_us = events.ts_us.get(row).copied().unwrap_or(NO_TIME);
        let is_timed = ts_us != NO_TIME;
        let status = events.status.get(row).copied().unwrap_or(NO_STATUS);
        let duration_ms = events.duration_ms.get(row).copied().unwrap_or(f64::NAN);
        let is_error = events.severity.get(row).is_some_and(|severity| severity.is_error());
        label(&self.route, Label::Route)
            && label(&self.event, Label::Event)
            && label(&self.template, Label::Template)
            && self.from_us.is_none_or(|from| is_timed && ts_us >= from)
            && self.until_us.is_none_or(|until| is_timed && ts_us < until)
            && self.status.is_none_or(|(lo, hi)| (lo..=hi).contains(&status))
            && (!self.failed || status >= 500 || status == -1 || is_error)
            && self.least_ms.is_none_or(|least| duration_ms >= least)
            && self.contains.as_deref().is_none_or(|text| body.contains(text))
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, NO_ROUTE, NO_STATUS, NO_TIME, status_range};
    use crate::model::{EventBatch, Label, Severity};

    #[test]
    fn what_has_no_route_or_no_time_is_taken_or_not() {
        let mut events = EventBatch::default();
        for (route, ts_us) in [(None, 5), (Some("/a"), 5), (Some("/a"), NO_TIME)] {
            events.label_mut(Label::Route).push_option(route);
            events.ts_us.push(ts_us);
            events.status.push(NO_STATUS);
            events.severity.push(Severity::INFO);
            events.duration_ms.push(f64::NAN);
        }
        let check = |filter: Filter, want: [bool; 3]| {
            assert_eq!([0, 1, 2].map(|row| filter.takes(&events, row, "")), want, "{filter:?}");
        };
        let route = |name: &str| Filter { route: Some(name.to_owned()), ..Filter::default() };
        check(Filter::default(), [true; 3]);
        check(route(NO_ROUTE), [true, false, false]);
        check(route("/a"), [false, true, true]);
        check(Filter { until_us: Some(9), ..Filter::default() }, [true, true, false]);
        check(Filter { from_us: Some(6), ..Filter::default() }, [false; 3]);
        check(Filter { event: Some("x".to_owned()), ..Filter::default() }, [false; 3]);
    }

    #[test]
    fn a_status_is_one_or_a_class() {
        for (text, want) in [
            ("503", Some((503, 503))),
            ("5xx", Some((500, 599))),
            ("-1", Some((-1, -1))), // a function that crashed
            ("99999999xx", None),   // times a hundred is no number of 32 bits
            ("10xx", None),
            ("xx", None),
            ("", None),
        ] {
            assert_eq!(status_range(text).ok(), want, "{text}");
        }
    }
}
