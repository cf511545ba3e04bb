//! The completion popup: offers for the word at the cursor, narrowed as more is typed. The palette is the same popup on
//! an empty line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::complete::{Gathered, Offer, live_offers, matching};
use crate::core::text::SafeText;
use crate::ui::panel::widgets::popup::{Choice, Choices};
use crate::ui::panel::{Meaning, Theme, widgets};
use crate::verb::Completion;

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
    /// What stood in the word when a completer was asked last; none: nobody was.
    asked: Option<String>,
    /// There may be more that fits than the completer told.
    more: bool,
    /// It was asked anew because of what was typed.
    anew: bool,
    /// Why it told nothing, or not all.
    why: Option<SafeText>,
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
            asked: pending.map(|_| gathered.prefix.clone()),
            more: false,
            anew: false,
            why: None,
        }
    }

    /// Adds what a completer found.
    pub fn add(&mut self, found: Completion, prefix: &str) {
        self.pending = None;
        self.more = found.more;
        self.why = found.why.as_deref().map(SafeText::line);
        for offer in live_offers(found.candidates) {
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

    /// Whether the completer may know more of what is typed now than it told.
    pub fn wants_more(&self, prefix: &str) -> bool {
        let narrower = |asked: &String| prefix != asked && (self.more || !prefix.starts_with(asked.as_str()));
        self.pending.is_none() && self.asked.as_ref().is_some_and(narrower)
    }

    /// A completer is asked once more.
    pub fn ask(&mut self, question: u64, prefix: &str) {
        (self.pending, self.anew) = (Some(question), true);
        self.asked = Some(prefix.to_owned());
    }

    /// Whether typing, not Tab, asked for what was found last.
    pub fn was_asked_anew(&self) -> bool {
        self.anew
    }

    /// Whether what fits is all there is: one of it may be taken for what is meant.
    pub fn is_whole(&self) -> bool {
        !self.more
    }

    /// Whether it tells why nothing, or not all, is offered.
    pub fn tells_why(&self) -> bool {
        self.why.is_some()
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
        let told = self.why.as_ref().map_or(0, |why| why.width() + 4);
        let wanted = list.width().max(24).max(u16::try_from(told).unwrap_or(u16::MAX));
        let reasons = u16::from(self.why.is_some());
        let room = anchor.1.saturating_sub(screen.y + 1);
        let rows = u16::try_from(self.shown.len())
            .unwrap_or(ROWS)
            .clamp(1 - reasons, ROWS)
            .min(room.saturating_sub(2 + reasons));
        if rows + reasons == 0 || room < rows + reasons + 2 || screen.width < 8 {
            return None;
        }
        let columns = wanted.min(screen.width);
        let x = anchor.0.saturating_sub(2).min(screen.right().saturating_sub(columns));
        let area = Rect {
            x,
            y: anchor.1 - rows - reasons - 2,
            width: columns,
            height: rows + reasons + 2,
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
        let mut inside = widgets::popup::popup(area, buffer, theme, &SafeText::line(&title));
        if let Some(why) = &self.why {
            // Below what there is, so that the eye that looks for a name finds names first.
            let why = why.fit(usize::from(inside.width.saturating_sub(2)));
            let told = Line::from(vec![Span::raw(" "), theme.span(&why, Meaning::StateWarn)]);
            widgets::line(inside, inside.height.saturating_sub(1), buffer, &told);
            inside.height = inside.height.saturating_sub(1);
        }
        list.draw(inside, buffer, theme);
        Some((inside, list.first(inside.height)))
    }
}
