//! What only looks: `--dry-run` of the verbs that change something, and `set env --list`. Nothing may become different.

use serde_json::Value;

use super::{OURS, THEIRS, manifest, twins};
use crate::bench::Bench;

/// What is in our namespace and of the nodes, without what time changes.
fn state(bench: &Bench) -> Vec<Value> {
    let kinds = ["deployments", "pods", "services", "configmaps", "nodes"];
    let all = kinds.into_iter().flat_map(|kind| bench.plane.store.list(kind, None));
    all.filter(|object| object["metadata"]["namespace"] != THEIRS)
        .map(|object| {
            serde_json::json!([
                object["metadata"]["name"],
                object["metadata"]["labels"],
                object["metadata"]["annotations"],
                object["spec"]
            ])
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_says_what_kubectl_says_and_changes_nothing() {
    let Some(bench) = twins().await else { return };
    let node = bench.plane.store.list("nodes", None)[1]["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = state(&bench);
    let lines = [
        "scale deploy web --replicas=3".to_owned(),
        "scale deploy web --replicas=0".to_owned(),
        "set image deploy/web nginx=nginx:2".to_owned(),
        "set env deploy/web A=b".to_owned(),
        "set resources deploy/web --limits=cpu=1".to_owned(),
        "label deploy web a=b".to_owned(),
        "annotate deploy web a=b".to_owned(),
        "create deployment api --image=api:1".to_owned(),
        "expose deploy web --port=80".to_owned(),
        "delete deploy web".to_owned(),
        format!("cordon {node}"),
    ];
    for way in ["client", "server"] {
        for line in &lines {
            let line = format!("{line} --dry-run={way}");
            let (code, out, error) = bench.kubectl(&format!("{line} -n {THEIRS}")).await.unwrap();
            bench.faults.forget();
            let ran = bench.run_read_only(&format!("kubectl:{line} -n {OURS}")).await.ok();
            assert_eq!(code, 0, "{line}: {error}");
            let message = ran.records[0]["message"].as_str().unwrap();
            assert_eq!(message, out.trim_end().replace(THEIRS, OURS), "{line}");
            assert_eq!(bench.faults.saw(&["dryRun=All"]), way == "server", "{line}");
            assert_eq!(state(&bench), before, "{line}");
        }
    }
    // What the server refuses, it refuses of a dry run too.
    super::same(&bench, "create deployment web --image=x --dry-run=server").await;
    let refused = bench
        .run("kubectl:create deployment Web --image=x --dry-run=server")
        .await;
    assert!(
        refused.exit == 1 && refused.message().contains("RFC 1123"),
        "{refused:?}"
    );
    assert_eq!(
        bench
            .run("kubectl:run inspector --image=x:1 --dry-run=server")
            .await
            .ok()
            .records[0]["message"],
        "deployment.apps/inspector created (server dry run)"
    );
    // Without it they are what they were.
    let ran = bench
        .run_read_only("kubectl:scale deploy web --replicas=3 --dry-run=none")
        .await;
    assert_eq!((ran.exit, ran.report.unwrap().code), (2, "E-READONLY-002"));
    assert_eq!(state(&bench), before);
    assert!(
        bench.session.journal().entries(9).await.unwrap().is_empty(),
        "nothing was changed, nothing is told"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_is_tried_on_the_server_and_variables_are_listed() {
    let Some(bench) = twins().await else { return };
    let file = manifest("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {k: '1'}\n");
    let path = file.path().display();
    let line = format!("apply --server-side -f {path} --dry-run=client");
    super::same(&bench, &line).await;
    let ran = bench
        .run_read_only(&format!("kubectl:apply -f {path} --dry-run=server"))
        .await
        .ok();
    assert_eq!(
        ran.records[0]["message"],
        "configmap/one serverside-applied (server dry run)"
    );
    assert!(bench.plane.store.get("configmaps", OURS, "one").is_none());
    for space in [THEIRS, OURS] {
        let line = format!("set env deploy/web LEVEL=debug -n {space}");
        assert_eq!(bench.kubectl(&line).await.unwrap().0, 0);
    }
    let (_, out, _) = bench
        .kubectl(&format!("set env deploy/web --list -n {THEIRS}"))
        .await
        .unwrap();
    let ran = bench.run_read_only("kubectl:set env deploy/web --list").await.ok();
    assert_eq!(ran.text.join("\n"), out.trim_end());
    // What the same line would change is listed, and not made.
    super::same(&bench, "set env deploy/web --list A=1 LEVEL=info").await;
    let listed = bench.plane.store.get("deployments", OURS, "web").unwrap();
    assert!(!listed.to_string().contains("info"), "{listed}");
    let ran = bench.run_read_only("kubectl:set env deploy/web LEVEL=info").await;
    assert_eq!(ran.report.unwrap().code, "E-READONLY-002");
}
