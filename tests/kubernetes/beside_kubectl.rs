//! The verbs beside real kubectl: both run the same line on the same server, each in a namespace of its own that holds
//! the same objects; text and exit code are compared.

use std::time::Duration;

use super::bench::{Bench, Ran};
use serde_json::json;

/// kubectl acts here, we there.
const THEIRS: &str = "theirs";
const OURS: &str = "default";

/// A cluster with the same deployment `web` in both namespaces, ready. None where there is no kubectl.
async fn twins() -> Option<Bench> {
    let bench = Bench::start().await;
    bench.kubectl(&format!("create namespace {THEIRS}")).await?;
    for space in [THEIRS, OURS] {
        for line in [
            format!("create deployment web --image=nginx:1 -n {space}"),
            format!("rollout status deploy/web -n {space}"),
        ] {
            let (code, _, error) = bench.kubectl(&line).await?;
            assert_eq!(code, 0, "{line}: {error}");
        }
    }
    Some(bench)
}

/// What a line says, sorted: the two programs share their words between stdout and stderr differently.
fn lines(text: &str) -> Vec<String> {
    let pod = regex::Regex::new(r"\b(web|api)-[a-z0-9]+-[a-z0-9]{5}\b").unwrap();
    let text = pod.replace_all(text, "POD");
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .map(|line| line.strip_prefix("error: ").unwrap_or(&line).to_owned())
        .map(|line| line.replace(THEIRS, OURS))
        .filter(|line| !line.is_empty() && !line.starts_with("See 'kubectl") && !line.starts_with("____"))
        .collect();
    lines.sort();
    lines
}

fn said(ran: &Ran) -> Vec<String> {
    let mut all = String::new();
    let mut header = None;
    for (columns, cells) in &ran.rows {
        if header != Some(columns) {
            all.push_str(&format!("{}\n", columns.join(" ")));
            header = Some(columns);
        }
        all.push_str(&format!("{}\n", cells.join(" ")));
    }
    for line in ran.text.iter().chain(&ran.notes) {
        // What undoes a change is our own word.
        if !line.starts_with("undo ") {
            all.push_str(&format!("{line}\n"));
        }
    }
    for report in ran.failed.iter().chain(&ran.report) {
        all.push_str(&format!("{}\n", report.message));
    }
    lines(&all)
}

/// Runs a line in both.
async fn same(bench: &Bench, line: &str) {
    let (code, out, error) = bench.kubectl(&format!("{line} -n {THEIRS}")).await.unwrap();
    let ran = bench.run(&format!("kubectl:{} -n {OURS}", quoted(line))).await;
    assert_eq!(lines(&format!("{out}\n{error}")), said(&ran), "{line}\n{ran:?}");
    // 2 is ours for what was refused before anything was asked of the server; kubectl knows only 1.
    assert_eq!(code, i32::from(ran.exit.min(1)), "{line}: {ran:?}");
}

/// Like [`same`] for verbs without a namespace.
async fn same_everywhere(bench: &Bench, line: &str) {
    let (code, out, error) = bench.kubectl(line).await.unwrap();
    let ran = bench.run(&format!("kubectl:{}", quoted(line))).await;
    assert_eq!(lines(&format!("{out}\n{error}")), said(&ran), "{line}\n{ran:?}");
    assert_eq!(code, i32::from(ran.exit.min(1)), "{line}: {ran:?}");
}

/// kubectl gets words, we get a line: what our language would read otherwise is quoted.
fn quoted(line: &str) -> String {
    let special = |text: &str| text.contains(['{', '*', '$', '<', '>', '|', ';', '&', '[', '(']);
    let one = |word: &str| match word.split_once('=') {
        Some((name, value)) if word.starts_with("--") && special(value) => format!("{name}='{value}'"),
        _ if special(word) => format!("'{word}'"),
        _ => word.to_owned(),
    };
    line.split_whitespace().map(one).collect::<Vec<_>>().join(" ")
}

