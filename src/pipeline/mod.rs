//! The pipeline: the only place that knows the order of the stages, and the only writer.
//!
//! Two commits, and no other write: [`accept`](accept::accept) makes source versions durable,
//! [`Gateway::settle_all`] makes links and views of them.

mod accept;
mod activation;
mod audit;
mod claims;
mod gateway;
mod health;
mod history;
mod identify;
mod ingest;
mod last_seen;
mod ledger;
mod link_ahead;
pub mod linkage;
mod match_patient;
mod model_change;
mod outside;
mod overrides;
mod panel;
mod pull;
mod referrers;
mod report;
mod review;
mod review_page;
mod second_review;
mod settle;
mod settle_ahead;
mod stale;
mod steward;
mod steward_log;
mod stop;
mod turns;
mod validate;
mod verify;
mod weave;

pub use accept::{CursorAt, Receipt, Receipts, accept};
pub use activation::{Activated, Activation, ActivationError};
pub use gateway::{EndpointSettings, EndpointState, Gateway, GatewayError, GatewayOptions};
pub use health::Unready;
pub use history::{PastRow, PastView};
pub use ingest::{Files, IngestProgress, IngestReport, QuarantinedAt, ingest};
pub use ledger::{LedgerFilter, LedgerRow};
pub use match_patient::Matched;
pub use model_change::{ChangedLink, ModelChange};
pub use panel::{Members, Named, Panel, PanelState};
pub use pull::{PullReport, pull};
pub use report::{EndpointLine, LedgerSums, Report};
pub use review::{Effect, Outcome, PersonNow, Queued, Side};
pub use review_page::{PairState, QueueFilter, QueueOrder, QueuePage};
pub use second_review::{Decided, Risk};
pub use settle::Settled;
pub use steward_log::{LogEntry, LogEvent, StewardLog};
pub use verify::{Finding, Verified};
