//! Bundle commands in containers, against a real engine: what the process receives, what its answer becomes, and that
//! nothing is left however a run ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is how a test fails"
)]

#[path = "containers/endings.rs"]
mod endings;
#[path = "containers/replies.rs"]
mod replies;
mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bollard::Docker;
use cogdeck::core::report::Report;
use cogdeck::exec::docker::{Engine, Image, LABEL};
use cogdeck::exec::{Reply, Request};
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
