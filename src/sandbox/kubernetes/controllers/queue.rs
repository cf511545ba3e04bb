//! A work queue: each key waits at most once, and keys can come back later. Not thread-safe; the controller manager
//! owns it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use tokio::time::Instant;

/// Keys to look at, in order, without duplicates. Bounded by the number of objects: a key waits once, and comes back once.
#[derive(Debug)]
pub struct Queue<K> {
    waiting: VecDeque<K>,
    known: HashSet<K>,
    later: BinaryHeap<Reverse<(Instant, K)>>,
    /// When each key comes back; entries of `later` that say another time were overtaken.
    due: HashMap<K, Instant>,
}

impl<K: Clone + Eq + Hash + Ord> Default for Queue<K> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            known: HashSet::new(),
            later: BinaryHeap::new(),
            due: HashMap::new(),
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

    /// Adds a key at a later time, unless it comes back by then anyway.
    pub fn add_at(&mut self, at: Instant, key: K) {
        if self.comes_back_by(at, &key) {
            return;
        }
        self.due.insert(key.clone(), at);
        self.later.push(Reverse((at, key)));
    }

    /// Whether a key comes back by then.
    pub fn comes_back_by(&self, then: Instant, key: &K) -> bool {
        self.due.get(key).is_some_and(|at| *at <= then)
    }

    /// When the next later key is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.later.peek().map(|Reverse((at, _))| *at)
    }

    /// The next key, after moving those that are due.
    pub fn pop(&mut self, now: Instant) -> Option<K> {
        while self.next_due().is_some_and(|at| at <= now) {
            if let Some(Reverse((at, key))) = self.later.pop()
                && self.due.get(&key) == Some(&at)
            {
                self.due.remove(&key);
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

    #[test]
    fn a_key_comes_back_once_and_at_the_earliest_time() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let mut queue = Queue::default();
        for _ in 0..100 {
            queue.add_at(after(5), 1);
            queue.add_at(after(9), 1);
        }
        assert_eq!(queue.later.len(), 1, "the later times are covered by the earlier one");
        assert!(queue.comes_back_by(after(5), &1) && !queue.comes_back_by(after(4), &1));
        queue.add_at(after(2), 1);
        assert_eq!(queue.pop(after(2)), Some(1));
        assert!(!queue.comes_back_by(after(9), &1));
        assert_eq!(queue.pop(after(20)), None, "the time that was overtaken counts no more");
        queue.add_at(after(30), 1);
        assert_eq!(queue.pop(after(30)), Some(1));
    }
}
