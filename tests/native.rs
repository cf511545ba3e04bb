//! Executables of this host through the binary: the contract of a bundle's command (C1 to C8), and that nothing they
//! start outlives them, however the run ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is how a test fails"
)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::process::command;
use support::run::{Stream, run};
use support::{require, signal};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(30);

/// Answers with all it was given.
const TELL: &str = r#"#!/bin/sh
echo "COGCMD_INFO: told"
echo "be patient" >&2
echo JSON
record=$(cat)
args=""
for arg in "$@"; do args="$args\"$arg\","; done
printf '{"record": %s, "args": [%s null], "cwd": "%s", "step": "%s", "environment": [' "$record" "$args" "$PWD" "$COG_INVOCATION_STEP"
env | cut -d= -f1 | sort | while read -r name; do printf '"%s", ' "$name"; done
printf 'null], "dry": "%s", "tag": "%s"}' "$COG_OPT_DRY_RUN" "$COG_OPT_TAG_1"
"#;

/// A family that ends on nothing but SIGKILL: one beside it, one in a session of its own, and one that lost its parent.
const STAY: &str = r#"#!/bin/sh
trap '' TERM INT HUP QUIT
cd "${1:-.}"
stay() { trap '' TERM INT HUP QUIT; while :; do sleep 1000; done; }
stay &
echo $! >>ids
setsid sh -c 'echo $$ >>ids; while :; do sleep 1000; done' &
(setsid sh -c 'echo $$ >>ids; exec sleep 1000' &)
echo $$ >>ids
while :; do sleep 1000; done
"#;
const FAMILY: usize = 4;

fn home() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let (tell, stay) = (script("tell", TELL), script("stay", STAY));
    let text = format!(
        "cog_bundle_version: 4\nname: host\nversion: 1.0.0\ndescription: Executables of this host\npermissions: []\n\
         commands:\n\
         \x20 tell: {{executable: {tell:?}, rules: [allow], options: {{dry-run: {{type: bool}}, tag: {{type: list}}}}}}\n\
         \x20 stay: {{executable: {stay:?}, rules: [allow]}}\n\
         \x20 missing: {{executable: /nowhere/at-all, rules: [allow]}}\n\
         \x20 status: {{executable: /bin/false, rules: [allow]}}\n\
         \x20 shout: {{executable: /bin/sh, rules: [allow]}}\n"
    );
    let manifest = script("host.yaml", &text);
    std::fs::write(folder.path().join("config.toml"), format!("bundles = [{manifest:?}]\n")).unwrap();
    folder
}

fn cogdeck(home: &Path, args: &[&str]) -> std::process::Command {
    let mut all = vec!["run", "--config"];
    let config = home.join("config.toml");
    all.push(config.to_str().unwrap());
    all.extend(args);
    let mut command = command(&all, home);
    command.env("SECRET_OF_THE_OPERATOR", "x").env("TZ", "UTC");
    command
}

