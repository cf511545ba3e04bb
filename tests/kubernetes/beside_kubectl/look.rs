//! `get`, `top`, `events`, `api-resources`, `auth can-i`, `config get-contexts`: looking only.

use super::{OURS, THEIRS, all_same, lines, quoted, said, same, same_everywhere, timeless, twins};
use crate::bench::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn events_and_api_resources() {
    let Some(bench) = twins().await else { return };
    let ages = |found: Vec<String>| -> Vec<String> {
        let age = regex::Regex::new(r"\b\d+(s|m)(\d+s)?\b").unwrap();
        let mut found: Vec<String> = found
            .iter()
            .map(|line| age.replace_all(line, "AGE").into_owned())
            .collect();
        found.sort();
        found
    };
    for line in [
        "events",
        "events --for deploy/web",
        "events -A",
        "events --types=Warning",
    ] {
        let line = format!("{line} -n {THEIRS}");
        let (code, out, error) = bench.kubectl(&line).await.unwrap();
        let ran = bench.run(&format!("kubectl:{line}")).await;
        assert_eq!(ages(lines(&format!("{out}\n{error}"))), ages(said(&ran)), "{line}");
        assert_eq!((code, ran.exit), (0, 0));
    }
    for line in ["events --types=Foo", "events --for=web"] {
        same(&bench, line).await;
    }
    for line in [
        "api-resources",
        "api-resources -o wide",
        "api-resources -o name",
        "api-resources --api-group=apps --no-headers",
        "api-resources --namespaced=false --sort-by=kind",
        "api-resources --verbs=list,create --categories=all",
        "api-resources --sort-by=x",
    ] {
        same_everywhere(&bench, line).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn auth_and_contexts() {
    let Some(bench) = twins().await else { return };
    for line in [
        "auth can-i get pods",
        "auth can-i list foo",
        "auth can-i fly pods",
        "auth can-i get nodes",
        "auth can-i get /healthz",
        "auth can-i get pods --subresource=log -q",
        "auth can-i --list",
    ] {
        same(&bench, line).await;
    }
    let ran = bench.run("kubectl:auth can-i --list").await.ok();
    let rows: std::collections::HashSet<_> = ran.rows.iter().collect();
    let records: std::collections::HashSet<String> = ran.records.iter().map(ToString::to_string).collect();
    assert_eq!(records.len(), rows.len(), "a record says what its row says: {ran:?}");
    let asked = &bench.run("kubectl:auth can-i get deploy/web").await.ok().records[0];
    assert_eq!(
        (asked["resource"].as_str(), asked["name"].as_str()),
        (Some("deployments.apps"), Some("web"))
    );
    for line in [
        "config get-contexts",
        "config get-contexts -o name",
        "config get-contexts sandbox --no-headers",
        "config get-contexts nope --no-headers",
        "config use-context sandbox",
        "config use-context nope",
    ] {
        same_everywhere(&bench, line).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_in_every_format() {
    let Some(bench) = twins().await else { return };
    for space in [THEIRS, OURS] {
        let line = format!("create deployment api --image=api:2 --replicas=3 -n {space}");
        assert_eq!(bench.kubectl(&line).await.unwrap().0, 0);
        bench
            .kubectl(&format!("rollout status deploy/api -n {space}"))
            .await
            .unwrap();
    }
    for line in [
        "get deploy -o jsonpath={.items[*].metadata.name}",
        "get deploy web -o jsonpath={.metadata.name}{.nope}",
        "get deploy web api -o jsonpath={.items[*].spec.replicas}",
        "get deploy -o jsonpath={range.items[*]}{.metadata.name}={.spec.replicas};{end}",
        "get deploy -o jsonpath={.items[?(@.spec.replicas==3)].metadata.name}",
        "get deploy -o jsonpath={.items[0].spec.selector}",
        "get deploy -o jsonpath={..image}",
        "get deploy -o jsonpath={.items",
        "get deploy -o jsonpath",
        "get deploy -o jsonpath-as-json={.items[*].metadata.name}",
        "get deploy -o custom-columns=A:.metadata.name,B:spec.replicas,C:.nope,D:.spec.selector",
        "get deploy -o custom-columns=A:{.spec.template.spec.containers[*].image} --no-headers",
        "get deploy -o custom-columns=",
        "get deploy -o custom-columns=A",
        "get deploy --sort-by=.spec.replicas -o name",
        "get deploy --sort-by={.metadata.name} -o custom-columns=N:.metadata.name",
        "get deploy -o name",
        "get cm -o jsonpath={.items[*].metadata.name}",
    ] {
        same(&bench, line).await;
    }
    let order = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let line = "get deploy --sort-by=.spec.replicas -o name -n default";
    let (_, out, _) = bench.kubectl(line).await.unwrap();
    assert_eq!(order(out), bench.run(&format!("kubectl:{line}")).await.ok().text);
}

#[tokio::test(flavor = "multi_thread")]
async fn get_of_one_object_and_of_kinds_by_their_names() {
    let Some(bench) = twins().await else { return };
    for line in ["get deploy web -o json", "get --raw /version"] {
        let (code, out, error) = bench.kubectl(line).await.unwrap();
        let ran = bench.run(&format!("kubectl:{line}")).await.ok();
        assert_eq!((code, error.as_str(), ran.records.len()), (0, "", 1), "{line}: {ran:?}");
        assert_eq!(out.trim_end(), ran.text.concat().trim_end(), "{line}");
    }
    // An age may move by a second between the two.
    all_same(&bench, &["get deploy --show-kind --no-headers -o wide"], timeless).await;
    same(&bench, "get deploy --output-watch-events").await;
}

/// Figures follow from identities, which differ between the two namespaces: here both look at the same one. A figure may
/// move between two looks, so an unequal pair is looked at again.
async fn same_figures(bench: &Bench, line: &str) {
    let mut last = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let (code, out, error) = bench.kubectl(line).await.unwrap();
        let ran = bench.run(&format!("kubectl:{}", quoted(line))).await;
        assert_eq!(code, i32::from(ran.exit.min(1)), "{line}: {ran:?}");
        last = (lines(&format!("{out}\n{error}")), said(&ran));
        if last.0 == last.1 {
            return;
        }
    }
    assert_eq!(last.0, last.1, "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn top() {
    let Some(bench) = twins().await else { return };
    for line in [
        "top pods",
        "top pods -A",
        "top pods -l app=web --containers",
        "top pods -A --sum",
        "top pods --sort-by=cpu --no-headers",
        "top nodes",
        "top nodes --sort-by=memory",
        "top nodes --show-capacity",
        "top pods nope",
        "top nodes nope",
        "top pods -n kube-public",
        "top pods web -l a=b",
    ] {
        same_figures(&bench, line).await;
    }
}
