//! What lets us in to the cluster: a service account whose token is replaced, a credential plugin that is asked again
//! before its credential ends, one that fails, and one that wants a person.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cogdeck::core::clock::Clock;
use cogdeck::core::context::{Context, KubeconfigSource};
use cogdeck::core::text::Secret;
use cogdeck::features::kubernetes::client::{Asking, Clients};
use cogdeck::features::kubernetes::feed::rows;
use cogdeck::features::kubernetes::model::PodRow;
use cogdeck::feed::{Health, HealthState, Hub, Source};
use cogdeck::sandbox::{Sandbox, SandboxConfig};
use jiff::Timestamp;

const PATIENCE: Duration = Duration::from_secs(30);

async fn world() -> Sandbox {
    let config = SandboxConfig {
        speed: 20.0,
        ..SandboxConfig::default()
    };
    Sandbox::start(config).await.unwrap()
}

fn context(kubeconfig: KubeconfigSource) -> Arc<Context> {
    let mut context = Context::empty("test");
    context.kubernetes.kubeconfig = kubeconfig;
    context.kubernetes.namespace = Some("kube-system".to_owned());
    Arc::new(context)
}

/// A context whose user is a plugin: a shell script.
fn by_plugin(sandbox: &Sandbox, script: &Path, mode: &str) -> Arc<Context> {
    let whole = sandbox.kubeconfig();
    let (clusters, users) = whole.split_once("users:").unwrap();
    let (_, contexts) = users.split_once("contexts:").unwrap();
    let script = script.display();
    let user = format!(
        "users:\n- name: sandbox\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      \
         command: /bin/sh\n      args: ['{script}']\n      interactiveMode: {mode}\n"
    );
    context(KubeconfigSource::Inline(Secret::new(format!(
        "{clusters}{user}contexts:{contexts}"
    ))))
}

