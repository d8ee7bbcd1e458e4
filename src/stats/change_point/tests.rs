use super::*;

/// Step from 1.0 to 0.5 at index 10 (facts of Otava's own tests).
const SHORT: [f64; 20] = [
    1.02, 0.95, 0.99, 1.00, 1.12, 1.00, 1.01, 0.98, 1.01, 0.96, 0.50, 0.51, 0.48, 0.48, 0.55, 0.50,
    0.49, 0.51, 0.50, 0.49,
];

fn rule((window_len, max_p_value, min_magnitude): (usize, f64, f64)) -> ChangePointRule {
    ChangePointRule { window_len, max_p_value, min_magnitude }
}

fn check(values: &[f64], how: (usize, f64, f64), want: &[usize]) {
    let got: Vec<usize> = change_points(values, &rule(how)).iter().map(|p| p.index).collect();
    assert_eq!(got, want, "{how:?}");
}

#[test]
fn short_series_agree_with_otava() {
    check(&SHORT, (10, 1e-4, 0.0), &[10]);
    check(&SHORT, (50, 1e-4, 0.0), &[10]);
    let longer = [&SHORT[..], &[0.47, 0.48, 0.45, 0.01, 0.1, 0.22]].concat();
    check(&longer, (5, 1e-4, 0.0), &[10, 23]);
    check(&SHORT, (10, 1e-4, 1.1), &[]); // the step is 2 to 1, a magnitude of 1.03
    check(&SHORT, (0, 1e-4, 0.0), &[]); // a window is at least two, which shows nothing
}

/// Deterministic noise of 0 to 999 around a shape.
fn long(shape: u64) -> Vec<f64> {
    let mut state = 12_345 + shape;
    let mut noise = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) % 1_000
    };
    let level = |i: u64, noise: u64| match shape {
        0 => [10_000, 12_000, 11_000][usize::from(i >= 80) + usize::from(i >= 190)] + noise,
        1 => 5_000 + i * 4 + noise / 4,
        2 => {
            let burst = if (100..112).contains(&i) { 900 } else { 0 };
            2_000 + noise / 10 + burst + if i >= 250 { 300 } else { 0 }
        }
        3 => 500 + noise,
        _ => (i / 37) % 3 * 400 + 800 + noise / 5,
    };
    (0..300).map(|i| level(i, noise()) as f64).collect()
}

fn check_long(shape: u64, how: (usize, f64, f64), want: &[usize]) {
    check(&long(shape), how, want);
}

#[test]
#[rustfmt::skip] // one case a line, with the indices that apache-otava 0.8.0 gives
fn long_series_agree_with_otava() {
    check_long(0, (50, 0.001, 0.0), &[80, 190]); // two steps
    check_long(0, (30, 0.01, 0.05), &[80, 190, 191]);
    check_long(0, (30, 0.1, 0.0), &[6, 33, 35, 38, 44, 46, 48, 51, 52, 54, 61, 80, 98, 103, 104, 152, 163, 174, 177, 190, 191, 201, 236, 238, 257, 266, 270, 273, 291, 293]);
    check_long(0, (50, 1e-05, 0.0), &[80, 190]);
    check_long(1, (50, 0.001, 0.0), &[29, 64, 96, 110, 142, 158, 206, 237, 263]); // a slow drift, cut into pieces
    check_long(1, (30, 0.01, 0.05), &[158, 263]);
    check_long(1, (50, 1e-05, 0.0), &[29, 64, 110, 142, 158, 206, 237, 263]);
    check_long(2, (50, 0.001, 0.0), &[100, 112, 183, 250]); // a burst and a late step
    check_long(2, (30, 0.01, 0.05), &[100, 112, 250]);
    check_long(2, (50, 1e-05, 0.0), &[100, 112, 250]);
    check_long(3, (50, 0.001, 0.0), &[]); // noise only
    check_long(3, (30, 0.01, 0.05), &[]);
    check_long(3, (30, 0.1, 0.0), &[6, 9, 10, 38, 41, 136, 140, 147, 156, 174, 185, 246, 249, 265, 267, 273]);
    check_long(3, (50, 1e-05, 0.0), &[]);
    check_long(4, (50, 0.001, 0.0), &[37, 74, 111, 116, 124, 148, 185, 222, 259, 296]); // a staircase that repeats
    check_long(4, (30, 0.01, 0.05), &[37, 74, 111, 116, 124, 148, 185, 222, 259, 296]);
    check_long(4, (50, 1e-05, 0.0), &[37, 74, 111, 148, 185, 222, 259, 296]);
}

#[test]
fn too_little_has_no_change_point() {
    for values in [&[][..], &[1.0], &[1.0, 2.0], &[f64::NAN; 30], &[5.0; 40]] {
        check(values, (50, 0.001, 0.0), &[]);
    }
}

#[test]
fn gaps_keep_their_index() {
    let mut values = SHORT.to_vec();
    values.insert(3, f64::NAN);
    values.insert(12, f64::INFINITY);
    check(&values, (10, 1e-4, 0.0), &[11]);
}

#[test]
fn a_point_tells_before_after_and_where_else_it_may_be() {
    let points = change_points(&SHORT, &rule((10, 1e-4, 0.0)));
    let [point] = points[..] else { panic!("{points:?}") };
    assert!((point.before - 1.004).abs() < 1e-12 && (point.after - 0.501).abs() < 1e-12);
    assert_eq!(point.plausible, (10, 10));
    assert!((point.magnitude() - 1.003_992_015_968_063_7).abs() < 1e-12);
    let drift = change_points(&long(1), &ChangePointRule::default());
    assert!(drift.iter().any(|p| p.plausible.1 - p.plausible.0 > 5), "a drift has no sharp place");
}
