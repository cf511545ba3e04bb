//! The live rows: they follow the cluster, tell the truth while it misbehaves, and are right again soon after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cogdeck::features::kubernetes::feed::{rows, table};
use cogdeck::features::kubernetes::model::{
    DeploymentRow, EventRow, PodRow, ReplicaSetRow, ServiceRow, SlimRow, TableRow,
};
use cogdeck::features::kubernetes::rollout::{Stage, view};
use cogdeck::feed::{HealthState, Source, Subscription};
use cogdeck::sandbox::faults::Fault;
use serde_json::json;

use super::bench::Bench;

fn follow<R: SlimRow>(bench: &Bench) -> Subscription<R> {
    rows(&bench.shared.hub, &bench.clients, &bench.context)
}

fn follow_table(bench: &Bench, word: &str) -> Subscription<TableRow> {
    table(&bench.shared.hub, &bench.clients, &bench.context, word)
}

/// The cell under a column's name.
fn cell(source: &Source<TableRow>, key: &str, column: &str) -> Option<String> {
    source.read(|rows, _| {
        let row = rows.get(key)?;
        let at = row.head.columns.iter().position(|known| known.name == column)?;
        Some(row.cell(at, source.now()).into_owned())
    })
}

/// Waits until the feed is as wanted; says what it was instead.
async fn until<R>(what: &str, source: &Arc<Source<R>>, wanted: impl Fn(&Source<R>) -> bool) -> Duration {
    let begin = Instant::now();
    while !wanted(source) {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "waited for {what}; it is {:?}",
            source.health()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begin.elapsed()
}

fn is_live<R>(source: &Source<R>) -> bool {
    source.health().state == HealthState::Live
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_follow_a_rollout_from_the_first_pod_to_the_last() {
    let bench = Bench::start().await;
    let (deployments, sets, pods) = (
        follow::<DeploymentRow>(&bench),
        follow::<ReplicaSetRow>(&bench),
        follow::<PodRow>(&bench),
    );
    let (services, events) = (follow::<ServiceRow>(&bench), follow::<EventRow>(&bench));
    until("an empty list", pods.source(), |source| {
        is_live(source) && source.read(|rows, _| rows.is_empty())
    })
    .await;
    bench
        .run("kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80 --replicas=3")
        .await
        .ok();
    let ready =
        |source: &Source<PodRow>| source.read(|rows, _| rows.iter().filter(|(_, pod)| pod.is_ready).count() == 3);
    until("three ready pods", pods.source(), ready).await;
    bench
        .run("kubectl:expose deploy inspector --type=LoadBalancer")
        .await
        .ok();
    until("the load balancer", services.source(), |source| {
        source.read(|rows, _| {
            rows.get("default/inspector")
                .is_some_and(|service| !service.ingress.is_empty())
        })
    })
    .await;
    bench
        .run("kubectl:set image deploy/inspector inspector=so0k/kuar-inspector:2.0.0")
        .await
        .ok();
    let mut stages = Vec::new();
    let mut most = 0;
    let begin = Instant::now();
    loop {
        let seen = deployments.source().read(|deployments, _| {
            let row = deployments.get("default/inspector")?;
            sets.source().read(|sets, _| {
                pods.source().read(|pods, _| {
                    let (sets, pods) = (sets.iter().map(|(_, set)| set), pods.iter().map(|(_, pod)| pod));
                    Some(view(row, sets, pods, bench.shared.clock.now()))
                })
            })
        });
        let seen = seen.unwrap();
        if stages.last() != Some(&seen.stage) {
            stages.push(seen.stage);
        }
        most = most.max(seen.new.iter().chain(&seen.old).map(|set| set.desired).sum::<i64>());
        let done = seen.stage == Stage::Complete && seen.new.as_ref().is_some_and(|set| set.version == "2.0.0");
        if done && seen.old.is_empty() {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{seen:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(stages.contains(&Stage::Updating), "{stages:?}");
    assert_eq!(most, 4, "three and one surge");
    assert!(
        events
            .source()
            .read(|rows, _| rows.iter().any(|(_, event)| event.reason == "ScalingReplicaSet"))
    );
    bench.run("kubectl:delete deploy inspector").await.ok();
    until("no pods", pods.source(), |source| {
        source.read(|rows, _| rows.is_empty())
    })
    .await;
    assert!(is_live(pods.source()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misbehaving_server_is_told_and_survived() {
    let cases = [
        (Fault::Forbidden403, HealthState::Denied),
        (Fault::Unauthorized401, HealthState::Login),
        (Fault::Internal500, HealthState::Stale),
        (Fault::TooMany429 { retry_after: 1 }, HealthState::Stale),
        (Fault::Cut, HealthState::Stale),
        (Fault::Gone410, HealthState::Resync),
    ];
    for (fault, wanted) in cases {
        let bench = Bench::start().await;
        bench.faults.set(Some(fault));
        let pods = follow::<PodRow>(&bench);
        until(&format!("{wanted:?} under {fault:?}"), pods.source(), |source| {
            source.health().state == wanted
        })
        .await;
        assert!(pods.source().health().reason.is_some(), "{fault:?}: a reason is told");
        bench.deploy("web", 2).await;
        bench.faults.set(None);
        let took = until(&format!("rows after {fault:?}"), pods.source(), |source| {
            is_live(source) && source.read(|rows, _| rows.len() == 2)
        })
        .await;
        assert!(took < Duration::from_secs(2), "{fault:?}: right again after {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_grow_older_while_the_server_does_not_answer() {
    let bench = Bench::start().await;
    let pods = follow::<PodRow>(&bench);
    until("an empty list", pods.source(), is_live).await;
    bench.faults.set(Some(Fault::Internal500));
    bench.plane.store.restart();
    until("stale rows", pods.source(), |source| {
        source.health().state == HealthState::Stale
    })
    .await;
    let heard = pods.source().health().data_at;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        pods.source().health().data_at,
        heard,
        "an attempt that fails brings no data"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_comes_in_pages_and_first_rows_before_the_last_page() {
    let bench = Bench::start().await;
    for number in 0..1200 {
        let object = json!({"metadata": {"name": format!("m-{number:04}"), "namespace": "default"},
            "spec": {"containers": [{"name": "c", "image": "i"}], "nodeName": "nowhere"}});
        bench.plane.store.create("pods", object).unwrap();
    }
    let pods = follow::<PodRow>(&bench);
    let mut changes = pods.source().changes();
    let mut sizes = Vec::new();
    while !is_live(pods.source()) {
        changes.changed().await.unwrap();
        sizes.push(pods.source().read(|rows, _| rows.len()));
    }
    assert!(
        sizes.iter().any(|size| (1..1200).contains(size)),
        "rows before the list is complete: {sizes:?}"
    );
    assert_eq!(pods.source().read(|rows, _| rows.len()), 1200);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_type_of_the_server_is_followed_as_its_table() {
    let bench = Bench::start().await;
    let nodes = follow_table(&bench, "no");
    until("four nodes", nodes.source(), |source| {
        is_live(source) && source.read(|rows, _| rows.len() == 4)
    })
    .await;
    let key = nodes
        .source()
        .read(|rows, _| rows.iter().map(|(key, _)| key.to_owned()).next_back())
        .unwrap();
    let name = key.trim_start_matches('/').to_owned();
    assert_eq!(cell(nodes.source(), &key, "Name").as_deref(), Some(name.as_str()));
    assert_eq!(cell(nodes.source(), &key, "Status").as_deref(), Some("Ready"));
    nodes.source().read(|rows, _| {
        let head = &rows.get(&key).unwrap().head;
        assert_eq!(
            (head.resource.as_str(), head.kind.as_str(), head.namespaced),
            ("nodes", "Node", false)
        );
        assert!(
            head.columns
                .iter()
                .any(|column| column.wide && column.name == "Internal-IP"),
            "{head:?}"
        );
    });
    bench.run(&format!("kubectl:cordon {name}")).await.ok();
    until("a cordoned node", nodes.source(), |source| {
        cell(source, &key, "Status").as_deref() == Some("Ready,SchedulingDisabled")
    })
    .await;
    let template = json!({"metadata": {"labels": {"run": "x"}}, "spec": {"restartPolicy": "Never", "containers": [{"name": "x", "image": "i"}]}});
    for (resource, spec) in [
        (
            "statefulsets",
            json!({"replicas": 3, "selector": {"matchLabels": {"run": "x"}}, "template": template}),
        ),
        (
            "daemonsets",
            json!({"selector": {"matchLabels": {"run": "x"}}, "template": template}),
        ),
        ("jobs", json!({"completions": 1, "template": template})),
    ] {
        let feed = follow_table(&bench, resource);
        until(&format!("no {resource}"), feed.source(), is_live).await;
        let object = json!({"metadata": {"name": "x", "namespace": "default"}, "spec": spec});
        bench.plane.store.create(resource, object).unwrap();
        until(&format!("a row of {resource}"), feed.source(), |source| {
            cell(source, "default/x", "Name").as_deref() == Some("x") && cell(source, "default/x", "Age").is_some()
        })
        .await;
        bench.plane.store.delete(resource, "default", "x").unwrap();
        until(&format!("no row of {resource}"), feed.source(), |source| {
            source.read(|rows, _| rows.get("default/x").is_none())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_the_server_does_not_know_is_named_with_a_suggestion() {
    let bench = Bench::start().await;
    let feed = follow_table(&bench, "deploymets");
    until("a failure", feed.source(), |source| {
        source.health().state == HealthState::Failed
    })
    .await;
    let reason = feed.source().health().reason.unwrap().to_string();
    assert!(
        reason.contains("doesn't have a resource type \"deploymets\""),
        "{reason}"
    );
    assert!(reason.contains("deployments"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_survive_what_slim_rows_survive() {
    let cases = [
        (Fault::Forbidden403, HealthState::Denied),
        (Fault::Internal500, HealthState::Stale),
        (Fault::Cut, HealthState::Stale),
        (Fault::Gone410, HealthState::Resync),
    ];
    let bench = Bench::start().await;
    let pods = follow_table(&bench, "pods");
    until("an empty list", pods.source(), is_live).await;
    for (number, (fault, wanted)) in cases.into_iter().enumerate() {
        bench.faults.set(Some(fault));
        bench.plane.store.restart();
        until(&format!("{wanted:?} under {fault:?}"), pods.source(), |source| {
            source.health().state == wanted
        })
        .await;
        let name = format!("m-{number}");
        let object = json!({"metadata": {"name": name, "namespace": "default"},
            "spec": {"containers": [{"name": "c", "image": "i"}], "nodeName": "nowhere"}});
        bench.plane.store.create("pods", object).unwrap();
        bench.faults.set(None);
        let took = until(&format!("rows after {fault:?}"), pods.source(), |source| {
            is_live(source) && source.read(|rows, _| rows.len() == number + 1)
        })
        .await;
        assert!(took < Duration::from_secs(2), "{fault:?}: right again after {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_right_after_a_storm_of_changes() {
    let bench = Bench::start().await;
    let store = &bench.plane.store;
    let name = |number: usize| format!("m-{number:04}");
    let create = |number: usize| {
        let object = json!({"metadata": {"name": name(number), "namespace": "default"},
            "spec": {"containers": [{"name": "c", "image": "i"}], "nodeName": "nowhere"}});
        store.create("pods", object).unwrap();
    };
    (0..1000).for_each(create);
    // The storm begins while the list is on its way.
    let (pods, table) = (follow::<PodRow>(&bench), follow_table(&bench, "pods"));
    for number in 0..3000 {
        let at = (number * 7) % 1000;
        match number % 10 {
            0 => drop(store.delete("pods", "default", &name(at))),
            1 => create(1000 + number),
            _ => drop(store.modify("pods", "default", &name(at), |pod| {
                pod["status"] = json!({"phase": "Running", "podIP": format!("10.0.0.{}", number % 250)});
            })),
        }
        if number % 10 == 9 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let truth: Vec<(String, String)> = store
        .list("pods", Some("default"))
        .iter()
        .map(|pod| {
            let text = |pointer| {
                pod.pointer(pointer)
                    .and_then(|v| v.as_str())
                    .unwrap_or_default()
                    .to_owned()
            };
            (text("/metadata/name"), text("/status/podIP"))
        })
        .collect();
    let slim = |source: &Source<PodRow>| {
        source.read(|rows, _| {
            rows.iter()
                .map(|(_, pod)| (pod.name.clone(), pod.ip.clone()))
                .collect::<Vec<_>>()
        })
    };
    until("the rows of the server", pods.source(), |source| slim(source) == truth).await;
    until("the table of the server", table.source(), |source| {
        source.read(|rows, _| {
            rows.iter()
                .map(|(_, row)| row.name.to_string())
                .eq(truth.iter().map(|(name, _)| name.clone()))
        })
    })
    .await;
    assert!(is_live(pods.source()) && is_live(table.source()));
}
