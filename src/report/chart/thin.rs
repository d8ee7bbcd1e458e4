//! Fewer points for a small drawing.

/// Several neighbouring windows taken together.
pub(crate) struct Bucket {
    /// Index of the first window.
    pub(crate) first: usize,
    /// Lowest, middle and highest known value; `None` when none is known.
    pub(crate) spread: Option<[f64; 3]>,
}

/// At most `limit` buckets of equally many windows.
pub(crate) fn buckets(values: &[Option<f64>], limit: usize) -> Vec<Bucket> {
    let size = bucket_len(values.len(), limit);
    let chunks = values.chunks(size).enumerate();
    chunks.map(|(index, chunk)| Bucket { first: index * size, spread: spread(chunk) }).collect()
}

/// One value a bucket for a line, and how many windows a bucket holds.
///
/// It is the middle value, except where a bucket holds one of the highest or lowest values of
/// all: that one is kept, so that a short burst does not vanish from a small drawing.
pub(crate) fn thinned(values: &[Option<f64>], limit: usize) -> (usize, Vec<Option<f64>>) {
    let [low, high] = rare_bounds(values);
    let pick = |[lowest, middle, highest]: [f64; 3]| match () {
        () if highest >= high => highest,
        () if lowest <= low => lowest,
        () => middle,
    };
    let picked = buckets(values, limit).into_iter().map(|bucket| bucket.spread.map(pick));
    (bucket_len(values.len(), limit), picked.collect())
}

/// Share of the values at each end that are kept.
const RARE_SHARE: f64 = 0.01;

/// The bounds beyond which a value is one of the rarest; no value is when there are few.
fn rare_bounds(values: &[Option<f64>]) -> [f64; 2] {
    let mut known: Vec<f64> = values.iter().flatten().copied().filter(|v| v.is_finite()).collect();
    known.sort_by(f64::total_cmp);
    let rare = (known.len() as f64 * RARE_SHARE) as usize;
    match (known.get(rare.wrapping_sub(1)), known.get(known.len().wrapping_sub(rare))) {
        (Some(low), Some(high)) if low < high => [*low, *high],
        _ => [f64::NEG_INFINITY, f64::INFINITY],
    }
}

fn bucket_len(count: usize, limit: usize) -> usize {
    count.div_ceil(limit.max(1)).max(1)
}

fn spread(chunk: &[Option<f64>]) -> Option<[f64; 3]> {
    let mut known: Vec<f64> = chunk.iter().flatten().copied().filter(|v| v.is_finite()).collect();
    known.sort_by(f64::total_cmp);
    Some([*known.first()?, *known.get(known.len() / 2)?, *known.last()?])
}

#[cfg(test)]
mod tests {
    use super::{buckets, thinned};

    #[test]
    fn buckets_keep_the_middle_and_skip_what_is_unknown() {
        let check = |values: &[Option<f64>], limit: usize, want: &[Option<f64>]| {
            assert_eq!(thinned(values, limit).1, want, "{values:?}");
        };
        check(&[], 3, &[]);
        check(&[Some(1.0)], 3, &[Some(1.0)]);
        check(&[Some(1.0), None, Some(3.0)], 3, &[Some(1.0), None, Some(3.0)]); // exactly fits
        check(&[Some(1.0), Some(9.0), None, Some(3.0)], 2, &[Some(9.0), Some(3.0)]);
        check(&[Some(f64::NAN), Some(2.0)], 1, &[Some(2.0)]);
        check(&[Some(1.0)], 0, &[Some(1.0)]); // a limit of zero is taken as one
        let wide = buckets(&[Some(5.0), Some(1.0), Some(3.0)], 1);
        assert_eq!(wide[0].spread, Some([1.0, 3.0, 5.0]));
    }

    #[test]
    fn a_short_burst_or_dip_stays_in_a_small_drawing() {
        let mut values = vec![Some(10.0); 336];
        values[100] = Some(900.0);
        values[200] = Some(0.0);
        for (index, value) in values.iter_mut().enumerate() {
            *value = value.map(|value| value + index as f64 * 1e-6); // no ties at the bounds
        }
        let drawn = thinned(&values, 28).1;
        assert!(drawn.iter().flatten().any(|value| *value > 899.0));
        assert!(drawn.iter().flatten().any(|value| *value < 1.0));
        assert!(thinned(&[Some(4.0); 336], 28).1.iter().all(|value| *value == Some(4.0)));
    }
}
