//! The talk's demo typed in the console, in a terminal of 120×40, every line as demo.md has it: only `<elb>` is written as
//! the path to the answer before it. The screen is read as a person would. Not for keys, layouts and themes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use regex::Regex;
use support::process::COGDECK;
use support::require;
use support::terminal::{Key, Terminal};

/// For anything that the console or the world does by itself.
const SOON: Duration = Duration::from_secs(30);

const NET_LOOP: &str = r"while true; do curl -s http://inspector.spawnhub.com/net | egrep -o '100\.[0-9]+\.[0-9]+\.[0-9]+' | head -n 1; sleep .5; done";
const VERSION_LOOP: &str = r"while true; do curl -s http://inspector.spawnhub.com/ | egrep -o 'Version: Inspector [0-9].[0-9].[0-9]' | head -n 1; sleep .5; done";

struct Console(Terminal);

impl Console {
    /// In a shell that tells afterwards how it found the terminal.
    fn open() -> Self {
        let shell = require("bash").expect("every Debian has bash");
        let line = r#""$0" --sandbox --speed 2; code=$?; stty -a; echo "ended with $code""#;
        let console = Self(Terminal::spawn(shell, &["--norc", "-c", line, COGDECK], &[], 120, 40));
        console.see("Pipelines run in sandbox");
        console
    }

    fn line(&self, line: &str) {
        self.0.type_text(line);
        self.0.key(Key::Enter);
    }

    fn see(&self, text: &str) -> String {
        self.0.wait_for_text(text, SOON).expect("on the screen")
    }

    /// A page longer than the pane begins at its beginning; it is turned to its end, where the last of it stands. On a
    /// slow machine it is turned further before a screen is drawn: `last` is a word of the last screen, which stays.
    fn read_page(&self, line: &str, first: &str, last: &str) {
        self.line(line);
        self.see(first);
        let deadline = Instant::now() + SOON;
        loop {
            self.0.key(Key::PageDown);
            match self.0.wait_for(|screen| screen.contains(last), Duration::from_secs(1)) {
                Ok(_) => return,
                Err(unseen) => assert!(Instant::now() < deadline, "{last}: {unseen}"),
            }
        }
    }

    /// Waits until the chat, or the panels, have a row that fits.
    fn see_row(&self, part: fn(&str) -> Vec<String>, pattern: &str) {
        let pattern = Regex::new(pattern).unwrap();
        let seen = |screen: &str| part(screen).iter().any(|row| pattern.is_match(row));
        self.0
            .wait_for(seen, SOON)
            .unwrap_or_else(|unseen| panic!("{pattern}: {unseen}"));
    }

    /// Waits until nothing runs: only then `$_` is the answer that was seen, and nobody is asked at leaving.
    fn rests(&self) {
        let rests = self.0.wait_for(|screen| !screen.contains(" running │ "), SOON);
        rests.expect("nothing runs");
    }

    /// Types the line again until its answer is there, as a presenter does.
    fn repeat(&self, line: &str, pattern: &str) {
        let pattern = Regex::new(pattern).unwrap();
        let deadline = Instant::now() + SOON;
        loop {
            self.line(line);
            let seen = |screen: &str| chat(screen).iter().any(|row| pattern.is_match(row));
            match self.0.wait_for(seen, Duration::from_secs(2)) {
                Ok(_) => return self.rests(),
                Err(unseen) => assert!(Instant::now() < deadline, "{pattern}: {unseen}"),
            }
        }
    }
}

/// The column of the border between chat and panels.
fn border(screen: &str) -> usize {
    let top = screen.lines().nth(1).unwrap_or_default();
    top.chars().position(|c| c == '╮').unwrap_or(usize::MAX - 1) + 1
}

fn chat(screen: &str) -> Vec<String> {
    screen
        .lines()
        .map(|row| row.chars().take(border(screen)).collect())
        .collect()
}

/// The rows of all panels, borders and blanks at the ends left out.
fn panels(screen: &str) -> Vec<String> {
    let rows = screen
        .lines()
        .map(|row| row.chars().skip(border(screen)).collect::<String>());
    rows.map(|row| row.trim_matches(['│', ' ']).to_owned()).collect()
}

/// A bar of the rollout: the label's start, the filled cells and `ready` of its row.
fn rollout_bar(screen: &str, label: &str) -> Option<(usize, String)> {
    let row = panels(screen)
        .into_iter()
        .find(|row| row.starts_with(label) && row.ends_with(" ready"))?;
    let ready = row.split_whitespace().rev().nth(1)?.to_owned();
    Some((row.matches('█').count(), ready))
}

