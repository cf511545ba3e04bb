//! The first rows of a block: the prompt, the line typed, and what is known of it. Not for what came of it, which is
//! `view`'s.

use ratatui::text::{Line, Span};

use super::block::{Block, Fold};
use super::text::wrap;
use super::view::{Look, remark, way};
use crate::core::text::{SafeText, safe_line, width};
use crate::ui::console::syntax;
use crate::ui::panel::Meaning;

/// Rows of a long line that a block shows unless it is opened. One more is shown rather than counted.
const ROWS: usize = 3;

fn is_shortened(block: &Block, rows: usize) -> bool {
    !matches!(block.fold, Fold::Open | Fold::Whole) && rows > ROWS + 1
}

/// Whether a block shows the first rows of its line only, in so many columns.
pub fn is_short(block: &Block, columns: u16) -> bool {
    // A prompt is one sign and a blank in every theme.
    let line = format!("> {}", safe_line(&block.line));
    is_shortened(block, wrap(Line::from(line), columns, 2).len())
}

/// The prompt and the line typed, its beginning where it is long. What is known of it stands at the right end; where there is no room for all of that, its
/// state stays there and the rest goes below; where there is none for the state either, all goes below.
pub(super) fn head(block: &Block, look: &Look<'_>) -> Vec<Line<'static>> {
    let theme = look.theme;
    let mut spans = vec![Span::styled(
        format!("{} ", theme.glyphs.prompt),
        theme.style(Meaning::Prompt),
    )];
    spans.extend(syntax::styled(theme, &block.line, Meaning::ChatLine));
    let mut lines = wrap(Line::from(spans), look.width, 2);
    if is_shortened(block, lines.len()) {
        let hidden = lines.len() - ROWS;
        lines.truncate(ROWS);
        let way = way(look).map_or_else(String::new, |way| format!(", {way} opens"));
        remark(&format!("{hidden} more rows of the line{way}"), look, &mut lines);
    }
    let Meta { state, place, number } = meta(block, look);
    let room = usize::from(look.width);
    let left = room.saturating_sub(lines.last().map_or(0, line_width) + 2);
    let all = [vec![state.clone()], place.clone(), number.clone()].concat();
    let short = [vec![state.clone()], number].concat();
    if spans_width(&all) <= left {
        at_the_end(&mut lines, all, room);
    } else if spans_width(&short) <= left {
        at_the_end(&mut lines, short, room);
        lines.push(Line::default());
        at_the_end(&mut lines, fitting(place, 0, room), room);
    } else {
        lines.push(Line::default());
        at_the_end(&mut lines, fitting(all, 1, room), room);
    }
    lines
}

/// Puts pieces at the right end of the last line.
fn at_the_end(lines: &mut [Line<'static>], pieces: Vec<Span<'static>>, room: usize) {
    if let Some(line) = lines.last_mut() {
        let blanks = room.saturating_sub(line_width(line) + spans_width(&pieces));
        line.spans.push(Span::raw(" ".repeat(blanks)));
        line.spans.extend(pieces);
    }
}

/// As many of the pieces as there is room for: those from `first` on give way in their order.
fn fitting(mut pieces: Vec<Span<'static>>, first: usize, room: usize) -> Vec<Span<'static>> {
    while spans_width(&pieces) > room && pieces.len() > first + 1 {
        pieces.remove(first);
    }
    pieces
}

/// What is known of a block: `✓ done 310ms`, `maria  staging  as of 14:02:10`, `#41`.
struct Meta {
    state: Span<'static>,
    place: Vec<Span<'static>>,
    number: Vec<Span<'static>>,
}

fn meta(block: &Block, look: &Look<'_>) -> Meta {
    let theme = look.theme;
    let (tone, word) = block.state.label();
    let took = match (block.elapsed, block.state.is_live()) {
        (Some(elapsed), _) => format!(" {}", syntax::duration(elapsed)),
        (None, true) => format!(" {}", crate::feed::health::age(look.now, block.at)),
        (None, false) => String::new(),
    };
    let time = match block.as_of() {
        Some(at) => format!("as of {}", syntax::time_of_day(at, look.zone)),
        None => syntax::time_of_day(block.at, look.zone),
    };
    let piece = |text: &str, meaning| Span::styled(format!("  {text}"), theme.style(meaning));
    let number = block
        .number
        .map(|number| piece(&format!("#{number}"), Meaning::ChatMeta));
    Meta {
        state: theme.state(tone, &SafeText::line(&format!("{word}{took}"))),
        place: vec![
            piece(look.user.as_str(), Meaning::ChatUser),
            piece(SafeText::line(&block.context.name).as_str(), Meaning::ChatMeta),
            piece(&time, Meaning::ChatMeta),
        ],
        number: number.into_iter().collect(),
    }
}

fn spans_width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| width(&span.content)).sum()
}

fn line_width(line: &Line<'_>) -> usize {
    spans_width(&line.spans)
}
