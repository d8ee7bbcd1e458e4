//! One thing that is wrong with a configuration, written so that it can be mended at once.

use std::fmt;

use super::texts::{Origin, Place};

/// One thing that is wrong, where, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the configuration can be used all the same.
    pub is_warning: bool,
    /// Key such as `store.retention`; empty for what is no key, such as broken TOML.
    pub key: String,
    /// The thing, the value, the need: lower case, one line.
    pub message: String,
    /// What to write instead, if that can be told.
    pub help: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// What a stretch of [`Problem::painted`] is, for whoever colours it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `error` or `warning`.
    Level,
    /// The sentence.
    Message,
    /// Line numbers, bars and arrows.
    Gutter,
    /// The marks below what is meant.
    Mark,
    /// The advice.
    Help,
    /// Quoted configuration.
    Source,
}

impl Problem {
    /// The whole text without a last line end; `paint` dresses each part and may return it as is.
    pub fn painted(&self, paint: impl Fn(Part, &str) -> String) -> String {
        let place = &self.place;
        let number = if self.has_lines() { place.line.to_string() } else { String::new() };
        let blank = " ".repeat(number.len());
        let gutter = |text: String| paint(Part::Gutter, &text);
        let level = paint(Part::Level, if self.is_warning { "warning" } else { "error" });
        let mut lines = vec![
            format!("{level}: {}", paint(Part::Message, &self.message)),
            format!("{}{}", gutter(format!("{blank}--> ")), self.location()),
            gutter(format!("{blank} |")),
            format!("{} {}", gutter(format!("{number} |")), paint(Part::Source, &place.text)),
        ];
        let before = " ".repeat(place.mark.start);
        let marks = "^".repeat(place.mark.len());
        lines.push(format!(
            "{} {before}{}",
            gutter(format!("{blank} |")),
            paint(Part::Mark, &marks)
        ));
        if let Some(help) = &self.help {
            let help = paint(Part::Help, &format!("help: {help}"));
            lines.push(format!("{} {help}", gutter(format!("{blank} ="))));
        }
        let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        lines.join("\n")
    }

    /// Where it stands: `plimsoll.toml:7:13`, or the name of a variable or option.
    pub fn location(&self) -> String {
        let Place { origin, line, column, .. } = &self.place;
        if self.has_lines() { format!("{origin}:{line}:{column}") } else { origin.to_string() }
    }

    fn has_lines(&self) -> bool {
        matches!(self.place.origin, Origin::File(_) | Origin::Default)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.painted(|_, text| text.to_owned()))
    }
}
