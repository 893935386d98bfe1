//! Given names that stand for one another, from `profiles/nicknames.json`.

use std::collections::HashMap;

use serde::Deserialize;

/// Most groups a name is looked up in when keys are made from them.
const ROOTS_MAX: usize = 3;

/// Groups of given names any two of which may be the same person's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nicknames {
    /// Name → groups it is in, ascending.
    groups_of: HashMap<Box<str>, Vec<u32>>,
    /// First name of each group.
    roots: Vec<Box<str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NicknameFile {
    #[expect(dead_code, reason = "required in the file; the hash of the whole file stands for it")]
    version: Box<str>,
    groups: Vec<Vec<Box<str>>>,
}

impl Nicknames {
    /// Reads the file's text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let file: NicknameFile = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let mut read = Self::default();
        for group in file.groups {
            let number = u32::try_from(read.roots.len()).map_err(|e| e.to_string())?;
            let Some(root) = group.first() else {
                return Err(format!("group {number} has no names; remove it"));
            };
            read.roots.push(root.clone());
            for name in group {
                let groups = read.groups_of.entry(name).or_default();
                if groups.last() != Some(&number) {
                    groups.push(number);
                }
            }
        }
        Ok(read)
    }

    /// Whether two different names share a group.
    pub(crate) fn are(&self, a: &str, b: &str) -> bool {
        match (self.groups_of.get(a), self.groups_of.get(b)) {
            (Some(a), Some(b)) => a.iter().any(|group| b.contains(group)),
            _ => false,
        }
    }

    /// The groups a name is in, as bits: two names that share a group share a bit.
    pub(crate) fn group_bits(&self, name: &str) -> u32 {
        let groups = self.groups_of.get(name).into_iter().flatten();
        groups.fold(0, |bits, group| bits | 1 << (group % 32))
    }

    /// The first names of the groups a name is in; the name itself if it is in none.
    pub(crate) fn roots<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        match self.groups_of.get(name) {
            Some(groups) => {
                groups.iter().take(ROOTS_MAX).map(|&g| &*self.roots[g as usize]).collect()
            }
            None => vec![name],
        }
    }
}
