//! The terminal: entering it, drawing frames that write only what changed, and the one path that gives it back, for
//! exit, error, panic, signals and programs that borrow it. Not for what is drawn.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::{Attribute, Print, ResetColor, SetAttribute, force_color_output};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::{Position, Rect};

/// Whether the terminal is ours. Giving it back is the same few steps whoever asks, and harmless twice.
#[derive(Clone, Default)]
pub struct Restore {
    entered: Arc<AtomicBool>,
    /// The operator wants the mouse for the terminal itself.
    no_mouse: Arc<AtomicBool>,
}

/// Press, release, wheel, and motion while a button is down, with SGR coordinates; no other motion, which would flood a
/// slow line.
const MOUSE_ON: &str = "\u{1b}[?1002h\u{1b}[?1006h";
const MOUSE_OFF: &str = "\u{1b}[?1006l\u{1b}[?1002l";

impl Restore {
    /// Takes the terminal: raw mode now; alternate screen and bracketed paste go out with the next frame, in one write.
    pub fn enter<W: Write>(&self, screen: &mut Screen<W>) -> io::Result<()> {
        enable_raw_mode()?;
        self.entered.store(true, Ordering::SeqCst);
        screen.opening.clear();
        let mouse = if self.no_mouse.load(Ordering::SeqCst) {
            ""
        } else {
            MOUSE_ON
        };
        queue!(screen.opening, EnterAlternateScreen, EnableBracketedPaste, Print(mouse))?;
        screen.forget();
        Ok(())
    }

    /// Whether the terminal is ours now.
    pub fn is_entered(&self) -> bool {
        self.entered.load(Ordering::SeqCst)
    }

    /// Asks the terminal for clicks, or leaves them to it: now, where it is ours, and when it is entered again.
    pub fn mouse(&self, on: bool) {
        self.no_mouse.store(!on, Ordering::SeqCst);
        if !self.is_entered() {
            return;
        }
        let mut out = io::stdout();
        // A terminal that takes nothing any more is found out by the next frame.
        let _ = execute!(out, Print(if on { MOUSE_ON } else { MOUSE_OFF }));
    }

    /// Writes text to the terminal's own screen, below what stands there, and comes back. Nothing, while the terminal is
    /// not ours.
    pub fn aside(&self, text: &str) -> io::Result<()> {
        if !self.is_entered() {
            return Ok(());
        }
        let mut out = io::stdout();
        // Raw mode goes on: each line brings its own return.
        let text = text.replace('\n', "\r\n");
        execute!(
            out,
            EndSynchronizedUpdate,
            SetAttribute(Attribute::Reset),
            LeaveAlternateScreen,
            Print(text),
            EnterAlternateScreen,
            Clear(ClearType::All)
        )
    }

    /// Gives the terminal back. Errors are of no use to anybody here: the terminal may be gone.
    pub fn leave(&self) {
        if self.entered.swap(false, Ordering::SeqCst) {
            let mut out = io::stdout();
            let _ = execute!(
                out,
                EndSynchronizedUpdate,
                Print(MOUSE_OFF),
                DisableBracketedPaste,
                SetAttribute(Attribute::Reset),
                ResetColor,
                LeaveAlternateScreen,
                Show
            );
            let _ = out.flush();
            let _ = disable_raw_mode();
        }
    }
}

/// Bytes of a text that go onto the terminal's clipboard at most: encoded it stays below the mebibyte that tmux takes of
/// one sequence, and a slow line is busy with it for seconds, not minutes.
pub const COPIED: usize = 700 * 1024;

/// Frames onto a writer: only changed cells, in one write inside a synchronised update, and nothing at all when nothing
/// changed.
pub struct Screen<W: Write> {
    out: W,
    /// What the terminal shows; none: nobody knows, and the next frame clears.
    shown: Option<Buffer>,
    /// The frame being drawn: kept, since it is as large as the one shown.
    next: Buffer,
    cursor: Option<Position>,
    /// Goes out before the next frame: what makes the terminal ours.
    opening: Vec<u8>,
}

impl<W: Write> Screen<W> {
    /// A screen of this size with unknown content.
    pub fn new(out: W, width: u16, height: u16) -> Self {
        // Under NO_COLOR crossterm prints colour commands with empty parameters, and an empty SGR resets everything:
        // the reverse video of the selection would be lost. Themes leave colours out themselves instead.
        force_color_output(true);
        Screen {
            out,
            shown: None,
            next: Buffer::empty(Rect::new(0, 0, width, height)),
            cursor: None,
            opening: Vec::new(),
        }
    }

