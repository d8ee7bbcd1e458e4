//! `plimsoll watch`: judges rules again and again, and says what changes.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{IsTerminal, stdout};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;

use super::args::InputArgs;
use super::check::CheckArgs;
use super::check::subject::Subject;
use super::error::{Exit, Failure, USAGE};
use super::output::{Terminal, visible};
use super::reading::caught;
use super::rounds::{Rounds, name, since};
use super::when;
use crate::alert::AlertError;
use crate::clock::{Clock, SystemClock};
use crate::model::{CheckResult, Decision, Verdict, format_ts};
use crate::report::decision::sentence;

const SECOND_US: i64 = 1_000_000;
/// Lines of a round on a terminal, besides the first.
const MAX_SHOWN: usize = 40;

/// Judge rules again and again, say what changes and tell the receivers.
///
/// Reads the inputs, or the store, at every round; a terminal shows each round, a pipe gets a line
/// for each alert that begins or ends. Receivers of plimsoll.toml are told, unless --rule or --now
/// is given. Exit status: 0 the time is over or nothing fires, 1 something fires (--once), 2 usage
/// or configuration, 3 cannot tell (--once), 4 unusable input, 130 interrupted.
#[derive(Args, Debug)]
pub(super) struct WatchArgs {
    /// Inputs and fields
    #[command(flatten)]
    input: InputArgs,
    /// A rule such as 'p95(duration) < 300ms', instead of those configured (can be repeated)
    #[arg(long = "rule", value_name = "EXPR")]
    rules: Vec<String>,
    /// Time from one round to the next, such as 5m [default: `interval` of `[alert]`]
    #[arg(long, value_name = "LENGTH")]
    interval: Option<String>,
    /// Time that is judged, up to the present [default: `window` of `[alert]`]
    #[arg(long, value_name = "LENGTH")]
    window: Option<String>,
    /// End after this time
    #[arg(long = "for", value_name = "LENGTH", conflicts_with = "once")]
    lasts: Option<String>,
    /// Judge once and end
    #[arg(long)]
    once: bool,
    /// End of the judged window instead of the present
    #[arg(long, value_name = "TIME", requires = "once")]
    now: Option<String>,
}

pub(super) fn run(args: &WatchArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let check =
        CheckArgs { input: args.input.clone(), rules: args.rules.clone(), ..CheckArgs::default() };
    if !args.once && check.input.inputs.iter().any(|word| word == "-") {
        let message = "standard input cannot be read again";
        return Err(Failure::new(&USAGE, message).hint("name a file, or judge it with --once"));
    }
    let mut subject = Subject::configured(&check, terminal)?;
    if let Some(interval) = duration("--interval", args.interval.as_deref())? {
        subject.set_interval(interval);
    }
    let alert = subject.config().alert;
    subject.set_window(alert.window);
    duration("--window", args.window.as_deref())?;
    let check = CheckArgs { window: args.window.clone(), ..check };
    let ends = duration("--for", args.lasts.as_deref())?.map(|lasts| Instant::now() + lasts);
    let now_us = args.now.as_deref().map(|now| when::instant("--now", now)).transpose()?;
    let mut rounds = rounds(&subject, &check, args, terminal)?;
    let mut shown = Shown::new(terminal);
    let stop = caught();
    loop {
        let next = Instant::now() + alert.interval;
        let at_us = now_us.unwrap_or_else(|| SystemClock.now_us());
        match rounds.judge(at_us, &stop) {
            Ok(Some(decision)) => {
                shown.round(at_us, &decision, &rounds)?;
                if args.once {
                    rounds.send(at_us)?;
                    return Ok(exit(&rounds, &decision));
                }
            }
            Ok(None) => {}
            // A log may be gone for a moment while it is rotated; a mistake is there at once.
            Err(failure) if shown.is_first => return Err(failure),
            Err(failure) => terminal.failure(&failure),
        }
        rounds.wait(ends.map_or(next, |ends| ends.min(next)), &stop)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(Exit::Interrupted);
        }
        if ends.is_some_and(|ends| ends <= Instant::now()) {
            return Ok(Exit::Yes);
        }
    }
}

