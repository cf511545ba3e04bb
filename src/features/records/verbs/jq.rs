//! `jq FILTER`: jq's outputs as records.

use async_trait::async_trait;
use serde_json::Value;

use crate::core::record::{Record, to_text};
use crate::core::report::Report;
use crate::exec::Helper;
use crate::features::records::jq::{Fault, LARGEST_OUTPUT, Options, Paths, Reply, Worker};
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{
    Call, Declaration, Input, InputMode, Item, OptionKind, OptionSpec, Output, Positional, Read, Verb, View,
};

const SYNTAX: &str = "E-JQ-001";
const FAILED: &str = "E-JQ-002";
const DEEP: &str = "E-JQ-003";
const USAGE: &str = "E-JQ-004";
const ENDED: &str = "E-JQ-005";

/// The verb; `helper` runs its filters.
pub fn verb(helper: Helper) -> Verb {
    let declaration = Declaration::new(BUILT_IN, "jq", "Reshape records with a jq filter")
        .description(
            "Runs the filter on every record; each of its outputs is a record of its own. Strings are shown with \
             quotes; -r shows them raw, the record is the same either way. `env` shows a few harmless variables only, \
             and there are no modules.",
        )
        .input(InputMode::All)
        .positional(Positional::new("filter", OptionKind::String, "the filter, best in single quotes").always())
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
            OptionSpec::new("arg", OptionKind::Pair, "bind $NAME to a text").value_name("name value"),
            OptionSpec::new("argjson", OptionKind::Pair, "bind $NAME to a JSON value").value_name("name json"),
        ])
        .output("Any JSON value.")
        .example_expecting("jq -n '1, [2]' | jq -c .", "any JSON values", "1\n[2]")
        .example_expecting("jq -n --arg name mia '\"hi \\($name)\"'", "a named value", "\"hi mia\"")
        .example(
            "instance-search 'tag:env=staging' | jq '.public_ip_address | values | \"ssh://admin@\\(.)\"'",
            "one quoted line for each instance that has a public address",
        )
        .notes("The filter language is jq's, as jaq implements it.");
    Verb::read(declaration, Jq { helper })
}

struct Jq {
    helper: Helper,
}

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
        let mut first = Vec::new();
        if !options.null_input
            && !options.slurp
            && let Some(paths) = Paths::parse(&filter)
        {
            first = look_up(&paths, &shape, input, output).await?;
            if first.is_empty() {
                return Ok(());
            }
        }
        let started = tokio::select! {
            biased;
            () = call.cancel.cancelled() => return Err(Report::interrupted()),
            started = Worker::start(&self.helper, filter, options) => started,
        };
        // Dropped at the end of this invocation, however it ends: that kills the process.
        let Worker { records, mut replies } = started.map_err(|fault| report(&fault))?;
        let feed = async {
            records.send_all(first, input).await;
            std::future::pending::<()>().await;
        };
        let drain = async {
            let mut said = Vec::new();
            let mut items = Vec::new();
            while replies.batch(&mut said).await.map_err(|fault| report(&fault))? {
                for reply in said.drain(..) {
                    match reply {
                        Reply::Output(value) => items.push(shape.item(value)),
                        Reply::Failed(record, fault) => {
                            output.send_all(&mut items).await?;
                            let report = report(&fault);
                            let report = record.map_or(report.clone(), |record| report.on_record(&record));
                            output.fail(report).await?;
                        }
                    }
                }
                output.send_all(&mut items).await?;
            }
            Ok(())
        };
        tokio::select! {
            result = drain => result,
            () = feed => Ok(()),
            () = call.cancel.cancelled() => Err(Report::interrupted()),
        }
    }
}

/// Answers records without a process; gives the first one that needs it and those that came with it.
async fn look_up(paths: &Paths, shape: &Shape, input: &mut Input, output: &Output) -> Result<Vec<Item>, Report> {
    let (mut items, mut answers) = (Vec::new(), Vec::new());
    while input.batch(&mut items).await {
        let stuck = items.iter().position(|item| match paths.apply(&item.record) {
            Some(value) => {
                answers.push(shape.item(value));
                false
            }
            None => true,
        });
        output.send_all(&mut answers).await?;
        if let Some(at) = stuck {
            return Ok(items.split_off(at));
        }
        items.clear();
    }
    Ok(Vec::new())
}

fn options(call: &Call) -> Result<Options, Report> {
    let mut variables = Vec::new();
    for (name, value) in pairs(call, "arg") {
        variables.push((variable("arg", &name)?, Value::String(to_text(&value))));
    }
    for (name, value) in pairs(call, "argjson") {
        let name = variable("argjson", &name)?;
        let value = match value {
            Value::String(text) => serde_json::from_str(&text).map_err(|error| {
                Report::refused(USAGE, format!("--argjson {name}: {text:?} is not JSON")).because(&error)
            })?,
            // From a variable: it is JSON already.
            other => other,
        };
        variables.push((name, value));
    }
    let environment = call.context.environment.iter();
    Ok(Options {
        null_input: call.arguments.flag("null-input"),
        slurp: call.arguments.flag("slurp"),
        variables,
        environment: environment.map(|(name, value)| (name.clone(), value.clone())).collect(),
    })
}

/// The names and values of an option that takes both.
fn pairs(call: &Call, option: &str) -> Vec<(Record, Record)> {
    let words = call.arguments.options.get(option).and_then(Value::as_array);
    let words = words.map_or(&[][..], Vec::as_slice);
    let (pairs, _) = words.as_chunks();
    pairs.iter().cloned().map(|[name, value]| (name, value)).collect()
}

fn variable(option: &str, name: &Record) -> Result<String, Report> {
    let name = to_text(name);
    let mut symbols = name.chars();
    let starts = symbols.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if starts && symbols.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(name);
    }
    Err(
        Report::refused(USAGE, format!("--{option} {name:?} is no name of a variable"))
            .hint(format!("jq --{option} NAME VALUE FILTER")),
    )
}

fn report(fault: &Fault) -> Report {
    match fault {
        Fault::Syntax(text) => Report::refused(SYNTAX, format!("the jq filter is wrong: {text}")),
        Fault::Failed(text) => Report::failed(FAILED, format!("jq: {text}")),
        Fault::TooDeep => Report::failed(DEEP, "jq: a value is nested too deep"),
        Fault::TooLong => Report::failed(DEEP, format!("jq: a value is longer than {} MiB", LARGEST_OUTPUT >> 20)),
        Fault::Ended(why) => Report::failed(ENDED, format!("the jq filter was ended: {why}"))
            .hint("let it recurse less, or hold less at a time (without -s, with limit or first)"),
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
