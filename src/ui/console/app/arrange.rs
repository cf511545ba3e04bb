//! Changing the arrangement by keys, by dragging and by `:show`, `:hide`, `:layout reset`. What changes is remembered;
//! how is the shell's business.

use ratatui::layout::{Position, Rect};

use super::{App, Effect, Focus};
use crate::ui::console::arrangement::{Arrangement, Column};
use crate::ui::console::keymap::Action;
use crate::ui::console::layout::Seam;
use crate::ui::panel::Tone;

/// Percent that one key makes a column wider.
const STEP: u16 = 4;
/// Rows that one key makes a pane taller.
const ROWS: i32 = 2;

impl App {
    /// An action about the arrangement; none: it is about something else.
    pub(super) fn arrange(&mut self, action: Action) -> Option<Vec<Effect>> {
        let done = match action {
            Action::Wider => self.widen(true),
            Action::Narrower => self.widen(false),
            Action::Taller => self.heighten(ROWS),
            Action::Shorter => self.heighten(-ROWS),
            Action::Earlier => self.move_pane(false),
            Action::Later => self.move_pane(true),
            _ => return None,
        };
        if !done {
            let is_split = !self.places.seams.is_empty();
            let told = match action {
                Action::Wider | Action::Narrower if is_split => "its column is as wide, or as narrow, as it may be",
                _ => "there is nothing beside it to take room from",
            };
            self.tell(told, Tone::Neutral);
            return Some(Vec::new());
        }
        Some(self.remember())
    }

    /// Keeps the arrangement beyond the session.
    pub(super) fn remember(&self) -> Vec<Effect> {
        vec![Effect::Remember(self.arrangement.to_text())]
    }

    /// Wider at the cost of the column beside it.
    fn widen(&mut self, wider: bool) -> bool {
        let columns = self.places.seams.iter().filter_map(|(_, seam)| match seam {
            Seam::Columns { column, place } => Some((*column, *place)),
            Seam::Rows { .. } => None,
        });
        let columns: Vec<(Column, Rect)> = columns.collect();
        let x = match self.focus {
            Focus::Pane(pane) => self.area(pane).map_or(0, |area| area.x),
            Focus::Input => 0,
        };
        // The chat's edge is the first one, the middle's the second; the last column gives way to the left.
        let chosen = match columns.as_slice() {
            [] => return false,
            [only] => (only.0, x == only.1.x),
            [chat, ..] if x == chat.1.x => (chat.0, true),
            [_, middle, ..] => (middle.0, x == middle.1.x),
        };
        let (column, is_left) = chosen;
        let before = self.arrangement.percent(column);
        let percent = match wider == is_left {
            true => before.saturating_add(STEP),
            false => before.saturating_sub(STEP),
        };
        self.arrangement.set_percent(column, percent);
        // At its limit it stays as it is.
        self.arrangement.percent(column) != before
    }

    fn area(&self, pane: usize) -> Option<Rect> {
        let known = self.places.panes.iter().find(|(index, ..)| *index == pane);
        known.map(|(_, area, _)| *area)
    }

    /// Taller by rows of the pane below it, the last of a column by those of the one above.
    fn heighten(&mut self, rows: i32) -> bool {
        let Focus::Pane(pane) = self.focus else { return false };
        let seams: Vec<(usize, usize)> = self
            .places
            .seams
            .iter()
            .filter_map(|(_, seam)| match seam {
                Seam::Rows { upper, lower } => Some((*upper, *lower)),
                Seam::Columns { .. } => None,
            })
            .collect();
        if let Some((upper, lower)) = seams.iter().find(|(upper, _)| *upper == pane) {
            return self.shift(*upper, *lower, rows);
        }
        match seams.iter().find(|(_, lower)| *lower == pane) {
            Some((upper, lower)) => self.shift(*upper, *lower, -rows),
            None => false,
        }
    }

    /// Moves the boundary between two panes down by rows, as far as both keep their smallest heights. All panes of the
    /// column keep the heights they have now.
    fn shift(&mut self, upper: usize, lower: usize, rows: i32) -> bool {
        let (Some(over), Some(under)) = (self.area(upper), self.area(lower)) else {
            return false;
        };
        let spare = |pane: usize, area: Rect| i32::from(area.height) - i32::from(self.least(pane));
        let rows = rows.clamp(-spare(upper, over).max(0), spare(lower, under).max(0));
        let heights: Vec<(String, u16)> = self
            .places
            .panes
            .iter()
            .filter(|(pane, area, inside)| *pane > 0 && area.x == over.x && !inside.is_empty())
            .filter_map(|(pane, area, _)| {
                let more = match *pane {
                    pane if pane == upper => rows,
                    pane if pane == lower => -rows,
                    _ => 0,
                };
                let own = u16::try_from((spare(*pane, *area) + more).max(0)).unwrap_or(0);
                Some((self.panels.get(pane - 1)?.id().to_owned(), own))
            })
            .collect();
        if rows != 0 {
            self.arrangement.rows.extend(heights);
        }
        rows != 0
    }

