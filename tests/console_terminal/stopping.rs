//! The console stopped and continued by signals from outside, which it does not always hear. Not for Ctrl-Z.

use super::support::console::{line, see_row};
use super::support::process::COGDECK;
use super::support::terminal::{Key, Terminal};
use super::support::{signal, wait_until_stopped};
use super::{AND_THEN, SOON, in_a_shell, is_clean, number_in};

/// The console has the terminal and reads its keys one by one.
fn is_back(terminal: &Terminal) {
    let back = |screen: &str| {
        let view = terminal.view();
        screen.contains("not yet run")
            && screen.contains("Pipelines run")
            && view.alternate_screen()
            && view.bracketed_paste()
            && view.mouse_protocol_mode() != vt100::MouseProtocolMode::None
    };
    terminal.wait_for(back, SOON).expect("the console as it was");
    terminal.key(Key::Ctrl('u'));
    line(terminal, "echo in raw mode");
    see_row(terminal, "its answer", |row| row.contains("  in raw mode"));
    let ended = |row: &str| row.contains("echo in raw mode") && row.contains("done");
    see_row(terminal, "its end", ended);
}

/// A console in a shell that does `meanwhile` while it is stopped, and lets it go on after a line is typed.
fn stopped_by(name: &str, meanwhile: &str) -> Terminal {
    let console = r#"bash --norc -c 'echo $$ > "$HOME/pid"; exec "$0" --sandbox' "$0""#;
    let script = format!(r#"set -m; {console}; {meanwhile}; echo "it is stopped"; read -r; fg; {AND_THEN}"#);
    let terminal = in_a_shell(&script, COGDECK);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    terminal.type_text("echo not yet run");
    terminal.wait_for_text("echo not yet run", SOON).expect("typed");
    signal(number_in(&terminal, "pid"), name);
    terminal.wait_for_text("it is stopped", SOON).expect("the shell");
    terminal
}

fn ends_cleanly(mut terminal: Terminal) {
    terminal.key(Key::Ctrl('d'));
    terminal.wait_for_text("ended with 0", SOON).expect("its end");
    terminal.exit_status(SOON).expect("its end");
    is_clean(&terminal);
}

#[test]
fn sigtstp_from_outside_gives_the_terminal_back_like_ctrl_z() {
    let terminal = stopped_by("TSTP", "stty -a");
    is_clean(&terminal);
    terminal.key(Key::Enter);
    is_back(&terminal);
    ends_cleanly(terminal);
}

#[test]
fn sigstop_cannot_be_heard_but_what_others_made_of_the_terminal_is_set_right() {
    let others = r"stty sane; printf '\033[?1049l\033[?2004l\033[?1002l\033[2J'";
    let terminal = stopped_by("STOP", others);
    terminal.key(Key::Enter);
    is_back(&terminal);
    ends_cleanly(terminal);
}

#[test]
fn one_that_was_stopped_and_continued_unseen_draws_everything_again() {
    let terminal = Terminal::spawn(COGDECK, &["--sandbox"], &[], 100, 40);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    terminal.type_text("echo not yet run");
    terminal.wait_for_text("echo not yet run", SOON).expect("typed");
    let pid = terminal.pid().expect("it runs");
    signal(pid, "STOP");
    wait_until_stopped(pid, SOON);
    let mark = terminal.mark();
    signal(pid, "CONT");
    let since = || String::from_utf8_lossy(&terminal.raw_output_since(mark)).into_owned();
    terminal
        .wait_for(|_| since().contains("\x1b[2J") && since().contains("\x1b[?1049h"), SOON)
        .expect("a frame drawn anew");
    is_back(&terminal);
}

#[test]
fn a_pager_and_the_console_are_stopped_and_go_on_together() {
    let console = r#"PAGER='sh -c "cat > /dev/null; echo the pager reads; read -r line < /dev/tty"' "$0" --sandbox"#;
    let script = format!(r#"set -m; {console}; echo "it is stopped"; read -r; fg; {AND_THEN}"#);
    let terminal = in_a_shell(&script, COGDECK);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    line(&terminal, "echo not yet run");
    see_row(&terminal, "the answer", |row| row.contains("  not yet run"));
    terminal.key(Key::Alt('1'));
    terminal.wait_for_text("open/fold", SOON).expect("the chat's keys");
    terminal.type_text("o");
    terminal.wait_for_text("the pager reads", SOON).expect("the pager");
    // The terminal is in its usual mode: it sends the signal to all that run in it.
    terminal.key(Key::Ctrl('z'));
    terminal.wait_for_text("it is stopped", SOON).expect("the shell");
    terminal.key(Key::Enter);
    // Here the pager reads on.
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.key(Key::Enter);
    terminal.wait_for_text("open/fold", SOON).expect("the console is back");
    terminal.type_text("i");
    is_back(&terminal);
    ends_cleanly(terminal);
}
