//! The connection to one cluster: which cluster and namespace that is, settled when it is opened first, and the
//! credential that lets us in, which is renewed before it ends and asked for anew when the server refuses it. A
//! credential plugin is run by one at a time, until it has answered: nobody's impatience ends it, and its failure counts
//! for all who wait. Not for what is asked of the cluster.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use http::Uri;
use jiff::Timestamp;
use kube::config::ExecInteractiveMode;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::credential::{self, Asking, Lease, Obtained};
use super::error::{self, Ended};
use super::way::{self, Configuration, Way};
use crate::core::report::Report;
use crate::core::text::SafeText;

/// How long a connection may take to come about; longer means the server is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A credential that could not be renewed, and a plugin that failed, are tried again after this time.
const RETRY: Duration = Duration::from_secs(10);
/// So long what is asked for waits for a renewal of a credential that still counts.
const WAIT: Duration = Duration::from_secs(2);
/// A plugin whose credentials the server refused is asked again after this time.
const REFUSED: Duration = Duration::from_secs(10);

/// The connection to one cluster.
pub struct Connection {
    way: Mutex<Way>,
    kept: OnceLock<Kept>,
    url: OnceLock<Uri>,
    state: Mutex<State>,
    /// Held by who asks for a credential: a plugin runs once, however many wait for it.
    busy: Arc<tokio::sync::Mutex<()>>,
}

/// What was read at the first opening and stays, whatever the kubeconfig says later: somebody who changes it elsewhere
/// must not move what runs here.
#[derive(Clone)]
struct Kept {
    context: String,
    namespace: String,
}

#[derive(Default)]
struct State {
    link: Option<Link>,
    /// When the server refused a plugin's credential last, and whether it had done so just before.
    refused: Option<(Timestamp, bool)>,
    failed: Option<Failed>,
}

/// Tells one credential of a connection from the next.
#[derive(Clone)]
pub struct Pass(Arc<()>);

impl PartialEq for Pass {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A client with its credential.
#[derive(Clone)]
struct Link {
    client: kube::Client,
    pass: Pass,
    shape: Shape,
    /// The kubeconfig's name of the user.
    user: String,
    obtained: Obtained,
    lease: Lease,
    /// Why there is no next credential.
    trouble: Option<SafeText>,
    /// The server refused it, or another one was set: the next use asks for another.
    spent: bool,
}

/// What of the configuration a client is built with, besides the credential.
#[derive(Clone, PartialEq)]
struct Shape {
    authorities: Option<Vec<Vec<u8>>>,
    accepts_all: bool,
    name: Option<String>,
    proxy: Option<Uri>,
    /// Whom it acts as: name, unique id, groups, whatever else.
    acts_as: (Option<String>, Option<String>, Option<Vec<String>>, Extra),
}

/// What else is said about somebody: values by their field.
type Extra = Option<HashMap<String, Vec<String>>>;

impl Shape {
    fn of(config: &kube::Config) -> Shape {
        let auth = config.auth_info.clone();
        Shape {
            authorities: config.root_cert.clone(),
            accepts_all: config.accept_invalid_certs,
            name: config.tls_server_name.clone(),
            proxy: config.proxy_url.clone(),
            acts_as: (
                auth.impersonate,
                auth.impersonate_uid,
                auth.impersonate_groups,
                auth.impersonate_user_extra,
            ),
        }
    }
}

impl Link {
    fn counts(&self, now: Timestamp) -> bool {
        !self.spent && !self.lease.is_over(now)
    }
}

/// An opening that failed.
#[derive(Clone)]
struct Failed {
    at: Timestamp,
    report: Report,
    /// So long it is everybody's answer.
    lasts: Duration,
}

impl From<Report> for Failed {
    fn from(report: Report) -> Self {
        Failed {
            at: Timestamp::now(),
            report,
            lasts: Duration::ZERO,
        }
    }
}

impl State {
    /// Refuses to ask for a credential: who waited for one that was refused meanwhile has the answer; and neither a
    /// plugin that fails nor one whose credentials the server refuses is run every second.
    fn patient(&self, began: Timestamp, now: Timestamp) -> Result<(), Report> {
        if let Some(failed) = &self.failed
            && (failed.at >= began || failed.at + failed.lasts > now)
        {
            return Err(failed.report.clone());
        }
        match self.refused {
            Some((at, true)) if at + REFUSED > now => Err(Report::failed(
                error::LOGIN,
                "the server refuses what the credential plugin gives (Unauthorized)",
            )
            .hint("kubectl:login asks the plugin with the terminal lent to it")),
            _ => Ok(()),
        }
    }
}

/// A turn to ask for a credential: nobody else does while it lasts.
pub type Turn = OwnedMutexGuard<()>;

impl Connection {
    /// One that goes this way, not opened yet.
    pub fn new(way: Way) -> Connection {
        Connection {
            way: Mutex::new(way),
            kept: OnceLock::new(),
            url: OnceLock::new(),
            state: Mutex::default(),
            busy: Arc::default(),
        }
    }

