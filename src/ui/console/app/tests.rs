use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Value, json};

use super::*;
use crate::core::change::{Change, Risk};
use crate::feed::{Health, HealthState};
use crate::lang::Stage;
use crate::ui::console::draw::draw;
use crate::ui::panel::testing::rows;
use crate::ui::panel::widgets::table::{Cell, Column, Selection, Table};
use crate::ui::panel::{Effect as PanelEffect, PanelKey};
use crate::verb::{Call, Declaration, Input as Records, OptionKind, Output, Positional, Read, Verb};

const START: Timestamp = Timestamp::UNIX_EPOCH;

struct Nothing;

#[async_trait]
impl Read for Nothing {
    async fn run(&self, _: &Call, _: &mut Records, _: &Output) -> Result<(), Report> {
        Ok(())
    }
}

/// A panel of rows; Enter describes the selected one, `s` composes.
struct Rows {
    id: &'static str,
    rows: Vec<String>,
    selection: Selection,
    version: Arc<AtomicU64>,
    followed: Option<String>,
    state: HealthState,
}

impl Panel for Rows {
    fn id(&self) -> &'static str {
        self.id
    }
    fn title(&self) -> SafeText {
        match &self.followed {
            Some(name) => SafeText::line(&format!("{} of {name}", self.id)),
            None => SafeText::line(&format!("{} {}", self.id, self.rows.len())),
        }
    }
    fn open(&mut self, _: &Arc<Context>) {}
    fn close(&mut self) {}
    fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }
    fn health(&self) -> Vec<(SafeText, Health)> {
        let mut health = Health::loading(START);
        health.data_at = Some(START);
        health.become_state(self.state, None, START);
        vec![("k8s".into(), health)]
    }
    fn focus_on(&mut self, subject: &Target) {
        self.followed = Some(subject.name.clone());
    }
    fn key(&mut self, key: PanelKey) -> Vec<PanelEffect> {
        let row = self.rows.get(self.selection.index()).cloned().unwrap_or_default();
        match key {
            PanelKey::Move(motion) => self.selection.step(motion, self.rows.len(), 5),
            PanelKey::Open => return vec![PanelEffect::Run(Stage::new("kubectl:describe").arg(&row).into())],
            PanelKey::Act("scale") => {
                return vec![PanelEffect::Compose(Stage::new("kubectl:scale").arg(&row).into())];
            }
            _ => {}
        }
        Vec::new()
    }
    fn actions(&self) -> &'static [panel::Action] {
        &[panel::Action {
            name: "scale",
            key: 's',
            word: "scale",
        }]
    }
    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, _: Timestamp) {
        let columns = [Column::new("NAME"), Column::new("READY").right()];
        let row = |at: usize| {
            vec![
                Cell::new(self.rows.get(at).map_or("", String::as_str)),
                Cell::styled("✓ 1/1", Meaning::StateOk),
            ]
        };
        Table {
            columns: &columns,
            count: self.rows.len(),
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
        let clock = Clock::paused(START);
        let versions: Vec<Arc<AtomicU64>> = names.iter().map(|_| Arc::default()).collect();
        let panels = names.iter().zip(&versions).map(|(id, version)| {
            let rows = ["inspector", "web; rm -rf", "世界\u{1b}[31m"]
                .map(str::to_owned)
                .to_vec();
            Box::new(Rows {
                id,
                rows,
                selection: Selection::default(),
                version: version.clone(),
                followed: None,
                state: HealthState::Live,
            }) as Box<dyn Panel>
        });
        let get = Declaration::new("kubectl", "get", "lists objects").positional(Positional::new(
            "kind",
            OptionKind::Enum(&["deploy", "deployments", "svc"]),
            "what",
        ));
        let catalogue = Catalogue::new([
            Verb::read(get, Nothing),
            Verb::read(Declaration::new("kubectl", "describe", "explains one"), Nothing),
            Verb::read(Declaration::new("cogdeck", "help", "explains commands"), Nothing),
        ]);
        let app = App::new(Parts {
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
        });
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

    fn end(&mut self, block: u64, exit_code: u8) {
        let ended = Ended {
            exit_code,
            report: None,
            elapsed: Duration::from_millis(310),
        };
        self.app.handle(Event::Block(block, Box::new(BlockEvent::Ended(ended))));
    }

    fn ask(&mut self, block: u64, requirement: Requirement) {
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
        });
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
        "bs" => (KeyCode::Backspace, KeyModifiers::NONE),
        "f1" => (KeyCode::F(1), KeyModifiers::NONE),
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

#[test]
fn a_typed_line_starts_as_typed_and_its_answer_is_shown() {
    let mut desk = Desk::new();
    let effects = desk.keys("kubectl:get deploy inspector<enter>");
    let [Effect::Start { line, origin, block }] = effects.as_slice() else {
        panic!("one start")
    };
    assert_eq!(
        (line.as_str(), *origin),
        ("kubectl:get deploy inspector", Origin::Typed)
    );
    let block = *block;
    desk.item(block, json!({"name": "inspector", "ready": "1/1"}));
    desk.end(block, 0);
    let screen = desk.screen(120, 40);
    assert!(
        screen
            .iter()
            .any(|row| row.contains("❯ kubectl:get deploy inspector") && row.contains("✓ done 310ms"))
    );
    assert!(screen.iter().any(|row| row.contains("inspector   1/1")), "{screen:#?}");
}

#[test]
fn ctrl_c_cancels_then_kills_and_never_quits_while_anything_runs() {
    let mut desk = Desk::new();
    let block = desk.start("traffic:watch x");
    assert!(matches!(desk.keys("<ctrl-c>").as_slice(), [Effect::Cancel(id)] if *id == block));
    assert!(desk.shows(120, 40, "! stopping"));
    assert!(matches!(desk.keys("<ctrl-c>").as_slice(), [Effect::Kill(id)] if *id == block));
    desk.end(block, 130);
    assert!(desk.keys("<ctrl-c>").is_empty());
    assert!(quits(&desk.keys("<ctrl-c>")));
}

#[test]
fn ctrl_c_forgets_a_typed_line_and_old_warnings() {
    let mut desk = Desk::new();
    assert!(desk.keys("half a line<ctrl-c>").is_empty());
    assert!(desk.app.input.is_empty());
    assert!(desk.keys("<ctrl-c>").is_empty());
    desk.clock.advance(Duration::from_secs(10));
    assert!(desk.keys("<ctrl-c>").is_empty(), "too long ago to mean it");
    assert!(desk.keys("x<bs><ctrl-c>").is_empty(), "something else came between");
}

#[test]
fn ctrl_d_quits_an_idle_empty_line_and_warns_about_jobs() {
    let mut desk = Desk::new();
    assert!(!quits(&desk.keys("x<ctrl-d>")));
    assert!(quits(&desk.keys("<bs><ctrl-d>")));
    let mut desk = Desk::new();
    desk.start("traffic:watch x");
    assert!(!quits(&desk.keys("<ctrl-d>")));
    assert!(desk.shows(120, 40, "1 block runs: ^D again stops and quits"));
    assert!(quits(&desk.keys("<ctrl-d>")));
}

#[test]
fn nothing_configured_offers_the_sandbox_and_enter_starts_it() {
    let mut desk = Desk::with(Context::empty("default"), &["deployments"]);
    assert!(desk.shows(80, 24, "Press Enter to start the built-in sandbox"));
    assert!(matches!(desk.keys("<enter>").as_slice(), [Effect::StartSandbox]));
    assert!(desk.keys("<enter>").is_empty(), "once");
    let failed = Box::new(Report::failed("E-SANDBOX-001", "port 53 is taken"));
    desk.app.handle(Event::Sandbox(Err(failed)));
    assert!(desk.shows(80, 24, "port 53 is taken"));
    assert!(matches!(desk.keys("<enter>").as_slice(), [Effect::StartSandbox]));
    let context = Arc::new(Context::empty("sandbox"));
    let effects = desk.app.handle(Event::Sandbox(Ok(context)));
    assert!(matches!(effects.as_slice(), [Effect::Switch(context)] if context.name == "sandbox"));
    assert!(desk.keys("<enter>").is_empty());
}

#[test]
fn an_approval_has_the_keys_and_its_answer_goes_out() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete deploy inspector");
    desk.ask(block, Requirement::Name("inspector".into()));
    let screen = desk.screen(120, 40).join("\n");
    assert!(
        screen.contains("? needs approval") && screen.contains("approve 1 change, class destroy"),
        "{screen}"
    );
    assert!(screen.contains("- replicas: 3") && screen.contains("cannot be undone"));
    assert!(desk.keys("inspect<enter>").is_empty());
    assert!(desk.shows(120, 40, "that is not inspector"));
    let effects = desk.keys("or<enter>");
    assert!(matches!(effects.as_slice(), [Effect::Answer(7, Decision::Approved(_))]));
    assert!(desk.app.input.is_empty(), "nothing leaked into the input");
}

