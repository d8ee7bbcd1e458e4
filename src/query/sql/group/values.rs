//! The values of each group, for exact quantiles: in memory up to a bound, then in sorted runs.
//!
//! A run holds its values in order of their groups, so that the values of neighbouring groups lie
//! together in each run, and reading all runs side by side gives one group after the other.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use polars::prelude::Float64Chunked;

use crate::frame::SpillSpace;
use crate::stats::quantile::quantiles_of;

use super::super::SqlError;

/// Values read at once, of all runs together; one group can have more.
const BLOCK: usize = 1 << 20;

/// Values by group.
#[derive(Debug)]
pub(super) struct Values {
    groups: Vec<u32>,
    values: Vec<f64>,
    runs: Vec<Run>,
    space: Arc<SpillSpace>,
    max_held: usize,
}

/// Values in order of their groups.
#[derive(Debug)]
struct Run {
    /// Where the values of each group start; the last entry is the end.
    starts: Vec<u32>,
    values: RunValues,
}

#[derive(Debug)]
enum RunValues {
    Held(Vec<f64>),
    Filed(File),
}

impl Values {
    /// No values; when there are more than `max_held`, they go to `space`.
    pub(super) fn new(space: Arc<SpillSpace>, max_held: usize) -> Self {
        Self { groups: Vec::new(), values: Vec::new(), runs: Vec::new(), space, max_held }
    }

    /// Takes the values that are there, each into the group of its row.
    pub(super) fn push(&mut self, groups: &[u32], values: &Float64Chunked) -> Result<(), SqlError> {
        for (group, value) in groups.iter().zip(values.iter()) {
            if let Some(value) = value
                && *group != super::NO_GROUP
            {
                self.groups.push(*group);
                self.values.push(value);
            }
        }
        if self.values.len() > self.max_held {
            let run = self.sorted();
            let run = run.filed(&self.space)?;
            self.runs.push(run);
        }
        Ok(())
    }

    /// What is held, as a run.
    fn sorted(&mut self) -> Run {
        let groups = std::mem::take(&mut self.groups);
        let values = std::mem::take(&mut self.values);
        let count = groups.iter().max().map_or(0, |last| *last as usize + 1);
        let mut starts = vec![0_u32; count + 1];
        for group in &groups {
            if let Some(next) = starts.get_mut(*group as usize + 1) {
                *next += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut sorted = vec![0.0; values.len()];
        for (group, value) in groups.iter().zip(values) {
            if let Some(at) = next.get_mut(*group as usize)
                && let Some(slot) = sorted.get_mut(*at as usize)
            {
                *slot = value;
                *at += 1;
            }
        }
        Run { starts, values: RunValues::Held(sorted) }
    }

    /// The quantiles of each of `count` groups, one list for each of `shares`.
    pub(super) fn quantiles(
        mut self,
        count: usize,
        shares: &[f64],
    ) -> Result<Vec<Vec<Option<f64>>>, SqlError> {
        let last = self.sorted();
        self.runs.push(last);
        let mut found: Vec<Vec<Option<f64>>> =
            shares.iter().map(|_| Vec::with_capacity(count)).collect();
        let mut first = 0;
        let mut of_group = Vec::new();
        while first < count {
            let end = self.block_end(first, count);
            let blocks = self.runs.iter_mut().map(|run| run.read(first, end));
            let blocks: Vec<Vec<f64>> = blocks.collect::<Result<_, _>>()?;
            for group in first..end {
                of_group.clear();
                for (run, block) in self.runs.iter().zip(&blocks) {
                    let (from, to) = (run.start(group), run.start(group + 1));
                    let offset = run.start(first);
                    of_group.extend_from_slice(
                        block.get(from - offset..to - offset).unwrap_or_default(),
                    );
                }
                let quantiles = quantiles_of(&mut of_group, shares).values;
                for (column, quantile) in found.iter_mut().zip(quantiles) {
                    column.push(quantile);
                }
            }
            first = end;
        }
        Ok(found)
    }

    /// The groups from `first` whose values fit a block; one at least.
    fn block_end(&self, first: usize, count: usize) -> usize {
        let mut end = first;
        let mut values = 0;
        while end < count && (end == first || values < BLOCK) {
            values +=
                self.runs.iter().map(|run| run.start(end + 1) - run.start(end)).sum::<usize>();
            end += 1;
        }
        end
    }
}

impl Run {
    /// Where the values of a group start; the end for groups that came later.
    fn start(&self, group: usize) -> usize {
        let start = self.starts.get(group).or(self.starts.last());
        start.map_or(0, |start| *start as usize)
    }

    fn filed(self, space: &SpillSpace) -> Result<Self, SqlError> {
        let RunValues::Held(values) = self.values else { return Ok(self) };
        let mut file = BufWriter::new(space.file(values.len() as u64 * 8)?);
        for value in &values {
            file.write_all(&value.to_le_bytes())?;
        }
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        Ok(Self { starts: self.starts, values: RunValues::Filed(file) })
    }

    /// The values of the groups from `first` to before `end`.
    fn read(&mut self, first: usize, end: usize) -> Result<Vec<f64>, SqlError> {
        let (from, to) = (self.start(first), self.start(end));
        match &mut self.values {
            RunValues::Held(values) => Ok(values.get(from..to).unwrap_or_default().to_vec()),
            RunValues::Filed(file) => {
                file.seek(SeekFrom::Start(from as u64 * 8))?;
                let mut bytes = vec![0; (to - from) * 8];
                file.read_exact(&mut bytes)?;
                let (numbers, _) = bytes.as_chunks::<8>();
                Ok(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
            }
        }
    }
}
