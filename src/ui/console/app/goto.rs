//! `:`: going somewhere. A pane by its name or number, a kind of the cluster, another namespace or context, a script to
//! present. What runs a command is built as a tree and appears in the chat like any other line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::present::SCRIPTS;
use super::{App, Effect};
use crate::core::change::Origin;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::lang::ast::Pipeline;
use crate::lang::{Span, Stage, print};
use crate::ui::console::complete::{Gathered, Live, Offer};
use crate::ui::console::contexts::EVERY;
use crate::ui::console::syntax;
use crate::ui::console::toast::{Toast, Until};
use crate::ui::panel::{Meaning, Panel, Theme, Tone};
use crate::verb::catalogue::{did_you_mean, nearest};
use crate::verb::{Completion, CompletionRequest};

/// Places that are no pane.
const PLACES: [(&str, &str); 12] = [
    ("ns", "another namespace: ns NAME; ns * shows all in the panels"),
    ("ctx", "another context: ctx NAME; several at once: ctx A,B or ctx *"),
    ("present", "steps through a script: present demo, present FILE"),
    ("show", "a panel beside the others: show NAME"),
    ("hide", "a panel away: hide NAME"),
    ("unpin", "takes a pinned pipeline away: unpin NAME"),
    ("layout", "columns and panels as by default: layout reset"),
    ("theme", "other colours until the console is left: theme NAME"),
    ("messages", "the last messages, in the chat"),
    ("transcript", "puts what was said onto the terminal's own screen"),
    ("bare", "text without frames, for selecting with the mouse"),
    ("quit", "leaves the console"),
];

/// Places that take no name.
const ALONE: [&str; 4] = ["messages", "transcript", "bare", "quit"];

/// Short names of kubectl for what has a panel.
const SHORT: [(&str, &str); 5] = [
    ("deploy", "deployments"),
    ("po", "pods"),
    ("svc", "services"),
    ("ev", "events"),
    ("ec2", "instances"),
];

/// A namespace that was gone to, and the question whether there is one.
pub(super) struct Asked {
    pub(super) question: u64,
    name: String,
    /// The session's context and those beside it.
    before: (Arc<Context>, Vec<Arc<Context>>),
}

/// What also means all namespaces, unless one is called so.
const ALL: &str = "all";

/// Whether a line is one of these.
pub(super) fn is_one(line: &str) -> bool {
    line.starts_with(':')
}

impl App {
    /// Goes where the line says.
    pub(super) fn go_to(&mut self, line: &str) -> Vec<Effect> {
        let mut words = line.trim_start_matches(':').split_whitespace();
        let Some(place) = words.next() else { return Vec::new() };
        let rest: Vec<&str> = words.collect();
        self.toasts.has_come(&Until::Place);
        match (place, rest.as_slice()) {
            ("q" | "quit", _) => return self.quit(),
            ("messages", []) => self.show_messages(),
            ("transcript", []) => return self.transcript(),
            ("bare", []) => return self.enter_bare(),
            ("ctx" | "context", []) => {
                let names = self.contexts.join("  ");
                self.answer(&format!("ctx NAME: {names}; A,B or * shows several"));
            }
            ("ctx" | "context", names) => return vec![Effect::UseContexts(names.join(" "))],
            ("ns" | "namespace", [EVERY]) => {
                let (own, beside) = self.known_contexts();
                return self.show_everywhere(&own, &beside);
            }
            ("ns" | "namespace", [name]) => return self.use_namespace(name),
            ("ns" | "namespace", _) => self.answer("ns NAME shows another namespace, ns * all of them in the panels"),
            ("present", ["off"]) => self.stop_presenting("nothing is presented any more", Tone::Ok),
            ("present", [_, ..]) => return self.read_script(line),
            ("present", []) => {
                self.answer("present demo, or present FILE: a script, one pipeline a line; FILE N begins at line N");
            }
            ("show", [name]) => return self.show_panel(name, true),
            ("hide", [name]) => return self.show_panel(name, false),
            ("show" | "hide", _) => self.answer(&format!("{place} NAME: a panel, beside the others or away")),
            ("unpin", [name]) => return self.unpin(name),
            ("unpin", _) => self.answer("unpin NAME: a pipeline that was pinned"),
            ("layout", ["reset"]) => return self.reset_layout(),
            ("theme", [name]) => return vec![Effect::Wear((*name).to_owned())],
            ("theme", _) => {
                let (names, worn) = (Theme::PRESETS.join(", "), &self.theme.name);
                let told = format!("{worn} is worn; :theme NAME of {names}; for good: theme in config.toml");
                self.answer(&told);
            }
            ("layout", _) => self.answer("layout reset: columns and panels as by default"),
            _ => return self.go_to_kind(place, &rest),
        }
        Vec::new()
    }

