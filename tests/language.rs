//! What the language keeps between processes, and who may run what: through the binary, as a script would.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use support::terminal::{Key, Terminal};

struct Home(tempfile::TempDir);

impl Home {
    fn new(config: &str) -> Home {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        Home(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("USER", "mia")
            .env("PATH", "/usr/bin:/bin")
            .env("COGDECK_CONFIG", self.path().join("config.toml"));
        command
    }

    fn fed(&self, words: &[&str], input: &str) -> (Option<i32>, String, String) {
        let mut child = self
            .command(env!("CARGO_BIN_EXE_cogdeck"))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A process that refuses does not read: a broken pipe is no failure of the test.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        self.fed(words, "")
    }
}

#[test]
fn a_name_that_no_name_server_knows_is_told_as_such() {
    let home = Home::new("");
    let line = "traffic:watch http://nosuch.spawnhub.com/ --until total=2 --interval 50ms";
    let (_, out, errors) = home.run(&["run", "--sandbox", line]);
    assert!(
        out.contains("no such host: nosuch.spawnhub.com (NXDOMAIN)"),
        "{out}{errors}"
    );
}

#[test]
fn the_types_of_options_are_words() {
    let home = Home::new("");
    let (_, out, _) = home.run(&["verbs", "--json"]);
    let verbs: serde_json::Value = serde_json::from_str(&out).unwrap();
    let known = [
        "string", "int", "float", "bool", "incr", "list", "duration", "enum", "json", "pair",
    ];
    assert!(!verbs.as_array().unwrap().is_empty());
    for verb in verbs.as_array().unwrap() {
        for argument in ["options", "positionals"]
            .iter()
            .flat_map(|part| verb[*part].as_array().unwrap())
        {
            let word = argument["type"].as_str().unwrap();
            assert!(known.contains(&word), "{argument}");
            assert_eq!(word == "enum", argument["values"].is_array(), "{argument}");
        }
    }
}

#[test]
fn a_limit_that_cannot_be_is_refused() {
    let home = Home::new("");
    for (line, told) in [
        ("audit -n 0", "--limit must be 1 or more"),
        ("audit -n -5", "--limit must be 1 or more"),
        ("history -l -3", "--limit must be 1 or more"),
        ("history 5-2", "\"5-2\" is no range of numbers"),
        ("pipeline list --last 0", "--last must be 1 or more"),
    ] {
        let (code, out, errors) = home.run(&["run", line]);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{line}: {errors}");
        assert!(errors.contains(told), "{line}: {errors}");
    }
}

/// Should the first command be so slow that all is there in time, it finds nothing, and the second one runs all the same.
#[test]
fn who_gave_up_waiting_for_standard_input_takes_nothing_from_the_next() {
    let home = Home::new("");
    let line = "timeout=300ms kubectl:get -f - -o name || kubectl:apply -f -";
    let mut child = home
        .command(env!("CARGO_BIN_EXE_cogdeck"))
        .args(["run", "--sandbox", "--yes", line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for part in ["apiVersion: v1\nkind: ConfigMap\n", "metadata: {name: conf}\n"] {
        input.write_all(part.as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1500));
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(out, "configmap/conf serverside-applied\n", "{errors}");
}

#[test]
fn manifests_come_from_standard_input() {
    let home = Home::new("");
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v1}\n";
    let run = |line: &str, input: &str| home.fed(&["run", "--sandbox", "--yes", line], input);
    let line = "kubectl:apply -f - && kubectl:get -f - -o 'jsonpath={.data.k}'";
    let (code, out, errors) = run(line, manifest);
    assert_eq!(
        (code, out.as_str()),
        (Some(0), "configmap/conf serverside-applied\nv1"),
        "{errors}"
    );
    // JSON is YAML; and what was read once answers the plan that is made again after an approval.
    let json = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}}"#;
    let (code, out, errors) = run("kubectl:apply -f - && kubectl:delete -f -", json);
    assert!(code == Some(0) && out.contains("\"conf\" deleted"), "{out}{errors}");
    let (code, _, errors) = run("kubectl:apply -f -", "a: [");
    assert!(code == Some(2) && errors.contains("error parsing STDIN"), "{errors}");
    let (code, _, errors) = run("kubectl:apply -f -", "\0\u{1b}");
    assert!(
        code.is_some_and(|code| code > 0) && !errors.contains('\u{1b}'),
        "{errors}"
    );
}

