//! How values are encoded.
