//! One request as it will be logged: all that was drawn for it, nothing formatted yet.

use super::person::{self, Person, STUDENT_COUNT, Word};
use super::route::{IdKind, ROUTES, Role, Route};
use super::text;
use super::traffic::{monday_ms, week_of};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As the route intends.
    Served,
    /// With a 5xx of the usual kinds.
    ServerError,
    /// With a 5xx that a deployment brought.
    NewServerError,
    /// Without an answer: the function ran out of time, status −1.
    Crashed,
    /// 401, the session is too old.
    SessionExpired,
    /// 401, the password is wrong.
    WrongPassword,
    /// 429.
    RateLimited,
    /// 404.
    NotFound,
    /// 422.
    Invalid,
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// When it arrived, in milliseconds since 1970.
    pub(crate) start_ms: i64,
    /// Index in [`ROUTES`].
    pub(crate) route: usize,
    /// Index of the deployment that answers.
    pub(crate) deploy: usize,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// Status as logged; −1 for a crash.
    pub(crate) status: i16,
    /// Duration in hundredths of a millisecond; 0 if the route logs none.
    pub(crate) duration: u32,
    /// Who asked.
    pub(crate) person: Person,
    /// Position among the week's reports, for a report that is handed in.
    pub(crate) nth: u32,
    /// The request id.
    pub(crate) id: u128,
    /// Bits from which the unimportant parts of the texts are made.
    pub(crate) bits: u64,
}

impl Request {
    /// The route, which always exists.
    pub(crate) fn route(&self) -> &'static Route {
        ROUTES.get(self.route).unwrap_or(&ROUTES[0])
    }

    /// When the application speaks: after six tenths of the duration.
    pub(crate) fn said_ms(&self) -> i64 {
        self.start_ms + i64::from(self.duration) * 6 / 1000
    }

    /// When the answer is complete.
    pub(crate) fn ended_ms(&self) -> i64 {
        self.start_ms + i64::from(self.duration) / 100
    }

    /// What a search asks for.
    pub(crate) fn search_word(&self) -> Word {
        person::search_word(self.bits >> 20)
    }

    /// Appends the query string, for routes that have one.
    pub(crate) fn push_query(&self, out: &mut Vec<u8>) {
        if self.route().role == Role::Search {
            out.extend_from_slice(b"?q=");
            out.extend_from_slice(self.search_word().slug.as_bytes());
            out.extend_from_slice(b"&page=");
            text::push_number(out, 1 + self.bits % 3);
        } else if self.route == 0 && self.bits & 1 == 0 {
            out.extend_from_slice(b"?week=");
            text::push_date(out, monday_ms(week_of(self.start_ms)));
        }
    }

    /// Appends the path with its id.
    pub(crate) fn push_path(&self, out: &mut Vec<u8>) {
        let route = self.route();
        out.extend_from_slice(route.head.as_bytes());
        match route.id {
            IdKind::None => return,
            IdKind::Student => text::push_number(out, self.student_id()),
            IdKind::Uuid => {
                // One of 997 documents; any odd factor spreads them over all digits.
                let document = u128::from(self.bits % 997 + 1);
                text::push_uuid(
                    out,
                    document.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835),
                );
            }
            IdKind::Small => text::push_number(out, 1 + self.bits % 12),
        }
        out.extend_from_slice(route.tail.as_bytes());
    }

    /// Number of the student the request is about: students ask for their own.
    pub(crate) fn student_id(&self) -> u64 {
        let student = u64::from(self.person.0) % u64::from(STUDENT_COUNT);
        Person(student as u16).id()
    }
}
