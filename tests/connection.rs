//! How a cluster is reached, by the program as it is delivered: what names the cluster, the proxy before it, and logging
//! in to it again without leaving the console.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use support::process::{COGDECK, Sandbox};
use support::run::{Ended, run};
use support::terminal::Terminal;
use support::tunnel;

const SOON: Duration = Duration::from_secs(60);

/// What the world's kubeconfig says.
struct Known {
    server: String,
    token: String,
    /// Base64.
    authority: String,
}

impl Known {
    fn of(sandbox: &Sandbox) -> Known {
        let text = std::fs::read_to_string(sandbox.kubeconfig()).unwrap();
        let value = |name: &str| {
            let line = text
                .lines()
                .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or_else(|| panic!("no {name} in the kubeconfig")).to_owned()
        };
        Known {
            server: value("server"),
            token: value("token"),
            authority: value("certificate-authority-data"),
        }
    }

    fn address(&self) -> SocketAddr {
        self.server.trim_start_matches("https://").parse().unwrap()
    }
}

/// Runs a pipeline in this world with these variables; an empty one is taken out.
fn with(sandbox: &Sandbox, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut command: Command = sandbox.cogdeck(arguments);
    for (name, value) in variables {
        match *value {
            "" => command.env_remove(name),
            value => command.env(name, value),
        };
    }
    run(command, SOON)
}

const NODES: &[&str] = &["run", "kubectl:get nodes -o name"];

#[test]
fn three_variables_of_the_bundle_name_a_cluster_for_a_room() {
    let sandbox = Sandbox::start(&[]);
    let known = Known::of(&sandbox);
    let none = [("KUBECONFIG", "")];
    let alone = with(&sandbox, &none, NODES).code(1);
    assert!(alone.stderr.contains("E-KUBE-001"), "{alone}");
    // The environment's layer counts everywhere.
    let whole = [
        ("KUBECONFIG", ""),
        ("COGDECK_BUNDLE_KUBECTL__KUBERNETES_SERVER", known.server.as_str()),
        ("COGDECK_BUNDLE_KUBECTL__KUBERNETES_TOKEN", known.token.as_str()),
        ("COGDECK_BUNDLE_KUBECTL__KUBERNETES_CERT", known.authority.as_str()),
    ];
    let nodes = with(&sandbox, &whole, NODES).ok();
    assert!(nodes.contains("node/ip-172-20-36-15"), "{nodes}");
    // It wins over the current context of a kubeconfig, never over one that is named.
    let mut wrong = whole;
    wrong[0] = ("KUBECONFIG", sandbox.env("KUBECONFIG"));
    wrong[2].1 = "not-the-token";
    let refused = with(&sandbox, &wrong, NODES).code(1);
    assert!(refused.stderr.contains("E-KUBE-401"), "{refused}");
    with(
        &sandbox,
        &wrong,
        &["run", "--context", "sandbox", "kubectl:get nodes -o name"],
    )
    .ok();
    // Half of it is an error in the words of the original bundle.
    let half = with(&sandbox, &whole[..3], NODES).code(1);
    assert!(
        half.stderr
            .contains("Missing dynamic configuration variable 'KUBERNETES_CERT'."),
        "{half}"
    );
    // A room's layer, kept in the store, counts in the room.
    let set = |name: &str, value: &str| {
        let line = format!("bundle config set kubectl {name} --value {value} --layer room/staging");
        with(&sandbox, &none, &["run", "--yes", &line]).ok();
    };
    set("KUBERNETES_SERVER", &known.server);
    set("KUBERNETES_TOKEN", &known.token);
    set("KUBERNETES_CERT", &known.authority);
    let nodes = with(
        &sandbox,
        &none,
        &["run", "--room", "staging", "kubectl:get nodes -o name"],
    )
    .ok();
    assert!(nodes.contains("node/ip-172-20-36-15"), "{nodes}");
    let elsewhere = with(&sandbox, &none, NODES).code(1);
    assert!(elsewhere.stderr.contains("E-KUBE-001"), "{elsewhere}");
    let shown = with(&sandbox, &none, &["run", "bundle config kubectl --room staging"]).ok();
    assert!(
        shown.contains("KUBERNETES_SERVER") && shown.contains("room/staging"),
        "{shown}"
    );
}

