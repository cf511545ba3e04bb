//! A shell in a pod on the console's own terminal: the console steps aside, keys and the size of the terminal go to the
//! shell, and the console comes back as it was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::console::{SOON, asked, line, see};
use support::process::{COGDECK, Sandbox};
use support::terminal::{Key, Terminal};

/// Waits until the console draws, or until it has stepped aside.
fn drawing(terminal: &Terminal, drawn: bool) {
    terminal
        .wait_for(|_| terminal.view().alternate_screen() == drawn, SOON)
        .expect("the console comes and goes");
}

/// What the pane on the left says, whatever its lines are broken into.
fn chat(screen: &str) -> String {
    let rows = screen
        .lines()
        .filter_map(|row| row.trim_start_matches('│').split("││").next());
    rows.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// A console, and a pod to go into.
fn console(sandbox: &Sandbox) -> Terminal {
    let terminal = sandbox.terminal(COGDECK, &[], 110, 32);
    see(&terminal, "Pipelines run in");
    line(&terminal, "kubectl:run box --image=nginx:1 --restart=Never");
    see(&terminal, "pod/box created");
    line(&terminal, "kubectl:wait pod/box --for=condition=Ready");
    see(&terminal, "condition met");
    terminal
}

#[test]
fn a_shell_in_a_pod_has_the_terminal_until_it_ends() {
    let sandbox = Sandbox::start(&["--speed", "5"]);
    let mut terminal = console(&sandbox);
    let before = terminal.view();
    line(&terminal, "kubectl:exec -it box -- sh");
    drawing(&terminal, false);
    asked(&terminal);
    line(&terminal, "echo in-$HOSTNAME");
    see(&terminal, "in-box");
    line(&terminal, "stty size");
    see(&terminal, "32 110");
    terminal.resize(100, 30);
    // The new size is on its way while the next line is typed.
    let resized = || {
        line(&terminal, "stty size");
        terminal.wait_for_text("30 100", Duration::from_secs(2)).is_ok()
    };
    assert!((0..30).any(|_| resized()), "the new size: {}", terminal.screen());
    // Ctrl-C is the shell's, whether something runs there or not.
    line(&terminal, "sleep 1000");
    terminal.key(Key::Ctrl('c'));
    line(&terminal, "echo code-$?");
    see(&terminal, "code-130");
    terminal.key(Key::Ctrl('c'));
    line(&terminal, "echo still-$HOSTNAME");
    see(&terminal, "still-box");
    assert!(!terminal.view().alternate_screen(), "the console waits");
    line(&terminal, "exit 3");
    drawing(&terminal, true);
    let told = |screen: &str| chat(screen).contains("command terminated with exit code 3");
    terminal.wait_for(told, SOON).expect("its exit code");
    let after = terminal.view();
    assert_eq!(
        (
            after.bracketed_paste(),
            after.mouse_protocol_mode(),
            after.application_cursor()
        ),
        (
            before.bracketed_paste(),
            before.mouse_protocol_mode(),
            before.application_cursor()
        ),
    );
    // What was typed over there is not typed here, and keys come here again.
    line(&terminal, "echo back-again");
    terminal
        .wait_for(|screen| screen.matches("back-again").count() >= 2, SOON)
        .expect("a line of the console's own");
    line(&terminal, "kubectl:exec -it box -- sh");
    drawing(&terminal, false);
    asked(&terminal);
    terminal.key(Key::Ctrl('d'));
    drawing(&terminal, true);
    terminal.kill("TERM");
    terminal.exit_status(SOON).expect("its end");
    assert!(!terminal.view().alternate_screen(), "a clean terminal");
}

#[test]
fn a_signal_ends_the_console_while_a_shell_in_a_pod_has_the_terminal() {
    let sandbox = Sandbox::start(&["--speed", "5"]);
    let mut terminal = console(&sandbox);
    line(&terminal, "kubectl:exec -it box -- sh");
    drawing(&terminal, false);
    asked(&terminal);
    terminal.kill("TERM");
    let status = terminal.exit_status(SOON).expect("its end");
    assert_eq!(status.exit_code(), 143);
    let screen = terminal.screen();
    assert!(screen.contains("cogdeck: stopped"), "what ran is named: {screen}");
}
