//! A Cog bundle from its file to the end of a pipeline, through the binary: `run` with a bundle of the configuration,
//! `bundle validate` and `bundle run`. What a container is given in detail is the subject of `containers`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is how a test fails"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use bollard::Docker;
use cogdeck::exec::docker::LABEL;
use serde_json::{Value, json};
use support::image::{build, containers, docker};
use support::process::COGDECK;
use support::{require_busybox, require_docker, signal};
use tempfile::TempDir;

const SCRIPTS: [(&str, &str); 4] = [
    (
        "greet",
        r#"[ -z "$COG_OPT_DRY_RUN" ] || { echo nobody; exit 0; }
echo "COGCMD_INFO: greeting $COG_ARGV_0" ; echo "be patient" >&2
echo JSON
echo "[{\"text\": \"$GREETING $COG_ARGV_0\", \"times\": $COG_OPT_TIMES, \"record\": $(cat)}]""#,
    ),
    ("lines", "echo one; echo two"),
    ("stuck", "trap '' TERM INT HUP; echo up; while :; do sleep 60; done"),
    ("fails", "echo 'a trace' >&2; echo 'no such zone' >&2; exit 3"),
];

/// A home whose configuration names the demo bundle and the test engine.
struct Home {
    folder: TempDir,
    docker: Docker,
}

async fn home() -> Option<Home> {
    let (host, busybox) = (require_docker()?, require_busybox()?);
    let docker = docker(&host).await;
    build(&docker, &busybox, "cogdeck-tests/demo", &SCRIPTS).await;
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "bundles = [{:?}]\ncontext = 'here'\n[contexts.here]\ndocker_host = {host:?}\n",
        manifest()
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    Some(Home { folder, docker })
}

fn manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bundles/demo.yaml")
}

fn cogdeck(home: &Path) -> Command {
    let mut command = Command::new(COGDECK);
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null());
    if home.join("config.toml").exists() {
        command.env("COGDECK_CONFIG", home.join("config.toml"));
    }
    command
}

impl Home {
    fn cogdeck(&self, words: &[&str]) -> Command {
        let mut command = cogdeck(self.folder.path());
        command.args(words);
        command
    }

