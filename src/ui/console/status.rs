//! The top line (where we are, may we change it, how healthy each source is) and the bottom line (keys of what has the
//! focus, jobs, clock).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::app::{App, Focus};
use super::chat::block::State;
use super::keymap::{Action, Part};
use super::popup::Popup;
use super::syntax;
use crate::core::context::{Cloud, Context};
use crate::core::text::{SafeText, fit, width};
use crate::feed::health::human_duration;
use crate::feed::{Health, HealthState};
use crate::ui::panel::widgets::health::cell;
use crate::ui::panel::{Meaning, Sourced, Tone};

/// Columns that the name of a context keeps before the namespace goes.
const NAME: usize = 12;
/// Columns of the top line that health never takes: those of a name that is cut, and of that changes are refused.
const PLACE: usize = 26;

/// Draws the top line.
pub fn top(app: &App, area: Rect, buffer: &mut Buffer, now: Timestamp) {
    buffer.set_style(area, app.theme.style(Meaning::Status));
    let cells = health_cells(app, now, usize::from(area.width));
    let right: usize = line_width(&cells);
    let room = usize::from(area.width).saturating_sub(right + 1);
    let left = place(app, room, true);
    buffer.set_line(area.x, area.y, &left, u16::try_from(room).unwrap_or(area.width));
    let x = area.right().saturating_sub(u16::try_from(right).unwrap_or(0));
    buffer.set_line(x, area.y, &cells, area.right().saturating_sub(x));
}

/// Context, namespace, whether changes are allowed, account and region, user. Where there is no room for all, the user
/// goes first, then the account, then the region; a long name of the context is cut in its middle, so that it never
/// takes the room of the namespace, of how many contexts are beside it, and of that changes are refused, or for how long
/// they are not.
fn place(app: &App, room: usize, with_user: bool) -> Line<'static> {
    let (theme, context) = (&app.theme, &app.context);
    let cell = |text: &str, meaning: Meaning| {
        let text = SafeText::line(&format!("{} {text} ", theme.glyphs.separator));
        Span::styled(text.as_str().to_owned(), theme.style(meaning))
    };
    let refuses = context.read_only || app.read_only;
    let changes = match (refuses, app.open_for()) {
        (true, open) => {
            let word = open.map_or("read-only".to_owned(), |left| format!("rw {}", human_duration(left)));
            cell(&format!("{} {word}", theme.glyphs.warn), Meaning::StateWarn)
        }
        (false, _) => cell("rw", Meaning::Dim),
    };
    let found = || app.panels.iter().find_map(|panel| panel.namespace(context));
    let namespace = context.kubernetes.namespace.clone().or_else(found);
    // As with contexts: first where lines run, then what panels show beside it.
    let namespace = namespace.map(|namespace| match context.kubernetes.everywhere {
        true => cell(&format!("{namespace} + *"), Meaning::Status),
        false => cell(&namespace, Meaning::Status),
    });
    let kept = if refuses { width(&changes.content) } else { 0 };
    let beside = how_many(app).map_or(0, |count| width(&count.content));
    let of_namespace = namespace.as_ref().map_or(0, |cell| width(&cell.content));
    let before = if context.production { " PROD " } else { " " };
    let most = room.saturating_sub(width(before) + 1 + kept + beside);
    // A namespace that is long itself leaves the name readable, and goes.
    let most = most
        .checked_sub(of_namespace)
        .filter(|most| *most >= NAME)
        .unwrap_or(most);
    let name = SafeText::line(&context.name).fit_middle(most);
    let mut line = Line::from(Span::styled(
        format!("{before}{name} "),
        theme.style(context_meaning(context.production)),
    ));
    line.spans
        .extend(others(app, room.saturating_sub(line_width(&line) + kept)));
    let known = app.panels.iter().map(|panel| panel.cloud(context));
    let cloud = known.max_by_key(|cloud| (cloud.account.is_some(), cloud.region.is_some()));
    let Cloud { account, region } = cloud.unwrap_or_default();
    let region = context
        .aws
        .region
        .clone()
        .or(region)
        .filter(|region| !region.is_empty());
    let dim = |text: &String| cell(text, Meaning::Dim);
    // In the order in which they stand, each with its rank among those that want room.
    let cells = [
        (u8::from(refuses), namespace),
        (u8::from(!refuses), Some(changes)),
        (3, account.as_ref().map(dim)),
        (2, region.as_ref().map(dim)),
        (4, with_user.then(|| cell(app.user.as_str(), Meaning::Dim))),
    ];
    let mut wanted: Vec<(u8, usize)> = cells
        .iter()
        .filter_map(|(rank, cell)| Some((*rank, width(&cell.as_ref()?.content))))
        .collect();
    wanted.sort_unstable();
    let mut left = room.saturating_sub(line_width(&line));
    let fits = wanted
        .iter()
        .take_while(|(_, columns)| match left.checked_sub(*columns) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
    let last = fits.last().map(|(rank, _)| *rank);
    let cells = cells.into_iter().filter(|(rank, _)| Some(*rank) <= last);
    line.spans.extend(cells.filter_map(|(_, cell)| cell));
    line
}

