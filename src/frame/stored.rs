//! From the store's columns to those of `logs`, without events between them.

use polars::prelude::{
    Column as Series, DataFrame, DataType, Int64Chunked, IntoColumn, NewChunkedArray, PlSmallStr,
    PolarsResult, TimeUnit,
};

use super::Column;

const MICROS_PER_MS: i64 = 1_000;

/// The store's columns that `columns` are made of; `None` when one is in no column of the store.
pub(crate) fn store_columns(columns: &[Column]) -> Option<Vec<&'static str>> {
    let mut names = Vec::with_capacity(columns.len());
    for column in columns {
        let name = match column {
            Column::Ts | Column::TsMs | Column::Date => "ts",
            Column::Severity => "severity",
            Column::SeverityNumber => "severity_number",
            Column::Status => "status",
            Column::DurationMs => "duration_ms",
            Column::Source | Column::Row => "source",
            Column::Offset => "_off",
            Column::Label(label) => label.name(),
            Column::Text(text) => text.name(),
            Column::Extra(_) => return None,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Some(names)
}

/// Rows of the store, of [`store_columns`] at least, as `logs` has them.
///
/// # Errors
/// When a column is missing or of another type.
pub(crate) fn of_store(rows: &DataFrame, columns: &[Column]) -> PolarsResult<DataFrame> {
    let made: PolarsResult<Vec<Series>> =
        columns.iter().map(|column| of_column(rows, column)).collect();
    DataFrame::new(rows.height(), made?)
}

fn of_column(rows: &DataFrame, column: &Column) -> PolarsResult<Series> {
    let name = PlSmallStr::from_str(column.name());
    let times = || rows.column("ts")?.cast(&DataType::Datetime(TimeUnit::Microseconds, None));
    let made = match column {
        Column::Ts => times()?,
        Column::TsMs => {
            let us = times()?.cast(&DataType::Int64)?;
            let ms = us.i64()?.iter().map(|us| us.map(|us| us.div_euclid(MICROS_PER_MS)));
            Int64Chunked::from_iter_options(name.clone(), ms).into_column()
        }
        Column::Date => times()?.cast(&DataType::Date)?,
        Column::Row => rows.column("source")?.is_not_null().into_column(),
        Column::Extra(extra) => rows.column(&extra.path)?.clone(),
        Column::SeverityNumber | Column::Status | Column::Offset => {
            let stored = store_columns(std::slice::from_ref(column)).unwrap_or_default();
            rows.column(stored.first().unwrap_or(&""))?.cast(&DataType::Int64)?
        }
        other => rows.column(other.name())?.clone(),
    };
    Ok(made.with_name(name))
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit, TimeZone};

    use super::super::Column;
    use super::{of_store, store_columns};
    use crate::model::{Label, Text};

    #[test]
    fn every_column_but_fields_is_made_of_the_store() {
        let zone = Some(TimeZone::UTC);
        let ts = Series::new("ts".into(), [Some(-1_i64), None, Some(86_400_000_000)])
            .cast(&DataType::Datetime(TimeUnit::Microseconds, zone))
            .unwrap();
        let mut stored = vec![ts.into_column()];
        let names = store_columns(&Column::all().collect::<Vec<_>>()).unwrap();
        for name in names.iter().filter(|name| **name != "ts") {
            let values = Series::new((*name).into(), [Some("1"), None, Some("3")]);
            let of = match *name {
                "severity_number" | "status" => DataType::Int32,
                "duration_ms" => DataType::Float64,
                "_off" => DataType::Int64,
                _ => DataType::String,
            };
            stored.push(values.cast(&of).unwrap().into_column());
        }
        let stored = DataFrame::new(3, stored).unwrap();
        let columns: Vec<Column> = Column::all().chain([Column::Row]).collect();
        let made = of_store(&stored, &columns).unwrap();
        for (column, made) in columns.iter().zip(made.columns()) {
            assert_eq!(made.field().as_ref(), &column.field(), "{column:?}");
        }
        let text =
            |name: &str| format!("{:?}", made.column(name).unwrap().as_materialized_series());
        assert!(text("ts_ms").contains("\t-1\n\tnull\n\t86400000\n"), "{}", text("ts_ms"));
        assert!(text("date").contains("\t1969-12-31\n\tnull\n\t1970-01-02\n"), "{}", text("date"));
        let some = [Column::Label(Label::Route), Column::Text(Text::Message)];
        assert_eq!(store_columns(&some).unwrap(), ["route", "message"]);
    }
}
