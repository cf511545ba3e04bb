//! What a key does to a block of the chat: open, copy, page, save, go on with it, run it again, make it live. Not for
//! moving about in the scrollback, which is the chat's own.

use super::{App, Effect};
use crate::core::change::Origin;
use crate::core::context::Context;
use crate::lang::ast::Word;
use crate::lang::{Pipeline, Stage, parse, print};
use crate::ui::console::chat::block::{Block, State};
use crate::ui::console::complete::verb_of;
use crate::ui::console::keymap::{Action, Key, Part};
use crate::ui::panel::{Motion, Tone};
use crate::verb::declaration::OptionSpec;

impl App {
    pub(super) fn chat_key(&mut self, key: Key) -> Vec<Effect> {
        let Some(action) = self.keymap.action(Part::Chat, key) else {
            return Vec::new();
        };
        self.chat_action(action)
    }

    /// What an action does to the selected block.
    pub(super) fn chat_action(&mut self, action: Action) -> Vec<Effect> {
        let armed = self.rerun_armed.take();
        let selected = self
            .chat
            .selected()
            .map(|block| (block.id, block.line.clone(), block.state));
        match (action, selected) {
            (Action::Up, _) => self.chat.select(Motion::Up),
            (Action::Down, _) => self.chat.select(Motion::Down),
            (Action::First, _) => self.chat.select(Motion::First),
            (Action::Last, _) => self.chat.select(Motion::Last),
            (Action::PageUp, _) => self.scroll_chat(Motion::PageUp),
            (Action::PageDown, _) => self.scroll_chat(Motion::PageDown),
            (Action::Open, _) => self.chat.toggle(self.chat_width),
            (Action::Copy, Some((id, ..))) => {
                let text = self.chat.block(id).map(Block::text).unwrap_or_default();
                let told = format!("{} bytes copied", text.len());
                return vec![Effect::Copy(text, told)];
            }
            (Action::CopyJson | Action::Save | Action::FilterBlock, Some((id, ..))) => {
                return self.with_records(action, id);
            }
            (Action::Page, Some((id, ..))) => {
                let text = self.chat.block(id).map(Block::text).unwrap_or_default();
                return vec![Effect::Page(text)];
            }
            (Action::Live, Some((id, line, _))) if !line.is_empty() => {
                return self.make_live(id, &line, armed == Some(id));
            }
            (Action::CopyLine, Some((_, line, _))) if !line.is_empty() => {
                return vec![Effect::Copy(line, "the line is copied".to_owned())];
            }
            (Action::Rerun, Some((id, line, _))) if !line.is_empty() => return self.rerun(id, line, armed == Some(id)),
            (Action::FindNext, _) => self.with_look(|chat, look| chat.find_next(true, look)),
            (Action::FindPrevious, _) => self.with_look(|chat, look| chat.find_next(false, look)),
            (Action::Edit, Some((_, line, _))) if !line.is_empty() => {
                self.input.set(&line);
                self.leave_pane();
            }
            (Action::Stop, Some((id, _, state))) if state.is_live() => {
                self.chat.change(id, |block| block.become_state(State::Stopping));
                return vec![Effect::Cancel(id)];
            }
            (action, _) => return self.shared(action),
        }
        Vec::new()
    }

    /// Runs a block's line again; asks first when it would now run somewhere else.
    fn rerun(&mut self, id: u64, line: String, armed: bool) -> Vec<Effect> {
        let ran_in = self.chat.block(id).map(|block| block.context.clone());
        if let Some((ran_in, now_in)) = ran_in.and_then(|then| moved(&then, &self.context))
            && !armed
        {
            self.rerun_armed = Some(id);
            self.tell(
                &format!("it ran in {ran_in}, and this is {now_in}: the same key again runs it here"),
                Tone::Warn,
            );
            return Vec::new();
        }
        self.input.history.add(&line, &self.context.name);
        vec![self.run(line, Origin::Key)]
    }

    /// What needs the records of a block, which the engine keeps by its number.
    fn with_records(&mut self, action: Action, id: u64) -> Vec<Effect> {
        let block = self.chat.block(id);
        let known = block.filter(|block| block.records > 0).and_then(|block| block.number);
        let Some(number) = known else {
            self.tell("this block has no records", Tone::Neutral);
            return Vec::new();
        };
        // The records by reference: no data is ever formatted into a line.
        let again = format!("seed ${number}");
        match action {
            Action::CopyJson => return vec![Effect::CopyRecords(number)],
            Action::Save => self.input.set(&format!("{again} > file:")),
            _ => self.input.set(&format!("{again} | ")),
        }
        self.leave_pane();
        Vec::new()
    }

