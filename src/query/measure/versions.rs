//! When each version was first and last seen.

use std::collections::BTreeMap;

use crate::model::{EventBatch, Label, NO_TIME};
use crate::query::names::{CodeMap, Names};

/// First and last time of each version.
#[derive(Debug)]
pub(super) struct Versions {
    names: Names,
    map: CodeMap,
    span_us: Vec<(i64, i64)>,
}

impl Default for Versions {
    fn default() -> Self {
        /// Versions told apart.
        const MAX_VERSIONS: usize = 500;
        let names = Names::with_limit(MAX_VERSIONS);
        Self { names, map: CodeMap::default(), span_us: Vec::new() }
    }
}

impl Versions {
    /// Takes in a batch.
    pub(super) fn add(&mut self, events: &EventBatch) {
        let column = events.label(Label::Version);
        self.map.start(column);
        for (row, ts_us) in events.ts_us.iter().enumerate().filter(|(_, ts)| **ts != NO_TIME) {
            let Some(version) = self.map.id(column, row, &mut self.names) else { continue };
            let version = version as usize;
            if self.span_us.len() <= version {
                self.span_us.resize(version + 1, (i64::MAX, i64::MIN));
            }
            if let Some((first, last)) = self.span_us.get_mut(version) {
                *first = (*first).min(*ts_us);
                *last = (*last).max(*ts_us);
            }
        }
    }

    /// Reading is over.
    pub(super) fn finish(self) -> BTreeMap<String, (i64, i64)> {
        let versions = self.names.iter().zip(&self.span_us);
        versions.map(|((_, name), span_us)| (name.to_owned(), *span_us)).collect()
    }
}
