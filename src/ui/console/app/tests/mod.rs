//! The app driven by keys and events without a terminal: a desk with panels of made rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod approval;
mod arranging;
mod blocks;
mod completing;
mod copying;
mod every_key;
mod finding;
mod marks;
mod panes;
mod pinning;
mod presenting;
mod screens;
mod several;
mod status;
mod themes;
mod typing;
mod window;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Value, json};

use super::*;
use crate::core::change::{Change, Origin, Plan, Requirement, Risk, Target};
use crate::core::context::Cloud;
use crate::core::report::Report;
use crate::feed::{Health, HealthState};
use crate::lang::Stage;
use crate::ui::console::draw::draw;
use crate::ui::console::keymap::Action;
use crate::ui::console::ports::BlockEvent;
use crate::ui::panel::Meaning;
use crate::ui::panel::testing::rows;
use crate::ui::panel::widgets::table::{Cell, Column, Selection, Table};
use crate::ui::panel::{self, Effect as PanelEffect, PanelKey, Sourced};
use crate::verb::{
    Call, Decision, Declaration, Input as Records, Item, OptionKind, OptionSpec, Output, Positional, Read, Verb,
};

const START: Timestamp = Timestamp::UNIX_EPOCH;

struct Nothing;

#[async_trait]
impl Read for Nothing {
    async fn run(&self, _: &Call, _: &mut Records, _: &Output) -> Result<(), Report> {
        Ok(())
    }
}

/// A panel of rows; Enter describes the selected one, `s` composes. The one called `nodes` stands aside.
struct Rows {
    id: String,
    rows: Vec<String>,
    selection: Selection,
    version: Arc<AtomicU64>,
    followed: Option<String>,
    state: HealthState,
    filter: String,
    marked: Vec<String>,
    opened: bool,
}

impl Rows {
    fn new(id: &str, version: Arc<AtomicU64>) -> Self {
        let rows = ["inspector", "web; rm -rf", "世界\u{1b}[31m"]
            .map(str::to_owned)
            .to_vec();
        Rows {
            id: id.to_owned(),
            rows,
            selection: Selection::default(),
            version,
            followed: None,
            state: if id == "nodes" {
                HealthState::Denied
            } else {
                HealthState::Live
            },
            filter: String::new(),
            marked: Vec::new(),
            opened: false,
        }
    }

    fn shown(&self) -> Vec<&str> {
        let filter = crate::ui::panel::filter::Filter::new(&self.filter);
        self.rows
            .iter()
            .map(String::as_str)
            .filter(|row| filter.matches(row))
            .collect()
    }
}