#[test]
fn an_approval_is_declined_by_esc_ctrl_c_and_never_by_what_is_typed_already() {
    for key in ["<esc>", "<ctrl-c>"] {
        let mut desk = Desk::new();
        let block = desk.start("kubectl:delete x");
        desk.ask(block, Requirement::Enter);
        assert!(matches!(
            desk.keys(key).as_slice(),
            [Effect::Answer(7, Decision::Declined(_))]
        ));
    }
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete x");
    desk.keys("echo hel");
    desk.ask(block, Requirement::Enter);
    let effects = desk.keys("lo<enter>");
    assert!(matches!(effects.as_slice(), [Effect::Start { line, .. }] if line == "echo hello"));
    desk.app.handle(Event::Paste("inspector".into()));
    assert!(desk.app.input.is_empty(), "an approval is not pasted");
    desk.clock.advance(Duration::from_secs(1));
    assert!(matches!(desk.keys("<enter>").as_slice(), [Effect::Answer(..)]));
}

#[test]
fn a_question_nobody_waits_for_goes_away() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete x");
    desk.ask(block, Requirement::Enter);
    desk.app.handle(Event::Withdrawn(7));
    assert!(desk.app.approval().is_none());
    desk.ask(block, Requirement::Enter);
    desk.end(block, 130);
    assert!(desk.app.approval().is_none());
}

