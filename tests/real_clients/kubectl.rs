//! kubectl, each that there is.

use std::path::PathBuf;
use std::time::Duration;

use super::support::require;
use super::support::run::{Stream, run};
use super::{CALL, Deck, SOON};
use serde_json::json;

/// Every kubectl to be tried; none: the test is skipped.
fn kubectls() -> Vec<PathBuf> {
    let another = std::env::var_os("COGDECK_TEST_KUBECTL").filter(|path| !path.is_empty());
    require("kubectl")
        .into_iter()
        .chain(another.map(PathBuf::from))
        .collect()
}

/// The row that starts with this name, its columns.
fn row<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let found = table.lines().find(|line| line.starts_with(name));
    found
        .unwrap_or_else(|| panic!("no row {name} in\n{table}"))
        .split_whitespace()
        .collect()
}

#[test]
fn kubectl_creates_shows_and_deletes() {
    for kubectl in kubectls() {
        let deck = Deck::new(&kubectl);
        let created = deck.kubectl("create deployment inspector --image=so0k/kuar-inspector:1.0.0 --port=80");
        assert_eq!(created, "deployment.apps/inspector created\n");
        let mut services = Stream::start(deck.command(&["get", "svc", "-w"]));
        services.wait_for(|lines| lines.iter().any(|line| line.starts_with("kubernetes ")), SOON);
        assert_eq!(
            deck.kubectl("expose deploy inspector --type=LoadBalancer"),
            "service/inspector exposed\n"
        );
        let named =
            |line: &String| line.starts_with("inspector ") && line.contains(".ap-southeast-2.elb.amazonaws.com");
        let rows = services.wait_for(|lines| lines.iter().any(named), SOON);
        let first = rows
            .iter()
            .find(|line| line.starts_with("inspector "))
            .expect("the service");
        assert!(
            first.contains(" <pending> ") && first.contains(" LoadBalancer "),
            "{first}"
        );
        let host = rows
            .iter()
            .find(|line| named(line))
            .expect("just seen")
            .split_whitespace()
            .nth(3)
            .expect("EXTERNAL-IP");
        assert!(
            host.ends_with(".ap-southeast-2.elb.amazonaws.com"),
            "the name is whole: {host}"
        );
        deck.kubectl("rollout status deploy inspector --timeout=60s");

        let all = deck.kubectl("get deploy,rs,po,svc -o wide");
        assert_eq!(row(&all, "deployment.apps/inspector")[1..4], ["1/1", "1", "1"], "{all}");
        let wide = [
            "CONTAINERS",
            "IMAGES",
            "SELECTOR",
            "NOMINATED NODE",
            "READINESS GATES",
            "EXTERNAL-IP",
        ];
        assert!(wide.iter().all(|column| all.contains(column)), "{all}");
        assert_eq!(row(&all, "replicaset.apps/inspector-")[1..4], ["1", "1", "1"], "{all}");
        let pod = row(&all, "pod/inspector-");
        assert_eq!(pod[1..3], ["1/1", "Running"], "{all}");
        assert!(
            pod.iter().any(|cell| cell.starts_with("100.")),
            "a pod's address: {all}"
        );
        assert!(
            pod.iter()
                .any(|cell| cell.ends_with(".ap-southeast-2.compute.internal")),
            "its node: {all}"
        );
        assert_eq!(row(&all, "service/inspector")[3], host, "{all}");

        let described = deck.kubectl("describe deploy inspector");
        for wanted in [
            "Replicas: 1 desired | 1 updated | 1 total | 1 available | 0 unavailable",
            "ScalingReplicaSet",
        ] {
            let squeezed = described.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(squeezed.contains(wanted), "{wanted} in\n{described}");
        }
        assert!(deck.kubectl("describe svc inspector").contains(host));
        assert!(deck.kubectl("describe po").contains("Successfully pulled image"));
        assert!(deck.kubectl("describe nodes").contains("ip-172-20-"));

        deck.kubectl("delete deploy,svc inspector");
        let gone = deck.kubectl("get deploy,svc -o name");
        assert_eq!(gone, "service/kubernetes\n");
        let mut watch =
            Stream::start(deck.command(&["wait", "--for=delete", "po", "-l", "app=inspector", "--timeout=30s"]));
        watch.end(SOON);
        assert_eq!(deck.kubectl("get po -o name"), "", "the pods went with their owner");
    }
}

#[test]
fn kubectl_scales_and_watches_pods() {
    for kubectl in kubectls() {
        let deck = Deck::new(&kubectl);
        deck.inspector();
        let mut pods = Stream::start(deck.command(&["get", "po", "-w"]));
        pods.wait_for(|lines| lines.iter().any(|line| line.contains("1/1")), SOON);
        assert_eq!(
            deck.kubectl("scale deploy inspector --replicas=3"),
            "deployment.apps/inspector scaled\n"
        );
        let running = |lines: &[String]| {
            let names = lines
                .iter()
                .filter(|line| line.contains(" Running ") && line.contains(" 1/1 "));
            names
                .filter_map(|line| line.split_whitespace().next())
                .collect::<std::collections::BTreeSet<_>>()
                .len()
        };
        let lines = pods.wait_for(|lines| running(lines) == 3, SOON);
        for state in ["Pending", "ContainerCreating"] {
            assert!(
                lines.iter().any(|line| line.contains(state)),
                "{state} was seen: {lines:#?}"
            );
        }
        assert_eq!(row(&deck.kubectl("get deploy"), "inspector ")[1..4], ["3/3", "3", "3"]);
        let refused = run(
            deck.command(&["scale", "deploy", "inspector", "--current-replicas=7", "--replicas=1"]),
            CALL,
        );
        assert!(refused.code(1).stderr.contains("Expected replicas to be 7, was 3"));
    }
}

