//! Charts as data: one specification, one layout, two renderers.
//!
//! [`ChartSpec`] says what is drawn in the units of the measure; `layout` turns it into shapes
//! for a frame of a given size; `svg` writes the shapes for the page, and the picture paints the
//! same shapes. So the page and the picture cannot disagree.

mod build;
mod layout;
mod scale;
mod svg;
mod thin;

use crate::model::{Unit, Verdict, Window};

pub(crate) use build::{finding_spec, histogram_spec, percentile_spec, tile_spec};
pub(crate) use layout::{Anchor, Frame, Ink, Shape, shapes, spark_shapes};
pub(crate) use svg::{chart, spark};
pub(crate) use thin::{Bucket, buckets, thinned};

use super::when::Tick;

/// One chart, in the units of its measure.
pub(crate) struct ChartSpec {
    /// Short name for `<title>`.
    pub(crate) title: String,
    /// What the chart shows, in a sentence, for `<desc>`.
    pub(crate) description: String,
    pub(crate) verdict: Verdict,
    pub(crate) unit: Unit,
    /// Time from the left edge to the right edge.
    pub(crate) span: Window,
    pub(crate) ticks: Vec<Tick>,
    /// Value at the top edge; the bottom edge is zero.
    pub(crate) top: f64,
    /// Values with a grid line.
    pub(crate) levels: Vec<f64>,
    /// Usual range: from, to, low, high.
    pub(crate) usual: Vec<(i64, i64, [f64; 2])>,
    pub(crate) lines: Vec<Line>,
    /// Whether the lines are outlines whose corners must stay.
    pub(crate) stepped: bool,
    pub(crate) events: Vec<EventLine>,
    pub(crate) change: Option<ChangeLine>,
}

/// One measure over time.
pub(crate) struct Line {
    /// Direct label at the right edge; empty for none.
    pub(crate) name: String,
    pub(crate) ink: Ink,
    /// Middle of each window and its value; `None` breaks the line.
    pub(crate) points: Vec<(i64, Option<f64>)>,
}

/// A known event.
pub(crate) struct EventLine {
    pub(crate) label: String,
    pub(crate) at_us: i64,
    pub(crate) until_us: Option<i64>,
    /// Whether this is the event nearest to the change: its label is placed first.
    pub(crate) linked: bool,
}

/// Where a measure changed, and from which value to which.
pub(crate) struct ChangeLine {
    pub(crate) at_us: i64,
    pub(crate) earliest_us: i64,
    pub(crate) latest_us: i64,
    /// End of a change that is over.
    pub(crate) until_us: Option<i64>,
    pub(crate) label: String,
    pub(crate) before: f64,
    pub(crate) after: f64,
}
