//! The decision as JSON: the value that `check --replay` reads back.

use serde::Serialize;

use crate::model::{Decision, safe_json};

/// The whole decision, pretty-printed, with a line break at the end.
pub fn json(decision: &Decision) -> String {
    document(decision)
}

/// A JSON document of text keys and finite numbers, in which nothing steers a terminal, a browser
/// or a runner of CI jobs.
pub(super) fn document(value: &impl Serialize) -> String {
    // With text keys and no custom serializer this cannot fail.
    let json = safe_json(&serde_json::to_string_pretty(value).unwrap_or_default());
    // `##[error]` is a command wherever it stands; `#` stands inside strings only.
    json.replace("##", "#\\u0023") + "\n"
}
