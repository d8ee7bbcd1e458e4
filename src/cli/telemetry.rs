//! plimsoll's own log: to standard error with `-v`, to daily JSON files with `--log-dir`.

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::args::Global;
use super::error::{Failure, UNWRITABLE};

/// Daily files kept in the log directory.
const MAX_LOG_FILES: usize = 14;

/// Starts logging; the guard writes what is left when it is dropped.
pub(super) fn start(global: &Global) -> Result<Option<WorkerGuard>, Failure> {
    let level = match global.verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .with_filter(own(level));
    let registry = tracing_subscriber::registry().with(stderr);
    let Some(dir) = &global.log_dir else {
        let _ = registry.try_init();
        return Ok(None);
    };
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("plimsoll")
        .filename_suffix("jsonl")
        .max_log_files(MAX_LOG_FILES)
        .build(dir)
        .map_err(|error| {
            Failure::new(&UNWRITABLE, format!("cannot log to `{}`: {error}", dir.display()))
        })?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let file = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(writer)
        .with_filter(own(LevelFilter::DEBUG));
    let _ = registry.with(file).try_init();
    Ok(Some(guard))
}

/// What plimsoll itself says from this level on, and of its libraries the warnings only: the log of
/// the table alone would say two hundred lines a commit.
fn own(level: LevelFilter) -> Targets {
    let libraries = level.min(LevelFilter::WARN);
    Targets::new().with_target("plimsoll", level).with_default(libraries)
}
