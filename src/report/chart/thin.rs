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

/// The middle value of each bucket, and how many windows a bucket holds.
pub(crate) fn medians(values: &[Option<f64>], limit: usize) -> (usize, Vec<Option<f64>>) {
    let medians = buckets(values, limit).into_iter();
    let medians = medians.map(|bucket| bucket.spread.map(|[_, median, _]| median)).collect();
    (bucket_len(values.len(), limit), medians)
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
    use super::{buckets, medians};

    #[test]
    fn buckets_keep_the_spread_and_skip_what_is_unknown() {
        let check = |values: &[Option<f64>], limit: usize, want: &[Option<f64>]| {
            assert_eq!(medians(values, limit).1, want, "{values:?}");
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
}
