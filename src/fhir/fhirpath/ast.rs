//! What an expression is made of.
//! <http://hl7.org/fhirpath/N1/#expressions>

use super::function::Function;
use super::item::Item;

/// A node of an expression.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// `{}`
    Nothing,
    Literal(Item<'static>),
    /// `$this`
    This,
    /// `$index`
    Index,
    /// `$total`
    Total,
    /// `%resource`
    Constant(Box<str>),
    /// A name, of the focus or of what stands before the dot.
    Member(Option<Box<Expr>>, Box<str>),
    Call(Option<Box<Expr>>, Function, Vec<Expr>),
    /// `memberOf`, `conformsTo` and `is` by URL ask the host; `is`, `as`, `ofType` name a type.
    Typed(Box<Expr>, TypeTest, TypeName),
    Indexer(Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
}

/// What is done with a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TypeTest {
    Is,
    As,
    OfType,
}

/// `FHIR.Patient`, `System.String` or `Patient`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TypeName {
    pub(super) namespace: Option<Box<str>>,
    pub(super) name: Box<str>,
}

/// Operators with two operands, by falling precedence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Times,
    Divide,
    Div,
    Mod,
    Plus,
    Minus,
    Concatenate,
    Union,
    LessOrEqual,
    Less,
    Greater,
    GreaterOrEqual,
    Equal,
    Equivalent,
    NotEqual,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}

impl Operator {
    /// How strongly it binds: <http://hl7.org/fhirpath/N1/#operator-precedence>.
    pub(super) fn strength(self) -> u8 {
        match self {
            Self::Times | Self::Divide | Self::Div | Self::Mod => 10,
            Self::Plus | Self::Minus | Self::Concatenate => 9,
            Self::Union => 7,
            Self::LessOrEqual | Self::Less | Self::Greater | Self::GreaterOrEqual => 6,
            Self::Equal | Self::Equivalent | Self::NotEqual | Self::NotEquivalent => 5,
            Self::In | Self::Contains => 4,
            Self::And => 3,
            Self::Or | Self::Xor => 2,
            Self::Implies => 1,
        }
    }
}

/// `is` and `as` between a value and a type.
pub(super) const TYPE_STRENGTH: u8 = 8;
