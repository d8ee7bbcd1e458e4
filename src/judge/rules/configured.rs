//! From what is configured to what is judged.

use std::ops::Range;

use super::{Check, Checked};
use crate::config::{
    ChangeDirection, Config, Expr, Gate, GateCheck, GateCheckKind, MinEffect, NoData,
};
use crate::model::{CheckKind, CheckSeverity};
use crate::rule::{
    Cmp, Field, Filter, Limit, Measure, Mistake, Offset, Quantity, Rule, Span, Term, parse_filter,
    parse_rule,
};

/// A mistake and the expression it is in.
#[derive(Clone, Debug)]
pub struct Misread {
    /// The expression.
    pub expr: Expr,
    /// What is wrong with it.
    pub mistake: Mistake,
}

impl Misread {
    /// Bytes of the expression that are meant.
    pub fn span(&self) -> Range<usize> {
        self.mistake.span.clone()
    }
}

/// Where an expression stands: file, line and column.
pub type PlaceOf<'a> = &'a dyn Fn(&Expr) -> Option<(String, u32, u32)>;

/// The rules and objectives of a configuration.
///
/// # Errors
/// Every mistake in any expression.
pub fn of_config(config: &Config, place: PlaceOf<'_>) -> Result<Vec<Check>, Vec<Misread>> {
    let mut reader = Reader { place, misread: Vec::new(), min_samples: config.check.min_samples };
    let mut checks: Vec<Check> = Vec::new();
    for rule in &config.rules {
        let Some(parsed) = reader.rule(&rule.expr) else { continue };
        let hold = Some(rule.hold).filter(|hold| !hold.is_zero());
        if hold.is_some() && parsed.hold.is_some() {
            reader.says_twice(&rule.expr);
        }
        let checked = Checked::Rule(Rule { hold: parsed.hold.or(hold), ..parsed });
        let severity = rule.severity;
        checks.push(Check {
            id: rule.id.clone(),
            severity,
            no_data: rule.no_data,
            critical: severity == CheckSeverity::Fail,
            shadow: rule.is_shadow,
            runbook: rule.runbook.clone(),
            ..reader.check(CheckKind::Rule, &rule.expr, checked)
        });
    }
    for slo in &config.slos {
        let Some(good) = reader.filter(&slo.good) else { continue };
        let checked = Checked::Slo { good, objective: slo.objective_ratio, period: slo.window };
        checks.push(Check {
            id: slo.id.clone(),
            critical: true,
            ..reader.check(CheckKind::Slo, &slo.good, checked)
        });
    }
    reader.end(checks)
}

/// The checks of a gate.
///
/// # Errors
/// Every mistake in any expression.
pub fn of_gate(gate: &Gate, place: PlaceOf<'_>) -> Result<Vec<Check>, Vec<Misread>> {
    let mut reader = Reader { place, misread: Vec::new(), min_samples: 0 };
    let mut checks = Vec::new();
    for check in &gate.checks {
        let Some((rule, expr)) = reader.gate_check(&check.kind) else { continue };
        let text = rule.to_string();
        let placed = expr.as_ref().and_then(place);
        checks.push(Check {
            id: check.name.clone(),
            kind: CheckKind::GateCheck,
            expr: text,
            checked: Checked::Rule(rule),
            place: placed,
            ..of_gate_check(check)
        });
    }
    reader.end(checks)
}

/// A rule that was given by its text alone.
///
/// # Errors
/// All that is wrong with it.
pub fn of_text(id: &str, text: &str, min_samples: u64) -> Result<Check, Vec<Mistake>> {
    let rule = parse_rule(text)?;
    Ok(Check {
        id: id.to_owned(),
        expr: text.to_owned(),
        checked: Checked::Rule(rule),
        critical: true,
        min_samples,
        ..blank()
    })
}

fn blank() -> Check {
    Check {
        id: String::new(),
        kind: CheckKind::Rule,
        expr: String::new(),
        checked: Checked::Rule(Rule {
            terms: Vec::new(),
            filter: Filter::default(),
            per: None,
            hold: None,
        }),
        severity: CheckSeverity::Fail,
        no_data: NoData::Inconclusive,
        critical: false,
        shadow: false,
        weight: 1.0,
        min_samples: 30,
        runbook: None,
        place: None,
    }
}

fn of_gate_check(check: &GateCheck) -> Check {
    Check {
        critical: check.is_critical,
        shadow: check.is_shadow,
        weight: check.weight,
        min_samples: u64::from(check.min_samples),
        runbook: check.runbook.clone(),
        ..blank()
    }
}

struct Reader<'a> {
    place: PlaceOf<'a>,
    misread: Vec<Misread>,
    min_samples: u32,
}

