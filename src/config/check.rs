//! From what is written to what is used: bounds, forms, and what must agree with what.
//!
//! Every value is looked at, whatever was wrong before it; a configuration in which anything is
//! wrong is never handed out, so what stands in for a bad value here is never used.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::value::Bounds;
use super::checked::{Collect, Config, KeySource, Project, Redact, Secret, Store};
use super::findings::Findings;
use super::quantity;
use super::raw::{
    PathText, Placed, RawCollect, RawConfig, RawProject, RawRedact, RawStore, SizeText,
};
use super::texts::Origin;

mod alert;
mod entry;
mod gate;
mod history;
mod value;

pub(super) use value::{is_field, plain_name};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MONTH: Duration = Duration::from_hours(24 * 30);
const CENTURY: Duration = Duration::from_hours(24 * 36_525);
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

const RETENTION: Bounds<Duration> = Bounds(DAY, CENTURY);
const RETENTION_SIZE: Bounds<u64> = Bounds(16 * MIB, 1 << 50);
const COMPACT_BELOW: Bounds<u64> = Bounds(64 * KIB, GIB);
const COMPACT_AFTER: Bounds<Duration> = Bounds(SECOND, MONTH);
const VACUUM_AGE: Bounds<Duration> = Bounds(Duration::ZERO, MONTH);
const FLUSH_INTERVAL: Bounds<Duration> = Bounds(Duration::from_millis(50), HOUR);
const FLUSH_SIZE: Bounds<u64> = Bounds(64 * KIB, GIB);
const RECONCILE_INTERVAL: Bounds<Duration> = Bounds(Duration::from_millis(100), HOUR);
const MAX_RECORD: Bounds<u64> = Bounds(KIB, GIB);
const TRUNCATED_KEEP: Bounds<u64> = Bounds(0, 16 * MIB);
const IDLE_TAIL: Bounds<Duration> = Bounds(Duration::from_millis(100), HOUR);
const SETTLE_TIME: Bounds<Duration> = Bounds(Duration::from_millis(100), HOUR);
/// Fewest bytes of a secret key: below this, trying all keys is no work.
const MIN_KEY_LEN: usize = 16;

/// Where relative paths start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directories<'a> {
    /// For values of the file and for defaults.
    pub file: &'a Path,
    /// For values of variables and options.
    pub current: &'a Path,
}

/// What a configuration may mean besides itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    /// Where relative paths start.
    pub directories: Directories<'a>,
    /// All variables.
    pub environment: &'a [(String, String)],
}

/// What a configuration comes to.
#[derive(Debug)]
pub(super) struct Checked {
    /// To be used only if no problem was found.
    pub config: Config,
    /// Keys that nobody set and that follow from others, with their values.
    pub derived: Vec<(String, String)>,
}

/// Checks what the grammar lets through.
pub(super) fn check(
    raw: &RawConfig,
    surroundings: Surroundings<'_>,
    findings: &mut Findings<'_>,
) -> Checked {
    let Surroundings { directories, environment } = surroundings;
    let mut checker = Checker { findings, directories, environment, derived: Vec::new() };
    let project = checker.project(&raw.project);
    let store = checker.store(&raw.store);
    let collect = checker.collect(&raw.collect);
    let redact = checker.redact(&raw.redact, &store.state);
    let sources = checker.sources(&raw.source, &project.time_zone);
    let mut seen = entry::Seen::new();
    let rules = checker.rules(&raw.rule, &mut seen);
    let slos = checker.slos(&raw.slo, &mut seen);
    let calendars = checker.calendars(&raw.calendar);
    let check = checker.check_section(&raw.check);
    let gates = checker.gates(&raw.gate, &check);
    let history = checker.history(&raw.history);
    let alert = checker.alert(&raw.alert);
    let receivers = checker.receivers(&raw.receiver);
    let directory = directories.file.to_owned();
    let version = raw.version.as_ref().map_or(1, |version| *version.value());
    let config = Config {
        version,
        directory,
        project,
        store,
        collect,
        redact,
        sources,
        rules,
        slos,
        calendars,
        check,
        gates,
        history,
        alert,
        receivers,
    };
    Checked { config, derived: checker.derived }
}

