//! The input line in the app: sending, completing, pasting.

use super::{App, Effect, Focus, Offer, goto, window};
use crate::core::change::Origin;
use crate::core::text::SafeText;
use crate::engine::secret_places;
use crate::lang::{MAX_LINE, clean_paste, is_repeat, read};
use crate::ui::console::approval::{Approval, Step};
use crate::ui::console::complete::{self, Gathered, common_beginning, gather};
use crate::ui::console::input::{TooLong, vi};
use crate::ui::console::popup::Popup;
use crate::ui::console::toast::Until;
use crate::ui::panel::Tone;

impl App {
    /// Enter: runs the line, or goes on when it is plainly not finished.
    pub(super) fn submit(&mut self) -> Vec<Effect> {
        self.popup = None;
        let text = self.input.text();
        if text.trim().is_empty() {
            self.input.take();
            return self.accept_offer();
        }
        if self.goes_on(&text) {
            self.input.edit(crate::ui::console::keymap::Action::NewLine);
            return Vec::new();
        }
        let by_hand = self.input.is_by_hand();
        self.input.take();
        self.line_was_sent(&text);
        self.forget_cut_secrets();
        if window::is_one(&text) {
            return self.change_window(text.trim(), by_hand);
        }
        if goto::is_one(text.trim()) {
            return self.go_to(text.trim());
        }
        let line = match is_repeat(&text) {
            true => self.input.history.last().map(str::to_owned).unwrap_or(text),
            false => text.trim_end().to_owned(),
        };
        self.input.history.add(&line, &self.context.name);
        vec![self.run(line, Origin::Typed)]
    }

    /// What was cut can be inserted into the next line: not where the history would not keep it either.
    fn forget_cut_secrets(&mut self) {
        let catalogue = self.catalogue.clone();
        if self.input.forget_secrets(|line| secret_places(&catalogue, line)) {
            let told = "what was cut out of the line held a secret, and is not kept";
            self.tell_until(told, Tone::Neutral, Until::Key);
        }
    }

    /// More typing can mend it, and the last Enter did not just say that nothing more comes.
    fn goes_on(&self, text: &str) -> bool {
        let last_is_blank = text.rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
        !last_is_blank && self.input.at_end() && read(text).is_err_and(|error| error.incomplete)
    }

    fn accept_offer(&mut self) -> Vec<Effect> {
        if self.offer != Offer::Yes {
            return Vec::new();
        }
        self.offer = Offer::Starting;
        self.tell_until("the sandbox starts…", Tone::Progress, Until::Started);
        vec![Effect::StartSandbox]
    }

    /// Pasted text is inserted and never runs, whatever it holds.
    pub(super) fn paste(&mut self, text: &str) {
        let now = self.clock.now();
        if self.approval().is_some_and(Approval::is_secret) {
            // A token is copied from elsewhere. A line break at its end is not part of it, and never sends it.
            let symbols = text.trim_end_matches(['\n', '\r']).chars();
            if let Some(question) = self.questions.front_mut() {
                symbols.for_each(|symbol| drop(question.approval.step(Step::Type(symbol), now)));
            }
            return;
        }
        if self.approval().is_some() {
            self.tell("an approval is typed, not pasted", Tone::Warn);
            return;
        }
        let clean = clean_paste(text);
        if let Some(finder) = &mut self.finder {
            finder.text.push_str(clean.lines().next().unwrap_or_default());
            self.look();
            return;
        }
        // As any other key: what lies over the line must not hide what came into it.
        self.overlay = None;
        self.help = None;
        self.leave_pane();
        if self.input.paste(clean.trim_end_matches('\n')) == Err(TooLong) {
            self.tell(
                &format!("{} bytes are more than a line takes; nothing was pasted", text.len()),
                Tone::Bad,
            );
        }
        self.popup = None;
    }

    /// Has the line edited in the operator's editor.
    pub(super) fn edit_line(&mut self) -> Vec<Effect> {
        self.popup = None;
        vec![Effect::EditLine(self.input.text())]
    }

