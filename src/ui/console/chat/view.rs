//! How a block looks: the line typed with its state, then the result (folded when long and others follow), then
//! remarks and progress. Pure: block and width in, lines out.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use super::block::{Block, Fold, LINE_CHARACTERS, State, not_kept};
use super::head::{self, head};
use super::text::{document_line, wrap};
use crate::core::text::{SafeText, width};
use crate::render;
use crate::ui::panel::{Meaning, Theme};

/// Result lines of a folded block: this many of its head …
const FOLDED_HEAD: usize = 9;
/// … and this many of its tail.
const FOLDED_TAIL: usize = 2;
/// Result lines a block may have before it folds.
pub const FOLD_ABOVE: usize = 12;
/// A running block shows at most this many of its last lines: what a frame costs must not grow with the stream.
const LIVE_LINES: usize = 400;

/// What decides how a block looks besides the block.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// Columns.
    pub width: u16,
    /// The theme.
    pub theme: &'a Theme,
    /// Nothing follows it.
    pub latest: bool,
    /// It is selected and the chat has the focus.
    pub selected: bool,
    /// What came while the operator looked elsewhere begins with it.
    pub unread: bool,
    /// The key that gets to the blocks from where the keys go now; none: they go there.
    pub to_blocks: Option<&'a str>,
    /// Whose lines these are.
    pub user: &'a SafeText,
    /// For the time a running block has run.
    pub now: Timestamp,
    /// For the time of day.
    pub zone: &'a TimeZone,
}

/// From this age on an answer is dim: it was true, and may not be any more.
pub const OLD: Duration = Duration::from_secs(300);

/// Whether what a block shows is old.
pub fn is_old(block: &Block, now: Timestamp) -> bool {
    let age = block
        .as_of()
        .map(|at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
    age.is_some_and(|age| age >= OLD)
}

/// The block's lines, the blank one after it included.
pub fn lines(block: &Block, look: &Look<'_>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if block.state != State::Word {
        lines.extend(head(block, look));
    }
    if let Some(translation) = &block.translation {
        let text = format!("{} {}", look.theme.glyphs.arrow, translation);
        body(&mut lines, look, &render::Line::plain(&text), Some(Meaning::Hint));
    }
    let first = lines.len();
    result(block, look, &mut lines);
    if is_old(block, look.now) {
        dim(lines.iter_mut().skip(first), look.theme.style(Meaning::Dim));
    }
    let (remarks, more) = block.remarks();
    let columns = usize::from(room(look.width));
    for (at, (text, meaning)) in remarks.iter().enumerate() {
        let around = |at: Option<usize>| at.and_then(|at| remarks.get(at)).map_or("", |(text, _)| text.as_str());
        let (before, after) = (around(at.checked_sub(1)), around(at.checked_add(1)));
        // A mark stands under its place only while both lines show the same columns.
        let shown = match text.as_str() {
            source if is_mark(after) => window(source, after, columns).0,
            mark if is_mark(mark) => window(before, mark, columns).1,
            other => other.to_owned(),
        };
        body(&mut lines, look, &render::Line::plain(&shown), Some(*meaning));
    }
    let nothing = block.records == 0 && block.is_empty() && remarks.is_empty();
    if block.state == State::Ended(0) && nothing {
        body(
            &mut lines,
            look,
            &render::Line::plain("no output"),
            Some(Meaning::ChatMark),
        );
    }
    if more > 0 {
        body(
            &mut lines,
            look,
            &render::Line::plain(&not_kept(more, "more remark")),
            Some(Meaning::ChatMark),
        );
    }
    if let Some(progress) = &block.progress {
        let text = format!("{} {}", look.theme.glyphs.progress, progress);
        body(
            &mut lines,
            look,
            &render::Line::plain(&text),
            Some(Meaning::StateProgress),
        );
    }
    lines.push(Line::default());
    if look.selected {
        mark_selected(&mut lines, look.theme);
    }
    if look.unread {
        lines.insert(0, unread_mark(look));
    }
    lines
}

/// `── new ─────`: what stands below came while the operator looked elsewhere.
fn unread_mark(look: &Look<'_>) -> Line<'static> {
    let sign = if look.theme.glyphs.boxes { "─" } else { "-" };
    let rest = usize::from(look.width).saturating_sub(8);
    let text = format!("{} new {}", sign.repeat(2), sign.repeat(rest));
    Line::from(Span::styled(text, look.theme.style(Meaning::ChatMark)))
}

fn dim<'a>(lines: impl Iterator<Item = &'a mut Line<'static>>, style: Style) {
    for span in lines.flat_map(|line| &mut line.spans) {
        span.style = span.style.patch(style);
    }
}