#[test]
fn pasted_text_never_runs() {
    let mut desk = Desk::new();
    let pasted = "kubectl:delete deploy x\nkubectl:delete deploy y\n";
    assert!(desk.app.handle(Event::Paste(pasted.into())).is_empty());
    assert_eq!(desk.app.input.text(), pasted.trim_end());
    let effects = desk.app.handle(Event::Paste("x".repeat(2 << 20)));
    assert!(effects.is_empty() && desk.shows(120, 40, "nothing was pasted"));
}

#[test]
fn an_unfinished_line_goes_on_and_a_blank_one_ends_it() {
    let mut desk = Desk::new();
    assert!(desk.keys("echo 'a<enter>").is_empty());
    assert_eq!(desk.app.input.text(), "echo 'a\n");
    assert!(matches!(desk.keys("b'<enter>").as_slice(), [Effect::Start { line, .. }] if line == "echo 'a\nb'"));
    desk.keys("echo 'never closed<enter>");
    assert!(
        matches!(desk.keys("<enter>").as_slice(), [Effect::Start { .. }]),
        "the error is shown then"
    );
}

#[test]
fn tab_completes_and_shows_what_fits() {
    let mut desk = Desk::new();
    desk.keys("he<tab>");
    assert_eq!(desk.app.input.text(), "help ");
    desk.keys("<ctrl-u>kubectl:get d<tab>");
    assert_eq!(desk.app.input.text(), "kubectl:get deploy");
    assert!(desk.shows(120, 40, "deployments"));
    desk.keys("<tab><tab><enter>");
    assert_eq!(desk.app.input.text(), "kubectl:get deployments ");
    desk.keys("s<tab>");
    assert!(desk.app.popup.is_none());
}

