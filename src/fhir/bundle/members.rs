//! The members of a JSON object as raw text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The raw values of `N` wanted members; of a repeated member the last.
pub(super) struct Members<'a, const N: usize>(pub(super) [Option<&'a RawValue>; N]);

impl<'a, const N: usize> Members<'a, N> {
    /// Reads an object's members of these names; the rest is skipped.
    pub(super) fn read(json: &'a [u8], wanted: [&'static str; N]) -> serde_json::Result<Self> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let members = reader.deserialize_map(Wanted(wanted))?;
        reader.end()?;
        Ok(members)
    }
}

struct Wanted<const N: usize>([&'static str; N]);

impl<'de, const N: usize> Visitor<'de> for Wanted<N> {
    type Value = Members<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(Name(name)) = map.next_key()? {
            match self.0.iter().position(|wanted| *wanted == name) {
                Some(at) => found[at] = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Members(found))
    }
}

/// A member's name, borrowed unless it has escapes.
struct Name<'a>(std::borrow::Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(name.into()))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(name.to_owned().into()))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}
