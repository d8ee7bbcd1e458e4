//! From numbers to tested findings, a verdict and a report.
//!
//! Everything that may have changed is tested first; all p-values of a report are then corrected
//! together, and only what is left and large enough becomes a finding. No I/O, no clock.

pub mod builds;
mod candidate;
mod compare;
mod decision;
mod detail;
mod drift;
mod errors;
mod events;
mod findings;
mod gate;
mod health;
mod latency;
mod messages;
mod novel;
mod options;
mod repeat;
pub mod replay;
pub mod rules;
#[cfg(test)]
mod tests;
mod view;

pub use compare::{CompareRow, Side, compare};
pub use decision::{Frame, check_of, decision};
pub use drift::{Drift, DriftRule, drift};
pub use gate::coverage;
pub use health::{HealthOptions, health};
pub use repeat::{Repeated, Repetition};
pub use view::{View, ViewError, ViewSettings};
