//! What is checked, by what it is judged, and the way from one to the other.

mod present;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::measured::{ReadFor, Unseen, calendar, read_for, saved_ref};
use super::source::{compared, source_of};
use super::{CheckArgs, builds, config_ref, in_repository};
use crate::baseline::{Acceptance, Baseline, Shelved, accept};
use crate::cli::error::{BAD_VALUE, CONFIG, Failure, NO_RULE, NO_TIME};
use crate::cli::marks::{self, Events};
use crate::cli::output::Terminal;
use crate::cli::{baselines, config, history, reading, when};
use crate::config::{BaselineSpec, CalendarKind, Expr, Gate, Loaded, OnNoData};
use crate::judge::{
    Frame, decision,
    rules::{
        Check, Checks, Compared, Judgement, Making, Misread, Scene, Windows, baseline_of,
        of_config, of_gate, of_text, recorded,
    },
};
use crate::model::{
    BaselineRef, CheckMethod, Decision, EventKinds, InputRef, InputSummary, Recipe, ScoreBars,
    format_ts, whole_us, zone_name,
};
use crate::query::{Measured, Opened};
use crate::report::decision as render;
use crate::source::sha256_of;

/// Windows are whole tenths of a second.
const DAY_US: i64 = 86_400 * 1_000_000;
/// Windows in a baseline where nobody says how long they are.
const WINDOWS_OF_BASELINE: i64 = 20;
/// Share of what was read that is judged where rules compare with what was before.
const CURRENT_SHARE: i64 = 5;

/// Checks and everything that was said about how to judge them.
pub(in crate::cli) struct Subject {
    loaded: Loaded,
    checks: Checks,
    gate: Option<Gate>,
    zone: TimeZone,
    compared: Compared,
    baseline: BaselineSpec,
    saved: Option<Shelved>,
    accepted: Vec<Acceptance>,
}

/// What was read of the inputs.
pub(super) struct Read {
    measured: Measured,
    inputs: Vec<InputSummary>,
    records: [u64; 2],
    events: Events,
    /// What rules name and no record has.
    unseen: Unseen,
}

impl Subject {
    /// Reads the configuration and understands every rule, or tells all that is wrong.
    pub(in crate::cli) fn configured(
        args: &CheckArgs,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        let subject = Self::understood(args, terminal)?;
        if !subject.checks.checks().is_empty() {
            return Ok(subject);
        }
        Err(no_rule(&subject.loaded))
    }

    fn understood(args: &CheckArgs, terminal: &Terminal) -> Result<Self, Failure> {
        let loaded = config::load(&args.input.fields.config, terminal)?;
        let place = |expr: &Expr| place_of(&loaded, expr);
        let gate = match &args.gate {
            Some(name) => Some(gate_named(&loaded, name)?),
            None => None,
        };
        let min_samples = u64::from(loaded.config.check.min_samples);
        let checks = match &gate {
            _ if !args.rules.is_empty() => typed(&args.rules, min_samples, terminal)?,
            Some(gate) => of_gate(gate, &place).map_err(|all| misread(&loaded, &all, terminal))?,
            None => {
                of_config(&loaded.config, &place).map_err(|all| misread(&loaded, &all, terminal))?
            }
        };
        let zone = match &args.timezone {
            Some(name) => when::zone(name)?,
            None => loaded.config.project.time_zone.clone(),
        };
        let configured = gate.as_ref().map(|gate| &gate.baseline);
        let mut baseline = configured.unwrap_or(&loaded.config.check.baseline).clone();
        if let Some(word) = &args.baseline {
            let source = source_of(word)?;
            // Another source has its own window.
            baseline.window = baseline.window.filter(|_| source == baseline.source);
            baseline.source = source;
        }
        let shelf = baselines::shelf(&loaded);
        let (compared, saved) = compared(&baseline.source, &shelf)?;
        let accepted = baselines::accepted(&shelf, terminal)?;
        let checks = Checks::new(checks);
        Ok(Self { loaded, checks, gate, zone, compared, baseline, saved, accepted })
    }