struct Checker<'a, 'f> {
    findings: &'f mut Findings<'a>,
    directories: Directories<'f>,
    environment: &'f [(String, String)],
    derived: Vec<(String, String)>,
}

/// Key, value as written, bytes.
type SizeOf<'r> = (&'static str, Option<&'r Placed<SizeText>>, u64);

impl Checker<'_, '_> {
    fn project(&mut self, raw: &RawProject) -> Project {
        let name = match &raw.name {
            Some(name) => self.title("project.name", name),
            None => self.directory_name(),
        };
        Project { name, time_zone: self.zone("project.timezone", raw.timezone.as_ref()) }
    }

    fn directory_name(&mut self) -> String {
        let name = self.directories.file.file_name();
        let name = name.map_or("project".into(), |name| name.to_string_lossy());
        self.derived.push(("project.name".to_owned(), name.clone().into_owned()));
        name.into_owned()
    }

    fn store(&mut self, raw: &RawStore) -> Store {
        let path = self.store_path(raw.path.as_ref());
        let state = match &raw.state {
            Some(state) => self.state_path(state, &path),
            None => self.derived_path("store.state", suffixed(&path, "-state")),
        };
        Store {
            retention: self.length_or_off("store.retention", raw.retention.as_ref(), RETENTION),
            retention_bytes: self.size_or_off(
                "store.retention_size",
                raw.retention_size.as_ref(),
                RETENTION_SIZE,
            ),
            compact_below_bytes: self.size(
                "store.compact_below",
                raw.compact_below.as_ref(),
                COMPACT_BELOW,
            ),
            compact_after: self.length(
                "store.compact_after",
                raw.compact_after.as_ref(),
                COMPACT_AFTER,
            ),
            vacuum_age: self.length("store.vacuum_age", raw.vacuum_age.as_ref(), VACUUM_AGE),
            path,
            state,
        }
    }

    /// The store's address is a URL in which `%41` would be read as `A`.
    fn store_path(&mut self, raw: Option<&Placed<PathText>>) -> PathBuf {
        let Some(raw) = raw else { return PathBuf::new() };
        let path = self.path("store.path", raw);
        if has_percent_code(&path.to_string_lossy()) {
            let need = "must not have `%` and two hex digits in its absolute path";
            let help = Some(format!("the absolute path is {}", path.display()));
            self.findings.value(&raw.span(), "store.path", need, help);
        }
        if path == Path::new("/") {
            self.findings.value(&raw.span(), "store.path", "must not be the root directory", None);
        }
        path
    }

    fn state_path(&mut self, raw: &Placed<PathText>, store: &Path) -> PathBuf {
        let path = self.path("store.state", raw);
        if path.starts_with(store) && !store.as_os_str().is_empty() {
            let need = "must lie outside of the directory in `store.path`";
            self.findings.value(&raw.span(), "store.state", need, None);
        }
        path
    }

    fn derived_path(&mut self, key: &str, path: PathBuf) -> PathBuf {
        self.derived.push((key.to_owned(), path.display().to_string()));
        path
    }

