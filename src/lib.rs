//! plimsoll reads structured logs and JSON data files and says whether a system is healthy, what
//! changed, since when, what explains it, and what to do.
//!
//! The modules below stand in reading order, lowest floor first. A room uses rooms of lower
//! floors only; `tests/it/architecture.rs` holds that, `docs/architecture.md` explains it.
//!
//! | floor | rooms |
//! |---|---|
//! | 0 | `model`, `clock`, `durable` |
//! | 1 | `config`, `stats`, `template`, `redact` |
//! | 2 | `source`, `decode`, `frame`, `store` (may use `frame`) |
//! | 3 | `query` (polars ends here), `collect` |
//! | 4 | `judge` |
//! | 5 | `report`, `demo` |
//! | 6 | `cli` |

pub mod clock;
pub mod durable;
pub mod model;

pub mod config;
pub mod redact;
pub mod stats;
pub mod template;

pub mod decode;
pub mod frame;
pub mod source;
pub mod store;

pub mod collect;
pub mod query;

pub mod judge;

pub mod demo;
pub mod report;

pub mod cli;
