//! `kubectl:wait`: until a condition, a deletion or a field's value is there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, pin_mut};
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::common::{
    READ, all_namespaces_option, declare, field_selector_option, more_names, say, selector_option, sentence,
    types_or_objects, until_stopped,
};
use super::completer::Names;
use super::patience::{Answer, Patience};
use crate::core::record::to_text;
use crate::core::report::{Report, Severity};
use crate::features::kubernetes::client::{Clients, JSON, Session};
use crate::features::kubernetes::error::{self, NOT_FOUND, NOT_REACHED, usage};
use crate::features::kubernetes::feed::patience::{SILENCE, WATCH};
use crate::features::kubernetes::jsonpath::JsonPath;
use crate::features::kubernetes::object;
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::{self, Selection, Target};
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Input, Output, Read, Verb};

/// Before a watch that ended is taken up again.
const PAUSE: Duration = Duration::from_millis(200);
/// A week: what a negative timeout means to kubectl.
const FOREVER: Duration = Duration::from_secs(7 * 24 * 3600);

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("wait", "Wait for a condition")
        .permission(READ)
        .positional(types_or_objects("What to wait for, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .options([
            OptionSpec::new(
                "for",
                OptionKind::String,
                "delete, create, condition=NAME[=VALUE] or jsonpath={PATH}[=VALUE]",
            )
            .required()
            .value_name("condition"),
            OptionSpec::new("timeout", OptionKind::Duration, "Longest wait; 0: look once").default("30s"),
            OptionSpec::new("all", OptionKind::Bool, "All objects of the type in the namespace"),
            selector_option(),
            field_selector_option(),
            all_namespaces_option(),
        ])
        .exclusive(&["all", "selector"])
        .output("{kind, name, namespace, action, message}, one for each object when it got there.")
        .example(
            "kubectl:wait deploy/inspector --for=condition=Available --timeout=60s",
            "until it serves",
        )
        .example(
            "kubectl:wait svc/inspector --for='jsonpath={.status.loadBalancer.ingress[0].hostname}'",
            "until it has a host name",
        );
    Verb::read(
        declaration,
        Wait {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Gone,
    Made,
    Status { name: String, value: String },
    Path { path: JsonPath, value: Option<String> },
}

impl Condition {
    fn parse(text: &str) -> Result<Self, Report> {
        let unknown = || {
            usage(format!("unrecognized condition: \"{text}\""))
                .hint("delete, create, condition=NAME[=VALUE] or jsonpath={PATH}[=VALUE]")
        };
        match text.split_once('=') {
            None if text.eq_ignore_ascii_case("delete") => Ok(Condition::Gone),
            None if text.eq_ignore_ascii_case("create") => Ok(Condition::Made),
            Some(("condition", rest)) if !rest.is_empty() => {
                let (name, value) = rest.split_once('=').unwrap_or((rest, "true"));
                Ok(Condition::Status {
                    name: name.to_owned(),
                    value: value.to_owned(),
                })
            }
            Some(("jsonpath", rest)) => {
                let inner = rest.trim_matches('\'');
                let (path, value) = match inner.rfind('}').and_then(|end| inner.split_at_checked(end + 1)) {
                    Some((path, "")) => (path, None),
                    Some((path, value)) => (path, Some(value.strip_prefix('=').ok_or_else(unknown)?.to_owned())),
                    None => inner
                        .split_once('=')
                        .map_or((inner, None), |(path, value)| (path, Some(value.to_owned()))),
                };
                if path.trim_matches(['{', '}', '.', ' ']).is_empty() || value.as_deref() == Some("") {
                    return Err(unknown());
                }
                let path = JsonPath::relaxed(path).map_err(|error| unknown().because(&error))?;
                Ok(Condition::Path { path, value })
            }
            _ => Err(unknown()),
        }
    }

    fn is_met(&self, live: &Value) -> bool {
        match self {
            Condition::Gone => false,
            Condition::Made => true,
            // A step that is not there yet may come: no error, only not met.
            Condition::Path { path, value } => match (path.values(live).unwrap_or_default().as_slice(), value) {
                ([found], Some(value)) => to_text(found) == *value,
                ([found], None) => !matches!(found, Value::Null) && !to_text(found).is_empty(),
                _ => false,
            },
            Condition::Status { name, value } => {
                let found = object::list(live, "/status/conditions")
                    .iter()
                    .find(|condition| object::text(condition, "/type").eq_ignore_ascii_case(name));
                let Some(condition) = found else { return false };
                // A condition about an older generation says nothing about this one.
                let observed = condition["observedGeneration"]
                    .as_i64()
                    .or(live.pointer("/status/observedGeneration").and_then(Value::as_i64));
                let generation = live.pointer("/metadata/generation").and_then(Value::as_i64);
                let current = !matches!((generation, observed), (Some(now), Some(seen)) if seen < now);
                current && object::text(condition, "/status").eq_ignore_ascii_case(value)
            }
        }
    }
}

struct Wait {
    clients: Arc<Clients>,
}

#[async_trait]
impl Read for Wait {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, self.wait(call, output)).await
    }
}

