//! `jq FILTER`: jq's outputs as records.

use async_trait::async_trait;
use serde_json::Value;

use crate::core::record::Record;
use crate::core::report::Report;
use crate::features::records::jq::{Fault, Options, Reply, Worker, start};
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{
    Call, Declaration, Input, InputMode, Item, OptionKind, OptionSpec, Output, Positional, Read, Verb, View,
};

const SYNTAX: &str = "E-JQ-001";
const FAILED: &str = "E-JQ-002";
const DEEP: &str = "E-JQ-003";
const USAGE: &str = "E-JQ-004";

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "jq", "Reshape records with a jq filter")
        .description(
            "Runs the filter on every record; each of its outputs is a record of its own. Strings are shown with \
             quotes; -r shows them raw, the record is the same either way. `env` shows a few harmless variables only, \
             and there are no modules.",
        )
        .input(InputMode::All)
        .positional(Positional::new("filter", OptionKind::String, "the filter, best in single quotes").always())
        .positional(
            Positional::new("values", OptionKind::Json, "one value for each --arg")
                .optional()
                .variadic(),
        )
        .options([
            OptionSpec::new("raw-output", OptionKind::Bool, "show strings without quotes").short('r'),
            OptionSpec::new("compact-output", OptionKind::Bool, "show each output on one line").short('c'),
            OptionSpec::new("slurp", OptionKind::Bool, "run once, on the list of all records").short('s'),
            OptionSpec::new(
                "null-input",
                OptionKind::Bool,
                "run once, on null; records come from `inputs`",
            )
            .short('n'),
            OptionSpec::new("arg", OptionKind::List, "bind $NAME to the next value after the filter")
                .value_name("name"),
        ])
        .output("Any JSON value.")
        .example_expecting("jq -n '1, [2]' | jq -c .", "any JSON values", "1\n[2]")
        .example_expecting("jq -n --arg name '\"hi \\($name)\"' mia", "a named value", "\"hi mia\"")
        .example(
            "instance-search 'tag:env=staging' | jq '.public_ip_address | values | \"ssh://admin@\\(.)\"'",
            "one quoted line for each instance that has a public address",
        )
        .notes("The filter language is jq's, as jaq implements it.");
    Verb::read(declaration, Jq)
}

struct Jq;

#[async_trait]
impl Read for Jq {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let options = options(call)?;
        if !options.null_input && !input.is_fed() {
            let message = "jq has no records to work on: nothing comes down a pipe";
            return Err(Report::refused(USAGE, message).hint("-n runs the filter without any"));
        }
        let shape = Shape {
            raw: call.arguments.flag("raw-output"),
            compact: call.arguments.flag("compact-output"),
        };
        let filter = call.arguments.text_at(0).unwrap_or_default();
        let Worker { records, mut replies } = start(filter, options, call.cancel.clone())
            .await
            .map_err(|fault| report(&fault))?;
        let feed = async {
            // Moved in: the filter sees the end of its input when this is done.
            let records = records;
            while let Some(item) = input.next().await {
                if records.send(item.record).await.is_err() {
                    break;
                }
            }
        };
        let drain = async {
            while let Some(reply) = replies.recv().await {
                match reply {
                    Reply::Output(value) => output.send(shape.item(value)).await?,
                    Reply::Failed(record, fault) => {
                        let report = report(&fault);
                        let report = record.map_or(report.clone(), |record| report.on_record(&record));
                        output.fail(report).await?;
                    }
                }
            }
            Ok(())
        };
        let feed = async {
            feed.await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            result = drain => result,
            () = feed => Ok(()),
            // A filter that yields nothing does not notice.
            () = call.cancel.cancelled() => Err(Report::interrupted()),
        }
    }
}

fn options(call: &Call) -> Result<Options, Report> {
    let names = call.arguments.list("arg");
    let values: Vec<Record> = call.arguments.positionals.iter().skip(1).cloned().collect();
    if names.len() != values.len() {
        let message = format!("{} values follow the filter for {} --arg", values.len(), names.len());
        return Err(Report::refused(USAGE, message).hint("jq --arg NAME FILTER VALUE"));
    }
    let proper = |name: &&String| {
        let mut symbols = name.chars();
        symbols.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && symbols.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if let Some(name) = names.iter().find(|name| !proper(name)) {
        return Err(Report::refused(
            USAGE,
            format!("--arg {name:?} is no name of a variable"),
        ));
    }
    let environment = call.context.environment.iter();
    Ok(Options {
        null_input: call.arguments.flag("null-input"),
        slurp: call.arguments.flag("slurp"),
        variables: names.into_iter().zip(values).collect(),
        environment: environment.map(|(name, value)| (name.clone(), value.clone())).collect(),
    })
}

fn report(fault: &Fault) -> Report {
    match fault {
        Fault::Syntax(text) => Report::refused(SYNTAX, format!("the jq filter is wrong: {text}")),
        Fault::Failed(text) => Report::failed(FAILED, format!("jq: {text}")),
        Fault::TooDeep => Report::failed(DEEP, "jq: a value is nested too deep"),
    }
}

/// How outputs are shown.
struct Shape {
    raw: bool,
    compact: bool,
}

impl Shape {
    fn item(&self, record: Value) -> Item {
        let view = match &record {
            Value::String(text) if self.raw => View::Text(text.clone()),
            other if self.compact => View::Text(other.to_string()),
            _ => View::Json(2),
        };
        Item {
            record,
            view: Some(view),
        }
    }
}
