//! What the engine needs from outside: may this run, where and in which context does it run, where results go beyond
//! files, the journal, and the shelf of aliases.

use std::sync::Arc;

use async_trait::async_trait;

use crate::core::change::Change;
use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::Report;
pub use crate::verb::session::{AuditEntry, HistoryLine};
use crate::verb::{Alias, AliasScope, Declaration, Item, Known};

/// What a permission says before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may run.
    Granted,
    /// Values decide that only the run knows: each invocation is asked about again, with its values.
    Conditional,
}

/// Decides whether a user may run an invocation. Asked by the static pass, for every stage, before stage 1 starts; and
/// by the run, for each invocation whose arguments come from variables.
pub trait Authorise: Send + Sync {
    /// `Err` names the missing permission.
    fn authorise(&self, user: &str, declaration: &Declaration, arguments: &Known) -> Result<Permit, Report>;
}

/// Finds the contexts that `@NAME` names.
pub trait Contexts: Send + Sync {
    /// The context by this name.
    fn context(&self, name: &str) -> Option<Arc<Context>>;

    /// All names, for suggestions.
    fn names(&self) -> Vec<String>;
}

/// Where a stage runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// In this process.
    Here,
    /// In a container on this Docker engine (`DOCKER_HOST` form): the stage's context gets it as its Docker engine.
    Docker(String),
}

/// Finds the place for a stage.
pub trait Place: Send + Sync {
    /// The place, given what `on=` named.
    fn place(&self, context: &Arc<Context>, declaration: &Declaration, on: Option<&str>) -> Result<Site, Report>;
}

/// A room or a user that a redirect names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// `#ops`: its name without the mark.
    Room(String),
    /// `@mia`: the name without the mark.
    User(String),
}

impl Addressee {
    /// `#room`, `@user`, and both behind `chat://`.
    pub fn of(text: &str) -> Option<Addressee> {
        let text = text.strip_prefix("chat://").unwrap_or(text);
        let (mark, name) = text.split_at_checked(1).filter(|(_, name)| !name.is_empty())?;
        match mark {
            "#" => Some(Addressee::Room(name.to_owned())),
            "@" => Some(Addressee::User(name.to_owned())),
            _ => None,
        }
    }
}

impl std::fmt::Display for Addressee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Addressee::Room(name) => write!(f, "#{name}"),
            Addressee::User(name) => write!(f, "@{name}"),
        }
    }
}

/// Reaches rooms and users.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Whether it can be reached, asked by the static pass: `Err` says why not. Sends nothing.
    fn reach(&self, whom: &Addressee) -> Result<(), Report>;
    /// Opens it for one pipeline's result.
    async fn open(&self, whom: &Addressee) -> Result<Box<dyn Destination>, Report>;
}

/// Where a pipeline's result goes beside its block: opened before the first stage starts. An error ends the pipeline.
#[async_trait]
pub trait Destination: Send {
    /// Takes a record. Waiting here holds the pipeline back.
    async fn write(&mut self, item: &Item) -> Result<(), Report>;
    /// Everything has come, be it because the pipeline failed: what was held back is handed on.
    async fn close(&mut self) -> Result<(), Report>;
}

/// A change on its way into the journal.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Who.
    pub user: String,
    /// Context name.
    pub context: String,
    /// The pipeline, secrets masked.
    pub pipeline: String,
    /// The change.
    pub change: Change,
    /// `applied`, `failed: …`, `declined: …`.
    pub outcome: String,
    /// The entry this one undid.
    pub undoes: Option<u64>,
}

/// The append-only memory: changes (hash-chained) and history.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Appends a change; its number.
    async fn append(&self, entry: NewEntry) -> Result<u64, Report>;
    /// Newest first.
    async fn entries(&self, limit: usize) -> Result<Vec<AuditEntry>, Report>;
    /// One entry.
    async fn entry(&self, number: u64) -> Result<Option<AuditEntry>, Report>;
    /// The entry that undid this one, if any.
    async fn undone_by(&self, number: u64) -> Result<Option<u64>, Report>;
    /// Appends a line of history.
    async fn remember(&self, entry: HistoryLine) -> Result<(), Report>;
    /// The last lines of history, oldest first.
    async fn history(&self, limit: usize) -> Result<Vec<HistoryLine>, Report>;
}

/// What a user keeps by name beyond a session: aliases, and the records that `tee` put away. Bounded by its callers.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// The user's aliases and the site's.
    async fn aliases(&self, user: &str) -> Result<Vec<Alias>, Report>;
    /// Makes or replaces an alias.
    async fn put_alias(&self, user: &str, alias: Alias) -> Result<(), Report>;
    /// Removes an alias; whether there was one.
    async fn remove_alias(&self, user: &str, scope: AliasScope, name: &str) -> Result<bool, Report>;
    /// Keeps records under a name, instead of those that were there.
    async fn keep(&self, user: &str, name: &str, records: Vec<Record>) -> Result<(), Report>;
    /// The records kept under a name.
    async fn kept(&self, user: &str, name: &str) -> Result<Option<Vec<Record>>, Report>;
    /// The names in use with their numbers of records, by name.
    async fn kept_names(&self, user: &str) -> Result<Vec<(String, u64)>, Report>;
    /// Removes what is kept under a name; whether there was anything.
    async fn forget(&self, user: &str, name: &str) -> Result<bool, Report>;
}
