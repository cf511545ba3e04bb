//! `rollout` with all its verbs.

use super::{OURS, THEIRS, lines, manifest, next_second, quoted, said, same, same_everywhere, twins};
use crate::bench::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn rollout_restart_pause_and_resume() {
    let Some(bench) = twins().await else { return };
    same(&bench, "rollout restart deploy/web").await;
    next_second().await;
    for line in [
        "rollout pause deploy/web",
        "rollout pause deploy/web",
        "rollout restart deploy/web",
        "rollout resume deploy web",
        "rollout resume deploy/web",
        "rollout restart deploy/nope",
        "rollout pause deploy/nope",
        "rollout resume",
    ] {
        same(&bench, line).await;
    }
    same_everywhere(&bench, "rollout restart svc/kubernetes").await;
    same_everywhere(&bench, "rollout resume svc/kubernetes").await;
    next_second().await;
    let template =
        |bench: &Bench| bench.plane.store.get("deployments", OURS, "web").unwrap()["spec"]["template"].clone();
    let before = template(&bench);
    same(&bench, "rollout restart deploy").await;
    assert_ne!(template(&bench), before, "the annotation moved");
    bench.run("kubectl:rollout status deploy/web").await.ok();
    bench.run("test:undo-last").await.ok();
    assert_eq!(template(&bench), before, "undo goes back to the revision before");
}

#[tokio::test(flavor = "multi_thread")]
async fn rollout_status_history_and_undo_of_deployments() {
    let Some(bench) = twins().await else { return };
    same(&bench, "rollout undo deploy/web").await;
    same(&bench, "rollout status deploy/web").await;
    same(&bench, "set image deploy/web nginx=nginx:2").await;
    same_end(&bench, "rollout status deploy/web").await;
    for line in [
        "rollout status deploy/web",
        "rollout status deploy web --watch=false",
        "rollout status deploy/web --revision=1",
        "rollout status deploy/web --revision=2",
        "rollout status deploy/nope",
        "rollout status deploy",
        "rollout undo deploy/web --to-revision=9",
        "rollout undo deploy/nope",
        "rollout undo deploy/web --to-revision=2",
        "rollout undo deploy/web",
        "rollout history deploy/nope",
    ] {
        same(&bench, line).await;
    }
    same_everywhere(&bench, "rollout history svc/kubernetes").await;
    same_everywhere(&bench, "rollout undo svc/kubernetes").await;
    same_end(&bench, "rollout status deploy/web").await;
    // Who changed what stands in the history of ours; so both look at theirs. The title stands above the table there,
    // beside it here.
    let title = |line: &String| line != "deployment.apps/web";
    for question in ["", " --revision=2", " --revision=3", " --revision=9", " --revision=-1"] {
        let line = format!("rollout history deploy/web{question} -n {THEIRS}");
        let (code, out, error) = bench.kubectl(&line).await.unwrap();
        let ran = bench.run(&format!("kubectl:{line}")).await;
        let theirs: Vec<String> = lines(&format!("{out}\n{error}")).into_iter().filter(title).collect();
        let ours: Vec<String> = said(&ran).into_iter().filter(title).collect();
        assert_eq!(theirs, ours, "{line}\n{ran:?}");
        assert_eq!(code, i32::from(ran.exit.min(1)), "{line}: {ran:?}");
    }
    same(&bench, "rollout pause deploy/web").await;
    same(&bench, "rollout undo deploy/web").await;
}

const WORKLOADS: &str = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  replicas: 3\n  serviceName: db\n  \
    selector: {matchLabels: {app: db}}\n  template:\n    metadata: {labels: {app: db}}\n    \
    spec: {containers: [{name: c, image: 'i:1'}]}\n---\n\
    apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\nspec:\n  selector: {matchLabels: {app: agent}}\n  \
    template:\n    metadata: {labels: {app: agent}}\n    spec: {containers: [{name: c, image: 'i:1'}]}\n";

/// Statuses passed on the way differ from one run to the next; the last line does not.
async fn same_end(bench: &Bench, line: &str) {
    let (code, out, error) = bench.kubectl(&format!("{line} -n {THEIRS}")).await.unwrap();
    let ran = bench.run(&format!("kubectl:{} -n {OURS}", quoted(line))).await;
    let last = |text: &str| text.lines().last().unwrap_or_default().to_owned();
    let theirs = if error.is_empty() {
        last(&out)
    } else {
        last(&error).trim_start_matches("error: ").to_owned()
    };
    let ours = if ran.exit == 0 {
        ran.text.last().cloned().unwrap_or_default()
    } else {
        ran.message()
    };
    assert_eq!(theirs, ours, "{line}\n{out}{error}\n{ran:?}");
    assert_eq!(code, i32::from(ran.exit.min(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rollout_status_of_stateful_and_daemon_sets() {
    let Some(bench) = twins().await else { return };
    let both = manifest(WORKLOADS);
    same(&bench, &format!("apply --server-side -f {}", both.path().display())).await;
    same_end(&bench, "rollout status sts/db").await;
    same_end(&bench, "rollout status ds/agent").await;
    let pods = bench.plane.store.list("pods", Some(OURS));
    let names: Vec<&str> = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
    assert!(
        names.contains(&"db-2") && names.iter().filter(|name| name.starts_with("agent-")).count() == 3,
        "{names:?}"
    );
    for line in ["set image sts/db c=i:2", "set image ds/agent c=i:2"] {
        same(&bench, line).await;
    }
    same_end(&bench, "rollout status sts/db").await;
    same_end(&bench, "rollout status ds/agent").await;
    let images: Vec<_> = bench
        .plane
        .store
        .list("pods", Some(OURS))
        .iter()
        .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null() && pod["metadata"]["labels"]["app"] != "web")
        .map(|pod| pod["spec"]["containers"][0]["image"].clone())
        .collect();
    assert!(images.iter().all(|image| image == "i:2"), "{images:?}");
    same_everywhere(&bench, "rollout status svc/kubernetes").await;
    same(&bench, "set image sts/db c=i:broken").await;
    let ran = bench.run("kubectl:rollout status sts/db --fail-fast").await;
    assert!(ran.exit == 1 && ran.message().contains("ImagePull"), "{ran:?}");
}
