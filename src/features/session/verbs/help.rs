//! `help`: pages of bundles and commands.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::core::report::Report;
use crate::features::session::page;
use crate::verb::catalogue::{BUILT_IN, NameError, did_you_mean, nearest};
use crate::verb::{
    Alias, AliasScope, Call, Catalogue, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional,
    Read, Verb, View,
};

const UNKNOWN: &str = "E-HELP-001";
const AMBIGUOUS: &str = "E-HELP-002";

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "help", "Show what there is and how to use it")
        .description(
            "Without a name: all bundles. A bundle's name wins over a command's; words are joined with a \
             dash, those behind a bundle's name are its command's.",
        )
        .input(InputMode::None)
        .positional(
            Positional::new("name", OptionKind::String, "a bundle or a command")
                .optional()
                .variadic(),
        )
        .option(
            OptionSpec::new(
                "output",
                OptionKind::Bool,
                "show only what the command's records look like",
            )
            .short('o'),
        )
        .output("{\"name\", \"summary\", …}: what the page was made from.")
        .page()
        .example("help", "all bundles")
        .example("help kubectl", "one bundle")
        .example("help kubectl set image", "one command");
    Verb::read(declaration, Help)
}

struct Help;

#[async_trait]
impl Read for Help {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let catalogue = call.session.catalogue();
        let name = name(&catalogue, &call.arguments.texts());
        let (record, view) = match name.as_str() {
            "" => (overview(&catalogue), View::Prose(page::overview(&catalogue))),
            name if catalogue.bundles().contains(&name) && !call.arguments.flag("output") => {
                (bundle(&catalogue, name), View::Prose(page::bundle(&catalogue, name)))
            }
            name if let Some(alias) = alias(&catalogue, name) => (
                json!({"name": alias.qualified(), "pipeline": alias.body}),
                View::Text(format!(
                    "Name\n  {} - an alias\n\nPipeline\n  {}",
                    alias.qualified(),
                    alias.body
                )),
            ),
            name => {
                let declaration = find(&catalogue, name)?;
                if let (Some(sample), true) = (&declaration.sample, call.arguments.flag("output")) {
                    return emit_sample(sample, output).await;
                }
                match call.arguments.flag("output") {
                    true => (json!(declaration.output), View::Text(declaration.output.clone())),
                    false => {
                        let page = page::command(&catalogue, &declaration);
                        (command(&declaration), View::Prose(page))
                    }
                }
            }
        };
        output.emit_as(record, view).await
    }
}

/// The name that the words make: joined with dashes, and behind a bundle's name that of its command.
fn name(catalogue: &Catalogue, words: &[String]) -> String {
    match words {
        [bundle, command @ ..] if !command.is_empty() && catalogue.bundles().contains(&bundle.as_str()) => {
            format!("{bundle}:{}", command.join("-"))
        }
        words => words.join("-"),
    }
}

/// Sample records flow as real ones would: a list one by one.
async fn emit_sample(sample: &Value, output: &Output) -> Result<(), Report> {
    for record in sample.as_array().map_or(std::slice::from_ref(sample), Vec::as_slice) {
        output.emit(record.clone()).await?;
    }
    Ok(())
}

/// An alias of this name, where no command has it.
fn alias<'a>(catalogue: &'a Catalogue, name: &str) -> Option<&'a Alias> {
    match name.split_once(':') {
        Some((word, name)) => catalogue.alias(Some(AliasScope::of_word(word)?), name),
        None if catalogue.find(None, name).is_ok() => None,
        None => catalogue.alias(None, name),
    }
}

fn find(catalogue: &Catalogue, name: &str) -> Result<Declaration, Report> {
    let (bundle, command) = match name.split_once(':') {
        Some((bundle, command)) => (Some(bundle), command),
        None => (None, name),
    };
    let error = match catalogue.find(bundle, command) {
        Ok(verb) => return Ok(verb.declaration.as_ref().clone()),
        Err(error) => error,
    };
    let report = match error {
        NameError::Ambiguous(names) => {
            return Err(
                Report::failed(AMBIGUOUS, format!("{name} is a command of several bundles"))
                    .hint(format!("name one: {}", names.join(", "))),
            );
        }
        NameError::UnknownBundle(near) | NameError::UnknownCommand(near) => {
            let bundles = catalogue.bundles().into_iter().map(str::to_owned);
            let near = if near.is_empty() { nearest(name, bundles) } else { near };
            let what = if bundle.is_some() {
                "command"
            } else {
                "bundle or command"
            };
            let report = Report::failed(UNKNOWN, format!("there is no {what} {name:?}"));
            report.hint(did_you_mean(&near).unwrap_or_else(|| "`help` lists the bundles".to_owned()))
        }
    };
    Err(report)
}

fn overview(catalogue: &Catalogue) -> Value {
    let bundles = catalogue.bundles();
    json!({"bundles": bundles.into_iter().map(|name| bundle(catalogue, name)).collect::<Vec<_>>()})
}

fn bundle(catalogue: &Catalogue, name: &str) -> Value {
    let info = catalogue.info(name);
    let commands: Vec<Value> = catalogue
        .commands(name)
        .map(|verb| json!({"name": verb.declaration.name, "summary": verb.declaration.summary}))
        .collect();
    json!({
        "name": name,
        "version": info.map(|info| info.version.clone()),
        "summary": info.map(|info| info.summary.clone()),
        "commands": commands,
    })
}

/// The options with which a command that changes something only looks, `--dry-run=server`.
fn only_looks(declaration: &Declaration) -> Vec<String> {
    let with = declaration.only_looks.with.iter();
    with.map(|(option, value)| match *value {
        "true" => format!("--{option}"),
        value => format!("--{option}={value}"),
    })
    .collect()
}

fn command(declaration: &Declaration) -> Value {
    let options: Vec<Value> = declaration
        .signature
        .options
        .iter()
        .map(|option| {
            json!({"name": option.name, "short": option.short, "required": option.required,
                   "default": option.default, "help": option.help})
        })
        .collect();
    json!({
        "name": declaration.qualified(),
        "version": declaration.version,
        "summary": declaration.summary,
        "synopsis": page::synopsis(declaration),
        "risk": declaration.risk,
        "permission": declaration.permission,
        "read_with": only_looks(declaration),
        "options": options,
        "examples": declaration.examples.iter().map(|example| example.line.clone()).collect::<Vec<_>>(),
    })
}
