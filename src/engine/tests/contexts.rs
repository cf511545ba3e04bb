//! One stage in several contexts at once: order, names, failures, refusals, bounds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::core::context::Context;
use crate::engine::BlockEvent;
use crate::engine::ports::Contexts;
use crate::engine::test_support::{Bench, HEADLESS, Ran, Script, finish};
use crate::verb::{Alias, AliasScope, View};

/// `context.step` of each record, `context.step.fed` of what was fed.
fn steps(ran: &Ran) -> Vec<String> {
    let step = |record: &Value| {
        assert_eq!(record["context"], record["here"], "{record}");
        let fed = record["fed"].as_u64().map_or(String::new(), |n| format!(".{n}"));
        format!("{}.{}{fed}", record["context"].as_str().unwrap(), record["step"])
    };
    ran.records.iter().map(step).collect()
}

#[tokio::test]
async fn results_come_in_the_order_of_the_names_from_contexts_that_run_at_the_same_time() {
    let bench = Bench::new();
    let ran = bench.run("@ro,prod,test t:where --late=ro").await;
    assert_eq!(steps(&ran), ["ro.1", "ro.2", "prod.1", "prod.2", "test.1", "test.2"]);
    assert_eq!((ran.exit, ran.report), (0, None));
    let mut notes = ran.notes;
    notes.sort();
    assert_eq!(
        notes,
        [
            "context prod: half of prod",
            "context ro: half of ro",
            "context test: half of test"
        ]
    );
    let start = Instant::now();
    let ran = bench.run("@* t:where --wait 1s").await;
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    assert_eq!(steps(&ran).len(), 6, "every context that is known");
    let start = Instant::now();
    let ran = bench.run("parallel=1 @test,prod t:where --wait 300ms | t:count").await;
    assert_eq!((ran.records, ran.exit), (vec![json!(4)], 0));
    assert!(start.elapsed() >= Duration::from_millis(600), "one after the other");
}

#[tokio::test]
async fn every_record_and_every_row_says_its_context() {
    let bench = Bench::new();
    assert_eq!(
        bench.run("@test,prod t:context").await.records,
        [
            json!({"context": "test", "record": "test"}),
            json!({"context": "prod", "record": "prod"})
        ]
    );
    assert_eq!(
        bench.run("@prod t:context").await.records,
        [json!("prod")],
        "one is as ever"
    );
    let mut block = bench
        .session
        .start("@test,prod t:emit 1", Script::new(HEADLESS, []))
        .unwrap();
    let mut tables = Vec::new();
    while let Some(event) = block.next().await {
        if let BlockEvent::Item(item) = event {
            let Some(View::Row { header, cells }) = item.view else {
                panic!("no row: {item:?}")
            };
            assert_eq!(header.columns[0], "CONTEXT");
            assert_eq!(header.columns.len(), cells.len());
            tables.push(cells[0].clone());
        }
    }
    assert_eq!(tables, ["test", "prod"]);
}

#[tokio::test]
async fn a_context_that_fails_takes_no_other_with_it() {
    let bench = Bench::new();
    for policy in ["", "on-error=continue "] {
        let ran = bench
            .run(&format!("{policy}@test,prod,ro t:where --fail=prod | t:pass"))
            .await;
        assert_eq!(steps(&ran), ["test.1", "test.2", "prod.1", "ro.1", "ro.2"], "{policy}");
        assert_eq!((ran.exit, ran.report, ran.failed.len()), (1, None, 1), "{policy}");
        let report = &ran.failed[0];
        assert_eq!((report.code, report.stage), ("E-TEST-001", Some(1)));
        assert_eq!(report.message, "context prod: told to fail");
        assert_eq!(report.to_json()["error"]["context"], "prod");
        let place = report.place.as_ref().unwrap();
        assert!(place.source[place.span.clone()].ends_with("t:where --fail=prod"));
    }
    let ran = bench.run("@test,prod t:pass --crash=0").await;
    let codes: Vec<&str> = ran.failed.iter().map(|report| report.code).collect();
    assert_eq!((codes, ran.exit), (vec!["E-RUN-PANIC"; 2], 1));
    let ran = bench.run("@test,prod timeout=50ms t:where --late=prod").await;
    assert_eq!(
        (&steps(&ran)[..2], ran.exit),
        (&["test.1".to_owned(), "test.2".to_owned()][..], 1)
    );
    assert_eq!(
        (ran.failed[0].code, ran.failed[0].context_name()),
        ("E-RUN-124", Some("prod"))
    );
}

