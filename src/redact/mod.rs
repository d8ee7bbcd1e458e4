//! Takes secrets and personal data out of log text before anything of it is durable.
//!
//! Secrets (passwords, tokens, cookies, keys, card numbers, credentials in URLs, and what has one
//! of the configured names) become [`MARK`]; e-mail addresses and the configured personal fields
//! become keyed pseudonyms, so that two lines of one person can still be joined by whoever has
//! the key's table, and by nobody without the key. The rest of the text, and JSON as JSON, stays
//! as it was; text that was redacted twice changes no more. Letters that JSON writes as `\u0077` are seen; where
//! something is taken out, they are written plainly.
//!
//! Not promised: secrets without a name or a known form, such as a password in a sentence; the
//! columns of CSV, whose lines do not say their names; letters that are escaped twice.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::Regex;

mod escaped;
mod personal;
mod pseudonym;
mod secret;
#[cfg(test)]
mod tests;

use personal::PersonalFields;
pub use pseudonym::{address_pseudonym, identity, pseudonym, value_pseudonym};
use secret::{Cut, Place};

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

/// Knows what is to be taken out, and the key of the pseudonyms.
#[derive(Debug)]
pub struct Redactor {
    key: Vec<u8>,
    /// Names of secrets besides the usual ones.
    names: Option<Regex>,
    personal: Option<PersonalFields>,
}

impl Redactor {
    /// Takes out the usual secrets, those whose name has one of `secret_names` in it, and the
    /// values of `personal_fields`, which are paths or the ends of paths. `pin_code`, `pin-code`
    /// and `pinCode` are one name.
    ///
    /// # Errors
    /// When there are more names than an expression can hold.
    pub fn new(
        key: &[u8],
        secret_names: &[String],
        personal_fields: &[String],
    ) -> Result<Self, regex::Error> {
        let names: Vec<String> = secret_names.iter().map(|name| any_spelling(name)).collect();
        let names = (!names.is_empty()).then(|| Regex::new(&format!("(?i-u:{})", names.join("|"))));
        let personal = (!personal_fields.is_empty()).then(|| PersonalFields::new(personal_fields));
        Ok(Self { key: key.to_vec(), names: names.transpose()?, personal: personal.transpose()? })
    }

    /// The identity of a record, see [`identity`].
    pub fn identity(&self, values: &[String]) -> String {
        identity(&self.key, values)
    }

    /// Whether several lines may be redacted as one text: what is looked for knows no structure.
    pub fn takes_lines(&self, text: &[u8]) -> bool {
        self.personal.is_none() && !escaped::has_escapes(text)
    }

    /// Appends a record without its secrets to `out`, personal data as pseudonyms; returns how
    /// many places were replaced.
    ///
    /// Only bytes that are matched change, so text that is UTF-8 stays UTF-8, and JSON stays JSON.
    pub fn redact(&self, text: &[u8], out: &mut Vec<u8>) -> usize {
        let mut replaced_count = 0;
        let mut done = escaped::plainly(text);
        if let Some(names) = &self.names {
            let mut next = Vec::with_capacity(done.len());
            replaced_count += replace(&done, names, &|place| place.value_of_name(), &mut next);
            done = Cow::Owned(next);
        }
        let mut next = Vec::with_capacity(done.len());
        if let Some(search) = SEARCH.as_ref() {
            let cut = |place: Place<'_>| place.cut(&self.key);
            replaced_count += replace(&done, search, &cut, &mut next);
        } else {
            // A test proves that the expression compiles; without it nothing may pass.
            next.extend_from_slice(MARK.as_bytes());
            replaced_count += 1;
        }
        if let Some(personal) = &self.personal {
            let text = std::mem::take(&mut next);
            replaced_count += personal.replace(&text, &self.key, &mut next);
        }
        out.extend_from_slice(if replaced_count == 0 { text } else { &next });
        replaced_count
    }
}

/// A name without what its spellings differ by: case, `_` and `-`.
fn spelling(name: &str) -> String {
    let plain: String = name.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    if plain.is_empty() { name.to_owned() } else { plain.to_lowercase() }
}

/// An expression for every spelling of a name, or of the names of a path.
fn any_spelling(path: &str) -> String {
    let any = |name: &str| {
        let name = spelling(name);
        let letters = name.chars().map(|c| regex::escape(&c.to_string()));
        letters.collect::<Vec<String>>().join("[_-]?")
    };
    path.split('.').map(any).collect::<Vec<String>>().join(r"\.")
}

/// Copies `text` to `out` with the cuts made at the places that are found; returns their number.
fn replace(
    text: &[u8],
    search: &Regex,
    cut: &dyn Fn(Place<'_>) -> Option<Cut>,
    out: &mut Vec<u8>,
) -> usize {
    let mut replaced_count = 0;
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = search.find_at(text, at) {
        // What is copied already belongs to a secret before.
        let place = Place { text, floor: copied, start: found.start(), end: found.end() };
        let Some(cut) = cut(place) else {
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
