//! What completion offers of a large namespace, and what it says where it has nothing to offer.

use std::sync::Arc;

use cogdeck::core::context::{Context, KubeconfigSource};
use cogdeck::features::kubernetes;
use cogdeck::sandbox::faults::Fault;
use cogdeck::verb::{Completion, CompletionRequest};
use serde_json::json;

use super::bench::Bench;

async fn offered(bench: &Bench, context: &Arc<Context>, words: &[&str], prefix: &str) -> Completion {
    let verbs = kubernetes::feature(&bench.shared, &bench.clients).verbs;
    let get = verbs.into_iter().find(|verb| verb.declaration.name == "get").unwrap();
    let request = CompletionRequest {
        context: context.clone(),
        positionals: words.iter().map(|word| (*word).to_owned()).collect(),
        options: Default::default(),
        option: None,
        prefix: prefix.to_owned(),
    };
    get.completer.unwrap().complete(request).await
}

fn names(found: &Completion) -> Vec<&str> {
    found
        .candidates
        .iter()
        .map(|candidate| candidate.value.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_found_wherever_it_stands_in_a_large_namespace() {
    let bench = Bench::start().await;
    for number in 0..300 {
        let pod = json!({"metadata": {"name": format!("web-{number:04}"), "namespace": "default"},
            "spec": {"nodeSelector": {"nowhere": "true"}, "containers": [{"name": "c", "image": "i"}]}});
        bench.plane.store.create("pods", pod).unwrap();
    }
    let found = offered(&bench, &bench.context, &["pods"], "web-0290").await;
    assert_eq!((names(&found), found.more), (vec!["web-0290"], false));
    for number in 0..1_200 {
        let map = json!({"metadata": {"name": format!("map-{number:04}"), "namespace": "default"}, "data": {}});
        bench.plane.store.create("configmaps", map).unwrap();
    }
    let found = offered(&bench, &bench.context, &["configmaps"], "map-1190").await;
    assert_eq!(
        (names(&found), found.more),
        (vec!["map-1190"], false),
        "{:?}",
        found.why
    );
    bench.faults.forget();
    let found = offered(&bench, &bench.context, &["configmaps"], "map-").await;
    assert!(found.more && found.candidates.len() < 1_200, "a menu holds no more");
    assert!(
        !bench.faults.saw(&["configmaps", "continue="]),
        "one page is enough to fill it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_names_away_is_told() {
    let bench = Bench::start().await;
    let why = async |words: &[&str]| {
        let found = offered(&bench, &bench.context, words, "").await;
        assert!(found.candidates.is_empty(), "{found:?}");
        found.why.unwrap_or_default()
    };
    assert_eq!(why(&["pods"]).await, "", "there are none, and nothing keeps them away");
    assert!(why(&["nonsense"]).await.contains("\"nonsense\""));
    bench.faults.set_on("/pods", Some(Fault::Forbidden403));
    let told = why(&["pods"]).await;
    assert!(told.starts_with("not allowed: "), "{told}");
    bench.faults.set_on("/pods", Some(Fault::Hang));
    assert_eq!(why(&["pods"]).await, "the cluster gave no answer within 2 s");
    bench.faults.set(None);
    let mut nowhere = Context::empty("nowhere");
    nowhere.kubernetes.kubeconfig = KubeconfigSource::None;
    let found = offered(&bench, &Arc::new(nowhere), &["pods"], "").await;
    assert!(found.why.is_some_and(|why| !why.is_empty()), "no cluster at all");
}
