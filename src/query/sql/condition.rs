//! A condition on the columns of the store, for erasing what it holds for.

use polars::prelude::{BooleanChunked, DataFrame, Engine, IntoLazy, PolarsResult};
use polars::sql::SQLContext;

use crate::frame::{Column, of_store, store_columns};
use crate::store::{Snapshot, StoreError};

use super::check::LOGS;
use super::{FieldType, Query, SqlError};

/// A checked condition, such as `user = 'u-123'`.
#[derive(Clone, Debug)]
pub struct Condition {
    sql: String,
    columns: Vec<Column>,
}

impl Condition {
    /// Checks a condition by the rules of ad hoc queries.
    ///
    /// # Errors
    /// When it is no condition, or asks for what a query may not.
    pub fn parse(text: &str) -> Result<Self, SqlError> {
        let sql = format!("SELECT ({text}) AS is_meant FROM {LOGS}");
        // Other fields than columns are in `attrs` and `body` as text. The columns of the store
        // that are none of `logs` cannot be asked for, so none of them is offered.
        let query = Query::parse(&sql, &|_| FieldType::Unknown(Vec::new()))?;
        Ok(Self { sql: query.sql, columns: query.columns })
    }

    /// Which rows it holds for; where it cannot be told it does not.
    ///
    /// # Errors
    /// When the engine refuses it.
    pub fn holds(&self, rows: &DataFrame) -> PolarsResult<BooleanChunked> {
        let mut context = SQLContext::new();
        context.register(LOGS, of_store(rows, &self.columns)?.lazy());
        let answer =
            context.execute(&self.sql)?.collect_with_engine(Engine::InMemory)?.unwrap_single();
        Ok(answer.column("is_meant")?.bool()?.clone())
    }

    /// How many rows of the store it holds for.
    ///
    /// # Errors
    /// When the store is damaged, or the engine refuses the condition.
    pub fn count(&self, snapshot: &Snapshot) -> Result<u64, StoreError> {
        // Fields, which are in no column of the store, were refused.
        let columns = store_columns(&self.columns).unwrap_or_default();
        let mut count = 0;
        for segment in snapshot.segments() {
            let rows = snapshot.read(segment, &columns, None)?;
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

#[cfg(test)]
mod tests {
    use super::Condition;

    #[test]
    fn a_column_that_cannot_be_asked_for_is_not_offered() {
        let refused = |text: &str| Condition::parse(text).unwrap_err().to_string();
        insta::assert_snapshot!(refused("flags = 4"), @"no column or field `flags` at line 1, column 9");
        insta::assert_snapshot!(refused("stats = 4"), @"no column or field `stats` at line 1, column 9; did you mean `status`?");
    }

    #[test]
    fn what_is_checked_is_what_runs() {
        let condition = Condition::parse("USER = 'u' AND ts < '2026-11-18T00:00:00Z'").unwrap();
        insta::assert_snapshot!(condition.sql, @r#"SELECT ("user" = 'u' AND "ts" < TIMESTAMP '2026-11-18T00:00:00') AS is_meant FROM logs"#);
    }
}
