//! Panels in a real terminal: a pipeline pinned as one and kept for the next session, the rollout panel that stays on
//! what is pinned, a shell from a row, and the way down through the objects. Not for what panels look like: snapshots
//! show that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use base64::Engine;
use support::console::{SOON, asked, chat, deploy, line, see, see_row};
use support::process::{COGDECK, Sandbox};
use support::terminal::{Key, Terminal};

fn console(sandbox: &Sandbox, state: &str, columns: u16, rows: u16) -> Terminal {
    let mut envs: Vec<(&str, &str)> = sandbox
        .envs()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    envs.push(("XDG_STATE_HOME", state));
    let terminal = Terminal::spawn(COGDECK, &[], &envs, columns, rows);
    see(&terminal, "Pipelines run in");
    terminal
}

/// What stands below this title, as wide as its pane.
fn below(screen: &str, title: &str) -> String {
    let mut rows = screen.lines().skip_while(|row| !row.contains(title));
    let Some((before, _)) = rows.next().and_then(|row| row.split_once(title)) else {
        return String::new();
    };
    let left = before.chars().count().saturating_sub(6);
    let pane = rows.map(|row| row.chars().skip(left).take(60).collect::<String>());
    let pane = pane.take_while(|row| !row.contains('╰') && !row.contains('╭'));
    pane.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_pipeline_is_pinned_follows_the_cluster_survives_the_session_and_is_closed() {
    let sandbox = Sandbox::start(&["--speed", "5"]);
    let home = tempfile::tempdir().unwrap();
    let state = home.path().to_str().unwrap();
    let mut terminal = console(&sandbox, state, 200, 60);
    line(&terminal, "kubectl:delete deploy x | pin");
    see(&terminal, "only what reads can be pinned");
    line(&terminal, "kubectl:get deploy | pin --every 1s");
    see(&terminal, "is the panel pin1 from now on");
    see(&terminal, "kubectl:get deploy  every 1s");
    deploy(&terminal, "alpha");
    let listed = |screen: &str| below(screen, "kubectl:get deploy  every 1s").contains("alpha");
    terminal
        .wait_for(listed, SOON)
        .expect("the new deployment in the pinned panel");
    terminal.key(Key::Ctrl('d'));
    assert!(terminal.exit_status(SOON).unwrap().success());

    let again = console(&sandbox, state, 200, 60);
    again.wait_for(listed, SOON).expect("it is there in the next session");
    line(&again, ":unpin pin1");
    see(&again, "unpinned: kubectl:get deploy");
    again
        .wait_for(|screen| !screen.contains("every 1s"), SOON)
        .expect("the panel is gone");
}

#[test]
fn a_shell_is_opened_from_the_row_of_a_deployment_and_of_a_container() {
    let sandbox = Sandbox::start(&["--speed", "5"]);
    let home = tempfile::tempdir().unwrap();
    let terminal = console(&sandbox, home.path().to_str().unwrap(), 120, 40);
    deploy(&terminal, "alpha");
    terminal.key(Key::Alt('2'));
    see(&terminal, "m actions");
    terminal.type_text("s");
    see(&terminal, "kubectl:exec --stdin --tty deploy/alpha -- sh");
    see(&terminal, "Enter applies it");
    std::thread::sleep(cogdeck::ui::console::approval::LOOK);
    terminal.key(Key::Enter);
    // The console is away while the shell has the terminal.
    terminal
        .wait_for(|screen| !screen.contains("deployments"), SOON)
        .expect("the shell has the terminal");
    asked(&terminal);
    line(&terminal, "exit");
    see(&terminal, "deployments 1");

    // On the way down there is one for each container.
    line(&terminal, ":deploy");
    terminal.type_text("o");
    see(&terminal, "REVISION");
    terminal.key(Key::Enter);
    pod_of_alpha(&terminal);
    terminal.key(Key::Enter);
    container_of_alpha(&terminal);
    terminal.type_text("s");
    see(&terminal, "--container=alpha");
    see(&terminal, "Enter applies it");
    std::thread::sleep(cogdeck::ui::console::approval::LOOK);
    terminal.key(Key::Enter);
    terminal
        .wait_for(|screen| !screen.contains("deployments"), SOON)
        .expect("the shell has the terminal");
    asked(&terminal);
    line(&terminal, "exit");
    see(&terminal, "deployments 1");
}

/// Waits for the row, and not only for the title: keys on nothing do nothing. The panel of all pods may have it too, and
/// a tab the title.
fn pod_of_alpha(terminal: &Terminal) {
    let pod = |screen: &str| below(screen, "─ < pods of alpha-").contains("✓ Running");
    terminal.wait_for(pod, SOON).expect("the row of the pod");
}

/// The same of its container.
fn container_of_alpha(terminal: &Terminal) {
    // The image may be cut in the middle; no other row has it beside a state.
    let row = |row: &str| row.contains("so0k/kuar") && row.contains("✓ Running");
    let container = |screen: &str| screen.contains("< containers of alpha-") && screen.lines().any(row);
    terminal.wait_for(container, SOON).expect("the row of the container");
}

/// Deployment, replica sets, pods, containers, logs, and back, at three sizes.
#[test]
fn the_way_down_and_back_works_at_every_size() {
    let sandbox = Sandbox::start(&["--speed", "5"]);
    for (columns, rows) in [(80, 24), (120, 40), (200, 60)] {
        let home = tempfile::tempdir().unwrap();
        let terminal = console(&sandbox, home.path().to_str().unwrap(), columns, rows);
        if columns == 80 {
            line(&terminal, "kubectl:run alpha --image=so0k/kuar-inspector:1.0.0");
            see(&terminal, "deployment.apps/alpha created");
        }
        line(&terminal, ":deploy");
        see(&terminal, "✓ available");
        terminal.type_text("o");
        see(&terminal, "replica sets of alpha");
        see(&terminal, "REVISION");
        // Back is where the key was pressed, not the line.
        terminal.key(Key::Escape);
        terminal
            .wait_for(|screen| !screen.contains("replica sets of alpha"), SOON)
            .expect("it is left");
        terminal.type_text("o");
        see(&terminal, "replica sets of alpha");
        see(&terminal, "REVISION");
        terminal.key(Key::Enter);
        pod_of_alpha(&terminal);
        terminal.key(Key::Enter);
        container_of_alpha(&terminal);
        terminal.key(Key::Enter);
        // In a narrow terminal the block is behind the panel.
        line(&terminal, ":chat");
        see(&terminal, "kubectl:logs alpha-");
        terminal.type_text("i");
        line(&terminal, ":objects");
        see(&terminal, "< containers of alpha-");
        terminal.key(Key::Left);
        see(&terminal, "< pods of alpha-");
        terminal.key(Key::Left);
        see(&terminal, "replica sets of alpha");
        terminal.type_text("i");
        line(&terminal, ":ns kube-system");
        line(&terminal, ":po");
        see(&terminal, "kube-dns");
        terminal.type_text("i");
        line(&terminal, ":configmaps");
        terminal.type_text("i");
        line(&terminal, ":ns default");
        line(&terminal, ":po");
        // Where there is room for one pane it is this one; elsewhere the chat names the pod too.
        let listed = |screen: &str| match columns {
            80 => screen
                .lines()
                .any(|row| row.contains("alpha-") && row.contains("✓ Running")),
            _ => below(screen, " pods 1").contains("alpha-"),
        };
        terminal.wait_for(listed, SOON).expect("the pod's row in the panel");
    }
}

/// Two deployments of one name: each row says in which namespace it is and is acted on there; lines of the chat run in
/// the session's own namespace as before.
#[test]
fn all_namespaces_are_shown_at_once_and_their_rows_stay_apart() {
    let sandbox = Sandbox::start(&["--speed", "5"]);
    let home = tempfile::tempdir().unwrap();
    let terminal = console(&sandbox, home.path().to_str().unwrap(), 200, 60);
    deploy(&terminal, "alpha");
    line(
        &terminal,
        "kubectl:run alpha --namespace=kube-system --image=so0k/kuar-inspector:1.0.0",
    );
    let created = |screen: &str| screen.matches("deployment.apps/alpha created").count() >= 2;
    terminal.wait_for(created, SOON).expect("the other alpha");
    line(&terminal, ":ns *");
    see(&terminal, "default + *");
    // A long name of a namespace is cut in its middle.
    let rows = |screen: &str, namespace: &str| {
        let words = |row: &str| row.split('│').any(|part| part.trim_start().starts_with(namespace));
        screen
            .lines()
            .filter(|row| words(row) && row.contains(" alpha "))
            .count()
    };
    let both = |screen: &str| rows(screen, "default") == 1 && rows(screen, "kube") == 1;
    terminal.wait_for(both, SOON).expect("a row of each");
    see(&terminal, "NAMESPACE");
    line(&terminal, ":deploy");
    see(&terminal, "m actions");
    terminal.type_text("/kube-system");
    terminal.key(Key::Enter);
    see(&terminal, "/kube-system 3");
    terminal.key(Key::Home);
    terminal.type_text("d");
    see(&terminal, "kubectl:describe --namespace=kube-system deploy alpha");
    terminal.type_text("i");
    line(&terminal, "kubectl:get deploy -o name | count");
    see_row(&terminal, "the session's own namespace alone", |row| {
        chat(row).trim() == "1"
    });
    line(&terminal, ":ns kube-system");
    terminal
        .wait_for(
            |screen| !screen.contains("NAMESPACE") && rows(screen, "default") == 0,
            SOON,
        )
        .expect("one namespace again");
}

#[test]
fn a_cell_is_copied_by_key_and_by_nothing_else() {
    let sandbox = Sandbox::start(&["--speed", "5"]);
    let home = tempfile::tempdir().unwrap();
    let terminal = console(&sandbox, home.path().to_str().unwrap(), 120, 40);
    deploy(&terminal, "alpha");
    let clip = |text: &str| format!("\u{1b}]52;c;{}", base64::engine::general_purpose::STANDARD.encode(text));
    let sent = |mark: usize| String::from_utf8_lossy(&terminal.raw_output_since(mark)).into_owned();
    assert!(!sent(0).contains("\u{1b}]52;"), "nothing was copied so far");
    let mark = terminal.mark();
    terminal.key(Key::Alt('2'));
    see(&terminal, "m actions");
    terminal.type_text("C");
    see(&terminal, "copy a cell: Enter does it");
    terminal.key(Key::Enter);
    see(&terminal, "copied: alpha");
    assert!(sent(mark).contains(&clip("alpha")));
    let mark = terminal.mark();
    terminal.type_text("J");
    see(&terminal, "1 rows copied as JSON");
    assert!(sent(mark).contains("\u{1b}]52;c;"), "the table");
}
