//! The promises P1 to P5, and P8 where workers race, as properties: generated people and edits,
//! sent in any order through ingest, accept and settle into a real store, and the views that come
//! out compared.
#![expect(clippy::unwrap_used, reason = "test")]

#[path = "promises/authority.rs"]
mod authority;
#[path = "promises/compared.rs"]
mod compared;
#[path = "promises/days.rs"]
mod days;
#[path = "promises/deliveries.rs"]
mod deliveries;
#[path = "promises/files.rs"]
mod files;
#[path = "promises/history.rs"]
mod history;
#[path = "promises/identity.rs"]
mod identity;
#[path = "promises/order.rs"]
mod order;
#[path = "promises/projection.rs"]
mod projection;
#[path = "promises/races.rs"]
mod races;
#[path = "promises/reverts.rs"]
mod reverts;
#[path = "promises/silence.rs"]
mod silence;
#[path = "promises/statements.rs"]
mod statements;
#[path = "promises/steward.rs"]
mod steward;
#[path = "promises/world.rs"]
mod world;
