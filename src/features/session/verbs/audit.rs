//! `audit`: what was changed, newest first.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::limit;
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::session::AuditEntry;
use crate::verb::{Call, Declaration, Header, Input, InputMode, OptionKind, OptionSpec, Output, Read, Verb, View};

/// The verb.
pub fn verb(clock: &Clock) -> Verb {
    let declaration = Declaration::new(BUILT_IN, "audit", "List the changes that were made, newest first")
        .description("Every change that was made, failed or was declined, with its state before and after.")
        .input(InputMode::None)
        .option(
            OptionSpec::new("limit", OptionKind::Int, "at most so many")
                .short('n')
                .default("50"),
        )
        .output(
            "{\"number\", \"at\", \"user\", \"context\", \"pipeline\", \"change\", \"outcome\", \"undoes\", \"hash\"}",
        )
        .example("audit", "")
        .example("audit -n 1 | jq .change.before", "what the last change found");
    Verb::read(declaration, Audit(clock.clone()))
}

/// What day it is, its clock says, as the entries' times are.
struct Audit(Clock);

#[async_trait]
impl Read for Audit {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let limit = limit(call, "limit")?;
        let entries = call.session.audit(limit).await?;
        let columns = Columns::of(&entries, &call.context.name, self.0.now());
        let header = columns.header();
        for entry in entries {
            let view = View::row(&header, columns.cells(&entry));
            output
                .emit_as(serde_json::to_value(&entry).unwrap_or(Value::Null), view)
                .await?;
        }
        Ok(())
    }
}

/// What has to be told of the entries: where all were made here, or today, that leaves its room to the changes.
struct Columns {
    /// Some were made on another day (UTC).
    days: bool,
    /// Some were made in another context.
    contexts: bool,
}

impl Columns {
    fn of(entries: &[AuditEntry], context: &str, now: Timestamp) -> Self {
        let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
        let today = day(now);
        Columns {
            days: entries.iter().any(|entry| day(entry.at) != today),
            contexts: entries.iter().any(|entry| entry.context != context),
        }
    }

    fn header(&self) -> Arc<Header> {
        let context = self.contexts.then_some("CONTEXT");
        let columns = ["NUMBER", "WHEN", "USER"].into_iter().chain(context);
        Header::new(columns.chain(["CHANGE", "OUTCOME"]))
    }

    fn cells(&self, entry: &AuditEntry) -> Vec<String> {
        let outcome = match entry.undoes {
            Some(number) => format!("{} (undoes {number})", entry.outcome),
            None => entry.outcome.clone(),
        };
        let form = if self.days { "%Y-%m-%d %H:%M:%SZ" } else { "%H:%M:%SZ" };
        let when = entry.at.strftime(form).to_string();
        let context = self.contexts.then(|| entry.context.clone());
        let cells = [entry.number.to_string(), when, entry.user.clone()]
            .into_iter()
            .chain(context);
        cells.chain([entry.change.summary.clone(), outcome]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::session::testing;

    fn entry(number: u64, second: i64, context: &str) -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_second(second).unwrap_or_default(),
            context: context.into(),
            ..testing::entry(number)
        }
    }

    /// As they are shown in the context `sandbox` on the first day.
    fn shown(entries: &[AuditEntry]) -> Vec<Vec<String>> {
        let columns = Columns::of(entries, "sandbox", Timestamp::UNIX_EPOCH);
        let header = columns.header().columns.clone();
        std::iter::once(header)
            .chain(entries.iter().map(|entry| columns.cells(entry)))
            .collect()
    }

    #[test]
    fn what_was_made_here_and_today_leaves_its_room() {
        assert_eq!(
            shown(&[entry(2, 60, "sandbox"), entry(1, 0, "sandbox")]),
            [
                ["NUMBER", "WHEN", "USER", "CHANGE", "OUTCOME"],
                ["2", "00:01:00Z", "maria", "scale deployment/web to 3", "applied"],
                ["1", "00:00:00Z", "maria", "scale deployment/web to 3", "applied"],
            ]
        );
    }

    #[test]
    fn what_was_made_elsewhere_or_before_says_so_though_it_is_the_same_in_all() {
        let day = 86_400;
        for entries in [
            vec![entry(2, day, "prod"), entry(1, 0, "sandbox")],
            vec![entry(2, day, "prod"), entry(1, day, "prod")],
        ] {
            let several = shown(&entries);
            assert_eq!(several[0], ["NUMBER", "WHEN", "USER", "CONTEXT", "CHANGE", "OUTCOME"]);
            assert_eq!(several[1][1..4], ["1970-01-02 00:00:00Z", "maria", "prod"]);
        }
    }
}
