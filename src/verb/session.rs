//! The session port: what verbs such as `help jobs wait stop history audit undo` may ask of the running session.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alias::{Alias, AliasScope};
use super::catalogue::{Bundles, Catalogue};
use super::invocation::{Call, Output};

use crate::core::change::Change;
use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::Report;

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Runs.
    Running,
    /// Ended well.
    Done,
    /// Failed.
    Failed,
    /// Was stopped.
    Stopped,
}

/// A block or background job of this session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Block number.
    pub number: u64,
    /// The pipeline, secrets masked.
    pub pipeline: String,
    /// State.
    pub state: JobState,
    /// In the background (`&`).
    pub background: bool,
    /// When it began.
    pub started: Timestamp,
    /// Records produced so far.
    pub records: u64,
}

/// A journalled change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Number that `undo N` takes.
    pub number: u64,
    /// When.
    pub at: Timestamp,
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
    /// Hash over the entry and the one before: an append-only chain.
    pub hash: String,
}

/// A line of history.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryLine {
    /// Its number, which `history exec` takes: given by the journal when it is written, 0 before.
    pub number: u64,
    /// The text as typed, secrets masked.
    pub line: String,
    /// Context name.
    pub context: String,
    /// Exit code; none while it runs.
    pub exit: Option<u8>,
}

/// Whether a user may run one stage of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Permission {
    /// Pipeline in the line, from 1.
    pub pipeline: usize,
    /// Stage in the pipeline, from 1.
    pub stage: usize,
    /// `kubectl:get`.
    pub verb: String,
    /// The stage, secret values masked.
    pub text: String,
    /// None: values decide that only the run knows.
    pub allowed: Option<bool>,
    /// Why not.
    pub reason: Option<String>,
}

/// What a verb may ask of the session. Session verbs mutate nothing themselves.
#[async_trait]
pub trait Session: Send + Sync {
    /// The declarations this pipeline was planned with.
    fn catalogue(&self) -> Arc<Catalogue>;

    /// Jobs of this session, oldest first.
    fn jobs(&self) -> Vec<Job>;

    /// Waits until a job (none: every background job) has ended; its final state.
    async fn wait(&self, number: Option<u64>) -> Result<Vec<Job>, Report>;

    /// Cancels a job.
    fn stop(&self, number: u64) -> Result<Job, Report>;

    /// The journal's entries, newest first, at most `limit`.
    async fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, Report>;

    /// One journalled change.
    async fn audited(&self, number: u64) -> Result<Option<AuditEntry>, Report>;

    /// Undoes a journalled change: runs its inverse as a new change in the context it was made in. Refused when there
    /// is no inverse, when it was undone already, or when the target moved meanwhile.
    async fn undo(&self, number: u64, call: &Call, output: &Output) -> Result<(), Report>;

    /// Refuses a change of something in this context, where it or the process is read-only; `what` is the sentence's
    /// beginning. A stand-in for a session has no window that opens a context.
    fn may_change(&self, context: &Context, what: &str) -> Result<(), Report> {
        match context.read_only {
            true => Err(no_session(&format!("open {} for a while: {what}", context.name))),
            false => Ok(()),
        }
    }

    /// Swaps the verbs of installed bundles for lines that start from now on.
    fn set_bundles(&self, _bundles: Bundles) {}

    /// The last lines that were run, oldest first. A session without a memory has none.
    async fn history(&self, _limit: usize) -> Result<Vec<HistoryLine>, Report> {
        Ok(Vec::new())
    }

    /// Runs a line as if it were typed now; its records go to `output`. Checked as a whole before it starts.
    async fn run_line(&self, _line: &str, _call: &Call, _output: &Output) -> Result<(), Report> {
        Err(no_session("run a line"))
    }

    /// Whether a user may run a line, stage by stage. Nothing runs.
    fn may(&self, _user: &str, _line: &str) -> Result<Vec<Permission>, Report> {
        Err(no_session("ask for permissions"))
    }

    /// Makes or replaces an alias; lines that start from now on see it. Refused when it can't be expanded.
    async fn put_alias(&self, _alias: Alias) -> Result<(), Report> {
        Err(no_session("keep an alias"))
    }

    /// Removes an alias; whether there was one.
    async fn remove_alias(&self, _scope: AliasScope, _name: &str) -> Result<bool, Report> {
        Err(no_session("remove an alias"))
    }

    /// Keeps records under a name beyond the session.
    async fn keep(&self, _name: &str, _records: Vec<Record>) -> Result<(), Report> {
        Err(no_session("keep records"))
    }

    /// The records kept under a name.
    async fn kept(&self, _name: &str) -> Result<Option<Vec<Record>>, Report> {
        Ok(None)
    }

    /// The names in use with their numbers of records, by name.
    async fn kept_names(&self) -> Result<Vec<(String, u64)>, Report> {
        Ok(Vec::new())
    }

    /// Removes what is kept under a name; whether there was anything.
    async fn forget(&self, _name: &str) -> Result<bool, Report> {
        Ok(false)
    }
}

/// What a stand-in for a session, as tests have them, can't do.
fn no_session(what: &str) -> Report {
    Report::failed("E-SESSION-001", format!("there is no session to {what}"))
}
