//! Counts of what was written: the numbers of `truth.json`.

use super::person;
use super::plan::{MINUTE_MS, Plan};
use super::request::{Outcome, Request};
use super::route::{ROUTES, Role};
use super::text::DAY_MS;

/// Sign-in failures are counted per this many minutes, the grid on which bursts begin and end.
pub(crate) const BIN_MS: i64 = 10 * MINUTE_MS;

/// All counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: u64,
    pub(crate) malformed: u64,
    pub(crate) log_bytes: u64,
    pub(crate) requests: u64,
    pub(crate) status_4xx: u64,
    pub(crate) status_5xx: u64,
    pub(crate) crashed: u64,
    pub(crate) sign_ins: u64,
    pub(crate) sign_in_failures: u64,
    pub(crate) registrations: u64,
    pub(crate) submissions: u64,
    pub(crate) revisions: u64,
    pub(crate) documents: u64,
    pub(crate) rate_limited: u64,
    pub(crate) sessions_expired: u64,
    pub(crate) exports: u64,
    /// By index in [`ROUTES`].
    pub(crate) routes: Vec<RouteTally>,
    /// By local day.
    pub(crate) days: Vec<DayTally>,
    /// Sign-in failures by [`BIN_MS`].
    pub(crate) failure_bins: Vec<u64>,
    /// Requests, and 5xx among them, before and since the deployment that may bring errors.
    pub(crate) errors: [Share; 2],
}

/// Counts of one route.
#[derive(Debug, Default)]
pub(crate) struct RouteTally {
    pub(crate) requests: u64,
    pub(crate) status_5xx: u64,
    /// Durations before the deployment that may slow a route.
    pub(crate) before: Durations,
    /// Durations since then.
    pub(crate) after: Durations,
}

/// Counts of one local day.
#[derive(Clone, Debug, Default)]
pub(crate) struct DayTally {
    pub(crate) requests: u64,
    pub(crate) status_5xx: u64,
    pub(crate) sign_in_failures: u64,
    pub(crate) submissions: u64,
}

/// Some of a total.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    pub(crate) some: u64,
    pub(crate) total: u64,
}

impl Tally {
    /// Begins at nothing.
    pub(crate) fn new(plan: &Plan) -> Self {
        let bins = (plan.end_ms() - plan.start_ms) / BIN_MS;
        Self {
            routes: ROUTES.iter().map(|_| RouteTally::default()).collect(),
            days: vec![DayTally::default(); plan.days.len()],
            failure_bins: vec![0; bins as usize],
            ..Self::default()
        }
    }

    /// Counts one request by its outcome, at the time it arrived.
    pub(crate) fn count(&mut self, request: &Request, plan: &Plan) {
        let is = |outcome| u64::from(request.outcome == outcome);
        let serves = |role| is(Outcome::Served) * u64::from(request.route().role == role);
        let is_5xx = u64::from((500..600).contains(&request.status));
        let since_ms = request.start_ms - plan.start_ms;

        self.requests += 1;
        self.status_4xx += u64::from((400..500).contains(&request.status));
        self.status_5xx += is_5xx;
        self.crashed += is(Outcome::Crashed);
        self.rate_limited += is(Outcome::RateLimited);
        self.sessions_expired += is(Outcome::SessionExpired);
        self.sign_in_failures += is(Outcome::WrongPassword);
        self.sign_ins += serves(Role::SignIn);
        self.registrations += serves(Role::Register);
        self.exports += serves(Role::Export);
        self.submissions += serves(Role::Submit);
        self.revisions += u64::from(request.nth >= person::REPORTS_PER_WEEK);

        if let Some(day) = self.days.get_mut((since_ms / DAY_MS) as usize) {
            day.requests += 1;
            day.status_5xx += is_5xx;
            day.sign_in_failures += is(Outcome::WrongPassword);
            day.submissions += serves(Role::Submit);
        }
        if let Some(bin) = self.failure_bins.get_mut((since_ms / BIN_MS) as usize) {
            *bin += is(Outcome::WrongPassword);
        }
        let [before, since] = &mut self.errors;
        let share = if request.deploy < plan.error_deploy { before } else { since };
        share.total += 1;
        share.some += is_5xx;
        if let Some(route) = self.routes.get_mut(request.route) {
            route.requests += 1;
            route.status_5xx += is_5xx;
            let is_before = request.deploy < plan.slow_deploy;
            let durations = if is_before { &mut route.before } else { &mut route.after };
            if request.route().is_timed() {
                durations.add(request.duration);
            }
        }
    }

