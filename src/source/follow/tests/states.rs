//! Any order of writing, rotating, crashing and collecting gives each record once.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::world::{Act, Op, Setup, Step, World};

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Scan),
        4 => Just(Step::Read),
        2 => Just(Step::Commit),
        1 => Just(Step::Crash),
        2 => (0..2_usize).prop_map(|w| Step::Append { w }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 0..4)
}

fn pad() -> impl Strategy<Value = u16> {
    prop_oneof![6 => 0..40_u16, 2 => 300..500_u16, 1 => 900..1100_u16, 1 => prop_oneof![2000..3000_u16, 8150..9000_u16]]
}

fn op() -> impl Strategy<Value = Op> {
    let w = 0..2_usize;
    let act = prop_oneof![Just(Act::Append), Just(Act::Rename), Just(Act::CopyTruncate)];
    prop_oneof![
        8 => (w.clone(), 1..4_u8, pad()).prop_map(|(w, records, pad)| Op::Append { w, records, pad }),
        1 => w.clone().prop_map(|w| Op::Half { w }),
        1 => w.clone().prop_map(|w| Op::Tail { w }),
        2 => (w.clone(), prop::bool::weighted(0.2))
            .prop_map(|(w, to_outside)| Op::Rename { w, to_outside }),
        2 => w.clone().prop_map(|w| Op::Reopen { w }),
        3 => (w.clone(), [steps(), steps(), steps()], 0..3_u8, pad())
            .prop_map(|(w, between, regrow, pad)| Op::CopyTruncate { w, between, regrow, pad }),
        1 => w.clone().prop_map(|w| Op::Truncate { w }),
        1 => w.clone().prop_map(|w| Op::Delete { w }),
        1 => (0..8_usize).prop_map(|old| Op::DeleteOld { old }),
        1 => w.clone().prop_map(|w| Op::Link { w }),
        3 => ((0..8_usize), [steps(), steps()]).prop_map(|(old, between)| Op::Gz { old, between }),
        1 => (0..8_usize).prop_map(|old| Op::Shift { old }),
        1 => w.clone().prop_map(|w| Op::Sync { w }),
        1 => Just(Op::SyncNames),
        8 => step().prop_map(Op::Step),
        5 => Just(Op::Cycle),
        1 => prop_oneof![Just(10), Just(-3600), Just(3500), Just(40)]
            .prop_map(|seconds| Op::Clock { seconds }),
        1 => Just(Op::Crash),
        1 => Just(Op::PowerLoss),
        2 => (0..30_u8, w, act).prop_map(|(calls, w, act)| Op::Race { calls, w, act }),
    ]
}

fn setup() -> impl Strategy<Value = Setup> {
    let open = prop_oneof![1 => Just(1_usize), 1 => Just(2), 4 => Just(64)];
    let record = prop_oneof![Just(8192_u64), Just(16 << 20)];
    (any::<bool>(), open, any::<bool>(), record).prop_map(
        |(tells_birth, max_open, has_banner, max_record)| Setup {
            tells_birth,
            max_open,
            has_banner,
            max_record,
        },
    )
}

#[test]
fn each_record_that_could_be_read_is_committed_once() {
    let cases = std::env::var("FOLLOW_CASES").ok().and_then(|text| text.parse().ok());
    let mut runner = TestRunner::new(Config {
        cases: cases.unwrap_or(20_000),
        max_shrink_iters: 20_000,
        ..Config::default()
    });
    runner
        .run(&(setup(), vec(op(), 1..40)), |(setup, ops)| {
            World::run(setup, &ops);
            Ok(())
        })
        .unwrap();
}
