//! A work queue: each key waits at most once, and keys can come back later. Not thread-safe; the controller manager
//! owns it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::hash::Hash;
use tokio::time::Instant;

/// Keys to look at, in order, without duplicates. Bounded by the number of objects: a key is there once.
#[derive(Debug)]
pub struct Queue<K> {
    waiting: VecDeque<K>,
    known: HashSet<K>,
    later: BinaryHeap<Reverse<(Instant, K)>>,
}

impl<K: Clone + Eq + Hash + Ord> Default for Queue<K> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            known: HashSet::new(),
            later: BinaryHeap::new(),
        }
    }
}

impl<K: Clone + Eq + Hash + Ord> Queue<K> {
    /// Adds a key unless it waits already.
    pub fn add(&mut self, key: K) {
        if self.known.insert(key.clone()) {
            self.waiting.push_back(key);
        }
    }

    /// Adds a key at a later time.
    pub fn add_at(&mut self, at: Instant, key: K) {
        self.later.push(Reverse((at, key)));
    }

    /// When the next later key is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.later.peek().map(|Reverse((at, _))| *at)
    }

    /// The next key, after moving those that are due.
    pub fn pop(&mut self, now: Instant) -> Option<K> {
        while self.next_due().is_some_and(|at| at <= now) {
            if let Some(Reverse((_, key))) = self.later.pop() {
                self.add(key);
            }
        }
        let key = self.waiting.pop_front()?;
        self.known.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn keys_wait_once_and_come_back_when_due() {
        let now = Instant::now();
        let mut queue = Queue::default();
        queue.add(1);
        queue.add(2);
        queue.add(1);
        queue.add_at(now + Duration::from_secs(5), 3);
        assert_eq!(
            (queue.pop(now), queue.pop(now), queue.pop(now)),
            (Some(1), Some(2), None)
        );
        assert_eq!(queue.pop(now + Duration::from_secs(5)), Some(3));
        assert_eq!(queue.next_due(), None);
    }
}
