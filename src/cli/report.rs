//! `plimsoll report`: reads, judges, writes the pages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::args::InputArgs;
use super::config;
use super::error::{BAD_VALUE, Exit, Failure, NO_TIME, UNWRITABLE};
use super::marks::{self, Events};
use super::output::Terminal;
use super::{reading, when};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::durable::write_whole;
use crate::judge::{HealthOptions, ViewError, ViewSettings, health};
use crate::model::{Example, QualityNote, Report, SlotWidth, Verdict, one_line};
use crate::report as render;
use crate::source::{Framing, records_again, sha256_of};

/// Where `lines` looks for a report.
const DEFAULT_DIR: &str = "plimsoll-report";
/// Longest record shown as an example, bytes.
const MAX_EXAMPLE_BYTES: u64 = 64 * 1024;

/// Write a health report: HTML, PNG, Markdown and JSON
///
/// Without -o the files report.html, report.png, report.alt.txt, report.md and report.json are
/// written to a directory and a summary is printed. Exit status: 0 healthy or watch, 1 action
/// needed, 2 usage, 3 cannot tell, 4 unusable input or output.
#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// Inputs and fields
    #[command(flatten)]
    pub input: InputArgs,
    /// Print one format to standard output instead of writing files
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<ReportOutput>,
    /// Same as -o json
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// Directory for the files
    #[arg(short = 'd', long, value_name = "DIR", default_value = DEFAULT_DIR)]
    pub dir: PathBuf,
    /// Deploys and calendar: JSON lines or .ics (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Zone in which days and weeks are counted, such as Europe/Madrid or -03:00
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true)]
    pub timezone: String,
    /// Name of the project in the title
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// End of the judged window; the newest record when not given
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Length of the judged window, such as 24h; a week, or a fifth of less than 8 days
    #[arg(long, value_name = "LENGTH")]
    pub last: Option<String>,
    /// Width of a chart's window, such as 5m
    #[arg(long, value_name = "LENGTH")]
    pub window: Option<String>,
    /// Verdict from which the exit status is not 0
    #[arg(long, value_name = "VERDICT", default_value = "fail")]
    pub fail_on: FailOn,
    /// Exit with 0 whatever the verdict is
    #[arg(long)]
    pub exit_zero: bool,
}

/// Formats that go to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportOutput {
    /// For a terminal.
    Text,
    /// `plimsoll.report/1`.
    Json,
    /// Markdown.
    Md,
    /// One self-contained page.
    Html,
}

/// Where the line is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Watch and worse.
    Warn,
    /// Action needed; "can't tell" has its own status.
    #[default]
    Fail,
    /// Only that nothing can be told.
    Inconclusive,
}

pub(super) fn run(args: &ReportArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let report = make(args, terminal)?;
    let output = if args.json { Some(ReportOutput::Json) } else { args.output };
    match output {
        Some(ReportOutput::Json) => terminal.data(&render::json(&report))?,
        Some(ReportOutput::Md) => terminal.data(&render::markdown(&report))?,
        Some(ReportOutput::Html) => terminal.data(&render::html(&report))?,
        Some(ReportOutput::Text) => terminal.text(&render::text(&report, style(terminal)))?,
        None => {
            write_files(&report, &args.dir)?;
            terminal.text(&render::text(&report, style(terminal)))?;
            let page = args.dir.join("report.html").display().to_string();
            terminal.say(&format!("wrote {}", one_line(&page)));
            if let Some(finding) = report.findings.first() {
                let lines = lines_command(&finding.id, args);
                terminal.hint(&format!("{lines} shows the records behind it"));
            }
        }
    }
    Ok(exit(report.verdict, args))
}

fn style(terminal: &Terminal) -> render::TextStyle {
    render::TextStyle { colour: terminal.colour, ascii: terminal.ascii }
}

