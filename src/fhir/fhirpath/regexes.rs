//! Patterns of expressions, compiled once.

use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use regex::{Regex, RegexBuilder};

use super::Fault;

/// Patterns kept; profiles have some dozens.
const KEPT_MAX: usize = 500;
/// Bytes one compiled pattern may take.
const SIZE_MAX: usize = 1 << 20;

/// The compiled pattern.
pub(super) fn regex(pattern: &str) -> Result<Regex, Fault> {
    static KEPT: OnceLock<RwLock<HashMap<String, Regex>>> = OnceLock::new();
    let kept = KEPT.get_or_init(RwLock::default);
    // A poisoned lock costs the cache, not the answer.
    if let Some(found) = kept.read().ok().and_then(|kept| kept.get(pattern).cloned()) {
        return Ok(found);
    }
    let made = RegexBuilder::new(pattern)
        .size_limit(SIZE_MAX)
        .dot_matches_new_line(true)
        .build()
        .map_err(|_| Fault("a pattern that cannot be compiled".to_owned()))?;
    if let Ok(mut kept) = kept.write()
        && kept.len() < KEPT_MAX
    {
        kept.insert(pattern.to_owned(), made.clone());
    }
    Ok(made)
}
