//! What is typed wrongly, what is interrupted, and what hostile names hold: the right exit code, the marked place, a reason
//! and a hint, and nothing executed or left running. Not for what one parser or verb refuses: their own tests do that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::process::{COGDECK, Sandbox, command};
use support::run::{Ended, Stream, run};
use support::{require, signal};

const CALL: Duration = Duration::from_secs(60);

/// `cogdeck run --sandbox` with these arguments.
fn sandboxed(args: &[&str]) -> Ended {
    let home = tempfile::tempdir().expect("a home");
    let args: Vec<&str> = ["run", "--sandbox"].iter().chain(args).copied().collect();
    run(command(&args, home.path()), CALL)
}

/// The part of the line that the error marks: what stands over the `^`s.
fn marked(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.trim_start_matches(['|', ' ']).starts_with('^'));
    let at = at.unwrap_or_else(|| panic!("no marked place in\n{stderr}"));
    let (source, marks) = (lines[at - 1], lines[at]);
    let cells = source.chars().zip(marks.chars());
    cells.filter(|(_, mark)| *mark == '^').map(|(c, _)| c).collect()
}

#[test]
fn what_is_not_known_is_refused_at_its_place_with_a_hint() {
    // pipeline, exit code, what is marked, a part of the reason, a part of the hint
    let cases = [
        (
            "kubectl:gett deploy",
            "kubectl:gett",
            "kubectl:gett",
            "did you mean kubectl:get",
        ),
        ("echo a | nosuch b", "nosuch", "nosuch", ""),
        (
            "kubectl:get deploy --namespce x",
            "--namespce",
            "namespce",
            "did you mean",
        ),
        ("kubectl:scale deploy inspector --replicas=many", "many", "many", ""),
        (
            "r53:record-create -z Z37AJ8CHRUEZC6 -t CNAMEE a.spawnhub.com b",
            "CNAMEE",
            "CNAMEE",
            "did you mean CNAME?",
        ),
        ("echo $nosuch", "$nosuch", "nosuch", "let nosuch"),
        ("echo 'open", "'open", "quote", ""),
        ("echo a |", "|", "", ""),
        ("@prod kubectl:get deploy", "@prod", "prod", "sandbox"),
    ];
    for (pipeline, place, reason, hint) in cases {
        let refused = sandboxed(&[pipeline]).code(2);
        assert!(
            refused.stderr.starts_with("error[E-"),
            "{pipeline}: a stable code: {refused}"
        );
        assert!(
            marked(&refused.stderr).contains(place) || place.contains(&marked(&refused.stderr)),
            "{pipeline}: {refused}"
        );
        assert!(refused.stderr.contains(reason), "{pipeline}: {refused}");
        assert!(
            refused.stderr.contains("hint: ") && refused.stderr.contains(hint),
            "{pipeline}: {refused}"
        );
        assert_eq!(refused.stdout, "", "{pipeline}: nothing ran");
    }
}

#[test]
fn what_the_world_does_not_have_fails_with_its_own_words() {
    let cases = [
        ("kubectl:get deploy nosuch", "deployments.apps \"nosuch\" not found"),
        (
            "kubectl:get nosuchtype",
            "the server doesn't have a resource type \"nosuchtype\"",
        ),
        (
            "kubectl:scale deploy nosuch --replicas=2",
            "deployments.apps \"nosuch\" not found",
        ),
        (
            "kubectl:rollout status deploy nosuch",
            "deployments.apps \"nosuch\" not found",
        ),
        ("r53:record-list -z Z000000000000", "Z000000000000"),
        (
            "r53:record-create -z nosuch.example -t A a.nosuch.example 203.0.113.9",
            "nosuch.example",
        ),
        ("instance-search 'colour=red'", "colour"),
        ("jq '.a |'", "jq"),
    ];
    for (pipeline, reason) in cases {
        let failed = sandboxed(&[pipeline]);
        assert!(matches!(failed.code, Some(1 | 2)), "{pipeline}: {failed}");
        assert!(
            failed.stderr.starts_with("error[E-") && failed.stderr.contains(reason),
            "{pipeline}: {failed}"
        );
        assert_eq!(failed.stdout, "", "{pipeline}");
    }
}

#[test]
fn a_script_is_checked_whole_before_its_first_line() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("wrong.cog");
    std::fs::write(&script, "echo first\n\n# a comment\nkubectl:gett deploy\n").unwrap();
    let refused = sandboxed(&["-f", script.to_str().unwrap()]).code(2);
    assert!(
        refused.stderr.contains("line 4") && marked(&refused.stderr).contains("kubectl:gett"),
        "{refused}"
    );
    assert_eq!(refused.stdout, "", "line 1 did not run");

    let missing = sandboxed(&["-f", "/nonexistent/script.cog"]).code(2);
    assert!(missing.stderr.contains("/nonexistent/script.cog"), "{missing}");
}

