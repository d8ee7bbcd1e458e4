//! Takes secrets and personal data out of log text before anything of it is durable.
//!
//! Secrets (passwords, tokens, cookies, keys, card numbers, credentials in URLs) become
//! [`MARK`]; e-mail addresses become keyed pseudonyms, so that two lines of one person can still
//! be joined by whoever has the key's table, and by nobody without the key. The rest of the text,
//! and JSON as JSON, stays as it was; redacting twice changes nothing.
//!
//! Not promised: secrets without a name or a known form, such as a password in a sentence, and
//! JSON escapes inside of a key (`"pass\u0077ord"`).

use std::sync::LazyLock;

use regex::bytes::Regex;

mod pseudonym;
mod secret;
#[cfg(test)]
mod tests;

pub use pseudonym::{address_pseudonym, identity, pseudonym, value_pseudonym};
use secret::Place;

/// What stands for a secret.
pub const MARK: &str = "[redacted]";

/// Where a secret may be: a small automaton over bytes, so that most text costs one pass; what
/// it finds is then looked at by hand (`secret.rs`).
const PATTERN: &str = r"(?x-u)
    (?i:pass(?:w(?:or)?d|phrase|code|key|port)?|secret|token|authorization|cookie|api[-_]?key)
  | (?i:bearer|basic)\x20
  | eyJ | AKIA | ASIA | gh[pousr]_ | github_pat_ | xox[abprs]- | [sr]k_(?:live|test)_
  | -----BEGIN\x20
  | @ | %40
  | [2-6][0-9]{3}[\x20-]?[0-9]{4}
";

static SEARCH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERN).ok());

/// Whether a field of this name holds a secret, whatever its value.
///
/// For callers that know their fields; `redact` finds such names in text by itself.
pub fn is_secret_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let named = ["secret", "token", "authorization", "cookie", "apikey", "api_key", "api-key"];
    named.iter().any(|word| lower.contains(word)) || secret::names_password(lower.as_bytes())
}

/// Appends `text` without its secrets to `out`, e-mail addresses as pseudonyms under `key`;
/// returns how many places were replaced.
///
/// Only bytes that are matched change, so text that is UTF-8 stays UTF-8, and JSON stays JSON.
pub fn redact(text: &[u8], key: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(search) = SEARCH.as_ref() else {
        // A test proves that the expression compiles; without it nothing may pass.
        out.extend_from_slice(MARK.as_bytes());
        return 1;
    };
    let mut replaced_count = 0;
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = search.find_at(text, at) {
        // What is copied already belongs to a secret before.
        let place = Place { text, floor: copied, start: found.start(), end: found.end() };
        let Some(cut) = place.cut(key) else {
            at = found.end();
            continue;
        };
        out.extend_from_slice(text.get(copied..cut.start).unwrap_or_default());
        out.extend_from_slice(cut.mark.as_bytes());
        copied = cut.end;
        at = cut.end.max(found.end());
        replaced_count += 1;
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    replaced_count
}
