//! One command in several clusters at once, by the program as it is delivered: two worlds, each a process of its own,
//! and one kubeconfig that names both. What each answers is compared with kubectl's answer from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use support::process::{COGDECK, Sandbox};
use support::run::{Ended, Stream, run};
use support::terminal::Terminal;
use support::{require, signal};

const SOON: Duration = Duration::from_secs(60);

/// Two clusters behind one kubeconfig.
struct Pair {
    blue: Sandbox,
    green: Sandbox,
    kubectl: PathBuf,
    kubeconfig: tempfile::NamedTempFile,
}

impl Pair {
    /// None: the machine has no kubectl.
    fn start() -> Option<Pair> {
        let kubectl = require("kubectl")?;
        let blue = Sandbox::start(&["--speed", "10", "--seed", "1"]);
        let green = Sandbox::start(&["--speed", "10", "--seed", "2"]);
        let kubeconfig = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(kubeconfig.path(), merged(&[("blue", &blue), ("green", &green)])).unwrap();
        let pair = Pair {
            blue,
            green,
            kubectl,
            kubeconfig,
        };
        let image = "--image=so0k/kuar-inspector:1.0.0";
        for (context, names) in [("blue", &["web", "only-blue"][..]), ("green", &["web"])] {
            for name in names {
                pair.kubectl(context, &["create", "deployment", name, image]);
            }
            pair.kubectl(context, &["rollout", "status", "deployment/web", "--timeout=60s"]);
        }
        Some(pair)
    }

    fn here(&self, mut command: Command) -> Command {
        command.env("KUBECONFIG", self.kubeconfig.path());
        command
    }

    fn kubectl(&self, context: &str, arguments: &[&str]) -> String {
        let mut command = self.here(self.blue.client(&self.kubectl));
        command.args(["--context", context]).args(arguments);
        run(command, SOON).ok()
    }

    fn cogdeck(&self, arguments: &[&str]) -> Ended {
        run(self.here(self.blue.cogdeck(arguments)), SOON)
    }

    /// What kubectl lists from one cluster.
    fn objects(&self, context: &str) -> Vec<Value> {
        let text = self.kubectl(context, &["get", "deploy", "-A", "-o", "json"]);
        let list: Value = serde_json::from_str(&text).unwrap();
        list["items"].as_array().unwrap().clone()
    }
}

/// A kubeconfig of contexts by these names, each leading into a world.
fn merged(worlds: &[(&str, &Sandbox)]) -> String {
    let (mut clusters, mut users, mut contexts) = (String::new(), String::new(), String::new());
    for (name, world) in worlds {
        let text = std::fs::read_to_string(world.kubeconfig()).unwrap();
        let value = |key: &str| {
            let mut lines = text.lines();
            let value = lines.find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": "));
            value.unwrap_or_else(|| panic!("no {key} in the kubeconfig")).to_owned()
        };
        let (server, authority) = (value("server"), value("certificate-authority-data"));
        clusters +=
            &format!("- name: {name}\n  cluster:\n    server: {server}\n    certificate-authority-data: {authority}\n");
        users += &format!("- name: {name}\n  user:\n    token: {}\n", value("token"));
        contexts += &format!("- name: {name}\n  context:\n    cluster: {name}\n    user: {name}\n");
    }
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n{clusters}users:\n{users}contexts:\n{contexts}current-context: blue\n"
    )
}

