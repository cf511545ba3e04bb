//! The built-in world as other people's programs see it: kubectl, dig, curl and the aws CLI against `cogdeck sandbox`,
//! a process of its own. Not for our own commands (tests/talk.rs) and not for single answers of the protocols, which
//! the tests of the sandbox's parts compare with recordings.
//!
//! `COGDECK_TEST_KUBECTL` may name one more kubectl (another version) that has to get along as well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use support::process::Sandbox;
use support::run::{Stream, run};
use support::{require, require_kubernetes_python};

const ZONE: &str = "Z37AJ8CHRUEZC6";
/// For one call of a client, slow machines included.
const CALL: Duration = Duration::from_secs(60);
/// For something that the world does by itself, at the speed used here.
const SOON: Duration = Duration::from_secs(30);

/// A world and the kubectl that is tried on it.
struct Deck {
    world: Sandbox,
    kubectl: PathBuf,
}

impl Deck {
    fn new(kubectl: &Path) -> Self {
        let world = Sandbox::start(&["--speed", "5"]);
        Self {
            world,
            kubectl: kubectl.to_owned(),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.world.client(&self.kubectl);
        command.args(args);
        command
    }

    /// Stdout of a kubectl that ends well.
    fn kubectl(&self, line: &str) -> String {
        let args = shlex::split(line).expect("a line that a shell can read");
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(self.command(&args), CALL).ok()
    }

    /// The same with a manifest in a file, `-f FILE` added to the line.
    fn with_manifest(&self, line: &str, manifest: &Value) -> String {
        let file = tempfile::NamedTempFile::new().expect("a file for the manifest");
        std::fs::write(file.path(), manifest.to_string()).expect("the manifest");
        self.kubectl(&format!("{line} -f {}", file.path().display()))
    }

    /// The talk's first steps: a deployment behind a load balancer; the balancer's name.
    fn inspector(&self) -> String {
        self.kubectl("create deployment inspector --image=so0k/kuar-inspector:1.0.0 --port=80");
        self.kubectl("expose deploy inspector --type=LoadBalancer");
        self.kubectl("rollout status deploy inspector --timeout=60s");
        let mut watch = Stream::start(self.command(&["get", "svc", "inspector", "-w"]));
        let lines = watch.wait_for(
            |lines| lines.iter().any(|line| line.contains(".elb.amazonaws.com")),
            SOON,
        );
        let row = lines
            .iter()
            .find(|line| line.contains(".elb.amazonaws.com"))
            .expect("just seen");
        row.split_whitespace().nth(3).expect("EXTERNAL-IP").to_owned()
    }
}

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

/// The talk's two loops.
const NET_LOOP: &str = r"while true; do curl -s http://inspector.spawnhub.com/net | egrep -o '100\.[0-9]+\.[0-9]+\.[0-9]+' | head -n 1; sleep .5; done";
const VERSION_LOOP: &str = r"while true; do curl -s http://inspector.spawnhub.com/ | egrep -o 'Version: Inspector [0-9].[0-9].[0-9]' | head -n 1; sleep .5; done";

#[test]
fn the_talks_loops_run_unmodified_in_a_shell() {
    let (Some(bash), Some(_), Some(aws)) = (require("bash"), require("curl"), require("aws")) else {
        return;
    };
    let Some(kubectl) = require("kubectl") else { return };
    let deck = Deck::new(&kubectl);
    let host = deck.inspector();
    change_record_sets(&deck.world, &aws, &cname("inspector.spawnhub.com", &host)).ok();
    deck.kubectl("scale deploy inspector --replicas=3");
    deck.kubectl("rollout status deploy inspector --timeout=60s");
    let shell = |line: &str| {
        let mut command = deck.world.client(&bash);
        command.args(["-c", line]);
        Stream::start(command)
    };
    let addresses = deck.kubectl("get po -l app=inspector -o jsonpath={.items[*].status.podIP}");
    let mut net = shell(NET_LOOP);
    // Three pods, one of them chosen for each connection: 60 s are 120 requests.
    net.wait_for(
        |lines| addresses.split(' ').all(|ip| lines.iter().any(|line| line == ip)),
        CALL,
    );
    drop(net);

    let mut versions = shell(VERSION_LOOP);
    versions.wait_for(
        |lines| lines.iter().any(|line| line == "Version: Inspector 1.0.0"),
        SOON,
    );
    deck.kubectl("set image deploy inspector kuar-inspector=so0k/kuar-inspector:2.0.0");
    deck.kubectl("rollout status deploy inspector --timeout=60s");
    let before = versions.wait_for(|_| true, SOON).len();
    let after = |lines: &[String]| lines.len() > before + 5;
    let lines = versions.wait_for(after, SOON);
    // The first of them may have been asked before the rollout ended.
    assert!(
        lines[before + 1..]
            .iter()
            .all(|line| line == "Version: Inspector 2.0.0"),
        "{lines:#?}"
    );
}

fn cname(name: &str, target: &str) -> Value {
    json!({"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
        "Name": name, "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": target}]}}]})
}

