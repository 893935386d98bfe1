//! Where a referral loop stands.

use super::super::plan::Shown;
use super::super::windows::LoopDays;

/// The stage of a loop, from the order that is written to the one that is closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Ordered, and no task.
    Unsent,
    /// The task is a draft.
    Draft,
    /// Sent to nobody in particular.
    OpenToClaim,
    /// Sent, and not answered.
    Sent,
    /// Accepted, and not begun.
    Accepted,
    /// Paused.
    OnHold,
    /// Begun.
    InProgress,
    /// Done by whom it was passed on to, and not reported by who passed it on.
    DoneFurtherOn,
    /// Turned down.
    Rejected,
    /// Tried without success.
    Failed,
    /// The task was cancelled, the order was not.
    Cancelled,
    /// Done, and the order is still open.
    AwaitingClosure,
    /// The requester has closed the order.
    Closed,
    /// The requester has taken the order back.
    Revoked,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 14] = [
        Self::Unsent,
        Self::Draft,
        Self::OpenToClaim,
        Self::Sent,
        Self::Accepted,
        Self::OnHold,
        Self::InProgress,
        Self::DoneFurtherOn,
        Self::Rejected,
        Self::Failed,
        Self::Cancelled,
        Self::AwaitingClosure,
        Self::Closed,
        Self::Revoked,
    ];

    /// Its code (system `urn:careweave:loop-stage`).
    pub fn code(self) -> &'static str {
        self.words().0
    }

    /// What it says.
    pub fn text(self) -> &'static str {
        self.words().1
    }

    /// What is to be done about it; empty if nothing is.
    pub fn advice(self) -> &'static str {
        self.words().2
    }

    /// Whether somebody still has to act.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Revoked)
    }

    /// Whether the task is under way.
    pub(super) fn is_live(self) -> bool {
        self <= Self::InProgress
    }

    #[rustfmt::skip]
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Unsent => ("unsent", "ordered, and no task says that it was sent",
                "Send the referral, or ask the requester whether it was."),
            Self::Draft => ("draft", "the task is written and not sent",
                "Send it to who is to do it."),
            Self::OpenToClaim => ("open-to-claim", "the task is open to whoever takes it",
                "Find somebody to take it on."),
            Self::Sent => ("sent", "sent, not answered", "Ask the receiver for an answer."),
            Self::Accepted => ("accepted", "accepted, not begun",
                "Ask the receiver for an appointment."),
            Self::OnHold => ("on-hold", "on hold", "Ask the receiver what it waits for."),
            Self::InProgress => ("in-progress", "under way", "Ask the receiver how it stands."),
            Self::DoneFurtherOn => ("done-further-on", "done by whom it was passed on to",
                "Ask who passed it on to report it."),
            Self::Rejected => ("rejected", "turned down",
                "Refer to somebody else, or revoke the order."),
            Self::Failed => ("failed", "failed", "Try again, or revoke the order."),
            Self::Cancelled => ("cancelled", "the task was cancelled",
                "Revoke the order, or send it again."),
            Self::AwaitingClosure => ("awaiting-closure", "done, and the order is still open",
                "The requester should close the order, or say what is still to be done."),
            Self::Closed => ("closed", "closed by the requester", ""),
            Self::Revoked => ("revoked", "taken back by the requester", ""),
        }
    }

    /// For how many days a loop may stay there.
    pub(super) fn days(self, policy: &LoopDays) -> Option<u16> {
        match self {
            Self::Unsent | Self::Draft => Some(policy.unsent),
            Self::OpenToClaim | Self::Sent | Self::DoneFurtherOn => Some(policy.sent),
            Self::Accepted => Some(policy.accepted),
            Self::OnHold => Some(policy.on_hold),
            Self::InProgress => Some(policy.in_progress),
            Self::Rejected
            | Self::Failed
            | Self::Cancelled
            | Self::AwaitingClosure
            | Self::Closed
            | Self::Revoked => None,
        }
    }

    /// What the status of a task says.
    pub(super) fn of_task(task: &Shown, status: &str) -> Option<Self> {
        Some(match status {
            "draft" => Self::Draft,
            "requested" | "received" | "ready" if task.body.get("owner").is_none() => {
                Self::OpenToClaim
            }
            "requested" | "received" | "ready" => Self::Sent,
            "accepted" => Self::Accepted,
            "in-progress" => Self::InProgress,
            "on-hold" => Self::OnHold,
            "rejected" => Self::Rejected,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            "completed" => Self::AwaitingClosure,
            _ => return None,
        })
    }
}