    /// Another size.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.next = Buffer::empty(Rect::new(0, 0, width, height));
        self.shown = None;
    }

    /// The next frame is drawn in full.
    pub fn forget(&mut self) {
        self.shown = None;
    }

    /// The size.
    pub fn area(&self) -> Rect {
        *self.next.area()
    }

    /// Draws a frame; the bytes written.
    pub fn frame(&mut self, draw: impl FnOnce(Rect, &mut Buffer) -> Option<Position>) -> io::Result<usize> {
        self.next.reset();
        let cursor = draw(self.area(), &mut self.next);
        let mut bytes = std::mem::take(&mut self.opening);
        queue!(bytes, BeginSynchronizedUpdate)?;
        match &self.shown {
            None => {
                queue!(bytes, SetAttribute(Attribute::Reset), Clear(ClearType::All), Hide)?;
                CrosstermBackend::new(&mut bytes).draw(written(&self.next))?;
            }
            Some(shown) => {
                let changed = changes(shown, &self.next);
                if changed.is_empty() && cursor == self.cursor {
                    return Ok(0);
                }
                if !changed.is_empty() {
                    if self.cursor.is_some() {
                        queue!(bytes, Hide)?;
                    }
                    let cells = changed.iter().map(|(x, y, cell)| (*x, *y, cell));
                    CrosstermBackend::new(&mut bytes).draw(cells)?;
                }
            }
        }
        match cursor {
            Some(at) => queue!(bytes, MoveTo(at.x, at.y), Show)?,
            None => queue!(bytes, Hide)?,
        }
        queue!(bytes, EndSynchronizedUpdate)?;
        self.out.write_all(&bytes)?;
        self.out.flush()?;
        let area = self.area();
        let before = self.shown.take().unwrap_or_else(|| Buffer::empty(area));
        self.shown = Some(std::mem::replace(&mut self.next, before));
        self.cursor = cursor;
        Ok(bytes.len())
    }

    /// Sends the terminal a sequence that draws nothing.
    pub fn send(&mut self, sequence: &str) -> io::Result<()> {
        self.out.write_all(sequence.as_bytes())?;
        self.out.flush()
    }

    /// Puts text onto the terminal's clipboard (OSC 52). Only ever called for the operator's own key. False: it is longer
    /// than [`COPIED`], and nothing was sent.
    pub fn copy(&mut self, text: &str) -> io::Result<bool> {
        use base64::Engine;
        if text.len() > COPIED {
            return Ok(false);
        }
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        self.send(&format!("\u{1b}]52;c;{encoded}\u{7}"))?;
        Ok(true)
    }
}

/// Columns that one sign takes, at most; no terminal knows one of more than two.
const WIDEST: usize = 4;

/// The cells of a frame on a cleared terminal: all but blank ones, and those that a wide sign to their left covers.
fn written(frame: &Buffer) -> impl Iterator<Item = (u16, u16, &Cell)> {
    let mut covered = 0;
    let cells = frame.content.iter().enumerate();
    cells.filter_map(move |(at, cell)| {
        let symbol = cell.symbol();
        if covered > 0 {
            covered -= 1;
            return None;
        }
        // Most cells of a first frame are blank: the rest of a cell is looked at only if its symbol is.
        if symbol == " " && *cell == Cell::EMPTY {
            return None;
        }
        if symbol.len() > 1 {
            covered = cell.cell_width().saturating_sub(1);
        }
        let (x, y) = frame.pos_of(at);
        Some((x, y, cell))
    })
}

/// The cells in which two frames of one size differ. Most rows are the same but for a part, and to compare cells costs a
/// fifth of what it costs to look at each one's width.
fn changes(shown: &Buffer, next: &Buffer) -> Vec<(u16, u16, Cell)> {
    let width = usize::from(next.area.width);
    let mut changed = Vec::new();
    if width == 0 {
        return changed;
    }
    let rows = shown.content.chunks(width).zip(next.content.chunks(width));
    for (y, (before, after)) in (next.area.y..).zip(rows) {
        let differs = |(before, after): (&Cell, &Cell)| before != after;
        if let Some(first) = before.iter().zip(after).position(differs) {
            let last = before.iter().zip(after).rposition(differs).unwrap_or(first);
            // A sign that begins further left or ends further right may cover these cells.
            let from = first.saturating_sub(WIDEST);
            let count = (last + 1 + WIDEST).min(width) - from;
            let area = Rect {
                x: next.area.x + u16::try_from(from).unwrap_or(u16::MAX),
                y,
                width: u16::try_from(count).unwrap_or(u16::MAX),
                height: 1,
            };
            let row = |content: &[Cell]| Buffer {
                area,
                content: content.iter().skip(from).take(count).cloned().collect(),
            };
            let (before, after) = (row(before), row(after));
            changed.extend(before.diff_iter(&after).map(|(x, y, cell)| (x, y, cell.clone())));
        }
    }
    changed
}

#[cfg(test)]
impl Screen<Vec<u8>> {
    /// The bytes of the frames so far.
    pub(super) fn written(&self) -> &[u8] {
        &self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::panel::{Meaning, Theme};
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};

    fn bytes_of(screen: &mut Screen<Vec<u8>>, draw: impl FnOnce(Rect, &mut Buffer) -> Option<Position>) -> String {
        screen.out.clear();
        screen.frame(draw).unwrap();
        String::from_utf8_lossy(&screen.out).into_owned()
    }

