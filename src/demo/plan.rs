//! What will happen, decided from the seed before the first request: days, deployments, incidents.
//!
//! The plan depends on seed, days and incident but not on the rate, so a data set of any size
//! tells the same story.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::random::Random;
use super::rhythm::{self, DAY_MINUTES, DayKind};
use super::route::{ROUTES, SIGN_IN, SLOWABLE_COUNT};
use super::text::{self, DAY_MS};
use super::{
    DemoError, DemoOptions, Incident, MAX_DAYS, MAX_REQUESTS_PER_DAY, MIN_DAYS_WITH_INCIDENT,
};

/// Local time is this much behind UTC, all year.
pub(crate) const UTC_OFFSET_MS: i64 = 3 * 3_600_000;
/// Length of a minute.
pub(crate) const MINUTE_MS: i64 = 60_000;
/// Share of sign-ins with a wrong password while all is well.
pub(crate) const WRONG_PASSWORD_RATIO: f64 = 0.09;

/// Incidents fall into this many last days.
const INCIDENT_DAYS: usize = 6;
const SLOW_FACTOR: f64 = 1.8;
const ERROR_FACTOR: f64 = 4.0;
/// Wrong passwords during a burst, relative to the usual ones at the peak of a day.
const BURST_FACTOR: f64 = 24.0;
/// Fewest of them per minute: who tries passwords does not mind how small the school is.
const MIN_BURST_PER_MINUTE: f64 = 0.25;
/// Share of weekly reports still handed in during a drop.
const KEPT_RATIO: f64 = 0.2;

/// One local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day {
    /// What kind of day it is.
    pub(crate) kind: DayKind,
    /// 0 is Monday.
    pub(crate) weekday: usize,
    /// True if there is maintenance at night.
    pub(crate) is_maintained: bool,
}

/// One deployment.
#[derive(Clone, Debug)]
pub(crate) struct Deploy {
    /// When requests begin to reach it, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// Version, such as `v1.42.0`.
    pub(crate) name: String,
    /// Vercel's id, as in the log records.
    pub(crate) id: String,
    /// Git commit.
    pub(crate) commit: String,
}

/// A half-open span of time in milliseconds since 1970.
pub(crate) type Span = std::ops::Range<i64>;

/// Everything that is decided beforehand.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Local midnight of the first day, in milliseconds since 1970.
    pub(crate) start_ms: i64,
    /// First local day.
    pub(crate) first_day: Date,
    /// The days.
    pub(crate) days: Vec<Day>,
    /// Deployments in order of time; the first is live when the data begins.
    pub(crate) deploys: Vec<Deploy>,
    /// Deployment that slows a route, or would; before and after in `truth.json` is about it.
    pub(crate) slow_deploy: usize,
    /// Deployment that brings errors, or would.
    pub(crate) error_deploy: usize,
    /// Index of the slowed route.
    pub(crate) slow_route: Option<usize>,
    /// True if 5xx answers rise.
    pub(crate) has_errors: bool,
    /// When passwords are tried.
    pub(crate) burst: Option<Span>,
    /// When reports are not handed in.
    pub(crate) drop: Option<Span>,
    /// Requests per minute for a weight of 1.
    rate_per_weight: f64,
    /// Share of the requests that are sign-ins.
    sign_in_ratio: f64,
}

impl Plan {
    /// Decides everything.
    pub(crate) fn new(options: &DemoOptions) -> Result<Self, DemoError> {
        let start_ms = checked_start_ms(options)?;
        let mut random = Random::new(options.seed, 1);
        let days = school_days(options, &mut random);
        let late: Vec<usize> = (days.len().saturating_sub(INCIDENT_DAYS)..days.len())
            .filter(|&day| days.get(day).is_some_and(|day| day.kind.is_school()))
            .collect();
        let (deploys, changing) = deployments(&days, &late, start_ms, &mut random);
        let [slow_deploy, error_deploy] =
            [(); 2].map(|()| if random.below(2) == 0 { changing.0 } else { changing.1 });
        let slow_route = random.below(SLOWABLE_COUNT as u64) as usize;
        let burst = burst_span(&late, start_ms, &mut random);
        let drop = drop_span(&late, start_ms, &mut random);

        let has = |part| !late.is_empty() && options.incident.includes(part);
        let total_weight: f64 = ROUTES.iter().map(|route| route.weight).sum();
        let sign_in_weight = ROUTES.get(SIGN_IN).map_or(0.0, |route| route.weight);
        Ok(Self {
            start_ms,
            first_day: options.first_day,
            days,
            deploys,
            slow_deploy,
            error_deploy,
            slow_route: has(Incident::SlowRoute).then_some(slow_route),
            has_errors: has(Incident::Errors),
            burst: has(Incident::SigninFailures).then_some(burst),
            drop: has(Incident::SubmissionsDrop).then_some(drop),
            rate_per_weight: options.requests_per_day / rhythm::ordinary_day_weight() / 60.0,
            sign_in_ratio: sign_in_weight / total_weight,
        })
    }

