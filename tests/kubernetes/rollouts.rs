//! Rollouts of every kind that has them: the verbs beside real kubectl on the same server, and the causes that
//! `--fail-fast` names instead of waiting for a deadline.

use std::io::Write;

use serde_json::{Value, json};

use super::bench::{Bench, Ran, eventually};

/// kubectl acts here, we in `default`.
const THEIRS: &str = "theirs";

/// A daemon set, a stateful set or a deployment of one container, whose image is `image`.
fn manifest(kind: &str, name: &str, image: &str) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": name, "image": image}]}},
        },
    });
    if kind != "DaemonSet" {
        object["spec"]["replicas"] = 2.into();
    }
    if kind == "StatefulSet" {
        object["spec"]["serviceName"] = name.into();
    }
    object
}

/// Applies an object by real kubectl; false where there is none.
async fn apply(bench: &Bench, object: &Value, namespace: &str) -> bool {
    let mut file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    write!(file, "{object}").unwrap();
    let line = format!("apply -n {namespace} -f {}", file.path().display());
    let Some((code, _, error)) = bench.kubectl(&line).await else {
        return false;
    };
    assert_eq!(code, 0, "{error}");
    true
}

/// Words of each line, without kubectl's own prefix; a namespace of ours or theirs makes no difference.
fn words(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| {
        let joined = line.split_whitespace().collect::<Vec<_>>().join(" ");
        joined
            .strip_prefix("error: ")
            .unwrap_or(&joined)
            .replace(THEIRS, "default")
    });
    lines.filter(|line| !line.is_empty()).collect()
}

fn said(ran: &Ran) -> Vec<String> {
    let mut text = String::new();
    let mut header = None;
    for (columns, cells) in &ran.rows {
        if header != Some(columns) {
            text.push_str(&format!("{}\n", columns.join(" ")));
            header = Some(columns);
        }
        text.push_str(&format!("{}\n", cells.join(" ")));
    }
    let notes = ran.notes.iter().filter(|note| !note.starts_with("undo "));
    let reports = ran.failed.iter().chain(&ran.report).map(|report| &report.message);
    for line in ran.text.iter().chain(notes).chain(reports) {
        text.push_str(&format!("{line}\n"));
    }
    words(&text)
}

/// The same line in both namespaces; `last`: only the last line is compared, because what comes before depends on when
/// one looks.
async fn same(bench: &Bench, line: &str, last: bool) {
    compare(bench, line, THEIRS, last).await;
}

/// A question about the very same objects.
async fn same_read(bench: &Bench, line: &str) {
    compare(bench, line, "default", false).await;
}

async fn compare(bench: &Bench, line: &str, theirs: &str, last: bool) {
    let (code, out, error) = bench.kubectl(&format!("{line} -n {theirs}")).await.unwrap();
    let ran = bench.run(&format!("kubectl:{line} -n default")).await;
    let (mut theirs, mut ours) = (words(&format!("{out}\n{error}")), said(&ran));
    if last {
        theirs.drain(..theirs.len().saturating_sub(1));
        ours.drain(..ours.len().saturating_sub(1));
    }
    // The title of a history stands above its table there, beside it here.
    let title = |line: &String| {
        !(line.starts_with("daemonset.apps/") || line.starts_with("statefulset.apps/")) || line.contains(' ')
    };
    if line.contains("history") {
        theirs.retain(title);
        ours.retain(title);
    }
    assert_eq!(theirs, ours, "{line}\n{ran:?}");
    assert_eq!(code, i32::from(ran.exit.min(1)), "{line}: {ran:?}");
}

