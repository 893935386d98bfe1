//! On whose behalf a request is answered.
//!
//! The one place where a caller becomes an [`Access`]. Mode `open` serves loopback only, so
//! everyone who reaches it may see everything.

use axum::http::request::Parts;

use crate::flow::Access;

/// What this caller may see.
pub(super) fn of(_request: &Parts) -> Access {
    Access::open()
}
