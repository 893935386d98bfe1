//! What identity decides: links between charts, with their evidence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::Hash;
use super::key::Home;

/// How sure a match is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum MatchGrade {
    /// Negative evidence, or below the lower threshold.
    CertainlyNot,
    /// Worth a steward's look, low.
    Possible,
    /// Worth a steward's look, high.
    Probable,
    /// Linked by the gateway itself.
    Certain,
}

/// The comparison of two homes (charts, or directory records), kept as evidence.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Comparison {
    /// Match weight in bits: log2 of the Bayes factor, prior included.
    pub weight_bits: f64,
    /// Probability of a match.
    pub probability: f64,
    /// The grade after vetoes.
    pub grade: MatchGrade,
    /// Only a block beyond its cap proposed the pair, so it is never certain.
    pub unproven: bool,
    /// One step per field compared, in the order of the model.
    pub waterfall: Vec<Step>,
    /// Names of the vetoes and negative evidence that apply.
    pub vetoes: Vec<Box<str>>,
}

/// One field's part in a match weight.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Step {
    /// The field: `name`, `birth_date` …
    pub field: Box<str>,
    /// The comparison level reached: `exact`, `nickname` …
    pub level: Box<str>,
    /// Its weight in bits.
    pub weight_bits: f64,
}

/// An edge of the link graph: two homes whose comparison is at least `Possible`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Edge {
    /// The other end.
    pub other: Home,
    /// The comparison.
    pub comparison: Comparison,
}

/// A steward's decision about two homes. The later one about a pair counts.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// One home; the smaller of the two.
    pub a: Home,
    /// The other.
    pub b: Home,
    /// Who decided.
    pub by: Box<str>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub note: Box<str>,
}

/// What a steward may decide.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The same: link them, MANUAL.
    Link,
    /// Not the same: never link them, also when this is the parting of a link (unlink).
    NoMatch,
}

impl Verdict {
    /// As commands name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::NoMatch => "no-match",
        }
    }
}

/// A decision in the history of its pair.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct PastDecision {
    /// What was decided.
    pub decision: Decision,
    /// Who took it back, if anybody has.
    pub undone: Option<Undo>,
}

/// That a decision was taken back.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Undo {
    /// Who did.
    pub by: Box<str>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub note: Box<str>,
}

/// A key under which homes that might match are found together, hashed with its pass.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockingKey(pub Hash);
