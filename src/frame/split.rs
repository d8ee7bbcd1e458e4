//! Splits frames by the values of keys: equal keys always meet in the same part.

use std::hash::{Hash, Hasher};

use polars::prelude::{
    Column, DataFrame, DataType, IdxCa, NewChunkedArray, PlSmallStr, PolarsError,
};
use rustc_hash::FxHasher;

/// Rows of `frame` in `parts` frames, in their order, by the keys in the rows of `keys`.
pub(crate) fn split(
    frame: &DataFrame,
    keys: &DataFrame,
    parts: usize,
) -> Result<Vec<DataFrame>, PolarsError> {
    let mut hashes = vec![0_u64; frame.height()];
    for key in keys.columns() {
        add_hashes(key, &mut hashes)?;
    }
    let mut rows: Vec<Vec<u32>> = vec![Vec::with_capacity(2 * hashes.len() / parts); parts];
    for (row, hash) in (0..).zip(hashes) {
        // The upper bits are the well-mixed ones of this hash.
        let part = ((hash >> 32) as usize) % parts;
        if let Some(rows) = rows.get_mut(part) {
            rows.push(row);
        }
    }
    rows.iter().map(|rows| frame.take(&IdxCa::from_slice(PlSmallStr::EMPTY, rows))).collect()
}

/// Mixes each value of a key into the hash of its row; a missing value is a value of its own.
fn add_hashes(key: &Column, hashes: &mut [u64]) -> Result<(), PolarsError> {
    fn mix_in<T: Hash>(values: impl Iterator<Item = Option<T>>, hashes: &mut [u64]) {
        for (value, hash) in values.zip(hashes) {
            let mut state = FxHasher::default();
            hash.hash(&mut state);
            value.hash(&mut state);
            *hash = state.finish().rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
    match key.dtype() {
        DataType::String => mix_in(key.str()?.iter(), hashes),
        DataType::Boolean => mix_in(key.bool()?.iter(), hashes),
        DataType::Float32 | DataType::Float64 => {
            let floats = key.cast(&DataType::Float64)?;
            // Zero and minus zero are one group, and so are all NaN.
            let as_bits =
                |value: f64| if value.is_nan() { u64::MAX } else { (value + 0.0).to_bits() };
            mix_in(floats.f64()?.iter().map(|value| value.map(as_bits)), hashes);
        }
        _ => {
            let whole = key.to_physical_repr().cast(&DataType::Int64)?;
            mix_in(whole.i64()?.iter(), hashes);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::split;

    #[test]
    fn equal_keys_meet_and_no_row_is_lost() {
        let names = ["a", "b", "c"];
        let rows = 0..600_i64;
        let frame: DataFrame = df!(
            "row" => rows.clone().collect::<Vec<_>>(),
            "name" => rows.clone().map(|r| names.get((r % 4) as usize).copied()).collect::<Vec<_>>(),
            "x" => rows.map(|r| if r % 2 == 0 { 0.0 } else { -0.0 }).collect::<Vec<f64>>(),
        )
        .unwrap();
        let keys = frame.select(["name", "x"]).unwrap();
        let parts = split(&frame, &keys, 7).unwrap();
        assert_eq!(parts.len(), 7);
        assert_eq!(parts.iter().map(DataFrame::height).sum::<usize>(), 600);
        for residue in 0..4 {
            let holders = parts.iter().filter(|part| {
                let rows = part.column("row").unwrap().i64().unwrap();
                rows.iter().flatten().any(|row| row % 4 == residue)
            });
            assert_eq!(holders.count(), 1, "{residue}");
        }
        for part in &parts {
            let rows = part.column("row").unwrap().i64().unwrap();
            assert!(rows.iter().is_sorted()); // sums keep their order of addition
        }
    }
}
