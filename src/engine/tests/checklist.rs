//! The checklist's rows about the engine that have no table elsewhere, and the ancestor's defects they mend.

use serde_json::{Value, json};

use super::super::plan::OnError;
use super::super::test_support::{Bench, HEADLESS, Script, finish};
use crate::engine::ports::{Journal, Shelf};
use crate::engine::{BlockEvent, Start};
use crate::verb::{Alias, AliasScope, Item};

fn numbers(records: &[Value]) -> Vec<i64> {
    records.iter().filter_map(|record| record["n"].as_i64()).collect()
}

#[tokio::test]
async fn l16_l18_l20_record_3_of_5_fails() {
    let bench = Bench::new();
    for parallel in ["", "parallel=3 "] {
        let ran = bench
            .run(&format!("t:emit 5 | {parallel}on-error=continue t:pass --fail 3"))
            .await;
        assert_eq!((numbers(&ran.records), ran.exit), (vec![1, 2, 4, 5], 1), "{parallel}");
        assert_eq!(ran.failed.len(), 1);
        assert_eq!(ran.failed[0].record.as_deref(), Some(&json!({"n": 3, "name": "r3"})));
        let ran = bench
            .run(&format!("t:emit 5 | {parallel}on-error=stop t:pass --fail 3"))
            .await;
        assert_eq!((numbers(&ran.records), ran.exit), (vec![1, 2], 1), "{parallel}");
        let report = ran.report.unwrap();
        assert_eq!(
            (report.code, report.record.as_deref()),
            ("E-TEST-001", Some(&json!({"n": 3, "name": "r3"})))
        );
    }
}

#[tokio::test]
async fn l16_values_from_records_crash_nothing() {
    let bench = Bench::new();
    // Null is a value; a step into what has none is a failure of the record, with a reason.
    let ran = bench.run("t:echo '' | t:echo ${x:-none}").await;
    assert_eq!(ran.records, vec![json!("none")]);
    for (line, code) in [
        ("t:emit 1 | t:echo $n[0]", "E-VALUE-003"),
        ("t:emit 1 | t:echo $n.x", "E-VALUE-003"),
        ("t:emit 1 | t:echo $name.x", "E-VALUE-003"),
        ("t:emit 1 | t:echo $nope", "E-VALUE-001"),
    ] {
        let report = bench.run(line).await.report.unwrap();
        assert_eq!((report.code, report.stage), (code, Some(2)), "{line}");
        assert!(report.record.is_some(), "{line}");
    }
}

#[tokio::test]
async fn l16_the_first_stage_may_look_into_records_that_are_given() {
    let bench = Bench::new();
    let check = |fed| {
        bench
            .session
            .check_script(["t:echo $n", "t:emit 1"], HEADLESS, fed)
            .map_err(|(at, report)| (at, report.code))
    };
    assert_eq!(check(true).map(|checks| checks.len()), Ok(2));
    assert_eq!(check(false).map(|checks| checks.len()), Err((0, "E-VALUE-001")));
    let second = bench.session.check_script(["t:pass", "t:echo $n"], HEADLESS, true);
    assert_eq!(
        second.map(|checks| checks.len()).map_err(|(at, _)| at),
        Err(1),
        "only the first line is fed"
    );
    let (sender, input) = tokio::sync::mpsc::channel(8);
    for record in [json!({"n": 1}), json!({"n": [2]})] {
        sender.send(Ok(Item { record, view: None })).await.unwrap();
    }
    drop(sender);
    let start = Start {
        line: "t:echo $n",
        operator: Script::new(HEADLESS, []),
        input: Some(input),
        on_error: OnError::Stop,
        timeout: None,
    };
    let ran = finish(bench.session.start_with(start).unwrap()).await;
    assert_eq!((ran.records, ran.exit), (vec![json!(1), json!([2])], 0));
}

#[tokio::test]
async fn r6_permissions_that_depend_on_values_are_asked_for_each_record() {
    let bench = Bench::new();
    let ran = bench.run("t:emit 5 | t:values 3").await;
    assert_eq!((ran.exit, ran.report.unwrap().code), (2, "E-ACCESS-001"));
    assert_eq!(
        bench.emitted.load(std::sync::atomic::Ordering::Relaxed),
        0,
        "nothing ran"
    );
    for parallel in ["", "parallel=2 "] {
        let ran = bench
            .run(&format!("t:emit 5 | {parallel}on-error=continue t:values $n"))
            .await;
        assert_eq!((ran.records.len(), ran.exit, ran.order), (4, 1, vec!["E-ACCESS-001"]));
        assert_eq!(ran.failed[0].record.as_deref(), Some(&json!({"n": 3, "name": "r3"})));
    }
}

#[tokio::test]
async fn l25_secrets_in_an_aliass_call_are_masked() {
    let bench = Bench::new();
    for (name, body) in [
        ("in", "t:login --password=$1"),
        ("at", "t:echo https://mia:$1@example.com"),
    ] {
        let alias = Alias {
            scope: AliasScope::User,
            name: name.into(),
            body: body.into(),
        };
        bench.shelf.put_alias("mia", alias).await.unwrap();
    }
    bench.session.load_aliases().await.unwrap();
    assert_eq!(bench.run("in hunter2").await.exit, 0);
    // Kept, neither runs with the mark for a value, wherever the alias puts it.
    assert_eq!(bench.run("at hunter2").await.exit, 0);
    let lines = bench.journal.history(10).await.unwrap();
    let kept: Vec<&str> = lines.iter().map(|entry| entry.line.as_str()).collect();
    assert_eq!(kept, ["in •••", "at •••"]);
    assert!(bench.session.jobs().iter().all(|job| !job.pipeline.contains("hunter2")));
    for line in kept {
        let refused = bench.run(line).await.report.expect(line);
        assert_eq!(refused.code, "E-OPTION-006", "{refused:?}");
    }
    let check = bench.session.check("in hunter2", HEADLESS).unwrap();
    assert!(!format!("{check:?}").contains("hunter2"), "{check:?}");
}

