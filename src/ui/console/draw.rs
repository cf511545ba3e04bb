//! The whole screen: lays out, draws each pane with its frame, then what lies over them. Reads the app; changes in it
//! only what drawing finds out (scroll positions, the caches of finished blocks).

mod approval;
mod pane;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use self::pane::{draw_pane, rule};
use super::app::{App, Focus, Offer, Places};
use super::chat::view::Look;
use super::input::view::View;
use super::layout::{Layout, NARROW, Pane, TALL, WIDE, Want, Wants, layout};
use super::{help, status};
use crate::core::text::{SafeText, width};
use crate::ui::panel::widgets::popup::frame;
use crate::ui::panel::{Meaning, Panel, Tone, widgets};

/// The smallest screen on which anything can be shown.
const LEAST: (u16, u16) = (20, 5);

/// From this width on an approval keeps to the chat's column.
const ROOMY: u16 = 50;

/// Draws everything; where the cursor is, if it is shown.
pub fn draw(app: &mut App, screen: Rect, buffer: &mut Buffer) -> Option<Position> {
    let now = app.clock.now();
    app.begin_frame();
    let plain = app.theme.style(Meaning::Text);
    // Most themes leave plain text to the terminal: nothing to be said of every cell.
    if plain != Style::new() {
        buffer.set_style(screen, plain);
    }
    if screen.width < LEAST.0 || screen.height < LEAST.1 {
        let text = format!("{}x{} is too small", screen.width, screen.height).into();
        widgets::message(screen, buffer, &app.theme, &text);
        return None;
    }
    if app.bare {
        bare(app, screen, buffer, now);
        return None;
    }
    let view = input_view(app, screen.width.saturating_sub(4));
    let layout = layout(screen, &wants(app, screen, view.height()));
    app.places = Places {
        input: layout.input,
        seams: layout.seams.clone(),
        borders: layout.borders,
        narrow: screen.width < NARROW,
        ..Places::default()
    };
    status::top(app, layout.status, buffer, now);
    if let Some(area) = layout.tabs {
        tabs(app, area, buffer);
    }
    for pane in &layout.panes {
        draw_pane(app, *pane, layout.borders, buffer, now);
    }
    let cursor = draw_input(app, &layout, &view, buffer);
    if let Some(area) = layout.hints {
        status::bottom(app, area, buffer, now);
    }
    over(app, screen, &layout, buffer, cursor)
}

/// What lies over the panes: approval, popup, the toast on the popup's lower edge, help.
fn over(
    app: &mut App,
    screen: Rect,
    layout: &Layout,
    buffer: &mut Buffer,
    cursor: Option<Position>,
) -> Option<Position> {
    if app.approval().is_some() {
        toast(app, layout, buffer);
        return approval::approval(app, layout, buffer);
    }
    if let (Some(popup), Some(cursor)) = (&app.popup, cursor) {
        let typed = app.input.cursor().saturating_sub(popup.start);
        let text = app.input.text();
        let back = width(text.get(popup.start..popup.start + typed).unwrap_or_default());
        let x = cursor.x.saturating_sub(u16::try_from(back).unwrap_or(0));
        app.places.list = popup.draw(
            screen,
            (x, layout.input.y + u16::from(layout.borders)),
            buffer,
            &app.theme,
        );
    }
    toast(app, layout, buffer);
    app.draw_overlay(screen, buffer);
    if let Some(scroll) = app.help {
        app.help = Some(help::draw(app, screen, buffer, scroll));
        return None;
    }
    cursor
}

fn wants(app: &App, screen: Rect, input: u16) -> Wants {
    let roomy = screen.width >= WIDE && screen.height >= TALL;
    let chosen = app.shown.checked_sub(1).and_then(|at| app.panels.get(at));
    // Gone to another panel while a script is presented: the stage is that panel's.
    let elsewhere = chosen.is_some_and(|panel| app.on_stage(panel.as_ref()) == Some(false));
    let want = |(at, panel): (usize, &dyn Panel)| {
        // A panel without weight of its own shows where there is room for all, and while it is the chosen one.
        let by_itself = !panel.by_name_only() && (panel.weight() > 0 || roomy);
        let chosen = app.shown == at + 1;
        let weight = match panel.weight() {
            0 => 2,
            own => own,
        };
        Want {
            beside: match app.on_stage(panel) {
                Some(on_stage) => (on_stage && !elsewhere) || chosen,
                None => chosen || app.arrangement.shows(panel.id(), by_itself),
            },
            weight,
            share: app.arrangement.rows.get(panel.id()).copied().unwrap_or(weight),
            width: panel.minimum().0,
            height: panel.minimum().1,
        }
    };
    Wants {
        panels: app.panels.iter().map(AsRef::as_ref).enumerate().map(want).collect(),
        columns: (
            app.arrangement.chat,
            app.arrangement.chat_of_three,
            app.arrangement.middle,
        ),
        shown: app.shown,
        zoomed: app.zoomed,
        stage: app.script.is_some(),
        input,
        toast: app.toasts.shown().is_some(),
        covered: app.approval().is_some(),
    }
}

