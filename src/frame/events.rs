//! Back from a frame of the store's columns to the events of a batch.

use polars::prelude::{ChunkedArray, DataFrame, DataType, PolarsResult, StringType};

use crate::model::{EventBatch, NO_STATUS, NO_TIME, Severity, Wanted};

/// Columns of the store that [`append_events`] reads for `wanted`; extras are not among them.
pub(crate) fn event_columns(wanted: &Wanted) -> Vec<&'static str> {
    let plain = ["ts", "severity_number", "status", "duration_ms", "_off"];
    let labels = wanted.labels.iter().map(|label| label.name());
    let texts = wanted.texts.iter().map(|text| text.name());
    plain.into_iter().chain(labels).chain(texts).collect()
}

/// Appends each row as an event.
///
/// # Errors
/// When a column of [`event_columns`] is missing or of another type.
pub(crate) fn append_events(
    frame: &DataFrame,
    wanted: &Wanted,
    batch: &mut EventBatch,
) -> PolarsResult<()> {
    let times = frame.column("ts")?.cast(&DataType::Int64)?;
    batch.ts_us.extend(times.i64()?.iter().map(|us| us.unwrap_or(NO_TIME)));
    let levels = frame.column("severity_number")?.cast(&DataType::Int64)?;
    batch.severity.extend(
        levels
            .i64()?
            .iter()
            .map(|number| number.map_or_else(Severity::default, Severity::from_otel)),
    );
    let status = frame.column("status")?.cast(&DataType::Int32)?;
    batch.status.extend(status.i32()?.iter().map(|status| status.unwrap_or(NO_STATUS)));
    let durations = frame.column("duration_ms")?;
    batch.duration_ms.extend(durations.f64()?.iter().map(|ms| ms.unwrap_or(f64::NAN)));
    let offsets = frame.column("_off")?.cast(&DataType::Int64)?;
    batch.offset.extend(offsets.i64()?.iter().map(|at| at.map_or(0, |at| at.max(0) as u64)));
    for label in &wanted.labels {
        let texts = text(frame, label.name())?;
        let column = batch.label_mut(*label);
        texts.iter().for_each(|text| column.push_option(text));
    }
    for kind in &wanted.texts {
        let texts = text(frame, kind.name())?;
        let column = batch.text_mut(*kind);
        texts.iter().for_each(|text| column.push_option(text));
    }
    batch.len += frame.height();
    Ok(())
}

fn text<'a>(frame: &'a DataFrame, name: &str) -> PolarsResult<&'a ChunkedArray<StringType>> {
    frame.column(name)?.str()
}
