//! Which client writes: an endpoint of kind `client`.
//!
//! In mode `open` nobody proves who they are, so the header is a name and no proof of it.

use std::sync::Arc;

use axum::http::HeaderName;

use super::Api;
use super::call::Call;
use super::error::ApiError;

/// Names the client that writes; needed where several are configured.
pub(super) const CLIENT: HeaderName = HeaderName::from_static("x-careweave-client");

/// The client of a request, who is then also who reads the answer, for the audit trail.
///
/// # Errors
/// `NoClient` if none is configured, `WhichClient` if it is not clear which one it is.
pub(super) fn of(api: &Api, call: &mut Call) -> Result<Arc<str>, ApiError> {
    let clients = api.gateway.clients();
    let named = call.header(CLIENT);
    let client = match (named, clients.as_slice()) {
        (_, []) => return Err(ApiError::NoClient),
        (None, [only]) => Some(only),
        (named, all) => all.iter().find(|client| Some(&***client) == named),
    };
    let Some(client) = client.cloned() else {
        return Err(ApiError::WhichClient { known: clients.join(", ") });
    };
    call.access.reader = client.clone();
    Ok(client)
}
