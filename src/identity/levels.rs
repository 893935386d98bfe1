//! The comparison levels of each field, from most to least alike.

/// A field whose agreement is graded.
pub(crate) trait Levels: Copy + 'static {
    /// The field's position in [`FIELDS`].
    const FIELD: usize;
    /// Position among the levels.
    fn index(self) -> usize;
}

macro_rules! levels {
    (
        $(#[$about:meta])*
        $name:ident at $field:literal { $($variant:ident),+ $(,)? }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(crate) enum $name { $($variant),+ }
        impl Levels for $name {
            const FIELD: usize = $field;
            fn index(self) -> usize { self as usize }
        }
    };
}

/// How many fields there are.
pub(crate) const FIELD_COUNT: usize = 11;
/// A level's position that stands for "not compared".
pub(crate) const MISSING: u8 = u8::MAX;
/// The levels that two charts reach, field by field.
pub(crate) type Pattern = [u8; FIELD_COUNT];

/// Every field as the model file calls it, with its levels in the order of their variants.
pub(crate) const FIELDS: [(&str, &[&str]); FIELD_COUNT] = [
    (
        "given_name",
        &["exact", "nickname", "middle-name-used", "misspelt", "similar", "initial", "different"],
    ),
    ("family_name", &["exact", "part", "misspelt", "similar", "different"]),
    ("name_order", &["swapped"]),
    ("middle_name", &["same", "initial", "different"]),
    (
        "birth_date",
        &[
            "exact",
            "january-first",
            "year-and-month",
            "year",
            "day-month-swapped",
            "one-digit-off",
            "near",
            "same-year",
            "decade-off",
            "different",
            "a-generation-apart",
        ],
    ),
    ("gender", &["same", "different"]),
    (
        "identifier",
        &[
            "same-permanent",
            "same-renewable",
            "same-record",
            "same",
            "same-last-four",
            "permanent-one-off",
            "last-four-differs",
            "unverified-differs",
            "renewable-differs",
            "record-differs",
            "permanent-differs",
        ],
    ),
    ("address", &["exact", "close", "same-street", "same-postcode", "same-city", "different"]),
    ("phone", &["exact", "close", "different"]),
    ("email", &["exact", "close", "similar", "different"]),
    ("member_number", &["same"]),
];

/// What the model file and the waterfall call a level.
pub(crate) fn word<L: Levels>(level: L) -> &'static str {
    FIELDS[L::FIELD].1[level.index()]
}

levels! {
    /// The first given name, or the one in use.
    GivenLevel at 0 { Exact, Nickname, MiddleUsed, Misspelt, Similar, Initial, Different }
}

levels! {
    /// The family name; part: one word of a double name.
    FamilyLevel at 1 { Exact, Part, Misspelt, Similar, Different }
}

levels! {
    /// Given and family name in each other's field. In the right order: no evidence.
    OrderLevel at 2 { Swapped }
}

levels! {
    /// The second given name.
    MiddleLevel at 3 { Same, Initial, Different }
}

levels! {
    /// Date of birth.
    BirthLevel at 4 {
        Exact, JanuaryFirst, YearAndMonth, Year, Swapped, OneDigitOff, Near, SameYear, DecadeOff,
        Different, GenerationApart,
    }
}

levels! {
    /// Administrative gender.
    GenderLevel at 5 { Same, Different }
}

levels! {
    /// Identifiers of one system each.
    IdentifierLevel at 6 {
        SamePermanent, SameRenewable, SameRecord, Same, SameLastFour, PermanentOneOff,
        LastFourDiffers, UnverifiedDiffers, RenewableDiffers, RecordDiffers, PermanentDiffers,
    }
}

levels! {
    /// The two most alike addresses.
    AddressLevel at 7 { Exact, Close, SameStreet, SamePostcode, SameCity, Different }
}

levels! {
    /// The two most alike phone numbers.
    PhoneLevel at 8 { Exact, Close, Different }
}

levels! {
    /// The two most alike e-mail addresses.
    EmailLevel at 9 { Exact, Close, Similar, Different }
}

levels! {
    /// A number that a family shares, such as a subscriber number.
    MemberLevel at 10 { Same }
}
