//! Ad hoc SQL over `logs`: checked by an allow-list, planned, and run with limits.
//!
//! A query is text from anybody. It is parsed, every node of its tree is checked against what is
//! allowed, names are resolved against the columns of `logs` and the fields of the log, and the
//! text polars runs is written anew from the checked tree: what is checked is what runs. Nothing
//! else can be read: no file, no other table, no setting.
//!
//! Results are the same on every run: a query that groups, joins or sorts gets its selected
//! columns as last sort keys. Only sums of f64 may differ in the last digit, and only when the
//! columns did not fit in memory.
//!
//! Not done here: reading inputs (`read.rs`), layout of results (`table.rs`).

mod check;
mod condition;
mod cost;
mod expression;
mod functions;
mod group;
mod moment;
mod near;
mod order;
mod plan;
mod resolve;
mod run;
mod tabulate;
mod times;
mod write;

use std::thread;
use std::time::Duration;

use sqlparser::ast::{Query as Tree, Spanned, Statement};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use crate::frame::{Column, FrameError};
use crate::model::Wanted;

pub use condition::Condition;
pub use run::QueryRun;
pub(super) use times::Times;
pub(super) use write::{Literal, bind};

/// Longest query text, bytes.
const MAX_BYTES: usize = 16 * 1024;
/// Most nodes of a query's tree: expressions, values, tables and selects.
const MAX_NODES: usize = 500;
/// Most tokens; checked before parsing, so that no chain of operators makes a deep tree.
const MAX_TOKENS: usize = 4 * MAX_NODES;
/// Deepest nesting of brackets; checked before parsing.
const MAX_DEPTH: usize = 24;
/// Depth at which the parser itself gives up, as for `NOT NOT NOT …`; polars parses with 50.
const MAX_PARSER_DEPTH: usize = 32;
/// Deepest tree of one expression, as of `a OR b OR c …`: trees are walked by recursion.
const MAX_TERMS: usize = 120;

/// Stack of the threads that parse and compute; untouched pages of it cost nothing.
const STACK_BYTES: usize = 64 << 20;

/// What a query may use while it runs.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for computing the result, once the input is read.
    pub time: Duration,
    /// Rows of the result.
    pub rows: usize,
    /// Memory for columns of the input, bytes; what is beyond goes to temporary files.
    pub frame_bytes: usize,
    /// Rows grouped at once, when groups can be computed part by part. The engine needs some 120
    /// bytes a row for grouping, beyond the columns.
    pub part_rows: u64,
    /// Groups that are folded as rows come, some 100 bytes each; rows of further groups are kept.
    pub folded_groups: usize,
    /// Values of a quantile's argument held in memory, 12 bytes each; others go to files.
    pub held_values: usize,
    /// Temporary files, bytes.
    pub spill_bytes: u64,
    /// Memory that computing the result may add, bytes (watched on Linux).
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            rows: 1_000_000,
            frame_bytes: 64 << 20,
            part_rows: 500_000,
            folded_groups: 200_000,
            held_values: 6_000_000,
            spill_bytes: 16 << 30,
            memory_bytes: 1 << 30,
        }
    }
}

/// What is known of a field of the log that is not a canonical column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Numbers.
    Number,
    /// Whole numbers.
    Integer,
    /// `true` and `false`.
    Bool,
    /// Text.
    Text,
    /// No such field; these are there.
    Unknown(Vec<String>),
}

/// A place in the query text, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: u64,
    /// Column in characters; 0 when not known.
    pub column: u64,
}

impl From<Location> for Position {
    fn from(location: Location) -> Self {
        Self { line: location.line.max(1), column: location.column }
    }
}

impl From<Span> for Position {
    fn from(span: Span) -> Self {
        span.start.into()
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.column {
            0 => write!(f, "line {}", self.line),
            column => write!(f, "line {}, column {column}", self.line),
        }
    }
}

