//! Pulling from FHIR R4 endpoints: capability check, search by type or per patient, paging,
//! back-off, and cursors that go with every page.
//! <https://hl7.org/fhir/R4/http.html#search>
//!
//! Part names handed to the sink may hold patient ids (`Patient/7`); outcomes, progress and
//! error texts never do.

mod capability;
mod outcome;
mod page;
mod patients;
mod plan;
mod puller;
mod sink;
mod walk;

pub use outcome::{PartError, PartOutcome, PartState, PullError, PullOutcome};
pub use plan::{PlanError, PullPlan, Roster, plan_of};
pub use puller::Puller;
pub use sink::{PageReceipt, PageSink, Progress, PullProgress, Silent, SinkError};