    /// The line came back from the editor: it is there to be run, and does not run by itself.
    pub(super) fn edited(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.trim_end_matches('\n');
        if text.len() > MAX_LINE {
            let told = format!("{} bytes are more than a line takes; it stays as it was", text.len());
            self.tell(&told, Tone::Bad);
            return;
        }
        self.leave_pane();
        self.input.set(text);
        self.input.type_again();
    }

    /// A character from the keyboard: typed, or a command of vi's normal mode.
    pub(super) fn press(&mut self, symbol: char) -> Vec<Effect> {
        match self.input.command(symbol) {
            None => self.type_char(symbol),
            Some(vi::Step::Find) => {
                self.focus_pane(0);
                self.open_finder();
            }
            Some(vi::Step::Edit) => return self.edit_line(),
            Some(_) => self.popup = None,
        }
        Vec::new()
    }

    pub(super) fn type_char(&mut self, symbol: char) {
        if self.input.type_char(symbol) == Err(TooLong) {
            self.tell("the line is full", Tone::Bad);
        }
        self.narrow_popup();
    }

    pub(super) fn gathered(&self) -> Option<Gathered> {
        let text = self.input.text();
        if goto::is_one(&text) {
            return self.places(&text, self.input.cursor());
        }
        gather(
            &self.catalogue,
            &self.contexts,
            &self.context,
            &self.samples,
            &self.input.text(),
            self.input.cursor(),
        )
    }

    /// Tab: completes as far as it is certain, otherwise shows what fits.
    pub(super) fn complete(&mut self, all: bool) -> Vec<Effect> {
        let Some(gathered) = self.gathered() else {
            self.tell_of_line("nothing to complete here");
            return Vec::new();
        };
        // Among places the cluster's kinds are for the menu: a name is completed from what is known here.
        let live = gathered.live.clone().filter(|_| all || !self.names_place());
        let effect = live.map(|live| {
            self.next_question += 1;
            Effect::Complete(self.next_question, live)
        });
        self.popup = Some(Popup::new(&gathered, effect.as_ref().map(|_| self.next_question)));
        if effect.is_none() && !all {
            self.settle_popup(&gathered);
        }
        effect.into_iter().collect()
    }

    /// One offer is taken at once; several are taken as far as they agree.
    pub(super) fn settle_popup(&mut self, gathered: &Gathered) {
        let Some(popup) = &self.popup else { return };
        match popup.offers() {
            [] if popup.tells_why() => {}
            [] => {
                self.popup = None;
                let wanted = gathered.wanted.as_deref().filter(|_| gathered.prefix.is_empty());
                self.tell_of_line(wanted.unwrap_or("nothing fits here"));
            }
            // What is not all there is decides nothing.
            _ if !popup.is_whole() => {}
            [one] => {
                let one = one.clone();
                self.take_offer(&one);
            }
            several => {
                if let Some(common) = common_beginning(several, &gathered.prefix) {
                    self.input.replace(gathered.span.start..gathered.span.end, &common);
                    self.narrow_popup();
                }
            }
        }
    }

    /// Enter or Tab on a candidate.
    pub(super) fn take_offer(&mut self, offer: &complete::Offer) {
        if let Some(gathered) = self.gathered() {
            let blank = if offer.complete { " " } else { "" };
            self.input.replace(
                gathered.span.start..gathered.span.end,
                &format!("{}{blank}", offer.insert),
            );
        }
        self.popup = None;
    }

    /// The text changed under the popup.
    pub(super) fn narrow_popup(&mut self) {
        let Some(start) = self.popup.as_ref().map(|popup| popup.start) else {
            return;
        };
        let names_place = self.names_place();
        match self.gathered().filter(|gathered| gathered.span.start == start) {
            Some(gathered) => {
                if let Some(popup) = &mut self.popup {
                    popup.narrow(&gathered.prefix);
                    // Where one can go says itself that nothing fits.
                    let asks = popup.pending.is_some() || popup.wants_more(&gathered.prefix);
                    if popup.offers().is_empty() && !asks && !popup.tells_why() && !names_place {
                        self.popup = None;
                    }
                }
            }
            None => self.popup = None,
        }
    }

