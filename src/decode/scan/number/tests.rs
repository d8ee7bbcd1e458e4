//! Values are those of `str::parse`, the grammar is that of JSON.

use super::{parse_f64, parse_i64};
use proptest::prelude::*;

fn check(raw: &str, value: Option<f64>, integer: Option<i64>) {
    let bits = |value: Option<f64>| value.map(f64::to_bits);
    assert_eq!(bits(parse_f64(raw.as_bytes())), bits(value), "{raw}");
    assert_eq!(parse_i64(raw.as_bytes()), integer, "{raw}");
}

#[test]
fn numbers_are_worth_what_they_say() {
    check("0", Some(0.0), Some(0));
    check("-0", Some(-0.0), Some(0)); // the sign of zero stays
    check("-0.0", Some(-0.0), None);
    check("200", Some(200.0), Some(200));
    check("-17", Some(-17.0), Some(-17));
    check("170.63", Some(170.63), None);
    check("0.1", Some(0.1), None);
    check("1e3", Some(1000.0), None); // an exponent makes no integer
    check("1.0", Some(1.0), None); // neither does a fraction
    check("9007199254740992", Some(9_007_199_254_740_992.0), Some(9_007_199_254_740_992)); // 2^53
    check("9007199254740993", Some(9_007_199_254_740_992.0), Some(9_007_199_254_740_993)); // a tie
    check("9223372036854775807", Some(9_223_372_036_854_775_807.0), Some(i64::MAX));
    check("9223372036854775808", Some(9_223_372_036_854_775_808.0), None); // just beyond
    check("0.0000000000000000000001", Some(1e-22), None); // 22 decimals, 23 digits
    check("1e-400", Some(0.0), None); // too small is zero
    check("1.7976931348623157e308", Some(f64::MAX), None);
    check("1e400", None, None); // too large is no number
    check("5e-324", Some(5e-324), None); // the smallest
}

#[test]
fn what_is_no_json_number_has_no_value() {
    for raw in [
        "", "-", "+1", ".5", "1.", "01", "-01", "00", "1e", "1e+", "1.e1", "--1", "1.2.3", "1 ",
        " 1", "0x10", "1_000", "NaN", "inf", "Infinity", "1,5", "١", "true", ".", "-.5",
    ] {
        check(raw, None, None);
    }
}

proptest! {
    #[test]
    fn values_are_those_of_std(
        raw in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
    ) {
        let std = raw.parse::<f64>().ok().filter(|value| value.is_finite());
        prop_assert_eq!(parse_f64(raw.as_bytes()).map(f64::to_bits), std.map(f64::to_bits));
    }

    #[test]
    fn what_serde_json_refuses_has_no_value(raw in "[-+0-9.eE]{0,9}") {
        let is_number = serde_json::from_str::<serde_json::Number>(&raw).is_ok();
        prop_assert_eq!(parse_f64(raw.as_bytes()).is_some(), is_number);
    }
}
