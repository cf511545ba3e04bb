//! The objects of the cluster, their versions and their history: what etcd and the watch cache are to a real API
//! server. Not for rules of the API (validation, defaulting, graceful deletion): those are `api`'s.
//!
//! One lock guards everything; what happens under it is short (map operations and one copy of one object).
//! Readers get shared objects and never wait for each other's work.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::kinds;
use crate::sandbox::clock::Clock;
use crate::sandbox::random::Random;

mod event;
mod history;
mod index;
mod metadata;
mod table;

pub use event::{EventKind, Lagged, StoreEvent, StoreEvents, Watch};
use history::History;
pub use index::Term;
use metadata::{finished, name_of, set_meta, settle, stamp};
use table::{Key, Table};

/// One object as stored: shared, never mutated in place.
pub type Object = Arc<Value>;

/// Queue of each subscriber to everything. Policy: a receiver that falls this far behind is told so and lists again.
const SUBSCRIBE_QUEUE: usize = 16_384;
/// Longest part of `generateName` that is used: with the suffix a name stays within a DNS label.
const GENERATED_PREFIX: usize = 58;

/// Why the store refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No such object, or no such resource.
    #[error("not found")]
    NotFound,
    /// The name is taken.
    #[error("already exists")]
    AlreadyExists,
    /// The object changed since the version that the writer read.
    #[error("the object has been modified")]
    Conflict,
    /// The version asked for is no longer in the history.
    #[error("resource version too old")]
    Gone,
    /// The version asked for does not exist yet.
    #[error("resource version too large")]
    TooLarge,
}

/// The store. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

struct State {
    version: u64,
    random: Random,
    tables: HashMap<&'static str, Table>,
    /// What a watch may start from; older starting points answer [`StoreError::Gone`].
    history: History,
    everything: broadcast::Sender<Arc<StoreEvent>>,
}

impl State {
    fn table(&mut self, resource: &str) -> Result<&mut Table, StoreError> {
        let kind = kinds::by_resource(resource).ok_or(StoreError::NotFound)?;
        Ok(self.tables.entry(kind.resource).or_insert_with(|| Table::new(kind)))
    }

    fn publish(&mut self, event: StoreEvent) {
        let event = Arc::new(event);
        self.history.push(&event);
        // A send fails only when nobody listens, which is no fault.
        if let Some(table) = self.tables.get(event.resource) {
            let _ = table.live.send(event.clone());
        }
        let _ = self.everything.send(event);
    }

    /// Names and stamps a new object, unless its name is taken.
    fn prepare(&mut self, resource: &str, mut object: Value, now: &str) -> Result<(Key, Value), StoreError> {
        let kind = self.table(resource)?.kind;
        let (namespace, given) = name_of(&object);
        let namespace = if kind.namespaced { namespace } else { String::new() };
        let name = if given.is_empty() {
            let prefix = object
                .pointer("/metadata/generateName")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if prefix.is_empty() {
                return Err(StoreError::NotFound);
            }
            let prefix: String = prefix.chars().take(GENERATED_PREFIX).collect();
            format!("{prefix}{}", self.random.name_suffix(5))
        } else {
            given
        };
        let key: Key = key(&namespace, &name).into();
        if self.table(resource)?.objects.contains_key(&key) {
            return Err(StoreError::AlreadyExists);
        }
        let uid = self.random.uuid();
        stamp(kind, &mut object, &namespace, &name, &uid, now);
        Ok((key, object))
    }

    /// Stores `new` in place of `old`, or removes the object when its last finalizer went while it was being deleted.
    fn replace(&mut self, resource: &str, key: &Key, old: Object, mut new: Value) -> Result<Object, StoreError> {
        let kind = self.table(resource)?.kind;
        settle(kind, &old, &mut new);
        if *old == new {
            return Ok(old);
        }
        self.version += 1;
        let version = self.version;
        set_meta(&mut new, "resourceVersion", Value::String(version.to_string()));
        let gone = finished(&old, &new);
        let object: Object = Arc::new(new);
        let table = self.table(resource)?;
        let event = if gone { EventKind::Deleted } else { EventKind::Modified };
        if gone {
            table.take(key);
        } else {
            table.put(key, object.clone());
        }
        self.publish(StoreEvent::new(
            event,
            kind.resource,
            object.clone(),
            Some(old),
            version,
        ));
        Ok(object)
    }
}

