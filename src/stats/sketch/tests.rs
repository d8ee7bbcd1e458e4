use super::super::quantile::Sorted;
use super::*;
use proptest::prelude::*;

fn sketch_of(values: &[f64]) -> Sketch {
    let mut sketch = Sketch::default();
    sketch.extend(values.iter().copied());
    sketch
}

#[test]
fn edges_follow_the_documented_rule() {
    check(&[], 0.5, None);
    check(&[42.0], 0.5, Some(42.0)); // clamped to the exact range
    check(&[0.0, 0.0, -0.0], 0.95, Some(0.0)); // zero has its own bucket
    check(&[1e-310, 0.0, 1e-310], 0.5, Some(0.0)); // nearer to zero than any normal number
    check(&[-8.0, -8.0, -8.0], 0.5, Some(-8.0)); // negative values mirror positive ones
    check(&[1.0, 2.0, 3.0], 0.0, Some(1.0)); // the ends are exact
    check(&[1.0, 2.0, 3.0], 1.0, Some(3.0));
    check(&[1.0, 2.0, 3.0], 1.1, None);
    check(&[1.0, 2.0, 3.0], f64::NAN, None);
    check(&[f64::MAX, f64::MAX], 0.5, Some(f64::MAX));
}

fn check(values: &[f64], q: f64, want: Option<f64>) {
    assert_eq!(sketch_of(values).quantile(q), want, "{values:?} {q}");
}

#[test]
fn what_is_not_finite_is_counted_and_changes_nothing() {
    let mut sketch = sketch_of(&[1.0, f64::NAN, f64::INFINITY]);
    sketch.merge(&sketch_of(&[f64::NAN]));
    assert_eq!((sketch.count(), sketch.rejected_count(), sketch.max()), (1, 3, Some(1.0)));
}

#[test]
fn thinning_takes_even_ranks() {
    let sketch = sketch_of(&[0.0, 1.0, 2.0, 4.0, 8.0]);
    assert_eq!(sketch.thin(0), Vec::<f64>::new());
    assert_eq!(sketch.thin(9).len(), 5); // never more than there are
    assert_eq!(Sketch::default().thin(9), Vec::<f64>::new());
    let one_per_value: Vec<f64> = (0..1_000).map(|i| f64::from(1 << (i / 250))).collect();
    let quarters = [1.0_f64, 2.0, 4.0, 8.0];
    for (got, want) in sketch_of(&one_per_value).thin(4).iter().zip(quarters) {
        assert!((got - want).abs() <= want * RELATIVE_ERROR, "{got} is not {want}");
    }
}

#[test]
fn count_at_most_counts_whole_buckets() {
    let sketch = sketch_of(&[1.0, 2.0, 3.0]);
    for (bound, want) in [(0.5, 0), (1.0, 1), (2.9, 2), (3.0, 3), (f64::INFINITY, 3), (-1.0, 0)] {
        assert_eq!(sketch.count_at_most(bound), want, "{bound}");
    }
    assert_eq!(sketch.count_at_most(f64::NAN), 0);
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![0.001..1e6_f64, -1e3..1e3_f64, Just(0.0), 1e-300..1e-290_f64, Just(f64::MAX)]
}

proptest! {
    #[test]
    fn every_order_statistic_is_within_the_bound(
        values in prop::collection::vec(any_value(), 1..200),
    ) {
        let (sorted, sketch) = (Sorted::new(values.clone()), sketch_of(&values));
        for (rank, &want) in sorted.as_slice().iter().enumerate() {
            let got = sketch.nth(rank as u64).unwrap();
            prop_assert!((got - want).abs() <= want.abs() * RELATIVE_ERROR, "{} {}", got, want);
        }
    }

    #[test]
    fn merging_equals_adding_in_any_order(
        left in prop::collection::vec(any_value(), 0..120),
        right in prop::collection::vec(any_value(), 0..120),
    ) {
        let together = sketch_of(&[left.clone(), right.clone()].concat());
        let mut forth = sketch_of(&left);
        forth.merge(&sketch_of(&right));
        let mut back = sketch_of(&right);
        back.merge(&sketch_of(&left));
        prop_assert_eq!(&forth, &together);
        prop_assert_eq!(&back, &together);
    }

    #[test]
    fn a_thinned_sample_keeps_the_quantiles(
        values in prop::collection::vec(1.0..1e3_f64, 300..400),
    ) {
        let sketch = sketch_of(&values);
        let thinned = Sorted::new(sketch.thin(200));
        prop_assert_eq!(thinned.len(), 200);
        let (lower, upper) = (sketch.quantile(0.48).unwrap(), sketch.quantile(0.52).unwrap());
        let median = thinned.median().unwrap();
        prop_assert!(lower <= median && median <= upper);
    }
}

#[test]
fn buckets_that_no_values_give_are_refused() {
    let check = |text: &str, want: bool| {
        assert_eq!(serde_json::from_str::<Sketch>(text).is_ok(), want, "{text}");
    };
    check(r#"{"buckets":[],"range":null,"rejected":2}"#, true);
    check(r#"{"buckets":[[130944,2]],"range":[1.0,1.0],"rejected":0}"#, true);
    check(r#"{"buckets":[[130944,0]],"range":[1.0,1.0],"rejected":0}"#, false); // empty bucket
    check(r#"{"buckets":[[2,1],[1,1]],"range":[1.0,1.0],"rejected":0}"#, false); // not in order
    check(r#"{"buckets":[[1,1],[1,1]],"range":[1.0,1.0],"rejected":0}"#, false); // twice
    check(r#"{"buckets":[[130944,2]],"range":null,"rejected":0}"#, false); // values without range
    check(r#"{"buckets":[[130944,2]],"range":[2.0,1.0],"rejected":0}"#, false);
    check(r#"{"buckets":[],"range":[1.0,1.0],"rejected":0}"#, false); // range without values
    check(r#"{"buckets":[[2147483647,1]],"range":[1.0,1.0],"rejected":0}"#, false); // beyond f64
    check(r#"{"buckets":[[-2147483648,1]],"range":[1.0,1.0],"rejected":0}"#, false);
    let most = u64::MAX;
    check(&format!(r#"{{"buckets":[[1,{most}],[2,1]],"range":[1.0,1.0],"rejected":0}}"#), false);
}
