//! Like with like: what a window usually holds, judged by the windows of the same slot.
//!
//! A slot is any number the caller gives to like windows: the hour of the week with three weeks
//! or more of history, else the hour of the day apart for working days and weekends.
//! Guarantee: a window never vouches for itself when counts are compared.

use std::collections::BTreeMap;

use super::quantile::median_of;

/// Fewest windows of a slot whose median may be taken as the rhythm.
pub const MIN_LIKE_WINDOWS: usize = 3;

/// Takes the rhythm out: value − median of its slot + median of all, in the unit of the values.
///
/// The median keeps a step or a burst visible as long as it fills less than half of the slot's
/// windows; a step in the very middle is seen with half its size on either side, which leaves its
/// full size and place. Give logarithms where the rhythm multiplies, as with latencies.
/// `None` where the value is missing, not finite, without a slot, or in a slot with fewer than
/// [`MIN_LIKE_WINDOWS`] values.
pub fn without_rhythm(values: &[Option<f64>], slots: &[u32]) -> Vec<Option<f64>> {
    let finite = |value: &Option<f64>| value.filter(|value| value.is_finite());
    let mut by_slot: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (value, slot) in values.iter().zip(slots) {
        if let Some(value) = finite(value) {
            by_slot.entry(*slot).or_default().push(value);
        }
    }
    let mut all: Vec<f64> = by_slot.values().flatten().copied().collect();
    let Some(level) = median_of(&mut all) else { return vec![None; values.len()] };
    let usual: BTreeMap<u32, f64> = by_slot
        .into_iter()
        .filter(|(_, like)| like.len() >= MIN_LIKE_WINDOWS)
        .filter_map(|(slot, mut like)| Some((slot, median_of(&mut like)?)))
        .collect();
    // Every value takes its slot, the missing ones too; what is beyond the slots has none.
    let slots = slots.iter().map(Some).chain(std::iter::repeat(None));
    values
        .iter()
        .zip(slots)
        .map(|(value, slot)| Some(finite(value)? - usual.get(slot?)? + level))
        .collect()
}

/// What a window should hold, and how well that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// Mean count of the other windows of the slot.
    pub expected: f64,
    /// Count of those windows.
    pub windows: usize,
}

/// The usual count of every window by the other windows of its slot.
///
/// `None` where the window has no slot or no other window shares it. A missing count is a gap.
pub fn usual_counts(counts: &[Option<u64>], slots: &[u32]) -> Vec<Option<Usual>> {
    let mut by_slot: BTreeMap<u32, (u64, usize)> = BTreeMap::new();
    for (count, slot) in counts.iter().zip(slots) {
        if let Some(count) = count {
            let sum = by_slot.entry(*slot).or_default();
            *sum = (sum.0.saturating_add(*count), sum.1 + 1);
        }
    }
    let slots = slots.iter().map(Some).chain(std::iter::repeat(None));
    counts
        .iter()
        .zip(slots)
        .map(|(count, slot)| {
            let &(sum, windows) = by_slot.get(slot?)?;
            let (others, windows) = match count {
                Some(count) => (sum.saturating_sub(*count), windows.saturating_sub(1)),
                None => (sum, windows),
            };
            (windows > 0).then(|| Usual { expected: others as f64 / windows as f64, windows })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rhythm_goes_and_a_step_stays() {
        // Two slots, 10 and 20; the last two rounds are 5 higher.
        let values: Vec<_> = [10., 20., 10., 20., 10., 20., 15., 25., 15., 25.].map(Some).into();
        let slots = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
        let flat: Vec<f64> = without_rhythm(&values, &slots).into_iter().flatten().collect();
        let before = flat[0];
        assert_eq!(flat, [0., 0., 0., 0., 0., 0., 5., 5., 5., 5.].map(|step| before + step));
    }

    #[test]
    fn a_gap_does_not_shift_the_slots_after_it() {
        let values = [Some(1.0), None, Some(1.0), Some(9.0), Some(1.0), Some(9.0), None, Some(9.0)];
        let flat = without_rhythm(&values, &[0, 1, 0, 1, 0, 1, 0, 1]);
        let known: Vec<f64> = flat.iter().flatten().copied().collect();
        assert_eq!((known, flat[1], flat[6]), (vec![5.0; 6], None, None));
    }

    #[test]
    fn what_has_no_like_is_a_gap() {
        let nan = Some(f64::NAN);
        assert_eq!(without_rhythm(&[], &[]), []);
        assert_eq!(without_rhythm(&[Some(1.0), Some(2.0)], &[0, 0]), [None, None]); // one short
        assert_eq!(without_rhythm(&[Some(1.0); 3], &[0; 3]), [Some(1.0); 3]); // exactly enough
        assert_eq!(without_rhythm(&[nan, None], &[0, 0]), [None, None]);
        assert_eq!(without_rhythm(&[Some(1.0); 4], &[0; 3])[3], None); // no slot given
    }

    #[test]
    fn a_window_does_not_vouch_for_itself() {
        let counts = [Some(2), Some(4), Some(900), None, Some(7)];
        let usual = usual_counts(&counts, &[0, 0, 0, 0, 1]);
        let expected: Vec<_> = usual.iter().map(|u| u.map(|u| (u.expected, u.windows))).collect();
        assert_eq!(
            expected,
            [Some((452.0, 2)), Some((451.0, 2)), Some((3.0, 2)), Some((302.0, 3)), None]
        );
    }
}
