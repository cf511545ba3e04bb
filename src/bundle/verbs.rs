//! Turns a manifest into verbs. Commands of bundles declare no plan: they count as `change`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::depot::Inspector;
use super::layers::Layers;
use super::manifest::{Command, CommandOption, CommandOptionKind, Docker, Manifest, Named};
use super::package::{FileMark, own_path};
use crate::core::change::Risk;
use crate::core::context::Context;
use crate::core::record::to_text;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::exec::docker::{Engines, Image};
use crate::exec::native::{self, Surroundings};
use crate::exec::{Helper, Reply, Request, Step};
use crate::render::Line;
use crate::render::greenbar::Template;
use crate::verb::{
    self, BundleInfo, Call, Declaration, Example, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read,
    Verb, View,
};

/// Where the files of a bundle are, and what they must be.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Their folder.
    pub folder: PathBuf,
    /// Those that were pinned, by their paths in it.
    pub marks: Arc<BTreeMap<String, FileMark>>,
}

impl Files {
    /// As they lie beside a manifest, where its author changes them.
    pub fn beside(manifest: &Path) -> Files {
        let folder = match manifest.is_dir() {
            true => Some(manifest),
            false => manifest.parent(),
        };
        let folder = folder
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        Files {
            folder: std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf()),
            marks: Arc::default(),
        }
    }
}

/// The bundle's page and its verbs. `configuration` is what its variables are set to.
pub fn verbs(manifest: &Manifest, configuration: &Layers, files: &Files) -> (BundleInfo, Vec<Verb>) {
    let commands = commands(manifest, configuration, files).into_iter();
    let verbs = commands.map(|(declaration, command)| Verb::read(declaration, command));
    (page(manifest), verbs.collect())
}

/// The bundle's commands with their declarations; they share connections to Docker engines.
pub fn commands(manifest: &Manifest, configuration: &Layers, files: &Files) -> Vec<(Declaration, BundleCommand)> {
    let engines = Arc::new(Engines::default());
    let inspector = Arc::new(Inspector::default());
    let configuration = Arc::new(configuration.clone());
    let variables = manifest.config.iter().flat_map(|config| &config.env);
    let required: Vec<(String, String)> = variables
        .filter(|variable| variable.is_required())
        .map(|variable| (variable.var.clone(), variable.description.clone()))
        .collect();
    // A manifest is refused when one of its templates cannot be read.
    let templates = manifest.templates.iter().filter_map(|(name, template)| {
        let template = Template::parse(&template.body).ok()?;
        Some((name.to_owned(), template))
    });
    let templates: Arc<BTreeMap<String, Template>> = Arc::new(templates.collect());
    let commands = manifest.commands.iter().map(|(name, command)| {
        let action = BundleCommand {
            bundle: manifest.name.clone(),
            command: name.to_owned(),
            executable: command.executable.clone(),
            options: command.options.clone(),
            docker: manifest.docker.clone(),
            env_vars: command
                .env_vars
                .iter()
                .map(|(name, value)| (name.clone(), to_text(value)))
                .collect(),
            configuration: configuration.clone(),
            files: files.folder.clone(),
            marks: match own_path(&command.executable) {
                Some(_) => files.marks.clone(),
                None => Arc::default(),
            },
            required: required
                .iter()
                .filter(|(name, _)| !command.env_vars.contains_key(name))
                .cloned()
                .collect(),
            templates: templates.clone(),
            engines: engines.clone(),
            inspector: inspector.clone(),
        };
        (declaration(manifest, name, command), action)
    });
    commands.collect()
}

/// The bundle's page.
pub fn page(manifest: &Manifest) -> BundleInfo {
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
    let description = match command.long_description.is_empty() {
        true => &command.documentation,
        false => &command.long_description,
    };
    let mut declaration = Declaration::new(&manifest.name, name, &command.description)
        .description(description)
        .notes(&notes(command))
        .output(&command.output.description)
        .input(InputMode::Each)
        .stepped()
        .risk(Risk::Change)
        .positional(Positional::new("arguments", OptionKind::Json, "").optional().variadic())
        .options(options);
    declaration.signature.usage = Some(command.arguments.trim().to_owned());
    declaration.version.clone_from(&manifest.version);
    declaration.rules.clone_from(&command.rules);
    declaration.sample = serde_json::from_str(&command.output.example).ok();
    let lines = command
        .examples
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    declaration.examples.extend(lines.map(|line| Example {
        line: line.to_owned(),
        note: String::new(),
        expect: None,
    }));
    declaration
}

/// Remarks, and the words that a version 4 manifest documents apart.
fn notes(command: &Command) -> String {
    let words = command
        .subcommands
        .iter()
        .map(|(word, what)| format!("{word} - {what}"));
    let remarks = Some(command.notes.trim_end().to_owned()).filter(|notes| !notes.is_empty());
    remarks.into_iter().chain(words).collect::<Vec<_>>().join("\n")
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
    options: Named<CommandOption>,
    docker: Option<Docker>,
    env_vars: BTreeMap<String, String>,
    configuration: Arc<Layers>,
    /// Where the bundle's own files are.
    files: PathBuf,
    /// What its executable and the files beside it must be, where that was pinned.
    marks: Arc<BTreeMap<String, FileMark>>,
    /// Variables without which it is refused, and what they are for.
    required: Vec<(String, String)>,
    templates: Arc<BTreeMap<String, Template>>,
    engines: Arc<Engines>,
    inspector: Arc<Inspector>,
}