    /// The rules, objectives and checks of all gates, of which a baseline is made.
    pub(in crate::cli) fn of_everything(
        args: &CheckArgs,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        let mut subject = Self::understood(args, terminal)?;
        let Self { loaded, checks, .. } = &mut subject;
        let gate = loaded.config.gates.first().map(|gate| gate.window);
        loaded.config.check.window = loaded.config.check.window.or(gate);
        if args.rules.is_empty() {
            let mut all = checks.checks().to_vec();
            for gate in &loaded.config.gates {
                let place = |expr: &Expr| place_of(loaded, expr);
                all.extend(of_gate(gate, &place).map_err(|all| misread(loaded, &all, terminal))?);
            }
            *checks = Checks::new(all);
        }
        if subject.checks.checks().is_empty() {
            return Err(no_rule(&subject.loaded));
        }
        Ok(subject)
    }

    /// Reads the inputs and judges.
    pub(super) fn decide(
        &self,
        args: &CheckArgs,
        terminal: &Terminal,
    ) -> Result<Decision, Failure> {
        let now_us = args.now.as_deref().map(|now| when::instant("--now", now)).transpose()?;
        self.decide_at(args, &self.read(args, terminal)?, now_us, terminal)
    }

    /// Judges what was read at a moment; without one at the newest record.
    pub(super) fn decide_at(
        &self,
        args: &CheckArgs,
        read: &Read,
        now_us: Option<i64>,
        terminal: &Terminal,
    ) -> Result<Decision, Failure> {
        let Some(span_us) = read.measured.span_us() else {
            return Err(no_time());
        };
        let now_us = now_us.unwrap_or(span_us.1 + 1);
        if now_us <= span_us.0 {
            let first = format_ts(span_us.0);
            let message = format!("all records are later than --now: the first is of {first}");
            return Err(Failure::new(&BAD_VALUE, message).hint("choose a later --now"));
        }
        self.judge(args, read, now_us, terminal)
    }

    /// Judges what was read, also where nothing was.
    fn judge(
        &self,
        args: &CheckArgs,
        read: &Read,
        now_us: i64,
        terminal: &Terminal,
    ) -> Result<Decision, Failure> {
        let grain_us = read.measured.grain_us();
        let now_us = whole_us(now_us, grain_us);
        let first_us = read.measured.span_us().map_or(now_us, |(first_us, _)| first_us);
        let len_us = whole_us(self.window_us(args, now_us - first_us)?.max(1), grain_us);
        let lengths_us = self.windows_us(args, now_us - first_us);
        let lengths_us: Vec<i64> =
            lengths_us.iter().map(|len_us| whole_us(*len_us, grain_us)).collect();
        let kinds = self.kinds();
        let scene = Scene { lengths_us: &lengths_us, ..self.scene(read, (now_us, len_us), &kinds) };
        let windows = scene.windows();
        let Judgement { mut results, left_out } = self.checks.judge(&read.measured, &scene);
        let mut frame = self.frame(args, read, &windows);
        frame.notes.extend(left_out);
        if args.record || args.history.is_some() {
            let settings = &self.loaded.config.history;
            let at_us = windows.current.end_us;
            frame.method.notes.push(history::note(settings));
            results.extend(builds::judged(args, settings, (&results, at_us), terminal)?);
        }
        let now = Timestamp::from_microsecond(now_us).unwrap_or(Timestamp::MAX);
        accept(&mut results, &self.accepted, now);
        frame.recipe = Some(self.recipe(args, &scene));
        let mut decision = decision(results, frame);
        decision.summary = render::headline(&decision);
        Ok(decision)
    }

    /// Keeps the decision for `baseline accept`.
    pub(super) fn keep(&self, decision: &Decision, terminal: &Terminal) {
        baselines::keep(&self.loaded, decision, terminal);
    }