#[test]
fn for_a_script_an_error_is_one_json_object() {
    for format in ["json", "jsonl"] {
        for (pipeline, code) in [("kubectl:gett deploy", 2), ("kubectl:get deploy nosuch", 1)] {
            let ended = sandboxed(&["-o", format, pipeline]).code(code);
            let error: Value =
                serde_json::from_str(ended.stderr.trim()).unwrap_or_else(|error| panic!("{error}: {ended}"));
            let error = error["error"].as_object().expect("an object named error");
            assert!(
                ["code", "message", "stage", "record", "hint"]
                    .iter()
                    .all(|key| error.contains_key(*key)),
                "{ended}"
            );
            assert!(error["code"].as_str().unwrap().starts_with("E-"), "{ended}");
        }
    }
}

#[test]
fn without_a_terminal_the_console_names_run() {
    let home = tempfile::tempdir().unwrap();
    for args in [&[][..], &["--sandbox"]] {
        let refused = run(command(args, home.path()), CALL).code(2);
        assert!(
            refused.stderr.contains("terminal") && refused.stderr.contains("cogdeck run"),
            "{refused}"
        );
        assert_eq!(refused.stdout, "");
    }
}

#[test]
fn with_nothing_configured_a_command_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let refused = run(command(&["run", "kubectl:get deploy"], home.path()), CALL);
    assert!(matches!(refused.code, Some(1 | 2)), "{refused}");
    assert!(
        refused.stderr.contains("KUBECONFIG") || refused.stderr.contains("kubeconfig"),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("--sandbox"),
        "the way out for a newcomer: {refused}"
    );
    // What needs no cluster works all the same.
    assert_eq!(
        run(command(&["run", "echo hello | jq ."], home.path()), CALL).ok(),
        "\"hello\"\n"
    );
    let flags = run(command(&["run", "--nosuchflag", "echo"], home.path()), CALL);
    assert_eq!(flags.code, Some(2), "{flags}");
}

/// Processes whose environment names this folder: what a test's cogdeck may have left behind.
fn running_with(folder: &Path) -> Vec<String> {
    let needle = folder.to_str().expect("UTF-8");
    let processes = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("environ")).ok().zip(Some(process)));
    let ours = lines.filter(|(environ, _)| String::from_utf8_lossy(environ).contains(needle));
    ours.map(|(_, process)| process.path().display().to_string()).collect()
}

#[test]
fn an_interrupt_in_the_middle_of_a_rollout_ends_with_130() {
    let world = Sandbox::start(&["--speed", "0.2"]);
    run(
        world.cogdeck(&[
            "run",
            "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80",
        ]),
        CALL,
    )
    .ok();
    let mut status = Stream::start(world.cogdeck(&["run", "kubectl:rollout status deploy inspector"]));
    status.wait_for(
        |lines| lines.iter().any(|line| line.starts_with("Waiting for deployment")),
        CALL,
    );
    let begun = Instant::now();
    signal(status.pid(), "INT");
    let ended = status.end(Duration::from_secs(10));
    assert_eq!(ended.code(), Some(130), "{}", status.complaints());
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "it took {:?}",
        begun.elapsed()
    );
    assert!(status.complaints().contains("interrupted"));
}

