//! Blocks in the app: started, filled, ended, followed by the panels; and what panels want run.

use std::collections::BTreeSet;

use super::chat::{PIN, mentioned};
use super::{App, Effect, Focus};
use crate::core::change::{Origin, Risk};
use crate::core::text::SafeText;
use crate::engine::Partial;
use crate::lang::{Stage, parse, print};
use crate::ui::console::chat::block::{Fold, State};
use crate::ui::console::complete::verb_of;
use crate::ui::console::keymap::{Action, Key, Part};
use crate::ui::console::ports::BlockEvent;
use crate::ui::console::toast::Until;
use crate::ui::panel::{self, Tone};
use crate::verb::Verb;

impl App {
    pub(super) fn block_event(&mut self, block: u64, event: BlockEvent) -> Vec<Effect> {
        let mut wanted = Vec::new();
        match event {
            BlockEvent::Item(item) => {
                if let Some(known) = self.chat.block(block)
                    && let Some(number) = known.number
                {
                    self.samples.add(number, &known.line, &item.record);
                }
                self.chat.change(block, |known| known.push(&item));
            }
            BlockEvent::Preview(rows) => self.chat.change(block, |known| known.preview(&rows)),
            BlockEvent::Failed(report) => self.chat.change(block, |known| known.error(&report)),
            BlockEvent::Note(text) => self.chat.change(block, |known| known.note(&text)),
            BlockEvent::Progress(text) => self.chat.change(block, |known| {
                known.progress = Some(SafeText::line(text.as_str()));
            }),
            BlockEvent::Ended(ended) => {
                wanted = self.decline_for(block);
                self.chat.change(block, |known| known.end(&ended));
                if let Some(known) = self.chat.block(block) {
                    self.input.history.ended(&known.line, ended.exit_code == 0);
                    self.samples.ended(&known.line);
                    if known.page {
                        self.chat.read_from_top(block);
                    }
                }
                self.chat.trim();
                self.something_ended();
            }
            // One block shows all pipelines of its line; jobs get a block of their own through `adopt`.
            BlockEvent::Pipeline(_) | BlockEvent::Job(_) => {}
        }
        wanted
    }

    /// A line is shown and kept like this from now on: secrets masked.
    pub(super) fn shown_as(&mut self, block: u64, line: String) {
        if let Some(typed) = self.chat.block(block).map(|known| known.line.as_str()) {
            self.input.history.replace(typed, &line);
        }
        self.chat.change(block, |known| known.line = line);
    }

    /// A block for a job that a line started; its id.
    pub fn adopt(&mut self, number: u64, line: String) -> u64 {
        let id = self.chat.open(line, self.context.clone(), self.clock.now());
        self.chat.change(id, |block| {
            block.number = Some(number);
            block.background = true;
            block.fold = Fold::Auto;
            block.become_state(State::Running);
        });
        id
    }

    /// A block whose line was one job and nothing else is that job from now on.
    pub fn turn(&mut self, block: u64, number: u64) {
        self.chat.change(block, |block| {
            block.number = Some(number);
            block.background = true;
            if block.state == State::Starting {
                block.become_state(State::Running);
            }
        });
        self.touch();
    }

    /// Runs a line as a new block.
    pub(super) fn run(&mut self, line: String, origin: Origin) -> Effect {
        self.shown = 0;
        let block = self.chat.open(line.clone(), self.context.clone(), self.clock.now());
        let (reads, page, follows) = (self.only_reads(&line), self.is_page(&line), self.follows(&line));
        self.chat.change(block, |block| {
            (block.reads, block.page, block.follows) = (reads, page && !follows, follows);
        });
        Effect::Start { block, line, origin }
    }

    /// Whether every verb of a line changes nothing.
    fn only_reads(&self, line: &str) -> bool {
        let parsed = parse(line);
        let mut stages = parsed
            .iter()
            .flat_map(|line| &line.items)
            .flat_map(|item| &item.pipeline.stages);
        let reads =
            |stage| verb_of(&self.catalogue, stage).is_some_and(|(verb, _)| verb.declaration.risk == Risk::Read);
        parsed.is_ok() && stages.all(reads)
    }

    /// Whether the answer of a line is a page: that of its last verb is.
    fn is_page(&self, line: &str) -> bool {
        let parsed = parse(line).ok();
        let stage = parsed
            .as_ref()
            .and_then(|line| line.items.last()?.pipeline.stages.last());
        let is_page = |stage: &Stage| {
            let (verb, words) = verb_of(&self.catalogue, stage)?;
            let given = Partial::of(&verb.declaration, stage.words.get(words..)?);
            Some(verb.declaration.is_page(&given.options))
        };
        stage.and_then(is_page).unwrap_or_default()
    }

