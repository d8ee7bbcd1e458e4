//! `plimsoll demo`: a synthetic school platform with planted incidents.

use std::path::PathBuf;

use clap::Args;

use super::error::{BAD_VALUE, Exit, Failure, UNWRITABLE};
use super::output::Terminal;
use crate::demo::{DemoError, DemoOptions, Incident, write_to};

/// Write a synthetic data set with planted incidents
///
/// Two weeks of a small school platform: Vercel drain logs in Spanish, report documents, deploys,
/// a calendar, and truth.json, which tells what was planted. The same options give the same
/// bytes. Exit status: 0 written, 2 usage, 4 not writable.
#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// Directory to write to; must be empty or absent
    #[arg(value_name = "DIR", default_value = "plimsoll-demo")]
    pub dir: PathBuf,
    /// Seed of everything random
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Days of logs
    #[arg(long, default_value_t = 14)]
    pub days: u32,
    /// Requests a day on average
    #[arg(long, value_name = "REQUESTS", default_value_t = 1420.0)]
    pub rate: f64,
    /// What is planted: none, slow-route, errors, signin-failures, submissions-drop or all
    #[arg(long, default_value = "all")]
    pub incident: String,
    /// One log line for a request instead of several
    #[arg(long)]
    pub brief: bool,
}

pub(super) fn run(args: &DemoArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let incident: Incident =
        args.incident.parse().map_err(|error: DemoError| Failure::caused(&BAD_VALUE, &error))?;
    let mut options = DemoOptions {
        seed: args.seed,
        days: args.days,
        requests_per_day: args.rate,
        incident,
        ..DemoOptions::default()
    };
    if args.brief {
        options.detail = crate::demo::Detail::Brief;
    }
    let summary = write_to(&args.dir, &options).map_err(|error| match &error {
        DemoError::Write { .. } => Failure::caused(&UNWRITABLE, &error),
        _ => Failure::caused(&BAD_VALUE, &error),
    })?;
    let dir = args.dir.display();
    let (records, requests, bytes) = (summary.records, summary.requests, summary.log_bytes);
    terminal.data(&format!(
        "wrote {records} records of {requests} requests ({bytes} bytes of logs), {} documents \
         and {} deploys to {dir}\n",
        summary.documents, summary.deploys
    ))?;
    terminal.hint(&format!("plimsoll report {dir} --timezone America/Argentina/Buenos_Aires"));
    Ok(Exit::Yes)
}
