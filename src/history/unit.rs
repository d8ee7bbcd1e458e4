//! Which way is better, as far as a unit tells.

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

#[cfg(test)]
mod tests {
    use super::smaller_is_better;

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
