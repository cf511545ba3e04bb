//! The composition root: the command line and one file a mode. May import everything; nobody imports it.

mod bundle;
mod check;
pub mod cli;
mod compose;
pub mod config;
mod console;
pub mod contexts;
pub mod environment;
mod hidden;
mod looks;
mod run;
mod sandbox;
mod sandbox_context;
mod start;
mod verbs;

use std::io::Write;

use clap::error::ErrorKind;
use tokio::runtime::Runtime;

use self::cli::{Common, Mode};
use self::environment::Environment;
use crate::core::report::Report;

/// Reads the command line, runs the mode it names, and gives the exit code.
pub fn main() -> u8 {
    if let Some(code) = hidden::run() {
        return code;
    }
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            if error.kind() == ErrorKind::InvalidSubcommand {
                let _ = writeln!(
                    std::io::stderr(),
                    "\na pipeline without the console: cogdeck run PIPELINE"
                );
            }
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    let environment = Environment::of_process();
    let structured = match &cli.mode {
        Some(Mode::Run(run)) => run.output != cli::Format::Text,
        Some(Mode::Bundle(cli::Bundle {
            action: cli::BundleAction::Run(run),
        })) => run.output != cli::Format::Text,
        _ => false,
    };
    let ended = match cli.mode {
        None => console::run(&cli.common, &environment),
        Some(mode) => headless(mode, &cli.common, &environment),
    };
    ended.unwrap_or_else(|report| tell(&report, structured))
}

fn headless(mode: Mode, common: &Common, environment: &Environment) -> Result<u8, Report> {
    // The stages of one pipeline hand records to each other; waking a second worker for each batch costs more than it
    // does. Reading input and filters have threads and processes of their own.
    let alone = matches!(mode, Mode::Run(_)) && !common.sandbox;
    let runtime = runtime(alone.then_some(1))?;
    let ended = runtime.block_on(async {
        match mode {
            Mode::Run(args) => run::run(args, common, environment).await,
            Mode::Check(args) => check::run(args, common, environment).await,
            Mode::Sandbox(args) => sandbox::run(args, common).await,
            Mode::Bundle(args) => bundle::run(args.action, common, environment).await,
            Mode::Verbs(args) => verbs::run(args.json, environment).await,
        }
    });
    end(runtime);
    ended
}

/// The threads that tasks run on: so many, or one for each of the machine's cores.
fn runtime(workers: Option<usize>) -> Result<Runtime, Report> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    let failed = |error| Report::failed("E-START-001", "no threads to be had").because(&error);
    builder.enable_all().build().map_err(failed)
}

/// A blocking task that never ends (a read of a terminal) must not keep the process.
fn end(runtime: Runtime) {
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
}

fn tell(report: &Report, structured: bool) -> u8 {
    let mut stderr = std::io::stderr();
    let text = if structured {
        vec![report.to_json().to_string()]
    } else {
        report.lines()
    };
    for line in text {
        let _ = writeln!(stderr, "{line}");
    }
    report.severity.exit_code()
}
