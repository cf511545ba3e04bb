//! `create -f`, and what kubectl's options are here that are not there: refused with what to do instead.

use cogdeck::core::change::Origin;

use super::{OURS, manifest, same, twins};

#[tokio::test(flavor = "multi_thread")]
async fn create_makes_what_is_new() {
    let Some(bench) = twins().await else { return };
    let file = manifest(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n---\napiVersion: v1\nkind: Service\n\
         metadata: {name: two}\nspec: {ports: [{port: 80}], selector: {a: b}}\n",
    );
    let path = file.path().display();
    for way in ["client", "server"] {
        same(&bench, &format!("create -f {path} --dry-run={way}")).await;
        assert!(bench.plane.store.get("configmaps", OURS, "one").is_none());
    }
    same(&bench, &format!("create -f {path}")).await;
    assert!(bench.plane.store.get("services", OURS, "two").is_some());
    same(&bench, &format!("create -f {path}")).await;
    assert_eq!(bench.run("test:undo-last").await.exit, 0);
    assert!(bench.plane.store.get("services", OURS, "two").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_here_says_what_is() {
    let Some(bench) = twins().await else { return };
    for (line, hint) in [
        ("apply -k .", "kubectl kustomize"),
        ("apply --kustomize=.", "kubectl kustomize"),
        ("apply -f x --prune", "kubectl:delete"),
        ("get deploy web --subresource=scale", "--raw"),
        ("run x --image=y -it --rm", "kubectl:exec -it"),
        ("port-forward web 80 --address=0.0.0.0", "127.0.0.1"),
        ("rollout history deploy/web -o json", "jq"),
        ("get pods --as=mia", "as: NAME"),
        ("delete pod x --as-group=a", "as-groups:"),
    ] {
        let report = bench
            .session
            .check(&format!("kubectl:{line}"), Origin::Typed)
            .unwrap_err();
        let hints = report.hint.as_ref().is_some_and(|told| told.contains(hint));
        assert!(report.code == "E-OPTION-001" && hints, "{line}: {report:?}");
    }
}
