//! Sessions on clusters: who shares one, whose credential is whose, and what cannot be used.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::features::kubernetes::error;

fn context(source: KubeconfigSource) -> Context {
    let mut context = Context::empty("test");
    context.kubernetes.kubeconfig = source;
    context
}

fn kubeconfig(user: &str, server: &str) -> KubeconfigSource {
    KubeconfigSource::Inline(Secret::new(format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: u, user: {user}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u, namespace: team}}}}]\n"
    )))
}

/// A user who is whom this script says.
fn plugin(script: &Path) -> String {
    let script = script.display();
    format!("{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: ['{script}']}}}}")
}

#[tokio::test]
async fn nothing_configured_says_what_to_do() {
    let report = Clients::new()
        .session(&context(KubeconfigSource::None))
        .await
        .err()
        .unwrap();
    assert_eq!(report.code, error::NOT_CONFIGURED);
    assert!(report.hint.unwrap().contains("cogdeck --sandbox"));
}

#[tokio::test]
async fn a_broken_kubeconfig_is_named_and_not_quoted() {
    let text = "apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user: {token: s3cret\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, text).unwrap();
    for source in [
        KubeconfigSource::Inline(Secret::new("a: [b # s3cret")),
        KubeconfigSource::Inline(Secret::new(text.to_owned())),
        KubeconfigSource::Files(vec![file]),
    ] {
        let report = Clients::new().session(&context(source)).await.err().unwrap();
        assert_eq!(report.code, error::KUBECONFIG);
        let told = format!("{report:?}");
        assert!(told.contains("line") && !told.contains("s3cret"), "{told}");
    }
}

#[tokio::test]
async fn a_plugin_is_asked_once_and_again_when_its_token_ends() {
    let folder = tempfile::tempdir().unwrap();
    let asked = async |expires: &str, lines: usize| {
        let log = folder.path().join(expires);
        let answer = format!(r#"{{"status":{{"token":"t","expirationTimestamp":"{expires}T00:00:00Z"}}}}"#);
        let script = folder.path().join(format!("{expires}.sh"));
        std::fs::write(&script, format!("echo x >> {}\necho '{answer}'\n", log.display())).unwrap();
        let user = plugin(&script);
        let (clients, context) = (Clients::new(), context(kubeconfig(&user, "https://127.0.0.1:1")));
        for _ in 0..2 {
            clients.session(&context).await.unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(log).unwrap().lines().count(),
            lines,
            "{expires}"
        );
    };
    asked("2999-01-01", 1).await;
    asked("2001-01-01", 2).await;
}

#[tokio::test]
async fn the_context_s_namespace_wins_over_the_kubeconfig_s() {
    let clients = Clients::new();
    let mut context = context(kubeconfig("{token: t}", "https://127.0.0.1:1"));
    let first = clients.session(&context).await.unwrap();
    assert_eq!(first.namespace, "team");
    context.kubernetes.namespace = Some("other".into());
    let second = clients.session(&context).await.unwrap();
    assert_eq!(second.namespace, "other");
    assert!(
        Arc::ptr_eq(&first.cluster, &second.cluster),
        "a namespace opens no second client"
    );
}

#[tokio::test]
async fn an_open_session_stays_where_it_was_opened_until_somebody_logs_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    // The context in use, its namespace, the path on a host that several clusters share, and a token that has ended.
    let write = |current: &str, namespace: &str, path: &str| {
        let clusters = ["c", "d"].map(|c| {
            let path = if c == "d" { "other" } else { path };
            format!("{{name: {c}, cluster: {{server: 'https://127.0.0.1:1/{path}'}}}}")
        });
        let contexts =
            ["c", "d"].map(|c| format!("{{name: {c}, context: {{cluster: {c}, user: u, namespace: {namespace}}}}}"));
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {current}\nclusters: [{}]\ncontexts: [{}]\nusers: [{{name: u, \
             user: {{token: e30.eyJleHAiOjF9.c2ln}}}}]\n",
            clusters.join(", "),
            contexts.join(", ")
        );
        std::fs::write(&file, text).unwrap();
    };
    write("c", "dev", "one");
    let (clients, context) = (Clients::new(), context(KubeconfigSource::Files(vec![file.clone()])));
    let first = clients.session(&context).await.unwrap();
    write("d", "prod", "one");
    let second = clients.session(&context).await.unwrap();
    assert!(!second.is_elsewhere(&first) && second.namespace == "dev");
    write("d", "prod", "two");
    let refused = clients.session(&context).await.err().unwrap();
    assert_eq!(
        refused.message,
        "the kube context c leads to https://127.0.0.1:1/two now, and what is open here leads to https://127.0.0.1:1/one"
    );
    let login = clients.login(&context).await.unwrap();
    let moved = login.run(Asking::Nobody).await.unwrap();
    assert!(moved.is_elsewhere(&first) && moved.namespace == "dev");
    assert!(!clients.session(&context).await.unwrap().is_elsewhere(&moved));
    assert!(
        first
            .cluster
            .discovery()
            .await
            .err()
            .unwrap()
            .message
            .contains("/two now")
    );
}

