//! Requests in the order in which they arrive: a Poisson process whose rate follows the rhythm.
//!
//! Arrivals are made by rescaling time: an exponential amount of expected traffic lies between
//! two requests, however long that takes on a quiet night.

use super::person::{PERSON_COUNT, Person, STUDENT_COUNT, TEACHER_COUNT, enrolment};
use super::plan::{MINUTE_MS, Plan, UTC_OFFSET_MS, WRONG_PASSWORD_RATIO};
use super::random::{self, Random};
use super::request::{Outcome, Request};
use super::rhythm::DAY_MINUTES;
use super::route::{IdKind, ROUTES, Role, Route, SIGN_IN};
use super::text::DAY_MS;
use super::{DemoOptions, Detail};

/// Share of requests whose function never answers.
const CRASH_RATIO: f64 = 0.0002;
/// Duration after which a function is stopped, in hundredths of a millisecond.
pub(crate) const TIMEOUT: u32 = 1_000_000;
/// Longest other duration: thirty seconds, in the same unit.
const MAX_DURATION: f64 = 3_000_000.0;
/// How much slower the platform is at its usual peak than when idle.
const LOAD_EFFECT: f64 = 0.12;

const EXPIRED_RATIO: f64 = 0.006;
const LIMITED_RATIO: f64 = 0.0015;
const NOT_FOUND_RATIO: f64 = 0.008;
const INVALID_RATIO: f64 = 0.03;

/// The requests of a plan, in time order.
#[derive(Debug)]
pub(crate) struct Traffic<'a> {
    plan: &'a Plan,
    random: Random,
    detail: Detail,
    /// Upper bounds of the routes in (0, 1].
    shares: [f64; ROUTES.len()],
    minute: u32,
    /// Part of the minute that is over.
    elapsed_ratio: f64,
    /// Requests expected in the minute.
    rate: f64,
    /// Share of them that tries passwords.
    burst_share: f64,
    load: f64,
    deploy: usize,
    week: u32,
    submitted: u32,
}

impl<'a> Traffic<'a> {
    /// Starts at the first minute of the plan.
    pub(crate) fn new(plan: &'a Plan, options: &DemoOptions) -> Self {
        let total: f64 = ROUTES.iter().map(|route| route.weight).sum();
        let mut sum = 0.0;
        let mut shares = [0.0; ROUTES.len()];
        for (share, route) in shares.iter_mut().zip(&ROUTES) {
            sum += route.weight;
            *share = sum / total;
        }
        let mut traffic = Self {
            plan,
            random: Random::new(options.seed, 2),
            detail: options.detail,
            shares,
            minute: 0,
            elapsed_ratio: 0.0,
            rate: 0.0,
            burst_share: 0.0,
            load: 0.0,
            deploy: 0,
            week: 0,
            submitted: 0,
        };
        traffic.enter_minute();
        traffic
    }

    /// A request that the clock starts, not a person.
    pub(crate) fn scheduled(&mut self, role: Role, start_ms: i64) -> Request {
        let route = ROUTES.iter().position(|route| route.role == role).unwrap_or_default();
        let mut request = self.drawn(route, start_ms);
        request.deploy = self.plan.deploys.iter().rposition(|d| d.at_ms <= start_ms).unwrap_or(0);
        request.duration = self.duration(&request);
        request
    }

    fn enter_minute(&mut self) {
        let ms = self.plan.start_ms + i64::from(self.minute) * MINUTE_MS;
        let (rate, load) = self.plan.rate_and_load(self.minute);
        let burst_rate = self.plan.burst_rate(ms);
        self.rate = rate + burst_rate;
        self.burst_share = burst_rate / self.rate;
        self.load = load;
        self.elapsed_ratio = 0.0;
    }

    fn next_arrival_ms(&mut self) -> Option<i64> {
        let mut needed = self.random.exponential();
        while self.minute < self.plan.minutes() {
            let left = self.rate * (1.0 - self.elapsed_ratio);
            if needed < left {
                self.elapsed_ratio += needed / self.rate;
                let of_minute_ms = (self.elapsed_ratio * MINUTE_MS as f64) as i64;
                let of_minute_ms = of_minute_ms.min(MINUTE_MS - 1);
                return Some(
                    self.plan.start_ms + i64::from(self.minute) * MINUTE_MS + of_minute_ms,
                );
            }
            needed -= left;
            self.minute += 1;
            self.enter_minute();
        }
        None
    }

    /// A request with everything but its ending.
    fn drawn(&mut self, route: usize, start_ms: i64) -> Request {
        let bits = self.random.bits();
        let id = u128::from(self.random.bits()) << 64 | u128::from(self.random.bits());
        Request {
            start_ms,
            route,
            deploy: self.deploy,
            outcome: Outcome::Served,
            status: ROUTES.get(route).map_or(200, |route| route.status),
            duration: 0,
            person: self.person(ROUTES.get(route).map_or(Role::Open, |route| route.role)),
            nth: 0,
            id,
            bits,
        }
    }

    fn person(&mut self, role: Role) -> Person {
        let (first, count) = match role {
            Role::Submit | Role::Draft | Role::Register => (0, STUDENT_COUNT),
            Role::Teach | Role::Export => (STUDENT_COUNT, TEACHER_COUNT),
            _ => (0, PERSON_COUNT),
        };
        Person(first + self.random.below(u64::from(count)) as u16)
    }

