//! The words of the project as types: what every room says to the next.
//!
//! Types here hold values and keep their invariants; they read no file, no clock, and compute
//! no statistics.

mod batch;
mod cursor;
mod decision;
mod finding;
mod hostile;
mod inert;
mod near;
mod recipe;
mod report;
mod severity;
mod verdict;
mod window;
mod zone;

pub use batch::{EventBatch, Label, LabelColumn, NO_STATUS, NO_TIME, Text, TextColumn, Wanted};
pub use cursor::{
    Compression, Cursor, DocumentCursor, FileId, Fingerprint, GenerationId, GenerationState, Mark,
    Packed, Positions,
};
pub use decision::{
    Accepted, Answer, BaselineRef, CheckCoverage, CheckKind, CheckMethod, CheckResult,
    CheckSeverity, ConfigRef, Decision, Evidence, FindingRow, InputRef, OptionRow, ScoreBars, Span,
    TermResult,
};
pub use finding::{
    Action, Change, Example, Finding, FindingKind, Group, LinkedEvent, Series, Since,
};
pub use hostile::{escape_json, is_unsafe, push_json_escape, safe_json};
pub use inert::{inert, one_line};
pub use near::nearest;
pub use recipe::{EventKinds, OnNoData, Recipe, RecipeCheck, RecipeSlo};
pub use report::{
    Coverage, EventMark, InputSummary, Method, NovelMoment, Quality, QualityNote, Report,
    RouteDetail, RouteRow, SlowRecord, SplitRow, TemplateRow, Tile, WindowCell,
};
pub use severity::Severity;
pub use verdict::{Confidence, Direction, Unit, Verdict};
pub use window::{SlotWidth, Window, format_ts, whole_us};
pub use zone::{time_zone, zone_name};
