//! The command line as typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::error::{BAD_VALUE, Failure};
use crate::decode::{DurationUnit, Overrides, Role};

/// Reads structured logs and says whether a system is healthy, what changed, since when, and
/// what to do
#[derive(Debug, Parser)]
#[command(
    name = "plimsoll",
    version,
    propagate_version = false,
    after_help = "Exit status: 0 yes (healthy, pass), 1 no (action needed), 2 usage, \
                  3 cannot tell, 4 unusable input or output, 130 interrupted."
)]
pub(super) struct Cli {
    /// Command to run
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command
    #[command(flatten)]
    pub global: Global,
}

/// Options of every command.
#[derive(Args, Debug)]
pub(super) struct Global {
    /// Say more on standard error (-v what is done, -vv every step)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Write plimsoll's own log as JSON lines to daily files in this directory
    #[arg(long, value_name = "DIR", global = true)]
    pub log_dir: Option<PathBuf>,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: ColorChoice,
    /// Use only ASCII characters in terminal output
    #[arg(long, global = true)]
    pub ascii: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a health report: HTML, PNG, Markdown and JSON
    Report(super::report::ReportArgs),
    /// Ask with SQL, or with a saved query
    Query(super::query::QueryArgs),
    /// Show what was understood of the inputs: format, fields, units, span, rejects
    Inspect(super::inspect::InspectArgs),
    /// Compare before and after: two inputs, two moments or two values of a field
    Compare(super::compare::CompareArgs),
    /// Show the raw records behind a finding or a row of a report
    Lines(super::lines::LinesArgs),
    /// Judge rules and objectives: may this go on?
    Check(super::check::CheckArgs),
    /// Judge slow drift over builds, and take in the results of benchmarks
    History(super::history::HistoryArgs),
    /// Write objectives for other tools: OpenSLO, Prometheus
    Export(super::export::ExportArgs),
    /// Judge rules again and again, say what changes and tell the receivers
    Watch(super::watch::WatchArgs),
    /// Save what is usual under a name, and accept what is not
    Baseline(super::baselines::BaselineArgs),
    /// Follow the configured sources into the store
    Collect(super::collect::CollectArgs),
    /// Prove from the store alone that nothing is lost and nothing doubled
    Verify(super::store::VerifyArgs),
    /// Merge small segments of the store, and remove what is past its retention
    Compact(super::store::CompactArgs),
    /// Erase records from the store for good
    Erase(super::store::EraseArgs),
    /// Make a store readable again whose last version is damaged
    Repair(super::store::RepairArgs),
    /// Write a commented plimsoll.toml from a look at some logs
    Init(super::init::InitArgs),
    /// Check configuration, sources and store
    Doctor(super::init::DoctorArgs),
    /// Show the configuration in effect, or the defaults
    Config(super::config::ConfigArgs),
    /// Write a synthetic data set with planted incidents
    Demo(super::demo::DemoArgs),
    /// Print the JSON schema of an output
    Schema(super::meta::SchemaArgs),
    /// Explain an error code such as PL012
    Explain(super::meta::ExplainArgs),
    /// Print shell completions
    Completions(super::meta::CompletionsArgs),
}

/// What to read, and which fields mean what.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct InputArgs {
    /// Files, directories, globs, .gz, .zst, or - for standard input; none is the store
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Fields
    #[command(flatten)]
    pub fields: FieldArgs,
}

const UTC: &str = "+00:00";

/// Which configuration.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ConfigFile {
    /// Configuration file [default: the nearest plimsoll.toml up to the repository]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Which fields mean what; everything is detected where nothing is said.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct FieldArgs {
    /// Configuration that names the store, where no input is named
    #[command(flatten)]
    pub config: ConfigFile,
    /// Field that holds the event time
    #[arg(long, value_name = "FIELD", help_heading = "Fields")]
    pub time: Option<String>,
    /// Field that holds the duration, with its unit if its name does not tell: `took:ms`
    #[arg(long, value_name = "FIELD[:UNIT]", help_heading = "Fields")]
    pub duration: Option<String>,
    /// Field by which requests are grouped into routes or operations
    #[arg(long, value_name = "FIELD", help_heading = "Fields")]
    pub group_by: Option<String>,
    /// Field for another role: level, message, status, version, service, host, event, user, …
    #[arg(long = "field", value_name = "ROLE=FIELD", help_heading = "Fields")]
    pub roles: Vec<String>,
    /// Offset of times without a zone, such as -03:00
    #[arg(
        long,
        value_name = "OFFSET",
        default_value = UTC,
        allow_hyphen_values = true,
        help_heading = "Fields"
    )]
    pub utc_offset: String,
}

impl FieldArgs {
    /// Nothing is said: everything is detected.
    pub(super) fn detected() -> Self {
        Self { utc_offset: "+00:00".to_owned(), ..Self::default() }
    }

