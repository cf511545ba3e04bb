//! The containers of one pod, read in turns while somebody looks: rows of pods do not carry them, as nobody looks at the
//! containers of many pods at once.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::follow::{does_not_answer, reason_of, state_of};
use super::patience::PATIENCE;
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::report::Report;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::path;
use crate::feed::{FeedKey, Hub, Source, Subscription};

/// Between two reads.
const INTERVAL: Duration = Duration::from_secs(2);

/// A container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerRow {
    /// Name.
    pub name: String,
    /// Image.
    pub image: String,
    /// Runs before the others.
    pub init: bool,
    /// `Running`, `CrashLoopBackOff`, `Completed`; empty: nothing is known yet.
    pub state: String,
    /// Ready.
    pub ready: bool,
    /// Restarts.
    pub restarts: i64,
    /// When its present state began.
    pub since: Option<Timestamp>,
}

/// The feed of a pod's containers. Needs a Tokio runtime around it.
pub fn containers(
    hub: &Hub,
    clients: &Arc<Clients>,
    context: &Arc<Context>,
    pod: &Target,
) -> Subscription<ContainerRow> {
    let key = FeedKey {
        context: context.clone(),
        kind: format!("kubernetes/containers/{}/{}", pod.scope, pod.name),
    };
    let (clients, context, pod) = (clients.clone(), context.clone(), pod.clone());
    hub.subscribe(key, move |source, stop| {
        tokio::spawn(follow(clients, context, pod, source, stop));
    })
}

async fn follow(
    clients: Arc<Clients>,
    context: Arc<Context>,
    pod: Target,
    source: Arc<Source<ContainerRow>>,
    stop: CancellationToken,
) {
    loop {
        let read = tokio::select! {
            () = stop.cancelled() => return,
            read = read(&clients, &context, &pod) => read,
        };
        match read {
            Ok(rows) => source.replace((0..).zip(rows).map(|(at, row)| (format!("{at:04}"), row))),
            Err(report) => source.set_health(state_of(&report), Some(reason_of(&report))),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn read(clients: &Clients, context: &Context, pod: &Target) -> Result<Vec<ContainerRow>, Report> {
    let session = clients.session(context).await?;
    let path = format!(
        "/api/v1/namespaces/{}/pods/{}",
        path::encode(&pod.scope),
        path::encode(&pod.name)
    );
    let asked = timeout(PATIENCE, session.cluster.get::<Pod>(&path)).await;
    let pod = asked.map_err(|_| does_not_answer(&session))?;
    Ok(pod.map_err(|error| session.cluster.report(&error))?.rows())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pod {
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    init_containers: Vec<Named>,
    containers: Vec<Named>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
    image: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    init_container_statuses: Vec<Told>,
    container_statuses: Vec<Told>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    name: String,
    ready: bool,
    restart_count: i64,
    state: State,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Why>,
    running: Option<Why>,
    terminated: Option<Why>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Why {
    reason: String,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

impl Pod {
    fn rows(self) -> Vec<ContainerRow> {
        let row = |named: Named, init: bool, told: &[Told]| {
            let told = told.iter().find(|told| told.name == named.name);
            let (state, since) = told.map_or_else(Default::default, |told| told.state.word());
            ContainerRow {
                name: named.name,
                image: named.image,
                init,
                state,
                ready: told.is_some_and(|told| told.ready),
                restarts: told.map_or(0, |told| told.restart_count),
                since,
            }
        };
        let (init, own) = (self.status.init_container_statuses, self.status.container_statuses);
        let first = self
            .spec
            .init_containers
            .into_iter()
            .map(|named| row(named, true, &init));
        let first: Vec<ContainerRow> = first.collect();
        let then = self.spec.containers.into_iter().map(|named| row(named, false, &own));
        first.into_iter().chain(then).collect()
    }
}

impl State {
    /// As kubectl words it, and when it began.
    fn word(&self) -> (String, Option<Timestamp>) {
        match (&self.running, &self.waiting, &self.terminated) {
            (Some(running), ..) => ("Running".to_owned(), running.started_at),
            (_, Some(waiting), _) => (waiting.reason.clone(), None),
            (.., Some(ended)) => (ended.reason.clone(), ended.finished_at),
            _ => Default::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_s_containers_with_what_is_told_of_them() {
        let pod: Pod = serde_json::from_value(json!({
            "spec": {"initContainers": [{"name": "set-up", "image": "i:1"}],
                     "containers": [{"name": "web", "image": "w:2"}, {"name": "late", "image": "l:1"}]},
            "status": {
                "initContainerStatuses": [{"name": "set-up", "state": {"terminated": {"reason": "Completed"}}}],
                "containerStatuses": [{"name": "web", "ready": true, "restartCount": 3,
                                       "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}],
            },
        }))
        .unwrap();
        let rows: Vec<(String, String, bool, i64)> = pod
            .rows()
            .into_iter()
            .map(|row| (row.name, row.state, row.ready, row.restarts))
            .collect();
        let wanted = [
            ("set-up", "Completed", false, 0),
            ("web", "Running", true, 3),
            ("late", "", false, 0),
        ];
        assert_eq!(
            rows,
            wanted.map(|(name, state, ready, n)| (name.to_owned(), state.to_owned(), ready, n))
        );
    }
}
