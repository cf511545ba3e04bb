//! The help overlay: what the keys do here and everywhere, made from the keymap and the focused panel's own actions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::app::{App, Focus};
use super::keymap::{Action, Part};
use crate::core::text::{SafeText, safe_line, width};
use crate::ui::panel::{Meaning, Theme, widgets};

/// Headings and rows of keys for what has the focus.
fn sections(app: &App) -> Vec<(String, Vec<(String, String)>)> {
    let rows = |part: Part| {
        app.keymap
            .help(part)
            .into_iter()
            .map(|(keys, word)| (keys, word.to_owned()))
            .collect()
    };
    let mut sections = Vec::new();
    match app.focus {
        Focus::Input => sections.push(("input line".to_owned(), rows(Part::Input))),
        Focus::Pane(0) => sections.push(("chat".to_owned(), rows(Part::Chat))),
        Focus::Pane(pane) => {
            if let Some(panel) = app.panels.get(pane - 1) {
                let key = |action| app.keymap.panel_key(panel.id(), action);
                let own = panel
                    .actions()
                    .iter()
                    .filter_map(|action| Some((key(action)?.label(), action.word.to_owned())))
                    .chain(
                        app.keymap
                            .rows(panel.id())
                            .map(|row| (row.key.label(), safe_line(&row.text))),
                    )
                    .collect();
                sections.push((panel.id().to_owned(), own));
            }
            sections.push(("every panel".to_owned(), rows(Part::Panel)));
        }
    }
    sections.push(("everywhere".to_owned(), rows(Part::Global)));
    sections.push((
        "the language".to_owned(),
        [
            ("help", "all commands; help kubectl:run explains one"),
            ("a | b", "b gets what a answers, record by record"),
            ("$_  $41", "what the last block, block 41, answered"),
            (":ctx A,B", "panels show both contexts together; :ctx * all, :ctx A one"),
            ("@NAME cmd", "runs in another context; @A,B and @* in several at once"),
            ("cmd &", "as a job: jobs, wait, stop N"),
            ("cmd | pin", "as a panel, asked again every 5s; :unpin NAME"),
            (
                ":theme NAME",
                "other colours; for good: theme and keymap in config.toml, --theme, --keymap",
            ),
            ("rw 10m", "a read-only context takes changes for so long: typed alone"),
            (":messages", "the last messages again"),
            ("undo N", "takes change N back; audit lists them"),
            (":", "goes to a pane or a kind; rollout NAME, ns NAME, ctx NAME"),
        ]
        .map(|(keys, word)| (keys.to_owned(), word.to_owned()))
        .to_vec(),
    ));
    sections
}

fn lines(app: &App, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (heading, rows) in sections(app).into_iter().filter(|(_, rows)| !rows.is_empty()) {
        lines.push(Line::from(Span::styled(heading, theme.style(Meaning::Title))));
        let keys = rows.iter().map(|(keys, _)| width(keys)).max().unwrap_or(0).min(20);
        for (key, word) in rows {
            let indent = keys + 4;
            let room = columns.saturating_sub(u16::try_from(indent).unwrap_or(0)).max(8);
            let pad = keys.saturating_sub(width(&key)) + 2;
            let mut wrapped = widgets::wrap(&word, room).into_iter();
            lines.push(Line::from(vec![
                Span::styled(format!("  {key}"), theme.style(Meaning::Key)),
                Span::raw(" ".repeat(pad)),
                Span::styled(wrapped.next().unwrap_or_default(), theme.style(Meaning::Text)),
            ]));
            lines.extend(wrapped.map(|rest| {
                Line::from(Span::styled(
                    format!("{}{rest}", " ".repeat(indent)),
                    theme.style(Meaning::Text),
                ))
            }));
        }
        lines.push(Line::default());
    }
    lines
}

/// Draws the overlay, scrolled by `scroll` lines, or as many as there are; how many that is.
pub fn draw(app: &App, screen: Rect, buffer: &mut Buffer, scroll: u16) -> u16 {
    let theme = &app.theme;
    let inner = screen.width.saturating_sub(4).min(76);
    let lines = lines(app, theme, inner);
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let area = widgets::popup::middle(
        screen,
        inner + 2,
        rows.saturating_add(2).min(screen.height.saturating_sub(2).max(3)),
    );
    let key = |action| app.keymap.key_of(Part::Panel, action).map(|key| key.label());
    let keys: Vec<String> = [Action::Down, Action::Up].into_iter().filter_map(key).collect();
    let title = SafeText::line(&format!("help: {} scroll, any other key closes", keys.join(" ")));
    let inside = widgets::popup::popup(area, buffer, theme, &title);
    let scroll = scroll.min(rows.saturating_sub(inside.height));
    for (row, line) in lines
        .iter()
        .skip(usize::from(scroll))
        .enumerate()
        .take(usize::from(inside.height))
    {
        widgets::line(inside, u16::try_from(row).unwrap_or(u16::MAX), buffer, line);
    }
    scroll
}
