//! The helpers of tests, tested with small real programs: a harness that is wrong would make every test of the console
//! pass or fail for the wrong reason.
#![allow(clippy::expect_used, reason = "a failed expectation is how a test fails")]

mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use support::process::{command, parse_exports};
use support::require;
use support::terminal::{Key, Terminal};

const SOON: Duration = Duration::from_secs(10);

/// A shell with a prompt that nothing else prints.
fn shell(cols: u16, rows: u16) -> Terminal {
    let bash = require("bash").expect("every Debian has bash");
    let terminal = Terminal::spawn(bash, &["--norc", "--noprofile"], &[("PS1", "ready> ")], cols, rows);
    terminal.wait_for_text("ready>", SOON).expect("a prompt");
    terminal
}

#[test]
fn typed_lines_run_and_their_output_is_on_the_screen() {
    let terminal = shell(60, 10);
    terminal.type_text("echo $((6 * 7)) in $TERM\n");
    let screen = terminal
        .wait_for_text("42 in xterm-256color", SOON)
        .expect("the answer");
    assert_eq!(screen.lines().count(), 10, "every row is there: {screen}");
    assert_eq!(screen.lines().next(), Some("ready> echo $((6 * 7)) in $TERM"));
}

#[test]
fn the_program_sees_the_size_and_its_change() {
    let terminal = shell(97, 31);
    terminal.type_text("stty size\n");
    terminal.wait_for_text("31 97", SOON).expect("rows and columns");
    terminal.type_text("trap 'stty size' WINCH; echo set\n");
    terminal.wait_for_text("\nset", SOON).expect("the trap is set");
    terminal.resize(120, 40);
    terminal.key(Key::Enter); // bash runs traps between commands
    let screen = terminal.wait_for_text("40 120", SOON).expect("the new size");
    assert_eq!(screen.lines().count(), 40);
}

#[test]
fn colours_and_attributes_are_on_the_cells() {
    let terminal = shell(60, 10);
    terminal.type_text("clear; printf '\\033[1;31mR\\033[0;4;7mU\\033[0m.'\n");
    terminal
        .wait_for(|screen| screen.starts_with("RU."), SOON)
        .expect("three letters");
    let (red, underlined, plain) = (terminal.cell(0, 0), terminal.cell(0, 1), terminal.cell(0, 2));
    assert_eq!(
        (red.contents(), red.fgcolor(), red.bold()),
        ("R", vt100::Color::Idx(1), true)
    );
    assert_eq!(
        (underlined.contents(), underlined.underline(), underlined.inverse()),
        ("U", true, true)
    );
    assert_eq!(
        (plain.fgcolor(), plain.bold(), plain.inverse()),
        (vt100::Color::Default, false, false)
    );
}

#[test]
fn the_program_has_a_home_of_its_own_and_nothing_else_of_ours() {
    let terminal = shell(200, 10);
    terminal.type_text("echo home=$HOME cargo=${CARGO_MANIFEST_DIR:-none}\n");
    let expected = format!("home={} cargo=none", terminal.home().display());
    terminal.wait_for_text(&expected, SOON).expect("a clean environment");
}

#[test]
fn keys_arrive_as_a_terminal_sends_them() {
    let cat = require("cat").expect("every Debian has cat");
    let terminal = Terminal::spawn(cat, &["-v"], &[], 60, 10);
    for (key, shown) in [
        (Key::Up, "^[[A"),
        (Key::F(1), "^[OP"),
        (Key::F(12), "^[[24~"),
        (Key::Delete, "^[[3~"),
        (Key::BackTab, "^[[Z"),
        (Key::Alt('x'), "^[x"),
        (Key::Ctrl('a'), "^A"),
    ] {
        terminal.key(key);
        terminal.wait_for_text(shown, SOON).expect("the key's echo");
    }
}

#[test]
fn cursor_keys_follow_the_mode_that_the_program_asks_for() {
    let terminal = shell(60, 10);
    terminal.type_text("printf '\\033[?1h'; cat -v\n");
    terminal
        .wait_for(|_| terminal.view().application_cursor(), SOON)
        .expect("application mode");
    terminal.key(Key::Up);
    terminal.wait_for_text("^[OA", SOON).expect("the other form");
}

#[test]
fn a_paste_is_bracketed_only_when_the_program_asks_for_it() {
    let cat = require("cat").expect("every Debian has cat");
    let plain = Terminal::spawn(cat, &["-v"], &[], 60, 10);
    plain.paste("one\ntwo\n");
    plain
        .wait_for(|screen| screen.matches("two").count() == 2, SOON)
        .expect("echoed and printed");
    assert!(!plain.screen().contains("200~"));

    let asking = shell(60, 10);
    asking.type_text("printf '\\033[?2004h'; cat -v\n");
    asking
        .wait_for(|_| asking.view().bracketed_paste(), SOON)
        .expect("bracketed paste");
    asking.paste("one\ntwo");
    asking.wait_for_text("two^[[201~", SOON).expect("the end of the paste");
    assert!(asking.screen().contains("^[[200~one"));
}

#[test]
fn questions_to_the_terminal_are_answered() {
    let terminal = shell(60, 10);
    terminal.type_text("clear; IFS= read -rs -d R -p $'\\033[6n' at; echo \"cursor ${at:1}\"\n");
    terminal.wait_for_text("cursor [1;1", SOON).expect("the cursor's place");
    terminal.type_text("clear; IFS= read -rs -d c -p $'\\033[c' kind; echo \"kind ${kind:1}\"\n");
    terminal
        .wait_for_text("kind [?62;22", SOON)
        .expect("the terminal's kind");
}