/// A kubeconfig whose server has a name that only a proxy resolves.
fn distant(known: &Known, cluster: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let port = known.address().port();
    let (authority, token) = (&known.authority, &known.token);
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: far\nclusters:\n- name: far\n  cluster:\n    \
         server: https://kubernetes.default.svc:{port}\n    certificate-authority-data: {authority}\n{cluster}\
         users:\n- name: u\n  user: {{token: {token}}}\ncontexts:\n- name: far\n  context: {{cluster: far, user: u}}\n"
    );
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn a_cluster_behind_a_proxy_is_reached_through_it() {
    let sandbox = Sandbox::start(&[]);
    let known = Known::of(&sandbox);
    let port = known.address().port();
    let connect = format!("CONNECT kubernetes.default.svc:{port} HTTP/1.1");
    let proxy = tunnel::forward(known.address(), Some("Basic YW5hOndAcmQ="));
    let address = format!("http://ana:w%40rd@{}", proxy.proxy);
    let own = distant(&known, &format!("    proxy-url: {address}\n"));
    let own = own.path().to_str().unwrap();
    // The cluster's own, whatever NO_PROXY says.
    let variables = [("KUBECONFIG", own), ("NO_PROXY", "*"), ("no_proxy", "")];
    let nodes = with(&sandbox, &variables, NODES).ok();
    assert!(nodes.contains("node/ip-172-20-36-15"), "{nodes}");
    assert!(proxy.requests().contains(&connect), "{:?}", proxy.requests());
    // A stream over WebSocket takes the same way.
    with(
        &sandbox,
        &variables,
        &["run", "kubectl:create deployment web --image=so0k/kuar-inspector:1.0.0"],
    )
    .ok();
    with(&sandbox, &variables, &["run", "kubectl:rollout status deploy web"]).ok();
    let before = proxy.requests().len();
    let said = with(
        &sandbox,
        &variables,
        &["run", "kubectl:exec deploy/web -- echo through"],
    )
    .ok();
    assert!(said.contains("through") && proxy.requests().len() > before, "{said}");
    // The environment's, unless it says that this server needs none.
    let plain = distant(&known, "");
    let plain = plain.path().to_str().unwrap();
    let before = proxy.requests().len();
    let mut variables = vec![
        ("KUBECONFIG", plain),
        ("NO_PROXY", ""),
        ("no_proxy", ""),
        ("HTTPS_PROXY", &*address),
    ];
    with(&sandbox, &variables, NODES).ok();
    assert!(proxy.requests().len() > before);
    variables[1] = ("NO_PROXY", ".default.svc");
    let straight = with(&sandbox, &variables, NODES).code(1);
    assert!(
        straight.stderr.contains("E-KUBE-003") && !straight.stderr.contains("proxy 127"),
        "{straight}"
    );
    // Who is not let in is told which proxy it was, and not with which password.
    let refusing = format!("http://ana:s3cret@{}", proxy.proxy);
    let variables = [
        ("KUBECONFIG", plain),
        ("NO_PROXY", ""),
        ("no_proxy", ""),
        ("HTTPS_PROXY", &*refusing),
    ];
    let refused = with(&sandbox, &variables, NODES).code(1);
    assert!(
        refused.stderr.contains(&format!("through the proxy {}", proxy.proxy)) && !refused.stderr.contains("s3cret"),
        "{refused}"
    );
}

/// A kubeconfig of this world whose user is a plugin: it lets nobody in until somebody has typed 42.
fn asking(sandbox: &Sandbox, folder: &std::path::Path, mode: &str) -> String {
    let known = Known::of(sandbox);
    let (script, file) = (folder.join("who.sh"), folder.join("kubeconfig"));
    let (server, authority, token) = (&known.server, &known.authority, &known.token);
    let text = format!(
        "case \"$KUBERNETES_EXEC_INFO\" in *'\"interactive\":true'*) ;; *) echo 'ask me in a terminal' >&2; exit 1;; esac\n\
         printf 'what is six times seven? ' >&2\nread answer\ntest \"$answer\" = 42 || exit 1\n\
         echo '{{\"status\":{{\"token\":\"{token}\"}}}}'\n"
    );
    std::fs::write(&script, text).unwrap();
    let script = script.display();
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: asks\nclusters:\n- name: c\n  cluster:\n    server: {server}\n    \
         certificate-authority-data: {authority}\nusers:\n- name: u\n  user:\n    exec:\n      \
         apiVersion: client.authentication.k8s.io/v1\n      command: /bin/sh\n      args: ['{script}']\n      \
         interactiveMode: {mode}\ncontexts:\n- name: asks\n  context: {{cluster: c, user: u}}\n"
    );
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn the_console_is_put_aside_for_a_login_and_everything_goes_on() {
    let sandbox = Sandbox::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = asking(&sandbox, folder.path(), "Always");
    let terminal = Terminal::spawn(COGDECK, &[], &[("KUBECONFIG", &kubeconfig)], 140, 40);
    terminal
        .wait_for_text("? k8s login", SOON)
        .expect("that a login is wanted");
    terminal.type_text("kubectl:login\n");
    terminal
        .wait_for_text("what is six times seven?", SOON)
        .expect("the plugin's question");
    terminal.type_text("42\n");
    terminal
        .wait_for_text("as sandbox-admin", SOON)
        .expect("who is logged in");
    let live = |screen: &str| {
        let title = screen.lines().find(|row| row.contains(" deployments "));
        title.is_some_and(|row| row.contains("✓ live"))
    };
    terminal.wait_for(live, SOON).expect("rows");
    terminal.type_text("kubectl:get nodes\n");
    terminal.wait_for_text("ip-172-20-36-15", SOON).expect("a node");
}

#[test]
fn without_a_terminal_the_way_to_log_in_is_told() {
    let sandbox = Sandbox::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    for mode in ["Always", "IfAvailable"] {
        let kubeconfig = asking(&sandbox, folder.path(), mode);
        for line in ["kubectl:get nodes", "kubectl:login"] {
            let told = with(&sandbox, &[("KUBECONFIG", &kubeconfig)], &["run", line]).code(1);
            let script = folder.path().join("who.sh");
            let by_hand = format!("run it in a shell: /bin/sh {}", script.display());
            assert!(
                told.stderr.contains("E-KUBE-LOGIN") && told.stderr.contains(&by_hand),
                "{told}"
            );
        }
    }
}
