//! `logs`, `get -w` and `wait`: what goes on while one looks.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use cogdeck::engine::BlockEvent;
use cogdeck::render::View;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{OURS, THEIRS, all_same, manifest, masked, quoted, said, same, timeless, twins};
use crate::bench::{Bench, eventually};

const TALKERS: &str = "
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: two}}
spec:
  containers:
  - {name: a, image: busybox, command: [sh, -c, 'echo one; echo two; sleep infinity']}
  - {name: b, image: busybox, command: [sh, -c, 'echo three; sleep infinity']}
---
apiVersion: v1
kind: Pod
metadata: {name: third, labels: {app: two}, annotations: {kubectl.kubernetes.io/default-container: d}}
spec:
  containers:
  - {name: c, image: busybox, command: [sh, -c, 'echo four; sleep infinity']}
  - {name: d, image: busybox, command: [sh, -c, 'echo line 1; echo line 2; echo line 3; echo line 4; echo line 5; echo line 6; echo line 7; echo line 8; echo line 9; echo line 10; echo line 11; echo line 12; sleep infinity']}
---
apiVersion: v1
kind: Pod
metadata: {name: ends, labels: {app: ends}}
spec:
  restartPolicy: Never
  containers: [{name: c, image: busybox, command: [sh, -c, 'echo first; sleep 15; echo second; sleep 5; echo last']}]
";

