//! Groups rows as they come, so that no row is kept: the usual query of logs.
//!
//! One grouping of `logs` whose aggregates are counts, sums, averages, extremes and quantiles is
//! folded frame by frame: keys become small numbers, values go to their group. What the engine
//! does then (the expressions around the aggregates, `HAVING`) sees one row a group. Rows of
//! groups beyond [`Limits::folded_groups`] are handed back, to be grouped by the engine: the groups of both
//! are disjoint.
//!
//! Guarantee: the same values as the engine's; sums of f64 may differ in the last digit, as they
//! are added in the order of the rows.

mod keys;
mod plan;
mod values;

use std::sync::Arc;

use polars::prelude::{
    BooleanChunked, ChunkedArray, Column, DataFrame, DataType, Engine, Expr, Float64Chunked, IdxCa,
    Int64Chunked, IntoColumn, IntoLazy, NewChunkedArray, PlSmallStr, PolarsNumericType,
    PolarsResult, SchemaRef,
};
use polars::sql::sql_expr;

use crate::frame::{FrameError, SpillSpace};

use super::run::{collect, engine_error};
use super::{Limits, SqlError};

use keys::Keys;
use plan::Aggregate;
pub(super) use plan::{Grouping, plan};
use values::Values;

/// Code of a row without a group.
const NO_GROUP: u32 = u32::MAX;

/// Groups so far.
#[derive(Debug)]
pub(super) struct Groups {
    /// Keys, then inputs, of a frame of `logs`.
    columns: Vec<Expr>,
    /// Selects the result's columns from keys and aggregates, which are `logs`.
    rows_sql: String,
    keys: Keys,
    states: Vec<State>,
    /// Values of the inputs that quantiles are asked of, with the input's place.
    values: Vec<(usize, Values)>,
}

#[derive(Debug)]
struct State {
    aggregate: Aggregate,
    fold: Fold,
}

/// What an aggregate keeps of each group.
#[derive(Debug)]
enum Fold {
    Count(Vec<i64>),
    WholeSum(Vec<Option<i64>>),
    Sum(Vec<Option<f64>>),
    Mean(Vec<(f64, u64)>),
    WholeExtreme(Vec<Option<i64>>),
    Extreme(Vec<Option<f64>>),
    /// In [`Groups::values`].
    Quantile,
}

/// What can be done with an input.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Whole,
    Float,
    /// Only counted.
    Other,
}

impl Kind {
    fn of(dtype: &DataType) -> Self {
        match dtype {
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Self::Whole,
            DataType::Float32 | DataType::Float64 => Self::Float,
            _ => Self::Other,
        }
    }

    /// The input in the one type of its kind.
    fn widened(self, input: Expr) -> Expr {
        match self {
            Self::Whole => input.cast(DataType::Int64),
            Self::Float => input.cast(DataType::Float64),
            Self::Other => input,
        }
    }
}

impl Groups {
    /// Groups for a plan; `None` when a type is not foldable.
    pub(super) fn new(
        plan: &Grouping,
        schema: &SchemaRef,
        limits: Limits,
        space: &Arc<SpillSpace>,
    ) -> Option<Self> {
        let mut columns: Vec<Expr> =
            plan.columns.iter().map(sql_expr).collect::<PolarsResult<_>>().ok()?;
        let none = DataFrame::empty_with_schema(schema).lazy().select(&columns).collect().ok()?;
        let types = none.dtypes();
        let (key_types, input_types) = types.split_at_checked(plan.key_count)?;
        let keys = Keys::new(key_types, limits.folded_groups)?;
        let kinds: Vec<Kind> = input_types.iter().map(Kind::of).collect();
        for (column, kind) in columns.iter_mut().skip(plan.key_count).zip(&kinds) {
            *column = kind.widened(column.clone());
        }
        let mut values: Vec<(usize, Values)> = Vec::new();
        let mut states = Vec::with_capacity(plan.aggregates.len());
        for aggregate in &plan.aggregates {
            let kind = aggregate.input().and_then(|input| kinds.get(input)).copied();
            states.push(State { aggregate: *aggregate, fold: Fold::new(aggregate, kind)? });
            if let Aggregate::Quantile(input, _) = aggregate
                && values.iter().all(|(known, _)| known != input)
            {
                values.push((*input, Values::new(Arc::clone(space), limits.held_values)));
            }
        }
        let rows_sql = plan.rows_sql.clone();
        Some(Self { columns, rows_sql, keys, states, values })
    }