/// Both at the beginning of a second: a restart twice within one is refused.
async fn next_second() {
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

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
async fn label_and_annotate() {
    let Some(bench) = twins().await else { return };
    for line in [
        "label deploy/web a=1",
        "label deploy/web a=1",
        "label deploy web a=2",
        "label deploy web a=2 --overwrite",
        "label deploy web a- b=1",
        "label deploy web b-",
        "label deploy web c-",
        "label deploy web a=1 a-",
        "label deploy a=1",
        "label deploy web",
        "label a=1",
        "label deploy --all z=1",
        "label deploy nope a=1",
        "label pods -l app=web seen=yes",
        "label deploy web b!d=3",
        "annotate deploy/web a=1",
        "annotate deploy web a=2",
        "annotate deploy web a=2 --overwrite",
        "annotate deploy web a-",
        "annotate deploy web a-",
        "annotate deploy web",
        "annotate deploy web a=1 a-",
    ] {
        same(&bench, line).await;
    }
    let labels =
        |space: &str| bench.plane.store.get("deployments", space, "web").unwrap()["metadata"]["labels"].clone();
    assert_eq!(labels(OURS), labels(THEIRS));
    bench
        .run("kubectl:label deploy web app=other tier=x --overwrite")
        .await
        .ok();
    bench.run("test:undo-last").await.ok();
    assert_eq!(labels(OURS), labels(THEIRS), "undo restores and removes");
}

#[tokio::test(flavor = "multi_thread")]
async fn set_env_and_resources() {
    let Some(bench) = twins().await else { return };
    for space in [THEIRS, OURS] {
        let line = format!("create configmap conf --from-literal=db.url=x -n {space}");
        assert_eq!(bench.kubectl(&line).await.unwrap().0, 0);
    }
    for line in [
        "set env deploy/web A=1 B=2",
        "set env deploy/web A=1",
        "set env deploy/web A-",
        "set env deploy web C=1 -c nope",
        "set env deploy/web D=1 D-",
        "set env A=1",
        "set env deploy/web 1x!=3",
        "set env deploy/web B=3 --overwrite=false",
        "set env deploy/web --from=configmap/conf --prefix=P_",
        "set resources deploy/web --limits=cpu=200m,memory=512Mi --requests=cpu=100m",
        "set resources deploy/web --limits=cpu=200m,memory=512Mi",
        "set resources deploy/web",
        "set resources deploy/web --limits=cpu=x",
        "set resources deploy/web --limits=cpu=1 -c nope",
        "set resources deploy/web --limits=cpu",
    ] {
        same(&bench, line).await;
    }
    let containers = |space: &str| {
        bench.plane.store.get("deployments", space, "web").unwrap()["spec"]["template"]["spec"]["containers"].clone()
    };
    let (ours, theirs) = (containers(OURS), containers(THEIRS));
    assert_eq!(ours, theirs);
    assert_eq!(
        ours[0]["env"][1]["valueFrom"]["configMapKeyRef"],
        json!({"key": "db.url", "name": "conf"})
    );
    bench.run("kubectl:rollout status deploy/web").await.ok();
    bench.run("kubectl:set env deploy/web Z=1").await.ok();
    bench.run("kubectl:rollout status deploy/web").await.ok();
    bench.run("test:undo-last").await.ok();
    assert_eq!(containers(OURS), theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn create_deployment() {
    let Some(bench) = twins().await else { return };
    for line in [
        "create deployment api --image=reg:5000/x/api:1 --image=side@sha256:aaaa --port=80 --replicas=2",
        "create deployment api --image=x",
        "create deployment two --image=a --image=b -- sleep 1",
    ] {
        same_created(&bench, line).await;
    }
    let made = |space: &str| {
        let object = bench.plane.store.get("deployments", space, "api").unwrap();
        (object["metadata"]["labels"].clone(), object["spec"].clone())
    };
    assert_eq!(made(OURS), made(THEIRS));
    bench.run("test:undo-last").await.ok();
    assert!(bench.plane.store.get("deployments", OURS, "api").is_none());
}

/// The namespace stands before `--`, where words of a command begin.
async fn same_created(bench: &Bench, line: &str) {
    let (head, tail) = line
        .split_once(" -- ")
        .map_or((line, String::new()), |(head, tail)| (head, format!(" -- {tail}")));
    let (code, out, error) = bench.kubectl(&format!("{head} -n {THEIRS}{tail}")).await.unwrap();
    let ran = bench.run(&format!("kubectl:{head} -n {OURS}{tail}")).await;
    assert_eq!(lines(&format!("{out}\n{error}")), said(&ran), "{line}\n{ran:?}");
    assert_eq!(code, i32::from(ran.exit.min(1)), "{line}: {ran:?}");
}

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
    for line in [
        "config get-contexts",
        "config get-contexts -o name",
        "config get-contexts sandbox --no-headers",
        "config get-contexts nope --no-headers",
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

/// Writes a manifest; the file lives as long as what is returned.
fn manifest(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

const TWO: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: '1'}\n---\n\
    apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: made, labels: {app: made}}\nspec:\n  replicas: 1\n  \
    selector: {matchLabels: {app: made}}\n  template:\n    metadata: {labels: {app: made}}\n    \
    spec: {containers: [{name: c, image: 'i:1'}]}\n";

#[tokio::test(flavor = "multi_thread")]
async fn apply_on_the_server() {
    let Some(bench) = twins().await else { return };
    let two = manifest(TWO);
    let path = two.path().display().to_string();
    let apply = |rest: &str| format!("apply --server-side -f {path} {rest}");
    // The difference a dry run shows is ours alone; the sentences are the same.
    let (_, out, _) = bench
        .kubectl(&format!("{} -n {THEIRS}", apply("--dry-run=server")))
        .await
        .unwrap();
    let ran = bench
        .run(&format!("kubectl:{} -n {OURS}", apply("--dry-run=server")))
        .await
        .ok();
    assert_eq!(lines(&out), said(&ran));
    assert!(
        bench.plane.store.get("deployments", OURS, "made").is_none(),
        "a dry run makes nothing"
    );
    same(&bench, &apply("")).await;
    same(&bench, &apply("")).await;
    let changed = TWO.replace("'1'", "'2'").replace("i:1", "i:2");
    std::fs::write(two.path(), &changed).unwrap();
    let dry = bench
        .run(&format!("kubectl:{} -n {OURS}", apply("--dry-run=server")))
        .await
        .ok();
    assert!(dry.notes.contains(&"  /data/a: \"1\" → \"2\"".to_owned()), "{dry:?}");
    same(&bench, &apply("")).await;
    let image = |space: &str| {
        bench.plane.store.get("deployments", space, "made").unwrap()["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    assert_eq!((image(OURS), image(THEIRS)), (json!("i:2"), json!("i:2")));
    // Another manager's field is not taken over by accident.
    std::fs::write(two.path(), changed.replace("i:2", "i:3")).unwrap();
    let ran = bench
        .run(&format!("kubectl:{} -n {OURS}", apply("--field-manager=other")))
        .await;
    let (code, _, error) = bench
        .kubectl(&format!("{} -n {THEIRS}", apply("--field-manager=other")))
        .await
        .unwrap();
    assert_eq!((code, ran.exit), (1, 1));
    let first = |text: &str| {
        text.lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned()
    };
    assert!(first(&ran.message()).starts_with("Apply failed with"), "{ran:?}");
    assert!(first(&error).starts_with("Apply failed with"), "{error}");
    same(&bench, &apply("--field-manager=other --force-conflicts")).await;
    for (text, line) in [
        ("apiVersion: v1\nkind: Foo\nmetadata: {name: x}\n", "unknown"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "nameless"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: q}\nfoo: 1\n",
            "unknown field",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: q, namespace: other}\n",
            "another namespace",
        ),
        ("\n", "empty"),
        (
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: q}}\n",
            "a list",
        ),
    ] {
        std::fs::write(two.path(), text).unwrap();
        println!("{line}");
        same(&bench, &apply("")).await;
    }
    same(&bench, "apply --server-side -f /does/not/exist.yaml").await;
    same(&bench, "apply --server-side").await;
    let ran = bench
        .run("kubectl:get deploy web | kubectl:apply --force-conflicts")
        .await
        .ok();
    assert_eq!(ran.text, ["deployment.apps/web serverside-applied"]);
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
        "top pods nope",
        "top nodes nope",
        "top pods -n kube-public",
        "top pods web -l a=b",
    ] {
        same_figures(&bench, line).await;
    }
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
}

#[tokio::test(flavor = "multi_thread")]
async fn edit() {
    let Some(bench) = twins().await else { return };
    let editor = |script: &str| std::fs::write(bench.editor.path(), script).unwrap();
    editor("true");
    same(&bench, "edit deploy/web").await;
    editor("sed -i 's/replicas: 1/replicas: 2/' \"$1\"");
    same(&bench, "edit deploy/web").await;
    let replicas =
        |space: &str| bench.plane.store.get("deployments", space, "web").unwrap()["spec"]["replicas"].clone();
    assert_eq!((replicas(OURS), replicas(THEIRS)), (json!(2), json!(2)));
    same(&bench, "edit deploy/nope").await;
    editor("exit 3");
    let ran = bench.run("kubectl:edit deploy/web").await;
    let (code, _, error) = bench.kubectl("edit deploy/web").await.unwrap();
    assert_eq!((code, ran.exit), (1, 1));
    assert!(
        error.starts_with("error: there was a problem with the editor")
            && ran.message().starts_with("there was a problem with the editor")
    );
    editor("sed -i 's/replicas: 2/replicas: x/' \"$1\"");
    let ran = bench.run("kubectl:edit deploy/web").await;
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert_eq!(replicas(OURS), json!(2));
}
