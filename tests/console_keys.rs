//! The console's keys, mouse, pastes and resizes in a real terminal, under both keymaps and without colour; completions
//! and hostile texts in files of their own. Not for the demo, and not for how the terminal is left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "console_keys/borders.rs"]
mod borders;
#[path = "console_keys/completing.rs"]
mod completing;
#[path = "console_keys/hostile.rs"]
mod hostile;
mod support;

use std::time::Duration;

use support::console::{AFTER_ESC, SOON, deploy, has_no_colour, line, see, see_row};
use support::process::COGDECK;
use support::terminal::{Key, Terminal};

fn console(args: &[&str], envs: &[(&str, &str)], columns: u16, rows: u16) -> Terminal {
    let all: Vec<&str> = ["--sandbox", "--speed", "5"]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    let terminal = Terminal::spawn(COGDECK, &all, envs, columns, rows);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    terminal
}

/// Row and column of a text on the screen.
fn place(terminal: &Terminal, text: &str) -> (u16, u16) {
    let screen = terminal.screen();
    let found = screen.lines().zip(0..).find_map(|(row, y)| {
        let before = row.split_once(text)?.0;
        Some((y, u16::try_from(before.chars().count()).ok()?))
    });
    found.unwrap_or_else(|| panic!("{text} is not on the screen: {screen}"))
}

#[test]
fn vim_keys_without_colour_select_filter_and_act_on_rows() {
    let terminal = console(&["--keymap", "vim"], &[("NO_COLOR", "1")], 120, 40);
    deploy(&terminal, "alpha");
    deploy(&terminal, "beta");
    terminal.key(Key::Alt('2'));
    see(&terminal, "m actions");
    terminal.type_text("G");
    let selected = |_: &str| {
        let (y, x) = place(&terminal, "beta   1/1");
        terminal.cell(y, x).inverse()
    };
    terminal.wait_for(selected, SOON).expect("the selected row, reversed");
    has_no_colour(&String::from_utf8_lossy(&terminal.raw_output_since(0)), "vim");
    terminal.type_text("/alp");
    see(&terminal, "filter deployments: /alp");
    terminal.key(Key::Enter);
    see(&terminal, "/alp 1");
    terminal.type_text("d");
    // Its page from the beginning, below the line that was run.
    see(&terminal, "❯ kubectl:describe deploy alpha");
    see(&terminal, "Name:                   alpha");
    terminal.key(Key::Escape);
    terminal
        .wait_for(|screen| !screen.contains("/alp 1"), SOON)
        .expect("the first Esc shows all again");
    // Esc is also how Alt begins: the next key must not come at once.
    std::thread::sleep(Duration::from_millis(200));
    terminal.type_text("i");
    terminal.type_text("echo back in the line");
    see(&terminal, "❯ echo back in the line");
    terminal.key(Key::Escape);
    see_row(&terminal, "normal mode", |row| row.contains(" normal │ "));
    terminal.type_text("/created");
    see(&terminal, "search the chat: /created");
    see(&terminal, "/created in ");
}

