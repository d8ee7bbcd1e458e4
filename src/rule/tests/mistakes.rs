//! What is refused, and with which words.

use insta::assert_snapshot;

use crate::rule::{Mistake, parse_filter, parse_rule};

/// Each expression with marks below what is wrong.
fn told<T>(parse: fn(&str) -> Result<T, Vec<Mistake>>, expressions: &[&str]) -> String {
    let mut lines = Vec::new();
    for expression in expressions {
        lines.push(format!("| {expression}").replace('\t', " ").trim_end().to_owned());
        for Mistake { span, message, help } in parse(expression).err().expect(expression) {
            let before = " ".repeat(expression[..span.start].chars().count());
            let marks = "^".repeat(expression[span].chars().count().max(1));
            lines.push(format!("| {before}{marks} {message}"));
            lines.extend(help.map(|help| format!("| {before}help: {help}")));
        }
    }
    lines.join("\n")
}

#[test]
fn comparisons_have_one_spelling() {
    let told = told(
        parse_rule,
        &[
            "",
            "   ",
            "p95(duration)",
            "p95(duration) <",
            "p95(duration) 300ms",
            "p95(duration) == 300ms",
            "p95(duration) =< 300ms",
            "p95(duration) => 300ms",
            "p95(duration) ≤ 300ms",
            "count() <> 0",
            "p95(duration) is below 300ms",
        ],
    );
    assert_snapshot!(told, @r#"
    |
    | ^ a measure is needed, found nothing
    | help: write such as `p95(duration) < 300ms` or `count() > 0`
    |
    | ^ a measure is needed, found nothing
    | help: write such as `p95(duration) < 300ms` or `count() > 0`
    | p95(duration)
    |              ^ `p95(duration)` needs a comparison such as `< 300ms`, found nothing
    | p95(duration) <
    |                ^ a limit is needed, found nothing
    |                help: limits are numbers with their unit, `baseline + 10%`, `before_change + 10%`, `usual` and such as `usual(mad, 3)`
    | p95(duration) 300ms
    |               ^^^^^ `p95(duration)` needs a comparison such as `< 300ms`, found `300ms`
    | p95(duration) == 300ms
    |               ^^ `==` is no comparison
    |               help: did you mean `=`?
    | p95(duration) =< 300ms
    |               ^^ `=<` is no comparison
    |               help: did you mean `<=`?
    | p95(duration) => 300ms
    |               ^^ `=>` is no comparison
    |               help: did you mean `>=`?
    | p95(duration) ≤ 300ms
    |               ^ `≤` is no comparison
    |               help: did you mean `<=`?
    | count() <> 0
    |         ^^ `<>` is no comparison
    |         help: did you mean `!=`?
    | p95(duration) is below 300ms
    |               ^^ `is` is no comparison
    |               help: did you mean `=`?
    |                  ^^^^^ `below` is no limit
    |                  help: limits are numbers with their unit, `baseline + 10%`, `before_change + 10%`, `usual` and such as `usual(mad, 3)`
    "#);
}

#[test]
fn terms_have_no_parentheses_and_no_order_of_their_own() {
    let told = told(
        parse_rule,
        &[
            "p95(duration < 300ms",
            "p95(duration, route) < 300ms",
            "300ms > p95(duration)",
            "(p95(duration) < 300ms)",
            "not p95(duration) < 300ms",
        ],
    );
    assert_snapshot!(told, @r#"
    | p95(duration < 300ms
    |              ^ `p95(` needs its `)` here, found `<`
    | p95(duration, route) < 300ms
    |             ^ `p95(` needs its `)` here, found `,`
    | 300ms > p95(duration)
    | ^^^^^ a measure is needed, found `300ms`
    | help: the measure stands on the left, the limit on the right
    | (p95(duration) < 300ms)
    | ^ a measure is needed, found `(`
    | help: terms stand without parentheses, joined by `and`
    | not p95(duration) < 300ms
    | ^^^ `not` is no measure
    | help: turn the comparison round: `<` is not `>=`
    "#);
}

#[test]
fn terms_are_joined_by_and() {
    let told = told(
        parse_rule,
        &[
            "p95(duration) < 300ms && count() > 5",
            "p95(duration) < 300ms, count() > 5",
            "p95(duration) < 300ms or count() > 5",
            "p95(duration) < 300ms || count() > 5",
            "p95(duration) < 300ms count() > 5",
            "p95(duration) < 300ms and",
            "p95(duration) < 300ms and where status = 200",
            "p95(duration) < 300ms)",
        ],
    );
    assert_snapshot!(told, @r#"
    | p95(duration) < 300ms && count() > 5
    |                       ^^ `&&` cannot join conditions, only `and` can
    |                       help: did you mean `and`?
    | p95(duration) < 300ms, count() > 5
    |                      ^ `,` cannot join conditions, only `and` can
    |                      help: did you mean `and`?
    | p95(duration) < 300ms or count() > 5
    |                       ^^ `or` cannot join conditions, only `and` can
    |                       help: a rule has no `or`: write two rules, each with its own `id`
    | p95(duration) < 300ms || count() > 5
    |                       ^^ `||` cannot join conditions, only `and` can
    |                       help: a rule has no `or`: write two rules, each with its own `id`
    | p95(duration) < 300ms count() > 5
    |                       ^^^^^ `count` cannot stand here
    |                       help: terms are joined by `and`, in front of `where`
    | p95(duration) < 300ms and
    |                          ^ a measure is needed, found nothing
    |                          help: write such as `p95(duration) < 300ms` or `count() > 0`
    | p95(duration) < 300ms and where status = 200
    |                           ^^^^^ a measure is needed, found `where`
    |                           help: write such as `p95(duration) < 300ms` or `count() > 0`
    | p95(duration) < 300ms)
    |                      ^ `)` cannot stand here
    |                      help: it closes nothing
    "#);
}

#[test]
fn clauses_have_their_order() {
    let told = told(
        parse_rule,
        &[
            "p95(duration) < 300ms by route",
            "p95(duration) < 300ms wher status = 200",
            "p95(duration) < 300ms per route where status = 200",
            r#"p95(duration) < 300ms where status = 200 where method = "GET""#,
            "p95(duration) < 300ms per route, version",
            "p95(duration) < 300ms per",
        ],
    );
    assert_snapshot!(told, @r#"
    | p95(duration) < 300ms by route
    |                       ^^ `by` cannot stand here
    |                       help: did you mean `per`?
    | p95(duration) < 300ms wher status = 200
    |                       ^^^^ `wher` cannot stand here
    |                       help: did you mean `where`?
    | p95(duration) < 300ms per route where status = 200
    |                                 ^^^^^ `where` stands too late
    |                                 help: the order is `MEASURE < LIMIT [and …] [where …] [per FIELD] [for TIME]`
    | p95(duration) < 300ms where status = 200 where method = "GET"
    |                                          ^^^^^ `where` stands twice, once is enough
    |                                          help: join conditions with `and`
    | p95(duration) < 300ms per route, version
    |                                ^ `per` takes one field, `,` begins another
    |                                help: write a rule for each field
    | p95(duration) < 300ms per
    |                          ^ `per` needs a field, found nothing
    |                          help: write `per route`
    "#);
}

#[test]
fn groups_have_few_values_and_times_a_bound() {
    let told = told(
        parse_rule,
        &[
            "p95(duration) < 300ms per request_id",
            "p95(duration) < 300ms per duration",
            "p95(duration) < 300ms for",
            "p95(duration) < 300ms for 5",
            "p95(duration) < 300ms for 0s",
            "p95(duration) < 300ms for 31d",
            "p95(duration) < 300ms for ever",
            "p95(duration) < 300ms per route and count() > 5",
        ],
    );
    assert_snapshot!(told, @r#"
    | p95(duration) < 300ms per request_id
    |                           ^^^^^^^^^^ `request_id` is different in nearly every row, a field of few values is needed
    |                           help: such fields are `template`, `route` or `version`
    | p95(duration) < 300ms per duration
    |                           ^^^^^^^^ `duration` holds numbers, a field of few values is needed
    |                           help: such fields are `template`, `route` or `version`
    | p95(duration) < 300ms for
    |                          ^ `for` needs a time such as `5m`, found nothing
    | p95(duration) < 300ms for 5
    |                           ^ `for` needs a time of more than `0s` and at most `30d`, not `5`
    |                           help: did you mean `5m`?
    | p95(duration) < 300ms for 0s
    |                           ^^ `for` needs a time of more than `0s` and at most `30d`, not `0s`
    | p95(duration) < 300ms for 31d
    |                           ^^^ `for` needs a time of more than `0s` and at most `30d`, not `31d`
    | p95(duration) < 300ms for ever
    |                           ^^^^ `for` needs a time such as `5m`, found `ever`
    | p95(duration) < 300ms per route and count() > 5
    |                                 ^^^ `and` cannot stand here
    |                                 help: the order is `MEASURE < LIMIT [and …] [where …] [per FIELD] [for TIME]`
    "#);
}

#[test]
fn measures_need_their_field() {
    let told = told(
        parse_rule,
        &[
            "p95(`a`b) < 1",
            "p95(`) < 1",
            "p95 < 300ms",
            "count > 5",
            "status < 500",
            "p95() < 300ms",
            r#"p95("duration") < 300ms"#,
            "p95(for) < 300ms",
            "p95(user-agent) < 300ms",
            "p95(@timestamp) < 300ms",
            "p95(http..bytes) < 300",
        ],
    );
    assert_snapshot!(told, @r#"
    | p95(`a`b) < 1
    |        ^ `p95(` needs its `)` here, found `b`
    | p95(`) < 1
    |     ^^^^^^ `` `) < 1 `` begins with a quote that is not closed
    |     help: a quote inside of its own text is written twice
    | p95 < 300ms
    | ^^^ `p95` is no measure
    | help: write `p95(field)`
    | count > 5
    | ^^^^^ `count` is no measure
    | help: write `count()`
    | status < 500
    | ^^^^^^ `status` is no measure
    | help: conditions on rows stand behind `where` or inside of `share(…)`
    | p95() < 300ms
    |     ^ `p95` needs a field, found `)`
    |     help: write `p95(duration)`
    | p95("duration") < 300ms
    |     ^^^^^^^^^^ `p95` needs a field, found `"duration"`
    |     help: a field stands without quotes, or in backticks
    | p95(for) < 300ms
    |     ^^^ `p95` needs a field, found `for`
    |     help: a field of this name is written `` `for` ``
    | p95(user-agent) < 300ms
    |         ^ `-` cannot stand in the name of a field
    |         help: a field with other signs than letters, digits, `_` and `.` stands in backticks
    | p95(@timestamp) < 300ms
    |     ^ `p95` needs a field, found `@`
    |     help: a field with other signs than letters, digits, `_` and `.` stands in backticks
    | p95(http..bytes) < 300
    |     ^^^^^^^^^^^ field `http..bytes` must be one line of 1 to 256 bytes with no empty name in it
    "#);
}

#[test]
fn measures_are_known() {
    let told = told(
        parse_rule,
        &[
            "p100(duration) < 300ms",
            "p0(duration) > 1ms",
            "p9x(duration) < 1ms",
            "mean(duration) < 300ms",
            "cuont() > 5",
            "novlty(duration) < 0.5",
            "stddev(duration) < 5ms",
            "error_rate() < 5%",
        ],
    );
    assert_snapshot!(told, @r#"
    | p100(duration) < 300ms
    | ^^^^ `p100` is no quantile, must be more than p0 and less than p100
    | help: write `max(duration)`
    | p0(duration) > 1ms
    | ^^ `p0` is no quantile, must be more than p0 and less than p100
    | help: write `min(duration)`
    | p9x(duration) < 1ms
    | ^^^ `p9x` is no measure
    | help: did you mean `p90`?
    | mean(duration) < 300ms
    | ^^^^ `mean` is no measure
    | help: did you mean `avg(field)`?
    | cuont() > 5
    | ^^^^^ `cuont` is no measure
    | help: did you mean `count`?
    | novlty(duration) < 0.5
    | ^^^^^^ `novlty` is no measure
    | help: did you mean `novelty`?
    | stddev(duration) < 5ms
    | ^^^^^^ `stddev` is no measure
    | help: measures are `p95(field)`, `avg`, `max`, `min`, `sum`, `distinct`, `shift` and `new` of a field, `count()`, `rate()`, `age()`, `share(condition)` and `novelty(measure)`
    | error_rate() < 5%
    | ^^^^^^^^^^ `error_rate` is no measure
    | help: did you mean `share(status >= 500)`?
    "#);
}

#[test]
fn measures_take_what_they_need() {
    let told = told(
        parse_rule,
        &[
            "count(status) > 5",
            "rate(route) > 5/s",
            "share() < 5%",
            "share(5xx) < 5%",
            "share(status) < 5%",
            "share(status >= 500 < 5%",
            "share(status = or status > 5) < 5%",
            "novelty() < 0.9",
            "novelty(age()) < 0.9",
            "novelty(novelty(novelty(duration))) < 0.9",
        ],
    );
    assert_snapshot!(told, @r#"
    | count(status) > 5
    |       ^^^^^^ `count()` takes nothing in its parentheses, found `status`
    |       help: `distinct(field)` counts values; conditions on rows stand behind `where`
    | rate(route) > 5/s
    |      ^^^^^ `rate()` takes nothing in its parentheses, found `route`
    |      help: conditions on rows stand behind `where`
    | share() < 5%
    |       ^ `share` needs a condition, found nothing
    |       help: write `share(status >= 500)`
    | share(5xx) < 5%
    |       ^^^ a condition needs a field, found `5xx`
    |       help: write `status >= 500`
    | share(status) < 5%
    |             ^ `status` needs a comparison such as `= "GET"`, found `)`
    | share(status >= 500 < 5%
    |                     ^ `share(` needs its `)` here, found `<`
    | share(status = or status > 5) < 5%
    |                ^^ a value is needed, found `or`
    | novelty() < 0.9
    |         ^ `novelty` needs a field, found `)`
    |         help: write `novelty(duration)`
    | novelty(age()) < 0.9
    |         ^^^ `novelty` cannot be taken of `age`
    |         help: write `novelty(p95(duration))` or `novelty(count())`
    | novelty(novelty(novelty(duration))) < 0.9
    |         ^^^^^^^ `novelty` cannot be taken of `novelty`
    |         help: write `novelty(p95(duration))` or `novelty(count())`
    "#);
}

#[test]
fn measures_fit_their_field() {
    let told = told(
        parse_rule,
        &[
            "p95(route) < 300ms",
            "max(ts) < 300ms",
            "shift(template) < 10%",
            "new(duration) = 0",
            "new(trace_id) = 0",
            "new(message) = 0",
        ],
    );
    assert_snapshot!(told, @r#"
    | p95(route) < 300ms
    |     ^^^^^ `route` holds text, a number or a time is needed
    |     help: `distinct(route)` counts its values
    | max(ts) < 300ms
    |     ^^ `ts` cannot stand in a rule
    |     help: the window says which time is judged
    | shift(template) < 10%
    |       ^^^^^^^^ `template` holds text, a number or a time is needed
    |       help: `distinct(template)` counts its values
    | new(duration) = 0
    |     ^^^^^^^^ `duration` holds numbers, a field of few values is needed
    |     help: such fields are `template`, `route` or `version`
    | new(trace_id) = 0
    |     ^^^^^^^^ `trace_id` is different in nearly every row, a field of few values is needed
    |     help: such fields are `template`, `route` or `version`
    | new(message) = 0
    |     ^^^^^^^ `message` is different in nearly every row, a field of few values is needed
    |     help: such fields are `template`, `route` or `version`
    "#);
}

#[test]
fn times_have_a_unit() {
    let told = told(
        parse_rule,
        &[
            "p95(duration) < 300",
            "p95(duration) < 300%",
            "p95(duration) < -300ms",
            "p95(duration) < 300 MS",
            "p95(duration) < 300msec",
            "p95(duration) < 300parsecs",
            "p95(duration) < 1.2.3ms",
            "p95(duration) < .5s",
            r#"p95(duration) < "300ms""#,
            r#"p95(duration) < "300ms"#,
            "p95(status) < 500ms",
            "p95(duration) = 300ms",
            "count() != baseline + 10%",
        ],
    );
    assert_snapshot!(told, @r#"
    | p95(duration) < 300
    |                 ^^^ `p95(duration)` needs a time of 0 or more such as `300ms` as its limit, not `300`
    |                 help: did you mean `300ms`?
    | p95(duration) < 300%
    |                 ^^^^ `p95(duration)` needs a time of 0 or more such as `300ms` as its limit, not `300%`
    | p95(duration) < -300ms
    |                 ^^^^^^ `p95(duration)` needs a time of 0 or more such as `300ms` as its limit, not `-300ms`
    | p95(duration) < 300 MS
    |                 ^^^^^^ the unit of `300MS` is not known
    |                 help: did you mean `300ms`?
    | p95(duration) < 300msec
    |                 ^^^^^^^ the unit of `300msec` is not known
    |                 help: did you mean `300ms`?
    | p95(duration) < 300parsecs
    |                 ^^^^^^^^^^ the unit of `300parsecs` is not known
    |                 help: units are `ns`, `us`, `ms`, `s`, `m` or `min`, `h`, `d`, `w`, `%`, `pt`, and `/s`, `/min`, `/h`, `/d`
    | p95(duration) < 1.2.3ms
    |                 ^^^^^^^ `1.2.3ms` is no number
    |                 help: numbers are such as `300`, `0.5` or `1_000_000`
    | p95(duration) < .5s
    |                 ^^^ `.5s` is no number
    |                 help: numbers are such as `300`, `0.5` or `1_000_000`
    | p95(duration) < "300ms"
    |                 ^^^^^^^ a limit is needed, found `"300ms"`
    |                 help: numbers stand without quotes
    | p95(duration) < "300ms
    |                 ^^^^^^ `"300ms` begins with a quote that is not closed
    |                 help: a quote inside of its own text is written twice
    | p95(status) < 500ms
    |               ^^^^^ `p95(status)` needs a plain number as its limit, not `500ms`
    | p95(duration) = 300ms
    |               ^ `p95(duration)` is hardly ever exactly equal to anything
    |               help: compare with `<`, `<=`, `>` or `>=`
    | count() != baseline + 10%
    |         ^^ `count()` is hardly ever exactly equal to anything
    |         help: compare with `<`, `<=`, `>` or `>=`
    "#);
}

#[test]
fn a_limit_that_never_holds_is_a_mistake() {
    let told = told(
        parse_rule,
        &[
            "share(status >= 500) > 100%",
            "count() < 0",
            "p95(duration) < 0ms",
            "novelty(count()) > 1",
            "share(status >= 500) < 0.01",
            "share(status >= 500) < 0.07",
        ],
    );
    assert_snapshot!(told, @r#"
    | share(status >= 500) > 100%
    |                        ^^^^ `share(status >= 500)` is never `> 100%`
    | count() < 0
    |           ^ `count()` is never `< 0`
    | p95(duration) < 0ms
    |                 ^^^ `p95(duration)` is never `< 0s`
    | novelty(count()) > 1
    |                    ^ `novelty(count())` is never `> 1`
    | share(status >= 500) < 0.01
    |                        ^^^^ `share(status >= 500)` needs `0%` to `100%` as its limit, not `0.01`
    |                        help: did you mean `1%`?
    | share(status >= 500) < 0.07
    |                        ^^^^ `share(status >= 500)` needs `0%` to `100%` as its limit, not `0.07`
    |                        help: did you mean `7%`?
    "#);
}

#[test]
fn shares_counts_and_rates_have_their_unit() {
    let told = told(
        parse_rule,
        &[
            "share(status >= 500) < 5",
            "share(status >= 500) < 0.05pt",
            "share(status >= 500) < 101%",
            "count() < 5%",
            "count() > 5k",
            "count() > 1.5",
            "count() > -1",
            "rate() > 5",
            "rate() > 5rps",
            "rate() > 5/fortnight",
        ],
    );
    assert_snapshot!(told, @r#"
    | share(status >= 500) < 5
    |                        ^ `share(status >= 500)` needs `0%` to `100%` as its limit, not `5`
    |                        help: did you mean `5%`?
    | share(status >= 500) < 0.05pt
    |                        ^^^^^^ `share(status >= 500)` needs `0%` to `100%` as its limit, not `0.05pt`
    |                        help: did you mean `0.05%`?
    | share(status >= 500) < 101%
    |                        ^^^^ `share(status >= 500)` needs `0%` to `100%` as its limit, not `101%`
    | count() < 5%
    |           ^^ `count()` needs a whole number of 0 or more as its limit, not `5%`
    | count() > 5k
    |           ^^ the unit of `5k` is not known
    |           help: did you mean `5_000`?
    | count() > 1.5
    |           ^^^ `count()` needs a whole number of 0 or more as its limit, not `1.5`
    | count() > -1
    |           ^^ `count()` needs a whole number of 0 or more as its limit, not `-1`
    | rate() > 5
    |          ^ `rate()` needs a rate of 0 or more such as `5/s` or `5/min` as its limit, not `5`
    |          help: did you mean `5/s`?
    | rate() > 5rps
    |          ^^^^ the unit of `5rps` is not known
    |          help: did you mean `5/s`?
    | rate() > 5/fortnight
    |          ^^^^^^^^^^^ the unit of `5/fortnight` is not known
    |          help: units are `ns`, `us`, `ms`, `s`, `m` or `min`, `h`, `d`, `w`, `%`, `pt`, and `/s`, `/min`, `/h`, `/d`
    "#);
}

#[test]
fn what_is_relative_has_no_baseline() {
    let told = told(
        parse_rule,
        &[
            "shift(duration) < 10ms",
            "shift(duration) < baseline + 10%",
            "age() < 2",
            "age() < usual",
            "new(template) < baseline",
            "novelty(duration) < 90%",
            "novelty(duration) < 1.5",
        ],
    );
    assert_snapshot!(told, @r#"
    | shift(duration) < 10ms
    |                   ^^^^ `shift(duration)` needs per cent such as `10%` as its limit, not `10ms`
    | shift(duration) < baseline + 10%
    |                   ^^^^^^^^^^^^^^ `shift(duration)` is taken against the baseline already, it needs a number as its limit
    | age() < 2
    |         ^ `age()` needs a time of 0 or more such as `2h` as its limit, not `2`
    |         help: did you mean `2h`?
    | age() < usual
    |         ^^^^^ `age()` is one time and has no baseline, it needs a number as its limit
    | new(template) < baseline
    |                 ^^^^^^^^ `new(template)` is taken against the baseline already, it needs a number as its limit
    | novelty(duration) < 90%
    |                     ^^^ `novelty(p95(duration))` needs a number from 0 to 1 as its limit, not `90%`
    |                     help: did you mean `0.9`?
    | novelty(duration) < 1.5
    |                     ^^^ `novelty(p95(duration))` needs a number from 0 to 1 as its limit, not `1.5`
    "#);
}

#[test]
fn offsets_fit_their_measure() {
    let told = told(
        parse_rule,
        &[
            "p95(wait) < baseline + 5pt",
            "p95(status) < before_change + 5ms",
            "rate() < baseline + 5",
            "p95(duration) < baselin + 10%",
            "p95(duration) < baseline 10%",
            "p95(duration) < baseline + ",
            "p95(duration) < baseline + 10",
            "p95(duration) < baseline + 5pt",
            "p95(duration) < baseline - 100%",
            "p95(duration) < baseline * 2",
            "p95(duration) < 2 * baseline",
            "count() > baseline - 5ms",
            "share(status >= 500) < baseline + 5",
        ],
    );
    assert_snapshot!(told, @r#"
    | p95(wait) < baseline + 5pt
    |             ^^^^^^^^^^^^^^ `p95(wait)` needs an offset in per cent, a plain number or a time, not `5pt`
    | p95(status) < before_change + 5ms
    |               ^^^^^^^^^^^^^^^^^^^ `p95(status)` needs an offset in per cent or a plain number, not `5ms`
    | rate() < baseline + 5
    |          ^^^^^^^^^^^^ `rate()` needs an offset in per cent or a rate such as `5/s`, not `5`
    |          help: did you mean `5%`?
    | p95(duration) < baselin + 10%
    |                 ^^^^^^^ `baselin` is no limit
    |                 help: did you mean `baseline`?
    | p95(duration) < baseline 10%
    |                          ^^^ `+` or `-` is missing between `baseline` and `10%`
    | p95(duration) < baseline +
    |                           ^ `baseline +` needs a number with its unit, found nothing
    |                           help: write `baseline + 10%`
    | p95(duration) < baseline + 10
    |                 ^^^^^^^^^^^^^ `p95(duration)` needs an offset in per cent or a time such as `20ms`, not `10`
    |                 help: did you mean `10%`?
    | p95(duration) < baseline + 5pt
    |                 ^^^^^^^^^^^^^^ `p95(duration)` needs an offset in per cent or a time such as `20ms`, not `5pt`
    | p95(duration) < baseline - 100%
    |                 ^^^^^^^^^^^^^^^ `- 100%` leaves nothing of the level, must be less than `100%`
    | p95(duration) < baseline * 2
    |                          ^ `*` cannot stand in a limit
    |                          help: twice the baseline is `baseline + 100%`, half of it `baseline - 50%`
    | p95(duration) < 2 * baseline
    |                   ^ `*` cannot stand in a limit
    |                   help: twice the baseline is `baseline + 100%`, half of it `baseline - 50%`
    | count() > baseline - 5ms
    |           ^^^^^^^^^^^^^^ `count()` needs an offset in per cent or a plain number, not `5ms`
    | share(status >= 500) < baseline + 5
    |                        ^^^^^^^^^^^^ `share(status >= 500)` needs an offset in per cent or points such as `0.5pt`, not `5`
    |                        help: did you mean `5%`?
    "#);
}

#[test]
fn usual_ranges_have_a_method() {
    let told = told(
        parse_rule,
        &[
            "p95(duration) < p99(duration)",
            "p95(duration) < yesterday",
            "p95(duration) < usual(mda, 3)",
            "p95(duration) < usual()",
            "p95(duration) < usual(mad)",
            "p95(duration) < usual(mad, 3%)",
            "p95(duration) < usual(mad, 0)",
            "p95(duration) < usual(conformal, 60%)",
            "p95(duration) < usual(conformal, 0.1)",
            "p95(duration) < usual(t, 1%",
        ],
    );
    assert_snapshot!(told, @r#"
    | p95(duration) < p99(duration)
    |                 ^^^ `p99` is no limit
    |                 help: two measures cannot be compared
    | p95(duration) < yesterday
    |                 ^^^^^^^^^ `yesterday` is no limit
    |                 help: limits are numbers with their unit, `baseline + 10%`, `before_change + 10%`, `usual` and such as `usual(mad, 3)`
    | p95(duration) < usual(mda, 3)
    |                       ^^^ `usual(` needs a method, found `mda`
    |                       help: did you mean `mad`?
    | p95(duration) < usual()
    |                       ^ `usual(` needs a method, found `)`
    |                       help: methods are `conformal`, `mad`, `iqr`, `delta_iqr`, `lognormal`, `t`
    | p95(duration) < usual(mad)
    |                          ^ `usual(mad` needs its parameter, found `)`
    |                          help: write `usual(mad, 3)`
    | p95(duration) < usual(mad, 3%)
    |                            ^^ `usual(mad, …)` needs a factor of more than 0 and at most 100, not `3%`
    |                            help: did you mean `3`?
    | p95(duration) < usual(mad, 0)
    |                            ^ `usual(mad, …)` needs a factor of more than 0 and at most 100, not `0`
    | p95(duration) < usual(conformal, 60%)
    |                                  ^^^ `usual(conformal, …)` needs a rate of false alarms of more than `0%` and at most `50%`, not `60%`
    | p95(duration) < usual(conformal, 0.1)
    |                                  ^^^ `usual(conformal, …)` needs a rate of false alarms of more than `0%` and at most `50%`, not `0.1`
    |                                  help: did you mean `0.1%`?
    | p95(duration) < usual(t, 1%
    |                            ^ `usual(` needs its `)` here, found nothing
    "#);
}

#[test]
fn values_fit_their_fields() {
    let told = told(
        parse_rule,
        &[
            "count() > 0 where level = 500",
            "count() > 0 where `user-agent` = `route`",
            "count() > 0 where",
            "count() > 0 where status",
            "count() > 0 where status == 500",
            "count() > 0 where status = 5xx",
            r#"count() > 0 where status = "500""#,
            "count() > 0 where status = 500ms",
            "count() > 0 where status = 50%",
            "count() > 0 where duration > 300",
            r#"count() > 0 where duration > "300ms""#,
            "count() > 0 where route = 500",
            "count() > 0 where route = GET",
            "count() > 0 where user = null",
            "count() > 0 where cached = true",
        ],
    );
    assert_snapshot!(told, @r#"
    | count() > 0 where level = 500
    |                           ^^^ `severity` needs a severity in quotes such as `"warn"`, not `500`
    | count() > 0 where `user-agent` = `route`
    |                                  ^^^^^^^ a value is needed, found `` `route` ``
    |                                  help: fields cannot be compared with fields
    | count() > 0 where
    |                  ^ a condition needs a field, found nothing
    |                  help: write `status >= 500`
    | count() > 0 where status
    |                         ^ `status` needs a comparison such as `= "GET"`, found nothing
    | count() > 0 where status == 500
    |                          ^^ `==` is no comparison
    |                          help: did you mean `=`?
    | count() > 0 where status = 5xx
    |                            ^^^ the unit of `5xx` is not known
    |                            help: did you mean `status >= 500 and status < 600`?
    | count() > 0 where status = "500"
    |                            ^^^^^ `status` needs a number without quotes, not `"500"`
    |                            help: did you mean `500`?
    | count() > 0 where status = 500ms
    |                            ^^^^^ `status` needs a number without a unit, not `500ms`
    | count() > 0 where status = 50%
    |                            ^^^ `50%` is no value of a row
    |                            help: rows hold numbers, times such as `300ms`, and texts in quotes
    | count() > 0 where duration > 300
    |                              ^^^ `duration` needs a time with its unit, not `300`
    |                              help: did you mean `300ms`?
    | count() > 0 where duration > "300ms"
    |                              ^^^^^^^ `duration` needs a time without quotes such as `300ms`, not `"300ms"`
    | count() > 0 where route = 500
    |                           ^^^ `route` needs text in quotes, not `500`
    |                           help: did you mean `"500"`?
    | count() > 0 where route = GET
    |                           ^^^ a value is needed, found `GET`
    |                           help: texts stand in quotes: `"GET"`
    | count() > 0 where user = null
    |                          ^^^^ a value is needed, found `null`
    |                          help: write `missing` or `exists` behind the field
    | count() > 0 where cached = true
    |                            ^^^^ a value is needed, found `true`
    |                            help: texts stand in quotes: `"true"`
    "#);
}

#[test]
fn severities_have_an_order_and_texts_have_none() {
    let told = told(
        parse_rule,
        &[
            r#"count() > 0 where route > "/api""#,
            r#"count() > 0 where level = "wran""#,
            r#"count() > 0 where level >= "loud""#,
            "count() > 0 where level >= 13",
            r#"count() > 0 where level = "warn" or level = "error""#,
        ],
    );
    assert_snapshot!(told, @r#"
    | count() > 0 where route > "/api"
    |                         ^ texts have no order, `route` cannot be `>` one
    |                         help: texts are compared with `=`, `!=`, `in`, `like` and `~`
    | count() > 0 where level = "wran"
    |                           ^^^^^^ `"wran"` is no severity
    |                           help: did you mean `"warn"`?
    | count() > 0 where level >= "loud"
    |                            ^^^^^^ `"loud"` is no severity
    |                            help: severities are `"trace"`, `"debug"`, `"info"`, `"warn"`, `"error"`, `"fatal"`
    | count() > 0 where level >= 13
    |                            ^^ `severity` needs a severity in quotes such as `"warn"`, not `13`
    | count() > 0 where level = "warn" or level = "error"
    |                                  ^^ `or` cannot join conditions, only `and` can
    |                                  help: write `severity in (…)`
    "#);
}

#[test]
fn conditions_are_not_nested() {
    let told = told(
        parse_rule,
        &[
            "count() > 0 where (status = 500)",
            "count() > 0 where not status = 500",
            "count() > 0 where !user exists",
            "count() > 0 where user not exists",
            "count() > 0 where count() > 5",
        ],
    );
    assert_snapshot!(told, @r#"
    | count() > 0 where (status = 500)
    |                   ^ `(` cannot stand in front of a condition
    |                   help: there is no nesting; write `!=`, `not in`, `not like`, `!~` or `missing`
    | count() > 0 where not status = 500
    |                   ^^^ `not` cannot stand in front of a condition
    |                   help: there is no nesting; write `!=`, `not in`, `not like`, `!~` or `missing`
    | count() > 0 where !user exists
    |                   ^ `!` cannot stand in front of a condition
    |                   help: there is no nesting; write `!=`, `not in`, `not like`, `!~` or `missing`
    | count() > 0 where user not exists
    |                            ^^^^^^ `not` needs `in` or `like` behind it, found `exists`
    |                            help: write `!=`, `!~`, or `missing` for `not exists`
    | count() > 0 where count() > 5
    |                   ^^^^^ measure `count` cannot stand among conditions on rows
    |                   help: measures stand in the terms of a rule, in front of `where`
    "#);
}

#[test]
fn lists_and_patterns_are_whole() {
    let told = told(
        parse_rule,
        &[
            "count() > 0 where status in (404, 410",
            "count() > 0 where route like \"a\tb\"",
            "count() > 0 where status = 10.0.0.1",
            "count() > 0 where status in 404, 410",
            "count() > 0 where status in ()",
            "count() > 0 where status in (404 410)",
            r#"count() > 0 where status in (404, "410")"#,
            "count() > 0 where route like /api",
            r#"count() > 0 where route like "/api"#,
            r#"count() > 0 where status like "5%""#,
            r#"count() > 0 where route ~ "^/(api""#,
            r#"count() > 0 where route =~ "^/api""#,
            r#"count() > 0 where route ~ "a{1000}{1000}""#,
            r#"count() > 0 where ts > "2026-01-01""#,
            r#"count() > 0 where "route" = "/api""#,
            "count() > 0 where status = -",
        ],
    );
    assert_snapshot!(told, @r#"
    | count() > 0 where status in (404, 410
    |                                      ^ `,` or `)` is needed, found nothing
    | count() > 0 where route like "a b"
    |                              ^^^^^ a text must be one line without control characters
    | count() > 0 where status = 10.0.0.1
    |                            ^^^^^^^^ `10.0.0.1` is no number
    |                            help: numbers are such as `300`, `0.5` or `1_000_000`
    | count() > 0 where status in 404, 410
    |                             ^^^ `in` needs its values in parentheses, found `404`
    |                             help: write `in ("GET", "HEAD")`
    | count() > 0 where status in ()
    |                              ^ a value is needed, found `)`
    | count() > 0 where status in (404 410)
    |                                  ^^^ `,` or `)` is needed, found `410`
    | count() > 0 where status in (404, "410")
    |                                   ^^^^^ `status` needs a number without quotes, not `"410"`
    |                                   help: did you mean `410`?
    | count() > 0 where route like /api
    |                              ^ a pattern in quotes is needed, found `/`
    | count() > 0 where route like "/api
    |                              ^^^^^ `"/api` begins with a quote that is not closed
    |                              help: a quote inside of its own text is written twice
    | count() > 0 where status like "5%"
    |                               ^^^^ `status` holds numbers, a pattern is about texts
    |                               help: compare with `<`, `<=`, `>`, `>=` or `=`
    | count() > 0 where route ~ "^/(api"
    |                           ^^^^^^^^ pattern `^/(api` cannot be used: unclosed group
    | count() > 0 where route =~ "^/api"
    |                         ^^ `=~` is no comparison
    |                         help: did you mean `~`?
    | count() > 0 where route ~ "a{1000}{1000}"
    |                           ^^^^^^^^^^^^^^^ pattern `a{1000}{1000}` cannot be used: it is too large when compiled
    | count() > 0 where ts > "2026-01-01"
    |                   ^^ `ts` cannot stand in a rule
    |                   help: the window says which time is judged
    | count() > 0 where "route" = "/api"
    |                   ^^^^^^^ a condition needs a field, found `"route"`
    |                   help: a field stands without quotes, or in backticks
    | count() > 0 where status = -
    |                             ^ a value is needed, found nothing
    "#);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let told = told(
        parse_rule,
        &[
            r#"p95(duraton) =< 300 && cuont() == 5 where status = "500" or route = 5 for 5"#,
            r#"p95(duration) < 300 and mean(duration) < 5% where lvl == "x" per ts"#,
        ],
    );
    assert_snapshot!(told, @r#"
    | p95(duraton) =< 300 && cuont() == 5 where status = "500" or route = 5 for 5
    |              ^^ `=<` is no comparison
    |              help: did you mean `<=`?
    |                     ^^ `&&` cannot join conditions, only `and` can
    |                     help: did you mean `and`?
    |                        ^^^^^ `cuont` is no measure
    |                        help: did you mean `count`?
    |                                                    ^^^^^ `status` needs a number without quotes, not `"500"`
    |                                                    help: did you mean `500`?
    |                                                          ^^ `or` cannot join conditions, only `and` can
    |                                                          help: write a rule or an objective for each
    |                                                                     ^ `route` needs text in quotes, not `5`
    |                                                                     help: did you mean `"5"`?
    |                                                                           ^ `for` needs a time of more than `0s` and at most `30d`, not `5`
    |                                                                           help: did you mean `5m`?
    | p95(duration) < 300 and mean(duration) < 5% where lvl == "x" per ts
    |                 ^^^ `p95(duration)` needs a time of 0 or more such as `300ms` as its limit, not `300`
    |                 help: did you mean `300ms`?
    |                         ^^^^ `mean` is no measure
    |                         help: did you mean `avg(field)`?
    |                                                       ^^ `==` is no comparison
    |                                                       help: did you mean `=`?
    |                                                                  ^^ `ts` cannot stand in a rule
    |                                                                  help: the window says which time is judged
    "#);
}

#[test]
fn filters_hold_conditions_only() {
    let told = told(
        parse_filter,
        &[
            "",
            r#"status < 500 where route = "x""#,
            "status < 500 per route",
            r#"status < 500 route = "x""#,
            "p95(duration) < 300ms",
            r#"status < "500""#,
        ],
    );
    assert_snapshot!(told, @r#"
    |
    | ^ a condition needs a field, found nothing
    | help: write `status >= 500`
    | status < 500 where route = "x"
    |              ^^^^^ `where` has no place here, only conditions on rows
    | status < 500 per route
    |              ^^^ `per` has no place here, only conditions on rows
    | status < 500 route = "x"
    |              ^^^^^ `route` cannot stand here
    |              help: conditions are joined by `and`
    | p95(duration) < 300ms
    | ^^^ measure `p95` cannot stand among conditions on rows
    | help: measures stand in the terms of a rule, in front of `where`
    | status < "500"
    |          ^^^^^ `status` needs a number without quotes, not `"500"`
    |          help: did you mean `500`?
    "#);
}

#[test]
fn words_of_other_languages_are_known_in_any_case() {
    for expression in [
        "p95(duration) is 300ms",
        "p95(duration) equals 300ms",
        "p95(duration) below 300ms",
        "p95(duration) over 300ms",
        "p95(duration) < baseline x 1.1",
        "count() > 0 where user = null",
        "count() > 0 where user = none",
    ] {
        let help = |text: &str| -> Vec<Option<String>> {
            parse_rule(text).unwrap_err().into_iter().map(|mistake| mistake.help).collect()
        };
        let lower = ["is", "equals", "below", "over", "x", "null", "none"];
        let upper = expression.split(' ').map(|word| match word {
            word if lower.contains(&word) => word.to_uppercase(),
            word => word.to_owned(),
        });
        let upper = upper.collect::<Vec<_>>().join(" ");
        assert_eq!(help(&upper), help(expression), "{upper}");
    }
}
