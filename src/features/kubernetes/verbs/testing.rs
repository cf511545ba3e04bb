//! Calls and targets for the unit tests of the verbs.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::core::change::{Origin, Plan, Requirement};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::discovery::tests::sample;
use crate::features::kubernetes::target::Target;
use crate::verb::operator::TerminalCommand;
use crate::verb::session::{AuditEntry, Job};
use crate::verb::{Arguments, Call, Catalogue, Decision, Operator, Output, Session};

struct Nobody;

#[async_trait]
impl Operator for Nobody {
    fn origin(&self) -> Origin {
        Origin::Typed
    }
    async fn ask(&self, _: &Plan, _: Requirement, _: &Arc<Context>) -> Decision {
        Decision::Declined("nobody is there".to_owned())
    }
    fn note(&self, _: SafeText) {}
    fn progress(&self, _: SafeText) {}
    async fn suspend(&self, _: TerminalCommand) -> Result<i32, Report> {
        Err(Report::refused("E-TEST", "no terminal"))
    }
}

#[async_trait]
impl Session for Nobody {
    fn catalogue(&self) -> Arc<Catalogue> {
        Arc::default()
    }
    fn jobs(&self) -> Vec<Job> {
        Vec::new()
    }
    async fn wait(&self, _: Option<u64>) -> Result<Vec<Job>, Report> {
        Ok(Vec::new())
    }
    fn stop(&self, _: u64) -> Result<Job, Report> {
        Err(Report::refused("E-TEST", "no jobs"))
    }
    async fn audit(&self, _: usize) -> Result<Vec<AuditEntry>, Report> {
        Ok(Vec::new())
    }
    async fn audited(&self, _: u64) -> Result<Option<AuditEntry>, Report> {
        Ok(None)
    }
    async fn undo(&self, _: u64, _: &Call, _: &Output) -> Result<(), Report> {
        Err(Report::refused("E-TEST", "nothing to undo"))
    }
}

/// A call of `kubectl:test` by `tester` with these words and options.
pub fn call(words: &[&str], options: Value) -> Call {
    let Value::Object(options) = options else {
        panic!("options are a map")
    };
    Call {
        verb: "kubectl:test".to_owned(),
        arguments: Arguments {
            positionals: words.iter().map(|word| Value::from(*word)).collect(),
            options,
        },
        record: None,
        step: None,
        context: Arc::new(Context::empty("test")),
        user: "tester".to_owned(),
        operator: Arc::new(Nobody),
        session: Arc::new(Nobody),
        cancel: CancellationToken::new(),
        pipeline_id: "1".to_owned(),
        stage: 1,
        last_stage: true,
        shown: true,
    }
}

/// An object of this kind in the namespace `default`.
pub fn target(kind: &str, name: &str) -> Target {
    let resource = sample().of_kind(None, kind).unwrap();
    let namespace = if resource.namespaced {
        "default".to_owned()
    } else {
        String::new()
    };
    Target {
        resource,
        namespace,
        name: name.to_owned(),
    }
}
