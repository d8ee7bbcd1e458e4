//! The configuration: found, checked, shown.

use std::fmt::Write as _;

use clap::{Args, Subcommand};

use super::args::ConfigFile;
use super::check::tell_mistakes;
use super::error::{CONFIG, Exit, Failure, NO_SOURCE};
use super::output::Terminal;
use crate::config::{self, ConfigError, Expr, Loaded, Readable, Request};
use crate::judge::rules::{Misread, of_config, of_gate};

/// `plimsoll config …`.
#[derive(Args, Debug)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// What to show
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show every value in effect
    Show {
        /// Say of each value who set it: default, file and line, variable or option
        #[arg(long)]
        origin: bool,
    },
    /// Print the defaults with their comments
    Defaults,
}

pub(super) fn run(args: &ConfigArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    match args.what {
        What::Defaults => terminal.data(config::DEFAULTS)?,
        What::Show { origin } => {
            let loaded = load(&args.config, terminal)?;
            let width = loaded.settings.iter().map(|setting| setting.key.len()).max().unwrap_or(0);
            let mut text = String::new();
            for setting in &loaded.settings {
                let _ = write!(text, "{:width$} = {}", setting.key, setting.value);
                if origin {
                    let _ = write!(text, "   # {}", setting.origin);
                }
                text.push('\n');
            }
            terminal.data(&text)?;
        }
    }
    Ok(Exit::Yes)
}

/// The configuration in effect; tells what is wrong with it, all at once.
pub(super) fn load(file: &ConfigFile, terminal: &Terminal) -> Result<Loaded, Failure> {
    let directory = std::env::current_dir().map_err(|error| {
        Failure::new(&CONFIG, format!("the current directory cannot be told: {error}"))
    })?;
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let request = Request { directory, file: file.file.clone(), environment, options: Vec::new() };
    match config::load(&request) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                terminal.say(&warning.to_string());
            }
            Ok(loaded)
        }
        Err(error) => {
            if let ConfigError::Invalid { problems, readable, .. } = &error {
                for problem in problems {
                    terminal.say(&problem.to_string());
                }
                if let Some(Readable(loaded)) = readable {
                    tell_misread(loaded, terminal);
                }
            }
            Err(Failure::caused(&CONFIG, &error)
                .hint("`plimsoll config defaults` lists every key with its meaning"))
        }
    }
}

/// Tells what is wrong with the rules of a configuration that has other problems as well.
fn tell_misread(loaded: &Loaded, terminal: &Terminal) {
    let Loaded { config, .. } = loaded;
    let no_place = |_: &Expr| None;
    let of_gates = config.gates.iter().map(|gate| of_gate(gate, &no_place));
    let checks = std::iter::once(of_config(config, &no_place)).chain(of_gates);
    let all: Vec<Misread> = checks.filter_map(Result::err).flatten().collect();
    tell_mistakes(loaded, &all, terminal);
}

/// As [`load`], but there must be a source to read.
pub(super) fn with_sources(file: &ConfigFile, terminal: &Terminal) -> Result<Loaded, Failure> {
    let loaded = load(file, terminal)?;
    if loaded.config.sources.is_empty() {
        let message = match &loaded.file {
            Some(file) => format!("`{}` has no [[source]]", file.display()),
            None => "there is no plimsoll.toml here or above".to_owned(),
        };
        return Err(Failure::new(&NO_SOURCE, message).hint("plimsoll init LOGS writes one"));
    }
    Ok(loaded)
}
