//! The command line: parses arguments, starts the work, prints, and exits.
//!
//! The only room that prints, reads the environment and knows exit codes. It computes nothing.

mod args;
mod baselines;
mod check;
mod collect;
mod commit;
mod compare;
mod config;
mod demo;
mod error;
mod export;
mod history;
mod init;
mod inspect;
mod lines;
mod marks;
mod meta;
mod output;
mod query;
mod reading;
mod report;
mod rounds;
mod store;
mod telemetry;
mod watch;
mod when;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Cli, Command};
use error::{Exit, Failure};
use output::Terminal;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let terminal = Terminal::new(&cli.global);
    let _log = match telemetry::start(&cli.global) {
        Ok(guard) => guard,
        Err(failure) => return ended(Err(failure), &terminal),
    };
    outlive_full_files();
    tracing::debug!(command = ?cli.command, "command line parsed");
    ended(dispatch(cli.command, &terminal), &terminal)
}

/// A file at the limit of its size is an error with a path, not the end by a signal.
fn outlive_full_files() {
    // The flag is read by nobody: that there is one makes the write fail instead.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

fn dispatch(command: Command, terminal: &Terminal) -> Result<Exit, Failure> {
    match command {
        Command::Report(args) => report::run(&args, terminal),
        Command::Query(args) => query::run(&args, terminal),
        Command::Inspect(args) => inspect::run(&args, terminal),
        Command::Compare(args) => compare::run(&args, terminal),
        Command::Lines(args) => lines::run(&args, terminal),
        Command::Check(args) => check::run(&args, terminal),
        Command::History(args) => history::run(&args, terminal),
        Command::Export(args) => export::run(&args, terminal),
        Command::Watch(args) => watch::run(&args, terminal),
        Command::Baseline(args) => baselines::run(&args, terminal),
        Command::Collect(args) => collect::run(&args, terminal),
        Command::Verify(args) => store::verify(&args, terminal),
        Command::Compact(args) => store::compact(&args, terminal),
        Command::Erase(args) => store::erase(&args, terminal),
        Command::Repair(args) => store::repair(&args, terminal),
        Command::Init(args) => init::init(&args, terminal),
        Command::Doctor(args) => init::doctor(&args, terminal),
        Command::Config(args) => config::run(&args, terminal),
        Command::Demo(args) => demo::run(&args, terminal),
        Command::Schema(args) => meta::schema(&args, terminal),
        Command::Explain(args) => meta::explain(&args, terminal),
        Command::Completions(args) => meta::completions(&args, terminal),
    }
}

fn usage(error: &clap::Error) -> ExitCode {
    let shown = error.print();
    let wanted = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let exit = match shown {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Exit::Unusable,
        _ if wanted => Exit::Yes,
        _ => Exit::Usage,
    };
    ExitCode::from(exit.code())
}

fn ended(result: Result<Exit, Failure>, terminal: &Terminal) -> ExitCode {
    match result {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) if failure.broken_pipe => ExitCode::from(Exit::Yes.code()),
        Err(failure) => {
            terminal.failure(&failure);
            ExitCode::from(failure.exit.code())
        }
    }
}