    /// `present FILE`, whatever blanks its name has, and behind it the number of the line to begin at.
    fn read_script(&mut self, line: &str) -> Vec<Effect> {
        let file = line.trim_start_matches([':', ' ']).trim_start_matches("present").trim();
        let numbered = file.rsplit_once(' ').and_then(|(file, number)| {
            let number = number.parse::<usize>().ok()?.checked_sub(1)?;
            Some((file.trim_end(), number))
        });
        let (file, first) = numbered.unwrap_or((file, 0));
        self.present_from = first;
        vec![Effect::ReadScript(file.to_owned())]
    }

    /// What a place takes, for a line that does not say.
    fn answer(&mut self, text: &str) {
        self.tell_until(text, Tone::Neutral, Until::Place);
    }

    /// The last messages as a word of the console, newest last.
    fn show_messages(&mut self) {
        let glyphs = &self.theme.glyphs;
        let line = |toast: &Toast| {
            let at = syntax::time_of_day(toast.at, self.clock.zone());
            let times = if toast.count > 1 {
                format!("  x{}", toast.count)
            } else {
                String::new()
            };
            let text = format!("{at}  {} {}{times}", glyphs.of(toast.tone), toast.text);
            (SafeText::line(&text), toast.tone.meaning())
        };
        let mut lines: Vec<_> = self.toasts.kept().map(line).collect();
        if lines.is_empty() {
            lines.push(("no messages yet".into(), Meaning::Dim));
        }
        self.leave_pane();
        self.chat.say(self.clock.now(), lines);
        self.chat.to_end();
    }

    fn go_to_kind(&mut self, place: &str, rest: &[&str]) -> Vec<Effect> {
        if let [name] = rest
            && let Some(pane) = self.pane_named(place)
            && let Some(panel) = pane.checked_sub(1).and_then(|at| self.panels.get_mut(at))
            && let Some(turned) = panel.turn_to(name)
        {
            match turned {
                Ok(()) => {
                    // What was closed forgets what it was turned to when it opens.
                    self.focus_pane(pane);
                    if let Some(panel) = self.panels.get_mut(pane - 1)
                        && let Some(Err(why)) = panel.turn_to(name)
                    {
                        self.tell(why.as_str(), Tone::Warn);
                    }
                }
                Err(why) => self.tell(why.as_str(), Tone::Warn),
            }
            return Vec::new();
        }
        if rest.is_empty()
            && let Some(pane) = self.pane_named(place)
        {
            self.focus_pane(pane);
            return Vec::new();
        }
        if rest.is_empty()
            && let Some(meant) = self.slip_of(place)
        {
            self.tell(&format!("no pane {place}  did you mean {meant}?"), Tone::Warn);
            return Vec::new();
        }
        if let Some(told) = self.nothing_called(place) {
            self.tell(&told, Tone::Warn);
            return Vec::new();
        }
        if rest.is_empty()
            && let Some(pane) = self.panels.iter_mut().position(|panel| panel.visit(place))
        {
            self.focus_pane(pane + 1);
            return Vec::new();
        }
        if self.catalogue.find(Some("kubectl"), "get").is_err() {
            let known = self.panels.iter().map(|panel| panel.id().to_owned());
            let hint = did_you_mean(&nearest(place, known)).unwrap_or_default();
            self.tell(&format!("no pane {place}  {hint}"), Tone::Warn);
            return Vec::new();
        }
        let stage = rest
            .iter()
            .fold(Stage::new("kubectl:get").arg(place), |stage, word| stage.arg(word));
        let line = print(&Pipeline::from(stage));
        self.input.history.add(&line, &self.context.name);
        vec![self.run(line, Origin::Typed)]
    }

    /// `there is no pane, place or kind secret  did you mean secrets?`, where no context that is shown has a kind of this
    /// name and another one is near. A word that is near to nothing may be a kind that is new: the server is asked again.
    /// So are words that name no single kind: `deploy/web`, `po,svc`.
    fn nothing_called(&self, word: &str) -> Option<String> {
        if word.contains(['/', ',']) {
            return None;
        }
        let scope = self.scope();
        let lacks = |panel: &dyn Panel| -> Option<Vec<String>> {
            let contexts = scope.contexts().iter();
            let words: Option<Vec<_>> = contexts.map(|context| panel.lacks(word, context)).collect();
            words.map(|words| words.concat())
        };
        let kinds = self.panels.iter().find_map(|panel| lacks(panel.as_ref()))?;
        let panes = self.panels.iter().map(|panel| panel.id().to_owned());
        let places = PLACES.iter().map(|(name, _)| (*name).to_owned());
        let known: BTreeSet<String> = panes.chain(places).chain(kinds).collect();
        let hint = did_you_mean(&nearest(word, known))?;
        Some(format!("there is no pane, place or kind {word}  {hint}"))
    }

