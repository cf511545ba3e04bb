//! `exec`, `cp`, `port-forward`: what goes over WebSocket into a pod.

use std::time::Duration;

use super::{OURS, THEIRS, lines, said, twins};
use crate::bench::{Bench, Ran};

/// Runs words in both; `--namespace` stands before `--`.
async fn same_words(bench: &Bench, words: &[&str]) -> Ran {
    let end = words.iter().position(|word| *word == "--").unwrap_or(words.len());
    let (head, tail) = words.split_at(end);
    let theirs = [head, &["-n", THEIRS], tail].concat();
    let (code, out, error) = heard(bench, &theirs).await;
    let quoted: Vec<String> = [&head[1..], &["-n", OURS], tail]
        .concat()
        .iter()
        .map(|word| format!("'{word}'"))
        .collect();
    // Options and dashes are what they are only unquoted.
    let line: Vec<String> = quoted
        .iter()
        .map(|word| word.trim_matches('\''))
        .zip(&quoted)
        .map(|(bare, quoted)| {
            if bare.starts_with('-') {
                bare.to_owned()
            } else {
                quoted.clone()
            }
        })
        .collect();
    let ran = bench.run(&format!("kubectl:{} {}", words[0], line.join(" "))).await;
    assert_eq!(lines(&format!("{out}\n{error}")), said(&ran), "{words:?}\n{ran:?}");
    let ours = if ran.exit == 2 && code == 1 { 1 } else { ran.exit };
    assert_eq!(code, i32::from(ours), "{words:?}: {ran:?}");
    ran
}

/// What kubectl says. It loses what a program writes before it has made its own streams, and tells so; then again.
async fn heard(bench: &Bench, words: &[&str]) -> (i32, String, String) {
    for _ in 0..10 {
        let (code, out, error) = bench.kubectl_words(words).await.unwrap();
        if !error.contains("Unknown stream id") {
            return (code, out, error);
        }
    }
    panic!("{words:?}: kubectl lost the output ten times");
}