#[tokio::test]
async fn each_record_is_asked_about_in_each_context() {
    let bench = Bench::new();
    let ran = bench.run("t:emit 2 | @prod,test t:where --late=prod").await;
    let wanted = [1, 2].map(|n| ["prod.1", "prod.2", "test.1", "test.2"].map(|step| format!("{step}.{n}")));
    assert_eq!((steps(&ran), ran.exit), (wanted.concat(), 0));
    let ran = bench.run("t:emit 2 | @prod,test t:where --fail=prod").await;
    assert_eq!(
        steps(&ran),
        ["prod.1.1", "test.1.1", "test.2.1", "test.1.2", "test.2.2"],
        "one that failed is asked no more"
    );
    assert_eq!((ran.failed.len(), ran.exit), (1, 1));
    assert_eq!(ran.failed[0].record.as_deref(), Some(&json!({"n": 1, "name": "r1"})));
    let ran = bench
        .run("t:emit 2 | on-error=continue @prod,test t:where --fail=prod")
        .await;
    assert_eq!((ran.records.len(), ran.failed.len(), ran.exit), (6, 2, 1));
}

#[tokio::test]
async fn what_goes_on_comes_as_it_happens_and_ends_when_told_to() {
    let bench = Bench::new();
    for line in ["@test,prod t:tail", "@test,prod t:where --follow --late=test"] {
        let mut block = bench.session.start(line, Script::new(HEADLESS, [])).unwrap();
        let canceller = block.canceller();
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < 2 {
            match block.next().await {
                Some(BlockEvent::Item(item)) => {
                    seen.insert(item.record["context"].to_string());
                }
                Some(_) => {}
                None => panic!("{line}: it ended after {seen:?}"),
            }
        }
        canceller.cancel();
        let ran = finish(block).await;
        assert_eq!((ran.exit, ran.failed.len()), (130, 0), "{line}");
    }
    let ran = bench.run("@test,prod t:tail | t:count 5").await;
    assert_eq!((ran.records, ran.exit, ran.report), (vec![json!(5)], 0, None));
    let ran = bench
        .run("@test,prod t:where --follow --fail=test | t:count 2000")
        .await;
    assert_eq!(
        (ran.records, ran.failed.len()),
        (vec![json!(2000)], 1),
        "the other goes on"
    );
}

