//! P8: acknowledged means durable. Processes that are killed at any moment, disks that fill up,
//! files that are damaged. `CAREWEAVE_CRASHES=200` asks for that many kills.
#![expect(clippy::unwrap_used, reason = "test")]

#[path = "crash/child.rs"]
mod child;
#[path = "crash/disk.rs"]
mod disk;
#[path = "crash/killed.rs"]
mod killed;
#[path = "crash/pulled.rs"]
mod pulled;
#[path = "crash/state.rs"]
mod state;
