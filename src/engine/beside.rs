//! The contexts as a session names them: those that are configured, but where the operator looks at one in another
//! namespace, `@NAME` means what is looked at, be it one context or several. Not for how that is chosen.

use std::sync::{Arc, PoisonError, RwLock};

use super::ports::Contexts;
use crate::core::context::Context;

/// What is configured, and what stands for some of it.
pub(super) struct Beside {
    configured: Arc<dyn Contexts>,
    shown: RwLock<Vec<Arc<Context>>>,
    /// The one that lines run in that name none.
    own: RwLock<Arc<Context>>,
}

impl Beside {
    pub fn new(configured: Arc<dyn Contexts>, own: Arc<Context>) -> Self {
        Beside {
            configured,
            shown: RwLock::default(),
            own: RwLock::new(own),
        }
    }

    /// From now on this one is looked at; it stands for the configured one of its name.
    pub fn look_at(&self, own: Arc<Context>) {
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = own;
    }

    /// From now on these stand for the configured ones of their names, and only these.
    pub fn show(&self, contexts: Vec<Arc<Context>>) {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = contexts;
    }
}

impl Contexts for Beside {
    fn context(&self, name: &str) -> Option<Arc<Context>> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        if own.name == name {
            return Some(own.clone());
        }
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        let found = shown.iter().find(|context| context.name == name).cloned();
        found.or_else(|| self.configured.context(name))
    }

    fn names(&self) -> Vec<String> {
        self.configured.names()
    }
}
