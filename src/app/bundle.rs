//! `cogdeck bundle`: what an author needs of a manifest. `validate` says what is in it, or what is wrong and where;
//! `run` runs one command in isolation, through the same session as every pipeline, and shows both sides of the
//! contract: what its process gets and what its answer is read as. Not for installing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::cli::{BundleAction, BundleRun, Common};
use super::compose;
use super::config::Config;
use super::contexts::Contexts;
use super::environment::Environment;
use super::{run, start};
use crate::bundle::Layers;
use crate::bundle::manifest::{Command, Manifest};
use crate::bundle::source::{Source, Surroundings};
use crate::bundle::verbs::{self, BundleCommand, Files};
use crate::core::change::Origin;
use crate::core::report::Report;
use crate::core::text::{MASK, SafeText, Secret};
use crate::engine::OnError;
use crate::exec::{Reply, Request};
use crate::lang::ScriptLine;
use crate::lang::{self, Stage, Word};
use crate::render::Line;
use crate::render::table::Layout;
use crate::ui::headless::{self, Settings};
use crate::verb::catalogue::{did_you_mean, nearest};
use crate::verb::{Call, Catalogue, Input, Output, Read, Verb, View};

/// Does what is asked; the exit code.
pub async fn run(action: BundleAction, common: &Common, environment: &Environment) -> Result<u8, Report> {
    match action {
        BundleAction::Validate { file } => {
            let text = summary(&manifest(&file, environment).await?);
            let written = std::io::stdout().lock().write_all(text.as_bytes());
            Ok(u8::from(
                written.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe),
            ))
        }
        BundleAction::Keygen => {
            let path = start::keyring(environment).generate()?;
            let text = format!(
                "wrote {}; keep a copy: without it stored secrets are lost\n",
                SafeText::line(&path.display().to_string())
            );
            let written = std::io::stdout().lock().write_all(text.as_bytes());
            Ok(u8::from(
                written.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe),
            ))
        }
        BundleAction::Run(args) => isolated(args, common, environment).await,
    }
}

/// The manifest of a file, or of a folder with its templates.
async fn manifest(path: &Path, environment: &Environment) -> Result<Manifest, Report> {
    if !path.is_dir() {
        return Manifest::read(path);
    }
    let surroundings = Surroundings {
        directory: start::directory(environment),
        scratch: PathBuf::new(),
        environment: BTreeMap::new(),
        closed: true,
    };
    Source::Path(path.to_path_buf())
        .fetch(&surroundings)
        .await?
        .package
        .load()
}

/// A manifest on one screen.
fn summary(manifest: &Manifest) -> String {
    let mut lines = vec![format!(
        "{} {}: {}",
        manifest.name, manifest.version, manifest.description
    )];
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{:15}{value}", format!("{name}:")));
        }
    };
    fact("format", manifest.cog_bundle_version.to_string());
    fact("permissions", manifest.permissions.join(", "));
    match &manifest.docker {
        Some(docker) => {
            fact("image", format!("{}:{}", docker.image, docker.tag));
            fact("binds", docker.binds.join(", "));
        }
        None => fact("image", "none: its executables run on this host".to_owned()),
    }
    let variables = manifest.config.iter().flat_map(|config| &config.env);
    fact("configuration", joined(variables.map(|variable| variable.var.as_str())));
    fact("templates", joined(manifest.templates.keys()));
    lines.push(String::new());
    let mut rows = vec![["COMMAND", "EXECUTABLE", "OPTIONS", "RULES"].map(str::to_owned)];
    rows.extend(manifest.commands.iter().map(|(name, command)| {
        [
            name.to_owned(),
            command.executable.clone(),
            options(command),
            command.rules.join("; "),
        ]
    }));
    let mut layout = Layout::default();
    for row in &rows {
        layout.fit(row);
    }
    lines.extend(rows.iter().map(|row| layout.line(row)));
    let safe = lines.iter().map(|line| SafeText::line(line.trim_end()));
    safe.fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

