//! `kubectl:rollout-status`: follows a rollout until it is done, failed or cancelled.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, pin_mut};
use jiff::Timestamp;
use kube::core::WatchEvent;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::core::clock::Clock;
use crate::core::report::{Report, Severity};
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, JSON, Session};
use crate::features::kubernetes::error::{self, NOT_REACHED, usage};
use crate::features::kubernetes::feed::patience::{SILENCE, WATCH};
use crate::features::kubernetes::listing;
use crate::features::kubernetes::model::{DeploymentRow, EventRow, PodRow, SlimRow};
use crate::features::kubernetes::object;
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::rollout::{self, Cause, GateState, Progress, Standing, Traffic, progress, trouble};
use crate::features::kubernetes::target::{self, Target};
use crate::features::kubernetes::verbs::common::{
    READ, declare, more_names, say, selector_option, sentence, types_or_objects, until_stopped,
};
use crate::features::kubernetes::verbs::completer::Names;
use crate::features::kubernetes::verbs::patience::{Answer, Patience};
use crate::features::kubernetes::verbs::rollout::history::{controller_revisions, replica_sets};
use crate::features::traffic::model::{Sample, Tally, samples};
use crate::feed::{Hub, Subscription};
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Input, Output, Read, Verb};

/// What rolls out.
const KINDS: [&str; 3] = ["Deployment", "DaemonSet", "StatefulSet"];
/// Before a watch that ended is taken up again.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a rollout stands still before somebody who looks on is told why.
const STILL: Duration = Duration::from_secs(2);

