//! Changes and the way back, with cogdeck as a client of a world in another process: each command a process of its own,
//! the journal in the state folder, kubectl and the aws CLI as witnesses of what is there. Also the talk's two defects:
//! the Alias at the apex and the pipe into `kubectl:describe`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use support::process::Sandbox;
use support::require;
use support::run::{Ended, run};

const CALL: Duration = Duration::from_secs(60);
const ZONE: &str = "Z37AJ8CHRUEZC6";

struct Deck {
    world: Sandbox,
    kubectl: PathBuf,
    aws: PathBuf,
}

impl Deck {
    /// A world, or none where a witness is missing.
    fn new() -> Option<Self> {
        let (kubectl, aws) = (require("kubectl")?, require("aws")?);
        Some(Self {
            world: Sandbox::start(&["--speed", "10"]),
            kubectl,
            aws,
        })
    }

    fn run(&self, pipeline: &str) -> Ended {
        run(self.world.cogdeck(&["run", pipeline]), CALL)
    }

    fn ok(&self, pipeline: &str) -> String {
        self.run(pipeline).ok()
    }

    fn records(&self, pipeline: &str) -> Vec<Value> {
        let text = run(self.world.cogdeck(&["run", "-o", "jsonl", pipeline]), CALL).ok();
        text.lines()
            .map(|line| serde_json::from_str(line).expect("one record a line"))
            .collect()
    }

    /// The number of the newest journalled change.
    fn newest(&self) -> u64 {
        self.records("audit --limit 1")[0]["number"].as_u64().expect("a number")
    }

    fn kubectl(&self, args: &[&str]) -> String {
        let mut command = self.world.client(&self.kubectl);
        command.args(args);
        run(command, CALL).ok()
    }

    /// What people set, of every deployment and service: no status, and nothing that counts or tells the time.
    fn specs(&self) -> Value {
        let text = self.kubectl(&["get", "deploy,svc", "-o", "json"]);
        let list: Value = serde_json::from_str(&text).expect("JSON");
        let items = list["items"].as_array().expect("a list").iter();
        items
            .map(|item| {
                json!([
                    item["kind"],
                    item["metadata"]["name"],
                    item["metadata"]["labels"],
                    item["spec"]
                ])
            })
            .collect()
    }

    /// The record sets of the zone, as the aws CLI lists them.
    fn zone(&self) -> Value {
        let mut command = self.world.client(&self.aws);
        command.args([
            "route53",
            "list-resource-record-sets",
            "--hosted-zone-id",
            ZONE,
            "--output",
            "json",
        ]);
        serde_json::from_str(&run(command, CALL).ok()).expect("JSON")
    }

    /// A deployment behind a load balancer, which is waited for; the balancer's name.
    fn inspector(&self) -> String {
        self.ok("kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80 && kubectl:rollout status deploy inspector");
        self.ok("kubectl:expose deploy inspector --type=LoadBalancer");
        self.ok("kubectl:wait svc inspector --for='jsonpath={.status.loadBalancer.ingress[0].hostname}'");
        let service = &self.records("kubectl:get svc inspector")[0];
        service["status"]["loadBalancer"]["ingress"][0]["hostname"]
            .as_str()
            .expect("a host")
            .to_owned()
    }
}

