//! Tables and example records, the same all over the page.

use maud::{Markup, Render, html};

use crate::model::Example;

use super::super::number;
use super::super::visible;

/// Longest example record shown, in characters.
const EXAMPLE_MAX_CHARS: usize = 240;

/// Classes of columns: numbers flush right, and what a narrow screen leaves out.
pub(super) const TEXT: &str = "";
pub(super) const NUM: &str = "num";
pub(super) const WIDE: &str = "wide";
pub(super) const NUM_WIDE: &str = "num wide";

/// A table of columns with their classes; the first cell of a row names it.
pub(super) fn table(
    caption: impl Render,
    columns: &[(impl Render, &'static str)],
    rows: impl Iterator<Item = Vec<Markup>>,
) -> Markup {
    let class_of = |class: &'static str| (!class.is_empty()).then_some(class);
    html! {
        table {
            caption { (caption) }
            thead { tr {
                @for (name, class) in columns { th class=[class_of(class)] scope="col" { (name) } }
            } }
            tbody { @for row in rows { tr {
                @for (place, (cell, (_, class))) in row.into_iter().zip(columns).enumerate() {
                    @if place == 0 { th class=[class_of(class)] scope="row" { (cell) } }
                    @else { td class=[class_of(class)] { (cell) } }
                }
            } } }
        }
    }
}

/// A record and its place; the place alone where the record cannot be read again.
pub(super) fn example(example: &Example) -> Markup {
    html! {
        p.where { (visible::name(&example.input)) " at byte " (number::count(example.offset)) }
        @if !example.text.is_empty() {
            pre { (visible::visible(&example.text, EXAMPLE_MAX_CHARS)) }
        }
    }
}
