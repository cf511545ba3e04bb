//! Where manifests, templates and plain answers come from and go to: links in folders, pipes, `--raw`, files.

use std::time::Duration;

use super::{lines, said, same, twins};

const ONE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {k: '1'}\n";

#[tokio::test(flavor = "multi_thread")]
async fn links_in_folders_are_followed_to_files() {
    let Some(bench) = twins().await else { return };
    let (elsewhere, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let link =
        |from: &str, to: &str| std::os::unix::fs::symlink(elsewhere.path().join(from), folder.path().join(to)).unwrap();
    for name in ["one", "two"] {
        std::fs::write(elsewhere.path().join(name), ONE.replace("NAME", name)).unwrap();
    }
    std::fs::create_dir(elsewhere.path().join("inner")).unwrap();
    std::fs::write(elsewhere.path().join("inner/three.yaml"), ONE.replace("NAME", "three")).unwrap();
    link("one", "one.yaml");
    link("two", "not-a-manifest");
    link("inner", "linked");
    let path = folder.path().display();
    same(&bench, &format!("apply --server-side -f {path}")).await;
    same(&bench, &format!("apply --server-side -R -f {path}")).await;
    same(&bench, &format!("get -f {path} -o name")).await;
    link("gone", "lost.yaml");
    // kubectl has shown some by then; here nothing begins before everything was read.
    let line = format!("get -f {path} -o name");
    let (code, _, error) = bench.kubectl(&line).await.unwrap();
    let ran = bench.run(&format!("kubectl:{line}")).await;
    assert_eq!((code, lines(&error)), (1, said(&ran)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_that_nobody_writes_to_holds_nothing_up() {
    let Some(bench) = twins().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for line in [
        format!("timeout=1s kubectl:get deploy -o jsonpath-file={}", pipe.display()),
        format!("timeout=1s kubectl:apply -f {}", pipe.display()),
    ] {
        assert_eq!(bench.run(&line).await.exit, 124, "{line}");
    }
    let line = format!("kubectl:get deploy web -o jsonpath-file={}", pipe.display());
    let (ran, ()) = tokio::join!(bench.run(&line), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let write = move || std::fs::write(pipe, "{.metadata.name}\n");
        tokio::task::spawn_blocking(write).await.unwrap().unwrap();
    });
    assert_eq!(ran.ok().text, ["web"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_stands_alone() {
    let Some(bench) = twins().await else { return };
    for line in [
        "get --raw /version",
        "get --raw /nope",
        "get pods --raw /version",
        "get --raw /api -l a=b",
        "get --raw /api -w",
        "get --raw /api -o json",
        "get --raw nope",
    ] {
        let (code, out, error) = bench.kubectl(line).await.unwrap();
        let ran = bench.run(&format!("kubectl:{line}")).await;
        assert_eq!(lines(&format!("{out}\n{error}")), said(&ran), "{line}");
        assert_eq!(code, i32::from(ran.exit.min(1)), "{line}: {ran:?}");
    }
    // kubectl passes over these without a word.
    for option in [
        "-A",
        "-n x",
        "--sort-by=.a",
        "--field-selector a=b",
        "--show-labels",
        "--no-headers",
    ] {
        let report = bench
            .run(&format!("kubectl:get --raw /api {option}"))
            .await
            .report
            .unwrap();
        assert!(report.hint.unwrap().starts_with("leave out --"), "{option}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_gets_the_bytes_that_kubectl_writes() {
    let Some(bench) = twins().await else { return };
    let folder = tempfile::tempdir().unwrap();
    for line in [
        "get deploy web -o jsonpath={.metadata.name}",
        "get deploy web -o jsonpath={.metadata.name}{\"\\n\"}",
        "get deploy web -o name",
        "get --raw /version",
    ] {
        let (_, out, _) = bench.kubectl(line).await.unwrap();
        let file = folder.path().join("out");
        let line = format!("kubectl:{} > file:{}", super::quoted(line), file.display());
        bench.run(&line).await.ok();
        assert_eq!(std::fs::read_to_string(file).unwrap(), out, "{line}");
    }
}
