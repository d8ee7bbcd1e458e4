//! Series of builds.

use super::super::checked::{CheckSeverity, History};
use super::super::quantity;
use super::super::raw::{PercentText, Placed, RawHistory};
use super::Checker;

impl Checker<'_, '_> {
    pub(super) fn history(&mut self, raw: &RawHistory) -> History {
        let file = raw.file.as_ref().map(|file| self.path("history.file", file));
        History {
            file: file.unwrap_or_default(),
            min_effect_ratio: self.least_drift(raw.min_effect.as_ref()),
            last: raw.last.as_ref().map_or(8, |last| *last.value()),
            severity: raw.severity.as_ref().map_or(CheckSeverity::Fail, |word| *word.value()),
            branch: raw.branch.as_ref().map(|branch| self.title("history.branch", branch)),
        }
    }

    /// 0 stands for what is wrong.
    fn least_drift(&mut self, raw: Option<&Placed<PercentText>>) -> f64 {
        let Some(raw) = raw else { return 0.0 };
        let key = "history.min_effect";
        match quantity::percent(raw.value().as_ref()) {
            Ok(ratio) if 0.0 < ratio && ratio <= 1.0 => return ratio,
            Ok(_) => {
                let need = "must be more than `0%` and at most `100%`";
                self.findings.value(&raw.span(), key, need, None);
            }
            Err(no) => self.no_quantity(&raw.span(), key, "percentage such as `5%`", no),
        }
        0.0
    }
}
