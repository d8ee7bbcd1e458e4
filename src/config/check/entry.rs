//! The lists: sources, rules, objectives and calendars.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::checked::{
    Calendar, CalendarDays, CalendarKind, CheckSeverity, EventFields, Expr, FieldPath, NoData,
    Rule, Slo, Source, SourceKind,
};
use super::super::globs::{Glob, Globs};
use super::super::quantity;
use super::super::raw::{
    DateText, FieldText, GlobText, PercentText, Placed, RawCalendar, RawEventFields, RawFields,
    RawRule, RawSlo, RawSource,
};
use super::super::written;
use super::value::Bounds;
use super::{Checker, HOUR};

const HOLD: Bounds<Duration> = Bounds(Duration::ZERO, Duration::from_hours(24 * 30));
const SLO_WINDOW: Bounds<Duration> = Bounds(HOUR, Duration::from_hours(24 * 366));
/// Longest expression, in bytes.
const MAX_EXPR_LEN: usize = 4_096;
/// The place of the first entry that has a name.
pub(super) type Seen<'r> = HashMap<&'r str, &'r Placed<String>>;

/// What the sources so far have taken, with the name of the first that did.
#[derive(Default)]
struct Known {
    /// Globs, absolute.
    patterns: HashMap<String, String>,
}

impl Checker<'_, '_> {
    pub(super) fn sources(&mut self, raw: &[Placed<RawSource>], zone: &TimeZone) -> Vec<Source> {
        let mut seen = Seen::new();
        let mut known = Known::default();
        let mut sources = Vec::new();
        for (index, placed) in raw.iter().enumerate() {
            let raw = placed.value();
            let label = label("source", index, raw.name.as_ref(), |name| seen.contains_key(name));
            self.once(&label, "name", raw.name.as_ref(), &mut seen);
            let Some(source) = self.source(&label, raw, zone) else { continue };
            self.read_once(&label, raw, &source, &mut known);
            sources.push(source);
        }
        sources
    }

