//! Blocks that wait for an answer: a plan to approve, a secret to type. Not for what an answer takes: that is `approval`.

use super::{App, Effect, Script};
use crate::ui::console::approval::{Approval, Step};
use crate::ui::console::chat::block::State;
use crate::ui::console::keymap::{Action, Key, Part};
use crate::ui::console::toast::Until;
use crate::ui::panel::Tone;
use crate::verb::Decision;

/// What a block waits for.
pub(super) struct Question {
    pub id: u64,
    pub block: u64,
    pub approval: Approval,
}

impl App {
    /// A block waits for an answer. The bare view, which shows no questions, ends.
    pub(super) fn question(&mut self, question: Question) -> Vec<Effect> {
        let what = match question.approval.is_secret() {
            true => "a secret is asked for: finish or clear the line to give it",
            false => "a plan waits for approval: finish or clear the line to answer it",
        };
        self.chat
            .change(question.block, |known| known.become_state(State::Asking));
        self.questions.push_back(question);
        match self.approval().is_some() {
            // Its box has the keys: no other leads to the chat now.
            true => self.toasts.has_come(&Until::Shown("chat".to_owned())),
            false => self.toasts.add(what.into(), Tone::Waiting, self.clock.now()),
        }
        match std::mem::take(&mut self.bare) {
            true => vec![Effect::Mouse(self.mouse)],
            false => Vec::new(),
        }
    }

    /// What a block asks goes away with it. Whoever waits all the same, a job of a line that it ran, is told.
    pub(super) fn decline_for(&mut self, block: u64) -> Vec<Effect> {
        let open = std::mem::take(&mut self.questions).into_iter();
        let (gone, left): (Vec<Question>, Vec<Question>) = open.partition(|question| question.block == block);
        self.questions = left.into();
        let declined = || Decision::Declined("the line that asked has ended".to_owned());
        gone.iter()
            .map(|question| Effect::Answer(question.id, declined()))
            .collect()
    }

    /// The approval that has the keys: the oldest, unless something is being typed that it must not swallow.
    pub(in crate::ui::console) fn approval(&self) -> Option<&Approval> {
        let something_else = self.help.is_some()
            || self.finder.is_some()
            || self.overlay.is_some()
            || self.popup.is_some()
            || self.input.search().is_some()
            || self.script.as_ref().is_some_and(Script::is_typing);
        self.questions
            .front()
            .filter(|question| self.input.is_empty() && !something_else && self.aside != Some(question.id))
            .map(|question| &question.approval)
    }

    /// A key while one has the keys. Those that turn the pages of the input line turn those of the plan.
    pub(super) fn approval_key(&mut self, key: Key) -> Vec<Effect> {
        let global = self.keymap.own(Part::Global, key);
        if self.looks_away(key) {
            return Vec::new();
        }
        if global == Some(Action::Present) {
            let [confirm, decline] = self.keys_of_approval();
            let told = format!("the plan is answered first: {confirm} confirms, {decline} declines");
            self.tell_until(&told, Tone::Warn, Until::Key);
            return Vec::new();
        }
        let step = match (global, self.keymap.own(Part::Input, key).or(global), key.typed()) {
            (Some(Action::Interrupt), ..) | (_, Some(Action::Cancel | Action::ToChat), _) => Step::Decline,
            (_, Some(Action::Submit), _) => Step::Confirm,
            (_, Some(Action::DeleteLeft), _) => Step::Erase,
            (_, Some(Action::ScrollUp), _) => Step::Turn(false),
            (_, Some(Action::ScrollDown), _) => Step::Turn(true),
            (.., Some(symbol)) => Step::Type(symbol),
            _ => return Vec::new(),
        };
        let now = self.clock.now();
        let Some(question) = self.questions.front_mut() else {
            return Vec::new();
        };
        let Some(decision) = question.approval.step(step, now) else {
            return Vec::new();
        };
        let (id, block) = (question.id, question.block);
        self.questions.pop_front();
        // Declined as well: what else the line holds goes on, and the first ^C must not kill it.
        self.chat.change(block, |known| known.become_state(State::Running));
        vec![Effect::Answer(id, decision)]
    }

    /// Keys that answer nothing: to another pane, which then has the keys, and to the help. None of them is a character of
    /// what may have to be typed.
    fn looks_away(&mut self, key: Key) -> bool {
        let Some((id, wants_text)) = self
            .questions
            .front()
            .map(|question| (question.id, question.approval.wants_text()))
        else {
            return false;
        };
        let global = self.keymap.own(Part::Global, key);
        if let Some(pane) = global.and_then(Action::pane) {
            self.focus_pane(pane);
            self.aside = Some(id);
            let told = format!("a plan waits: {}", self.way_to_line());
            self.tell_until(&told, Tone::Waiting, Until::Shown("input".to_owned()));
            return true;
        }
        let help = match self.keymap.own(Part::Input, key).or(global) {
            Some(Action::Help) => true,
            Some(Action::HelpWhenEmpty) => !wants_text,
            _ => false,
        };
        if help {
            self.help = Some(0);
        }
        help
    }

    /// The question that was looked away from has the keys again. It is seen anew: an Enter that comes at once is not
    /// meant for it.
    pub(super) fn ask_again(&mut self) {
        let was_aside = self.aside.take().is_some();
        if was_aside {
            self.toasts.has_come(&Until::Shown("input".to_owned()));
        }
        let now = self.clock.now();
        if let Some(question) = self.questions.front_mut() {
            question.approval.shown_again(now);
        }
    }

    /// The keys that confirm and decline.
    pub(in crate::ui::console) fn keys_of_approval(&self) -> [String; 2] {
        let of = |actions: &[Action]| {
            actions
                .iter()
                .find_map(|action| self.keymap.key_of(Part::Input, *action))
        };
        let confirm = of(&[Action::Submit]);
        let decline = of(&[Action::Cancel, Action::ToChat, Action::Interrupt]);
        [confirm, decline].map(|key| key.map_or_else(|| "no key".to_owned(), |key| key.label()))
    }

    /// The wheel over a plan.
    pub(super) fn turn_approval(&mut self, forward: bool) {
        let now = self.clock.now();
        if let Some(question) = self.questions.front_mut() {
            question.approval.step(Step::Turn(forward), now);
        }
    }

    /// So many lines of the plan that has the keys are shown at once.
    pub(in crate::ui::console) fn approval_shows(&mut self, all: usize, room: usize) {
        if let Some(question) = self.questions.front_mut() {
            question.approval.shows(all, room);
        }
    }

    /// How many approvals wait.
    pub(in crate::ui::console) fn waiting(&self) -> usize {
        self.questions.len()
    }
}
