use super::*;
use proptest::prelude::*;

#[test]
fn quantiles_equal_duckdb_bit_for_bit() {
    let eight = [15.0, 20.0, 35.0, 40.0, 50.0, 0.1, 0.2, 0.3];
    let twelve = [26.152, 3.3, 18.7, 120.04, 7.77, 7.77, 55.5, 0.013, 91.25, 14.9, 33.33, 61.07];
    check(&[], 0.5, None);
    check(&[7.5], 0.0, Some(7.5));
    check(&[7.5], 0.99, Some(7.5)); // one value is every quantile
    check(&[3.0, 3.0, 3.0], 0.95, Some(3.0)); // ties
    check(&eight, 0.0, Some(0.1));
    check(&eight, 1.0, Some(50.0));
    check(&eight, 0.1, Some(0.17));
    check(&eight, 0.25, Some(0.274_999_999_999_999_97));
    check(&eight, 0.4, Some(12.060_000_000_000_004));
    check(&eight, 0.5, Some(17.5));
    check(&eight, 0.95, Some(46.499_999_999_999_99));
    check(&eight, 0.99, Some(49.3));
    check(&twelve, 0.05, Some(1.820_849_999_999_999_9));
    check(&twelve, 0.25, Some(7.77));
    check(&twelve, 0.5, Some(22.426_000_000_000_002));
    check(&twelve, 0.9, Some(88.232_000_000_000_01));
    check(&twelve, 0.95, Some(104.205_499_999_999_99));
    check(&twelve, 0.999, Some(119.723_310_000_000_03));
    check(&eight, 1.01, None); // just beyond
    check(&eight, -0.01, None);
    check(&eight, f64::NAN, None);
    check(&[f64::NAN, 1.0, f64::INFINITY, 3.0], 0.5, Some(2.0)); // what is not finite is left out
}

fn check(values: &[f64], q: f64, want: Option<f64>) {
    assert_eq!(Sorted::new(values.to_vec()).quantile(q), want, "sorted {values:?} {q}");
    let selected = quantiles_of(&mut values.to_vec(), &[q]);
    assert_eq!(selected.values, [want], "selected {values:?} {q}");
}

#[test]
fn what_is_left_out_is_counted() {
    let values = [f64::NAN, 1.0, f64::NEG_INFINITY, 3.0, 2.0];
    let sorted = Sorted::new(values.to_vec());
    assert_eq!((sorted.as_slice(), sorted.rejected_count()), (&[1.0, 2.0, 3.0][..], 2));
    let selected = quantiles_of(&mut values.to_vec(), &[]);
    assert_eq!((selected.n, selected.rejected_count), (3, 2));
}

#[test]
fn mad_is_the_median_distance() {
    for (values, want) in [
        (vec![], None),
        (vec![4.0], Some(0.0)),
        (vec![1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0], Some(1.0)),
        (vec![0.0, 0.0, 0.0, 100.0], Some(0.0)), // more than half tied
    ] {
        assert_eq!(Sorted::new(values).mad(), want);
    }
}

proptest! {
    #[test]
    fn selecting_equals_sorting(
        values in prop::collection::vec(-1e6..1e6_f64, 0..80),
        qs in prop::collection::vec(0.0..=1.0_f64, 0..6),
    ) {
        let sorted = Sorted::new(values.clone());
        let want: Vec<_> = qs.iter().map(|&q| sorted.quantile(q)).collect();
        prop_assert_eq!(quantiles_of(&mut values.clone(), &qs).values, want);
    }

    #[test]
    fn a_quantile_lies_within_the_sample_and_grows(
        values in prop::collection::vec(-1e6..1e6_f64, 1..80),
        q in 0.0..1.0_f64,
    ) {
        let sorted = Sorted::new(values);
        let lower = sorted.quantile(q).unwrap();
        let upper = sorted.quantile((q + 0.1).min(1.0)).unwrap();
        let slack = 1e-9 * upper.abs().max(1.0);
        prop_assert!(sorted.as_slice()[0] <= lower + slack && lower <= upper + slack);
    }
}

#[test]
fn keys_keep_every_value_and_its_order() {
    let values = [f64::MIN, -1.5, -f64::MIN_POSITIVE, -0.0, 0.0, 5e-324, 0.1, 1.0, f64::MAX];
    for pair in values.windows(2) {
        assert!(order_key(pair[0]) < order_key(pair[1]), "{pair:?}");
    }
    for value in values {
        let back = from_order_key(order_key(value));
        assert_eq!(back.to_bits(), value.to_bits(), "{value}");
    }
}
