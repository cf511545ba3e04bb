//! Contexts of kubeconfigs, the configuration, layers and pods.
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
    assert_eq!(starts(&room, &environment), ("default".to_owned(), true));
    let named = Common {
        context: Some("green".into()),
        ..room.clone()
    };
    assert_eq!(starts(&named, &environment), ("green".to_owned(), false));
    let home = ("HOME", folder.path().to_str().unwrap());
    let server = ("COGDECK_BUNDLE_KUBECTL__KUBERNETES_SERVER", "https://a");
    let part = Environment::from_pairs([home, server]);
    assert_eq!(starts(&Common::default(), &part), ("default".to_owned(), true));
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
