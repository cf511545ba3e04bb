//! Ctrl-C and Ctrl-D: from the word that is typed, from what runs, and from the console. Not for what becomes of jobs when
//! it is left.

use super::{App, Effect, Focus};
use crate::ui::console::keymap::Action;
use crate::ui::console::toast::Until;
use crate::ui::panel::Tone;

impl App {
    /// Ctrl-C: ends a search, the popup; puts the line away that is being typed, as in a shell, since that can be had
    /// back and what runs can not; then stops the foreground block; twice on an idle, empty line quits.
    pub(super) fn interrupt(&mut self, armed: bool) -> Vec<Effect> {
        if self.input.search().is_some() || self.popup.is_some() {
            self.popup = None;
            self.input.edit(Action::Cancel);
            return Vec::new();
        }
        let runs = self.chat.foreground().is_some();
        if runs && self.focus == Focus::Input && !self.input.is_empty() {
            self.input.put_away();
            self.line_was_cleared();
            self.tell_until(
                "the line is put away: ^C again stops what runs",
                Tone::Neutral,
                Until::Key,
            );
            return Vec::new();
        }
        if let Some(block) = self.chat.foreground() {
            return self.stop(block.id, block.state);
        }
        if !self.input.is_empty() {
            self.input.put_away();
            self.line_was_cleared();
            return Vec::new();
        }
        if self.chat.is_busy() {
            let jobs = self.chat.blocks().filter(|block| block.state.is_live());
            let told = match jobs.filter_map(|block| block.number).collect::<Vec<_>>().as_slice() {
                [only] => format!("job {only} runs in the background: stop {only} ends it"),
                _ => "jobs run in the background: stop N ends one".to_owned(),
            };
            self.tell(&told, Tone::Neutral);
            return Vec::new();
        }
        if armed {
            return vec![Effect::Quit(0)];
        }
        self.quit_armed = Some(self.clock.now());
        // What another key does next takes it back.
        self.tell_until("^C again quits", Tone::Neutral, Until::Key);
        Vec::new()
    }

    /// `:quit`: as Ctrl-D on an empty line.
    pub(super) fn quit(&mut self) -> Vec<Effect> {
        self.end_of_input()
    }

    /// Ctrl-D on an empty line: quits when nothing runs, else asks what is to become of it.
    pub(super) fn end_of_input(&mut self) -> Vec<Effect> {
        if !self.input.is_empty() {
            if self.focus != Focus::Input {
                // What stands there is seen before it is lost.
                self.leave_pane();
                return Vec::new();
            }
            self.input.edit(Action::DeleteRight);
            self.narrow_popup();
            return Vec::new();
        }
        match self.chat.is_busy() {
            true => self.ask_before_leaving(),
            false => return vec![Effect::Quit(0)],
        }
        Vec::new()
    }
}
