//! Finds where a secret may be: [`PATTERN`] decides, and is asked only where it may match.
//!
//! An automaton waits for each byte before it looks at the next; of most text nothing matches, and
//! that much is told three times as fast by eight bits a byte that are shifted along (Baeza-Yates
//! and Gonnet, A New Approach to Text Searching, 1992).

use std::ops::Range;

use regex::bytes::Regex;

/// Where a secret may be; what it finds is then looked at by hand (`secret.rs`).
pub(super) const PATTERN: &str = r"(?x-u)
    (?i:pass(?:w(?:or)?d|phrase|code|key|port)?|secret|token|authorization|cookie|api[-_]?key)
  | (?i:bearer|basic)\x20
  | eyJ | AKIA | ASIA | gh[pousr]_ | github_pat_ | xox[abprs]- | [sr]k_(?:live|test)_
  | -----BEGIN\x20
  | @ | %40
  | [2-6][0-9]{3}[\x20-]?[0-9]{4}
";
/// No match of it is longer, in bytes.
const MAX_MATCH_LEN: usize = 16;

const DIGIT: &str = "0123456789";
const ANY: &str = "";
/// Bytes of a beginning.
const BEGINNING_LEN: usize = 8;
/// What the first bytes of a match may be, for eight groups of matches.
const BEGINNINGS: [[&str; BEGINNING_LEN]; 8] = [
    ["23456", DIGIT, DIGIT, DIGIT, " -0123456789", DIGIT, DIGIT, DIGIT],
    // pass, bearer, basic
    ["PpBb", "AaEe", "SsAa", "SsRrIi", ANY, ANY, ANY, ANY],
    // secret, cookie
    ["SsCc", "EeOo", "CcOo", "RrKk", "EeIi", "TtEe", ANY, ANY],
    // token, authorization
    ["TtAa", "OoUu", "KkTt", "EeHh", "NnOo", ANY, ANY, ANY],
    // api-key, gh?_, github_pat_, xox?-
    ["AaGgXx", "PpHhIiOo", "IipousrtTx", "-_KkHhabprs", ANY, ANY, ANY, ANY],
    // eyJ, AKIA, ASIA, %40
    ["eA%", "yKS4", "JI0", ANY, ANY, ANY, ANY, ANY],
    // sk_live_, rk_test_, -----BEGIN
    ["sr-", "k-", "_-", "lt-", ANY, ANY, ANY, ANY],
    ["@", ANY, ANY, ANY, ANY, ANY, ANY, ANY],
];

/// Finds the matches of [`PATTERN`].
#[derive(Debug)]
pub(super) struct Places {
    expression: Regex,
    /// For each byte, one bit a group and one byte a position: whether it does not fit there.
    misfits: [u64; 256],
}

impl Places {
    pub(super) fn new() -> Result<Self, regex::Error> {
        let mut misfits = [0; 256];
        for (byte, misfits) in (0..=u8::MAX).zip(&mut misfits) {
            for (group, beginning) in BEGINNINGS.iter().enumerate() {
                for (position, fitting) in beginning.iter().enumerate() {
                    let fits = *fitting == ANY || fitting.as_bytes().contains(&byte);
                    *misfits |= u64::from(!fits) << (8 * position + group);
                }
            }
        }
        Ok(Self { expression: Regex::new(PATTERN)?, misfits })
    }

    /// The first match that begins at `from` or after it.
    pub(super) fn find_at(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let mut from = from;
        loop {
            let start = from + self.beginning(text.get(from..)?)?;
            let near = text.get(..text.len().min(start + MAX_MATCH_LEN))?;
            match self.expression.find_at(near, start) {
                Some(found) if found.start() == start => return Some(found.range()),
                _ => from = start + 1,
            }
        }
    }

    /// Where a beginning stands first; what the end of the text cuts off fits.
    fn beginning(&self, text: &[u8]) -> Option<usize> {
        let (blocks, rest) = text.as_chunks::<BEGINNING_LEN>();
        let mut state = NOTHING_FITS;
        for (nth, block) in blocks.iter().enumerate() {
            let before = state;
            let mut seen = NOTHING_FITS;
            for byte in block {
                state = state << 8 | self.misfits_of(*byte);
                seen &= state;
            }
            if is_whole(seen) {
                let misfits = block.iter().map(|byte| self.misfits_of(*byte));
                return first_start(nth * BEGINNING_LEN, before, misfits);
            }
        }
        let misfits = rest.iter().map(|byte| self.misfits_of(*byte));
        let misfits = misfits.chain([0; BEGINNING_LEN - 1]);
        first_start(blocks.len() * BEGINNING_LEN, state, misfits)
    }

    fn misfits_of(&self, byte: u8) -> u64 {
        self.misfits.get(usize::from(byte)).copied().unwrap_or_default()
    }
}

/// A byte for each position, the first lowest: a zero where a group fits up to there.
const NOTHING_FITS: u64 = u64::MAX;

fn is_whole(state: u64) -> bool {
    state >> (8 * (BEGINNING_LEN - 1)) != 0xff
}

/// Where the first beginning starts that is whole after some of the bytes from `at` on.
fn first_start(at: usize, before: u64, misfits: impl Iterator<Item = u64>) -> Option<usize> {
    let mut state = before;
    let last = misfits.into_iter().position(|misfits| {
        state = state << 8 | misfits;
        is_whole(state)
    });
    (at + last? + 1).checked_sub(BEGINNING_LEN)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use regex::bytes::Regex;

    use super::{PATTERN, Places};

    /// The expression with nothing before it is the truth.
    fn check(text: &[u8]) {
        static BOTH: LazyLock<(Places, Regex)> =
            LazyLock::new(|| (Places::new().unwrap(), Regex::new(PATTERN).unwrap()));
        let (places, expression) = &*BOTH;
        for from in 0..=text.len() {
            let expected = expression.find_at(text, from).map(|found| found.range());
            assert_eq!(places.find_at(text, from), expected, "{from}: {}", text.escape_ascii());
        }
    }

    #[test]
    fn every_alternative_is_found_whole_and_cut() {
        let words = "password|passwd|passphrase|passcode|passkey|passport|pass|secret|token|\
                     authorization|cookie|api-key|api_key|apikey|bearer |basic |eyJ|AKIA|ASIA|\
                     ghp_|gho_|ghu_|ghs_|ghr_|github_pat_|xoxa-|xoxb-|xoxp-|xoxr-|xoxs-|sk_live_|\
                     rk_live_|sk_test_|rk_test_|-----BEGIN |@|%40|4000 1234|60001234|2999-0000";
        for word in words.split('|') {
            for text in [word.to_owned(), word.to_uppercase(), format!("0123456{word}@7654321")] {
                for end in 0..=text.len() {
                    check(text.get(..end).unwrap().as_bytes());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_has_the_places_of_the_expression(
            pieces in prop::collection::vec(
                prop_oneof![
                    "(?i)(pass|word|wd|phrase|secret|tok|en|authori|zation|cook|ie|api|_|-|key)",
                    "(?i)(bearer|basic) ?|ey?J|AK?IA|ASI?A|gh[pox]_|github_pat?_|xox[abc]-|%40?|@",
                    "[sr]k_(live|test)_?|-{3,6}(BEGIN)? ?|[0-9]{1,5}[ -]?",
                    "[ -~]{0,9}",
                ].prop_map(String::into_bytes).boxed().prop_union(
                    prop::collection::vec(any::<u8>(), 0..9).boxed(),
                ),
                0..12,
            ),
        ) {
            check(&pieces.concat());
        }
    }
}
