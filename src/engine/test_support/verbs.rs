//! Fake verbs that emit, fail, crash, hang, wait and change a small world, for the engine's tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::core::change::{Change, Inverse, Risk, Target};
use crate::core::report::Report;
use crate::lang::{self, Stage};
use crate::verb::*;

/// Verbs of these qualified names that do nothing.
pub fn catalogue_of(names: &[&str]) -> Catalogue {
    Catalogue::new(names.iter().map(|name| {
        let (bundle, name) = name.split_once(':').unwrap();
        Verb::read(Declaration::new(bundle, name, ""), Function(|_: &Call| Ok(vec![])))
    }))
}

/// A verb from a function of its call.
pub struct Function<F>(pub F);

#[async_trait]
impl<F: Fn(&Call) -> Result<Vec<Value>, Report> + Send + Sync> Read for Function<F> {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        for record in (self.0)(call)? {
            output.emit(record).await?;
        }
        Ok(())
    }
}

/// Emits `{"n":1}` … as many as told; without a number, for ever.
struct Emit(Arc<AtomicUsize>);

#[async_trait]
impl Read for Emit {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let most = call.arguments.text_at(0).map_or(u64::MAX, |text| text.parse().unwrap());
        for n in 1..=most {
            output.emit(json!({"n": n, "name": format!("r{n}")})).await?;
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Hands on its record; may fail, crash, wait, or hang at one of them.
struct Pass;

#[async_trait]
impl Read for Pass {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let record = call.record.clone().unwrap_or(json!({"n": 0}));
        let n = record["n"].as_i64();
        if n.is_some() && n == call.arguments.int("fail") {
            return Err(Report::failed("E-TEST-001", "told to fail"));
        }
        assert!(n.is_none() || n != call.arguments.int("crash"), "told to crash");
        if n.is_some() && n == call.arguments.int("hang") {
            call.cancel.cancelled().await;
            return Err(Report::failed("E-TEST-002", "was told to stop"));
        }
        if let Some(wait) = call.arguments.duration("wait") {
            // The earlier the record, the longer: order must be the engine's doing.
            tokio::time::sleep(wait / u32::try_from(n.unwrap_or(1).max(1)).unwrap()).await;
        }
        output.emit(record).await
    }
}

/// The whole stream: how many there were; with a number, only that many are read.
struct Count;

#[async_trait]
impl Read for Count {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let most = call.arguments.text_at(0).map_or(u64::MAX, |text| text.parse().unwrap());
        let mut count = 0;
        while count < most && input.next().await.is_some() {
            count += 1;
        }
        output.emit(json!(count)).await
    }
}

/// Two records that say where it runs, with what it was fed; fails between them in one context, is late in another.
struct Where;

#[async_trait]
impl Read for Where {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let is = |option: &str| call.arguments.text(option).as_ref() == Some(&call.context.name);
        let record = |step: u64| json!({"here": call.context.name, "step": step, "fed": call.record.as_ref().map(|r| r["n"].clone())});
        if let Some(wait) = call.arguments.duration("wait") {
            tokio::time::sleep(wait).await;
        }
        if is("late") {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        output.emit(record(1)).await?;
        if is("fail") {
            return Err(Report::failed("E-TEST-001", "told to fail"));
        }
        call.operator.note(format!("half of {}", call.context.name).into());
        output.emit(record(2)).await?;
        while call.arguments.flag("follow") {
            output.emit(record(3)).await?;
        }
        Ok(())
    }
}

/// Something that can be changed.
pub type World = Arc<Mutex<BTreeMap<String, i64>>>;

/// `t:set NAME[,NAME...] VALUE`, or `t:set VALUE` on records with a `name`. Value -1 removes (class destroy), 13 fails.
struct Set(World);

#[async_trait]
impl Mutate for Set {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let names = match &call.record {
            Some(record) => record["name"]
                .as_str()
                .ok_or_else(|| Report::failed("E-TEST-003", "no name"))?
                .to_owned(),
            None => call.arguments.text("name").unwrap(),
        };
        Ok(names
            .split(',')
            .map(|name| self.change(call, name.to_owned()))
            .collect())
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        if call.arguments.text("hang").as_ref() == Some(&change.target.name) {
            call.cancel.cancelled().await;
        }
        if call.cancel.is_cancelled() {
            return Err(Report::interrupted());
        }
        if change.only_answers() {
            return output
                .emit(json!({"name": change.target.name, "would": change.after}))
                .await;
        }
        if change.after == json!(13) {
            return Err(Report::failed("E-TEST-004", "13 is unlucky"));
        }
        {
            let mut world = self.0.lock().unwrap();
            match change.after.as_i64() {
                Some(value) => world.insert(change.target.name.clone(), value),
                None => world.remove(&change.target.name),
            };
        }
        output
            .emit(json!({"name": change.target.name, "value": change.after}))
            .await
    }
}

impl Set {
    fn change(&self, call: &Call, name: String) -> Change {
        let value = call.arguments.int("value").unwrap();
        let before = self.0.lock().unwrap().get(&name).map_or(Value::Null, |v| json!(v));
        let after = if value == -1 { Value::Null } else { json!(value) };
        let back = before.as_i64().unwrap_or(-1).to_string();
        let stage = Stage::new("t:set")
            .option("--name", Some(&name))
            .option("--value", Some(&back));
        Change {
            verb: "t:set".into(),
            summary: format!("set {name} {before} → {after}"),
            target: Target {
                kind: "Thing".into(),
                scope: String::new(),
                name,
            },
            risk: match call.arguments.flag("try") {
                true => Risk::Read,
                false if after.is_null() => Risk::Destroy,
                false => Risk::Change,
            },
            inverse: (value != 99).then(|| Inverse {
                pipeline: lang::print(&stage),
                expects: after.clone(),
            }),
            precondition: before.clone(),
            before,
            after,
            request: Value::Null,
            recovery: false,
        }
    }
}

