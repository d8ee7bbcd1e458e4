//! The whole of a weekly report, simulated: how the rooms are combined, how often that cries
//! wolf, and whether it finds what was planted.
//!
//! Two weeks of a school platform: 40 routes with log-normal latencies and very unequal traffic,
//! a daily and weekly rhythm of load, latency that rises with load, noise that whole hours share,
//! 5xx in clumps, sign-in failures, submissions with a weekly rhythm.

use std::ops::Range;

use super::super::Direction;
use super::super::correction::benjamini_hochberg;
use super::super::count::Count;
use super::super::quantile::quantiles_of;
use super::super::scan::{locate_count_burst, locate_rate_step};
use super::super::season::without_rhythm;
use super::super::step::{Point, locate_burst, locate_step};
use super::Random;

const ROUTES: usize = 40;
const HOURS: usize = 14 * 24;
/// Level of each of the two families of tests (routes; platform).
const LEVEL: f64 = 0.02;

/// What is planted, and in which hours.
#[derive(Clone, Debug)]
enum Incident {
    None,
    Slow { route: usize, ratio: f64, hours: Range<usize> },
    Errors { ratio: f64, hours: Range<usize> },
    Failures { ratio: f64, hours: Range<usize> },
    Submissions { ratio: f64, hours: Range<usize> },
}

impl Incident {
    fn slowdown(&self, wanted: usize, hour: usize) -> f64 {
        match self {
            Self::Slow { route, ratio, hours } if *route == wanted && hours.contains(&hour) => {
                *ratio
            }
            _ => 1.0,
        }
    }

    fn errors(&self, hour: usize) -> f64 {
        match self {
            Self::Errors { ratio, hours } if hours.contains(&hour) => *ratio,
            _ => 1.0,
        }
    }

    fn failures(&self, hour: usize) -> f64 {
        match self {
            Self::Failures { ratio, hours } if hours.contains(&hour) => *ratio,
            _ => 1.0,
        }
    }

    fn submissions(&self, hour: usize) -> f64 {
        match self {
            Self::Submissions { ratio, hours } if hours.contains(&hour) => *ratio,
            _ => 1.0,
        }
    }
}

/// What a report would say: the thing and the first hour of its change.
#[derive(Debug, PartialEq)]
struct Finding {
    thing: String,
    since: usize,
}

struct Tested {
    thing: String,
    p_value: f64,
    /// Hour of the change when it is large enough to speak of.
    since: Option<usize>,
}

fn load(hour: usize) -> f64 {
    let busy = [0.1, 0.05, 0.05, 0.05, 0.1, 0.2, 0.5, 1.0, 1.6, 1.9, 2.0, 1.9, 1.6, 1.7, 1.9, 1.8];
    let evening = 3.6 - 0.15 * (hour % 24) as f64;
    let day = busy.get(hour % 24).copied().unwrap_or(evening);
    if (hour / 24) % 7 >= 5 { 0.25 * day } else { day }
}

/// Slot of a window of `hours` hours: time of day, apart for weekends.
fn slot(window: usize, hours: usize) -> u32 {
    let hour = window * hours;
    let weekend = usize::from((hour / 24) % 7 >= 5);
    (weekend * 24 + hour % 24) as u32
}

fn report(seed: u64, incident: &Incident) -> Vec<Finding> {
    let mut random = Random::new(seed);
    let mut routes = Vec::new();
    let mut errors = vec![Count { events: 0.0, exposure: 0.0 }; HOURS];
    let shared: Vec<f64> = (0..HOURS).map(|_| 0.03 * random.normal()).collect();
    let clumps: Vec<f64> = (0..HOURS).map(|_| (0.4 * random.normal()).exp()).collect();
    for route in 0..ROUTES {
        let traffic = 110.0 / (route as f64 + 1.0).powf(1.1); // 70,000 requests in two weeks
        let (level, sigma) = (8.0 * 1.12_f64.powi(route as i32), 0.35 + 0.01 * route as f64);
        let mut own = 0.0;
        let mut by_hour: Vec<Vec<f64>> = Vec::with_capacity(HOURS);
        for hour in 0..HOURS {
            own = 0.5 * own + 0.03 * random.normal();
            let n = random.poisson(traffic * load(hour));
            let slow = 1.0 + 0.08 * load(hour);
            let center = level * slow * (shared[hour] + own).exp() * incident.slowdown(route, hour);
            by_hour.push((0..n).map(|_| center * (sigma * random.normal()).exp()).collect());
            let rate = 0.006 * clumps[hour] * incident.errors(hour);
            errors[hour].events += random.poisson(n as f64 * rate) as f64;
            errors[hour].exposure += n as f64;
        }
        for (quantile, least) in [(0.5, 1), (0.95, 20)] {
            routes.push(test_latency(route, &by_hour, quantile, least));
        }
    }
    let mut platform = platform_tests(&mut random, incident);
    platform.push(test_errors(&errors));
    [routes, platform].iter().flat_map(|family| findings(family)).collect()
}