#[test]
fn an_alias_stands_at_the_apex_where_a_cname_may_not() {
    let Some(deck) = Deck::new() else { return };
    let host = deck.inspector();
    let refused = deck.run(&format!("r53:record-create -z {ZONE} -t CNAME spawnhub.com {host}"));
    let reason = "RRSet of type CNAME with DNS name spawnhub.com. is not permitted at apex in zone spawnhub.com.";
    assert_eq!(refused.code, Some(1), "Route 53 refused it, not we: {refused}");
    assert!(refused.stderr.contains(reason), "{refused}");
    assert!(
        refused.stderr.contains("hint: at the apex make an alias"),
        "the hint names the alias: {refused}"
    );

    deck.ok(&format!(
        "r53:record-create -z {ZONE} -t A -a Z1GM3OXH4ZPM65 spawnhub.com {host} --wait"
    ));
    let listed = deck.records(&format!("r53:record-list -z {ZONE} -t A"));
    assert_eq!(listed.len(), 1, "{listed:?}");
    let alias = &listed[0]["AliasTarget"];
    assert!(
        alias.to_string().contains("Z1GM3OXH4ZPM65") && alias.to_string().contains(&host),
        "{listed:?}"
    );
    let addresses = |pipeline: &str| -> Vec<Value> {
        deck.records(pipeline)
            .iter()
            .map(|record| record["data"].clone())
            .collect()
    };
    let (mut apex, mut elb) = (addresses("dig spawnhub.com"), addresses(&format!("dig {host}")));
    apex.sort_by_key(Value::to_string);
    elb.sort_by_key(Value::to_string);
    assert!(!apex.is_empty() && apex == elb, "{apex:?} {elb:?}");
}

#[test]
fn describe_takes_what_comes_down_the_pipe() {
    let Some(deck) = Deck::new() else { return };
    for name in ["one", "two", "three"] {
        deck.ok(&format!("kubectl:run {name} --image=nginx:1.25"));
    }
    let text = deck.ok("kubectl:get deploy | kubectl:describe");
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("Name:"))
        .map(str::trim)
        .collect();
    assert_eq!(
        names,
        ["one", "three", "two"],
        "each of them once, in the order of the list"
    );
    let records = deck.records("kubectl:get deploy | kubectl:describe");
    assert!(records.len() == 3 && records.iter().all(|record| record["kind"] == "Deployment"));
}

#[test]
fn undo_restores_what_was_there() {
    let Some(deck) = Deck::new() else { return };
    // Each change, and who can tell whether it is gone again.
    let cluster = |deck: &Deck| deck.specs();
    let zone = |deck: &Deck| deck.zone();
    type Witness = fn(&Deck) -> Value;
    let steps: [(&str, Witness); 5] = [
        (
            "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80",
            cluster,
        ),
        ("kubectl:expose deploy inspector --type=LoadBalancer", cluster),
        ("kubectl:scale deploy inspector --replicas=3", cluster),
        (
            "kubectl:set image deploy inspector inspector=so0k/kuar-inspector:2.0.0",
            cluster,
        ),
        (
            "r53:record-create -z Z37AJ8CHRUEZC6 -t CNAME inspector.spawnhub.com a0-1.ap-southeast-2.elb.amazonaws.com",
            zone,
        ),
    ];
    for (step, witness) in steps {
        let before = witness(&deck);
        deck.ok(step);
        let after = witness(&deck);
        assert_ne!(before, after, "{step}");
        let number = deck.newest();
        let wrong = deck.run(&format!("undo {number} 99999"));
        assert!(wrong.code == Some(2) && wrong.stderr.contains("E-UNDO-001"), "{wrong}");
        assert_eq!(witness(&deck), after, "nothing is taken back where one names nothing");
        deck.ok(&format!("undo {number}"));
        assert_eq!(witness(&deck), before, "undo of {step}");
        let again = deck.run(&format!("undo {number}"));
        assert_eq!(again.code, Some(2), "{step}: {again}");
        assert!(
            again.stderr.contains("E-UNDO-003") && again.stderr.contains("already"),
            "{again}"
        );
        assert_eq!(witness(&deck), before, "the second undo of {step} changed nothing");
        deck.ok(step); // the next one stands on it
    }
    let audit = deck.records("audit");
    assert_eq!(
        audit.len(),
        3 * steps.len(),
        "each change, its undo and the change again"
    );
    let undone: Vec<_> = audit.iter().filter_map(|entry| entry["undoes"].as_u64()).collect();
    assert_eq!(undone, [13, 10, 7, 4, 1], "newest first, each undo names its change");
    assert!(
        audit
            .iter()
            .all(|entry| entry["outcome"] == "applied" && entry["context"] == "sandbox"),
        "{audit:#?}"
    );
    let hashes: std::collections::BTreeSet<_> = audit.iter().map(|entry| entry["hash"].to_string()).collect();
    assert_eq!(hashes.len(), audit.len(), "a chain of hashes");
}

