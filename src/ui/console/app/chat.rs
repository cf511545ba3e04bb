//! What a key does to a block of the chat: open, copy, page, save, go on with it, run it again, make it live. Not for
//! moving about in the scrollback, which is the chat's own.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{App, Effect};
use crate::core::change::Origin;
use crate::core::context::Context;
use crate::lang::ast::Word;
use crate::lang::{Pipeline, Stage, parse, print};
use crate::ui::console::chat::block::{Block, State};
use crate::ui::console::complete::verb_of;
use crate::ui::console::keymap::{Action, Key, Part};
use crate::ui::panel::{Motion, Tone};
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Catalogue, Declaration, OptionKind, OptionSpec};

/// What makes a panel of a pipeline.
pub(super) const PIN: &str = "pin";

/// How long the same key again means yes.
const ARMED: SignedDuration = SignedDuration::from_secs(10);

/// A run that was asked about: of which block, by which key, and when.
pub(super) struct Armed {
    block: u64,
    action: Action,
    at: Timestamp,
}

impl App {
    pub(super) fn chat_key(&mut self, key: Key) -> Vec<Effect> {
        let Some(action) = self.keymap.action(Part::Chat, key) else {
            self.means_nothing(key);
            return Vec::new();
        };
        self.chat_action(action)
    }

