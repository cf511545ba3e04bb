//! The second and third act of the demo, in a console on a sandbox in a process of its own: a broken image whose cause
//! is named while the old pods serve and one key takes it back, and a change from another terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use cogdeck::ui::console::approval::LOOK;
use support::process::{COGDECK, Sandbox};
use support::terminal::{Key, Terminal};

const SOON: Duration = Duration::from_secs(60);

fn line(terminal: &Terminal, text: &str) {
    terminal.type_text(text);
    terminal.key(Key::Enter);
}

fn see(terminal: &Terminal, text: &str) {
    terminal.wait_for_text(text, SOON).expect("on the screen");
}

fn console(sandbox: &Sandbox) -> Terminal {
    let terminal = sandbox.terminal(COGDECK, &[], 120, 40);
    see(&terminal, "Pipelines run in");
    line(
        &terminal,
        "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --replicas=3",
    );
    let available = |screen: &str| {
        screen
            .lines()
            .any(|row| row.contains("3/3") && row.contains("✓ available"))
    };
    terminal.wait_for(available, SOON).expect("three pods");
    terminal
}

#[test]
fn a_broken_image_is_named_the_old_serve_on_and_one_key_takes_it_back() {
    let sandbox = Sandbox::start(&["--speed", "5"]);
    let terminal = console(&sandbox);
    let begun = Instant::now();
    line(
        &terminal,
        "kubectl:set image deploy inspector inspector=so0k/kuar-inspector:broken",
    );
    let named = |screen: &str| {
        (screen.contains("✗ ErrImagePull") || screen.contains("✗ ImagePullBackOff"))
            && screen.contains("the old 3/3 still serve")
    };
    terminal.wait_for(named, SOON).expect("the cause, and what still works");
    println!("the cause is named after {:?}", begun.elapsed());
    terminal.key(Key::Alt('3'));
    terminal.type_text("u");
    see(&terminal, "kubectl:rollout-undo deploy inspector");
    see(&terminal, "Enter applies it");
    // An Enter that comes as soon as the plan counts for nothing: it was meant for something else.
    std::thread::sleep(LOOK);
    terminal.key(Key::Enter);
    see(&terminal, "deployment.apps/inspector rolled back");
    let well = |screen: &str| !screen.contains("still serve") && screen.contains("✓ available");
    terminal.wait_for(well, SOON).expect("as before");
}

#[test]
fn a_scale_from_another_terminal_moves_the_panels_at_once() {
    let Some(kubectl) = support::require("kubectl") else {
        return;
    };
    let sandbox = Sandbox::start(&["--speed", "5"]);
    let terminal = console(&sandbox);
    let scaled = sandbox
        .client(kubectl)
        .args(["scale", "deploy", "inspector", "--replicas=5"])
        .output()
        .expect("kubectl runs");
    let answered = Instant::now();
    assert!(scaled.status.success(), "{}", String::from_utf8_lossy(&scaled.stderr));
    terminal
        .wait_for(|screen| screen.contains("/5 "), SOON)
        .expect("the count that was asked for elsewhere");
    println!("on the screen {:?} after kubectl's answer", answered.elapsed());
    let all = |screen: &str| {
        screen
            .lines()
            .any(|row| row.contains("5/5") && row.contains("✓ available"))
    };
    terminal.wait_for(all, SOON).expect("five pods");
}
