//! History and pipelines of the session.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::bench::{Script, code, finish, fresh, run};

#[tokio::test]
async fn d4_history_has_numbers_ranges_and_runs_lines_again() {
    let session = fresh();
    for line in ["echo a", "seed --range 1-4 | count", "echo c && echo d"] {
        run(&session, line).await;
    }
    let lines = |ran: super::bench::Ran| ran.records.iter().map(|r| r["line"].clone()).collect::<Vec<Value>>();
    assert_eq!(
        lines(run(&session, "history 2").await),
        vec![json!("seed --range 1-4 | count")]
    );
    assert_eq!(lines(run(&session, "history -2").await).len(), 2);
    assert_eq!(lines(run(&session, "history 2-3").await).len(), 2);
    assert_eq!(
        lines(run(&session, "history -s seed").await)[0],
        json!("seed --range 1-4 | count")
    );
    assert_eq!(code(&session, "history x").await, ("E-HISTORY-003", 2));

    let ran = run(&session, "history exec 2").await;
    assert_eq!((ran.records, ran.exit), (vec![json!(4)], 0));
    assert_eq!(
        run(&session, "history exec 3 | count").await.records,
        vec![json!(2)],
        "its records flow on"
    );
    assert_eq!(run(&session, "history exec 1").await.text.trim_end(), "a");
    assert_eq!(code(&session, "history exec 4711").await, ("E-HISTORY-001", 2));
    run(&session, "jq -n '1 | .a'").await;
    assert_eq!(
        code(&session, "history exec -1").await,
        ("E-JQ-002", 1),
        "its failure is the line's"
    );
}

#[tokio::test]
async fn d4_a_line_that_runs_itself_ends() {
    let session = fresh();
    run(&session, "history exec 1").await;
    assert_eq!(code(&session, "history exec 1").await, ("E-RERUN-001", 2));
}

#[tokio::test]
async fn d5_pipelines_are_listed_shown_and_killed_with_their_processes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let session = fresh();
    run(&session, "echo done").await;
    let line = format!("sh 'echo $$ > {0}; sleep 600' &", file.display());
    run(&session, &line).await;
    let number = session.jobs().last().unwrap().number;
    while !std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let running = run(&session, "pipeline list -s running").await;
    assert_eq!(
        running.records.iter().map(|r| r["number"].clone()).collect::<Vec<_>>(),
        vec![json!(number)]
    );
    // In the ancestor the finished ones were never listed.
    let done = run(&session, "pipeline list -s done -e '^echo'").await;
    assert_eq!(done.records[0]["pipeline"], "echo done");
    assert_eq!(
        run(&session, "pipeline list -e echo -v -s done -l 50")
            .await
            .records
            .len(),
        1
    );
    let info = run(&session, &format!("pipeline info {number}")).await;
    assert!(
        info.text.contains("state    running") && info.text.contains("in the background"),
        "{}",
        info.text
    );
    assert_eq!(code(&session, "pipeline info 4711").await, ("E-JOB-001", 2));
    assert_eq!(code(&session, "pipeline list -e '('").await, ("E-JOB-006", 2));
    let killed = run(&session, &format!("pipeline kill {number}")).await;
    assert_eq!(killed.records[0]["state"], "stopped");
    let pid = std::fs::read_to_string(&file).unwrap();
    // 20 s.
    for _ in 0..1_000 {
        if !std::path::Path::new(&format!("/proc/{}", pid.trim())).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("process {pid} still runs");
}

#[tokio::test]
async fn d4_a_line_that_runs_on_is_interrupted_with_the_one_that_runs_it() {
    let session = fresh();
    let block = session.start("sh 'sleep 600'", Arc::new(Script)).unwrap();
    let canceller = block.canceller();
    let end = tokio::spawn(finish(block));
    tokio::time::sleep(Duration::from_millis(100)).await;
    canceller.cancel();
    end.await.unwrap();
    let block = session.start("history exec -1", Arc::new(Script)).unwrap();
    let canceller = block.canceller();
    let end = tokio::spawn(finish(block));
    tokio::time::sleep(Duration::from_millis(200)).await;
    canceller.cancel();
    assert_eq!(end.await.unwrap().exit, 130);
    assert!(
        session
            .jobs()
            .iter()
            .all(|job| job.state != cogdeck::verb::session::JobState::Running)
    );
}