fn change_record_sets(world: &Sandbox, aws: &Path, batch: &Value) -> support::run::Ended {
    let mut command = world.client(aws);
    command.args([
        "route53",
        "change-resource-record-sets",
        "--hosted-zone-id",
        ZONE,
        "--change-batch",
        &batch.to_string(),
    ]);
    run(command, CALL)
}

#[test]
fn the_aws_client_and_dig_agree_on_the_world() {
    let (Some(aws), Some(dig)) = (require("aws"), require("dig")) else {
        return;
    };
    let world = Sandbox::start(&["--speed", "10"]);
    let ask = |args: &[&str]| -> Value {
        let mut command = world.client(&aws);
        command.args(args).args(["--output", "json"]);
        let text = run(command, CALL).ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    };
    let filter = "Name=tag:KubernetesCluster,Values=staging.spawnhub.com";
    let found = ask(&[
        "ec2",
        "describe-instances",
        "--filters",
        filter,
        "--query",
        "Reservations[].Instances[]",
    ]);
    let found = found.as_array().expect("a list of instances");
    assert_eq!(found.len(), 4, "the cluster's instances");
    let public: Vec<_> = found
        .iter()
        .filter_map(|instance| instance["PublicIpAddress"].as_str())
        .collect();
    assert_eq!(public.len(), 3, "one has no public address: {public:?}");
    assert!(public.iter().all(|ip| ip.starts_with("203.0.113.")), "{public:?}");

    let changed = change_record_sets(
        &world,
        &aws,
        &cname("www.spawnhub.com", "a0-1.ap-southeast-2.elb.amazonaws.com"),
    )
    .ok();
    assert!(changed.contains("\"PENDING\""), "{changed}");
    let sets = ask(&["route53", "list-resource-record-sets", "--hosted-zone-id", ZONE]);
    let sets = sets["ResourceRecordSets"]
        .as_array()
        .expect("a list of record sets")
        .clone();
    let kinds: Vec<_> = sets
        .iter()
        .map(|set| (set["Name"].as_str().unwrap(), set["Type"].as_str().unwrap()))
        .collect();
    let wanted = [
        ("spawnhub.com.", "NS"),
        ("spawnhub.com.", "SOA"),
        ("www.spawnhub.com.", "CNAME"),
    ];
    assert!(wanted.iter().all(|set| kinds.contains(set)), "{kinds:?}");

    let (address, port) = world.env("COGDECK_DNS").rsplit_once(':').expect("IP:PORT");
    let look_up = |more: &[&str]| {
        let mut command = world.client(&dig);
        command
            .arg(format!("@{address}"))
            .args(["-p", port, "+short", "+tries=1", "+time=5"])
            .args(more);
        run(command, CALL).ok()
    };
    let mut answer = look_up(&["www.spawnhub.com", "CNAME"]);
    for _ in 0..20 {
        if !answer.is_empty() {
            break; // the change is PENDING for some seconds, and the name servers do not know it before
        }
        std::thread::sleep(Duration::from_millis(250));
        answer = look_up(&["www.spawnhub.com", "CNAME"]);
    }
    assert_eq!(answer, "a0-1.ap-southeast-2.elb.amazonaws.com.\n");
    assert_eq!(look_up(&["www.spawnhub.com", "CNAME", "+tcp"]), answer);
    assert_eq!(look_up(&["spawnhub.com", "NS"]).lines().count(), 4);
    assert_eq!(look_up(&["example.com"]), "", "it answers for its own names only");

    let refused = change_record_sets(
        &world,
        &aws,
        &cname("spawnhub.com", "a0-1.ap-southeast-2.elb.amazonaws.com"),
    );
    assert!(refused.code != Some(0), "{refused}");
    let reason = "RRSet of type CNAME with DNS name spawnhub.com. is not permitted at apex in zone spawnhub.com.";
    assert!(
        refused.stderr.contains("InvalidChangeBatch") && refused.stderr.contains(reason),
        "{refused}"
    );

    let mut wrong = world.client(&aws);
    wrong
        .args(["sts", "get-caller-identity"])
        .env("AWS_ACCESS_KEY_ID", "AKIAFOREIGN");
    assert!(run(wrong, CALL).code != Some(0), "another key is refused");
}

