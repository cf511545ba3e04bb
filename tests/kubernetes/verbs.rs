//! The verbs, beside real kubectl where there is one.

use super::bench::{Bench, Onlooker, Ran};
use cogdeck::engine::BlockEvent;
use cogdeck::render::View;
use cogdeck::sandbox::faults::Fault;
use serde_json::json;
use std::sync::Arc;

const RUN: &str = "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80";

async fn running() -> Bench {
    let bench = Bench::start().await;
    bench.run(RUN).await.ok();
    bench.run("kubectl:rollout status deploy/inspector").await.ok();
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn the_talk_s_lines() {
    let bench = Bench::start().await;
    let ran = bench.run(RUN).await.ok();
    assert_eq!(ran.text, ["deployment.apps/inspector created"]);
    assert_eq!(ran.records[0]["kind"], "Deployment");
    let ran = bench.run("kubectl:rollout status deploy/inspector").await.ok();
    assert_eq!(
        ran.text.last().unwrap(),
        "deployment \"inspector\" successfully rolled out"
    );
    let ran = bench.run("kubectl:get deploy inspector").await.ok();
    assert_eq!(ran.rows[0].0, ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]);
    assert_eq!(ran.rows[0].1[..4], ["inspector", "1/1", "1", "1"]);
    assert_eq!(ran.records[0]["metadata"]["labels"], json!({"run": "inspector"}));
    assert!(ran.records[0]["metadata"].get("managedFields").is_none());
    let ran = bench
        .run("kubectl:expose deploy inspector --type=LoadBalancer")
        .await
        .ok();
    assert_eq!(ran.text, ["service/inspector exposed"]);
    let ran = bench.run("kubectl:get svc inspector").await.ok();
    assert_eq!(ran.rows[0].1[3], "<pending>");
    bench
        .run("kubectl:wait svc/inspector --for='jsonpath={.status.loadBalancer.ingress[0].hostname}'")
        .await
        .ok();
    let ran = bench.run("kubectl:get svc inspector").await.ok();
    assert!(
        ran.rows[0].1[3].ends_with(".ap-southeast-2.elb.amazonaws.com"),
        "{ran:?}"
    );
    assert_eq!(
        bench.run("kubectl:scale deploy inspector --replicas=3").await.ok().text,
        ["deployment.apps/inspector scaled"]
    );
    bench.run("kubectl:rollout status deploy/inspector").await.ok();
    assert_eq!(bench.run("kubectl:get deploy inspector").await.ok().rows[0].1[1], "3/3");
    let ran = bench
        .run("kubectl:set image deploy inspector inspector=so0k/kuar-inspector:2.0.0")
        .await
        .ok();
    assert_eq!(ran.text, ["deployment.apps/inspector image updated"]);
    let ran = bench.run("kubectl:rollout status deploy/inspector").await.ok();
    assert!(ran.text.len() > 2, "it says what it waits for: {:?}", ran.text);
    let ran = bench.run("kubectl:rollout history deploy/inspector").await.ok();
    let revisions: Vec<i64> = ran
        .records
        .iter()
        .map(|record| record["revision"].as_i64().unwrap())
        .collect();
    assert_eq!(revisions, [1, 2]);
    let cause = ran.records[1]["change_cause"].as_str().unwrap();
    assert_eq!(
        cause,
        "mia kubectl:set-image deployment.apps/inspector inspector=so0k/kuar-inspector:2.0.0"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_down_the_pipe_is_what_a_verb_acts_on() {
    let bench = running().await;
    let ran = bench.run("kubectl:get deploy | kubectl:describe").await.ok();
    assert!(
        ran.text[0].starts_with("Name:                   inspector\n"),
        "{}",
        ran.text[0]
    );
    let ran = bench.run("kubectl:get deploy | kubectl:scale --replicas=2").await.ok();
    assert_eq!(ran.text, ["deployment.apps/inspector scaled"]);
    let ran = bench
        .run("kubectl:get deploy inspector | kubectl:expose --port=80 | kubectl:describe")
        .await
        .ok();
    assert!(
        ran.text[0].starts_with("Name:                     inspector\n"),
        "{}",
        ran.text[0]
    );
    let ran = bench
        .run("kubectl:get deploy,svc -l run=inspector | kubectl:delete")
        .await
        .ok();
    assert_eq!(
        ran.text,
        [
            "deployment.apps \"inspector\" deleted from default namespace",
            "service \"inspector\" deleted from default namespace"
        ]
    );
    assert_eq!(
        bench.run("kubectl:get deploy").await.ok().notes,
        ["No resources found in default namespace."]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_but_a_deletion_can_be_taken_back() {
    let bench = running().await;
    let image = |ran: &Ran| ran.records[0]["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    bench.run("kubectl:scale deploy inspector --replicas=3").await.ok();
    bench.run("test:undo-last").await.ok();
    assert_eq!(
        bench.run("kubectl:get deploy inspector").await.records[0]["spec"]["replicas"],
        1
    );
    bench
        .run("kubectl:set image deploy/inspector inspector=so0k/kuar-inspector:2.0.0")
        .await
        .ok();
    bench.run("kubectl:rollout status deploy/inspector").await.ok();
    bench.run("test:undo-last").await.ok();
    assert_eq!(
        image(&bench.run("kubectl:get deploy inspector").await),
        "so0k/kuar-inspector:1.0.0"
    );
    bench.run("kubectl:rollout status deploy/inspector").await.ok();
    bench.run("kubectl:rollout undo deploy/inspector").await.ok();
    assert_eq!(
        image(&bench.run("kubectl:get deploy inspector").await),
        "so0k/kuar-inspector:2.0.0"
    );
    bench.run("kubectl:rollout status deploy/inspector").await.ok();
    bench.run("test:undo-last").await.ok();
    assert_eq!(
        image(&bench.run("kubectl:get deploy inspector").await),
        "so0k/kuar-inspector:1.0.0"
    );
    bench.run("kubectl:expose deploy inspector").await.ok();
    bench.run("test:undo-last").await.ok();
    assert_eq!(bench.run("kubectl:get svc inspector").await.exit, 1);
    bench.run("kubectl:delete deploy inspector").await.ok();
    assert_ne!(bench.run("test:undo-last").await.exit, 0, "a deletion stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_taken_back_only_while_nobody_changed_it() {
    let bench = running().await;
    let journalled = bench.run("kubectl:scale deploy inspector --replicas=1").await;
    assert_eq!(journalled.exit, 0);
    let other = Bench::start().await;
    other.run(RUN).await.ok();
    other.run("kubectl:rollout status deploy/inspector").await.ok();
    other
        .plane
        .store
        .modify("deployments", "default", "inspector", |d| {
            d["spec"]["replicas"] = json!(2)
        })
        .unwrap();
    let refused = other.run("test:undo-last").await;
    assert_ne!(refused.exit, 0, "{refused:?}");
    other
        .plane
        .store
        .modify("deployments", "default", "inspector", |d| {
            d["spec"]["replicas"] = json!(1)
        })
        .unwrap();
    other.run("test:undo-last").await.ok();
    assert_eq!(other.run("kubectl:get deploy inspector").await.exit, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_kubectl_s_words_and_codes() {
    let bench = running().await;
    let cases = [
        (
            "kubectl:get deploy nope",
            1,
            "Error from server (NotFound): deployments.apps \"nope\" not found",
        ),
        (
            "kubectl:get deploymnets",
            1,
            "the server doesn't have a resource type \"deploymnets\"",
        ),
        (
            "kubectl:get po a -l x=y",
            2,
            "name cannot be provided when a selector is specified",
        ),
        (
            "kubectl:delete deploy",
            2,
            "resource(s) were provided, but no name was specified",
        ),
        (
            "kubectl:scale deploy inspector --replicas=2 --current-replicas=5",
            1,
            "Expected replicas to be 5, was 1",
        ),
        (
            "kubectl:set image deploy inspector nope=x",
            1,
            "unable to find container named \"nope\"",
        ),
        (
            "kubectl:rollout undo deploy/inspector",
            1,
            "no rollout history found for deployment \"inspector\"",
        ),
        (
            RUN,
            1,
            "Error from server (AlreadyExists): deployments.apps \"inspector\" already exists",
        ),
        (
            "kubectl:get svc '..'",
            2,
            "invalid resource name \"..\": [may not be '..']",
        ),
        (
            "kubectl:get svc/../../x",
            2,
            "arguments in resource/name form may not have more than one slash: svc/../../x",
        ),
    ];
    for (line, exit, message) in cases {
        let ran = bench.run(line).await;
        assert_eq!((ran.exit, ran.message().as_str()), (exit, message), "{line}: {ran:?}");
    }
    let ran = bench.run("kubectl:get deploy nope inspector").await;
    assert_eq!((ran.exit, ran.rows.len()), (1, 1), "what exists is shown: {ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_come_line_by_line() {
    let bench = running().await;
    let ran = bench.run("kubectl:logs deploy/inspector --tail=1").await.ok();
    assert_eq!(ran.text.len(), 1, "{ran:?}");
    let source = ran.records[0]["source"].as_str().unwrap();
    assert!(
        source.starts_with("inspector-") && source.ends_with("/inspector"),
        "{source}"
    );
    let ran = bench.run("kubectl:logs -l run=inspector --prefix").await.ok();
    assert!(ran.text[0].starts_with("[pod/inspector-"), "{ran:?}");
    assert_eq!(
        bench.run("kubectl:logs nope").await.message(),
        "error from server (NotFound): pods \"nope\" not found in namespace \"default\""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_cannot_succeed_fails_with_its_cause() {
    let bench = running().await;
    bench
        .run("kubectl:set image deploy/inspector inspector=so0k/kuar-inspector:broken")
        .await
        .ok();
    let ran = bench.run("kubectl:rollout status deploy/inspector --fail-fast").await;
    assert_eq!(ran.exit, 1);
    assert!(ran.message().contains("ImagePull"), "{ran:?}");
    let ran = bench
        .run("kubectl:rollout status deploy/inspector --timeout=300ms")
        .await;
    assert_eq!(
        (ran.exit, ran.message().as_str()),
        (1, "timed out waiting for the condition")
    );
    bench.run("kubectl:rollout undo deploy/inspector").await.ok();
    bench.run("kubectl:rollout status deploy/inspector").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_shows_changes_until_it_is_cancelled() {
    let bench = running().await;
    let watch = tokio::time::timeout(
        std::time::Duration::from_secs(3),
        bench.run("timeout=2s kubectl:get deploy -w"),
    );
    let change = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        bench.run("kubectl:scale deploy inspector --replicas=2").await.ok();
    };
    let (ran, ()) = tokio::join!(watch, change);
    let ran = ran.unwrap();
    assert_eq!(ran.exit, 124, "{ran:?}");
    let ready: Vec<&str> = ran.rows.iter().map(|(_, cells)| cells[1].as_str()).collect();
    assert_eq!(ready[0], "1/1");
    assert_eq!(*ready.last().unwrap(), "2/2", "{ready:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_is_told_once_why_a_rollout_stands_still() {
    let bench = running().await;
    bench
        .run("kubectl:set image deploy/inspector inspector=so0k/kuar-inspector:broken")
        .await
        .ok();
    let line = "kubectl:rollout status deploy/inspector --timeout=12s";
    let mut block = bench.session.start(line, Arc::new(Onlooker)).unwrap();
    let mut notes = Vec::new();
    while let Some(event) = block.next().await {
        if let BlockEvent::Note(note) = event {
            notes.push(note.to_string());
        }
    }
    let [note] = notes.as_slice() else {
        panic!("one note, and not {notes:?}")
    };
    assert!(
        note.starts_with("pod/inspector-") && note.contains("ImagePull"),
        "{note}"
    );
    assert!(
        note.ends_with("go back with kubectl:rollout-undo deployment.apps/inspector, or wait"),
        "{note}"
    );
    // A program that reads the answer is told what kubectl says, and no more.
    let ran = bench.run("kubectl:rollout status deploy/inspector --timeout=4s").await;
    assert_eq!((ran.exit, ran.notes), (1, vec![]));
}

/// The cells of rows, and whether they came as a preview, in the order of their coming.
async fn rows_in_their_order(bench: &Bench, line: &str) -> Vec<(bool, Vec<String>)> {
    let mut block = bench.session.start(line, Arc::new(Onlooker)).unwrap();
    let mut seen = Vec::new();
    while let Some(event) = block.next().await {
        let (early, views) = match event {
            BlockEvent::Preview(rows) => (true, rows),
            BlockEvent::Item(item) => (false, item.view.into_iter().collect()),
            BlockEvent::Ended { exit_code, report, .. } => {
                assert_eq!(exit_code, 0, "{line}: {report:?}");
                break;
            }
            _ => continue,
        };
        for view in views {
            if let View::Row { cells, .. } = view {
                seen.push((early, cells));
            }
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_sees_the_rows_before_their_objects_have_come() {
    let bench = Bench::start().await;
    bench.deploy("alpha", 1).await;
    let object = bench.plane.store.get("deployments", "default", "alpha").unwrap();
    let mut second = (*object).clone();
    second["metadata"] = json!({"name": "beta", "namespace": "default"});
    bench.plane.store.create("deployments", second).unwrap();
    let asked_for_cells = || bench.faults.saw(&["/deployments?", "includeObject=None"]);

    // The server decides which answer comes first, not the load of this machine.
    let late = std::time::Duration::from_secs(2);
    bench.faults.set_on("includeObject=Object", Some(Fault::Slow(late)));
    let seen = rows_in_their_order(&bench, "kubectl:get deploy").await;
    bench.faults.set(None);
    let names: Vec<(bool, &str)> = seen.iter().map(|(early, cells)| (*early, cells[0].as_str())).collect();
    assert_eq!(
        names,
        [(true, "alpha"), (true, "beta"), (false, "alpha"), (false, "beta")]
    );
    assert!(asked_for_cells());

    // Cells are not all that these show, or it is not shown at all, or nobody looks.
    let file = tempfile::NamedTempFile::new().unwrap();
    for line in [
        "kubectl:get deploy -A",
        "kubectl:get deploy --show-labels",
        "kubectl:get deploy --sort-by=.metadata.name",
        "kubectl:get deploy alpha",
        "kubectl:get deploy | kubectl:describe",
        &format!("kubectl:get deploy > file:{}", file.path().display()),
    ] {
        bench.faults.forget();
        let seen = rows_in_their_order(&bench, line).await;
        assert!(
            seen.iter().all(|(early, _)| !early) && !asked_for_cells(),
            "{line}: {seen:?}"
        );
    }
    bench.faults.forget();
    assert_eq!(bench.run("kubectl:get deploy").await.ok().records.len(), 2);
    assert!(!asked_for_cells(), "headless");
}