/// Why a query was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// More text than [`MAX_BYTES`].
    #[error("the query has {bytes} bytes, at most {MAX_BYTES} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// More parts than allowed.
    #[error("the query has {count} {what}, at most {max} are allowed; use `IN (…)` or `WITH`")]
    TooLarge {
        /// What there are too many of.
        what: &'static str,
        /// How many.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// Brackets or operators nested too deep.
    #[error("the query is nested deeper than {MAX_DEPTH} levels at {at}")]
    TooDeep {
        /// Where.
        at: Position,
    },
    /// Not SQL.
    #[error("not SQL: {message}")]
    Syntax {
        /// The parser's words, with the position.
        message: String,
    },
    /// Not exactly one statement.
    #[error("{count} statements given, exactly one `SELECT` is needed")]
    NotOne {
        /// How many.
        count: usize,
    },
    /// A statement that is not a query.
    #[error("`{statement}` is not allowed: only `SELECT` is, and it can read `logs` only")]
    NotSelect {
        /// Its first words.
        statement: String,
    },
    /// A part of SQL outside the allow-list.
    #[error("{what} is not allowed at {at}; {way_out}")]
    NotAllowed {
        /// The part.
        what: String,
        /// Where.
        at: Position,
        /// What to do.
        way_out: &'static str,
    },
    /// A table that is not there.
    #[error("no table `{name}` at {at}; the tables are `logs` and those of `WITH`")]
    NoTable {
        /// As written.
        name: String,
        /// Where.
        at: Position,
    },
    /// A function that is not there.
    #[error("no function `{name}` at {at}{}", near::did_you_mean(near))]
    NoFunction {
        /// As written.
        name: String,
        /// Where.
        at: Position,
        /// Functions of similar name.
        near: Vec<String>,
    },
    /// A column that is neither canonical nor a field of the log.
    #[error("no column or field `{name}` at {at}{}", near::did_you_mean(near))]
    NoColumn {
        /// As written.
        name: String,
        /// Where.
        at: Position,
        /// Columns and fields of similar name.
        near: Vec<String>,
    },
    /// Tables read too often, through joins, unions and `WITH` tables used again.
    #[error("the query reads tables {reads} times, at most {max} are allowed; join less")]
    TooManyReads {
        /// How often.
        reads: u64,
        /// The limit.
        max: u64,
    },
    /// A cross join of two large tables.
    #[error(
        "a join without a condition at {at} pairs every row with every row; join `ON` columns, \
         or make all sides but one a single row (aggregates without `GROUP BY`, or `LIMIT`)"
    )]
    CrossJoin {
        /// Where.
        at: Position,
    },
    /// A text beside a time that is none itself.
    #[error(
        "a time is compared with a text that is no time; write one such as \
         `'2025-11-17T03:00:00Z'`, or a day such as `DATE '2025-11-17'`"
    )]
    NoTime,
    /// The engine refused or failed.
    #[error("the query cannot be run: {message}")]
    Engine {
        /// The engine's words.
        message: String,
    },
    /// The engine failed by a fault of its own.
    #[error("the query cannot be run: the engine failed; write it in smaller steps with `WITH`")]
    Panicked,
    /// Rows could not be kept.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The result took too long.
    #[error("no result after {} s; filter by `ts`, or group by fewer columns", limit.as_secs_f64())]
    OutOfTime {
        /// The limit.
        limit: Duration,
    },
    /// The result has too many rows.
    #[error("the result has {rows} rows, at most {max} are allowed; add `LIMIT` or an aggregate")]
    TooManyRows {
        /// Its rows.
        rows: usize,
        /// The limit.
        max: usize,
    },
    /// The computation took too much memory.
    #[error("the query needs more than {} MiB of memory; select fewer columns or rows", max_bytes >> 20)]
    OutOfMemory {
        /// The limit.
        max_bytes: u64,
    },
}

/// A checked query, ready to run.
#[derive(Clone, Debug)]
pub struct Query {
    /// The text polars runs, written from the checked tree.
    sql: String,
    /// `SELECT * FROM logs WHERE …` for each batch, when rows can be dropped before all are read.
    filter_sql: Option<String>,
    /// Where all rows of the result come from, when the query says so.
    times: Option<Times>,
    /// Whether the streaming engine gives the same result on every run.
    can_stream: bool,
    parts: Option<plan::Parts>,
    /// How to group without keeping rows; only with `parts`.
    grouping: Option<group::Grouping>,
    /// Rows after which nothing more needs to be read.
    enough_rows: Option<u64>,
    columns: Vec<Column>,
    /// Last columns of the result that only sort it.
    sort_columns: usize,
    wanted: Wanted,
}

impl Query {
    /// Checks a query and resolves its names.
    ///
    /// `fields` says what is known of a field by its dotted path; it is asked for names that are
    /// no canonical columns.
    ///
    /// # Errors
    /// When the query is not one allowed `SELECT`, or names what is not there.
    pub fn parse(sql: &str, fields: &(dyn Fn(&str) -> FieldType + Sync)) -> Result<Self, SqlError> {
        on_deep_stack(|| Self::parse_here(sql, fields))
    }

    fn parse_here(sql: &str, fields: &dyn Fn(&str) -> FieldType) -> Result<Self, SqlError> {
        let mut tree = parse_one(sql)?;
        check::check(&tree)?;
        cost::check(&tree)?;
        let sort_columns = order::select_sort_keys(&mut tree)?;
        let columns = resolve::resolve(&mut tree, fields)?;
        moment::settle(&mut tree);
        order::make_order_total(&mut tree);
        let mut wanted = Wanted::default();
        for column in &columns {
            column.want(&mut wanted);
        }
        let parts = plan::parts(&tree, &columns)?;
        let condition = plan::row_condition(&tree);
        let grouping = if parts.is_some() { group::plan(&tree, &columns)? } else { None };
        Ok(Self {
            sql: write::write(&tree)?,
            can_stream: plan::is_row_by_row(&tree) || plan::is_order_free(&tree),
            parts,
            grouping,
            times: condition.as_ref().and_then(times::times),
            filter_sql: condition.map(plan::batch_filter).transpose()?,
            enough_rows: plan::enough_rows(&tree),
            columns,
            sort_columns,
            wanted,
        })
    }

