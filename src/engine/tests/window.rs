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