    /// End of the last day, exclusive.
    pub(crate) fn end_ms(&self) -> i64 {
        self.start_ms + self.days.len() as i64 * DAY_MS
    }

    /// Number of minutes in the data.
    pub(crate) fn minutes(&self) -> u32 {
        self.days.len() as u32 * DAY_MINUTES
    }

    /// Requests expected in a minute of the data, and how busy that is (1 is the usual peak).
    pub(crate) fn rate_and_load(&self, minute: u32) -> (f64, f64) {
        let weight = rhythm::minute_weight(&self.days, minute);
        (weight * self.rate_per_weight, weight / rhythm::PEAK_WEIGHT)
    }

    /// Sign-in failures per minute on top of the usual ones.
    pub(crate) fn burst_rate(&self, ms: i64) -> f64 {
        match &self.burst {
            Some(span) if span.contains(&ms) => {
                let peak_rate = rhythm::PEAK_WEIGHT * self.rate_per_weight;
                let usual = peak_rate * self.sign_in_ratio * WRONG_PASSWORD_RATIO;
                (BURST_FACTOR * usual).max(MIN_BURST_PER_MINUTE)
            }
            _ => 0.0,
        }
    }

    /// Share of the weekly reports that are handed in at a time.
    pub(crate) fn kept_ratio(&self, ms: i64) -> f64 {
        if self.drop.as_ref().is_some_and(|span| span.contains(&ms)) { KEPT_RATIO } else { 1.0 }
    }

    /// Factor on the duration of a route under a deployment.
    pub(crate) fn slow_factor(&self, route: usize, deploy: usize) -> f64 {
        if self.is_slowed(route, deploy) { SLOW_FACTOR } else { 1.0 }
    }

    /// True if the route is slowed under a deployment.
    pub(crate) fn is_slowed(&self, route: usize, deploy: usize) -> bool {
        self.slow_route == Some(route) && deploy >= self.slow_deploy
    }

    /// Factor on the share of 5xx answers under a deployment.
    pub(crate) fn error_factor(&self, deploy: usize) -> f64 {
        if self.has_errors && deploy >= self.error_deploy { ERROR_FACTOR } else { 1.0 }
    }

    /// When the deployment with this index begins to answer; the end of the data if there is none.
    pub(crate) fn deployed_ms(&self, deploy: usize) -> i64 {
        self.deploys.get(deploy).map_or(self.end_ms(), |deploy| deploy.at_ms)
    }
}

fn checked_start_ms(options: &DemoOptions) -> Result<i64, DemoError> {
    let min = if options.incident == Incident::None { 1 } else { MIN_DAYS_WITH_INCIDENT };
    if !(min..=MAX_DAYS).contains(&options.days) {
        return Err(DemoError::Days { got: options.days, min });
    }
    if !(1.0..=MAX_REQUESTS_PER_DAY).contains(&options.requests_per_day) {
        return Err(DemoError::Rate { got: options.requests_per_day });
    }
    let got = options.first_day;
    let midnight = got.to_zoned(TimeZone::UTC).map_err(|_| DemoError::FirstDay { got })?;
    if !(1970..2200).contains(&got.year()) {
        return Err(DemoError::FirstDay { got });
    }
    Ok(midnight.timestamp().as_millisecond() + UTC_OFFSET_MS)
}

