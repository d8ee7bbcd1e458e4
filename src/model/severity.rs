//! Severity on OpenTelemetry's scale.

/// OpenTelemetry severity number: 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error,
/// 21–24 fatal; 0 is "not said".
///
/// Source: OpenTelemetry Logs Data Model, field `SeverityNumber`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(u8);

impl Severity {
    /// Not said by the record.
    pub const UNKNOWN: Self = Self(0);
    /// Trace.
    pub const TRACE: Self = Self(1);
    /// Debug.
    pub const DEBUG: Self = Self(5);
    /// Informational.
    pub const INFO: Self = Self(9);
    /// Warning.
    pub const WARN: Self = Self(13);
    /// Error.
    pub const ERROR: Self = Self(17);
    /// Fatal.
    pub const FATAL: Self = Self(21);

    /// Takes an OpenTelemetry number; anything outside 1–24 is unknown.
    pub fn from_otel(number: i64) -> Self {
        u8::try_from(number).ok().filter(|n| (1..=24).contains(n)).map_or(Self::UNKNOWN, Self)
    }

    /// Takes a pino or bunyan level (10 trace … 60 fatal).
    pub fn from_pino(level: i64) -> Self {
        match level {
            1..=14 => Self::TRACE,
            15..=24 => Self::DEBUG,
            25..=34 => Self::INFO,
            35..=44 => Self::WARN,
            45..=54 => Self::ERROR,
            55.. => Self::FATAL,
            _ => Self::UNKNOWN,
        }
    }

    /// Takes a syslog priority (0 emergency … 7 debug).
    pub fn from_syslog(priority: i64) -> Self {
        match priority {
            0..=2 => Self::FATAL,
            3 => Self::ERROR,
            4 => Self::WARN,
            5 | 6 => Self::INFO,
            7 => Self::DEBUG,
            _ => Self::UNKNOWN,
        }
    }

    /// Takes a level's word in any case (`warn`, `WARNING`, `E`, `LOG`, `crit`, …).
    pub fn from_text(text: &[u8]) -> Self {
        const WORDS: &[(&str, Severity)] = &[
            ("info", Severity::INFO),
            ("error", Severity::ERROR),
            ("warn", Severity::WARN),
            ("warning", Severity::WARN),
            ("debug", Severity::DEBUG),
            ("trace", Severity::TRACE),
            ("fatal", Severity::FATAL),
            ("i", Severity::INFO),
            ("e", Severity::ERROR),
            ("w", Severity::WARN),
            ("d", Severity::DEBUG),
            ("d1", Severity::DEBUG),
            ("d2", Severity::DEBUG),
            ("d3", Severity::DEBUG),
            ("d4", Severity::DEBUG),
            ("d5", Severity::DEBUG),
            ("f", Severity::FATAL),
            ("t", Severity::TRACE),
            ("err", Severity::ERROR),
            ("severe", Severity::ERROR),
            ("crit", Severity::FATAL),
            ("critical", Severity::FATAL),
            ("panic", Severity::FATAL),
            ("dpanic", Severity::FATAL),
            ("alert", Severity::FATAL),
            ("emerg", Severity::FATAL),
            ("emergency", Severity::FATAL),
            ("notice", Severity::INFO),
            ("log", Severity::INFO),
            ("information", Severity::INFO),
            ("informational", Severity::INFO),
            ("verbose", Severity::DEBUG),
            ("silly", Severity::TRACE),
            ("http", Severity::DEBUG),
            ("fine", Severity::DEBUG),
            ("finer", Severity::TRACE),
            ("finest", Severity::TRACE),
            ("config", Severity::DEBUG),
            ("debug1", Severity::DEBUG),
            ("debug2", Severity::DEBUG),
            ("debug3", Severity::DEBUG),
            ("debug4", Severity::DEBUG),
            ("debug5", Severity::DEBUG),
            ("stderr", Severity::ERROR),
            ("stdout", Severity::INFO),
        ];
        // slog writes levels between its own as `INFO+2`.
        let word = text.split(|byte| matches!(byte, b'+' | b'-')).next().unwrap_or(text);
        WORDS
            .iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known.as_bytes()))
            .map_or(Self::UNKNOWN, |&(_, severity)| severity)
    }

    /// The number, 0 when unknown.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether this is warn or worse.
    pub fn is_warn(self) -> bool {
        self >= Self::WARN
    }

    /// Whether this is error or worse.
    pub fn is_error(self) -> bool {
        self >= Self::ERROR
    }

    /// OpenTelemetry's short text, or an empty string when unknown.
    pub fn as_str(self) -> &'static str {
        match self.0 {
            1..=4 => "TRACE",
            5..=8 => "DEBUG",
            9..=12 => "INFO",
            13..=16 => "WARN",
            17..=20 => "ERROR",
            21..=24 => "FATAL",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Severity;

    #[test]
    fn words_of_many_loggers_meet_on_one_scale() {
        for (word, want) in [
            ("INFO", Severity::INFO),
            ("Warning", Severity::WARN),
            ("E", Severity::ERROR),
            ("LOG", Severity::INFO),      // PostgreSQL's normal level
            ("ERROR+4", Severity::ERROR), // slog
            ("", Severity::UNKNOWN),
            ("loud", Severity::UNKNOWN),
        ] {
            assert_eq!(Severity::from_text(word.as_bytes()), want, "{word}");
        }
    }

    #[test]
    fn numbers_outside_a_scale_are_unknown() {
        for (got, want) in [
            (Severity::from_otel(0), Severity::UNKNOWN),
            (Severity::from_otel(17), Severity::ERROR),
            (Severity::from_otel(25), Severity::UNKNOWN),
            (Severity::from_pino(30), Severity::INFO),
            (Severity::from_pino(-1), Severity::UNKNOWN),
            (Severity::from_syslog(3), Severity::ERROR),
            (Severity::from_syslog(8), Severity::UNKNOWN),
        ] {
            assert_eq!(got, want);
        }
    }
}
