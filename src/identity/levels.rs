//! The comparison levels of each field, from most to least alike.

/// A field whose agreement is graded.
pub(crate) trait Levels: Copy + 'static {
    /// The field's name in the model file.
    const FIELD: &'static str;
    /// All level names, in the order of the variants.
    const WORDS: &'static [&'static str];
    /// Position among the levels.
    fn index(self) -> usize;
    /// The level's name in the model file and the waterfall.
    fn word(self) -> &'static str {
        Self::WORDS[self.index()]
    }
}

macro_rules! levels {
    (
        $(#[$about:meta])*
        $name:ident of $field:literal { $($variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(crate) enum $name { $($variant),+ }
        impl Levels for $name {
            const FIELD: &'static str = $field;
            const WORDS: &'static [&'static str] = &[$($word),+];
            fn index(self) -> usize { self as usize }
        }
    };
}

levels! {
    /// Family and given name together, since they agree together.
    NameLevel of "name" {
        Exact = "exact",
        Nickname = "nickname",
        MiddleNameUsed = "middle-name-used",
        FamilyPart = "family-part",
        FamilyClose = "family-close",
        GivenClose = "given-close",
        BothClose = "both-close",
        Swapped = "swapped",
        GivenInitial = "given-initial",
        FamilyChanged = "family-changed",
        FamilyOnly = "family-only",
        GivenOnly = "given-only",
        GivenDiffers = "given-differs",
        Different = "different",
    }
}

levels! {
    /// The second given name.
    MiddleLevel of "middle_name" {
        Same = "same",
        Initial = "initial",
        Different = "different",
    }
}

levels! {
    /// Date of birth.
    BirthLevel of "birth_date" {
        Exact = "exact",
        JanuaryFirst = "january-first",
        YearAndMonth = "year-and-month",
        Year = "year",
        Swapped = "day-month-swapped",
        OneDigitOff = "one-digit-off",
        Near = "near",
        Different = "different",
    }
}

levels! {
    /// Administrative gender.
    GenderLevel of "gender" { Same = "same", Different = "different" }
}

levels! {
    /// Identifiers of one system each.
    IdentifierLevel of "identifier" {
        SamePermanent = "same-permanent",
        SameRenewable = "same-renewable",
        SameRecord = "same-record",
        Same = "same",
        PermanentOneOff = "permanent-one-off",
        RenewableDiffers = "renewable-differs",
        RecordDiffers = "record-differs",
        PermanentDiffers = "permanent-differs",
    }
}

levels! {
    /// The two most alike addresses.
    AddressLevel of "address" {
        Exact = "exact",
        Close = "close",
        SameStreet = "same-street",
        SamePostcode = "same-postcode",
        SameCity = "same-city",
        Different = "different",
    }
}

levels! {
    /// The two most alike phone numbers.
    PhoneLevel of "phone" { Exact = "exact", Close = "close", Different = "different" }
}

levels! {
    /// The two most alike e-mail addresses.
    EmailLevel of "email" { Exact = "exact", Close = "close", Different = "different" }
}

levels! {
    /// A number that a family shares, such as a subscriber number.
    MemberLevel of "member_number" { Same = "same" }
}
