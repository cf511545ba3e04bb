//! `cogdeck run`: a pipeline or a script, headless.

use std::io::{IsTerminal, Read};
use std::path::Path;

use super::cli::{self, Common, Run};
use super::environment::Environment;
use super::start;
use crate::core::change::Origin;
use crate::core::report::Report;
use crate::engine::{Items, OnError};
use crate::lang::{ScriptLine, script_lines};
use crate::ui::headless::printer::Format;
use crate::ui::headless::{self, Settings};

/// The largest script.
const LARGEST_SCRIPT: u64 = 4 << 20;

/// Runs it; the exit code.
pub async fn run(run: Run, common: &Common, environment: &Environment) -> Result<u8, Report> {
    let lines = match &run.file {
        Some(path) => script_lines(&read_script(path)?),
        None => vec![ScriptLine {
            number: 1,
            text: run.pipeline.join(" "),
        }],
    };
    let input = run.input.as_deref().map(records).transpose()?;
    let started = start::ready(common, environment).await?;
    let settings = Settings {
        format: format(run.output),
        echo: run.file.is_some(),
        origin: Origin::Headless {
            yes: run.yes,
            max_targets: run.max_targets,
        },
        timeout: run.timeout,
        input,
        input_from_stdin: run.input.as_deref() == Some("-"),
        on_error: match run.on_error {
            cli::OnError::Stop => OnError::Stop,
            cli::OnError::Continue => OnError::Continue,
        },
        keep_going: run.keep_going,
    };
    let interrupt = start::interrupted()?;
    let streams = (std::io::stdout(), std::io::stderr());
    let code = headless::run(&started.deck.session, &lines, settings, streams, interrupt).await;
    started.end().await;
    Ok(code)
}

/// What to print, on this stdout.
pub fn format(format: cli::Format) -> Format {
    match format {
        cli::Format::Text => Format::Text {
            terminal: std::io::stdout().is_terminal(),
        },
        cli::Format::Json => Format::Json,
        cli::Format::Jsonl => Format::JsonLines,
    }
}

fn read_script(path: &Path) -> Result<String, Report> {
    let refuse = |error: std::io::Error| {
        Report::refused("E-RUN-SCRIPT", format!("cannot read the script {}", path.display())).because(&error)
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(refuse)?;
    file.take(LARGEST_SCRIPT + 1)
        .read_to_string(&mut text)
        .map_err(refuse)?;
    if text.len() as u64 > LARGEST_SCRIPT {
        return Err(Report::refused(
            "E-RUN-SCRIPT",
            format!("{} is larger than {LARGEST_SCRIPT} bytes", path.display()),
        ));
    }
    Ok(text)
}

/// `--input`: JSON values one after another, from the argument or from stdin, read as the pipeline takes them.
pub fn records(argument: &str) -> Result<Items, Report> {
    if argument == "-" {
        return Ok(headless::input::records(std::io::stdin()));
    }
    // Checked before anything runs: a wrong argument is a refusal, not a failure half way.
    for value in serde_json::Deserializer::from_str(argument).into_iter::<serde_json::Value>() {
        value.map_err(|error| Report::refused("E-RUN-INPUT", "--input is not JSON").because(&error))?;
    }
    Ok(headless::input::records(std::io::Cursor::new(argument.to_owned())))
}
