//! The values of personal fields become pseudonyms: in JSON, also cut or inside of other text, and
//! in `name=value`.
//!
//! A field is meant by its path or the end of it, such as `student.name` of `ctx.student.name`, in
//! any spelling: too much is better taken out than too little. Of an object or a list all values
//! are meant.

use regex::bytes::Regex;
use rustc_hash::FxHashSet;

use super::pseudonym::value_pseudonym;
use super::secret::{Quotes, quoted_len, value_len};
use super::{MARK, any_spelling, spelling};

/// JSON in text in JSON is looked into so often.
const MAX_DEPTH: usize = 3;

/// The configured fields.
#[derive(Debug)]
pub(super) struct PersonalFields {
    paths: FxHashSet<String>,
    /// Length of the longest path, so that deep nesting costs no more than it.
    longest: usize,
    pairs: Regex,
}

impl PersonalFields {
    pub(super) fn new(paths: &[String]) -> Result<Self, regex::Error> {
        let names: Vec<String> = paths.iter().map(|path| any_spelling(path)).collect();
        let pairs = Regex::new(&format!("(?i-u)(?:^|[^A-Za-z0-9_-])(?:{})=", names.join("|")))?;
        let paths: FxHashSet<String> = paths.iter().map(|path| spelled(path)).collect();
        let longest = paths.iter().map(String::len).max().unwrap_or(0);
        Ok(Self { paths, longest, pairs })
    }

    /// Copies a record with its personal values replaced; returns how many there were.
    pub(super) fn replace(&self, text: &[u8], key: &[u8], out: &mut Vec<u8>) -> usize {
        let mut inner = Vec::with_capacity(text.len());
        let count = self.in_json(text, key, 0, &mut inner);
        count + self.in_pairs(&inner, key, out)
    }

    /// Replaces in every object or list that stands in the text.
    fn in_json(&self, text: &[u8], key: &[u8], depth: usize, out: &mut Vec<u8>) -> usize {
        let (mut count, mut at) = (0, 0);
        while let Some(opens) = text.get(at..).and_then(|rest| memchr::memchr2(b'{', b'[', rest)) {
            out.extend_from_slice(text.get(at..at + opens).unwrap_or_default());
            let rest = text.get(at + opens..).unwrap_or_default();
            let mut walk = Walk { fields: self, key, depth, text: rest, copied: 0, out, count: 0 };
            let len = walk.value();
            count += walk.count;
            at += opens + len;
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        count
    }

    fn in_pairs(&self, text: &[u8], key: &[u8], out: &mut Vec<u8>) -> usize {
        let (mut count, mut copied) = (0, 0);
        while let Some(found) = self.pairs.find_at(text, copied) {
            let rest = text.get(found.end()..).unwrap_or_default();
            let (len, quotes) = value_len(rest, false);
            let value = rest.get(..len).unwrap_or_default();
            let (quote, inner) = match quotes {
                Quotes::None => ("", value),
                Quotes::Double => ("\"", within(value, b"\"")),
                Quotes::Single => ("'", within(value, b"'")),
                Quotes::Escaped => ("\\\"", within(value, b"\\\"")),
            };
            out.extend_from_slice(text.get(copied..found.end()).unwrap_or_default());
            copied = found.end() + len;
            match pseudonym_of(&String::from_utf8_lossy(inner), key) {
                Some(name) => {
                    count += 1;
                    out.extend_from_slice(format!("{quote}{name}{quote}").as_bytes());
                }
                None => out.extend_from_slice(value),
            }
        }
        out.extend_from_slice(text.get(copied..).unwrap_or_default());
        count
    }
}

/// A path with the spelling of each of its names.
fn spelled(path: &str) -> String {
    path.split('.').map(spelling).collect::<Vec<_>>().join(".")
}

fn within<'t>(value: &'t [u8], quote: &[u8]) -> &'t [u8] {
    let value = value.strip_prefix(quote).unwrap_or(value);
    value.strip_suffix(quote).unwrap_or(value)
}

/// The pseudonym of a value, unless there is none or it is one already.
fn pseudonym_of(value: &str, key: &[u8]) -> Option<String> {
    let value = value.trim();
    let is_hex = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let known = ["u_", "a_", "p_"].iter().any(|it| value.strip_prefix(it).is_some_and(is_hex));
    let is_word = matches!(value, "" | "null" | "true" | "false");
    (!known && !is_word && value != MARK).then(|| value_pseudonym(key, value))
}

/// One JSON value being copied. Takes whatever stands there: a record may be cut.
struct Walk<'a> {
    fields: &'a PersonalFields,
    key: &'a [u8],
    depth: usize,
    text: &'a [u8],
    copied: usize,
    out: &'a mut Vec<u8>,
    count: usize,
}

