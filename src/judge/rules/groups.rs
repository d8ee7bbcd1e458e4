//! Which groups of a rule with `per` are judged, and what is said of the others.

use super::before::Before;
use super::gauge::Gauge;
use super::{Draft, worst};
use crate::model::Group;
use crate::rule::Rule;
use crate::stats::Outcome;

/// Groups that are judged or saved, those with most rows first.
pub(super) const MAX_GROUPS: usize = 200;
/// Groups that are named of each kind that is left out.
const MAX_NAMED: usize = 5;
/// So many times busier than before a group has next to nothing to be compared with.
const NEW_RATIO: f64 = 10.0;

/// Groups that were not judged.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    thin: Vec<String>,
    gone: Vec<String>,
    beyond: usize,
}

/// How busy a group is that cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traffic {
    /// Busy now, and hardly there before.
    New,
    /// Busy before, and not there now.
    Gone,
    Thin,
}

impl Traffic {
    /// Of the group that is compared with what was before.
    pub(super) fn of(before: &Before<'_>, min_samples: u64) -> Self {
        let current = before.windows.current;
        let now = before.gauge.read(before.group, &[current]).n;
        let per_second = before.reading().n as f64 / before.exposure_s();
        let expected = Some(per_second * current.len_s()).filter(|n| n.is_finite()).unwrap_or(0.0);
        let least = min_samples.max(1) as f64;
        match () {
            () if now as f64 >= least.max(NEW_RATIO * expected) => Self::New,
            () if now == 0 && expected >= least => Self::Gone,
            () => Self::Thin,
        }
    }
}

impl LeftOut {
    /// The groups to judge; one `None` where the rule is not asked by a field, or no record meets
    /// its filter: of these there are none, which may be what the rule wants.
    pub(super) fn groups(&mut self, gauge: &Gauge<'_>) -> Vec<Option<String>> {
        let mut groups = gauge.groups(usize::MAX);
        self.beyond = groups.len().saturating_sub(MAX_GROUPS);
        groups.truncate(MAX_GROUPS);
        if groups.is_empty() {
            groups.push(None);
        }
        groups
    }

    /// Groups with too little data are not held against the others, unless one of their terms is
    /// probably broken; when all are so, one says it. One that is busy and new stays: that
    /// it cannot be told must not look like a pass.
    pub(super) fn without_thin<'a>(
        &mut self,
        mut drafts: Vec<Draft<'a>>,
        traffic: impl Fn(&Draft<'a>) -> Traffic,
    ) -> Vec<Draft<'a>> {
        let is_untold = |Draft { terms, .. }: &Draft<'a>| {
            let warns = terms.iter().any(|judged| judged.outcome == Outcome::Warn);
            worst(terms) == Outcome::Inconclusive && !warns
        };
        if drafts.iter().all(is_untold) {
            let others = drafts.iter().skip(1);
            self.thin.extend(others.filter_map(|draft| name(&draft.group)));
            drafts.truncate(1);
            return drafts;
        }
        drafts.retain_mut(|draft| {
            if !is_untold(draft) {
                return true;
            }
            let left_out = match traffic(draft) {
                Traffic::New => {
                    for judged in &mut draft.terms {
                        judged.reason = format!("new since the baseline: {}", judged.reason);
                    }
                    return true;
                }
                Traffic::Gone => &mut self.gone,
                Traffic::Thin => &mut self.thin,
            };
            left_out.extend(name(&draft.group));
            false
        });
        drafts
    }

    /// A sentence on what was left out of a rule; `None` when nothing was.
    pub(super) fn note(&self, id: &str, rule: &Rule) -> Option<String> {
        let field = rule.per.as_ref()?;
        let named = |names: &[String], what: &str| {
            let shown: Vec<&str> = names.iter().take(MAX_NAMED).map(String::as_str).collect();
            let more = if names.len() > shown.len() { ", …" } else { "" };
            let text = format!("{} {what} ({}{more})", names.len(), shown.join(", "));
            (!names.is_empty()).then_some(text)
        };
        let beyond = format!("{} beyond the {MAX_GROUPS} with most records", self.beyond);
        let parts: Vec<String> = [
            named(&self.thin, "with too little data"),
            named(&self.gone, "of which there is nothing any more"),
            Some(beyond).filter(|_| self.beyond > 0),
        ]
        .into_iter()
        .flatten()
        .collect();
        let parts = Some(parts.join("; ")).filter(|parts| !parts.is_empty())?;
        Some(format!("{id}: not judged of each {field}: {parts}"))
    }
}

fn name(group: &Group) -> Option<String> {
    group.values().next().cloned()
}