fn records(home: &Path, args: &[&str]) -> Vec<Value> {
    let all: Vec<&str> = ["-o", "jsonl"].iter().chain(args).copied().collect();
    let text = run(cogdeck(home, &all), LIMIT).ok();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn c1_c2_c3_c4_c8_an_executable_of_this_host_gets_the_contract_and_nothing_else() {
    let home = home();
    let told = records(
        home.path(),
        &["host:tell", "'two words'", "5", "--dry-run", "--tag=a,b"],
    );
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(told["args"], json!(["two words", "5", null]));
    assert_eq!((&told["record"], &told["step"]), (&json!({}), &json!("last")));
    assert_eq!((&told["dry"], &told["tag"]), (&json!("true"), &json!("b")));
    assert_eq!(
        Path::new(told["cwd"].as_str().unwrap()),
        home.path().canonicalize().unwrap()
    );
    let names: Vec<&str> = told["environment"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for name in [
        "COG_ARGC",
        "COG_ARGV_0",
        "COG_BUNDLE",
        "COG_OPT_DRY_RUN",
        "COG_OPT_TAG_COUNT",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    for name in ["PATH", "HOME", "TZ"] {
        assert!(names.contains(&name), "allowed: {name}: {names:?}");
    }
    assert!(!names.contains(&"SECRET_OF_THE_OPERATOR"), "{names:?}");
}

#[test]
fn c1_the_step_names_the_first_and_the_last_record_only() {
    let home = home();
    let steps = |count: usize, modifiers: &str| {
        let line = format!("seed --range 1-{count} | {modifiers} host:tell | pluck step");
        records(home.path(), &[&line])
    };
    assert_eq!(steps(1, ""), ["last"]);
    assert_eq!(steps(2, ""), ["first", "last"]);
    assert_eq!(steps(4, ""), ["first", "", "", "last"]);
    assert_eq!(steps(4, "parallel=3"), ["first", "", "", "last"]);
}

#[test]
fn c5_stderr_of_a_success_is_shown_and_a_failure_tells_its_reason() {
    let home = home();
    let ended = run(cogdeck(home.path(), &["host:tell"]), LIMIT).code(0);
    assert!(
        ended.stderr.contains("note: be patient") && ended.stderr.contains("info: told"),
        "{ended}"
    );
    let ended = run(cogdeck(home.path(), &["host:missing"]), LIMIT).code(1);
    assert!(ended.stderr.contains("No such file"), "{ended}");
    let ended = run(cogdeck(home.path(), &["host:status"]), LIMIT).code(1);
    assert!(ended.stderr.contains("(exit code 1)"), "{ended}");
    let ended = run(cogdeck(home.path(), &["host:shout", "-- -c", "'kill -9 $$'"]), LIMIT).code(1);
    assert!(ended.stderr.contains("(exit code 137)"), "{ended}");
    let ended = run(
        cogdeck(home.path(), &["host:shout", "-- -c", "'echo last; kill -TERM $$'"]),
        LIMIT,
    )
    .code(1);
    assert!(
        ended.stderr.contains("(exit code 143)") && ended.stdout.is_empty(),
        "{ended}"
    );
}

/// A line for `/bin/sh -c` as a command of the bundle.
fn shout(line: &str) -> [String; 3] {
    ["host:shout".to_owned(), "-- -c".to_owned(), format!("'{line}'")]
}

fn shouted(home: &Path, line: &str, code: i32) -> support::run::Ended {
    let words = shout(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    run(cogdeck(home, &words), LIMIT).code(code)
}

#[test]
fn output_without_end_is_refused_and_its_writer_ended() {
    let home = home();
    for flood in [
        // One line without an end; empty lines; after its JSON line; on both streams at once.
        r#"yes | tr -d "\n""#,
        r#"yes "" "#,
        "echo JSON; yes 1",
        "yes >&2 & yes",
        // A hundred million bytes and an end.
        r"head -c 100000000 /dev/zero | tr \\0 x",
    ] {
        let begun = Instant::now();
        let ended = shouted(home.path(), flood, 1);
        assert!(ended.stderr.contains("more than 16 MiB"), "{flood}: {ended}");
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{flood}: {:?}",
            begun.elapsed()
        );
    }
    // Beside the result only what fits is kept of stderr, and nothing fails for it.
    let ended = shouted(home.path(), "head -c 30000000 /dev/zero >&2; echo done", 0);
    assert_eq!(ended.stdout, "done\n");
}

#[test]
fn c3_a_command_that_never_reads_its_stdin_is_not_waited_for() {
    let home = home();
    // A record far larger than a pipe holds.
    let line = format!(
        "seed '{{\"big\": \"{}\"}}' | host:shout -- -c 'echo enough'",
        "x".repeat(1 << 19)
    );
    let script = home.path().join("script");
    std::fs::write(&script, line).unwrap();
    let ended = run(cogdeck(home.path(), &["-f", script.to_str().unwrap()]), LIMIT).code(0);
    assert!(
        ended.stdout.ends_with("enough\n"),
        "{}",
        &ended.stdout[ended.stdout.len() - 40..]
    );
    // Nor one that closes its streams and goes on.
    let ended = shouted(home.path(), "exec <&- >&- 2>&-; exec sleep 0.2", 0);
    assert_eq!(ended.stdout, "");
}

#[test]
fn c4_escapes_and_bytes_that_are_no_text_reach_no_terminal() {
    let home = home();
    let hostile = r#"printf "a\\033[2Jb\\377\\033]52;c;eA==\\007c\\302\\233d\\r\\n""#;
    // A pipe gets what the command wrote, but for bytes that are no text; a terminal gets no control of it.
    let ended = shouted(home.path(), hostile, 0);
    assert!(ended.stdout.starts_with("a\u{1b}[2Jb\u{fffd}"), "{:?}", ended.stdout);
    let config = home.path().join("config.toml");
    let words = shout(hostile);
    let mut all = vec!["run", "--config", config.to_str().unwrap()];
    all.extend(words.iter().map(String::as_str));
    let mut terminal = support::terminal::Terminal::spawn(support::process::COGDECK, &all, &[], 100, 20);
    terminal.wait_for_text("]52;c;eA==", LIMIT).unwrap();
    assert!(terminal.exit_status(LIMIT).unwrap().success());
    let raw = String::from_utf8_lossy(&terminal.raw_output_since(0)).into_owned();
    for control in ["\u{1b}[2J", "\u{1b}]52", "\u{7}", "\u{9b}"] {
        assert!(!raw.contains(control), "{control:?}: {raw:?}");
    }
    let ended = shouted(
        home.path(),
        r#"printf "\\033]0;x\\007COGCMD_WARN: \\033[2J\\n\\033[31mno\\377\\n" >&2; exit 3"#,
        1,
    );
    assert!(!ended.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", ended.stderr);
    assert!(ended.stderr.contains("(exit code 3)"), "{ended}");
    // Broken JSON is an error that says so, whatever its bytes are.
    let ended = shouted(home.path(), r#"printf "JSON\\n{\\377\\033[2J""#, 1);
    assert!(
        ended.stderr.contains("E-EXEC-003") && !ended.stderr.contains('\u{1b}'),
        "{ended}"
    );
}

#[test]
fn c6_scalars_and_mixed_lists_are_records_down_the_pipe() {
    let home = home();
    let all = |line: &str| records(home.path(), &[&format!("{} | jq -c .", shout(line).join(" "))]);
    assert_eq!(all("echo JSON; echo 5"), [json!(5)]);
    assert_eq!(
        all(r#"echo JSON; echo "[1, \"a\", null, [2], {\"b\": 12345678901234567890}]""#).len(),
        5
    );
    assert_eq!(all("echo JSON; echo null"), Vec::<Value>::new());
    assert_eq!(all("true"), Vec::<Value>::new());
}

#[test]
fn c7_an_abort_delivers_what_came_before_and_ends_the_pipeline() {
    let home = home();
    let line = "seed --range 1-4 | host:shout -- -c 'read n; echo $n; [ $n -lt 3 ] || echo COGCMD_ACTION: abort'";
    let script = home.path().join("script");
    std::fs::write(&script, line).unwrap();
    let ended = run(cogdeck(home.path(), &["-f", script.to_str().unwrap()]), LIMIT).code(1);
    assert!(ended.stdout.ends_with("1\n2\n3\n"), "{ended}");
    assert!(ended.stderr.contains("asked to abort the pipeline"), "{ended}");
}

/// The ids of the family's members once all are there.
fn family(folder: &Path) -> Vec<u32> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let text = std::fs::read_to_string(folder.join("ids")).unwrap_or_default();
        let ids: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        if ids.len() == FAMILY {
            assert!(ids.iter().all(|id| lives(*id)), "{ids:?}");
            return ids;
        }
        assert!(Instant::now() < deadline, "{text:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn lives(id: u32) -> bool {
    PathBuf::from(format!("/proc/{id}")).exists()
}

fn all_end(ids: &[u32], how: &str) {
    let deadline = Instant::now() + Duration::from_secs(6);
    while ids.iter().any(|id| lives(*id)) {
        assert!(Instant::now() < deadline, "{how}: {ids:?} live on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn no_descendant_outlives_ctrl_c_a_timeout_or_the_consoles_death() {
    if require("setsid").is_none() {
        return;
    }
    let home = home();
    for verb in ["host:stay", "sh"] {
        for ending in ["INT", "TERM", "KILL", "timeout"] {
            let how = format!("{verb} {ending}");
            let folder = tempfile::tempdir_in(home.path()).unwrap();
            let place = folder.path().to_str().unwrap();
            let line = match verb {
                "sh" => format!("sh '{}/stay {place}'", home.path().display()),
                other => format!("{other} {place}"),
            };
            let limit = if ending == "timeout" { "2" } else { "60" };
            let mut stream = Stream::start(cogdeck(home.path(), &["--timeout", limit, &line]));
            let ids = family(folder.path());
            if ending != "timeout" {
                signal(stream.pid(), ending);
            }
            let status = stream.end(LIMIT);
            let code = match ending {
                "timeout" => Some(124),
                "KILL" => None,
                _ => Some(130),
            };
            assert_eq!(status.code(), code, "{how}: {}", stream.complaints());
            all_end(&ids, &how);
        }
    }
}

#[test]
fn what_a_command_leaves_behind_ends_with_it() {
    if require("setsid").is_none() {
        return;
    }
    let home = home();
    let line = format!(
        "sh 'cd {}; setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $! >ids; sleep 1000 & echo $!'",
        home.path().display()
    );
    let text = run(cogdeck(home.path(), &[&line]), LIMIT).ok();
    let mut ids: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
    let other = std::fs::read_to_string(home.path().join("ids")).unwrap();
    ids.push(other.trim().parse().unwrap());
    all_end(&ids, "left behind");
}
