//! `jobs`: blocks and background jobs of this session.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::session::{Job, JobState};
use crate::verb::{
    Call, Declaration, Header, Input, InputMode, Item, OptionKind, OptionSpec, Output, Read, Verb, View,
};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "jobs", "List what runs in this session")
        .input(InputMode::None)
        .option(OptionSpec::new("all", OptionKind::Bool, "what has ended, too").short('a'))
        .output("{\"number\", \"state\", \"background\", \"started\", \"records\", \"pipeline\"}")
        .example("traffic:watch http://inspector.spawnhub.com/ &", "starts a job")
        .example("jobs", "lists it");
    Verb::read(declaration, Jobs)
}

struct Jobs;

#[async_trait]
impl Read for Jobs {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let all = call.arguments.flag("all");
        let table = Table::new();
        for job in call
            .session
            .jobs()
            .into_iter()
            .filter(|job| all || job.state == JobState::Running)
        {
            output.send(table.row(&job)).await?;
        }
        Ok(())
    }
}

/// How jobs are shown by `jobs`, `wait` and `stop`.
pub struct Table(Arc<Header>);

impl Table {
    /// The columns.
    pub fn new() -> Table {
        Table(Header::new(["NUMBER", "STATE", "STARTED", "RECORDS", "PIPELINE"]))
    }

    /// One job.
    pub fn row(&self, job: &Job) -> Item {
        let started = job.started.strftime("%H:%M:%S").to_string();
        let state = json!(job.state);
        let cells = vec![
            job.number.to_string(),
            state.as_str().unwrap_or_default().to_owned(),
            started,
            job.records.to_string(),
            job.pipeline.clone(),
        ];
        Item {
            record: serde_json::to_value(job).unwrap_or(Value::Null),
            view: Some(View::row(&self.0, cells)),
        }
    }
}
