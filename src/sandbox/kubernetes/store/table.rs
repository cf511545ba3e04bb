//! One resource's objects in the order a real server lists them. Not for versions and history: those are the store's.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::broadcast;

use super::{Object, StoreEvent, index};
use crate::sandbox::kubernetes::kinds::Kind;

/// Queue of each live watch, per resource. Policy: a receiver that falls this far behind is cut and starts again.
const WATCH_QUEUE: usize = 4_096;

/// `namespace/name`, or `name` for cluster scoped objects: sorts as a real server lists.
pub(super) type Key = Arc<str>;

/// The objects of one resource, their index, and who watches them.
pub(super) struct Table {
    pub(super) kind: &'static Kind,
    pub(super) objects: BTreeMap<Key, Object>,
    pub(super) index: HashMap<String, BTreeSet<Key>>,
    pub(super) live: broadcast::Sender<Arc<StoreEvent>>,
}

impl Table {
    /// Without objects.
    pub(super) fn new(kind: &'static Kind) -> Self {
        Self {
            kind,
            objects: BTreeMap::new(),
            index: HashMap::new(),
            live: broadcast::channel(WATCH_QUEUE).0,
        }
    }

    /// Puts an object in and gives what was there.
    pub(super) fn put(&mut self, key: &Key, object: Object) -> Option<Object> {
        let new_terms = index::terms(&object);
        let previous = self.objects.insert(key.clone(), object);
        let old_terms = previous.as_ref().map(|old| index::terms(old)).unwrap_or_default();
        if old_terms != new_terms {
            self.unindex(key, &old_terms);
            for term in new_terms {
                self.index.entry(term).or_default().insert(key.clone());
            }
        }
        previous
    }

    /// Ends every watch.
    pub(super) fn cut(&mut self) {
        self.live = broadcast::channel(WATCH_QUEUE).0;
    }

    /// Takes an object out.
    pub(super) fn take(&mut self, key: &str) -> Option<Object> {
        let (key, object) = self.objects.remove_entry(key)?;
        self.unindex(&key, &index::terms(&object));
        Some(object)
    }

    fn unindex(&mut self, key: &Key, terms: &[String]) {
        for term in terms {
            if let Some(keys) = self.index.get_mut(term) {
                keys.remove(key);
                if keys.is_empty() {
                    self.index.remove(term);
                }
            }
        }
    }
}