    /// Folds the rows of a frame of `logs`; gives back those whose group has no room.
    pub(super) fn push(&mut self, frame: &DataFrame) -> Result<Option<DataFrame>, SqlError> {
        if frame.height() == 0 {
            return Ok(None);
        }
        let columns = frame.clone().lazy().select(&self.columns).collect().map_err(engine_error)?;
        let (keys, inputs) = columns.columns().split_at(self.keys.len());
        let groups = self.keys.groups(keys).map_err(engine_error)?;
        let count = self.keys.group_count();
        for state in &mut self.states {
            state.fold(&groups, count, inputs).map_err(engine_error)??;
        }
        for (input, values) in &mut self.values {
            let Some(column) = inputs.get(*input) else { continue };
            let column = column.cast(&DataType::Float64).map_err(engine_error)?;
            values.push(&groups, column.f64().map_err(engine_error)?)?;
        }
        if !groups.contains(&NO_GROUP) {
            return Ok(None);
        }
        let homeless: BooleanChunked =
            groups.iter().map(|group| Some(*group == NO_GROUP)).collect();
        frame.filter(&homeless).map(Some).map_err(engine_error)
    }

    /// The groups as the columns of the result, without its order.
    pub(super) fn finish(self) -> Result<DataFrame, SqlError> {
        let Self { rows_sql, keys, states, values, .. } = self;
        let count = keys.group_count();
        let mut columns = keys.into_columns().map_err(engine_error)?;
        let mut quantiles = Vec::new();
        for (input, values) in values {
            let of_input = |state: &State| match state.aggregate {
                Aggregate::Quantile(of, share) if of == input => Some(share),
                _ => None,
            };
            let shares: Vec<f64> = states.iter().filter_map(of_input).collect();
            let mut found = values.quantiles(count, &shares)?.into_iter();
            for (place, state) in states.iter().enumerate() {
                if of_input(state).is_some() {
                    quantiles.push((place, found.next().unwrap_or_default()));
                }
            }
        }
        quantiles.sort_by_key(|(place, _)| *place);
        let mut quantiles = quantiles.into_iter().map(|(_, of_groups)| of_groups);
        for (n, State { fold, .. }) in (1..).zip(states) {
            let name = PlSmallStr::from_string(format!("agg{n}"));
            columns.push(fold.into_column(name, count, &mut quantiles));
        }
        let groups = DataFrame::new(count, columns).map_err(engine_error)?;
        collect(&rows_sql, groups.lazy(), Engine::InMemory)
    }
}

impl State {
    fn fold(
        &mut self,
        groups: &[u32],
        count: usize,
        inputs: &[Column],
    ) -> PolarsResult<Result<(), SqlError>> {
        let input = self.aggregate.input().and_then(|input| inputs.get(input));
        let is_min = matches!(self.aggregate, Aggregate::Min(_));
        match (&mut self.fold, input) {
            (Fold::Count(counts), None) => {
                counts.resize(count, 0);
                for group in groups {
                    if let Some(n) = counts.get_mut(*group as usize) {
                        *n += 1;
                    }
                }
            }
            (Fold::Count(counts), Some(input)) => {
                counts.resize(count, 0);
                for (group, known) in groups.iter().zip(input.is_not_null().iter()) {
                    if let Some(n) = counts.get_mut(*group as usize) {
                        *n += i64::from(known == Some(true));
                    }
                }
            }
            (Fold::WholeSum(sums), Some(input)) => {
                let mut overflows = false;
                each(groups, input.i64()?, sums, count, |sum: &mut Option<i64>, value| {
                    let (next, over) = sum.unwrap_or(0).overflowing_add(value);
                    *sum = Some(next);
                    overflows |= over;
                });
                if overflows {
                    let message = "a sum is beyond 64 bits; sum `CAST(… AS DOUBLE)`".to_owned();
                    return Ok(Err(SqlError::Engine { message }));
                }
            }
            (Fold::Sum(sums), Some(input)) => {
                each(groups, input.f64()?, sums, count, |sum: &mut Option<f64>, value| {
                    *sum = Some(sum.unwrap_or(0.0) + value);
                });
            }
            (Fold::Mean(means), Some(input)) => {
                let input = input.cast(&DataType::Float64)?;
                each(groups, input.f64()?, means, count, |(sum, n): &mut (f64, u64), value| {
                    *sum += value;
                    *n += 1;
                });
            }
            (Fold::WholeExtreme(extremes), Some(input)) => {
                each(groups, input.i64()?, extremes, count, |best: &mut Option<i64>, value| {
                    let better =
                        |known: i64| if is_min { known.min(value) } else { known.max(value) };
                    *best = Some(best.map_or(value, better));
                });
            }
            (Fold::Extreme(extremes), Some(input)) => {
                each(groups, input.f64()?, extremes, count, |best: &mut Option<f64>, value| {
                    let better =
                        |known: f64| if is_min { known.min(value) } else { known.max(value) };
                    *best = Some(best.map_or(value, better));
                });
            }
            (Fold::Quantile, _) | (_, None) => {}
        }
        Ok(Ok(()))
    }
}

