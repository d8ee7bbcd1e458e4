//! `plimsoll watch`: judges rules again and again, and says what changes.

use std::collections::BTreeMap;
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
use super::rounds::{Rounds, length, name};
use super::when;
use crate::alert::{Alert, AlertError};
use crate::clock::{Clock, SystemClock};
use crate::model::{Decision, Verdict, format_ts};
use crate::report::{TextStyle, decision as render};

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
    let window = args.window.clone().unwrap_or_else(|| length(alert.window));
    when::length_us("--window", &window)?;
    let check = CheckArgs { window: Some(window), ..check };
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

/// What was said so far: rule and group of the alerts that fire.
struct Shown<'a> {
    terminal: &'a Terminal,
    is_first: bool,
    firing: BTreeMap<(String, Vec<(String, String)>), String>,
}

impl<'a> Shown<'a> {
    fn new(terminal: &'a Terminal) -> Self {
        Self { terminal, is_first: true, firing: BTreeMap::new() }
    }

    fn round(
        &mut self,
        now_us: i64,
        decision: &Decision,
        rounds: &Rounds<'_>,
    ) -> Result<(), Failure> {
        self.is_first = false;
        let at = format_ts(now_us);
        if stdout().is_terminal() {
            let mut lines = vec![format!("{at}  {} firing", rounds.firing().count())];
            lines.extend(rounds.firing().map(|(rule, alert)| firing_line(rule, alert)));
            let style = TextStyle { colour: self.terminal.colour, ascii: self.terminal.ascii };
            let lines = visible(&lines.join("\n"));
            return self.terminal.text(&format!("{lines}\n{}\n", render::text(decision, style)));
        }
        let changes = self.changes(rounds);
        let lines = changes.iter().map(|line| visible(&format!("{at} {line}")) + "\n");
        self.terminal.text(&lines.collect::<String>())
    }

    /// A line for each alert that began or ended since the last round.
    fn changes(&mut self, rounds: &Rounds<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        let mut firing = BTreeMap::new();
        for (rule, alert) in rounds.firing() {
            let key = (rule.to_owned(), alert.group.clone());
            if self.firing.remove(&key).is_none() {
                lines.push(firing_line(rule, alert));
            }
            firing.insert(key, name(rule, alert));
        }
        let over = std::mem::replace(&mut self.firing, firing);
        lines.extend(over.into_values().map(|name| format!("resolved {name}")));
        lines
    }
}

fn firing_line(rule: &str, alert: &Alert) -> String {
    let (name, since) = (name(rule, alert), format_ts(alert.since_us));
    format!("firing {name} since {since}: {}", alert.summary)
}