fn findings(family: &[Tested]) -> Vec<Finding> {
    let p_values: Vec<f64> = family.iter().map(|tested| tested.p_value).collect();
    let adjusted = benjamini_hochberg(&p_values);
    family
        .iter()
        .zip(adjusted)
        .filter(|(_, p)| *p <= LEVEL)
        .filter_map(|(tested, _)| {
            Some(Finding { thing: tested.thing.clone(), since: tested.since? })
        })
        .collect()
}

fn test_latency(route: usize, by_hour: &[Vec<f64>], quantile: f64, least: usize) -> Tested {
    // Windows long enough for the quantile: p95 needs twenty values to be one.
    let total: usize = by_hour.iter().map(Vec::len).sum();
    let hours = [1, 3, 6, 12].into_iter().find(|h| total * h / HOURS >= least).unwrap_or(24);
    let windows = by_hour.chunks(hours).map(|window| {
        let mut values = window.concat();
        let n = values.len();
        let value = quantiles_of(&mut values, &[quantile]).values[0].filter(|_| n >= least)?;
        Some((value.ln(), n as u64))
    });
    let windows: Vec<Option<(f64, u64)>> = windows.collect();
    let logs: Vec<Option<f64>> = windows.iter().map(|w| w.map(|w| w.0)).collect();
    let slots: Vec<u32> = (0..logs.len()).map(|window| slot(window, hours)).collect();
    let points: Vec<Option<Point>> = without_rhythm(&logs, &slots)
        .iter()
        .zip(&windows)
        .map(|(value, window)| Some(Point::of_count((*value)?, (*window)?.1)))
        .collect();
    let step = locate_step(&points).map(|s| (s.p_value, s.change, s.place.index, s.explained));
    let burst = locate_burst(&points, 24 / hours.min(8))
        .map(|b| (b.p_value, b.change, b.start.index, b.explained));
    let found = [step, burst].into_iter().flatten();
    let p_value = found.clone().map(|f| 2.0 * f.0).fold(f64::NAN, f64::min).min(1.0);
    let best = found.max_by(|a, b| a.3.total_cmp(&b.3));
    let since = best
        .filter(|(_, change, ..)| change.lo > 0.0 && change.estimate > 1.1_f64.ln())
        .map(|(_, _, window, _)| window * hours);
    Tested { thing: format!("p{} of route {route}", quantile * 100.0), p_value, since }
}

fn test_errors(errors: &[Count]) -> Tested {
    let windows: Vec<Option<Count>> = errors.iter().copied().map(Some).collect();
    let step = locate_rate_step(&windows, Direction::Increase);
    let since = step.filter(|s| s.rate.ratio > 1.5 && s.rate.lo > 1.1).map(|s| s.place.index);
    Tested { thing: "5xx".into(), p_value: step.map_or(f64::NAN, |s| s.p_value), since }
}

fn platform_tests(random: &mut Random, incident: &Incident) -> Vec<Tested> {
    let mut failures = Vec::new();
    let mut submissions = Vec::new();
    let mut day_factor = 1.0;
    for hour in 0..HOURS {
        if hour % 24 == 0 {
            day_factor = (0.1 * random.normal()).exp();
        }
        let clump = (0.2 * random.normal()).exp();
        failures.push(Some(random.poisson(2.5 * load(hour) * clump * incident.failures(hour))));
        let weekday = [0.7, 0.8, 1.0, 1.1, 2.0, 0.3, 0.6][(hour / 24) % 7];
        let mean = 4.0 * load(9 + hour % 24) * weekday * day_factor * incident.submissions(hour);
        submissions.push(Some(random.poisson(mean)));
    }
    let time_of_day: Vec<u32> = (0..HOURS).map(|hour| slot(hour, 1)).collect();
    let hour_of_week: Vec<u32> = (0..HOURS as u32).map(|hour| hour % 168).collect();
    let burst = locate_count_burst(&failures, &time_of_day, 24, Direction::Increase);
    let drop = locate_count_burst(&submissions, &hour_of_week, 72, Direction::Decrease);
    [("sign-in failures", burst, true), ("submissions", drop, false)]
        .map(|(thing, found, more)| {
            let large =
                found.filter(|f| if more { f.rate.ratio > 2.0 } else { f.rate.ratio < 0.67 });
            Tested {
                thing: thing.into(),
                p_value: found.map_or(1.0, |f| f.p_value),
                since: large.map(|f| f.start.index),
            }
        })
        .into()
}

