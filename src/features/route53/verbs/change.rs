//! What record-create and record-delete share: reading the live record set, the plan's parts, the precondition, the wait
//! for INSYNC and the record they answer with.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::Service;
use super::super::changes::Pending;
use super::super::client::{self, Accepted};
use super::super::model::{RecordSet, canonical_name};
use super::until_cancelled;
use crate::core::change::Target;
use crate::core::report::{Report, Severity};
use crate::core::text::SafeText;
use crate::features::aws::client::Route53;
use crate::lang::ast::Stage;
use crate::render::View;
use crate::verb::{Call, Output};

/// Route 53 takes a minute at most, as a rule.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The sets that live at a name: the one of the type in question, and the other types.
pub struct Live {
    pub set: Option<RecordSet>,
    pub others: Vec<String>,
}

/// Reads what lives at a name. Refuses sets with a routing policy: several share name and type, and this program cannot
/// write them again.
pub async fn live(route53: &Route53, zone: &str, name: &str, kind: &str) -> Result<Live, Report> {
    let sets = client::at_name(route53, zone, name).await?;
    let (mut same, others): (Vec<RecordSet>, Vec<RecordSet>) = sets.into_iter().partition(|set| set.kind == kind);
    if let Some(routed) = same.iter().find(|set| set.identifier.is_some()) {
        let identifier = routed.identifier.as_deref().unwrap_or_default();
        return Err(Report::refused(
            "E-R53-005",
            format!("{kind} {name} has a routing policy (set {identifier:?}), which this command cannot keep"),
        )
        .hint("change it with the AWS console or the aws command"));
    }
    Ok(Live {
        set: same.pop(),
        others: others.into_iter().map(|set| set.kind).collect(),
    })
}

/// The state of a set, null for none.
pub fn state(set: Option<&RecordSet>) -> Value {
    set.map_or(Value::Null, RecordSet::state)
}

/// What must still hold when the change is applied.
pub fn precondition(zone: &str, before: &Value) -> Value {
    json!({"zone": zone, "live": before})
}

/// What the change acts on; the name as one would type it.
pub fn target(zone: &str, name: &str) -> Target {
    Target {
        kind: "RecordSet".to_owned(),
        scope: zone.to_owned(),
        name: canonical_name(name).trim_end_matches('.').to_owned(),
    }
}

/// Refuses when what lives there now is not what the plan saw.
pub fn still(planned: &Value, now: &Value) -> Result<(), Report> {
    if planned.get("live") == Some(now) {
        return Ok(());
    }
    let planned = planned.get("live").unwrap_or(&Value::Null);
    Err(Report::refused(
        "E-R53-006",
        format!("the record changed meanwhile: it was {planned}, now it is {now}"),
    )
    .hint("run the command again to see the new difference"))
}

/// The stage that makes a record set what it is, as a tree.
pub fn creating(zone: &str, set: &RecordSet) -> Stage {
    let mut stage = Stage::new("r53:record-create")
        .arg_option("--zone", zone)
        .arg_option("--type", &set.kind);
    match &set.alias {
        Some(alias) => {
            stage = stage.arg_option("--alias-target-zone", &alias.zone);
            if alias.evaluate {
                stage = stage.option("--evaluate-target-health", None);
            }
            stage.arg(&set.name).arg(&alias.host)
        }
        None => {
            if let Some(ttl) = set.ttl {
                stage = stage.arg_option("--ttl", &ttl.to_string());
            }
            set.values
                .iter()
                .fold(stage.arg(&set.name), |stage, value| stage.arg(value))
        }
    }
}

/// The stage that deletes a record set with exactly these values.
pub fn deleting(zone: &str, set: &RecordSet) -> Stage {
    let stage = Stage::new("r53:record-delete")
        .arg_option("--zone", zone)
        .arg_option("--type", &set.kind)
        .arg(&set.name);
    set.values.iter().fold(stage, |stage, value| stage.arg(value))
}

/// Tells feeds and panel, waits if asked to, and emits the answer. `request` says in a line what was asked for.
pub async fn finish(
    service: &Service,
    route53: &Route53,
    call: &Call,
    output: &Output,
    (zone, set): (&str, &RecordSet),
    (accepted, request): (Accepted, String),
) -> Result<(), Report> {
    service.changes.made(Pending {
        target: call.context.aws.clone(),
        id: accepted.id.clone(),
        zone: zone.to_owned(),
        name: set.name.clone(),
        kind: set.kind.clone(),
    });
    let mut accepted = accepted;
    let waited = match call.arguments.flag("wait") {
        true => wait(route53, call, &mut accepted).await,
        false => Ok(()),
    };
    if accepted.insync {
        service.changes.settled(&accepted.id);
    }
    // The change is made whatever became of the wait, so it is told in any case.
    let record = json!({"change": {"id": accepted.id, "status": accepted.status()}, "request": request});
    let text = format!("Request: {request}\nChange:  {} {}", accepted.id, accepted.status());
    output.emit_as(record, View::Text(text)).await?;
    waited
}

async fn wait(route53: &Route53, call: &Call, accepted: &mut Accepted) -> Result<(), Report> {
    let begin = tokio::time::Instant::now();
    let mut pause = Duration::from_millis(300);
    while !accepted.insync {
        let passed = begin.elapsed();
        if passed > LONGEST_WAIT {
            let message = format!("change {} is still PENDING after {}s", accepted.id, passed.as_secs());
            return Err(Report::new("E-R53-007", message, Severity::TimedOut));
        }
        call.operator.progress(SafeText::line(&format!(
            "change {} PENDING {}s",
            accepted.id,
            passed.as_secs()
        )));
        let look = async {
            tokio::time::sleep(pause).await;
            client::status(route53, &accepted.id).await
        };
        *accepted = until_cancelled(call, look).await?;
        pause = (pause * 3 / 2).min(Duration::from_secs(5));
    }
    Ok(())
}
