//! Where the pull of one part of an endpoint stands.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where the pull of one part of an endpoint stands; stored in the accept commit of the page
/// that moved it, so that it is never ahead of its data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The next page's URL, if the last pull stopped in the middle.
    pub next_page: Option<Box<str>>,
    /// Everything up to here has been pulled completely.
    pub complete_until: Option<Timestamp>,
    /// Beginning of the pull that is under way.
    pub began: Option<Timestamp>,
    /// State in words: `complete`, `running`, `failed: …`.
    pub state: Box<str>,
}
