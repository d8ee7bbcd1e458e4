//! The word that somebody probably meant.

/// The one of `known` that was probably meant; `None` when nothing is near.
///
/// Nearness is Damerau-Levenshtein on lower-case letters, at most a third of the longer word, or
/// one letter of two.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longest word that is compared, in bytes; comparing costs the product of both lengths.
    const MAX_WORD_LEN: usize = 80;
    if written.len() > MAX_WORD_LEN {
        return None;
    }
    let written = written.to_lowercase();
    let near = known.into_iter().filter(|word| word.len() <= MAX_WORD_LEN).filter_map(|word| {
        let lower = word.to_lowercase();
        let distance = strsim::damerau_levenshtein(&written, &lower);
        let longer = written.chars().count().max(lower.chars().count());
        (distance <= (longer / 3).max(1) && distance < longer).then_some((distance, word))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_is_near_is_measured_in_letters() {
        let known = ["count", "größe", "id"];
        for (written, want, why) in [
            ("cuont", Some("count"), "two letters swapped"),
            ("COUNTS", Some("count"), "one more, in another case"),
            ("grösse", Some("größe"), "two of six"),
            ("éééunt", None, "three of six are too many, though they are nine bytes"),
            ("ix", Some("id"), "one letter of two"),
            ("x", None, "no letter in common"),
            ("", None, "nothing is near to nothing"),
        ] {
            assert_eq!(nearest(written, known), want, "{written}: {why}");
        }
        let long = "x".repeat(80);
        assert_eq!(nearest(&long, [format!("{long}x").as_str()]), None, "too long to compare");
    }
}