    /// Sign-in failures in a span of time that begins and ends on the grid.
    pub(crate) fn failures_in(&self, from_ms: i64, until_ms: i64) -> u64 {
        let bin = |ms: i64| usize::try_from(ms / BIN_MS).unwrap_or_default();
        self.failure_bins.get(bin(from_ms)..bin(until_ms)).unwrap_or_default().iter().sum()
    }
}

/// How often each duration occurred; exact, because durations have four significant digits.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    counts: Vec<u64>,
    pub(crate) total: u64,
}

/// The grid of durations in hundredths of a millisecond: first value, step, first index.
const GRID: [(u32, u32, u32); 4] =
    [(0, 1, 0), (10_000, 10, 10_000), (100_000, 100, 19_000), (1_000_000, 1000, 28_000)];

impl Durations {
    fn add(&mut self, hundredths: u32) {
        let (first, step, index) =
            GRID.into_iter().rfind(|(first, _, _)| *first <= hundredths).unwrap_or_default();
        let index = (index + (hundredths - first) / step.max(1)) as usize;
        if index >= self.counts.len() {
            self.counts.resize(index + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(index) {
            *count += 1;
        }
        self.total += 1;
    }

    /// Returns a quantile in milliseconds, by straight line between the two nearest values
    /// (type 7); `None` if there are no durations.
    pub(crate) fn quantile_ms(&self, q: f64) -> Option<f64> {
        let rank = q.clamp(0.0, 1.0) * self.total.checked_sub(1)? as f64;
        let low = self.value_at(rank.floor() as u64)?;
        let high = self.value_at(rank.ceil() as u64)?;
        Some((low + (high - low) * rank.fract()) / 100.0)
    }

    /// The value at a rank from 0, in hundredths of a millisecond.
    fn value_at(&self, rank: u64) -> Option<f64> {
        let mut seen = 0;
        let index = self.counts.iter().position(|count| {
            seen += count;
            seen > rank
        })?;
        let index = u32::try_from(index).ok()?;
        let (first, step, first_index) =
            GRID.into_iter().rfind(|(_, _, first_index)| *first_index <= index)?;
        Some(f64::from(first + (index - first_index) * step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[u32], q: f64, expected_ms: Option<f64>) {
        let mut durations = Durations::default();
        for &value in values {
            durations.add(value);
        }
        let got = durations.quantile_ms(q);
        assert_eq!(got.map(|ms| (ms * 1e6).round()), expected_ms.map(|ms| (ms * 1e6).round()));
    }

    #[test]
    fn quantiles_are_exact() {
        check(&[], 0.5, None); // nothing is no quantile
        check(&[1234], 0.95, Some(12.34)); // one value is every quantile
        check(&[100, 200], 0.5, Some(1.5)); // between two, half way
        check(&[500, 500, 500], 0.95, Some(5.0)); // ties
        check(&[9_999, 10_000, 10_010], 0.5, Some(100.0)); // at the first edge of the grid
        check(&[99_990, 100_000], 1.0, Some(1_000.0)); // at the second
        check(&[999_900, 1_000_000, 3_000_000], 0.5, Some(10_000.0)); // at the third
        check(&[999_900, 1_000_000, 3_000_000], 1.0, Some(30_000.0)); // the longest
    }
}