impl Wait {
    async fn wait(&self, call: &Call, output: &Output) -> Result<(), Report> {
        let condition = Condition::parse(&call.arguments.text("for").unwrap_or_default())?;
        let session = self.clients.session(&call.context).await?;
        let limit = call.arguments.duration("timeout").unwrap_or(FOREVER).min(FOREVER);
        let end = Instant::now() + limit;
        let selection = target::selection(call, &session, &call.arguments.texts()).await?;
        for target in targets(call, &session, selection, &condition).await? {
            let reached = match limit.is_zero() {
                true => Ok(until(call, &session, &target, &condition, true).await),
                false => timeout_at(end, until(call, &session, &target, &condition, false)).await,
            };
            match reached {
                Ok(Ok(Reached::Now)) => {}
                // kubectl is silent about what was not there to begin with.
                Ok(Ok(Reached::Before)) => continue,
                Ok(Err(report)) => return Err(report),
                Err(_) => return Err(timed_out(&target)),
            }
            let message = format!("{} condition met", target.title());
            say(output, sentence(&target, "condition met", &message)).await?;
        }
        Ok(())
    }
}

fn timed_out(target: &Target) -> Report {
    let what = format!("{}/{}", target.resource.plural, target.name);
    Report::new(
        NOT_REACHED,
        format!("timed out waiting for the condition on {what}"),
        Severity::Failed,
    )
}

async fn targets(
    call: &Call,
    session: &Session,
    selection: Selection,
    condition: &Condition,
) -> Result<Vec<Target>, Report> {
    match selection {
        Selection::Named(targets) => Ok(targets),
        Selection::Listed { .. } => {
            let arguments = &call.arguments;
            if !arguments.flag("all")
                && arguments.text("selector").is_none()
                && arguments.text("field-selector").is_none()
            {
                return Err(
                    usage("resource(s) were provided, but no name was specified").hint("name it, or give -l or --all")
                );
            }
            let found = target::objects(call, session, selection).await?;
            if found.is_empty() && *condition != Condition::Gone {
                return Err(Report::failed(NOT_FOUND, "no matching resources found"));
            }
            Ok(found.into_iter().map(|(target, _)| target).collect())
        }
    }
}

/// How a condition came to be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    /// While one looked, or by what was found there.
    Now,
    /// What shall go was gone already.
    Before,
}

