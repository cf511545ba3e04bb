//! How long a change in the cluster takes to the screen: `cargo bench --bench event_to_screen`.
//!
//! A console in a terminal of 120×40 follows a sandbox in a process of its own. Each round scales a deployment through
//! the API and waits until the terminal shows the new count. Printed are minimum, median and maximum of two spans:
//! from the request's start, and from its answer (the moment from which the watch event is on its way).
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;

use support::process::{COGDECK, Sandbox};
use support::usage::millis;

const ROUNDS: i32 = 50;
const PATIENCE: Duration = Duration::from_secs(10);

fn main() {
    let sandbox = Sandbox::start(&[]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let api = runtime.block_on(deployments(&sandbox));
    let begun = Instant::now();
    let mut terminal = sandbox.terminal(COGDECK, &[], 120, 40);
    terminal
        .wait_for(|screen| screen.contains("bench"), PATIENCE)
        .expect("the deployment is shown");
    println!(
        "start of the process to the first row: {:.1} ms",
        millis(begun.elapsed())
    );
    let (mut from_request, mut from_answer) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let replicas = 100 + round;
        let request = Instant::now();
        runtime.block_on(async {
            let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
            api.patch_scale("bench", &PatchParams::default(), &patch)
                .await
                .expect("the deployment is scaled");
        });
        let answer = Instant::now();
        let wanted = format!("/{replicas}");
        terminal
            .wait_for(|screen| screen.contains(&wanted), PATIENCE)
            .expect("the new count is shown");
        from_request.push(request.elapsed());
        from_answer.push(answer.elapsed());
        std::thread::sleep(Duration::from_millis(60));
    }
    report("request to screen", from_request);
    report("answer to screen", from_answer);
    terminal.kill("TERM");
    terminal.exit_status(PATIENCE).expect("the console ends");
}

async fn deployments(sandbox: &Sandbox) -> Api<Deployment> {
    let kubeconfig = Kubeconfig::read_from(sandbox.kubeconfig()).expect("the world's kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let client = kube::Client::try_from(config.expect("a usable kubeconfig")).expect("a client");
    let api: Api<Deployment> = Api::default_namespaced(client);
    // Paused: only the deployment itself changes, so that one event belongs to one round.
    let deployment = serde_json::from_value(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "bench"},
        "spec": {
            "replicas": 0, "paused": true, "selector": {"matchLabels": {"run": "bench"}},
            "template": {
                "metadata": {"labels": {"run": "bench"}},
                "spec": {"containers": [{"name": "bench", "image": "registry.example/bench:1"}]},
            },
        },
    }));
    let deployment: Deployment = deployment.expect("a deployment");
    api.create(&PostParams::default(), &deployment)
        .await
        .expect("the deployment is created");
    api
}

fn report(what: &str, mut spans: Vec<Duration>) {
    spans.sort();
    let at = |part: usize| spans.get((spans.len() - 1) * part / 100).copied().unwrap_or_default();
    println!(
        "{what}: min {:.1} ms, median {:.1} ms, p90 {:.1} ms, max {:.1} ms ({} rounds)",
        millis(at(0)),
        millis(at(50)),
        millis(at(90)),
        millis(at(100)),
        spans.len()
    );
}