/// An object or list that is open.
struct Open {
    is_list: bool,
    /// All values in it are meant.
    is_personal: bool,
    /// Length of the path to it.
    path_len: usize,
}

impl Walk<'_> {
    /// Copies the value that the text begins with; returns its length.
    fn value(&mut self) -> usize {
        let (mut open, mut path): (Vec<Open>, String) = (Vec::new(), String::new());
        let (mut at, mut names_next) = (0, false);
        while let Some(byte) = self.text.get(at).copied() {
            let here = open.last();
            let is_personal = here.is_some_and(|here| here.is_personal);
            match byte {
                b'{' | b'[' => {
                    let is_list = byte == b'[';
                    let is_personal = is_personal || self.is_meant(&path);
                    open.push(Open { is_list, is_personal, path_len: path.len() });
                    names_next = !is_list;
                    at += 1;
                }
                b'}' | b']' => {
                    at += 1;
                    if let Some(closed) = open.pop() {
                        path.truncate(closed.path_len);
                    }
                    if open.is_empty() {
                        break;
                    }
                }
                b',' => {
                    path.truncate(here.map_or(0, |here| here.path_len));
                    names_next = here.is_some_and(|here| !here.is_list);
                    at += 1;
                }
                b'"' => {
                    let rest = self.text.get(at + 1..).unwrap_or_default();
                    let end = at + 1 + quoted_len(rest, b'"');
                    if names_next {
                        path.truncate(here.map_or(0, |here| here.path_len));
                        path.push_str(if path.is_empty() { "" } else { "." });
                        path.push_str(&spelled(&self.string(at, end)));
                        names_next = false;
                    } else if is_personal || self.is_meant(&path) {
                        let value = self.string(at, end);
                        self.personal(at, end, &value);
                    } else {
                        self.inside(at, end);
                    }
                    at = end;
                }
                b':' | b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                _ => {
                    let rest = self.text.get(at..).unwrap_or_default();
                    let is_end = |b: &u8| b.is_ascii_whitespace() || b",:]}[{\"".contains(b);
                    let end = at + rest.iter().position(is_end).unwrap_or(rest.len()).max(1);
                    if is_personal || self.is_meant(&path) {
                        let value =
                            String::from_utf8_lossy(rest.get(..end - at).unwrap_or_default());
                        self.personal(at, end, &value);
                    }
                    at = end;
                }
            }
        }
        self.copy_to(at);
        at
    }

    /// Whether a path ends with one of the fields'.
    fn is_meant(&self, path: &str) -> bool {
        let is_known =
            |from: usize| path.get(from..).is_some_and(|it| self.fields.paths.contains(it));
        let first = path.len().saturating_sub(self.fields.longest);
        let before = first.saturating_sub(1);
        let tail = path.as_bytes().get(before..).unwrap_or_default();
        first == 0 && is_known(0)
            || memchr::memchr_iter(b'.', tail).any(|dot| is_known(before + dot + 1))
    }

    /// The text of a JSON string.
    fn string(&self, start: usize, end: usize) -> String {
        let quoted = self.text.get(start..end).unwrap_or_default();
        serde_json::from_slice(quoted)
            .unwrap_or_else(|_| String::from_utf8_lossy(within(quoted, b"\"")).into_owned())
    }

    fn personal(&mut self, start: usize, end: usize, value: &str) {
        if let Some(name) = pseudonym_of(value, self.key) {
            self.put(start, end, &format!("\"{name}\""));
        }
    }

    /// JSON that is written as text.
    fn inside(&mut self, start: usize, end: usize) {
        let quoted = self.text.get(start..end).unwrap_or_default();
        if self.depth == MAX_DEPTH || memchr::memmem::find(quoted, b"\\\"").is_none() {
            return;
        }
        let text = self.string(start, end);
        let mut replaced = Vec::with_capacity(text.len());
        let (fields, depth) = (self.fields, self.depth + 1);
        if fields.in_json(text.as_bytes(), self.key, depth, &mut replaced) > 0 {
            let text = String::from_utf8_lossy(&replaced);
            self.put(start, end, &serde_json::Value::from(text).to_string());
        }
    }

    fn put(&mut self, start: usize, end: usize, text: &str) {
        self.copy_to(start);
        self.out.extend_from_slice(text.as_bytes());
        self.copied = end;
        self.count += 1;
    }

    fn copy_to(&mut self, end: usize) {
        self.out.extend_from_slice(self.text.get(self.copied..end).unwrap_or_default());
        self.copied = end;
    }
}
