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
    let near = known.into_iter().filter_map(|word| {
        let distance = strsim::damerau_levenshtein(&written, &word.to_lowercase());
        let longer = written.len().max(word.len());
        (distance <= (longer / 3).max(1) && distance < longer).then_some((distance, word))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}