#[test]
fn raw_output_is_kept_from_a_mark_on() {
    let terminal = shell(60, 10);
    let mark = terminal.mark();
    terminal.type_text("printf '\\033]0;title\\007done\\n'\n");
    terminal.wait_for_text("\ndone", SOON).expect("the end of the line");
    let raw = terminal.raw_output_since(mark);
    assert!(
        raw.windows(10).any(|bytes| bytes == b"\x1b]0;title\x07"),
        "{}",
        String::from_utf8_lossy(&raw)
    );
    assert!(
        !terminal.screen().contains("\x1b"),
        "the screen has what a person sees only"
    );
    assert!(terminal.raw_output_since(usize::MAX).is_empty());
}

#[test]
fn a_failed_wait_shows_the_screen_and_takes_its_time() {
    let terminal = shell(60, 10);
    let started = Instant::now();
    let unseen = terminal
        .wait_for_text("never", Duration::from_millis(300))
        .expect_err("nobody prints it");
    assert!(started.elapsed() >= Duration::from_millis(300));
    let shown = unseen.to_string();
    assert!(
        shown.contains("\"never\": not within 300ms") && shown.contains("│ready>"),
        "{shown}"
    );
}

#[test]
fn half_a_frame_is_not_looked_at() {
    let terminal = shell(60, 10);
    terminal.type_text("printf '\\033[?2026hha'; printf 'lf'; read -rt .1; printf ' and whole\\033[?2026l\\n'\n");
    let seen = terminal.wait_for(|screen| screen.lines().any(|row| row.starts_with("half")), SOON);
    let screen = seen.expect("a frame");
    assert!(screen.contains("\nhalf and whole\n"), "{screen}");
    // One that never ends is looked at in the end.
    terminal.type_text("printf '\\033[?2026h'; echo be''gun\n");
    terminal.wait_for_text("\nbegun", SOON).expect("what was drawn of it");
}

#[test]
fn a_wait_ends_with_the_program() {
    let mut terminal = shell(60, 10);
    terminal.type_text("exit 7\n");
    let started = Instant::now();
    let unseen = terminal
        .wait_for_text("never", Duration::from_secs(60))
        .expect_err("the shell is gone");
    assert!(unseen.to_string().contains("the program ended"), "{unseen}");
    assert!(started.elapsed() < SOON);
    let status = terminal.exit_status(SOON).expect("an end");
    assert_eq!((status.exit_code(), status.signal()), (7, None));
}

#[test]
fn idle_is_told_from_busy() {
    let terminal = shell(60, 10);
    terminal
        .wait_until_idle(Duration::from_millis(200), SOON)
        .expect("a shell at its prompt is idle");
    terminal.type_text("while :; do echo busy; read -rt .01; done\n");
    terminal.wait_for_text("\nbusy", SOON).expect("the loop runs");
    let unseen = terminal
        .wait_until_idle(Duration::from_millis(500), Duration::from_secs(1))
        .expect_err("it goes on");
    assert!(unseen.to_string().contains("still writing"), "{unseen}");
    terminal.key(Key::Ctrl('c'));
    terminal
        .wait_until_idle(Duration::from_millis(200), SOON)
        .expect("Ctrl-C ends the loop");
}

#[test]
fn signals_reach_the_program() {
    let sleep = require("sleep").expect("every Debian has sleep");
    let mut terminal = Terminal::spawn(sleep, &["600"], &[], 60, 10);
    terminal
        .exit_status(Duration::from_millis(100))
        .expect_err("still asleep");
    terminal.kill("TERM");
    let status = terminal.exit_status(SOON).expect("an end");
    assert_eq!(status.signal(), Some("Terminated"));
    terminal.kill("TERM"); // and nothing happens
}

#[test]
fn a_dropped_terminal_leaves_nothing_running() {
    let terminal = shell(60, 10);
    // It ignores the hang-up, and must go all the same.
    terminal.type_text("trap '' HUP; echo pid=$$.\n");
    let screen = terminal
        .wait_for(|screen| screen.contains("\npid="), SOON)
        .expect("the shell's process id");
    let pid = screen
        .split("\npid=")
        .nth(1)
        .and_then(|rest| rest.split('.').next())
        .expect("a number");
    let process = PathBuf::from(format!("/proc/{pid}"));
    assert!(process.exists(), "{screen}");
    drop(terminal);
    assert!(!process.exists());
}

#[test]
fn tput_finds_the_terminal_it_knows() {
    let Some(tput) = require("tput") else { return };
    let mut terminal = Terminal::spawn(tput, &["colors"], &[], 60, 10);
    assert!(terminal.exit_status(SOON).expect("an end").success());
    assert!(terminal.screen().starts_with("256"), "{}", terminal.screen());
}

#[test]
fn exports_are_read_as_a_shell_reads_them() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        parse_exports("# the world\nexport A=1 B='two words'\nexport C=\"it's\"\nD=not exported\n"),
        [pair("A", "1"), pair("B", "two words"), pair("C", "it's")]
    );
}

#[test]
fn cogdeck_itself_starts_in_a_clean_environment() {
    let home = tempfile::tempdir().expect("a home");
    let output = command(&["--version"], home.path()).output().expect("cogdeck starts");
    assert!(output.stderr.is_empty(), "{output:?}");
    assert_eq!(
        std::fs::read_dir(home.path()).expect("the home").count(),
        0,
        "asking the version writes nothing"
    );
}
