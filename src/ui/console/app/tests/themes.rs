//! One screen a theme, as a terminal shows the bytes that the console writes for it: text, then the style of each cell.
//! NO_COLOR and TERM=dumb are what the composition root makes of a theme for them.

use std::fmt::Write as _;

use super::*;
use crate::ui::console::terminal::Screen;
use crate::ui::panel::theme::Glyphs;

const SIZE: (u16, u16) = (110, 32);

/// The console at work: an answer, an error, a question with its plan, a selected row of the focused panel, a toast and
/// a line being typed.
fn shown(theme: Theme) -> vt100::Screen {
    let mut desk = Desk::new();
    desk.app.theme = theme;
    let block = desk.start("kubectl:get deploy");
    desk.item(block, json!({"name": "inspector", "ready": "1/1"}));
    desk.end(block, 0);
    let failed = desk.start("kubectl:get svc");
    let ended = Ended {
        exit_code: 1,
        report: Some(Report::failed("E-TEST-001", "the API server said no").hint("log in")),
        elapsed: Duration::from_millis(40),
    };
    desk.app
        .handle(Event::Block(failed, Box::new(BlockEvent::Ended(ended))));
    desk.keys("kubectl:get deploy --watch 'x' | nothing $_");
    desk.app
        .handle(Event::Tell("the layout is not remembered".into(), Tone::Warn));
    desk.keys("<alt-2>j");
    let mut screen = Screen::new(Vec::new(), SIZE.0, SIZE.1);
    screen.frame(|area, buffer| draw(&mut desk.app, area, buffer)).unwrap();
    let mut parser = vt100::Parser::new(SIZE.1, SIZE.0, 0);
    parser.process(screen.written());
    parser.screen().clone()
}

/// How a cell looks, in words; empty: as the terminal shows text that nobody styled.
fn look(cell: &vt100::Cell) -> String {
    let color = |color| match color {
        vt100::Color::Default => None,
        vt100::Color::Idx(number) => Some(number.to_string()),
        vt100::Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
    };
    let fg = color(cell.fgcolor()).map(|color| format!("fg {color}"));
    let bg = color(cell.bgcolor()).map(|color| format!("bg {color}"));
    let attributes = [
        (cell.bold(), "bold"),
        (cell.dim(), "dim"),
        (cell.italic(), "italic"),
        (cell.underline(), "underline"),
        (cell.inverse(), "reverse"),
    ];
    let attributes = attributes
        .into_iter()
        .filter(|(on, _)| *on)
        .map(|(_, word)| word.to_owned());
    fg.into_iter().chain(bg).chain(attributes).collect::<Vec<_>>().join(" ")
}

/// The rows of text, then as many rows with a letter a style (`.`: none), then what the letters stand for.
fn dump(screen: &vt100::Screen) -> String {
    let mut styles: Vec<String> = vec![String::new()];
    let (mut text, mut letters) = (String::new(), String::new());
    for y in 0..SIZE.1 {
        let mut row = String::new();
        for x in 0..SIZE.0 {
            let look = look(screen.cell(y, x).unwrap());
            let at = styles.iter().position(|known| *known == look).unwrap_or_else(|| {
                styles.push(look);
                styles.len() - 1
            });
            row.push(if at == 0 {
                '.'
            } else {
                char::from(b'a' + u8::try_from(at - 1).unwrap())
            });
        }
        writeln!(letters, "{}", row.trim_end_matches('.')).unwrap();
        writeln!(
            text,
            "{}",
            screen.rows(0, SIZE.0).nth(usize::from(y)).unwrap().trim_end()
        )
        .unwrap();
    }
    let named = styles.iter().zip(b'`'..).skip(1);
    let legend = named.fold(String::new(), |all, (look, letter)| {
        all + &format!("{} {look}\n", char::from(letter))
    });
    format!("{text}== styles\n{letters}== where\n{legend}")
}

fn place(screen: &vt100::Screen, text: &str) -> (u16, u16) {
    let mut rows = screen.rows(0, SIZE.0).zip(0..);
    let found = rows.find_map(|(row, y)| Some((y, u16::try_from(row.split_once(text)?.0.chars().count()).unwrap())));
    found.unwrap_or_else(|| panic!("{text} is not there:\n{}", dump(screen)))
}

/// The rows with a reversed cell: the selected one, whatever the theme.
fn reversed(screen: &vt100::Screen) -> Vec<String> {
    let is = |y: &u16| (0..SIZE.0).any(|x| screen.cell(*y, x).unwrap().inverse());
    let row = |y: u16| screen.rows(0, SIZE.0).nth(usize::from(y)).unwrap();
    (0..SIZE.1).filter(is).map(row).collect()
}

fn every_look(screen: &vt100::Screen) -> impl Iterator<Item = (vt100::Color, vt100::Color)> + '_ {
    let cells = (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (y, x)));
    cells
        .map(|(y, x)| screen.cell(y, x).unwrap())
        .map(|cell| (cell.fgcolor(), cell.bgcolor()))
}

/// The colour of `✓ 1/1`, a state that is well.
fn color_of_ok(screen: &vt100::Screen) -> vt100::Color {
    let (y, x) = place(screen, "✓ 1/1");
    screen.cell(y, x).unwrap().fgcolor()
}

#[test]
fn the_screen_of_every_theme_in_its_colours() {
    use vt100::Color::{Default, Idx, Rgb};
    let rgb = |theme: &Theme| match theme.style(Meaning::StateOk).fg {
        Some(ratatui::style::Color::Rgb(r, g, b)) => Rgb(r, g, b),
        Some(ratatui::style::Color::Green) => Idx(2),
        Some(ratatui::style::Color::LightGreen) => Idx(10),
        None => Default,
        other => panic!("{other:?}"),
    };
    for name in Theme::PRESETS {
        let theme = Theme::preset(name).unwrap();
        let wanted = rgb(&theme);
        let screen = shown(theme);
        assert_eq!(color_of_ok(&screen), wanted, "{name}");
        assert_eq!(
            *name == "mono",
            wanted == Default,
            "{name}: only mono has no colour for what is well"
        );
        let selected = reversed(&screen);
        assert!(
            selected.len() == 1 && selected[0].contains("web; rm -rf"),
            "{name}: {selected:?}"
        );
        snapshot(name, &screen);
    }
}

#[test]
fn the_screens_without_colour_show_the_selection_and_no_colour_at_all() {
    let theme = || Theme::standard().without_color();
    for (name, theme) in [("no-color", theme()), ("dumb", theme().with_glyphs(Glyphs::ASCII))] {
        let screen = shown(theme);
        assert!(
            every_look(&screen).all(|look| look == (vt100::Color::Default, vt100::Color::Default)),
            "{name}: a colour: {}",
            dump(&screen)
        );
        let selected = reversed(&screen);
        assert!(
            selected.len() == 1 && selected[0].contains("web; rm -rf"),
            "{name}: {selected:?}"
        );
        snapshot(name, &screen);
    }
}

fn snapshot(name: &str, screen: &vt100::Screen) {
    insta::with_settings!({
        snapshot_path => "../../../../../tests/snapshots/themes",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, dump(screen));
    });
}
