//! Columns of an [`EventBatch`](crate::model::EventBatch) as polars frames.
//!
//! One frame holds the events of one batch and only the columns a query reads. [`Frames`] keeps
//! frames in memory up to a budget and then in temporary Parquet files, so a query over any input
//! needs bounded memory. Nothing here knows SQL, and no other room below `query` sees polars.

mod build;
mod column;
mod events;
mod kept;
mod split;
mod stored;

pub(crate) use build::FrameBuilder;
pub(crate) use column::{Column, Extra, ValueType};
pub(crate) use events::{append_events, event_columns};
pub use kept::FrameError;
pub(crate) use kept::{Frames, SpillSpace};
pub(crate) use split::split;
pub(crate) use stored::{of_store, store_columns};
