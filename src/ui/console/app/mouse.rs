//! The mouse: a click focuses a pane and selects what it is on, a second one opens it; the wheel moves what is below
//! the pointer without taking the focus; dragging a boundary moves it. Where things are is what was drawn last.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{App, Effect, Focus};
use crate::ui::console::layout::Seam;
use crate::ui::panel::{Motion, PanelKey};

/// Rows that one step of the wheel moves.
const WHEEL: usize = 3;

/// Where things were drawn last.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Panes: index, the whole of it, its content.
    pub panes: Vec<(usize, Rect, Rect)>,
    /// Names of panes in one-pane mode.
    pub tabs: Vec<(usize, Rect)>,
    /// The input.
    pub input: Rect,
    /// Where boundaries can be dragged.
    pub seams: Vec<(Rect, Seam)>,
    /// Lines to choose from that lie over the panes, and which of them is the first in sight.
    pub list: Option<(Rect, usize)>,
    /// Panes have borders.
    pub borders: bool,
    /// The screen has room for one pane at a time.
    pub narrow: bool,
}

impl Places {
    /// Panes have other numbers now; none: it is gone.
    pub(super) fn renumber(&mut self, number: impl Fn(usize) -> Option<usize>) {
        let panes = std::mem::take(&mut self.panes).into_iter();
        self.panes = panes
            .filter_map(|(pane, whole, inside)| Some((number(pane)?, whole, inside)))
            .collect();
        let tabs = std::mem::take(&mut self.tabs).into_iter();
        self.tabs = tabs.filter_map(|(pane, area)| Some((number(pane)?, area))).collect();
        let seams = std::mem::take(&mut self.seams).into_iter();
        self.seams = seams
            .filter_map(|(area, seam)| Some((area, seam.renumbered(&number)?)))
            .collect();
    }
}

/// Whether somebody did something, who looks at the screen then; a pointer moves by a touch of the table too.
pub(super) fn is_act(kind: MouseEventKind) -> bool {
    !matches!(kind, MouseEventKind::Moved | MouseEventKind::Up(_))
}

impl App {
    pub(super) fn mouse(&mut self, event: MouseEvent) -> Vec<Effect> {
        let at = Position::new(event.column, event.row);
        if self.approval().is_some() {
            match event.kind {
                MouseEventKind::ScrollUp => self.turn_approval(false),
                MouseEventKind::ScrollDown => self.turn_approval(true),
                _ => {}
            }
            return Vec::new();
        }
        if let Some(scroll) = self.help {
            self.help = match event.kind {
                MouseEventKind::ScrollUp => Some(scroll.saturating_sub(1)),
                MouseEventKind::ScrollDown => Some(scroll.saturating_add(1)),
                MouseEventKind::Down(_) => None,
                _ => Some(scroll),
            };
            return Vec::new();
        }
        if self.overlay.is_some() {
            return self.overlay_mouse(event.kind, at);
        }
        if self.popup.is_some()
            && let Some(effects) = self.popup_mouse(event.kind, at)
        {
            return effects;
        }
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                self.grab(at);
                self.click(at, true)
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                self.drag(at);
                Vec::new()
            }
            MouseEventKind::Up(MouseButton::Left) => self.drop_seam(),
            MouseEventKind::Down(MouseButton::Right) => {
                let effects = self.click(at, false);
                self.open_menu();
                effects
            }
            MouseEventKind::ScrollUp => self.wheel(at, Motion::Up),
            MouseEventKind::ScrollDown => self.wheel(at, Motion::Down),
            _ => Vec::new(),
        }
    }

    /// The line of the list over the panes that is at a place.
    pub(super) fn line_at(&self, at: Position) -> Option<usize> {
        let (inside, first) = self.places.list.filter(|(inside, _)| inside.contains(at))?;
        Some(first + usize::from(at.y - inside.y))
    }

    /// A click on an offer takes it, the wheel goes through them; a click elsewhere closes them, and does nothing else.
    fn popup_mouse(&mut self, kind: MouseEventKind, at: Position) -> Option<Vec<Effect>> {
        let line = self.line_at(at);
        let popup = self.popup.as_mut()?;
        match kind {
            MouseEventKind::ScrollUp => popup.step(false),
            MouseEventKind::ScrollDown => popup.step(true),
            MouseEventKind::Down(_) => {
                let offer = line.and_then(|line| {
                    popup.select(line);
                    popup.selected().cloned()
                });
                match offer {
                    Some(offer) => self.take_offer(&offer),
                    None => self.popup = None,
                }
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    /// `opens`: a click on what is selected already opens it; otherwise a click only selects.
    fn click(&mut self, at: Position, opens: bool) -> Vec<Effect> {
        let places = std::mem::take(&mut self.places);
        let tab = places
            .tabs
            .iter()
            .find(|(_, area)| area.contains(at))
            .map(|(pane, _)| *pane);
        let pane = places.panes.iter().find(|(_, area, _)| area.contains(at)).copied();
        let effects = match (tab, pane) {
            (Some(0), _) => {
                self.leave_pane();
                Vec::new()
            }
            (Some(pane), _) => {
                self.focus_pane(pane);
                Vec::new()
            }
            (None, Some((pane, _, inside))) => self.click_pane(pane, inside, at, opens),
            _ => {
                if places.input.contains(at) {
                    self.leave_pane();
                }
                Vec::new()
            }
        };
        self.places = places;
        effects
    }

    fn click_pane(&mut self, pane: usize, inside: Rect, at: Position, opens: bool) -> Vec<Effect> {
        let had_focus = self.focus == Focus::Pane(pane);
        if !had_focus {
            self.focus_pane(pane);
        }
        // The click that brings the focus only selects.
        let opens = opens && had_focus;
        if !inside.contains(at) {
            return Vec::new();
        }
        let index = pane.checked_sub(1);
        let row = (at.y - inside.y) / index.map_or(1, |index| self.spacing(index, inside));
        match index {
            None => {
                if !opens {
                    self.chat.unselect();
                }
                self.chat.click(row, self.chat_width);
                Vec::new()
            }
            Some(index) if opens => {
                let effects = self.panels.get_mut(index).map(|panel| panel.key(PanelKey::At(row)));
                self.panel_effects(effects.unwrap_or_default())
            }
            Some(index) => {
                if let Some(panel) = self.panels.get_mut(index) {
                    panel.key(PanelKey::At(row));
                }
                Vec::new()
            }
        }
    }

    fn wheel(&mut self, at: Position, motion: Motion) -> Vec<Effect> {
        let pane = self.places.panes.iter().find(|(_, area, _)| area.contains(at));
        let Some(pane) = pane.map(|(pane, ..)| *pane) else {
            return Vec::new();
        };
        for _ in 0..WHEEL {
            match pane.checked_sub(1).and_then(|index| self.panels.get_mut(index)) {
                Some(panel) => {
                    panel.key(PanelKey::Move(motion));
                }
                None => self.scroll_chat(motion),
            }
        }
        Vec::new()
    }
}
