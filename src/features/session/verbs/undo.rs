//! `undo N…`: takes journalled changes back, each after the other.

use async_trait::async_trait;

use crate::core::change::Risk;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "undo", "Take a change back")
        .description(
            "Makes the inverse change, in the context in which the change was made. Refused when the target was \
             changed again since, when it was taken back already, or when its command knows no inverse. Several are \
             taken back in the order given, each with a plan of its own; name the newest first.",
        )
        .input(InputMode::None)
        .risk(Risk::Change)
        .recovery()
        .positional(Positional::new("number", OptionKind::Int, "the entry, as `audit` lists it").variadic())
        .output("What the inverse command emits.")
        .example("undo 12", "")
        .example("undo 12 11", "what 12 changed, then what 11 did");
    Verb::read(declaration, Undo)
}

struct Undo;

#[async_trait]
impl Read for Undo {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let numbers = call.arguments.positionals.iter().map(serde_json::Value::as_u64);
        let numbers = numbers.collect::<Option<Vec<u64>>>();
        for number in numbers.ok_or_else(|| Report::refused("E-UNDO-008", "entry numbers start at 1"))? {
            call.session.undo(number, call, output).await?;
        }
        Ok(())
    }
}
