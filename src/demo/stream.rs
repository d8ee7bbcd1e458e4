//! The records of all requests in one order of time.
//!
//! The records of a request lie between its start and its end, and requests overlap, so what is
//! still to come waits in a queue. It holds the requests under way at one moment, whatever the
//! length of the data.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io;

use jiff::ToSpan;
use jiff::civil::Date;

use super::line::{BUILD_TEXTS, LineWriter};
use super::plan::Plan;
use super::random::Random;
use super::request::{Outcome, Request};
use super::route::Role;
use super::tally::Tally;
use super::text::DAY_MS;
use super::traffic::{self, Traffic};
use super::{DemoOptions, Detail, document, message};

/// Takes what a data set consists of.
pub trait Sink {
    /// Takes whole lines of log of one local day; days come in order, a day in many pieces.
    ///
    /// # Errors
    ///
    /// Fails if the lines cannot be written; the data set is then abandoned.
    fn log(&mut self, day: Date, bytes: &[u8]) -> io::Result<()>;

    /// Takes one document; `path` is relative and has only ASCII letters, digits and `-_./`.
    ///
    /// # Errors
    ///
    /// Fails if the document cannot be written; the data set is then abandoned.
    fn document(&mut self, path: &str, bytes: &[u8]) -> io::Result<()>;
}

/// Writes the log of all days to one writer, such as a pipe, and leaves the documents out.
#[derive(Debug)]
pub struct LogOnly<W>(pub W);

