//! What goes on until it is stopped goes on over connections that are cut, servers in trouble and versions that are too
//! old; kubectl ends with each of them.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use cogdeck::engine::BlockEvent;
use cogdeck::render::View;
use cogdeck::sandbox::faults::Fault;

use super::{THEIRS, twins};
use crate::bench::Bench;

const WATCH: &str = "watch=true";

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(25), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Keeps what `line` shows until it shows `last`; interrupts it then.
async fn show(bench: &Bench, line: &str, last: &str, names: &Mutex<Vec<String>>) {
    let mut block = bench.session.start(line, bench.operator()).unwrap();
    let all = async {
        while let Some(event) = block.next().await {
            match event {
                BlockEvent::Item(item) => {
                    let Some(View::Text(text)) = item.view else { continue };
                    if text == last {
                        block.cancel();
                    }
                    names.lock().unwrap().push(text);
                }
                BlockEvent::Ended { exit_code, report, .. } => assert_eq!(exit_code, 130, "{line}: {report:?}"),
                _ => {}
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(90), all).await;
    assert!(ended.is_ok(), "{line} hangs: {names:?}");
}

/// Breaks the watch with a fault, makes something meanwhile, and lets the fault pass.
async fn broken(bench: &Bench, fault: Option<Fault>, name: &str, names: &Mutex<Vec<String>>) {
    bench.faults.set_on(WATCH, fault);
    bench.faults.forget();
    bench.faults.cut(WATCH);
    let line = format!("create cm {name} --from-literal=a=b -n default");
    assert_eq!(bench.kubectl(&line).await.unwrap().0, 0, "{line}");
    eventually("nobody watches again", || bench.faults.saw(&[WATCH])).await;
    bench.faults.set(None);
    let shown = format!("configmap/{name}");
    eventually("it is not shown", || names.lock().unwrap().contains(&shown)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_meanwhile_is_told_once() {
    let Some(bench) = twins().await else { return };
    let names = Mutex::default();
    bench.faults.forget();
    let acts = async {
        eventually("nobody watches", || bench.faults.saw(&[WATCH])).await;
        broken(&bench, None, "one", &names).await;
        broken(&bench, Some(Fault::Internal500), "two", &names).await;
        broken(&bench, Some(Fault::Cut), "three", &names).await;
        broken(&bench, Some(Fault::Gone410), "four", &names).await;
        broken(&bench, None, "five", &names).await;
    };
    tokio::join!(
        show(&bench, "kubectl:get cm -w -o name", "configmap/five", &names),
        acts
    );
    let mut names = names.into_inner().unwrap();
    names.retain(|name| name != "configmap/kube-root-ca.crt");
    assert_eq!(names.join(" ").replace("configmap/", ""), "one two three four five");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_followed_over_a_cut() {
    let Some(bench) = twins().await else { return };
    let follow = bench.run("kubectl:events -w | jq 'select(.involvedObject.name == \"late\")' | head 1");
    let (ran, ()) = tokio::join!(follow, async {
        eventually("nobody watches", || bench.faults.saw(&["/events", WATCH])).await;
        for fault in [None, Some(Fault::Gone410)] {
            bench.faults.set_on(WATCH, fault);
            bench.faults.forget();
            bench.faults.cut(WATCH);
            // Something has to happen for a stream to be looked at.
            let line = format!("scale deploy/web --replicas={}", if fault.is_some() { 3 } else { 2 });
            assert_eq!(bench.kubectl(&line).await.unwrap().0, 0);
            eventually("nobody watches again", || bench.faults.saw(&["/events", WATCH])).await;
            bench.faults.set(None);
        }
        assert_eq!(bench.kubectl("run late --image=x -n default").await.unwrap().0, 0);
    });
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!(ran.records[0]["involvedObject"]["name"], "late");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_patience_mends_ends_it() {
    let Some(bench) = twins().await else { return };
    for line in ["get cm -w", "events -w"] {
        bench.faults.set_on(WATCH, Some(Fault::Forbidden403));
        let ran = bench.run(&format!("kubectl:{line}")).await;
        bench.faults.set(None);
        assert_eq!(
            (ran.exit, ran.report.map(|report| report.code)),
            (1, Some("E-KUBE-403")),
            "{line}"
        );
    }
    // And a deadline.
    let ran = bench.run(&format!("timeout=1s kubectl:get cm -w -n {THEIRS}")).await;
    assert_eq!(ran.exit, 124, "{ran:?}");
}
