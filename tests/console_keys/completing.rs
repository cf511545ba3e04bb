//! Tab in a real terminal: what lives in the cluster, the account and the answers before.

use std::time::Duration;

use super::console;
use super::support::console::{AFTER_ESC, SOON, deploy, input, line, see};
use super::support::terminal::{Key, Terminal};

/// What the popup offers: the rows of the box whose title counts what fits.
fn offered(screen: &str) -> String {
    let mut rows = screen.lines().skip_while(|row| !row.contains(" fit ─"));
    let Some((before, _)) = rows.next().and_then(|row| row.split_once(" fit ─")) else {
        return String::new();
    };
    let left = before.chars().count() - before.chars().rev().position(|symbol| symbol == '╭').unwrap_or(0);
    let inside = rows.map(|row| row.chars().skip(left).collect::<String>());
    inside.take_while(|row| !row.starts_with('─')).collect()
}

/// Types a line's beginning and Tab until what is asked for stands in the line or is offered; then the line is emptied.
fn completes(terminal: &Terminal, typed: &str, wanted: &str) {
    terminal.type_text(typed);
    let whole = |_: &str| input(terminal).replace('\n', "").starts_with(typed);
    terminal.wait_for(whole, SOON).expect("the line as typed");
    let deadline = std::time::Instant::now() + SOON;
    loop {
        terminal.key(Key::Tab);
        // The screen may show it elsewhere.
        let seen =
            |screen: &str| input(terminal).replace('\n', "").contains(wanted) || offered(screen).contains(wanted);
        match terminal.wait_for(seen, Duration::from_secs(3)) {
            Ok(_) => break,
            // The first answer of a service may take longer than a completion waits for it.
            Err(unseen) => assert!(
                std::time::Instant::now() < deadline,
                "{typed} and Tab: {wanted}: {unseen}"
            ),
        }
        closed(terminal);
    }
    closed(terminal);
    terminal.key(Key::Ctrl('c'));
    terminal
        .wait_for(
            |screen| !input(terminal).contains(typed) && offered(screen).is_empty(),
            SOON,
        )
        .expect("the line is emptied");
}

/// Esc closes the popup, where there is one: with it Ctrl-C would leave the line as it is.
fn closed(terminal: &Terminal) {
    terminal.key(Key::Escape);
    std::thread::sleep(AFTER_ESC);
    let none = |screen: &str| offered(screen).is_empty();
    terminal.wait_for(none, SOON).expect("the popup is closed");
}

#[test]
fn tab_completes_what_lives_in_the_cluster_the_account_and_the_answers() {
    let terminal = console(&[], &[], 160, 45);
    deploy(&terminal, "alpha");
    line(&terminal, "kubectl:expose deploy alpha --type=LoadBalancer --port=80");
    see(&terminal, "service/alpha exposed");
    line(
        &terminal,
        "kubectl:wait svc alpha --for=jsonpath='{.status.loadBalancer.ingress[0].hostname}'",
    );
    see(&terminal, "condition met");
    line(
        &terminal,
        "r53:record-create -z Z37AJ8CHRUEZC6 -t A alpha.spawnhub.com 203.0.113.9 --wait",
    );
    see(&terminal, "INSYNC");
    line(&terminal, "kubectl:get deploy alpha");
    terminal
        .wait_for(
            |screen| {
                screen
                    .lines()
                    .any(|row| row.contains("❯ kubectl:get deploy alpha") && row.contains("done"))
            },
            SOON,
        )
        .expect("the deployment");
    let table = [
        ("kubectl:describe deploy al", "describe deploy alpha"),
        ("kubectl:describe po al", "describe po alpha-"),
        ("kubectl:get po -n kube-s", "-n kube-system"),
        ("kubectl:get po -l run=al", "-l run=alpha"),
        ("r53:record-list -z Z37", "-z Z37AJ8CHRUEZC6"),
        ("r53:record-delete -z Z37AJ8CHRUEZC6 -t A al", "-t A alpha.spawnhub.com"),
        (
            "r53:record-create -z Z37AJ8CHRUEZC6 -t CNAME b.spawnhub.com a",
            ".ap-southeast-2.elb.amazonaws.com",
        ),
        ("dig --short al", "dig --short alpha.spawnhub.com"),
        ("dig alpha.spawnhub.com CN", "alpha.spawnhub.com CNAME"),
        ("instance-search tag:Kub", "tag:KubernetesCluster="),
        (
            "instance-search tag:KubernetesCluster=st",
            "tag:KubernetesCluster=staging.spawnhub.com",
        ),
        ("instance-search instance-type=", "instance-type=m"),
        ("@sand", "@sandbox"),
        ("echo $_.metad", "echo $_.metadata"),
        ("kubectl:get deploy alpha | jq .metad", "jq .metadata"),
        ("sandbox:speed fas", "sandbox:speed faster"),
    ];
    for (typed, wanted) in table {
        completes(&terminal, typed, wanted);
    }
}