/// The same pods in both namespaces, each having begun to speak.
async fn talking() -> Option<Bench> {
    let bench = twins().await?;
    let file = manifest(TALKERS);
    for space in [THEIRS, OURS] {
        let line = format!("apply -n {space} -f {}", file.path().display());
        let (code, _, error) = bench.kubectl(&line).await?;
        assert_eq!(code, 0, "{error}");
    }
    for space in [THEIRS, OURS] {
        for (pod, last) in [
            ("two -c a", "two\n"),
            ("two -c b", "three\n"),
            ("third -c c", "four\n"),
            ("third", "line 12\n"),
        ] {
            eventually(pod, async || {
                let (_, out, _) = bench.kubectl(&format!("logs {pod} -n {space}")).await.unwrap();
                out.ends_with(last)
            })
            .await;
        }
    }
    Some(bench)
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_several_containers_and_pods() {
    let Some(bench) = talking().await else { return };
    all_same(
        &bench,
        &[
            "logs two",
            "logs two a",
            "logs two b --timestamps",
            "logs pod/two -c b",
            "logs two --prefix",
            "logs two --all-containers",
            "logs two --all-containers --prefix",
            "logs two --all-containers --tail=1",
            "logs third",
            "logs third --all-containers=true --prefix=true",
            "logs -l app=two",
            "logs -l app=two --prefix",
            "logs -l app=two --all-containers --prefix --tail=-1",
            "logs -l app=two --all-containers --tail=1",
            "logs -l app=two -c a",
            "logs -l app=two two",
            "logs deploy/web --all-pods",
            "logs two --since-time=2020-01-01T00:00:00Z",
            "logs two --since-time=2090-01-01T00:00:00Z",
            "logs two --since-time=2020-01-01T00:00:00+02:00 --tail=1",
            "logs two --since-time=yesterday",
            "logs two --tail=-2",
            "logs two a -c b",
            "logs -f -l app=two --all-containers --max-log-requests=1",
            "logs deploy/nope -f",
        ],
        timeless,
    )
    .await;
    // Both name the two times; ours is refused before anything is asked.
    let line = "logs two --since=1h --since-time=2020-01-01T00:00:00Z";
    let (code, _, error) = bench.kubectl(line).await.unwrap();
    let ran = bench.run(&format!("kubectl:{line}")).await;
    assert!(
        code == 1 && error.contains("sinceTime") && error.contains("sinceSeconds"),
        "{error}"
    );
    assert!(
        ran.exit == 2 && ran.message().contains("--since") && ran.message().contains("--since-time"),
        "{ran:?}"
    );
    // kubectl keeps the containers in a map and reads them in any order; ours is that of the pod.
    let line = "logs third --all-containers";
    let (_, out, _) = bench.kubectl(line).await.unwrap();
    let mut ran = bench.run(&format!("kubectl:{line}")).await.ok();
    assert_eq!(ran.text.first().map(String::as_str), Some("four"));
    let mut theirs: Vec<&str> = out.lines().collect();
    theirs.sort_unstable();
    ran.text.sort_unstable();
    assert_eq!(theirs, ran.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_followed_to_the_end_of_their_container() {
    let Some(bench) = talking().await else { return };
    let lines = [
        "logs -f ends",
        "logs -f ends --prefix",
        "logs ends -f --tail=0",
        "logs -f -l app=ends",
    ];
    for line in lines {
        let (theirs, ours) = (format!("{line} -n {OURS}"), format!("kubectl:{line}"));
        let (theirs, ours) = tokio::join!(bench.kubectl(&theirs), bench.run(&ours));
        let (code, out, error) = theirs.unwrap();
        assert_eq!((code, ours.exit), (0, 0), "{line}: {error} {ours:?}");
        assert_eq!(out.lines().collect::<Vec<_>>(), ours.text, "{line}");
        if line.contains("--tail") {
            continue;
        }
        assert!(out.ends_with("last\n"), "{line}: {out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_attaches_to_what_runs_until_it_ends() {
    let Some(bench) = twins().await else { return };
    let file = manifest(
        &AGAIN
            .replace("sleep 10", "sleep 150")
            .replace("spec: {", "spec: {restartPolicy: Never, "),
    );
    let line = format!("apply -f {}", file.path().display());
    assert_eq!(bench.kubectl(&line).await.unwrap().0, 0);
    eventually("its first line", async || {
        let (_, out, _) = bench.kubectl("logs again").await.unwrap();
        out == "begun\n"
    })
    .await;
    let (code, out, error) = bench.kubectl("attach again").await.unwrap();
    assert_eq!(code, 0, "{error}");
    assert_eq!(out, "over\n", "from now on only");
    let (code, _, error) = bench.kubectl("attach again").await.unwrap();
    assert!(code == 1 && error.contains("completed pod"), "{error}");
}

const AGAIN: &str = "
apiVersion: v1
kind: Pod
metadata: {name: again}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, 'echo begun; sleep 10; echo over; exit 1']}]}
";

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_the_run_before() {
    let Some(bench) = twins().await else { return };
    let file = manifest(AGAIN);
    for space in [THEIRS, OURS] {
        let line = format!("apply -n {space} -f {}", file.path().display());
        assert_eq!(bench.kubectl(&line).await.unwrap().0, 0);
    }
    same(&bench, "logs deploy/web -p").await;
    for space in [THEIRS, OURS] {
        eventually("a restart", async || {
            let pod = bench.plane.store.get("pods", space, "again").unwrap();
            pod["status"]["containerStatuses"][0]["restartCount"].as_i64() >= Some(1)
        })
        .await;
    }
    same(&bench, "logs again -p").await;
    let ran = bench.run("kubectl:logs again -p --tail=1").await.ok();
    assert_eq!(ran.text, ["over"]);
}

/// Both watch the same objects while something happens, until both said enough; then both are interrupted.
async fn both_watch(bench: &Bench, line: &str, begun: usize, act: impl AsyncFn(), enough: impl Fn(&[String]) -> bool) {
    let (theirs, ours) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let (their_end, our_end) = (Cell::new(None), Cell::new(None));
    let kubectl = async {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut child = bench.spawn_kubectl(&words);
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        while let Some(line) = out.next_line().await.unwrap() {
            theirs.borrow_mut().push(tidy(&line));
            if enough(&theirs.borrow()) {
                break;
            }
        }
        let id = child.id().unwrap().to_string();
        std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
        their_end.set(Some(child.wait().await.unwrap()));
    };
    let deck = async {
        let line = format!("kubectl:{}", quoted(line));
        let mut block = bench.session.start(&line, bench.operator()).unwrap();
        while let Some(event) = block.next().await {
            match event {
                BlockEvent::Item(item) => {
                    let mut shown = ours.borrow_mut();
                    // More may come in one go than is wanted.
                    match item.view.filter(|_| !enough(&shown)) {
                        Some(View::Row { header, cells }) => {
                            if shown.is_empty() && !line.contains("--no-headers") {
                                shown.push(tidy(&header.columns.join(" ")));
                            }
                            shown.push(tidy(&cells.join(" ")));
                        }
                        Some(View::Text(text)) => shown.push(tidy(&text)),
                        _ => {}
                    }
                    if enough(&shown) {
                        block.cancel();
                    }
                }
                BlockEvent::Ended { exit_code, report, .. } => {
                    our_end.set(Some((exit_code, report.map(|one| one.message))))
                }
                _ => {}
            }
        }
    };
    let acting = async {
        while theirs.borrow().len() < begun || ours.borrow().len() < begun {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        act().await;
    };
    let all = async { tokio::join!(kubectl, deck, acting) };
    let ended = tokio::time::timeout(Duration::from_secs(40), all).await;
    assert!(ended.is_ok(), "{line}: {theirs:#?} {ours:#?}");
    assert_eq!(theirs, ours, "{line}");
    // kubectl calls what Ctrl-C ends a failure; here it has the code that a shell gives it.
    assert_eq!(their_end.take().unwrap().code(), Some(1), "{line}");
    assert_eq!(our_end.take().unwrap().0, 130, "{line}");
}

fn tidy(line: &str) -> String {
    masked(line).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn get_watches_what_kubectl_watches() {
    let Some(bench) = twins().await else { return };
    let scale = async |replicas: usize| {
        let line = format!("scale deploy/web --replicas={replicas}");
        assert_eq!(bench.kubectl(&line).await.unwrap().0, 0);
    };
    both_watch(
        &bench,
        "get deploy web -w",
        2,
        async || scale(2).await,
        |lines| lines.last().is_some_and(|last| last.starts_with("web 2/2 2 2")),
    )
    .await;
    both_watch(
        &bench,
        "get deploy --watch --no-headers",
        1,
        async || scale(1).await,
        |lines| lines.last().is_some_and(|last| last.starts_with("web 1/1 1 1")),
    )
    .await;
    both_watch(
        &bench,
        "get deploy -w -o name",
        1,
        async || scale(2).await,
        |lines| lines.len() > 2,
    )
    .await;
    assert_eq!(bench.kubectl("rollout status deploy/web").await.unwrap().0, 0);
    both_watch(
        &bench,
        "get pods -w -l app=web -o wide",
        2,
        async || scale(3).await,
        |lines| lines.iter().filter(|line| line.contains("1/1 Running")).count() >= 3,
    )
    .await;
    let remove = async || assert_eq!(bench.kubectl("delete cm conf").await.unwrap().0, 0);
    assert_eq!(bench.kubectl("create cm conf --from-literal=a=b").await.unwrap().0, 0);
    both_watch(&bench, "get cm conf -w", 2, remove, |lines| lines.len() > 2).await;
    for line in [
        "get deploy nope -w",
        "get deploy,rs -w",
        "get nope -w",
        "get deploy/web rs/x -w",
    ] {
        same(&bench, line).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wait_sees_things_come_and_go() {
    let Some(bench) = twins().await else { return };
    for line in [
        "wait deploy/nope --for=delete --timeout=1s",
        "wait pods -l app=nope --for=delete --timeout=1s",
        "wait deploy --all --for=condition=Available --timeout=20s",
        "wait deploy/web deploy/nope --for=condition=Available --timeout=5s",
        "wait deploy web --for=condition=Available=false --timeout=1s",
        "wait deploy --for=condition=Available --timeout=1s",
        "wait deploy/web --for=jsonpath={.metadata.name} --timeout=5s",
        "wait deploy/web --for=jsonpath={.status.nope} --timeout=1s",
        "wait deploy/web --for=create --timeout=1s",
        "wait deploy/web --for=condition=Available --timeout=0s",
        "wait deploy/web --for=condition=Nope --timeout=0s",
        "wait nope/web --for=delete --timeout=1s",
    ] {
        same(&bench, line).await;
    }
    // What goes while one waits, and what comes.
    for (wait, asked, act) in [
        (
            "wait deploy/web --for=delete --timeout=30s",
            ["/deployments?", "watch="].as_slice(),
            "delete deploy web --wait=false",
        ),
        (
            "wait cm/late --for=create --timeout=30s",
            &["/configmaps"],
            "create cm late --from-literal=a=b",
        ),
    ] {
        let theirs = format!("{wait} -n {THEIRS}");
        let line = format!("kubectl:{wait}");
        bench.faults.forget();
        let (theirs, ours, ()) = tokio::join!(bench.kubectl(&theirs), bench.run(&line), async {
            let begin = Instant::now();
            let waits = |space: &str| {
                let place = format!("/namespaces/{space}/");
                bench.faults.saw(&[asked, &[place.as_str()]].concat())
            };
            while !waits(THEIRS) || !waits(OURS) {
                assert!(begin.elapsed() < Duration::from_secs(25), "nobody waits: {wait}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            for space in [THEIRS, OURS] {
                assert_eq!(bench.kubectl(&format!("{act} -n {space}")).await.unwrap().0, 0);
            }
        });
        let (code, out, error) = theirs.unwrap();
        assert_eq!(super::lines(&format!("{out}\n{error}")), said(&ours), "{wait}");
        assert_eq!((code, ours.exit), (0, 0), "{wait}");
    }
}
