//! Which contexts there are and what each name means: entries of the configuration, kube contexts by their own names,
//! and the environment's defaults. Order: flag, then the entry, then the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::cli::Common;
use super::config::{Config, ContextEntry};
use super::environment::Environment;
use crate::core::context::{AwsTarget, Context, KubeconfigSource, KubernetesTarget, SandboxAdmin};
use crate::core::report::Report;
use crate::core::text::Secret;
use crate::verb::catalogue::{did_you_mean, nearest};

/// The environment layer of the variables that name a cluster.
const LAYER: &str = "COGDECK_BUNDLE_KUBECTL__KUBERNETES_";
/// The name of a context that nothing names.
const DEFAULT: &str = "default";
/// Where the kubelet puts the service account of a pod.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The contexts of this process.
#[derive(Clone, Debug)]
pub struct Contexts {
    default: Arc<Context>,
    named: BTreeMap<String, Arc<Context>>,
}

impl Contexts {
    /// A world of one context (the sandbox).
    pub fn only(context: Context) -> Self {
        let context = Arc::new(context);
        Contexts {
            named: BTreeMap::from([(context.name.clone(), context.clone())]),
            default: context,
        }
    }

    /// Configuration, kubeconfig and environment together.
    ///
    /// Which cluster the one to start in means: the kube context that `--context` or the configuration names; else, with
    /// a room or `COGDECK_BUNDLE_KUBECTL__KUBERNETES_…` set, what the layers of the bundle `kubectl` name; else the
    /// kubeconfig's current context; else those layers, and last the service account of the pod we run in. The layers
    /// say which cluster, and nothing else: what the configuration says of the current context, that it is production
    /// or read-only first of all, holds with them as without.
    pub fn load(config: &Config, common: &Common, environment: &Environment) -> Result<Self, Report> {
        let kubeconfig = Kubeconfig::read(&kubeconfig_files(None, environment));
        let mut named = BTreeMap::new();
        for name in &kubeconfig.names {
            let entry = ContextEntry {
                kube_context: Some(name.clone()),
                ..ContextEntry::default()
            };
            named.insert(name.clone(), Arc::new(context(name, &entry, common, environment)?));
        }
        for (name, entry) in &config.contexts {
            let mut entry = entry.clone();
            if entry.kube_context.is_none() && entry.kubeconfig.is_none() && kubeconfig.names.contains(name) {
                entry.kube_context = Some(name.clone());
            }
            named.insert(name.clone(), Arc::new(context(name, &entry, common, environment)?));
        }
        let wanted = common.context.as_ref().or(config.context.as_ref());
        let ambient = environment.get("COGDECK_KUBE_CONTEXT").map(str::to_owned);
        let layered = ambient.is_none() && is_layered(common, environment);
        let current = ambient.or(kubeconfig.current).and_then(|name| named.get(&name));
        let default = match (wanted, current) {
            (Some(name), _) => find(&named, name)?,
            (None, Some(current)) if layered => Arc::new(in_layers(current)),
            (None, Some(current)) => current.clone(),
            (None, None) => Arc::new(context(DEFAULT, &ContextEntry::default(), common, environment)?),
        };
        Ok(Contexts { default, named })
    }

    /// The same and one more.
    #[must_use]
    pub fn with(&self, context: Arc<Context>) -> Self {
        let mut contexts = self.clone();
        contexts.named.insert(context.name.clone(), context);
        contexts
    }

    /// The same, to start in another one; refused with the nearest names.
    pub fn starting_in(&self, name: &str) -> Result<Self, Report> {
        Ok(Contexts {
            default: self.get(name)?,
            ..self.clone()
        })
    }

    /// The one to start in.
    pub fn default(&self) -> &Arc<Context> {
        &self.default
    }

    /// The names, sorted: those that are configured, and that of the one to start in where it leads anywhere.
    pub fn names(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = self.named.keys().cloned().collect();
        if !self.default.is_unconfigured() {
            names.insert(self.default.name.clone());
        }
        names.into_iter().collect()
    }

    /// A context by name; refused with the nearest names.
    pub fn get(&self, name: &str) -> Result<Arc<Context>, Report> {
        if self.default.name == name {
            Ok(self.default.clone())
        } else {
            find(&self.named, name)
        }
    }
}

/// Whether there are layers that may name a cluster: those of a room, or the environment's.
fn is_layered(common: &Common, environment: &Environment) -> bool {
    common.room.is_some() || environment.get("COGDECK_ROOM").is_some() || !environment.starting_with(LAYER).is_empty()
}

/// The kubeconfig's current context where layers may name another cluster. It has another name: what is done there must not
/// be taken back where the kubeconfig leads.
fn in_layers(current: &Context) -> Context {
    Context {
        name: DEFAULT.to_owned(),
        kubernetes: KubernetesTarget {
            configurable: true,
            layered: true,
            ..current.kubernetes.clone()
        },
        ..current.clone()
    }
}

fn find(named: &BTreeMap<String, Arc<Context>>, name: &str) -> Result<Arc<Context>, Report> {
    named.get(name).cloned().ok_or_else(|| {
        let hint = did_you_mean(&nearest(name, named.keys().cloned())).unwrap_or_else(|| match named.len() {
            0 => "no context is configured: set KUBECONFIG, write a [contexts.NAME] table, or use --sandbox".to_owned(),
            _ => format!(
                "known contexts: {}",
                named.keys().cloned().collect::<Vec<_>>().join(", ")
            ),
        });
        Report::refused("E-CONTEXT-001", format!("there is no context {name}")).hint(hint)
    })
}

