//! The completion popup: offers for the word at the cursor, narrowed as more is typed. The palette is the same popup on
//! an empty line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::complete::{Gathered, Offer, matching};
use crate::core::text::SafeText;
use crate::ui::panel::widgets::popup::{Choice, Choices};
use crate::ui::panel::{Meaning, Theme, widgets};

/// Rows shown at most.
const ROWS: u16 = 12;

/// Offers for one word.
pub struct Popup {
    /// Where the word starts in the text.
    pub start: usize,
    /// Number of the question to a completer, while its answer is awaited.
    pub pending: Option<u64>,
    all: Vec<Offer>,
    shown: Vec<Offer>,
    selected: Option<usize>,
}

impl Popup {
    /// A popup for what was gathered.
    pub fn new(gathered: &Gathered, pending: Option<u64>) -> Self {
        let shown = matching(&gathered.offers, &gathered.prefix);
        Popup {
            start: gathered.span.start,
            pending,
            all: gathered.offers.clone(),
            shown,
            selected: None,
        }
    }

    /// Adds live offers.
    pub fn add(&mut self, offers: Vec<Offer>, prefix: &str) {
        self.pending = None;
        for offer in offers {
            if !self.all.iter().any(|known| known.insert == offer.insert) {
                self.all.push(offer);
            }
        }
        self.narrow(prefix);
    }

    /// More or less was typed.
    pub fn narrow(&mut self, prefix: &str) {
        let chosen = self.selected().cloned();
        self.shown = matching(&self.all, prefix);
        self.selected = chosen.and_then(|chosen| self.shown.iter().position(|offer| *offer == chosen));
    }

    /// What fits.
    pub fn offers(&self) -> &[Offer] {
        &self.shown
    }

    /// The selected one.
    pub fn selected(&self) -> Option<&Offer> {
        self.selected.and_then(|at| self.shown.get(at))
    }

    /// Selects the next or the one before, around the ends.
    pub fn step(&mut self, forward: bool) {
        let count = self.shown.len();
        if count == 0 {
            return;
        }
        self.selected = Some(match (self.selected, forward) {
            (None, true) => 0,
            (None, false) => count - 1,
            (Some(at), true) => (at + 1) % count,
            (Some(at), false) => (at + count - 1) % count,
        });
    }

    /// Selects one by its place among those that fit.
    pub fn select(&mut self, at: usize) {
        self.selected = (at < self.shown.len()).then_some(at);
    }

    /// Draws the popup above `anchor` (where the word starts), inside `screen`; where its lines are, and the first of them.
    pub fn draw(&self, screen: Rect, anchor: (u16, u16), buffer: &mut Buffer, theme: &Theme) -> Option<(Rect, usize)> {
        let choice = |offer: &Offer| Choice {
            name: offer.label.clone(),
            name_meaning: Meaning::Text,
            text: offer.note.clone(),
            text_meaning: Meaning::Dim,
        };
        let choices: Vec<Choice> = self.shown.iter().map(choice).collect();
        let list = Choices {
            rows: &choices,
            selected: self.selected,
        };
        let wanted = list.width().max(24);
        let room = anchor.1.saturating_sub(screen.y + 1);
        let rows = u16::try_from(self.shown.len())
            .unwrap_or(ROWS)
            .clamp(1, ROWS)
            .min(room.saturating_sub(2));
        if rows == 0 || screen.width < 8 {
            return None;
        }
        let columns = wanted.min(screen.width);
        let x = anchor.0.saturating_sub(2).min(screen.right().saturating_sub(columns));
        let area = Rect {
            x,
            y: anchor.1 - rows - 2,
            width: columns,
            height: rows + 2,
        };
        let title = match (self.pending, self.shown.len()) {
            (Some(_), 0) => "looking…".to_owned(),
            (None, 0) => "nothing fits".to_owned(),
            (Some(_), count) => format!("{count} …"),
            (None, count) => match self.selected {
                Some(at) => format!("{} of {count}", at + 1),
                None => format!("{count} fit"),
            },
        };
        let inside = widgets::popup::popup(area, buffer, theme, &SafeText::line(&title));
        list.draw(inside, buffer, theme);
        Some((inside, list.first(inside.height)))
    }
}
