//! Blocks that wait for an answer: a plan to approve, a secret to type. Not for what an answer takes: that is `approval`.

use super::{App, Effect, Script};
use crate::ui::console::approval::Approval;
use crate::ui::console::chat::block::State;
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
            .filter(|_| self.input.is_empty() && !something_else)
            .map(|question| &question.approval)
    }

    /// How many approvals wait.
    pub(in crate::ui::console) fn waiting(&self) -> usize {
        self.questions.len()
    }
}