/// The verb.
pub fn verb(clients: &Arc<Clients>, hub: &Hub) -> Verb {
    let declaration = declare("rollout-status", "Follow a rollout until it is done")
        .permission(READ)
        .positional(types_or_objects("What to follow, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .options([
            selector_option(),
            OptionSpec::new("watch", OptionKind::Bool, "Follow until it ends")
                .short('w')
                .default("true"),
            OptionSpec::new("timeout", OptionKind::Duration, "Longest wait; 0: no limit").default("0"),
            OptionSpec::new(
                "revision",
                OptionKind::Int,
                "Fail when another revision is running; 0: the latest",
            )
            .default("0")
            .value_name("number"),
            OptionSpec::new(
                "fail-fast",
                OptionKind::Bool,
                "Fail as soon as a new pod cannot start, with the cause",
            ),
            OptionSpec::new(
                "max-errors",
                OptionKind::Float,
                "Fail when more than this share of the measured requests fails, in percent",
            )
            .value_name("percent"),
        ])
        .output("{kind, name, namespace, action, message, gates}, one whenever the state changes; a gate is {name, state, detail}.")
        .notes("For deployments, daemon sets and stateful sets. Fails with exit code 1 when a deployment exceeds its progress deadline; with --fail-fast as soon as the cause is known: an image that cannot be pulled, a crash loop, no node, a quota, a probe that fails. --max-errors looks at the requests of traffic:watch or traffic:logs that run beside it.")
        .example("kubectl:rollout status deploy/inspector", "until all pods are new");
    Verb::read(
        declaration,
        Status {
            clients: clients.clone(),
            hub: hub.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Status {
    clients: Arc<Clients>,
    hub: Hub,
}

#[async_trait]
impl Read for Status {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let limit = call.arguments.duration("timeout").filter(|limit| !limit.is_zero());
        let work = until_stopped(call, output, self.follow_all(call, output));
        match limit {
            None => work.await,
            Some(limit) => timeout(limit, work).await.unwrap_or_else(|_| {
                Err(Report::new(
                    NOT_REACHED,
                    "timed out waiting for the condition",
                    Severity::Failed,
                ))
            }),
        }
    }
}

impl Status {
    async fn follow_all(&self, call: &Call, output: &Output) -> Result<(), Report> {
        let session = self.clients.session(&call.context).await?;
        let watched = Watched::begin(call, &self.hub)?;
        let selection = target::selection(call, &session, &call.arguments.texts()).await?;
        for (target, live) in target::objects(call, &session, selection).await? {
            if !KINDS.contains(&target.resource.kind.as_str()) {
                let kind = target.resource.qualified_kind();
                return Err(usage(format!("no status viewer has been implemented for {kind}")));
            }
            let mut watch = Watch {
                call,
                session: &session,
                target: &target,
                output,
                traffic: watched.as_ref(),
                clock: self.hub.clock(),
                said: String::new(),
                told: !call.operator.shows_previews(),
            };
            watch.follow(live).await?;
        }
        Ok(())
    }
}

/// The requests measured beside the rollout, since it is followed.
struct Watched {
    samples: Subscription<Sample>,
    since: Timestamp,
    /// Share that may fail, 0 to 1.
    limit: f64,
}

impl Watched {
    fn begin(call: &Call, hub: &Hub) -> Result<Option<Self>, Report> {
        let Some(percent) = call.arguments.float("max-errors") else {
            return Ok(None);
        };
        if !(0.0..=100.0).contains(&percent) {
            return Err(usage(format!("--max-errors {percent} is not a percentage: 0 to 100")));
        }
        Ok(Some(Watched {
            samples: samples(hub, &call.context),
            since: hub.clock().now(),
            limit: percent / 100.0,
        }))
    }

    fn now(&self) -> Traffic {
        let tally = self.samples.source().read(|rows, _| {
            Tally::of(
                rows.iter()
                    .map(|(_, sample)| sample)
                    .filter(|sample| sample.at >= self.since),
            )
        });
        Traffic {
            total: tally.total,
            failed: tally.failed,
            limit: self.limit,
        }
    }
}

struct Watch<'a> {
    call: &'a Call,
    session: &'a Session,
    target: &'a Target,
    output: &'a Output,
    traffic: Option<&'a Watched>,
    clock: &'a Clock,
    /// The last sentence: watch events that change nothing of it say nothing new.
    said: String,
    /// The operator knows why it stands still, or is no one who looks.
    told: bool,
}

impl Watch<'_> {
    async fn follow(&mut self, first: Value) -> Result<(), Report> {
        let mut live = first;
        let mut patience = Patience::new(self.call, self.session, "the look at the rollout");
        loop {
            if self.judge(&live).await? || !self.call.arguments.flag("watch") {
                return Ok(());
            }
            let version = object::text(&live, "/metadata/resourceVersion");
            live = match self.next(version, &mut patience).await? {
                Some(changed) => changed,
                // The watch ended (a timeout of the server, a 410): look afresh.
                None => {
                    sleep(PAUSE).await;
                    let path = self.target.path();
                    loop {
                        if let Answer::Is(live) = patience.ask(self.session.cluster.get(&path)).await? {
                            break live;
                        }
                    }
                }
            };
        }
    }

    /// Says what is new; true when the rollout is done.
    async fn judge(&mut self, live: &Value) -> Result<bool, Report> {
        let found = match self.target.resource.kind.as_str() {
            "DaemonSet" => rollout::daemon_set(live),
            "StatefulSet" => rollout::stateful_set(live),
            _ => {
                let wanted = self.call.arguments.int("revision").filter(|revision| *revision > 0);
                progress(&deployment(live)?, wanted)
            }
        };
        let action = match &found {
            Progress::Failed(sentence) => {
                return Err(Report::failed(NOT_REACHED, sentence.clone()).hint(self.way_back()));
            }
            Progress::Waiting(_) => "waiting",
            Progress::Done(_) => "rolled out",
        };
        let gates = rollout::gates(
            &standing(self.target, live, self.clock.now())?,
            self.traffic.map(Watched::now),
        );
        if let Some(failed) = gates
            .iter()
            .find(|gate| gate.name == "traffic" && gate.state == GateState::Failed)
        {
            let what = format!("{} is stopped by its traffic: {}", self.target.title(), failed.detail);
            return Err(Report::failed(NOT_REACHED, what).hint(self.way_back()));
        }
        let moved = self.said != found.sentence();
        if moved {
            self.said = found.sentence().to_owned();
            let mut record = sentence(self.target, action, &self.said);
            record["gates"] = gates.iter().map(rollout::Gate::record).collect();
            say(self.output, record).await?;
        }
        if matches!(found, Progress::Done(_)) {
            return Ok(true);
        }
        if self.call.arguments.flag("fail-fast") {
            self.fail_fast(live).await?;
        } else if !moved && !self.told {
            self.tell_cause(live).await;
        }
        Ok(false)
    }

    /// Who looks on is told once why the rollout stands still. What hides the cause, as a right that is missing, does not
    /// end the look.
    async fn tell_cause(&mut self, live: &Value) {
        if let Ok(Some(cause)) = self.cause(live).await {
            let text = format!("{}; {}, or wait", cause.sentence(), self.way_back());
            self.call.operator.note(SafeText::line(&text));
            self.told = true;
        }
    }

    fn way_back(&self) -> String {
        let stage = crate::lang::Stage::new("kubectl:rollout-undo").arg(&self.target.title());
        format!("go back with {}", crate::lang::print(&stage))
    }

    /// The next state of the deployment; none when the watch ended.
    async fn next(&self, version: &str, patience: &mut Patience<'_>) -> Result<Option<Value>, Report> {
        let path = Query::new()
            .with("watch", "true")
            .with("timeoutSeconds", WATCH.as_secs().to_string())
            .with("fieldSelector", format!("metadata.name={}", self.target.name))
            .with("resourceVersion", version)
            .on(&self.target.resource.collection(Some(&self.target.namespace)));
        // A pod that cannot start does not always move its deployment.
        let silence = match self.call.arguments.flag("fail-fast") || self.traffic.is_some() {
            true => Duration::from_secs(1),
            false if !self.told => STILL,
            false => SILENCE,
        };
        let opening = self.session.cluster.watch::<Value>(&path, JSON);
        let Answer::Is(events) = patience.ask(opening).await? else {
            return Ok(None);
        };
        patience.reset();
        pin_mut!(events);
        loop {
            let Ok(event) = timeout(silence, events.next()).await else {
                return Ok(None);
            };
            match event {
                Some(Ok(WatchEvent::Added(live) | WatchEvent::Modified(live))) => return Ok(Some(live)),
                Some(Ok(WatchEvent::Deleted(_))) => return Err(Report::failed(NOT_REACHED, "object has been deleted")),
                Some(Ok(WatchEvent::Bookmark(_))) => {}
                // Cut, expired or not understood: the caller looks afresh and reports what that says.
                Some(Ok(WatchEvent::Error(_)) | Err(_)) | None => return Ok(None),
            }
        }
    }

    /// Fails when what is new cannot start, with the cause.
    async fn fail_fast(&self, live: &Value) -> Result<(), Report> {
        let Some(cause) = self.cause(live).await? else {
            return Ok(());
        };
        let what = format!("{} cannot roll out: {}", self.target.title(), cause.sentence());
        let record = json!({"pod": cause.pod, "reason": cause.reason, "message": cause.message});
        Err(Report::failed(NOT_REACHED, what)
            .on_record(&record)
            .hint(self.way_back()))
    }

    async fn cause(&self, live: &Value) -> Result<Option<Cause>, Report> {
        if object::number(live, "/metadata/generation") > object::number(live, "/status/observedGeneration") {
            return Ok(None);
        }
        if self.target.resource.kind != "Deployment" {
            let revision = self.newest_revision(live).await?;
            if let Some(cause) = self.trouble_of(live, |pod| rollout::is_of(pod, &revision)).await? {
                return Ok(Some(cause));
            }
            let about = self
                .events(&format!("involvedObject.uid={}", object::uid(live)))
                .await?;
            // Events live for an hour: what an earlier template or size was refused says nothing about this rollout.
            let begun = changed_at(live);
            return Ok(rollout::refused_creation(
                about.iter().filter(|event| event.at >= begun),
            ));
        }
        let row = deployment(live)?;
        if let Some(refused) = rollout::refused(&row) {
            return Ok(Some(refused));
        }
        let sets = replica_sets(self.session, live).await?;
        let revision = row.revision.map(|number| number.to_string());
        let newest = sets
            .iter()
            .find(|set| object::annotation(set, object::REVISION).map(str::to_owned) == revision);
        match newest {
            Some(newest) => self.trouble_of(newest, |_| true).await,
            None => Ok(None),
        }
    }

    /// What the newest pods of a stateful or daemon set are labelled with.
    async fn newest_revision(&self, live: &Value) -> Result<String, Report> {
        if self.target.resource.kind == "StatefulSet" {
            return Ok(object::text(live, "/status/updateRevision").to_owned());
        }
        let revisions = controller_revisions(self.session, live).await?;
        let newest = revisions
            .iter()
            .max_by_key(|revision| object::number(revision, "/revision"));
        let label = newest.map(|revision| object::text(revision, "/metadata/labels/controller-revision-hash"));
        Ok(label.unwrap_or_default().to_owned())
    }

    /// The events of the namespace that a field selector picks.
    async fn events(&self, selector: &str) -> Result<Vec<EventRow>, Report> {
        let resource = self.session.cluster.discovery().await?.find("events")?;
        let query = Query::new().with("fieldSelector", selector);
        let found = listing::list(self.session, &resource.collection(Some(&self.target.namespace)), &query).await?;
        let rows = found.into_iter().filter_map(|event| serde_json::from_value(event).ok());
        Ok(rows.map(EventRow::of).collect())
    }

    /// The first pod of a set that cannot start, of those that count.
    async fn trouble_of(&self, set: &Value, counts: impl Fn(&Value) -> bool) -> Result<Option<Cause>, Report> {
        let pods = self.session.cluster.discovery().await?.find("pods")?;
        let labels = object::map(set, "/spec/selector/matchLabels").map(object::label_query);
        let query = Query::new().with_some("labelSelector", labels);
        let mut waiting = Vec::new();
        for pod in listing::list(self.session, &pods.collection(Some(&self.target.namespace)), &query).await? {
            if !counts(&pod) {
                continue;
            }
            let uid = object::uid(&pod).to_owned();
            let Ok(raw) = serde_json::from_value(pod) else { continue };
            let pod = PodRow::of(raw);
            if pod.owner_uid != object::uid(set) || pod.deleting {
                continue;
            }
            if let Some(cause) = trouble(&pod) {
                return Ok(Some(cause));
            }
            if !pod.is_ready {
                waiting.push((uid, pod));
            }
        }
        if waiting.is_empty() {
            return Ok(None);
        }
        let failed = self.events("reason=Unhealthy").await?;
        Ok(waiting.iter().find_map(|(uid, pod)| {
            let own = failed.iter().filter(|event| event.object_uid == *uid);
            rollout::unhealthy(&pod.name, pod.probe_failures, own)
        }))
    }
}