    /// What was said, as names of options and their values, so that it can be said again.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let one = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| (name.to_owned(), value.clone()))
        };
        let utc_offset = Some(self.utc_offset.clone()).filter(|offset| offset != UTC);
        let mut said: Vec<(String, String)> = [
            one("--time", &self.time),
            one("--duration", &self.duration),
            one("--group-by", &self.group_by),
            one("--utc-offset", &utc_offset),
        ]
        .into_iter()
        .flatten()
        .collect();
        said.extend(self.roles.iter().map(|role| ("--field".to_owned(), role.clone())));
        said
    }

    /// The same as arguments of a command.
    pub(super) fn arguments(&self) -> Vec<String> {
        let words = |(name, value): (String, String)| {
            if value.starts_with('-') { vec![format!("{name}={value}")] } else { vec![name, value] }
        };
        self.settings().into_iter().flat_map(words).collect()
    }

    /// What `settings` say where nothing was said here; other settings are passed over.
    pub(super) fn with_settings(&self, settings: &[(String, String)]) -> Self {
        let values = |name: &str| -> Vec<String> {
            settings.iter().filter(|(known, _)| known == name).map(|(_, v)| v.clone()).collect()
        };
        let or = |said: &Option<String>, name: &str| said.clone().or(values(name).pop());
        let said_offset = Some(self.utc_offset.clone()).filter(|offset| offset != UTC);
        Self {
            config: self.config.clone(),
            time: or(&self.time, "--time"),
            duration: or(&self.duration, "--duration"),
            group_by: or(&self.group_by, "--group-by"),
            roles: if self.roles.is_empty() { values("--field") } else { self.roles.clone() },
            utc_offset: or(&said_offset, "--utc-offset").unwrap_or_else(|| UTC.to_owned()),
        }
    }

    /// Checks what was said about fields.
    ///
    /// # Errors
    /// When a unit, a role or an offset is not one.
    pub(super) fn overrides(&self, year: i32) -> Result<Overrides, Failure> {
        let mut overrides = Overrides { year, ..Overrides::default() };
        overrides.zone_offset_s = offset_seconds(&self.utc_offset)?;
        if let Some(time) = &self.time {
            overrides.fields.push((Role::Time, time.clone()));
        }
        if let Some(route) = &self.group_by {
            overrides.fields.push((Role::Route, route.clone()));
        }
        if let Some(duration) = &self.duration {
            let (field, unit) = match duration.rsplit_once(':') {
                Some((field, unit)) => (field, Some(duration_unit(unit)?)),
                None => (duration.as_str(), None),
            };
            overrides.fields.push((Role::Duration, field.to_owned()));
            overrides.duration_unit = unit;
        }
        for role in &self.roles {
            overrides.fields.push(role_field(role)?);
        }
        Ok(overrides)
    }
}

fn duration_unit(text: &str) -> Result<DurationUnit, Failure> {
    let units = [DurationUnit::Ns, DurationUnit::Us, DurationUnit::Ms, DurationUnit::S];
    units.into_iter().find(|unit| unit.symbol() == text).ok_or_else(|| {
        Failure::new(&BAD_VALUE, format!("`--duration` has the unit `{text}`"))
            .hint("units are ns, us, ms and s")
    })
}

fn role_field(text: &str) -> Result<(Role, String), Failure> {
    let bad = |message: String| {
        let roles: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        Failure::new(&BAD_VALUE, message).hint(format!("roles are {}", roles.join(", ")))
    };
    let (name, field) = text
        .split_once('=')
        .ok_or_else(|| bad(format!("`--field {text}` is not of the form ROLE=FIELD")))?;
    let role = Role::ALL
        .into_iter()
        .find(|role| role.name() == name)
        .ok_or_else(|| bad(format!("`--field` names the unknown role `{name}`")))?;
    Ok((role, field.to_owned()))
}

fn offset_seconds(text: &str) -> Result<i32, Failure> {
    let bad = || {
        Failure::new(&BAD_VALUE, format!("`--utc-offset` is `{text}`"))
            .hint("offsets look like +00:00 or -03:00")
    };
    if text == "Z" || text == "UTC" {
        return Ok(0);
    }
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        _ => return Err(bad()),
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let hours: i32 = hours.parse().map_err(|_| bad())?;
    let minutes: i32 = minutes.parse().map_err(|_| bad())?;
    if hours > 14 || minutes > 59 {
        return Err(bad());
    }
    Ok(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Cli, ConfigFile, FieldArgs, offset_seconds};
    use crate::decode::{DurationUnit, Role};

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn offsets_are_read_or_refused() {
        for (text, want) in [
            ("+00:00", Some(0)),
            ("-03:00", Some(-10_800)),
            ("+5:30", Some(19_800)),
            ("Z", Some(0)),
            ("+15:00", None),
            ("3", None),
            ("", None),
        ] {
            assert_eq!(offset_seconds(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn what_was_said_about_fields_can_be_said_again() {
        let said = FieldArgs {
            config: ConfigFile::default(),
            time: Some("t".to_owned()),
            duration: Some("took:ms".to_owned()),
            group_by: None,
            roles: vec!["status=code".to_owned(), "user=who".to_owned()],
            utc_offset: "-03:00".to_owned(),
        };
        let words = "--time t --duration took:ms --utc-offset=-03:00 --field status=code \
                     --field user=who";
        assert_eq!(said.arguments().join(" "), words);
        let nothing = FieldArgs { utc_offset: "+00:00".to_owned(), ..FieldArgs::default() };
        let again = nothing.with_settings(&said.settings());
        assert_eq!(again.arguments(), said.arguments());
        assert_eq!(nothing.arguments(), [""; 0]);
        let other = FieldArgs { time: Some("ts".to_owned()), ..nothing };
        let mixed = other.with_settings(&said.settings()); // the command line wins
        assert_eq!(mixed.time.as_deref(), Some("ts"));
        assert_eq!(mixed.duration, said.duration);
    }

    #[test]
    fn a_duration_names_its_unit() {
        let fields = FieldArgs {
            duration: Some("took:us".to_owned()),
            utc_offset: "Z".to_owned(),
            ..FieldArgs::default()
        };
        let overrides = fields.overrides(2026).unwrap();
        assert_eq!(overrides.fields, [(Role::Duration, "took".to_owned())]);
        assert_eq!(overrides.duration_unit, Some(DurationUnit::Us));
        let bad = FieldArgs { duration: Some("took:hours".to_owned()), ..fields };
        assert!(bad.overrides(2026).unwrap_err().message.contains("hours"));
    }
}
