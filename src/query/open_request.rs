//! A request that logs several records, put together by its request id.

use super::names::Names;
use super::requests::{Outcome, Request};
use super::survey::Event;
use crate::model::NO_STATUS;

/// Requests that name no route.
pub(super) const NO_ROUTE: &str = "(no route)";

/// A request some of whose records were seen.
#[derive(Clone, Debug)]
pub(super) struct OpenRequest {
    pub(super) request: Request,
    pub(super) status: i32,
    error_level: bool,
    pub(super) last_us: i64,
    pub(super) input: usize,
    pub(super) offset: u64,
}

impl OpenRequest {
    pub(super) fn begin(event: &Event<'_>, routes: &mut Names) -> Self {
        let request = Request {
            ts_us: event.ts_us,
            route: event.route.unwrap_or_else(|| routes.id(NO_ROUTE)),
            version: event.version.unwrap_or(Request::NO_VERSION),
            outcome: Outcome::Unknown,
            duration_ms: event.duration_ms,
        };
        Self {
            request,
            status: event.status,
            error_level: event.severity.is_error(),
            last_us: event.ts_us,
            input: event.input,
            offset: event.offset,
        }
    }

    /// Adds what a further record of the same request says: the worst status, the longest
    /// duration (the platform's own includes the framework's).
    pub(super) fn join(&mut self, event: &Event<'_>) {
        if event.status == -1 || self.status == NO_STATUS {
            self.status = event.status;
        } else if self.status != -1 && event.status != NO_STATUS {
            self.status = self.status.max(event.status);
        }
        if event.duration_ms > self.request.duration_ms || self.request.duration_ms.is_nan() {
            self.request.duration_ms = event.duration_ms;
        }
        self.request.ts_us = self.request.ts_us.min(event.ts_us);
        self.error_level |= event.severity.is_error();
        self.last_us = self.last_us.max(event.ts_us);
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self.status {
            NO_STATUS if self.error_level => Outcome::ErrorLevel,
            -1 => Outcome::Crashed,
            500.. => Outcome::ServerError,
            400..=499 => Outcome::Refused,
            _ => Outcome::Success,
        }
    }
}
