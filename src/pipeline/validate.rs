//! What validates resources that clients ask about.

use std::sync::Arc;

use crate::fhir::Validator;

use super::gateway::{Gateway, GatewayError};

impl Gateway {
    /// The validator, made when it is first asked for.
    ///
    /// # Errors
    /// When its definitions cannot be used.
    pub fn validator(&self) -> Result<&Validator, GatewayError> {
        if let Some(validator) = self.validator_cell().get() {
            return Ok(validator);
        }
        let made = Validator::new().map_err(GatewayError::Profiles)?;
        Ok(self.validator_cell().get_or_init(|| Arc::new(made)))
    }

    /// Has this one validate: it knows the packages of the configuration.
    pub fn use_validator(&self, validator: Arc<Validator>) {
        // One that is in use already knows the same.
        drop(self.validator_cell().set(validator));
    }
}
