//! The session's and the records' verbs, run as lines of a session that has no others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod aliases;
mod bench;
mod checklist;
mod data;
mod defects;
mod history;
mod permissions;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{Script, catalogue, finish, fits, fresh, run, values};
use cogdeck::engine::BlockEvent;
use serde_json::{Value, json};

#[tokio::test]
async fn examples_with_an_expectation_run_as_written() {
    let catalogue = catalogue();
    let mut ran = 0;
    let mut wrong = Vec::new();
    for verb in catalogue.iter() {
        for example in &verb.declaration.examples {
            let Some(expected) = &example.expect else { continue };
            let result = run(&fresh(), &example.line).await;
            if !fits(expected, result.text.trim_end()) {
                wrong.push(format!("{}\n{result:?}", example.line));
            }
            ran += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran >= 5, "{ran}");
}

#[tokio::test]
async fn d1_echo_joins_texts_and_keeps_a_lone_values_type() {
    let cases = [
        ("echo hello   world", vec![json!("hello world")]),
        ("echo", vec![json!("")]),
        ("echo 5", vec![json!("5")]),
        ("jq -n '{a: [1], b: null}' | echo $a", vec![json!([1])]),
        ("jq -n '{a: [1], b: null}' | echo $b", vec![json!(null)]),
        ("jq -n '{a: {x: 1}}' | echo a is $a", vec![json!("a is {\"x\":1}")]),
    ];
    for (line, wanted) in cases {
        assert_eq!(values(line).await, wanted, "{line}");
    }
}

#[tokio::test]
async fn d3_jq_takes_its_options_bundled_and_named_values() {
    let cases = [
        ("jq -n '1, 2' | jq -s add", vec![json!(3)]),
        ("jq -n '1, 2' | jq -sc .", vec![json!([1, 2])]),
        ("jq -n --arg a x --arg b '1,2' '[$a, $b]'", vec![json!(["x", "1,2"])]),
        (
            "jq -n '[$a, $b]' --argjson a '{\"n\": 1}' --arg b 5",
            vec![json!([{"n": 1}, "5"])],
        ),
        (
            "jq -n '[.]' | jq -s --arg=a '-1' '[.[], $a]'",
            vec![json!([[null], "-1"])],
        ),
        ("jq -n '1, 2' | jq -n '[inputs]'", vec![json!([1, 2])]),
        ("jq -n '{a: 1}' | jq '{b: .a}' | jq .b", vec![json!(1)]),
        ("jq -n 'env | keys'", vec![json!(["PATH"])]),
    ];
    for (line, wanted) in cases {
        assert_eq!(values(line).await, wanted, "{line}");
    }
    let session = fresh();
    assert_eq!(run(&session, r#"jq -n '"a b"'"#).await.text.trim_end(), "\"a b\"");
    assert_eq!(run(&session, r#"jq -rn '"a b"'"#).await.text.trim_end(), "a b");
    assert_eq!(
        run(&session, "jq -n '[1, {a: 2}]' | jq -c .").await.text.trim_end(),
        r#"[1,{"a":2}]"#
    );
}

#[tokio::test]
async fn jq_errors_are_told_and_on_error_counts() {
    let session = fresh();
    let cases = [
        ("jq -n '.a | nope'", "E-JQ-001", 2),
        ("jq .", "E-JQ-004", 2),
        ("jq -n --arg x", "E-OPTION-002", 2),
        ("jq -n . --arg x", "E-OPTION-002", 2),
        ("jq -n --arg x-y 1 .", "E-JQ-004", 2),
        ("jq -n --argjson x '{' .", "E-JQ-004", 2),
        ("jq -n '1 | .a'", "E-JQ-002", 1),
        ("echo x | jq", "E-ARGUMENT-002", 2),
        ("jq -n 'reduce range(999) as $i (0; [.])'", "E-JQ-003", 1),
    ];
    for (line, code, exit) in cases {
        let ran = run(&session, line).await;
        assert_eq!(
            (ran.report.as_ref().map(|r| r.code), ran.exit),
            (Some(code), exit),
            "{line} {ran:?}"
        );
    }
    let ran = run(&session, "jq -n '{a: 1}, 2, {a: 3}' | on-error=continue jq .a").await;
    assert_eq!((ran.records, ran.exit), (vec![json!(1), json!(3)], 1));
    assert_eq!(ran.failed[0].record.as_deref(), Some(&json!(2)));
    let ran = run(&session, "jq -n '{a: 1}, 2, {a: 3}' | jq .a").await;
    assert_eq!((ran.records, ran.report.unwrap().code), (vec![json!(1)], "E-JQ-002"));
}

#[tokio::test]
async fn an_endless_filter_is_interrupted_and_one_that_yields_nothing_does_not_hold_the_session() {
    let session = fresh();
    for filter in ["jq -n 'repeat(1)' | jq -n 'last(inputs)'", "jq -n 'last(repeat(1))'"] {
        let block = session.start(filter, Arc::new(Script)).unwrap();
        let canceller = block.canceller();
        let end = tokio::spawn(finish(block));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let start = Instant::now();
        canceller.cancel();
        assert_eq!(end.await.unwrap().exit, 130, "{filter}");
        assert!(start.elapsed() < Duration::from_secs(1), "{filter}");
    }
}

/// What would end our own process ends the filter's alone, and the stage says which limit it was.
#[tokio::test]
async fn a_filter_that_runs_away_is_an_error_of_its_stage() {
    let session = fresh();
    let brackets = format!("jq -n '{}'", "[".repeat(100_000));
    let cases = [
        ("jq -n 'def f: 1 + f; f'", "recurses too deep"),
        ("jq -n 'def f: [f]; f'", "recurses too deep"),
        ("jq -n '[range(1e10)]'", "more memory"),
        ("jq -n '[\"[\" * 100000 | fromjson]'", ""),
        (brackets.as_str(), ""),
    ];
    for (line, why) in cases {
        let start = Instant::now();
        let ran = run(&session, line).await;
        let report = ran.report.unwrap();
        assert!(
            ["E-JQ-001", "E-JQ-002", "E-JQ-005"].contains(&report.code),
            "{report:?}"
        );
        assert!(report.message.contains(why), "{report:?}");
        let limit = if why == "more memory" { 20 } else { 5 };
        assert!(
            start.elapsed() < Duration::from_secs(limit),
            "{why}: {:?}",
            start.elapsed()
        );
    }
    assert_eq!(
        run(&session, "jq -n '1 + 1'").await.records,
        vec![json!(2)],
        "the session goes on"
    );
}

#[tokio::test]
async fn outputs_come_as_they_are_made_and_not_at_the_end() {
    let session = fresh();
    let mut block = session.start("jq -n '1, last(repeat(1))'", Arc::new(Script)).unwrap();
    let first = async {
        loop {
            match block.next().await {
                Some(BlockEvent::Item(item)) => return item.record,
                Some(_) => {}
                None => panic!("no output"),
            }
        }
    };
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(10), first).await.unwrap(),
        json!(1)
    );
    block.cancel();
    assert_eq!(finish(block).await.exit, 130);
}

#[tokio::test]
async fn sh_streams_lines_feeds_records_and_tells_failures() {
    assert_eq!(
        values("sh 'printf \"a\\nb\"'").await,
        vec![
            json!({"line": "a", "source": "stdout"}),
            json!({"line": "b", "source": "stdout"})
        ]
    );
    let lines: Vec<Value> = values("jq -n '{a: 1}, 2' | sh cat | jq .line").await;
    assert_eq!(lines, vec![json!("{\"a\":1}"), json!("2")]);
    assert_eq!(
        values("sh 'echo $1; env | sort | cut -d= -f1 | tr \"\\n\" \" \"' 'a b' | jq -r .line").await,
        vec![json!("a b"), json!("PATH PWD http_proxy ")]
    );
    let ran = run(&fresh(), "sh 'echo out; echo why >&2; exit 3'").await;
    assert_eq!((ran.records.len(), ran.exit, ran.notes), (1, 1, vec!["why".to_owned()]));
    let report = ran.report.unwrap();
    assert_eq!(
        (report.code, report.message.as_str()),
        ("E-SH-002", "the line ended with status 3: why")
    );
    assert_eq!(
        values("sh 'yes' | jq -n '[limit(2; inputs)] | length'").await,
        vec![json!(2)]
    );
}

#[tokio::test]
async fn sh_leaves_nothing_running() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let session = fresh();
    let line = format!(
        "sh 'trap \"\" TERM; sleep 600 & echo $! > {0}; wait; wait; sleep 600'",
        file.display()
    );
    let block = session.start(&line, Arc::new(Script)).unwrap();
    let canceller = block.canceller();
    let end = tokio::spawn(finish(block));
    while !std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    canceller.cancel();
    assert_eq!(end.await.unwrap().exit, 130);
    let pid = std::fs::read_to_string(&file).unwrap();
    let gone = || !std::path::Path::new(&format!("/proc/{}", pid.trim())).exists();
    // 20 s.
    for _ in 0..1_000 {
        if gone() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("process {pid} still runs");
}

#[tokio::test]
async fn help_shows_bundles_commands_and_suggestions() {
    let session = fresh();
    let page = run(&session, "help").await.text;
    assert!(
        page.contains("cogdeck (native) - Commands that are always there"),
        "{page}"
    );
    let page = run(&session, "!help cogdeck").await.text;
    assert!(page.contains("• jq - Reshape records with a jq filter"), "{page}");
    let page = run(&session, "help jq").await;
    assert!(
        page.text.contains("Synopsis\n  cogdeck:jq [options] <filter>"),
        "{}",
        page.text
    );
    assert_eq!(page.records[0]["name"], "cogdeck:jq");
    let page = run(&session, "help cogdeck jq").await;
    assert_eq!(page.records[0]["name"], "cogdeck:jq", "as it is typed");
    let report = run(&session, "help jqq").await.report.unwrap();
    assert_eq!(
        (report.code, report.hint.as_deref()),
        ("E-HELP-001", Some("did you mean jq?"))
    );
    assert_eq!(
        run(&session, "help --output jq").await.records,
        vec![json!("Any JSON value.")]
    );
}

#[tokio::test]
async fn jobs_are_listed_waited_for_and_stopped() {
    let session = fresh();
    run(&session, "sh 'sleep 600' &").await;
    let ran = run(&session, "jobs").await;
    assert_eq!(
        (&ran.records[0]["number"], &ran.records[0]["state"]),
        (&json!(2), &json!("running")),
        "{ran:?}"
    );
    assert!(ran.text.contains("sh 'sleep 600'"), "{}", ran.text);
    let ran = run(&session, "stop 2").await;
    assert_eq!((&ran.records[0]["state"], ran.exit), (&json!("stopped"), 0));
    assert_eq!(run(&session, "stop 2").await.report.unwrap().code, "E-JOB-002");
    assert_eq!(run(&session, "stop 99").await.report.unwrap().code, "E-JOB-001");
    let ran = run(&session, "sh 'sleep 0.2; exit 1' & wait").await;
    assert_eq!((ran.exit, ran.report.unwrap().code), (1, "E-JOB-005"));
    let number = session.jobs().last().unwrap().number + 1;
    assert_eq!(
        run(&session, &format!("wait {number}")).await.report.unwrap().code,
        "E-JOB-003"
    );
}

#[tokio::test]
async fn history_lists_what_was_run() {
    let session = fresh();
    run(&session, "echo a").await;
    run(&session, "jq -n '1 | .a'").await;
    run(&session, " echo hidden").await;
    let ran = run(&session, "history -l 5").await;
    let seen: Vec<(&Value, &Value)> = ran.records.iter().map(|r| (&r["line"], &r["exit"])).collect();
    assert_eq!(
        seen,
        vec![(&json!("echo a"), &json!(0)), (&json!("jq -n '1 | .a'"), &json!(1))]
    );
}

#[tokio::test]
async fn a_pasted_shell_loop_is_translated() {
    let line = "while true; do curl -s http://inspector.spawnhub.com/net; sleep .5; done";
    let report = run(&fresh(), line).await.report.unwrap();
    let place = report.place.unwrap();
    assert!(
        place
            .source
            .starts_with("traffic:watch http://inspector.spawnhub.com/net"),
        "{place:?}"
    );
}

#[tokio::test]
async fn d1_d2_the_data_verbs() {
    let people = r#"seed '[{"n": "b", "v": 2}, {"n": "a", "v": 10}, {"n": "c"}, {"n": "a", "v": 1}]'"#;
    let cases = [
        ("sort n v | pluck v", json!([1, 10, 2])),
        ("sort -d v | pluck n", json!(["a", "b", "a", "c"])),
        ("filter -p v | count", json!([3])),
        ("count v", json!([3])),
        ("filter -p n -m /A/i | pluck v", json!([10, 1])),
        ("filter -p v -v | pluck n", json!(["c"])),
        ("max v | pluck n", json!(["a"])),
        ("min v | pluck v", json!([1])),
        ("sum v", json!([13])),
        ("pluck n | unique", json!(["b", "a", "c"])),
        ("head 1 | pluck n", json!(["b"])),
        ("tail -n 1 | pluck v", json!([1])),
        ("pluck v --as x | head 1", json!([{"x": 2}])),
        ("fields | head 1", json!([["n", "v"]])),
        ("raw | head -n 1", json!([{"n": "b", "v": 2}])),
    ];
    for (tail, wanted) in cases {
        assert_eq!(
            Value::Array(values(&format!("{people} | {tail}")).await),
            wanted,
            "{tail}"
        );
    }
    assert_eq!(values("seed '[1.5, \"2\", 1]' | sum").await, vec![json!(4.5)]);
    assert_eq!(values("seed --range=-2-1").await.len(), 4);
    assert_eq!(
        values("seed '{\"b\": 1, \"a\": 2} {\"a\": 2, \"b\": 1}' | unique | count").await,
        vec![json!(1)]
    );
    let session = fresh();
    let wrong = [
        ("seed '{'", "E-SEED-001", 2),
        ("seed --range x", "E-SEED-001", 2),
        ("seed 1 | filter -p a -m '('", "E-FILTER-001", 2),
        ("seed 1 | filter -p a -m '/a/q'", "E-FILTER-001", 2),
        ("seed 1 | head 0", "E-RECORDS-002", 2),
        ("seed '\"x\"' | sum", "E-SUM-001", 1),
        ("seed 1 | pluck", "E-ARGUMENT-002", 2),
        ("seed 1 | pluck \"a.'b\"", "E-PATH-001", 2),
        ("which jqq", "E-WHICH-001", 1),
    ];
    for (line, code, exit) in wrong {
        let ran = run(&session, line).await;
        assert_eq!(
            (ran.report.as_ref().map(|r| r.code), ran.exit),
            (Some(code), exit),
            "{line} {ran:?}"
        );
    }
}
