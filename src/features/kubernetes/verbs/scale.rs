//! `kubectl:scale`: another number of replicas, through the scale subresource.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::common::{WRITE, declare, more_names, record_option, selector_option, types_or_objects};
use super::completer::Names;
use super::dry_run::dry_run;
use super::mutation::{self, Draft, Write};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, MERGE_PATCH};
use crate::features::kubernetes::documents;
use crate::features::kubernetes::error::{CONFLICT, NOT_FOUND, usage};
use crate::features::kubernetes::target::{self, Target};
use crate::lang::Stage;
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Mutate, Output, Verb};

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("scale", "Set the number of replicas")
        .permission(WRITE)
        .risk(Risk::Change)
        .option(record_option())
        .positional(types_or_objects("What to scale, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .options(documents::options())
        .options([
            OptionSpec::new("replicas", OptionKind::Int, "The number wanted")
                .required()
                .value_name("count"),
            OptionSpec::new(
                "current-replicas",
                OptionKind::Int,
                "Refuse unless this is the number now",
            )
            .value_name("count"),
            OptionSpec::new("all", OptionKind::Bool, "All objects of the type in the namespace"),
            selector_option(),
        ])
        .exclusive(&["all", "selector"])
        .output("{kind, name, namespace, action, message}.")
        .notes("Scaling to zero is of class destroy: nothing serves any more.")
        .example("kubectl:scale deploy inspector --replicas=3", "three pods");
    Verb::mutate(
        dry_run(declaration),
        Scale {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Scale {
    clients: Arc<Clients>,
}

fn view(live: &Value) -> Value {
    json!({"replicas": live.pointer("/spec/replicas")})
}

#[async_trait]
impl Mutate for Scale {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let given = call.arguments.int("replicas");
        let wanted = given.unwrap_or(-1);
        if wanted < 0 {
            let report = usage("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
            let below = given.map_or(String::new(), |count| format!("{count} is below 0: "));
            return Err(report.hint(format!("{below}kubectl:scale deploy NAME --replicas=3")));
        }
        let session = self.clients.planning(call).await?;
        let found = target::chosen(call, &session, &call.arguments.texts()).await?;
        if found.is_empty() {
            return Err(Report::failed(NOT_FOUND, "no objects passed to scale"));
        }
        let expected = call.arguments.int("current-replicas");
        found
            .iter()
            .map(|(target, live)| change(call, target, live, wanted, expected))
            .collect()
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        mutation::apply(call, &self.clients, change, view, output)
            .await
            .map(|_| ())
    }
}

fn change(call: &Call, target: &Target, live: &Value, wanted: i64, expected: Option<i64>) -> Result<Change, Report> {
    let Some(now) = live.pointer("/spec/replicas").and_then(Value::as_i64) else {
        return Err(Report::failed(
            NOT_FOUND,
            "Error from server (NotFound): the server could not find the requested resource",
        )
        .hint(format!("a {} has no number of replicas", target.resource.kind)));
    };
    if let Some(expected) = expected.filter(|expected| *expected >= 0 && *expected != now) {
        return Err(Report::failed(
            CONFLICT,
            format!("Expected replicas to be {expected}, was {now}"),
        ));
    }
    let back = Stage::new("kubectl:scale")
        .arg(&target.resource.type_name())
        .arg(&target.name)
        .option("--replicas", Some(&now.to_string()));
    let write = Write::Patch {
        subresource: "/scale".to_owned(),
        media: MERGE_PATCH.to_owned(),
        body: json!({"spec": {"replicas": wanted}}),
    };
    let risk = if wanted == 0 && now > 0 {
        Risk::Destroy
    } else {
        Risk::Change
    };
    let draft = Draft::new(
        call,
        target,
        format!("scale {} {now} → {wanted}", target.title()),
        view(live),
        json!({"replicas": wanted}),
    )
    .of(live)
    .risk(risk);
    let draft = if now == wanted { draft } else { draft.undone_by(back) };
    draft.sending(write, "scaled", format!("{} scaled", target.title()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{call, target};
    use super::*;

    fn planned(now: i64, wanted: i64, expected: Option<i64>) -> Result<Change, Report> {
        let live = json!({"metadata": {"uid": "u", "resourceVersion": "4"}, "spec": {"replicas": now}});
        change(
            &call(&[], json!({})),
            &target("Deployment", "it's;x"),
            &live,
            wanted,
            expected,
        )
    }

    #[test]
    fn the_plan_tells_before_after_and_the_way_back() {
        let change = planned(1, 3, None).unwrap();
        assert_eq!(
            (change.before, change.after),
            (json!({"replicas": 1}), json!({"replicas": 3}))
        );
        assert_eq!(change.risk, Risk::Change);
        let inverse = change.inverse.unwrap();
        assert_eq!(inverse.expects, json!({"replicas": 3}));
        let line = crate::lang::parse(&inverse.pipeline).unwrap();
        let words: Vec<String> = line.items[0].pipeline.stages[0]
            .words
            .iter()
            .filter_map(|w| w.literal())
            .collect();
        assert_eq!(
            words,
            [
                "kubectl:scale",
                "deployment.apps",
                "it's;x",
                "--replicas=1",
                "--namespace=default"
            ]
        );
    }

    #[test]
    fn to_zero_is_destroy_and_a_wrong_expectation_is_refused() {
        assert_eq!(planned(3, 0, None).unwrap().risk, Risk::Destroy);
        assert_eq!(
            planned(3, 1, Some(2)).unwrap_err().message,
            "Expected replicas to be 2, was 3"
        );
        assert!(planned(3, 3, None).unwrap().inverse.is_none(), "nothing to take back");
    }
}
