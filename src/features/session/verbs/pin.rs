//! `… | pin`: shows a pipeline as a panel. The static pass and the front end do it; the verb declares it.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, Known, OptionKind, OptionSpec, Output, Read, Verb};

/// Between two runs at least: a panel is no load test.
const LEAST: Duration = Duration::from_secs(1);
/// Between two runs, as declared.
const USUAL: &str = "5s";

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "pin", "Show a pipeline as a panel of its own")
        .description(
            "The pipeline before it is run again and again, in the context that the console is in, and its latest \
             answer is the panel. One that goes on by itself (traffic:watch, kubectl:logs --follow, kubectl:get --watch) \
             is followed instead, the newest first. The panel says how old its answer is, and shows an error beside the answer \
             before it. It is kept with the layout; x in it, or :unpin NAME, takes it away.\n\n\
             Only what reads can be pinned, without secrets and without earlier answers ($_, $41).",
        )
        .input(InputMode::All)
        .option(
            OptionSpec::new("every", OptionKind::Duration, "between two runs, 1s at least")
                .short('n')
                .default(USUAL)
                .value_name("time"),
        )
        .output("Nothing: a note names the panel.")
        .example("kubectl:get deploy | pin", "a panel of the server's own table")
        .example(
            "kubectl:get po | filter -p status.phase -m Pending | pin --every 2s",
            "what waits, asked for every two seconds",
        )
        .example(
            "traffic:watch http://inspector.spawnhub.com/ | pin",
            "every answer as it comes",
        );
    Verb::read(declaration, Pin)
}

struct Pin;

#[async_trait]
impl Read for Pin {
    /// Runs only where no pipeline stands before it.
    async fn run(&self, _: &Call, _: &mut Input, _: &Output) -> Result<(), Report> {
        let report = Report::refused("E-PIN-001", "nothing stands before pin that could be shown");
        Err(report.hint("kubectl:get deploy | pin"))
    }

    fn pins(&self, arguments: &Known) -> Option<Duration> {
        let every = arguments.options.get("every").and_then(Option::as_ref);
        let every = every.and_then(Value::as_u64).map(Duration::from_millis);
        Some(every.unwrap_or(LEAST).max(LEAST))
    }
}