fn input_view(app: &App, columns: u16) -> View {
    if let Some(finder) = &app.finder {
        let label = match finder.pane.checked_sub(1).and_then(|at| app.panels.get(at)) {
            Some(panel) => format!("filter {}: /", panel.id()),
            None => "search the chat: /".to_owned(),
        };
        return View::of_prompt(&label, &finder.text, columns);
    }
    let empty = match app.offer {
        Offer::Yes => "Enter starts the sandbox",
        Offer::Starting => "the sandbox starts…",
        Offer::No => "",
    };
    let away = app.focus != Focus::Input;
    let view = View::new(
        &app.input,
        &app.theme,
        columns,
        if away { "" } else { empty },
        !away && app.popup.is_none() && app.suggests(),
        app.wrong(),
    );
    let view = if app.context.production { view.warning() } else { view };
    if away {
        view.elsewhere(&app.theme, &app.way_to_line(), columns)
    } else {
        view
    }
}

fn draw_input(app: &App, layout: &Layout, view: &View, buffer: &mut Buffer) -> Option<Position> {
    let focused = app.focus == Focus::Input || app.finder.is_some();
    let area = layout.input;
    let inside = if layout.borders {
        let block = frame(&app.theme, focused);
        let inside = block.inner(area);
        block.render(area, buffer);
        inside
    } else if area.height > 1 {
        rule(
            app,
            Rect { height: 1, ..area },
            focused,
            &SafeText::default(),
            &SafeText::default(),
            Meaning::Dim,
            buffer,
        );
        Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        }
    } else {
        area
    };
    let inside = Rect {
        x: inside.x + 1,
        width: inside.width.saturating_sub(2),
        ..inside
    };
    view.draw(inside, buffer, &app.theme).filter(|_| focused)
}

/// How much a tab shows of its pane, the least first: the number alone, the name's beginning, the name, the title.
const TABS: [fn(&SafeText, &str) -> String; 4] = [
    |_, _| String::new(),
    |_, id| id.chars().take(4).collect(),
    |_, id| id.to_owned(),
    |title, _| title.fit(18).as_str().to_owned(),
];

/// Panes that a key goes to by their number.
const KEYS: usize = 9;

/// A pane in the line of tabs.
struct Tab {
    index: usize,
    title: SafeText,
    id: String,
    mark: Option<Tone>,
    form: usize,
    /// With one column between the tabs.
    dense: bool,
}

impl Tab {
    /// ` 3 ✗ rollout `.
    fn text(&self, app: &App) -> String {
        let mark = self.mark.map(|tone| app.theme.glyphs.of(tone)).unwrap_or_default();
        let name = TABS
            .get(self.form)
            .map(|form| form(&self.title, &self.id))
            .unwrap_or_default();
        // A number is a key: what has none is called by its name.
        let number = self.index + 1;
        let (number, name) = match (number > KEYS, name.is_empty()) {
            (false, _) => (number.to_string(), name),
            (true, false) => (String::new(), name),
            (true, true) => (String::new(), self.id.clone()),
        };
        let words = [number.as_str(), mark, name.as_str()];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let end = if self.dense { "" } else { " " };
        format!(" {}{end}", words.join(" "))
    }
}

/// Number, mark and name of every pane. The shown one has its title; the others get what room is left, each as much as
/// all before it.
fn tabs(app: &mut App, area: Rect, buffer: &mut Buffer) {
    let offered = (0..app.panels.len()).filter(|at| app.is_offered(*at));
    let panels = offered.filter_map(|at| Some((at + 1, app.panels.get(at)?.as_ref())));
    let tab = |(index, panel): (usize, &dyn Panel)| Tab {
        index,
        title: panel.title(),
        id: panel.id().to_owned(),
        mark: panel.mark(),
        form: 0,
        dense: false,
    };
    let chat = Tab {
        index: 0,
        title: "chat".into(),
        id: "chat".to_owned(),
        mark: None,
        form: 0,
        dense: false,
    };
    let mut tabs: Vec<Tab> = std::iter::once(chat).chain(panels.map(tab)).collect();
    let shown = |tab: &Tab| tab.index == app.shown;
    if let Some(tab) = tabs.iter_mut().find(|tab| shown(tab)) {
        tab.mark = None;
    }
    // A name for each is worth more than the columns between them, which stay where not all can have one.
    for dense in [false, true, false] {
        for tab in &mut tabs {
            tab.form = if shown(tab) { TABS.len() - 1 } else { 0 };
            tab.dense = dense && !shown(tab);
        }
        share_room(app, area.width, &mut tabs);
        if tabs.iter().all(|tab| tab.form > 0) {
            break;
        }
    }
    let mut line = Line::from(" ");
    let (mut places, mut x) = (Vec::new(), area.x + 1);
    for tab in &tabs {
        let text = tab.text(app);
        let wide = u16::try_from(width(&text)).unwrap_or(0);
        let place = Rect { x, width: wide, ..area };
        places.push((tab.index, place.intersection(area)));
        x = x.saturating_add(wide);
        let meaning = match tab.mark {
            _ if shown(tab) => Meaning::RowSelected,
            Some(tone) => tone.meaning(),
            None => Meaning::Dim,
        };
        line.spans.push(Span::styled(text, app.theme.style(meaning)));
    }
    buffer.set_line(area.x, area.y, &line, area.width);
    app.places.tabs = places;
}

