//! The file of a baseline.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{InputRef, Span, time_zone};
use crate::rule::{Measure, Rule};
use crate::stats::{quantile::Sorted, sketch::Sketch};

/// Days of which the same hour of the week, or of like days, is the usual.
const MIN_WEEKS: usize = 3;
const MIN_DAYS: usize = 2;

/// What was usual, by measure and group. Schema `plimsoll.baseline/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// Always [`Baseline::SCHEMA`].
    pub schema: String,
    /// Name: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// When it was made, RFC 3339 UTC.
    pub made_at: String,
    /// plimsoll's version.
    pub version: String,
    /// What was read.
    pub inputs: Vec<InputRef>,
    /// From the first record to the last.
    pub span: Span,
    /// Length of the windows, microseconds.
    pub window_us: i64,
    /// Zone in which hours and weeks were counted.
    pub zone: String,
    /// Kind of the known events in which its time lies; `None` for time without such events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// Events whose time was left out. May hold log text.
    pub excluded: Vec<String>,
    /// By measure, in the order of the rules.
    pub measures: Vec<SavedMeasure>,
    /// JSON paths of the fields that hold text from logs.
    pub untrusted_text_fields: Vec<String>,
}

/// One measure of some rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SavedMeasure {
    /// Canonical text of the measure with its `where` and `per`.
    pub key: MeasureKey,
    /// What rules ask of it, such as `p95(duration) < baseline + 10%`.
    pub terms: Vec<String>,
    /// Most rows first; one without a name where it is not asked by a field.
    pub groups: Vec<SavedGroup>,
    /// Groups with fewer rows that are not in the file.
    pub groups_left_out: u64,
}

/// A measure with its `where` and `per`, as canonical text: rules that ask for the same have it in
/// common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MeasureKey(pub String);

impl MeasureKey {
    /// Of a measure in a rule.
    pub fn of(measure: &Measure, rule: &Rule) -> Self {
        let mut key = measure.to_string();
        if !rule.filter.conditions.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(key, " where {}", rule.filter);
        }
        if let Some(field) = &rule.per {
            let _ = write!(key, " per {field}");
        }
        Self(key)
    }
}

/// What one group was like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SavedGroup {
    /// Value of the field the rule is asked by. Log text: untrusted.
    pub name: Option<String>,
    /// Rows, or values where some are taken.
    pub n: u64,
    /// Rows that match, of a share.
    pub matching: u64,
    /// Seconds that were looked at.
    pub exposure_s: f64,
    /// The measure over all of it, in its base unit.
    pub value: Option<f64>,
    /// All values.
    pub values: Option<Sketch>,
    /// Evenly spaced values in the order of time.
    pub sample: Vec<f64>,
    /// Autocorrelation of neighbouring values; `None` where their order was lost.
    pub lag1: Option<f64>,
    /// The newest windows, in the order of time.
    pub windows: Vec<SavedWindow>,
    /// How much more a share varies than independent events would; 1 for other measures.
    pub share_dispersion: f64,
    /// Different values of the field, in the order of the alphabet. Log text: untrusted.
    pub distinct: Vec<String>,
    /// How many different values there were.
    pub distinct_count: u64,
}

/// One window: its slot, rows, matching rows and value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SavedWindow(pub Slot, pub u64, pub u64, pub Option<f64>);

/// Local hour in which the middle of a window lies, counted from Monday, 29 December 1969, 0 h; of
/// windows that hold about every hour, the first of the day.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Slot(pub i32);

/// In what windows are like each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Like {
    /// They are of the same hour of the week.
    HourOfWeek,
    /// They are of the same hour, all of working days or all of weekends.
    HourOfDay,
    /// There are too few that are like each other.
    Any,
}

impl Slot {
    /// Of a day, from a Monday on, and an hour.
    pub fn new(day: i32, hour: i8) -> Self {
        Self(day.saturating_mul(24).saturating_add(hour.clamp(0, 23).into()))
    }

