//! `cogdeck check`: the plan of a pipeline, run by nobody.

use std::io::Write;

use super::cli::{Check, Common, Format};
use super::environment::Environment;
use super::start;
use crate::core::change::Origin;
use crate::core::report::Report;
use crate::core::text::safe_line;
use crate::engine::Check as Checked;
use crate::render::table::Layout;

/// Prints the plan; the exit code.
pub async fn run(check: Check, common: &Common, environment: &Environment) -> Result<u8, Report> {
    let started = start::ready(common, environment).await?;
    let line = check.pipeline.join(" ");
    let checked = started.deck.session.check(
        &line,
        Origin::Headless {
            yes: true,
            max_targets: None,
        },
    );
    started.end().await;
    let checked = checked?;
    let mut out = std::io::stdout().lock();
    let written = match check.output {
        Format::Text => lines(&checked).iter().try_for_each(|line| writeln!(out, "{line}")),
        Format::Json | Format::Jsonl => writeln!(out, "{}", checked.to_json()),
    };
    // A reader that has gone needs no plan.
    Ok(u8::from(
        written.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe),
    ))
}

/// One line a stage under a header. Safe to print.
fn lines(checked: &Checked) -> Vec<String> {
    let header = ["STAGE", "VERB", "WHERE", "CONTEXT", "PERMISSION", "RISK", "TEXT"];
    let several = checked.stages.last().is_some_and(|stage| stage.pipeline > 1);
    let mut rows: Vec<[String; 7]> = vec![header.map(str::to_owned)];
    rows.extend(checked.stages.iter().map(|s| {
        let number = if several {
            format!("{}.{}", s.pipeline, s.stage)
        } else {
            s.stage.to_string()
        };
        let permission = s.permission.clone().unwrap_or_else(|| "-".to_owned());
        let cells = [&number, &s.verb, &s.site, &s.context, &permission, &s.risk, &s.text];
        cells.map(|cell| safe_line(cell))
    }));
    let mut layout = Layout::default();
    for row in &rows {
        layout.fit(row);
    }
    rows.iter().map(|row| layout.line(row)).collect()
}
