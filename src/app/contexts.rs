//! Which contexts there are and what each name means: entries of the configuration, kube contexts by their own names,
//! and the environment's defaults. Order: flag, then the entry, then the environment.

use std::collections::BTreeMap;
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

/// The environment layer of the variables that name a cluster, and what they are together.
const LAYER: &str = "COGDECK_BUNDLE_KUBECTL__KUBERNETES_";
const CLUSTER: [&str; 3] = ["SERVER", "TOKEN", "CERT"];
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
            (None, Some(current)) if layered => Arc::new(in_layers(current, environment)),
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

    /// The names, sorted.
    pub fn names(&self) -> Vec<String> {
        self.named.keys().cloned().collect()
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

/// The kubeconfig's current context where layers may name another cluster. Where the environment does, it has another
/// name too: what is done there must not be taken back where the kubeconfig leads.
fn in_layers(current: &Context, environment: &Environment) -> Context {
    let is_set = |name: &str| environment.get(&format!("{LAYER}{name}")).is_some();
    let elsewhere = CLUSTER.iter().all(|name| is_set(name));
    Context {
        name: match elsewhere {
            true => DEFAULT.to_owned(),
            false => current.name.clone(),
        },
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
mod tests {
    use super::*;

    const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: blue\ncontexts:\n- name: blue\n  context: {cluster: a, user: b}\n- name: green\n  context: {cluster: a, user: b}\n";

    fn environment(folder: &Path) -> Environment {
        std::fs::create_dir_all(folder.join(".kube")).unwrap();
        std::fs::write(folder.join(".kube/config"), KUBECONFIG).unwrap();
        Environment::from_pairs([("HOME", folder.to_str().unwrap()), ("AWS_REGION", "eu-west-1")])
    }

    #[test]
    fn kube_contexts_are_contexts_by_their_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path());
        let config = Config {
            contexts: BTreeMap::from([(
                "green".to_owned(),
                ContextEntry {
                    production: true,
                    region: Some("us-east-1".into()),
                    ..ContextEntry::default()
                },
            )]),
            ..Config::default()
        };
        let contexts = Contexts::load(&config, &Common::default(), &environment).unwrap();
        assert_eq!(contexts.default().name, "blue");
        assert_eq!(contexts.default().aws.region.as_deref(), Some("eu-west-1"));
        let green = contexts.get("green").unwrap();
        assert_eq!(green.kubernetes.kube_context.as_deref(), Some("green"));
        assert!(green.production);
        assert_eq!(green.aws.region.as_deref(), Some("us-east-1"));
        assert_eq!(
            contexts.get("gren").unwrap_err().hint.as_deref(),
            Some("did you mean green?")
        );
    }

    #[test]
    fn keys_in_the_environment_win_over_its_profile_but_not_over_a_named_one() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        let profile = |key: &str, named: Option<&str>| {
            let pairs = [("HOME", home), ("AWS_PROFILE", "work"), ("AWS_ACCESS_KEY_ID", key)];
            let common = Common {
                profile: named.map(str::to_owned),
                ..Common::default()
            };
            let contexts = Contexts::load(&Config::default(), &common, &Environment::from_pairs(pairs)).unwrap();
            contexts.default().aws.profile.clone()
        };
        assert_eq!(profile("", None).as_deref(), Some("work"));
        assert_eq!(profile("AKIA", None), None);
        assert_eq!(profile("AKIA", Some("play")).as_deref(), Some("play"));
    }

    #[test]
    fn nothing_configured_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::from_pairs([("HOME", folder.path().to_str().unwrap())]);
        let contexts = Contexts::load(&Config::default(), &Common::default(), &environment).unwrap();
        assert!(contexts.default().is_unconfigured());
    }

    #[test]
    fn a_named_kube_context_wins_over_the_layers_and_they_over_the_current_one() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path());
        let config = Config {
            contexts: BTreeMap::from([(
                "blue".to_owned(),
                ContextEntry {
                    production: true,
                    read_only: true,
                    namespace: Some("web".into()),
                    region: Some("us-east-1".into()),
                    ..ContextEntry::default()
                },
            )]),
            ..Config::default()
        };
        let starts = |common: &Common, environment: &Environment| {
            let contexts = Contexts::load(&config, common, environment).unwrap();
            let context = contexts.default().clone();
            let guarded = context.production && context.read_only;
            assert_eq!(
                guarded,
                context.name != "green",
                "its guards hold whatever names the cluster"
            );
            if guarded {
                assert_eq!(context.kubernetes.namespace.as_deref(), Some("web"));
                assert_eq!(context.aws.region.as_deref(), Some("us-east-1"));
                // Without any layer that names one, it leads where it would without the room.
                assert_eq!(context.kubernetes.kube_context.as_deref(), Some("blue"));
            }
            (context.name.clone(), context.kubernetes.configurable)
        };
        assert_eq!(starts(&Common::default(), &environment), ("blue".to_owned(), false));
        let room = Common {
            room: Some("ops".into()),
            ..Common::default()
        };
        assert_eq!(starts(&room, &environment), ("blue".to_owned(), true));
        let named = Common {
            context: Some("green".into()),
            ..room.clone()
        };
        assert_eq!(starts(&named, &environment), ("green".to_owned(), false));
        let home = ("HOME", folder.path().to_str().unwrap());
        let server = ("COGDECK_BUNDLE_KUBECTL__KUBERNETES_SERVER", "https://a");
        let part = Environment::from_pairs([home, server]);
        assert_eq!(starts(&Common::default(), &part), ("blue".to_owned(), true));
        let whole = Environment::from_pairs([
            home,
            server,
            ("COGDECK_BUNDLE_KUBECTL__KUBERNETES_TOKEN", "t"),
            ("COGDECK_BUNDLE_KUBECTL__KUBERNETES_CERT", "c"),
        ]);
        assert_eq!(starts(&Common::default(), &whole), ("default".to_owned(), true));
        let chosen = Environment::from_pairs([home, server, ("COGDECK_KUBE_CONTEXT", "green")]);
        assert_eq!(starts(&room, &chosen), ("green".to_owned(), false));
    }

    #[test]
    fn layers_of_the_environment_count_as_configured() {
        let folder = tempfile::tempdir().unwrap();
        let home = ("HOME", folder.path().to_str().unwrap());
        let layer = ("COGDECK_BUNDLE_KUBECTL__KUBERNETES_SERVER", "https://a");
        let contexts = Contexts::load(
            &Config::default(),
            &Common::default(),
            &Environment::from_pairs([home, layer]),
        )
        .unwrap();
        assert!(!contexts.default().is_unconfigured());
    }

    #[test]
    fn a_pod_without_a_kubeconfig_uses_its_service_account() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        let source = |host: &str, port: &str| {
            let environment = Environment::from_pairs([
                ("HOME", home),
                ("KUBERNETES_SERVICE_HOST", host),
                ("KUBERNETES_SERVICE_PORT", port),
            ]);
            let contexts = Contexts::load(&Config::default(), &Common::default(), &environment).unwrap();
            contexts.default().kubernetes.kubeconfig.clone()
        };
        let in_cluster = |server: &str| KubeconfigSource::InCluster {
            server: server.to_owned(),
            folder: PathBuf::from(SERVICE_ACCOUNT),
        };
        assert_eq!(source("10.0.0.1", "443"), in_cluster("https://10.0.0.1:443"));
        assert_eq!(source("fd00::1", "6443"), in_cluster("https://[fd00::1]:6443"));
        assert_eq!(source("10.0.0.1", ""), KubeconfigSource::None);
        environment(folder.path());
        assert!(matches!(source("10.0.0.1", "443"), KubeconfigSource::Files(_)));
    }

    #[test]
    fn a_context_whose_kubeconfig_is_missing_never_means_the_cluster_around_us() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::from_pairs([
            ("HOME", folder.path().to_str().unwrap()),
            ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
            ("KUBERNETES_SERVICE_PORT", "443"),
        ]);
        let entry = |kubeconfig: Option<&str>, kube_context: Option<&str>| ContextEntry {
            kubeconfig: kubeconfig.map(str::to_owned),
            kube_context: kube_context.map(str::to_owned),
            ..ContextEntry::default()
        };
        let config = Config {
            contexts: BTreeMap::from([
                ("file".to_owned(), entry(Some("/no/such/kubeconfig"), None)),
                ("named".to_owned(), entry(None, Some("prod"))),
                ("neither".to_owned(), entry(None, None)),
            ]),
            ..Config::default()
        };
        let contexts = Contexts::load(&config, &Common::default(), &environment).unwrap();
        let source = |name: &str| contexts.get(name).unwrap().kubernetes.kubeconfig.clone();
        assert_eq!(source("file"), KubeconfigSource::None);
        assert_eq!(source("named"), KubeconfigSource::None);
        assert!(matches!(source("neither"), KubeconfigSource::InCluster { .. }));
    }

    #[test]
    fn flags_win_and_a_wrong_resolver_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut environment = environment(folder.path());
        let common = Common {
            namespace: Some("web".into()),
            context: Some("green".into()),
            ..Common::default()
        };
        let contexts = Contexts::load(&Config::default(), &common, &environment).unwrap();
        assert_eq!(contexts.default().name, "green");
        assert_eq!(contexts.default().kubernetes.namespace.as_deref(), Some("web"));
        environment = Environment::from_pairs([("COGDECK_DNS", "localhost")]);
        let report = Contexts::load(&Config::default(), &Common::default(), &environment).unwrap_err();
        assert!(report.message.contains("COGDECK_DNS"), "{report}");
    }
}