    /// Checks the name of an entry, and that no other has it.
    pub(super) fn once<'r>(
        &mut self,
        label: &str,
        key: &str,
        name: Option<&'r Placed<String>>,
        seen: &mut Seen<'r>,
    ) {
        let Some(raw) = name else { return };
        let key = format!("{label}.{key}");
        self.name(&key, raw);
        if let Some(first) = seen.get(raw.value().as_str()) {
            self.taken(&raw.span(), &key, &first.span());
        } else {
            seen.insert(raw.value(), raw);
        }
    }

    pub(super) fn taken(&mut self, span: &Range<usize>, key: &str, first: &Range<usize>) {
        let line = self.findings.texts().line(first);
        let need = format!("must differ from the one in line {line}");
        self.findings.value(span, key, &need, None);
    }

    fn source(&mut self, label: &str, raw: &RawSource, zone: &TimeZone) -> Option<Source> {
        let key = |name: &str| format!("{label}.{name}");
        let kind = raw.kind.as_ref().map_or(SourceKind::Auto, |kind| *kind.value());
        let files = self.globs(label, raw);
        let event = raw.event.as_ref().map(|event| self.name(&key("event"), event));
        let time = raw.time.as_ref().and_then(|time| self.field(&key("time"), time));
        let time_zone = match &raw.timezone {
            Some(own) => self.zone(&key("timezone"), Some(own)),
            None => zone.clone(),
        };
        if let Some(first) = raw.id.iter().flatten().next()
            && !matches!(kind, SourceKind::Auto | SourceKind::Documents)
        {
            let message = format!("`{}` is of no use to `{}`", key("id"), kind.as_str());
            let help = Some("only documents have an id: `kind = \"documents\"`".to_owned());
            self.findings.report(&first.span(), &key("id"), &message, help);
        }
        let ids = raw.id.iter().flatten();
        let id = ids.filter_map(|field| self.field(&key("id"), field)).collect();
        let fields = self.fields(&key("fields"), &raw.fields);
        let duration_unit = raw.fields.unit.as_ref().map(|unit| *unit.value());
        let name = raw.name.as_ref()?.value().clone();
        let files = files?;
        Some(Source { name, kind, files, event, time, time_zone, id, fields, duration_unit })
    }

    fn globs(&mut self, label: &str, raw: &RawSource) -> Option<Globs> {
        let key = |name: &str| format!("{label}.{name}");
        let include = self.glob_list(&key("include"), raw.include.as_deref()?, false);
        let exclude =
            self.glob_list(&key("exclude"), raw.exclude.as_deref().unwrap_or_default(), true);
        let first = raw.include.as_ref()?.first()?;
        match Globs::new(include, &exclude) {
            Ok(globs) => Some(globs),
            Err(error) => {
                self.findings.value(&first.span(), &key("include"), &error.to_string(), None);
                None
            }
        }
    }

    fn glob_list(&mut self, key: &str, raw: &[Placed<GlobText>], anywhere: bool) -> Vec<Glob> {
        let mut globs = Vec::new();
        for (index, glob) in raw.iter().enumerate() {
            let written = glob.value().as_ref();
            let is_name = anywhere && !written.contains('/') && !written.is_empty();
            let written = if is_name { format!("/**/{written}") } else { written.to_owned() };
            match Glob::new(&written, self.directories.file) {
                Ok(glob) => globs.push(glob),
                Err(error) => {
                    let key = format!("{key}[{index}]");
                    let is_directory = written.ends_with('/');
                    let help = is_directory.then(|| format!("did you mean `{written}**`?"));
                    self.findings.value(&glob.span(), &key, &error.to_string(), help);
                }
            }
        }
        globs
    }

    fn fields(&mut self, key: &str, raw: &RawFields) -> Vec<(&'static str, FieldPath)> {
        let mut fields = Vec::new();
        for (role, field) in raw.roles() {
            let path = field.and_then(|field| self.field(&format!("{key}.{role}"), field));
            fields.extend(path.map(|path| (role, path)));
        }
        fields
    }

    /// A file belongs to the first source that names it: the same glob twice is never meant.
    fn read_once(&mut self, label: &str, raw: &RawSource, source: &Source, all: &mut Known) {
        for (pattern, place) in source.files.patterns().zip(raw.include.iter().flatten()) {
            let other =
                all.patterns.entry(pattern.to_owned()).or_insert_with(|| source.name.clone());
            if *other != source.name {
                let message = format!("`{label}.include` names files of source `{other}`");
                let help = Some(format!("they are read once, as `{other}`"));
                self.findings.warn(&place.span(), &message, help);
            }
        }
    }

    pub(super) fn rules<'r>(
        &mut self,
        raw: &'r [Placed<RawRule>],
        seen: &mut Seen<'r>,
    ) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (index, placed) in raw.iter().enumerate() {
            let raw = placed.value();
            let label = label("rule", index, raw.id.as_ref(), |name| seen.contains_key(name));
            self.once(&label, "id", raw.id.as_ref(), seen);
            let expr = self.expr(&format!("{label}.expr"), raw.expr.as_ref());
            let hold = self.length(&format!("{label}.for"), raw.hold.as_ref(), HOLD);
            let runbook = raw.runbook.as_ref();
            let runbook = runbook.map(|runbook| self.runbook(&format!("{label}.runbook"), runbook));
            let (Some(id), Some(expr)) = (&raw.id, expr) else { continue };
            rules.push(Rule {
                id: id.value().clone(),
                expr,
                severity: raw.severity.as_ref().map_or(CheckSeverity::Fail, |word| *word.value()),
                runbook,
                is_shadow: raw.shadow.as_ref().is_some_and(|answer| *answer.value()),
                no_data: raw.no_data.as_ref().map_or(NoData::Inconclusive, |word| *word.value()),
                hold,
            });
        }
        rules
    }

    pub(super) fn expr(&mut self, key: &str, raw: Option<&Placed<String>>) -> Option<Expr> {
        let raw = raw?;
        let text = raw.value();
        if text.trim().is_empty() || text.len() > MAX_EXPR_LEN {
            let need = "must be an expression of 1 to 4096 bytes";
            self.findings.value(&raw.span(), key, need, None);
            return None;
        }
        Some(Expr { text: text.clone(), span: raw.span() })
    }

    /// A link on a page: http, https, or a path; nothing that a browser would run.
    pub(super) fn runbook(&mut self, key: &str, raw: &Placed<String>) -> String {
        let text = self.title(key, raw);
        let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        let is_link = scheme.is_none_or(|scheme| scheme == "http" || scheme == "https");
        if !is_link && !text.is_empty() {
            let need = "must be a web address (http, https) or a path";
            self.findings.value(&raw.span(), key, need, None);
        }
        text
    }

    /// `seen` are the ids of the rules: both are accepted by their ids.
    pub(super) fn slos<'r>(&mut self, raw: &'r [Placed<RawSlo>], seen: &mut Seen<'r>) -> Vec<Slo> {
        let mut slos = Vec::new();
        for (index, placed) in raw.iter().enumerate() {
            let raw = placed.value();
            let label = label("slo", index, raw.id.as_ref(), |name| seen.contains_key(name));
            self.once(&label, "id", raw.id.as_ref(), seen);
            let good = self.expr(&format!("{label}.good"), raw.good.as_ref());
            let objective = raw.objective.as_ref();
            let objective_ratio = self.objective(&format!("{label}.objective"), objective);
            let window = self.length(&format!("{label}.window"), raw.window.as_ref(), SLO_WINDOW);
            let (Some(id), Some(good), Some(objective_ratio)) = (&raw.id, good, objective_ratio)
            else {
                continue;
            };
            slos.push(Slo { id: id.value().clone(), good, objective_ratio, window });
        }
        slos
    }

    /// Neither 0 % nor 100 %: one asks for nothing, the other leaves no error budget.
    fn objective(&mut self, key: &str, raw: Option<&Placed<PercentText>>) -> Option<f64> {
        let raw = raw?;
        match quantity::percent(raw.value().as_ref()) {
            Ok(ratio) if 0.0 < ratio && ratio < 1.0 => return Some(ratio),
            Ok(_) => {
                let need = "must be more than `0%` and less than `100%`";
                self.findings.value(&raw.span(), key, need, None);
            }
            Err(no) => self.no_quantity(&raw.span(), key, "percentage such as `99.5%`", no),
        }
        None
    }

    pub(super) fn calendars(&mut self, raw: &[Placed<RawCalendar>]) -> Vec<Calendar> {
        let mut seen = Seen::new();
        let mut calendars = Vec::new();
        for (index, placed) in raw.iter().enumerate() {
            let entry = placed.value();
            let label =
                label("calendar", index, entry.name.as_ref(), |name| seen.contains_key(name));
            self.once(&label, "name", entry.name.as_ref(), &mut seen);
            let days = self.days(&label, placed);
            let kind = entry.kind.as_ref().map_or(CalendarKind::Other, |kind| *kind.value());
            if let (Some(name), Some(days)) = (&entry.name, days) {
                calendars.push(Calendar { name: name.value().clone(), kind, days });
            }
        }
        calendars
    }

    fn days(&mut self, label: &str, placed: &Placed<RawCalendar>) -> Option<CalendarDays> {
        let raw = placed.value();
        let key = |name: &str| format!("{label}.{name}");
        let from = raw.from.as_ref().map(|from| self.date(&key("from"), from));
        let to = raw.to.as_ref().map(|to| self.date(&key("to"), to));
        let fields = self.event_fields(&key("fields"), &raw.fields);
        match (&raw.file, &raw.include, from, to) {
            (Some(file), None, None, None) => {
                Some(CalendarDays::File(self.path(&key("file"), file), fields))
            }
            (None, Some(include), None, None) => {
                let globs = self.glob_list(&key("include"), include, false);
                Some(CalendarDays::Files(globs.into_iter().map(|it| it.absolute).collect(), fields))
            }
            (None, None, Some(from), to) => {
                let (from, to) = (from?, to.unwrap_or(from)?);
                if let Some(place) = raw.to.as_ref().filter(|_| to < from) {
                    let need = format!("must not be before `from`, which is `{from}`");
                    self.findings.value(&place.span(), &key("to"), &need, None);
                }
                if fields != EventFields::default() {
                    let message = format!("`{}` is of no use without a file", key("fields"));
                    self.findings.report(&placed.span(), &key("fields"), &message, None);
                }
                Some(CalendarDays::Between(from, to))
            }
            _ => {
                let message = format!("`{label}` needs one of `file`, `include` and `from`");
                self.findings.report(&placed.span(), label, &message, None);
                None
            }
        }
    }

    fn event_fields(&mut self, key: &str, raw: &RawEventFields) -> EventFields {
        let mut of = |name: &str, field: &Option<Placed<FieldText>>| {
            field.as_ref().and_then(|field| self.field(&format!("{key}.{name}"), field))
        };
        EventFields {
            from: of("from", &raw.from),
            to: of("to", &raw.to),
            name: of("name", &raw.name),
            kind: of("kind", &raw.kind),
        }
    }

    fn date(&mut self, key: &str, raw: &Placed<DateText>) -> Option<Date> {
        let date = raw.value().as_ref().parse().ok();
        if date.is_none() {
            self.findings.value(&raw.span(), key, "must be a date such as `2026-12-25`", None);
        }
        date
    }
}

/// `source.app`, or `source[2]` where there is no name or another entry has it.
pub(super) fn label(
    list: &str,
    index: usize,
    name: Option<&Placed<String>>,
    is_taken: impl Fn(&str) -> bool,
) -> String {
    match name.map(Placed::value) {
        Some(name) if !name.is_empty() && !is_taken(name) => {
            format!("{list}.{}", written::key(name))
        }
        _ => format!("{list}[{index}]"),
    }
}
