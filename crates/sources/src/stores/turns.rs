//! [`CommitTurns`]: commits to one place come one after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A turn for each place that somebody commits to.
///
/// Two overwrites at once would each take the other's new files for old ones.
#[derive(Debug, Default)]
pub(super) struct CommitTurns(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl CommitTurns {
    /// The turn of a place; who has it locked commits.
    pub(super) fn at(&self, place: String) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(&place).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        turns.insert(place, Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_turn_while_somebody_holds_it() {
        let turns = CommitTurns::default();
        let (one, other) = (turns.at("a".to_owned()), turns.at("b".to_owned()));
        assert!(Arc::ptr_eq(&one, &turns.at("a".to_owned())) && !Arc::ptr_eq(&one, &other));
        drop((one, other));
        let _next = turns.at("c".to_owned());
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
