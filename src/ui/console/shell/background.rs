//! Asking the terminal for its background, and what its answer means here: the theme for it, when it comes soon enough.
//! A late answer changes nothing under the operator's hands; it is no typed text either.

use std::io::{self, Write};
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyEvent, KeyEventKind};
use futures::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::Shell;
use crate::ui::console::app::Event;
use crate::ui::console::background::{ASK, Background, Heard, Listener};
use crate::ui::panel::Theme;

/// An answer that takes longer changes nothing any more.
const SOON: Duration = Duration::from_millis(500);
/// A terminal sends its answer in one piece: keys that only begin like one are held back this long at most.
const HOLD: Duration = Duration::from_millis(50);

/// The themes of which the background chooses one.
#[derive(Clone, Debug)]
pub struct ByBackground {
    /// For a dark one.
    pub dark: Theme,
    /// For a light one.
    pub light: Theme,
}

/// The question and who listens for its answer.
pub(super) struct Asked {
    themes: ByBackground,
    listener: Listener,
    at: Instant,
    /// When the keys held back count as typed.
    until: Option<Instant>,
}

impl Asked {
    pub(super) fn new(themes: ByBackground) -> Self {
        Asked {
            themes,
            listener: Listener::default(),
            at: Instant::now(),
            until: None,
        }
    }

    /// When [`Shell::typed_after_all`] is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.until
    }
}

impl<W: Write> Shell<W> {
    /// Asks, where there is a choice.
    pub(super) fn ask_background(&mut self) -> io::Result<()> {
        match &mut self.asked {
            Some(asked) => {
                asked.at = Instant::now();
                self.screen.send(ASK)
            }
            None => Ok(()),
        }
    }

    /// A key of the terminal's: typed, or part of its answer.
    pub(super) fn key(&mut self, key: KeyEvent) {
        let Some(asked) = &mut self.asked else {
            return self.reduce(Event::Key(key));
        };
        let heard = asked.listener.key(key);
        asked.until = asked.listener.is_holding().then(|| Instant::now() + HOLD);
        match heard {
            Heard::Nothing => {}
            Heard::Typed(keys) => keys.into_iter().for_each(|key| self.reduce(Event::Key(key))),
            Heard::Answer(background) => {
                let theme = match background {
                    Some(Background::Dark) => Some(&asked.themes.dark),
                    Some(Background::Light) => Some(&asked.themes.light),
                    None => None,
                };
                let theme = theme.filter(|_| asked.at.elapsed() <= SOON).cloned();
                self.asked = None;
                if let Some(theme) = theme {
                    self.reduce(Event::Wear(Box::new(theme)));
                }
            }
        }
    }

    /// What was held back for an answer was none.
    pub(super) fn typed_after_all(&mut self) {
        let Some(asked) = &mut self.asked else { return };
        asked.until = None;
        for key in asked.listener.give_up() {
            self.reduce(Event::Key(key));
        }
    }

    /// Before the terminal is given back: an answer on its way must not become the shell's input.
    pub(super) async fn hear_out<S>(&mut self, events: &mut S)
    where
        S: Stream<Item = io::Result<TerminalEvent>> + Unpin,
    {
        let Some(mut asked) = self.asked.take() else { return };
        let deadline = asked.at + SOON;
        while asked.listener.is_open() {
            match timeout_at(deadline, events.next()).await {
                Ok(Some(Ok(TerminalEvent::Key(key)))) if key.kind != KeyEventKind::Release => {
                    asked.listener.key(key);
                }
                Ok(Some(Ok(_))) => {}
                _ => return,
            }
        }
    }
}
