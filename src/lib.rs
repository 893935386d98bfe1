//! careweave: a FHIR R4 gateway for care management.
//!
//! See `ARCHITECTURE.md` for the map of the modules and what each may import.

pub mod api;
pub mod care;
pub mod cli;
pub mod compare;
pub mod config;
pub mod endpoints;
pub mod fhir;
pub mod files;
pub mod flow;
pub mod identity;
pub mod ingest;
pub mod net;
pub mod pipeline;
pub mod population;
pub mod reconcile;
pub mod simulator;
pub mod store;
pub mod telemetry;