/// What a plugin prints: a token and how long it lasts from now.
fn answer(token: &str, lasts: Duration) -> String {
    let ends = Timestamp::now() + lasts;
    format!(r#"{{"status":{{"token":"{token}","expirationTimestamp":"{ends}"}}}}"#)
}

async fn until(what: &str, source: &Arc<Source<PodRow>>, wanted: impl Fn(&Health) -> bool) {
    let begin = Instant::now();
    while !wanted(&source.health()) {
        assert!(
            begin.elapsed() < PATIENCE,
            "waited for {what}; it is {:?}",
            source.health()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_s_token_may_be_replaced() {
    let sandbox = world().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("ca.crt", sandbox.ca_pem());
    write("namespace", "kube-system");
    write("token", "an-old-one");
    let mut context = Context::empty("pod");
    context.kubernetes.kubeconfig = KubeconfigSource::InCluster {
        server: sandbox.kubernetes_url().to_owned(),
        folder: folder.path().to_owned(),
    };
    let context = Arc::new(context);
    let (hub, clients) = (Hub::new(Clock::real()), Clients::new());
    let feed = rows::<PodRow>(&hub, &clients, &context);
    until("login", feed.source(), |health| health.state == HealthState::Login).await;
    // With the line break that whoever writes it by hand leaves.
    write("token", &format!("{}\n", sandbox.token()));
    until("live", feed.source(), |health| health.state == HealthState::Live).await;
    let pods = feed.source().read(|rows, _| rows.len());
    assert_eq!(pods, sandbox.store().list("pods", Some("kube-system")).len());
    let session = clients.session(&context).await.unwrap();
    assert_eq!(session.namespace, "kube-system", "the service account's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_asked_for_the_next_credential_before_the_last_one_ends() {
    let sandbox = world().await;
    let folder = tempfile::tempdir().unwrap();
    let (script, log) = (folder.path().join("plugin.sh"), folder.path().join("log"));
    let says = |lasts: Duration| {
        let text = format!(
            "echo x >> {}\necho '{}'\n",
            log.display(),
            answer(sandbox.token(), lasts)
        );
        std::fs::write(&script, text).unwrap();
    };
    let asked = || std::fs::read_to_string(&log).unwrap().lines().count();
    says(Duration::from_secs(4));
    let context = by_plugin(&sandbox, &script, "Never");
    let clients = Clients::new();
    let first = clients.session(&context).await.unwrap();
    first.cluster.discovery().await.unwrap();
    let client = || first.cluster.connection().pass();
    let before = client();
    assert_eq!(asked(), 1);
    // A quarter of its time before the end the next one is fetched, which lasts long.
    says(Duration::from_secs(3600));
    let begin = Instant::now();
    while asked() == 1 {
        assert!(begin.elapsed() < Duration::from_secs(4), "not asked before the end");
        clients.session(&context).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..10 {
        clients.session(&context).await.unwrap();
    }
    assert_eq!(asked(), 2);
    let next = clients.session(&context).await.unwrap();
    assert!(
        Arc::ptr_eq(&first.cluster, &next.cluster) && client() == before,
        "the same token needs no other connection"
    );
    assert!(next.cluster.credential_ends().unwrap() > Timestamp::now() + Duration::from_secs(3000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_cannot_be_renewed_is_told_before_it_ends() {
    let sandbox = world().await;
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("plugin.sh");
    let works = format!("echo '{}'\n", answer(sandbox.token(), Duration::from_secs(26)));
    std::fs::write(&script, works).unwrap();
    let context = by_plugin(&sandbox, &script, "IfAvailable");
    let (hub, clients) = (Hub::new(Clock::real()), Clients::new());
    let feed = rows::<PodRow>(&hub, &clients, &context);
    until("live", feed.source(), |health| health.state == HealthState::Live).await;
    std::fs::write(&script, "echo 'the session is over' >&2\nexit 1\n").unwrap();
    // Three quarters of 26 seconds are over when the first watch ends, after 20.
    let begin = Instant::now();
    while feed.source().health().login_ends.is_none() {
        assert!(
            begin.elapsed() < Duration::from_secs(25),
            "{:?}",
            feed.source().health()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let health = feed.source().health();
    let (_, reason) = health.login_ends.unwrap();
    assert_eq!(
        (health.state, health.reason),
        (HealthState::Live, None),
        "the rows are right still"
    );
    assert!(reason.as_str().contains("the session is over"), "{reason}");
    // Somebody logs in: the warning goes.
    let works = format!("echo '{}'\n", answer(sandbox.token(), Duration::from_secs(3600)));
    std::fs::write(&script, works).unwrap();
    let begin = Instant::now();
    clients
        .login(&context)
        .await
        .unwrap()
        .run(Asking::Nobody)
        .await
        .unwrap();
    until("no warning", feed.source(), |health| health.login_ends.is_none()).await;
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "not only when its watch ends"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_must_ask_shows_login_and_everything_goes_on_after_it() {
    let sandbox = world().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (script, log, allowed) = (path("plugin.sh"), path("log"), path("allowed"));
    let token = answer(sandbox.token(), Duration::from_secs(3600));
    // It lets in whoever comes when it is allowed, once.
    let text = format!(
        "echo x >> {}\nrm {} 2>/dev/null || {{ echo 'who are you?' >&2; exit 1; }}\necho '{token}'\n",
        log.display(),
        allowed.display()
    );
    std::fs::write(&script, text).unwrap();
    let runs = || std::fs::read_to_string(&log).unwrap().lines().count();
    let context = by_plugin(&sandbox, &script, "IfAvailable");
    let (hub, clients) = (Hub::new(Clock::real()), Clients::new());
    let begin = Instant::now();
    let feed = rows::<PodRow>(&hub, &clients, &context);
    until("login", feed.source(), |health| health.state == HealthState::Login).await;
    let reason = feed.source().health().reason.unwrap();
    assert!(
        reason.as_str().contains("who are you?") && reason.as_str().contains("kubectl:login"),
        "{reason}"
    );
    // The feed looks again several times, and the plugin is not run for it.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let alone = 1 + usize::try_from(begin.elapsed().as_secs() / 10).unwrap();
    assert!(runs() <= alone, "run {} times", runs());
    let login = clients.login(&context).await.unwrap();
    std::fs::write(&allowed, "").unwrap();
    login.run(Asking::Nobody).await.unwrap();
    assert!(!allowed.exists(), "it was the login's run that let us in");
    let (begin, before) = (Instant::now(), runs());
    until("live", feed.source(), |health| health.state == HealthState::Live).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(runs(), before, "the feed goes on with what the login brought");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verb_that_is_refused_reads_the_kubeconfig_again_for_the_next_one() {
    let sandbox = world().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let good = sandbox.kubeconfig();
    std::fs::write(&file, good.replace(sandbox.token(), "an-old-one")).unwrap();
    let (clients, context) = (Clients::new(), context(KubeconfigSource::Files(vec![file.clone()])));
    let session = clients.session(&context).await.unwrap();
    let asked = async || session.cluster.get::<serde_json::Value>("/api/v1/namespaces").await;
    let refused = asked().await.unwrap_err();
    assert_eq!(session.cluster.report(&refused).code, "E-KUBE-401");
    std::fs::write(&file, good).unwrap();
    // The same session: a verb that goes on for long has no other.
    assert!(asked().await.unwrap()["items"].is_array());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_whose_credential_is_refused_is_not_run_every_second() {
    let sandbox = world().await;
    let folder = tempfile::tempdir().unwrap();
    let (script, log) = (folder.path().join("plugin.sh"), folder.path().join("log"));
    let wrong = answer("not-the-token", Duration::from_secs(3600));
    std::fs::write(&script, format!("echo x >> {}\necho '{wrong}'\n", log.display())).unwrap();
    let context = by_plugin(&sandbox, &script, "Never");
    let (hub, clients) = (Hub::new(Clock::real()), Clients::new());
    let feed = rows::<PodRow>(&hub, &clients, &context);
    let refused = |health: &Health| {
        let reason = health.reason.as_ref().map_or("", |reason| reason.as_str());
        health.state == HealthState::Login && reason.contains("refuses what the credential plugin gives")
    };
    until("the refusal", feed.source(), refused).await;
    let asked = || std::fs::read_to_string(&log).unwrap().lines().count();
    let (begin, first) = (Instant::now(), asked());
    while begin.elapsed() < Duration::from_secs(4) {
        assert!(asked() <= first + 1, "asked {} times", asked());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_token_that_tells_its_end_is_looked_for_again_and_its_end_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let write = |lasts: Duration| {
        let claims = format!(r#"{{"exp":{}}}"#, (Timestamp::now() + lasts).as_second());
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: c\n  cluster: {{server: 'https://127.0.0.1:1'}}\n\
             users:\n- name: u\n  user: {{token: {token}}}\ncontexts:\n- name: c\n  context: {{cluster: c, user: u}}\n"
        );
        std::fs::write(&file, text).unwrap();
    };
    write(Duration::from_secs(8));
    let context = context(KubeconfigSource::Files(vec![file.clone()]));
    let clients = Clients::new();
    let begin = Instant::now();
    let first = clients.session(&context).await.unwrap().cluster;
    assert!(first.expiring().is_none());
    while first.expiring().is_none() {
        assert!(begin.elapsed() < Duration::from_secs(8), "nobody told");
        clients.session(&context).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (_, reason) = first.expiring().unwrap();
    assert_eq!(reason.as_str(), "nobody has put a newer token in its place");
    // Somebody does: the next look after the end at the latest finds it.
    write(Duration::from_secs(3600));
    while first.expiring().is_some() || first.credential_ends().unwrap() < Timestamp::now() {
        assert!(begin.elapsed() < PATIENCE, "the new token was not read");
        clients.session(&context).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
