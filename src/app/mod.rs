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

use self::cli::{Cli, Mode};
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
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    match cli.mode {
        // The stages of one pipeline hand records to each other; waking a second worker for each batch costs more than
        // it does. Reading input and filters have threads and processes of their own.
        Some(Mode::Run(_)) if !cli.common.sandbox => {
            runtime.worker_threads(1);
        }
        // Beside the thread that draws: feeds of a cluster in motion take a tenth of one. More would each keep a cache of
        // the allocator's, and counting the machine's cores takes longer than to start both.
        None => {
            runtime.worker_threads(2);
        }
        Some(_) => {}
    }
    let runtime = match runtime.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return tell(
                &Report::failed("E-START-001", "no threads to be had").because(&error),
                false,
            );
        }
    };
    let structured = match &cli.mode {
        Some(Mode::Run(run)) => run.output != cli::Format::Text,
        Some(Mode::Bundle(cli::Bundle {
            action: cli::BundleAction::Run(run),
        })) => run.output != cli::Format::Text,
        _ => false,
    };
    let ended = runtime.block_on(mode(cli, &environment));
    // A blocking task that never ends (a read of a terminal) must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match ended {
        Ok(code) => code,
        Err(report) => tell(&report, structured),
    }
}

async fn mode(cli: Cli, environment: &Environment) -> Result<u8, Report> {
    let common = &cli.common;
    match cli.mode {
        Some(Mode::Run(args)) => run::run(args, common, environment).await,
        Some(Mode::Check(args)) => check::run(args, common, environment).await,
        Some(Mode::Sandbox(args)) => sandbox::run(args, common).await,
        Some(Mode::Bundle(args)) => bundle::run(args.action, common, environment).await,
        Some(Mode::Verbs(args)) => verbs::run(args.json, environment).await,
        None => console::run(common, environment).await,
    }
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
