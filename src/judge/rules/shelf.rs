//! What was measured last, kept at hand: rules often ask for the same values one after the other.

use std::cell::RefCell;
use std::rc::Rc;

use crate::model::Window;
use crate::query::{Measured, Measurement, Values};

/// Answers kept; one may hold a number for each row.
const MAX_ANSWERS: usize = 4;
/// Samples kept; one may hold all values of a long window.
const MAX_SAMPLES: usize = 6;
/// Samples of fewer values are as quickly made anew.
const MIN_KEPT: u64 = 1_000;

/// Place of the question, group, windows.
type Key = (usize, Option<String>, Vec<Window>);

/// Answers by the places of their questions, oldest first.
pub(super) struct Answers<'a> {
    measured: &'a Measured,
    kept: Vec<(usize, Rc<Measurement<'a>>)>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(measured: &'a Measured) -> Self {
        Self { measured, kept: Vec::new() }
    }

    /// The answer to the question at a place.
    pub(super) fn at(&mut self, place: usize) -> Option<Rc<Measurement<'a>>> {
        if let Some((_, known)) = self.kept.iter().find(|(known, _)| *known == place) {
            return Some(Rc::clone(known));
        }
        let answer = Rc::new(self.measured.question(place)?);
        if self.kept.len() == MAX_ANSWERS {
            self.kept.remove(0);
        }
        self.kept.push((place, Rc::clone(&answer)));
        Some(answer)
    }
}

/// Samples by what was asked, oldest first.
#[derive(Default)]
pub(super) struct Shelf {
    samples: RefCell<Vec<(Key, Rc<Values>)>>,
}

impl Shelf {
    /// Values of a group within windows; `make` measures them.
    pub(super) fn values(
        &self,
        place: usize,
        (group, windows): (Option<&str>, &[Window]),
        make: impl FnOnce() -> Values,
    ) -> Rc<Values> {
        let mut samples = self.samples.borrow_mut();
        let is_same = |(known, of, within): &Key| {
            *known == place && of.as_deref() == group && within == windows
        };
        if let Some((_, known)) = samples.iter().find(|(key, _)| is_same(key)) {
            return Rc::clone(known);
        }
        let values = Rc::new(make());
        if values.all.count() >= MIN_KEPT {
            if samples.len() == MAX_SAMPLES {
                samples.remove(0);
            }
            let key = (place, group.map(str::to_owned), windows.to_vec());
            samples.push((key, Rc::clone(&values)));
        }
        values
    }
}