#[test]
fn the_mouse_selects_and_goes_to_panes_and_a_key_gives_it_to_the_terminal() {
    let terminal = console(&[], &[], 120, 40);
    deploy(&terminal, "alpha");
    deploy(&terminal, "beta");
    assert_ne!(terminal.view().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    see(&terminal, "beta   1/1");
    let (y, x) = place(&terminal, "beta   1/1");
    terminal.send(format!("\x1b[<0;{};{}M", x + 1, y + 1).as_bytes());
    terminal.send(format!("\x1b[<0;{};{}m", x + 1, y + 1).as_bytes());
    terminal
        .wait_for(|_| terminal.cell(y, x).inverse(), SOON)
        .expect("the row clicked is selected");
    see(&terminal, "m actions");
    terminal.type_text("y");
    let copied = |_: &str| String::from_utf8_lossy(&terminal.raw_output_since(0)).contains("\x1b]52;c;YmV0YQ==");
    terminal
        .wait_for(copied, SOON)
        .expect("its name on the clipboard, by the operator's own key");
    terminal.key(Key::Alt('m'));
    see(&terminal, "the mouse is the terminal's");
    assert_eq!(terminal.view().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
}

#[test]
fn a_megabyte_pasted_and_a_storm_of_sizes_do_no_harm() {
    let terminal = console(&[], &[], 120, 40);
    terminal.paste(&"kubectl:delete deploy x\n".repeat(44_000));
    see(&terminal, "nothing was pasted");
    terminal.paste("echo one\necho two\n");
    see(&terminal, "echo two");
    assert!(
        !terminal.screen().contains("✓ done"),
        "nothing ran: {}",
        terminal.screen()
    );
    terminal.key(Key::Ctrl('c'));
    for step in 0..40u16 {
        terminal.resize(30 + step * 7, 8 + step * 2);
    }
    for (columns, rows) in [(40, 12), (300, 80), (1, 1), (80, 24)] {
        terminal.resize(columns, rows);
    }
    terminal
        .wait_for(
            |screen| screen.lines().nth(1).is_some_and(|row| row.contains("1 chat  2 depl")),
            SOON,
        )
        .expect("the screen at 80x24");
    line(&terminal, "echo still here");
    terminal
        .wait_for(|screen| screen.lines().any(|row| row.trim() == "still here"), SOON)
        .expect("it answers");
}

/// Sizes from 1×1 to 500×200 in no order, each for long enough to be drawn.
fn storm(terminal: &Terminal) {
    for step in 0..100u16 {
        let (columns, rows) = (1 + step * 197 % 500, 1 + step * 83 % 200);
        terminal.resize_unseen(columns, rows);
        std::thread::sleep(Duration::from_millis(4));
    }
    for (columns, rows) in [(1, 1), (1, 200), (500, 1), (500, 200), (120, 40)] {
        terminal.resize_unseen(columns, rows);
        std::thread::sleep(Duration::from_millis(4));
    }
}

/// Esc, and what it closes is gone: a console that still draws a storm's last sizes takes its keys late.
fn leave(terminal: &Terminal, open: &str) {
    terminal.key(Key::Escape);
    let closed = terminal.wait_for(|screen| !screen.contains(open), SOON);
    closed.unwrap_or_else(|unseen| panic!("{open}: {unseen}"));
    std::thread::sleep(AFTER_ESC);
}

#[test]
fn a_storm_of_sizes_leaves_a_rollout_a_menu_a_search_and_an_approval_as_they_were() {
    let terminal = console(&[], &[], 120, 40);
    deploy(&terminal, "alpha");
    line(
        &terminal,
        "kubectl:set image deploy alpha alpha=so0k/kuar-inspector:2.0.0",
    );
    storm(&terminal);
    see(&terminal, "image updated");
    line(&terminal, "kubectl:delete deploy alpha");
    see(&terminal, "decline");
    storm(&terminal);
    see(&terminal, "decline");
    terminal.key(Key::Escape);
    // The block says "declined" too: what has to go is the question.
    terminal
        .wait_for(
            |screen| !screen.contains("Esc decline") && screen.contains("declined by the operator"),
            SOON,
        )
        .expect("declined");
    std::thread::sleep(AFTER_ESC);
    terminal.key(Key::Alt('2'));
    see(&terminal, "m actions");
    terminal.type_text("m");
    see(&terminal, "actions: Enter does it");
    storm(&terminal);
    see(&terminal, "actions: Enter does it");
    leave(&terminal, "actions: Enter does it");
    terminal.type_text("/alp");
    see(&terminal, "filter deployments: /alp");
    storm(&terminal);
    see(&terminal, "filter deployments: /alp");
    leave(&terminal, "filter deployments:");
    terminal.type_text("i");
    line(&terminal, "echo still here");
    see_row(&terminal, "it answers", |row| row.contains("  still here"));
}

#[test]
fn a_line_for_the_shell_in_the_sandbox_says_once_that_it_runs_outside() {
    let terminal = console(&[], &[], 120, 40);
    line(&terminal, "sh 'echo first'");
    see_row(&terminal, "the answer", |row| row.contains("  first"));
    see(&terminal, "runs on this machine");
    line(&terminal, "sh 'echo second'");
    let screen = see_row(&terminal, "the other answer", |row| row.contains("  second"));
    assert_eq!(screen.matches("runs on this machine").count(), 1, "{screen}");
}

#[test]
fn a_terminal_far_away_gets_fewer_frames() {
    let terminal = console(&[], &[("SSH_TTY", "/dev/pts/7")], 120, 40);
    let (mark, begun) = (terminal.mark(), std::time::Instant::now());
    line(
        &terminal,
        "sh 'i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); sleep 0.005; done'",
    );
    see_row(&terminal, "its end", |row| row.contains("  line 299"));
    let output = String::from_utf8_lossy(&terminal.raw_output_since(mark)).into_owned();
    let frames = output.matches("\x1b[?2026h").count();
    // One each 50 ms, however long it took, and a few ahead: here three times as many would be drawn.
    let most = begun.elapsed().as_millis() / 50 + 5;
    assert!(frames > 10 && frames as u128 <= most, "{frames} frames, at most {most}");
}

#[test]
fn twenty_thousand_keys_in_one_burst_are_all_typed() {
    let terminal = console(&[], &[], 120, 40);
    let words: Vec<String> = (0..4_000).map(|number| format!("{number:04}")).collect();
    let words = words.join(" ");
    let file = terminal.home().join("typed");
    line(&terminal, &format!("echo {words} > file:{}", file.display()));
    let written = |_: &str| std::fs::read_to_string(&file).is_ok_and(|text| text.trim_end() == words);
    terminal.wait_for(written, SOON).expect("every key arrived, in order");
}

#[test]
fn theme_and_keymap_files_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let (theme, keymap) = (folder.path().join("mine.toml"), folder.path().join("keys.toml"));
    std::fs::write(&theme, "name = 'mine'\n").expect("a theme");
    std::fs::write(&keymap, "name = 'keys'\n[input]\n'enter' = 'submit'\n").expect("a keymap");
    let path = |path: &std::path::Path| path.to_str().expect("a path in UTF-8").to_owned();
    let (theme_path, keymap_path) = (path(&theme), path(&keymap));
    let terminal = console(&["--theme", &theme_path, "--keymap", &keymap_path], &[], 120, 40);
    std::fs::write(
        &theme,
        "name = 'other'\ninherits = 'dark'\n[styles]\n'state.okk' = { fg = 'red' }\n",
    )
    .expect("written");
    see(&terminal, "unknown meaning state.okk");
    std::fs::write(&theme, "name = 'third'\ninherits = 'dark'\n").expect("written");
    see(&terminal, "read again: theme third");
    std::fs::write(&keymap, "name = 'keys'\n[input]\n'enter' = 'submit'\n'f2' = 'help'\n").expect("written");
    see(&terminal, "read again: keymap");
    terminal.key(Key::F(2));
    see(&terminal, "any other key closes");
    leave(&terminal, "any other key closes");
    std::fs::write(&keymap, "name = 'keys'\n[input\n").expect("written");
    see(&terminal, "the keymap cannot be read");
    terminal.key(Key::F(2));
    see(&terminal, "any other key closes");
}