#[test]
fn kubectl_rolls_forward_and_back() {
    for kubectl in kubectls() {
        let deck = Deck::new(&kubectl);
        deck.kubectl("create deployment inspector --image=so0k/kuar-inspector:1.0.0 --port=80 --replicas=3");
        deck.kubectl("rollout status deploy inspector --timeout=60s");
        let image = || deck.kubectl("get po -l app=inspector -o jsonpath={.items[*].spec.containers[*].image}");
        let set = deck.kubectl("set image deploy inspector kuar-inspector=so0k/kuar-inspector:2.0.0");
        assert_eq!(set, "deployment.apps/inspector image updated\n");
        let status = deck.kubectl("rollout status deploy inspector --timeout=60s");
        assert!(
            status.contains("out of 3 new replicas have been updated..."),
            "{status}"
        );
        assert!(
            status.ends_with("deployment \"inspector\" successfully rolled out\n"),
            "{status}"
        );
        let history = deck.kubectl("rollout history deploy inspector");
        let revisions: Vec<_> = history
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))
            .collect();
        assert_eq!(revisions.len(), 2, "{history}");
        assert_eq!(
            deck.kubectl("rollout undo deploy inspector"),
            "deployment.apps/inspector rolled back\n"
        );
        deck.kubectl("rollout status deploy inspector --timeout=60s");
        deck.kubectl("wait --for=condition=Available deploy/inspector --timeout=30s");
        let old = |images: &str| !images.contains("2.0.0") && images.matches("1.0.0").count() == 3;
        let mut images = image();
        for _ in 0..20 {
            if old(&images) {
                break; // those of 2.0.0 that still end have gone
            }
            std::thread::sleep(Duration::from_millis(250));
            images = image();
        }
        assert!(old(&images), "{images}");
    }
}

#[test]
fn kubectl_labels_patches_and_applies() {
    for kubectl in kubectls() {
        let deck = Deck::new(&kubectl);
        deck.kubectl("create deployment web --image=nginx:1.25");
        assert_eq!(
            deck.kubectl("label deploy web team=platform"),
            "deployment.apps/web labeled\n"
        );
        assert_eq!(
            deck.kubectl("get deploy -l team=platform,app!=api -o name"),
            "deployment.apps/web\n"
        );
        assert_eq!(deck.kubectl("get deploy -l team!=platform -o name"), "");
        deck.kubectl("annotate deploy web note='a \"quoted\"; word'");
        // Strategic merge joins the container by its name, a merge patch replaces the list, a JSON patch names a place.
        deck.kubectl(r#"patch deploy web -p '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","env":[{"name":"A","value":"b"}]}]}}}}'"#);
        let container = |field: &str| {
            deck.kubectl(&format!(
                "get deploy web -o jsonpath={{.spec.template.spec.containers[0].{field}}}"
            ))
        };
        assert_eq!(container("image"), "nginx:1.25");
        assert_eq!(container("env[0].value"), "b");
        deck.kubectl(r#"patch deploy web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":2}]'"#);
        deck.kubectl(r#"patch deploy web --type=merge -p '{"metadata":{"labels":{"team":null}}}'"#);
        assert_eq!(
            deck.kubectl("get deploy web -o jsonpath={.spec.replicas}{.metadata.labels.team}"),
            "2"
        );

        let manifest = |replicas: u32| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": "api"}}, "template": {
                    "metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "api", "image": "nginx:1.25"}]}}}})
        };
        assert_eq!(
            deck.with_manifest("apply", &manifest(1)),
            "deployment.apps/api created\n"
        );
        assert_eq!(
            deck.with_manifest("apply", &manifest(1)),
            "deployment.apps/api unchanged\n"
        );
        assert_eq!(
            deck.with_manifest("apply", &manifest(2)),
            "deployment.apps/api configured\n"
        );
        assert_eq!(deck.kubectl("get deploy api -o jsonpath={.spec.replicas}"), "2");
        let mut wrong = manifest(1);
        wrong["spec"]["replicas"] = json!(-1);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), wrong.to_string()).unwrap();
        let refused = run(deck.command(&["apply", "-f", &file.path().display().to_string()]), CALL).code(1);
        assert!(
            refused.stderr.contains("must be greater than or equal to 0"),
            "{refused}"
        );
        assert!(
            deck.with_manifest("delete", &manifest(1))
                .starts_with("deployment.apps \"api\" deleted")
        );
        let missing = run(deck.command(&["get", "deploy", "api"]), CALL).code(1);
        assert_eq!(
            missing.stderr,
            "Error from server (NotFound): deployments.apps \"api\" not found\n"
        );
    }
}