    /// The word has become one that the completer was not asked for, or of which it did not tell all: it is asked anew.
    pub(super) fn complete_anew(&mut self) -> Vec<Effect> {
        let Some(popup) = &self.popup else { return Vec::new() };
        let gathered = self.gathered().filter(|gathered| popup.wants_more(&gathered.prefix));
        let Some((prefix, live)) = gathered.and_then(|gathered| Some((gathered.prefix, gathered.live?))) else {
            return Vec::new();
        };
        self.next_question += 1;
        let question = self.next_question;
        if let Some(popup) = &mut self.popup {
            popup.ask(question, &prefix);
        }
        vec![Effect::Complete(question, live)]
    }

    /// A remark about the line being typed: it is over with the next key.
    fn tell_of_line(&mut self, text: &str) {
        self.tell_until(text, Tone::Neutral, Until::Key);
    }

    /// As [`App::tell`], of something that may be untrue before its time is over.
    pub(super) fn tell_until(&mut self, text: &str, tone: Tone, until: Until) {
        self.toasts
            .add_until(SafeText::line(text), tone, until, self.clock.now());
    }

    /// What has been said of the way to the shown pane is over.
    pub(super) fn has_got_there(&mut self) {
        let id = match self.shown.checked_sub(1) {
            None => Some("chat"),
            Some(at) => self.panels.get(at).map(|panel| panel.id()),
        };
        if let Some(id) = id.map(str::to_owned) {
            self.toasts.has_come(&Until::Shown(id));
        }
    }

    pub(super) fn tell(&mut self, text: &str, tone: Tone) {
        self.toasts.add(SafeText::line(text), tone, self.clock.now());
    }

    /// The keys go to the input line again.
    pub(super) fn leave_pane(&mut self) {
        self.came_from.clear();
        self.rerun_armed = None;
        self.word = None;
        self.chat.focus(false);
        self.ask_again();
        if self.focus != Focus::Input {
            // Whoever comes from a pane comes to type, whatever vi's mode was.
            self.input.type_again();
        }
        self.focus = Focus::Input;
        self.zoomed = false;
        self.shown = 0;
        self.has_got_there();
        self.subscribe_offered();
    }

    pub(super) fn focus_pane(&mut self, pane: usize) {
        if pane > self.panels.len() {
            return;
        }
        self.popup = None;
        self.came_from.clear();
        self.rerun_armed = None;
        self.word = None;
        self.focus = Focus::Pane(pane);
        self.shown = pane;
        self.has_got_there();
        self.chat.focus(pane == 0);
        self.subscribe_offered();
    }

    /// As [`App::focus_pane`], for the key of a panel that leads there: going back comes back to that panel.
    pub(super) fn lead_to(&mut self, pane: usize) {
        let panel = self.shown.checked_sub(1).and_then(|at| self.panels.get(at));
        let from = panel.map(|panel| (panel.id().to_owned(), self.zoomed));
        let mut way = std::mem::take(&mut self.came_from);
        way.extend(from);
        // Who comes to where he was before is back there.
        let there = pane.checked_sub(1).and_then(|at| self.panels.get(at));
        let known = there.and_then(|there| way.iter().position(|(id, _)| id == there.id()));
        way.truncate(known.unwrap_or(way.len()));
        self.focus_pane(pane);
        self.came_from = way;
    }

    /// The name of the panel that [`App::return_to_panel`] goes to.
    pub(in crate::ui::console) fn came_from(&self) -> Option<SafeText> {
        let (id, _) = self.came_from.last()?;
        let panel = self.panels.iter().find(|panel| panel.id() == id)?;
        Some(panel.name())
    }

    /// Back to the panel whose key led here; false: no key did.
    pub(super) fn return_to_panel(&mut self) -> bool {
        let mut way = std::mem::take(&mut self.came_from);
        let Some((id, zoomed)) = way.pop() else {
            return false;
        };
        let at = self.panels.iter().position(|panel| panel.id() == id);
        if let Some(at) = at {
            self.focus_pane(at + 1);
            self.zoomed = zoomed;
            self.came_from = way;
        }
        at.is_some()
    }
}