    /// The gate that is judged, if it is one.
    pub(super) fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    fn scene<'a>(
        &'a self,
        read: &'a Read,
        (now_us, len_us): (i64, i64),
        kinds: &'a EventKinds,
    ) -> Scene<'a> {
        let zone = (self.zone.clone(), self.look_back_us());
        let calendar = calendar(&read.measured, (&read.events.marks, kinds), zone);
        let level = self.loaded.config.check.level_ratio;
        let saved = self.saved.as_ref().map(|shelved| &shelved.baseline);
        let (compared, missing) = (self.compared, &read.unseen.fields);
        Scene { calendar, now_us, len_us, lengths_us: &[], compared, saved, level, missing }
    }

    pub(super) fn read(&self, args: &CheckArgs, terminal: &Terminal) -> Result<Read, Failure> {
        let opened = reading::open(&args.input.inputs, &args.input.fields, terminal)?;
        let notes = reading::reading_notes(&opened);
        let mut inputs = reading::input_summaries(&opened);
        let mut files = args.events.clone();
        files.extend(marks::calendars_in(&args.input.inputs));
        let events = self.events(files, &opened)?;
        reading::echo(&inputs, &notes, terminal);
        for note in &events.notes {
            terminal.say(&format!("  note: {note}"));
        }
        let read = read_for(&self.checks, opened, terminal)?;
        for (summary, bytes) in inputs.iter_mut().zip(&read.bytes) {
            summary.bytes = *bytes;
        }
        for input in &mut inputs {
            input.sha256 = sha256_of(Path::new(&input.name));
        }
        let ReadFor { measured, unseen, records, .. } = read;
        Ok(Read { measured, inputs, records, events, unseen })
    }

    /// What a baseline is made of.
    pub(in crate::cli) fn baseline(
        &self,
        args: &CheckArgs,
        (name, made_at): (String, String),
        terminal: &Terminal,
    ) -> Result<Baseline, Failure> {
        let read = self.read(args, terminal)?;
        let Some((first_us, last_us)) = read.measured.span_us() else {
            return Err(no_time());
        };
        let grain_us = read.measured.grain_us();
        let now_us = whole_us(last_us + 1, grain_us);
        let fitting = (now_us - first_us) / WINDOWS_OF_BASELINE;
        let len_us = match (&args.window, self.loaded.config.check.window) {
            (None, None) => fitting,
            _ => self.window_us(args, now_us - first_us)?,
        };
        let len_us = whole_us(len_us.max(1), grain_us);
        let kinds = self.kinds();
        let scene = self.scene(&read, (now_us, len_us), &kinds);
        let inputs = read.inputs.iter().map(input_ref).collect();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let making = Making { name, made_at, version, inputs };
        Ok(baseline_of(&self.checks, &read.measured, &scene, making))
    }

    /// Events of files and of the configured calendars.
    fn events(&self, mut files: Vec<PathBuf>, opened: &Opened) -> Result<Events, Failure> {
        files.extend(opened.event_files.iter().map(PathBuf::from));
        marks::known((&self.loaded.config.calendars, &self.zone), (&files, &self.zone))
    }

    /// What is done about known events. What a gate leaves out it does not match.
    fn kinds(&self) -> EventKinds {
        let words = |kinds: &[CalendarKind]| -> Vec<String> {
            kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
        };
        let check = &self.loaded.config.check;
        let exclude = words(&self.baseline.exclude);
        let mut segment = words(&check.segment);
        segment.retain(|kind| !exclude.contains(kind));
        EventKinds { exclude, segment, mute: words(&check.mute) }
    }

    /// How much of the history is looked at, if it is said.
    fn look_back_us(&self) -> Option<i64> {
        self.baseline.window.map(|window| window.as_micros() as i64)
    }

    /// Length of the judged window: what was said, or all, or a part where history is needed.
    fn window_us(&self, args: &CheckArgs, span_us: i64) -> Result<i64, Failure> {
        let configured = match &self.gate {
            Some(gate) => Some(gate.window),
            None => self.loaded.config.check.window,
        };
        let us = |length: std::time::Duration| length.as_micros() as i64;
        let wanted = match args.window.as_deref() {
            Some("all") => Some(span_us),
            Some(length) => Some(when::length_us("--window", length)?),
            None => configured.map(us),
        };
        // What a saved baseline is held against is all that was read now.
        let fitting = if self.checks.need_baseline() && self.saved.is_none() {
            (span_us / CURRENT_SHARE).min(DAY_US)
        } else {
            span_us
        };
        Ok(wanted.unwrap_or(fitting))
    }

    /// Several lengths instead, as far as there is enough before them to compare with; none where
    /// one window was said.
    fn windows_us(&self, args: &CheckArgs, span_us: i64) -> Vec<i64> {
        if args.window.is_some() || self.gate.is_some() || self.saved.is_some() {
            return Vec::new();
        }
        let lengths = self.loaded.config.check.windows.iter();
        let lengths = lengths.map(|length| length.as_micros() as i64);
        lengths.filter(|len_us| len_us.saturating_mul(CURRENT_SHARE) <= span_us).collect()
    }

    fn frame(&self, args: &CheckArgs, read: &Read, windows: &Windows) -> Frame {
        let bars = match &self.gate {
            Some(gate) => ScoreBars { pass: gate.score.pass, warn: gate.score.warn },
            // Rules decide by themselves: one that fails is enough, and a warning holds nothing.
            None => ScoreBars { pass: 0.0, warn: 0.0 },
        };
        let edge = |at: Option<i64>| at.map_or_else(String::new, format_ts);
        let first = windows.baseline.first().map(|window| window.start_us);
        let baseline = first.map(|first| BaselineRef {
            name: windows.name.clone(),
            from: format_ts(first),
            to: edge(windows.baseline.last().map(|window| window.end_us)),
            excluded: windows.excluded.clone(),
            sha256: None,
        });
        let baseline = self.saved.as_ref().map(saved_ref).or(baseline);
        Frame {
            project: self.loaded.config.project.name.clone(),
            gate: self.gate.as_ref().map(|gate| gate.name.clone()),
            inputs: read.inputs.iter().map(input_ref).collect(),
            window: windows.current,
            baseline: baseline.filter(|_| self.checks.need_baseline()),
            bars,
            on_no_data: self.on_no_data(),
            records: read.records,
            notes: read.unseen.notes.clone(),
            method: self.method(args, read),
            config: config_ref(self.loaded.file.as_deref()),
            recipe: None,
            again: args.again(),
            is_kept: baselines::is_kept(&self.loaded),
        }
    }

    fn method(&self, args: &CheckArgs, read: &Read) -> CheckMethod {
        let level = self.loaded.config.check.level_ratio * 100.0;
        let exact = if read.measured.is_exact() {
            "Percentiles are exact (type 7).".to_owned()
        } else {
            "Percentiles come from sketches with a relative error of at most 0.39 %; windows are \
             whole slots of time."
                .to_owned()
        };
        let mut notes = vec![
            exact,
            "Changes are judged by 98 % intervals, widened by the autocorrelation that was seen."
                .to_owned(),
            format!(
                "All tests of a run are corrected together (Benjamini–Hochberg) at {level} %; what \
                 is not beyond doubt then is a warning."
            ),
        ];
        notes.extend(read.events.notes.iter().cloned());
        let mut settings = args.input.fields.settings();
        settings.push(("--timezone".to_owned(), zone_name(&self.zone)));
        CheckMethod { version: env!("CARGO_PKG_VERSION").to_owned(), notes, settings }
    }

    fn on_no_data(&self) -> OnNoData {
        self.gate.as_ref().map_or(OnNoData::Hold, |gate| gate.on_no_data)
    }

    fn recipe(&self, args: &CheckArgs, scene: &Scene<'_>) -> Recipe {
        let compared = match &self.saved {
            Some(saved) => format!("name:{}", saved.baseline.name),
            None => self.compared.as_str().to_owned(),
        };
        Recipe {
            now_us: scene.now_us,
            window_us: scene.len_us,
            windows_us: scene.lengths_us.to_vec(),
            compared,
            zone: zone_name(&self.zone),
            look_back_us: scene.calendar.look_back_us,
            kinds: scene.calendar.kinds.clone(),
            level_ratio: scene.level,
            on_no_data: self.on_no_data(),
            fields: args.input.fields.settings(),
            marks: scene.calendar.marks_until(scene.now_us),
            checks: self.checks.checks().iter().map(recorded).collect(),
            measurements: 1,
        }
    }
}