#[test]
fn nothing_is_left_running_after_an_interrupt() {
    let home = tempfile::tempdir().unwrap();
    let pipeline = "sh 'echo started; sleep 300' & sh 'echo here; sleep 300 | cat'";
    let mut deck = Stream::start(command(&["run", pipeline], home.path()));
    deck.wait_for(|lines| lines.iter().any(|line| line.contains("here")), CALL);
    signal(deck.pid(), "INT");
    assert_eq!(deck.end(Duration::from_secs(10)).code(), Some(130));
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut left = running_with(home.path());
    while !left.is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
        left = running_with(home.path());
    }
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn time_runs_out_with_124() {
    let begun = Instant::now();
    let ended = sandboxed(&[
        "--timeout",
        "1",
        "kubectl:run web --image=nginx:broken && kubectl:rollout status deploy web",
    ]);
    assert_eq!(ended.code, Some(124), "{ended}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// Text that would do harm if it were ever read as a command, as a terminal's sequence or as more than one line.
const HOSTILE: &str = "'; touch pwned; echo \"$(touch pwned)\" `touch pwned` \n| kubectl:delete deploy web && \u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}";

/// A world with hostile tags, annotations and records, and the folder in which cogdeck runs.
fn hostile_world() -> Option<Sandbox> {
    let (kubectl, aws) = (require("kubectl")?, require("aws")?);
    let world = Sandbox::start(&["--speed", "10"]);
    let client = |program: &Path, args: &[&str]| {
        let mut command = world.client(program);
        command.args(args);
        run(command, CALL).ok()
    };
    client(&kubectl, &["create", "deployment", "web", "--image=nginx:1.25"]);
    client(&kubectl, &["annotate", "deploy", "web", &format!("note={HOSTILE}")]);
    let query = [
        "ec2",
        "describe-instances",
        "--query",
        "Reservations[0].Instances[0].InstanceId",
        "--output",
        "text",
    ];
    let id = client(&aws, &query).trim().to_owned();
    let tags = json!([{"Key": "Name", "Value": HOSTILE}, {"Key": "a\"b;c'd", "Value": "x"}]).to_string();
    client(&aws, &["ec2", "create-tags", "--resources", &id, "--tags", &tags]);
    let batch =
        json!({"Changes": [{"Action": "CREATE", "ResourceRecordSet": {"Name": "note.spawnhub.com", "Type": "TXT",
        "TTL": 60, "ResourceRecords": [{"Value": r#""a \"quote\"; $(touch pwned) \033[2J""#}]}}]})
        .to_string();
    client(
        &aws,
        &[
            "route53",
            "change-resource-record-sets",
            "--hosted-zone-id",
            "Z37AJ8CHRUEZC6",
            "--change-batch",
            &batch,
        ],
    );
    Some(world)
}

#[test]
fn hostile_data_stays_data() {
    let Some(world) = hostile_world() else { return };
    let folder = tempfile::tempdir().unwrap();
    let cogdeck = |args: &[&str]| {
        let mut command = world.cogdeck(args);
        command.current_dir(folder.path());
        run(command, CALL).ok()
    };
    let values = |pipeline: &str| -> Vec<Value> {
        let text = cogdeck(&["run", "-o", "jsonl", pipeline]);
        text.lines()
            .map(|line| serde_json::from_str(line).expect("one record a line"))
            .collect()
    };
    let note = values("kubectl:get deploy web | jq '.metadata.annotations.note'");
    assert_eq!(note, [json!(HOSTILE)], "a record keeps every character");
    // XML has no way to write the control characters, all else arrives.
    let names = values("ec2:instance-list | jq '.tags.Name'");
    let readable = HOSTILE.split('\u{1b}').next().unwrap();
    assert!(
        names
            .iter()
            .any(|name| name.as_str().is_some_and(|name| name.starts_with(readable))),
        "{names:?}"
    );
    // The value becomes an argument: one argument, whatever is in it.
    let echoed = cogdeck(&[
        "run",
        "-o",
        "jsonl",
        "kubectl:get deploy web | echo ${metadata.annotations.note}",
    ]);
    assert!(echoed.contains("touch pwned"), "{echoed}");
    let interpolated = cogdeck(&[
        "run",
        "kubectl:get deploy web | jq -r '.metadata.annotations.note' | echo \"got ${body:-nothing}\"",
    ]);
    assert!(interpolated.contains("got"), "{interpolated}");
    for pipeline in [
        "kubectl:describe deploy web",
        "kubectl:get deploy web -o yaml",
        "ec2:instance-list",
        "r53:record-list -z Z37AJ8CHRUEZC6",
        "dig --short note.spawnhub.com TXT",
    ] {
        cogdeck(&["run", pipeline]);
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "nothing was executed: {left:?}");
    let deployments = cogdeck(&["run", "-o", "jsonl", "kubectl:get deploy"]);
    assert_eq!(deployments.lines().count(), 1, "and nothing deleted");
}

#[test]
fn a_terminal_never_gets_the_escapes_of_data() {
    let Some(world) = hostile_world() else { return };
    for pipeline in [
        "ec2:instance-list | jq '.tags.Name'",
        "ec2:instance-list | jq -r '.tags.Name'",
        "kubectl:describe deploy web",
        "ec2:instance-list",
    ] {
        let mut terminal = world.terminal(COGDECK, &["run", pipeline], 200, 50);
        let status = terminal.exit_status(CALL).expect("its end");
        assert!(status.success(), "{pipeline}: {}", terminal.screen());
        let raw = String::from_utf8_lossy(&terminal.raw_output_since(0)).into_owned();
        assert!(
            !raw.contains("\u{1b}[2J")
                && !raw.contains("\u{1b}]0;")
                && !raw.contains('\u{7}')
                && !raw.contains('\u{202e}'),
            "{pipeline}: {raw:?}"
        );
    }
}