    /// What an action does to the selected block.
    pub(super) fn chat_action(&mut self, action: Action) -> Vec<Effect> {
        let (armed, now) = (self.rerun_armed.take(), self.clock.now());
        let armed = |block| {
            let same = |armed: &Armed| (armed.block, armed.action) == (block, action);
            armed.is_some_and(|armed| same(&armed) && now.duration_since(armed.at) < ARMED)
        };
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
                let block = self.chat.block(id);
                let text = block.map(Block::text).unwrap_or_default();
                let number = block.and_then(|block| block.number);
                let name = number.map_or_else(|| "this block".to_owned(), |number| format!("block #{number}"));
                let missing = match block.map_or(0, Block::missing) {
                    0 => String::new(),
                    count => format!(" without {count} lines that are not kept"),
                };
                let told = format!("{name} copied{missing}, {} bytes", text.len());
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
                return self.make_live(id, &line, armed(id));
            }
            (Action::CopyLine, Some((_, line, _))) if !line.is_empty() => {
                return vec![Effect::Copy(line, "the line is copied".to_owned())];
            }
            (Action::Rerun, Some((id, line, _))) if !line.is_empty() => {
                return self.rerun(Action::Rerun, id, line, armed(id));
            }
            (Action::FindNext, _) => self.with_look(|chat, look| chat.find_next(true, look)),
            (Action::FindPrevious, _) => self.with_look(|chat, look| chat.find_next(false, look)),
            (Action::Edit, Some((_, line, _))) if !line.is_empty() => {
                self.input.set(&line);
                self.leave_pane();
            }
            (Action::Stop, Some((id, _, state))) if state.is_live() => return self.stop(id, state),
            (action, _) => return self.shared(action),
        }
        Vec::new()
    }

    /// Cancels a block; one that is being cancelled is killed.
    pub(super) fn stop(&mut self, id: u64, state: State) -> Vec<Effect> {
        self.chat.change(id, |block| block.become_state(State::Stopping));
        match state {
            State::Stopping => vec![Effect::Kill(id)],
            _ => vec![Effect::Cancel(id)],
        }
    }

    /// Runs a block's line again; asks first when it would now run somewhere else.
    fn rerun(&mut self, action: Action, id: u64, line: String, armed: bool) -> Vec<Effect> {
        let ran_in = self.chat.block(id).map(|block| block.context.clone());
        if let Some((ran_in, now_in)) = ran_in.and_then(|then| moved(&then, &self.context))
            && !armed
        {
            self.rerun_armed = Some(Armed {
                block: id,
                action,
                at: self.clock.now(),
            });
            self.tell(
                &format!("it ran in {ran_in}, and this is {now_in}: the same key again runs it here"),
                Tone::Warn,
            );
            return Vec::new();
        }
        self.input.history.add(&line, &self.context.name);
        vec![self.run(line, Origin::Key)]
    }

    /// The selected block's line as a panel, where it goes on and only reads.
    pub(in crate::ui::console) fn to_pin(&self) -> Option<String> {
        let goes_on = |block: &&Block| block.state.is_live() && block.follows && block.reads;
        let block = self.chat.selected().filter(goes_on)?;
        pinned(&block.line, &self.catalogue, true)
    }

    /// What needs the records of a block, which the engine keeps by its number.
    fn with_records(&mut self, action: Action, id: u64) -> Vec<Effect> {
        let block = self.chat.block(id);
        if block.is_some_and(|block| block.state.is_live()) {
            let key = self.keymap.key_of(Part::Chat, Action::Stop).map(Key::label);
            let stop = key.map_or_else(String::new, |key| format!(" ({key} stops it)"));
            self.tell(
                &format!("it still runs: its records are there once it has ended{stop}"),
                Tone::Neutral,
            );
            return Vec::new();
        }
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

    /// Runs a block's line again so that it follows every change, where its verb can; as a panel that asks again and again
    /// where it cannot, and only reads. What goes on is not run twice by one key: its line stands there as a panel's, to be
    /// run.
    fn make_live(&mut self, id: u64, line: &str, armed: bool) -> Vec<Effect> {
        if let Some(line) = self.to_pin() {
            self.input.set(&line);
            self.leave_pane();
            return Vec::new();
        }
        let over = self
            .chat
            .block(id)
            .is_some_and(|block| block.reads && !block.state.is_live());
        let pin = || over.then(|| pinned(line, &self.catalogue, false)).flatten();
        match following(line, &self.catalogue).or_else(pin) {
            Some(line) => self.rerun(Action::Live, id, line, armed),
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
        let text = self.chat.transcript();
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

/// The line with the flag of the first stage that has one for following; none: no stage has, or it goes on already, or is
/// to end.
fn following(line: &str, catalogue: &Catalogue) -> Option<String> {
    let parsed = parse(line).ok()?;
    let [item] = parsed.items.as_slice() else { return None };
    let mut pipeline: Pipeline = item.pipeline.clone();
    let (stage, name) = pipeline.stages.iter_mut().find_map(|stage| {
        let (verb, words) = verb_of(catalogue, stage)?;
        let mentioned = mentioned(&verb.declaration, stage.words.get(words..)?);
        let flag = verb.declaration.follow_flag(|name| mentioned.contains(name))?;
        Some((stage, format!("--{}", flag.name)))
    })?;
    // Behind a -- it would be no option.
    let end = stage.words.iter().position(|word| word.plain() == Some("--"));
    stage
        .words
        .insert(end.unwrap_or(stage.words.len()), Word::option(&name, None));
    Some(print(&pipeline))
}

/// The line as a panel that runs it again and again, or follows it where it `may_follow`; none: a stage of it could
/// follow and must not, or it does more than answer.
fn pinned(line: &str, catalogue: &Catalogue, may_follow: bool) -> Option<String> {
    let parsed = parse(line).ok()?;
    let [item] = parsed.items.as_slice() else { return None };
    let mut pipeline: Pipeline = item.pipeline.clone();
    // Words about this console, and records that are there already, do not change by themselves.
    let first = verb_of(catalogue, pipeline.stages.first()?)?.0;
    let plain = first.declaration.bundle != BUILT_IN
        && pipeline.redirect.is_none()
        && pipeline.binding.is_none()
        && item.then.is_none();
    let again = |stage: &Stage| {
        let verb = verb_of(catalogue, stage).map(|(verb, _)| &verb.declaration);
        verb.is_some_and(|verb| !verb.once && verb.name != PIN && (may_follow || verb.follow_flag(|_| false).is_none()))
    };
    if !plain || !pipeline.stages.iter().all(again) {
        return None;
    }
    pipeline.stages.push(Stage::new(PIN));
    Some(print(&pipeline))
}

/// The options that words mention.
pub(super) fn mentioned(declaration: &Declaration, words: &[Word]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for given in words
        .iter()
        .take_while(|word| word.plain() != Some("--"))
        .filter_map(Word::as_option)
    {
        let meant = meant(&declaration.signature.options, &given.name);
        names.extend(meant.into_iter().map(|option| option.name.clone()));
    }
    names
}

/// The options that a name with its dashes means: one, or of several flags in one word each.
fn meant<'a>(options: &'a [OptionSpec], name: &str) -> Vec<&'a OptionSpec> {
    if let Some(long) = name.strip_prefix("--") {
        let is = |option: &&OptionSpec| option.name == long || option.aliases.contains(&long);
        return options.iter().filter(is).collect();
    }
    let mut found = Vec::new();
    for letter in name.chars().skip(1) {
        let Some(option) = options.iter().find(|option| option.short == Some(letter)) else {
            break;
        };
        found.push(option);
        // The rest of the word is its value.
        if !matches!(option.kind, OptionKind::Bool | OptionKind::Incr) {
            break;
        }
    }
    found
}

/// The names of two contexts in which the same line would do different things; none: it is the same place. Whether
/// changes are allowed at the moment is no difference.
fn moved(then: &Context, now: &Context) -> Option<(String, String)> {
    let place = |context: &Context| {
        let mut context = context.clone();
        context.read_only = false;
        // That is what panels show.
        context.kubernetes.everywhere = false;
        context
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verb::{Call, Input, Output, Read, Verb};

    struct Nothing;

    #[async_trait::async_trait]
    impl Read for Nothing {
        async fn run(&self, _: &Call, _: &mut Input, _: &Output) -> Result<(), crate::core::report::Report> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_followed_by_the_flag_its_verb_names() {
        let flag = |name: &str| OptionSpec::new(name, OptionKind::Bool, "");
        let logs = Declaration::new("t", "logs", "")
            .options([
                flag("follow").short('f'),
                flag("previous").short('p'),
                OptionSpec::new("namespace", OptionKind::String, "").short('n'),
            ])
            .following(&["follow"])
            .ending(&["previous"]);
        // A flag that is called so and means something else.
        let other = Declaration::new("t", "other", "").option(flag("watch"));
        let catalogue = Catalogue::new([Verb::read(logs, Nothing), Verb::read(other, Nothing)]);
        let cases = [
            ("t:logs web", Some("t:logs web --follow")),
            (
                "t:logs -nfoo web | t:other",
                Some("t:logs -nfoo web --follow | t:other"),
            ),
            ("t:logs -- web", Some("t:logs --follow -- web")),
            ("t:logs -pf web", None),
            ("t:logs web -f", None),
            ("t:logs web --follow=no", None),
            ("t:logs web --previous", None),
            ("t:other x", None),
            ("t:logs a; t:logs b", None),
        ];
        for (line, wanted) in cases {
            assert_eq!(following(line, &catalogue).as_deref(), wanted, "{line}");
        }
    }
}
