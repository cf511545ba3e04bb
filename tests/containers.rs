//! Bundle commands in containers, against a real engine: what the process receives, what its answer becomes, and that
//! nothing is left however a run ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is how a test fails"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bollard::Docker;
use cogdeck::core::report::{Report, Severity};
use cogdeck::core::text::Secret;
use cogdeck::exec::docker::{Engine, Engines, Image, LABEL};
use cogdeck::exec::{Reply, Request};
use serde_json::{Value, json};
use support::image::{build, containers, docker};
use support::{require_busybox, require_docker};
use tokio_util::sync::CancellationToken;

/// The time after which a stopped run has to be over, removal included.
const SECOND: Duration = Duration::from_secs(1);

const SCRIPTS: [(&str, &str); 17] = [
    ("variables", "env"),
    (
        "contract",
        r#"for a in "$@"; do echo "argument $a"; done; echo "stdin $(cat)""#,
    ),
    (
        "json",
        "echo COG_TEMPLATE: table\necho 'COGCMD_WARN: disk is low'\necho JSON; echo '[{\"a\": 1}, 5, null]'",
    ),
    ("abort", "echo kept; echo COGCMD_ACTION: abort"),
    ("notes", "echo done; echo 'warning: slow' >&2"),
    (
        "fails",
        "echo half; echo 'Traceback:' >&2; echo 'no such zone' >&2; exit 3",
    ),
    ("broken", "echo JSON; echo '{\"a\": '"),
    ("slow", "echo first; sleep 0.7; echo second"),
    ("stuck", "trap '' TERM INT HUP; echo up; while :; do sleep 60; done"),
    (
        "hungry",
        "x=$(head -c 700000000 /dev/zero | tail -c 650000000) || exit 5; echo survived",
    ),
    ("endless", "yes 0123456789012345678901234567890123456789"),
    ("deaf", "exec 0<&-; yes 0123456789012345678901234567890123456789"),
    (
        "leaky",
        "echo \"cannot log in with $TOKEN\" >&2; echo \"COGCMD_INFO: token $TOKEN\"; exit 1",
    ),
    (
        "owner",
        "echo x > /tmp/f && chown 1000:1000 /tmp/f && ls -ln /tmp/f && echo y >> /tmp/f && cat /tmp/f",
    ),
    ("echoes", "echo JSON; cat"),
    (
        "limits",
        "echo pids $(cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null); id -u",
    ),
    ("early", "exec 0<&-; echo done"),
];

/// An engine with the test image, or none where the test is to be skipped.
struct World {
    host: String,
    docker: Docker,
    engine: Engine,
    image: Image,
}

async fn world() -> Option<World> {
    let (host, busybox) = (require_docker()?, require_busybox()?);
    let docker = docker(&host).await;
    let name = build(&docker, &busybox, "cogdeck-tests/bundle", &SCRIPTS).await;
    let engine = Engine::connect(Some(&host)).await.expect("an engine");
    let image = Image {
        name,
        binds: Vec::new(),
    };
    Some(World {
        host,
        docker,
        engine,
        image,
    })
}

impl World {
    async fn run(&self, request: &Request) -> Result<Reply, Report> {
        let ended = self
            .engine
            .run(&self.image, request, &CancellationToken::new(), |_| {})
            .await;
        self.assert_nothing_left(request).await;
        ended
    }

    async fn script(&self, name: &str) -> Result<Reply, Report> {
        self.run(&request(name)).await
    }

    async fn assert_nothing_left(&self, request: &Request) {
        let label = format!("{LABEL}={}", request.pipeline_id);
        assert_eq!(containers(&self.docker, &label).await, Vec::<String>::new(), "{label}");
    }
}

fn request(script: &str) -> Request {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("test").to_owned();
    Request {
        bundle: "demo".into(),
        command: script.into(),
        executable: format!("/bundle/{script}"),
        arguments: Vec::new(),
        options: serde_json::Map::new(),
        record: None,
        user: "ana".into(),
        room: None,
        pipeline_id: format!("{test}-{script}"),
        invocation_id: "i1".into(),
        step: None,
        env_vars: BTreeMap::new(),
        configuration: BTreeMap::new(),
    }
}

