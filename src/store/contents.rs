//! The contents of one record.

use crate::flow::{Content, Hash};

/// Contents by version hash. Most records have one, so it is a short list, not a tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents(Vec<(Hash, Content)>);

impl Contents {
    /// The content of a hash.
    pub fn get(&self, hash: &Hash) -> Option<&Content> {
        self.0.iter().find(|(of, _)| of == hash).map(|(_, content)| content)
    }

    /// Takes the content of a hash out.
    pub fn remove(&mut self, hash: &Hash) -> Option<Content> {
        let at = self.0.iter().position(|(of, _)| of == hash)?;
        Some(self.0.swap_remove(at).1)
    }

    /// All of them, in no particular order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Hash, &Content)> {
        self.0.iter().map(|(hash, content)| (hash, content))
    }

    /// Adds one; the first of a hash stays, since equal hashes are equal content.
    pub(super) fn insert(&mut self, hash: Hash, content: Content) {
        if self.get(&hash).is_none() {
            // Room for one: growth by powers of two would hold room for four in every record.
            self.0.reserve_exact(1);
            self.0.push((hash, content));
        }
    }
}
