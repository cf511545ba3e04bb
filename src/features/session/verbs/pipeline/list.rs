//! `pipeline list`: what runs and has run in this session.

use async_trait::async_trait;
use regex::RegexBuilder;

use super::super::limit;
use crate::core::report::Report;
use crate::features::session::verbs::jobs::Table;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::session::{Job, JobState};
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "pipeline-list", "List pipelines of this session")
        .input(InputMode::None)
        .options([
            OptionSpec::new("last", OptionKind::Int, "at most so many, the newest")
                .short('l')
                .default("20"),
            OptionSpec::new("expression", OptionKind::String, "only those whose text matches").short('e'),
            OptionSpec::new("invert", OptionKind::Bool, "only those whose text does not match").short('v'),
            OptionSpec::new(
                "state",
                OptionKind::Enum(&["running", "done", "failed", "stopped"]),
                "only those in this state",
            )
            .short('s'),
        ])
        .output("{\"number\", \"state\", \"background\", \"started\", \"records\", \"pipeline\"}")
        .example("pipeline list -s running", "")
        .example("pipeline list -e kubectl", "");
    Verb::read(declaration, List)
}

struct List;

#[async_trait]
impl Read for List {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let pattern = call.arguments.text("expression").map(|text| {
            RegexBuilder::new(&text)
                .size_limit(1 << 20)
                .build()
                .map_err(|error| Report::refused("E-JOB-006", format!("{text:?} is no pattern")).because(&error))
        });
        let (pattern, invert) = (pattern.transpose()?, call.arguments.flag("invert"));
        let state = call.arguments.text("state");
        let fits = |job: &Job| {
            state.as_deref().is_none_or(|state| word(job.state) == state)
                && pattern
                    .as_ref()
                    .is_none_or(|pattern| pattern.is_match(&job.pipeline) != invert)
        };
        let jobs: Vec<Job> = call.session.jobs().into_iter().filter(fits).collect();
        let last = limit(call, "last")?;
        let table = Table::new();
        for job in jobs.iter().skip(jobs.len().saturating_sub(last)) {
            output.send(table.row(job)).await?;
        }
        Ok(())
    }
}

fn word(state: JobState) -> &'static str {
    match state {
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Failed => "failed",
        JobState::Stopped => "stopped",
    }
}
