//! The whole world as its users meet it: kubeconfig, environment, proxy and DNS of one started sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use cogdeck::sandbox::{Sandbox, SandboxConfig};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn client(sandbox: &Sandbox) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&sandbox.kubeconfig()).unwrap();
    assert_eq!(kubeconfig.current_context.as_deref(), Some("sandbox"));
    assert_eq!(kubeconfig.clusters[0].name, "staging.spawnhub.com");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

async fn get(sandbox: &Sandbox, url: &str) -> String {
    let mut stream = TcpStream::connect(sandbox.proxy()).await.unwrap();
    let host = url.trim_start_matches("http://").split('/').next().unwrap();
    stream
        .write_all(format!("GET {url} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_is_exposed_and_answers() {
    let sandbox = Sandbox::start(SandboxConfig {
        speed: 10.0,
        ..Default::default()
    })
    .await
    .unwrap();
    let client = client(&sandbox).await;
    assert_eq!(
        Api::<Node>::all(client.clone())
            .list(&Default::default())
            .await
            .unwrap()
            .items
            .len(),
        4
    );
    let deployments = Api::<Deployment>::default_namespaced(client.clone());
    let object = serde_json::from_value(json!({
        "metadata": {"name": "inspector"},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"run": "inspector"}},
            "template": {
                "metadata": {"labels": {"run": "inspector"}},
                "spec": {"containers": [{"name": "inspector", "image": "so0k/kuar-inspector:1.0.0", "ports": [{"containerPort": 80}]}]},
            },
        },
    }));
    deployments
        .create(&PostParams::default(), &object.unwrap())
        .await
        .unwrap();
    let services = Api::<Service>::default_namespaced(client.clone());
    let object = serde_json::from_value(json!({
        "metadata": {"name": "inspector"}, "spec": {"type": "LoadBalancer", "selector": {"run": "inspector"}, "ports": [{"port": 80}]},
    }));
    services.create(&PostParams::default(), &object.unwrap()).await.unwrap();
    let begin = Instant::now();
    let host = loop {
        let service = services.get("inspector").await.unwrap();
        let ready = deployments
            .get("inspector")
            .await
            .unwrap()
            .status
            .and_then(|s| s.available_replicas)
            == Some(2);
        let ingress = service
            .status
            .and_then(|s| s.load_balancer)
            .and_then(|lb| lb.ingress)
            .and_then(|list| list.into_iter().next());
        if let (true, Some(host)) = (ready, ingress.and_then(|i| i.hostname)) {
            break host;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "the service never came up");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(
        get(&sandbox, &format!("http://{host}/"))
            .await
            .contains("Version: Inspector 1.0.0")
    );
    let pods = Api::<Pod>::default_namespaced(client);
    let names: Vec<String> = pods
        .list(&Default::default())
        .await
        .unwrap()
        .items
        .into_iter()
        .filter_map(|p| p.metadata.name)
        .collect();
    let mut logs = String::new();
    for name in &names {
        logs += &pods.logs(name, &Default::default()).await.unwrap();
    }
    assert!(logs.contains("\"GET / HTTP/1.1 200 "), "{logs}");
    let patch = json!({"spec": {"replicas": 0}});
    deployments
        .patch_scale("inspector", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
    while !pods.list(&Default::default()).await.unwrap().items.is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(40), "the pods never went");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(
        get(&sandbox, &format!("http://{host}/"))
            .await
            .starts_with("HTTP/1.1 503")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_names_everything_and_survives_a_shell() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let path = std::path::Path::new("/tmp/a b;$(touch x)'\"/config");
    let script = format!(
        "{}printenv KUBECONFIG AWS_ENDPOINT_URL COGDECK_DNS http_proxy",
        sandbox.env_exports(path)
    );
    let output = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let dns = sandbox.dns().to_string();
    let proxy = format!("http://{}", sandbox.proxy());
    assert_eq!(lines, [path.to_str().unwrap(), &sandbox.aws_url(), &dns, &proxy]);
    let names: Vec<&str> = sandbox.env(path).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "KUBECONFIG",
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_EC2_METADATA_DISABLED",
            "COGDECK_DNS",
            "http_proxy",
            "no_proxy",
            "NO_PROXY"
        ]
    );
    assert!(
        !format!("{sandbox:?}").contains(sandbox.token()),
        "no secret in a debug print"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_starts_fast_listens_on_loopback_and_ends_when_dropped() {
    let begin = Instant::now();
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let took = begin.elapsed();
    assert!(
        took < Duration::from_secs(2),
        "{took:?}: measured 10 ms on an idle machine"
    );
    let api: std::net::SocketAddr = sandbox.kubernetes_url().trim_start_matches("https://").parse().unwrap();
    let aws: std::net::SocketAddr = sandbox.aws_url().trim_start_matches("http://").parse().unwrap();
    let all = [api, aws, sandbox.proxy(), sandbox.dns()];
    assert!(all.iter().all(|a| a.ip().is_loopback()));
    for address in all {
        TcpStream::connect(address).await.unwrap();
    }
    drop(sandbox);
    for address in all {
        let begin = Instant::now();
        while TcpStream::connect(address).await.is_ok() {
            assert!(begin.elapsed() < Duration::from_secs(5), "{address} still listens");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_gives_the_same_names_and_a_load_is_there() {
    let config = SandboxConfig {
        seed: 42,
        deployments: 3,
        pods: 700,
        events: 200,
        ..Default::default()
    };
    let (one, two) = (
        Sandbox::start(config).await.unwrap(),
        Sandbox::start(config).await.unwrap(),
    );
    let names = |s: &Sandbox| {
        s.store()
            .list("pods", None)
            .iter()
            .map(|p| p["metadata"]["name"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&one), names(&two));
    assert_eq!(names(&one).len(), 703);
    assert_ne!(one.token(), two.token(), "secrets never repeat");
    let (begin, version) = (Instant::now(), one.store().version());
    tokio::time::sleep(Duration::from_secs(1)).await;
    // A busy machine sleeps longer.
    let changes = (one.store().version() - version) as f64 / begin.elapsed().as_secs_f64();
    assert!(
        (50.0..=260.0).contains(&changes),
        "{changes} changes in a second, 200 were asked for"
    );
    one.stop().await;
    let many = Sandbox::start(SandboxConfig {
        pods: 10_000_000,
        ..Default::default()
    })
    .await;
    assert!(many.unwrap_err().to_string().contains("too many"));
}
