//! Single values: their form and their bounds.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::super::checked::FieldPath;
use super::super::quantity::{self, NoQuantity};
use super::super::raw::{FieldText, LengthText, PathText, Placed, SizeText, ZoneText};
use super::super::texts::Origin;
use super::Checker;
use crate::model::{nearest, time_zone};

/// Longest name, title and field, in bytes.
const MAX_NAME_LEN: usize = 64;
const MAX_TITLE_LEN: usize = 120;
const MAX_FIELD_LEN: usize = 256;
/// Longest path, in bytes; what Linux takes.
const MAX_PATH_LEN: usize = 4_096;

/// Least and greatest value, both allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds<T>(pub T, pub T);

impl Checker<'_, '_> {
    /// Zero stands for what is wrong.
    pub(super) fn length(
        &mut self,
        key: &str,
        raw: Option<&Placed<LengthText>>,
        bounds: Bounds<Duration>,
    ) -> Duration {
        let Some(raw) = raw else { return Duration::ZERO };
        let Bounds(least, most) = bounds;
        match quantity::length(raw.value().as_ref()) {
            Ok(length) if (least..=most).contains(&length) => return length,
            Ok(_) => {
                let bounds = (quantity::length_text(least), quantity::length_text(most));
                self.out_of_bounds(&raw.span(), key, bounds);
            }
            Err(no) => self.no_quantity(&raw.span(), key, "length of time such as `15m`", no),
        }
        Duration::ZERO
    }

    /// `None` also stands for what is wrong.
    pub(super) fn length_or_off(
        &mut self,
        key: &str,
        raw: Option<&Placed<LengthText>>,
        bounds: Bounds<Duration>,
    ) -> Option<Duration> {
        let raw = raw.filter(|raw| raw.value().as_ref() != "off")?;
        Some(self.length(key, Some(raw), bounds))
    }

    /// Zero stands for what is wrong.
    pub(super) fn size(
        &mut self,
        key: &str,
        raw: Option<&Placed<SizeText>>,
        bounds: Bounds<u64>,
    ) -> u64 {
        let Some(raw) = raw else { return 0 };
        let Bounds(least, most) = bounds;
        match quantity::size(raw.value().as_ref()) {
            Ok(bytes) if (least..=most).contains(&bytes) => return bytes,
            Ok(_) => {
                let bounds = (quantity::size_text(least), quantity::size_text(most));
                self.out_of_bounds(&raw.span(), key, bounds);
            }
            Err(no) => self.no_quantity(&raw.span(), key, "size such as `8MiB`", no),
        }
        0
    }

    /// `None` also stands for what is wrong.
    pub(super) fn size_or_off(
        &mut self,
        key: &str,
        raw: Option<&Placed<SizeText>>,
        bounds: Bounds<u64>,
    ) -> Option<u64> {
        let raw = raw.filter(|raw| raw.value().as_ref() != "off")?;
        Some(self.size(key, Some(raw), bounds))
    }

    fn out_of_bounds(&mut self, span: &Range<usize>, key: &str, (least, most): (String, String)) {
        self.findings.value(span, key, &format!("must be from `{least}` to `{most}`"), None);
    }

    pub(super) fn no_quantity(
        &mut self,
        span: &Range<usize>,
        key: &str,
        what: &str,
        no: NoQuantity,
    ) {
        let help = no.meant.map(|meant| format!("did you mean `{meant}`?"));
        self.findings.value(span, key, &format!("must be a {what}"), help);
    }

