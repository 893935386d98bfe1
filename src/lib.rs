//! careweave: a FHIR R4 gateway for care management.
//!
//! See `ARCHITECTURE.md` for the map of the modules and what each may import.

pub mod compare;
pub mod fhir;
pub mod flow;
pub mod identity;
pub mod ingest;
pub mod pipeline;
pub mod population;
pub mod store;