/// Gives each value that is there to the state of its row's group.
fn each<T: PolarsNumericType, S: Clone + Default>(
    groups: &[u32],
    values: &ChunkedArray<T>,
    states: &mut Vec<S>,
    count: usize,
    mut take: impl FnMut(&mut S, T::Native),
) {
    states.resize(count, S::default());
    for (group, value) in groups.iter().zip(values.iter()) {
        if let (Some(state), Some(value)) = (states.get_mut(*group as usize), value) {
            take(state, value);
        }
    }
}

impl Fold {
    /// An empty fold; `None` when the input is of the wrong kind.
    fn new(aggregate: &Aggregate, kind: Option<Kind>) -> Option<Self> {
        Some(match (aggregate, kind) {
            (Aggregate::Rows | Aggregate::Count(_), _) => Self::Count(Vec::new()),
            (_, None | Some(Kind::Other)) => return None,
            (Aggregate::Sum(_), Some(Kind::Whole)) => Self::WholeSum(Vec::new()),
            (Aggregate::Sum(_), Some(Kind::Float)) => Self::Sum(Vec::new()),
            (Aggregate::Mean(_), _) => Self::Mean(Vec::new()),
            (Aggregate::Min(_) | Aggregate::Max(_), Some(Kind::Whole)) => {
                Self::WholeExtreme(Vec::new())
            }
            (Aggregate::Min(_) | Aggregate::Max(_), Some(Kind::Float)) => Self::Extreme(Vec::new()),
            (Aggregate::Quantile(..), _) => Self::Quantile,
        })
    }

    fn into_column(
        self,
        name: PlSmallStr,
        count: usize,
        quantiles: &mut impl Iterator<Item = Vec<Option<f64>>>,
    ) -> Column {
        fn floats(name: PlSmallStr, of: impl Iterator<Item = Option<f64>>) -> Column {
            Float64Chunked::from_iter_options(name, of).into_column()
        }
        match self {
            Self::Count(mut all) => {
                all.resize(count, 0);
                Int64Chunked::from_vec(name, all).into_column()
            }
            Self::Mean(mut all) => {
                all.resize(count, (0.0, 0));
                floats(name, all.into_iter().map(|(sum, n)| (n > 0).then(|| sum / n as f64)))
            }
            Self::WholeSum(mut all) | Self::WholeExtreme(mut all) => {
                all.resize(count, None);
                Int64Chunked::from_iter_options(name, all.into_iter()).into_column()
            }
            Self::Sum(mut all) | Self::Extreme(mut all) => {
                all.resize(count, None);
                floats(name, all.into_iter())
            }
            Self::Quantile => floats(name, quantiles.next().unwrap_or_default().into_iter()),
        }
    }
}

/// Rows by their place.
fn places(rows: impl Iterator<Item = u32>) -> IdxCa {
    IdxCa::from_vec(PlSmallStr::EMPTY, rows.collect())
}

impl From<std::io::Error> for SqlError {
    fn from(error: std::io::Error) -> Self {
        Self::Frame(FrameError::Build { message: error.to_string() })
    }
}

#[cfg(test)]
mod tests;