    /// Absolute, without `.` and `..`; starts where its origin says.
    pub(super) fn path(&mut self, key: &str, raw: &Placed<PathText>) -> PathBuf {
        let text = raw.value().as_ref();
        let need = match text {
            "" => "must be a path",
            _ if text.len() > MAX_PATH_LEN => "must have at most 4096 bytes",
            _ if text.contains('\0') => "must not have a NUL",
            _ if text.starts_with('~') => "must not begin with `~`, which is not expanded",
            _ => {
                let start = match self.findings.texts().origin(&raw.span()) {
                    Origin::Environment(_) | Origin::Option(_) => self.directories.current,
                    Origin::File(_) | Origin::Default => self.directories.file,
                };
                return without_dots(&start.join(text));
            }
        };
        self.findings.value(&raw.span(), key, need, None);
        PathBuf::new()
    }

    /// UTC stands for what is wrong.
    pub(super) fn zone(&mut self, key: &str, raw: Option<&Placed<ZoneText>>) -> TimeZone {
        let Some(raw) = raw else { return TimeZone::UTC };
        let written = raw.value().as_ref();
        if let Some(zone) = time_zone(written) {
            return zone;
        }
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let whole = nearest(written, names.iter().map(String::as_str));
        let city = |name: &&String| {
            name.rsplit('/')
                .next()
                .is_some_and(|city| city.eq_ignore_ascii_case(&written.replace(' ', "_")))
        };
        let near = names.iter().find(city).map(String::as_str).or(whole);
        let help = near.map(|near| format!("did you mean `{near}`?"));
        let need = "must be an IANA time zone such as `America/Argentina/Buenos_Aires`, or an \
                    offset such as `-03:00`";
        self.findings.value(&raw.span(), key, need, help);
        TimeZone::UTC
    }

    /// `None` stands for what is wrong.
    pub(super) fn field(&mut self, key: &str, raw: &Placed<FieldText>) -> Option<FieldPath> {
        self.field_path(&raw.span(), key, raw.value().as_ref())
    }

    pub(super) fn field_path(
        &mut self,
        span: &Range<usize>,
        key: &str,
        text: &str,
    ) -> Option<FieldPath> {
        if is_field(text) {
            return Some(FieldPath(text.to_owned()));
        }
        let need = "must be a field such as `req.url`: 1 to 256 bytes, no empty name in it";
        self.findings.value(span, key, need, None);
        None
    }

    /// A name for people: one line.
    pub(super) fn title(&mut self, key: &str, raw: &Placed<String>) -> String {
        let text = raw.value().trim();
        if text.is_empty() || text.len() > MAX_TITLE_LEN || text.chars().any(char::is_control) {
            let need = "must be one line of 1 to 120 bytes";
            self.findings.value(&raw.span(), key, need, None);
        }
        text.to_owned()
    }

    /// A name for machines; what is wrong stays as it is.
    pub(super) fn name(&mut self, key: &str, raw: &Placed<String>) -> String {
        let text = raw.value();
        if !is_name(text) {
            let need = "must be 1 to 64 letters, digits, `.`, `_` or `-`, first no sign";
            let meant = plain_name(text);
            let help = meant.map(|meant| format!("did you mean `{meant}`?"));
            self.findings.value(&raw.span(), key, need, help);
        }
        text.clone()
    }
}

/// Whether a text can be a name for machines.
pub(super) fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    starts_well && text.len() <= MAX_NAME_LEN && text.chars().all(is_plain)
}

/// Whether a text can be the dotted path of a field.
pub(in crate::config) fn is_field(text: &str) -> bool {
    let is_short = text.len() <= MAX_FIELD_LEN;
    is_short && text.split('.').all(|name| !name.is_empty()) && !text.chars().any(char::is_control)
}

/// The nearest name that is allowed; `None` when nothing of `text` is.
pub(in crate::config) fn plain_name(text: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    let words: Vec<&str> = text.split(|c| !is_plain(c)).filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(MAX_NAME_LEN).collect();
    let name = name.trim_start_matches(['.', '_', '-']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// `.` and `..` resolved by their text: the directory may not be there yet.
fn without_dots(path: &Path) -> PathBuf {
    let mut kept = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                kept.pop();
            }
            _ => kept.push(part),
        }
    }
    kept
}