fn options(command: &Command) -> String {
    let options = command.options.iter().map(|(name, option)| {
        let kind = format!("{:?}", option.kind).to_lowercase();
        format!("--{name} {kind}{}", if option.required { " (required)" } else { "" })
    });
    match options.collect::<Vec<_>>() {
        none if none.is_empty() => "-".to_owned(),
        options => options.join(", "),
    }
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

async fn isolated(mut args: BundleRun, common: &Common, environment: &Environment) -> Result<u8, Report> {
    let manifest = manifest(&args.file, environment).await?;
    let name = args.words.remove(0);
    let Some(command) = manifest.commands.get(&name) else {
        let near = nearest(&name, manifest.commands.keys().map(str::to_owned));
        let known = format!("its commands: {}", joined(manifest.commands.keys()));
        let message = format!("the bundle {} has no command {name:?}", manifest.name);
        return Err(Report::refused("E-BUNDLE-006", message).hint(did_you_mean(&near).unwrap_or(known)));
    };
    take_own_flags(&mut args, command)?;
    let configuration = Layers::of_secrets(configuration(&args.set, environment)?);
    let files = Files::beside(&args.file);
    let page = verbs::page(&manifest);
    let (dry, commands) = (args.dry, verbs::commands(&manifest, &configuration, &files));
    let verbs = commands
        .into_iter()
        .map(|(declaration, command)| Verb::read(declaration, Harness { command, dry }));
    let catalogue = Catalogue::new(verbs).describe(vec![page]);
    let config = Config::load(common.config.as_deref(), environment)?;
    let contexts = Contexts::load(&config, common, environment)?;
    let session = compose::isolated(catalogue, contexts, environment);
    let settings = Settings {
        format: run::format(args.output),
        echo: false,
        origin: Origin::Headless {
            yes: args.yes,
            max_targets: None,
        },
        timeout: args.timeout,
        input: args.input.as_deref().map(run::records).transpose()?,
        input_from_stdin: args.input.as_deref() == Some("-"),
        on_error: OnError::Stop,
        keep_going: false,
    };
    let line = ScriptLine {
        number: 1,
        text: pipeline(&format!("{}:{name}", manifest.name), &args.words),
    };
    let streams = (std::io::stdout(), std::io::stderr());
    Ok(headless::run(&session, &[line], settings, streams, start::interrupted()?).await)
}

/// Behind the command's name everything is the command's, but for our own flags that it does not know.
fn take_own_flags(args: &mut BundleRun, command: &Command) -> Result<(), Report> {
    let own = |flag: &str| command.options.get(flag).is_none();
    if own("dry")
        && let Some(at) = args.words.iter().position(|word| word == "--dry")
    {
        args.words.remove(at);
        args.dry = true;
    }
    if own("input")
        && let Some(at) = args.words.iter().position(|word| word == "--input")
    {
        args.words.remove(at);
        if at == args.words.len() {
            return Err(Report::refused(
                "E-BUNDLE-007",
                "--input needs a value: JSON, or - for stdin",
            ));
        }
        args.input = Some(args.words.remove(at));
    }
    Ok(())
}

/// `NAME=VALUE`, or `NAME` alone for the variable of that name in our own environment, so that a secret need not be typed.
fn configuration(set: &[String], environment: &Environment) -> Result<BTreeMap<String, Secret>, Report> {
    let variable = |entry: &String| match entry.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), Secret::new(value))),
        None => match environment.get(entry) {
            Some(value) => Ok((entry.clone(), Secret::new(value))),
            None => Err(
                Report::refused("E-BUNDLE-008", format!("--set {entry}: there is no such variable"))
                    .hint(format!("export {entry}, or write --set {entry}=VALUE")),
            ),
        },
    };
    set.iter().map(variable).collect()
}

/// The words of a shell as a pipeline: each stays one word, and only what starts with a dash may be an option.
fn pipeline(verb: &str, words: &[String]) -> String {
    let mut stage = Stage::new(verb);
    stage.words.extend(words.iter().map(|text| {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(Word::text(value))),
            None => (text.as_str(), None),
        };
        let named = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        match name.starts_with('-') && name.len() > 1 && name.chars().all(named) {
            true => Word::option(name, value),
            false => Word::text(text),
        }
    }));
    lang::print(&stage)
}

/// Shows what goes in, runs the command unless that is all, and shows what came out.
struct Harness {
    command: BundleCommand,
    dry: bool,
}