    /// Draws how a request ends.
    fn outcome(&mut self, route: &Route) -> Outcome {
        if !route.is_timed() {
            return Outcome::Served;
        }
        let usual = route.error_ratio;
        let raised = usual * (self.plan.error_factor(self.deploy) - 1.0);
        let signed_in = !matches!(route.role, Role::Open | Role::SignIn | Role::Register);
        let wrong_password = if route.role == Role::SignIn { WRONG_PASSWORD_RATIO } else { 0.0 };
        let invalid = matches!(route.role, Role::Submit | Role::Register);
        let ladder = [
            (Outcome::ServerError, usual),
            (Outcome::NewServerError, raised),
            (Outcome::Crashed, CRASH_RATIO),
            (Outcome::WrongPassword, wrong_password),
            (Outcome::RateLimited, LIMITED_RATIO),
            (Outcome::SessionExpired, if signed_in { EXPIRED_RATIO } else { 0.0 }),
            (Outcome::NotFound, if route.id == IdKind::None { 0.0 } else { NOT_FOUND_RATIO }),
            (Outcome::Invalid, if invalid { INVALID_RATIO } else { 0.0 }),
        ];
        let mut left = self.random.uniform();
        for (outcome, ratio) in ladder {
            if left < ratio {
                return outcome;
            }
            left -= ratio;
        }
        Outcome::Served
    }

    fn status(&mut self, outcome: Outcome, served: i16) -> i16 {
        match outcome {
            Outcome::Served => served,
            Outcome::ServerError => match self.random.below(20) {
                0 => 504,
                1..=2 => 502,
                3..=5 => 503,
                _ => 500,
            },
            Outcome::NewServerError => 500,
            Outcome::Crashed => -1,
            Outcome::SessionExpired | Outcome::WrongPassword => 401,
            Outcome::RateLimited => 429,
            Outcome::NotFound => 404,
            Outcome::Invalid => 422,
        }
    }

    /// Draws a duration in hundredths of a millisecond.
    ///
    /// It keeps four significant digits, so that counting every distinct value, and with it
    /// exact percentiles of any number of requests, fits in little memory; whole milliseconds
    /// where the detail is brief.
    fn duration(&mut self, request: &Request) -> u32 {
        let route = request.route();
        if !route.is_timed() {
            return 0;
        }
        let median_ms = route.median_ms
            * self.plan.slow_factor(request.route, request.deploy)
            * (1.0 + LOAD_EFFECT * self.load);
        let ms = median_ms * random::exp(route.sigma * self.random.normal());
        let hundredths = (ms * 100.0).clamp(100.0, MAX_DURATION) as u32;
        if request.outcome == Outcome::Crashed {
            return TIMEOUT;
        }
        let step = match (self.detail, hundredths) {
            (_, 1_000_000..) => 1000,
            (Detail::Brief, _) | (_, 100_000..) => 100,
            (_, 10_000..) => 10,
            _ => 1,
        };
        hundredths / step * step
    }

    /// Position of a report among those of its local week, which begins on Monday.
    fn nth_of_week(&mut self, start_ms: i64) -> u32 {
        let week = week_of(start_ms);
        if week != self.week {
            (self.week, self.submitted) = (week, 0);
        }
        self.submitted = self.submitted.saturating_add(1);
        self.submitted - 1
    }
}

impl Iterator for Traffic<'_> {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        loop {
            let start_ms = self.next_arrival_ms()?;
            while self.plan.deployed_ms(self.deploy + 1) <= start_ms
                && self.deploy + 1 < self.plan.deploys.len()
            {
                self.deploy += 1;
            }
            let is_burst = self.random.uniform() < self.burst_share;
            let at = self.random.uniform();
            let chosen = self.shares.iter().position(|&share| at <= share);
            let route = if is_burst { SIGN_IN } else { chosen.unwrap_or(SIGN_IN) };
            let mut request = self.drawn(route, start_ms);
            let role = request.route().role;
            if role == Role::Submit && self.random.uniform() >= self.plan.kept_ratio(start_ms) {
                continue;
            }
            request.outcome =
                if is_burst { Outcome::WrongPassword } else { self.outcome(request.route()) };
            request.status = self.status(request.outcome, request.status);
            request.duration = self.duration(&request);
            if role == Role::Submit && request.outcome == Outcome::Served {
                request.nth = self.nth_of_week(start_ms);
                request.person = enrolment(request.nth, self.week).0;
            }
            return Some(request);
        }
    }
}

/// Number of the local week, Monday first, that a time lies in; the week of 1970-01-01 is 0.
pub(crate) fn week_of(ms: i64) -> u32 {
    // 1970-01-01 was a Thursday.
    let day = (ms - UTC_OFFSET_MS).div_euclid(DAY_MS) + 3;
    day.div_euclid(7).try_into().unwrap_or_default()
}

/// UTC midnight that stands for the local date of that week's Monday.
pub(crate) fn monday_ms(week: u32) -> i64 {
    (i64::from(week) * 7 - 3) * DAY_MS
}

/// Times of the scheduled requests of a plan: feedback daily at two, reminders on Mondays at nine.
pub(crate) fn schedule(plan: &Plan) -> Vec<(i64, Role)> {
    let mut times = Vec::new();
    for (n, day) in (0..).zip(&plan.days) {
        let midnight = plan.start_ms + n * i64::from(DAY_MINUTES) * MINUTE_MS;
        times.push((midnight + 120 * MINUTE_MS, Role::FeedbackCron));
        if day.weekday == 0 {
            times.push((midnight + 540 * MINUTE_MS, Role::RemindCron));
        }
    }
    times
}
