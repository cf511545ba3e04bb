//! The panels of the cluster: deployments, the rollout in progress, pods, services, events, nodes, and
//! any other kind by its name.

mod allowed;
pub mod deployments;
pub mod events;
pub mod objects;
mod own_pods;
mod parts;
pub mod pods;
pub mod rollout;
pub mod services;

use jiff::Timestamp;

use super::model::DeploymentRow;
use super::rollout::{Cause, Stage, stage};
use crate::core::change::Target;
use crate::core::text::{SafeText, safe_line};
use crate::feed::health::age;
use crate::lang::{self, ast::Pipeline};
use crate::ui::panel::widgets::table::Cell;
use crate::ui::panel::{Action, Effect, Meaning, Tone};

const DESCRIBE: Action = Action::new("describe", 'd', "describe");

const YAML: Action = Action::new("yaml", 'v', "YAML");

const LOGS: Action = Action::new("logs", 'l', "logs");

const EDIT: Action = Action::new("edit", 'e', "edit");

const SHELL: Action = Action::new("shell", 's', "shell");

const COPY: Action = Action::new("copy", 'y', "copy name");

const DELETE: Action = Action::new("delete", 'D', "delete");

/// A stage about objects of one kind: `kubectl:describe po a b`. `kind` as typed.
fn about<'n>(verb: &str, kind: &str, names: impl IntoIterator<Item = &'n str>) -> lang::Stage {
    names
        .into_iter()
        .fold(lang::Stage::new(verb).arg(kind), lang::Stage::arg)
}

/// What the actions that every kind has do; `kind` as typed: `deploy`, `po`.
fn common(action: &str, kind: &str, names: &[&str]) -> Vec<Effect> {
    let stage = |verb: &str| about(verb, kind, names.iter().copied());
    match action {
        "describe" => vec![Effect::Run(stage("kubectl:describe").into())],
        "yaml" => vec![Effect::Run(
            stage("kubectl:get").option("--output", Some("yaml")).into(),
        )],
        // An editor has the whole terminal: several would be opened one over the other.
        "edit" if names.len() > 1 => {
            let text = format!(
                "{} are marked, and edit takes one at a time: Esc takes the marks back",
                names.len()
            );
            vec![Effect::Toast(SafeText::line(&text))]
        }
        "edit" => vec![Effect::Run(stage("kubectl:edit").into())],
        "copy" => vec![copied(names)],
        "logs" => vec![Effect::Run(logs(kind, names))],
        "shell" => {
            let words: Vec<String> = names.iter().map(|name| format!("{kind}/{name}")).collect();
            shell(&words.iter().map(String::as_str).collect::<Vec<_>>(), None)
        }
        // Its plan is shown, and asked about, before anything goes.
        "delete" => vec![Effect::Run(stage("kubectl:delete").into())],
        _ => Vec::new(),
    }
}

/// The last lines of what these wrote: of one by its name, of several through a pipe, each line with its pod before it.
fn logs(kind: &str, names: &[&str]) -> Pipeline {
    let (stage, tail) = (lang::Stage::new("kubectl:logs"), |stage: lang::Stage| {
        stage.option("--tail", Some("50"))
    });
    match names {
        [only] if kind == "po" => tail(stage.arg(only)).into(),
        [only] => logs_of(&format!("{kind}/{only}")),
        several => {
            let mut pipeline = Pipeline::from(about("kubectl:get", kind, several.iter().copied()));
            pipeline.stages.push(tail(stage).option("--prefix", None));
            pipeline
        }
    }
}

/// The last lines of an object, as `KIND/NAME`.
fn logs_of(object: &str) -> Pipeline {
    let stage = lang::Stage::new("kubectl:logs").arg(object);
    stage.option("--tail", Some("50")).into()
}

/// Whether commands find pods by an object of a kind: `kubectl logs sts/web`.
fn runs_pods(kind: &str) -> bool {
    let services = matches!(kind, "Service" | "ReplicationController");
    services || (objects::has_inside(kind) && kind != "Node")
}

/// What `logs` and `shell` answer on an object of a kind that has no pods.
fn has_no_pods(action: &str, kind: &str) -> Vec<Effect> {
    let text = match action {
        "logs" => format!("no logs of a {kind}: what has pods writes them"),
        _ => format!("no shell in a {kind}: what has pods can have one"),
    };
    vec![Effect::Toast(SafeText::line(&text))]
}

