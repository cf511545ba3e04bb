//! `sandbox:speed`: how fast the built-in world goes, shown and changed while it runs.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::core::report::Report;
use crate::features::sandbox::client;
use crate::render::View;
use crate::verb::{
    Call, Candidate, Completer, Completion, CompletionRequest, Declaration, Input, OptionKind, Output, Positional,
    Read, Verb,
};

/// As the API takes them.
const SLOWEST: f64 = 0.01;
const FASTEST: f64 = 1000.0;
/// `faster` and `slower` go to the next of these.
const STEPS: [f64; 8] = [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0];

/// The verb. It changes no object of the world, only how long the world takes: a read, that needs no undo, but not one
/// to be run again and again, and not one for those who only look.
pub fn verb() -> Verb {
    let declaration = Declaration::new("sandbox", "speed", "Show or change how fast the sandbox goes")
        .once()
        .description(
            "Pod starts, load balancers, DNS changes and every other wait of the built-in world become shorter (or \
             longer, below 1), those that have begun included. Nothing in it changes, and times stay true: a pod's age \
             is counted in real seconds.",
        )
        .positional(
            Positional::new(
                "speed",
                OptionKind::String,
                "times as fast as a real cluster (0.01 to 1000), faster, or slower; without it the speed is shown",
            )
            .optional(),
        )
        .output("{speed, before}; without a speed given {speed}.")
        .example("sandbox:speed 5", "five times as fast from now on")
        .example("sandbox:speed slower", "one step down")
        .example("sandbox:speed", "how fast it is");
    Verb::read(declaration, Speed).completed_by(std::sync::Arc::new(Steps))
}

struct Speed;

#[async_trait]
impl Read for Speed {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let asked = async {
            let wanted = call.arguments.texts().first().cloned();
            let Some(wanted) = wanted else {
                return client::ask(&call.context, "/speed", None).await;
            };
            call.may_change("this changes how fast the sandbox goes for all who use it")?;
            let speed = match Wanted::parse(&wanted)? {
                Wanted::Times(speed) => speed,
                step => step.after(now(&client::ask(&call.context, "/speed", None).await?)),
            };
            client::ask(&call.context, "/speed", Some(&json!({ "speed": speed }))).await
        };
        let answer = tokio::select! {
            () = call.cancel.cancelled() => return Err(Report::interrupted()),
            answer = asked => answer?,
        };
        let before = answer.get("before").and_then(Value::as_f64);
        let before = before.map_or_else(String::new, |before| format!(" (before: {before})"));
        let text = format!("the sandbox goes at {} times real speed{before}", now(&answer));
        output.emit_as(answer, View::Text(text)).await
    }
}

fn now(answer: &Value) -> f64 {
    answer.get("speed").and_then(Value::as_f64).unwrap_or(1.0)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    Times(f64),
    Faster,
    Slower,
}

impl Wanted {
    fn parse(text: &str) -> Result<Self, Report> {
        match text {
            "faster" => return Ok(Wanted::Faster),
            "slower" => return Ok(Wanted::Slower),
            _ => {}
        }
        let number: Option<f64> = text.trim_end_matches(['x', '×']).parse().ok();
        match number.filter(|number| (SLOWEST..=FASTEST).contains(number)) {
            Some(number) => Ok(Wanted::Times(number)),
            None => Err(Report::refused(
                "E-SANDBOX-012",
                format!("{text} is no speed: a number from {SLOWEST} to {FASTEST}, faster or slower"),
            )
            .hint("sandbox:speed 5")),
        }
    }

    /// The next step; at the end of the steps, where it is.
    fn after(self, speed: f64) -> f64 {
        match self {
            Wanted::Times(speed) => speed,
            Wanted::Faster => STEPS.into_iter().find(|step| *step > speed).unwrap_or(speed),
            Wanted::Slower => STEPS.into_iter().rev().find(|step| *step < speed).unwrap_or(speed),
        }
    }
}

struct Steps;

#[async_trait]
impl Completer for Steps {
    async fn complete(&self, request: CompletionRequest) -> Completion {
        if request.option.is_some() || !request.positionals.is_empty() {
            return Completion::default();
        }
        let words = ["faster", "slower"].map(|word| (word.to_owned(), "one step"));
        let steps = STEPS.map(|step| (step.to_string(), "times real speed"));
        let all = words.into_iter().chain(steps);
        let fit = all.filter(|(value, _)| value.starts_with(&request.prefix));
        let found: Vec<Candidate> = fit
            .map(|(value, note)| Candidate {
                value,
                note: note.to_owned(),
            })
            .collect();
        found.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_speed_is_refused() {
        for text in ["", "0", "-1", "1e9", "NaN", "inf", "fast", "5 5"] {
            assert_eq!(Wanted::parse(text).unwrap_err().code, "E-SANDBOX-012", "{text}");
        }
        assert_eq!(Wanted::parse("5x").unwrap(), Wanted::Times(5.0));
        assert_eq!(Wanted::parse("0.5").unwrap(), Wanted::Times(0.5));
    }

    #[test]
    fn steps_go_up_and_down_and_stop_at_the_ends() {
        assert_eq!(Wanted::Faster.after(1.0), 2.0);
        assert_eq!(Wanted::Faster.after(3.0), 5.0);
        assert_eq!(Wanted::Slower.after(1.0), 0.5);
        assert_eq!(Wanted::Faster.after(700.0), 700.0);
        assert_eq!(Wanted::Slower.after(0.01), 0.01);
    }
}