    /// In what windows of `others` are like one of this slot: different days count, since many
    /// windows of one hour have that hour's luck in common.
    pub fn like_in(self, others: &[Self]) -> Like {
        let day_count = |like| {
            let days = others.iter().filter(|other| self.is_like(**other, like));
            days.map(|other| other.0.div_euclid(24)).collect::<BTreeSet<_>>().len()
        };
        let known = [(Like::HourOfWeek, MIN_WEEKS), (Like::HourOfDay, MIN_DAYS)];
        let like = known.into_iter().find(|(like, least)| day_count(*like) >= *least);
        like.map_or(Like::Any, |(like, _)| like)
    }

    /// Whether both are of the same hour of the week, or of the same hour of like days.
    pub fn is_like(self, other: Self, like: Like) -> bool {
        let [one, other] = [self, other].map(|slot| slot.0.rem_euclid(7 * 24));
        match like {
            Like::HourOfWeek => one == other,
            Like::HourOfDay => one % 24 == other % 24 && (one / 24 < 5) == (other / 24 < 5),
            Like::Any => true,
        }
    }
}

impl Baseline {
    /// Name and version of the schema.
    pub const SCHEMA: &str = "plimsoll.baseline/1";
    /// JSON paths of everything that can hold text from logs, names of files included.
    pub const UNTRUSTED_TEXT_FIELDS: [&str; 4] =
        ["inputs[].name", "excluded", "measures[].groups[].name", "measures[].groups[].distinct"];

    /// What no measuring gives, in words; `None` where all fits together.
    pub(super) fn impossible(&self) -> Option<String> {
        if time_zone(&self.zone).is_none() {
            return Some(format!("`{}` is no time zone", self.zone.escape_debug()));
        }
        let groups = self.measures.iter().flat_map(|measure| &measure.groups);
        let rows = groups.flat_map(|group| {
            let windows = group.windows.iter().map(|window| (window.1, window.2));
            windows.chain([(group.n, group.matching)])
        });
        let mut wrong = rows.filter(|(n, matching)| matching > n);
        wrong.next().map(|(n, matching)| format!("of {n} rows {matching} match"))
    }

    /// The measure, if it was saved.
    pub fn measure(&self, key: &MeasureKey) -> Option<&SavedMeasure> {
        self.measures.iter().find(|measure| measure.key == *key)
    }
}

impl SavedMeasure {
    /// What is known of a group.
    pub fn group(&self, name: Option<&str>) -> Option<&SavedGroup> {
        self.groups.iter().find(|group| group.name.as_deref() == name)
    }
}

impl SavedGroup {
    /// The windows like one of this slot, see [`Slot::like_in`].
    pub fn like(&self, slot: Slot) -> impl Iterator<Item = &SavedWindow> {
        let slots: Vec<Slot> = self.windows.iter().map(|window| window.0).collect();
        let like = slot.like_in(&slots);
        self.windows.iter().filter(move |window| slot.is_like(window.0, like))
    }

    /// Whether [`Self::like`] gives fewer than all windows.
    pub fn has_season(&self, slot: Slot) -> bool {
        self.like(slot).count() < self.windows.len()
    }

    /// Values of the windows, in the order of time, without those that have none.
    pub fn course(&self) -> Vec<f64> {
        self.windows.iter().filter_map(|window| window.3).collect()
    }

    /// Quartiles of the windows' values.
    pub fn spread(&self) -> Option<[f64; 2]> {
        let sorted = Sorted::new(self.course());
        Some([sorted.quantile(0.25)?, sorted.quantile(0.75)?])
    }

    /// The windows of each hour of the week among those that they are like.
    pub fn seasons(&self) -> Vec<Season> {
        let hour_of_week = |slot: Slot| Slot(slot.0.rem_euclid(7 * 24));
        let hours: BTreeSet<Slot> = self.windows.iter().map(|it| hour_of_week(it.0)).collect();
        let season = |hour: Slot| {
            let like = self.like(hour).filter_map(|it| Some((hour_of_week(it.0), it.3?)));
            let (hours, values): (Vec<Slot>, Vec<f64>) = like.unzip();
            let own = (0..hours.len()).filter(|index| hours.get(*index) == Some(&hour)).collect();
            Season { values, own }
        };
        hours.into_iter().map(season).collect()
    }
}

/// Windows of one hour of the week among those that they are like.
#[derive(Clone, Debug, PartialEq)]
pub struct Season {
    /// Values of all, in the order of time.
    pub values: Vec<f64>,
    /// Places of the windows of the hour itself.
    pub own: Vec<usize>,
}
