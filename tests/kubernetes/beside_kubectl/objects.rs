//! `get`, `logs`, `run`, `expose`, `scale`, `set image`, `delete`, `wait`: the demo's verbs.

use serde_json::json;

use super::{OURS, THEIRS, all_same, same, timeless, twins};

#[tokio::test(flavor = "multi_thread")]
async fn get_tables_and_selectors() {
    let Some(bench) = twins().await else { return };
    all_same(
        &bench,
        &[
            "get pods",
            "get pods -o wide",
            "get pods --show-labels",
            "get pods -L app",
            "get pods -l app=web",
            "get pods -l app=nope",
            "get pods -l app!=web",
            "get pods --field-selector status.phase=Running",
            "get pods --field-selector status.phase=Failed",
            "get deploy,rs",
            "get deploy web -o wide",
            "get deploy nope",
            "get deploy web nope",
            "get nope",
            "get deploy --no-headers",
            "get nodes",
            "get nodes -o wide",
            "get ns",
            "get deploy -A",
            "get svc -A --sort-by=.metadata.name",
        ],
        timeless,
    )
    .await;
    // The server's reason is told once, without the words that kubectl wraps around it.
    for (line, reason) in [
        ("get pods --field-selector nope=1", "field label not supported: nope"),
        (
            "get pods -l a=b=c",
            "unable to parse requirement: found 'a=b=c', expected: a label requirement",
        ),
        (
            "get deploy -o nope",
            "unable to match a printer suitable for the output format \"nope\"",
        ),
    ] {
        let (code, _, error) = bench.kubectl(line).await.unwrap();
        let ran = bench.run(&format!("kubectl:{line}")).await;
        assert!(code == 1 && ran.exit > 0, "{line}: {ran:?}");
        assert!(
            error.contains(reason) && ran.message().ends_with(reason),
            "{line}: {error}\n{ran:?}"
        );
    }
    // What YAML and JSON show is the same object, whatever the order of its keys.
    for format in ["json", "yaml"] {
        let (_, out, _) = bench.kubectl(&format!("get ns default -o {format}")).await.unwrap();
        let ran = bench.run(&format!("kubectl:get ns default -o {format}")).await.ok();
        let theirs: serde_json::Value = match format {
            "json" => serde_json::from_str(&out).unwrap(),
            _ => serde_saphyr::from_str(&out).unwrap(),
        };
        assert_eq!(theirs, ran.records[0], "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs() {
    let Some(bench) = twins().await else { return };
    for space in [THEIRS, OURS] {
        for line in [
            format!("create deployment insp --image=so0k/kuar-inspector:1.0.0 -n {space}"),
            format!("rollout status deploy/insp -n {space}"),
        ] {
            assert_eq!(bench.kubectl(&line).await.unwrap().0, 0);
        }
    }
    all_same(
        &bench,
        &[
            "logs deploy/insp",
            "logs deploy/insp --tail=1",
            "logs deploy/insp --tail=0",
            "logs deploy/insp --since=1h",
            "logs deploy/insp --limit-bytes=9",
            "logs deploy/insp --limit-bytes=0",
            "logs deploy/insp --timestamps",
            "logs deploy/insp --all-containers",
            "logs deploy/insp -c kuar-inspector",
            "logs deploy/insp -c nope",
            "logs deploy/insp -p",
            "logs -l app=insp",
            "logs -l app=nope",
            "logs nope",
            "logs deploy/nope",
            "logs",
        ],
        |found| {
            let pod = regex::Regex::new(r"\binsp-[a-z0-9]+-[a-z0-9]{5}\b").unwrap();
            timeless(
                found
                    .iter()
                    .map(|line| pod.replace_all(line, "POD").into_owned())
                    .collect(),
            )
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_expose_scale_set_image_delete() {
    let Some(bench) = twins().await else { return };
    let lines = [
        "run one --image=x:1 --restart=Never",
        "run one --image=x:1 --restart=Never",
        "expose deploy/web --port=80 --type=LoadBalancer",
        "expose deploy/web --port=80",
        "expose deploy/nope --port=80",
        "expose deploy/web --name=two --port=81 --target-port=8080",
        "scale deploy/web --replicas=3",
        "scale deploy web --replicas=1",
        "scale deploy/web --replicas=2 --current-replicas=7",
        "set image deploy/web nginx=nginx:2",
        "set image deploy/web nginx=nginx:2",
        "set image deploy/web nope=x:1",
        "set image deploy/nope nginx=x:1",
        "delete svc two",
        "delete svc two",
        "delete pod one --force --grace-period=0",
        "delete deploy,svc -l app=nope",
        "delete nope x",
    ];
    // Newer kubectl names the namespace, as we do.
    let shorter = |found: Vec<String>| {
        found
            .iter()
            .map(|line| line.replace(" from default namespace", ""))
            .collect()
    };
    all_same(&bench, &lines, shorter).await;
    bench.run("kubectl:delete svc two --ignore-not-found").await.ok();
    let spec = |space: &str| {
        let found = bench.plane.store.get("deployments", space, "web").unwrap();
        (
            found["spec"]["replicas"].clone(),
            found["spec"]["template"]["spec"].clone(),
        )
    };
    assert_eq!(spec(OURS), spec(THEIRS));
    assert_eq!(spec(OURS).0, json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn wait() {
    let Some(bench) = twins().await else { return };
    for line in [
        "wait deploy/web --for=condition=Available --timeout=20s",
        "wait deploy/web --for=condition=Nope --timeout=1s",
        "wait deploy/web --for=jsonpath={.status.readyReplicas}=1 --timeout=20s",
        "wait deploy/web --for=jsonpath={.status.readyReplicas}=7 --timeout=1s",
        "wait deploy/nope --for=condition=Available --timeout=1s",
        "wait pods -l app=web --for=condition=Ready --timeout=20s",
        "wait pods -l app=nope --for=condition=Ready --timeout=1s",
        "wait deploy/web --for=nope",
    ] {
        same(&bench, line).await;
    }
}
