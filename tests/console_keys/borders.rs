//! Hostile and unusual texts in every place of the screen where a foreign text stands, and the frames after each of them:
//! one cell too many or too few, and a border would be somewhere else. Not for tags and names of clouds: those are in
//! `hostile.rs`.

use super::console;
use super::support::console::{AFTER_ESC, SOON, chat, line, nothing_leaked, see, see_row};
use super::support::terminal::{Key, Terminal};

/// What it is, and the text.
const TEXTS: [(&str, &str); 9] = [
    ("escapes", "\x1b]52;c;ZXZpbA==\x07\x1b[?1049l\x1b[2J\x1b[6nevil"),
    ("8-bit controls", "\u{9d}52;c;ZXZpbA==\u{9c}\u{9b}2Jevil"),
    ("another direction", "\u{202e}gnp.exe\u{2066}x"),
    ("Hebrew", "שלום עולם"),
    ("Arabic", "مرحبا بالعالم"),
    ("wide letters", "世界한글ｗ"),
    ("emoji", "👩‍👩‍👧🇩🇪👍🏽❤️"),
    (
        "combining marks",
        "e\u{301}\u{323}\u{30a}o\u{308}\u{304}a\u{363}\u{488}",
    ),
    ("bells and blanks", "\x07\x07\t\u{a0}\u{2003}\u{200b}\u{feff}\u{ad}x"),
];

/// Bytes of a very long text.
const LONG: usize = 100_000;

