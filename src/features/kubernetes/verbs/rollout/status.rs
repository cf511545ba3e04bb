//! `kubectl:rollout-status`: follows a rollout until it is done, failed or cancelled.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, pin_mut};
use kube::core::WatchEvent;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::core::report::{Report, Severity};
use crate::features::kubernetes::client::{Clients, JSON, Session};
use crate::features::kubernetes::error::{self, NOT_REACHED, usage};
use crate::features::kubernetes::model::{DeploymentRow, PodRow, SlimRow};
use crate::features::kubernetes::object;
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::rollout::{self, Cause, Progress, progress, trouble};
use crate::features::kubernetes::target::{self, Target};
use crate::features::kubernetes::verbs::common::{
    READ, declare, more_names, say, sentence, types_or_objects, until_stopped,
};
use crate::features::kubernetes::verbs::completer::Names;
use crate::features::kubernetes::verbs::rollout::history::replica_sets;
use crate::verb::declaration::{OptionKind, OptionSpec};
use crate::verb::{Call, Input, Output, Read, Verb};

/// What rolls out.
const KINDS: [&str; 3] = ["Deployment", "DaemonSet", "StatefulSet"];
/// Before a watch that ended is taken up again.
const PAUSE: Duration = Duration::from_millis(200);

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("rollout-status", "Follow a rollout until it is done")
        .permission(READ)
        .positional(types_or_objects("What to follow, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .options([
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
        ])
        .output("{kind, name, namespace, action, message}, one whenever the state changes.")
        .notes("For deployments, daemon sets and stateful sets. Fails with exit code 1 when a deployment exceeds its progress deadline; with --fail-fast as soon as the cause is known: an image that cannot be pulled, a crash loop, no node, a quota.")
        .example("kubectl:rollout status deploy/inspector", "until all pods are new");
    Verb::read(
        declaration,
        Status {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Status {
    clients: Arc<Clients>,
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
                said: String::new(),
            };
            watch.follow(live).await?;
        }
        Ok(())
    }
}

struct Watch<'a> {
    call: &'a Call,
    session: &'a Session,
    target: &'a Target,
    output: &'a Output,
    /// The last sentence: watch events that change nothing of it say nothing new.
    said: String,
}

impl Watch<'_> {
    async fn follow(&mut self, first: Value) -> Result<(), Report> {
        let mut live = first;
        loop {
            if self.judge(&live).await? || !self.call.arguments.flag("watch") {
                return Ok(());
            }
            live = match self.next(object::text(&live, "/metadata/resourceVersion")).await? {
                Some(changed) => changed,
                // The watch ended (a timeout of the server, a 410): look afresh.
                None => {
                    sleep(PAUSE).await;
                    self.target.read(self.session).await?
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
        if self.said != found.sentence() {
            self.said = found.sentence().to_owned();
            say(self.output, sentence(self.target, action, &self.said)).await?;
        }
        if matches!(found, Progress::Done(_)) {
            return Ok(true);
        }
        if self.call.arguments.flag("fail-fast") {
            self.fail_fast(live).await?;
        }
        Ok(false)
    }

    fn way_back(&self) -> String {
        let stage = crate::lang::Stage::new("kubectl:rollout-undo").arg(&self.target.title());
        format!("go back with {}", crate::lang::print(&stage))
    }

    /// The next state of the deployment; none when the watch ended.
    async fn next(&self, version: &str) -> Result<Option<Value>, Report> {
        let path = Query::new()
            .with("watch", "true")
            .with("fieldSelector", format!("metadata.name={}", self.target.name))
            .with("resourceVersion", version)
            .on(&self.target.resource.collection(Some(&self.target.namespace)));
        let fast = self.call.arguments.flag("fail-fast");
        let events = match self.session.cluster.watch::<Value>(&path, JSON).await {
            Ok(events) => events,
            Err(error) if error::code(&error) == Some(410) => return Ok(None),
            Err(error) => return Err(self.session.cluster.report(&error)),
        };
        pin_mut!(events);
        loop {
            // A pod that cannot start does not always move its deployment.
            let event = if fast {
                match timeout(Duration::from_secs(1), events.next()).await {
                    Ok(event) => event,
                    Err(_) => return Ok(None),
                }
            } else {
                events.next().await
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
        let detail = if cause.message.is_empty() {
            String::new()
        } else {
            format!(": {}", cause.message)
        };
        let at = if cause.pod.is_empty() {
            String::new()
        } else {
            format!("pod/{} ", cause.pod)
        };
        let what = format!("{} cannot roll out: {at}{}{detail}", self.target.title(), cause.reason);
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
            return self.trouble_of(live, |pod| rollout::is_of_newest(live, pod)).await;
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

    /// The first pod of a set that cannot start, of those that count.
    async fn trouble_of(&self, set: &Value, counts: impl Fn(&Value) -> bool) -> Result<Option<Cause>, Report> {
        let pods = self.session.cluster.discovery().await?.find("pods")?;
        let labels = object::map(set, "/spec/selector/matchLabels").map(object::label_query);
        let query = Query::new().with_some("labelSelector", labels);
        for pod in target::list(self.session, &pods.collection(Some(&self.target.namespace)), &query).await? {
            if !counts(&pod) {
                continue;
            }
            let Ok(raw) = serde_json::from_value(pod) else { continue };
            let pod = PodRow::of(raw);
            if pod.owner_uid == object::uid(set)
                && !pod.deleting
                && let Some(cause) = trouble(&pod)
            {
                return Ok(Some(cause));
            }
        }
        Ok(None)
    }
}

fn deployment(live: &Value) -> Result<DeploymentRow, Report> {
    let raw = serde_json::from_value(live.clone())
        .map_err(|error| Report::failed(error::UNREADABLE, "the deployment cannot be read").because(&error))?;
    Ok(DeploymentRow::of(raw))
}
