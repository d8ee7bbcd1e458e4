//! Which pieces make sense together: units, fields and bounds.
//!
//! Each check looks at one piece and tells one mistake, or none.

use std::time::Duration;

use super::ast::{Cmp, Field, Limit, Measure, Span, Term, UsualMethod, Value};
use super::column::{self, Holds};
use super::mistake::{Mistake, did_you_mean, quote};
use super::quantity::{NoQuantity, Quantity};
use crate::model::{Severity, nearest};

/// Longest time that a rule can wait before it counts.
const MAX_HOLD: Duration = Duration::from_hours(24 * 30);
/// Largest factor of a usual range: beyond it nothing is unusual.
const MAX_FACTOR: f64 = 100.0;
/// Largest rate of false alarms, in per cent: with more, most windows would be unusual.
const MAX_RATE: f64 = 50.0;
/// What is suggested for an unknown severity.
const SEVERITIES: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];

/// Where the parts of a term stand that can be wrong together.
pub(super) struct TermSpans {
    pub cmp: Span,
    pub limit: Span,
}

/// What a measure is, and so which limits it can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Time,
    Age,
    Number,
    /// A key of the record: number or time.
    Own,
    /// How many: whole and not negative.
    Count,
    /// How many that the baseline does not have.
    New,
    Rate,
    Share,
    /// Per cent of the baseline, can be negative.
    Shift,
    /// 0 to 1.
    Score,
}

impl Kind {
    fn of(measure: &Measure) -> Self {
        match measure {
            Measure::Quantile { field, .. }
            | Measure::Average(field)
            | Measure::Max(field)
            | Measure::Min(field)
            | Measure::Sum(field) => match column::holds(&field.name) {
                Holds::Time => Self::Time,
                Holds::Own => Self::Own,
                _ => Self::Number,
            },
            Measure::Count | Measure::Distinct(_) => Self::Count,
            Measure::Rate => Self::Rate,
            Measure::Share(_) => Self::Share,
            Measure::Shift(_) => Self::Shift,
            Measure::Age => Self::Age,
            Measure::New(_) => Self::New,
            Measure::Novelty(_) => Self::Score,
        }
    }

    /// The limits that it takes.
    fn need(self) -> &'static str {
        match self {
            Self::Time => "a time of 0 or more such as `300ms`",
            Self::Age => "a time of 0 or more such as `2h`",
            Self::Number => "a plain number",
            Self::Own => "a plain number, or a time of 0 or more such as `300ms`",
            Self::Count | Self::New => "a whole number of 0 or more",
            Self::Rate => "a rate of 0 or more such as `5/s` or `5/min`",
            Self::Share => "`0%` to `100%`",
            Self::Shift => "per cent such as `10%`",
            Self::Score => "a number from 0 to 1",
        }
    }

    fn takes(self, limit: Quantity) -> bool {
        let value = limit.value();
        match (self, limit) {
            (Self::Time | Self::Age | Self::Own, Quantity::Time(_))
            | (Self::Rate, Quantity::Rate(..)) => value >= 0.0,
            (Self::Number | Self::Own, Quantity::Number(_))
            | (Self::Shift, Quantity::Percent(_)) => true,
            (Self::Count | Self::New, Quantity::Number(_)) => value >= 0.0 && value.fract() == 0.0,
            (Self::Share, Quantity::Percent(_)) => (0.0..=100.0).contains(&value),
            (Self::Score, Quantity::Number(_)) => (0.0..=1.0).contains(&value),
            _ => false,
        }
    }

    /// Whether no value that there can be is beyond the limit.
    fn can_never_hold(self, cmp: Cmp, limit: f64) -> bool {
        let most = match self {
            Self::Number | Self::Own | Self::Shift => return false,
            Self::Share => 100.0,
            Self::Score => 1.0,
            Self::Time | Self::Age | Self::Count | Self::New | Self::Rate => f64::INFINITY,
        };
        (cmp == Cmp::Less && limit <= 0.0) || (cmp == Cmp::More && limit >= most)
    }

    fn takes_offset(self, offset: Quantity) -> bool {
        match offset {
            Quantity::Percent(_) => true,
            Quantity::Points(_) => self == Self::Share,
            Quantity::Time(_) => matches!(self, Self::Time | Self::Own),
            Quantity::Number(_) => matches!(self, Self::Number | Self::Own | Self::Count),
            Quantity::Rate(..) => self == Self::Rate,
        }
    }

    /// What to write instead of a limit that is not taken.
    fn meant(self, limit: Quantity) -> Option<String> {
        match (self, limit) {
            (Self::Time, Quantity::Number(value)) => Some(format!("{value}ms")),
            (Self::Age, Quantity::Number(value)) => Some(format!("{value}h")),
            // A share is often written as a fraction.
            (Self::Share, Quantity::Number(value)) if (0.0..=1.0).contains(&value) => {
                Some(format!("{}%", (value * 1e8).round() / 1e6))
            }
            (Self::Share, Quantity::Number(value) | Quantity::Points(value))
                if (0.0..=100.0).contains(&value) =>
            {
                Some(format!("{value}%"))
            }
            (Self::Shift, Quantity::Number(value) | Quantity::Points(value)) => {
                Some(format!("{value}%"))
            }
            (Self::Rate, Quantity::Number(value)) if value >= 0.0 => Some(format!("{value}/s")),
            (Self::Score, Quantity::Percent(value)) if (0.0..=100.0).contains(&value) => {
                Some(format!("{}", value / 100.0))
            }
            _ => None,
        }
    }
}

