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

/// What a line that goes on told until one of its records was the last, as `ADDED NAME`; and its notes.
#[derive(Default)]
struct Heard {
    events: Mutex<Vec<String>>,
    notes: Mutex<Vec<String>>,
}

impl Heard {
    async fn all(&self, bench: &Bench, line: &str, last: &str) {
        let mut block = bench.session.start(line, bench.operator()).unwrap();
        let all = async {
            while let Some(event) = block.next().await {
                match event {
                    BlockEvent::Item(item) => {
                        let (word, object) = (&item.record["type"], &item.record["object"]);
                        let name = object["metadata"]["name"].as_str().unwrap();
                        let word = word.as_str().unwrap();
                        if name == last {
                            block.cancel();
                        }
                        assert_eq!(
                            word == "DELETED",
                            object["data"].is_null(),
                            "of what is gone only who it was"
                        );
                        self.events.lock().unwrap().push(format!("{word} {name}"));
                    }
                    BlockEvent::Note(note) => self.notes.lock().unwrap().push(note.to_string()),
                    BlockEvent::Ended { exit_code, report, .. } => assert_eq!(exit_code, 130, "{report:?}"),
                    _ => {}
                }
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(90), all).await;
        assert!(ended.is_ok(), "{line} hangs: {:?}", self.events);
    }

    fn interrupted(&self) -> bool {
        let notes = self.notes.lock().unwrap();
        notes
            .iter()
            .any(|note| note.starts_with("the watch is interrupted and goes on"))
    }
}

async fn kubectl(bench: &Bench, line: &str) {
    let (code, _, error) = bench.kubectl(&format!("{line} -n default")).await.unwrap();
    assert_eq!(code, 0, "{line}: {error}");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_list_made_anew_tells_what_came_changed_and_went() {
    let Some(bench) = twins().await else { return };
    for name in ["again", "goes", "moves", "stays"] {
        kubectl(&bench, &format!("create cm {name} --from-literal=a=b")).await;
    }
    let heard = Heard::default();
    bench.faults.forget();
    let acts = async {
        eventually("nobody watches", || bench.faults.saw(&[WATCH, "timeoutSeconds="])).await;
        // The server knows nothing any more of what happened since.
        bench.faults.set_on(WATCH, Some(Fault::Gone410));
        bench.faults.forget();
        bench.faults.cut(WATCH);
        for line in [
            "delete cm goes again",
            "create cm comes --from-literal=a=b",
            "create cm again --from-literal=a=c",
            "annotate cm moves a=b",
        ] {
            kubectl(&bench, line).await;
        }
        eventually("nobody watches again", || bench.faults.saw(&[WATCH])).await;
        // And then it answers nothing at all for a while, the list no more than the watch.
        bench.faults.set_on("/configmaps", Some(Fault::Internal500));
        eventually("nobody is told", || heard.interrupted()).await;
        bench.faults.set(None);
        kubectl(&bench, "create cm last --from-literal=a=b").await;
    };
    let line = "kubectl:get cm -w --output-watch-events -o json";
    tokio::join!(heard.all(&bench, line, "last"), acts);
    let events = heard.events.into_inner().unwrap();
    let of = |name: &str| -> Vec<&str> {
        let all = events.iter().filter_map(|event| event.split_once(' '));
        all.filter(|(_, of)| *of == name).map(|(word, _)| word).collect()
    };
    assert_eq!(of("again"), ["ADDED", "DELETED", "ADDED"]);
    assert_eq!(of("goes"), ["ADDED", "DELETED"]);
    assert_eq!(of("moves"), ["ADDED", "MODIFIED"]);
    assert_eq!(of("stays"), ["ADDED"]);
    assert_eq!(of("comes"), ["ADDED"]);
}

/// A network that swallows what is sent: nobody would ever hear of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_the_watch_and_says_nothing_is_told_and_asked_again() {
    let Some(bench) = twins().await else { return };
    let heard = Heard::default();
    bench.faults.set_on(WATCH, Some(Fault::Hang));
    let acts = async {
        eventually("nobody is told", || heard.interrupted()).await;
        bench.faults.set(None);
        kubectl(&bench, "create cm last --from-literal=a=b").await;
    };
    let line = "kubectl:get cm -w --output-watch-events -o json";
    tokio::join!(heard.all(&bench, line, "last"), acts);
}

/// What waits for a state waits for a server in trouble, too.
#[tokio::test(flavor = "multi_thread")]
async fn waits_outlast_a_server_in_trouble() {
    let Some(bench) = twins().await else { return };
    for line in ["rollout pause deployment web", "set image deployment web nginx=nginx:2"] {
        kubectl(&bench, line).await;
    }
    let annotated = "wait deploy/web --for='jsonpath={.metadata.annotations.a}=b' --timeout=60s";
    for (line, act) in [
        (annotated, "annotate deployment web a=b"),
        (
            "rollout status deploy/web --timeout=60s",
            "rollout resume deployment web",
        ),
    ] {
        bench.faults.forget();
        let line = format!("kubectl:{line}");
        let run = bench.run(&line);
        let acts = async {
            eventually("nobody watches", || bench.faults.saw(&["/deployments", WATCH])).await;
            bench.faults.set_on("/deployments", Some(Fault::Internal500));
            bench.faults.forget();
            bench.faults.cut(WATCH);
            eventually("nobody looks again", || bench.faults.saw(&["/deployments"])).await;
            bench.faults.set(None);
            kubectl(&bench, act).await;
        };
        let (ran, ()) = tokio::join!(run, acts);
        ran.ok();
    }
}
