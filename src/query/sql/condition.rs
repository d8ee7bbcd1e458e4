//! A condition on the columns of the store, for erasing what it holds for.

use polars::prelude::{BooleanChunked, DataFrame, Engine, IntoLazy, PlSmallStr, PolarsResult};
use polars::sql::SQLContext;

use crate::store::{Snapshot, StoreError, columns};

use super::check::LOGS;
use super::{FieldType, Query, SqlError};

/// A checked condition, such as `user = 'u-123'`.
#[derive(Clone, Debug)]
pub struct Condition {
    sql: String,
}

impl Condition {
    /// Checks a condition by the rules of ad hoc queries.
    ///
    /// # Errors
    /// When it is no condition, or asks for what a query may not.
    pub fn parse(text: &str) -> Result<Self, SqlError> {
        let sql = format!("SELECT ({text}) AS is_meant FROM {LOGS}");
        // Other fields than columns are in `attrs` and `body` as text.
        Query::parse(&sql, &|_| FieldType::Unknown(names()))?;
        Ok(Self { sql })
    }

    /// Which rows it holds for; where it cannot be told it does not.
    ///
    /// # Errors
    /// When the engine refuses it.
    pub fn holds(&self, rows: &DataFrame) -> PolarsResult<BooleanChunked> {
        let mut context = SQLContext::new();
        context.register(LOGS, rows.clone().lazy());
        let answer =
            context.execute(&self.sql)?.collect_with_engine(Engine::InMemory)?.unwrap_single();
        Ok(answer.column("is_meant")?.bool()?.clone())
    }

    /// How many rows of the store it holds for.
    ///
    /// # Errors
    /// When the store is damaged, or the engine refuses the condition.
    pub fn count(&self, snapshot: &Snapshot) -> Result<u64, StoreError> {
        let schema = columns();
        let all: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
        let mut count = 0;
        for segment in snapshot.segments() {
            let rows = snapshot.read(segment, &all, None)?;
            let held = self.holds(&rows).map_err(|error| StoreError::Segment {
                path: snapshot.store().join(&segment.path),
                reason: error.to_string(),
                rows: segment.row_count,
            })?;
            count += u64::from(held.sum().unwrap_or(0));
        }
        Ok(count)
    }
}

fn names() -> Vec<String> {
    columns().iter_names().map(ToString::to_string).collect()
}
