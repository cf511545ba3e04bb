//! How a cluster is reached, by the program as it is delivered: what names the cluster, the proxy before it, and logging
//! in to it again without leaving the console.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use support::process::{COGDECK, Sandbox};
use support::run::{Ended, run};
use support::terminal::{Key, Terminal};
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

#[test]
fn a_socks_proxy_resolves_the_server_s_name() {
    let sandbox = Sandbox::start(&[]);
    let known = Known::of(&sandbox);
    let proxy = tunnel::forward(known.address(), None);
    for scheme in ["socks5", "socks5h"] {
        let own = distant(&known, &format!("    proxy-url: {scheme}://{}\n", proxy.proxy));
        let nodes = with(&sandbox, &[("KUBECONFIG", own.path().to_str().unwrap())], NODES).ok();
        assert!(nodes.contains("node/ip-172-20-36-15"), "{nodes}");
    }
    let asked = format!("SOCKS5 kubernetes.default.svc:{}", known.address().port());
    assert!(
        proxy.requests().iter().all(|one| *one == asked),
        "{:?}",
        proxy.requests()
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
    // Ctrl-C is the plugin's: the console goes on.
    terminal.key(Key::Ctrl('c'));
    terminal
        .wait_for_text("failed: a signal", SOON)
        .expect("the login that was broken off");
    terminal.type_text("kubectl:login\n");
    // The first question stands above it.
    let asks =
        |screen: &str| screen.matches("what is six times seven?").count() == 2 && !screen.contains("deployments");
    terminal.wait_for(asks, SOON).expect("the question again");
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
            assert!(
                told.stderr.contains("E-KUBE-LOGIN") && told.stderr.contains("run /bin/sh in a shell"),
                "{told}"
            );
            assert!(
                !told.stderr.contains("who.sh"),
                "the plugin's arguments may hold a secret: {told}"
            );
        }
    }
}

#[test]
fn what_somebody_may_not_do_is_greyed_out_with_the_missing_right() {
    let sandbox = Sandbox::start(&["--speed", "10"]);
    let make = "kubectl:create deployment web --image=so0k/kuar-inspector:1.0.0";
    with(&sandbox, &[], &["run", make]).ok();
    let guest = ["--context", "sandbox-guest"];
    let terminal = sandbox.terminal(COGDECK, &guest, 150, 40);
    let available = |screen: &str| {
        screen
            .lines()
            .any(|row| row.contains(" web ") && row.contains("✓ available"))
    };
    terminal
        .wait_for(available, SOON)
        .expect("the deployment, which the guest may see");
    terminal.key(Key::Alt('2'));
    terminal.type_text("m");
    let no_edit = "you may not patch deployments.apps in the namespace default";
    let menu = terminal.wait_for_text(no_edit, SOON).expect("the menu with the reason");
    let row = |word: &str| {
        let found = menu
            .lines()
            .find(|row| row.contains(&format!(" {word} ")) && !row.contains("F1"));
        found.unwrap_or_else(|| panic!("no line {word:?} in {menu}")).to_owned()
    };
    assert!(row("edit").contains(no_edit), "{menu}");
    assert!(
        !row("scale").contains("you may not") && !row("describe").contains("you may not"),
        "{menu}"
    );
    terminal.key(Key::Escape);
    terminal
        .wait_for(|screen| !screen.contains(no_edit), SOON)
        .expect("the menu is closed");
    // Its own key says the same instead of an error from the server.
    terminal.type_text("e");
    terminal.wait_for_text(no_edit, SOON).expect("the reason");
    // A panel whose rows nobody may list to this user says so.
    terminal.type_text(":events\n");
    let denied = |screen: &str| {
        let words: String = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        words.contains("you may not list events")
    };
    terminal.wait_for(denied, SOON).expect("what is missing");
    // By the command line the server is asked, which decides.
    let tried = with(
        &sandbox,
        &[],
        &["run", "--context", "sandbox-guest", "kubectl:get events"],
    )
    .code(1);
    assert!(tried.stderr.contains("E-KUBE-403"), "{tried}");
    let scaled = with(
        &sandbox,
        &[],
        &[
            "run",
            "--yes",
            "--context",
            "sandbox-guest",
            "kubectl:scale deploy web --replicas=2",
        ],
    );
    assert!(scaled.ok().contains("deployment.apps/web scaled"));
}

#[test]
fn the_guest_hears_the_same_as_from_kubectl() {
    let Some(kubectl) = support::require("kubectl") else {
        return;
    };
    let sandbox = Sandbox::start(&[]);
    for line in [
        "get events",
        "get nodes",
        "get pods -A",
        "get pods -n kube-system",
        "get secret one",
        "auth can-i list pods",
        "auth can-i patch deployments",
        "auth can-i patch deployments --subresource scale",
        "auth can-i get pods --subresource log",
        "auth can-i list pods -n kube-system",
    ] {
        let mut theirs = sandbox.client(&kubectl);
        theirs.args(["--context", "sandbox-guest"]).args(line.split(' '));
        let theirs = run(theirs, SOON);
        let typed = format!("kubectl:{line}");
        let ours = with(&sandbox, &[], &["run", "--context", "sandbox-guest", &typed]);
        assert_eq!(ours.code, theirs.code, "{theirs}{ours}");
        let answer = |text: &str| {
            let own = text.lines().find(|row| !row.starts_with('>') && !row.trim().is_empty());
            own.unwrap_or_default().trim().to_owned()
        };
        assert_eq!(answer(&ours.stdout), answer(&theirs.stdout), "{theirs}{ours}");
        let refusal = theirs.stderr.lines().find(|row| row.starts_with("Error from server"));
        assert!(
            refusal.is_none_or(|words| ours.stderr.contains(words)),
            "{theirs}{ours}"
        );
    }
}
