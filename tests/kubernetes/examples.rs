//! The examples of the commands that only look, as their help shows them, against a deployment `inspector` with its
//! service: one that fails as typed is no example. Not for those with a line of another bundle.

use std::collections::BTreeSet;
use std::time::Duration;

use cogdeck::core::change::Risk;
use cogdeck::features::{kubernetes, records};

use super::bench::Bench;

/// Those that need what is not there, a login or another context; or never end by themselves.
const ELSEWHERE: [&str; 4] = [
    "kubectl:config use-context ",
    "kubectl:login",
    "kubectl:logs -f ",
    "kubectl:events -w",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_example_that_only_looks_runs_as_typed() {
    let bench = Bench::start().await;
    for line in [
        "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80",
        "kubectl:rollout status deploy/inspector",
        "kubectl:expose deploy inspector --type=LoadBalancer --port=80",
        "kubectl:wait svc/inspector --for='jsonpath={.status.loadBalancer.ingress[0].hostname}'",
    ] {
        bench.run(line).await.ok();
    }
    let helper = super::bench::helper();
    let features = [
        kubernetes::feature(&bench.shared, &bench.clients),
        records::feature(&helper),
    ];
    let (mut ran, mut wrong, mut elsewhere) = (0, Vec::new(), BTreeSet::new());
    for verb in features.iter().flat_map(|feature| &feature.verbs) {
        for example in &verb.declaration.examples {
            let line = &example.line;
            let looks = verb.declaration.risk == Risk::Read && line.contains("kubectl:");
            // This session has no other bundles.
            let known = !["r53:", "ec2:", "dig ", "traffic:"]
                .iter()
                .any(|word| line.contains(word));
            if !looks || !known {
                continue;
            }
            if let Some(beginning) = ELSEWHERE.iter().find(|beginning| line.starts_with(**beginning)) {
                elsewhere.insert(*beginning);
                continue;
            }
            // Metrics are there a while after their pods.
            let result = loop_until(&bench, line).await;
            ran += 1;
            if result.exit != 0 {
                wrong.push(format!("{line}\n{result:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran >= 20, "{ran}");
    let stale: Vec<&str> = ELSEWHERE.into_iter().filter(|one| !elsewhere.contains(one)).collect();
    assert!(stale.is_empty(), "no example begins with {stale:?}");
}

async fn loop_until(bench: &Bench, line: &str) -> super::bench::Ran {
    let patience = if line.contains("top ") { 40 } else { 1 };
    let mut result = bench.run(line).await;
    for _ in 1..patience {
        if result.exit == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        result = bench.run(line).await;
    }
    result
}