fn template(bench: &Bench, resource: &str, name: &str) -> Value {
    bench.plane.store.get(resource, "default", name).unwrap()["spec"]["template"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_and_stateful_sets_have_revisions_to_go_back_to() {
    let bench = Bench::start().await;
    if bench.kubectl(&format!("create namespace {THEIRS}")).await.is_none() {
        return;
    }
    for (kind, resource, object) in [
        ("DaemonSet", "daemonsets", "ds/agent"),
        ("StatefulSet", "statefulsets", "sts/db"),
    ] {
        let name = object.split('/').nth(1).unwrap();
        for namespace in [THEIRS, "default"] {
            assert!(apply(&bench, &manifest(kind, name, "nginx:1"), namespace).await);
        }
        let status = format!("rollout status {object}");
        same(&bench, &status, true).await;
        let first = template(&bench, resource, name);
        same_read(&bench, &format!("rollout history {object}")).await;
        same(&bench, &format!("rollout undo {object}"), false).await;
        same(&bench, &format!("set image {object} {name}=nginx:2"), false).await;
        same(&bench, &status, true).await;
        for question in ["", " --revision=1", " --revision=2", " --revision=9"] {
            same_read(&bench, &format!("rollout history {object}{question}")).await;
        }
        let (_, out, _) = bench.kubectl("get controllerrevisions --no-headers").await.unwrap();
        let owner = format!("{}.apps/{name}", kind.to_lowercase());
        assert_eq!(out.matches(&owner).count(), 2, "{out}");
        same(&bench, &format!("rollout undo {object} --to-revision=9"), false).await;
        same(&bench, &format!("rollout undo {object}"), false).await;
        same(&bench, &status, true).await;
        assert_eq!(
            template(&bench, resource, name),
            first,
            "{object}: the first template is back"
        );
        same_read(&bench, &format!("rollout history {object}")).await;
        // kubectl compares the bytes of its own encoding, which changed with its releases; ours compares what they mean.
        let ran = bench
            .run(&format!("kubectl:rollout undo {object} --to-revision=3"))
            .await
            .ok();
        assert!(
            ran.text
                .iter()
                .any(|text| text.contains("skipped rollback (current template already matches revision 3)")),
            "{ran:?}"
        );
        same(&bench, &format!("rollout restart {object}"), false).await;
        same(&bench, &status, true).await;
        assert_ne!(template(&bench, resource, name), first, "{object}: restarted");
        bench.run("test:undo-last").await.ok();
        assert_eq!(
            template(&bench, resource, name),
            first,
            "{object}: a restart can be undone"
        );
    }
    same_read(&bench, "rollout history svc/kubernetes").await;
}

/// A deployment whose only container is changed so.
fn spoilt(name: &str, change: impl Fn(&mut Value)) -> Value {
    let mut object = manifest("Deployment", name, "nginx:1");
    object["spec"]["replicas"] = 1.into();
    change(&mut object["spec"]["template"]["spec"]);
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn fail_fast_names_the_cause_where_kubectl_waits() {
    let bench = Bench::start().await;
    let probe = json!({"tcpSocket": {"port": 81}, "periodSeconds": 1});
    let cases = [
        (
            spoilt("pull", |spec| spec["containers"][0]["image"] = "nginx:broken".into()),
            "ErrImagePull|ImagePullBackOff",
        ),
        (
            spoilt("crash", |spec| spec["containers"][0]["image"] = "nginx:crash".into()),
            "CrashLoopBackOff|Error",
        ),
        (
            spoilt("nowhere", |spec| spec["nodeSelector"] = json!({"disk": "none"})),
            "Unschedulable",
        ),
        (
            spoilt("sick", |spec| spec["containers"][0]["readinessProbe"] = probe.clone()),
            "Unhealthy: Readiness probe failed",
        ),
        (
            spoilt("killed", |spec| spec["containers"][0]["livenessProbe"] = probe.clone()),
            "Unhealthy: Liveness probe failed|CrashLoopBackOff|Error",
        ),
    ];
    for (mut object, cause) in cases {
        // Ready is not available: a probe has time to fail.
        object["spec"]["minReadySeconds"] = 30.into();
        if !apply(&bench, &object, "default").await {
            return;
        }
        let name = object["metadata"]["name"].as_str().unwrap();
        let ran = bench
            .run(&format!("kubectl:rollout status deploy/{name} --fail-fast"))
            .await;
        assert_eq!(ran.exit, 1, "{name}: {ran:?}");
        let message = ran.message();
        assert!(
            message.starts_with(&format!("deployment.apps/{name} cannot roll out: "))
                && cause.split('|').any(|cause| message.contains(cause)),
            "{name}: {message}"
        );
        if cause == "Unschedulable" {
            // kubectl waits for the deadline, and knows no cause.
            let (code, _, error) = bench
                .kubectl(&format!("rollout status deploy/{name} --timeout=1s"))
                .await
                .unwrap();
            assert_eq!((code, error.trim()), (1, "error: timed out waiting for the condition"));
        }
    }
    // A probe may fail as often as it says; the cause is told no sooner.
    let mut slow = spoilt("slow", |spec| spec["containers"][0]["readinessProbe"] = probe.clone());
    slow["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["failureThreshold"] = 9.into();
    apply(&bench, &slow, "default").await;
    let ran = bench.run("kubectl:rollout status deploy/slow --fail-fast").await;
    assert!(
        ran.exit == 1 && ran.message().contains("Unhealthy: Readiness probe failed"),
        "{ran:?}"
    );
    let events = bench.plane.store.list("events", Some("default"));
    let about = |event: &&std::sync::Arc<Value>| {
        let object = event["involvedObject"]["name"].as_str().unwrap_or_default();
        event["reason"] == "Unhealthy" && object.starts_with("slow-")
    };
    let failures: i64 = events
        .iter()
        .filter(about)
        .map(|event| event["count"].as_i64().unwrap_or(1))
        .sum();
    assert!(failures >= 9, "{failures}");
    let daemons = {
        let mut object = manifest("DaemonSet", "agent", "nginx:broken");
        object["metadata"]["name"] = "agent".into();
        object
    };
    apply(&bench, &daemons, "default").await;
    let ran = bench.run("kubectl:rollout status ds/agent --fail-fast").await;
    assert!(ran.exit == 1 && ran.message().contains("ImagePull"), "{ran:?}");
}

/// A quota of so many pods.
fn pods_quota(pods: usize) -> Value {
    json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": pods.to_string()}}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_refuses_in_the_servers_words_and_fail_fast_repeats_them() {
    let bench = Bench::start().await;
    if !apply(&bench, &pods_quota(1), "default").await {
        return;
    }
    let (store, web) = (&bench.plane.store, manifest("Deployment", "web", "nginx:1"));
    eventually("the quota is known", async || {
        store.get("resourcequotas", "default", "few").unwrap()["status"]["used"]["pods"] == "0"
    })
    .await;
    apply(&bench, &web, "default").await;
    let ran = bench.run("kubectl:rollout status deploy/web --fail-fast").await;
    assert_eq!(ran.exit, 1, "{ran:?}");
    let refused = "is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1";
    assert!(
        ran.message()
            .starts_with("deployment.apps/web cannot roll out: FailedCreate: pods \"web-")
            && ran.message().ends_with(refused),
        "{ran:?}"
    );
    // The same from the server itself, to both programs.
    let line = "run one --image=nginx:1 --restart=Never";
    let (code, _, error) = bench.kubectl(line).await.unwrap();
    assert_eq!(
        (code, error.trim()),
        (
            1,
            format!("Error from server (Forbidden): pods \"one\" {refused}").as_str()
        )
    );
    for (object, own) in [
        (manifest("DaemonSet", "agent", "nginx:1"), "ds/agent"),
        (manifest("StatefulSet", "db", "nginx:1"), "sts/db"),
    ] {
        apply(&bench, &object, "default").await;
        let ran = bench.run(&format!("kubectl:rollout status {own} --fail-fast")).await;
        assert!(
            ran.exit == 1 && ran.message().contains("FailedCreate: ") && ran.message().ends_with(refused),
            "{ran:?}"
        );
        bench.run(&format!("kubectl:delete {own}")).await.ok();
    }
    let (_, out, _) = bench.kubectl("get quota --no-headers").await.unwrap();
    assert!(
        out.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .starts_with("few pods: 1/1"),
        "{out}"
    );
    // Room is made: the replica set tries again by itself and the failure goes.
    apply(&bench, &pods_quota(2), "default").await;
    bench.run("kubectl:rollout status deploy/web").await.ok();
    eventually("the counts", async || {
        store.get("resourcequotas", "default", "few").unwrap()["status"]["used"]["pods"] == "2"
    })
    .await;
    let conditions = store.get("deployments", "default", "web").unwrap()["status"]["conditions"].to_string();
    assert!(!conditions.contains("ReplicaFailure"), "{conditions}");
}

fn job(name: &str, script: &str, spec: Value) -> Value {
    let mut object = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", script]}]}}}});
    for (key, value) in spec.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_run_to_their_end_and_say_how_it_was() {
    let bench = Bench::start().await;
    let done = job(
        "done",
        "echo counting; sleep 1; echo ready",
        json!({"completions": 3, "parallelism": 2}),
    );
    if !apply(&bench, &done, "default").await {
        return;
    }
    apply(&bench, &job("lost", "exit 3", json!({"backoffLimit": 0})), "default").await;
    for line in [
        "wait --for=condition=complete job/done --timeout=20s",
        "wait --for=condition=failed job/lost --timeout=20s",
    ] {
        compare(&bench, line, "default", false).await;
    }
    let store = &bench.plane.store;
    let status = store.get("jobs", "default", "done").unwrap()["status"].clone();
    assert_eq!(
        (&status["succeeded"], status.get("active")),
        (&json!(3), None),
        "{status}"
    );
    assert!(status["completionTime"].is_string());
    let (_, out, _) = bench.kubectl("get jobs --no-headers").await.unwrap();
    let rows: Vec<Vec<&str>> = out
        .lines()
        .map(|line| line.split_whitespace().take(3).collect())
        .collect();
    assert_eq!(rows, [["done", "Complete", "3/3"], ["lost", "Failed", "0/1"]]);
    let (_, out, _) = bench.kubectl("get pods -l job-name=lost --no-headers").await.unwrap();
    assert!(out.contains("Error"), "{out}");
    let (_, out, _) = bench.kubectl("get pods -l job-name=done --no-headers").await.unwrap();
    assert_eq!(out.matches("Completed").count(), 3, "{out}");
    let (_, out, _) = bench.kubectl("logs job/done").await.unwrap();
    assert_eq!(out, "counting\nready\n");
    let (_, out, _) = bench.kubectl("events --for job/lost --no-headers").await.unwrap();
    assert!(
        out.contains("BackoffLimitExceeded") && out.contains("SuccessfulCreate"),
        "{out}"
    );
    bench.run("kubectl:delete job done").await.ok();
    eventually("the job's pods are gone", async || {
        store.list("pods", Some("default")).len() == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_decide_over_traffic_and_restarts() {
    let bench = Bench::start().await;
    let mut web = manifest("Deployment", "web", "so0k/kuar-inspector:1.0.0");
    web["spec"]["replicas"] = 1.into();
    let probe = json!({"httpGet": {"path": "/healthz", "port": 80}, "periodSeconds": 1});
    web["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = probe.clone();
    web["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = probe;
    if !apply(&bench, &web, "default").await {
        return;
    }
    bench
        .run("kubectl:rollout status deploy/web --fail-fast --timeout=20s")
        .await
        .ok();
    let (_, out, _) = bench.kubectl("logs deploy/web").await.unwrap();
    assert!(out.contains("\"GET /healthz HTTP/1.1 200 0\" kube-probe/1.36"), "{out}");
    // Nothing listens on that port.
    let patch = r#"[{"op":"replace","path":"/spec/template/spec/containers/0/livenessProbe/httpGet/port","value":81}]"#;
    let (code, _, error) = bench
        .kubectl(&format!("patch deploy web --type=json -p {patch}"))
        .await
        .unwrap();
    assert_eq!(code, 0, "{error}");
    let store = &bench.plane.store;
    let restarted = |pod: &Value| pod["status"]["containerStatuses"][0]["restartCount"].as_i64() >= Some(1);
    eventually("a restart", async || {
        store.list("pods", Some("default")).iter().any(|pod| restarted(pod))
    })
    .await;
    let events = store.list("events", Some("default"));
    let said = |reason: &str| {
        events
            .iter()
            .filter(|e| e["reason"] == reason)
            .map(|e| e["message"].to_string())
            .collect::<String>()
    };
    let why = said("Unhealthy");
    assert!(
        why.contains("Liveness probe failed: Get") && why.contains("connect: connection refused"),
        "{why}"
    );
    assert!(
        said("Killing").contains("Container web failed liveness probe, will be restarted"),
        "{}",
        said("Killing")
    );
}