/// A bar at the left edge of the selected block: reverse video, so that it is seen without colour.
fn mark_selected(lines: &mut [Line<'static>], theme: &Theme) {
    let last = lines.len().saturating_sub(1);
    for line in lines.iter_mut().take(last) {
        if let Some(first) = line.spans.first_mut()
            && first.content.starts_with(' ')
        {
            first.content.to_mut().remove(0);
            line.spans
                .insert(0, Span::styled(" ", theme.style(Meaning::RowSelected)));
        } else if let Some(first) = line.spans.first_mut() {
            first.style = first.style.patch(theme.style(Meaning::RowSelected));
        }
    }
}

/// Adds one line of the body, indented by two and wrapped.
fn body(lines: &mut Vec<Line<'static>>, look: &Look<'_>, line: &render::Line, meaning: Option<Meaning>) {
    let mut styled = document_line(look.theme, line);
    if let Some(meaning) = meaning {
        styled = styled
            .spans
            .into_iter()
            .map(|span| span.style(look.theme.style(meaning)))
            .collect();
    }
    let long = styled.spans.iter().map(|span| span.content.len()).sum::<usize>() > LINE_CHARACTERS;
    if long {
        styled = cut(styled, look.theme);
    }
    styled.spans.insert(0, Span::raw("  "));
    lines.extend(wrap(styled, look.width, 4));
}

/// The first part of a line that is too long to be read anyway.
fn cut(line: Line<'static>, theme: &Theme) -> Line<'static> {
    let mut left = LINE_CHARACTERS;
    let mut spans = Vec::new();
    for span in line.spans {
        let kept: String = span.content.chars().take(left).collect();
        left -= kept.chars().count();
        spans.push(Span::styled(kept, span.style));
        if left == 0 {
            break;
        }
    }
    spans.push(Span::styled(
        format!(" … cut after {LINE_CHARACTERS} characters"),
        theme.style(Meaning::ChatMark),
    ));
    Line::from(spans)
}

/// What stands before the source line of an error and before the marks under it.
const GUTTER: &str = "  | ";

/// A line of `^` under a source line.
fn is_mark(line: &str) -> bool {
    let marks = line.strip_prefix(GUTTER).map(str::trim_start);
    marks.is_some_and(|marks| !marks.is_empty() && marks.chars().all(|symbol| symbol == '^'))
}

/// A source line and the marks under it, both from the same column on, so that the marks fit below their place.
fn window(source: &str, mark: &str, columns: usize) -> (String, String) {
    let (text, marks) = (source.strip_prefix(GUTTER), mark.strip_prefix(GUTTER));
    let (Some(text), Some(marks), true) = (text, marks, width(source) > columns) else {
        return (source.to_owned(), mark.to_owned());
    };
    let room = columns.saturating_sub(GUTTER.len()).max(8);
    let (start, end) = (width(marks) - width(marks.trim_start()), width(marks));
    let from = if end < room { 0 } else { start.saturating_sub(room / 3) };
    let count = end.min(from + room) - start;
    (
        format!("{GUTTER}{}", columns_of(text, from, room)),
        format!("{GUTTER}{}{}", " ".repeat(start - from), "^".repeat(count)),
    )
}

/// The part of a text from a column on; `…` stands for what is left out on either side.
fn columns_of(text: &str, from: usize, room: usize) -> String {
    let more = width(text) > from + room;
    let first = from + usize::from(from > 0);
    let last = from + room - usize::from(more);
    let mut shown = if from > 0 { "…".to_owned() } else { String::new() };
    let mut at = 0;
    for grapheme in text.graphemes(true) {
        let next = at + width(grapheme);
        if at >= first && next <= last {
            // Half of a wide sign was cut off before.
            shown.push_str(&" ".repeat((at - from).saturating_sub(width(&shown))));
            shown.push_str(grapheme);
        }
        at = next;
    }
    if more {
        shown.push_str(&" ".repeat((room - 1).saturating_sub(width(&shown))));
        shown.push('…');
    }
    shown
}

/// Columns for a result's lines: what the indentation leaves.
pub fn room(columns: u16) -> u16 {
    columns.saturating_sub(2)
}

/// What is not shown of a block, where it is missing.
pub(super) fn remark(text: &str, look: &Look<'_>, lines: &mut Vec<Line<'static>>) {
    let text = format!("{} {text}", look.theme.glyphs.folded);
    body(lines, look, &render::Line::plain(&text), Some(Meaning::ChatMark));
}

fn result(block: &Block, look: &Look<'_>, lines: &mut Vec<Line<'static>>) {
    if block.dropped() > 0 {
        remark(&format!("{} earlier lines dropped", block.dropped()), look, lines);
    }
    let add = |first: usize, count: usize, lines: &mut Vec<Line<'static>>| {
        for line in block.lines_within(first, count, room(look.width)) {
            body(lines, look, &line, None);
        }
    };
    let count = block.len();
    match shape(block, look.latest) {
        Shape::Live if count > 1 => lines.extend(live_line(block, look)),
        Shape::Tail(tail) if count > tail => {
            let hidden = count - tail;
            remark(&format!("{hidden} lines above"), look, lines);
            add(hidden, tail, lines);
        }
        Shape::All | Shape::Live | Shape::Tail(_) => add(0, count, lines),
        Shape::Folded => {
            add(0, FOLDED_HEAD, lines);
            let hidden = count - FOLDED_HEAD - FOLDED_TAIL;
            let way = way(look).map_or_else(String::new, |way| format!(", {way} opens"));
            remark(&format!("{hidden} lines folded{way}"), look, lines);
            add(count - FOLDED_TAIL, FOLDED_TAIL, lines);
        }
    }
    if is_cut(block, look) {
        let way = way(look).map_or_else(String::new, |way| format!(", {way} shows all of it"));
        remark(&format!("cut to fit{way}"), look, lines);
    }
}

/// The newest line of a stream in one row; the mark at its beginning says that there are others.
fn live_line(block: &Block, look: &Look<'_>) -> Option<Line<'static>> {
    let last = block.len().saturating_sub(1);
    let mut line = block.lines_within(last, 1, room(look.width)).pop()?;
    let mark = render::Line::plain(&format!("{} ", look.theme.glyphs.folded));
    line.spans.splice(0..0, mark.spans);
    let mut rows = Vec::new();
    body(&mut rows, look, &line, None);
    rows.into_iter().next()
}

/// Whether the lines of a block say by which key it is opened.
pub fn names_the_way(block: &Block, look: &Look<'_>) -> bool {
    is_cut(block, look) || shape(block, look.latest) == Shape::Folded || head::is_short(block, look.width)
}

fn is_cut(block: &Block, look: &Look<'_>) -> bool {
    !block.state.is_live() && block.is_cut(room(look.width))
}

/// The keys that open a block: the way to the blocks first, where they do not have the keys, and from the latest one, to
/// which it leads. None: the keys are at another block.
pub(super) fn way(look: &Look<'_>) -> Option<String> {
    match (look.to_blocks, look.latest) {
        (None, _) => look.selected.then(|| "Enter".to_owned()),
        (Some(key), true) => Some(format!("{key} Enter")),
        (Some(key), false) => Some(format!("{key}, Up to it, Enter")),
    }
}

/// Which of its lines a block shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All.
    All,
    /// The newest alone: it goes on.
    Live,
    /// The last ones.
    Tail(usize),
    /// Head and tail, the middle counted.
    Folded,
}

/// Which of its lines a block shows: long ones fold when others follow. A stream shows its tail while it is what the
/// operator waits for; when others follow, or it was sent to the background, it is one live line.
pub fn shape(block: &Block, latest: bool) -> Shape {
    let long = block.len() > FOLD_ABOVE;
    match (block.state.is_live(), block.fold, latest) {
        (true, Fold::Auto, false) | (true, Fold::Folded, _) => Shape::Live,
        (true, Fold::Auto, true) if block.background => Shape::Live,
        (true, ..) => Shape::Tail(LIVE_LINES),
        (false, Fold::Folded, _) | (false, Fold::Auto, false) if long => Shape::Folded,
        _ => Shape::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stays_under_its_place_when_the_line_is_longer_than_the_room() {
        let line = "kubectl:get deploy | r53:record-create -t CNAMEE inspector.spawnhub.com 世界.example.com";
        for place in ["kubectl:get", "CNAMEE", "世界", "com"] {
            let at = line.rfind(place).unwrap();
            let source = format!("{GUTTER}{line}");
            let mark = format!("{GUTTER}{}{}", " ".repeat(width(&line[..at])), "^".repeat(width(place)));
            for columns in [20, 36, 60, 200] {
                let (shown, marks) = window(&source, &mark, columns);
                assert!(
                    width(&shown) <= columns && width(&marks) <= columns,
                    "{columns}: {shown}"
                );
                let before = width(&marks) - width(marks.trim_start_matches([' ', '|']));
                let mut used = 0;
                let under: String = shown
                    .graphemes(true)
                    .skip_while(|grapheme| {
                        let before_it = used;
                        used += width(grapheme);
                        before_it < before
                    })
                    .collect();
                assert!(under.starts_with(place), "{columns}:\n{shown}\n{marks}");
            }
        }
    }

    #[test]
    fn a_mark_longer_than_the_room_is_cut_with_it() {
        let source = format!("{GUTTER}{}", "x".repeat(100));
        let mark = format!("{GUTTER}{}", "^".repeat(100));
        let (shown, marks) = window(&source, &mark, 40);
        assert_eq!((width(&shown), width(&marks)), (40, 40));
        assert!(shown.ends_with('…'));
    }
}
