//! What a key does: to an approval first, then to the help overlay, the popup, the focused part.

use std::time::Duration;

use super::{App, Effect, Focus, goto};
use crate::ui::console::keymap::{Action, Key, Part};
use crate::ui::console::toast::{self, Until};
use crate::ui::panel::{self, Motion, PanelKey, Tone};

/// Two Ctrl-C within this time on an idle, empty line quit: as long as it is told that the second does.
const TWICE: Duration = toast::SHOWN;

/// Letters that follow each other within this time spell a word. Two keys that are meant for a row come slower.
pub(super) const WORD: Duration = Duration::from_millis(250);

impl App {
    pub(super) fn key(&mut self, key: Key) -> Vec<Effect> {
        let global = self.keymap.own(Part::Global, key);
        if global == Some(Action::Redraw) {
            return vec![Effect::Redraw];
        }
        if global == Some(Action::Suspend) {
            return vec![Effect::Suspend];
        }
        if global == Some(Action::Mouse) {
            return self.toggle_mouse();
        }
        if self.bare {
            return self.bare_key(key);
        }
        if self.approval().is_some() {
            return self.approval_key(key);
        }
        if self.help.is_some() {
            self.help_key(key);
            if self.help.is_none() {
                self.ask_again();
            }
            return Vec::new();
        }
        if let Some(effects) = self.overlay_key(key) {
            return effects;
        }
        if self.finder_key(key) {
            return Vec::new();
        }
        if global == Some(Action::Bare) {
            return self.enter_bare();
        }
        if global == Some(Action::Transcript) {
            return self.transcript();
        }
        if global == Some(Action::Present) {
            self.next_line();
            return Vec::new();
        }
        let meant = match self.focus {
            Focus::Input => self.keymap.own(Part::Input, key).or(global),
            Focus::Pane(_) => global.filter(|action| *action == Action::EndOfInput),
        };
        if meant == Some(Action::Submit) && self.finish_typing() {
            return Vec::new();
        }
        let before = self.typed_so_far();
        let mut effects = self.meant_key(key, meant);
        effects.extend(self.complete_anew());
        self.take_over(before);
        effects
    }

    /// A key that nothing has taken which stands before the focused part.
    fn meant_key(&mut self, key: Key, meant: Option<Action>) -> Vec<Effect> {
        let armed = self.quit_armed.take().is_some_and(|at| self.clock.since(at) < TWICE);
        if self.keymap.own(Part::Global, key) == Some(Action::Interrupt) {
            return self.interrupt(armed);
        }
        if meant == Some(Action::EndOfInput) {
            return self.end_of_input();
        }
        if let Some(effects) = self.popup_key(key) {
            return effects;
        }
        match self.focus {
            Focus::Input => self.input_key(key),
            Focus::Pane(0) => self.chat_key(key),
            Focus::Pane(pane) => self.panel_key(pane - 1, key),
        }
    }

    /// Whether a key can only change the line being typed and what stands over it.
    pub(super) fn only_types(&self, key: Key) -> bool {
        let over = self.bare || self.help.is_some() || self.finder.is_some() || self.overlay.is_some();
        self.focus == Focus::Input
            && !over
            && key.typed().is_some()
            && self.keymap.action(Part::Input, key).is_none()
            && self.keymap.own(Part::Global, key).is_none()
    }

    /// The last line in sight is known when it is drawn: no scrolling goes beyond it.
    fn help_key(&mut self, key: Key) {
        let scroll = self.help.unwrap_or(0);
        self.help = match self.keymap.action(Part::Panel, key) {
            Some(Action::Up) => Some(scroll.saturating_sub(1)),
            Some(Action::Down) => Some(scroll.saturating_add(1)),
            Some(Action::PageUp) => Some(scroll.saturating_sub(10)),
            Some(Action::PageDown) => Some(scroll.saturating_add(10)),
            Some(Action::First) => Some(0),
            Some(Action::Last) => Some(u16::MAX),
            _ => None,
        };
    }

