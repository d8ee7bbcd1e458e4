//! Turns a request path into a route: query cut, parts that name one thing become `{id}`.
//!
//! `/api/orders/83412/items?page=2` and `/api/orders/9/items` are one route. The answer is for
//! grouping and display; it is not a URL. It is a pure function of the path, and a route is its
//! own route, so that paths templated by the program that logged them stay as they are.
//!
//! Not done here: telling slugs (`/blog/how-we-did-it`) from fixed parts; that needs counts.

#[cfg(test)]
mod tests;

/// What stands for a part of the path that names one thing.
const ID: &str = "{id}";
/// What stands for all parts beyond [`MAX_SEGMENTS`].
const REST: &str = "{rest}";
/// Parts of a path that are kept; deeper paths are files or attacks.
pub(super) const MAX_SEGMENTS: usize = 12;
/// Longest part that is kept, in bytes; longer ones are tokens.
pub(super) const MAX_SEGMENT_LEN: usize = 64;
/// Longest path that is taken as it is when nothing in it needs a look.
const MAX_PLAIN_LEN: usize = 96;

/// Writes the route of `path` into `out` (cleared first); tells whether an id was replaced.
///
/// Cut are scheme and host, query, fragment, `;` parameters, empty parts and the trailing
/// slash. Digits, UUIDs, hex of 8 and more, ULIDs and the like, e-mail addresses, dates,
/// percent-encoded and odd bytes become `{id}`. Kept are `[id]`, `{id}`, `:id`, `*`.
/// An empty path is `/`.
pub fn route_of(path: &[u8], out: &mut String) -> bool {
    out.clear();
    if let Some(plain) = plain_path(path) {
        out.push_str(plain);
        return false;
    }
    let path = without_query(without_host(path));
    let rooted = matches!(path, [] | [b'/', ..]);
    let mut replaced = false;
    let mut segment_count = 0;
    for segment in path.split(|byte| *byte == b'/') {
        let segment = without_parameters(segment);
        if segment.is_empty() {
            continue;
        }
        if rooted || segment_count > 0 {
            out.push('/');
        }
        segment_count += 1;
        if segment_count > MAX_SEGMENTS {
            out.push_str(REST);
            return true;
        }
        if let Some(text) = kept_text(segment) {
            out.push_str(text);
        } else {
            out.push_str(ID);
            replaced = true;
        }
    }
    if segment_count == 0 {
        out.push('/');
    }
    replaced
}

/// Bits of what a byte can be in a path.
mod class {
    pub(super) const LETTER: u8 = 1;
    pub(super) const DIGIT: u8 = 2;
    pub(super) const HEX_LETTER: u8 = 4;
    /// `-` `_` `.` and the like: joins words.
    pub(super) const JOINT: u8 = 8;
    /// Byte of a character beyond ASCII.
    pub(super) const WIDE: u8 = 16;
    pub(super) const AT: u8 = 32;
    /// Percent, blanks, quotes, brackets, control bytes.
    pub(super) const ODD: u8 = 64;
    pub(super) const SLASH: u8 = 128;

    pub(super) const TABLE: [u8; 256] = table();

    #[expect(clippy::indexing_slicing, reason = "runs at compile time, and the index is below 256")]
    const fn table() -> [u8; 256] {
        let mut table = [ODD; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = match byte as u8 {
                b'a'..=b'f' | b'A'..=b'F' => LETTER | HEX_LETTER,
                b'g'..=b'z' | b'G'..=b'Z' => LETTER,
                b'0'..=b'9' => DIGIT,
                b'-' | b'_' | b'.' | b'~' | b'+' | b',' | b':' | b'=' | b'!' | b'$' => JOINT,
                b'/' => SLASH,
                b'@' => AT,
                128..=255 => WIDE,
                _ => ODD,
            };
            byte += 1;
        }
        table
    }
}

fn class_of(byte: u8) -> u8 {
    class::TABLE.get(usize::from(byte)).copied().unwrap_or(class::ODD)
}

/// The path itself if it is only short words: most requests, in one pass.
fn plain_path(path: &[u8]) -> Option<&str> {
    use class::{HEX_LETTER, JOINT, LETTER, SLASH};
    let (&first, rest) = path.split_first()?;
    if first != b'/' || path.len() > MAX_PLAIN_LEN {
        return None;
    }
    let mut segment_len = 0;
    let mut segment_count = 1;
    let mut longest = 0;
    for &byte in rest {
        let class = class_of(byte);
        if class & !(LETTER | HEX_LETTER | JOINT | SLASH) != 0 {
            return None;
        }
        if class == SLASH {
            if segment_len == 0 {
                return None;
            }
            segment_count += 1;
            longest = longest.max(segment_len);
            segment_len = 0;
        } else {
            segment_len += 1;
        }
    }
    let ends_well = segment_len > 0 || rest.is_empty();
    let fits = segment_count <= MAX_SEGMENTS && longest.max(segment_len) <= MAX_SEGMENT_LEN;
    if ends_well && fits { str::from_utf8(path).ok() } else { None }
}

