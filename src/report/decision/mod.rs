//! Lays a [`Decision`](crate::model::Decision) out for people, for CI systems and for programs.
//!
//! Guarantees: the same decision gives the same bytes; all outputs say the same of a check,
//! because they take it from `row`; text from logs is inert in every output and cut to a length,
//! but in JSON, which holds the whole value.
//! No number is computed here, no file is written and no environment is read.

mod baseline;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod row;
mod sarif;
mod text;

pub use baseline::baseline;
pub use github::{GithubOutput, github};
pub use gitlab::gitlab;
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use row::{headline, sentence};
pub use sarif::sarif;
pub use text::text;

#[cfg(test)]
mod tests;
