//! The console's state and what every event does to it: events in, effects out, no IO. The shell feeds it and performs
//! what it asks for; `draw` shows it.

mod alerts;
mod arrange;
mod blocks;
mod chat;
mod dress;
mod event;
mod finder;
mod frames;
mod goto;
mod keys;
mod leaving;
mod marks;
mod menu;
mod mouse;
mod overlay;
mod picker;
mod pins;
mod present;
mod questions;
mod typing;
mod welcome;
mod window;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::approval::Approval;
use super::arrangement::Arrangement;
use super::chat::Chat;
use super::chat::block::State;
use super::input::Input;
use super::keymap::{Action, Keymap, Part};
use super::layout::Seam;
use super::painted::Painted;
use super::pin::{Maker, Pinned};
use super::popup::Popup;
use super::ports::Ended;
use super::samples::Samples;
use super::toast::{Toasts, Until};
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::ui::panel::{Panel, Scope, Subject, Theme, Tone};
use crate::verb::{Catalogue, Completion};
use goto::Asked;
use questions::Question;

pub use event::{Dress, Effect, Event, Focus};
pub use finder::Finder;
pub use mouse::Places;
pub use overlay::Overlay;
pub use present::{SCRIPTS, Script};

/// What the console is made of.
pub struct Parts {
    /// The panels, in their order.
    pub panels: Vec<Box<dyn Panel>>,
    /// The keys.
    pub keymap: Keymap,
    /// The theme.
    pub theme: Theme,
    /// The clock.
    pub clock: Clock,
    /// Who sits here.
    pub user: String,
    /// Where the first lines run.
    pub context: Arc<Context>,
    /// Names for `@NAME`.
    pub contexts: Vec<String>,
    /// The declarations.
    pub catalogue: Arc<Catalogue>,
    /// Whether the sandbox can be started from here.
    pub can_start_sandbox: bool,
    /// `--read-only`: nothing opens it.
    pub read_only: bool,
    /// What the operator made of the screen before.
    pub arrangement: Arrangement,
    /// What was pinned before.
    pub pinned: Vec<Pinned>,
    /// Makes panels of pinned pipelines.
    pub pins: Maker,
}

/// The console's state.
pub struct App {
    pub(super) chat: Chat,
    pub(super) input: Input,
    pub(super) popup: Option<Popup>,
    pub(super) help: Option<u16>,
    pub(super) panels: Vec<Box<dyn Panel>>,
    pub(super) focus: Focus,
    /// The pane shown where there is room for one.
    pub(super) shown: usize,
    pub(super) zoomed: bool,
    /// The panels, by their ids, whose keys led to the pane that has the keys, the last one last; whether each was zoomed.
    came_from: Vec<(String, bool)>,
    /// A namespace that was gone to, while it is asked whether there is one.
    namespace_asked: Option<Asked>,
    /// The question that was looked away from, to another pane: it has no keys until the input line has them.
    aside: Option<u64>,
    pub(super) toasts: Toasts,
    /// What was told of sources that are not live.
    alerts: alerts::Alerts,
    pub(super) keymap: Keymap,
    pub(super) theme: Theme,
    /// It was asked for by its name: that of the start replaces it no more.
    theme_chosen: bool,
    pub(super) clock: Clock,
    pub(super) user: SafeText,
    /// Where lines run that name no context.
    pub(super) context: Arc<Context>,
    /// Contexts that the panels show beside it.
    pub(super) beside: Vec<Arc<Context>>,
    pub(super) read_only: bool,
    /// Until when the context takes changes although it is marked read-only.
    open_until: Option<Timestamp>,
    /// What the latest answers look like.
    samples: Samples,
    /// What is wrong in the line, as far as it was checked.
    checked: marks::Checked,
    /// `/` is being typed.
    pub(super) finder: Option<Finder>,
    /// A menu, or a cell being chosen.
    overlay: Option<Overlay>,
    /// A script that is presented.
    pub(super) script: Option<Script>,
    /// At which of its lines, from 0, a script that is being read begins.
    present_from: usize,
    /// Where things were drawn last.
    pub(super) places: Places,
    /// What the operator made of the screen.
    pub(super) arrangement: Arrangement,
    /// Pinned pipelines.
    pinned: Vec<Pinned>,
    /// Makes panels of pinned pipelines.
    pins: Maker,
    /// The panels' ids in the order they came in.
    registered: Vec<String>,
    /// Panels that are subscribed to the context.
    opened: BTreeSet<String>,
    /// Somebody looks: panels may be subscribed.
    watched: bool,
    /// A boundary that is being dragged, and the arrangement before.
    dragged: Option<(Seam, Arrangement)>,
    /// The terminal tells of clicks.
    mouse: bool,
    /// Text without frames.
    pub(super) bare: bool,
    /// A block is to be run again although the context has changed since: the same key soon after does it.
    rerun_armed: Option<chat::Armed>,
    /// The sandbox is offered: nothing is configured.
    pub(super) offer: Offer,
    contexts: Vec<String>,
    catalogue: Arc<Catalogue>,
    questions: VecDeque<Question>,
    /// When Ctrl-C was pressed to quit: again soon means it.
    quit_armed: Option<Timestamp>,
    /// The letters that a panel got last, as fast as one types, and when the last one came.
    word: Option<(String, Timestamp)>,
    next_question: u64,
    /// Panels' versions as drawn last, and of the frame being drawn: rows come while it is.
    drawn: Vec<u64>,
    drawing: Vec<u64>,
    /// What the panels painted last.
    pub(super) painted: Painted,
    /// How often something happened that may have changed what a panel shows, beside its rows.
    pub(super) epoch: u64,
    /// Width of the chat as drawn last, for scrolling.
    pub(super) chat_width: u16,
    dirty: bool,
}

