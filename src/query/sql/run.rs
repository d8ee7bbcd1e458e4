//! Runs a checked query: batches in, a table out.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use polars::prelude::{DataFrame, Engine, IntoLazy, LazyFrame, PolarsError};
use polars::sql::SQLContext;

use crate::frame::{FrameBuilder, FrameError, Frames, SpillSpace, split};
use crate::model::EventBatch;

use super::super::table::Table;

use super::check::LOGS;
use super::group::Groups;
use super::plan::Parts;
use super::tabulate::tabulate;
use super::{Limits, Query, SqlError, deep_thread, on_deep_stack};

/// How often the limits are looked at while a result is computed.
const WATCH_EVERY: Duration = Duration::from_millis(20);

/// Most parts; beyond it parts grow.
const MAX_PARTS: u64 = 64;

/// A query that takes batches.
#[derive(Debug)]
pub struct QueryRun {
    query: Query,
    limits: Limits,
    builder: FrameBuilder,
    /// Groups so far, when rows need not be kept.
    groups: Option<Groups>,
    frames: Frames,
    space: Arc<SpillSpace>,
    kept_rows: u64,
}

impl QueryRun {
    pub(super) fn new(query: Query, limits: Limits) -> Self {
        let builder = FrameBuilder::new(query.columns.clone());
        let space = Arc::new(SpillSpace::new(limits.spill_bytes));
        let frames = Frames::new(builder.schema(), limits.frame_bytes, Arc::clone(&space));
        let groups = query
            .grouping
            .as_ref()
            .and_then(|plan| Groups::new(plan, &builder.schema(), limits, &space));
        Self { query, limits, builder, groups, frames, space, kept_rows: 0 }
    }

    /// Names the input of the batches that follow, for the column `source`.
    pub fn set_source(&mut self, name: &str) {
        self.builder.set_source(name);
    }

    /// Takes the events of one batch; the batch can be reused at once.
    ///
    /// # Errors
    /// When the rows cannot be kept, or the engine refuses the condition of `WHERE`.
    pub fn push(&mut self, batch: &EventBatch) -> Result<(), SqlError> {
        let frame = self
            .builder
            .frame(batch)
            .map_err(|error| FrameError::Build { message: error.to_string() })?;
        self.push_frame(frame)
    }

    /// Takes rows that have the columns of the query.
    pub(in super::super) fn push_frame(&mut self, mut frame: DataFrame) -> Result<(), SqlError> {
        if let Some(sql) = &self.query.filter_sql {
            frame = on_deep_stack(|| collect(sql, frame.lazy(), Engine::InMemory))?;
        }
        if let Some(groups) = &mut self.groups {
            match groups.push(&frame)? {
                Some(homeless) => frame = homeless,
                None => return Ok(()),
            }
        }
        self.kept_rows += frame.height() as u64;
        Ok(self.frames.push(frame)?)
    }

    /// Whether rows are folded into groups as they come.
    #[cfg(test)]
    pub(super) fn folds(&self) -> bool {
        self.groups.is_some()
    }

    /// Whether further batches cannot change the result, as after the rows of a `LIMIT`.
    pub fn is_full(&self) -> bool {
        self.query.enough_rows.is_some_and(|enough| self.kept_rows >= enough)
    }

    /// Computes the result.
    ///
    /// # Errors
    /// When the engine refuses the query, or a limit is reached. A computation that is out of
    /// time or memory cannot be stopped, only left alone: end the process soon.
    pub fn finish(self) -> Result<Table, SqlError> {
        let Self { query, limits, builder, groups, frames, space, kept_rows } = self;
        let sort_columns = query.sort_columns;
        let (sender, receiver) = mpsc::channel();
        deep_thread()
            .spawn(move || {
                let result = compute(&query, groups, frames, kept_rows, limits);
                // Nobody listens after a limit was reached.
                let _ = sender.send(result);
            })
            .map_err(|error| SqlError::Engine { message: error.to_string() })?;
        let result = watch(&receiver, limits).inspect_err(|_| space.remove())?;
        if result.height() > limits.rows {
            return Err(SqlError::TooManyRows { rows: result.height(), max: limits.rows });
        }
        let notes = builder
            .into_mistyped()
            .into_iter()
            .map(|(path, count)| {
                format!("`{path}`: {count} values of another type were taken as missing")
            })
            .collect();
        let mut table = tabulate(&result, notes).map_err(engine_error)?;
        table.columns.truncate(table.columns.len().saturating_sub(sort_columns));
        Ok(table)
    }
}