fn no_rule(loaded: &Loaded) -> Failure {
    let message = match &loaded.file {
        Some(file) => format!("`{}` has no [[rule]] and no [[slo]]", file.display()),
        None => "there is no rule to check".to_owned(),
    };
    let hint = match &loaded.file {
        Some(_) => "write a [[rule]] (docs/rules.md), or try --rule 'p95(duration) < 300ms'",
        None => "plimsoll check app.log --rule 'p95(duration) < 300ms', or plimsoll init",
    };
    Failure::new(&NO_RULE, message).hint(hint)
}

fn no_time() -> Failure {
    Failure::new(&NO_TIME, "no record has a time that can be read")
        .hint("plimsoll inspect lists the fields; name the right one with --time FIELD")
}

fn input_ref(input: &InputSummary) -> InputRef {
    let InputSummary { name, sha256, bytes, .. } = input;
    InputRef { name: name.clone(), sha256: sha256.clone(), bytes: *bytes }
}

fn gate_named(loaded: &Loaded, name: &str) -> Result<Gate, Failure> {
    let gates = &loaded.config.gates;
    gates.iter().find(|gate| gate.name == name).cloned().ok_or_else(|| {
        let names: Vec<&str> = gates.iter().map(|gate| gate.name.as_str()).collect();
        let known = if names.is_empty() {
            "there is none: write [gate.NAME] into plimsoll.toml".to_owned()
        } else {
            format!("gates are {}", names.join(", "))
        };
        Failure::new(&BAD_VALUE, format!("there is no gate `{name}`")).hint(known)
    })
}

