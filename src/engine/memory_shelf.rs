//! A shelf that lives as long as the process: for tests and fuzzers. What is used is the store, in memory too.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::ports::Shelf;
use crate::core::record::Record;
use crate::core::report::Report;
use crate::verb::{Alias, AliasScope};

/// Aliases and kept records in memory, for whichever user.
#[derive(Default)]
pub struct MemoryShelf {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    aliases: BTreeMap<(AliasScope, String), Alias>,
    kept: BTreeMap<String, Vec<Record>>,
}

impl MemoryShelf {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Shelf for MemoryShelf {
    async fn aliases(&self, _: &str) -> Result<Vec<Alias>, Report> {
        Ok(self.lock().aliases.values().cloned().collect())
    }

    async fn put_alias(&self, _: &str, alias: Alias) -> Result<(), Report> {
        self.lock().aliases.insert((alias.scope, alias.name.clone()), alias);
        Ok(())
    }

    async fn remove_alias(&self, _: &str, scope: AliasScope, name: &str) -> Result<bool, Report> {
        Ok(self.lock().aliases.remove(&(scope, name.to_owned())).is_some())
    }

    async fn keep(&self, _: &str, name: &str, records: Vec<Record>) -> Result<(), Report> {
        self.lock().kept.insert(name.to_owned(), records);
        Ok(())
    }

    async fn kept(&self, _: &str, name: &str) -> Result<Option<Vec<Record>>, Report> {
        Ok(self.lock().kept.get(name).cloned())
    }

    async fn kept_names(&self, _: &str) -> Result<Vec<(String, u64)>, Report> {
        let state = self.lock();
        let names = state.kept.iter();
        Ok(names
            .map(|(name, records)| (name.clone(), records.len() as u64))
            .collect())
    }

    async fn forget(&self, _: &str, name: &str) -> Result<bool, Report> {
        Ok(self.lock().kept.remove(name).is_some())
    }
}
