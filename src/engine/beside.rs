//! The contexts as a session names them: those that are configured, but where the operator looks at one in another
//! namespace, `@NAME` means what is looked at. Not for which one lines run in that name none.

use std::sync::{Arc, PoisonError, RwLock};

use super::ports::Contexts;
use crate::core::context::Context;

/// What is configured, and what stands for some of it.
pub(super) struct Beside {
    configured: Arc<dyn Contexts>,
    shown: RwLock<Vec<Arc<Context>>>,
}

impl Beside {
    pub fn new(configured: Arc<dyn Contexts>) -> Self {
        Beside {
            configured,
            shown: RwLock::default(),
        }
    }

    /// From now on these stand for the configured ones of their names, and only these.
    pub fn show(&self, contexts: Vec<Arc<Context>>) {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = contexts;
    }
}

impl Contexts for Beside {
    fn context(&self, name: &str) -> Option<Arc<Context>> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        let found = shown.iter().find(|context| context.name == name).cloned();
        found.or_else(|| self.configured.context(name))
    }

    fn names(&self) -> Vec<String> {
        self.configured.names()
    }
}