    fn toggle_mouse(&mut self) -> Vec<Effect> {
        self.mouse = !self.mouse;
        let word = if self.mouse {
            "the mouse clicks and scrolls here"
        } else {
            "the mouse is the terminal's: it selects text"
        };
        self.tell(word, Tone::Neutral);
        vec![Effect::Mouse(self.mouse)]
    }

    fn popup_key(&mut self, key: Key) -> Option<Vec<Effect>> {
        let popup = self.popup.as_mut()?;
        let again = popup.offers().is_empty() && popup.pending.is_none();
        match self.keymap.own(Part::Popup, key)? {
            // There was a reason why nothing is offered: it may be gone.
            Action::NextCandidate if again => return Some(self.complete(false)),
            Action::NextCandidate => popup.step(true),
            Action::PreviousCandidate => popup.step(false),
            Action::Cancel => {
                // The menu of places is what the colon opened: both go.
                if self.names_place() {
                    self.leave_places();
                }
                self.popup = None;
            }
            Action::Accept => match popup.selected().cloned() {
                Some(offer) => self.take_offer(&offer),
                None => return None,
            },
            _ => return None,
        }
        Some(Vec::new())
    }

    fn input_key(&mut self, key: Key) -> Vec<Effect> {
        let typed = key.typed();
        let Some(action) = self.keymap.action(Part::Input, key) else {
            let effects = typed.map_or_else(Vec::new, |symbol| self.press(symbol));
            // The colon shows at once where one can go.
            if typed == Some(':') && self.input.text() == ":" {
                return self.complete(true);
            }
            return effects;
        };
        let searching = self.input.search().is_some();
        match action {
            Action::HelpWhenEmpty if self.input.is_empty() && !searching => self.help = Some(0),
            Action::HelpWhenEmpty => return typed.map_or_else(Vec::new, |symbol| self.press(symbol)),
            Action::ToChat | Action::Cancel if !searching && self.input.escape() => {}
            Action::ToChat | Action::Cancel if !searching && self.back_to_row() => {}
            Action::ToChat | Action::Cancel if !searching && self.leave_places() => {}
            Action::Submit => {
                if searching {
                    self.input.edit(Action::AcceptEnd);
                }
                return self.submit();
            }
            Action::Complete if self.input.is_empty() && !searching => self.cycle(true),
            Action::PreviousPane => self.cycle(false),
            Action::Complete if !searching => return self.complete(false),
            Action::Commands if !searching => return self.complete(true),
            Action::EditLine if !searching => return self.edit_line(),
            Action::ToChat if searching => {
                self.input.edit(Action::Cancel);
            }
            Action::ToChat => self.focus_pane(0),
            Action::Cancel if !searching => {
                if self.shown != 0 || self.zoomed {
                    self.leave_pane();
                }
            }
            Action::ScrollUp => self.scroll_chat(Motion::PageUp),
            Action::ScrollDown => self.scroll_chat(Motion::PageDown),
            action => {
                // What is not shown is not taken either.
                self.input.suggest(self.suggests());
                if !self.input.edit(action) {
                    return self.shared(action);
                }
                self.narrow_popup();
            }
        }
        Vec::new()
    }

    /// A line that was begun by a key on a row is given up: back to the row; false when there is none.
    fn back_to_row(&mut self) -> bool {
        let begun = self.input.begun_on();
        let Some(at) = begun.and_then(|id| self.panels.iter().position(|panel| panel.id() == id)) else {
            return false;
        };
        self.input.give_up();
        self.focus_pane(at + 1);
        true
    }

    /// Going somewhere is given up: nothing of a line that begins with a colon stays, but it can be had back, unless it is
    /// the colon alone; false: it is none.
    fn leave_places(&mut self) -> bool {
        let text = self.input.text();
        let goes = goto::is_one(&text);
        if goes {
            match text.trim() == ":" {
                true => self.input.give_back(),
                false => self.input.put_away(),
            }
            self.popup = None;
        }
        goes
    }

    /// A letter that means nothing where the keys are: whoever types it believes to be in the input line.
    pub(super) fn means_nothing(&mut self, key: Key) {
        if key.typed().is_none() {
            return;
        }
        let told = format!("\"{}\" is no key here, {}", key.label(), self.way_to_line());
        self.tell_until(&told, Tone::Warn, Until::Key);
    }

