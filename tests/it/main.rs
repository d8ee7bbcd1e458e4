//! End-to-end tests: the wiring is proved here, the cases in the unit tests of each room.

// So that the lints see tests in the helpers too.
#![cfg(test)]

/// The composite action for GitHub, run with faked files of the runner.
mod action;
/// Rooms import downwards only, and files stay short, narrow and safe.
mod architecture;
/// Baselines are saved, changes accepted, decisions replayed.
mod baseline;
/// The command as a user runs it: answers, exit codes, messages, files.
mod cli;
/// Logs are collected into a store, once each, and judged from there.
mod collect;
/// Every log in `fixtures/` is understood as its `expected.json` says.
mod formats;
/// Drift over builds, benchmarks as series, objectives for other tools.
mod history;
/// Mistakes in rules, one file each, told word by word.
mod invalid;
/// Rules are judged as time goes by, and receivers hear of it.
mod watch;