/// Returns when the condition is met. A server in trouble is waited for, unless it is so at the first look.
async fn until(
    call: &Call,
    session: &Session,
    target: &Target,
    condition: &Condition,
    once: bool,
) -> Result<Reached, Report> {
    let cluster = &session.cluster;
    let mut patience = Patience::new(call, session, "the wait");
    let mut uid = None;
    let mut looked = false;
    loop {
        let version = match cluster.get::<Value>(&target.path()).await {
            Ok(live) => {
                let known = uid.get_or_insert_with(|| object::uid(&live).to_owned());
                // Another object of the same name: the one waited for is gone.
                if condition.is_met(&live) || (*condition == Condition::Gone && known != object::uid(&live)) {
                    return Ok(Reached::Now);
                }
                object::text(&live, "/metadata/resourceVersion").to_owned()
            }
            Err(error) if error::code(&error) == Some(404) && *condition == Condition::Gone => {
                return Ok(if uid.is_some() { Reached::Now } else { Reached::Before });
            }
            Err(error) if error::code(&error) == Some(404) && *condition == Condition::Made => String::new(),
            Err(error) if looked => {
                patience.broken::<()>(&error).await?;
                continue;
            }
            Err(error) => return Err(cluster.report(&error)),
        };
        looked = true;
        if once {
            let what = format!("{}/{}", target.resource.plural, target.name);
            return Err(Report::failed(NOT_REACHED, format!("condition not met for {what}")));
        }
        changed(session, target, &version, &mut patience).await?;
    }
}

/// Returns when the object may have changed since this version.
async fn changed(session: &Session, target: &Target, version: &str, patience: &mut Patience<'_>) -> Result<(), Report> {
    let path = Query::new()
        .with("watch", "true")
        .with("timeoutSeconds", WATCH.as_secs().to_string())
        .with("fieldSelector", format!("metadata.name={}", target.name))
        .with_some("resourceVersion", Some(version))
        .on(&target.resource.collection(Some(&target.namespace)));
    let Answer::Is(events) = patience.ask(session.cluster.watch::<Value>(&path, JSON)).await? else {
        return Ok(());
    };
    patience.reset();
    pin_mut!(events);
    match timeout(SILENCE, events.next()).await {
        Ok(Some(Ok(WatchEvent::Added(_) | WatchEvent::Modified(_) | WatchEvent::Deleted(_)))) => {}
        // The watch ended, or nobody is there any more: look afresh, but not at once.
        _ => sleep(PAUSE).await,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_are_read_as_kubectl_spells_them() {
        let path = |path: &str, value: Option<&str>| Condition::Path {
            path: JsonPath::parse(path).unwrap(),
            value: value.map(str::to_owned),
        };
        assert_eq!(Condition::parse("delete").unwrap(), Condition::Gone);
        assert_eq!(
            Condition::parse("condition=Ready=false").unwrap(),
            Condition::Status {
                name: "Ready".into(),
                value: "false".into()
            }
        );
        assert_eq!(
            Condition::parse("jsonpath={.status.phase}=Running").unwrap(),
            path("{.status.phase}", Some("Running"))
        );
        assert_eq!(
            Condition::parse("jsonpath='{.a[0].b}'").unwrap(),
            path("{.a[0].b}", None)
        );
        for wrong in [
            "",
            "ready",
            "condition=",
            "jsonpath=",
            "jsonpath={.a}x",
            "jsonpath={.a}=",
        ] {
            assert!(Condition::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_condition_about_an_older_generation_does_not_count() {
        let condition = Condition::parse("condition=available").unwrap();
        let live = |generation: i64| {
            json!({"metadata": {"generation": generation}, "status": {"observedGeneration": 1,
                "conditions": [{"type": "Available", "status": "True"}]}})
        };
        assert!(condition.is_met(&live(1)));
        assert!(!condition.is_met(&live(2)));
        let met = |text: &str| Condition::parse(text).unwrap().is_met(&live(2));
        assert!(met("jsonpath={.metadata.generation}=2"));
        assert!(met("jsonpath={.status.conditions[?(@.type=='Available')].status}=True"));
        assert!(!met("jsonpath={.status.conditions[3].type}=Available"), "not there yet");
    }
}
