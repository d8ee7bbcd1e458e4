//! `check --replay FILE`: whether a recorded decision comes out the same again.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measured::{ReadFor, calendar, read_for};
use super::{CheckArgs, CheckOutput};
use crate::baseline::Shelved;
use crate::cli::args::FieldArgs;
use crate::cli::error::{BAD_VALUE, Exit, Failure};
use crate::cli::output::Terminal;
use crate::cli::{baselines, reading, when};
use crate::judge::{
    Frame, decision,
    replay::{Difference, by_evidence, by_measuring},
    rules::{Checks, Compared, Scene, of_recorded},
};
use crate::model::{CheckKind, CheckResult, Decision, Recipe, Window, one_line};
use crate::source::sha256_of;

/// Differences that are printed.
const MAX_SHOWN: usize = 50;

/// What a replay came to. Schema `plimsoll.replay/1`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(in crate::cli) struct Replay {
    /// Always `plimsoll.replay/1`.
    pub schema: String,
    /// Whether everything that was judged again came out the same.
    pub same: bool,
    /// Whether the inputs were measured again; otherwise only the recorded evidence was judged.
    pub measured: bool,
    /// What could not be judged again, and why. May hold log text.
    pub notes: Vec<String>,
    /// What came out otherwise. May hold log text.
    pub differences: Vec<Difference>,
    /// JSON paths of the fields that can hold text from logs.
    pub untrusted_text_fields: Vec<String>,
}

pub(super) fn run(file: &Path, args: &CheckArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let is_json = args.ending.json || args.ending.output == CheckOutput::Json;
    if !is_json && args.ending.output != CheckOutput::Text {
        let message = "`--replay` answers as text or JSON".to_owned();
        return Err(Failure::new(&BAD_VALUE, message).hint("leave out -o, or take -o json"));
    }
    let recorded = baselines::read_decision(file)?;
    let mut replay = Replay {
        schema: "plimsoll.replay/1".to_owned(),
        same: true,
        measured: false,
        notes: Vec::new(),
        differences: by_evidence(&recorded),
        untrusted_text_fields: ["notes", "differences"].map(str::to_owned).to_vec(),
    };
    match Again::of(&recorded, args, terminal)? {
        Ok(again) => {
            let found = by_measuring(&recorded, &again.decision(&recorded, terminal)?);
            let known = replay.differences.clone();
            replay.differences.extend(found.into_iter().filter(|one| !known.contains(one)));
            replay.measured = true;
        }
        Err(reason) => replay.notes.push(reason),
    }
    let measurements = recorded.recipe.as_ref().map_or(1, |recipe| recipe.measurements);
    if measurements > 1 {
        let note = format!("the answer is that of {measurements} measurements; the last is judged");
        replay.notes.push(note);
    }
    let own = env!("CARGO_PKG_VERSION");
    if recorded.method.version != own {
        let note = format!("recorded by plimsoll {}, this is {own}", recorded.method.version);
        replay.notes.push(note);
    }
    replay.same = replay.differences.is_empty();
    if is_json {
        terminal.json(&replay)?;
    } else {
        terminal.text(&text(&replay, &recorded))?;
    }
    Ok(if replay.same { Exit::Yes } else { Exit::No })
}

fn text(replay: &Replay, recorded: &Decision) -> String {
    let answer = recorded.decision.as_str();
    let how = if replay.measured {
        let count = recorded.inputs.len();
        format!("measured again from {count} {}", if count == 1 { "input" } else { "inputs" })
    } else {
        "from the recorded evidence alone".to_owned()
    };
    let mut lines = Vec::new();
    if replay.same {
        lines.push(format!("same answer: {answer}, {how}"));
    } else {
        let count = replay.differences.len();
        let noun = if count == 1 { "difference" } else { "differences" };
        lines.push(format!("{count} {noun} from the recorded answer {answer}, {how}"));
    }
    for Difference { what, recorded, now } in replay.differences.iter().take(MAX_SHOWN) {
        let line = format!("  {what}: recorded {recorded}, now {now}");
        lines.push(one_line(&line).into_owned());
    }
    let more = replay.differences.len().saturating_sub(MAX_SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more (-o json lists all)"));
    }
    lines.extend(replay.notes.iter().map(|note| format!("  note: {}", one_line(note))));
    lines.join("\n") + "\n"
}

/// All that it takes to measure again.
struct Again<'a> {
    recipe: &'a Recipe,
    checks: Checks,
    compared: Compared,
    saved: Option<Shelved>,
    names: Vec<String>,
    fields: FieldArgs,
}