impl Panel for Rows {
    fn id(&self) -> &str {
        &self.id
    }
    fn title(&self) -> SafeText {
        match (&self.followed, self.marked.len()) {
            (Some(name), _) => SafeText::line(&format!("{} of {name}", self.id)),
            (None, 0) => SafeText::line(&format!("{} {}", self.id, self.rows.len())),
            (None, marked) => SafeText::line(&format!("{} {marked} marked", self.id)),
        }
    }
    fn open(&mut self, _: &Arc<Context>) {
        self.opened = true;
    }
    fn cloud(&self, context: &Arc<Context>) -> Cloud {
        let account = context.aws.keys.as_ref().map(|_| "555555555555".to_owned());
        let region = account.as_ref().map(|_| "eu-west-1".to_owned());
        Cloud { account, region }
    }
    fn close(&mut self) {
        self.opened = false;
    }
    fn is_on_stage(&self) -> bool {
        matches!(self.id.as_str(), "rollout" | "traffic")
    }
    fn by_name_only(&self) -> bool {
        self.id == "nodes"
    }
    fn can_mark(&self) -> bool {
        !self.is_on_stage()
    }
    fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }
    fn health(&self) -> Vec<Sourced> {
        if !self.opened {
            return Vec::new();
        }
        let source = |name: &str, state| {
            let mut health = Health::loading(START);
            health.data_at = Some(START);
            health.become_state(state, None, START);
            Sourced::new(name, health)
        };
        if self.id == "sources" {
            let ill = ["route53", "traffic"].map(|name| source(name, HealthState::Stale));
            let well = ["dns", "ec2", "k8s"].map(|name| source(name, HealthState::Live));
            return ill.into_iter().chain(well).collect();
        }
        vec![source("k8s", self.state)]
    }
    fn subjects(&self) -> Result<Vec<Subject>, SafeText> {
        let selected = self.shown().get(self.selection.index()).map(|name| (*name).to_owned());
        let names = if self.marked.is_empty() {
            selected.into_iter().collect()
        } else {
            self.marked.clone()
        };
        let target = |name| Target {
            kind: "Deployment".into(),
            scope: "default".into(),
            name,
        };
        Ok(names.into_iter().map(|name| target(name).into()).collect())
    }
    fn focus_on(&mut self, subject: &Subject) -> bool {
        self.followed = Some(subject.target.name.clone());
        true
    }
    fn key(&mut self, key: PanelKey) -> Vec<PanelEffect> {
        let row = self
            .shown()
            .get(self.selection.index())
            .copied()
            .unwrap_or_default()
            .to_owned();
        match key {
            PanelKey::Move(motion) => self.selection.step(motion, self.shown().len(), 5),
            PanelKey::At(row) => {
                if let Some(at) = self.selection.at(row) {
                    self.selection.select(at);
                }
            }
            PanelKey::Mark => {
                self.marked.push(row);
                self.selection.step(panel::Motion::Down, self.shown().len(), 5);
            }
            PanelKey::Open => return vec![PanelEffect::Run(Stage::new("kubectl:describe").arg(&row).into())],
            PanelKey::Act("edit") => return vec![PanelEffect::Run(Stage::new("kubectl:edit").arg(&row).into())],
            PanelKey::Act("scale") => {
                return vec![PanelEffect::Compose(Stage::new("kubectl:scale").arg(&row).into())];
            }
            _ => {}
        }
        Vec::new()
    }
    fn actions(&self) -> &'static [panel::Action] {
        const ACTIONS: [panel::Action; 2] = [
            panel::Action::new("scale", 's', "scale"),
            panel::Action::new("edit", 'e', "edit"),
        ];
        // One of them has an editor.
        let all = if self.id == "ec2" { 2 } else { 1 };
        &ACTIONS[..all]
    }
    fn filter(&mut self, text: &str) -> bool {
        self.filter = text.to_owned();
        true
    }
    fn filter_text(&self) -> &str {
        &self.filter
    }
    fn grid(&self, which: panel::Which, _: Timestamp) -> Result<panel::Grid, SafeText> {
        let at = self.selection.index();
        let row = |name: &&str| vec![(*name).to_owned(), "1/1".to_owned()];
        let rows: Vec<Vec<String>> = self.shown().iter().map(row).collect();
        Ok(panel::Grid {
            columns: vec!["NAME".into(), "READY".into()],
            rows: match which {
                panel::Which::Selected => rows.into_iter().skip(at).take(1).collect(),
                panel::Which::All => rows,
            },
        })
    }
    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, _: Timestamp) {
        let columns = [Column::new("NAME"), Column::new("READY").right()];
        let shown: Vec<String> = self.shown().into_iter().map(str::to_owned).collect();
        let row = |at: usize| {
            vec![
                Cell::new(shown.get(at).map_or("", String::as_str)),
                Cell::styled("✓ 1/1", Meaning::StateOk),
            ]
        };
        Table {
            columns: &columns,
            count: shown.len(),
            row: &row,
            focused,
        }
        .draw(area, buffer, theme, &mut self.selection);
    }
}

struct Desk {
    app: App,
    clock: Clock,
    versions: Vec<Arc<AtomicU64>>,
}

