//! `kubectl:set-resources`: requests and limits of containers; a workload rolls out anew.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::common::{WRITE, declare, more_names, record_option, selector_option, types_or_objects};
use super::completer::Names;
use super::dry_run::dry_run;
use super::set_env::{containers, containers_option};
use super::template::{self, Words};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::error::{NOT_FOUND, usage};
use crate::features::kubernetes::quantity::milli;
use crate::features::kubernetes::target::{self, Target};
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Mutate, Output, Verb};

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("set-resources", "Change requests and limits of containers")
        .permission(WRITE)
        .risk(Risk::Change)
        .option(record_option())
        .positional(types_or_objects("What to change, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .options([
            OptionSpec::new("limits", OptionKind::List, "Limits, cpu=200m,memory=512Mi").value_name("pairs"),
            OptionSpec::new("requests", OptionKind::List, "Requests, cpu=100m,memory=256Mi").value_name("pairs"),
            containers_option(),
            OptionSpec::new("all", OptionKind::Bool, "All objects of the type in the namespace"),
            selector_option(),
        ])
        .exclusive(&["all", "selector"])
        .output("{kind, name, namespace, action, message}; nothing where all is so already.")
        .example(
            "kubectl:set resources deploy/inspector --requests=cpu=100m --limits=memory=128Mi",
            "a rolling update with other resources",
        );
    Verb::mutate(
        dry_run(declaration),
        SetResources {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct SetResources {
    clients: Arc<Clients>,
}

#[async_trait]
impl Mutate for SetResources {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let wanted = Wanted::read(call)?;
        let words = call.arguments.texts();
        target::some(call, &words)?;
        let session = self.clients.planning(call).await?;
        let mut changes = Vec::new();
        for (target, live) in target::chosen(call, &session, &words).await? {
            changes.extend(change(call, &target, &live, &wanted)?);
        }
        Ok(changes)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        template::apply(call, &self.clients, change, output).await
    }
}

#[derive(Debug)]
struct Wanted {
    limits: Map<String, Value>,
    requests: Map<String, Value>,
}

impl Wanted {
    fn read(call: &Call) -> Result<Self, Report> {
        let wanted = Wanted {
            limits: quantities(&call.arguments.list("limits"))?,
            requests: quantities(&call.arguments.list("requests"))?,
        };
        if wanted.limits.is_empty() && wanted.requests.is_empty() {
            return Err(usage(
                "you must specify an update to requests or limits (in the form of --requests/--limits)",
            ));
        }
        Ok(wanted)
    }

    fn told(&self) -> String {
        let list = |what: &str, map: &Map<String, Value>| {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
                .collect();
            (!pairs.is_empty()).then(|| format!("{what} {}", pairs.join(",")))
        };
        let told: Vec<String> = [list("limits", &self.limits), list("requests", &self.requests)]
            .into_iter()
            .flatten()
            .collect();
        told.join(" ")
    }
}

fn quantities(pairs: &[String]) -> Result<Map<String, Value>, Report> {
    let mut map = Map::new();
    for pair in pairs {
        let Some((name, quantity)) = pair.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(usage(format!(
                "Invalid argument syntax {pair}, expected <resource>=<value>"
            )));
        };
        if milli(quantity).is_none() {
            return Err(usage(
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            )
            .hint(format!("{name}={quantity}: write 500m, 0.5, 128Mi, 1Gi")));
        }
        map.insert(name.to_owned(), json!(quantity));
    }
    Ok(map)
}

/// No change where all is so already, as in kubectl.
fn change(call: &Call, target: &Target, live: &Value, wanted: &Wanted) -> Result<Option<Change>, Report> {
    let mut edited = template::of(target, live)?.clone();
    let before = edited.clone();
    let pattern = call.arguments.text("containers").unwrap_or_else(|| "*".to_owned());
    let mut seen = false;
    for container in containers(&mut edited, &pattern) {
        seen = true;
        for (field, map) in [("limits", &wanted.limits), ("requests", &wanted.requests)] {
            for (name, quantity) in map {
                if !container["resources"].is_object() {
                    container["resources"] = json!({});
                }
                if !container["resources"][field].is_object() {
                    container["resources"][field] = json!({});
                }
                container["resources"][field][name.as_str()] = quantity.clone();
            }
        }
    }
    if !seen {
        return Err(Report::failed(
            NOT_FOUND,
            format!("unable to find container named {pattern}"),
        ));
    }
    if edited == before {
        return Ok(None);
    }
    let words = Words {
        summary: format!("set resources of {}: {}", target.title(), wanted.told()),
        action: "resource requirements updated",
        cause: wanted.told(),
    };
    template::change(call, target, live, edited, &words).map(Some)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{call, target};
    use super::*;

    #[test]
    fn pairs_are_names_and_quantities() {
        assert!(quantities(&["cpu=500m".into(), "memory=1Gi".into()]).is_ok());
        assert!(
            quantities(&["cpu".into()])
                .unwrap_err()
                .message
                .contains("Invalid argument syntax cpu")
        );
        assert!(
            quantities(&["cpu=x".into()])
                .unwrap_err()
                .message
                .starts_with("quantities must match")
        );
    }

    #[test]
    fn only_what_is_named_changes() {
        let live = json!({"metadata": {"uid": "u"}, "spec": {"template": {"spec": {"containers": [
            {"name": "web", "resources": {"limits": {"cpu": "1"}, "requests": {"memory": "1Gi"}}}]}}}});
        let arguments = call(&[], json!({"limits": ["cpu=2"], "requests": ["cpu=1"]}));
        let wanted = Wanted::read(&arguments).unwrap();
        let found = change(&arguments, &target("Deployment", "web"), &live, &wanted)
            .unwrap()
            .unwrap();
        assert_eq!(
            found.request["write"]["Patch"]["body"]["spec"]["template"]["spec"]["containers"][0]["resources"],
            json!({"limits": {"cpu": "2"}, "requests": {"memory": "1Gi", "cpu": "1"}})
        );
        assert!(Wanted::read(&call(&[], json!({}))).is_err());
    }
}
