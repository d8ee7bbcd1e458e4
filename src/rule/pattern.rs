//! Patterns in filters: those of `like` and those of `~`.

use regex::{Regex, RegexBuilder};

/// Largest compiled pattern, in bytes: a pattern is run over every row.
const MAX_COMPILED_LEN: usize = 1 << 20;

/// A pattern that can be used.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.regex.as_str() == other.regex.as_str()
    }
}

impl Pattern {
    /// Reads a pattern of `like`: `%` is any text, `_` any character, the whole value is meant.
    ///
    /// # Errors
    /// When it is too large; the text says why, in one line.
    pub(super) fn like(text: &str) -> Result<Self, String> {
        let part = |c: char| match c {
            '%' => ".*".to_owned(),
            '_' => ".".to_owned(),
            other => regex::escape(other.encode_utf8(&mut [0; 4])),
        };
        let parts: String = text.chars().map(part).collect();
        Ok(Self { text: text.to_owned(), regex: compiled(&format!("(?s)^{parts}$"))? })
    }

    /// Reads a regular expression of the crate `regex`, found anywhere in a value.
    ///
    /// # Errors
    /// When it is none or too large; the text says why, in one line.
    pub(super) fn regex(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), regex: compiled(text)? })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern fits a value; takes time linear in its length.
    pub fn is_match(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(MAX_COMPILED_LEN).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too large when compiled".to_owned(),
        error => {
            // The last line has the reason, those before it draw the pattern.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    })
}
