//! `cordon`, `uncordon`, `drain`.

use std::time::Duration;

use serde_json::json;

use super::{OURS, lines, manifest, said, same_everywhere, twins};
use crate::bench::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn cordon_and_uncordon() {
    let Some(bench) = twins().await else { return };
    let nodes = bench.plane.store.list("nodes", None);
    let name = nodes[1]["metadata"]["name"].as_str().unwrap().to_owned();
    let open = |bench: &Bench| bench.plane.store.get("nodes", "", &name).unwrap()["spec"]["unschedulable"].is_null();
    for (line, reset) in [
        (format!("cordon {name}"), "uncordon"),
        (format!("uncordon node/{name}"), "cordon"),
    ] {
        if reset == "cordon" {
            bench.kubectl(&format!("cordon {name}")).await.unwrap();
        }
        let (code, out, _) = bench.kubectl(&line).await.unwrap();
        assert_eq!(code, 0);
        bench.kubectl(&format!("{reset} {name}")).await.unwrap();
        let ran = bench.run(&format!("kubectl:{line}")).await.ok();
        assert_eq!(lines(&out), said(&ran));
        assert_eq!(open(&bench), reset == "cordon");
        same_everywhere(&bench, &line).await;
    }
    same_everywhere(&bench, "cordon nope").await;
    bench.run("kubectl:get nodes | kubectl:cordon").await.ok();
    assert!(!open(&bench));
    assert_eq!(
        bench.run("kubectl:get deploy web | kubectl:cordon").await.message(),
        "deployment.apps/web is no node"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn drain() {
    let Some(bench) = twins().await else { return };
    let nodes = bench.plane.store.list("nodes", None);
    let workers: Vec<String> = nodes
        .iter()
        .filter(|node| node["spec"]["taints"].is_null())
        .map(|node| node["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    for line in ["drain nope", "drain"] {
        let ran = bench.run(&format!("kubectl:{line}")).await;
        assert_ne!(ran.exit, 0);
    }
    bench.kubectl("run bare --image=x -n default").await.unwrap();
    let bare = loop {
        let pod = bench.plane.store.get("pods", OURS, "bare").unwrap();
        if let Some(node) = pod["spec"]["nodeName"].as_str() {
            break node.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    // What nobody makes again keeps the node as it is; kubectl closes it first and then says the same.
    let (code, _, error) = bench.kubectl(&format!("drain {bare}")).await.unwrap();
    bench.kubectl(&format!("uncordon {bare}")).await.unwrap();
    let ran = bench.run(&format!("kubectl:drain {bare}")).await;
    assert_eq!((code, ran.exit), (1, 1));
    assert!(error.contains(&ran.message()), "{error}\n{ran:?}");
    assert!(bench.plane.store.get("nodes", "", &bare).unwrap()["spec"]["unschedulable"].is_null());
    // Both drain the same node, one after the other, and say the same about the same kinds of pods.
    let pods = regex::Regex::new(r"(pod[ /])(\S+)").unwrap();
    let told = |found: Vec<String>| -> Vec<String> {
        let mut told: Vec<String> = found
            .iter()
            .map(|line| pods.replace_all(line, "${1}POD").into_owned())
            .collect();
        told.sort();
        told.dedup();
        told
    };
    let (code, out, error) = bench
        .kubectl(&format!("drain {bare} --force --ignore-daemonsets"))
        .await
        .unwrap();
    assert_eq!(code, 0, "{error}");
    bench.kubectl(&format!("uncordon {bare}")).await.unwrap();
    let theirs = told(lines(&format!("{out}\n{error}")));
    assert!(theirs.contains(&format!("node/{bare} drained")), "{theirs:?}");
    let other = workers.iter().find(|node| **node != bare).unwrap();
    let ran = bench
        .run(&format!("kubectl:drain {other} --force --ignore-daemonsets"))
        .await
        .ok();
    assert_eq!(ran.text.first().unwrap(), &format!("node/{other} cordoned"));
    assert_eq!(ran.text.last().unwrap(), &format!("node/{other} drained"));
    let left = bench.plane.store.list("pods", None);
    let left: Vec<_> = left
        .iter()
        .filter(|pod| pod["spec"]["nodeName"] == json!(other))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    bench.run("test:undo-last").await.ok();
    assert!(bench.plane.store.get("nodes", "", other).unwrap()["spec"]["unschedulable"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_holds_a_drain_until_its_time_is_up() {
    let Some(bench) = twins().await else { return };
    let budget = manifest(
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec:\n  minAvailable: 1\n  \
         selector: {matchLabels: {app: web}}\n",
    );
    bench
        .run(&format!("kubectl:apply -f {}", budget.path().display()))
        .await
        .ok();
    let node = loop {
        let known = bench.plane.store.get("poddisruptionbudgets", OURS, "web").unwrap();
        if known["status"]["expectedPods"] == 1 {
            let pods = bench.plane.store.list("pods", Some(OURS));
            break pods[0]["spec"]["nodeName"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let line = format!("drain {node} --force --ignore-daemonsets --timeout=1s");
    let ran = bench.run(&format!("kubectl:{line}")).await;
    assert_eq!(ran.exit, 1, "{ran:?}");
    let held = |text: &str| {
        text.contains("(will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget.")
    };
    assert!(ran.notes.iter().any(|note| held(note)), "{ran:?}");
    let (code, _, error) = bench.kubectl(&line).await.unwrap();
    assert!(code == 1 && held(&error), "{error}");
    // Other pods than those of the budget, and then past it.
    let line = format!("kubectl:drain {node} --force --ignore-daemonsets");
    let ran = bench.run(&format!("{line} --pod-selector=app=nope")).await.ok();
    assert_eq!(
        ran.text,
        [format!("node/{node} already cordoned"), format!("node/{node} drained")]
    );
    let ran = bench
        .run(&format!("{line} --disable-eviction --grace-period=0"))
        .await
        .ok();
    assert!(
        ran.text
            .iter()
            .any(|text| text.starts_with("pod/web-") && text.ends_with(" deleted")),
        "{ran:?}"
    );
}