#[tokio::test]
async fn a_slow_reader_holds_all_contexts_back() {
    let bench = Bench::new();
    for line in ["@test,prod,ro t:emit 10000 | t:pass", "@test,prod,ro t:tail | t:pass"] {
        bench.emitted.store(0, Ordering::Relaxed);
        let mut block = bench.session.start(line, Script::new(HEADLESS, [])).unwrap();
        loop {
            match block.next().await {
                Some(BlockEvent::Item(_)) => break,
                Some(_) => {}
                None => panic!("{line}: it ended without a record"),
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let emitted = bench.emitted.load(Ordering::Relaxed);
        assert!(
            emitted < 2500,
            "{line}: {emitted} records were made for one that was read"
        );
        drop(block);
    }
    let ran = bench.run("@test,prod t:emit 10000 | t:count").await;
    assert_eq!(ran.records, [json!(20000)]);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_anything_runs() {
    let bench = Bench::new();
    let cases = [
        ("t:emit 1 | @test,prd t:pass", "E-CONTEXT-001", "prd"),
        ("t:emit 1 | @test,'prod',test t:pass", "E-CONTEXT-002", "test"),
        ("t:emit 1 | @test,$x t:pass", "E-MODIFIER-001", "$x"),
        (
            "t:emit 1; @test,prod t:set --name=a --value=1",
            "E-CONTEXT-003",
            "t:set",
        ),
        ("t:emit 1; @* t:opaque", "E-CONTEXT-003", "t:opaque"),
        (
            "@test,prod t:emit 1 | t:pass | t:set --value=1",
            "E-CONTEXT-003",
            "t:set --value=1",
        ),
        ("@* t:emit 1 | t:opaque", "E-CONTEXT-003", "t:opaque"),
        ("t:emit 1 | @test,prod t:count", "E-CONTEXT-004", "t:count"),
        ("t:emit 1; @test,prod t:wait", "E-CONTEXT-004", "t:wait"),
        ("t:emit 1; @test,prod t:never", "E-ACCESS-001", "t:never"),
    ];
    for (line, code, marked) in cases {
        let report = bench.run(line).await.report.expect(line);
        assert_eq!(
            (report.code, report.severity.exit_code()),
            (code, 2),
            "{line}: {report:?}"
        );
        let place = report.place.clone().expect(line);
        let end = place.source[place.span.clone()].to_owned();
        assert_eq!(end, marked, "{line}");
        if code == "E-CONTEXT-003" {
            assert!(
                report.message.ends_with("one context at a time for changes"),
                "{report:?}"
            );
            assert!(report.hint.unwrap().contains("@test, then @prod"));
        }
    }
    let report = bench.run("@test,prd t:pass").await.report.unwrap();
    assert_eq!(report.hint.as_deref(), Some("did you mean prod?"));
    let report = bench.run("@ro,prod on=moon t:pass").await.report.unwrap();
    assert!(report.message.starts_with("context ro: "), "{report:?}");
    assert_eq!(bench.emitted.load(Ordering::Relaxed), 0);
    assert!(bench.session.jobs().is_empty());
}

#[tokio::test]
async fn check_and_aliases_know_of_them() {
    let bench = Bench::new();
    let check = bench.session.check("@prod,ro t:emit 1 | t:pass", HEADLESS).unwrap();
    let contexts: Vec<(usize, &str)> = check.stages.iter().map(|s| (s.stage, s.context.as_str())).collect();
    assert_eq!(contexts, [(1, "prod"), (1, "ro"), (2, "test")]);
    for (name, body) in [("here", "t:context"), ("both", "t:context | t:pass")] {
        let alias = Alias {
            scope: AliasScope::Site,
            name: name.into(),
            body: body.into(),
        };
        use crate::engine::ports::Shelf;
        bench.shelf.put_alias("", alias).await.unwrap();
    }
    bench.session.load_aliases().await.unwrap();
    let ran = bench.run("@prod,ro here").await;
    assert_eq!(ran.records[1], json!({"context": "ro", "record": "ro"}));
    let report = bench.run("@prod,ro both").await.report.unwrap();
    assert!(report.message.contains("several stages"), "{report:?}");
    assert_eq!(report.severity.exit_code(), 2);
}

#[tokio::test]
async fn a_named_context_is_the_one_that_is_looked_at() {
    let bench = Bench::new();
    let namespace = |name: &str| {
        let context = bench.session.inner.contexts.context(name);
        context.and_then(|context| context.kubernetes.namespace.clone())
    };
    let with = |name: &str, namespace: &str| {
        let mut context = Context::empty(name);
        context.kubernetes.namespace = Some(namespace.into());
        Arc::new(context)
    };
    assert_eq!(namespace("prod"), None, "as it is configured");
    bench.session.set_context(with("prod", "shop"));
    assert_eq!(namespace("prod").as_deref(), Some("shop"), "one context is shown");
    bench.session.set_context(with("test", "web"));
    bench.session.set_shown(vec![with("test", "web"), with("prod", "till")]);
    assert_eq!(namespace("test").as_deref(), Some("web"));
    assert_eq!(namespace("prod").as_deref(), Some("till"), "several are");
    bench.session.set_shown(Vec::new());
    assert_eq!(namespace("prod"), None, "it is not looked at any more");
    assert_eq!(namespace("test").as_deref(), Some("web"));
}