#[test]
fn the_demo_typed_in_the_console() {
    let console = Console::open();
    console.read_page(
        "!help kubectl",
        "kubectl - Interact with Kubernetes",
        "COGDECK_NAMESPACE",
    );
    console.read_page(
        "!help kubectl:run",
        "kubectl:run - Run an image",
        "{kind, name, namespace, action, message}",
    );

    console.line("!kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80");
    console.see_row(chat, "deployment.apps/inspector created");
    console.see_row(panels, r"^\W*inspector .*\b1/1\b");
    console.line("!kubectl:get deploy inspector");
    console.see_row(chat, r" inspector +1/1 ");

    console.line("!kubectl:expose deploy inspector --type=LoadBalancer");
    console.see_row(chat, "service/inspector exposed");
    console.line("!kubectl:get svc inspector");
    console.see_row(chat, "<pending>");
    console.repeat("!kubectl:get svc inspector", r"\.elb\.amazonaws\.com");

    console.line("!r53:record-create -z Z37AJ8CHRUEZC6 -t CNAME inspector.spawnhub.com $_.status.loadBalancer.ingress[0].hostname");
    console.see_row(chat, r"Change: +C[A-Z0-9]+ (PENDING|INSYNC)");
    console.repeat("!dig --short inspector.spawnhub.com", r"^│ +\d+\.\d+\.\d+\.\d+ +│");

    console.line("!kubectl:scale deploy inspector --replicas=3");
    console.see_row(panels, r"^\W*inspector .*\b3/3\b");
    console.line(NET_LOOP);
    let shares = Regex::new(r"^\S+ \S+ +\d+ +\d+% [a·]*a[a·]*$").unwrap();
    let three = |screen: &str| panels(screen).iter().filter(|row| shares.is_match(row)).count() >= 3;
    console
        .0
        .wait_for(three, SOON)
        .expect("the share of each of three pods");
    console.0.key(Key::Ctrl('c'));
    console.line("!kubectl:get deploy inspector");
    console.see_row(chat, r" inspector +3/3 ");

    console.line(VERSION_LOOP);
    console.see_row(panels, r"version 1\.0\.0 .*\d+%");
    console.line("!kubectl:set image deploy inspector inspector=so0k/kuar-inspector:2.0.0");
    both_bars_move(&console);
    console.see_row(panels, r"version 1\.0\.0 .*\d+%");
    console.see_row(panels, r"version 2\.0\.0 .*\d+%");
    console.see_row(chat, r"Version: Inspector 2\.0\.0");
    console.0.key(Key::Ctrl('c'));

    console.line(r#"!instance-search 'tag:KubernetesCluster=staging.spawnhub.com' | jq '.public_ip_address | values | "ssh://admin@\(.)"'"#);
    // The answer streams: it is read when its block says that it ended.
    let ssh = Regex::new(r#"^│ +"ssh://admin@203\.0\.113\.\d+" +│"#).unwrap();
    let whole = |screen: &str| {
        let rows = chat(screen);
        let block = rows
            .iter()
            .rposition(|row| row.contains("❯ !instance-search"))
            .map(|at| &rows[at..]);
        block.is_some_and(|rows| rows.iter().any(|row| row.contains("✓ done")))
    };
    let screen = console.0.wait_for(whole, SOON).expect("the end of the search");
    let lines = chat(&screen).iter().filter(|row| ssh.is_match(row)).count();
    assert_eq!(lines, 3, "{screen}");

    console.line("!kubectl:get svc inspector");
    console.see_row(chat, r"TYPE +LoadBalancer");
    console.rests();
    console.line("!r53:record-create -z Z37AJ8CHRUEZC6 -t A -a Z1GM3OXH4ZPM65 spawnhub.com $_.status.loadBalancer.ingress[0].hostname");
    console.see_row(chat, "upsert alias A record");
    console.line("!kubectl:get deploy | kubectl:describe");
    console.see_row(chat, "Scaled up replica set|NewReplicaSet");
    leaves_a_clean_terminal(console);
}

/// While the image changes, the bar of the new replica set grows and that of the old one shrinks.
fn both_bars_move(console: &Console) {
    let seen = RefCell::new((BTreeSet::new(), BTreeSet::new(), BTreeSet::new()));
    let watch = |screen: &str| {
        let (new, old) = (rollout_bar(screen, "new 2.0.0"), rollout_bar(screen, "old 1.0.0"));
        let mut seen = seen.borrow_mut();
        seen.0.extend(new.iter().map(|(filled, _)| *filled));
        seen.1.extend(old.iter().map(|(filled, _)| *filled));
        if let (Some(new), Some(old)) = (&new, &old) {
            seen.2.insert((new.1.clone(), old.1.clone()));
        }
        new.is_some_and(|(_, ready)| ready == "3/3") && old.is_none_or(|(filled, _)| filled == 0)
    };
    console
        .0
        .wait_for(watch, SOON)
        .expect("the new replica set has all pods, the old one none");
    let (new, old, both) = seen.into_inner();
    assert!(
        new.len() >= 3 && old.len() >= 3,
        "the bars' widths: new {new:?}, old {old:?}"
    );
    assert!(both.len() >= 3, "ready pods of new and old: {both:?}");
}

fn leaves_a_clean_terminal(mut console: Console) {
    console.rests();
    console.0.key(Key::Ctrl('d'));
    console
        .0
        .wait_for_text("ended with 0", SOON)
        .expect("the shell after the console");
    let status = console.0.exit_status(SOON).expect("its end");
    assert!(status.success());
    let view = console.0.view();
    assert!(!view.alternate_screen(), "the main screen is back");
    assert!(!view.hide_cursor(), "the cursor is visible");
    assert!(!view.bracketed_paste() && view.mouse_protocol_mode() == vt100::MouseProtocolMode::None);
    let settings = console.0.screen();
    for mode in ["icanon", "echo", "isig", "icrnl", "opost"] {
        let on = settings
            .split_whitespace()
            .any(|word| word.trim_end_matches(';') == mode);
        assert!(on, "{mode} is on again: {settings}");
    }
}