impl Reader<'_> {
    fn check(&self, kind: CheckKind, expr: &Expr, checked: Checked) -> Check {
        Check {
            kind,
            expr: expr.text.clone(),
            checked,
            min_samples: u64::from(self.min_samples),
            place: (self.place)(expr),
            ..blank()
        }
    }

    fn rule(&mut self, expr: &Expr) -> Option<Rule> {
        self.keep(expr, parse_rule(&expr.text))
    }

    fn filter(&mut self, expr: &Expr) -> Option<Filter> {
        self.keep(expr, parse_filter(&expr.text))
    }

    fn keep<T>(&mut self, expr: &Expr, parsed: Result<T, Vec<Mistake>>) -> Option<T> {
        let misread = |mistake| Misread { expr: expr.clone(), mistake };
        match parsed {
            Ok(parsed) => Some(parsed),
            Err(mistakes) => {
                self.misread.extend(mistakes.into_iter().map(misread));
                None
            }
        }
    }

    fn says_twice(&mut self, expr: &Expr) {
        let message = "`for` stands in the expression and as a key of its own".to_owned();
        let help = Some("one of the two is enough".to_owned());
        let mistake = Mistake { span: 0..expr.text.len(), message, help };
        self.misread.push(Misread { expr: expr.clone(), mistake });
    }

    fn end(self, checks: Vec<Check>) -> Result<Vec<Check>, Vec<Misread>> {
        if self.misread.is_empty() { Ok(checks) } else { Err(self.misread) }
    }

    fn optional(&mut self, filter: Option<&Expr>) -> Option<Filter> {
        filter.map_or(Some(Filter::default()), |expr| self.filter(expr))
    }

    /// The rule that says the same as a check of a gate, and the expression that tells its place.
    fn gate_check(&mut self, kind: &GateCheckKind) -> Option<(Rule, Option<Expr>)> {
        let rule = |terms: Vec<Term>, filter: Filter| Rule { terms, filter, per: None, hold: None };
        Some(match kind {
            GateCheckKind::Shift { value, filter, direction, min_effect } => {
                let measure = Measure::Shift(field(value.as_str()));
                let effect = match min_effect {
                    MinEffect::Ratio(ratio) => Quantity::Percent(ratio * 100.0),
                    MinEffect::Length(length) => Quantity::Time(length.as_secs_f64() * 1e3),
                };
                let terms = both_ways(&measure, *direction, effect, Limit::Literal);
                (rule(terms, self.optional(filter.as_ref())?), filter.clone())
            }
            GateCheckKind::Proportion { bad, filter, direction, min_effect_points } => {
                let measure = Measure::Share(self.filter(bad)?);
                let effect = Quantity::Points(min_effect_points * 100.0);
                let limit = |effect| Limit::Baseline(Offset(effect));
                let terms = both_ways(&measure, *direction, effect, limit);
                (rule(terms, self.optional(filter.as_ref())?), Some(bad.clone()))
            }
            GateCheckKind::Count { filter, direction, min_effect_ratio } => {
                let effect = Quantity::Percent(min_effect_ratio * 100.0);
                let limit = |effect| Limit::Baseline(Offset(effect));
                let terms = both_ways(&Measure::Count, *direction, effect, limit);
                (rule(terms, self.optional(filter.as_ref())?), filter.clone())
            }
            GateCheckKind::Freshness { filter, max_age } => {
                let limit = Quantity::Time(max_age.as_secs_f64() * 1e3);
                let term = term(Measure::Age, Cmp::Less, Limit::Literal(limit));
                (rule(vec![term], self.optional(filter.as_ref())?), filter.clone())
            }
            GateCheckKind::Rule { expr } => (self.rule(expr)?, Some(expr.clone())),
        })
    }
}

fn field(name: &str) -> Field {
    let name = if name == "duration" { "duration_ms" } else { name };
    Field { name: name.to_owned(), span: Span::default() }
}

fn term(measure: Measure, cmp: Cmp, limit: Limit) -> Term {
    Term { measure, cmp, limit, span: Span::default() }
}

/// The terms that hold a change below an effect, in the bad way or in both.
fn both_ways(
    measure: &Measure,
    direction: ChangeDirection,
    effect: Quantity,
    limit: impl Fn(Quantity) -> Limit,
) -> Vec<Term> {
    let more = || term(measure.clone(), Cmp::Less, limit(effect));
    let less = || term(measure.clone(), Cmp::More, limit(effect.negated()));
    match direction {
        ChangeDirection::Increase => vec![more()],
        ChangeDirection::Decrease => vec![less()],
        ChangeDirection::Either => vec![more(), less()],
    }
}
