//! Asks the events: windows, groups and quantiles for reports, SQL for everything else.
//!
//! The only room that drives reading, and the last floor that knows polars.

mod folded;
mod measure;
mod names;
mod newest;
mod open;
mod open_request;
mod read;
mod requests;
mod saved;
mod sql;
mod stored;
mod survey;
mod table;
mod tally;

pub use crate::decode::ValueKind;
pub use measure::{
    MAX_GROUPS, Measured, Measurement, Measures, Question, Take, UnseenWord, Values,
};
pub use names::{Names, RequestNames};
pub use open::{OpenError, Opened};
pub use open_request::NO_ROUTE;
pub use read::{Batch, Ended, Reading, read};
pub use requests::{Counts, Durations, Outcome, Request, RequestLog, Requests, Summary};
pub use saved::{Param, ParamKind, Saved, SavedError, bind, find, saved};
pub use sql::{Condition, FieldType, Limits, Position, Query, QueryRun, SqlError};
pub use stored::{StoredSource, stored_sources};
pub use survey::{DOCUMENTS_SUFFIX, InputCount, Pointer, Survey, TemplateSeen, survey_columns};
pub use table::{Cell, Cells, Table, TableColumn, TextLayout};
pub use tally::{Counted, Tally};
