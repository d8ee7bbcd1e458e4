//! What a rule says, as values; which texts make sense is said in `check.rs`.
//!
//! Values print the canonical text, and that text read again is the same value.

use std::cmp::Ordering;
use std::ops::Range;
use std::time::Duration;

use super::pattern::Pattern;
use super::quantity::Quantity;

/// `TERM [and TERM …] [where FILTER] [per FIELD] [for DURATION]`: what must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// All of them must hold; at least one.
    pub terms: Vec<Term>,
    /// The rows that are measured.
    pub filter: Filter,
    /// Each value of this field is judged on its own.
    pub per: Option<Field>,
    /// How long the rule must be broken before it counts: whole milliseconds, at least one.
    pub hold: Option<Duration>,
}

/// `MEASURE CMP LIMIT`: what is asked of one measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// What is measured.
    pub measure: Measure,
    /// How it is compared.
    pub cmp: Cmp,
    /// What it is compared with.
    pub limit: Limit,
    /// Where it stands.
    pub span: Span,
}

/// What is measured of the rows of a window.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// `p95(field)`.
    Quantile {
        /// 95 in `p95`: more than 0 and less than 100.
        percent: f64,
        /// Of what.
        field: Field,
    },
    /// `avg(field)`.
    Average(Field),
    /// `max(field)`.
    Max(Field),
    /// `min(field)`.
    Min(Field),
    /// `sum(field)`.
    Sum(Field),
    /// `count()`: rows.
    Count,
    /// `rate()`: rows per time.
    Rate,
    /// `share(FILTER)`: rows that pass it, in per cent of those that pass the rule's own filter.
    Share(Filter),
    /// `distinct(field)`: different values.
    Distinct(Field),
    /// `shift(field)`: Hodges–Lehmann shift against the baseline, in per cent of its median.
    Shift(Field),
    /// `age()`: time since the newest row.
    Age,
    /// `new(field)`: values that the baseline does not have.
    New(Field),
    /// `novelty(MEASURE)`: how new the measure's course is, 0 to 1; never of `shift`, `age`,
    /// `new` or `novelty`.
    Novelty(Box<Measure>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cmp {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
}

/// What a measure is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Limit {
    /// A number with its unit.
    Literal(Quantity),
    /// `baseline + 10%`: from the level of the baseline.
    Baseline(Offset),
    /// `usual(METHOD, PARAMETER)`: the edge of the usual range of the baseline's windows.
    Usual {
        /// How the range is found.
        method: UsualMethod,
        /// In the unit that [`UsualMethod::is_rate`] says; more than 0.
        parameter: f64,
    },
    /// `before_change + 10%`: from the level before the newest change point.
    BeforeChange(Offset),
}

/// How far from a level: per cent of it, or an amount in its own unit; can be negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offset(pub Quantity);

/// How the usual range of a measure is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsualMethod {
    /// `mad`: so many robust deviations from the median.
    Mad,
    /// `iqr`: so many interquartile ranges beyond the quartiles.
    Iqr,
    /// `delta_iqr`: as `iqr`, of the steps between windows.
    DeltaIqr,
    /// `lognormal`: quantile of a log-normal distribution.
    Lognormal,
    /// `conformal`: quantile of the windows themselves.
    Conformal,
    /// `t`: quantile of Student's distribution.
    T,
}

/// Conditions that a row must all meet; none are met by every row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// In the order of the text.
    pub conditions: Vec<Condition>,
}

/// `FIELD TEST`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is looked at.
    pub field: Field,
    /// What must be so.
    pub test: Test,
    /// Where it stands.
    pub span: Span,
}

