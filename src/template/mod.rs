//! Message templates: the text of a message with its variables masked as `<*>`.
//!
//! A [`Miner`] learns from messages in order and gives each the id of its template. First a
//! single pass masks what varies by its form (numbers, ids, addresses, paths, quoted text,
//! values of `key=`); messages that are then equal are one template. Templates that still differ
//! in a word become one when that word turns out to vary, see `tree.rs`. One configuration
//! serves every system and language: words of any script and emoji are kept.
//!
//! Guarantees: the same messages in the same order give the same ids and texts; memory is
//! bounded by [`MAX_TEMPLATES`] and [`MAX_SKELETONS`]. Two windows that are to be compared must
//! be learned by one miner.

mod mask;
#[cfg(test)]
mod tests;
mod tree;

pub use tree::{MAX_SKELETONS, MAX_TEMPLATES, Miner, TemplateId};

/// What stands for a variable in the text of a template.
pub const WILDCARD: &str = "<*>";

/// Masks one message without learning: the text its template has before any merging.
pub fn masked(message: &str) -> String {
    let mut pieces = Vec::new();
    mask::split(message, &mut pieces);
    let mut text = String::with_capacity(message.len());
    for piece in &pieces {
        if piece.blank_before && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(piece.literal(message).unwrap_or(WILDCARD));
        if piece.kind == mask::Kind::Named {
            text.push_str(WILDCARD);
        }
    }
    text
}
