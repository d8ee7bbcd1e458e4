//! Several measurements and one answer from them.

use std::time::Duration;

use super::CheckArgs;
use super::subject::Subject;
use crate::cli::error::{BAD_VALUE, Failure, USAGE};
use crate::cli::output::Terminal;
use crate::cli::when;
use crate::judge::{Repeated, Repetition};
use crate::model::{Answer, Decision};

/// What is taken where neither an option nor a gate says it.
const INTERVAL: Duration = Duration::from_mins(5);
const COUNT: u32 = 6;
const ERROR_LIMIT: u32 = 4;

/// Measures until the answer is clear; gives the last decision with the answer of all.
///
/// With `--now` the inputs are read once and the measurements are at moments of the data, the
/// first at `--now`; otherwise the inputs are read again each time.
pub(super) fn watched(
    subject: &Subject,
    args: &CheckArgs,
    terminal: &Terminal,
) -> Result<Decision, Failure> {
    if args.now.is_none() && args.input.inputs.iter().any(|word| word == "-") {
        let message = "standard input cannot be read again";
        return Err(Failure::new(&USAGE, message).hint("name a file, or say from when with --now"));
    }
    let gate = subject.gate();
    let interval = match &args.interval {
        Some(length) => Duration::from_micros(when::length_us("--interval", length)? as u64),
        None => gate.map_or(INTERVAL, |gate| gate.interval),
    };
    let count = args.count.or(gate.map(|gate| gate.count)).unwrap_or(COUNT);
    if count == 0 {
        return Err(Failure::new(&BAD_VALUE, "`--count` is `0`").hint("measure at least once"));
    }
    let mut repeated = Repeated::new(Repetition {
        count,
        fail_limit: gate.map_or(0, |gate| gate.fail_limit),
        success_streak: gate.and_then(|gate| gate.success_streak),
        error_limit: gate.map_or(ERROR_LIMIT, |gate| gate.error_limit),
    });
    let from_us = args.now.as_deref().map(|now| when::instant("--now", now)).transpose()?;
    if from_us.is_none() {
        std::thread::sleep(gate.map_or(Duration::ZERO, |gate| gate.delay));
    }
    let of_data = from_us.map(|_| subject.read(args, terminal)).transpose()?;
    let mut last: Option<Decision> = None;
    loop {
        let step = i64::from(repeated.measured());
        let now_us = from_us.map(|from_us| from_us + step * interval.as_micros() as i64);
        let judged = match &of_data {
            Some(read) => subject.decide_at(args, read, now_us, terminal),
            None => subject.decide(args, terminal),
        };
        let (decision, ended) = match (judged, last.take()) {
            (Ok(decision), _) => {
                let ended = repeated.see(decision.decision);
                terminal.say(&line(&decision, (repeated.measured(), count)));
                (decision, ended)
            }
            // A mistake is there at once; a log may be gone for a moment while it is rotated.
            (Err(failure), None) => return Err(failure),
            (Err(failure), Some(before)) => {
                terminal.failure(&failure);
                (before, repeated.see(Answer::Hold))
            }
        };
        if let Some(answer) = ended {
            return Ok(concluded(decision, answer, repeated.measured()));
        }
        last = Some(decision);
        if from_us.is_none() {
            std::thread::sleep(interval);
        }
    }
}

/// One line a measurement.
fn line(decision: &Decision, (measured, count): (u32, u32)) -> String {
    let score = decision.score.map_or(String::new(), |score| format!(", score {score:.0}"));
    let untold = match decision.coverage.inconclusive {
        0 => String::new(),
        untold => format!(", {untold} can't be told"),
    };
    let (at, answer) = (&decision.window.to, decision.decision.as_str());
    format!("{at} measurement {measured} of {count}: {answer}{score}{untold}")
}

/// The last decision with the answer of all measurements.
fn concluded(decision: Decision, answer: Answer, measured: u32) -> Decision {
    let mut decision = decision;
    if answer != decision.decision {
        let note = format!(
            "The answer is that of {measured} measurements; the last that was made says {}.",
            decision.decision.as_str()
        );
        decision.method.notes.push(note);
    }
    if let Some(recipe) = &mut decision.recipe {
        recipe.measurements = measured;
    }
    decision.decision = answer;
    decision.needs_human = answer != Answer::Go;
    decision
}
