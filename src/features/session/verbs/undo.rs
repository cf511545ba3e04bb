//! `undo N…`: takes journalled changes back, one after the other.

use async_trait::async_trait;

use crate::core::change::Risk;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "undo", "Take changes back")
        .description(
            "Makes the inverse change, in the context in which the change was made. Refused when the target was \
             changed again since, when it was taken back already, or when its command knows no inverse. Several go \
             one after the other, each with a plan of its own, until one fails: name the newest first.",
        )
        .input(InputMode::None)
        .risk(Risk::Change)
        .recovery()
        .positional(Positional::new("numbers", OptionKind::Int, "the entries, as `audit` lists them").variadic())
        .output("What the inverse commands emit.")
        .example("undo 12", "")
        .example("undo 12 11", "The later change first.");
    Verb::read(declaration, Undo)
}

struct Undo;

#[async_trait]
impl Read for Undo {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let below = || Report::refused("E-UNDO-008", "entry numbers start at 1");
        let given = call.arguments.positionals.iter();
        let numbers: Vec<u64> = given
            .map(|number| number.as_u64().filter(|number| *number > 0).ok_or_else(below))
            .collect::<Result<_, _>>()?;
        // Nothing is taken back while one of them names nothing.
        for number in &numbers {
            if call.session.audited(*number).await?.is_none() {
                let report = Report::refused("E-UNDO-001", format!("there is no entry {number} in the journal"));
                return Err(report.hint("`audit` lists them"));
            }
        }
        for number in numbers {
            call.session.undo(number, call, output).await?;
        }
        Ok(())
    }
}