impl<W: io::Write> Sink for LogOnly<W> {
    fn log(&mut self, _day: Date, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn document(&mut self, _path: &str, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Log lines are handed over in pieces of about this many bytes.
const PIECE_BYTES: usize = 1 << 20;
/// One of this many records is followed by a line that is not JSON.
const RECORDS_PER_MALFORMED: u64 = 5_000;
/// Bytes left of a record that is cut; short enough to end inside its ASCII fields.
const CUT_BYTES: usize = 90;

/// Writes everything a plan leads to into `sink` and counts it.
pub(super) fn write(plan: &Plan, options: &DemoOptions, sink: &mut impl Sink) -> io::Result<Tally> {
    let mut traffic = Traffic::new(plan, options);
    let mut stream = Stream {
        plan,
        options,
        sink,
        lines: LineWriter::new(plan, options.detail),
        queue: BinaryHeap::new(),
        queued_count: 0,
        tally: Tally::new(plan),
        day: 0,
        malformed: Random::new(options.seed, 3),
        malformed_place: RECORDS_PER_MALFORMED,
        records_until_malformed: 0,
        message: Vec::new(),
    };
    stream.choose_malformed();
    for (at_ms, role) in traffic::schedule(plan) {
        let request = traffic.scheduled(role, at_ms);
        stream.queue(at_ms, Step::Arrive(request));
    }
    for (index, deploy) in plan.deploys.iter().enumerate().skip(1) {
        for (nth, (_, before_ms)) in BUILD_TEXTS.iter().enumerate() {
            stream.queue(deploy.at_ms - before_ms, Step::Build { deploy: index, nth });
        }
    }
    for request in traffic {
        stream.settle(request.start_ms)?;
        stream.arrive(request)?;
    }
    stream.settle(i64::MAX)?;
    stream.hand_over()?;
    stream.tally.records = stream.lines.count;
    Ok(stream.tally)
}

/// What is still to come.
#[derive(Debug)]
struct Due {
    at_ms: i64,
    /// Breaks ties, so that the order never depends on the queue's inside.
    order: u64,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Arrive(Request),
    Say(Request),
    End(Request),
    Build { deploy: usize, nth: usize },
}

impl Ord for Due {
    /// The earliest is the greatest, because a `BinaryHeap` gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ms, other.order).cmp(&(self.at_ms, self.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

struct Stream<'a, S> {
    plan: &'a Plan,
    options: &'a DemoOptions,
    sink: &'a mut S,
    lines: LineWriter<'a>,
    queue: BinaryHeap<Due>,
    queued_count: u64,
    tally: Tally,
    day: i64,
    malformed: Random,
    /// Where in its block of records the last malformed line was, from 1.
    malformed_place: u64,
    records_until_malformed: u64,
    message: Vec<u8>,
}

impl<S: Sink> Stream<'_, S> {
    fn queue(&mut self, at_ms: i64, step: Step) {
        self.queue.push(Due { at_ms, order: self.queued_count, step });
        self.queued_count += 1;
    }

    /// Performs what is due up to a time, inclusive.
    fn settle(&mut self, until_ms: i64) -> io::Result<()> {
        while self.queue.peek().is_some_and(|due| due.at_ms <= until_ms) {
            let Some(due) = self.queue.pop() else { break };
            match due.step {
                Step::Arrive(request) => self.arrive(request)?,
                Step::Say(request) => self.say(request)?,
                Step::End(request) => self.end(&request)?,
                Step::Build { deploy, nth } => self.build(deploy, nth, due.at_ms)?,
            }
        }
        Ok(())
    }

    fn arrive(&mut self, request: Request) -> io::Result<()> {
        self.tally.count(&request, self.plan);
        if request.route().role == Role::Submit && request.outcome == Outcome::Served {
            self.submit(&request)?;
        }
        if !request.route().is_timed() {
            return self.record(request.start_ms, |lines| lines.answer(&request));
        }
        if self.options.detail == Detail::Full {
            self.record(request.start_ms, |lines| lines.start(&request))?;
        }
        if request.outcome == Outcome::Crashed {
            self.queue(request.ended_ms(), Step::Say(request));
        } else {
            self.queue(request.said_ms(), Step::Say(request));
        }
        Ok(())
    }

    fn say(&mut self, request: Request) -> io::Result<()> {
        let mut message = std::mem::take(&mut self.message);
        for nth in 0..message::MAX_TEXTS {
            let detail = self.options.detail;
            let said = message::write(&mut message, &request, self.plan, detail, nth);
            let Some(channel) = said else { break };
            self.record(request.said_ms(), |lines| lines.said(&request, channel, &message))?;
        }
        self.message = message;
        self.queue(request.ended_ms(), Step::End(request));
        Ok(())
    }

    fn end(&mut self, request: &Request) -> io::Result<()> {
        if request.outcome != Outcome::Crashed {
            self.record(request.ended_ms(), |lines| lines.served(request))?;
        }
        if request.outcome == Outcome::Crashed || self.options.detail == Detail::Full {
            self.record(request.ended_ms(), |lines| lines.report(request))?;
        }
        Ok(())
    }

    fn build(&mut self, deploy: usize, nth: usize, at_ms: i64) -> io::Result<()> {
        let (Some(deploy), Some((text, _))) = (self.plan.deploys.get(deploy), BUILD_TEXTS.get(nth))
        else {
            return Ok(());
        };
        self.record(at_ms, |lines| lines.build(deploy, at_ms, text))
    }

    fn submit(&mut self, request: &Request) -> io::Result<()> {
        let is_new = request.nth < super::person::REPORTS_PER_WEEK;
        if !is_new || self.tally.documents >= u64::from(self.options.max_documents) {
            return Ok(());
        }
        self.tally.documents += 1;
        self.sink.document(&document::path(request), &document::json(request))
    }

    /// Writes one record of a time, and now and then a malformed line after it.
    fn record(&mut self, at_ms: i64, write: impl FnOnce(&mut LineWriter<'_>)) -> io::Result<()> {
        let last_day = self.plan.days.len() as i64 - 1;
        let day = ((at_ms - self.plan.start_ms) / DAY_MS).clamp(0, last_day);
        if day != self.day || self.lines.out.len() >= PIECE_BYTES {
            self.hand_over()?;
            self.day = day;
        }
        let start = self.lines.out.len();
        write(&mut self.lines);
        self.records_until_malformed -= 1;
        if self.records_until_malformed == 0 {
            self.write_malformed(start);
            self.choose_malformed();
        }
        Ok(())
    }

    /// Writes a line that is not JSON: a cut copy of the record at `start`, or something foreign.
    fn write_malformed(&mut self, start: usize) {
        let out = &mut self.lines.out;
        match self.tally.malformed % 3 {
            0 => out.extend_from_within(start..out.len().min(start + CUT_BYTES)),
            1 => out.extend_from_slice(b"Error: read ECONNRESET"),
            _ => out.extend_from_slice(b"<html><title>502 Bad Gateway</title></html>"),
        }
        out.push(b'\n');
        self.tally.malformed += 1;
    }

    /// Chooses a place in the next block of records.
    fn choose_malformed(&mut self) {
        let rest_of_block = RECORDS_PER_MALFORMED - self.malformed_place;
        self.malformed_place = 1 + self.malformed.below(RECORDS_PER_MALFORMED);
        self.records_until_malformed = rest_of_block + self.malformed_place;
    }

    fn hand_over(&mut self) -> io::Result<()> {
        if self.lines.out.is_empty() {
            return Ok(());
        }
        let day = self.plan.first_day.saturating_add(self.day.days());
        self.tally.log_bytes += self.lines.out.len() as u64;
        self.sink.log(day, &self.lines.out)?;
        self.lines.out.clear();
        Ok(())
    }
}
