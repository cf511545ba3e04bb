//! `cogdeck verbs`: the table of commands, for people and for programs.

use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use super::environment::Environment;
use super::{compose, start};
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::features::{Features, Shared};
use crate::feed::Hub;
use crate::render::table::Layout;
use crate::verb::{Declaration, Verb};

/// Prints the table; the exit code.
pub async fn run(as_json: bool, environment: &Environment) -> Result<u8, Report> {
    let clock = Clock::real();
    let shared = Shared {
        hub: Hub::new(clock.clone()),
        library: Arc::new(start::library(Arc::new(start::store(environment)), environment)),
        clock,
        journal: None,
    };
    let loaded = shared.library.load().await.unwrap_or_default();
    let catalogue = compose::catalogue(&Features::new(shared), Vec::new()).with_bundles(loaded.bundles);
    let verbs: Vec<&Verb> = catalogue.iter().collect();
    let mut out = std::io::stdout().lock();
    let written = if as_json {
        let table: Vec<Value> = verbs.iter().map(|verb| row(&verb.declaration)).collect();
        writeln!(out, "{}", Value::Array(table))
    } else {
        text(&verbs).iter().try_for_each(|line| writeln!(out, "{line}"))
    };
    Ok(u8::from(
        written.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe),
    ))
}

fn text(verbs: &[&Verb]) -> Vec<String> {
    let mut rows = vec![vec!["COMMAND".to_owned(), "RISK".to_owned(), "WHAT IT DOES".to_owned()]];
    rows.extend(verbs.iter().map(|verb| {
        let declaration = &verb.declaration;
        vec![
            declaration.qualified(),
            declaration.risk.to_string(),
            declaration.summary.clone(),
        ]
    }));
    let mut layout = Layout::default();
    for row in &rows {
        layout.fit(row);
    }
    rows.iter().map(|row| layout.line(row)).collect()
}

fn row(declaration: &Declaration) -> Value {
    let options: Vec<Value> = declaration
        .signature
        .options
        .iter()
        .map(|option| {
            json!({
                "name": option.name, "short": option.short, "type": option.kind.word(), "values": option.kind.values(),
                "required": option.required, "default": option.default, "help": option.help,
            })
        })
        .collect();
    let positionals: Vec<Value> = declaration
        .signature
        .positionals
        .iter()
        .map(|p| json!({"name": p.name, "type": p.kind.word(), "values": p.kind.values(), "required": p.required, "variadic": p.variadic, "help": p.help}))
        .collect();
    json!({
        "name": declaration.qualified(), "version": declaration.version, "summary": declaration.summary,
        "risk": declaration.risk, "permission": declaration.permission, "positionals": positionals, "options": options,
        "examples": declaration.examples.iter().map(|example| &example.line).collect::<Vec<_>>(),
    })
}
