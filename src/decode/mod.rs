//! From the bytes of a record to the columns of an event; never touches files or the clock.
//!
//! `detect` tells from a sample how an input is written, `Decoder` turns its chunks into
//! [`EventBatch`](crate::model::EventBatch)es. Framing records is `source`'s business.

mod access_log;
mod attrs;
mod columns;
mod csv;
mod decoder;
mod detect;
mod documents;
mod durations;
mod fields;
mod logfmt;
mod message;
mod pools;
mod profile;
mod rejects;
mod route;
mod sample;
pub mod scan;
mod shape;
mod text;
mod timestamp;
mod unfold;
mod unit;

pub use csv::CsvLayout;
pub use decoder::Decoder;
pub use detect::{DetectError, Detected, Overrides, SeenField, ValueKind, detect};
pub use documents::DocumentDecoders;
pub use profile::{DurationField, Profile, Role, Syntax};
pub use rejects::Rejects;
pub use route::route_of;
pub use sample::Sample;
pub use timestamp::{ZoneDefault, parse_text as parse_time};
pub use unit::{DurationUnit, parse_duration_text};

use fields::{Fields, Reject};

/// Parses one record that is not JSON.
fn parse_text_record(syntax: Syntax, record: &[u8], fields: &mut Fields) -> Result<(), Reject> {
    match syntax {
        Syntax::AccessLog => access_log::parse(record, fields),
        Syntax::Logfmt => logfmt::parse(record, fields),
        // JSON and CSV have readers of their own; a line of them is text to everybody else.
        Syntax::Text | Syntax::Json | Syntax::Csv => text::parse(record, fields),
    }
}
