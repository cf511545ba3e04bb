//! A console in a terminal, driven and read as a person would: lines typed, answers looked for, what stands in the input
//! line, what left the program. Not for starting one: each test starts its own.

use std::time::Duration;

use super::terminal::{Key, Terminal};

/// How long to wait for what must come: a loaded machine takes its time.
pub const SOON: Duration = Duration::from_secs(60);
/// Esc is also how Alt begins: the next key must not come at once.
pub const AFTER_ESC: Duration = Duration::from_millis(200);

/// Types a line and sends it.
pub fn line(terminal: &Terminal, text: &str) {
    terminal.type_text(text);
    terminal.key(Key::Enter);
}

/// Waits until a text stands on the screen.
pub fn see(terminal: &Terminal, text: &str) -> String {
    terminal.wait_for_text(text, SOON).expect("on the screen")
}

/// Waits until one row of the screen is what is looked for.
pub fn see_row(terminal: &Terminal, what: &str, is_it: impl Fn(&str) -> bool) -> String {
    let seen = terminal.wait_for(|screen| screen.lines().any(&is_it), SOON);
    seen.unwrap_or_else(|unseen| panic!("{what}: {unseen}"))
}

/// Waits until a shell in a pod asks: its prompt stands where the cursor is. An older one may stand there from before.
pub fn asked(terminal: &Terminal) {
    let asks = |screen: &str| {
        let (row, column) = terminal.view().cursor_position();
        column == 4 && screen.lines().nth(row.into()) == Some("/ #")
    };
    terminal.wait_for(asks, SOON).expect("a prompt");
}

/// A deployment, until the panel shows it as available.
pub fn deploy(terminal: &Terminal, name: &str) {
    line(
        terminal,
        &format!("kubectl:run {name} --image=so0k/kuar-inspector:1.0.0"),
    );
    see_row(terminal, "its row in the panel", |row| {
        row.contains(name) && row.contains("✓ available")
    });
}

/// What stands in the input line, without its prompt: in the last frame of the screen. Rows that it is broken into are
/// joined by line breaks.
pub fn input(terminal: &Terminal) -> String {
    let screen = terminal.screen();
    let rows: Vec<&str> = screen.lines().collect();
    let from = rows.iter().rposition(|row| row.starts_with('╭')).unwrap_or(0);
    let inside = rows.iter().skip(from + 1).take_while(|row| row.starts_with('│'));
    let text: Vec<&str> = inside.map(|row| row.trim_matches(['│', ' '])).collect();
    text.join("\n").trim_start_matches("❯").trim_start().to_owned()
}

/// The chat's part of a row of a wide screen.
pub fn chat(row: &str) -> &str {
    let inside = row.trim_start_matches('│');
    inside.split('│').next().unwrap_or_default()
}

/// Parameters of every SGR sequence of an output.
pub fn styles(output: &str) -> Vec<Vec<u16>> {
    let sgr = regex::Regex::new("\u{1b}\\[([0-9;]*)m").expect("an expression");
    let numbers = |found: regex::Captures<'_>| found[1].split(';').map(|number| number.parse().unwrap_or(0)).collect();
    sgr.captures_iter(output).map(numbers).collect()
}

/// No sequence of an output asks for a colour.
pub fn has_no_colour(output: &str, what: &str) {
    for style in styles(output) {
        let colour = |number: &u16| matches!(number, 30..=38 | 40..=48 | 90..=107);
        assert!(
            !style.iter().any(colour),
            "{what}: a colour left the program: {style:?}"
        );
    }
}

/// Nothing of a hostile text reached the terminal as a command to it since a mark.
pub fn nothing_leaked(terminal: &Terminal, mark: usize) {
    let raw = String::from_utf8_lossy(&terminal.raw_output_since(mark)).into_owned();
    for leak in [
        "\x1b]52",
        "\x1b[?1049l",
        "\x1b]0;",
        "\x07",
        "\x1b[6n",
        "\x1bP",
        // The same introducers and ends as single characters, which some terminals follow too.
        "\u{9b}",
        "\u{9d}",
        "\u{9c}",
        "\u{90}",
        // Texts that run from right to left would show another order than what is there.
        "\u{202e}",
        "\u{2066}",
        "\u{2067}",
    ] {
        assert!(!raw.contains(leak), "{leak:?} reached the terminal");
    }
    let view = terminal.view();
    assert!(
        view.alternate_screen() && view.bracketed_paste(),
        "the screen is still ours"
    );
}