impl BundleCommand {
    /// Refuses to start while a variable that the bundle needs is not set for this room and user.
    pub fn configured(&self, room: Option<&str>, user: &str) -> Result<(), Report> {
        let set = self.configuration.values(room, user)?;
        let missing: Vec<&(String, String)> = self
            .required
            .iter()
            .filter(|(name, _)| !set.contains_key(name))
            .collect();
        let Some((first, what)) = missing.first() else {
            return Ok(());
        };
        let names: Vec<&str> = missing.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!(
            "{}:{} needs {}, not set for this room and user",
            self.bundle,
            self.command,
            names.join(", ")
        );
        let what = if what.is_empty() {
            String::new()
        } else {
            format!(" ({what})")
        };
        let bundle = &self.bundle;
        Err(Report::refused("E-BUNDLE-011", message).hint(format!(
            "{first}{what}: `bundle config set {bundle} {first} --value VALUE`, or `--secret` for a secret"
        )))
    }

    /// What a call sends to the command's process.
    pub fn request(&self, call: &Call) -> Result<Request, Report> {
        let room = call.context.room.as_deref();
        Ok(Request {
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
            configuration: self.configuration.values(room, &call.user)?,
        })
    }

    /// The rendering of a reply by the template it names; none: it names none, or one that is not there (which is
    /// told).
    pub fn rendered(&self, reply: &Reply) -> Result<Option<Vec<Line>>, String> {
        let Some(name) = reply.template.as_deref() else {
            return Ok(None);
        };
        match self.templates.get(name) {
            Some(template) => Ok(Some(template.render(&reply.records))),
            // Cog's own two, for which the shape decides here.
            None if matches!(name, "raw" | "text") => Ok(None),
            None => Err(format!(
                "the bundle {} has no template {name:?}; shown as it is",
                self.bundle
            )),
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
                files: self.files.clone(),
            };
            self.unchanged().await?;
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

    /// Refuses an executable that is not what was installed, or lies beside what is not.
    async fn unchanged(&self) -> Result<(), Report> {
        if self.marks.is_empty() {
            return Ok(());
        }
        let (folder, marks, inspector) = (self.files.clone(), self.marks.clone(), self.inspector.clone());
        let looked = tokio::task::spawn_blocking(move || inspector.unchanged(&folder, &marks)).await;
        looked.map_err(|error| Report::failed("E-BUNDLE-034", "a bundle was not read").because(&error))?
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
        let reply = self.execute(call, &self.request(call)?).await?;
        self.deliver(call, reply, output).await
    }

    fn ready(&self, context: &Context, user: &str) -> Result<(), Report> {
        self.configured(context.room.as_deref(), user)
    }
}

impl BundleCommand {
    /// Hands on the records of a reply, and what it says beside them to the operator.
    async fn deliver(&self, call: &Call, reply: Reply, output: &Output) -> Result<(), Report> {
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
        // Only what is shown is rendered: in a pipe the record is all that counts.
        let rendered = match call.last_stage {
            true => self.rendered(&reply),
            false => Ok(None),
        };
        if let Err(why) = &rendered {
            call.operator.note(SafeText::line(why));
        }
        let mut lines = rendered.unwrap_or_default();
        let templated = lines.is_some();
        // Nothing came, and the template may have words for that; there is no record for them to stand with.
        if let (true, Some(lines)) = (reply.records.is_empty(), &lines) {
            let said = lines.iter().map(Line::text).filter(|line| !line.trim().is_empty());
            said.for_each(|line| call.operator.note(SafeText::line(&line)));
        }
        for record in reply.records {
            // The template is about all records at once: it stands with the first.
            match (lines.take(), templated) {
                (Some(lines), _) => output.emit_as(record, View::Lines(lines)).await?,
                (None, true) => output.emit_as(record, View::Hidden).await?,
                (None, false) => match plain_text(&record) {
                    Some(text) => output.emit_as(record, View::Verbatim(text)).await?,
                    None => output.emit(record).await?,
                },
            }
        }
        match reply.abort {
            true => Err(Report::failed(
                "E-BUNDLE-005",
                format!("{} asked to abort the pipeline", call.verb),
            )),
            false => Ok(()),
        }
    }
}

/// Plain text is a verbatim block: its colours survive, no other control does.
fn plain_text(record: &Value) -> Option<String> {
    let map = record.as_object().filter(|map| map.len() == 1)?;
    let lines = map.get("body")?.as_array()?;
    Some(lines.iter().map(to_text).collect::<Vec<_>>().join("\n"))
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
        let (_, command) = commands(&manifest, &Layers::default(), &Files::default()).remove(0);
        let bound = |value: Value| value.as_object().cloned().unwrap();
        let given = command.given(&bound(json!({"times": 0, "tag": false})));
        assert_eq!(given, bound(json!({"times": 0})));
        assert!(command.given(&bound(json!({"tag": true}))).contains_key("tag"));
    }

    #[test]
    fn a_manifest_becomes_declared_verbs() {
        let manifest = Manifest::parse(DEMO).unwrap();
        let (page, verbs) = verbs(&manifest, &Layers::default(), &Files::default());
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
