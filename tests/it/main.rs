//! End-to-end tests: the wiring is proved here, the cases in the unit tests of each room.

/// Every log in `fixtures/` is understood as its `expected.json` says.
mod formats;
