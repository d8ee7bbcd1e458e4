//! A request that logs several records, put together by its request id.

use super::names::Names;
use super::requests::{Outcome, Request};
use super::survey::Event;
use crate::model::NO_STATUS;

/// The route of requests that name none.
pub const NO_ROUTE: &str = "(no route)";

/// A request some of whose records were seen.
#[derive(Clone, Debug)]
pub(super) struct OpenRequest {
    first_us: i64,
    pub(super) last_us: i64,
    route: Option<u32>,
    version: Option<u32>,
    pub(super) status: i32,
    pub(super) duration_ms: f64,
    error_level: bool,
    pub(super) input: usize,
    pub(super) offset: u64,
}

impl OpenRequest {
    pub(super) fn begin(event: &Event<'_>) -> Self {
        Self {
            first_us: event.ts_us,
            last_us: event.ts_us,
            route: event.route,
            version: event.version,
            status: event.status,
            duration_ms: event.duration_ms,
            error_level: event.severity.is_error(),
            input: event.input,
            offset: event.offset,
        }
    }

    /// Adds what a further record of the same request says: the worst status, the longest
    /// duration (the platform's own includes the framework's), and the route and version that
    /// those before it did not name.
    pub(super) fn join(&mut self, event: &Event<'_>) {
        if event.status == -1 || self.status == NO_STATUS {
            self.status = event.status;
        } else if self.status != -1 && event.status != NO_STATUS {
            self.status = self.status.max(event.status);
        }
        if event.duration_ms > self.duration_ms || self.duration_ms.is_nan() {
            self.duration_ms = event.duration_ms;
        }
        self.route = self.route.or(event.route);
        self.version = self.version.or(event.version);
        self.first_us = self.first_us.min(event.ts_us);
        self.error_level |= event.severity.is_error();
        self.last_us = self.last_us.max(event.ts_us);
    }

    /// The whole request, once all its records were seen.
    pub(super) fn request(&self, routes: &mut Names) -> Request {
        Request {
            ts_us: self.first_us,
            route: self.route.unwrap_or_else(|| routes.id(NO_ROUTE)),
            version: self.version.unwrap_or(Request::NO_VERSION),
            outcome: self.outcome(),
            duration_ms: self.duration_ms,
        }
    }

    fn outcome(&self) -> Outcome {
        match self.status {
            NO_STATUS if self.error_level => Outcome::ErrorLevel,
            -1 => Outcome::Crashed,
            500.. => Outcome::ServerError,
            400..=499 => Outcome::Refused,
            _ => Outcome::Success,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, OpenRequest, Outcome, Request};
    use crate::model::{NO_STATUS, Severity};
    use crate::query::survey::Event;

    #[test]
    fn a_later_record_fills_in_what_the_first_did_not_name() {
        let event = |ts_us, route, version, status, duration_ms| Event {
            ts_us,
            severity: Severity::INFO,
            status,
            duration_ms,
            route,
            version,
            request_id: Some("r"),
            input: 0,
            offset: 0,
        };
        let check = |events: &[Event<'_>], want: (u32, u32, Outcome, f64)| {
            let mut open = OpenRequest::begin(&events[0]);
            events[1..].iter().for_each(|event| open.join(event));
            let Request { ts_us, route, version, outcome, duration_ms } =
                open.request(&mut Names::with_limit(9));
            assert_eq!((ts_us, (route, version, outcome, duration_ms)), (5, want));
        };
        let first = || event(5, None, None, NO_STATUS, f64::NAN);
        check(
            &[first(), event(7, Some(3), None, 200, 8.0), event(6, Some(4), Some(2), 500, 9.0)],
            (3, 2, Outcome::ServerError, 9.0),
        );
        let alone = event(5, None, None, 200, 1.0);
        check(&[alone], (0, Request::NO_VERSION, Outcome::Success, 1.0)); // "(no route)" is new
    }
}