/// Whether the console offers to start the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// There is something to look at.
    No,
    /// Enter starts it.
    Yes,
    /// It starts.
    Starting,
}

impl App {
    /// A console that has shown nothing yet.
    pub fn new(parts: Parts) -> Self {
        let offer = match parts.context.is_unconfigured() && parts.can_start_sandbox {
            true => Offer::Yes,
            false => Offer::No,
        };
        let mut panels = parts.panels;
        panels.extend(parts.pinned.iter().map(|pinned| (parts.pins)(pinned)));
        let mut app = App {
            samples: Samples::default(),
            checked: marks::Checked::default(),
            finder: None,
            overlay: None,
            script: None,
            present_from: 0,
            places: Places::default(),
            arrangement: parts.arrangement,
            pinned: parts.pinned,
            registered: panels.iter().map(|panel| panel.id().to_owned()).collect(),
            opened: BTreeSet::new(),
            watched: false,
            pins: parts.pins,
            dragged: None,
            mouse: true,
            bare: false,
            rerun_armed: None,
            chat: Chat::default(),
            input: Input::default(),
            popup: None,
            help: None,
            drawn: Vec::new(),
            drawing: Vec::new(),
            painted: Painted::default(),
            epoch: 0,
            panels,
            focus: Focus::Input,
            shown: 0,
            zoomed: false,
            came_from: Vec::new(),
            namespace_asked: None,
            aside: None,
            toasts: Toasts::default(),
            alerts: alerts::Alerts::default(),
            keymap: parts.keymap,
            theme: parts.theme,
            theme_chosen: false,
            clock: parts.clock,
            user: SafeText::line(&parts.user),
            context: parts.context,
            beside: Vec::new(),
            read_only: parts.read_only,
            open_until: None,
            offer,
            contexts: parts.contexts,
            catalogue: parts.catalogue,
            questions: VecDeque::new(),
            quit_armed: None,
            word: None,
            next_question: 0,
            chat_width: 80,
            dirty: true,
        };
        app.sort_panels();
        app.input.set_here(&app.context.name);
        app.take_keymap();
        app.welcome();
        app
    }

    /// Subscribes the panels that can be seen to the context, and from here on keeps it so. Inside a Tokio runtime.
    pub fn open_panels(&mut self) {
        self.watched = true;
        self.open_anew();
    }

    /// As [`App::open_panels`], for another context; not after they were closed.
    fn open_anew(&mut self) {
        self.opened.clear();
        self.subscribe_offered();
        let others = self.panels.iter_mut().filter(|panel| !self.opened.contains(panel.id()));
        others.for_each(|panel| panel.close());
        self.touch();
    }

    /// Subscribes the panels that stand beside the others, or would where there is room, and the one that was gone to;
    /// the others wait until somebody goes to them. To be called when either has changed.
    pub(super) fn subscribe_offered(&mut self) {
        if !self.watched {
            return;
        }
        let scope = self.scope();
        for at in 0..self.panels.len() {
            let wanted = self.is_offered(at) || self.focus == Focus::Pane(at + 1);
            let Some(panel) = self.panels.get_mut(at) else { continue };
            match (wanted, self.opened.contains(panel.id())) {
                (true, false) => {
                    self.opened.insert(panel.id().to_owned());
                    panel.open_in(&scope);
                }
                (false, true) => {
                    self.opened.remove(panel.id());
                    panel.close();
                }
                _ => {}
            }
        }
    }

    /// Ends the panels' subscriptions for good.
    pub fn close_panels(&mut self) {
        self.watched = false;
        self.opened.clear();
        self.panels.iter_mut().for_each(|panel| panel.close());
    }