    /// The way as it is known now: the token in it may be another one.
    pub fn goes(&self, way: Way) {
        let mut known = held(&self.way);
        if *known == way {
            return;
        }
        *known = way;
        drop(known);
        let mut state = self.state();
        state.failed = None;
        if let Some(link) = &mut state.link {
            link.spent = true;
        }
    }

    /// The namespace of its kube context, as it was at the first opening; empty before that.
    pub fn namespace(&self) -> &str {
        self.kept.get().map_or("", |kept| &kept.namespace)
    }

    /// Host and port of the server; empty before the first opening.
    pub fn server(&self) -> &str {
        let authority = self.url.get().and_then(Uri::authority);
        authority.map_or("", |authority| authority.as_str())
    }

    /// The proxy in between, without who asks: that may be a password.
    pub fn proxy(&self) -> Option<String> {
        let state = self.state();
        let proxy = state.link.as_ref()?.shape.proxy.as_ref()?.authority()?;
        proxy.as_str().rsplit('@').next().map(str::to_owned)
    }

    /// Which credential is used now; none before the first opening.
    pub fn pass(&self) -> Option<Pass> {
        self.state().link.as_ref().map(|link| link.pass.clone())
    }

    /// Until when the credential counts.
    pub fn lease(&self) -> Lease {
        self.state()
            .link
            .as_ref()
            .map(|link| link.lease.clone())
            .unwrap_or_default()
    }

    /// When the credential ends, and why there is no next one yet; none: it does not end, or was not tried to be
    /// renewed in vain.
    pub fn expiring(&self) -> Option<(Timestamp, SafeText)> {
        let state = self.state();
        let link = state.link.as_ref()?;
        link.lease.ends.zip(link.trouble.clone())
    }

    /// The client certificate that lets us in no more, where that is all there is.
    pub fn ended(&self) -> Option<Ended> {
        let state = self.state();
        let link = state.link.as_ref()?;
        let at = link.obtained.certificate?.ends;
        (at <= Timestamp::now()).then(|| Ended {
            user: link.user.clone(),
            at,
            plugin: link.obtained.plugin,
        })
    }

    /// A client whose credential counts, opened or renewed where that is due.
    pub async fn client(self: &Arc<Self>) -> Result<(kube::Client, Pass), Report> {
        let began = Timestamp::now();
        let present = self.state().link.clone().filter(|link| link.counts(began));
        let link = match present {
            Some(link) if !link.lease.is_due(began) => link,
            Some(link) => self.renewed(link).await,
            None => self.opened(began).await?,
        };
        Ok((link.client, link.pass))
    }

    /// The server refused this credential: the next use asks for another. Where that was done already, the newer one
    /// stays.
    pub fn refused(&self, pass: &Pass) {
        let mut state = self.state();
        let Some(link) = state.link.as_mut().filter(|link| link.pass == *pass && !link.spent) else {
            return;
        };
        link.spent = true;
        if link.obtained.plugin {
            // The first time the plugin is asked at once for another; were that refused too, after a while.
            let now = Timestamp::now();
            state.refused = Some((now, state.refused.is_some_and(|(at, _)| at + 2 * REFUSED > now)));
        }
    }

    /// Whether its credential comes from a plugin that may want to ask somebody.
    pub async fn may_ask(&self) -> Result<bool, Report> {
        let plugin = self.config().await?.config.auth_info.exec;
        Ok(plugin.is_some_and(|plugin| plugin.interactive_mode != Some(ExecInteractiveMode::Never)))
    }

    /// Waits until nobody asks for a credential.
    pub async fn turn(&self) -> Turn {
        self.busy.clone().lock_owned().await
    }

    /// Opens it anew, whatever was before: somebody logs in. Where the kubeconfig leads to another server by now, this
    /// stays what it was, and the connection to that one is the answer.
    pub async fn again(&self, turn: Turn, asking: Asking) -> Result<Option<Connection>, Report> {
        let next = Connection::new(held(&self.way).clone());
        if let Some(kept) = self.kept.get() {
            next.keep(kept.clone());
        }
        let link = next.open(asking).await?;
        if let (Some(known), Some(found)) = (self.url.get(), next.url.get())
            && known != found
        {
            return Ok(Some(next));
        }
        if let (Some(kept), Some(url)) = (next.kept.get(), next.url.get()) {
            self.keep(kept.clone());
            self.settle(url.clone());
        }
        *self.state() = State {
            link: Some(link),
            ..State::default()
        };
        drop(turn);
        Ok(None)
    }

    fn keep(&self, kept: Kept) {
        self.kept.get_or_init(|| kept);
    }

    fn settle(&self, url: Uri) {
        self.url.get_or_init(|| url);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        held(&self.state)
    }

