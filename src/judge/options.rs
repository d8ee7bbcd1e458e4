//! What a person can do about a finding. Advice: nothing here is executed.

use crate::model::{Action, Change, FindingKind, LinkedEvent, Unit};

/// What an option is about.
pub(super) struct Situation<'a> {
    pub(super) kind: FindingKind,
    pub(super) change: &'a Change,
    pub(super) at: &'a str,
    pub(super) is_over: bool,
    pub(super) deploy: Option<&'a LinkedEvent>,
    /// Inputs as named on the command line.
    pub(super) inputs: &'a [String],
    pub(super) finding: &'a str,
}

/// Two or three options; the last is always to do nothing.
pub(super) fn options(situation: &Situation<'_>) -> Vec<Action> {
    let mut options = Vec::new();
    let change = situation.change;
    let back = format!("back to about {}", amount(change.before, change.unit));
    let stays = if situation.is_over {
        "it is over; it may come again".to_owned()
    } else {
        format!("stays at about {}", amount(change.after, change.unit))
    };
    let compare = command(situation, "compare", &["--at", situation.at]);
    let lines = ["plimsoll", "lines", situation.finding].map(str::to_owned).to_vec();
    if let Some(deploy) = situation.deploy.filter(|_| !situation.is_over) {
        options.push(Action {
            id: String::new(),
            title: format!("Roll back {}", deploy.name),
            expected: back.clone(),
            risk: "low".to_owned(),
            reversible: true,
            effort: "small".to_owned(),
            evidence: format!("the change began {} this deploy", distance(deploy.lag_s)),
            verify: compare.clone(),
        });
    }
    let (title, evidence) = match situation.kind {
        FindingKind::Latency => ("Find and fix the slow part", "the slowest records name requests"),
        FindingKind::ErrorRate => ("Find and fix the failing part", "failed records are listed"),
        FindingKind::EventRise => ("Look who or what causes the events", "the records are listed"),
        FindingKind::EventDrop => {
            ("Try the way that leads to the event yourself", "fewer events than like days had")
        }
        FindingKind::NewMessage => ("Read the message where it comes from", "it is new"),
    };
    options.push(Action {
        id: String::new(),
        title: title.to_owned(),
        expected: if situation.is_over { "it does not come again".to_owned() } else { back },
        risk: "medium".to_owned(),
        reversible: true,
        effort: "medium".to_owned(),
        evidence: evidence.to_owned(),
        verify: lines,
    });
    options.push(Action {
        id: String::new(),
        title: "Do nothing".to_owned(),
        expected: stays,
        risk: if situation.is_over { "medium" } else { "high" }.to_owned(),
        reversible: true,
        effort: "small".to_owned(),
        evidence: "later reports take the new level for usual".to_owned(),
        verify: compare,
    });
    for (number, option) in options.iter_mut().enumerate() {
        option.id = format!("O{}", number + 1);
    }
    options
}

fn command(situation: &Situation<'_>, name: &str, rest: &[&str]) -> Vec<String> {
    let words = ["plimsoll", name].into_iter();
    let inputs = situation.inputs.iter().map(String::as_str);
    words.chain(inputs).chain(rest.iter().copied()).map(str::to_owned).collect()
}

fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Ms => format!("{value:.0} ms"),
        Unit::Ratio => format!("{:.2} %", value * 100.0),
        Unit::Count | Unit::PerHour => format!("{value:.0}"),
    }
}

fn distance(lag_s: f64) -> String {
    let minutes = (lag_s.abs() / 60.0).round();
    match (lag_s < 0.0, minutes) {
        (_, 0.0) => "with".to_owned(),
        (false, minutes) => format!("{minutes} min after"),
        (true, minutes) => format!("{minutes} min before"),
    }
}
