//! A question to a verb's completer, asked where the stage would run. Not for when it is asked: that is the line's.

use std::sync::Arc;

use futures::future::join_all;

use crate::core::context::Context;
use crate::verb::{Completer, Completion, CompletionRequest};

/// A question to a verb's completer.
#[derive(Clone)]
pub struct Live {
    /// Whom.
    pub completer: Arc<dyn Completer>,
    /// What.
    pub request: CompletionRequest,
    /// Where, by the names of the contexts: those that the stage names; none: in that of the request.
    pub within: Vec<String>,
}

/// Contexts asked for names at most: each may be a connection of its own. Of more the first are.
const ASKED: usize = 4;

impl Live {
    /// Asks. Under `@A,B` a name that one of them has is worth offering; `find`: the context that a name means.
    pub async fn ask(self, find: impl Fn(&str) -> Option<Arc<Context>>) -> Completion {
        if self.within.is_empty() {
            return self.completer.complete(self.request).await;
        }
        let completer = &self.completer;
        let asking = self.within.iter().take(ASKED).map(|name| {
            let request = find(name).map(|context| CompletionRequest {
                context,
                ..self.request.clone()
            });
            async move {
                match request {
                    Some(request) => completer.complete(request).await,
                    None => Completion::none(format!("there is no context {name}")),
                }
            }
        });
        let answers = join_all(asking).await;
        answers.into_iter().reduce(Completion::and).unwrap_or_default()
    }
}
