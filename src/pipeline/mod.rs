//! The pipeline: the only place that knows the order of the stages, and the only writer.

mod gateway;

pub use gateway::{EndpointState, Gateway, GatewayError};
