//! A context that is marked read-only, opened for a while.

use std::sync::Arc;
use std::time::Duration;

use crate::core::change::Origin;
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::engine::test_support::{Answer, Bench, HEADLESS, Script};

fn marked() -> Arc<Context> {
    Arc::new(Context {
        read_only: true,
        ..Context::empty("ro")
    })
}

fn in_a_minute() -> Option<jiff::Timestamp> {
    Some(Clock::real().now() + Duration::from_secs(60))
}

#[tokio::test]
async fn it_takes_changes_only_while_it_is_open() {
    let bench = Bench::new();
    bench.session.set_context(marked());
    let line = "t:set --name=a --value=1";
    let ran = bench.run(line).await;
    let report = ran.report.unwrap();
    assert_eq!((ran.exit, report.code), (2, "E-READONLY-002"));
    assert!(report.hint.unwrap().contains("rw 10m"));
    bench.session.open_until(in_a_minute());
    assert_eq!(bench.run(line).await.exit, 0);
    assert_eq!(bench.run("t:undo 1").await.exit, 0, "what takes back is a change too");
    bench.session.open_until(None);
    assert_eq!(bench.run(line).await.report.unwrap().code, "E-READONLY-002");
    bench.session.open_until(Some(Clock::real().now()));
    assert_eq!(
        bench.run(line).await.report.unwrap().code,
        "E-READONLY-002",
        "its time is over"
    );
}

#[tokio::test]
async fn what_only_looks_runs_and_what_only_says_so_changes_nothing() {
    let bench = Bench::new();
    bench.run("t:set --name=a --value=1").await;
    bench.session.set_context(marked());
    let ran = bench.run("t:set --name=a --value=-1 --try").await;
    assert_eq!(
        (ran.exit, ran.report),
        (0, None),
        "nothing is asked, nothing is refused"
    );
    let check = bench.session.check("t:set --name=a --value=1 --try", HEADLESS).unwrap();
    assert_eq!(
        (check.stages[0].risk.as_str(), check.stages[0].permission.as_deref()),
        ("read", Some("t:tried"))
    );
    // A verb that keeps its word does not plan this; one that does not is stopped.
    let ran = bench.run("t:set --name=a --value=2 --lie").await;
    assert_eq!(ran.report.unwrap().code, "E-APPROVAL-004");
    // Known before it runs is what is typed, and the last of what is typed twice.
    let refused = |line: &'static str| bench.session.check(line, HEADLESS).unwrap_err().code;
    assert_eq!(refused("t:set --name=a --value=2 --try --try=false"), "E-READONLY-002");
    assert_eq!(
        refused("t:emit 1 | t:set --name=a --value=2 --try=$x"),
        "E-READONLY-002"
    );
    assert_eq!(bench.world.lock().unwrap().get("a"), Some(&1));
    assert_eq!(bench.session.journal().entries(9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_changes_something_for_others_follows_the_same_rule() {
    let bench = Bench::new();
    let window = |locked: bool, context: &Context| {
        let takes = bench.session.inner.window.takes(locked, context, "it changes x");
        takes.map_err(|report| (report.code, report.message))
    };
    let open = Context::empty("open");
    assert!(window(false, &open).is_ok());
    let (code, message) = window(true, &open).unwrap_err();
    assert_eq!(
        (code, message.as_str()),
        ("E-READONLY-001", "it changes x, and this process runs with --read-only")
    );
    bench.session.set_context(marked());
    let (code, message) = window(false, &marked()).unwrap_err();
    assert_eq!(
        (code, message.as_str()),
        ("E-READONLY-002", "it changes x, and context ro is read-only")
    );
    bench.session.open_until(in_a_minute());
    assert!(window(false, &marked()).is_ok());
    assert!(window(true, &marked()).is_err(), "nothing opens a process");
}

#[tokio::test]
async fn no_other_context_is_open_and_going_elsewhere_closes_it() {
    let bench = Bench::new();
    bench.session.open_until(in_a_minute());
    let refused = |line: &'static str| bench.session.check(line, HEADLESS).unwrap_err().code;
    let line = "@ro t:set --name=a --value=1";
    assert_eq!(refused(line), "E-READONLY-002", "it was opened for the other one");
    bench.session.set_context(marked());
    bench.session.open_until(in_a_minute());
    assert!(bench.session.check(line, HEADLESS).is_ok());
    let mut elsewhere = Context::clone(&marked());
    elsewhere.kubernetes.namespace = Some("kube-system".into());
    bench.session.set_context(Arc::new(elsewhere));
    assert!(bench.session.check(line, HEADLESS).is_ok(), "another namespace of it");
    bench.session.set_context(Arc::new(Context::empty("test")));
    assert_eq!(refused(line), "E-READONLY-002");
    bench.session.set_context(marked());
    assert_eq!(refused(line), "E-READONLY-002", "and coming back does not open it");
}

#[tokio::test]
async fn an_approval_that_comes_too_late_changes_nothing() {
    let bench = Bench::new();
    bench.run("t:set --name=a --value=1").await;
    bench.session.set_context(Arc::new(Context {
        production: true,
        ..Context::clone(&marked())
    }));
    for line in ["t:set --name=a --value=-1", "t:opaque"] {
        bench.session.open_until(in_a_minute());
        let session = bench.session.clone();
        let too_late = Answer::After(Box::new(move || session.open_until(None)));
        let operator = Script::new(Origin::Typed, [too_late]);
        let report = bench.run_as(line, operator).await.report.unwrap();
        assert_eq!(report.code, "E-READONLY-002", "{line}: {report:?}");
        assert!(report.message.contains("read-only again"), "{report:?}");
    }
    assert_eq!(bench.world.lock().unwrap().get("a"), Some(&1));
}
