//! `describe`: every line of it, in order and aligned the same.

use serde_json::Value;

use super::{OURS, THEIRS, all_same, manifest, masked, timeless, twins};
use crate::bench::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_described_and_what_is_not_there() {
    let Some(bench) = twins().await else { return };
    for space in [THEIRS, OURS] {
        let line = format!("expose deploy/web --port=80 -n {space}");
        assert_eq!(bench.kubectl(&line).await.unwrap().0, 0);
        until("endpoints", || {
            let slices = bench.plane.store.list("endpointslices", Some(space));
            slices.iter().any(|slice| !slice["endpoints"][0].is_null())
        })
        .await;
    }
    all_same(
        &bench,
        &[
            "describe deploy/web",
            "describe rs",
            "describe pods -l app=web",
            "describe svc web",
            "describe deploy we",
            "describe deploy nope",
            "describe nope",
            "describe pods -l app=nope",
            "describe job nope",
            "describe node nope",
            "describe ns nope",
        ],
        timeless,
    )
    .await;
}

/// Both describe the same object. Heartbeats and ages move, so an unequal pair is looked at again.
pub async fn described(bench: &Bench, what: &str) -> Option<String> {
    let mut last = (String::new(), String::new());
    for _ in 0..5 {
        let (code, theirs, error) = bench.kubectl(&format!("describe {what}")).await.unwrap();
        let ran = bench.run(&format!("kubectl:describe {what}")).await.ok();
        assert_eq!(code, 0, "{error}");
        last = (plain(&theirs), plain(&ran.text.join("\n")));
        if last.0 == last.1 {
            return None;
        }
    }
    Some(format!("--- {what}: kubectl\n{}\n--- ours\n{}", last.0, last.1))
}

/// Trailing blanks and empty lines at the end mean nothing. Newer kubectl leaves out the version of a proxy that no node
/// has told for years, as we do.
fn plain(text: &str) -> String {
    let told = text.lines().filter(|line| !line.starts_with("  Kube-Proxy Version:"));
    let lines: Vec<String> = told.map(|line| masked(line).trim_end().to_owned()).collect();
    lines.join("\n").trim_end().to_owned()
}

const CLUSTER: &str = "
apiVersion: v1
kind: ResourceQuota
metadata: {name: b-few}
spec: {hard: {pods: '20', limits.memory: 8Gi, requests.cpu: '4'}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: a-short}
spec: {hard: {pods: '5'}, scopes: [Terminating, BestEffort]}
---
apiVersion: v1
kind: LimitRange
metadata: {name: sizes}
spec: {limits: [{type: Container, max: {memory: 1Gi}, min: {memory: 8Mi}, default: {memory: 64Mi}, defaultRequest: {memory: 32Mi}}, {type: Pod, max: {cpu: '2'}}]}
";

const JOBS: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: done, labels: {kind: test}, annotations: {note: a job}}
spec:
  completions: 2
  parallelism: 2
  ttlSecondsAfterFinished: 86400
  template:
    metadata: {labels: {app: done}}
    spec:
      restartPolicy: Never
      containers:
      - name: c
        image: busybox
        command: [sh, -c, \"echo a\\nsleep 1\"]
        resources: {requests: {cpu: 250m, memory: 64Mi}, limits: {cpu: '1', memory: 1024Mi}}
        env: [{name: A, value: '1'}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: lost}
spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: ['false'], resources: {requests: {cpu: 1m}, limits: {memory: 1Mi}}}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: waits}
spec: {suspend: true, activeDeadlineSeconds: 600, template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: busy}
spec:
  containers:
  - {name: a, image: nginx:1, resources: {requests: {cpu: 1500m, memory: 100M}, limits: {cpu: '2', memory: 1Gi, ephemeral-storage: 1Gi}}}
  - {name: b, image: nginx:1, resources: {requests: {cpu: '0.5', memory: 512Mi}, limits: {cpu: '2', memory: 512Mi}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn nodes_namespaces_and_jobs_to_the_letter() {
    let bench = Bench::start().await;
    for text in [JOBS, CLUSTER] {
        let file = manifest(text);
        let Some((code, _, error)) = bench.kubectl(&format!("apply -f {}", file.path().display())).await else {
            return;
        };
        assert_eq!(code, 0, "{error}");
    }
    let store = &bench.plane.store;
    let ended = |name: &str| {
        let job = store.get("jobs", OURS, name).unwrap();
        let conditions = job["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions
            .iter()
            .any(|one| matches!(one["type"].as_str(), Some("Complete" | "Failed")))
    };
    until("two jobs and the pod", || {
        let busy = store.get("pods", OURS, "busy").unwrap();
        ended("done") && ended("lost") && busy["status"]["phase"] == "Running"
    })
    .await;
    let mut things: Vec<String> = ["ns/default", "ns", "job/done", "job/lost", "job/waits", "nodes"]
        .map(String::from)
        .into();
    things.extend(
        store
            .list("nodes", None)
            .iter()
            .map(|node| format!("node {}", node["metadata"]["name"].as_str().unwrap())),
    );
    let mut different = Vec::new();
    for what in things {
        different.extend(described(&bench, &what).await);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    let ran = bench.run("kubectl:get job done | kubectl:describe").await.ok();
    assert_eq!(
        ran.records[0]["status"]["succeeded"],
        Value::from(2),
        "the record stays the object"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_to_the_letter() {
    let Some(bench) = twins().await else { return };
    bench.kubectl("expose deploy web --port=80 --type=LoadBalancer").await;
    assert_eq!(bench.kubectl("set image deploy/web nginx=nginx:2").await.unwrap().0, 0);
    assert_eq!(bench.kubectl("rollout status deploy/web").await.unwrap().0, 0);
    // The pod of the old revision is on its way out; a description of it would differ from one look to the next.
    until("one pod", || bench.plane.store.list("pods", Some(OURS)).len() == 1).await;
    let mut different = Vec::new();
    for what in ["deploy/web", "pods", "svc/web", "rs", "ns/default"] {
        different.extend(described(&bench, what).await);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Waits until something holds.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let begin = std::time::Instant::now();
    while !holds() {
        assert!(begin.elapsed().as_secs() < 30, "waited for: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