    /// Who has the keys, and which of them goes to the input line: `keys go to the chat: i types here`.
    pub(in crate::ui::console) fn way_to_line(&self) -> String {
        let (part, place) = match self.focus {
            Focus::Pane(pane) if pane > 0 => {
                let panel = self.panels.get(pane - 1);
                (Part::Panel, panel.map_or_else(Default::default, |panel| panel.name()))
            }
            _ => (Part::Chat, "the chat".into()),
        };
        let key = self.keymap.key_of(part, Action::ToInput);
        let way = key.map_or_else(String::new, |key| format!(": {} types here", key.label()));
        format!("keys go to {place}{way}")
    }

    /// The word that is typed so far, with this letter behind others as fast as one types: by somebody who believes to be
    /// in the line. Going up, down and to the last row is as fast: such letters begin a word only with the name of a bundle.
    fn spelled(&mut self, key: Key) -> Option<String> {
        let now = self.clock.now();
        let moves = |letter: char| {
            let action = self.keymap.action(Part::Panel, Key::letter(letter));
            matches!(action, Some(Action::Up | Action::Down | Action::Last))
        };
        let before = self.word.take().filter(|(_, at)| self.clock.since(*at) < WORD);
        let letter = key.typed().filter(|symbol| symbol.is_alphabetic())?;
        let before = before.map(|(word, _)| word).unwrap_or_default();
        let word = format!("{before}{letter}");
        let spelled = match () {
            () if moves(letter) => None,
            () if !before.is_empty() && self.catalogue.begins_bundle(&word) => Some(word.clone()),
            () => {
                let own = before.rsplit(moves).next().unwrap_or_default();
                (!own.is_empty() && !own.ends_with(letter)).then(|| format!("{own}{letter}"))
            }
        };
        self.word = Some((word, now));
        spelled
    }

    /// A word is typed into a panel: what it spells stands in the line, instead of what a letter of it would run.
    fn typed_into(&mut self, index: usize, word: &str) -> Vec<Effect> {
        let panel = self.panels.get(index).map(|panel| panel.id().to_owned());
        self.input.begin(word, &panel.unwrap_or_default());
        self.leave_pane();
        let told = "what was typed into the panel stands in the line: Esc goes back";
        self.tell_until(told, Tone::Warn, Until::Time);
        Vec::new()
    }

    fn panel_key(&mut self, index: usize, key: Key) -> Vec<Effect> {
        let word = self.spelled(key);
        let keymap = &self.keymap;
        let Some(panel) = self.panels.get_mut(index) else {
            return Vec::new();
        };
        if keymap.rows(panel.id()).any(|row| row.key == key) {
            return self.row_key(index, key);
        }
        let own = panel
            .actions()
            .iter()
            .find(|action| keymap.panel_key(panel.id(), action) == Some(key));
        let meant = match own {
            Some(action) => PanelKey::Act(action.name),
            None => match keymap.action(Part::Panel, key) {
                Some(Action::Up) => PanelKey::Move(Motion::Up),
                Some(Action::Down) => PanelKey::Move(Motion::Down),
                Some(Action::Left) => PanelKey::Move(Motion::Left),
                Some(Action::Right) => PanelKey::Move(Motion::Right),
                Some(Action::PageUp) => PanelKey::Move(Motion::PageUp),
                Some(Action::PageDown) => PanelKey::Move(Motion::PageDown),
                Some(Action::First) => PanelKey::Move(Motion::First),
                Some(Action::Last) => PanelKey::Move(Motion::Last),
                Some(Action::Open) => PanelKey::Open,
                Some(Action::Mark) if !panel.can_mark() => {
                    let told = format!("there is nothing to mark in {}", panel.id());
                    self.tell_until(&told, Tone::Neutral, Until::Key);
                    return Vec::new();
                }
                Some(Action::Mark) => PanelKey::Mark,
                Some(action) => return self.shared(action),
                None => {
                    self.means_nothing(key);
                    return Vec::new();
                }
            },
        };
        let effects = panel.key(meant);
        let runs = effects.iter().any(|effect| matches!(effect, panel::Effect::Run(_)));
        match word.filter(|_| runs) {
            Some(word) => self.typed_into(index, &word),
            None => self.panel_effects(effects),
        }
    }

