//! What a command is: its declaration, an invocation of it, the ports it is given, and the catalogue of all.
//! Not for running pipelines: that is the engine's.

pub mod alias;
pub mod catalogue;
pub mod declaration;
pub mod invocation;
pub mod operator;
pub mod session;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::core::change::Change;
use crate::core::context::Context;
use crate::core::report::Report;

pub use crate::render::{ContextMark, Header, View};
pub use alias::{Alias, AliasScope};
pub use catalogue::{Bundles, Catalogue};
pub use declaration::{BundleInfo, Declaration, Example, InputMode, OptionKind, OptionSpec, Positional, Signature};
pub use invocation::{Arguments, Call, Input, Item, Known, Output, Step};
pub use operator::{Decision, Operator};
pub use session::Session;

/// A command: the declaration everything else is made from, and what it does.
#[derive(Clone)]
pub struct Verb {
    /// Name, signature, risk, examples.
    pub declaration: Arc<Declaration>,
    /// What it does.
    pub action: Action,
    /// Offers live objects for its arguments.
    pub completer: Option<Arc<dyn Completer>>,
}

impl Verb {
    /// A verb that looks only.
    pub fn read(declaration: Declaration, action: impl Read + 'static) -> Self {
        Verb {
            declaration: Arc::new(declaration),
            action: Action::Read(Arc::new(action)),
            completer: None,
        }
    }

    /// A verb that changes something.
    pub fn mutate(declaration: Declaration, action: impl Mutate + 'static) -> Self {
        Verb {
            declaration: Arc::new(declaration),
            action: Action::Mutate(Arc::new(action)),
            completer: None,
        }
    }

    /// Adds a completer.
    #[must_use]
    pub fn completed_by(mut self, completer: Arc<dyn Completer>) -> Self {
        self.completer = Some(completer);
        self
    }
}

/// What a verb does. The engine treats the two differently: changes are planned, approved and journalled.
#[derive(Clone)]
pub enum Action {
    /// Looks, or is not ours to plan (a bundle's command).
    Read(Arc<dyn Read>),
    /// Changes something.
    Mutate(Arc<dyn Mutate>),
}

/// A verb that looks only; emits records as they come.
#[async_trait]
pub trait Read: Send + Sync {
    /// Runs one invocation. `input` is the whole stream for a verb that declares [`InputMode::All`], empty otherwise
    /// (an `Each` verb finds its record in [`Call::record`]). Must stop soon after [`Call::cancel`] fires and when
    /// `output` says that nobody reads any more.
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report>;

    /// Whether it could run at all in this context: what it needs is configured. Asked by the static pass, so that
    /// nothing of a pipeline runs when a later stage can't. Opens no connection.
    fn ready(&self, _context: &Context, _user: &str) -> Result<(), Report> {
        Ok(())
    }

    /// The alias that a run with these arguments makes, so that a script is checked with the names it gives itself.
    fn makes_alias(&self, _arguments: &Known) -> Option<Alias> {
        None
    }

    /// That it makes a panel of the pipeline before it, which is to run again after this time. The engine then runs no
    /// stage: it hands the pipeline to the front end.
    fn pins(&self, _arguments: &Known) -> Option<Duration> {
        None
    }
}

/// A verb above `read`: says what it would do, then does exactly that.
#[async_trait]
pub trait Mutate: Send + Sync {
    /// What the call would change, one entry a target. Reads only. No entry: nothing to do; one of class `read`: nothing
    /// to do, and [`Mutate::apply`] says so.
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report>;

    /// Applies one planned change and emits its records. Refuses when the precondition no longer holds.
    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report>;
}

/// Offers values for an argument at the cursor: live objects, names in use.
#[async_trait]
pub trait Completer: Send + Sync {
    /// What fits what is being typed. It never fails: what keeps it from an answer stands in that answer.
    async fn complete(&self, request: CompletionRequest) -> Completion;
}

/// What a completer found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// What fits, in the completer's rank.
    pub candidates: Vec<Candidate>,
    /// There may be others that fit: more typed is worth another question.
    pub more: bool,
    /// Why there are none, or not all of them (remote text).
    pub why: Option<String>,
}

impl Completion {
    /// Nothing, for this reason.
    pub fn none(why: impl Into<String>) -> Self {
        Completion {
            why: Some(why.into()),
            ..Completion::default()
        }
    }

    /// Together with what somebody else found, each value once. Why one found nothing counts where nobody found anything.
    #[must_use]
    pub fn and(mut self, other: Completion) -> Self {
        for candidate in other.candidates {
            if !self.candidates.iter().any(|known| known.value == candidate.value) {
                self.candidates.push(candidate);
            }
        }
        self.more |= other.more;
        self.why = self
            .why
            .or(other.why)
            .filter(|_| self.more || self.candidates.is_empty());
        self
    }
}

impl From<Vec<Candidate>> for Completion {
    fn from(candidates: Vec<Candidate>) -> Self {
        Completion {
            candidates,
            ..Completion::default()
        }
    }
}

/// What is being completed.
#[derive(Clone, Debug)]
pub struct CompletionRequest {
    /// The context the pipeline would run in.
    pub context: Arc<crate::core::context::Context>,
    /// The positionals before the cursor; one that holds a variable is the empty text.
    pub positionals: Vec<String>,
    /// The options before the cursor that have a value, by their names; of one that was given twice the last.
    pub options: BTreeMap<String, String>,
    /// The option whose value is typed, without dashes; none: a positional.
    pub option: Option<String>,
    /// What has been typed of the word.
    pub prefix: String,
}

/// One candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The raw value (remote text: quoted by the caller through the language's printer).
    pub value: String,
    /// A word about it: `3/3 ready`.
    pub note: String,
}