/// `https://host/path` → `/path`.
fn without_host(path: &[u8]) -> &[u8] {
    let scheme_len = path.iter().take(16).take_while(|b| b.is_ascii_alphanumeric()).count();
    let Some((_, [b':', b'/', b'/', rest @ ..])) =
        path.split_at_checked(scheme_len).filter(|(scheme, _)| !scheme.is_empty())
    else {
        return path;
    };
    let host_len = rest.iter().take_while(|byte| !matches!(byte, b'/' | b'?' | b'#')).count();
    rest.get(host_len..).unwrap_or_default()
}

fn without_query(path: &[u8]) -> &[u8] {
    let end = memchr::memchr2(b'?', b'#', path).unwrap_or(path.len());
    path.get(..end).unwrap_or(path)
}

/// `report;jsessionid=12AB` → `report`.
fn without_parameters(segment: &[u8]) -> &[u8] {
    let end = memchr::memchr(b';', segment).unwrap_or(segment.len());
    segment.get(..end).unwrap_or(segment)
}

/// The segment as text if it is a fixed part of the route, `None` if it names one thing.
fn kept_text(segment: &[u8]) -> Option<&str> {
    if segment.len() > MAX_SEGMENT_LEN {
        return None;
    }
    let text = str::from_utf8(segment).ok()?;
    if is_placeholder(segment) {
        return Some(text);
    }
    let seen = segment.iter().fold(0, |seen, byte| seen | class_of(*byte));
    let is_id = seen & class::ODD != 0
        || (seen & class::AT != 0 && segment.first() != Some(&b'@'))
        || (seen & class::WIDE != 0 && text.chars().any(is_odd_character))
        || (seen & class::DIGIT != 0 && is_id_with_digits(segment, seen));
    (!is_id).then_some(text)
}

/// `[id]`, `[...slug]`, `{orderId}`, `:id`, `<int:id>`, `(group)`, `*`.
fn is_placeholder(segment: &[u8]) -> bool {
    let name = match segment {
        [b'*'] | [b'*', b'*'] => return true,
        [b'[', b'[', name @ .., b']', b']']
        | [b'[', name @ .., b']']
        | [b'{', name @ .., b'}']
        | [b'<', name @ .., b'>']
        | [b'(', name @ .., b')']
        | [b':', name @ ..] => name,
        _ => return false,
    };
    let starts_as_name = matches!(name, [b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'.' | b'*', ..]);
    let allowed =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b':' | b'*');
    starts_as_name && name.iter().all(allowed)
}

/// Controls, blanks and bidirectional overrides have no place in a route that is shown.
fn is_odd_character(character: char) -> bool {
    !character.is_alphanumeric() && !character.is_ascii()
}

/// Decides for a segment that has a digit.
///
/// The bounds were set on ids of common makers (UUID, ULID, KSUID, nanoid, cuid, Mongo, Stripe)
/// against fixed parts of real APIs (`v1`, `oauth2`, `i18n`, `s3`, `es2015`, `jquery-3.6.0.js`).
fn is_id_with_digits(segment: &[u8], seen: u8) -> bool {
    use class::{DIGIT, HEX_LETTER, JOINT, LETTER};
    // Numbers, dates, versions, addresses: `42`, `2026-11-18`, `10.0.0.1`.
    if seen & !(DIGIT | JOINT) == 0 {
        return true;
    }
    let joined_hex = |b: &u8| class_of(*b) & (DIGIT | HEX_LETTER) != 0 || *b == b'-';
    if segment.len() >= 8 && segment.iter().all(joined_hex) {
        return true;
    }
    if is_iso_week_or_date(segment) {
        return true;
    }
    // Changes between letter and digit, and the longest run of digits.
    let (mut changes, mut run, mut longest_run, mut before) = (0, 0, 0, JOINT);
    for byte in segment {
        let now = class_of(*byte) & (LETTER | DIGIT);
        if now == DIGIT {
            run += 1;
            longest_run = longest_run.max(run);
        } else {
            run = 0;
        }
        if (now | before) & (LETTER | DIGIT) == LETTER | DIGIT && now != before {
            changes += 1;
        }
        before = now;
    }
    longest_run >= 5 || changes >= 4 || (changes >= 3 && segment.len() >= 10)
}

/// `2026-W46`, `2026-11-18T14:03:22Z`: begins with a year and a joint, goes on with a digit or `W`.
fn is_iso_week_or_date(segment: &[u8]) -> bool {
    matches!(segment, [a, b, c, d, b'-' | b'_' | b'.', b'0'..=b'9' | b'W' | b'w' | b'Q' | b'S', b'0'..=b'9', ..]
        if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()))
}