    /// Whether a stage of a line goes on until it is stopped, in the chat and not in a panel.
    fn follows(&self, line: &str) -> bool {
        let parsed = parse(line).ok();
        let mut stages = parsed
            .iter()
            .flat_map(|line| &line.items)
            .flat_map(|item| &item.pipeline.stages)
            .filter_map(|stage| Some((stage, verb_of(&self.catalogue, stage)?)));
        let mut pinned = stages.clone();
        let follows = |(stage, (verb, words)): (&Stage, (&Verb, usize))| {
            let declaration = &verb.declaration;
            let mentioned = mentioned(declaration, stage.words.get(words..).unwrap_or_default());
            declaration.follows(|name| mentioned.contains(name))
        };
        stages.any(follows) && !pinned.any(|(_, (verb, _))| verb.declaration.name == PIN)
    }

    /// Where the panel hides the chat: what only reads is shown at once, and going back from it comes back to the panel.
    /// What changes something is seen in the panel: of that it is said where the answer is.
    fn show_answer(&mut self) {
        if self.shown == 0 || self.places.tabs.is_empty() {
            return;
        }
        if self.chat.blocks().next_back().is_some_and(|block| block.reads) {
            self.lead_to(0);
            return;
        }
        let key = self.keymap.key_of(Part::Global, Action::Pane1).map(Key::label);
        let key = key.map_or_else(|| ":chat".to_owned(), |key| format!("{key} or :chat"));
        let told = format!("it runs in the chat: {key} shows it");
        self.tell_until(&told, Tone::Neutral, Until::Shown("chat".to_owned()));
    }

    /// Why lines that rows of several contexts or namespaces ask for are not run: as with `@a,b` a change is made in one at
    /// a time, so that one plan shows all of it.
    fn changes_in_several(&self, effects: &[panel::Effect]) -> Option<String> {
        let lines = || {
            effects.iter().filter_map(|effect| match effect {
                panel::Effect::Run(pipeline) | panel::Effect::Compose(pipeline) => Some(pipeline),
                _ => None,
            })
        };
        let places: BTreeSet<String> = lines()
            .map(|line| line.context().unwrap_or_else(|| self.context.name.clone()))
            .collect();
        let mut texts = lines().map(print);
        if lines().count() < 2 || texts.all(|line| self.only_reads(&line)) {
            return None;
        }
        if places.len() < 2 {
            let text =
                "the marked rows are of several namespaces, and this may change something: one namespace at a time";
            return Some(text.to_owned());
        }
        let names: Vec<String> = places.into_iter().collect();
        Some(format!(
            "the marked rows are of {} contexts ({}), and this may change something: one context at a time for changes",
            names.len(),
            names.join(", ")
        ))
    }

    /// What a panel wants done.
    pub(super) fn panel_effects(&mut self, effects: Vec<panel::Effect>) -> Vec<Effect> {
        if let Some(refused) = self.changes_in_several(&effects) {
            self.tell(&refused, Tone::Warn);
            return Vec::new();
        }
        let mut wanted = Vec::new();
        for effect in effects {
            match effect {
                panel::Effect::Run(pipeline) => {
                    let line = print(&pipeline);
                    self.input.history.add(&line, &self.context.name);
                    let shown = self.shown;
                    wanted.push(self.run(line, Origin::Key));
                    self.shown = shown;
                    self.show_answer();
                }
                panel::Effect::Compose(pipeline) => {
                    let line = to_go_on(&print(&pipeline));
                    let panel = match self.focus {
                        Focus::Pane(pane) => pane.checked_sub(1).and_then(|at| self.panels.get(at)),
                        Focus::Input => None,
                    };
                    match panel.map(|panel| panel.id().to_owned()) {
                        Some(panel) => self.input.begin(&line, &panel),
                        None => self.input.set(&line),
                    }
                    self.leave_pane();
                }
                panel::Effect::Copy(text) => wanted.push(copied(text.as_str())),
                panel::Effect::Show { panel, subject } => {
                    if let Some(at) = self.panels.iter().position(|known| known.id() == panel) {
                        // Opened first: a closed panel does not know its contexts.
                        self.lead_to(at + 1);
                        if let Some(panel) = self.panels.get_mut(at) {
                            panel.show(&subject);
                        }
                    }
                }
                panel::Effect::Hold { panel, subject } => {
                    let panel = self.panels.iter_mut().find(|known| known.id() == panel);
                    if let Some(told) = panel.and_then(|panel| panel.hold(&subject)) {
                        self.toasts.add(told, Tone::Ok, self.clock.now());
                    }
                }
                panel::Effect::Unpin(id) => wanted.extend(self.unpin(&id)),
                panel::Effect::Toast(text) => self.toasts.add(text, Tone::Neutral, self.clock.now()),
            }
        }
        wanted
    }
}

/// Puts a short text onto the clipboard, and shows what it is.
pub(super) fn copied(text: &str) -> Effect {
    let told = format!("copied: {}", SafeText::line(text).fit(30));
    Effect::Copy(text.to_owned(), told)
}

/// A line to be gone on with: at its last value, which is there to be changed, or behind a blank with the next word.
pub(super) fn to_go_on(line: &str) -> String {
    let last = line.rsplit(' ').next().unwrap_or_default();
    match last.contains('=') || last.ends_with('/') {
        true => line.to_owned(),
        false => format!("{line} "),
    }
}
