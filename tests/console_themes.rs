//! Themes in a real terminal: the selection without colour, byte by byte, and the terminal's background asked for and
//! answered at once, late, in pieces, or never. Not for what a theme looks like: the screens of each are snapshots.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use support::console::has_no_colour;
use support::process::COGDECK;
use support::require;
use support::terminal::{Key, Terminal};

const SOON: Duration = Duration::from_secs(30);
const ASK: &str = "\x1b]11;?\x07";
const LIGHT: &str = "\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\";

fn console(args: &[&str], envs: &[(&str, &str)]) -> Terminal {
    let all: Vec<&str> = ["--sandbox"].into_iter().chain(args.iter().copied()).collect();
    Terminal::spawn(COGDECK, &all, envs, 120, 40)
}

fn output(terminal: &Terminal) -> String {
    String::from_utf8_lossy(&terminal.raw_output_since(0)).into_owned()
}

#[test]
fn the_selected_row_is_reversed_and_nothing_is_coloured_in_every_theme_without_colour() {
    let presets = ["terminal-16", "dark", "light", "high-contrast", "colour-blind", "mono"];
    let no_color = presets.iter().map(|name| (*name, ("NO_COLOR", "1")));
    let dumb = [("dark", ("TERM", "dumb")), ("mono", ("COLORTERM", "truecolor"))];
    for (name, env) in no_color.chain(dumb) {
        let terminal = console(&["--theme", name], &[env]);
        // Instances are there from the start: no pod has to come first.
        terminal.wait_for_text("bastion", SOON).expect("the instances");
        terminal.key(Key::Alt('6'));
        let reversed = |_: &str| {
            let view = terminal.view();
            let rows = (0..40).filter(|y| (0..120).any(|x| view.cell(*y, x).is_some_and(vt100::Cell::inverse)));
            let rows: Vec<u16> = rows.collect();
            let text = |y: u16| view.rows(0, 120).nth(usize::from(y)).unwrap_or_default();
            rows.len() == 1 && text(rows[0]).contains("bastion")
        };
        terminal
            .wait_for(reversed, SOON)
            .unwrap_or_else(|unseen| panic!("{name} {env:?}: one row reversed, that of an instance: {unseen}"));
        has_no_colour(&output(&terminal), &format!("{name} {env:?}"));
    }
}

fn auto(envs: &[(&str, &str)]) -> Terminal {
    let all: Vec<_> = [("COLORTERM", "truecolor")]
        .into_iter()
        .chain(envs.iter().copied())
        .collect();
    let terminal = console(&["--theme", "auto"], &all);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    terminal
}

/// Whether the input line shows this and nothing else.
fn line_is(terminal: &Terminal, text: &str) -> bool {
    terminal
        .screen()
        .lines()
        .any(|row| row.trim_matches(['│', ' ']).trim_end() == format!("❯ {text}").trim_end())
}

/// The prompt's colour as it is now.
fn prompt(terminal: &Terminal) -> vt100::Color {
    let view = terminal.view();
    let cells = (0..40).flat_map(|y| (0..120).map(move |x| (y, x)));
    let prompt = cells
        .rev()
        .filter_map(|(y, x)| view.cell(y, x))
        .find(|cell| cell.contents() == "❯");
    prompt.map_or(vt100::Color::Default, vt100::Cell::fgcolor)
}

/// What the prompt is drawn with in a theme.
fn prompt_in(theme: &str) -> vt100::Color {
    use cogdeck::ui::panel::{Meaning, Theme};
    match Theme::preset(theme).unwrap().style(Meaning::Prompt).fg {
        Some(ratatui::style::Color::Rgb(r, g, b)) => vt100::Color::Rgb(r, g, b),
        other => panic!("{theme}: {other:?}"),
    }
}

#[test]
fn a_terminal_that_tells_a_light_background_gets_the_light_theme() {
    let terminal = console(&["--theme", "auto"], &[("COLORTERM", "truecolor")]);
    // As a terminal does: as soon as it is asked.
    let asked = |_: &str| output(&terminal).contains(ASK);
    terminal.wait_for(asked, SOON).expect("the question");
    terminal.send(LIGHT.as_bytes());
    terminal
        .wait_for(|_| prompt(&terminal) == prompt_in("light"), SOON)
        .expect("the light theme");
    assert!(line_is(&terminal, ""), "nothing was typed: {}", terminal.screen());
    terminal.type_text("echo typed");
    terminal
        .wait_for(|_| line_is(&terminal, "echo typed"), SOON)
        .expect("the line");
}

#[test]
fn a_terminal_that_never_answers_has_the_dark_theme_and_keeps_every_key() {
    let terminal = auto(&[]);
    let asked = |_: &str| output(&terminal).contains(ASK);
    terminal.wait_for(asked, SOON).expect("the question");
    // Begins like an answer.
    terminal.send(b"\x1b]");
    terminal.type_text("11 keys");
    terminal
        .wait_for(|_| line_is(&terminal, "11 keys"), SOON)
        .expect("the line");
    assert_eq!(prompt(&terminal), prompt_in("dark"));
}

#[test]
fn a_late_answer_changes_nothing_and_is_not_typed() {
    let terminal = auto(&[]);
    let asked = Instant::now();
    terminal.type_text("echo a");
    terminal
        .wait_for(|_| line_is(&terminal, "echo a"), SOON)
        .expect("the line");
    std::thread::sleep(Duration::from_millis(800).saturating_sub(asked.elapsed()));
    terminal.send(LIGHT.as_bytes());
    terminal.type_text("b");
    terminal
        .wait_for(|_| line_is(&terminal, "echo ab"), SOON)
        .expect("the line");
    assert_eq!(prompt(&terminal), prompt_in("dark"), "not under the operator's hands");
    assert!(!terminal.screen().contains("rgb"), "{}", terminal.screen());
}

#[test]
fn where_no_answer_can_be_had_nobody_asks() {
    for env in [
        ("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22"),
        ("TMUX", "/nowhere,1,0"),
        ("COLORFGBG", "0;15"),
    ] {
        let terminal = auto(&[env]);
        // It would have been asked before any key is read.
        terminal.type_text("typed");
        terminal
            .wait_for(|_| line_is(&terminal, "typed"), SOON)
            .expect("the line");
        assert!(!output(&terminal).contains("\x1b]11"), "{env:?}");
    }
}

#[test]
fn an_answer_on_its_way_does_not_become_the_shells_input() {
    let shell = require("bash").expect("every Debian has bash");
    let script = r#""$0" --theme auto; read -r -s -n 1 -t 1 key; printf 'the shell read [%q]\n' "$key""#;
    let terminal = Terminal::spawn(shell, &["--norc", "-c", script, COGDECK], &[], 100, 40);
    let asked = |_: &str| output(&terminal).contains(ASK);
    terminal.wait_for(asked, SOON).expect("the question");
    // In one piece: no clock decides. That it is waited for is shown without a terminal, by the shell's own tests.
    terminal.send(format!("\x04{LIGHT}").as_bytes());
    terminal
        .wait_for_text("the shell read ['']", SOON)
        .expect("the shell's input is empty");
}
