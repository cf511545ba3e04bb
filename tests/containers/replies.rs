//! What the process receives and what its answer becomes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::support::image::containers;
use super::{request, world};
use cogdeck::core::text::Secret;
use cogdeck::exec::docker::LABEL;
use cogdeck::exec::{Reply, Request};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

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
async fn root_in_a_container_keeps_what_ordinary_images_need() {
    let Some(world) = world().await else { return };
    let lines = body(&world.script("owner").await.unwrap());
    assert!(lines[0].contains("1000"), "{lines:?}");
    assert_eq!(&lines[1..], ["x", "y"]);
    let lines = body(&world.script("limits").await.unwrap());
    assert_eq!(lines, ["pids 256", "0"]);
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