/// `undo N` as the session's feature declares it.
struct Undo;

#[async_trait]
impl Read for Undo {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let number = call.arguments.text_at(0).unwrap().parse().unwrap();
        call.session.undo(number, call, output).await
    }
}

/// `wait`.
struct Wait;

#[async_trait]
impl Read for Wait {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let jobs = call.session.wait(None).await?;
        output.emit(json!(jobs.len())).await
    }
}

/// `pin` as the session's feature declares it.
struct PinIt;

#[async_trait]
impl Read for PinIt {
    async fn run(&self, _: &Call, _: &mut Input, _: &Output) -> Result<(), Report> {
        Err(Report::refused("E-PIN-001", "nothing stands before it"))
    }

    fn pins(&self, arguments: &Known) -> Option<Duration> {
        let every = arguments.options.get("every").and_then(Option::as_ref);
        every.and_then(Value::as_u64).map(Duration::from_millis)
    }
}

/// All of them, on this world; `emitted` counts what `t:emit` handed on.
pub fn verbs(world: &World, emitted: &Arc<AtomicUsize>) -> Vec<Verb> {
    let number = |name: &str| Positional::new(name, OptionKind::Int, "").optional();
    let pass = || {
        Declaration::new("t", "pass", "").options([
            OptionSpec::new("fail", OptionKind::Int, ""),
            OptionSpec::new("crash", OptionKind::Int, ""),
            OptionSpec::new("hang", OptionKind::Int, ""),
            OptionSpec::new("wait", OptionKind::Duration, ""),
        ])
    };
    let echo = Function(|call: &Call| Ok(call.arguments.positionals.clone()));
    let any = || Positional::new("values", OptionKind::Json, "").variadic().optional();
    let secret = OptionSpec {
        secret: true,
        ..OptionSpec::new("password", OptionKind::String, "").short('p')
    };
    vec![
        Verb::read(
            Declaration::new("t", "emit", "")
                .input(InputMode::None)
                .positional(number("n")),
            Emit(emitted.clone()),
        ),
        Verb::read(
            Declaration::new("t", "tail", "").input(InputMode::None).endless(),
            Emit(emitted.clone()),
        ),
        Verb::read(pass(), Pass),
        Verb::read(
            Declaration::new("t", "count", "")
                .input(InputMode::All)
                .positional(number("most")),
            Count,
        ),
        Verb::read(Declaration::new("t", "echo", "").positional(any()), echo),
        Verb::read(Declaration::new("t", "never", "").permission("t:never"), Pass),
        Verb::read(
            Declaration::new("t", "values", "")
                .permission("t:values")
                .positional(any()),
            Function(|call: &Call| Ok(call.arguments.positionals.clone())),
        ),
        Verb::read(Declaration::new("t", "opaque", "").risk(Risk::Change), Pass),
        Verb::read(
            Declaration::new("t", "context", ""),
            Function(|call: &Call| Ok(vec![json!(call.context.name)])),
        ),
        Verb::read(
            Declaration::new("t", "where", "").following(&["follow"]).options([
                OptionSpec::new("fail", OptionKind::String, ""),
                OptionSpec::new("late", OptionKind::String, ""),
                OptionSpec::new("wait", OptionKind::Duration, ""),
                OptionSpec::new("follow", OptionKind::Bool, ""),
            ]),
            Where,
        ),
        Verb::read(
            Declaration::new("t", "login", "")
                .option(secret)
                .option(OptionSpec::new("user", OptionKind::String, "").short('u')),
            Function(|call: &Call| match call.arguments.text("user").as_deref() {
                Some("nobody") => Err(Report::failed("E-TEST-006", "nobody is let in")),
                _ => Ok(vec![]),
            }),
        ),
        Verb::read(Declaration::new("t", "wait", "").once(), Wait),
        Verb::read(
            Declaration::new("t", "logs", "")
                .positional(any())
                .options([
                    OptionSpec::new("follow", OptionKind::Bool, "").short('f'),
                    OptionSpec::new("previous", OptionKind::Bool, ""),
                    OptionSpec::new("watch", OptionKind::Bool, ""),
                ])
                .following(&["follow"])
                .ending(&["previous"]),
            Function(|call: &Call| Ok(vec![json!(call.arguments.flag("follow"))])),
        ),
        Verb::read(
            Declaration::new("t", "pin", "")
                .input(InputMode::All)
                .option(OptionSpec::new("every", OptionKind::Duration, "").default("5s")),
            PinIt,
        ),
        Verb::read(
            Declaration::new("t", "undo", "")
                .risk(Risk::Change)
                .recovery()
                .positional(Positional::new("number", OptionKind::Int, "")),
            Undo,
        ),
        Verb::mutate(
            Declaration::new("t", "set", "")
                .risk(Risk::Change)
                .permission("t:never-tried")
                .only_looking(&[("try", "true"), ("lie", "true")], "t:tried")
                .option(OptionSpec::new("name", OptionKind::String, ""))
                .option(OptionSpec::new("hang", OptionKind::String, "at this one"))
                .option(OptionSpec::new("try", OptionKind::Bool, "plans nothing"))
                .option(OptionSpec::new("lie", OptionKind::Bool, "says so, and plans a change"))
                .option(OptionSpec::new("value", OptionKind::Int, "").required()),
            Set(world.clone()),
        ),
    ]
}
