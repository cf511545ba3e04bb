//! The talk's loops, in a shell.

use super::support::require;
use super::support::run::Stream;
use super::{CALL, Deck, SOON, change_record_sets, cname};

/// The talk's two loops.
const NET_LOOP: &str = r"while true; do curl -s http://inspector.spawnhub.com/net | egrep -o '100\.[0-9]+\.[0-9]+\.[0-9]+' | head -n 1; sleep .5; done";
const VERSION_LOOP: &str = r"while true; do curl -s http://inspector.spawnhub.com/ | egrep -o 'Version: Inspector [0-9].[0-9].[0-9]' | head -n 1; sleep .5; done";

#[test]
fn the_talks_loops_run_unmodified_in_a_shell() {
    let (Some(bash), Some(_), Some(aws)) = (require("bash"), require("curl"), require("aws")) else {
        return;
    };
    let Some(kubectl) = require("kubectl") else { return };
    let deck = Deck::new(&kubectl);
    let host = deck.inspector();
    change_record_sets(&deck.world, &aws, &cname("inspector.spawnhub.com", &host)).ok();
    deck.kubectl("scale deploy inspector --replicas=3");
    deck.kubectl("rollout status deploy inspector --timeout=60s");
    let shell = |line: &str| {
        let mut command = deck.world.client(&bash);
        command.args(["-c", line]);
        Stream::start(command)
    };
    let addresses = deck.kubectl("get po -l app=inspector -o jsonpath={.items[*].status.podIP}");
    let mut net = shell(NET_LOOP);
    // Three pods, one of them chosen for each connection: 60 s are 120 requests.
    net.wait_for(
        |lines| addresses.split(' ').all(|ip| lines.iter().any(|line| line == ip)),
        CALL,
    );
    drop(net);

    let mut versions = shell(VERSION_LOOP);
    versions.wait_for(
        |lines| lines.iter().any(|line| line == "Version: Inspector 1.0.0"),
        SOON,
    );
    deck.kubectl("set image deploy inspector kuar-inspector=so0k/kuar-inspector:2.0.0");
    deck.kubectl("rollout status deploy inspector --timeout=60s");
    let before = versions.so_far();
    let after = |lines: &[String]| lines.len() > before + 5;
    let lines = versions.wait_for(after, SOON);
    // The first of them may have been asked before the rollout ended.
    assert!(
        lines[before + 1..]
            .iter()
            .all(|line| line == "Version: Inspector 2.0.0"),
        "{lines:#?}"
    );
}