impl<'a> Again<'a> {
    /// The inner error says why nothing can be measured again.
    fn of(
        recorded: &'a Decision,
        args: &CheckArgs,
        terminal: &Terminal,
    ) -> Result<Result<Self, String>, Failure> {
        let Some(recipe) = &recorded.recipe else {
            return Ok(Err("the record does not say how it was measured".to_owned()));
        };
        if let Some(reason) = changed(recorded) {
            return Ok(Err(reason));
        }
        let mut checks = Vec::new();
        for check in &recipe.checks {
            match of_recorded(check) {
                Ok(check) => checks.extend(check),
                Err(mistakes) => {
                    let what = mistakes.first().map_or(String::new(), |one| one.message.clone());
                    let text = format!("the check `{}` is none of this version: {what}", check.id);
                    return Ok(Err(text));
                }
            }
        }
        let (compared, saved) = match recipe.compared.strip_prefix("name:") {
            Some(name) => {
                match baselines::shelf_of(&args.input.fields.config, terminal)?.read(name) {
                    Ok(saved) if Some(&saved.sha256) == recorded_sha256(recorded) => {
                        (Compared::History, Some(saved))
                    }
                    Ok(_) => return Ok(Err(format!("the baseline `{name}` was saved anew since"))),
                    Err(error) => return Ok(Err(error.to_string())),
                }
            }
            None => match Compared::of(&recipe.compared) {
                Some(compared) => (compared, None),
                None => return Ok(Err(format!("nothing is compared with `{}`", recipe.compared))),
            },
        };
        let names = recorded.inputs.iter().map(|input| input.name.clone()).collect();
        let fields = FieldArgs::detected().with_settings(&recipe.fields);
        let checks = Checks::new(checks);
        Ok(Ok(Self { recipe, checks, compared, saved, names, fields }))
    }

    fn decision(&self, recorded: &Decision, terminal: &Terminal) -> Result<Decision, Failure> {
        let recipe = self.recipe;
        let zone = (when::zone(&recipe.zone)?, recipe.look_back_us);
        let opened = reading::open(&self.names, &self.fields, terminal)?;
        let ReadFor { measured, records, unseen, .. } = read_for(&self.checks, opened, terminal)?;
        let scene = Scene {
            calendar: calendar(&measured, (&recipe.marks, &recipe.kinds), zone),
            now_us: recipe.now_us,
            len_us: recipe.window_us,
            lengths_us: &recipe.windows_us,
            compared: self.compared,
            saved: self.saved.as_ref().map(|saved| &saved.baseline),
            level: recipe.level_ratio,
            missing: &unseen.fields,
        };
        let mut results = self.checks.judge(&measured, &scene).results;
        // Builds that were recorded since are no matter of this decision.
        let of_builds = recorded.checks.iter().filter(|check| check.kind == CheckKind::History);
        results.extend(of_builds.cloned());
        accepted_again(&mut results, &recorded.checks);
        Ok(decision(results, frame(recorded, recipe, records)))
    }
}

/// Why the inputs are not those that were judged; `None` when they are.
fn changed(recorded: &Decision) -> Option<String> {
    if recorded.inputs.is_empty() {
        return Some("the record names no input".to_owned());
    }
    let mut reasons = recorded.inputs.iter().filter_map(|input| {
        let name = one_line(&input.name);
        match (&input.sha256, sha256_of(Path::new(&input.name))) {
            (None, _) => Some(format!("`{name}` was no file whose bytes are known")),
            (Some(_), None) => Some(format!("`{name}` cannot be read any more")),
            (Some(then), Some(now)) if *then != now => Some(format!("`{name}` has changed since")),
            _ => None,
        }
    });
    reasons.next()
}

fn recorded_sha256(recorded: &Decision) -> Option<&String> {
    recorded.baseline.as_ref()?.sha256.as_ref()
}

/// What was accepted then is accepted now.
fn accepted_again(results: &mut [CheckResult], recorded: &[CheckResult]) {
    for result in results {
        let then = recorded.iter().find(|c| c.id == result.id && c.group == result.group);
        result.accepted = then.and_then(|check| check.accepted.clone());
    }
}

fn frame(recorded: &Decision, recipe: &Recipe, records: [u64; 2]) -> Frame {
    let start_us = recipe.now_us - recipe.window_us;
    Frame {
        project: recorded.project.clone(),
        gate: recorded.gate.clone(),
        inputs: recorded.inputs.clone(),
        window: Window { start_us, end_us: recipe.now_us },
        baseline: recorded.baseline.clone(),
        bars: recorded.thresholds,
        on_no_data: recipe.on_no_data,
        records,
        notes: recorded.notes.clone(),
        method: recorded.method.clone(),
        config: recorded.config.clone(),
        recipe: None,
        again: Vec::new(),
        is_kept: false,
    }
}
