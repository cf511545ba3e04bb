//! The way to the API server: one client per kubeconfig and kube context, opened at first use and shared by verbs,
//! feeds and completers. Not for what is asked: paths and bodies are the callers'.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

pub use super::cluster::{Cluster, JSON, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, TABLE};
use super::connection::{Connection, Pass, Turn};
pub use super::credential::Asking;
use super::kubeconfig::Triple;
use super::rights::{Need, Rights};
use super::verbs::common::Remembered;
use super::way::Way;
use crate::core::context::{Context, KubeconfigSource};
use crate::core::report::Report;
use crate::core::text::{SafeText, Secret};
use crate::verb::Call;

/// The variables that the layers of the bundle's configuration set, for a room. Asked for every session of a context
/// whose cluster they may name.
pub type Variables =
    Arc<dyn Fn(Option<String>) -> BoxFuture<'static, Result<BTreeMap<String, Secret>, Report>> + Send + Sync>;

/// What a user may do, and by which credential that was asked.
type Told = (Option<Pass>, Arc<Rights>);

/// All clients of this process.
#[derive(Default)]
pub struct Clients {
    /// By what leads to the cluster, whatever its token; a namespace is not worth a connection of its own.
    open: Mutex<HashMap<Way, Arc<Cluster>>>,
    variables: Option<Variables>,
    logins: watch::Sender<u64>,
    /// What the users of contexts may do, as it was told last, and to whom.
    rights: Mutex<HashMap<Arc<Context>, Told>>,
    /// Held by who asks for that: one question serves all panels.
    reviewing: tokio::sync::Mutex<()>,
    /// Where the calls that plan a change found what they change.
    planned: Remembered<Session>,
}

/// A cluster together with the namespace a call means when it names none.
#[derive(Clone)]
pub struct Session {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// The namespace of the context.
    pub namespace: String,
}

impl Session {
    fn of(cluster: Arc<Cluster>, context: &Context) -> Session {
        let own = context.kubernetes.namespace.clone();
        Session {
            namespace: own.unwrap_or_else(|| cluster.connection().namespace().to_owned()),
            cluster,
        }
    }

    /// Whether it is another cluster or namespace than this one. A renewed credential is no other cluster.
    pub fn is_elsewhere(&self, other: &Session) -> bool {
        !Arc::ptr_eq(&self.cluster, &other.cluster) || self.namespace != other.namespace
    }
}

/// A login whose turn it is: nobody else asks the credential plugin meanwhile.
pub struct Login {
    clients: Arc<Clients>,
    context: Context,
    way: Way,
    cluster: Arc<Cluster>,
    turn: Turn,
}

impl Login {
    /// Whether a credential plugin is asked that may want to ask somebody.
    pub async fn may_ask(&self) -> Result<bool, Report> {
        self.cluster.connection().may_ask().await
    }

    /// Opens the cluster of the context anew. What waits for a login goes on at once. With [`Asking::Person`] the
    /// terminal must have been lent to its credential plugin.
    pub async fn run(self, asking: Asking) -> Result<Session, Report> {
        let mut cluster = self.cluster;
        if let Some(other) = cluster.connection().again(self.turn, asking).await? {
            cluster = Arc::new(Cluster::new(other));
            held(&self.clients.open).insert(self.way, cluster.clone());
        }
        // Somebody else may have logged in.
        held(&self.clients.rights).clear();
        self.clients.logins.send_modify(|count| *count += 1);
        Ok(Session::of(cluster, &self.context))
    }
}

impl Clients {
    /// No open connections.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// No open connections; the bundle's configuration may name a cluster.
    pub fn configured(variables: Variables) -> Arc<Self> {
        Arc::new(Clients {
            variables: Some(variables),
            ..Self::default()
        })
    }

    /// The cluster of a context, opened when it is not open yet. It stays the same cluster and namespace whatever becomes
    /// of the kubeconfig; another one only where the bundle's configuration names another server, or after a login.
    pub async fn session(&self, context: &Context) -> Result<Session, Report> {
        let cluster = self.cluster(self.way(context).await?);
        cluster.connection().client().await?;
        Ok(Session::of(cluster, context))
    }

    /// The session that a call plans its change with: the same one for every plan of it, and for [`Clients::planned`].
    pub async fn planning(&self, call: &Call) -> Result<Session, Report> {
        if let Some(session) = self.planned.get(call, &call.context.name) {
            return Ok(session);
        }
        let session = self.session(&call.context).await?;
        self.planned.keep(call, &call.context.name, session.clone());
        Ok(session)
    }

    /// The session that a call planned with: what was approved is about that cluster, whatever was configured since.
    pub async fn planned(&self, call: &Call) -> Result<Session, Report> {
        match self.planned.get(call, &call.context.name) {
            Some(session) => Ok(session),
            None => self.session(&call.context).await,
        }
    }