    /// What an event does.
    pub fn handle(&mut self, event: Event) -> Vec<Effect> {
        match &event {
            Event::Key(key) if self.only_types((*key).into()) => self.dirty = true,
            Event::Block(..) => self.dirty = true,
            _ => self.touch(),
        }
        let now = self.clock.now();
        match event {
            Event::Key(key) => {
                self.toasts.seen(now);
                return self.key(key.into());
            }
            Event::Mouse(event) => {
                if mouse::is_act(event.kind) {
                    self.toasts.errors_seen(now);
                }
                return self.mouse(event);
            }
            Event::Script(Ok(text)) => self.present(&text),
            Event::Script(Err(report)) => self.toasts.add(report.told(), Tone::Bad, now),
            Event::Paste(text) => self.paste(&text),
            Event::Edited(Ok(text)) => self.edited(&text),
            Event::Edited(Err(report)) => self.toasts.add(report.told(), Tone::Warn, now),
            Event::Started {
                block,
                number,
                line,
                translation,
                background,
            } => {
                self.shown_as(block, line);
                self.chat.change(block, |known| {
                    known.number = Some(number);
                    known.translation = translation.as_deref().map(SafeText::line);
                    known.background = background;
                    known.become_state(State::Running);
                });
            }
            Event::Refused(block, line, report) => {
                self.shown_as(block, line);
                let ended = Ended {
                    exit_code: report.severity.exit_code(),
                    report: Some(*report),
                    elapsed: self.clock.since(self.chat.block(block).map_or(now, |known| known.at)),
                };
                self.chat.change(block, |known| known.end(&ended));
                self.something_ended();
            }
            Event::Block(block, event) => {
                let wanted = self.block_event(block, *event);
                self.go_on_presenting();
                return wanted;
            }
            Event::Question {
                id,
                block,
                plan,
                requirement,
                context,
            } => {
                let approval = Approval::new(*plan, requirement, context.production, now);
                let elsewhere = !self.beside.is_empty() || context.name != self.context.name;
                let approval = if elsewhere { approval.named(&context) } else { approval };
                return self.question(Question { id, block, approval });
            }
            Event::SecretWanted { id, block, what } => {
                let approval = Approval::secret(what, now);
                return self.question(Question { id, block, approval });
            }
            Event::ActingOn(subject) => self.follow(&subject),
            Event::Withdrawn(id) => self.questions.retain(|question| question.id != id),
            Event::Candidates(question, candidates) => return self.candidates(question, candidates),
            Event::History(lines) => self.input.history.load(lines),
            Event::Contexts(own, beside) => self.change_contexts(own, beside),
            Event::Session(context, catalogue) => {
                if !Arc::ptr_eq(&self.catalogue, &catalogue) {
                    // What was wrong may be right now.
                    self.checked = marks::Checked::default();
                    self.catalogue = catalogue;
                }
                if context != self.context {
                    self.change_contexts(context, Vec::new());
                }
            }
            Event::Dress(dress) => self.dress(*dress),
            Event::Wear(theme) if !self.theme_chosen => self.wear(*theme),
            Event::Wear(_) => {}
            Event::Chosen(theme, remarks) => self.choose_theme(*theme, &remarks),
            Event::Sandbox(result) => return self.sandbox_started(result),
            Event::Tell(text, tone) => self.toasts.add(text, tone, now),
        }
        self.go_on_presenting();
        Vec::new()
    }

    /// Panels that can follow a change made here do. One that is out of sight says where it is.
    fn follow(&mut self, subject: &Subject) {
        let mut found = None;
        for (at, panel) in self.panels.iter_mut().enumerate() {
            let turned = panel.focus_on(subject);
            let in_sight = self.places.panes.iter().any(|(pane, ..)| *pane == at + 1);
            if turned && !in_sight && found.is_none() {
                found = Some((at + 1, panel.title(), panel.id().to_owned()));
            }
        }
        let Some((pane, title, id)) = found else { return };
        let action = Action::ALL.iter().find(|action| action.pane() == Some(pane));
        if let Some(key) = action.and_then(|action| self.keymap.key_of(Part::Global, *action)) {
            let told = format!("{} shows {}", key.label(), title.as_str());
            self.tell_until(&told, Tone::Neutral, Until::Shown(id));
        }
    }

    fn change_contexts(&mut self, own: Arc<Context>, beside: Vec<Arc<Context>>) {
        self.input.set_here(&own.name);
        // As the engine does: what was opened was the one that is left.
        self.open_until.take_if(|_| self.context.name != own.name);
        self.context = own;
        self.beside = beside;
        // What was wrong there may be right here.
        self.checked = marks::Checked::default();
        self.open_anew();
    }

    /// What the panels show.
    fn scope(&self) -> Scope {
        Scope::with(&self.context, &self.beside)
    }

    fn candidates(&mut self, question: u64, found: Completion) -> Vec<Effect> {
        if let Some(asked) = self.namespace_asked.take_if(|asked| asked.question == question) {
            return self.namespaces_told(asked, found);
        }
        if self.popup.as_ref().is_none_or(|popup| popup.pending != Some(question)) {
            return Vec::new();
        }
        let Some(gathered) = self.gathered() else {
            self.popup = None;
            return Vec::new();
        };
        if let Some(popup) = &mut self.popup {
            popup.add(found, &gathered.prefix);
        }
        // A menu that is being typed in changes nothing of the line by itself.
        let typed_in = self.names_place() || self.popup.as_ref().is_some_and(Popup::was_asked_anew);
        if !typed_in {
            self.settle_popup(&gathered);
        }
        self.narrow_popup();
        self.complete_anew()
    }

    /// The block of the chat with this id, for tests and the shell.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }
}

#[cfg(test)]
mod tests;
