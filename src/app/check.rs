//! `cogdeck check`: the plan of a pipeline, run by nobody.

use std::io::Write;

use super::cli::{Check, Common, Format};
use super::config::Config;
use super::environment::Environment;
use super::start;
use crate::core::change::Origin;
use crate::core::report::Report;

/// Prints the plan; the exit code.
pub async fn run(check: Check, common: &Common, environment: &Environment) -> Result<u8, Report> {
    let config = Config::load(common.config.as_deref(), environment)?;
    let started = start::deck(config, common, environment).await?;
    started.load_bundles().await;
    started.aliases().await;
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
        Format::Text => checked.lines().iter().try_for_each(|line| writeln!(out, "{line}")),
        Format::Json | Format::Jsonl => writeln!(out, "{}", checked.to_json()),
    };
    // A reader that has gone needs no plan.
    Ok(u8::from(
        written.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe),
    ))
}
