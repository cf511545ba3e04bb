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
            // All of them: what two ask for one after another is to be the same.
            for name in names {
                let deployment = format!("deployment/{name}");
                pair.kubectl(context, &["rollout", "status", &deployment, "--timeout=60s"]);
            }
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

    // It is named when it cannot be reached again, while the other goes on.
    stream.wait_for_complaint(r#""context":"green""#, SOON);
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

/// Whether a row shows this object of this context: a list's first two columns, the context perhaps with its mark.
fn shows(screen: &str, context: &str, name: &str) -> bool {
    row(screen, context, name).is_some()
}

/// The cells of that row behind its name, to the end of its pane: another one may stand beside it.
fn row<'s>(screen: &'s str, context: &str, name: &str) -> Option<&'s str> {
    screen.lines().flat_map(|line| line.split('│')).find_map(|pane| {
        let mut rest = pane;
        while let Some(at) = rest.find(context) {
            rest = &rest[at + context.len()..];
            let cells = rest.trim_start().strip_prefix(name);
            if let Some(cells) = cells.filter(|cells| rest.starts_with(' ') && cells.starts_with([' '])) {
                return Some(cells);
            }
        }
        None
    })
}

impl Pair {
    /// A console that shows both clusters.
    fn console(&self) -> Terminal {
        let kubeconfig = self.kubeconfig.path().to_str().unwrap();
        let terminal = Terminal::spawn(COGDECK, &[], &[("KUBECONFIG", kubeconfig)], 200, 50);
        terminal
            .wait_for_text("only-blue", SOON)
            .expect("the rows of the first");
        terminal.type_text(":ctx blue,gren\n");
        terminal.wait_for_text("did you mean green?", SOON).expect("a refusal");
        terminal.type_text(":ctx blue,green\n");
        let both = |screen: &str| {
            let top = screen.lines().next().unwrap_or_default();
            let rows = [("blue", "only-blue"), ("blue", "web"), ("green", "web")];
            top.contains("blue + green") && rows.iter().all(|(context, name)| shows(screen, context, name))
        };
        terminal.wait_for(both, SOON).expect("the rows of both");
        terminal
    }

    fn replicas(&self, context: &str) -> String {
        self.kubectl(context, &["get", "deploy", "web", "-o", "jsonpath={.spec.replicas}"])
    }

    fn image(&self, context: &str) -> String {
        let path = "jsonpath={.spec.template.spec.containers[0].image}";
        self.kubectl(context, &["get", "deploy", "web", "-o", path])
    }

    fn wait(&self, what: impl Fn(&Pair) -> bool) {
        let end = std::time::Instant::now() + SOON;
        while !what(self) {
            assert!(std::time::Instant::now() < end, "it never came");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn a_row_is_acted_on_in_its_own_cluster_and_an_approval_names_it() {
    let Some(pair) = Pair::start() else { return };
    for context in ["blue", "green"] {
        let image = "kuar-inspector=so0k/kuar-inspector:2.0.0";
        pair.kubectl(context, &["set", "image", "deployment/web", image]);
        pair.kubectl(context, &["rollout", "status", "deployment/web", "--timeout=60s"]);
    }
    let terminal = pair.console();
    // The last row is green's web: equal names stand together, in the order of the contexts.
    terminal.type_text(":deploy\n");
    terminal.type_text("GS");
    terminal
        .wait_for_text("@green kubectl:scale deploy web --replicas=1", SOON)
        .expect("a line for its cluster");
    terminal.type_text("\u{7f}3\n");
    pair.wait(|pair| pair.replicas("green") == "3");
    assert_eq!(pair.replicas("blue"), "1");
    terminal
        .wait_for(
            |screen| row(screen, "green", "web").is_some_and(|row| row.contains("3/3")),
            SOON,
        )
        .expect("the row follows");
    terminal.type_text(":deploy\n");
    terminal.type_text("Gu");
    terminal
        .wait_for_text("approve 1 change in green, class", SOON)
        .expect("the approval names the cluster");
    // A bare Enter counts only after the plan was to be seen for a while.
    std::thread::sleep(Duration::from_millis(400));
    terminal.type_text("\n");
    pair.wait(|pair| pair.image("green").ends_with(":1.0.0"));
    assert!(pair.image("blue").ends_with(":2.0.0"));
    // A change of rows in both is made in none.
    terminal.type_text(":deploy\n");
    terminal.type_text("Gk  u");
    terminal
        .wait_for_text("one context at a time for changes", SOON)
        .expect("a refusal");
    assert!(pair.image("blue").ends_with(":2.0.0") && pair.image("green").ends_with(":1.0.0"));
}

#[test]
fn a_cluster_that_dies_is_named_and_its_rows_stay_beside_the_live_ones() {
    let Some(pair) = Pair::start() else { return };
    let terminal = pair.console();
    signal(pair.green.pid(), "KILL");
    let told = |screen: &str| {
        let top = screen.lines().next().unwrap_or_default();
        top.contains("k8s green stale") && screen.contains("! green stale") && shows(screen, "green", "web")
    };
    terminal.wait_for(told, SOON).expect("its state by its name");
    pair.kubectl("blue", &["scale", "deploy", "web", "--replicas=2"]);
    let live = |screen: &str| row(screen, "blue", "web").is_some_and(|row| row.contains("2/2"));
    let screen = terminal.wait_for(live, SOON).expect("the other one is live");
    assert!(screen.contains("! green"), "{screen}");
    terminal.type_text(":ctx blue\n");
    let one = |screen: &str| !screen.contains("CONTEXT") && screen.contains("only-blue");
    terminal.wait_for(one, SOON).expect("one context again");
}