    /// What a reader must decode for this query.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// The columns of `logs` it reads.
    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Where all rows of the result come from, when the query says so.
    pub(super) fn times(&self) -> Option<Times> {
        self.times
    }

    /// The text that runs.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Starts the query.
    pub fn into_run(self, limits: Limits) -> QueryRun {
        QueryRun::new(self, limits)
    }
}

/// Works on a thread with room for deep recursion; a panic there becomes an error.
///
/// One level of nesting takes parser and engine up to 100 KiB of stack without optimization,
/// more than a thread of 2 MiB has for the depths allowed.
fn on_deep_stack<T: Send>(
    work: impl FnOnce() -> Result<T, SqlError> + Send,
) -> Result<T, SqlError> {
    thread::scope(|scope| {
        deep_thread()
            .spawn_scoped(scope, work)
            .map_err(|error| SqlError::Engine { message: error.to_string() })?
            .join()
            .unwrap_or(Err(SqlError::Panicked))
    })
}

fn deep_thread() -> thread::Builder {
    thread::Builder::new().name("plimsoll-query".into()).stack_size(STACK_BYTES)
}

fn parse_one(sql: &str) -> Result<Tree, SqlError> {
    let mut statements = parse_statements(sql)?;
    let count = statements.len();
    match (statements.pop(), count) {
        (Some(Statement::Query(tree)), 1) => Ok(*tree),
        (Some(statement), 1) => Err(SqlError::NotSelect { statement: first_words(&statement) }),
        _ => Err(SqlError::NotOne { count }),
    }
}

/// Parses within the limits of size and depth.
fn parse_statements(sql: &str) -> Result<Vec<Statement>, SqlError> {
    if sql.len() > MAX_BYTES {
        return Err(SqlError::TooLong { bytes: sql.len() });
    }
    let tokens = tokenize(sql)?;
    check_tokens(&tokens)?;
    parse_tokens(tokens)
}

/// Parses text of our own making, which can be longer than what it was made from.
fn parse_unlimited(sql: &str) -> Result<Tree, SqlError> {
    match parse_tokens(tokenize(sql)?)?.pop() {
        Some(Statement::Query(tree)) => Ok(*tree),
        _ => Err(SqlError::NotOne { count: 0 }),
    }
}

fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>, SqlError> {
    Tokenizer::new(&GenericDialect, sql)
        .tokenize_with_location()
        .map_err(|error| SqlError::Syntax { message: error.to_string() })
}

fn parse_tokens(tokens: Vec<TokenWithSpan>) -> Result<Vec<Statement>, SqlError> {
    // The options are those polars parses with, so that both read the same tree.
    let options = ParserOptions { trailing_commas: true, ..ParserOptions::default() };
    let mut parser = Parser::new(&GenericDialect)
        .with_recursion_limit(MAX_PARSER_DEPTH)
        .with_options(options)
        .with_tokens_with_locations(tokens);
    let statements = parser.parse_statements().map_err(|error| match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            SqlError::Syntax { message }
        }
        ParserError::RecursionLimitExceeded => SqlError::TooDeep { at: Location::new(1, 0).into() },
    })?;
    // The parser leaves the rest of a text alone that goes on with END.
    let next = parser.peek_token_ref();
    if next.token != Token::EOF {
        let message = format!("Expected: end of statement, found: {next}{}", next.span.start);
        return Err(SqlError::Syntax { message });
    }
    Ok(statements)
}

fn check_tokens(tokens: &[TokenWithSpan]) -> Result<(), SqlError> {
    let is_space = |token: &&TokenWithSpan| matches!(token.token, Token::Whitespace(_));
    let count = tokens.len() - tokens.iter().filter(is_space).count();
    if count > MAX_TOKENS {
        return Err(SqlError::TooLarge { what: "words", count, max: MAX_TOKENS });
    }
    let mut depth = 0_usize;
    for token in tokens {
        match token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Word(ref word) if word.value.contains(['"', '\'', '`', '\\']) => {
                return Err(SqlError::NotAllowed {
                    what: format!("a quote or backslash in the name `{}`", word.value),
                    at: token.span.into(),
                    way_out: "such fields can be found in `attrs`",
                });
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(SqlError::TooDeep { at: token.span.into() });
        }
    }
    Ok(())
}

fn first_words(statement: &Statement) -> String {
    statement.to_string().split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// Where a part of the tree stands in the text.
fn at(part: &impl Spanned) -> Position {
    part.span().into()
}

#[cfg(test)]
mod tests;