    /// Waits until it is this login's turn: a credential plugin may be running.
    pub async fn login(self: &Arc<Self>, context: &Context) -> Result<Login, Report> {
        let way = self.way(context).await?;
        let cluster = self.cluster(way.clone());
        Ok(Login {
            turn: cluster.connection().turn().await,
            clients: self.clone(),
            context: context.clone(),
            way: way.without_token(),
            cluster,
        })
    }

    /// Which right is missing for something in a session's namespace; none: it is allowed, or nobody knows. Asked of
    /// the server where what it told last is old.
    pub async fn missing(&self, context: &Arc<Context>, session: &Session, need: &Need<'_>) -> Option<SafeText> {
        let is_old = |rights: &Rights| rights.is_old(Timestamp::now(), need);
        self.rights(context, session, is_old).await.missing(need)
    }

    /// Which right is missing for something, as far as the server told lately. Asks only beside this, for the next time:
    /// a right may be granted at any moment.
    pub fn denied(self: &Arc<Self>, context: &Arc<Context>, need: &Need<'_>) -> Option<SafeText> {
        let (_, rights) = held(&self.rights).get(context).cloned()?;
        let missing = rights.missing(need)?;
        let now = Timestamp::now();
        if rights.is_old(now, need)
            && self.reviewing.try_lock().is_ok()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (clients, context) = (self.clone(), context.clone());
            runtime.spawn(async move {
                if let Ok(session) = clients.session(&context).await {
                    let is_older = |rights: &Rights| rights.is_older_than(now);
                    clients.rights(&context, &session, is_older).await;
                }
            });
        }
        (!rights.is_past(now)).then_some(missing)
    }

    /// What the user may do, asked of the server where what it told last is old, or was told to somebody else.
    async fn rights(&self, context: &Arc<Context>, session: &Session, is_old: impl Fn(&Rights) -> bool) -> Arc<Rights> {
        let pass = || session.cluster.connection().pass();
        let known = || {
            let (told, rights) = held(&self.rights).get(context).cloned()?;
            (told == pass() && !is_old(&rights)).then_some(rights)
        };
        if let Some(rights) = known() {
            return rights;
        }
        let _reviewing = self.reviewing.lock().await;
        if let Some(rights) = known() {
            return rights;
        }
        let asked = pass();
        let rights = Arc::new(Rights::ask(&session.cluster, &session.namespace).await);
        held(&self.rights).insert(context.clone(), (asked, rights.clone()));
        rights
    }

    /// Wakes after each login.
    pub fn logins(&self) -> watch::Receiver<u64> {
        self.logins.subscribe()
    }

    /// Whether anything names a cluster for a context: a kubeconfig, or the layers of the bundle's configuration. Asks
    /// no server.
    pub async fn names_a_cluster(&self, context: &Context) -> bool {
        let way = self.way(context).await;
        way.is_ok_and(|way| way.triple.is_some() || way.kubeconfig != KubeconfigSource::None)
    }

    async fn way(&self, context: &Context) -> Result<Way, Report> {
        let target = &context.kubernetes;
        let triple = match &self.variables {
            Some(variables) if target.configurable && !context.closed => {
                Triple::of(&variables(context.room.clone()).await?)?
            }
            _ => None,
        };
        Ok(Way {
            kubeconfig: target.kubeconfig.clone(),
            kube_context: target.kube_context.clone(),
            room: context.room.clone().filter(|_| triple.is_some()),
            triple,
            https_proxy: target.https_proxy.clone(),
            no_proxy: context.no_proxy.clone(),
        })
    }

    fn cluster(&self, way: Way) -> Arc<Cluster> {
        let mut open = held(&self.open);
        let cluster = open
            .entry(way.clone().without_token())
            .or_insert_with(|| Arc::new(Cluster::new(Connection::new(way.clone()))))
            .clone();
        drop(open);
        cluster.connection().goes(way);
        cluster
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::super::error;
    use super::*;

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
            let user = format!(
                "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: ['{}']}}}}",
                script.display()
            );
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
            let contexts = ["c", "d"]
                .map(|c| format!("{{name: {c}, context: {{cluster: {c}, user: u, namespace: {namespace}}}}}"));
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
        let user = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: ['{}']}}}}",
            script.display()
        );
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
        let user = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: ['{}']}}}}",
            script.display()
        );
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
    async fn a_broken_kubeconfig_and_a_missing_file_are_named() {
        let broken = KubeconfigSource::Inline(Secret::new("a: [b"));
        assert_eq!(
            Clients::new().session(&context(broken)).await.err().unwrap().code,
            error::KUBECONFIG
        );
        let missing = KubeconfigSource::Files(vec!["/does/not/exist".into()]);
        let report = Clients::new().session(&context(missing)).await.err().unwrap();
        assert!(report.message.contains("/does/not/exist"), "{report}");
    }
}
