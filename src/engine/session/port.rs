//! The session as the verbs of one block see it: jobs, audit, history, aliases and kept records. What they ask is
//! done by the modules that it is about; nothing is decided here.

use std::sync::Arc;

use async_trait::async_trait;

use super::Inner;
use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::Report;
use crate::engine::{aliases, permissions, rerun, undo};
use crate::verb::session::{AuditEntry, HistoryLine, Job, Permission};
use crate::verb::{Alias, AliasScope, Bundles, Call, Catalogue, Output, Session};

/// The session as verbs of one block see it.
pub(super) struct SessionPort {
    pub(super) inner: Arc<Inner>,
    /// The verbs as they were when the line of the block was planned.
    pub(super) catalogue: Arc<Catalogue>,
    /// The block: its own entry is left out where jobs are told.
    pub(super) number: u64,
    /// How many lines ran the line of the block.
    pub(super) depth: usize,
}

#[async_trait]
impl Session for SessionPort {
    fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.clone()
    }

    fn jobs(&self) -> Vec<Job> {
        let mut jobs = self.inner.jobs.all();
        jobs.retain(|job| job.number != self.number);
        jobs
    }

    async fn wait(&self, number: Option<u64>) -> Result<Vec<Job>, Report> {
        self.inner.jobs.wait(number, self.number).await
    }

    fn stop(&self, number: u64) -> Result<Job, Report> {
        self.inner.jobs.stop(number)
    }

    async fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, Report> {
        self.inner.journal.entries(limit).await
    }

    async fn audited(&self, number: u64) -> Result<Option<AuditEntry>, Report> {
        self.inner.journal.entry(number).await
    }

    async fn undo(&self, number: u64, call: &Call, output: &Output) -> Result<(), Report> {
        undo::undo(&self.inner, &self.catalogue, number, call, output).await
    }

    fn may_change(&self, context: &Context, what: &str) -> Result<(), Report> {
        self.inner.window.takes(self.inner.read_only, context, what)
    }

    fn set_bundles(&self, bundles: Bundles) {
        self.inner.set_bundles(bundles);
    }

    async fn history(&self, limit: usize) -> Result<Vec<HistoryLine>, Report> {
        self.inner.journal.history(limit).await
    }

    async fn run_line(&self, line: &str, call: &Call, output: &Output) -> Result<(), Report> {
        rerun::run_line(&self.inner, &self.catalogue, self.depth, line, call, output).await
    }

    fn may(&self, user: &str, line: &str) -> Result<Vec<Permission>, Report> {
        permissions::may(&self.inner, &self.catalogue, user, line)
    }

    async fn put_alias(&self, alias: Alias) -> Result<(), Report> {
        let now = self.inner.lock().catalogue.clone();
        aliases::acceptable(&now, &alias)?;
        self.inner.shelf.put_alias(&self.inner.user, alias).await?;
        self.inner.load_aliases().await
    }

    async fn remove_alias(&self, scope: AliasScope, name: &str) -> Result<bool, Report> {
        let there = self.inner.shelf.remove_alias(&self.inner.user, scope, name).await?;
        self.inner.load_aliases().await?;
        Ok(there)
    }

    async fn keep(&self, name: &str, records: Vec<Record>) -> Result<(), Report> {
        self.inner.shelf.keep(&self.inner.user, name, records).await
    }

    async fn kept(&self, name: &str) -> Result<Option<Vec<Record>>, Report> {
        self.inner.shelf.kept(&self.inner.user, name).await
    }

    async fn kept_names(&self) -> Result<Vec<(String, u64)>, Report> {
        self.inner.shelf.kept_names(&self.inner.user).await
    }

    async fn forget(&self, name: &str) -> Result<bool, Report> {
        self.inner.shelf.forget(&self.inner.user, name).await
    }
}
