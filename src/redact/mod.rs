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

pub use pseudonym::{address_pseudonym, pseudonym};

/// What stands for a secret.
pub const MARK: &str = "[redacted]";

/// Longest value of a secret key that is followed to its end, in bytes; the whole rest of the
/// text is dropped if it is longer.
const MAX_VALUE_LEN: usize = 64 * 1024;

/// Everything that may need to go; the alternatives are told apart by how they begin and end.
/// Linear in the text, as all of the crate's expressions.
const PATTERN: &str = r#"(?x)
    (?P<pem>-----BEGIN\ [A-Z\ ]{0,30}PRIVATE\ KEY-----(?s-u:.*?)(?:-----END\ [A-Z\ ]{0,30}PRIVATE\ KEY-----|\z))
  | (?P<known>(?-u:\b)(?:
        eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
      | (?:AKIA|ASIA)[A-Z0-9]{16}(?-u:\b)
      | gh[pousr]_[A-Za-z0-9]{36,} | github_pat_[A-Za-z0-9_]{22,}
      | xox[abprs]-[A-Za-z0-9-]{10,}
      | [sr]k_(?:live|test)_[A-Za-z0-9]{16,} ))
  | (?P<scheme>(?i-u:\b(?:bearer|basic)[\ ]+)[A-Za-z0-9+/._~=-]{8,})
  | (?P<url>://[^\s/@:"'\\]{0,128}:[^\s/@"'\\]{1,256}@)
  | (?P<key>(?i-u:pass(?:w(?:or)?d|phrase|code|key|port)?|secret|token|authorization|cookie|api[-_]?key)
        [A-Za-z0-9_.-]{0,32}\\?["']?\s{0,4}(?:=>|[:=])\s{0,4})
  | (?P<email>[\w.%+-]{1,64}(?:@|%40)(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})
  | (?P<card>(?-u:\b)[2-6](?:[\ -]?[0-9]){12,18}(?-u:\b))
"#;

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
        let matched = found.as_bytes();
        let after = text.get(found.end()..).unwrap_or_default();
        let before = text.get(..found.start()).unwrap_or_default();
        let replacement = secret::replacement(before, matched, after, key);
        let Some(replacement) = replacement else {
            at = found.end();
            continue;
        };
        let start = found.start() + replacement.kept_len;
        out.extend_from_slice(text.get(copied..start).unwrap_or_default());
        out.extend_from_slice(replacement.text.as_bytes());
        copied = (start + replacement.cut_len).min(text.len());
        at = copied.max(found.start() + 1);
        replaced_count += 1;
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    replaced_count
}