/// Lists pods, follows them from the list's version, breaks nothing off: what an operator written in Python does.
const PYTHON_WATCH: &str = r#"
import sys
from kubernetes import client, config, watch

config.load_kube_config(sys.argv[1])
core = client.CoreV1Api()
listed = core.list_namespaced_pod("default", label_selector="app=web")
print("listed", len(listed.items), flush=True)
ready, deleted = set(), set()
stream = watch.Watch()
events = stream.stream(core.list_namespaced_pod, "default", label_selector="app=web",
                       resource_version=listed.metadata.resource_version, timeout_seconds=60)
for event in events:
    pod = event["object"]
    conditions = pod.status.conditions or []
    if any(c.type == "Ready" and c.status == "True" for c in conditions):
        ready.add(pod.metadata.name)
    if event["type"] == "DELETED":
        deleted.add(pod.metadata.name)
    if len(ready) == 3 and not deleted and not getattr(stream, "asked", False):
        stream.asked = True
        print("ready", flush=True)
    if len(deleted) == 3:
        stream.stop()
print("deleted", sorted(deleted) == sorted(ready))
try:
    core.read_namespaced_pod("none", "default")
except client.ApiException as error:
    print("error", error.status, error.reason)
apps = client.AppsV1Api()
print("deployments", [d.metadata.name for d in apps.list_namespaced_deployment("default").items])
"#;

#[test]
fn the_python_client_watches() {
    let (Some(python), Some(kubectl)) = (require_kubernetes_python(), require("kubectl")) else {
        return;
    };
    let deck = Deck::new(&kubectl);
    let kubeconfig = deck.world.kubeconfig();
    let mut command = deck.world.client(&python);
    command.args(["-c", PYTHON_WATCH]).arg(&kubeconfig);
    // This client asks a proxy for a tunnel to loopback too, whatever no_proxy says.
    command.env_remove("http_proxy");
    let mut watch = Stream::start(command);
    watch.wait_for(|lines| lines.iter().any(|line| line == "listed 0"), CALL);
    deck.kubectl("create deployment web --image=nginx:1 --replicas=3");
    watch.wait_for(|lines| lines.iter().any(|line| line == "ready"), SOON);
    deck.kubectl("delete deployment web");
    let lines = watch.wait_for(|lines| lines.iter().any(|line| line.starts_with("deployments")), SOON);
    let last: Vec<&str> = lines.iter().rev().take(3).rev().map(String::as_str).collect();
    assert_eq!(
        last,
        ["deleted True", "error 404 Not Found", "deployments []"],
        "{}",
        watch.complaints()
    );
}
