//! Whether what is broken has been so for as long as `for` asks.

use std::time::Duration;

use super::Scene;
use super::term::Judged;
use super::windows::Windows;
use crate::stats::Outcome;

/// Moments at which a rule with `for` must be broken, besides the last.
const MOMENTS: i64 = 4;

/// The windows of the moments at which a rule must be broken besides the last.
pub(super) fn moments(scene: &Scene<'_>, hold: Duration) -> Vec<Windows> {
    let step_us = (hold.as_micros() as i64 / MOMENTS).max(1);
    (1..=MOMENTS).map(|back| scene.windows_before(back * step_us)).collect()
}

/// Whether a rule that is broken now was so at the moments before.
///
/// A moment of which nothing can be told says nothing; when there is no other, or when the records
/// do not reach back so far, it cannot be told.
pub(super) fn lasted(earlier: &[Windows], judge: impl Fn(&Windows) -> Outcome) -> Outcome {
    let mut lasted = Outcome::Inconclusive;
    for windows in earlier {
        if windows.span.end_us <= windows.span.start_us {
            return Outcome::Inconclusive;
        }
        match judge(windows) {
            Outcome::Fail => lasted = Outcome::Fail,
            Outcome::Inconclusive => {}
            Outcome::Pass | Outcome::Warn => return Outcome::Pass,
        }
    }
    lasted
}

impl Judged {
    /// Broken, but not for as long as the rule wants, or it cannot be told for how long.
    pub(super) fn has_lasted(&mut self, lasted: Outcome) {
        if self.outcome == Outcome::Fail && lasted != Outcome::Fail {
            self.outcome = lasted;
            let reason = match lasted {
                Outcome::Pass => "broken now, but not yet for as long as `for` asks",
                _ => "broken now; for how long cannot be told: there is too little before",
            };
            reason.clone_into(&mut self.reason);
        }
    }
}
