//! What the random orders of `states.rs` have found, one test each.

use super::world::{Act, Op, Setup, Step, World};

const SETUP: Setup = Setup { tells_birth: false, max_open: 1, has_banner: false, max_record: 8192 };

#[test]
fn a_copy_is_compressed_before_its_original_was_read() {
    let ops = [
        Op::Append { w: 1, records: 1, pad: 0 },
        Op::CopyTruncate { w: 1, between: [vec![], vec![], vec![]], regrow: 0, pad: 0 },
        Op::Gz { old: 0, between: [vec![Step::Scan, Step::Read], vec![Step::Scan]] },
    ];
    World::run(SETUP, &ops);
}

#[test]
fn the_original_grows_and_is_read_while_it_is_copied() {
    let ops = [
        Op::Step(Step::Append { w: 0 }),
        Op::CopyTruncate {
            w: 0,
            between: [vec![], vec![Step::Scan], vec![Step::Append { w: 0 }, Step::Read]],
            regrow: 0,
            pad: 0,
        },
        Op::Truncate { w: 0 },
    ];
    World::run(Setup { max_open: 64, ..SETUP }, &ops);
}

#[test]
fn the_copy_is_deleted_with_its_unread_tail() {
    let ops = [
        Op::Append { w: 1, records: 1, pad: 0 },
        Op::Tail { w: 1 },
        Op::CopyTruncate {
            w: 1,
            between: [vec![], vec![Step::Scan], vec![Step::Read]],
            regrow: 0,
            pad: 0,
        },
        Op::DeleteOld { old: 0 },
    ];
    World::run(Setup { max_open: 64, ..SETUP }, &ops);
}

#[test]
fn the_next_life_shares_only_the_banner_of_the_last() {
    let ops = [
        Op::Append { w: 1, records: 1, pad: 948 },
        Op::Rename { w: 1, to_outside: false },
        Op::Reopen { w: 1 },
        Op::Gz { old: 0, between: [vec![Step::Scan], vec![Step::Read]] },
        Op::Append { w: 0, records: 1, pad: 0 },
    ];
    World::run(Setup { has_banner: true, ..SETUP }, &ops);
}

#[test]
fn a_file_rewritten_in_its_size_before_it_was_read() {
    let ops = [
        Op::Append { w: 1, records: 1, pad: 0 },
        Op::Reopen { w: 0 },
        Op::CopyTruncate { w: 1, between: [vec![], vec![], vec![Step::Scan]], regrow: 1, pad: 0 },
        Op::CopyTruncate {
            w: 1,
            between: [vec![Step::Read, Step::Commit], vec![], vec![]],
            regrow: 0,
            pad: 0,
        },
        Op::Append { w: 0, records: 1, pad: 0 },
    ];
    World::run(SETUP, &ops);
}

#[test]
fn a_truncation_in_the_midst_of_a_step() {
    let ops = [
        Op::Append { w: 0, records: 1, pad: 0 },
        Op::Append { w: 0, records: 1, pad: 0 },
        Op::Delete { w: 1 },
        Op::Race { calls: 16, w: 0, act: Act::CopyTruncate },
        Op::Append { w: 0, records: 2, pad: 1010 },
        Op::Cycle,
        Op::Link { w: 0 },
    ];
    World::run(Setup { max_open: 2, ..SETUP }, &ops);
}

#[test]
fn a_truncation_between_two_reads_of_one_line() {
    let ops = [
        Op::Race { calls: 13, w: 0, act: Act::CopyTruncate },
        Op::Step(Step::Append { w: 0 }),
        Op::Append { w: 1, records: 1, pad: 0 },
    ];
    World::run(Setup { max_open: 2, ..SETUP }, &ops);
}

#[test]
fn a_reused_inode_before_anything_was_read() {
    let ops = [
        Op::Tail { w: 0 },
        Op::CopyTruncate {
            w: 0,
            between: [vec![], vec![], vec![Step::Append { w: 1 }]],
            regrow: 0,
            pad: 0,
        },
        Op::Step(Step::Scan),
        Op::Gz { old: 0, between: [vec![Step::Read], vec![]] },
        Op::CopyTruncate { w: 1, between: [vec![], vec![], vec![]], regrow: 0, pad: 0 },
    ];
    World::run(SETUP, &ops);
}

#[test]
fn a_blank_start_is_rewritten_before_the_first_record() {
    let ops = [
        Op::Append { w: 1, records: 1, pad: 0 },
        Op::Race { calls: 7, w: 0, act: Act::Append },
        Op::Cycle,
        Op::Tail { w: 0 },
        Op::DeleteOld { old: 0 },
        Op::CopyTruncate {
            w: 0,
            between: [vec![Step::Append { w: 1 }], vec![], vec![]],
            regrow: 1,
            pad: 2000,
        },
        Op::CopyTruncate { w: 1, between: [vec![], vec![], vec![]], regrow: 0, pad: 0 },
        Op::Race { calls: 28, w: 0, act: Act::CopyTruncate },
        Op::Cycle,
    ];
    World::run(Setup { max_open: 64, ..SETUP }, &ops);
}

#[test]
fn a_rename_between_the_listing_and_the_look_at_its_copy() {
    let ops = [
        Op::Reopen { w: 0 },
        Op::CopyTruncate { w: 0, between: [vec![], vec![], vec![]], regrow: 1, pad: 0 },
        Op::Delete { w: 1 },
        Op::CopyTruncate {
            w: 0,
            between: [vec![Step::Append { w: 1 }], vec![], vec![Step::Scan, Step::Read]],
            regrow: 0,
            pad: 0,
        },
        Op::Race { calls: 2, w: 0, act: Act::Rename },
        Op::Cycle,
    ];
    World::run(SETUP, &ops);
}