/// Rules from the command line, with what is wrong shown below each.
fn typed(rules: &[String], min_samples: u64, terminal: &Terminal) -> Result<Vec<Check>, Failure> {
    let mut checks = Vec::new();
    let mut is_wrong = false;
    for (index, text) in rules.iter().enumerate() {
        match of_text(&format!("rule-{}", index + 1), text, min_samples) {
            Ok(check) => checks.push(check),
            Err(mistakes) => {
                is_wrong = true;
                for mistake in mistakes {
                    let start = text.get(..mistake.span.start).map_or(0, |t| t.chars().count());
                    let len = text.get(mistake.span.clone()).map_or(1, |t| t.chars().count());
                    let marks = format!("{}{}", " ".repeat(start), "^".repeat(len.max(1)));
                    terminal.say(&format!("error: {}\n | {text}\n | {marks}", mistake.message));
                    if let Some(help) = mistake.help {
                        terminal.say(&format!(" = help: {help}"));
                    }
                }
            }
        }
    }
    if is_wrong {
        return Err(Failure::new(&CONFIG, "a rule cannot be read").hint("see docs/rules.md"));
    }
    Ok(checks)
}

pub(in crate::cli) fn misread(loaded: &Loaded, all: &[Misread], terminal: &Terminal) -> Failure {
    tell_mistakes(loaded, all, terminal);
    let count = all.len();
    let noun = if count == 1 { "mistake" } else { "mistakes" };
    Failure::new(&CONFIG, format!("{count} {noun} in rules")).hint("see docs/rules.md")
}

pub(in crate::cli) fn tell_mistakes(loaded: &Loaded, all: &[Misread], terminal: &Terminal) {
    for one in all {
        let mistake = &one.mistake;
        let help = mistake.help.as_deref();
        let problem = loaded.problem_in(&one.expr, one.span(), &mistake.message, help);
        terminal.say(&problem.to_string());
    }
}

pub(in crate::cli) fn place_of(loaded: &Loaded, expr: &Expr) -> Option<(String, u32, u32)> {
    let file = loaded.file.as_ref()?;
    let place = loaded.place_of(expr);
    let number = |number: usize| u32::try_from(number).ok();
    Some((in_repository(file), number(place.line)?, number(place.column)?))
}
