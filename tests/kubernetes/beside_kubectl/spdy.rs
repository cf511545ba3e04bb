//! `exec`, `cp` and `attach` as clients without WebSocket speak them: over SPDY.

use std::process::Output;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::{THEIRS, twins};
use crate::bench::{Bench, eventually, text};

const WITHOUT_WEBSOCKET: &[(&str, &str)] = &[("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false")];

async fn kubectl(bench: &Bench, words: &[&str], input: &[u8]) -> Output {
    let words = [&["-n", THEIRS], words].concat();
    let mut child = bench.spawn_kubectl_with(WITHOUT_WEBSOCKET, &words);
    let mut stdin = child.stdin.take().unwrap();
    let give = async {
        // A program that does not read to the end is no failure of the test's.
        let _ = stdin.write_all(input).await;
        drop(stdin);
    };
    let run = async { tokio::join!(give, child.wait_with_output()).1.unwrap() };
    tokio::time::timeout(Duration::from_secs(60), run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn exec_over_spdy() {
    let Some(bench) = twins().await else { return };
    let script = "echo out; cat /nope; exit 3";
    let ran = kubectl(&bench, &["exec", "deploy/web", "--", "sh", "-c", script], b"").await;
    assert_eq!(text(&ran.stdout), "out\n");
    let error = text(&ran.stderr);
    assert!(
        error.contains("/nope")
            && error.contains("command terminated with exit code 3")
            && ran.status.code() == Some(3),
        "{error}"
    );
    // More than any window would let through.
    let input: Vec<u8> = (0..2_000_000_u32)
        .flat_map(|number| (number % 251).to_string().into_bytes())
        .collect();
    let ran = kubectl(&bench, &["exec", "-i", "deploy/web", "--", "cat"], &input).await;
    assert!(
        ran.stdout == input,
        "{} of {} bytes: {}",
        ran.stdout.len(),
        input.len(),
        text(&ran.stderr)
    );
    let ran = kubectl(&bench, &["exec", "-i", "deploy/web", "--", "sh"], b"echo one\nexit 7\n").await;
    assert_eq!((text(&ran.stdout).as_str(), ran.status.code()), ("one\n", Some(7)));
    let ran = kubectl(&bench, &["exec", "deploy/web", "--", "no-such-program"], b"").await;
    assert!(
        text(&ran.stderr).contains("executable file not found in $PATH"),
        "{}",
        text(&ran.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cp_over_spdy() {
    let Some(bench) = twins().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(
        at("big"),
        (0..3_000_000_u32).map(|at| (at / 3) as u8).collect::<Vec<u8>>(),
    )
    .unwrap();
    let pod = bench.plane.store.list("pods", Some(THEIRS))[0]["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let (there, back) = (format!("{pod}:/tmp/big"), at("back").display().to_string());
    for words in [["cp", at("big").to_str().unwrap(), &there], ["cp", &there, &back]] {
        let ran = kubectl(&bench, &words, b"").await;
        assert!(ran.status.success(), "{}", text(&ran.stderr));
    }
    assert!(std::fs::read(at("back")).unwrap() == std::fs::read(at("big")).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn attach_over_spdy() {
    let Some(bench) = twins().await else { return };
    let command = "echo begun; sleep 300; echo over";
    let words = [
        "run",
        "talker",
        "--image=busybox",
        "--restart=Never",
        "--",
        "sh",
        "-c",
        command,
    ];
    assert!(kubectl(&bench, &words, b"").await.status.success());
    eventually("its first line", async || {
        text(&kubectl(&bench, &["logs", "talker"], b"").await.stdout) == "begun\n"
    })
    .await;
    let ran = kubectl(&bench, &["attach", "talker"], b"").await;
    assert_eq!(
        (text(&ran.stdout).as_str(), ran.status.code()),
        ("over\n", Some(0)),
        "{}",
        text(&ran.stderr)
    );
}