    /// Runs a block's line again so that it follows every change, where its verb can.
    fn make_live(&mut self, id: u64, line: &str, armed: bool) -> Vec<Effect> {
        match following(line, |stage| {
            let (verb, _) = verb_of(&self.catalogue, stage)?;
            verb.declaration.signature.following().next().cloned()
        }) {
            Some(line) => self.rerun(id, line, armed),
            None => {
                let key = self.keymap.key_of(Part::Chat, Action::Rerun).map(Key::label);
                let again = key.map_or_else(String::new, |key| format!(": {key} runs it again"));
                self.tell(&format!("nothing here can be followed{again}"), Tone::Neutral);
                Vec::new()
            }
        }
    }

    /// The whole scrollback onto the terminal's own screen, where it is still there when the console is left.
    pub(super) fn transcript(&mut self) -> Vec<Effect> {
        let text: String = self.chat.blocks().map(Block::transcript).collect();
        self.tell("the transcript is on the terminal's own screen", Tone::Ok);
        vec![Effect::Transcript(text)]
    }

    /// Shows nothing but text, and gives the mouse to the terminal.
    pub(super) fn enter_bare(&mut self) -> Vec<Effect> {
        self.bare = true;
        self.popup = None;
        vec![Effect::Mouse(false)]
    }

    /// A key in the bare view: moves in the text, or ends the view.
    pub(super) fn bare_key(&mut self, key: Key) -> Vec<Effect> {
        let motion = match self.keymap.action(Part::Chat, key) {
            Some(Action::Up) => Motion::Up,
            Some(Action::Down) => Motion::Down,
            Some(Action::PageUp) => Motion::PageUp,
            Some(Action::PageDown) => Motion::PageDown,
            Some(Action::First) => Motion::First,
            Some(Action::Last) => Motion::Last,
            _ => {
                self.bare = false;
                return vec![Effect::Mouse(self.mouse)];
            }
        };
        match self.bare_pane().checked_sub(1).and_then(|at| self.panels.get_mut(at)) {
            Some(panel) => {
                panel.key(crate::ui::panel::PanelKey::Move(motion));
            }
            None => self.scroll_chat(motion),
        }
        Vec::new()
    }

    /// The pane that the bare view shows.
    pub(in crate::ui::console) fn bare_pane(&self) -> usize {
        match self.focus {
            super::Focus::Pane(pane) => pane,
            super::Focus::Input => 0,
        }
    }
}

/// The line with a flag of the first stage that has one for following; none: no stage has, or it is given already.
fn following(line: &str, flag_of: impl Fn(&Stage) -> Option<OptionSpec>) -> Option<String> {
    let parsed = parse(line).ok()?;
    let [item] = parsed.items.as_slice() else { return None };
    let mut pipeline: Pipeline = item.pipeline.clone();
    let (at, flag) = pipeline
        .stages
        .iter()
        .enumerate()
        .find_map(|(at, stage)| Some((at, flag_of(stage)?)))?;
    let stage = pipeline.stages.get_mut(at)?;
    let name = format!("--{}", flag.name);
    let short = flag.short.map(|short| format!("-{short}"));
    let is_it = |given: &str| given == name || short.as_deref() == Some(given);
    if stage
        .words
        .iter()
        .any(|word| word.as_option().is_some_and(|given| is_it(&given.name)))
    {
        return None;
    }
    stage.words.push(Word::option(&name, None));
    Some(print(&pipeline))
}

/// The names of two contexts in which the same line would do different things; none: it is the same place. Whether
/// changes are allowed at the moment is no difference.
fn moved(then: &Context, now: &Context) -> Option<(String, String)> {
    let place = |context: &Context| Context {
        read_only: false,
        ..context.clone()
    };
    if place(then) == place(now) {
        return None;
    }
    let namespace = |context: &Context| context.kubernetes.namespace.clone();
    let region = |context: &Context| context.aws.region.clone();
    let parts = |context: &Context| match () {
        () if then.name != now.name => None,
        () if namespace(then) != namespace(now) => Some(namespace(context).unwrap_or_else(|| "default".to_owned())),
        () if region(then) != region(now) => Some(region(context).unwrap_or_else(|| "no region".to_owned())),
        () => None,
    };
    let name = |context: &Context| match parts(context) {
        Some(part) => format!("{} / {part}", context.name),
        None => context.name.clone(),
    };
    match (name(then), name(now)) {
        (then, now) if then == now => Some((then, format!("{now} with other settings"))),
        different => Some(different),
    }
}