fn duration(option: &str, text: Option<&str>) -> Result<Option<Duration>, Failure> {
    let length = text.map(|text| when::length_us(option, text)).transpose()?;
    Ok(length.map(|length_us| Duration::from_micros(length_us as u64)))
}

/// Tells the receivers if there are any, what is judged is theirs, and nobody else tells them.
fn rounds<'a>(
    subject: &'a Subject,
    check: &'a CheckArgs,
    args: &WatchArgs,
    terminal: &Terminal,
) -> Result<Rounds<'a>, Failure> {
    let is_told = args.rules.is_empty() && args.now.is_none();
    if subject.config().receivers.is_empty() || !is_told {
        return Rounds::untold(subject, check, terminal);
    }
    match Rounds::told(subject, check, terminal) {
        Err(error @ AlertError::Locked { .. }) => {
            terminal.say(&format!("note: {error}; here they are only shown"));
            Rounds::untold(subject, check, terminal)
        }
        rounds => Ok(rounds?),
    }
}

fn exit(rounds: &Rounds<'_>, decision: &Decision) -> Exit {
    if rounds.firing().next().is_some() {
        return Exit::No;
    }
    if decision.verdict == Verdict::Inconclusive { Exit::CannotTell } else { Exit::Yes }
}

/// What was said so far.
struct Shown<'a> {
    terminal: &'a Terminal,
    is_first: bool,
    /// Names of the alerts that fire.
    firing: BTreeSet<String>,
}

impl<'a> Shown<'a> {
    fn new(terminal: &'a Terminal) -> Self {
        Self { terminal, is_first: true, firing: BTreeSet::new() }
    }

    fn round(
        &mut self,
        now_us: i64,
        decision: &Decision,
        rounds: &Rounds<'_>,
    ) -> Result<(), Failure> {
        self.is_first = false;
        let at = format_ts(now_us - now_us.rem_euclid(SECOND_US));
        let changes = self.changes(rounds);
        let lines = if stdout().is_terminal() {
            let mut lines = state_of(decision, rounds);
            lines.insert(0, format!("{at}  {} firing", rounds.firing().count()));
            lines.push(String::new());
            lines
        } else {
            changes.iter().map(|change| format!("{at} {change}")).collect()
        };
        let text = lines.iter().map(|line| visible(line) + "\n");
        self.terminal.text(&text.collect::<String>())
    }

    /// A line for each alert that began or ended since the last round.
    fn changes(&mut self, rounds: &Rounds<'_>) -> Vec<String> {
        let (mut lines, mut firing) = (Vec::new(), BTreeSet::new());
        for (rule, alert) in rounds.firing() {
            let name = name(rule, alert);
            if !self.firing.remove(&name) {
                lines.push(format!("firing {}", since(rule, alert)));
            }
            firing.insert(name);
        }
        let over = std::mem::replace(&mut self.firing, firing);
        lines.extend(over.into_iter().map(|name| format!("resolved {name}")));
        lines
    }
}

/// What fires, then every other check, worst first.
fn state_of(decision: &Decision, rounds: &Rounds<'_>) -> Vec<String> {
    let firing = rounds.firing().map(|(rule, alert)| format!("✖ {}", since(rule, alert)));
    let mut lines: Vec<String> = firing.collect();
    let is_firing =
        |check: &CheckResult| matches!(check.counted(), Some(Verdict::Warn | Verdict::Fail));
    let checks = decision.checks.iter().filter(|check| !is_firing(check));
    let mut others: Vec<&CheckResult> = checks.collect();
    others.sort_by_key(|check| Reverse((check.counted(), check.verdict)));
    let said = |check: &&CheckResult| {
        format!("{} {} {}", check.verdict.shape(), check.id, sentence(check))
    };
    lines.extend(others.iter().map(said));
    let hidden = lines.len().saturating_sub(MAX_SHOWN);
    if hidden > 0 {
        lines.truncate(MAX_SHOWN);
        lines.push(format!("and {hidden} more"));
    }
    lines
}
