//! Contained resources that are records of their own: what a plan contains is often stated
//! nowhere else.
//! <https://hl7.org/fhir/R4/references.html#contained>

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::flow::{RecordKey, lifted_key};

/// What a resource contains.
#[derive(Default)]
pub(super) struct Contained {
    /// Fragment → the key it was lifted under, or `None` if it stays in its container.
    by_fragment: BTreeMap<String, Option<RecordKey>>,
    /// Index in `contained` → the key it was lifted under.
    lifted: BTreeMap<usize, RecordKey>,
}

impl Contained {
    /// What `parent`, with this content, contains. Of two with one id the first is meant.
    pub(super) fn of(parent: &RecordKey, resource: &Value) -> Self {
        let mut found = Self::default();
        for (index, inner) in list(resource).iter().enumerate() {
            let Some(fragment) = inner.get("id").and_then(Value::as_str) else {
                continue;
            };
            // Some senders write the reference's "#" into the id.
            let fragment = fragment.trim_start_matches('#');
            if found.by_fragment.contains_key(fragment) {
                continue;
            }
            let lifted = lifted_key(parent, inner);
            if let Some(key) = &lifted {
                found.lifted.insert(index, key.clone());
            }
            found.by_fragment.insert(fragment.to_owned(), lifted);
        }
        found
    }

    /// What a fragment stands for: nothing, something that stays inside, or a record.
    pub(super) fn find(&self, fragment: &str) -> Option<Option<&RecordKey>> {
        self.by_fragment.get(fragment).map(Option::as_ref)
    }

    /// Whether the contained resource of this index is a record of its own.
    pub(super) fn is_lifted(&self, index: usize) -> bool {
        self.lifted.contains_key(&index)
    }

    /// The lifted ones: index in `contained`, key, text exactly as stated, content.
    pub(super) fn lifted<'a>(
        &'a self,
        body: &'a Bytes,
        resource: &'a Value,
    ) -> impl Iterator<Item = (usize, &'a RecordKey, Bytes, &'a Value)> {
        let texts = texts(body);
        self.lifted.iter().filter_map(move |(index, key)| {
            let value = list(resource).get(*index)?;
            let text = texts.get(*index).map(|text| body.slice_ref(text.get().as_bytes()));
            let text = text.unwrap_or_else(|| Bytes::from(value.to_string()));
            Some((*index, key, text, value))
        })
    }
}

#[derive(Deserialize)]
struct Container<'a> {
    #[serde(borrow, default)]
    contained: Vec<&'a RawValue>,
}

fn texts(body: &[u8]) -> Vec<&RawValue> {
    serde_json::from_slice::<Container<'_>>(body).map(|c| c.contained).unwrap_or_default()
}

fn list(resource: &Value) -> &[Value] {
    resource.get("contained").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
