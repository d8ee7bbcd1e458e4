//! The functions a query may call.
//!
//! None reads anything but its arguments, none knows the time or chance, and none makes a text
//! longer than its arguments together (`lpad` and `replace` do), so memory follows the input.

/// Aggregates: a select of nothing else has one row.
#[rustfmt::skip]
const AGGREGATES: &[&str] = &[
    "avg", "corr", "count", "covar_pop", "covar_samp", "first", "last", "max", "median", "min",
    "quantile_cont", "quantile_disc", "stddev", "stddev_samp", "sum", "total", "var_samp",
    "variance",
];

/// Functions that need `OVER`.
#[rustfmt::skip]
const WINDOWS: &[&str] = &[
    "dense_rank", "first_value", "lag", "last_value", "lead", "rank", "row_number",
];

/// Functions of one row.
#[rustfmt::skip]
const OF_ROWS: &[&str] = &[
    "abs", "cbrt", "ceil", "ceiling", "char_length", "coalesce", "concat", "date", "date_part",
    "div", "ends_with", "exp", "floor", "greatest", "if", "ifnull", "least", "left", "length",
    "ln", "log", "log10", "log1p", "log2", "lower", "ltrim", "mod", "nullif", "octet_length",
    "pow", "power", "regexp_like", "reverse", "right", "round", "rtrim", "sign", "split_part",
    "sqrt", "starts_with", "strpos", "substr", "trunc", "upper",
];

/// Every allowed function but the percentiles, in lower case.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    AGGREGATES.iter().chain(WINDOWS).chain(OF_ROWS).copied()
}

/// Whether a function by its lower-case name makes one value of many rows.
pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name) || quantile(name).is_some()
}

/// Whether a function may be called, by its lower-case name.
pub(super) fn is_allowed(name: &str) -> bool {
    names().any(|allowed| allowed == name) || quantile(name).is_some()
}

/// The quantile meant by `p50` … `p99`, and by `p99_9` and the like, as SQL text.
pub(super) fn quantile(name: &str) -> Option<String> {
    let (whole, fraction) = match name.strip_prefix('p')?.split_once('_') {
        None => (name.strip_prefix('p')?, ""),
        Some((_, "")) => return None,
        Some(parts) => parts,
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = matches!(whole.len(), 1..=2) && digits(whole) && fraction.len() <= 4;
    (fits && digits(fraction)).then(|| format!("0.{whole:0>2}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::{is_aggregate, is_allowed, names, quantile};

    #[test]
    fn percentile_names_are_quantiles() {
        for (name, expected) in [
            ("p50", Some("0.50")),
            ("p5", Some("0.05")),
            ("p99", Some("0.99")),
            ("p99_9", Some("0.999")),
            ("p0", Some("0.00")),
            ("p100", None), // `max` says it
            ("p", None),
            ("p_9", None),
            ("p99_", None),
            ("pow", None),
            ("p1e", None),
            ("p99_99999", None),
        ] {
            assert_eq!(quantile(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn nothing_reads_files_or_the_clock() {
        for name in [
            "read_csv",
            "read_parquet",
            "read_json",
            "read_ipc",
            "now",
            "current_timestamp",
            "random",
            "lpad",
            "rpad",
            "replace",
            "repeat",
            "columns",
            "unnest",
            "array_agg",
            "string_agg",
            "",
        ] {
            assert!(!is_allowed(name), "{name}");
        }
        assert!(names().all(is_allowed));
        assert!(is_aggregate("p95") && !is_aggregate("lag"));
    }
}
