//! Stopped, dropped, too large, killed: nothing is left however a run ends.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::support::image::containers;
use super::{SECOND, request, world};
use cogdeck::core::report::Severity;
use cogdeck::exec::Request;
use cogdeck::exec::docker::{Engines, LABEL};
use serde_json::json;
use tokio_util::sync::CancellationToken;

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
            "endings::what_a_killed_process_left_is_removed_by_the_next_and_nothing_else_is",
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
