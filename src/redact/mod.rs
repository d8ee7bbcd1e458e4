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
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

mod escaped;
mod personal;
mod places;
mod pseudonym;
mod secret;
#[cfg(test)]
mod tests;

use personal::PersonalFields;
use places::Places;
pub use pseudonym::{address_pseudonym, identity, pseudonym, value_pseudonym};
use secret::{Cut, Place};

/// What stands for a secret.
pub const MARK: &str = "[redacted]";

static PLACES: LazyLock<Option<Places>> = LazyLock::new(|| Places::new().ok());

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

    /// A record without its secrets, personal data as pseudonyms; borrowed when it has none.
    ///
    /// Only bytes that are matched change, so text that is UTF-8 stays UTF-8, and JSON stays JSON.
    pub fn redact<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let plain = escaped::plainly(text);
        let mut done: Option<Vec<u8>> = None;
        if let Some(names) = &self.names {
            let find = |at| names.find_at(&plain, at).map(|found| found.range());
            done = replaced(&plain, &find, &|place| place.value_of_name());
        }
        if let Some(places) = PLACES.as_ref() {
            let text = done.as_deref().unwrap_or(&plain);
            let find = |at| places.find_at(text, at);
            done = replaced(text, &find, &|place| place.cut(&self.key)).or(done);
        } else {
            // A test proves that the expression compiles; without it nothing may pass.
            done = Some(MARK.into());
        }
        if let Some(personal) = &self.personal {
            let text = done.as_deref().unwrap_or(&plain);
            let mut next = Vec::with_capacity(text.len());
            if personal.replace(text, &self.key, &mut next) > 0 {
                done = Some(next);
            }
        }
        done.map_or(Cow::Borrowed(text), Cow::Owned)
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

/// The text with the cuts made at the places that `find` finds; `None` when there is none.
fn replaced(
    text: &[u8],
    find: &dyn Fn(usize) -> Option<Range<usize>>,
    cut: &dyn Fn(Place<'_>) -> Option<Cut>,
) -> Option<Vec<u8>> {
    let mut out: Option<Vec<u8>> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = find(at) {
        // What is copied already belongs to a secret before.
        let place = Place { text, floor: copied, start: found.start, end: found.end };
        let Some(cut) = cut(place) else {
            at = found.end;
            continue;
        };
        let out = out.get_or_insert_with(|| Vec::with_capacity(text.len()));
        out.extend_from_slice(text.get(copied..cut.start).unwrap_or_default());
        out.extend_from_slice(cut.mark.as_bytes());
        copied = cut.end;
        at = cut.end.max(found.end);
    }
    let mut out = out?;
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    Some(out)
}
