//! plimsoll reads structured logs and JSON data files and says whether a system is healthy, what
//! changed, since when, what explains it, and what to do.
//!
//! The modules below stand in reading order, lowest floor first. A room uses rooms of lower
//! floors only; `tests/it/architecture.rs` holds that, `docs/architecture.md` explains it.
//!
//! | floor | rooms |
//! |---|---|
//! | 0 | `model`, `clock`, `durable` |
//! | 1 | `config`, `stats`, `template`, `redact`, `rule` |
//! | 2 | `source`, `decode`, `frame` |
//! | 3 | `store` |
//! | 4 | `query` (polars ends here), `collect`, `history`, `baseline` |
//! | 5 | `judge`, `alert` |
//! | 6 | `report`, `demo`, `export` |
//! | 7 | `cli` |

pub mod clock;
pub mod durable;
pub mod model;

pub mod config;
pub mod redact;
pub mod rule;
pub mod stats;
pub mod template;

pub mod decode;
pub mod frame;
pub mod source;

pub mod store;

pub mod baseline;
pub mod collect;
pub mod history;
pub mod query;

pub mod alert;
pub mod judge;

pub mod demo;
pub mod export;
pub mod report;

pub mod cli;