fn compute(
    query: &Query,
    groups: Option<Groups>,
    frames: Frames,
    rows: u64,
    limits: Limits,
) -> Result<DataFrame, SqlError> {
    if let (Some(groups), Some(parts)) = (groups, &query.parts) {
        let folded = groups.finish()?;
        let count = rows.div_ceil(limits.part_rows).min(MAX_PARTS) as usize;
        return compute_parts(parts, Some(folded), frames, count, limits);
    }
    let parts = query.parts.as_ref().filter(|_| rows > limits.part_rows && !query.can_stream);
    if let Some(parts) = parts {
        let count = rows.div_ceil(limits.part_rows).min(MAX_PARTS) as usize;
        return compute_parts(parts, None, frames, count, limits);
    }
    let streams = query.can_stream || frames.has_spilled();
    let logs = frames.scan().map_err(engine_error)?;
    let engine = if streams { Engine::Streaming } else { Engine::InMemory };
    collect(&query.sql, logs, engine)
}

/// Splits the rows by their group, and groups part by part, so that memory is bounded. The groups
/// that are known already have no rows here.
fn compute_parts(
    plan: &Parts,
    mut groups: Option<DataFrame>,
    frames: Frames,
    count: usize,
    limits: Limits,
) -> Result<DataFrame, SqlError> {
    let mut parts: Vec<Frames> =
        (0..count).map(|_| frames.empty(limits.frame_bytes / count)).collect();
    for frame in frames.drain() {
        let frame = frame.map_err(engine_error)?;
        let keys = collect(&plan.keys, frame.clone().lazy(), Engine::InMemory)?;
        let split = split(&frame, &keys, count).map_err(engine_error)?;
        for (part, rows) in parts.iter_mut().zip(split) {
            part.push(rows)?;
        }
    }
    for part in parts {
        let logs = part.scan().map_err(engine_error)?;
        let of_part = collect(&plan.part, logs, Engine::InMemory)?;
        match &mut groups {
            None => groups = Some(of_part),
            Some(groups) => {
                groups.vstack_mut(&of_part).map_err(engine_error)?;
            }
        }
    }
    collect(&plan.whole, groups.unwrap_or_default().lazy(), Engine::InMemory)
}

pub(super) fn collect(sql: &str, logs: LazyFrame, engine: Engine) -> Result<DataFrame, SqlError> {
    // A fresh context: one that is used again keeps aliases of earlier queries.
    let mut context = SQLContext::new();
    context.register(LOGS, logs);
    // The streaming engine of polars 0.55 panics on a cross join with a condition pushed into it.
    let has_cross = sql.contains(" CROSS JOIN ");
    let result = context
        .execute(sql)
        .map(|plan| if has_cross { plan.with_predicate_pushdown(false) } else { plan })
        .and_then(|plan| plan.collect_with_engine(engine))
        .map_err(engine_error)?;
    // One plan has one result; several come of `collect_all` alone.
    Ok(result.unwrap_single())
}

/// Waits for the result within the limits of time and memory.
fn watch(
    receiver: &mpsc::Receiver<Result<DataFrame, SqlError>>,
    limits: Limits,
) -> Result<DataFrame, SqlError> {
    let started = Instant::now();
    // What counts is what the computation adds, not what the process held before.
    let held_bytes = resident_bytes().unwrap_or(0);
    loop {
        let elapsed = started.elapsed();
        if elapsed > limits.time {
            return Err(SqlError::OutOfTime { limit: limits.time });
        }
        let added_bytes = resident_bytes().map(|bytes| bytes.saturating_sub(held_bytes));
        if added_bytes.is_some_and(|bytes| bytes > limits.memory_bytes) {
            return Err(SqlError::OutOfMemory { max_bytes: limits.memory_bytes });
        }
        match receiver.recv_timeout(WATCH_EVERY.min(limits.time.saturating_sub(elapsed))) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => return Err(SqlError::Panicked),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Memory of this process, bytes; `None` where the system does not say.
fn resident_bytes() -> Option<u64> {
    const PAGE_BYTES: u64 = 4_096;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(PAGE_BYTES)
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
/// The engine's message; its first line says it, the rest shows plans.
pub(super) fn engine_error(error: PolarsError) -> SqlError {
    const NO_TIME: &str = "cannot compare 'date/datetime/time' to a string value";
    let message = error.to_string();
    if message.contains(NO_TIME) {
        return SqlError::NoTime;
    }
    SqlError::Engine { message: message.lines().next().unwrap_or_default().to_owned() }
}