    /// A pipeline of the keymap file on the selected row, or on the one that is marked: it is written for one.
    pub(super) fn row_key(&mut self, index: usize, key: Key) -> Vec<Effect> {
        let Some(panel) = self.panels.get(index) else {
            return Vec::new();
        };
        let bound = self.keymap.rows(panel.id()).find(|row| row.key == key);
        let rows = match panel.subjects() {
            Ok(rows) => rows,
            Err(reason) => {
                self.tell(reason.as_str(), Tone::Neutral);
                return Vec::new();
            }
        };
        match (bound, rows.as_slice()) {
            (Some(bound), [row])
                if self.context.kubernetes.everywhere && !row.target.scope.is_empty() && !bound.names_namespace() =>
            {
                let told = "this pipeline does not name $namespace: with all of them shown it may mean another object";
                self.tell(told, Tone::Warn);
                Vec::new()
            }
            (Some(bound), [row]) => {
                let effect = panel::Effect::Run(bound.on(&row.target));
                let effect = match &row.context {
                    Some(context) => effect.within(&self.scope(), context),
                    None => effect,
                };
                self.panel_effects(vec![effect])
            }
            (_, []) => {
                self.tell("no row is selected here that has a name to run it on", Tone::Neutral);
                Vec::new()
            }
            (_, several) => {
                let text = format!(
                    "this runs on one row, {} are marked: Esc takes the marks back",
                    several.len()
                );
                self.tell(&text, Tone::Warn);
                Vec::new()
            }
        }
    }

    /// Actions that mean the same in every part.
    pub(super) fn shared(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Help => self.help = Some(0),
            Action::ToInput => self.leave_pane(),
            Action::Back => {
                if !self.end_filter() && !self.return_to_panel() {
                    // Where one pane fills the screen anyway, nobody sees that one is zoomed.
                    match self.zoomed && !self.places.narrow {
                        true => self.zoomed = false,
                        false => self.leave_pane(),
                    }
                }
            }
            Action::Find => self.open_finder(),
            Action::Menu => self.open_menu(),
            Action::CopyCell => self.open_picker(),
            Action::CopyTable => return self.copy_table(false),
            Action::CopyJson => return self.copy_table(true),
            Action::Prompt => {
                self.leave_pane();
                if self.input.is_empty() {
                    self.type_char(':');
                } else {
                    self.input.set(":");
                    let undo = self.keymap.key_of(Part::Input, Action::UndoEdit).map(Key::label);
                    let back = undo.map_or_else(String::new, |key| format!(": {key} brings it back"));
                    self.tell(&format!("what stood in the line is put away{back}"), Tone::Neutral);
                }
                return self.complete(true);
            }
            Action::NextPane => self.cycle(true),
            Action::PreviousPane => self.cycle(false),
            Action::Zoom if self.places.narrow && !self.zoomed => {
                self.tell("one pane fills the screen already", Tone::Neutral);
            }
            Action::Zoom => self.zoomed = !self.zoomed,
            action => {
                if let Some(effects) = self.arrange(action) {
                    return effects;
                }
                if let Some(pane) = action.pane() {
                    self.focus_pane(pane);
                }
            }
        }
        Vec::new()
    }

    /// Input, panels in their order, chat, and around.
    fn cycle(&mut self, forward: bool) {
        let offered = (0..self.panels.len()).filter(|at| self.is_offered(*at));
        let ring: Vec<Focus> = std::iter::once(Focus::Input)
            .chain(offered.map(|at| Focus::Pane(at + 1)))
            .chain([Focus::Pane(0)])
            .collect();
        let at = ring.iter().position(|focus| *focus == self.focus).unwrap_or(0);
        let step = if forward { 1 } else { ring.len() - 1 };
        match ring.get((at + step) % ring.len()) {
            Some(Focus::Pane(pane)) => self.focus_pane(*pane),
            _ => self.leave_pane(),
        }
    }

    pub(super) fn scroll_chat(&mut self, motion: Motion) {
        self.with_look(|chat, look| chat.scroll(motion, look));
    }
}