    /// Exit code, stdout, stderr.
    fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        texts(self.cogdeck(words).output().unwrap())
    }

    async fn stuck(&self) -> Vec<String> {
        containers(&self.docker, "cogdeck.command=demo:stuck").await
    }

    async fn until_stuck(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let found = self.stuck().await.len();
            if found == count {
                return;
            }
            assert!(Instant::now() < deadline, "{found} containers, {count} expected");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn texts(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a record"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_s_command_is_a_stage_of_a_pipeline() {
    let Some(home) = home().await else { return };
    let pipeline = r#"demo:greet 'big world' -t 2 | jq '.text + " " + (.times|tostring)'"#;
    let (code, stdout, stderr) = home.run(&["run", pipeline]);
    assert_eq!((code, stdout.trim()), (Some(0), "\"hello big world 2\""), "{stderr}");
    assert!(
        stderr.contains("info: greeting big world") && stderr.contains("be patient"),
        "{stderr}"
    );

    // Fed by a pipe: once a record, each with its own values.
    let (code, stdout, stderr) = home.run(&[
        "run",
        "-o",
        "jsonl",
        r#"seed '[{"n": "a"}, {"n": "b"}]' | demo:greet $n -t 1"#,
    ]);
    assert_eq!(code, Some(0), "{stderr}");
    let expected = |n: &str| json!({"text": format!("hello {n}"), "times": 1, "record": {"n": n}});
    assert_eq!(json_lines(&stdout), [expected("a"), expected("b")]);

    let (code, stdout, _) = home.run(&["run", "demo:lines"]);
    assert_eq!((code, stdout.as_str()), (Some(0), "one\ntwo\n"));
    let (code, stdout, stderr) = home.run(&["run", "demo:fails"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(
        stderr.contains("no such zone (exit code 3)") && stderr.contains("a trace"),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_use_is_refused_before_any_container_exists() {
    let Some(home) = home().await else { return };
    for (pipeline, expected) in [
        ("demo:greet bob", "--times"),
        ("demo:greet bob -t many", "many"),
        ("demo:greet bob -t 1 --tims 2", "did you mean --times"),
        ("demo:gret", "demo:greet"),
    ] {
        let (code, stdout, stderr) = home.run(&["run", pipeline]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{pipeline}: {stderr}");
        assert!(stderr.contains(expected), "{pipeline}: {stderr}");
    }
    let (code, _, stderr) = home.run(&["run", "--read-only", "demo:lines"]);
    assert_eq!(code, Some(2), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_the_console_ends_no_container_outlives_it_for_long() {
    let Some(home) = home().await else { return };
    // A time limit.
    let begun = Instant::now();
    let (code, _, stderr) = home.run(&["run", "--timeout", "3", "demo:stuck"]);
    assert_eq!(code, Some(124), "{stderr}");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    home.until_stuck(0).await;
    // An interrupt.
    let mut child = home
        .cogdeck(&["run", "demo:stuck"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    home.until_stuck(1).await;
    let begun = Instant::now();
    signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(home.stuck().await, Vec::<String>::new(), "removed before the end");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // A death without a last word: the next one tidies up.
    let mut child = home
        .cogdeck(&["run", "demo:stuck"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    home.until_stuck(1).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(home.stuck().await.len(), 1);
    assert_eq!(home.run(&["run", "demo:lines"]).0, Some(0));
    home.until_stuck(0).await;
    assert_eq!(containers(&home.docker, &format!("{LABEL}=none")).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_may_not_be_used_says_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let socket = folder.path().join("docker.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600)).unwrap();
    let owned_by_root = {
        use std::os::unix::fs::MetadataExt;
        socket.metadata().unwrap().uid() == 0
    };
    let program = folder.path().join("cogdeck");
    std::fs::copy(COGDECK, &program).unwrap();
    std::fs::copy(manifest(), folder.path().join("demo.yaml")).unwrap();
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .current_dir(folder.path());
    command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    command.args(["bundle", "run", "demo.yaml", "lines"]);
    if owned_by_root {
        command.uid(65534).gid(65534);
    } else {
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    let (code, _, stderr) = texts(command.output().unwrap());
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.contains("E-DOCKER-001") && stderr.contains("ermission denied"),
        "{stderr}"
    );
    assert!(stderr.contains("hint: your user may not use it"), "{stderr}");
}

#[test]
fn a_valid_manifest_is_summed_up() {
    let home = tempfile::tempdir().unwrap();
    let output = cogdeck(home.path())
        .args(["bundle", "validate"])
        .arg(manifest())
        .output()
        .unwrap();
    let (code, stdout, stderr) = texts(output);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for expected in [
        "demo 0.1.0: Greets people",
        "format:        4",
        "permissions:   demo:greet",
        "image:         cogdeck-tests/demo:1",
        "configuration: GREETING",
        "/bundle/greet",
        "--times int (required)",
        "must have demo:greet",
    ] {
        assert!(stdout.contains(expected), "{expected}\n{stdout}");
    }
}

#[test]
fn a_wrong_manifest_is_refused_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(manifest()).unwrap();
    let file = home.path().join("wrong.yaml");
    for (from, to, place) in [
        (
            "type: int",
            "type: integer",
            "line 31, column 15, #/commands/greet/options/times/type",
        ),
        ("version: 0.1.0", "version: one", "#/version"),
        (
            "    executable: /bundle/lines\n",
            "",
            "#/commands/lines: missing field `executable`",
        ),
        ("name: demo", "name: [demo", "line "),
        ("description: Ends", "description: \u{1b}[2J \u{7} Ends", "line "),
    ] {
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let output = cogdeck(home.path())
            .args(["bundle", "validate"])
            .arg(&file)
            .output()
            .unwrap();
        let (code, stdout, stderr) = texts(output);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{to}");
        assert!(
            stderr.contains(place) && stderr.contains("wrong.yaml"),
            "{place}\n{stderr}"
        );
        assert!(!stderr.contains(['\u{1b}', '\u{7}']), "{stderr:?}");
    }
    let output = cogdeck(home.path())
        .args(["bundle", "validate", "missing.yaml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_dry_run_shows_what_would_be_sent_and_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let mut command = cogdeck(home.path());
    command
        .env("GREETING", "tok-123456")
        .args(["bundle", "run", "--set", "GREETING"])
        .arg(manifest());
    command.args(["greet", "big world", "--times=2", "--dry", "--input", r#"{"id": 7}"#]);
    let (code, stdout, stderr) = texts(command.output().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    for expected in [
        "executable: /bundle/greet",
        "arguments: \"big world\"",
        "  COG_OPT_TIMES=2",
        "  COG_ARGV_0=big world",
        "  GREETING=•••",
        "  {\"id\":7}",
    ] {
        assert!(stdout.contains(expected), "{expected}\n{stdout}");
    }
    assert!(!stdout.contains("tok-123456") && !stderr.contains("tok-123456"));
    for (words, expected) in [
        (vec!["gret", "--dry"], "did you mean greet"),
        (vec!["greet", "--dry"], "--times"),
        (vec!["greet", "-t", "1", "--dry", "--input", "{"], "--input is not JSON"),
    ] {
        let output = cogdeck(home.path())
            .args(["bundle", "run"])
            .arg(manifest())
            .args(&words)
            .output()
            .unwrap();
        let (code, stdout, stderr) = texts(output);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{words:?} {stderr}");
        assert!(stderr.contains(expected), "{words:?} {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_in_isolation_shows_both_sides() {
    let Some(home) = home().await else { return };
    let manifest = manifest();
    let file = manifest.to_str().unwrap();
    let (code, stdout, stderr) = home.run(&["bundle", "run", file, "greet", "bob", "-t", "3"]);
    assert_eq!(code, Some(0), "{stderr}");
    for expected in [
        "  COG_ARGV_0=bob",
        "stdin:\n  {}",
        "exit code: 0",
        "log info: greeting bob",
        "stderr:\n  be patient",
        "records: 1",
        "\"text\": \"hello bob\"",
    ] {
        assert!(stdout.contains(expected), "{expected}\n{stdout}");
    }
    let (code, stdout, _) = home.run(&["bundle", "run", "-o", "jsonl", file, "fails"]);
    let records = json_lines(&stdout);
    assert_eq!(code, Some(1));
    assert_eq!(records[0]["sent"]["stdin"], json!("{}"));
    assert_eq!(records[1]["received"]["exit_code"], json!(3));
    assert_eq!(records[1]["received"]["stderr"], json!("a trace\nno such zone"));
}