fn records(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The objects of one context, as the API gives them.
fn of(records: &[Value], context: &str) -> Vec<Value> {
    let own = records.iter().filter(|record| record["context"] == context).cloned();
    own.map(|mut record| {
        let fields = record.as_object_mut().unwrap();
        fields.remove("context");
        record
    })
    .collect()
}

/// The words of a table's rows, without the age, which goes on.
fn cells(table: &str) -> Vec<Vec<String>> {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
    let mut rows: Vec<Vec<String>> = table.lines().map(words).collect();
    rows.iter_mut().for_each(|row| {
        row.pop();
    });
    rows
}

#[test]
fn the_rows_of_two_clusters_are_those_of_kubectl_and_say_whose_they_are() {
    let Some(pair) = Pair::start() else { return };
    for contexts in ["@blue,green", "@*", "parallel=1 @blue,green"] {
        let line = format!("{contexts} kubectl:get deploy -A");
        let found = records(&pair.cogdeck(&["run", "-o", "jsonl", &line]).ok());
        for context in ["blue", "green"] {
            let mut wanted = pair.objects(context);
            // Ours leave it out.
            for object in &mut wanted {
                object["metadata"].as_object_mut().unwrap().remove("managedFields");
            }
            assert_eq!(of(&found, context), wanted, "{line}: {context}");
        }
        let order: Vec<&Value> = found.iter().map(|record| &record["context"]).collect();
        assert!(order.is_sorted_by_key(|context| context.as_str()), "{order:?}");
    }
    let table = cells(&pair.cogdeck(&["run", "@green,blue kubectl:get deploy"]).ok());
    let mut wanted = Vec::new();
    for context in ["green", "blue"] {
        for mut row in cells(&pair.kubectl(context, &["get", "deploy"])) {
            let header = row[0] == "NAME";
            row.insert(0, if header { "CONTEXT" } else { context }.to_owned());
            if !header || wanted.is_empty() {
                wanted.push(row);
            }
        }
    }
    assert_eq!(table, wanted, "one table, in the order of the names");
    // Through a pipe, by a field of the record.
    let counted = pair.cogdeck(&[
        "run",
        "@blue,green kubectl:get deploy | jq -r '\"\\(.context) \\(.metadata.name)\"'",
    ]);
    assert_eq!(
        counted.ok().lines().collect::<Vec<_>>(),
        ["blue only-blue", "blue web", "green web"]
    );
    // A change is made in one place.
    let refused = pair
        .cogdeck(&["run", "--yes", "@blue,green kubectl:scale deploy web --replicas=3"])
        .code(2);
    assert!(
        refused.stderr.contains("one context at a time for changes"),
        "{refused}"
    );
    assert!(refused.stderr.contains("E-CONTEXT-003"), "{refused}");
    for context in ["blue", "green"] {
        let replicas = pair.kubectl(context, &["get", "deploy", "web", "-o", "jsonpath={.spec.replicas}"]);
        assert_eq!(replicas, "1", "{context}");
    }
    let unknown = pair.cogdeck(&["run", "@blue,gren kubectl:get deploy"]).code(2);
    assert!(unknown.stderr.contains("did you mean green?"), "{unknown}");
}

#[test]
fn a_cluster_that_dies_takes_the_other_one_not_with_it() {
    let Some(pair) = Pair::start() else { return };
    let watch = ["run", "-o", "jsonl", "@blue,green kubectl:get deploy -w"];
    let mut stream = Stream::start(pair.here(pair.blue.cogdeck(&watch)));
    let has = |lines: &[String], context: &str, replicas: u64| {
        let all = records(&lines.join("\n"));
        let web = all.iter().filter(|record| record["metadata"]["name"] == "web");
        web.filter(|record| record["context"] == context)
            .any(|record| record["spec"]["replicas"] == replicas)
    };
    stream.wait_for(|lines| has(lines, "blue", 1) && has(lines, "green", 1), SOON);
    pair.kubectl("green", &["scale", "deploy", "web", "--replicas=2"]);
    stream.wait_for(|lines| has(lines, "green", 2), SOON);
    signal(pair.green.pid(), "KILL");
    pair.kubectl("blue", &["scale", "deploy", "web", "--replicas=2"]);
    stream.wait_for(|lines| has(lines, "blue", 2), SOON);

    let once = ["run", "-o", "jsonl", "@green,blue kubectl:get deploy"];
    let without = pair.cogdeck(&once).code(1);
    let found = records(&without.stdout);
    let mut wanted = pair.objects("blue");
    wanted.retain(|object| object["metadata"]["namespace"] == "default");
    let names = |objects: &[Value]| -> Vec<Value> { objects.iter().map(|o| o["metadata"]["name"].clone()).collect() };
    assert_eq!(names(&of(&found, "blue")), names(&wanted), "{without}");
    assert_eq!(found.len(), wanted.len());
    let report: Value = serde_json::from_str(without.stderr.lines().next().unwrap()).unwrap();
    assert_eq!(report["error"]["context"], "green", "{without}");
    let told = report["error"]["message"].as_str().unwrap();
    assert!(told.starts_with("context green: "), "{told}");

    signal(stream.pid(), "INT");
    assert_eq!(stream.end(SOON).code(), Some(130));
    let complaints = stream.complaints();
    assert!(complaints.contains(r#""context":"green""#), "{complaints}");
}

#[test]
fn a_pinned_line_over_two_clusters_is_one_live_panel() {
    let Some(pair) = Pair::start() else { return };
    let kubeconfig = pair.kubeconfig.path().to_str().unwrap();
    let terminal = Terminal::spawn(COGDECK, &[], &[("KUBECONFIG", kubeconfig)], 160, 40);
    terminal.wait_for_text("blue", SOON).unwrap();
    terminal.type_text("@blue,green kubectl:get deploy | pin --every 1s\n");
    let both = |screen: &str| {
        ["CONTEXT", "only-blue", "green"]
            .iter()
            .all(|word| screen.contains(word))
    };
    terminal.wait_for(both, SOON).expect("the rows of both clusters");
    let create = [
        "create",
        "deployment",
        "late-green",
        "--image=so0k/kuar-inspector:1.0.0",
    ];
    pair.kubectl("green", &create);
    terminal
        .wait_for_text("late-green", SOON)
        .expect("a row that came later");
}