#[test]
fn l25_l23_d4_aliases_and_history_outlive_the_process() {
    let home = Home::new("");
    let (code, _, errors) = home.run(&["run", "alias create twice 'echo $1 $1'"]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(
        home.run(&["run", "twice ho"]),
        (Some(0), "ho ho\n".into(), String::new())
    );
    assert_eq!(home.run(&["run", "!!"]).1, "ho ho\n");
    let (_, history, _) = home.run(&["run", "-o", "jsonl", "history -s twice"]);
    assert_eq!(history.lines().count(), 3, "{history}");
    assert_eq!(home.run(&["run", "history exec 2"]).1, "ho ho\n");
    let (code, out, _) = home.run(&["check", "-o", "json", "twice ho"]);
    assert!(code == Some(0) && out.contains("cogdeck:echo"), "{out}");
    let (code, _, errors) = home.run(&["run", "twic ho"]);
    assert!(code == Some(2) && errors.contains("did you mean twice?"), "{errors}");
    home.run(&["run", "seed --range 1-3 | tee n"]);
    assert_eq!(home.run(&["run", "cat n | count"]).1, "3\n");
}

#[test]
fn l22_a_checked_line_is_a_table_of_its_stages() {
    let home = Home::new("");
    let (code, out, errors) = home.run(&["check", "echo a | jq . && echo b"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{out}");
    let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    let first = |count: usize| -> Vec<Vec<&str>> { rows.iter().map(|row| row[..count].to_vec()).collect() };
    assert_eq!(
        first(3),
        [
            ["STAGE", "VERB", "WHERE"],
            ["1.1", "cogdeck:echo", "here"],
            ["1.2", "cogdeck:jq", "here"],
            ["2.1", "cogdeck:echo", "here"],
        ],
        "{out}"
    );
    assert_eq!(rows[0][3..], ["CONTEXT", "PERMISSION", "RISK", "TEXT"]);
    let starts: Vec<Option<usize>> = out
        .lines()
        .map(|line| line.find("read").or(line.find("RISK")))
        .collect();
    assert!(
        starts[0].is_some() && starts.iter().all(|start| *start == starts[0]),
        "{out}"
    );
    // One pipeline needs no number.
    let (_, out, _) = home.run(&["check", "echo a | jq ."]);
    let numbers: Vec<&str> = out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(numbers, ["STAGE", "1", "2"], "{out}");
}

/// What a shell opens for us is a destination; a descriptor of our own, the database's, never is.
#[test]
fn l14_descriptors_the_process_was_started_with_are_destinations() {
    let home = Home::new("");
    let shell = |line: &str| {
        let script = format!("\"$0\" run 'seed --range 1-2 *> {line}' 3>>log 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-");
        let output = home
            .command("/bin/sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_cogdeck")])
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, errors) = shell("fd:3 here");
    assert_eq!((code, out.as_str()), (Some(0), "1\n2\n"), "{errors}");
    let (code, out, _) = shell("fd:1 fd:3");
    assert_eq!((code, out.as_str()), (Some(0), "1\n2\n"));
    assert_eq!(
        std::fs::read_to_string(home.path().join("log")).unwrap(),
        "1\n2\n1\n2\n",
        "added to"
    );
    let (code, out, errors) = shell("fd:2");
    assert!(
        code == Some(0) && out.is_empty() && errors.starts_with("1\n2\n"),
        "{errors}"
    );
    for own in 4..10 {
        let (code, _, errors) = shell(&format!("fd:{own}"));
        assert!(
            code == Some(2) && errors.contains("E-REDIRECT-003"),
            "fd:{own} {errors}"
        );
    }
}

#[test]
fn l06_the_first_stage_sees_the_fields_of_what_is_given() {
    let home = Home::new("");
    let records = "{\"x\": \"a\"}\n{\"x\": [1]}\n";
    assert_eq!(
        home.run(&["run", "--input", records, "-o", "jsonl", "echo $x"]).1,
        "\"a\"\n[1]\n"
    );
    assert_eq!(
        home.fed(&["run", "--input", "-", "-o", "jsonl", "echo $x"], records).1,
        "\"a\"\n[1]\n"
    );
    let (code, _, errors) = home.run(&[
        "run",
        "--input",
        "{\"x\": 1}{\"y\": 2}",
        "--on-error",
        "continue",
        "echo $x",
    ]);
    assert!(
        code == Some(1) && errors.contains("E-VALUE-001") && errors.contains("\"y\""),
        "{errors}"
    );
    assert_eq!(home.run(&["run", "echo $x"]).0, Some(2));
}

#[test]
fn r4_r5_r6_the_configuration_says_who_may_run_what() {
    let home = Home::new(
        "rules = [\"when command is cogdeck:count with not option[x] == 1 must have site:count\"]\n\
         [users.mia]\npermissions = [\"cogdeck:shell\"]\n[users.root]\npermissions = [\"*\"]\n",
    );
    let touched = home.path().join("touched");
    let line = format!("sh 'touch {}' | head 1 | count", touched.display());
    let (code, _, errors) = home.run(&["run", &line]);
    assert!(
        code == Some(2) && errors.contains("E-ACCESS-001") && errors.contains("site:count"),
        "{errors}"
    );
    assert_eq!(home.run(&["check", &line]).0, Some(2));
    assert!(!touched.exists(), "a denied third stage runs nothing");
    let ask = |user: &str| {
        home.run(&[
            "run",
            "-o",
            "jsonl",
            &format!("may {user} 'seed 1 | count' | pluck allowed"),
        ])
        .1
    };
    assert_eq!(
        (ask("mia"), ask("root"), ask("nobody")),
        ("true\nfalse\n".into(), "true\ntrue\n".into(), "true\nfalse\n".into())
    );
    assert_eq!(home.run(&["run", "alias create site:x 'echo'"]).0, Some(2));
    let wrong = Home::new("rules = [\"when command is x allow\"]\n");
    let (code, _, errors) = wrong.run(&["run", "echo a"]);
    assert!(code == Some(2) && errors.contains("E-RULE-001"), "{errors}");
}

/// Five records, the third of which fails: by its words in the acceptance.
#[test]
fn acceptance_record_3_of_5_fails() {
    let home = Home::new("");
    let line = "seed --range 1-5 | map n= | jq 'if .n == 3 then error(\"no three\") else .n end'";
    let (code, out, errors) = home.run(&["run", "-o", "jsonl", "--on-error", "continue", line]);
    assert_eq!((code, out.as_str()), (Some(1), "1\n2\n4\n5\n"), "{errors}");
    let told: serde_json::Value = serde_json::from_str(errors.trim()).unwrap();
    assert_eq!(told["error"]["record"], serde_json::json!({"n": 3}));
    assert!(
        told["error"]["message"].as_str().unwrap().contains("no three"),
        "{told}"
    );
    let (code, out, errors) = home.run(&["run", "-o", "jsonl", "--on-error", "stop", line]);
    assert_eq!((code, out.as_str()), (Some(1), "1\n2\n"), "{errors}");
    assert!(errors.contains("\"record\":{\"n\":3}"), "{errors}");
    // For people, and said at the stage itself.
    let line = line.replace("| jq", "| on-error=continue jq");
    let (code, out, errors) = home.run(&["run", &line]);
    assert_eq!((code, out.as_str()), (Some(1), "1\n2\n4\n5\n"), "{errors}");
    assert!(errors.contains("{\"n\":3}") && errors.contains("no three"), "{errors}");
}

#[test]
fn acceptance_a_third_stage_of_a_wrong_type_runs_nothing() {
    let home = Home::new("");
    let touched = home.path().join("touched");
    for third in [
        "head --lines=many",
        "head many",
        "jq --slurp=maybe .",
        "sleep soon",
        "count --nope",
        "nosuch",
    ] {
        let line = format!("sh 'touch {}' | raw | {third}", touched.display());
        let (code, out, errors) = home.run(&["run", &line]);
        assert!(
            code == Some(2) && out.is_empty() && !errors.is_empty(),
            "{third}: {errors}"
        );
        assert!(!touched.exists(), "{third}");
    }
    home.run(&["run", &format!("sh 'touch {}' | raw | head 1", touched.display())]);
    assert!(touched.exists(), "the first stage would have run");
}

/// Each ends within a second, or when its memory is used up, as an error of that stage.
#[test]
fn acceptance_jq_cannot_hurt_the_process() {
    let home = Home::new("");
    let brackets = format!("jq -n '{}{}'", "[".repeat(100_000), "]".repeat(100_000));
    for (line, why) in [
        ("jq -n 'def f: 1 + f; f'", "recurses too deep"),
        ("jq -n 'def f: [f]; f'", "recurses too deep"),
        ("jq -n '[range(1e10)]'", "more memory"),
        (brackets.as_str(), ""),
        ("jq -n '\"[\" * 100000 + \"]\" * 100000 | fromjson'", ""),
    ] {
        let begun = std::time::Instant::now();
        // A script: so long a line is no argument of a process.
        let script = home.path().join("script");
        std::fs::write(&script, format!("{line} | count")).unwrap();
        let (code, out, errors) = home.run(&["run", "-o", "jsonl", "-f", script.to_str().unwrap()]);
        assert!(matches!(code, Some(1 | 2)), "{why}: {code:?} {errors}");
        assert!(errors.contains("E-JQ-") && errors.contains(why), "{errors}");
        assert!(!out.contains("panicked") && !errors.contains("panicked"), "{errors}");
        if why != "more memory" {
            assert!(
                begun.elapsed() < std::time::Duration::from_secs(3),
                "{why}: {:?}",
                begun.elapsed()
            );
        }
    }
    let (code, out, _) = home.run(&["run", "-o", "jsonl", "jq -n 'env | keys'"]);
    assert_eq!(
        (code, out.as_str()),
        (Some(0), "[\"HOME\",\"PATH\",\"USER\"]\n"),
        "an allow-list only"
    );
}

/// Ctrl-C in the console itself, and the console goes on.
#[test]
fn acceptance_ctrl_c_ends_a_filter_that_never_yields_within_a_second() {
    let soon = std::time::Duration::from_secs(30);
    let terminal = Terminal::spawn(support::process::COGDECK, &["--sandbox"], &[], 120, 40);
    terminal
        .wait_for_text("Pipelines run in sandbox", soon)
        .expect("the console");
    // The state stands behind the line, or below it where both have no room in one row.
    let with = |screen: &str, line: &str, word: &str| {
        let rows: Vec<&str> = screen.lines().collect();
        let mut pairs = rows.windows(2);
        pairs.any(|pair| pair[0].contains(line) && pair.iter().any(|row| row.contains(word)))
    };
    for line in ["jq -n 'last(repeat(1))'", "jq -n 'repeat(1)'|jq -n 'last(inputs)'"] {
        terminal.type_text(line);
        terminal.key(Key::Enter);
        terminal
            .wait_for(|screen| with(screen, line, "running"), soon)
            .expect("it runs");
        let pressed = std::time::Instant::now();
        terminal.key(Key::Ctrl('c'));
        terminal
            .wait_for(|screen| with(screen, line, "cancelled"), soon)
            .expect("it ends");
        assert!(
            pressed.elapsed() < std::time::Duration::from_secs(1),
            "{line}: {:?}",
            pressed.elapsed()
        );
    }
    terminal.type_text("seed --range 1-4711 | count");
    terminal.key(Key::Enter);
    terminal
        .wait_for(|screen| screen.contains("│   4711 "), soon)
        .expect("the console goes on");
}
