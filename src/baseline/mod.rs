//! What a measure was like once: saved under a name, and what people accepted since.
//!
//! ```text
//! saved     what is kept of each measure   one file a name, of one version, checked when read
//! accepted  who accepted what, and why     lines, only ever appended
//! shelf     where both are                 beside the store, or `.plimsoll` beside plimsoll.toml
//! ```
//! Guarantees: a file is written whole; one of another version or with numbers that do not fit
//! together is refused; an acceptance that cannot be read is told and accepts nothing.
//!
//! Not done here: measuring and comparing, see `judge`.

mod accepted;
mod saved;
mod shelf;
#[cfg(test)]
mod tests;

pub use accepted::{Acceptance, AcceptedValue, accept};
pub use saved::{Baseline, Like, MeasureKey, SavedGroup, SavedMeasure, SavedWindow, Season, Slot};
pub use shelf::{BaselineError, LAST_DECISION, Shelf, Shelved};
