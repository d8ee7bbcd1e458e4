//! Which readable files start alike: made for one scan, when the first stranger is judged.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::GenerationId;
use crate::source::follow::generation::{Generation, Place};

/// Readable generations by the first bytes of their files.
pub(super) struct Lookalikes {
    packed: Vec<GenerationId>,
    by_start: BTreeSet<(Vec<u8>, GenerationId)>,
    lens: BTreeMap<usize, usize>,
}

impl Lookalikes {
    pub(super) fn of_all<H>(generations: &BTreeMap<GenerationId, Generation<H>>) -> Self {
        let mut all = Self { packed: Vec::new(), by_start: BTreeSet::new(), lens: BTreeMap::new() };
        for (id, generation) in generations {
            all.insert(generation, *id);
        }
        all
    }

    pub(super) fn insert<H>(&mut self, generation: &Generation<H>, id: GenerationId) {
        let start = &generation.peek;
        if matches!(generation.place, Place::Nowhere { .. }) {
            // Only its marks can speak for it.
        } else if generation.cursor.packed.is_some() {
            self.packed.push(id);
        } else if !start.is_empty() && self.by_start.insert((start.clone(), id)) {
            *self.lens.entry(start.len()).or_default() += 1;
        }
    }

    /// Generations whose file is compressed.
    pub(super) fn packed(&self) -> impl Iterator<Item = &GenerationId> {
        self.packed.iter()
    }

    /// Generations whose file starts with `head`, or the other way round.
    pub(super) fn starting_like(&self, head: &[u8]) -> Vec<GenerationId> {
        let longer = self
            .by_start
            .range((head.to_vec(), GenerationId(0))..)
            .take_while(|(start, _)| start.starts_with(head));
        let mut found: Vec<GenerationId> = longer.map(|(_, id)| *id).collect();
        for len in self.lens.range(..head.len()).map(|(len, _)| *len) {
            let start = head.get(..len).unwrap_or_default().to_vec();
            let range = (start.clone(), GenerationId(0))..=(start, GenerationId(u64::MAX));
            found.extend(self.by_start.range(range).map(|(_, id)| *id));
        }
        found
    }
}
