//! One measure of a rule, read over any windows.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::shelf::{Answers, Shelf};
use crate::model::Window;
use crate::query::{Measurement, Question, Take, Values};
use crate::rule::{Field, Filter, Measure, Rule};

/// Fields that belong to requests: what is asked of them is asked of requests, whatever else is
/// asked is asked of single records.
const OF_REQUESTS: [&str; 5] = ["duration_ms", "status", "route", "method", "path"];

/// The questions behind a measure: the rows it is about, and those of them that match.
pub(super) fn questions(measure: &Measure, rule: &Rule) -> Vec<Question> {
    let fields = measure.fields().chain(rule.filter.fields()).chain(&rule.per);
    let of_requests = is_of_requests(fields);
    let per = rule.per.as_ref().map(|field| field.name.clone());
    let question = |filter: &Filter, take: Take| Question {
        filter: filter.clone(),
        take,
        per: per.clone(),
        of_requests,
    };
    let take = match measure {
        Measure::Novelty(inner) => return questions(inner, rule),
        Measure::Share(matching) => {
            let mut both = rule.filter.clone();
            both.conditions.extend(matching.conditions.iter().cloned());
            return vec![question(&rule.filter, Take::Rows), question(&both, Take::Rows)];
        }
        Measure::Count | Measure::Rate | Measure::Age => Take::Rows,
        Measure::Distinct(field) | Measure::New(field) => Take::Distinct(field.name.clone()),
        Measure::Quantile { field, .. }
        | Measure::Average(field)
        | Measure::Max(field)
        | Measure::Min(field)
        | Measure::Sum(field)
        | Measure::Shift(field) => Take::Values(field.name.clone()),
    };
    vec![question(&rule.filter, take)]
}

/// Whether any of the fields belongs to requests.
pub(super) fn is_of_requests<'f>(fields: impl IntoIterator<Item = &'f Field>) -> bool {
    fields.into_iter().any(|field| OF_REQUESTS.contains(&field.name.as_str()))
}

/// What a measure came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// Rows, or values where some are taken.
    pub(super) n: u64,
    /// Rows that match, of a share.
    pub(super) matching: u64,
    /// In the base unit of the measure: milliseconds, per cent, a number, 1/s.
    pub(super) value: Option<f64>,
}

/// A measure and where its rows are.
pub(super) struct Gauge<'a> {
    measure: &'a Measure,
    shelf: &'a Shelf,
    place: usize,
    rows: Rc<Measurement<'a>>,
    matching: Option<Rc<Measurement<'a>>>,
}

impl<'a> Gauge<'a> {
    /// `places` are those of [`questions`], in their order.
    pub(super) fn new<'m: 'a>(
        measure: &'a Measure,
        (shelf, answers): (&'a Shelf, &mut Answers<'m>),
        places: &[usize],
    ) -> Option<Self> {
        let measure = match measure {
            Measure::Novelty(inner) => inner,
            measure => measure,
        };
        let place = *places.first()?;
        let matching = places.get(1).and_then(|place| answers.at(*place));
        Some(Self { measure, shelf, place, rows: answers.at(place)?, matching })
    }

    /// Whether nothing at all was measured: no row, none that matches, or no value in any.
    pub(super) fn is_empty(&self, span: Window) -> bool {
        self.groups(usize::MAX).iter().all(|group| {
            let reading = self.read(group.as_deref(), &[span]);
            let is_of_values = matches!(self.measure, Measure::Distinct(_) | Measure::New(_));
            let has_none = is_of_values && reading.value == Some(0.0);
            reading.n == 0 || has_none || (self.matching.is_some() && reading.matching == 0)
        })
    }

    /// What is measured.
    pub(super) fn measure(&self) -> &Measure {
        self.measure
    }

