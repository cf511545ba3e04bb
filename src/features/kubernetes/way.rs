//! The way to a cluster: what a context says about it, and the client's configuration that follows from it. Not for
//! credentials that must be fetched, nor for connecting.

use kube::config::{KubeConfigOptions, Kubeconfig};

use super::kubeconfig::{self, Triple};
use super::{error, proxy};
use crate::core::context::KubeconfigSource;
use crate::core::report::Report;
use crate::core::text::Secret;

/// What leads to a cluster. Two contexts of the same way share a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Way {
    /// Where the kubeconfig comes from.
    pub kubeconfig: KubeconfigSource,
    /// The kube context in it; none: its current one.
    pub kube_context: Option<String>,
    /// What the bundle's configuration names instead of both.
    pub triple: Option<Triple>,
    /// The room whose layers named it: two rooms are two users of one cluster.
    pub room: Option<String>,
    /// `HTTPS_PROXY`.
    pub https_proxy: Option<String>,
    /// `NO_PROXY`.
    pub no_proxy: Option<String>,
}

/// A client's configuration, and what of the kubeconfig it is.
pub struct Configuration {
    /// For the client.
    pub config: kube::Config,
    /// The name of its kube context.
    pub context: String,
    /// The name of its user there; empty: it names none.
    pub user: String,
}

impl Way {
    /// The same way for whoever goes it: a token that is replaced leads to no other cluster.
    #[must_use]
    pub fn without_token(mut self) -> Way {
        if let Some(triple) = &mut self.triple {
            triple.token = Secret::new("");
        }
        self
    }

    /// The client's configuration, read anew: files may have become others. It is that of the kube context `context`, or
    /// of the one that is named here, or of the kubeconfig's current one.
    pub async fn config(&self, context: Option<&str>) -> Result<Configuration, Report> {
        let kubeconfig = match &self.triple {
            Some(triple) => triple.kubeconfig()?,
            None => kubeconfig::read(&self.kubeconfig).await?,
        };
        let named = self.kube_context.clone().filter(|_| self.triple.is_none());
        let named = context.map(str::to_owned).or(named);
        let own_proxy = proxy_url(&kubeconfig, named.as_deref());
        let context = named.clone().or_else(|| kubeconfig.current_context.clone());
        let context = context.unwrap_or_default();
        let user = user(&kubeconfig, &context);
        let options = KubeConfigOptions {
            context: named,
            ..KubeConfigOptions::default()
        };
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| unusable(&error))?;
        if config.auth_info.auth_provider.is_some() {
            return Err(Report::failed(
                error::KUBECONFIG,
                "the kubeconfig's user logs in through an auth-provider, which Kubernetes took out in 1.26",
            )
            .hint("use a credential plugin (exec), a token or a client certificate"));
        }
        // What the client read by itself compares NO_PROXY with the proxy instead of the server.
        let (https, no) = (self.https_proxy.as_deref(), self.no_proxy.as_deref());
        config.proxy_url = proxy::before(&config.cluster_url, own_proxy.as_deref(), https, no)?;
        Ok(Configuration { config, context, user })
    }
}

/// That a kubeconfig cannot be used, and why.
pub fn unusable(error: &(dyn std::error::Error + 'static)) -> Report {
    Report::failed(error::KUBECONFIG, "the kubeconfig cannot be used").because(error)
}

/// The name of the user that a kube context names.
fn user(kubeconfig: &Kubeconfig, context: &str) -> String {
    let context = kubeconfig.contexts.iter().find(|named| named.name == context);
    let user = context.and_then(|named| named.context.as_ref()?.user.clone());
    user.unwrap_or_default()
}

/// The `proxy-url` of the cluster that a kube context names.
fn proxy_url(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig.contexts.iter().find(|named| named.name == context)?;
    let cluster = &context.context.as_ref()?.cluster;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == *cluster)?;
    cluster.cluster.as_ref()?.proxy_url.clone()
}