fn kubeconfig_files(entry: Option<&str>, environment: &Environment) -> Vec<PathBuf> {
    match entry.or_else(|| environment.get("KUBECONFIG")) {
        Some(list) => std::env::split_paths(list)
            .map(|path| expand(&path, environment))
            .collect(),
        None => vec![environment.home().join(".kube/config")],
    }
}

fn expand(path: &Path, environment: &Environment) -> PathBuf {
    path.strip_prefix("~")
        .map_or_else(|_| path.to_path_buf(), |rest| environment.home().join(rest))
}

fn context(name: &str, entry: &ContextEntry, common: &Common, environment: &Environment) -> Result<Context, Report> {
    let text =
        |value: &Option<String>, names: &[&str]| value.clone().or_else(|| environment.first(names).map(str::to_owned));
    let files = kubeconfig_files(entry.kubeconfig.as_deref(), environment);
    let kube_context = text(&entry.kube_context, &["COGDECK_KUBE_CONTEXT"]);
    let named = entry.kubeconfig.is_some() || kube_context.is_some();
    let kubeconfig = match files.iter().any(|file| file.exists()) {
        true => KubeconfigSource::Files(files),
        // Not the cluster around us under the name of another, whose file is missing.
        false if named => KubeconfigSource::None,
        false => in_cluster(environment).unwrap_or(KubeconfigSource::None),
    };
    let resolver = match (entry.resolver, environment.get("COGDECK_DNS")) {
        (Some(resolver), _) => Some(resolver),
        (None, Some(text)) => Some(text.parse().map_err(|_| {
            Report::refused("E-CONFIG-003", format!("COGDECK_DNS is {text}, which is not IP:PORT"))
                .hint("for example COGDECK_DNS=127.0.0.1:5353")
        })?),
        (None, None) => None,
    };
    // As for Amazon's own tools: a profile named to us wins, then keys in the environment, then AWS_PROFILE.
    let ambient_profile: &[&str] = match environment.get("AWS_ACCESS_KEY_ID") {
        Some(_) => &[],
        None => &["AWS_PROFILE"],
    };
    Ok(Context {
        kubernetes: KubernetesTarget {
            kubeconfig,
            everywhere: false,
            configurable: !named,
            layered: !named && is_layered(common, environment),
            kube_context,
            https_proxy: environment.first(&["HTTPS_PROXY", "https_proxy"]).map(str::to_owned),
            namespace: common
                .namespace
                .clone()
                .or_else(|| text(&entry.namespace, &["COGDECK_NAMESPACE"])),
        },
        aws: AwsTarget {
            profile: common
                .profile
                .clone()
                .or_else(|| text(&entry.aws_profile, ambient_profile)),
            region: common
                .region
                .clone()
                .or_else(|| text(&entry.region, &["AWS_REGION", "AWS_DEFAULT_REGION"])),
            endpoint: text(&entry.aws_endpoint, &["AWS_ENDPOINT_URL"]),
            keys: None,
        },
        resolver,
        http_proxy: text(&entry.http_proxy, &["http_proxy"]),
        no_proxy: environment.first(&["no_proxy", "NO_PROXY"]).map(str::to_owned),
        docker_host: text(&entry.docker_host, &["DOCKER_HOST"]),
        sandbox: environment
            .get("COGDECK_ADMIN_URL")
            .zip(environment.get("COGDECK_ADMIN_TOKEN"))
            .map(|(url, token)| SandboxAdmin {
                url: url.to_owned(),
                token: Secret::new(token),
            }),
        room: common.room.clone().or_else(|| text(&entry.room, &["COGDECK_ROOM"])),
        production: entry.production,
        read_only: entry.read_only || common.read_only,
        environment: environment.shared(),
        ..Context::empty(name)
    })
}

/// The cluster that we run in a pod of, as the kubelet tells it.
fn in_cluster(environment: &Environment) -> Option<KubeconfigSource> {
    let (host, port) = (
        environment.get("KUBERNETES_SERVICE_HOST")?,
        environment.get("KUBERNETES_SERVICE_PORT")?,
    );
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    Some(KubeconfigSource::InCluster {
        server: format!("https://{host}:{port}"),
        folder: PathBuf::from(SERVICE_ACCOUNT),
    })
}

/// The two things asked of a kubeconfig here; the client reads the rest.
#[derive(Default)]
struct Kubeconfig {
    names: Vec<String>,
    current: Option<String>,
}

#[derive(Deserialize)]
struct KubeconfigFile {
    #[serde(default)]
    contexts: Vec<NamedContext>,
    #[serde(rename = "current-context", default)]
    current: Option<String>,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
}

impl Kubeconfig {
    /// Files that are missing or broken are passed over: the client names them when it is their turn.
    fn read(files: &[PathBuf]) -> Self {
        let mut merged = Kubeconfig::default();
        for file in files {
            let Some(parsed) = std::fs::read_to_string(file).ok().and_then(|text| parse(&text)) else {
                continue;
            };
            for context in parsed.contexts {
                if !merged.names.contains(&context.name) {
                    merged.names.push(context.name);
                }
            }
            merged.current = merged.current.or(parsed.current.filter(|name| !name.is_empty()));
        }
        merged
    }
}

fn parse(text: &str) -> Option<KubeconfigFile> {
    serde_saphyr::from_str(text).ok()
}

#[cfg(test)]
mod tests;