#[tokio::test]
async fn l25_secrets_in_an_aliass_call_are_in_no_report() {
    let bench = Bench::new();
    for (name, body) in [
        ("in", "t:login --password=$1 --user=${2:-mia}"),
        ("log", "t:login"),
        ("inner", "in $1"),
        ("two", "t:login --password=$1 --user=$2"),
        ("say", "t:echo $1"),
    ] {
        let alias = Alias {
            scope: AliasScope::User,
            name: name.into(),
            body: body.into(),
        };
        bench.shelf.put_alias("mia", alias).await.unwrap();
    }
    bench.session.load_aliases().await.unwrap();
    for (line, code) in [
        ("in hunter2 nobody", "E-TEST-006"),
        ("in hunter2 nobody extra", "E-ARGUMENT-001"),
        ("log --password hunter2 --nope", "E-OPTION-001"),
        ("log --user nobody --password hunter2", "E-TEST-006"),
        ("inner hunter2 mia extra", "E-ARGUMENT-001"),
        ("two hunter2", "E-ALIAS-005"),
        ("t:emit 1 | in hunter2 nobody", "E-TEST-006"),
    ] {
        let report = bench.run(line).await.report.expect(line);
        assert_eq!(report.code, code, "{report:?}");
        let shown = report.lines().join("\n");
        assert!(
            !shown.contains("hunter2") && shown.contains("*******"),
            "{line}: {shown}"
        );
    }
    // What keeps no secret is quoted as it was typed.
    let report = bench.run("say web --nope").await.report.unwrap();
    assert!(report.lines().join("\n").contains("say web --nope"), "{report:?}");
}

#[tokio::test]
async fn a_password_beside_a_variable_in_an_address_is_kept_nowhere() {
    let bench = Bench::new();
    let alias = Alias {
        scope: AliasScope::User,
        name: "at".into(),
        body: "t:echo \"$1/$name\"".into(),
    };
    bench.shelf.put_alias("mia", alias).await.unwrap();
    bench.session.load_aliases().await.unwrap();
    for (line, kept) in [
        ("t:emit 1 | t:echo https://mia:hunter2@$name/", "t:emit 1 | t:echo •••"),
        (
            "t:emit 1 | t:echo https://mia:${w:-hunter2}@h/",
            "t:emit 1 | t:echo •••",
        ),
        ("t:emit 1 | t:echo ${w:-https://hunter2@h/}", "t:emit 1 | t:echo •••"),
        ("t:emit 1 | at https://mia:hunter2@h", "t:emit 1 | at •••"),
        // The variable alone is no secret, and the line can run again.
        (
            "t:emit 1 | t:echo https://mia:$name@h/",
            "t:emit 1 | t:echo https://mia:$name@h/",
        ),
    ] {
        let plan = format!("{:?}", bench.session.check(line, HEADLESS).unwrap());
        assert!(!plan.contains("hunter2"), "{line}: {plan}");
        assert_eq!(bench.run(line).await.exit, 0, "{line}");
        let history = bench.journal.history(1).await.unwrap();
        assert_eq!(history[0].line, kept, "{line}");
        assert!(bench.session.jobs().iter().all(|job| !job.pipeline.contains("hunter2")));
        let refused = bench.run(&format!("{line} --nope")).await.report.unwrap();
        assert!(!refused.lines().join("\n").contains("hunter2"), "{refused:?}");
    }
}

#[tokio::test]
async fn l25_an_aliass_modifiers_and_context_reach_its_stages() {
    let bench = Bench::new();
    let alias = |name: &str, body: &str| Alias {
        scope: AliasScope::Site,
        name: name.into(),
        body: body.into(),
    };
    bench.shelf.put_alias("", alias("where", "t:context")).await.unwrap();
    bench
        .shelf
        .put_alias("", alias("there", "@prod t:context"))
        .await
        .unwrap();
    bench.session.load_aliases().await.unwrap();
    assert_eq!(bench.run("@ro where").await.records, vec![json!("ro")]);
    assert_eq!(
        bench.run("@ro there").await.records,
        vec![json!("prod")],
        "its own context stays"
    );
    assert_eq!(
        bench.run("t:emit 2 | on-error=continue where | t:count").await.records,
        vec![json!(2)]
    );
}

#[tokio::test]
async fn l19_l21_results_come_while_the_source_still_runs() {
    let bench = Bench::new();
    let mut block = bench
        .session
        .start("t:tail | t:pass", Script::new(HEADLESS, []))
        .unwrap();
    let canceller = block.canceller();
    let mut seen = 0;
    while let Some(event) = block.next().await {
        if let BlockEvent::Item(_) = event {
            seen += 1;
            if seen == 2000 {
                canceller.cancel();
            }
        }
    }
    assert!(seen >= 2000, "more than the ancestor could hold: {seen}");
}

#[tokio::test]
async fn defect_every_failure_is_told() {
    let bench = Bench::new();
    // A stage that crashes, a batch of more than 500, a variable of the wrong shape: all died silently.
    let ran = bench.run("t:emit 1500 | t:pass --crash 1200").await;
    assert_eq!((ran.records.len(), ran.exit), (1199, 1));
    assert!(ran.report.unwrap().message.contains("crashed"));
    assert_eq!(bench.run("t:emit 1500 | t:count").await.records, vec![json!(1500)]);
    assert_eq!(
        bench.run("t:emit 1 > '#nowhere'").await.report.unwrap().code,
        "E-REDIRECT-001"
    );
}