/// The contexts that are shown beside the one lines run in, by their names or, where there is no room, their number.
fn others(app: &App, room: usize) -> Vec<Span<'static>> {
    let theme = &app.theme;
    let name = |context: &Arc<Context>| {
        let mark = if context.production { "PROD " } else { "" };
        let text = SafeText::line(&format!("+ {mark}{} ", context.name));
        Span::styled(
            text.as_str().to_owned(),
            theme.style(context_meaning(context.production)),
        )
    };
    let names: Vec<Span<'static>> = app.beside.iter().map(name).collect();
    if names.iter().map(|span| width(&span.content)).sum::<usize>() <= room {
        return names;
    }
    how_many(app).into_iter().collect()
}

/// How many contexts are beside the one lines run in, and whether one of them is production; none: there are none.
fn how_many(app: &App) -> Option<Span<'static>> {
    let production = app.beside.iter().any(|context| context.production);
    let mark = if production { " PROD" } else { "" };
    let count = format!("+ {}{mark} ", app.beside.len());
    (!app.beside.is_empty()).then(|| Span::styled(count, app.theme.style(context_meaning(production))))
}

/// How the name of a context is drawn.
fn context_meaning(production: bool) -> Meaning {
    if production {
        Meaning::Production
    } else {
        Meaning::Context
    }
}

/// One cell a source. With little room ages go, then healthy sources become a count.
fn health_cells(app: &App, now: Timestamp, columns: usize) -> Line<'static> {
    let mut sources: BTreeMap<SafeText, Health> = BTreeMap::new();
    let named = |source: &Sourced| match &source.context {
        Some(context) => SafeText::line(&format!("{} {context}", source.name)),
        None => source.name.clone(),
    };
    // What nobody looks at says nothing about what is on the screen.
    let looked_at = app.panels.iter().enumerate().filter(|(at, _)| app.is_offered(*at));
    for source in looked_at.flat_map(|(_, panel)| panel.health()) {
        let name = named(&source);
        let worse = sources
            .get(&name)
            .is_none_or(|known| source.health.rank() > known.rank());
        if worse {
            sources.insert(name, source.health);
        }
    }
    let full: Vec<Span<'static>> = sources
        .iter()
        .map(|(name, health)| cell(&app.theme, name, health, now))
        .collect();
    let room = (columns * 3 / 5).min(columns.saturating_sub(PLACE));
    let full = joined(app, full);
    if line_width(&full) <= room {
        return full;
    }
    let mut bad: Vec<_> = sources
        .iter()
        .filter(|(_, health)| health.state != HealthState::Live || health.login_ends.is_some())
        .collect();
    bad.sort_by_key(|(_, health)| std::cmp::Reverse(health.rank()));
    let live = sources.len() - bad.len();
    // The worst first; how many of those that are not well have no room is said too.
    let cells = |shown: usize, with_live: bool| {
        let first = bad.iter().take(shown);
        let mut cells: Vec<_> = first
            .map(|(name, health)| cell(&app.theme, name, health, now))
            .collect();
        if shown < bad.len() {
            cells.push(app.theme.state(Tone::Bad, &format!("+{}", bad.len() - shown).into()));
        }
        if with_live && live > 0 {
            cells.push(app.theme.state(Tone::Ok, &format!("{live} live").into()));
        }
        joined(app, cells)
    };
    // How many are live is worth more than who sits here.
    let others = place(app, columns.saturating_sub(room + 1), false);
    let more = columns.saturating_sub(line_width(&others) + 1).max(room);
    let fewer = (1..=bad.len()).rev();
    let fewer = fewer.flat_map(|shown| [(cells(shown, true), more), (cells(shown, false), room)]);
    let mut choices = std::iter::once((cells(bad.len(), true), more)).chain(fewer);
    let fits = choices.find(|(line, room)| line_width(line) <= *room);
    fits.map_or_else(|| cut(cells(bad.len().min(1), bad.is_empty()), room), |(line, _)| line)
}

