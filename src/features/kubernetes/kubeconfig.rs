//! What leads to a cluster, as one kubeconfig whatever it comes from: files, a text, the service account of the pod we
//! run in, or the three variables of the bundle's configuration. Not for opening connections.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{Kubeconfig, KubeconfigError};
use serde_json::json;

use super::error;
use crate::core::address;
use crate::core::context::KubeconfigSource;
use crate::core::report::Report;
use crate::core::text::Secret;
use crate::core::yaml;

/// The variables of the bundle's configuration that name a cluster together: none of them or all.
pub const TRIPLE: [&str; 3] = ["KUBERNETES_SERVER", "KUBERNETES_TOKEN", "KUBERNETES_CERT"];

/// The cluster that the bundle's configuration names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Triple {
    /// URL of the server.
    pub server: String,
    /// Bearer token.
    pub token: Secret,
    /// Base64 of the authority's certificate (PEM).
    pub certificate: String,
}

impl Triple {
    /// Reads it from the bundle's variables; none: no layer sets any of the three. Refused in the words of the original
    /// bundle where one is missing.
    pub fn of(variables: &BTreeMap<String, Secret>) -> Result<Option<Triple>, Report> {
        let set = TRIPLE.map(|name| variables.get(name).map(|value| value.reveal().trim()));
        if set.iter().all(Option::is_none) {
            return Ok(None);
        }
        let failed = |message: String, hint: String| Report::failed(error::KUBECONFIG, message).hint(hint);
        let value = |index: usize| {
            let name = TRIPLE.get(index).copied().unwrap_or_default();
            let value = set.get(index).copied().flatten().filter(|value| !value.is_empty());
            value.ok_or_else(|| {
                failed(
                    format!("Missing dynamic configuration variable '{name}'."),
                    format!(
                        "`bundle config set kubectl {name}` sets it; {} belong together",
                        TRIPLE.join(", ")
                    ),
                )
            })
        };
        let (server, token, certificate) = (value(0)?, value(1)?, value(2)?);
        let is_url = server
            .parse::<http::Uri>()
            .is_ok_and(|uri| matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some());
        if !is_url {
            let shown = address::shown(server);
            return Err(failed(
                format!("KUBERNETES_SERVER is {shown:?}, which is no URL"),
                "for example https://api.example.com:6443".to_owned(),
            ));
        }
        let certificate: String = certificate.split_whitespace().collect();
        let pem = STANDARD
            .decode(&certificate)
            .ok()
            .filter(|pem| String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----"));
        if pem.is_none() {
            return Err(failed(
                "KUBERNETES_CERT is not the base64 of a PEM certificate".to_owned(),
                "base64 -w0 ca.pem makes it".to_owned(),
            ));
        }
        Ok(Some(Triple {
            server: server.to_owned(),
            token: Secret::new(token),
            certificate,
        }))
    }

    /// As a kubeconfig.
    pub fn kubeconfig(&self) -> Result<Kubeconfig, Report> {
        made(
            json!({"server": self.server, "certificate-authority-data": self.certificate}),
            json!({"token": self.token.reveal()}),
            "default",
        )
    }
}

/// A kubeconfig of one cluster and one user.
fn made(cluster: serde_json::Value, user: serde_json::Value, namespace: &str) -> Result<Kubeconfig, Report> {
    let whole = json!({
        "current-context": "default",
        "clusters": [{"name": "default", "cluster": cluster}],
        "users": [{"name": "default", "user": user}],
        "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default", "namespace": namespace}}],
    });
    // What is wrong in it is not told: it holds the token.
    serde_json::from_value(whole)
        .map_err(|_| Report::failed(error::KUBECONFIG, "the cluster's address and token cannot be used"))
}

/// A kube context of a kubeconfig, without its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeContext {
    /// Its name.
    pub name: String,
    /// The cluster it names.
    pub cluster: String,
    /// The user it names.
    pub user: String,
    /// Its namespace; empty when it names none.
    pub namespace: String,
    /// Whether it is the one in use.
    pub current: bool,
}

/// The kube contexts of a kubeconfig. `chosen` is in use instead of the kubeconfig's own current one.
pub async fn contexts(source: &KubeconfigSource, chosen: Option<&str>) -> Result<Vec<KubeContext>, Report> {
    let kubeconfig = read(source).await?;
    let current = chosen.map(str::to_owned).or(kubeconfig.current_context);
    Ok(kubeconfig
        .contexts
        .into_iter()
        .map(|named| {
            let context = named.context.unwrap_or_default();
            KubeContext {
                current: current.as_ref() == Some(&named.name),
                name: named.name,
                cluster: context.cluster,
                user: context.user.unwrap_or_default(),
                namespace: context.namespace.unwrap_or_default(),
            }
        })
        .collect())
}

