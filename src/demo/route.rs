//! The routes of the platform: how often each is asked for and how long it takes.
//!
//! Durations are log-normal. Weights are relative; every path belongs to one route, so a table
//! grouped by path is a table grouped by route.

/// What a route is for; decides its records, its texts and who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A file of the site: one record without a message or a duration.
    Static,
    /// Answered by the edge middleware: one record without a duration.
    Edge,
    /// A page or an answer for a signed-in person.
    Read,
    /// The same, for teachers only.
    Teach,
    /// For anybody, signed in or not: never a session to expire.
    Open,
    /// A password is checked.
    SignIn,
    /// An account is made.
    Register,
    /// A weekly report is handed in.
    Submit,
    /// An answer is saved before it is handed in.
    Draft,
    /// A full-text search.
    Search,
    /// A spreadsheet is made.
    Export,
    /// Monday's reminder, started by the clock.
    RemindCron,
    /// The nightly automatic feedback, started by the clock.
    FeedbackCron,
}

/// What stands between `head` and `tail` of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdKind {
    /// Nothing: the path is `head`.
    None,
    /// The number of a student.
    Student,
    /// A UUID.
    Uuid,
    /// A small number.
    Small,
}

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    /// HTTP method.
    pub(crate) method: &'static str,
    /// Path before the id.
    pub(crate) head: &'static str,
    /// Kind of the id.
    pub(crate) id: IdKind,
    /// Path after the id.
    pub(crate) tail: &'static str,
    /// Share of the requests, relative to the other routes.
    pub(crate) weight: f64,
    /// Median of the duration at night, in milliseconds; 0 where none is logged.
    pub(crate) median_ms: f64,
    /// Standard deviation of the logarithm of the duration.
    pub(crate) sigma: f64,
    /// Share of requests that end in a 5xx while all is well.
    pub(crate) error_ratio: f64,
    /// Status of a request that succeeds.
    pub(crate) status: i16,
    /// What it is for.
    pub(crate) role: Role,
}

impl Route {
    /// Path with its id masked, such as `/api/students/{id}/reports`.
    pub(crate) fn template(&self) -> String {
        let id = if self.id == IdKind::None { "" } else { "{id}" };
        format!("{}{id}{}", self.head, self.tail)
    }

    /// True if its requests run a function and so have a duration.
    pub(crate) fn is_timed(&self) -> bool {
        self.median_ms > 0.0
    }
}

/// How many of the first routes of [`ROUTES`] may be slowed by an incident: all are among the six
/// busiest, so that a detector sees enough of them.
pub(crate) const SLOWABLE_COUNT: usize = 5;

/// Index of the sign-in route in [`ROUTES`].
pub(crate) const SIGN_IN: usize = 8;

/// All routes, those that may be slowed first.
pub(crate) const ROUTES: [Route; 27] = [
    read("/api/weekly-reports", 14.0, 48.0, 0.45),
    below("/api/students/", IdKind::Student, "/reports", (11.0, 72.0, 0.50), Role::Read),
    read("/dashboard/student", 10.0, 95.0, 0.40),
    below("/api/students/", IdKind::Student, "/progress", (8.5, 88.0, 0.50), Role::Read),
    route("GET", "/api/teacher/dashboard", (8.0, 130.0, 0.45), 200, Role::Teach),
    route("GET", "/api/auth/session", (12.0, 14.0, 0.35), 200, Role::Open),
    route("GET", "/_next/static/chunks/main-app.js", (7.0, 0.0, 0.0), 200, Role::Static),
    route("GET", "/", (4.0, 0.0, 0.0), 307, Role::Edge),
    route("POST", "/api/auth/callback/credentials", (5.5, 180.0, 0.30), 200, Role::SignIn),
    route("POST", "/api/weekly-reports/submit", (2.9, 140.0, 0.40), 201, Role::Submit),
    route("PUT", "/api/weekly-reports/draft", (3.0, 60.0, 0.40), 200, Role::Draft),
    below("/api/weekly-reports/", IdKind::Uuid, "", (2.5, 55.0, 0.45), Role::Read),
    read("/api/notifications", 4.0, 22.0, 0.35),
    route("GET", "/api/reports/search", (3.0, 110.0, 0.60), 200, Role::Search),
    route("GET", "/login", (3.0, 40.0, 0.35), 200, Role::Open),
    read("/api/subjects", 2.5, 25.0, 0.35),
    route("GET", "/dashboard/teacher", (2.2, 150.0, 0.40), 200, Role::Teach),
    route("GET", "/api/auth/csrf", (2.0, 9.0, 0.30), 200, Role::Open),
    below("/api/feedback/", IdKind::Uuid, "", (1.5, 48.0, 0.40), Role::Read),
    route("GET", "/api/health", (1.5, 30.0, 0.30), 200, Role::Open),
    below("/api/divisions/", IdKind::Small, "/students", (1.3, 66.0, 0.45), Role::Teach),
    route("POST", "/api/auth/signout", (1.0, 20.0, 0.30), 200, Role::Open),
    read("/profile", 0.8, 70.0, 0.40),
    route("GET", "/api/export/reports", (0.4, 900.0, 0.60), 200, Role::Export),
    route("POST", "/api/auth/register", (0.25, 230.0, 0.30), 201, Role::Register),
    route("GET", "/api/cron/weekly-reminders", (0.0, 4200.0, 0.25), 200, Role::RemindCron),
    route("GET", "/api/cron/auto-feedback", (0.0, 7400.0, 0.25), 200, Role::FeedbackCron),
];

/// A `GET` for a signed-in person.
const fn read(path: &'static str, weight: f64, median_ms: f64, sigma: f64) -> Route {
    route("GET", path, (weight, median_ms, sigma), 200, Role::Read)
}

/// A `GET` with an id in its path; `shape` as in [`route`].
const fn below(
    head: &'static str,
    id: IdKind,
    tail: &'static str,
    shape: (f64, f64, f64),
    role: Role,
) -> Route {
    Route { id, tail, ..route("GET", head, shape, 200, role) }
}

/// A route without an id; `shape` is weight, median in milliseconds and sigma.
const fn route(
    method: &'static str,
    head: &'static str,
    shape: (f64, f64, f64),
    status: i16,
    role: Role,
) -> Route {
    let (weight, median_ms, sigma) = shape;
    let error_ratio = match role {
        Role::Static | Role::Edge => 0.0,
        Role::Open => 0.004,
        Role::Submit | Role::Search | Role::Export => 0.006,
        _ => 0.005,
    };
    let (id, tail) = (IdKind::None, "");
    Route { method, head, id, tail, weight, median_ms, sigma, error_ratio, status, role }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_that_may_be_slowed_are_among_the_six_busiest() {
        let mut weights: Vec<f64> = ROUTES.iter().map(|route| route.weight).collect();
        weights.sort_by(f64::total_cmp);
        let sixth = weights[weights.len() - 6];
        for route in &ROUTES[..SLOWABLE_COUNT] {
            assert!(route.weight >= sixth && route.is_timed(), "{}", route.template());
        }
        assert_eq!(ROUTES[SIGN_IN].role, Role::SignIn);
    }

    #[test]
    fn every_path_belongs_to_one_route() {
        let mut paths: Vec<String> = ROUTES.iter().map(Route::template).collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), ROUTES.len());
    }

    #[test]
    fn errors_are_usually_three_to_six_in_a_thousand() {
        let weight: f64 = ROUTES.iter().map(|route| route.weight).sum();
        let errors: f64 = ROUTES.iter().map(|route| route.weight * route.error_ratio).sum();
        assert!((0.003..0.006).contains(&(errors / weight)));
    }
}
