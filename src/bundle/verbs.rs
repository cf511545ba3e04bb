//! Turns a manifest into verbs. Commands of bundles declare no plan: they count as `change`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::manifest::{Command, CommandOption, CommandOptionKind, Docker, Manifest};
use crate::core::change::Risk;
use crate::core::record::to_text;
use crate::core::report::Report;
use crate::core::text::{SafeText, Secret};
use crate::exec::docker::{Engines, Image};
use crate::exec::native::{self, Surroundings};
use crate::exec::{Helper, Reply, Request, Step};
use crate::verb::{
    self, BundleInfo, Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb,
};

/// The bundle's page and its verbs. `configuration` is what its variables are set to.
pub fn verbs(manifest: &Manifest, configuration: &BTreeMap<String, Secret>) -> (BundleInfo, Vec<Verb>) {
    let commands = commands(manifest, configuration).into_iter();
    let verbs = commands.map(|(declaration, command)| Verb::read(declaration, command));
    (page(manifest), verbs.collect())
}

/// The bundle's commands with their declarations; they share connections to Docker engines.
pub fn commands(manifest: &Manifest, configuration: &BTreeMap<String, Secret>) -> Vec<(Declaration, BundleCommand)> {
    let engines = Arc::new(Engines::default());
    let commands = manifest.commands.iter().map(|(name, command)| {
        let action = BundleCommand {
            bundle: manifest.name.clone(),
            command: name.clone(),
            executable: command.executable.clone(),
            options: command.options.clone(),
            docker: manifest.docker.clone(),
            env_vars: command
                .env_vars
                .iter()
                .map(|(name, value)| (name.clone(), to_text(value)))
                .collect(),
            configuration: Arc::new(configuration.clone()),
            engines: engines.clone(),
        };
        (declaration(manifest, name, command), action)
    });
    commands.collect()
}

fn page(manifest: &Manifest) -> BundleInfo {
    let config = manifest.config.clone().unwrap_or_default();
    BundleInfo {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        summary: manifest.description.clone(),
        description: manifest.long_description.clone(),
        configuration: config.notes,
        variables: config
            .env
            .into_iter()
            .map(|variable| (variable.var, variable.description))
            .collect(),
        author: manifest.author.clone(),
        homepage: manifest.homepage.clone(),
    }
}

fn declaration(manifest: &Manifest, name: &str, command: &Command) -> Declaration {
    let options = command.options.iter().map(|(option, spec)| OptionSpec {
        short: spec
            .short_flag
            .as_deref()
            .and_then(|flag| flag.trim_start_matches('-').chars().next()),
        required: spec.required,
        ..OptionSpec::new(option, kind(spec.kind), &spec.description)
    });
    let words = if command.arguments.is_empty() {
        "arguments"
    } else {
        &command.arguments
    };
    let mut declaration = Declaration::new(&manifest.name, name, &command.description)
        .description(&command.long_description)
        .notes(&command.notes)
        .input(InputMode::Each)
        .stepped()
        .risk(Risk::Change)
        .positional(Positional::new(words, OptionKind::Json, "").optional().variadic())
        .options(options);
    declaration.version.clone_from(&manifest.version);
    declaration.rules.clone_from(&command.rules);
    declaration
}

fn kind(kind: CommandOptionKind) -> OptionKind {
    match kind {
        CommandOptionKind::Int => OptionKind::Int,
        CommandOptionKind::Float => OptionKind::Float,
        CommandOptionKind::Bool => OptionKind::Bool,
        CommandOptionKind::String => OptionKind::String,
        CommandOptionKind::Incr => OptionKind::Incr,
        CommandOptionKind::List => OptionKind::List,
    }
}

/// A command of a bundle, as what it does.
pub struct BundleCommand {
    bundle: String,
    command: String,
    executable: String,
    options: BTreeMap<String, CommandOption>,
    docker: Option<Docker>,
    env_vars: BTreeMap<String, String>,
    configuration: Arc<BTreeMap<String, Secret>>,
    engines: Arc<Engines>,
}

