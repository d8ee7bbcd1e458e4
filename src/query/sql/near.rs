//! Names that are close to a mistyped one.

/// Suggestions shown at most.
const MAX_NEAR: usize = 3;
/// Candidates looked at; a log can have thousands of fields.
const MAX_CANDIDATES: usize = 2_000;

/// The candidates closest to `name`, best first, ties by name.
pub(super) fn near(name: &str, candidates: impl Iterator<Item = String>) -> Vec<String> {
    let name = name.to_lowercase();
    let mut close: Vec<(usize, String)> = candidates
        .take(MAX_CANDIDATES)
        .filter_map(|candidate| {
            let lower = candidate.to_lowercase();
            // The last part of a path is what people remember of it.
            let last_part = lower.rsplit('.').next().unwrap_or(&lower);
            let edits = distance(&name, &lower).min(1 + distance(&name, last_part));
            (edits <= name.chars().count().div_ceil(3)).then_some((edits, candidate))
        })
        .collect();
    close.sort();
    close.dedup();
    close.into_iter().take(MAX_NEAR).map(|(_, candidate)| candidate).collect()
}

/// The end of an error message that offers names.
pub(super) fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    format!("; did you mean {}?", names.join(" or "))
}

/// Edits between two words: characters inserted, deleted, replaced, or swapped with the next.
///
/// Source: optimal string alignment, Boytsov 2011, section 2.2.1.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (row, a) in a.chars().enumerate() {
        let mut now = vec![row + 1];
        let mut previous_b = None;
        for (column, &b) in b.iter().enumerate() {
            let value = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut best = (value(&last, column) + usize::from(a != b))
                .min(value(&last, column + 1) + 1)
                .min(value(&now, column) + 1);
            if previous_a == Some(b) && previous_b == Some(a) {
                best = best.min(value(&before_last, column.saturating_sub(1)) + 1);
            }
            now.push(best);
            previous_b = Some(b);
        }
        before_last = std::mem::replace(&mut last, now);
        previous_a = Some(a);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, near};

    #[test]
    fn distance_counts_edits_and_swaps() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("route", "route", 0),
            ("route", "rotue", 1), // a swap is one slip
            ("status", "statsu", 1),
            ("duration", "duratoin_ms", 4),
            ("año", "ano", 1), // characters, not bytes
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    #[test]
    fn only_close_names_are_offered() {
        let names = ["region", "http.bytes", "reason", "status"];
        let check = |name: &str, expected: &[&str]| {
            assert_eq!(near(name, names.iter().map(ToString::to_string)), expected, "{name}");
        };
        check("regoin", &["region"]);
        check("bytes", &["http.bytes"]);
        check("zzzz", &[]);
        check("", &[]);
    }
}