/// Kinds of the days: a holiday and a night of maintenance in every other week, but none in the
/// last one, where incidents are; an exam in the weeks between.
fn school_days(options: &DemoOptions, random: &mut Random) -> Vec<Day> {
    let first = options.first_day.weekday().to_monday_zero_offset() as usize;
    let mut days: Vec<Day> = (0..options.days as usize)
        .map(|n| (first + n) % 7)
        .map(|weekday| Day {
            kind: if weekday < 5 { DayKind::School } else { DayKind::Weekend },
            weekday,
            is_maintained: false,
        })
        .collect();
    let last_week = days.len().saturating_sub(7);
    for (week, week_days) in days.chunks_mut(7).enumerate() {
        let holiday = 1 + random.below(3) as usize; // Tuesday to Thursday
        let exam = 3 + random.below(2) as usize; // Thursday or Friday
        let has_holiday = week % 2 == 0 && week * 7 + 7 <= last_week;
        for day in week_days {
            day.is_maintained = has_holiday && day.weekday == 5;
            if has_holiday && day.weekday == holiday {
                day.kind = DayKind::Holiday;
            } else if week % 2 == 1 && day.weekday == exam {
                day.kind = DayKind::Exam;
            }
        }
    }
    days
}

/// Deployments, and the indices of the two that may change something.
///
/// One is live from the start; then there is one on every other school day, and in the last days
/// two on the first three school days and one that changes nothing on the last.
fn deployments(
    days: &[Day],
    late: &[usize],
    start_ms: i64,
    random: &mut Random,
) -> (Vec<Deploy>, (usize, usize)) {
    let early = days.len().saturating_sub(INCIDENT_DAYS);
    let mut on_days: Vec<usize> = (0..early)
        .filter(|&day| days.get(day).is_some_and(|day| day.kind.is_school()))
        .step_by(2)
        .collect();
    let first_late = on_days.len() + 1; // after the one that is live from the start
    let left_out = random.below(3) as usize;
    let first_three = late.iter().take(3).enumerate();
    on_days.extend(first_three.filter(|(n, _)| *n != left_out).map(|(_, day)| *day));
    on_days.extend(late.get(3..).and_then(<[usize]>::last));

    let mut version = (38, 0);
    let mut deploys = vec![deploy(start_ms - 2 * DAY_MS + 51_240_000, version, random)];
    for day in on_days {
        version =
            if random.below(3) == 0 { (version.0, version.1 + 1) } else { (version.0 + 1, 0) };
        let of_day_ms = 10 * 3_600_000 + random.below(4 * 3600) as i64 * 1000;
        deploys.push(deploy(start_ms + day as i64 * DAY_MS + of_day_ms, version, random));
    }
    let last = deploys.len() - 1;
    (deploys, (first_late.min(last), (first_late + 1).min(last)))
}

fn deploy(at_ms: i64, (minor, patch): (u32, u32), random: &mut Random) -> Deploy {
    let mut id = b"dpl_".to_vec();
    let mut commit = Vec::new();
    for _ in 0..4 {
        text::push_base62(&mut id, random.bits(), 7);
        text::push_hex(&mut commit, random.bits(), 10);
    }
    Deploy {
        at_ms,
        name: format!("v1.{minor}.{patch}"),
        id: String::from_utf8_lossy(&id).into_owned(),
        commit: String::from_utf8_lossy(&commit).into_owned(),
    }
}

/// One to three hours between nine and six on one of the days, in steps of ten minutes.
fn burst_span(days: &[usize], start_ms: i64, random: &mut Random) -> Span {
    let day = days.get(random.below(days.len() as u64) as usize).copied().unwrap_or_default();
    let of_day = 540 + 10 * random.below(37) as i64;
    let length = 60 + 10 * random.below(13) as i64;
    let from_ms = start_ms + day as i64 * DAY_MS + of_day * MINUTE_MS;
    from_ms..from_ms + length * MINUTE_MS
}

/// Two or three of the days that follow one another, from midnight to midnight.
fn drop_span(days: &[usize], start_ms: i64, random: &mut Random) -> Span {
    let length = (2 + random.below(2) as usize).min(days.len());
    let first = random.below((days.len() - length + 1) as u64) as usize;
    let mut dropped = days.iter().skip(first).take(length).map(|&day| day as i64);
    let first = dropped.next().unwrap_or_default();
    let last = dropped.next_back().unwrap_or(first);
    start_ms + first * DAY_MS..start_ms + (last + 1) * DAY_MS
}
