//! What a line answers when nothing changes or not all is there, and objects named by their manifests.

use cogdeck::engine::ports::Journal;
use serde_json::{Value, json};

use super::super::bench::{NOTHING_JOURNALLED, eventually};
use super::{OURS, THEIRS, all_same, manifest, same, same_everywhere, twins};

const MANY: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {k: '1'}\n---\n\
    apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\ndata: {k: '2'}\n";

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {k: hunter-one}\n";

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_name_is_told() {
    let Some(bench) = twins().await else { return };
    for line in [
        "get deploy nope1 nope2",
        "get deploy nope1 web nope2 -o name",
        "describe deploy nope1 nope2",
        "label deploy nope1 nope2 a=b",
        "get cm nope --ignore-not-found -o json",
    ] {
        same(&bench, line).await;
    }
    // Nothing is deleted unless all of it can be.
    bench.run("kubectl:create deployment aa --image=x").await.ok();
    let ran = bench.run("kubectl:delete deploy nope1 aa nope2").await;
    assert!(
        ran.message().contains("\"nope1\" not found\n") && ran.message().ends_with("\"nope2\" not found"),
        "{ran:?}"
    );
    assert!(ran.report.unwrap().hint.unwrap().starts_with("nothing was deleted"));
    assert!(bench.plane.store.get("deployments", OURS, "aa").is_some());
    bench
        .run("kubectl:delete deploy nope1 aa nope2 --ignore-not-found")
        .await
        .ok();
    assert!(bench.plane.store.get("deployments", OURS, "aa").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_is_answered_with_a_record() {
    let Some(bench) = twins().await else { return };
    let node = bench.plane.store.list("nodes", None)[0]["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    for (line, action, message) in [
        (
            "label deploy web app=web",
            "not labeled",
            "deployment.apps/web not labeled".to_owned(),
        ),
        (
            "label deploy web tier-",
            "not labeled",
            "label \"tier\" not found.\ndeployment.apps/web not labeled".to_owned(),
        ),
        (
            "annotate deploy web nope-",
            "annotated",
            "deployment.apps/web annotated".to_owned(),
        ),
        ("uncordon NODE", "uncordoned", format!("node/{node} already uncordoned")),
    ] {
        let line = line.replace("NODE", &node);
        match line.starts_with("uncordon") {
            true => same_everywhere(&bench, &line).await,
            false => same(&bench, &line).await,
        }
        let ran = bench.run(&format!("kubectl:{line}")).await.ok();
        assert_eq!((&ran.text, ran.notes.len()), (&vec![message.clone()], 0), "{ran:?}");
        assert_eq!(
            (&ran.records[0]["action"], &ran.records[0]["message"]),
            (&json!(action), &json!(message))
        );
    }
    // Nothing was changed, so nothing is journalled.
    let undone = bench.run("test:undo-last").await;
    assert_eq!(undone.report.unwrap().code, NOTHING_JOURNALLED);
}

/// Of several, and of what a file names, only the sentences are told: nobody waits for suggestions.
#[tokio::test(flavor = "multi_thread")]
async fn only_one_typed_name_is_looked_for_among_those_there_are() {
    let Some(bench) = twins().await else { return };
    let file = manifest("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: weg}\n");
    let of_file = format!("-f {}", file.path().display());
    for (line, looks) in [
        ("get deploy weg".to_owned(), true),
        ("rollout status deploy weg".to_owned(), true),
        ("get deploy weg wbe".to_owned(), false),
        ("rollout status deploy weg wbe".to_owned(), false),
        (format!("get {of_file}"), false),
    ] {
        bench.faults.forget();
        let ran = bench.run(&format!("kubectl:{line}")).await;
        let code = ran.report.as_ref().map(|report| report.code);
        assert_eq!(code, Some("E-KUBE-404"), "{line}: {ran:?}");
        let hint = ran.report.and_then(|report| report.hint).unwrap_or_default();
        assert_eq!(hint.contains("did you mean web?"), looks, "{line}: {hint}");
        assert_eq!(bench.faults.saw(&["/deployments?limit="]), looks, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_dry_run_answers_with_what_would_differ() {
    let Some(bench) = twins().await else { return };
    let file = manifest(MANY);
    let path = file.path().display().to_string();
    bench.run(&format!("kubectl:apply -f {path}")).await.ok();
    std::fs::write(file.path(), MANY.replace("'2'", "'3'")).unwrap();
    let ran = bench
        .run(&format!("kubectl:apply -f {path} --dry-run=server"))
        .await
        .ok();
    assert_eq!(
        ran.text,
        [
            "configmap/one serverside-applied (server dry run)",
            "configmap/two serverside-applied (server dry run)\n  /data/k: \"2\" → \"3\""
        ]
    );
    assert_eq!(
        (&ran.records[1]["before"], &ran.records[1]["after"]),
        (&json!({"/data/k": "2"}), &json!({"/data/k": "3"}))
    );
    assert_eq!(
        bench.plane.store.get("configmaps", OURS, "two").unwrap()["data"]["k"],
        "2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_secret_holds_is_in_no_plan_and_no_journal() {
    let Some(bench) = twins().await else { return };
    // kubectl keeps a copy of what it applied in an annotation.
    let file = manifest(SECRET);
    let path = file.path().display().to_string();
    bench.kubectl(&format!("apply -f {path} -n {OURS}")).await;
    let copied = bench.plane.store.get("secrets", OURS, "key").unwrap();
    assert!(copied["metadata"]["annotations"].to_string().contains("hunter-one"));
    let annotation = "kubectl.kubernetes.io/last-applied-configuration";
    let changed = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"k": "hunter-two"},
        "metadata": {"name": "key", "annotations": {annotation: r#"{"stringData":{"k":"hunter-two"}}"#}}});
    std::fs::write(file.path(), changed.to_string()).unwrap();
    let (one, two) = ("aHVudGVyLW9uZQ==", "aHVudGVyLXR3bw==");
    for option in [" --dry-run=server", ""] {
        let ran = bench
            .run(&format!("kubectl:apply -f {path} --force-conflicts{option}"))
            .await
            .ok();
        let journal = bench.journal.entries(1).await.unwrap();
        let told = format!("{:?} {} {}", ran.text, json!(ran.records), json!(journal));
        assert!(![one, two, "hunter"].iter().any(|value| told.contains(value)), "{told}");
        assert!(
            told.contains("last-applied-configuration"),
            "that it differs is told: {told}"
        );
    }
    let stored = bench.plane.store.get("secrets", OURS, "key").unwrap();
    assert_eq!(stored["data"]["k"], two, "what is sent is what the file says");
    let described = bench.run("kubectl:describe secret key").await.ok().text.join("\n");
    assert!(!described.contains(two) && !described.contains("hunter"), "{described}");
    assert!(described.contains("10 bytes"), "{described}");
}

/// A number where a Secret wants a text, the commonest mistake with them: the server says what it got.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_got_in_a_secret_is_in_no_answer_and_no_journal() {
    let Some(bench) = twins().await else { return };
    let kinds = ["stringData: {pin: 271828}", "data: hunter2", "immutable: 'hunter2'"];
    for (field, expected) in kinds.into_iter().zip(["string", "map", "boolean"]) {
        let text = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: key}}\n{field}\n");
        let file = manifest(&text);
        let path = file.path().display();
        let (code, _, error) = bench
            .kubectl(&format!("apply --server-side -f {path} -n {OURS}"))
            .await
            .unwrap();
        let got = |text: &str| text.contains("271828") || text.contains("hunter2");
        assert!(code == 1 && got(&error), "the server tells it: {error}");
        for option in ["", " --dry-run=server"] {
            let ran = bench.run(&format!("kubectl:apply -f {path}{option}")).await;
            assert!(ran.message().contains(&format!("expected {expected}, got ")), "{ran:?}");
            let journal = bench.journal.entries(9).await.unwrap();
            let told = format!("{ran:?} {}", json!(journal));
            assert!(!got(&told), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refused_document_is_told_with_its_file_and_nothing_is_applied() {
    let Some(bench) = twins().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.yaml", MANY);
    write(
        "b.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\nfoo: 1\n",
    );
    write("c.yaml", "apiVersion: v1\nkind: Nope\nmetadata: {name: worse}\n");
    let ran = bench
        .run(&format!("kubectl:apply -f {}", folder.path().display()))
        .await;
    let report = ran.report.unwrap();
    for part in [
        "b.yaml (ConfigMap \"bad\"): ",
        "unknown field",
        "c.yaml (Nope \"worse\"): ",
        "no matches for kind",
    ] {
        assert!(report.message.contains(part), "{part}: {report:?}");
    }
    assert!(report.hint.unwrap().starts_with("nothing was changed: all 4 objects"));
    assert!(bench.plane.store.get("configmaps", OURS, "one").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_named_by_their_manifests() {
    let Some(bench) = twins().await else { return };
    let file = manifest(MANY);
    let path = file.path().display().to_string();
    for space in [THEIRS, OURS] {
        bench.run(&format!("kubectl:apply -f {path} -n {space}")).await.ok();
    }
    let lines = [
        "get -f FILE -o name",
        "get -f FILE -o jsonpath={.items[*].data.k}",
        "label -f FILE a=b",
        "get -f FILE one",
        "delete -f FILE",
        "delete -f FILE",
        "delete -f FILE --ignore-not-found",
        "get -f FILE",
    ]
    .map(|line| line.replace("FILE", &path));
    let plain = |found: Vec<String>| -> Vec<String> {
        let found = found.iter().map(|line| line.replace(" from default namespace", ""));
        // kubectl names the file where an object of it is missing.
        found
            .map(|line| {
                line.rsplit_once(": ")
                    .filter(|_| line.contains("not found"))
                    .map_or(line.clone(), |(_, rest)| rest.to_owned())
            })
            .collect()
    };
    all_same(&bench, &lines.each_ref().map(String::as_str), plain).await;
    assert!(bench.plane.store.get("configmaps", OURS, "one").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_objects_as_json_or_yaml_are_one_list() {
    let Some(bench) = twins().await else { return };
    for line in [
        "get deploy,rs -o json",
        "get deploy -o json",
        "get cronjobs -o json",
        "get deploy,rs -o yaml",
        "get deploy web web -o yaml",
    ] {
        let (code, out, error) = bench.kubectl(line).await.unwrap();
        let ran = bench.run(&format!("kubectl:{line}")).await.ok();
        assert_eq!((code, error.as_str(), ran.records.len()), (0, "", 1), "{line}: {ran:?}");
        // Text for text: the keys are in the same order too.
        match line.ends_with("yaml") {
            true => {
                let theirs: Value = serde_saphyr::from_str(&out).unwrap();
                assert_eq!(theirs.to_string(), ran.records[0].to_string(), "{line}");
            }
            false => assert_eq!(out.trim_end(), ran.text.concat().trim_end(), "{line}"),
        }
    }
    // Down a pipe they stay single objects.
    let piped = bench.run("kubectl:get deploy,rs -o json | count").await.ok();
    assert_eq!(piped.records, [json!(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_comes_without_a_line_break() {
    let Some(bench) = twins().await else { return };
    for line in [
        "get deploy web -o jsonpath={.metadata.name}",
        "get deploy -o jsonpath={.items[*].spec.replicas}",
        "get deploy web -o jsonpath={.metadata.name}{\"\\n\"}",
        "get deploy -o jsonpath-as-json={.items[*].metadata.labels}",
    ] {
        let (code, out, error) = bench.kubectl(line).await.unwrap();
        let ran = bench.run(&format!("kubectl:{}", super::quoted(line))).await.ok();
        let break_ = if line.contains("as-json") { "\n" } else { "" };
        let ours = format!("{}{break_}", ran.text.concat());
        assert_eq!((code, out, error), (0, ours, String::new()), "{line}");
    }
    same(
        &bench,
        "get deploy,rs --show-kind --no-headers -o custom-columns=N:.kind",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_name_is_no_name_for_any_verb() {
    let Some(bench) = twins().await else { return };
    for line in [
        "get pods",
        "describe deploy",
        "delete deploy",
        "label deploy",
        "annotate deploy",
    ] {
        let pair = match line.split(' ').next() {
            Some("label" | "annotate") => "a=b",
            _ => "",
        };
        let words: Vec<&str> = line
            .split(' ')
            .chain([""])
            .chain((!pair.is_empty()).then_some(pair))
            .collect();
        let (code, _, error) = bench.kubectl_words(&words).await.unwrap();
        assert!(
            code == 1 && error.contains("resource name may not be empty"),
            "{line}: {error}"
        );
    }
    bench.faults.forget();
    for line in [
        "get pods ''",
        "describe deploy ''",
        "delete deploy ''",
        "delete deploy web '' --ignore-not-found",
        "label deploy '' a=b",
        "annotate deploy '' a=b",
        "scale deploy '' --replicas=0",
        "set image deploy '' *=y",
        "set env deploy '' A=b",
        "set resources deploy '' --limits=cpu=1",
        "rollout restart deploy ''",
        "rollout undo deploy ''",
        "rollout status deploy ''",
        "edit deploy ''",
        "expose deploy '' --port=80",
        "cordon ''",
        "drain ''",
        "logs ''",
        "exec '' -- ls",
        "wait deploy '' --for=delete",
    ] {
        let ran = bench.run(&format!("kubectl:{line}")).await;
        assert!(
            ran.message().contains("resource name may not be empty"),
            "{line}: {ran:?}"
        );
    }
    // Nor does an empty selector mean all there are.
    let nameless = "resource(s) were provided, but no name was specified";
    for (line, message) in [
        ("delete deploy -l ''", nameless),
        ("scale deploy -l '' --replicas=0", nameless),
        ("label deploy -l '' a=b", nameless),
        ("drain -l ''", "a node must be named"),
    ] {
        let ran = bench.run(&format!("kubectl:{line}")).await;
        assert_eq!((ran.exit, ran.message().as_str()), (2, message), "{line}: {ran:?}");
    }
    for path in ["/deployments", "/pods", "/nodes"] {
        assert!(!bench.faults.saw(&[path]), "{path} was asked for");
    }
    assert!(bench.plane.store.get("deployments", OURS, "web").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_on_while_they_are_watched() {
    let Some(bench) = twins().await else { return };
    let line = "kubectl:events -w | jq 'select(.involvedObject.name == \"late\")' | head 1";
    bench.faults.forget();
    let (ran, made) = tokio::join!(bench.run(line), async {
        // What is there before the list is no news of the watch.
        eventually("the watch", async || bench.faults.saw(&["/events?", "watch=true"])).await;
        bench.kubectl("run late --image=x -n default").await.unwrap()
    });
    assert_eq!((ran.exit, made.0), (0, 0), "{ran:?}");
    assert_eq!(ran.records[0]["involvedObject"]["name"], "late");
    let listed = bench.run("kubectl:events -o json").await.ok();
    assert_eq!((listed.records.len(), &listed.records[0]["kind"]), (1, &json!("List")));
}
