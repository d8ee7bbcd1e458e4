//! The follower over a simulated disk, and over a real one.

mod oracle;
mod peers;
mod sim;
mod states;
mod world;
