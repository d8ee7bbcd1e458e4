//! Tells lines that belong to the record before them: stack traces and code frames.

/// How a line may open that goes on with the one before.
const CONTINUING: [&[u8]; 7] = [
    b"Caused by: ",
    b"Suppressed: ",
    b"Traceback (most recent call last)",
    b"During handling of the above exception",
    b"The above exception was the direct cause",
    b"... ",
    b"goroutine ",
];
/// Endings of the names of exceptions.
const ENDINGS: [&[u8]; 3] = [b"Exception", b"Error", b"Throwable"];

/// Whether a line goes on with the record before it: `\tat App.main`, `Caused by: …`,
/// `Traceback …`, `> 12 | code`, `app.rb:12:in …`, a closing brace.
///
/// A pure look at one line; what it continues is not known here. A line that begins with a
/// time never does. Next.js indents its own records by one blank, which is not taken for one.
pub fn is_continuation(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    if text.is_empty() {
        return false;
    }
    match line {
        [b'\t', ..] => return true,
        [b' ', b' ', ..] => return !begins_with_symbol(text),
        [b' ', ..] => return !(begins_with_symbol(text) || begins_with_method(text)),
        _ => {}
    }
    CONTINUING.iter().any(|opening| text.starts_with(opening))
        || text.iter().all(|byte| b"{}[](),;".contains(byte))
        || is_code_frame(text)
        || is_qualified_exception(text)
        || is_ruby_frame(text)
        || (text.starts_with(b"at ") && text.ends_with(b")"))
}

/// Marks and emoji open records of their own, however far they are indented.
fn begins_with_symbol(text: &[u8]) -> bool {
    matches!(text, [0xe2 | 0xf0, ..])
}

fn begins_with_method(text: &[u8]) -> bool {
    let len = text.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    (3..=7).contains(&len) && matches!(text.get(len..), Some([b' ', b'/', ..]))
}

/// `> 1 | export async function GET() {`
fn is_code_frame(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"> ") else {
        return false;
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && rest.get(digits..).is_some_and(|rest| rest.starts_with(b" |"))
}

/// `java.io.IOException: Connection refused`; without a package it opens a record in JavaScript.
fn is_qualified_exception(text: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$');
    let (name, rest) = text.split_at(text.iter().take_while(|byte| is_name(byte)).count());
    matches!(rest, [] | [b':', ..])
        && name.contains(&b'.')
        && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// ``app.rb:12:in `block in <main>'``
fn is_ruby_frame(text: &[u8]) -> bool {
    let Some(at) = memchr::memmem::find(text, b":in ") else {
        return false;
    };
    let (place, rest) = text.split_at(at);
    let digits = place.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let before = place.len() - digits;
    digits > 0
        && place.get(..before).is_some_and(|file| file.ends_with(b":") && !file.contains(&b' '))
        && matches!(rest.get(4), Some(b'`' | b'\''))
}