    #[test]
    fn an_unchanged_frame_writes_nothing_and_a_changed_cell_little() {
        let mut screen = Screen::new(Vec::new(), 80, 24);
        let draw = |text: &'static str| {
            move |area: Rect, buffer: &mut Buffer| {
                buffer.set_string(area.x, area.y, text, Style::new());
                Some(Position::new(3, 3))
            }
        };
        assert!(bytes_of(&mut screen, draw("one")).contains("one"));
        assert_eq!(bytes_of(&mut screen, draw("one")), "");
        let changed = bytes_of(&mut screen, draw("onf"));
        assert!(changed.len() < 80, "{} bytes", changed.len());
        assert!(
            changed.starts_with("\u{1b}[?2026h") && changed.ends_with("\u{1b}[?2026l"),
            "{changed:?}"
        );
        screen.forget();
        assert!(bytes_of(&mut screen, draw("onf")).contains("\u{1b}[2J"));
    }

    proptest! {
        #[test]
        fn the_cells_that_change_are_those_of_the_whole_frames(
            before in proptest::collection::vec("[ab 世é👍🏽]{0,12}", 3), after in proptest::collection::vec("[ab 世é👍🏽]{0,12}", 3)
        ) {
            let drawn = |rows: &[String]| {
                let mut buffer = Buffer::empty(Rect::new(2, 1, 16, 3));
                for (y, text) in (1..).zip(rows) {
                    buffer.set_string(2, y, text, Style::new());
                }
                buffer
            };
            let (before, after) = (drawn(&before), drawn(&after));
            let whole: Vec<_> = before.diff_iter(&after).map(|(x, y, cell)| (x, y, cell.clone())).collect();
            prop_assert_eq!(changes(&before, &after), whole);
            let blank = Buffer::empty(after.area);
            prop_assert!(written(&after).eq(blank.diff_iter(&after)));
        }
    }

    /// What a terminal shows as reversed: follows the SGR sequences of the bytes as a terminal does.
    fn reversed_text(bytes: &str) -> String {
        let mut reversed = false;
        let mut found = String::new();
        let mut rest = bytes;
        while let Some(symbol) = rest.chars().next() {
            if let Some(body) = rest.strip_prefix("\u{1b}[") {
                let end = body.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
                if body[end..].starts_with('m') && !body.starts_with('?') {
                    let mut parameters = body[..end].split(';');
                    while let Some(parameter) = parameters.next() {
                        match parameter {
                            // A colour in numbers: 2;r;g;b or 5;n.
                            "38" | "48" => {
                                let numbers = if parameters.next() == Some("2") { 3 } else { 1 };
                                parameters.nth(numbers - 1);
                            }
                            "7" => reversed = true,
                            "27" | "0" | "" => reversed = false,
                            _ => {}
                        }
                    }
                }
                rest = &body[end + 1..];
                continue;
            }
            if reversed {
                found.push(symbol);
            }
            rest = &rest[symbol.len_utf8()..];
        }
        found
    }

    #[test]
    fn the_selection_is_visible_in_the_bytes_of_every_theme_and_without_colour() {
        for name in Theme::PRESETS {
            let theme = Theme::preset(name).unwrap();
            assert_eq!(reversed_text(&selection(&theme)).trim_end(), "chosen", "{name}");
            let bytes = selection(&theme.without_color());
            assert_eq!(reversed_text(&bytes).trim_end(), "chosen", "{name}: {bytes:?}");
            let parameters = bytes.split("\u{1b}[").filter_map(|part| part.split_once('m'));
            for (parameters, _) in parameters {
                let colour = parameters
                    .split(';')
                    .any(|p| matches!(p.parse::<u16>(), Ok(30..=38 | 40..=48 | 90..=107)));
                assert!(!colour, "{name}: a colour under NO_COLOR: {parameters}");
            }
        }
    }

    fn selection(theme: &Theme) -> String {
        let mut screen = Screen::new(Vec::new(), 20, 3);
        bytes_of(&mut screen, |area, buffer| {
            buffer.set_style(area, theme.style(Meaning::Text));
            buffer.set_string(0, 0, "plain", theme.style(Meaning::StateBad));
            buffer.set_string(0, 1, "chosen", theme.style(Meaning::StateOk));
            let row = Rect {
                y: 1,
                height: 1,
                ..area
            };
            buffer.set_style(row, theme.style(Meaning::RowSelected));
            None
        })
    }

    #[test]
    fn the_trap_is_real_and_the_screen_avoids_it() {
        // What crossterm does by itself under NO_COLOR: the colour command loses its parameters and resets the row.
        let mut cell_row = Buffer::empty(Rect::new(0, 0, 6, 1));
        let style = Style::new().fg(Color::Red).add_modifier(Modifier::REVERSED);
        cell_row.set_string(0, 0, "chosen", style);
        let mut trapped: Vec<u8> = Vec::new();
        trapped.extend_from_slice(b"\x1b[7m\x1b[;mchosen\x1b[0m");
        assert_eq!(reversed_text(&String::from_utf8_lossy(&trapped)), "");
        let mut screen = Screen::new(Vec::new(), 6, 1);
        let bytes = bytes_of(&mut screen, |_, buffer| {
            *buffer = cell_row;
            None
        });
        assert_eq!(reversed_text(&bytes), "chosen");
    }
}