    /// Whether what is typed names the place itself, not what is to be shown there.
    pub(in crate::ui::console) fn names_place(&self) -> bool {
        let text = self.input.text();
        is_one(&text) && !text.contains(' ')
    }

    /// The pane whose name a longer word is but for one slip of the finger. Shorter ones are rather names of kinds: `ds`.
    fn slip_of(&self, word: &str) -> Option<String> {
        let mut ids = self.panels.iter().map(|panel| panel.id());
        let slip = ids.find(|id| word.len() >= 5 && strsim::damerau_levenshtein(word, id) == 1);
        slip.map(str::to_owned)
    }

    /// A pane by its number as shown, its name, kubectl's short name for it, or a beginning that no other has.
    pub(super) fn pane_named(&self, name: &str) -> Option<usize> {
        if let Ok(number) = name.parse::<usize>() {
            return number.checked_sub(1).filter(|pane| *pane <= self.panels.len());
        }
        let name = SHORT
            .iter()
            .find(|(short, _)| *short == name)
            .map_or(name, |(_, full)| full);
        if name == "chat" {
            return Some(0);
        }
        let ids = || self.panels.iter().map(|panel| panel.id()).enumerate();
        let whole = ids().find(|(_, id)| *id == name || id.strip_suffix('s') == Some(name));
        let mut beginnings = ids().filter(|(_, id)| id.starts_with(name));
        let only = match (beginnings.next(), beginnings.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        };
        whole.or(only).map(|(at, _)| at + 1)
    }

    fn use_namespace(&mut self, name: &str) -> Vec<Effect> {
        let there = |context: &Arc<Context>| {
            let mut context = Context::clone(context);
            context.kubernetes.namespace = Some(name.to_owned());
            context.kubernetes.everywhere = false;
            Arc::new(context)
        };
        let before = self.known_contexts();
        let (own, beside) = (there(&self.context), self.beside.iter().map(there).collect::<Vec<_>>());
        let live = self.live("get", &["namespaces"], "");
        self.change_contexts(own.clone(), beside.clone());
        let mut effects = vec![Effect::Switch(own, beside)];
        match live {
            Some(live) => {
                self.next_question += 1;
                let question = self.next_question;
                effects.push(Effect::Complete(question, live));
                self.namespace_asked = Some(Asked {
                    question,
                    name: name.to_owned(),
                    before,
                });
            }
            None if name == ALL => {
                let (own, beside) = before;
                return self.show_everywhere(&own, &beside);
            }
            None => self.tell_namespace(name),
        }
        effects
    }

    /// The contexts that are shown. Where it is still asked whether there is such a namespace, those before: that it is
    /// there is not known.
    fn known_contexts(&mut self) -> (Arc<Context>, Vec<Arc<Context>>) {
        let unsure = self.namespace_asked.take().map(|asked| asked.before);
        unsure
            .filter(|(own, _)| own.name == self.context.name)
            .unwrap_or_else(|| (self.context.clone(), self.beside.clone()))
    }

    /// `:ns *`: the panels show what lies in any namespace. Lines have none that is called so: they run where they did.
    fn show_everywhere(&mut self, own: &Arc<Context>, beside: &[Arc<Context>]) -> Vec<Effect> {
        let there = |context: &Arc<Context>| {
            let mut context = Context::clone(context);
            context.kubernetes.everywhere = true;
            Arc::new(context)
        };
        let (own, beside) = (there(own), beside.iter().map(there).collect::<Vec<_>>());
        self.change_contexts(own.clone(), beside.clone());
        let lines = match own.kubernetes.namespace.as_deref() {
            Some(name) => format!("lines run in {name}"),
            None => "lines run where they did".to_owned(),
        };
        self.tell(&format!("all namespaces in the panels; {lines}"), Tone::Ok);
        vec![Effect::Switch(own, beside)]
    }

    fn tell_namespace(&mut self, name: &str) {
        let told = match self.beside.len() {
            0 => format!("namespace {name}"),
            others => format!("namespace {name} in all {} contexts", others + 1),
        };
        self.tell(&told, Tone::Ok);
    }

