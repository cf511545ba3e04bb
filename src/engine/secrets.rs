//! Values that nobody may see, given in another way than on the line: an option marked secret that stands alone is
//! asked for, `@FILE` is read, `-` is read from standard input. All before the first stage starts, once for a pipeline.
//! Only what was typed counts: a variable's value is data, and never names a file.

use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::plan::StagePlan;
use super::run::Run;
use crate::core::report::Report;
use crate::core::text::{LONGEST_SECRET, Secret};

/// How a value is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The operator is asked.
    Asked,
    /// Standard input, where there is one.
    Input,
    /// A file.
    File(String),
}

impl Source {
    /// What the text of a value stands for; none: for itself. No text: the option stands alone.
    pub fn of(text: Option<&str>) -> Option<Source> {
        match text {
            None => Some(Source::Asked),
            Some("-") => Some(Source::Input),
            Some(text) => text.strip_prefix('@').map(|path| Source::File(path.to_owned())),
        }
    }
}

/// The values of one stage by the names of its options.
pub type Answers = Vec<(String, Value)>;

/// Gets the values of every stage.
pub async fn answers(run: &Run) -> Result<Vec<Answers>, Report> {
    let mut all = Vec::with_capacity(run.plan.stages.len());
    for plan in &run.plan.stages {
        let mut answers = Answers::new();
        for (name, source) in plan.template.elsewhere() {
            let value = tokio::select! {
                biased;
                () = run.ending.token().cancelled() => return Err(run.ending.report()),
                value = value(run, plan, &name, source) => value.map_err(|report| {
                    let span = plan.span;
                    report.in_stage(plan.number).at(&run.plan.source, span.start..span.end)
                })?,
            };
            answers.push((name, Value::String(value.reveal().to_owned())));
        }
        all.push(answers);
    }
    Ok(all)
}

async fn value(run: &Run, plan: &StagePlan, name: &str, source: Source) -> Result<Secret, Report> {
    let what = format!("--{name} of {}", plan.verb.declaration.qualified());
    match source {
        Source::Asked => run.operator.secret(&what, false).await,
        Source::Input => run.operator.secret(&what, true).await,
        Source::File(path) => of_file(&run.outlets.directory.join(path)).await.map_err(|why| {
            // Not the path: who does not know of `@` may have typed the value itself.
            Report::refused(
                "E-SECRET-008",
                format!("{what}: the file that @ names cannot be read: {why}"),
            )
            .hint("@FILE reads a file; for a value that starts with @ leave the value out, and it is asked for")
        }),
    }
}

/// The file's text without its last line break.
async fn of_file(path: &std::path::Path) -> Result<Secret, String> {
    let said = |error: std::io::Error| error.kind().to_string();
    if !tokio::fs::metadata(path).await.map_err(said)?.is_file() {
        return Err("it is no file".to_owned());
    }
    let file = tokio::fs::File::open(path).await.map_err(said)?;
    let mut bytes = Vec::new();
    file.take(LONGEST_SECRET as u64 + 2)
        .read_to_end(&mut bytes)
        .await
        .map_err(said)?;
    Secret::read(bytes)
}
