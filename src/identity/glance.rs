//! An upper bound of the match weight of two records, in a few instructions. Of the pairs that
//! blocking proposes most are two people, and this tells so without comparing them.

use super::birth_field::compare_birth;
use super::household::household_total;
use super::levels::{
    AddressLevel, EmailLevel, FamilyLevel, GenderLevel, GivenLevel, IdentifierLevel, Levels as _,
    MemberLevel, MiddleLevel, OrderLevel, PhoneLevel,
};
use super::model::{IdentifierClass, Model};
use super::outline::{
    AddressOutline, Figures, IdentifierOutline, Letters, NameOutline, Outline, Stated,
};
use crate::flow::Demographics;

/// Beyond what sums of fractions may differ in.
const SLACK_BITS: f64 = 0.01;

/// Looks at outlines of records, by one model.
#[derive(Debug)]
pub struct Glance<'a> {
    model: &'a Model,
    /// The most that each of these can weigh.
    given_most: f64,
    family_most: f64,
    middle_most: f64,
    name_most: f64,
    identifier_most: f64,
    address_most: f64,
    phone_most: f64,
    email_most: f64,
    /// From this weight on a pair is kept.
    kept_from: f64,
}

impl<'a> Glance<'a> {
    /// A glance by this model.
    pub fn of(model: &'a Model) -> Self {
        let most = |field: usize| model.bits.most(field).max(0.0);
        let (given, family) = (most(GivenLevel::FIELD), most(FamilyLevel::FIELD));
        let rarest = model.given.most_adjustment_bits() + model.family.most_adjustment_bits();
        let order = model.bits.of(OrderLevel::Swapped).max(0.0);
        Self {
            model,
            given_most: given,
            family_most: family,
            middle_most: most(MiddleLevel::FIELD),
            name_most: given + family + rarest + order + most(MiddleLevel::FIELD),
            identifier_most: most(IdentifierLevel::FIELD) * 2.0,
            address_most: most(AddressLevel::FIELD),
            phone_most: most(PhoneLevel::FIELD),
            email_most: most(EmailLevel::FIELD),
            kept_from: model.thresholds.possible_bits.min(0.0),
        }
    }

    /// The outline of a record.
    pub fn outline(&self, d: &Demographics) -> Outline {
        Outline::of(d, self.model)
    }

    /// Whether the two may reach a grade, or contradict one another for all that agrees. Where
    /// this says no, [`assess`](super::assess) finds nothing to keep.
    pub fn may_match(&self, a: &Outline, b: &Outline) -> bool {
        self.weight_at_most(a, b) + SLACK_BITS >= self.kept_from
    }

    /// In bits, prior included.
    pub(super) fn weight_at_most(&self, a: &Outline, b: &Outline) -> f64 {
        let bits = &self.model.bits;
        let birth = a.birth.zip(b.birth).map_or(0.0, |(x, y)| bits.of(compare_birth(x, y)));
        let gender = match (a.gender, b.gender) {
            (0, _) | (_, 0) => 0.0,
            (x, y) if x == y => bits.of(GenderLevel::Same),
            _ => bits.of(GenderLevel::Different),
        };
        let (identifier, member) = self.identifier(&a.identifier, &b.identifier);
        let household = household_total(
            [self.address(a, b), self.phone(a, b), self.email(a, b), member],
            self.model.household_share,
        );
        let known = self.model.prior_bits + birth + gender + identifier + household;
        // The dearest last, and only where it can decide.
        if known + self.name_most + SLACK_BITS < self.kept_from {
            return known + self.name_most;
        }
        known + self.name(&a.name, &b.name)
    }

    fn name(&self, a: &NameOutline, b: &NameOutline) -> f64 {
        if a.is_several || b.is_several {
            return self.name_most;
        }
        let straight = self.given(a, b) + self.family(a, b);
        let like = |given: &NameOutline, family: &NameOutline| {
            given.given.is_known() && family.is_double
                || given.given.may_be_like(family.family)
                || given.whole.is(family.family)
        };
        let names = if like(a, b) || like(b, a) {
            let order = self.model.bits.of(OrderLevel::Swapped);
            straight.max(self.given_most + self.family_most + order)
        } else {
            straight
        };
        names + self.middle(a, b)
    }

    fn given(&self, a: &NameOutline, b: &NameOutline) -> f64 {
        let (x, y) = (a.given, b.given);
        if !x.is_known() || !y.is_known() {
            return 0.0;
        }
        let bits = &self.model.bits;
        if x.is(y) || a.whole.is(b.whole) {
            return bits.of(GivenLevel::Exact) + f64::from(a.given_rarity.min(b.given_rarity));
        }
        let mut most = bits.of(GivenLevel::Different);
        let mut or = |may: bool, level: GivenLevel| {
            if may {
                most = most.max(bits.of(level));
            }
        };
        let compound = a.middle.is_known() || b.middle.is_known();
        let like = x.may_be_like(y) || compound && a.whole.may_be_within(b.whole, 2);
        or(a.nicknames & b.nicknames != 0, GivenLevel::Nickname);
        or(x.is(b.middle) || y.is(a.middle), GivenLevel::MiddleUsed);
        or(x.is_initial() || y.is_initial(), GivenLevel::Initial);
        or(like, GivenLevel::Misspelt);
        or(like, GivenLevel::Similar);
        most
    }

