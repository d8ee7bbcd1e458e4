//! The file of a baseline.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{InputRef, Span, time_zone};
use crate::rule::{Measure, Rule};
use crate::stats::{quantile::Sorted, season::MIN_LIKE_WINDOWS, sketch::Sketch};

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

/// Hour of the week in which the middle of a window lies, from Monday 0 h; of windows that hold
/// about every hour, the day.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Slot(pub u8);

impl Slot {
    /// Of a day from Monday 0, and an hour.
    pub fn new(weekday: i8, hour: i8) -> Self {
        Self(weekday.clamp(0, 6) as u8 * 24 + hour.clamp(0, 23) as u8)
    }

    /// Whether it is the same hour, both on working days or both on weekends.
    pub fn is_like_day(self, other: Self) -> bool {
        let is_workday = |slot: Self| slot.0 / 24 < 5;
        self.0 % 24 == other.0 % 24 && is_workday(self) == is_workday(other)
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
    /// The windows like one of this slot: of the same hour of the week where there are three, else
    /// of the same hour of the day, else all.
    pub fn like(&self, slot: Slot) -> impl Iterator<Item = &SavedWindow> {
        let count = |is_like: &dyn Fn(Slot) -> bool| {
            self.windows.iter().filter(|window| is_like(window.0)).count()
        };
        let weekly = count(&|other| other == slot) >= MIN_LIKE_WINDOWS;
        let daily = count(&|other| other.is_like_day(slot)) >= MIN_LIKE_WINDOWS;
        self.windows.iter().filter(move |SavedWindow(other, ..)| match (weekly, daily) {
            (true, _) => *other == slot,
            (false, true) => other.is_like_day(slot),
            (false, false) => true,
        })
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

    /// The windows of each slot among those that they are like.
    pub fn seasons(&self) -> Vec<Season> {
        let slots: BTreeSet<Slot> = self.windows.iter().map(|window| window.0).collect();
        let season = |slot: Slot| {
            let like = self.like(slot).filter_map(|window| Some((window.0, window.3?)));
            let (slots, values): (Vec<Slot>, Vec<f64>) = like.unzip();
            let own = (0..slots.len()).filter(|index| slots.get(*index) == Some(&slot)).collect();
            Season { values, own }
        };
        slots.into_iter().map(season).collect()
    }
}

/// Windows of one slot among those that they are like.
#[derive(Clone, Debug, PartialEq)]
pub struct Season {
    /// Values of all, in the order of time.
    pub values: Vec<f64>,
    /// Places of the windows of the slot itself.
    pub own: Vec<usize>,
}
