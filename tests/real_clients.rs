//! The built-in world as other people's programs see it: kubectl, dig, curl and the aws CLI against `cogdeck sandbox`,
//! a process of its own. Not for our own commands (tests/talk.rs) and not for single answers of the protocols, which
//! the tests of the sandbox's parts compare with recordings.
//!
//! `COGDECK_TEST_KUBECTL` may name one more kubectl (another version) that has to get along as well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "real_clients/kubectl.rs"]
mod kubectl;
#[path = "real_clients/loops.rs"]
mod loops;
#[path = "real_clients/python.rs"]
mod python;
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use support::process::Sandbox;
use support::require;
use support::run::{Stream, run};

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
