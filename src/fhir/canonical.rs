//! Canonical JSON: elements in R4 order, no white space, decimals untouched.

use serde_json::Value;

/// The resource with `resourceType` first and every object's members in R4 element order
/// (`_x` right after `x`; unknown members last, by name). Contained resources too.
pub fn canonicalise(_resource: Value) -> Value {
    unimplemented!()
}

/// The canonical bytes of a resource.
pub fn canonical_bytes(_resource: Value) -> Vec<u8> {
    unimplemented!()
}