/// The numbers of a rollout, from the object as it is.
fn standing(target: &Target, live: &Value, now: Timestamp) -> Result<Standing, Report> {
    let status = |field: &str| object::number(live, &format!("/status/{field}"));
    let new = |field: &str, all: &str, updated: &str| rollout::of_new(status(field), status(all) - status(updated));
    Ok(match target.resource.kind.as_str() {
        "DaemonSet" => Standing {
            wanted: status("desiredNumberScheduled"),
            updated: status("updatedNumberScheduled"),
            ready: new("numberReady", "currentNumberScheduled", "updatedNumberScheduled"),
            available: new("numberAvailable", "currentNumberScheduled", "updatedNumberScheduled"),
            ..Standing::default()
        },
        "StatefulSet" => Standing {
            wanted: live.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1),
            updated: status("updatedReplicas"),
            ready: new("readyReplicas", "replicas", "updatedReplicas"),
            available: new("availableReplicas", "replicas", "updatedReplicas"),
            ..Standing::default()
        },
        _ => rollout::standing(&deployment(live)?, now),
    })
}

/// When somebody changed the specification last, as its managers tell; a controller revision would not tell: one is used
/// again on the way back, and a size has none.
fn changed_at(live: &Value) -> Option<Timestamp> {
    let managers = object::list(live, "/metadata/managedFields").iter();
    let changes = managers.filter(|manager| manager.pointer("/fieldsV1/f:spec").is_some());
    let last = changes
        .filter_map(|change| object::text(change, "/time").parse().ok())
        .max();
    last.or_else(|| object::text(live, "/metadata/creationTimestamp").parse().ok())
}

fn deployment(live: &Value) -> Result<DeploymentRow, Report> {
    let raw = serde_json::from_value(live.clone())
        .map_err(|error| Report::failed(error::UNREADABLE, "the deployment cannot be read").because(&error))?;
    Ok(DeploymentRow::of(raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_change_of_the_specification_counts_and_none_of_the_status_or_a_label() {
        let by = |field: &str, time: &str| json!({"fieldsV1": {field: {}}, "time": time});
        let mut live = json!({"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [
            by("f:spec", "2026-01-01T00:00:00Z"), by("f:spec", "2026-01-01T00:05:00Z"),
            by("f:status", "2026-01-01T00:09:00Z"), by("f:metadata", "2026-01-01T00:08:00Z"), by("f:spec", "odd"), {},
        ]}});
        assert_eq!(changed_at(&live), "2026-01-01T00:05:00Z".parse().ok());
        live["metadata"]["managedFields"] = json!("none");
        assert_eq!(changed_at(&live), "2026-01-01T00:00:00Z".parse().ok());
        assert_eq!(changed_at(&json!({})), None);
    }
}