#[test]
fn live_objects_come_later_and_old_answers_are_ignored() {
    let mut desk = Desk::new();
    desk.keys("kubectl:get svc <ctrl- >");
    assert!(desk.app.popup.is_none() || desk.app.popup.as_ref().unwrap().pending.is_none());
    let candidate = |value: &str| Candidate {
        value: value.into(),
        note: String::new(),
    };
    desk.app.handle(Event::Candidates(99, vec![candidate("x")]));
    assert_eq!(desk.app.input.text(), "kubectl:get svc ");
}

#[test]
fn keys_on_rows_are_pipelines_in_the_chat_and_names_stay_data() {
    let mut desk = Desk::new();
    desk.screen(120, 40);
    desk.keys("<alt-2>j");
    let effects = desk.keys("<enter>");
    let [Effect::Start { line, origin, .. }] = effects.as_slice() else {
        panic!("one start")
    };
    assert_eq!(
        (line.as_str(), *origin),
        ("kubectl:describe 'web; rm -rf'", Origin::Key)
    );
    assert!(desk.shows(120, 40, "❯ kubectl:describe 'web; rm -rf'"));
    desk.keys("s");
    assert_eq!(desk.app.focus, Focus::Input);
    assert_eq!(desk.app.input.text(), "kubectl:scale 'web; rm -rf' ");
    desk.keys("<ctrl-u><up>");
    assert_eq!(
        desk.app.input.text(),
        "kubectl:describe 'web; rm -rf'",
        "in the history too"
    );
}

#[test]
fn panes_are_reached_by_number_tab_and_left_by_i_colon_and_esc() {
    let mut desk = Desk::new();
    for key in ["i", ":", "<esc>", "q"] {
        desk.keys("<alt-3>");
        assert_eq!(desk.app.focus, Focus::Pane(2));
        desk.keys(key);
        assert_eq!(desk.app.focus, Focus::Input, "{key}");
    }
    let mut seen = Vec::new();
    for _ in 0..7 {
        desk.keys("<tab>");
        seen.push(desk.app.focus);
    }
    use Focus::*;
    assert_eq!(seen, [Pane(1), Pane(2), Pane(3), Pane(4), Pane(5), Pane(0), Input]);
    desk.keys("<alt-9>");
    assert_eq!(desk.app.focus, Input, "there is no pane 9");
}

#[test]
fn the_change_just_made_turns_the_panels_to_it() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:scale deploy inspector --replicas=3");
    desk.item(
        block,
        json!({"kind": "Deployment", "name": "inspector", "namespace": "default", "action": "scaled", "message": "x"}),
    );
    assert!(desk.shows(120, 40, "rollout of inspector"));
}

#[test]
fn help_is_made_from_the_keymap_and_the_panel() {
    let mut desk = Desk::new();
    desk.keys("?");
    assert!(desk.shows(120, 60, "search the history"));
    desk.keys("<esc>x?");
    assert_eq!(desk.app.input.text(), "x?", "typed when something is typed");
    desk.keys("<alt-2>?");
    assert!(desk.shows(120, 60, "scale"));
}

#[test]
fn blocks_are_rerun_edited_and_copied_from_the_chat() {
    let mut desk = Desk::new();
    let block = desk.start("echo one");
    desk.item(block, json!({"line": "one", "source": "x"}));
    desk.end(block, 0);
    desk.keys("<alt-1>");
    assert!(matches!(desk.keys("y").as_slice(), [Effect::Copy(text)] if text == "one\n"));
    assert!(
        matches!(desk.keys(".").as_slice(), [Effect::Start { line, origin: Origin::Key, .. }] if line == "echo one")
    );
    desk.keys("e");
    assert_eq!(
        (desk.app.input.text().as_str(), desk.app.focus),
        ("echo one", Focus::Input)
    );
}