impl BundleCommand {
    /// What a call sends to the command's process.
    pub fn request(&self, call: &Call) -> Request {
        Request {
            bundle: self.bundle.clone(),
            command: self.command.clone(),
            executable: self.executable.clone(),
            arguments: call.arguments.positionals.clone(),
            options: self.given(&call.arguments.options),
            record: call.record.clone(),
            user: call.user.clone(),
            room: call.context.room.clone(),
            pipeline_id: call.pipeline_id.clone(),
            invocation_id: format!("{}-{}", call.pipeline_id, call.stage),
            step: match call.step {
                Some(verb::Step::First) => Some(Step::First),
                Some(verb::Step::Last) => Some(Step::Last),
                Some(verb::Step::Middle) | None => None,
            },
            env_vars: self.env_vars.clone(),
            configuration: (*self.configuration).clone(),
        }
    }

    /// Options as commands test for them: by their presence. A flag or counter that was not given is bound as false
    /// or 0, and must not be there at all.
    fn given(&self, bound: &Map<String, Value>) -> Map<String, Value> {
        let absent = |name: &String, value: &Value| match self.options.get(name).map(|option| option.kind) {
            Some(CommandOptionKind::Bool) => *value == Value::Bool(false),
            Some(CommandOptionKind::Incr) => value.as_i64() == Some(0),
            _ => value.is_null(),
        };
        let given = bound.iter().filter(|(name, value)| !absent(name, value));
        given.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Runs the command, in a container of its bundle's image or, without one, on this host; its lines go to the
    /// operator as progress while it runs.
    pub async fn execute(&self, call: &Call, request: &Request) -> Result<Reply, Report> {
        let operator = call.operator.clone();
        let watch = move |line: String| operator.progress(SafeText::line(&line));
        let Some(docker) = &self.docker else {
            let surroundings = Surroundings {
                environment: call.context.environment.clone(),
                directory: self.directory(call),
            };
            return native::run(&Helper::this_program(), &surroundings, request, &call.cancel, watch).await;
        };
        let image = Image {
            name: format!("{}:{}", docker.image, docker.tag),
            binds: docker.binds.clone(),
        };
        let engine = tokio::select! {
            () = call.cancel.cancelled() => return Err(Report::interrupted()),
            engine = self.engines.get(call.context.docker_host.as_deref()) => engine?,
        };
        engine.run(&image, request, &call.cancel, watch).await
    }

    /// Where an executable of this host runs.
    fn directory(&self, call: &Call) -> PathBuf {
        let home = call.context.environment.get("HOME");
        home.map_or_else(|| PathBuf::from("/"), PathBuf::from)
    }
}

#[async_trait]
impl Read for BundleCommand {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let reply = self.execute(call, &self.request(call)).await?;
        deliver(call, reply, output).await
    }
}

/// Hands on the records of a reply, and what it says beside them to the operator.
pub async fn deliver(call: &Call, reply: Reply, output: &Output) -> Result<(), Report> {
    for (level, text) in &reply.log {
        call.operator.note(SafeText::line(&format!("{level}: {text}")));
    }
    let failure = reply.failure();
    // The only line of a failure is its message already.
    if !reply.notes.is_empty() && (failure.is_none() || reply.notes.contains('\n')) {
        call.operator.note(SafeText::new(&reply.notes));
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    for record in reply.records {
        output.emit(record).await?;
    }
    match reply.abort {
        true => Err(Report::failed(
            "E-BUNDLE-005",
            format!("{} asked to abort the pipeline", call.verb),
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::super::manifest::tests::DEMO;
    use super::*;

    #[test]
    fn a_flag_that_was_not_given_is_not_there() {
        let manifest = Manifest::parse(&DEMO.replace("{type: list}", "{type: bool}")).unwrap();
        let (_, command) = commands(&manifest, &BTreeMap::new()).remove(0);
        let bound = |value: Value| value.as_object().cloned().unwrap();
        let given = command.given(&bound(json!({"times": 0, "tag": false})));
        assert_eq!(given, bound(json!({"times": 0})));
        assert!(command.given(&bound(json!({"tag": true}))).contains_key("tag"));
    }

    #[test]
    fn a_manifest_becomes_declared_verbs() {
        let manifest = Manifest::parse(DEMO).unwrap();
        let (page, verbs) = verbs(&manifest, &BTreeMap::new());
        assert_eq!(page.variables, [("GREETING".to_owned(), "the word".to_owned())]);
        let declaration = &verbs[0].declaration;
        assert_eq!(
            (declaration.qualified().as_str(), declaration.risk),
            ("demo:greet", Risk::Change)
        );
        let times = declaration
            .signature
            .options
            .iter()
            .find(|option| option.name == "times")
            .unwrap();
        assert_eq!(
            (times.short, times.required, &times.kind),
            (Some('t'), true, &OptionKind::Int)
        );
    }
}