    /// Names of the groups with most rows first, one `None` where it is not asked by a field.
    pub(super) fn groups(&self, most: usize) -> Vec<Option<String>> {
        let groups = self.rows.groups();
        if self.rows.group_name(0).is_none() {
            return vec![None];
        }
        let name = |(group, _): &(u32, u64)| self.rows.group_name(*group).map(str::to_owned);
        groups.iter().take(most).map(name).collect()
    }

    /// Reads the measure over windows, which are in order.
    pub(super) fn read(&self, group: Option<&str>, windows: &[Window]) -> Reading {
        match self.measure {
            Measure::Count => {
                let n = self.count(group, windows);
                Reading { n, value: Some(n as f64), ..Reading::default() }
            }
            Measure::Age => Reading { n: self.count(group, windows), ..Reading::default() },
            Measure::Rate => {
                let n = self.count(group, windows);
                let seconds: f64 = windows.iter().map(|window| window.len_s()).sum();
                let value = (seconds > 0.0).then(|| n as f64 / seconds);
                Reading { n, value, ..Reading::default() }
            }
            Measure::Share(_) => {
                let (n, matching) = (self.count(group, windows), self.matching(group, windows));
                let value = (n > 0).then(|| 100.0 * matching as f64 / n as f64);
                Reading { n, matching, value }
            }
            Measure::Distinct(_) | Measure::New(_) => {
                let n = self.count(group, windows);
                let value = Some(self.distinct(group, windows).len() as f64);
                Reading { n, value, ..Reading::default() }
            }
            _ => {
                let values = self.values(group, windows);
                let value = self.of_values(&values);
                Reading { n: values.all.count(), value, ..Reading::default() }
            }
        }
    }

    fn of_values(&self, values: &Values) -> Option<f64> {
        let all = &values.all;
        let sum = || {
            let in_order = values.in_order.as_ref().map(|values| values.iter().sum::<f64>());
            in_order.unwrap_or_else(|| {
                let thinned = all.thin(10_000);
                let mean = thinned.as_slice().iter().sum::<f64>() / thinned.len().max(1) as f64;
                mean * all.count() as f64
            })
        };
        match self.measure {
            Measure::Quantile { percent, .. } => all.quantile(percent / 100.0),
            Measure::Shift(_) => all.quantile(0.5),
            Measure::Max(_) => all.quantile(1.0),
            Measure::Min(_) => all.quantile(0.0),
            Measure::Average(_) => (all.count() > 0).then(|| sum() / all.count() as f64),
            Measure::Sum(_) => Some(sum()),
            _ => None,
        }
    }

    pub(super) fn values(&self, group: Option<&str>, windows: &[Window]) -> Rc<Values> {
        self.shelf.values(self.place, (group, windows), || {
            let group = self.rows.group(group).unwrap_or(NO_SUCH_GROUP);
            self.rows.values(group, windows)
        })
    }

    pub(super) fn distinct(&self, group: Option<&str>, windows: &[Window]) -> BTreeSet<String> {
        let group = self.rows.group(group).unwrap_or(NO_SUCH_GROUP);
        self.rows.distinct(group, windows)
    }

    /// Whether there were more different values than are told apart.
    pub(super) fn has_too_many_values(&self) -> bool {
        self.rows.has_too_many_values()
    }

    pub(super) fn newest_us(&self, group: Option<&str>, end_us: i64) -> Option<i64> {
        self.rows.newest_us(self.rows.group(group)?, end_us)
    }

    fn count(&self, group: Option<&str>, windows: &[Window]) -> u64 {
        count(&self.rows, group, windows)
    }

    fn matching(&self, group: Option<&str>, windows: &[Window]) -> u64 {
        self.matching.as_ref().map_or(0, |rows| count(rows, group, windows))
    }
}

/// No field has so many different values.
const NO_SUCH_GROUP: u32 = u32::MAX - 1;

fn count(rows: &Measurement<'_>, group: Option<&str>, windows: &[Window]) -> u64 {
    let group = rows.group(group).unwrap_or(NO_SUCH_GROUP);
    windows.iter().map(|window| rows.count(group, *window)).sum()
}
