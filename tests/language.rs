//! What the language keeps between processes, and who may run what: through the binary, as a script would.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

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

    fn fed(&self, words: &[&str], input: &str) -> (Option<i32>, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cogdeck"))
            .args(words)
            .env_clear()
            .env("HOME", self.path())
            .env("USER", "mia")
            .env("PATH", "/usr/bin:/bin")
            .env("COGDECK_CONFIG", self.path().join("config.toml"))
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