    /// The client's configuration, read anew.
    async fn config(&self) -> Result<Configuration, Report> {
        let way = held(&self.way).clone();
        way.config(self.kept.get().map(|kept| kept.context.as_str())).await
    }

    /// The first client, or the next one after one that counts no more.
    async fn opened(self: &Arc<Self>, began: Timestamp) -> Result<Link, Report> {
        let turn = self.turn().await;
        let now = Timestamp::now();
        {
            let state = self.state();
            if let Some(link) = state.link.as_ref().filter(|link| link.counts(now)) {
                return Ok(link.clone());
            }
            state.patient(began, now)?;
        }
        self.detached(turn).await
    }

    /// The client with its next credential; the present one, which lets us in for a while yet, where there is none, or
    /// where it takes longer than anybody should wait for it.
    async fn renewed(self: &Arc<Self>, present: Link) -> Link {
        let Ok(busy) = self.busy.clone().try_lock_owned() else {
            // Another one renews it.
            return present;
        };
        match timeout(WAIT, self.detached(busy)).await {
            Ok(Ok(link)) => link,
            _ => present,
        }
    }

    /// Opens in a task of its own: who waits for it may go.
    async fn detached(self: &Arc<Self>, turn: Turn) -> Result<Link, Report> {
        let this = self.clone();
        let opening = tokio::spawn(async move {
            let opened = this.open(Asking::Nobody).await;
            drop(turn);
            opened
        });
        opening.await.unwrap_or_else(|error| {
            Err(Report::failed(error::KUBECONFIG, "the connection could not be opened").because(&error))
        })
    }

    /// Asks for a credential, and keeps what came of it.
    async fn open(&self, asking: Asking) -> Result<Link, Report> {
        let asked = self.ask(asking).await;
        let (now, mut state) = (Timestamp::now(), self.state());
        match asked {
            Ok(link) => {
                state.link = Some(link.clone());
                state.failed = None;
                Ok(link)
            }
            Err(failed) => {
                let report = failed.report.clone();
                if let Some(link) = state.link.as_mut().filter(|link| link.counts(now)) {
                    let next = now + RETRY;
                    link.lease.renew = Some(link.lease.ends.map_or(next, |ends| next.min(ends)));
                    link.trouble = Some(SafeText::line(&report.sentence()));
                }
                state.failed = Some(failed);
                Err(report)
            }
        }
    }

    /// Reads the configuration and asks for the credential; the present client where nothing became different.
    async fn ask(&self, asking: Asking) -> Result<Link, Failed> {
        let Configuration {
            mut config,
            context,
            user,
        } = self.config().await?;
        if let Some(url) = self.url.get().filter(|url| **url != config.cluster_url) {
            // Before a plugin is run, and before a token for that server is sent to this one.
            return Err(elsewhere(&context, url, &config.cluster_url).into());
        }
        let has_plugin = config.auth_info.exec.is_some();
        // The client would run a plugin by itself, blocking a thread of everybody's and writing to our terminal.
        let obtained = credential::replace(&mut config.auth_info, asking)
            .await
            .map_err(|report| Failed {
                lasts: if has_plugin { RETRY } else { Duration::ZERO },
                ..report.into()
            })?;
        let shape = Shape::of(&config);
        let mut lease = obtained.lease.clone();
        let present = self.state().link.clone();
        if let Some(mut present) = present
            .filter(|link| obtained.proof.is_some() && link.obtained.proof == obtained.proof && link.shape == shape)
        {
            let now = Timestamp::now();
            // A plugin may keep what it has until the last moment; where a token is written, somebody should have come by.
            let is_left = !obtained.plugin && lease.ends.is_some_and(|ends| ends <= now + obtained.ahead());
            if is_left {
                let is_near = lease.ends.is_some_and(|ends| ends <= now + credential::AHEAD);
                lease.renew = Some(now + if is_near { RETRY } else { credential::FILE });
            }
            present.trouble = is_left.then(|| match obtained.certificate {
                Some(_) => "nobody has put a newer client certificate in its place".into(),
                None => "nobody has put a newer token in its place".into(),
            });
            (present.lease, present.spent) = (lease, false);
            return Ok(present);
        }
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Waiting out a 429 or 503 silently would hide the truth from feeds; callers decide about retries.
        config.default_retry = false;
        let (namespace, url) = (config.default_namespace.clone(), config.cluster_url.clone());
        let client = kube::Client::try_from(config).map_err(|error| way::unusable(&error))?;
        self.keep(Kept { context, namespace });
        self.settle(url);
        Ok(Link {
            client,
            pass: Pass(Arc::default()),
            shape,
            user,
            obtained,
            lease,
            trouble: None,
            spent: false,
        })
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// That the kubeconfig leads to another server by now.
fn elsewhere(context: &str, known: &Uri, found: &Uri) -> Report {
    Report::failed(
        error::KUBECONFIG,
        format!("the kube context {context} leads to {found} now, and what is open here leads to {known}"),
    )
    .hint("kubectl:login goes over to it")
}