/// The lines of the only record `{"body": [...]}`.
fn body(reply: &Reply) -> Vec<String> {
    let [record] = reply.records.as_slice() else {
        panic!("one record: {reply:?}")
    };
    let lines = record["body"].as_array().expect("a body");
    lines.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_receives_environment_arguments_and_stdin() {
    let Some(world) = world().await else { return };
    let hostile = "a'b\"; $(rm -rf /) | \u{1b}[31m\nsecond line";
    let request = Request {
        arguments: vec![json!("world"), json!(-5), json!(hostile), json!({"a": null})],
        options: json!({"dry-run": true, "tag": ["x", "y,z"]})
            .as_object()
            .cloned()
            .unwrap(),
        record: Some(json!({"text": hostile, "id": 12345678901234567890u64})),
        env_vars: BTreeMap::from([("LEVEL".into(), "5".into()), ("KEPT".into(), "yes".into())]),
        configuration: BTreeMap::from([
            ("LEVEL".to_owned(), Secret::new("6").into()),
            ("COG_USERNAME".to_owned(), Secret::new("root").into()),
        ]),
        ..request("contract")
    };
    let lines = body(&world.run(&request).await.unwrap());
    let text = lines.join("\n");
    assert!(text.contains(&format!("argument {hostile}\n")), "{text}");
    let stdin = lines
        .iter()
        .find_map(|line| line.strip_prefix("stdin "))
        .expect("stdin");
    assert_eq!(serde_json::from_str::<Value>(stdin).ok(), request.record);
    for argument in ["argument world", "argument -5", "argument {\"a\":null}"] {
        assert!(lines.iter().any(|line| line == argument), "{argument}\n{text}");
    }

    // Without a shell, which drops names that it could not spell.
    let request = Request {
        executable: "/bin/env".into(),
        arguments: Vec::new(),
        ..request
    };
    assert!(body(&world.run(&request).await.unwrap()).contains(&"COG_OPT_DRY-RUN=true".to_owned()));
    let request = Request {
        executable: "/bundle/variables".into(),
        arguments: vec![json!("world"), json!(5), json!(hostile), json!({"a": null})],
        ..request
    };
    let lines = body(&world.run(&request).await.unwrap());
    let text = lines.join("\n");
    for expected in [
        "COG_ARGC=4",
        "COG_ARGV_0=world",
        "COG_OPTS=dry-run,tag",
        "COG_OPT_DRY_RUN=true",
        "COG_OPT_TAG_COUNT=2",
        "COG_OPT_TAG_1=y,z",
        "COG_BUNDLE=demo",
        "COG_COMMAND=contract",
        "COG_USERNAME=ana",
        "COG_ROOM=direct",
        "LEVEL=6",
        "KEPT=yes",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected}\n{text}");
    }
    assert!(
        lines.iter().any(|line| line.starts_with("PATH=/")),
        "the image's own PATH\n{text}"
    );
    assert!(text.contains(&format!("COG_ARGV_2={hostile}\n")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_stage_reads_an_empty_object() {
    let Some(world) = world().await else { return };
    assert_eq!(world.script("echoes").await.unwrap().records, [json!({})]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_answer_is_read() {
    let Some(world) = world().await else { return };
    let reply = world.script("json").await.unwrap();
    assert_eq!(reply.records, [json!({"a": 1}), json!(5), Value::Null]);
    assert_eq!(reply.template.as_deref(), Some("table"));
    assert_eq!(reply.log, [("warn".to_owned(), "disk is low".to_owned())]);
    let reply = world.script("abort").await.unwrap();
    assert_eq!((reply.abort, body(&reply)), (true, vec!["kept".to_owned()]));
    let reply = world.script("notes").await.unwrap();
    assert_eq!(
        (reply.notes.as_str(), body(&reply)),
        ("warning: slow", vec!["done".to_owned()])
    );
    let reply = world.script("fails").await.unwrap();
    assert_eq!(
        (reply.records.len(), reply.notes.as_str()),
        (0, "Traceback:\nno such zone")
    );
    assert_eq!(reply.failure().unwrap().message, "no such zone (exit code 3)");
    assert_eq!(world.script("broken").await.unwrap_err().code, "E-EXEC-003");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_seen_while_the_command_still_runs() {
    let Some(world) = world().await else { return };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watch = {
        let seen = seen.clone();
        move |line: String| seen.lock().unwrap().push((line, Instant::now()))
    };
    let never = CancellationToken::new();
    let reply = world
        .engine
        .run(&world.image, &request("slow"), &never, watch)
        .await
        .unwrap();
    let ended = Instant::now();
    assert_eq!(body(&reply), ["first", "second"]);
    let seen = seen.lock().unwrap();
    let [(first, at), (second, later)] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!((first.as_str(), second.as_str()), ("first", "second"));
    assert!(*later - *at > Duration::from_millis(500), "as they come, not together");
    assert!(ended - *at > Duration::from_millis(500), "before the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_kills_a_command_that_ignores_signals_and_removes_it() {
    let Some(world) = world().await else { return };
    let (stop, request) = (CancellationToken::new(), request("stuck"));
    let stopped_at = Arc::new(Mutex::new(None));
    let watch = {
        let (stop, stopped_at) = (stop.clone(), stopped_at.clone());
        move |_: String| {
            stopped_at.lock().unwrap().get_or_insert_with(Instant::now);
            stop.cancel();
        }
    };
    let report = world
        .engine
        .run(&world.image, &request, &stop, watch)
        .await
        .unwrap_err();
    let took = stopped_at.lock().unwrap().expect("it was up").elapsed();
    assert_eq!(report.severity, Severity::Interrupted);
    assert!(took < SECOND, "{took:?}");
    world.assert_nothing_left(&request).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_at_any_moment_of_a_start_leaves_nothing() {
    let Some(world) = world().await else { return };
    let request = request("stuck");
    for after in [0, 1, 3, 8, 20, 50, 100, 200, 400] {
        let stop = CancellationToken::new();
        let timer = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            timer.cancel();
        });
        let report = world
            .engine
            .run(&world.image, &request, &stop, |_| {})
            .await
            .unwrap_err();
        assert_eq!(report.severity, Severity::Interrupted, "{after} ms");
        world.assert_nothing_left(&request).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_run_is_removed_too() {
    let Some(world) = world().await else { return };
    let (never, request) = (CancellationToken::new(), request("stuck"));
    let run = world.engine.run(&world.image, &request, &never, |_| {});
    assert!(tokio::time::timeout(SECOND, run).await.is_err());
    let deadline = Instant::now() + Duration::from_secs(5);
    let label = format!("{LABEL}={}", request.pipeline_id);
    while !containers(&world.docker, &label).await.is_empty() {
        assert!(Instant::now() < deadline, "left over");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn output_without_end_is_cut_off_whether_or_not_stdin_is_read() {
    let Some(world) = world().await else { return };
    for script in ["endless", "deaf"] {
        let request = Request {
            record: Some(json!("x".repeat(4 << 20))),
            ..request(script)
        };
        let ended = tokio::time::timeout(Duration::from_secs(60), world.run(&request)).await;
        assert_eq!(ended.expect("an end").unwrap_err().code, "E-EXEC-001", "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_record_goes_through_and_may_be_ignored() {
    let Some(world) = world().await else { return };
    let record = json!({"text": "é".repeat(2 << 20)});
    for (script, expected) in [("echoes", record.clone()), ("early", json!({"body": ["done"]}))] {
        let request = Request {
            record: Some(record.clone()),
            ..request(script)
        };
        let ended = tokio::time::timeout(Duration::from_secs(30), world.run(&request)).await;
        assert!(ended.expect("an end").unwrap().records == [expected], "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_memory_is_named() {
    let Some(world) = world().await else { return };
    let report = world.script("hungry").await.unwrap_err();
    assert_eq!(report.code, "E-DOCKER-003", "{report}");
    assert!(
        report.message.contains("/bundle/hungry") && report.message.contains("512 MiB"),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn root_in_a_container_keeps_what_ordinary_images_need() {
    let Some(world) = world().await else { return };
    let lines = body(&world.script("owner").await.unwrap());
    assert!(lines[0].contains("1000"), "{lines:?}");
    assert_eq!(&lines[1..], ["x", "y"]);
    let lines = body(&world.script("limits").await.unwrap());
    assert_eq!(lines, ["pids 256", "0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_image_and_a_missing_executable_are_named_with_a_hint() {
    let Some(world) = world().await else { return };
    let image = Image {
        name: "127.0.0.1:9/cogdeck-tests/missing:1".into(),
        binds: Vec::new(),
    };
    let (begun, never) = (Instant::now(), CancellationToken::new());
    let report = world
        .engine
        .run(&image, &request("json"), &never, |_| {})
        .await
        .unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(report.code, "E-DOCKER-002");
    assert!(
        report
            .message
            .contains("pull the image 127.0.0.1:9/cogdeck-tests/missing:1: "),
        "{report}"
    );
    assert!(report.message.contains("connection refused"), "{report}");
    assert!(report.hint.unwrap().contains("registry"));
    let report = world.script("missing").await.unwrap_err();
    assert!(report.message.contains("could not start /bundle/missing"), "{report}");
    assert!(report.hint.unwrap().contains("cogdeck-tests/bundle:1 must hold"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_does_not_answer_is_named_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("unix://{}/docker.sock", folder.path().display());
    for host in [missing.as_str(), "tcp://127.0.0.1:9", "gopher://x", "nonsense"] {
        let report = Engine::connect(Some(host)).await.map(|_| ()).unwrap_err();
        assert_eq!(
            (report.code, report.message.contains(host)),
            ("E-DOCKER-001", true),
            "{report}"
        );
        assert!(report.hint.is_some(), "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_hangs_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("tcp://{}", listener.local_addr().unwrap());
    let begun = Instant::now();
    let report = Engine::connect(Some(&host)).await.map(|_| ()).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_eq!(report.code, "E-DOCKER-001");
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_does_not_reach_errors_logs_or_labels() {
    let Some(world) = world().await else { return };
    let secret = "tok-1234567890";
    let request = Request {
        configuration: BTreeMap::from([("TOKEN".to_owned(), Secret::new(secret).into())]),
        ..request("leaky")
    };
    let reply = world.run(&request).await.unwrap();
    let failure = reply.failure().unwrap();
    assert_eq!(failure.message, "cannot log in with ••• (exit code 1)");
    assert!(!format!("{reply:?}").contains(secret), "{reply:?}");

    let (stop, request) = (
        CancellationToken::new(),
        Request {
            executable: "/bundle/stuck".into(),
            ..request
        },
    );
    let running = {
        let (engine, image, stop, request) = (world.engine.clone(), world.image.clone(), stop.clone(), request.clone());
        tokio::spawn(async move { engine.run(&image, &request, &stop, |_| {}).await })
    };
    let label = format!("{LABEL}={}", request.pipeline_id);
    // An engine lists a container a moment before it can be inspected.
    let deadline = Instant::now() + Duration::from_secs(10);
    let inspected = loop {
        assert!(Instant::now() < deadline && !running.is_finished(), "it runs");
        if let Some(id) = containers(&world.docker, &label).await.pop()
            && let Ok(inspected) = world.docker.inspect_container(&id, None).await
        {
            break inspected;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let name = inspected.name.unwrap_or_default();
    assert!(name.starts_with("/cogdeck-demo-leaky-"), "{name}");
    let labels = inspected.config.and_then(|config| config.labels).unwrap_or_default();
    assert_eq!(labels.get("cogdeck.command").map(String::as_str), Some("demo:leaky"));
    assert!(!format!("{labels:?}").contains(secret));
    stop.cancel();
    assert!(running.await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_side_by_side_do_not_mix() {
    let Some(world) = world().await else { return };
    let runs = (0..8).map(|number| {
        let (engine, image) = (world.engine.clone(), world.image.clone());
        let request = Request {
            record: Some(json!({"number": number})),
            ..request("echoes")
        };
        tokio::spawn(async move { engine.run(&image, &request, &CancellationToken::new(), |_| {}).await })
    });
    for (number, run) in futures::future::join_all(runs).await.into_iter().enumerate() {
        assert_eq!(run.unwrap().unwrap().records, [json!({"number": number})]);
    }
    world.assert_nothing_left(&request("echoes")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_left_is_removed_by_the_next_and_nothing_else_is() {
    let Some(world) = world().await else { return };
    // This very test binary once more, as the process that gets killed.
    if std::env::var_os("COGDECK_TEST_VICTIM").is_some() {
        let _ = world
            .engine
            .run(&world.image, &request("stuck"), &CancellationToken::new(), |_| {})
            .await;
        return;
    }
    let label = format!("{LABEL}={}", request("stuck").pipeline_id);
    let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "what_a_killed_process_left_is_removed_by_the_next_and_nothing_else_is",
        ])
        .env("COGDECK_TEST_VICTIM", "1")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while containers(&world.docker, &label).await.is_empty() {
        assert!(Instant::now() < deadline, "the victim runs a container");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.engine.sweep().await.unwrap();
    assert_eq!(containers(&world.docker, &label).await.len(), 1, "its owner is alive");
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(
        containers(&world.docker, &label).await.len(),
        1,
        "nobody could remove it"
    );
    // Connecting for work tidies up, beside the work.
    Engines::default().get(Some(&world.host)).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while !containers(&world.docker, &label).await.is_empty() {
        assert!(Instant::now() < deadline, "left over");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
