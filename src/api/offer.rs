//! What the routes offer, in the words of the CapabilityStatement.
//! <https://hl7.org/fhir/R4/capabilitystatement.html>

use serde_json::{Value, json};

use crate::fhir::ResourceType;

use super::operations::{Levels, OPERATIONS, Operation};
use super::routes::{self, Route, Stated};
use super::served;

/// What findings, which no source states, do not take.
const WRITES: [&str; 4] = ["create", "update", "patch", "delete"];

/// What the routes offer.
pub(super) struct Offer<'a> {
    base: &'a str,
    routes: Vec<Route>,
    operations: Vec<(&'static Operation, Levels)>,
}

impl<'a> Offer<'a> {
    /// Of all routes; links begin with `base`.
    pub(super) fn new(base: &'a str) -> Self {
        let routes = routes::table();
        let operations =
            OPERATIONS.iter().map(|operation| (operation, operation.levels(&routes))).collect();
        Self { base, routes, operations }
    }

    /// What is answered at the base.
    pub(super) fn of_system(&self) -> Value {
        let stated = self.routes.iter().flat_map(|route| &route.states);
        let codes = stated.filter_map(|(_, stated)| match stated {
            Stated::System(codes) => Some(codes.iter()),
            Stated::Nothing | Stated::Type(_) | Stated::Conditional(_) | Stated::Operation(_) => {
                None
            }
        });
        codes.flatten().map(|code| json!({ "code": code })).collect()
    }

    /// What a type answers to.
    pub(super) fn interactions(&self, resource_type: ResourceType) -> Value {
        let is_ours = resource_type.name() == served::FINDING_TYPE;
        let mut codes: Vec<&str> = Vec::new();
        for (_, stated) in self.routes.iter().flat_map(|route| &route.states) {
            if let Stated::Type(code) = stated
                && !codes.contains(code)
                && !(is_ours && WRITES.contains(code))
            {
                codes.push(code);
            }
        }
        codes.into_iter().map(|code| json!({ "code": code })).collect()
    }

    /// Whether a type takes this interaction on what a condition fits.
    pub(super) fn is_conditional(&self, resource_type: ResourceType, code: &str) -> bool {
        let mut stated = self.routes.iter().flat_map(|route| &route.states);
        resource_type.name() != served::FINDING_TYPE
            && stated
                .any(|(_, stated)| matches!(stated, Stated::Conditional(known) if *known == code))
    }

    /// The operations that answer where it is asked about.
    pub(super) fn operations(&self, answers: impl Fn(Levels) -> bool) -> Value {
        let there = self.operations.iter().filter(|(_, levels)| answers(*levels));
        there
            .map(|(operation, _)| {
                json!({ "name": operation.code, "definition": operation.url(self.base) })
            })
            .collect()
    }
}