/// Runs quiet reports and says how many are not.
fn false_alarms(seeds: Range<u64>) -> (usize, Vec<Finding>) {
    let (mut alarmed, mut all) = (0, Vec::new());
    for seed in seeds {
        let found = report(seed, &Incident::None);
        alarmed += usize::from(!found.is_empty());
        all.extend(found);
    }
    (alarmed, all)
}

/// Runs reports with an incident and says how many name it within `hours`, and how many name
/// something else too.
fn power(
    seeds: Range<u64>,
    incident: &Incident,
    thing: &str,
    hours: usize,
) -> (usize, usize, usize) {
    let (mut found, mut dated, mut others) = (0, 0, 0);
    let planted = match incident {
        Incident::None => 0,
        Incident::Slow { hours, .. }
        | Incident::Errors { hours, .. }
        | Incident::Failures { hours, .. }
        | Incident::Submissions { hours, .. } => hours.start,
    };
    for seed in seeds {
        let findings = report(seed, incident);
        let named: Vec<_> = findings.iter().filter(|f| f.thing.ends_with(thing)).collect();
        found += usize::from(!named.is_empty());
        dated += usize::from(named.iter().any(|f| f.since.abs_diff(planted) <= hours));
        others += usize::from(named.len() < findings.len());
    }
    (found, dated, others)
}

fn planted() -> Vec<(Incident, &'static str, usize)> {
    let slow = |route, hours| Incident::Slow { route, ratio: 1.8, hours };
    vec![
        (slow(2, 230..336), "route 2", 1),
        (slow(2, 326..336), "route 2", 1), // the last ten hours, on a Sunday
        (slow(12, 254..336), "route 12", 3),
        (slow(25, 170..336), "route 25", 12), // some 450 requests in two weeks
        (slow(2, 201..206), "route 2", 1),    // five hours, then well again
        (Incident::Errors { ratio: 2.0, hours: 230..336 }, "5xx", 24),
        (Incident::Errors { ratio: 4.0, hours: 300..336 }, "5xx", 3),
        (Incident::Failures { ratio: 10.0, hours: 201..202 }, "sign-in failures", 0),
        (Incident::Failures { ratio: 6.0, hours: 249..252 }, "sign-in failures", 1),
        (Incident::Submissions { ratio: 0.1, hours: 192..216 }, "submissions", 12),
        (Incident::Submissions { ratio: 0.2, hours: 216..264 }, "submissions", 12),
    ]
}

#[test]
fn a_quiet_report_seldom_alarms_and_a_planted_incident_is_found() {
    let (alarmed, findings) = false_alarms(0..40);
    assert!(alarmed <= 3, "{alarmed} of 40: {findings:?}");
    for (incident, thing, hours) in planted() {
        // One of six may escape: the figures proper are those of the long run below.
        let (found, dated, _) = power(500..506, &incident, thing, hours);
        assert!(found >= 5 && dated >= 4, "{incident:?}: found {found}, dated {dated} of 6");
    }
}

/// The operating points in full: run in release with `--ignored --nocapture`.
#[test]
#[ignore = "thousands of reports; the test above holds the same with fewer"]
fn operating_points_of_the_whole_report() {
    let seeds = 300;
    let (alarmed, findings) = false_alarms(0..seeds);
    println!("quiet: {alarmed} of {seeds} reports alarm: {findings:?}");
    for (incident, thing, hours) in planted() {
        let (found, dated, others) = power(1_000..1_060, &incident, thing, hours);
        println!("{incident:?}: found {found}, dated {dated}, other alarms {others} of 60");
    }
    assert!(alarmed * 20 <= seeds as usize);
}
