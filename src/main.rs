//! The `plimsoll` command: parse, call, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    plimsoll::cli::run()
}