    /// The smallest height of a pane, its frame included.
    fn least(&self, pane: usize) -> u16 {
        let frame = if self.places.borders { 2 } else { 1 };
        let panel = pane.checked_sub(1).and_then(|at| self.panels.get(at));
        panel.map_or(0, |panel| panel.minimum().1) + frame
    }

    /// Puts the panels into their order: those the operator placed, then as they came in, those that only show up when
    /// there is room behind the others, which so keep their numbers, and what is pinned behind all.
    pub(super) fn sort_panels(&mut self) {
        let (arrangement, registered) = (&self.arrangement, &self.registered);
        let is_pinned = |id: &str| self.pinned.iter().any(|pin| pin.id == id);
        self.panels.sort_by_key(|panel| {
            let place = arrangement.place(panel.id()).unwrap_or(usize::MAX);
            let came = registered.iter().position(|id| *id == panel.id());
            let late = (is_pinned(panel.id()), panel.by_name_only(), panel.weight() == 0);
            (place, late, came)
        });
        self.drawn.clear();
    }

    /// Before or behind the next panel that can be seen; its number goes along.
    fn move_pane(&mut self, later: bool) -> bool {
        let Focus::Pane(pane) = self.focus else { return false };
        let Some(at) = pane.checked_sub(1) else { return false };
        let other = match later {
            true => (at + 1..self.panels.len()).find(|other| self.is_offered(*other)),
            false => (0..at).rev().find(|other| self.is_offered(*other)),
        };
        let Some(other) = other else { return false };
        let panel = self.panels.remove(at);
        self.panels.insert(other, panel);
        self.drawn.clear();
        self.focus_pane(other + 1);
        let ids = self.panels.iter().map(|panel| panel.id().to_owned()).collect();
        self.arrangement.set_order(ids);
        true
    }

    /// Whether a panel is one of those that panes are chosen from with Tab: it stands beside the others, or would where
    /// there is room.
    pub fn is_offered(&self, at: usize) -> bool {
        self.panels.get(at).is_some_and(|panel| {
            self.arrangement.shows(panel.id(), !panel.by_name_only())
                || self.on_stage(panel.as_ref()) == Some(true)
                || self.shown == at + 1
        })
    }

    /// `:show NAME`, `:hide NAME`.
    pub(super) fn show_panel(&mut self, name: &str, shown: bool) -> Vec<Effect> {
        let Some(at) = self.pane_named(name).and_then(|pane| pane.checked_sub(1)) else {
            self.tell(&format!("no panel {name}"), Tone::Warn);
            return Vec::new();
        };
        let id = self
            .panels
            .get(at)
            .map_or_else(String::new, |panel| panel.id().to_owned());
        self.arrangement.set_shown(&id, shown);
        match shown {
            true => self.focus_pane(at + 1),
            false => {
                self.leave_pane();
                self.tell(&format!("{id} is hidden: :show {id} brings it back"), Tone::Neutral);
            }
        }
        self.remember()
    }

    /// `:layout reset`. What was pinned stays: it is there because somebody asked for it.
    pub(super) fn reset_layout(&mut self) -> Vec<Effect> {
        self.arrangement = Arrangement::default();
        self.sort_panels();
        self.leave_pane();
        self.tell("columns, heights and panels are as by default", Tone::Ok);
        self.remember()
    }

    /// A button went down on a boundary: from here on it is dragged.
    pub(super) fn grab(&mut self, at: Position) {
        let seam = self.places.seams.iter().find(|(area, _)| area.contains(at));
        self.dragged = seam.map(|(_, seam)| (*seam, self.arrangement.clone()));
    }

    /// The pointer moved with the button down.
    pub(super) fn drag(&mut self, at: Position) {
        match self.dragged.as_ref().map(|(seam, _)| *seam) {
            Some(Seam::Columns { column, place }) => {
                let wanted = u32::from((at.x + 1).saturating_sub(place.x)) * 100;
                // Rounded up: the edge does not run ahead of the pointer.
                let percent = wanted.div_ceil(u32::from(place.width.max(1)));
                self.arrangement
                    .set_percent(column, u16::try_from(percent).unwrap_or(100));
            }
            Some(Seam::Rows { upper, lower }) => {
                if let Some(under) = self.area(lower) {
                    self.shift(upper, lower, i32::from(at.y) - i32::from(under.y));
                }
            }
            None => {}
        }
    }

    /// The button went up.
    pub(super) fn drop_seam(&mut self) -> Vec<Effect> {
        match self.dragged.take() {
            Some((_, before)) if before != self.arrangement => self.remember(),
            _ => Vec::new(),
        }
    }
}