#[tokio::test]
async fn a_plugin_that_fails_is_run_once_for_all_who_wait_and_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let (script, log) = (folder.path().join("plugin.sh"), folder.path().join("log"));
    let text = format!(
        "echo x >> {}\nsleep 0.3\necho 'who are you?' >&2\nexit 1\n",
        log.display()
    );
    std::fs::write(&script, text).unwrap();
    let user = plugin(&script);
    let (clients, context) = (Clients::new(), context(kubeconfig(&user, "https://127.0.0.1:1")));
    let waiting = (0..6).map(|_| clients.session(&context));
    let found = futures::future::join_all(waiting).await;
    assert!(
        found
            .into_iter()
            .all(|one| one.err().unwrap().message.contains("who are you?"))
    );
    assert_eq!(clients.session(&context).await.err().unwrap().code, error::LOGIN);
    let runs = || std::fs::read_to_string(&log).unwrap().lines().count();
    assert_eq!(runs(), 1);
    clients
        .login(&context)
        .await
        .unwrap()
        .run(Asking::Nobody)
        .await
        .err()
        .unwrap();
    assert_eq!(runs(), 2, "a login waits for nothing");
}

#[tokio::test]
async fn who_is_impatient_does_not_end_the_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("plugin.sh");
    std::fs::write(&script, "sleep 0.5\necho '{\"status\":{\"token\":\"t\"}}'\n").unwrap();
    let user = plugin(&script);
    let (clients, context) = (Clients::new(), context(kubeconfig(&user, "https://127.0.0.1:1")));
    let begin = std::time::Instant::now();
    while tokio::time::timeout(std::time::Duration::from_millis(50), clients.session(&context))
        .await
        .is_err()
    {
        assert!(begin.elapsed() < std::time::Duration::from_secs(20), "it never answers");
    }
}

/// Clients of what the test's layers name: server and token, by room.
fn layered(told: impl Fn(Option<&str>) -> (&'static str, &'static str) + Send + Sync + 'static) -> Arc<Clients> {
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    let pem = STANDARD.encode(authority.pem());
    Clients::configured(Arc::new(move |room: Option<String>| {
        let (server, token) = told(room.as_deref());
        let set = [
            ("KUBERNETES_SERVER", server),
            ("KUBERNETES_TOKEN", token),
            ("KUBERNETES_CERT", pem.as_str()),
        ];
        let set = set.map(|(name, value)| (name.to_owned(), Secret::new(value)));
        Box::pin(async move { Ok(BTreeMap::from(set)) })
    }))
}

#[tokio::test]
async fn two_rooms_are_two_users_of_one_cluster() {
    let clients = layered(|room| ("https://127.0.0.1:1", if room == Some("ops") { "ops" } else { "dev" }));
    let mut dev = context(KubeconfigSource::None);
    dev.kubernetes.configurable = true;
    dev.room = Some("dev".into());
    let ops = Context {
        room: Some("ops".into()),
        ..dev.clone()
    };
    let first = clients.session(&dev).await.unwrap();
    let pass = first.cluster.connection().pass();
    let second = clients.session(&ops).await.unwrap();
    assert!(second.is_elsewhere(&first));
    assert!(
        first.cluster.connection().pass() == pass,
        "the first one stays who he is"
    );
}

#[tokio::test]
async fn a_token_that_is_set_anew_is_no_other_cluster_and_another_server_is_one() {
    let variables = Arc::new(Mutex::new(("https://127.0.0.1:1", "one")));
    let told = variables.clone();
    let clients = layered(move |_| *held(&told));
    let mut context = context(KubeconfigSource::None);
    context.kubernetes.configurable = true;
    let first = clients.session(&context).await.unwrap();
    let pass = first.cluster.connection().pass();
    *held(&variables) = ("https://127.0.0.1:1", "two");
    let second = clients.session(&context).await.unwrap();
    assert!(!second.is_elsewhere(&first));
    assert!(first.cluster.connection().pass() != pass, "another credential");
    assert_eq!(held(&clients.open).len(), 1);
    // What was planned there is applied there, whatever is set meanwhile.
    let mut call = crate::features::kubernetes::verbs::testing::call(&[], serde_json::json!({}));
    call.context = Arc::new(context.clone());
    let plan = clients.planning(&call).await.unwrap();
    *held(&variables) = ("https://127.0.0.1:2", "two");
    assert!(clients.session(&context).await.unwrap().is_elsewhere(&first));
    assert!(!clients.planned(&call).await.unwrap().is_elsewhere(&plan));
    assert!(!clients.planning(&call).await.unwrap().is_elsewhere(&plan));
}

#[tokio::test]
async fn a_refused_connection_has_kubectl_s_words() {
    let clients = Clients::new();
    let session = clients
        .session(&context(kubeconfig("{token: t}", "http://127.0.0.1:1")))
        .await
        .unwrap();
    let report = session.cluster.discovery().await.err().unwrap();
    assert_eq!(
        report.message,
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?"
    );
}

#[tokio::test]
async fn a_missing_kubeconfig_is_named() {
    let missing = KubeconfigSource::Files(vec!["/does/not/exist".into()]);
    let report = Clients::new().session(&context(missing)).await.err().unwrap();
    assert!(report.message.contains("/does/not/exist"), "{report}");
}