/// Gives each tab as much of its name as there is room for.
fn share_room(app: &App, columns: u16, tabs: &mut [Tab]) {
    let fits = |tabs: &[Tab]| tabs.iter().map(|tab| width(&tab.text(app))).sum::<usize>() < usize::from(columns);
    for form in 1..TABS.len() {
        for at in 0..tabs.len() {
            let Some(before) = tabs.get(at).map(|tab| tab.form).filter(|before| *before < form) else {
                continue;
            };
            let set = |tabs: &mut [Tab], form| {
                if let Some(tab) = tabs.get_mut(at) {
                    tab.form = form;
                }
            };
            set(tabs, form);
            if !fits(tabs) {
                set(tabs, before);
            }
        }
        // Nobody has more than the others before all have as much.
        if tabs.iter().any(|tab| tab.form < form) {
            break;
        }
    }
}

/// The text of one pane over the whole screen, without frames: for selecting with the mouse.
fn bare(app: &mut App, screen: Rect, buffer: &mut Buffer, now: Timestamp) {
    let inside = Rect {
        height: screen.height - 1,
        ..screen
    };
    let pane = Pane {
        index: app.bare_pane(),
        area: inside,
        folded: false,
    };
    app.places = Places::default();
    content(app, pane, inside, false, buffer, now);
    let hint = SafeText::from("bare view: the mouse selects; any other key comes back").fit(usize::from(screen.width));
    let span = Span::styled(hint.as_str().to_owned(), app.theme.style(Meaning::Dim));
    buffer.set_span(screen.x, screen.bottom() - 1, &span, screen.width);
}

/// What a pane shows, in the place that its frame leaves.
fn content(app: &mut App, pane: Pane, inside: Rect, focused: bool, buffer: &mut Buffer, now: Timestamp) {
    match pane.index.checked_sub(1) {
        None => {
            let theme = app.theme.clone();
            app.places.panes.push((pane.index, pane.area, inside));
            app.chat_width = inside.width;
            let to_blocks = app.key_to_blocks();
            let look = Look {
                width: inside.width,
                theme: &theme,
                latest: false,
                selected: false,
                unread: false,
                to_blocks: to_blocks.as_deref(),
                user: &app.user,
                now,
                zone: app.clock.zone(),
            };
            app.chat.draw(inside, buffer, &look);
        }
        Some(index) => {
            app.places.panes.push((pane.index, pane.area, inside));
            let spacing = app.spacing(index, inside);
            let Some(panel) = app.panels.get_mut(index).filter(|_| !inside.is_empty()) else {
                return;
            };
            if spacing == 1 {
                return panel.draw(inside, buffer, &app.theme, focused, now);
            }
            let dense = Rect {
                height: inside.height.div_ceil(spacing),
                ..inside
            };
            let mut cells = Buffer::empty(dense);
            cells.set_style(dense, app.theme.style(Meaning::Text));
            panel.draw(dense, &mut cells, &app.theme, focused, now);
            for at in dense.positions() {
                let y = inside.y + (at.y - inside.y) * spacing;
                if let (Some(from), Some(onto)) = (cells.cell(at), buffer.cell_mut((at.x, y))) {
                    onto.clone_from(from);
                }
            }
        }
    }
}

fn toast(app: &App, layout: &Layout, buffer: &mut Buffer) {
    let (Some(area), Some((toast, all))) = (layout.toast, app.toasts.shown()) else {
        return;
    };
    let mut text = toast.text.as_str().to_owned();
    if toast.count > 1 {
        text.push_str(&format!("  x{}", toast.count));
    }
    if all > 1 {
        text.push_str(&format!("   (+{} more: :messages)", all - 1));
    }
    let text = SafeText::line(&text).fit(usize::from(area.width.saturating_sub(8)));
    let mut span = app.theme.state(toast.tone, &text);
    span.content.to_mut().insert(0, ' ');
    span.content.to_mut().push(' ');
    // Beside the corner of a frame that it may stand in.
    buffer.set_span(area.x + 2, area.y, &span, area.width.saturating_sub(4));
}