fn exit(verdict: Verdict, args: &ReportArgs) -> Exit {
    if args.exit_zero {
        return Exit::Yes;
    }
    match (verdict, args.fail_on) {
        (Verdict::Inconclusive, _) => Exit::CannotTell,
        (Verdict::Warn, FailOn::Warn) | (Verdict::Fail, FailOn::Warn | FailOn::Fail) => Exit::No,
        _ => Exit::Yes,
    }
}

/// Reads the inputs and makes the report, sentences and examples included.
pub(super) fn make(args: &ReportArgs, terminal: &Terminal) -> Result<Report, Failure> {
    let zone = when::zone(&args.timezone)?;
    let mut settings = ViewSettings {
        now_us: args.now.as_deref().map(|now| when::instant("--now", now)).transpose()?,
        current_us: args.last.as_deref().map(|l| when::length_us("--last", l)).transpose()?,
        width: args.window.as_deref().map(window_width).transpose()?,
        offset_s: 0,
    };
    let opened = reading::open(&args.input.inputs, &args.input.fields, terminal)?;
    let mut notes = reading::reading_notes(&opened);
    let framings = opened.framings();
    let mut inputs = reading::input_summaries(&opened);
    let mut events = args.events.clone();
    events.extend(opened.event_files.iter().map(PathBuf::from));
    events.extend(marks::calendars_in(&args.input.inputs));
    let Config { calendars, project, .. } =
        config::load(&args.input.fields.config, terminal)?.config;
    let Events { marks, notes: troubles } =
        marks::known((&calendars, &project.time_zone), (&events, &zone))?;
    reading::echo(&inputs, &notes, terminal);
    if !marks.is_empty() {
        terminal.say(&format!("  with {} known events", marks.len()));
    }
    for trouble in &troubles {
        terminal.say(&format!("  note: {trouble}"));
    }
    let of_calendar = |text| QualityNote { kind: "calendar".to_owned(), text };
    notes.extend(troubles.into_iter().map(of_calendar));
    let mut survey = reading::survey(opened, &mut notes, terminal)?;
    let requests = std::mem::take(&mut survey.requests).finish();
    for input in &mut inputs {
        input.sha256 = sha256_of(Path::new(&input.name));
    }
    let now_us = settings.now_us.or(survey.span_us.map(|(_, last)| last));
    let now_us = now_us.unwrap_or_else(|| SystemClock.now_us());
    settings.offset_s = when::offset_s(now_us, &zone);
    let options = HealthOptions {
        project: args
            .project
            .clone()
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| project_name(&args.input, terminal)),
        zone: args.timezone.clone(),
        week: when::iso_week(now_us, &zone),
        view: settings,
        marks,
        words: args.input.inputs.clone(),
        inputs,
        notes,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut report = health(&survey, &requests, options).map_err(|error| match error {
        ViewError::NoTime { .. } => Failure::caused(&NO_TIME, &error)
            .hint("plimsoll inspect lists the fields; name the right one with --time FIELD"),
        ViewError::NowBeforeData { .. } => {
            Failure::caused(&BAD_VALUE, &error).hint("choose a later --now")
        }
    })?;
    report.headline = render::headline(&report);
    say_again(&mut report, args);
    read_examples(&mut report, &framings);
    Ok(report)
}

/// Keeps what was said about fields: with the report for `lines`, and in the commands it advises.
fn say_again(report: &mut Report, args: &ReportArgs) {
    let fields = &args.input.fields;
    report.method.settings.extend(fields.settings());
    let options = report.findings.iter_mut().flat_map(|finding| &mut finding.options);
    for verify in options.map(|option| &mut option.verify) {
        // `lines` takes the fields from the report.
        if verify.get(1).is_some_and(|command| command != "lines") {
            verify.extend(fields.arguments());
        }
    }
}