/// Whether measure, comparison and limit agree.
pub(super) fn term(term: &Term, spans: &TermSpans) -> Option<Mistake> {
    let kind = Kind::of(&term.measure);
    let measure = quote(&term.measure.to_string());
    if let Limit::Literal(limit) = term.limit
        && !kind.takes(limit)
    {
        let message = format!("{measure} needs {} as its limit, not `{limit}`", kind.need());
        let help = kind.meant(limit).map(|meant| did_you_mean(&meant));
        return Some(Mistake::new(spans.limit, message).maybe_help(help));
    }
    if let Limit::Literal(limit) = term.limit
        && kind.can_never_hold(term.cmp, limit.value())
    {
        let message = format!("{measure} is never `{} {limit}`", term.cmp);
        return Some(Mistake::new(spans.limit, message));
    }
    let is_level = !matches!(term.limit, Limit::Literal(_));
    if is_level && let Some(reason) = no_baseline(kind) {
        let message = format!("{measure} {reason}, it needs a number as its limit");
        return Some(Mistake::new(spans.limit, message));
    }
    let is_equality = matches!(term.cmp, Cmp::Equal | Cmp::NotEqual);
    let is_whole = matches!(kind, Kind::Count | Kind::New) && !is_level;
    if is_equality && !is_whole {
        let message = format!("{measure} is hardly ever exactly equal to anything");
        let help = "compare with `<`, `<=`, `>` or `>=`";
        return Some(Mistake::new(spans.cmp, message).help(help));
    }
    no_offset(kind, &measure, term.limit.offset()?, spans.limit)
}

fn no_baseline(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Shift | Kind::New => Some("is taken against the baseline already"),
        Kind::Score => Some("is a score of its own course"),
        Kind::Age => Some("is one time and has no baseline"),
        _ => None,
    }
}

fn no_offset(kind: Kind, measure: &str, offset: Quantity, span: Span) -> Option<Mistake> {
    let shown = if offset.value() < 0.0 { offset.negated() } else { offset };
    if !kind.takes_offset(offset) {
        let own = match kind {
            Kind::Time => " or a time such as `20ms`",
            Kind::Number | Kind::Count => " or a plain number",
            Kind::Own => ", a plain number or a time",
            Kind::Rate => " or a rate such as `5/s`",
            Kind::Share => " or points such as `0.5pt`",
            _ => "",
        };
        let message = format!("{measure} needs an offset in per cent{own}, not `{shown}`");
        let meant =
            matches!(shown, Quantity::Number(_)).then(|| did_you_mean(&format!("{shown}%")));
        return Some(Mistake::new(span, message).maybe_help(meant));
    }
    let is_nothing = matches!(offset, Quantity::Percent(percent) if percent <= -100.0);
    is_nothing.then(|| {
        let message = format!("`- {shown}` leaves nothing of the level, must be less than `100%`");
        Mistake::new(span, message)
    })
}

