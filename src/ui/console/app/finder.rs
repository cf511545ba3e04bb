//! `/`: a line in which a filter for a panel, or a search through the chat, is typed; it takes effect with every key.

use super::{App, Focus};
use crate::ui::console::chat::view::Look;
use crate::ui::console::keymap::{Action, Key, Part};
use crate::ui::panel::Tone;

/// What is looked for, while it is typed.
pub struct Finder {
    /// The pane it is for: 0 is the chat.
    pub pane: usize,
    /// So far.
    pub text: String,
}

impl App {
    /// Opens the line for the focused pane.
    pub(super) fn open_finder(&mut self) {
        let Focus::Pane(pane) = self.focus else { return };
        let text = match pane.checked_sub(1).and_then(|at| self.panels.get_mut(at)) {
            // What is filtered by already can be edited.
            Some(panel) => {
                let known = panel.filter_text().to_owned();
                if !panel.filter(&known) {
                    self.tell("there is nothing to filter in this panel", Tone::Neutral);
                    return;
                }
                known
            }
            None => String::new(),
        };
        self.finder = Some(Finder { pane, text });
    }

    /// A key while it is open; false when it is closed.
    pub(super) fn finder_key(&mut self, key: Key) -> bool {
        let Some(finder) = &mut self.finder else { return false };
        let pane = finder.pane;
        match self.keymap.action(Part::Input, key) {
            Some(Action::Submit) => self.finder = None,
            Some(Action::Cancel | Action::ToChat | Action::Interrupt) => {
                self.finder = None;
                self.look_for(pane, "");
            }
            Some(Action::DeleteLeft) if finder.text.is_empty() => {
                self.finder = None;
                self.look_for(pane, "");
            }
            Some(Action::DeleteLeft) => {
                finder.text.pop();
                self.look();
            }
            Some(Action::DeleteToStart | Action::DeleteWordLeft) => {
                finder.text.clear();
                self.look();
            }
            _ => {
                if let Some(symbol) = key.typed() {
                    finder.text.push(symbol);
                    self.look();
                }
            }
        }
        true
    }

    /// Looks for what stands in it.
    pub(super) fn look(&mut self) {
        if let Some((pane, text)) = self.finder.as_ref().map(|finder| (finder.pane, finder.text.clone())) {
            self.look_for(pane, &text);
        }
    }

    fn look_for(&mut self, pane: usize, text: &str) {
        match pane.checked_sub(1) {
            Some(at) => {
                if let Some(panel) = self.panels.get_mut(at) {
                    panel.filter(text);
                }
            }
            None => self.with_look(|chat, look| chat.find(text, look)),
        }
    }

    /// Esc in a pane: ends its filter or search, then takes the marks back; true when there was one.
    pub(super) fn end_filter(&mut self) -> bool {
        let Focus::Pane(pane) = self.focus else { return false };
        let on = match pane.checked_sub(1).and_then(|at| self.panels.get(at)) {
            Some(panel) => !panel.filter_text().is_empty(),
            None => self.chat.is_searching(),
        };
        if on {
            self.look_for(pane, "");
            return true;
        }
        let panel = pane.checked_sub(1).and_then(|at| self.panels.get_mut(at));
        panel.is_some_and(|panel| panel.back())
    }

    /// The key that gets to the blocks of the chat; none: they have the keys, or no key does.
    pub(in crate::ui::console) fn key_to_blocks(&self) -> Option<String> {
        let key = self.keymap.key_of(Part::Global, Action::Pane1);
        key.filter(|_| self.focus != Focus::Pane(0)).map(|key| key.label())
    }

    /// The chat, and how it is drawn.
    pub(super) fn with_look(&mut self, act: impl FnOnce(&mut crate::ui::console::chat::Chat, &Look<'_>)) {
        let to_blocks = self.key_to_blocks();
        let look = Look {
            width: self.chat_width,
            theme: &self.theme,
            latest: false,
            selected: false,
            unread: false,
            to_blocks: to_blocks.as_deref(),
            user: &self.user,
            now: self.clock.now(),
            zone: self.clock.zone(),
        };
        act(&mut self.chat, &look);
    }
}
