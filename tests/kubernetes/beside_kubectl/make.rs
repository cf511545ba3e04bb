//! `create deployment` and `apply`: objects that were not there.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{OURS, THEIRS, lines, manifest, said, same, same_created, twins};

#[tokio::test(flavor = "multi_thread")]
async fn create_deployment() {
    let Some(bench) = twins().await else { return };
    for line in [
        "create deployment api --image=reg:5000/x/api:1 --image=side@sha256:aaaa --port=80 --replicas=2",
        "create deployment api --image=x",
        "create deployment two --image=a --image=b -- sleep 1",
    ] {
        same_created(&bench, line).await;
    }
    let made = |space: &str| {
        let object = bench.plane.store.get("deployments", space, "api").unwrap();
        (object["metadata"]["labels"].clone(), object["spec"].clone())
    };
    assert_eq!(made(OURS), made(THEIRS));
    bench.run("test:undo-last").await.ok();
    assert!(bench.plane.store.get("deployments", OURS, "api").is_none());
}

const TWO: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: '1'}\n---\n\
    apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: made, labels: {app: made}}\nspec:\n  replicas: 1\n  \
    selector: {matchLabels: {app: made}}\n  template:\n    metadata: {labels: {app: made}}\n    \
    spec: {containers: [{name: c, image: 'i:1'}]}\n";

#[tokio::test(flavor = "multi_thread")]
async fn apply_on_the_server() {
    let Some(bench) = twins().await else { return };
    let two = manifest(TWO);
    let path = two.path().display().to_string();
    let apply = |rest: &str| format!("apply --server-side -f {path} {rest}");
    // The difference a dry run shows is ours alone (here there is none: nothing is there yet); the sentences are the same.
    let (_, out, _) = bench
        .kubectl(&format!("{} -n {THEIRS}", apply("--dry-run=server")))
        .await
        .unwrap();
    let ran = bench
        .run(&format!("kubectl:{} -n {OURS}", apply("--dry-run=server")))
        .await
        .ok();
    assert_eq!(lines(&out), said(&ran));
    assert!(
        bench.plane.store.get("deployments", OURS, "made").is_none(),
        "a dry run makes nothing"
    );
    same(&bench, &apply("")).await;
    same(&bench, &apply("")).await;
    let changed = TWO.replace("'1'", "'2'").replace("i:1", "i:2");
    std::fs::write(two.path(), &changed).unwrap();
    let dry = bench
        .run(&format!("kubectl:{} -n {OURS}", apply("--dry-run=server")))
        .await
        .ok();
    assert!(
        dry.text[0].ends_with("(server dry run)\n  /data/a: \"1\" → \"2\""),
        "{dry:?}"
    );
    same(&bench, &apply("")).await;
    let image = |space: &str| {
        bench.plane.store.get("deployments", space, "made").unwrap()["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    assert_eq!((image(OURS), image(THEIRS)), (json!("i:2"), json!("i:2")));
    // Another manager's field is not taken over by accident.
    std::fs::write(two.path(), changed.replace("i:2", "i:3")).unwrap();
    let ran = bench
        .run(&format!("kubectl:{} -n {OURS}", apply("--field-manager=other")))
        .await;
    let (code, _, error) = bench
        .kubectl(&format!("{} -n {THEIRS}", apply("--field-manager=other")))
        .await
        .unwrap();
    assert_eq!((code, ran.exit), (1, 1));
    let first = |text: &str| {
        text.lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned()
    };
    assert!(first(&ran.message()).starts_with("Apply failed with"), "{ran:?}");
    assert!(first(&error).starts_with("Apply failed with"), "{error}");
    same(&bench, &apply("--field-manager=other --force-conflicts")).await;
    for text in [
        "apiVersion: v1\nkind: Foo\nmetadata: {name: x}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: q}\nfoo: 1\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: q, namespace: other}\n",
        "\n",
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: q}}\n",
    ] {
        std::fs::write(two.path(), text).unwrap();
        same(&bench, &apply("")).await;
    }
    same(&bench, "apply --server-side -f /does/not/exist.yaml").await;
    same(&bench, "apply --server-side").await;
    let ran = bench
        .run("kubectl:get deploy web | kubectl:apply --force-conflicts")
        .await
        .ok();
    assert_eq!(ran.text, ["deployment.apps/web serverside-applied"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_from_an_address() {
    let Some(bench) = twins().await else { return };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0_u8; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let there = String::from_utf8_lossy(&request[..read]).starts_with("GET /two.yaml ");
            let (status, body) = if there { ("200 OK", TWO) } else { ("404 Not Found", "") };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    same(&bench, &format!("apply --server-side -f http://{address}/two.yaml")).await;
    assert!(bench.plane.store.get("deployments", OURS, "made").is_some());
    let line = format!("apply --server-side -f http://{address}/none.yaml");
    let (code, _, error) = bench.kubectl(&line).await.unwrap();
    let ran = bench.run(&format!("kubectl:{line}")).await;
    assert!(code == 1 && ran.exit > 0, "{ran:?}");
    assert!(
        error.contains("404") && format!("{:?}", ran.report).contains("404"),
        "{error}\n{ran:?}"
    );
    server.abort();
}