/// Whether a measure can be taken of its field; `name` is where the measure's name stands.
pub(super) fn measure(measure: &Measure, name: Span) -> Option<Mistake> {
    let field = measure.field()?;
    let holds = column::holds(&field.name);
    if let Measure::Quantile { percent, .. } = measure
        && !(0.0 < *percent && *percent < 100.0)
    {
        let instead = if *percent >= 100.0 { "max" } else { "min" };
        let message =
            format!("`p{percent}` is no quantile, must be more than p0 and less than p100");
        return Some(Mistake::new(name, message).help(format!("write `{instead}({field})`")));
    }
    match measure {
        Measure::New(_) => return group(field),
        Measure::Distinct(_) if holds == Holds::Moment => return Some(moment(field)),
        Measure::Distinct(_) => return None,
        _ => {}
    }
    match holds {
        Holds::Time | Holds::Number | Holds::Own => None,
        Holds::Moment => Some(moment(field)),
        Holds::Severity | Holds::Label | Holds::Text => {
            let message = format!("`{field}` holds text, a number or a time is needed");
            let help = format!("`distinct({field})` counts its values");
            Some(Mistake::new(field.span, message).help(help))
        }
    }
}

/// Whether a field has few values, so that each can be told apart.
pub(super) fn group(field: &Field) -> Option<Mistake> {
    let (message, help) = match column::holds(&field.name) {
        Holds::Label | Holds::Severity | Holds::Own => return None,
        Holds::Number if field.name == "status" => return None,
        Holds::Moment => return Some(moment(field)),
        Holds::Text => ("is different in nearly every row", "`template`, `route` or `version`"),
        Holds::Time | Holds::Number => ("holds numbers", "`template`, `route` or `version`"),
    };
    let message = format!("`{field}` {message}, a field of few values is needed");
    Some(Mistake::new(field.span, message).help(format!("such fields are {help}")))
}

fn moment(field: &Field) -> Mistake {
    let message = format!("`{field}` cannot stand in a rule");
    Mistake::new(field.span, message).help("the window says which time is judged")
}

/// Whether `FIELD CMP VALUE` makes sense.
pub(super) fn comparison(
    field: &Field,
    cmp: Cmp,
    sign: Span,
    placed: &(Value, Span),
) -> Option<Mistake> {
    if let Some(mistake) = value(field, placed) {
        return Some(mistake);
    }
    let has_order = column::holds(&field.name) == Holds::Severity
        || !matches!(placed.0, Value::Text(_))
        || matches!(cmp, Cmp::Equal | Cmp::NotEqual);
    (!has_order).then(|| {
        let message =
            format!("texts have no order, {} cannot be `{cmp}` one", quote(&field.to_string()));
        let help = "texts are compared with `=`, `!=`, `in`, `like` and `~`";
        Mistake::new(sign, message).help(help)
    })
}

/// Whether a field can have a value.
pub(super) fn value(field: &Field, (value, span): &(Value, Span)) -> Option<Mistake> {
    let holds = column::holds(&field.name);
    let (need, meant) = match (holds, value) {
        (Holds::Moment, _) => return Some(moment(field)),
        (Holds::Severity, Value::Text(text)) => return severity(text, *span),
        (Holds::Severity, _) => ("a severity in quotes such as `\"warn\"`", None),
        (Holds::Time, Value::Number(number)) => {
            ("a time with its unit", Some(format!("{number}ms")))
        }
        (Holds::Time, Value::Text(_)) => ("a time without quotes such as `300ms`", None),
        (Holds::Number, Value::Text(text)) => {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite());
            ("a number without quotes", number.map(|number| number.to_string()))
        }
        (Holds::Number, Value::Time(_)) => ("a number without a unit", None),
        (Holds::Label | Holds::Text, Value::Number(_) | Value::Time(_)) => {
            ("text in quotes", Some(format!("\"{value}\"")))
        }
        (Holds::Time, Value::Time(_))
        | (Holds::Number, Value::Number(_))
        | (Holds::Label | Holds::Text, Value::Text(_))
        | (Holds::Own, _) => return None,
    };
    let message = format!("`{field}` needs {need}, not {}", quote(&value.to_string()));
    let help = meant.map(|meant| did_you_mean(&meant));
    Some(Mistake::new(*span, message).maybe_help(help))
}

fn severity(text: &str, span: Span) -> Option<Mistake> {
    if Severity::from_text(text.as_bytes()) != Severity::UNKNOWN {
        return None;
    }
    let all = || format!("severities are `\"{}\"`", SEVERITIES.join("\"`, `\""));
    let help = nearest(text, SEVERITIES).map(|meant| did_you_mean(&format!("\"{meant}\"")));
    let message = format!("{} is no severity", quote(&format!("\"{text}\"")));
    Some(Mistake::new(span, message).help(help.unwrap_or_else(all)))
}

