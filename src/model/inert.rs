//! Text from logs that no reader takes for more than text: one line stays one line, and no line
//! is a command to the machine that runs a job.

use std::borrow::Cow;

/// Beginnings of what GitHub, Azure Pipelines and `TeamCity` obey wherever it stands in a line.
const MARKS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// The text with its line breaks written `\n` and `\r`, for names inside a sentence.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\r']) {
        text.replace('\n', "\\n").replace('\r', "\\r").into()
    } else {
        text.into()
    }
}

/// The text without workflow commands: a line that begins with `::word`, closed by another `::`,
/// or holds `##[`, `##vso[` or `##teamcity[`, gets `\x3a` for its first colon, or `\x23` for the
/// sign.
///
/// Runners of CI jobs obey such lines of standard output, whoever wrote them.
pub fn inert(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains("##") {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start();
        if let Some(after) = rest.strip_prefix(':').filter(|_| is_command(rest)) {
            out.push_str(line.strip_suffix(rest).unwrap_or_default());
            out.push_str("\\x3a");
            out.push_str(after);
        } else {
            out.push_str(line);
        }
    }
    for mark in MARKS {
        if out.contains(mark) {
            out = out.replace(mark, &mark.replacen('#', "\\x23", 1));
        }
    }
    out.into()
}

/// An IPv6 address such as `::1` is none.
fn is_command(line: &str) -> bool {
    line.strip_prefix("::").is_some_and(|after| {
        after.starts_with(|c: char| c.is_ascii_alphabetic()) && after.contains("::")
    })
}

#[cfg(test)]
mod tests {
    use super::{inert, one_line};

    #[test]
    fn no_line_is_a_command_and_everything_else_stays() {
        for (text, want) in [
            ("", ""),
            ("std::env is no command", "std::env is no command"),
            (":single", ":single"),
            ("::error::boom", "\\x3a:error::boom"),
            ("a\n::set-output name=x::y\nb", "a\n\\x3a:set-output name=x::y\nb"),
            (" \t ::debug::x\r\n", " \t \\x3a:debug::x\r\n"), // blanks before are passed over
            ("::", "::"),
            ("::1 and 2001:db8::7", "::1 and 2001:db8::7"), // addresses
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("x ##[error]y", "x \\x23#[error]y"),
            ("##vso[task.setvariable]z", "\\x23#vso[task.setvariable]z"),
            ("## heading", "## heading"),
        ] {
            assert_eq!(inert(text), want, "{text:?}");
            assert_eq!(inert(want), want, "twice is once: {want:?}");
        }
    }

    #[test]
    fn a_name_stays_on_its_line() {
        assert_eq!(one_line("app.log"), "app.log");
        assert_eq!(one_line("a\n::error::x\r.log"), "a\\n::error::x\\r.log");
    }
}
