//! What a unit tells: which way is better, and how a value of it is shown.

use crate::model::Unit;

/// Units of time and of memory, in lower case, as benchmark tools write them.
const COSTS: [&str; 33] = [
    "ns",
    "us",
    "µs",
    "μs",
    "ms",
    "s",
    "min",
    "h",
    "nanosecond",
    "nanoseconds",
    "microsecond",
    "microseconds",
    "millisecond",
    "milliseconds",
    "sec",
    "second",
    "seconds",
    "minutes",
    "hours",
    "b",
    "byte",
    "bytes",
    "kb",
    "mb",
    "gb",
    "kib",
    "mib",
    "gib",
    "kilobytes",
    "megabytes",
    "gigabytes",
    "allocs",
    "instructions",
];
/// What follows the slash of a speed.
const PER_TIME: [&str; 6] = ["s", "sec", "second", "min", "minute", "h"];

/// Whether less is better; `None` where the unit does not tell.
///
/// `ms`, `ns/iter` and `B/op` are costs; `ops/sec` and `MB/s` are speeds.
pub(super) fn smaller_is_better(unit: &str) -> Option<bool> {
    let unit = unit.trim().to_lowercase();
    let (amount, per) = unit.split_once('/').unwrap_or((&unit, ""));
    if PER_TIME.contains(&per.trim()) {
        return Some(false);
    }
    COSTS.contains(&amount.trim()).then_some(true)
}

/// The unit on a page, and what a value is multiplied by to have it; `None` for a unit that pages
/// do not know, whose name must be shown beside the value.
pub(super) fn shown(unit: &str) -> Option<(Unit, f64)> {
    let unit = unit.trim().to_lowercase();
    let amount = unit.split_once('/').filter(|(_, per)| !PER_TIME.contains(per));
    let amount = amount.map_or(unit.as_str(), |(amount, _)| amount.trim());
    Some(match amount {
        "ns" | "nanosecond" | "nanoseconds" => (Unit::Ms, 1e-6),
        "us" | "µs" | "μs" | "microsecond" | "microseconds" => (Unit::Ms, 1e-3),
        "ms" | "millisecond" | "milliseconds" => (Unit::Ms, 1.0),
        "s" | "sec" | "second" | "seconds" => (Unit::Ms, 1e3),
        "min" | "minutes" => (Unit::Ms, 60e3),
        "h" | "hours" => (Unit::Ms, 3_600e3),
        "ratio" => (Unit::Ratio, 1.0),
        "%" | "percent" => (Unit::Ratio, 0.01),
        "/h" => (Unit::PerHour, 1.0),
        "" => (Unit::Count, 1.0),
        _ => return None,
    })
}

/// The name under which plimsoll's own values of a unit stand in a history.
pub(super) fn name(unit: Unit) -> &'static str {
    match unit {
        Unit::Ms => "ms",
        Unit::Ratio => "ratio",
        Unit::Count => "",
        Unit::PerHour => "/h",
    }
}

#[cfg(test)]
mod tests {
    use super::{Unit, name, shown, smaller_is_better};

    #[test]
    fn a_unit_that_pages_know_is_shown_as_they_do() {
        for (unit, want) in [
            ("ns/iter", Some((Unit::Ms, 1e-6))), // per iteration is what is measured
            (" Seconds", Some((Unit::Ms, 1e3))),
            ("Percent", Some((Unit::Ratio, 0.01))),
            ("", Some((Unit::Count, 1.0))),
            ("MB/s", None), // a speed is no time
            ("ms/s", None),
            ("points", None),
        ] {
            assert_eq!(shown(unit), want, "{unit}");
        }
        for unit in [Unit::Ms, Unit::Ratio, Unit::Count, Unit::PerHour] {
            assert_eq!(shown(name(unit)), Some((unit, 1.0)), "what is written is read again");
        }
    }

    #[test]
    fn a_unit_tells_what_is_better() {
        for cost in ["ms", " ns/iter", "ns/op", "B/op", "µs", "MiB", "Seconds", "allocs/op"] {
            assert_eq!(smaller_is_better(cost), Some(true), "{cost}");
        }
        for speed in ["ops/sec", "iter/sec", "MB/s", "/s", "req/min"] {
            assert_eq!(smaller_is_better(speed), Some(false), "{speed}");
        }
        for silent in ["", "%", "points", "Percent", "x/y", "/"] {
            assert_eq!(smaller_is_better(silent), None, "{silent}");
        }
    }
}
