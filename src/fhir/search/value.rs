//! Search values extracted from a resource.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One value of one search parameter.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct SearchValue {
    /// Index of the parameter in the loaded table of its resource type.
    pub param: u16,
    /// The value.
    pub value: Indexed,
}

/// A value in searchable form.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub enum Indexed {
    /// `system|code`; also booleans, identifiers, contact points, plain codes.
    Token {
        /// System, empty if none.
        system: Box<str>,
        /// Code or value.
        code: Box<str>,
    },
    /// Text in comparable form (lower case, no diacritics) and as written.
    Text {
        /// Comparable.
        folded: Box<str>,
        /// As written.
        exact: Box<str>,
    },
    /// From (included) to (excluded), as R4 reads a date, instant or period.
    Date {
        /// First instant; `MIN` if open.
        from: Timestamp,
        /// First instant after; `MAX` if open.
        until: Timestamp,
    },
    /// `Type/id` within the view, or an absolute URL.
    Reference(Box<str>),
    /// A number with unit.
    Quantity {
        /// Value as a decimal text.
        value: Box<str>,
        /// Unit system.
        system: Box<str>,
        /// Unit code or text.
        unit: Box<str>,
    },
    /// A number.
    Number(Box<str>),
    /// A URI, as written.
    Uri(Box<str>),
    /// The identifier that a reference states, for `:identifier`.
    Identified {
        /// System, empty if none.
        system: Box<str>,
        /// Value.
        value: Box<str>,
    },
    /// An identifier with a coding of its type, for `:of-type`.
    Typed {
        /// System of the type.
        system: Box<str>,
        /// Code of the type.
        code: Box<str>,
        /// Value of the identifier.
        value: Box<str>,
    },
    /// What stands together at one place: the values of each component.
    Composite(Box<[Box<[Indexed]>]>),
}

impl Indexed {
    /// The parts that a key of this value in an index is made of, if the kind has equality.
    ///
    /// A token's key leaves out the system, since a search may: what an index proposes is to
    /// be tested by the criterion itself.
    pub fn key_parts(&self) -> Option<[&str; 3]> {
        match self {
            Self::Token { code, .. } => Some(["token", code, ""]),
            Self::Text { folded, .. } => Some(["text", folded, ""]),
            Self::Reference(to) => Some(["reference", to, ""]),
            Self::Uri(uri) => Some(["uri", uri, ""]),
            Self::Identified { value, .. } => Some(["identified", value, ""]),
            Self::Date { .. }
            | Self::Quantity { .. }
            | Self::Number(_)
            | Self::Typed { .. }
            | Self::Composite(_) => None,
        }
    }
}