impl Desk {
    fn with(context: Context, names: &[&'static str]) -> Self {
        Self::made(context, names, Arrangement::default(), Vec::new())
    }

    fn arranged(names: &[&'static str], arrangement: Arrangement) -> Self {
        Self::made(Context::empty("sandbox"), names, arrangement, Vec::new())
    }

    fn made(context: Context, names: &[&'static str], arrangement: Arrangement, pinned: Vec<Pinned>) -> Self {
        let clock = Clock::paused(START);
        let versions: Vec<Arc<AtomicU64>> = names.iter().map(|_| Arc::default()).collect();
        let panels = names.iter().zip(&versions);
        let panels = panels.map(|(id, version)| Box::new(Rows::new(id, version.clone())) as Box<dyn Panel>);
        let get = Declaration::new("kubectl", "get", "lists objects")
            .positional(Positional::new(
                "kind",
                OptionKind::Enum(&["deploy", "deployments", "svc"]),
                "what",
            ))
            .option(OptionSpec::new("watch", OptionKind::Bool, "goes on").short('w'))
            .following(&["watch"]);
        let catalogue = Catalogue::new([
            Verb::read(get, Nothing),
            Verb::read(
                Declaration::new("kubectl", "describe", "explains one")
                    .positional(Positional::new("name", OptionKind::String, "which one").optional())
                    .option(OptionSpec::new("output", OptionKind::String, "how").short('o'))
                    .page_with("output", &["yaml"]),
                Nothing,
            ),
            Verb::read(
                Declaration::new("kubectl", "login", "logs in").option(OptionSpec {
                    secret: true,
                    ..OptionSpec::new("token", OptionKind::String, "the token")
                }),
                Nothing,
            ),
            Verb::read(Declaration::new("cogdeck", "help", "explains commands"), Nothing),
            Verb::read(Declaration::new("cogdeck", "pin", "makes a panel of it"), Nothing),
        ]);
        let mut app = App::new(Parts {
            panels: panels.collect(),
            keymap: Keymap::preset("default").unwrap(),
            theme: Theme::standard(),
            clock: clock.clone(),
            user: "maria".into(),
            context: Arc::new(context),
            contexts: vec!["sandbox".into(), "staging".into()],
            catalogue: Arc::new(catalogue),
            can_start_sandbox: true,
            read_only: false,
            arrangement,
            pinned,
            pins: Arc::new(|pinned| Box::new(Rows::new(&pinned.id, Arc::default()))),
        });
        app.open_panels();
        Desk { app, clock, versions }
    }

    fn new() -> Self {
        let mut context = Context::empty("sandbox");
        context.kubernetes.namespace = Some("default".into());
        context.aws.region = Some("ap-southeast-2".into());
        Self::with(context, &["deployments", "rollout", "traffic", "dns", "ec2"])
    }

    /// Types keys: `<enter>` and the like are named keys, all else is typed.
    fn keys(&mut self, script: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut rest = script;
        while let Some(symbol) = rest.chars().next() {
            let named = rest.strip_prefix('<').and_then(|tail| tail.split_once('>'));
            let event = match named {
                Some((name, tail)) => {
                    rest = tail;
                    event(name)
                }
                None => {
                    rest = &rest[symbol.len_utf8()..];
                    KeyEvent::new(KeyCode::Char(symbol), KeyModifiers::NONE)
                }
            };
            effects.extend(self.app.handle(Event::Key(event)));
        }
        effects
    }

    /// Runs a line up to the point where the engine says that it runs; the console's id.
    fn start(&mut self, line: &str) -> u64 {
        let effects = self.keys(&format!("{line}<enter>"));
        let Some(Effect::Start { block, line, .. }) = effects.into_iter().next() else {
            panic!("{line} did not start")
        };
        let event = Event::Started {
            block,
            number: 40 + block,
            line,
            translation: None,
            background: false,
        };
        self.app.handle(event);
        block
    }

    fn item(&mut self, block: u64, record: Value) {
        let event = BlockEvent::Item(Item { record, view: None });
        self.app.handle(Event::Block(block, Box::new(event)));
    }

    fn end(&mut self, block: u64, exit_code: u8) -> Vec<Effect> {
        let ended = Ended {
            exit_code,
            report: None,
            elapsed: Duration::from_millis(310),
        };
        self.app.handle(Event::Block(block, Box::new(BlockEvent::Ended(ended))))
    }

    fn ask(&mut self, block: u64, requirement: Requirement) -> Vec<Effect> {
        self.ask_in(block, requirement, self.app.context.clone())
    }

    fn ask_in(&mut self, block: u64, requirement: Requirement, context: Arc<Context>) -> Vec<Effect> {
        let change = Change {
            verb: "kubectl:delete".into(),
            summary: "delete deployment/inspector".into(),
            target: Target {
                kind: "Deployment".into(),
                scope: "default".into(),
                name: "inspector".into(),
            },
            before: json!({"replicas": 3}),
            after: Value::Null,
            precondition: Value::Null,
            request: Value::Null,
            risk: Risk::Destroy,
            inverse: None,
            recovery: false,
        };
        let plan = Box::new(Plan { changes: vec![change] });
        self.app.handle(Event::Question {
            id: 7,
            block,
            plan,
            requirement,
            context,
        })
    }

    fn screen(&mut self, width: u16, height: u16) -> Vec<String> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        draw(&mut self.app, buffer.area, &mut buffer);
        self.app.drawn();
        rows(&buffer)
    }

    fn shows(&mut self, width: u16, height: u16, text: &str) -> bool {
        self.screen(width, height).iter().any(|row| row.contains(text))
    }
}

fn event(name: &str) -> KeyEvent {
    let (code, modifiers) = match name {
        "enter" => (KeyCode::Enter, KeyModifiers::NONE),
        "tab" => (KeyCode::Tab, KeyModifiers::NONE),
        "esc" => (KeyCode::Esc, KeyModifiers::NONE),
        "up" => (KeyCode::Up, KeyModifiers::NONE),
        "down" => (KeyCode::Down, KeyModifiers::NONE),
        "pgup" => (KeyCode::PageUp, KeyModifiers::NONE),
        "pgdn" => (KeyCode::PageDown, KeyModifiers::NONE),
        "bs" => (KeyCode::Backspace, KeyModifiers::NONE),
        "f1" => (KeyCode::F(1), KeyModifiers::NONE),
        "f5" => (KeyCode::F(5), KeyModifiers::NONE),
        "f8" => (KeyCode::F(8), KeyModifiers::NONE),
        "f9" => (KeyCode::F(9), KeyModifiers::NONE),
        _ => match name
            .split_once('-')
            .and_then(|(modifier, key)| Some((modifier, key.chars().next()?)))
        {
            Some(("ctrl", key)) => (KeyCode::Char(key), KeyModifiers::CONTROL),
            Some(("alt", key)) => (KeyCode::Char(key), KeyModifiers::ALT),
            _ => panic!("no key {name}"),
        },
    };
    KeyEvent::new(code, modifiers)
}

fn quits(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Quit(0)))
}
