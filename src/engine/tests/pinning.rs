//! `… | pin`: what is handed to the front end, what is refused, and what a run for a panel leaves behind: nothing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::core::change::Origin;
use crate::core::context::Context;
use crate::engine::ports::Journal;
use crate::engine::test_support::{Bench, HEADLESS, Script, finish};
use crate::verb::operator::Pin;

fn pin(line: &str, seconds: u64) -> Pin {
    Pin {
        line: line.into(),
        every: Duration::from_secs(seconds),
    }
}

#[tokio::test]
async fn the_pipeline_before_it_is_handed_over_and_nothing_runs() {
    let bench = Bench::new();
    let operator = Script::new(Origin::Typed, []);
    let ran = bench
        .run_as("t:emit 3 | t:pass | t:pin --every 2s", operator.clone())
        .await;
    assert_eq!((ran.exit, ran.records.len()), (0, 0), "{ran:?}");
    assert_eq!(
        ran.notes,
        ["t:emit 3 | t:pass is the panel pin1 from now on, :pin1 goes to it"]
    );
    // A line of any length leaves the name to be read.
    let long = format!("t:echo {} | t:pin", "x".repeat(100_000));
    let ran = bench.run_as(&long, Script::new(Origin::Typed, [])).await;
    let quoted = ran.notes.first().and_then(|note| note.split_once("… is the panel "));
    assert!(
        quoted.is_some_and(|(quoted, name)| quoted.len() < 300 && name.starts_with("pin")),
        "{:?}",
        ran.notes.iter().map(String::len).collect::<Vec<_>>()
    );
    // What is typed is what runs. Where it could follow instead, that is said.
    let advice = "; --follow in it would follow it instead";
    for (line, advised) in [
        ("t:logs web|t:pin", true),
        ("t:logs web --follow | t:pin", false),
        ("t:logs web --follow=no | t:pin", false),
        ("t:logs web --previous | t:pin", false),
        ("t:logs -- web | t:pin", true),
        ("t:logs web | t:count | t:pin", false),
        ("@prod t:logs 'a b' | t:echo $name ${label:-none} | t:pin", true),
        ("@prod,test t:emit 3 | t:pin", false),
        ("@* t:logs web | t:pin", true),
    ] {
        let ran = bench.run_as(line, operator.clone()).await;
        assert_eq!(ran.exit, 0, "{line}");
        assert_eq!(ran.notes.concat().ends_with(advice), advised, "{line}: {:?}", ran.notes);
    }
    let pinned = operator.pinned.lock().unwrap().clone();
    assert_eq!(
        pinned,
        [
            pin("t:emit 3 | t:pass", 2),
            pin("t:logs web", 5),
            pin("t:logs web --follow", 5),
            pin("t:logs web --follow=no", 5),
            pin("t:logs web --previous", 5),
            pin("t:logs -- web", 5),
            pin("t:logs web | t:count", 5),
            pin("@prod t:logs 'a b' | t:echo $name ${label:-none}", 5),
            pin("@prod,test t:emit 3", 5),
            pin("@* t:logs web", 5),
        ]
    );
    assert_eq!(bench.emitted.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_can_not_run_again_by_itself_is_refused_with_its_place() {
    let bench = Bench::new();
    bench.run("t:emit 1").await;
    let cases = [
        ("t:pin", "E-PIN-001", None),
        ("t:emit 1 | t:pin | t:pass", "E-PIN-002", Some("t:pass")),
        ("t:emit 1 | t:pin > here", "E-PIN-003", Some("> here")),
        ("let a = t:emit 1 | t:pin", "E-PIN-003", Some("a")),
        (
            "t:emit 1 | t:set --value=1 | t:pin",
            "E-PIN-004",
            Some("t:set --value=1"),
        ),
        ("t:emit 1 | t:opaque | t:pin", "E-PIN-004", Some("t:opaque")),
        ("t:undo 1 | t:pin", "E-PIN-004", Some("t:undo 1")),
        ("t:emit 1 | t:wait | t:pin", "E-PIN-004", Some("t:wait")),
        ("t:login --password=hunter2 | t:pin", "E-PIN-005", None),
        ("t:echo $_ | t:pin", "E-PIN-005", Some("$_")),
        ("t:echo $1 | t:pin", "E-PIN-005", Some("$1")),
        ("t:echo ${_:-x} | t:pin", "E-PIN-005", Some("${_:-x}")),
        ("t:echo ${41:-a} | t:pin", "E-PIN-005", Some("${41:-a}")),
        ("t:echo ${n:-$_} | t:pin", "E-PIN-005", Some("${n:-$_}")),
        ("t:emit 1 | t:echo ${n:-$_} | t:pin", "E-PIN-005", Some("$_")),
        ("let n = t:emit 1; t:echo $n.n | t:pin", "E-PIN-005", Some("$n.n")),
    ];
    for (line, code, marked) in cases {
        let operator = Script::new(Origin::Typed, []);
        let ran = bench.run_as(line, operator.clone()).await;
        let report = ran.report.expect(line);
        assert_eq!((report.code, ran.exit), (code, 2), "{line}: {report:?}");
        assert!(operator.pinned.lock().unwrap().is_empty(), "{line}");
        if let Some(marked) = marked {
            let place = report.place.expect(line);
            assert_eq!(&place.source[place.span], marked, "{line}");
        }
    }
    let report = bench
        .session
        .check("t:emit 1 | t:set --value=1 | t:pin", Origin::Typed)
        .unwrap_err();
    assert!(report.message.contains("t:set is of class change"), "{report}");
}

#[tokio::test]
async fn a_run_for_a_panel_is_in_no_history_no_job_and_no_answer() {
    let bench = Bench::new();
    bench.run("t:emit 1").await;
    let elsewhere = Arc::new(Context::empty("elsewhere"));
    let operator = || Script::new(HEADLESS, []);
    let observed = bench
        .session
        .observe("t:emit 2 | t:context", &elsewhere, operator())
        .unwrap();
    assert!(!observed.follows);
    let ran = finish(observed.block).await;
    assert_eq!(
        (ran.records, ran.exit),
        (vec![json!("elsewhere"), json!("elsewhere")], 0)
    );
    assert_eq!(bench.session.jobs().len(), 1);
    assert_eq!(bench.journal.history(10).await.unwrap().len(), 1);
    let last = bench.run("t:echo $_.n").await;
    assert_eq!(last.records, [json!(1)], "the last answer is still that of the line");

    for (line, follows) in [
        ("t:tail", true),
        ("t:logs --follow", true),
        ("t:logs -f", true),
        ("t:logs --follow=no", false),
        ("t:logs --follow --previous", false),
        // A flag of that name which means something else.
        ("t:logs --watch", false),
    ] {
        let observed = bench.session.observe(line, &elsewhere, operator()).unwrap();
        assert_eq!(observed.follows, follows, "{line}");
    }
    // A line from a file is checked like one that is typed.
    for (line, code) in [
        ("t:set --name=a --value=1", "E-PIN-004"),
        ("t:opaque", "E-PIN-004"),
        ("t:wait", "E-PIN-004"),
        ("t:emit 1; t:emit 2", "E-PIN-003"),
        ("t:emit 1 &", "E-PIN-003"),
        ("t:emit 1 | t:pin", "E-PIN-003"),
        ("t:emit 1 > here", "E-PIN-003"),
        ("let a = t:emit 1", "E-PIN-003"),
        ("t:echo $_", "E-PIN-005"),
        ("t:echo ${1:-a}", "E-PIN-005"),
        ("t:login --password @/etc/hostname", "E-PIN-005"),
        ("t:login --password=hunter2", "E-PIN-005"),
        ("", "E-PIN-003"),
        ("'", "E-SYNTAX-002"),
    ] {
        let Err(report) = bench.session.observe(line, &elsewhere, operator()) else {
            panic!("{line}: it ran")
        };
        assert_eq!(report.code, code, "{line}: {report}");
    }
    assert!(bench.world.lock().unwrap().is_empty());
}