/// Where a foreign text comes to stand: how it gets there under this number, and what takes it away again.
type Place = (&'static str, fn(&Terminal, usize, &str), fn(&Terminal));
const PLACES: [Place; 6] = [
    ("output", output, stays),
    ("a table's name", name, stays),
    ("an error", error, stays),
    ("a panel's rows", panel, unpin),
    ("a title", title, unfilter),
    ("a toast", toast, stays),
];

fn stays(_: &Terminal) {}

/// A text as JSON in ASCII: what is typed is harmless, only the answer is not.
fn json(text: &str) -> String {
    let unit = |unit: u16| match u8::try_from(unit) {
        Ok(letter @ (b' ' | b'a'..=b'z')) => char::from(letter).to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    let units: String = text.encode_utf16().map(unit).collect();
    format!("\"{units}\"")
}

fn ends(terminal: &Terminal, number: usize, typed: &str) {
    terminal.paste(&format!("{typed}; echo end-{number}"));
    terminal.key(Key::Enter);
    let end = format!("  end-{number}");
    see_row(terminal, typed, |row| row.contains(&end));
}

fn output(terminal: &Terminal, number: usize, text: &str) {
    ends(terminal, number, &format!("seed '{}' | jq -r .", json(text)));
}

fn name(terminal: &Terminal, number: usize, text: &str) {
    let record = format!(r#"{{"name":{},"behind":"yes"}}"#, json(text));
    ends(terminal, number, &format!("seed '{record}' | table name behind"));
}

fn error(terminal: &Terminal, number: usize, text: &str) {
    terminal.paste(&format!("kubectl:describe deploy 'no-{number}{text}'"));
    terminal.key(Key::Enter);
    line(terminal, &format!("echo end-{number}"));
    let end = format!("  end-{number}");
    see_row(terminal, "what comes behind the error", |row| row.contains(&end));
}

fn panel(terminal: &Terminal, number: usize, text: &str) {
    terminal.paste(&format!("seed '{}' | jq -r . | pin", json(text)));
    terminal.key(Key::Enter);
    line(terminal, &format!("echo end-{number}"));
    let end = format!("  end-{number}");
    see_row(terminal, "what comes behind the pin", |row| row.contains(&end));
    let named = terminal.wait_for(|screen| pinned(screen).is_some(), SOON);
    named.expect("the panel's name");
}

/// The panel that the last line pinned, once that is told.
fn pinned(screen: &str) -> Option<String> {
    // The sentence is broken where the pane ends.
    let words: Vec<&str> = screen.lines().flat_map(|row| chat(row).split_whitespace()).collect();
    let said = words.join(" ");
    // A long line shows its beginning.
    let (_, since) = said.rsplit_once("❯ seed ")?;
    let (_, told) = since.split_once("is the panel ")?;
    Some(told.chars().take_while(char::is_ascii_alphanumeric).collect())
}

fn unpin(terminal: &Terminal) {
    let screen = terminal.screen();
    let name = pinned(&screen).unwrap_or_else(|| panic!("no name: {screen}"));
    line(terminal, &format!(":unpin {name}"));
    let title = format!(" {name} ");
    terminal
        .wait_for(|screen| !screen.contains(&title) || screen.contains("unpinned"), SOON)
        .expect("the panel is gone");
}

fn title(terminal: &Terminal, _: usize, text: &str) {
    terminal.key(Key::Alt('2'));
    see(terminal, "m actions");
    terminal.type_text("/");
    see(terminal, "filter deployments: /");
    // Controls are no letters that one types, and nobody types a hundred thousand of them.
    let letters: String = text.chars().filter(|symbol| !symbol.is_control()).collect();
    match text.len() < LONG {
        true => terminal.type_text(&letters),
        false => terminal.paste(text),
    }
    terminal.key(Key::Enter);
    see(terminal, "m actions");
}

fn unfilter(terminal: &Terminal) {
    terminal.key(Key::Escape);
    std::thread::sleep(AFTER_ESC);
    terminal.type_text("i");
    terminal
        .wait_for(|screen| !screen.contains("m actions"), SOON)
        .expect("the input line");
}

fn toast(terminal: &Terminal, number: usize, text: &str) {
    // A path that is typed has no blanks.
    let text: String = text.split_whitespace().collect();
    terminal.paste(&format!(":present /no/such/{number}/{text}"));
    terminal.key(Key::Enter);
    // Typed, it stands in the line alone.
    see(terminal, &format!("cannot read /no/such/{number}/"));
}

/// The first cell of a frame's border that is not where it belongs; none: all frames are whole. At least two there must
/// be: the line and a pane.
fn broken_border(terminal: &Terminal) -> Option<String> {
    let view = terminal.view();
    let (rows, columns) = view.size();
    let at = |y: u16, x: u16| view.cell(y, x).map_or("", vt100::Cell::contents);
    let mut frames = 0;
    for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
        if at(y, x) != "╭" {
            continue;
        }
        frames += 1;
        let right = (x..columns).find(|right| at(y, *right) == "╮");
        let low = (y..rows).find(|low| at(*low, x) == "╰");
        let (Some(right), Some(low)) = (right, low) else {
            return Some(format!("the frame at {y},{x} has no corner to the right or below"));
        };
        if at(low, right) != "╯" {
            return Some(format!("the frame at {y},{x} does not end at {low},{right}"));
        }
        let sides = (y + 1..low).flat_map(|y| [(y, x), (y, right)]);
        if let Some((y, x)) = sides.into_iter().find(|(y, x)| at(*y, *x) != "│") {
            return Some(format!("no border at {y},{x}: {:?}", at(y, x)));
        }
    }
    (frames < 2).then(|| format!("{frames} frames"))
}

fn frames_are_whole(terminal: &Terminal, what: &str) {
    let whole = terminal.wait_for(|_| broken_border(terminal).is_none(), SOON);
    whole.unwrap_or_else(|unseen| panic!("{what}: {:?}: {unseen}", broken_border(terminal)));
}

/// Puts each text into each place.
fn everywhere<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) {
    let terminal = console(&[], &[], 120, 40);
    let mark = terminal.mark();
    frames_are_whole(&terminal, "at the start");
    let mut number = 0;
    for (what, text) in texts {
        for (place, put, take_away) in PLACES {
            number += 1;
            put(&terminal, number, text);
            frames_are_whole(&terminal, &format!("{what} in {place}"));
            take_away(&terminal);
        }
    }
    nothing_leaked(&terminal, mark);
}

#[test]
fn whatever_a_text_holds_the_frames_stay_where_they_are() {
    everywhere(TEXTS);
}

#[test]
fn however_long_a_text_is_the_frames_stay_where_they_are() {
    let texts = [
        ("letters", "long "),
        ("letters without a blank", "x"),
        ("wide letters", "世"),
        ("combining marks", "e\u{301}\u{323}"),
        ("escapes", "\x1b]52;c;ZXZpbA==\x07\x1b[?1049l\x1b[2J"),
    ];
    let long = texts.map(|(what, piece)| (what, piece.repeat(LONG / piece.len() + 1)));
    everywhere(long.iter().map(|(what, text)| (*what, text.as_str())));
}
