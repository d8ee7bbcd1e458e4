//! Which fields hold durations, and in which unit.

use serde_json::Value;

use super::access_log;
use super::detect::{Keys, MAX_FIELDS_PER_ROLE, Overrides};
use super::pools::DURATION_POOL;
use super::profile::{DurationField, Role};
use super::shape::Shape;
use super::unit::{self, DurationUnit};
use crate::stats::quantile::median_of;

pub(super) fn duration_fields(
    shape: &Shape,
    keys: &Keys,
    overrides: &Overrides,
) -> Vec<DurationField> {
    if let Some((_, path)) = overrides.fields.iter().find(|(role, _)| *role == Role::Duration) {
        let default = shape.durations.iter().find(|(known, _)| known == path).map(|(_, u)| *u);
        let told = overrides.duration_unit;
        return vec![duration_field(path, told.or(default), told.is_some(), keys)];
    }
    let mut fields: Vec<DurationField> = Vec::new();
    for (from, until) in shape.spans {
        if keys.contains_key(*from) && keys.contains_key(*until) {
            fields.push(DurationField {
                path: (*from).to_owned(),
                until: Some((*until).to_owned()),
                only_when: shape.timed_when,
                unit: DurationUnit::Ns,
                guess: None,
            });
        }
    }
    let named = shape.durations.iter().map(|(path, unit)| ((*path).to_owned(), Some(*unit)));
    let pool = DURATION_POOL.iter().map(|path| ((*path).to_owned(), None));
    for (path, default) in named.chain(pool) {
        let known = fields.iter().any(|field| field.path == path);
        if !known && fields.len() < MAX_FIELDS_PER_ROLE && holds_durations(&path, keys) {
            fields.push(duration_field(&path, default, false, keys));
        }
    }
    if fields.is_empty() {
        let nested = keys.keys().filter(|path| {
            let last = path.rsplit_once('.').map(|(_, name)| name);
            last.is_some_and(|name| DURATION_POOL.contains(&name)) && holds_durations(path, keys)
        });
        let best = nested.min_by_key(|path| !path.contains("http"));
        fields.extend(best.map(|path| duration_field(path, None, false, keys)));
    }
    fields
}

fn holds_durations(path: &str, keys: &Keys) -> bool {
    keys.get(path).is_some_and(|key| {
        let good = key.values.iter().filter(|value| match value {
            Value::Number(number) => number.as_f64().is_some_and(|n| n >= 0.0),
            Value::String(text) => {
                text == "-" || unit::parse_duration(text.as_bytes(), DurationUnit::S).is_some()
            }
            _ => false,
        });
        !key.values.is_empty() && good.count() * 2 >= key.values.len()
    })
}

/// Unit: what a person said, else the name's suffix, else the value's (always respected by the
/// decoder), else the shape's, else a guess from the median.
fn duration_field(
    path: &str,
    default: Option<DurationUnit>,
    told: bool,
    keys: &Keys,
) -> DurationField {
    let field = |unit, guess| {
        let path = path.to_owned();
        DurationField { path, until: None, only_when: None, unit, guess }
    };
    let by_name = if told { None } else { DurationUnit::from_field_name(path) };
    let is_known = path != access_log::WHOLE_NUMBERS;
    if let Some(unit) = by_name.or(default).filter(|_| is_known) {
        return field(unit, None);
    }
    let values = keys.get(path).map_or(&[][..], |key| key.values.as_slice());
    let mut bare: Vec<f64> = values
        .iter()
        .filter_map(|value| match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        })
        .collect();
    if path == access_log::WHOLE_NUMBERS {
        let median = median_of(&mut bare).unwrap_or(f64::NAN);
        return field(access_log::whole_number_unit(median), None);
    }
    match unit::guess_unit(&bare) {
        Some(guess) => field(guess.unit, Some(guess.reason)),
        None => field(DurationUnit::Ms, None), // every value names its own unit
    }
}
