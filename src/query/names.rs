//! Texts as small numbers, across batches.

use rustc_hash::FxHashMap;

use crate::model::LabelColumn;

/// Routes told apart; later ones are counted together.
const MAX_ROUTES: usize = 2_000;
/// Versions told apart.
const MAX_VERSIONS: usize = 500;

/// Distinct texts, numbered in order of first appearance.
#[derive(Clone, Debug, Default)]
pub struct Names {
    names: Vec<String>,
    by_name: FxHashMap<String, u32>,
    limit: usize,
    over_limit: u64,
}

impl Names {
    /// What stands for every text beyond the limit.
    pub const OTHER: &str = "(other)";

    /// Takes at most `limit` distinct texts; those that come later are [`Names::OTHER`].
    pub fn with_limit(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Number of a text, new or known.
    pub fn id(&mut self, name: &str) -> u32 {
        if let Some(&id) = self.by_name.get(name) {
            return id;
        }
        let name = if self.names.len() < self.limit {
            name
        } else {
            self.over_limit += 1;
            Self::OTHER
        };
        if let Some(&id) = self.by_name.get(name) {
            return id;
        }
        let id = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), id);
        id
    }

    /// The text behind a number; empty when there is none.
    pub fn name(&self, id: u32) -> &str {
        self.names.get(id as usize).map_or("", String::as_str)
    }

    /// Number of a text that is known.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// Every text, by number.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..).zip(self.names.iter().map(String::as_str))
    }

    /// Number of distinct texts.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether no text was seen.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How often a text came too late to get a number of its own.
    pub fn over_limit(&self) -> u64 {
        self.over_limit
    }
}

/// Names of routes and versions of requests.
#[derive(Debug)]
pub struct RequestNames {
    /// Routes.
    pub routes: Names,
    /// Versions.
    pub versions: Names,
}

impl Default for RequestNames {
    fn default() -> Self {
        Self { routes: Names::with_limit(MAX_ROUTES), versions: Names::with_limit(MAX_VERSIONS) }
    }
}

/// Numbers for the codes of one batch's column, looked up once a code.
#[derive(Debug, Default)]
pub(super) struct CodeMap(Vec<Option<u32>>);

impl CodeMap {
    /// Forgets the last batch.
    pub(super) fn start(&mut self, column: &LabelColumn) {
        self.0.clear();
        self.0.resize(column.names().len(), None);
    }

    /// Number of the text at `row`; `None` when it is missing.
    pub(super) fn id(
        &mut self,
        column: &LabelColumn,
        row: usize,
        names: &mut Names,
    ) -> Option<u32> {
        let code = *column.codes().get(row)? as usize;
        let slot = self.0.get_mut(code)?;
        if slot.is_none() {
            *slot = column.names().get(code).map(|name| names.id(name));
        }
        *slot
    }
}