/// The command that shows the records of a finding. Only the terminal says where the report is:
/// what is written must not depend on the place where it is written.
fn lines_command(finding: &str, args: &ReportArgs) -> String {
    if args.dir == Path::new(DEFAULT_DIR) {
        return format!("plimsoll lines {finding}");
    }
    let report = args.dir.join("report.json").display().to_string();
    format!("plimsoll lines {finding} --report {}", one_line(&report))
}

fn window_width(text: &str) -> Result<SlotWidth, Failure> {
    let seconds = when::length_us("--window", text)? / 1_000_000;
    u32::try_from(seconds).ok().and_then(SlotWidth::from_seconds).ok_or_else(|| {
        Failure::new(&BAD_VALUE, format!("`--window` is `{text}`"))
            .hint("windows are whole seconds, at least 1s, such as 30s, 5m or 1h")
    })
}

/// The name of the directory or file that is reported on, or of the configured project.
fn project_name(input: &InputArgs, terminal: &Terminal) -> String {
    let Some(first) = input.inputs.first() else {
        let loaded = config::load(&input.fields.config, terminal);
        return loaded.map(|loaded| loaded.config.project.name).unwrap_or_default();
    };
    if first == "-" {
        return "standard input".to_owned();
    }
    let path = fs::canonicalize(first).unwrap_or_else(|_| PathBuf::from(first));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| first.to_owned())
}

/// Reads the text of the records that the report points at, one pass over each input; a record
/// whose input cannot be read again keeps no text.
fn read_examples(report: &mut Report, framings: &BTreeMap<String, Framing>) {
    let findings = report.findings.iter_mut().flat_map(|finding| &mut finding.examples);
    let slowest = report.details.iter_mut().flat_map(|detail| &mut detail.slowest);
    let mut by_input: BTreeMap<String, Vec<&mut Example>> = BTreeMap::new();
    for example in findings.chain(slowest.map(|record| &mut record.at)) {
        by_input.entry(example.input.clone()).or_default().push(example);
    }
    for (input, mut examples) in by_input {
        let Some(framing) = framings.get(&input) else { continue };
        examples.sort_by_key(|example| example.offset);
        let offsets: Vec<u64> = examples.iter().map(|example| example.offset).collect();
        let records = records_again(Path::new(&input), *framing, &offsets, MAX_EXAMPLE_BYTES);
        for (example, record) in examples.into_iter().zip(records) {
            example.text = Example::text_of(&record.unwrap_or_default());
        }
    }
}

fn write_files(report: &Report, dir: &Path) -> Result<(), Failure> {
    fs::create_dir_all(dir).map_err(|error| {
        Failure::new(&UNWRITABLE, format!("cannot make directory `{}`: {error}", dir.display()))
            .hint("choose another one with --dir DIR")
    })?;
    let png = render::png(report).map_err(|error| Failure::caused(&UNWRITABLE, &error))?;
    let files: [(&str, Vec<u8>); 5] = [
        ("report.json", render::json(report).into_bytes()),
        ("report.md", render::markdown(report).into_bytes()),
        ("report.alt.txt", render::alt_text(report).into_bytes()),
        ("report.png", png),
        ("report.html", render::html(report).into_bytes()),
    ];
    for (name, bytes) in files {
        write_whole(&dir.join(name), &bytes).map_err(|error| {
            Failure::caused(&UNWRITABLE, &error)
                .hint("make room, or choose another directory with --dir DIR")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::lines_command;
    use crate::cli::args::{Cli, Command};

    #[test]
    fn the_hint_leads_to_the_report_that_was_written() {
        let check = |words: &[&str], want: &str| {
            let words = [&["plimsoll", "report", "a.log"], words].concat();
            let Command::Report(args) = Cli::try_parse_from(words).unwrap().command else {
                panic!()
            };
            assert_eq!(lines_command("F1", &args), want);
        };
        check(&[], "plimsoll lines F1");
        check(&["-d", "plimsoll-report"], "plimsoll lines F1");
        check(&["-d", "out/week"], "plimsoll lines F1 --report out/week/report.json");
    }
}