    fn collect(&mut self, raw: &RawCollect) -> Collect {
        let flush_bytes = self.size("collect.flush_size", raw.flush_size.as_ref(), FLUSH_SIZE);
        let max_record_bytes = self.size("collect.max_record", raw.max_record.as_ref(), MAX_RECORD);
        let keep = self.size("collect.truncated_keep", raw.truncated_keep.as_ref(), TRUNCATED_KEEP);
        self.in_order(
            ("collect.truncated_keep", raw.truncated_keep.as_ref(), keep),
            ("collect.max_record", raw.max_record.as_ref(), max_record_bytes),
        );
        let roots = raw.link_roots.iter().flatten();
        Collect {
            flush_interval: self.length(
                "collect.flush_interval",
                raw.flush_interval.as_ref(),
                FLUSH_INTERVAL,
            ),
            flush_bytes,
            reconcile_interval: self.length(
                "collect.reconcile_interval",
                raw.reconcile_interval.as_ref(),
                RECONCILE_INTERVAL,
            ),
            max_record_bytes,
            truncated_keep_bytes: keep,
            idle_tail: self.length("collect.idle_tail", raw.idle_tail.as_ref(), IDLE_TAIL),
            settle_time: self.length("collect.settle_time", raw.settle_time.as_ref(), SETTLE_TIME),
            max_open_files: raw.max_open_files.as_ref().map_or(16, |most| *most.value()),
            link_roots: roots.map(|root| self.path("collect.link_roots", root)).collect(),
        }
    }

    /// Two sizes, each within its own bounds, of which the first must not be the larger one. The
    /// one that somebody has said is blamed.
    fn in_order(&mut self, small: SizeOf<'_>, large: SizeOf<'_>) {
        let (Some(small_raw), Some(large_raw)) = (small.1, large.1) else { return };
        // Zero stands for what is out of its own bounds, which has been reported.
        if small.2 <= large.2 || large.2 == 0 {
            return;
        }
        let is_default = self.findings.texts().origin(&small_raw.span()) == Origin::Default;
        let (key, raw, relation, (other, _, bytes)) = if is_default {
            (large.0, large_raw, "at least", small)
        } else {
            (small.0, small_raw, "at most", large)
        };
        let bound = quantity::size_text(bytes);
        let need = format!("must be {relation} `{other}`, which is `{bound}`");
        self.findings.value(&raw.span(), key, &need, None);
    }

    fn redact(&mut self, raw: &RawRedact, state: &Path) -> Redact {
        let key = self.pseudonym_key(raw, state);
        let names = raw.secret_names.iter().flatten();
        let fields = raw.personal_fields.iter().flatten();
        Redact {
            key,
            secret_names: names.filter_map(|name| self.secret_name(name)).collect(),
            personal_fields: fields
                .filter_map(|field| self.field("redact.personal_fields", field))
                .collect(),
        }
    }

    fn pseudonym_key(&mut self, raw: &RawRedact, state: &Path) -> KeySource {
        let own = state.join("pseudonym.key");
        if let Some(key) = &raw.key {
            let origin = self.findings.texts().origin(&key.span());
            if !matches!(origin, Origin::Environment(_)) {
                let message = "`redact.key` is a secret, must not be written here";
                let help = "put it into a file of mode 0600 and name that in `redact.key_file`, \
                            or set the variable PLIMSOLL_REDACT_KEY";
                self.findings.report(&key.span(), "redact.key", message, Some(help.to_owned()));
            } else if key.value().len() < MIN_KEY_LEN {
                let need = format!("must have at least {MIN_KEY_LEN} bytes");
                let help = Some("`openssl rand -hex 32` makes a good one".to_owned());
                self.findings.value(&key.span(), "redact.key", &need, help);
            }
            return KeySource::Given(Secret(key.value().clone()));
        }
        match &raw.key_file {
            Some(file) => KeySource::File(self.path("redact.key_file", file)),
            None => KeySource::Own(self.derived_path("redact.key_file", own)),
        }
    }

    fn secret_name(&mut self, raw: &Placed<String>) -> Option<String> {
        let name = raw.value().to_ascii_lowercase();
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if (2..=64).contains(&name.len()) && name.chars().all(is_plain) {
            return Some(name);
        }
        let need = "must be a part of a name: 2 to 64 letters, digits, `_`, `-` or `.`";
        self.findings.value(&raw.span(), "redact.secret_names", need, None);
        None
    }
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn has_percent_code(path: &str) -> bool {
    let is_hex = |digit: &u8| digit.is_ascii_hexdigit();
    path.as_bytes().windows(3).any(|three| matches!(three, [b'%', a, b] if is_hex(a) && is_hex(b)))
}
