//! From the engine's frame to a [`Table`].

use polars::prelude::{Column, DataFrame, DataType, PolarsError, TimeUnit};

use super::super::table::{Cells, Table, TableColumn};

/// The frame as a table, with notes for its reader.
///
/// Spans of time become whole microseconds, decimals become f64, and what has no cell of its own
/// becomes text.
pub(super) fn tabulate(frame: &DataFrame, notes: Vec<String>) -> Result<Table, PolarsError> {
    let columns = frame
        .columns()
        .iter()
        .map(|column| Ok(TableColumn { name: column.name().to_string(), cells: cells(column)? }))
        .collect::<Result<Vec<_>, PolarsError>>()?;
    Ok(Table { columns, rows: frame.height(), notes })
}

fn cells(column: &Column) -> Result<Cells, PolarsError> {
    use DataType as D;
    let cast = |to: D| column.strict_cast(&to);
    Ok(match column.dtype() {
        D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 => {
            Cells::Int(cast(D::Int64)?.i64()?.iter().collect())
        }
        D::UInt64 => Cells::UInt(column.u64()?.iter().collect()),
        // Sums and counts that grew beyond 64 bits do not happen with the inputs there are; a
        // number that does not fit is an error and not a wrong value.
        D::Int128 | D::UInt128 => Cells::Int(cast(D::Int64)?.i64()?.iter().collect()),
        D::Float32 | D::Float64 | D::Decimal(..) => {
            Cells::Float(cast(D::Float64)?.f64()?.iter().collect())
        }
        D::Boolean => Cells::Bool(column.bool()?.iter().collect()),
        D::String => {
            Cells::Text(column.str()?.iter().map(|text| text.map(str::to_owned)).collect())
        }
        D::Datetime(..) => {
            let micros = cast(D::Datetime(TimeUnit::Microseconds, None))?.to_physical_repr();
            Cells::Time(micros.i64()?.iter().collect())
        }
        D::Date => Cells::Date(column.to_physical_repr().i32()?.iter().collect()),
        D::Duration(_) => {
            let micros = cast(D::Duration(TimeUnit::Microseconds))?.to_physical_repr();
            Cells::Int(micros.i64()?.iter().collect())
        }
        D::Null => Cells::Text(vec![None; column.len()]),
        _ => {
            let texts = cast(D::String)?;
            Cells::Text(texts.str()?.iter().map(|text| text.map(str::to_owned)).collect())
        }
    })
}