/// Whether a field holds what patterns are about.
pub(super) fn pattern(field: &Field, span: Span) -> Option<Mistake> {
    match column::holds(&field.name) {
        Holds::Label | Holds::Text | Holds::Own | Holds::Severity => None,
        Holds::Moment => Some(moment(field)),
        Holds::Time | Holds::Number => {
            let message = format!("`{field}` holds numbers, a pattern is about texts");
            Some(Mistake::new(span, message).help("compare with `<`, `<=`, `>`, `>=` or `=`"))
        }
    }
}

/// Whether a text can be written in one line.
pub(super) fn text(text: &str, span: Span) -> Option<Mistake> {
    text.contains(char::is_control)
        .then(|| Mistake::new(span, "a text must be one line without control characters"))
}

/// The parameter of a usual range.
pub(super) fn usual(method: UsualMethod, quantity: Quantity, span: Span) -> Result<f64, Mistake> {
    let (max, parameter) = match quantity {
        Quantity::Percent(percent) if method.is_rate() => (MAX_RATE, percent),
        Quantity::Number(factor) if !method.is_rate() => (MAX_FACTOR, factor),
        _ => (0.0, 0.0),
    };
    if 0.0 < parameter && parameter <= max {
        return Ok(parameter);
    }
    let need = if method.is_rate() {
        format!("a rate of false alarms of more than `0%` and at most `{MAX_RATE}%`")
    } else {
        format!("a factor of more than 0 and at most {MAX_FACTOR}")
    };
    let meant = match quantity {
        Quantity::Number(rate) if method.is_rate() => Some(format!("{rate}%")),
        Quantity::Percent(factor) if !method.is_rate() => Some(factor.to_string()),
        _ => None,
    };
    let message = format!("`usual({method}, …)` needs {need}, not `{quantity}`");
    Err(Mistake::new(span, message).maybe_help(meant.map(|meant| did_you_mean(&meant))))
}

/// How long a rule must be broken; exact to the millisecond.
pub(super) fn hold(quantity: Quantity, span: Span) -> Result<Duration, Mistake> {
    let hold = match quantity {
        Quantity::Time(ms) => Duration::from_millis(ms.round() as u64),
        _ => Duration::ZERO,
    };
    if !hold.is_zero() && hold <= MAX_HOLD {
        return Ok(hold);
    }
    let message =
        format!("`for` needs a time of more than `0s` and at most `30d`, not `{quantity}`");
    let meant = matches!(quantity, Quantity::Number(_)).then(|| format!("{quantity}m"));
    Err(Mistake::new(span, message).maybe_help(meant.map(|meant| did_you_mean(&meant))))
}

/// Why a number with its unit could not be read.
pub(super) fn no_quantity(no: NoQuantity, digits: &str, unit: &str, span: Span) -> Mistake {
    let written = quote(&format!("{digits}{unit}"));
    if no == NoQuantity::Number {
        let message = format!("{written} is no number");
        return Mistake::new(span, message).help("numbers are such as `300`, `0.5` or `1_000_000`");
    }
    let units = "units are `ns`, `us`, `ms`, `s`, `m` or `min`, `h`, `d`, `w`, `%`, `pt`, and \
                 `/s`, `/min`, `/h`, `/d`";
    let help = quantity_meant(digits, &unit.to_ascii_lowercase());
    let help = help.map_or_else(|| units.to_owned(), |meant| did_you_mean(&meant));
    Mistake::new(span, format!("the unit of {written} is not known")).help(help)
}

/// Whether a word behind a number is a unit, or meant to be one.
pub(super) fn is_unit(word: &str) -> bool {
    quantity_meant("1", &word.to_ascii_lowercase()).is_some()
}

fn quantity_meant(digits: &str, unit: &str) -> Option<String> {
    let unit = match unit {
        "xx" => {
            let class: u32 = digits.parse().ok().filter(|class| (1..=5).contains(class))?;
            return Some(format!("status >= {class}00 and status < {}00", class + 1));
        }
        "k" if !digits.contains('.') => "_000",
        "sec" | "secs" | "second" | "seconds" => "s",
        "mins" | "minute" | "minutes" => "min",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "week" | "weeks" => "w",
        "msec" | "millis" | "millisecond" | "milliseconds" => "ms",
        "usec" | "micros" | "microseconds" => "us",
        "percent" | "pct" => "%",
        "pp" | "ppt" | "pts" | "points" => "pt",
        "rps" | "qps" | "/sec" | "/second" => "/s",
        "rpm" | "/minute" => "/min",
        "/hour" => "/h",
        "/day" => "/d",
        lower if Quantity::read("1", lower).is_ok() => lower,
        _ => return None,
    };
    Some(format!("{digits}{unit}"))
}