/// What is asked of a field's value; a row without the field meets [`Test::Missing`] only.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// `status < 500`
    Compare(Cmp, Value),
    /// `method in ("GET", "HEAD")`; never empty.
    In(Vec<Value>),
    /// `method not in ("GET", "HEAD")`; never empty.
    NotIn(Vec<Value>),
    /// `route like "/api/%"`
    Like(Pattern),
    /// `route not like "/api/%"`
    NotLike(Pattern),
    /// `route ~ "^/v[0-9]+/"`
    Matches(Pattern),
    /// `route !~ "^/v[0-9]+/"`
    NotMatches(Pattern),
    /// `user exists`
    Exists,
    /// `user missing`
    Missing,
}

/// A value in a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `"GET"`; holds no control characters.
    Text(String),
    /// `500`
    Number(f64),
    /// `300ms`, in milliseconds.
    Time(f64),
}

/// A canonical column or a dotted path into the other keys of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name of the column or path; `duration` is `duration_ms`, `level` is `severity`.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// Bytes of the expression. All spans are equal, so that rules that say the same are equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

impl From<Span> for Range<usize> {
    fn from(span: Span) -> Self {
        span.start..span.end
    }
}

impl Span {
    /// From the beginning of this to the end of `last`.
    pub(super) fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }
}

impl Rule {
    /// Every field that the rule reads, in the order of the text.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let measured = self.terms.iter().flat_map(|term| term.measure.fields());
        measured.chain(self.filter.fields()).chain(&self.per)
    }
}

impl Filter {
    /// Every field that the filter reads, in the order of the text.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.conditions.iter().map(|condition| &condition.field)
    }
}

impl Measure {
    /// The field that is measured; `None` for what counts rows.
    pub fn field(&self) -> Option<&Field> {
        match self {
            Self::Quantile { field, .. }
            | Self::Average(field)
            | Self::Max(field)
            | Self::Min(field)
            | Self::Sum(field)
            | Self::Distinct(field)
            | Self::Shift(field)
            | Self::New(field) => Some(field),
            Self::Novelty(inner) => inner.field(),
            Self::Count | Self::Rate | Self::Share(_) | Self::Age => None,
        }
    }

    /// The filter of a share, also of one whose novelty is measured.
    pub fn share(&self) -> Option<&Filter> {
        match self {
            Self::Share(filter) => Some(filter),
            Self::Novelty(inner) => inner.share(),
            _ => None,
        }
    }

    /// Every field that the measure reads, in the order of the text.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let conditions = self.share().into_iter().flat_map(Filter::fields);
        self.field().into_iter().chain(conditions)
    }
}

impl UsualMethod {
    /// Every method, the default first.
    pub const ALL: [Self; 6] =
        [Self::Conformal, Self::Mad, Self::Iqr, Self::DeltaIqr, Self::Lognormal, Self::T];

    /// The word in a rule.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mad => "mad",
            Self::Iqr => "iqr",
            Self::DeltaIqr => "delta_iqr",
            Self::Lognormal => "lognormal",
            Self::Conformal => "conformal",
            Self::T => "t",
        }
    }

    /// Whether the parameter is a rate of false alarms in per cent; else it is a factor.
    pub fn is_rate(self) -> bool {
        matches!(self, Self::Lognormal | Self::Conformal | Self::T)
    }
}

impl Cmp {
    /// The sign in a rule.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
        }
    }

    /// Whether two values stand so to each other; what is no number meets `!=` only.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
            // In the partial order both zeros are one number, in the total one they are two.
            Self::Equal => left.partial_cmp(&right).is_some_and(Ordering::is_eq),
            Self::NotEqual => !Self::Equal.holds(left, right),
        }
    }
}

impl Offset {
    /// No offset: the level itself.
    pub const NONE: Self = Self(Quantity::Percent(0.0));

    /// The limit at this offset from `level`, which is in the base unit of the measure: see
    /// [`Quantity::base`].
    pub fn limit(self, level: f64) -> f64 {
        match self.0 {
            Quantity::Percent(percent) => level + level.abs() * percent / 100.0,
            amount => level + amount.base(),
        }
    }
}