#[async_trait]
impl Read for Harness {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let request = self.command.request(call)?;
        request.check()?;
        let configured = self.command.configured(call.context.room.as_deref(), &call.user);
        if let (Err(missing), true) = (&configured, self.dry) {
            call.operator
                .note(SafeText::line(&format!("it would not start: {missing}")));
        }
        let (record, text) = sent(&request);
        output.emit_as(record, View::Text(text)).await?;
        if self.dry {
            return Ok(());
        }
        configured.map_err(|missing| Report {
            hint: Some("--set NAME=VALUE sets a variable, --set NAME takes it from the environment".to_owned()),
            ..missing
        })?;
        let reply = self.command.execute(call, &request).await?;
        let (record, text) = received(&reply);
        output.emit_as(record, View::Text(text)).await?;
        match self.command.rendered(&reply) {
            Ok(None) => {}
            Ok(Some(lines)) => {
                let record = json!({"rendered": lines.iter().map(Line::text).collect::<Vec<_>>()});
                let shown = std::iter::once(Line::plain("rendered:")).chain(lines).collect();
                output.emit_as(record, View::Lines(shown)).await?;
            }
            Err(why) => call.operator.note(SafeText::line(&why)),
        }
        reply.failure().map_or(Ok(()), Err)
    }
}

fn sent(request: &Request) -> (Value, String) {
    let environment: BTreeMap<String, String> = request
        .environment()
        .into_iter()
        .map(|(name, value)| {
            // What is set here counts as secret; what the contract sets over it does not.
            let own = request.configuration.get(&name);
            let secret = own.is_some_and(|own| own.reveal() == value);
            (name, if secret { MASK.to_owned() } else { value })
        })
        .collect();
    let stdin = String::from_utf8_lossy(&request.stdin()).into_owned();
    let mut text = format!("executable: {}\narguments:", request.executable);
    for argument in request.argv() {
        let _ = write!(text, " {}", Value::from(argument));
    }
    text.push_str("\nenvironment:\n");
    for (name, value) in &environment {
        let _ = writeln!(text, "  {name}={value}");
    }
    let _ = write!(text, "stdin:\n  {stdin}");
    let record = json!({"sent": {
        "executable": request.executable, "arguments": request.argv(), "environment": environment, "stdin": stdin,
    }});
    (record, text)
}

fn received(reply: &Reply) -> (Value, String) {
    let mut text = format!("exit code: {}\n", reply.exit_code);
    if let Some(template) = &reply.template {
        let _ = writeln!(text, "template: {template}");
    }
    if reply.abort {
        text.push_str("action: abort\n");
    }
    for (level, message) in &reply.log {
        let _ = writeln!(text, "log {level}: {message}");
    }
    if !reply.notes.is_empty() {
        text.push_str("stderr:\n");
        for line in reply.notes.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = write!(text, "records: {}", reply.records.len());
    for record in &reply.records {
        let pretty = format!("{record:#}").replace('\n', "\n  ");
        let _ = write!(text, "\n  {pretty}");
    }
    let log: Vec<Value> = reply
        .log
        .iter()
        .map(|(level, text)| json!({"level": level, "text": text}))
        .collect();
    let record = json!({"received": {
        "exit_code": reply.exit_code, "template": reply.template, "abort": reply.abort, "log": log,
        "stderr": reply.notes, "records": reply.records,
    }});
    (record, text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_of_a_shell_stay_what_they_are() {
        let words = ["two words", "--times=3", "-t", "-5", "--tag=a b|c", "$x", "--", "--x y"].map(str::to_owned);
        let line = lang::parse(&pipeline("demo:greet", &words)).unwrap();
        let [item] = line.items.as_slice() else {
            panic!("{line:?}")
        };
        let [stage] = item.pipeline.stages.as_slice() else {
            panic!("{line:?}")
        };
        let found: Vec<String> = stage.words.iter().map(|word| word.literal().unwrap()).collect();
        assert_eq!(found[1..], words);
        let options: Vec<bool> = stage.words.iter().map(Word::is_option).collect();
        assert_eq!(options, [false, false, true, true, false, true, false, true, false]);
    }

    #[test]
    fn a_variable_of_the_configuration_comes_from_the_line_or_the_environment() {
        let environment = Environment::from_pairs([("TOKEN", "s3cret")]);
        let set =
            |words: &[&str]| configuration(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>(), &environment);
        let found = set(&["TOKEN", "URL=http://x/?a=b"]).unwrap();
        assert_eq!(
            (found["TOKEN"].reveal(), found["URL"].reveal()),
            ("s3cret", "http://x/?a=b")
        );
        assert!(
            set(&["MISSING"])
                .unwrap_err()
                .hint
                .unwrap()
                .contains("--set MISSING=VALUE")
        );
    }
}