#[test]
fn history_keeps_no_line_that_starts_with_a_blank() {
    let mut desk = Desk::new();
    desk.keys("echo a<enter> echo secret<enter><up>");
    assert_eq!(desk.app.input.text(), "echo a");
}

#[test]
fn a_frame_is_due_only_when_something_moved() {
    let mut desk = Desk::new();
    desk.screen(120, 40);
    assert!(!desk.app.is_dirty());
    desk.versions[2].fetch_add(1, Ordering::Relaxed);
    assert!(desk.app.is_dirty());
    desk.screen(120, 40);
    assert!(!desk.app.is_dirty());
    desk.keys("x");
    assert!(desk.app.is_dirty());
}

#[test]
fn the_screens_at_the_three_sizes() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:get deploy");
    desk.item(block, json!({"name": "inspector", "ready": "1/1"}));
    desk.end(block, 0);
    desk.clock.advance(Duration::from_secs(2));
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let screen = desk.screen(width, height);
        let text = screen.join("\n");
        assert!(screen[0].starts_with(" sandbox │ default │ rw"), "{text}");
        assert!(screen[0].ends_with("✓ k8s live 2s"), "{text}");
        assert!(screen[usize::from(height) - 1].contains("? help"), "{text}");
        assert!(text.contains("2 deployments 3"), "{text}");
        assert_eq!(
            text.matches("✓ 1/1").count(),
            if width < 100 { 0 } else { 15 },
            "{text}"
        );
        assert_eq!(screen.iter().any(|row| row.contains('╭')), height >= 30);
    }
}

#[test]
fn forty_by_twelve_is_usable() {
    let mut desk = Desk::new();
    let block = desk.start("echo hi");
    desk.item(block, json!({"line": "hi", "source": "x"}));
    desk.end(block, 0);
    let screen = desk.screen(40, 12).join("\n");
    assert!(
        screen.contains("❯ echo hi") && screen.contains("\n   hi") || screen.contains("  hi"),
        "{screen}"
    );
    desk.keys("<alt-2>");
    assert!(desk.shows(40, 12, "inspector"));
    for (width, height) in [(1, 1), (10, 3), (20, 5), (21, 6), (39, 8), (300, 80)] {
        desk.screen(width, height);
        desk.keys("?");
        desk.screen(width, height);
        desk.keys("<esc><alt-3>");
        desk.screen(width, height);
        desk.keys("i<ctrl- >");
        desk.screen(width, height);
        desk.keys("<esc>");
    }
}

#[test]
fn the_selected_row_is_reversed_with_and_without_colour() {
    for theme in [
        Theme::standard(),
        Theme::standard().without_color(),
        Theme::preset("mono").unwrap(),
    ] {
        let mut desk = Desk::new();
        desk.app.theme = theme;
        desk.keys("<alt-2>j");
        let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 40));
        draw(&mut desk.app, buffer.area, &mut buffer);
        let reversed: String = buffer
            .content()
            .iter()
            .filter(|cell| cell.modifier.contains(ratatui::style::Modifier::REVERSED))
            .map(|cell| cell.symbol())
            .collect();
        assert!(reversed.starts_with("web; rm -rf"), "{reversed}");
    }
}

#[test]
fn production_and_read_only_are_said_in_words() {
    let mut context = Context::empty("eu\u{1b}[31m-1");
    (context.production, context.read_only) = (true, true);
    context.aws.region = Some("x".into());
    let mut desk = Desk::with(context, &["deployments"]);
    let top = desk.screen(120, 40)[0].clone();
    assert!(top.contains("PROD eu␛[31m-1") && top.contains("! read-only"), "{top}");
}
