//! Lays a [`Report`](crate::model::Report) out as HTML, PNG, Markdown, JSON and terminal text.
//!
//! Guarantees: the same report gives the same bytes; text from logs is inert in every output;
//! all outputs say the same sentences, because they take them from `prose` and `page`; charts in
//! HTML and PNG come from one `chart::ChartSpec` and one layout of it.
//! No number is computed here: values are rounded, given a unit and put in their place.

mod chart;
pub mod decision;
mod html;
mod json;
mod markdown;
mod number;
mod page;
mod png;
mod prose;
mod text;
mod visible;
mod when;

pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use png::{PngError, png};
pub use prose::{alt_text, headline};
pub use text::{TextStyle, ascii, text};

#[cfg(test)]
mod tests;
