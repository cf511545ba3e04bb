//! Changes made here that Route 53 has not yet brought to all its name servers: what the panel marks, and the nudge that
//! makes a feed look again at once. Not a journal.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::model::canonical_name;
use crate::core::context::AwsTarget;

/// At most this many are remembered; the oldest are forgotten, which costs their mark only.
const KEPT: usize = 32;

/// A change under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Where it was made.
    pub target: AwsTarget,
    /// Its id.
    pub id: String,
    /// The zone's id.
    pub zone: String,
    /// The record set's canonical name.
    pub name: String,
    /// Its type.
    pub kind: String,
}

/// Changes under way. Shared by verbs and feeds.
pub struct Changes {
    pending: Mutex<VecDeque<Pending>>,
    moved: watch::Sender<u64>,
}

impl Default for Changes {
    fn default() -> Self {
        Changes {
            pending: Mutex::default(),
            moved: watch::Sender::new(0),
        }
    }
}

impl Changes {
    /// A change was made; feeds look again.
    pub fn made(&self, mut change: Pending) {
        change.name = canonical_name(&change.name);
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() == KEPT {
            pending.pop_front();
        }
        pending.push_back(change);
        drop(pending);
        self.moved.send_modify(|count| *count += 1);
    }

    /// It has reached every name server, or Route 53 knows nothing of it any more.
    pub fn settled(&self, id: &str) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let before = pending.len();
        pending.retain(|change| change.id != id);
        let gone = pending.len() != before;
        drop(pending);
        if gone {
            self.moved.send_modify(|count| *count += 1);
        }
    }

    /// The changes under way there.
    pub fn pending(&self, target: &AwsTarget) -> Vec<Pending> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending
            .iter()
            .filter(|change| change.target == *target)
            .cloned()
            .collect()
    }

    /// Wakes after every change.
    pub fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: usize) -> Pending {
        Pending {
            target: AwsTarget::default(),
            id: id.to_string(),
            zone: "Z1".into(),
            name: "A.spawnhub.com".into(),
            kind: "A".into(),
        }
    }

    #[test]
    fn what_is_under_way_is_bounded_and_settles() {
        let changes = Changes::default();
        let mut moved = changes.moved();
        (0..=KEPT).for_each(|id| changes.made(change(id)));
        assert!(moved.has_changed().unwrap_or(false));
        moved.mark_unchanged();
        let pending = changes.pending(&AwsTarget::default());
        assert_eq!(
            (pending.len(), pending[0].id.as_str(), pending[0].name.as_str()),
            (KEPT, "1", "a.spawnhub.com.")
        );
        changes.settled("no such");
        assert!(!moved.has_changed().unwrap_or(true));
        changes.settled("1");
        assert!(moved.has_changed().unwrap_or(false));
        assert_eq!(changes.pending(&AwsTarget::default()).len(), KEPT - 1);
        let elsewhere = AwsTarget {
            profile: Some("other".into()),
            ..AwsTarget::default()
        };
        assert!(changes.pending(&elsewhere).is_empty());
    }
}
