//! `label`, `annotate`, `set env`, `set resources`, `edit`: fields of an object that is there.

use serde_json::json;

use super::{OURS, THEIRS, same, twins};

#[tokio::test(flavor = "multi_thread")]
async fn label_and_annotate() {
    let Some(bench) = twins().await else { return };
    for line in [
        "label deploy/web a=1",
        "label deploy/web a=1",
        "label deploy web a=2",
        "label deploy web a=2 --overwrite",
        "label deploy web a- b=1",
        "label deploy web b-",
        "label deploy web c-",
        "label deploy web a=1 a-",
        "label deploy a=1",
        "label deploy web",
        "label a=1",
        "label deploy --all z=1",
        "label deploy nope a=1",
        "label pods -l app=web seen=yes",
        "label deploy web b!d=3",
        "annotate deploy/web a=1",
        "annotate deploy/web a=1",
        "annotate deploy web a=2",
        "annotate deploy web a=2 --overwrite",
        "annotate deploy web a-",
        "annotate deploy web a-",
        "annotate deploy web",
        "annotate deploy web a=1 a-",
    ] {
        same(&bench, line).await;
    }
    let labels =
        |space: &str| bench.plane.store.get("deployments", space, "web").unwrap()["metadata"]["labels"].clone();
    assert_eq!(labels(OURS), labels(THEIRS));
    bench
        .run("kubectl:label deploy web app=other tier=x --overwrite")
        .await
        .ok();
    bench.run("test:undo-last").await.ok();
    assert_eq!(labels(OURS), labels(THEIRS), "undo restores and removes");
}

#[tokio::test(flavor = "multi_thread")]
async fn set_env_and_resources() {
    let Some(bench) = twins().await else { return };
    for space in [THEIRS, OURS] {
        let line = format!("create configmap conf --from-literal=db.url=x -n {space}");
        assert_eq!(bench.kubectl(&line).await.unwrap().0, 0);
    }
    for line in [
        "set env deploy/web A=1 B=2",
        "set env deploy/web A=1",
        "set env deploy/web A-",
        "set env deploy web C=1 -c nope",
        "set env deploy/web D=1 D-",
        "set env A=1",
        "set env deploy/web 1x!=3",
        "set env deploy/web --from=configmap/conf --prefix=P_",
        "set env deploy/web --list",
        "set resources deploy/web --limits=cpu=200m,memory=512Mi --requests=cpu=100m",
        "set resources deploy/web --limits=cpu=200m,memory=512Mi",
        "set resources deploy/web",
        "set resources deploy/web --limits=cpu=x",
        "set resources deploy/web --limits=cpu=1 -c nope",
        "set resources deploy/web --limits=cpu",
    ] {
        same(&bench, line).await;
    }
    // kubectl says nothing of a line that asks for nothing; here it is refused.
    assert_eq!(bench.kubectl("set env deploy/web").await.unwrap().0, 0);
    let ran = bench.run("kubectl:set env deploy/web").await;
    assert_eq!(
        (ran.exit, ran.message().as_str()),
        (2, "at least one environment variable must be provided")
    );
    // kubectl tells the value that is there, which may be a secret; we do not.
    let line = "set env deploy/web B=3 --overwrite=false";
    let (code, _, error) = bench.kubectl(&format!("{line} -n {THEIRS}")).await.unwrap();
    let ran = bench.run(&format!("kubectl:{line} -n {OURS}")).await;
    assert_eq!((code, ran.exit), (1, 1));
    assert!(
        error.contains(&ran.message().replace("value,", "value (2),")),
        "{error}\n{ran:?}"
    );
    let containers = |space: &str| {
        bench.plane.store.get("deployments", space, "web").unwrap()["spec"]["template"]["spec"]["containers"].clone()
    };
    let (ours, theirs) = (containers(OURS), containers(THEIRS));
    assert_eq!(ours, theirs);
    assert_eq!(
        ours[0]["env"][1]["valueFrom"]["configMapKeyRef"],
        json!({"key": "db.url", "name": "conf"})
    );
    bench.run("kubectl:rollout status deploy/web").await.ok();
    bench.run("kubectl:set env deploy/web Z=1").await.ok();
    bench.run("kubectl:rollout status deploy/web").await.ok();
    bench.run("test:undo-last").await.ok();
    assert_eq!(containers(OURS), theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn edit() {
    let Some(bench) = twins().await else { return };
    let editor = |script: &str| std::fs::write(bench.editor.path(), script).unwrap();
    editor("true");
    same(&bench, "edit deploy/web").await;
    editor("sed -i 's/replicas: 1/replicas: 2/' \"$1\"");
    same(&bench, "edit deploy/web").await;
    let replicas =
        |space: &str| bench.plane.store.get("deployments", space, "web").unwrap()["spec"]["replicas"].clone();
    assert_eq!((replicas(OURS), replicas(THEIRS)), (json!(2), json!(2)));
    same(&bench, "edit deploy/nope").await;
    editor("exit 3");
    let ran = bench.run("kubectl:edit deploy/web").await;
    let (code, _, error) = bench.kubectl("edit deploy/web").await.unwrap();
    assert_eq!((code, ran.exit), (1, 1));
    assert!(
        error.starts_with("error: there was a problem with the editor")
            && ran.message().starts_with("there was a problem with the editor")
    );
    // Refused text is opened again with the reason on top; left as it is then, it stays in a file that both name.
    editor(
        "grep -q '^# .*[Ii]nvalid\\|^# .*BadRequest\\|^# .*not valid' \"$1\" && exit 0; sed -i 's/replicas: 2/replicas: -3/' \"$1\"",
    );
    let ran = bench.run("kubectl:edit deploy/web").await;
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert_eq!(replicas(OURS), json!(2));
    let (code, _, error) = bench.kubectl(&format!("edit deploy/web -n {THEIRS}")).await.unwrap();
    let cancelled = "Edit cancelled, no valid changes were saved.";
    assert!(code == 1 && error.contains(cancelled), "{error}");
    assert!(ran.notes.iter().any(|note| note == cancelled), "{ran:?}");
    let hint = ran.report.unwrap().hint.unwrap();
    let copy = hint.strip_prefix("a copy of your changes is in ").unwrap();
    assert!(std::fs::read_to_string(copy).unwrap().contains("replicas: -3"));
    std::fs::remove_file(copy).unwrap();
    // What is mended the second time is taken.
    editor(
        "if grep -q 'replicas: -3' \"$1\"; then sed -i 's/replicas: -3/replicas: 3/' \"$1\"; else sed -i 's/replicas: 2/replicas: -3/' \"$1\"; fi",
    );
    bench.run("kubectl:edit deploy/web").await.ok();
    assert_eq!(replicas(OURS), json!(3));
}