    /// The session's own cluster told its namespaces. One that is not among them is left again: it would look like an
    /// empty one. Nobody knows where they may not be listed, or are too many.
    pub(super) fn namespaces_told(&mut self, asked: Asked, told: Completion) -> Vec<Effect> {
        let more = told.more;
        let names: Vec<String> = told.candidates.into_iter().map(|candidate| candidate.value).collect();
        let may_be = names.is_empty() || more || names.contains(&asked.name);
        let left = self.context.kubernetes.namespace.as_ref() != Some(&asked.name);
        let (own, beside) = asked.before;
        if left || self.context.name != own.name {
            return Vec::new();
        }
        if asked.name == ALL && !names.contains(&asked.name) {
            return self.show_everywhere(&own, &beside);
        }
        if may_be {
            self.tell_namespace(&asked.name);
            return Vec::new();
        }
        let hint = did_you_mean(&nearest(&asked.name, names)).unwrap_or_default();
        self.change_contexts(own.clone(), beside.clone());
        let back = match own.kubernetes.namespace.as_deref() {
            Some(name) => format!("back to {name}"),
            None => "back to its own namespace".to_owned(),
        };
        let text = format!("context {} has no namespace {}: {back}  {hint}", own.name, asked.name);
        self.tell(text.trim_end(), Tone::Warn);
        vec![Effect::Switch(own, beside)]
    }

    /// What can stand behind the colon.
    pub(super) fn places(&self, text: &str, cursor: usize) -> Option<Gathered> {
        let typed = text.get(..cursor)?.strip_prefix(':')?;
        let (word_start, prefix) = match typed.rsplit_once(' ') {
            Some((before, prefix)) => (before.len() + 2, prefix),
            None => (1, typed),
        };
        let mut gathered = Gathered {
            span: Span {
                start: word_start,
                end: cursor,
            },
            prefix: prefix.to_owned(),
            offers: Vec::new(),
            live: None,
            wanted: None,
        };
        match typed.split_whitespace().next().filter(|_| typed.contains(' ')) {
            None => {
                let panes = self.panels.iter().map(|panel| Offer::place(panel.id(), "pane", false));
                let others = PLACES
                    .iter()
                    .map(|(name, note)| Offer::place(name, note, !ALONE.contains(name)));
                gathered.offers = panes.chain(others).collect();
                // The kinds of the cluster, too: all of them, as the menu is narrowed while it is typed in.
                gathered.live = self.live("get", &[], "");
            }
            Some("ctx" | "context") => {
                // Behind a comma stands one more, which is none of those before.
                let (before, prefix) = prefix.rsplit_once(',').unwrap_or(("", prefix));
                let before: Vec<&str> = before.split(',').collect();
                gathered.span.start = cursor - prefix.len();
                gathered.prefix = prefix.to_owned();
                let alone = before.iter().all(|name| name.is_empty());
                let every =
                    (alone && self.contexts.len() > 1).then(|| Offer::place(EVERY, "all contexts at once", false));
                let others = self.contexts.iter().filter(|name| !before.contains(&name.as_str()));
                let others = others.map(|name| Offer::place(name, "context", false));
                gathered.offers = others.chain(every).collect();
            }
            Some("show" | "hide") => {
                let panes = self.panels.iter().map(|panel| Offer::place(panel.id(), "panel", false));
                gathered.offers = panes.collect();
            }
            Some("unpin") => {
                let pins = self.pinned.iter();
                gathered.offers = pins.map(|pin| Offer::place(&pin.id, &pin.line, false)).collect();
            }
            Some("present") => {
                let scripts = SCRIPTS.iter().map(|script| (script.name, script.about));
                let places = scripts.chain([("off", "ends what is presented")]);
                gathered.offers = places.map(|(name, about)| Offer::place(name, about, false)).collect();
            }
            Some("theme") => {
                let presets = Theme::PRESETS.iter();
                gathered.offers = presets.map(|name| Offer::place(name, "theme", false)).collect();
            }
            Some("layout") => gathered.offers = vec![Offer::place("reset", "as by default", false)],
            Some("ns" | "namespace") => {
                gathered.offers = vec![Offer::place(EVERY, "all namespaces at once, in the panels", false)];
                gathered.live = self.live("get", &["namespaces"], prefix);
            }
            Some(kind) => gathered.live = self.live("get", &[kind], prefix),
        }
        Some(gathered)
    }

    fn live(&self, verb: &str, words: &[&str], prefix: &str) -> Option<Live> {
        let verb = self.catalogue.find(Some("kubectl"), verb).ok()?;
        Some(Live {
            completer: verb.completer.clone()?,
            within: Vec::new(),
            request: CompletionRequest {
                context: self.context.clone(),
                positionals: words.iter().map(|word| (*word).to_owned()).collect(),
                options: BTreeMap::new(),
                option: None,
                prefix: prefix.to_owned(),
            },
        })
    }
}