#[test]
fn undo_of_a_replaced_record_brings_the_old_one_back() {
    let Some(deck) = Deck::new() else { return };
    let create = |value: &str| format!("r53:record-create -z {ZONE} -t TXT --ttl 60 note.spawnhub.com '{value}'");
    deck.ok(&create("first; with a \"quote\""));
    let before = deck.zone();
    let refused = deck.run(&create("second"));
    assert_eq!(
        refused.code,
        Some(2),
        "a live record is overwritten only with --yes: {refused}"
    );
    assert_eq!(deck.zone(), before);
    run(deck.world.cogdeck(&["run", "--yes", &create("second")]), CALL).ok();
    assert_ne!(deck.zone(), before);
    deck.ok(&format!("undo {}", deck.newest()));
    assert_eq!(deck.zone(), before);
}

#[test]
fn undo_is_refused_when_somebody_else_changed_the_target() {
    let Some(deck) = Deck::new() else { return };
    deck.ok("kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80");
    deck.ok("kubectl:scale deploy inspector --replicas=3");
    let scaled = deck.newest();
    deck.kubectl(&["scale", "deploy", "inspector", "--replicas=5"]);
    let refused = deck.run(&format!("undo {scaled}"));
    assert_eq!(refused.code, Some(2), "{refused}");
    assert!(refused.stderr.contains("E-UNDO-004"), "{refused}");
    let difference = ["inspector", "3", "5"];
    assert!(
        difference.iter().all(|part| refused.stderr.contains(part)),
        "what it should be and what it is: {refused}"
    );
    assert_eq!(
        deck.kubectl(&["get", "deploy", "inspector", "-o", "jsonpath={.spec.replicas}"]),
        "5"
    );

    let unknown = deck.run("undo 4711");
    assert_eq!(unknown.code, Some(2), "{unknown}");
    assert!(
        unknown.stderr.contains("there is no entry 4711") && unknown.stderr.contains("audit"),
        "{unknown}"
    );
}

#[test]
fn several_changes_of_one_object_are_taken_back_in_the_order_they_are_named() {
    let Some(deck) = Deck::new() else { return };
    deck.ok("kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80");
    deck.ok("kubectl:scale deploy inspector --replicas=3");
    let first = deck.newest();
    deck.ok("kubectl:scale deploy inspector --replicas=5");
    let second = deck.newest();
    let replicas = || deck.kubectl(&["get", "deploy", "inspector", "-o", "jsonpath={.spec.replicas}"]);
    let refused = deck.run(&format!("undo {first} {second}"));
    assert!(refused.stderr.contains("E-UNDO-004"), "the later one stands: {refused}");
    assert_eq!(replicas(), "5");
    deck.ok(&format!("undo {second} {first}"));
    assert_eq!(replicas(), "1");
}

#[test]
fn the_journal_is_private_and_survives_the_process() {
    use std::os::unix::fs::PermissionsExt;
    let world = Sandbox::start(&[]);
    let state = tempfile::tempdir().unwrap();
    let cogdeck = |pipeline: &str| {
        let mut command = world.cogdeck(&["run", "-o", "jsonl", pipeline]);
        command.env("XDG_STATE_HOME", state.path());
        run(command, CALL).ok()
    };
    cogdeck("kubectl:run web --image=nginx:1.25");
    let entry: Value = serde_json::from_str(&cogdeck("audit")).expect("one entry");
    assert_eq!(
        (&entry["number"], &entry["change"]["verb"]),
        (&json!(1), &json!("kubectl:run"))
    );
    assert!(
        entry["pipeline"]
            .as_str()
            .is_some_and(|text| text.contains("nginx:1.25")),
        "{entry}"
    );
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let folder = state.path().join("cogdeck");
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert!(
        !files.is_empty() && files.iter().all(|file| mode(file) == 0o600),
        "{files:?}"
    );
}