#[test]
fn an_empty_compressed_file_is_a_copy_of_nothing() {
    let ops = [
        Op::Link { w: 0 },
        Op::Append { w: 1, records: 1, pad: 0 },
        Op::Append { w: 0, records: 1, pad: 0 },
        Op::CopyTruncate { w: 1, between: [vec![], vec![], vec![]], regrow: 0, pad: 0 },
        Op::CopyTruncate { w: 0, between: [vec![], vec![], vec![]], regrow: 0, pad: 0 },
        Op::SyncNames,
        Op::Shift { old: 0 },
        Op::PowerLoss,
        Op::Gz { old: 7, between: [vec![], vec![]] },
        Op::Tail { w: 1 },
        Op::CopyTruncate {
            w: 1,
            between: [vec![], vec![], vec![Step::Append { w: 1 }, Step::Read]],
            regrow: 0,
            pad: 0,
        },
    ];
    World::run(SETUP, &ops);
}

#[test]
fn two_generations_of_one_inode_after_a_crash() {
    let ops = [
        Op::Append { w: 1, records: 1, pad: 0 },
        Op::Link { w: 1 },
        Op::CopyTruncate { w: 1, between: [vec![], vec![], vec![]], regrow: 1, pad: 948 },
        Op::Gz { old: 1, between: [vec![Step::Scan], vec![]] },
        Op::Step(Step::Read),
        Op::Truncate { w: 1 },
        Op::Append { w: 1, records: 1, pad: 0 },
        Op::Delete { w: 0 },
        Op::Cycle,
        Op::Crash,
    ];
    World::run(Setup { tells_birth: true, max_open: 2, has_banner: true, ..SETUP }, &ops);
}

#[test]
fn a_copy_that_equals_another_file_and_shares_a_banner_with_a_third() {
    let ops = [
        Op::Append { w: 1, records: 1, pad: 948 },
        Op::Append { w: 0, records: 1, pad: 0 },
        Op::CopyTruncate {
            w: 1,
            between: [vec![], vec![], vec![Step::Scan, Step::Read]],
            regrow: 0,
            pad: 0,
        },
        Op::Append { w: 0, records: 1, pad: 0 },
        Op::CopyTruncate { w: 0, between: [vec![], vec![], vec![Step::Scan]], regrow: 0, pad: 0 },
    ];
    World::run(Setup { has_banner: true, ..SETUP }, &ops);
}

#[test]
fn a_plain_file_that_starts_like_a_half_read_compressed_one() {
    let ops = [
        Op::Append { w: 1, records: 1, pad: 948 },
        Op::CopyTruncate { w: 1, between: [vec![], vec![], vec![]], regrow: 1, pad: 0 },
        Op::Gz { old: 0, between: [vec![], vec![]] },
        Op::Race { calls: 9, w: 1, act: Act::CopyTruncate },
        Op::Gz { old: 0, between: [vec![], vec![]] },
        Op::Append { w: 0, records: 1, pad: 0 },
        Op::Clock { seconds: 10 },
        Op::Step(Step::Scan),
        Op::Step(Step::Read),
        Op::Shift { old: 0 },
        Op::Shift { old: 0 },
    ];
    World::run(Setup { has_banner: true, ..SETUP }, &ops);
}

#[test]
fn a_restart_leaves_a_half_line_its_time() {
    let ops = [
        Op::Append { w: 1, records: 1, pad: 0 },
        Op::Sync { w: 1 },
        Op::CopyTruncate { w: 1, between: [vec![], vec![], vec![]], regrow: 0, pad: 0 },
        Op::SyncNames,
        Op::Cycle,
        Op::PowerLoss,
        Op::Half { w: 1 },
        Op::Cycle,
    ];
    World::run(SETUP, &ops);
}

#[test]
fn a_nameless_copy_is_taken_over_in_the_scan_that_sees_it_compressed() {
    let ops = [
        Op::Append { w: 1, records: 1, pad: 0 },
        Op::Cycle,
        Op::CopyTruncate {
            w: 1,
            between: [vec![Step::Append { w: 1 }], vec![], vec![Step::Append { w: 1 }]],
            regrow: 0,
            pad: 0,
        },
        Op::Gz { old: 0, between: [vec![], vec![]] },
        Op::Reopen { w: 0 },
        Op::CopyTruncate {
            w: 0,
            between: [vec![], vec![], vec![Step::Append { w: 0 }]],
            regrow: 0,
            pad: 0,
        },
    ];
    World::run(Setup { max_open: 64, ..SETUP }, &ops);
}

#[test]
fn a_compressed_copy_that_took_the_inode_of_the_original() {
    let ops = [
        Op::Append { w: 0, records: 1, pad: 0 },
        Op::Race { calls: 0, w: 0, act: Act::Append },
        Op::CopyTruncate {
            w: 0,
            between: [vec![], vec![], vec![Step::Append { w: 0 }, Step::Read]],
            regrow: 0,
            pad: 0,
        },
        Op::CopyTruncate {
            w: 0,
            between: [vec![Step::Scan], vec![Step::Commit], vec![]],
            regrow: 0,
            pad: 0,
        },
        Op::Gz { old: 2, between: [vec![Step::Append { w: 1 }], vec![]] },
        Op::Delete { w: 0 },
        Op::Reopen { w: 0 },
        Op::CopyTruncate { w: 0, between: [vec![], vec![], vec![Step::Scan]], regrow: 0, pad: 0 },
        Op::DeleteOld { old: 0 },
        Op::Gz { old: 0, between: [vec![], vec![]] },
    ];
    World::run(Setup { max_open: 64, ..SETUP }, &ops);
}