/// Reads it, without what it leads to being asked.
pub async fn read(source: &KubeconfigSource) -> Result<Kubeconfig, Report> {
    let failed = |message: String| Report::failed(error::KUBECONFIG, message);
    match source {
        KubeconfigSource::None => Err(
            Report::failed(error::NOT_CONFIGURED, "no Kubernetes cluster is configured")
                .hint("set KUBECONFIG, or start `cogdeck --sandbox` for a built-in one"),
        ),
        KubeconfigSource::Inline(text) => {
            Kubeconfig::from_yaml(text.reveal()).map_err(|error| unreadable("the kubeconfig cannot be read", &error))
        }
        KubeconfigSource::InCluster { server, folder } => {
            let (server, folder) = (server.clone(), folder.clone());
            tokio::task::spawn_blocking(move || in_cluster(&server, &folder))
                .await
                .map_err(|error| failed(format!("reading the service account failed: {error}")))?
        }
        KubeconfigSource::Files(paths) => {
            let paths = paths.clone();
            tokio::task::spawn_blocking(move || merge(&paths))
                .await
                .map_err(|error| failed(format!("reading the kubeconfig failed: {error}")))?
        }
    }
}

/// What is wrong with a kubeconfig, without its lines: they hold tokens and keys.
fn unreadable(what: &str, error: &KubeconfigError) -> Report {
    match error {
        KubeconfigError::Parse(error) => Report::failed(error::KUBECONFIG, format!("{what}: {}", yaml::reason(error))),
        other => Report::failed(error::KUBECONFIG, what.to_owned()).because(other),
    }
}

/// kubectl's rule: files of the list that do not exist are skipped, and the first to set a value wins.
fn merge(paths: &[PathBuf]) -> Result<Kubeconfig, Report> {
    let mut merged: Option<Kubeconfig> = None;
    for path in paths.iter().filter(|path| path.exists()) {
        let unusable = |error: KubeconfigError| unreadable(&format!("kubeconfig {}", path.display()), &error);
        let next = Kubeconfig::read_from(path).map_err(unusable)?;
        merged = Some(match merged {
            None => next,
            Some(first) => first.merge(next).map_err(unusable)?,
        });
    }
    merged.ok_or_else(|| {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        Report::failed(error::NOT_CONFIGURED, format!("no kubeconfig at {}", names.join(", ")))
            .hint("set KUBECONFIG, or start `cogdeck --sandbox` for a built-in cluster")
    })
}

/// What a pod is given to reach its cluster. The token stays a file: the kubelet replaces it long before it ends.
fn in_cluster(server: &str, folder: &Path) -> Result<Kubeconfig, Report> {
    let (token, authority) = (folder.join("token"), folder.join("ca.crt"));
    for file in [&token, &authority] {
        std::fs::File::open(file).map_err(|error| {
            Report::failed(
                error::KUBECONFIG,
                format!("this runs in a cluster, but {} cannot be read", file.display()),
            )
            .because(&error)
            .hint("mount the service account (automountServiceAccountToken), or set KUBECONFIG")
        })?;
    }
    // A pod always has one; whoever mounts the rest by hand may leave it out.
    let namespace = std::fs::read_to_string(folder.join("namespace")).unwrap_or_default();
    let namespace = Some(namespace.trim())
        .filter(|name| !name.is_empty())
        .unwrap_or("default");
    made(
        json!({"server": server, "certificate-authority": authority}),
        json!({"tokenFile": token}),
        namespace,
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, Secret> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
            .collect()
    }

    #[test]
    fn the_three_variables_are_one_cluster_or_none() {
        let cert = STANDARD.encode("-----BEGIN CERTIFICATE-----\n…");
        let whole = [
            ("KUBERNETES_SERVER", "https://api.example.com"),
            ("KUBERNETES_TOKEN", "s3cret"),
            ("KUBERNETES_CERT", cert.as_str()),
        ];
        assert_eq!(Triple::of(&variables(&[("OTHER", "x")])).unwrap(), None);
        let kubeconfig = Triple::of(&variables(&whole)).unwrap().unwrap().kubeconfig().unwrap();
        assert_eq!(kubeconfig.contexts.len(), 1);
        for missing in 0..3 {
            for empty in [false, true] {
                let mut some: Vec<_> = whole.to_vec();
                let (name, _) = some.remove(missing);
                if empty {
                    some.push((name, " "));
                }
                let report = Triple::of(&variables(&some)).unwrap_err();
                assert_eq!(
                    report.message,
                    format!("Missing dynamic configuration variable '{name}'.")
                );
            }
        }
        for (name, wrong) in [
            ("KUBERNETES_SERVER", "api.example.com"),
            ("KUBERNETES_SERVER", "https://"),
            ("KUBERNETES_CERT", "no base64"),
            ("KUBERNETES_CERT", "aGVsbG8="),
        ] {
            let mut all = variables(&whole);
            all.insert(name.to_owned(), Secret::new(wrong));
            let report = Triple::of(&all).unwrap_err();
            let told = format!("{report:?}");
            assert!(told.contains(name) && !told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn a_pod_s_service_account_is_named_where_it_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "t").unwrap();
        let report = in_cluster("https://10.0.0.1", folder.path()).unwrap_err();
        assert!(report.message.contains("ca.crt cannot be read"), "{report}");
        std::fs::write(folder.path().join("ca.crt"), "c").unwrap();
        let context = |kubeconfig: Kubeconfig| kubeconfig.contexts.into_iter().next().unwrap().context.unwrap();
        let plain = context(in_cluster("https://10.0.0.1", folder.path()).unwrap());
        assert_eq!(plain.namespace.as_deref(), Some("default"));
        std::fs::write(folder.path().join("namespace"), "shop\n").unwrap();
        let own = context(in_cluster("https://10.0.0.1", folder.path()).unwrap());
        assert_eq!(own.namespace.as_deref(), Some("shop"));
    }
}