    fn family(&self, a: &NameOutline, b: &NameOutline) -> f64 {
        let (x, y) = (a.family, b.family);
        if !x.is_known() || !y.is_known() {
            return 0.0;
        }
        let bits = &self.model.bits;
        if x.is(y) {
            return bits.of(FamilyLevel::Exact) + f64::from(a.family_rarity.max(b.family_rarity));
        }
        let mut most = bits.of(FamilyLevel::Different);
        if a.is_double || b.is_double {
            most = most.max(bits.of(FamilyLevel::Part));
        }
        if x.may_be_like(y) {
            let spelt = bits.of(FamilyLevel::Misspelt);
            most = most.max(spelt).max(bits.of(FamilyLevel::Similar));
        }
        most
    }

    fn middle(&self, a: &NameOutline, b: &NameOutline) -> f64 {
        let both = a.middle.is_known() && b.middle.is_known();
        if !both || !a.given.is(b.given) && a.nicknames & b.nicknames == 0 {
            return 0.0;
        }
        let alike = a.middle.may_be_like(b.middle)
            || a.middle_nicknames & b.middle_nicknames != 0
            || a.middle.is_initial()
            || b.middle.is_initial();
        if alike { self.middle_most } else { self.model.bits.of(MiddleLevel::Different).max(0.0) }
    }

    /// What identifiers weigh, and a number that a family shares.
    fn identifier(
        &self,
        a: &Stated<IdentifierOutline>,
        b: &Stated<IdentifierOutline>,
    ) -> (f64, f64) {
        let member = self.model.bits.of(MemberLevel::Same).max(0.0);
        match (a, b) {
            (Stated::None, _) | (_, Stated::None) => (0.0, 0.0),
            (Stated::One(x), Stated::One(y)) if x.system != y.system || x.system == 0 => (0.0, 0.0),
            (Stated::One(x), Stated::One(y)) if x.value != y.value => (self.differing(x, y), 0.0),
            _ => (self.identifier_most, member),
        }
    }

    fn differing(&self, x: &IdentifierOutline, y: &IdentifierOutline) -> f64 {
        let bits = &self.model.bits;
        let of = |class: IdentifierClass| match class {
            IdentifierClass::Permanent => bits.of(IdentifierLevel::PermanentDiffers),
            IdentifierClass::Unverified => bits.of(IdentifierLevel::UnverifiedDiffers),
            _ => 0.0,
        };
        let one_off = bits.of(IdentifierLevel::PermanentOneOff);
        // A former number says nothing; there are few of them.
        let differs = if x.is_old || y.is_old { 0.0 } else { of(x.class).max(of(y.class)) };
        if x.value.may_be_within_one(y.value) { differs.max(one_off) } else { differs }
    }

    fn address(&self, a: &Outline, b: &Outline) -> f64 {
        match (&a.address, &b.address) {
            (Stated::None, _) | (_, Stated::None) => 0.0,
            (Stated::One(x), Stated::One(y)) => self.addresses(x, y),
            _ => self.address_most,
        }
    }

    fn addresses(&self, a: &AddressOutline, b: &AddressOutline) -> f64 {
        let bits = &self.model.bits;
        let both = |x: Letters, y: Letters| x.is_known() && y.is_known();
        let postcodes = a.postcode.is_known() && b.postcode.is_known();
        let streets = both(a.street, b.street);
        let place_known = postcodes || both(a.city, b.city);
        if !place_known && !streets {
            return 0.0;
        }
        let same_postcode = postcodes && a.postcode == b.postcode;
        let same_city = a.city.may_be_like(b.city);
        let near =
            same_postcode || same_city || postcodes && a.postcode.may_be_within_one(b.postcode);
        let same_number = a.number != 0 && a.number == b.number;
        let mut most = bits.of(AddressLevel::Different);
        let mut or = |may: bool, level: AddressLevel| {
            if may {
                most = most.max(bits.of(level));
            }
        };
        let slips = a.street.shortest(b.street) / 6 + 1;
        let alike = streets
            && (a.street.is(b.street)
                || a.street.may_be_within(b.street, slips)
                || a.street.may_share_words(b.street));
        // A box has a number and no street.
        let home = alike || same_number;
        let placed = near || !place_known;
        or(home && same_number && placed, AddressLevel::Exact);
        or(home && placed, AddressLevel::Close);
        or(home && (placed || same_number), AddressLevel::SameStreet);
        or(same_postcode, AddressLevel::SamePostcode);
        or(same_city, AddressLevel::SameCity);
        most
    }

    fn phone(&self, a: &Outline, b: &Outline) -> f64 {
        let of = |x: Figures, y: Figures| {
            let bits = &self.model.bits;
            match () {
                () if x == y => bits.of(PhoneLevel::Exact),
                () if x.may_be_within_one(y) => {
                    bits.of(PhoneLevel::Close).max(bits.of(PhoneLevel::Different))
                }
                () => bits.of(PhoneLevel::Different),
            }
        };
        match (a.phone, b.phone) {
            (Stated::None, _) | (_, Stated::None) => 0.0,
            (Stated::One(x), Stated::One(y)) => of(x, y),
            _ => self.phone_most,
        }
    }

    fn email(&self, a: &Outline, b: &Outline) -> f64 {
        match (a.email, b.email) {
            (Stated::None, _) | (_, Stated::None) => 0.0,
            (Stated::One(x), Stated::One(y)) => {
                let bits = &self.model.bits;
                let length = x.shortest(y);
                match () {
                    () if x.is(y) => bits.of(EmailLevel::Exact),
                    () if x.may_be_within(y, (length / 4).max(2)) => self.email_most,
                    () => bits.of(EmailLevel::Different),
                }
            }
            _ => self.email_most,
        }
    }
}
