//! The follower over a simulated disk, and over a real one.

mod oracle;
mod peers;
mod regressions;
mod rig;
pub(super) mod sim;
mod states;
mod world;