#[tokio::test(flavor = "multi_thread")]
async fn exec() {
    let Some(bench) = twins().await else { return };
    for words in [
        &["exec", "deploy/web", "--", "echo", "hello world"][..],
        &[
            "exec",
            "deploy/web",
            "--",
            "sh",
            "-c",
            "echo a; cat /nope; echo b; exit 3",
        ],
        &["exec", "deploy/web", "-c", "nginx", "--", "hostname"],
        &[
            "exec",
            "deploy/web",
            "--",
            "sh",
            "-c",
            "echo $KUBERNETES_SERVICE_HOST > /tmp/f && cat /tmp/f",
        ],
        &["exec", "deploy/web", "--", "ls", "/tmp"],
        &["exec", "deploy/web", "--", "false"],
        &["exec", "deploy/web", "--", "no-such-program"],
        &["exec", "deploy/web", "-c", "nope", "--", "ls"],
        &["exec", "nope", "--", "ls"],
        &["exec", "deploy/nope", "--", "ls"],
        &["exec", "deploy/web"],
    ] {
        same_words(&bench, words).await;
    }
    let env = bench.run("kubectl:exec deploy/web -- env").await.ok();
    assert!(env.text.contains(&"KUBERNETES_SERVICE_PORT=443".to_owned()), "{env:?}");
    // Records, and piped pods.
    let ran = bench.run("kubectl:get pods | kubectl:exec -- hostname").await.ok();
    assert!(
        ran.records[0]["source"].as_str().unwrap().ends_with("/nginx"),
        "{ran:?}"
    );
    assert!(ran.records[0]["line"].as_str().unwrap().starts_with("web-"), "{ran:?}");
    let kept = bench.run("kubectl:exec deploy/web -- sh -c 'exit 42'").await;
    assert_eq!(kept.exit, 42, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_ends_with_its_pod_and_with_its_pipeline() {
    let Some(bench) = twins().await else { return };
    let ran = bench.run("timeout=1s kubectl:exec deploy/web -- sleep 60").await;
    assert_eq!(ran.exit, 124, "{ran:?}");
    let pod = bench.plane.store.list("pods", Some(OURS))[0]["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let line = format!("kubectl:exec {pod} -- sleep 60");
    let (ran, _) = tokio::join!(bench.run(&line), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        bench.run(&format!("kubectl:delete pod {pod}")).await.ok()
    });
    assert_eq!(ran.exit, 137, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cp() {
    let Some(bench) = twins().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let show = |name: &str| at(name).display().to_string();
    std::fs::create_dir_all(at("conf/sub")).unwrap();
    std::fs::write(at("conf/a"), "first\n").unwrap();
    std::fs::write(at("conf/sub/b"), vec![b'x'; 200_000]).unwrap();
    let pod = |space: &str| {
        bench.plane.store.list("pods", Some(space))[0]["metadata"]["name"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (ours, theirs) = (pod(OURS), pod(THEIRS));
    // Into the pod: a folder that is there takes the copy, another name renames it.
    for target in ["/tmp", "/tmp/renamed"] {
        let (code, _, error) = bench
            .kubectl(&format!("cp {} {THEIRS}/{theirs}:{target}", show("conf")))
            .await
            .unwrap();
        assert_eq!(code, 0, "{error}");
        bench
            .run(&format!("kubectl:cp {} {ours}:{target}", show("conf")))
            .await
            .ok();
    }
    for line in [
        "ls /tmp",
        "ls /tmp/conf /tmp/renamed",
        "cat /tmp/conf/a",
        "wc -c /tmp/renamed/sub/b",
    ] {
        let words: Vec<&str> = ["exec", "deploy/web", "--"]
            .into_iter()
            .chain(line.split(' '))
            .collect();
        same_words(&bench, &words).await;
    }
    // Out of it.
    let (code, _, error) = bench
        .kubectl(&format!("cp {THEIRS}/{theirs}:/tmp/conf {}", show("theirs")))
        .await
        .unwrap();
    assert_eq!(code, 0, "{error}");
    let ran = bench
        .run(&format!("kubectl:cp {OURS}/{ours}:/tmp/conf {}", show("ours")))
        .await
        .ok();
    assert_eq!(
        (&ran.records[0]["files"], &ran.records[0]["bytes"]),
        (&2.into(), &200_006.into()),
        "{ran:?}"
    );
    for file in ["a", "sub/b"] {
        let read = |side: &str| std::fs::read(at(side).join(file)).unwrap();
        assert!(read("ours") == read("conf") && read("theirs") == read("conf"), "{file}");
    }
    // What cannot be.
    let (code, _, error) = bench
        .kubectl(&format!("cp /does/not/exist {THEIRS}/{theirs}:/tmp"))
        .await
        .unwrap();
    let ran = bench.run(&format!("kubectl:cp /does/not/exist {ours}:/tmp")).await;
    assert_eq!((code, ran.exit), (1, 1));
    assert_eq!(lines(&error), said(&ran));
    let ran = bench.run(&format!("kubectl:cp {ours}:/nope {}", show("x"))).await;
    assert!(
        ran.exit == 1 && ran.message().contains("No such file or directory"),
        "{ran:?}"
    );
    let ran = bench
        .run(&format!("kubectl:cp {} {ours}:/nope/deep/er", show("conf")))
        .await;
    assert!(
        ran.exit == 1 && ran.message().contains("can't change directory"),
        "{ran:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn port_forward_reaches_the_program_in_the_pod_until_it_is_stopped() {
    let bench = Bench::start().await;
    bench
        .run("kubectl:create deployment insp --image=so0k/kuar-inspector:1.0.0 --port=80")
        .await
        .ok();
    bench.run("kubectl:rollout status deploy/insp").await.ok();
    bench
        .run("kubectl:expose deploy/insp --port=8000 --target-port=80")
        .await
        .ok();
    for target in ["deploy/insp :80", "svc/insp :8000"] {
        let mut block = bench
            .session
            .start(&format!("kubectl:port-forward {target}"), bench.operator())
            .unwrap();
        let local = loop {
            match tokio::time::timeout(Duration::from_secs(20), block.next())
                .await
                .unwrap()
                .unwrap()
            {
                cogdeck::engine::BlockEvent::Item(item) => break item.record["local"].as_str().unwrap().to_owned(),
                cogdeck::engine::BlockEvent::Ended { report, .. } => panic!("{report:?}"),
                _ => {}
            }
        };
        assert!(local.starts_with("127.0.0.1:"), "{local}");
        for _ in 0..3 {
            assert!(fetch(&local).await.contains("Version: Inspector 1.0.0"));
        }
        block.cancel();
        let code = loop {
            match tokio::time::timeout(Duration::from_secs(20), block.next())
                .await
                .unwrap()
            {
                Some(cogdeck::engine::BlockEvent::Ended { exit_code, .. }) => break exit_code,
                Some(_) => {}
                None => panic!("no end"),
            }
        };
        assert_eq!(code, 130);
        assert!(
            tokio::net::TcpStream::connect(&local).await.is_err(),
            "nobody listens any more"
        );
    }
    let ran = bench.run("kubectl:port-forward deploy/insp").await;
    assert_eq!(
        ran.message(),
        "TYPE/NAME and list of ports are required for port-forward"
    );
    let ran = bench.run("kubectl:port-forward deploy/insp :nope").await;
    assert!(ran.message().ends_with("does not have a named port 'nope'"), "{ran:?}");
}

/// The start page over a plain connection.
async fn fetch(address: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .unwrap()
        .unwrap();
    text
}