impl Store {
    /// An empty store. `seed` repeats UIDs and generated names.
    pub fn new(clock: Clock, seed: u64) -> Store {
        let state = State {
            version: 1,
            random: Random::new(seed).fork("store"),
            tables: HashMap::new(),
            history: History::default(),
            everything: broadcast::channel(SUBSCRIBE_QUEUE).0,
        };
        Store {
            clock,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The clock that stamps the objects.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// One object. `namespace` is `""` for cluster scoped resources.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Object> {
        let state = self.lock();
        state.tables.get(resource)?.objects.get(&*key(namespace, name)).cloned()
    }

    /// All objects of a resource, of one namespace or of all, sorted by namespace and name.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<Object> {
        self.list_at(resource, namespace).0
    }

    /// As [`Store::list`], with the store's version at that moment.
    pub fn list_at(&self, resource: &str, namespace: Option<&str>) -> (Vec<Object>, u64) {
        let state = self.lock();
        let objects = match state.tables.get(resource) {
            None => Vec::new(),
            Some(table) => match namespace.filter(|n| !n.is_empty()) {
                None => table.objects.values().cloned().collect(),
                Some(namespace) => {
                    // The character after `/` ends it: no key of the namespace is looked at but the first and the last.
                    let (first, end) = (format!("{namespace}/"), format!("{namespace}0"));
                    let within = (Bound::Included(first.as_str()), Bound::Excluded(end.as_str()));
                    let found = table.objects.range::<str, _>(within);
                    found.map(|(_, object)| object.clone()).collect()
                }
            },
        };
        (objects, state.version)
    }

    /// The objects that carry an indexed property, sorted by namespace and name. Cost follows the answer's size.
    pub fn find(&self, resource: &str, namespace: Option<&str>, term: Term<'_>) -> Vec<Object> {
        self.find_at(resource, namespace, term).0
    }

    /// As [`Store::find`], with the store's version at that moment.
    pub fn find_at(&self, resource: &str, namespace: Option<&str>, term: Term<'_>) -> (Vec<Object>, u64) {
        let state = self.lock();
        let Some(table) = state.tables.get(resource) else {
            return (Vec::new(), state.version);
        };
        let prefix = namespace.filter(|n| !n.is_empty()).map(|n| format!("{n}/"));
        let keys = table.index.get(&term.key()).into_iter().flatten();
        let found = keys
            .filter(|key| prefix.as_ref().is_none_or(|p| key.starts_with(p)))
            .filter_map(|key| table.objects.get(key).cloned())
            .collect();
        (found, state.version)
    }

