//! With what is compared, as it is said on the command line and in the configuration.

use crate::baseline::{Shelf, Shelved};
use crate::cli::error::{BAD_VALUE, Failure};
use crate::config::BaselineSource;
use crate::judge::rules::Compared;

/// What `--baseline` says.
pub(super) fn source_of(word: &str) -> Result<BaselineSource, Failure> {
    Ok(match word {
        "history" => BaselineSource::History,
        "4x-before" => BaselineSource::FourTimesBefore,
        "last-week" => BaselineSource::LastWeek,
        "previous-deployment" => BaselineSource::PreviousDeployment,
        _ => match word.strip_prefix("name:").filter(|name| !name.is_empty()) {
            Some(name) => BaselineSource::Named(name.to_owned()),
            None => {
                return Err(Failure::new(&BAD_VALUE, format!("`--baseline` is `{word}`")).hint(
                    "it is history, 4x-before, last-week, previous-deployment or name:NAME",
                ));
            }
        },
    })
}

/// The windows that are compared, and the saved baseline if one is named.
pub(super) fn compared(
    source: &BaselineSource,
    shelf: &Shelf,
) -> Result<(Compared, Option<Shelved>), Failure> {
    let compared = match source {
        BaselineSource::History => Compared::History,
        BaselineSource::FourTimesBefore => Compared::FourTimesBefore,
        BaselineSource::LastWeek => Compared::LastWeek,
        BaselineSource::PreviousDeployment => Compared::PreviousDeployment,
        BaselineSource::Named(name) => return Ok((Compared::History, Some(shelf.read(name)?))),
    };
    Ok((compared, None))
}