/// As much of a line as fits.
fn cut(mut line: Line<'static>, columns: usize) -> Line<'static> {
    let mut left = columns;
    for span in &mut line.spans {
        span.content = fit(&span.content, left).into();
        left -= width(&span.content);
    }
    line
}

fn joined(app: &App, spans: Vec<Span<'static>>) -> Line<'static> {
    let mut line = Line::default();
    for (index, span) in spans.into_iter().enumerate() {
        if index > 0 {
            line.spans.push(Span::styled(
                format!(" {} ", app.theme.glyphs.separator),
                app.theme.style(Meaning::Border),
            ));
        }
        line.spans.push(span);
    }
    line.spans.push(Span::raw(" "));
    line
}

/// Draws the bottom line.
pub fn bottom(app: &App, area: Rect, buffer: &mut Buffer, now: Timestamp) {
    let theme = &app.theme;
    let mut right = Vec::new();
    let jobs = app.chat.blocks().filter(|block| block.state.is_live()).count();
    if let Some((typed, all)) = app.script.as_ref().map(super::app::Script::place) {
        right.push(Span::styled(
            format!("presenting {typed}/{all}"),
            theme.style(Meaning::StateProgress),
        ));
    }
    if app.input.is_normal() {
        right.push(Span::styled("normal", theme.style(Meaning::Strong)));
    }
    if app.waiting() > 0 {
        right.push(theme.state(Tone::Waiting, &format!("{} to approve", app.waiting()).into()));
    }
    if jobs > 0 {
        right.push(theme.state(Tone::Progress, &format!("{jobs} running").into()));
    }
    right.push(Span::styled(
        syntax::time_of_day(now, app.clock.zone()),
        theme.style(Meaning::Dim),
    ));
    let right = joined(app, right);
    let used = u16::try_from(line_width(&right)).unwrap_or(0).min(area.width);
    let room = area.width.saturating_sub(used + 1);
    let mut line = Line::from(" ");
    for (key, word) in hints(app) {
        let wanted = width(&key) + width(&word) + 3;
        // One with a long word makes room for shorter ones.
        if line_width(&line) + wanted > usize::from(room) {
            continue;
        }
        line.spans.push(Span::styled(key, theme.style(Meaning::Key)));
        line.spans
            .push(Span::styled(format!(" {word}  "), theme.style(Meaning::Dim)));
    }
    buffer.set_line(area.x, area.y, &line, room);
    buffer.set_line(area.right() - used, area.y, &right, used);
}

/// Keys and short words of what has the focus, most useful first.
fn hints(app: &App) -> Vec<(String, String)> {
    let named = |part: Part, wanted: &[(Action, &str)]| -> Vec<(String, String)> {
        let hint = |(action, word): &(Action, &str)| {
            app.keymap
                .key_of(part, *action)
                .map(|key| (key.label(), (*word).to_owned()))
        };
        wanted.iter().filter_map(hint).collect()
    };
    // What was told to stop and does not is ended for good by the next.
    let foreground = app.chat.foreground();
    let stopping = foreground.is_some_and(|block| block.state == State::Stopping);
    match app.focus {
        _ if app.finder.is_some() => vec![("Enter".into(), "keep".into()), ("Esc".into(), "show all again".into())],
        _ if app.approval().is_some() => {
            let [confirm, decline] = app.keys_of_approval();
            let mut hints = vec![(confirm, "apply".into()), (decline, "decline".into())];
            hints.extend(named(Part::Global, &[(Action::Pane2, "look elsewhere")]));
            hints
        }
        Focus::Input if app.popup.is_some() => {
            let close = if app.names_place() { "leave" } else { "close" };
            let mut hints = named(Part::Popup, &[(Action::NextCandidate, "next")]);
            hints.extend(match app.popup.as_ref().and_then(Popup::selected) {
                Some(_) => named(Part::Popup, &[(Action::Accept, "take")]),
                // The key goes to the line.
                None => named(Part::Input, &[(Action::Submit, "run")]),
            });
            hints.extend(named(Part::Popup, &[(Action::Cancel, close)]));
            hints
        }
        Focus::Input if app.chat.foreground().is_some() && app.input.is_empty() => {
            let mut hints = named(
                Part::Input,
                &[(Action::Interrupt, if stopping { "kill" } else { "stop" })],
            );
            // What goes on for long is better looked at beside the chat.
            let follows = foreground.is_some_and(|block| block.follows && block.reads);
            hints.extend(follows.then(|| ("… | pin".to_owned(), "as a panel".to_owned())));
            let others = [(Action::Complete, "panes"), (Action::HelpWhenEmpty, "help")];
            hints.extend(named(Part::Input, &others));
            hints
        }
        Focus::Input if app.input.is_empty() => {
            let mut hints = match app.script.as_ref().is_some_and(super::app::Script::goes_on) {
                true => named(Part::Global, &[(Action::Present, "type the next line")]),
                false => Vec::new(),
            };
            hints.extend(named(
                Part::Input,
                &[
                    (Action::HelpWhenEmpty, "help"),
                    (Action::Complete, "panes"),
                    (Action::Commands, "commands"),
                    (Action::HistorySearch, "history"),
                    (Action::ScrollUp, "scroll"),
                    (Action::EndOfInput, "quit"),
                ],
            ));
            hints
        }
        Focus::Input if app.quote_is_open() => named(
            Part::Input,
            &[
                (Action::Submit, "goes on: a quote is open"),
                (Action::Interrupt, "gives up"),
                (Action::Help, "help"),
            ],
        ),
        Focus::Input => named(
            Part::Input,
            &[
                (Action::Submit, "run"),
                (Action::Complete, "complete"),
                (Action::NewLine, "line break"),
                (Action::HistorySearch, "history"),
                (Action::Help, "help"),
            ],
        ),
        Focus::Pane(0) => {
            let back = app.came_from().map(|from| format!("back to {from}"));
            let way_back = back.as_deref().map(|word| (Action::Back, word));
            // Who came to read an answer turns its pages; the others act on blocks.
            let (first, last) = match back {
                Some(_) => (&[(Action::Page, "page")][..], &[][..]),
                None => (
                    &[(Action::Rerun, "rerun"), (Action::Edit, "edit")][..],
                    &[(Action::Zoom, "zoom")][..],
                ),
            };
            // What goes on can be ended, and nothing else can: it comes first.
            let state = app.chat.selected().map(|block| block.state);
            let stop = state.filter(|state| state.is_live()).map(|state| match state {
                State::Stopping => (Action::Stop, "kill"),
                _ => (Action::Stop, "stop"),
            });
            let pin = app.to_pin().map(|_| (Action::Live, "as a panel"));
            let mut wanted: Vec<(Action, &str)> = way_back.into_iter().chain(stop).chain(pin).collect();
            wanted.push((Action::Open, "open/fold"));
            wanted.extend(first);
            wanted.extend([(Action::Copy, "copy"), (Action::Find, "search")]);
            wanted.extend(last);
            wanted.extend([(Action::ToInput, "input"), (Action::Help, "help")]);
            named(Part::Chat, &wanted)
        }
        Focus::Pane(pane) => {
            let panel = app.panels.get(pane - 1);
            let own = panel.into_iter().flat_map(|panel| {
                let key = |action| app.keymap.panel_key(panel.id(), action);
                panel
                    .actions()
                    .iter()
                    .filter_map(move |action| Some((key(action)?.label(), action.word.to_owned())))
            });
            // First, as it leads to all that has no room here.
            // And how to get back, which must not fall off a narrow screen.
            let first = named(Part::Panel, &[(Action::Menu, "actions"), (Action::ToInput, "input")]);
            let can_mark = panel.is_some_and(|panel| panel.can_mark());
            let mark = can_mark.then_some((Action::Mark, "mark"));
            let others = [
                (Action::Find, "filter"),
                (Action::Zoom, "zoom"),
                (Action::NextPane, "next"),
                (Action::Help, "help"),
            ];
            let rest: Vec<_> = mark.into_iter().chain(others).collect();
            first.into_iter().chain(own).chain(named(Part::Panel, &rest)).collect()
        }
    }
}

fn line_width(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| width(&span.content)).sum()
}