    /// What [`Store::create`] would store, without storing it: for dry runs. It has no `resourceVersion`.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub fn draft(&self, resource: &str, object: Value) -> Result<Value, StoreError> {
        let mut state = self.lock();
        let now = self.clock.rfc3339();
        let (_, mut object) = state.prepare(resource, object, &now)?;
        if let Some(meta) = object["metadata"].as_object_mut() {
            meta.shift_remove("resourceVersion");
        }
        Ok(object)
    }

    /// What [`Store::update`] would make of `new` in place of `old`, without storing it: for dry runs.
    pub fn draft_update(resource: &str, old: &Value, mut new: Value) -> Value {
        if let Some(kind) = kinds::by_resource(resource) {
            settle(kind, old, &mut new);
        }
        new
    }

    /// Whether the history no longer reaches back to this version.
    pub fn is_compacted(&self, version: u64) -> bool {
        version < self.lock().history.floor()
    }

    /// Stores a new object. Sets `uid`, `creationTimestamp`, `resourceVersion`, and generation 1 where the kind has
    /// one; `generateName` gets a suffix of five letters when there is no name.
    ///
    /// # Errors
    /// `AlreadyExists`; `NotFound` for an unknown resource or an object without name.
    pub fn create(&self, resource: &str, object: Value) -> Result<Object, StoreError> {
        let mut state = self.lock();
        let now = self.clock.rfc3339();
        let (key, mut object) = state.prepare(resource, object, &now)?;
        state.version += 1;
        let version = state.version;
        set_meta(&mut object, "resourceVersion", json!(version.to_string()));
        let object: Object = Arc::new(object);
        let table = state.table(resource)?;
        table.put(&key, object.clone());
        let resource = table.kind.resource;
        state.publish(StoreEvent::new(
            EventKind::Added,
            resource,
            object.clone(),
            None,
            version,
        ));
        Ok(object)
    }

    /// Replaces an object. Nothing changed: no event, same version. The generation rises when `spec` changed.
    /// An object that is being deleted and loses its last finalizer is removed.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when `metadata.resourceVersion` is set and differs from the stored one.
    pub fn update(&self, resource: &str, object: Value) -> Result<Object, StoreError> {
        let mut state = self.lock();
        let (namespace, name) = name_of(&object);
        let kind = state.table(resource)?.kind;
        let key: Key = key(if kind.namespaced { &namespace } else { "" }, &name).into();
        let old = state
            .table(resource)?
            .objects
            .get(&key)
            .cloned()
            .ok_or(StoreError::NotFound)?;
        let expected = object
            .pointer("/metadata/resourceVersion")
            .and_then(Value::as_str)
            .filter(|v| !v.is_empty());
        if expected.is_some_and(|v| Some(v) != version_of(&old)) {
            return Err(StoreError::Conflict);
        }
        state.replace(resource, &key, old, object)
    }

    /// Changes an object in place of a read and a write: no other writer comes between. `change` runs under the
    /// store's lock and must not call the store.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn modify(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        mut change: impl FnMut(&mut Value),
    ) -> Result<Object, StoreError> {
        let mut state = self.lock();
        let key: Key = key(namespace, name).into();
        let old = state
            .table(resource)?
            .objects
            .get(&key)
            .cloned()
            .ok_or(StoreError::NotFound)?;
        let mut new = Value::clone(&old);
        change(&mut new);
        state.replace(resource, &key, old, new)
    }

    /// Removes an object now, whatever its finalizers or grace period say.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete(&self, resource: &str, namespace: &str, name: &str) -> Result<Object, StoreError> {
        let mut state = self.lock();
        let table = state.table(resource)?;
        let kind = table.kind;
        let old = table.take(&key(namespace, name)).ok_or(StoreError::NotFound)?;
        state.version += 1;
        let version = state.version;
        let mut last = Value::clone(&old);
        set_meta(&mut last, "resourceVersion", Value::String(version.to_string()));
        let last: Object = Arc::new(last);
        state.publish(StoreEvent::new(
            EventKind::Deleted,
            kind.resource,
            last.clone(),
            Some(old),
            version,
        ));
        Ok(last)
    }

    /// Every event of every resource after now.
    pub fn subscribe(&self) -> StoreEvents {
        StoreEvents::new(self.lock().everything.subscribe())
    }

    /// The events of one resource after version `from`: first those of the history, then live ones.
    ///
    /// # Errors
    /// `Gone` when the history no longer reaches back to `from`, `TooLarge` when `from` is in the future.
    pub fn watch(&self, resource: &str, from: u64) -> Result<Watch, StoreError> {
        let mut state = self.lock();
        if from < state.history.floor() {
            return Err(StoreError::Gone);
        }
        if from > state.version {
            return Err(StoreError::TooLarge);
        }
        let live = state.table(resource)?.live.subscribe();
        Ok(Watch::new(state.history.since(resource, from), live))
    }

    /// The version of the newest change.
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Forgets the history: every watch that starts from before now is answered `Gone`, as after a compaction.
    pub fn compact(&self) {
        let mut state = self.lock();
        let version = state.version;
        state.history.forget(version);
    }

    /// What a restart of the control plane looks like from outside: versions jump ahead, the history is gone and
    /// every watch is cut. Subscribers (the controllers) keep their stream.
    pub fn restart(&self) {
        let mut state = self.lock();
        state.version += 100_000;
        let version = state.version;
        state.history.forget(version);
        for table in state.tables.values_mut() {
            table.cut();
        }
    }

    /// A draw from the store's seeded generator, for callers that need a value tied to the seed.
    pub fn draw<T>(&self, with: impl FnOnce(&mut Random) -> T) -> T {
        with(&mut self.lock().random)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `metadata.resourceVersion` of an object.
pub fn version_of(object: &Value) -> Option<&str> {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str)
}

fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}

#[cfg(test)]
mod tests;
