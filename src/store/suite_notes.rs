//! What any engine must do with stewards' notes.

use std::path::Path;

use super::Store;
use super::fixture::{at, chart};
use super::suite::{Open, only, system};
use crate::flow::{Decision, NoteKind, PairNote, Undo, Verdict};

/// A note is found from its pair, whichever home comes first, and changes no view.
pub(super) fn notes_stay_with_their_pair_and_a_decision_ends_a_proposal<S: Store>(
    open: Open<S>,
    dir: &Path,
) {
    let store = open(dir);
    let (a, b) = (&chart("a", "1"), &chart("b", "1"));
    let note = |kind, by: &str| PairNote { kind, by: by.into(), at: at(4), note: "".into() };
    let log = [note(NoteKind::NotSure, "ben"), note(NoteKind::Proposed, "anna")];
    for one in &log {
        store.note_pair((b, a), one).unwrap();
    }
    assert_eq!(store.dirty_count(&system()).unwrap(), 0, "a note changes no view");
    let open_ones = |store: &S| store.proposals(&system(), 9).unwrap();
    assert_eq!(open_ones(&store)[0].note, log[1]);
    assert_eq!(store.proposal(&system(), b, a).unwrap().as_ref(), Some(&log[1]));
    assert!(store.pair_notes(&only("a"), a, b).unwrap().is_empty(), "seen with both sides only");
    assert!(store.proposals(&only("a"), 9).unwrap().is_empty());
    store.note_pair((a, b), &note(NoteKind::Declined, "ben")).unwrap();
    assert!(open_ones(&store).is_empty());
    store.note_pair((a, b), &log[1]).unwrap();
    let by = "ben".into();
    let (verdict, note) = (Verdict::NoMatch, "".into());
    store.decide(&[Decision { verdict, a: a.clone(), b: b.clone(), by, at: at(5), note }]).unwrap();
    assert!(open_ones(&store).is_empty(), "a decision ends it");
    let undo = Undo { by: "ben".into(), at: at(6), note: "".into() };
    store.undo_decisions(&[(a.clone(), b.clone())], &undo).unwrap();
    drop(store);
    let store = open(dir);
    assert_eq!(store.pair_notes(&system(), a, b).unwrap().len(), 4);
    assert_eq!(store.partners(&system(), a, 9).unwrap(), std::slice::from_ref(b));
    assert_eq!(store.partners(&system(), b, 9).unwrap(), std::slice::from_ref(a));
    assert!(store.partners(&only("b"), b, 9).unwrap().is_empty());
    let id = store.id_key().pair(a, b).to_string();
    assert_eq!(store.known_pairs(&system(), &id, 2).unwrap().len(), 1);
}