/// A shell in a container of what this names: a pod, or `deploy/NAME`, of which the verb takes a ready pod and says
/// which. It has the terminal, so that it is one at a time.
fn shell(of: &[&str], container: Option<&str>) -> Vec<Effect> {
    let [one] = of else {
        let text = format!(
            "{} are marked, and a shell is in one: Esc takes the marks back",
            of.len()
        );
        return vec![Effect::Toast(SafeText::line(&text))];
    };
    let stage = lang::Stage::new("kubectl:exec")
        .option("--stdin", None)
        .option("--tty", None);
    let stage = match container {
        Some(container) => stage.option("--container", Some(container)),
        None => stage,
    };
    let stage = stage.arg(one).with(lang::Word::option("--", None)).arg("sh");
    vec![Effect::Run(stage.into())]
}

/// What is wanted of objects of this namespace: the lines name it, as they run in another one. A line that is fed by its
/// first stage takes the namespace from what comes in.
fn in_namespace(effect: Effect, namespace: &str) -> Effect {
    let there = |mut pipeline: Pipeline| {
        let name = |stage: &lang::Stage| stage.words.first().and_then(lang::Word::literal);
        if let Some(stage) = pipeline.stages.first_mut()
            && name(stage).is_some_and(|name| name.starts_with("kubectl:"))
        {
            // Before the words of a command that runs in a container.
            let option = lang::Word::option("--namespace", Some(lang::Word::text(namespace)));
            stage.words.insert(1, option);
        }
        pipeline
    };
    match effect {
        Effect::Run(pipeline) => Effect::Run(there(pipeline)),
        Effect::Compose(pipeline) => Effect::Compose(there(pipeline)),
        other => other,
    }
}

/// Copies texts, one a line.
fn copied(texts: &[&str]) -> Effect {
    let safe: Vec<String> = texts.iter().map(|text| safe_line(text)).collect();
    Effect::Copy(SafeText::new(&safe.join("\n")))
}

fn target(kind: &str, scope: &str, name: &str) -> Target {
    Target {
        kind: kind.to_owned(),
        scope: scope.to_owned(),
        name: name.to_owned(),
    }
}

fn age_cell(at: Option<Timestamp>, now: Timestamp) -> Cell {
    Cell::styled(&at.map_or_else(|| "-".to_owned(), |at| age(now, at)), Meaning::Dim)
}

/// How a pod's status, as kubectl prints it, feels.
fn pod_tone(status: &str, is_ready: bool) -> Tone {
    match status {
        "Running" if is_ready => Tone::Ok,
        "Running" | "Pending" | "ContainerCreating" | "PodInitializing" => Tone::Progress,
        "Terminating" | "Completed" | "Succeeded" => Tone::Neutral,
        status if status.starts_with("Init:") && !status.contains("Err") && !status.contains("BackOff") => {
            Tone::Progress
        }
        _ => Tone::Bad,
    }
}

/// A deployment's state as the panels show it: tone and word. What keeps it from going on, `stuck`, stands in the place of
/// the step it is at: that would look like progress.
fn state(row: &DeploymentRow, stuck: Option<&Cause>) -> (Tone, SafeText) {
    match stuck {
        Some(cause) if !row.deleting => (Tone::Bad, SafeText::line(&cause.reason)),
        _ => {
            let (tone, word) = step(row);
            (tone, word.into())
        }
    }
}

/// The step that a deployment is at, by its own numbers alone.
fn step(row: &DeploymentRow) -> (Tone, &'static str) {
    if row.deleting {
        return (Tone::Progress, "deleting");
    }
    match stage(row) {
        Stage::Failed => (Tone::Bad, "failed"),
        Stage::Paused => (Tone::Waiting, "paused"),
        Stage::Complete if row.replicas == 0 => (Tone::Neutral, "scaled to 0"),
        Stage::Complete => (Tone::Ok, "available"),
        // All pods are of the newest template, yet too few serve: nothing rolls out, something broke.
        Stage::Settling if row.condition("Available").is_some_and(|c| c.status == "False") => (Tone::Warn, "degraded"),
        other => (Tone::Progress, other.word()),
    }
}

/// How much a state wants attention: the rollout panel shows the highest when nobody chose one.
fn urgency(tone: Tone) -> u8 {
    match tone {
        Tone::Bad => 4,
        Tone::Warn => 3,
        Tone::Progress => 2,
        Tone::Waiting => 1,
        Tone::Ok | Tone::Neutral => 0,
    }
}

#[cfg(test)]
mod tests;
