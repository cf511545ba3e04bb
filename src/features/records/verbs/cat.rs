//! `cat NAME`: records that `tee` put away, alone or together with what comes.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::core::record::Record;
use crate::core::report::Report;
use crate::features::records::kept::name;
use crate::verb::catalogue::{BUILT_IN, did_you_mean, nearest};
use crate::verb::{
    Call, Declaration, Header, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb, View,
};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "cat", "Emit the records that tee kept")
        .description("Without a name: the names in use. When records come down the pipe, an option says how both meet.")
        .input(InputMode::All)
        .positional(Positional::new("name", OptionKind::String, "as tee was given it").optional())
        .options([
            OptionSpec::new(
                "append",
                OptionKind::Bool,
                "the incoming records first, then the kept ones",
            )
            .short('a'),
            OptionSpec::new(
                "merge",
                OptionKind::Bool,
                "the fields of the one kept record into each incoming one",
            )
            .short('m'),
            OptionSpec::new(
                "insert",
                OptionKind::String,
                "what is kept as a field of each incoming record",
            )
            .short('i')
            .value_name("field"),
        ])
        .exclusive(&["append", "merge", "insert"])
        .output("The kept records, or the incoming ones with them.")
        .example_expecting(
            "seed '{\"a\": 1}' | tee one && seed '{\"b\": 2}' | cat one -m | jq -c .",
            "",
            "…{\"b\":2,\"a\":1}",
        );
    Verb::read(declaration, Cat)
}

struct Cat;

#[async_trait]
impl Read for Cat {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        if call.arguments.positionals.is_empty() {
            return names(call, output).await;
        }
        let kept = kept(call).await?;
        let meeting = Meeting::of(call, kept)?;
        if !input.is_fed() {
            return match meeting {
                Meeting::Alone(kept) | Meeting::Append(kept) => emit(kept, output).await,
                _ => Err(Report::refused(
                    USAGE,
                    "nothing comes down a pipe to merge with or insert into",
                )),
            };
        }
        if let Meeting::Alone(_) = meeting {
            let message = "records come down the pipe, and nothing says how they meet the kept ones";
            return Err(Report::refused(USAGE, message).hint("--append, --merge or --insert FIELD"));
        }
        while let Some(item) = input.next().await {
            match meeting.meet(item.record) {
                Ok(record) => output.emit(record).await?,
                Err(record) => {
                    let message = "only a record with fields takes more of them";
                    output
                        .fail(Report::failed(NO_FIELDS, message).on_record(&record))
                        .await?;
                }
            }
        }
        match meeting {
            Meeting::Append(kept) => emit(kept, output).await,
            _ => Ok(()),
        }
    }
}

const USAGE: &str = "E-CAT-001";
const NO_FIELDS: &str = "E-CAT-002";

/// How incoming and kept records meet.
enum Meeting {
    Alone(Vec<Record>),
    Append(Vec<Record>),
    Merge(serde_json::Map<String, Value>),
    Insert(String, Value),
}

impl Meeting {
    fn of(call: &Call, mut kept: Vec<Record>) -> Result<Meeting, Report> {
        if call.arguments.flag("append") {
            return Ok(Meeting::Append(kept));
        }
        if call.arguments.flag("merge") {
            return match (kept.len(), kept.pop()) {
                (1, Some(Value::Object(fields))) => Ok(Meeting::Merge(fields)),
                (count, _) => {
                    let message = format!("--merge needs one kept record with fields; there are {count} records");
                    Err(Report::refused(USAGE, message).hint("--insert FIELD takes any"))
                }
            };
        }
        Ok(match call.arguments.text("insert") {
            None => Meeting::Alone(kept),
            Some(field) => {
                let value = match kept.len() {
                    1 => kept.pop().unwrap_or_default(),
                    _ => Value::Array(kept),
                };
                Meeting::Insert(field, value)
            }
        })
    }

    fn meet(&self, record: Record) -> Result<Record, Record> {
        match (self, record) {
            (Meeting::Merge(fields), Value::Object(mut map)) => {
                map.extend(fields.clone());
                Ok(Value::Object(map))
            }
            (Meeting::Insert(field, value), Value::Object(mut map)) => {
                map.insert(field.clone(), value.clone());
                Ok(Value::Object(map))
            }
            (Meeting::Alone(_) | Meeting::Append(_), record) => Ok(record),
            (_, record) => Err(record),
        }
    }
}

async fn emit(kept: Vec<Record>, output: &Output) -> Result<(), Report> {
    for record in kept {
        output.emit(record).await?;
    }
    Ok(())
}

async fn kept(call: &Call) -> Result<Vec<Record>, Report> {
    let name = name(call)?;
    if let Some(records) = call.session.kept(&name).await? {
        return Ok(records);
    }
    let names = call.session.kept_names().await?;
    let near = nearest(&name, names.into_iter().map(|(name, _)| name));
    let hint = did_you_mean(&near).unwrap_or_else(|| "`cat` alone lists the names; tee keeps records".to_owned());
    Err(Report::failed("E-KEPT-002", format!("nothing is kept as {name}")).hint(hint))
}

async fn names(call: &Call, output: &Output) -> Result<(), Report> {
    let header = Header::new(["NAME", "RECORDS"]);
    for (name, count) in call.session.kept_names().await? {
        let view = View::row(&header, vec![name.clone(), count.to_string()]);
        output.emit_as(json!({"name": name, "records": count}), view).await?;
    }
    Ok(())
}
