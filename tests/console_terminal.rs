//! How the console leaves the terminal, in a real one: signals, Ctrl-Z and back, a panic in a panel. Not for what it
//! draws, and not for the exits by key, which the demo's test takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "console_terminal/stopping.rs"]
mod stopping;
mod support;

use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cogdeck::core::change::Origin;
use cogdeck::core::clock::Clock;
use cogdeck::core::context::Context;
use cogdeck::core::report::Report;
use cogdeck::core::text::SafeText;
use cogdeck::feed::Hub;
use cogdeck::ui::console::{BlockEvent, Console, ConsoleConfig, Earlier, Events, Keymap, Observed, Runner, Running};
use cogdeck::ui::panel::{Effect, Panel, PanelKey, Sourced, Theme};
use cogdeck::verb::{Catalogue, Operator};
use support::process::COGDECK;
use support::require;
use support::terminal::{Key, Terminal};

const SOON: Duration = Duration::from_secs(30);

/// A program in a shell that tells afterwards how it found the terminal.
fn in_a_shell(script: &str, program: &str) -> Terminal {
    let shell = require("bash").expect("every Debian has bash");
    Terminal::spawn(shell, &["--norc", "-c", script, program], &[], 100, 40)
}

const AND_THEN: &str = r#"code=$?; stty -a; echo "ended with $code""#;

fn is_clean(terminal: &Terminal) {
    let view = terminal.view();
    assert!(!view.alternate_screen(), "the main screen is back");
    assert!(!view.hide_cursor(), "the cursor is visible");
    assert!(!view.bracketed_paste() && view.mouse_protocol_mode() == vt100::MouseProtocolMode::None);
    let settings = terminal.screen();
    for mode in ["icanon", "echo", "isig", "icrnl", "opost"] {
        let mut words = settings.split_whitespace().map(|word| word.trim_end_matches(';'));
        assert!(words.any(|word| word == mode), "{mode} is on again: {settings}");
    }
}

fn ends_by(signal: &str, code: &str) {
    let console = r#"bash --norc -c 'echo $$ > "$HOME/pid"; exec "$0" --sandbox' "$0""#;
    let mut terminal = in_a_shell(&format!("{console}; {AND_THEN}"), COGDECK);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    let job = start_job(&terminal);
    support::signal(number_in(&terminal, "pid"), signal);
    let screen = terminal
        .wait_for_text(&format!("ended with {code}"), SOON)
        .expect("the shell after the console");
    assert!(screen.contains("cogdeck: stopped"), "what ran is named: {screen}");
    terminal.exit_status(SOON).expect("its end");
    is_clean(&terminal);
    ends(job, "what ran");
}

/// A command in the background that writes its process id; it ends by itself long after the test.
fn start_job(terminal: &Terminal) -> u32 {
    terminal.type_text("sh 'echo $$ > \"$HOME/job\"; exec sleep 300' &\n");
    terminal.wait_for_text("1 running", SOON).expect("a job");
    number_in(terminal, "job")
}

/// The process id in a file of the program's home, once it is there.
fn number_in(terminal: &Terminal, file: &str) -> u32 {
    let path = terminal.home().join(file);
    let deadline = Instant::now() + SOON;
    loop {
        let read = std::fs::read_to_string(&path).ok();
        if let Some(number) = read.and_then(|text| text.trim().parse().ok()) {
            return number;
        }
        assert!(Instant::now() < deadline, "no number in {file}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the process is gone, or dead and not yet fetched.
fn ends(pid: u32, what: &str) {
    let lives = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
        state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
    };
    let deadline = Instant::now() + SOON;
    while lives() {
        assert!(Instant::now() < deadline, "{what} goes on as process {pid}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_closed_terminal_ends_the_console_and_what_it_runs() {
    // A terminal of its own inside this one, closed from the outside: nobody sends the console a signal but the kernel.
    let script = require("script").expect("every Debian has script");
    let inner = r#"sh -c 'echo $$ > "$HOME/pid"; exec "$0" --sandbox' "$COGDECK""#;
    let terminal = Terminal::spawn(script, &["-qec", inner, "/dev/null"], &[("COGDECK", COGDECK)], 100, 40);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    let job = start_job(&terminal);
    support::signal(terminal.pid().expect("it runs"), "KILL");
    ends(number_in(&terminal, "pid"), "the console");
    ends(job, "what it ran");
}

#[test]
fn sigterm_leaves_a_clean_terminal_and_says_what_it_stopped() {
    ends_by("TERM", "143");
}

#[test]
fn sighup_leaves_a_clean_terminal_and_says_what_it_stopped() {
    ends_by("HUP", "129");
}

/// Between its first frame, which takes the terminal, and its loop there are some milliseconds.
#[test]
fn sigterm_while_it_opens_leaves_a_clean_terminal() {
    let console = r#"bash --norc -c 'echo $$ > "$HOME/pid"; exec "$0"' "$0""#;
    for attempt in 0..16 {
        let mut terminal = in_a_shell(&format!("{console}; {AND_THEN}"), COGDECK);
        let pid = number_in(&terminal, "pid");
        let taken = terminal.wait_for(|_| terminal.view().alternate_screen(), SOON);
        taken.expect("the first frame");
        std::thread::sleep(Duration::from_micros(500) * attempt);
        support::signal(pid, "TERM");
        let screen = terminal.wait_for_text("ended with", SOON).expect("the shell");
        assert!(screen.contains("ended with 143"), "{screen}");
        terminal.exit_status(SOON).expect("its end");
        is_clean(&terminal);
    }
}

#[test]
fn a_signal_ends_the_console_while_an_editor_has_the_terminal_and_jobs_went_on_beside_it() {
    let editor = r#"EDITOR='sh -c "echo $$ > $HOME/editor; exec sleep 300"'"#;
    let console = r#"bash --norc -c 'echo $$ > "$HOME/pid"; exec "$0" --sandbox' "$0""#;
    for (signal, code) in [("TERM", "143"), ("HUP", "129")] {
        let mut terminal = in_a_shell(&format!("{editor} {console}; {AND_THEN}"), COGDECK);
        terminal
            .wait_for_text("Pipelines run in sandbox", SOON)
            .expect("the console");
        let job = start_job(&terminal);
        // More than all that could hold it while nobody reads: once the editor has the terminal.
        let begins = r#"until [ -e "$HOME/editor" ]; do sleep 0.1; done"#;
        terminal.type_text(&format!("sh '{begins}; seq 60000; echo 1 > \"$HOME/read\"' &\n"));
        terminal.wait_for_text("2 running", SOON).expect("another job");
        terminal.type_text("echo");
        terminal.key(Key::Ctrl('g'));
        let editor = number_in(&terminal, "editor");
        number_in(&terminal, "read");
        support::signal(number_in(&terminal, "pid"), signal);
        let screen = terminal
            .wait_for_text(&format!("ended with {code}"), SOON)
            .expect("the shell after the console");
        assert!(screen.contains("cogdeck: stopped"), "what ran is named: {screen}");
        terminal.exit_status(SOON).expect("its end");
        is_clean(&terminal);
        ends(job, "what ran");
        ends(editor, "the editor");
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let script = format!(r#"set -m; "$0" --sandbox; stty -a; echo "it is stopped"; read -r; fg; {AND_THEN}"#);
    let mut terminal = in_a_shell(&script, COGDECK);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    terminal.type_text("echo not yet run");
    terminal.wait_for_text("echo not yet run", SOON).expect("typed");
    terminal.key(Key::Ctrl('z'));
    terminal.wait_for_text("it is stopped", SOON).expect("the shell");
    is_clean(&terminal);
    terminal.key(Key::Enter);
    terminal
        .wait_for(
            |screen| screen.contains("echo not yet run") && screen.contains("Pipelines run"),
            SOON,
        )
        .expect("the console as it was");
    assert!(terminal.view().alternate_screen() && terminal.view().bracketed_paste());
    terminal.key(Key::Ctrl('u'));
    terminal.key(Key::Ctrl('d'));
    terminal.wait_for_text("ended with 0", SOON).expect("its end");
    terminal.exit_status(SOON).expect("its end");
    is_clean(&terminal);
}

/// A console that was left by the answer "detach" while a job runs, which does this as soon as it is left.
fn detached_from(then: &str) -> Terminal {
    let terminal = in_a_shell(&format!(r#""$0" --sandbox; {AND_THEN}"#), COGDECK);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    let begins = r#"until [ -e "$HOME/left" ]; do sleep 0.1; done"#;
    terminal.type_text(&format!("sh '{begins}; {then}' &\n"));
    terminal.wait_for_text("1 running", SOON).expect("a job");
    terminal.key(Key::Ctrl('d'));
    terminal
        .wait_for_text("detach: leave the screen", SOON)
        .expect("the question");
    terminal.type_text("d");
    terminal
        .wait_for_text("cogdeck: waits for", SOON)
        .expect("what it waits for");
    std::fs::write(terminal.home().join("left"), "").expect("a file for the job");
    terminal
}

#[test]
fn a_console_left_detached_ends_when_its_job_has_ended() {
    let mut terminal = detached_from("echo over");
    let screen = terminal.wait_for_text("ended with 0", SOON).expect("its end");
    assert!(screen.contains("cogdeck: done #"), "how the job ended: {screen}");
    assert!(!screen.contains("cogdeck: stopped"), "nothing was stopped: {screen}");
    terminal.exit_status(SOON).expect("its end");
    is_clean(&terminal);
}

#[test]
fn a_console_left_detached_tells_why_its_job_failed_and_fails_with_it() {
    let mut terminal = detached_from("seq 101 130; exit 3");
    let screen = terminal.wait_for_text("ended with 1", SOON).expect("its end");
    for word in ["cogdeck: failed #", "earlier lines", "  130\n", "error[E-"] {
        assert!(screen.contains(word), "{word}: {screen}");
    }
    let code = screen.lines().find(|row| row.starts_with("ended with"));
    assert_eq!(code.map(str::trim_end), Some("ended with 1"));
    terminal.exit_status(SOON).expect("its end");
    is_clean(&terminal);
}

#[test]
fn the_transcript_and_the_pager_get_what_was_said() {
    let console = r#"PAGER='sh -c "cat > $HOME/paged"' "$0" --sandbox"#;
    let mut terminal = in_a_shell(&format!("{console}; {AND_THEN}"), COGDECK);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    terminal.type_text("echo said before\n");
    terminal.wait_for_text("  said before", SOON).expect("the answer");
    terminal.key(Key::Alt('1'));
    terminal.wait_for_text("open/fold", SOON).expect("the chat's keys");
    let mark = terminal.mark();
    terminal.type_text("o");
    let paged = terminal.home().join("paged");
    let there = |_: &str| std::fs::read_to_string(&paged).is_ok_and(|text| text == "said before\n");
    terminal.wait_for(there, SOON).expect("the pager read the block");
    // The same text stood there before the pager had the terminal.
    let again = || String::from_utf8_lossy(&terminal.raw_output_since(mark)).contains("\x1b[?1049h");
    terminal
        .wait_for(|screen| again() && screen.contains("open/fold"), SOON)
        .expect("the console is back");
    terminal.key(Key::Alt('t'));
    terminal
        .wait_for_text("the transcript is on the terminal's own screen", SOON)
        .expect("the word about it");
    terminal.type_text("i");
    terminal.key(Key::Ctrl('d'));
    let screen = terminal.wait_for_text("ended with 0", SOON).expect("its end");
    assert!(screen.contains("> echo said before"), "still there: {screen}");
    terminal.exit_status(SOON).expect("its end");
    is_clean(&terminal);
}

#[test]
fn a_panic_in_a_panel_leaves_a_clean_terminal_and_its_message() {
    let this = std::env::current_exe().expect("this test");
    let script = format!(r#""$0" --ignored --exact --nocapture a_console_whose_panel_breaks; {AND_THEN}"#);
    let mut terminal = in_a_shell(&script, this.to_str().expect("a path in UTF-8"));
    terminal.wait_for_text("press a key", SOON).expect("the console");
    terminal.type_text("work\n");
    terminal.wait_for_text("1 running", SOON).expect("a block");
    let job = number_in(&terminal, "job");
    terminal.key(Key::Alt('2'));
    terminal.type_text("j");
    let screen = terminal.wait_for_text("ended with 101", SOON).expect("the shell");
    assert!(screen.contains("this panel is broken"), "{screen}");
    assert!(
        screen.contains("cogdeck: stopped #1 work"),
        "what ran is named: {screen}"
    );
    ends(job, "what ran");
    terminal.exit_status(SOON).expect("its end");
    is_clean(&terminal);
}

/// Runs one command that does not end by itself.
#[derive(Default)]
struct Busy {
    child: Arc<Mutex<Option<Child>>>,
}

/// Says nothing, for ever.
struct Silent;

#[async_trait::async_trait]
impl Events for Silent {
    async fn next(&mut self) -> Option<BlockEvent> {
        std::future::pending().await
    }
}

#[async_trait::async_trait]
impl Runner for Busy {
    fn start(&self, line: &str, operator: Arc<dyn Operator>) -> Result<Running, Report> {
        assert_eq!(operator.origin(), Origin::Typed);
        let child = Command::new("sleep").arg("300").spawn().expect("a command");
        let file = std::path::PathBuf::from(std::env::var_os("HOME").expect("a home")).join("job");
        std::fs::write(file, child.id().to_string()).expect("its process id");
        *self.child.lock().unwrap() = Some(child);
        Ok(Running {
            number: 1,
            line: line.to_owned(),
            translation: None,
            background: false,
            events: Box::new(Silent),
            cancel: Arc::new(|| ()),
        })
    }
    fn hidden(&self, line: &str) -> String {
        line.to_owned()
    }
    fn problem(&self, _: &str) -> Option<Report> {
        None
    }
    fn observe(&self, _: &str, _: &Arc<Context>) -> Result<Observed, Report> {
        Err(Report::refused("E-TEST-001", "nothing runs here"))
    }
    fn context(&self) -> Arc<Context> {
        let mut context = Context::empty("test");
        context.aws.region = Some("somewhere".to_owned());
        Arc::new(context)
    }
    fn find_context(&self, _: &str) -> Option<Arc<Context>> {
        None
    }
    fn meant_by(&self, _: &str) -> Option<Arc<Context>> {
        None
    }
    fn switch(&self, _: Arc<Context>, _: Vec<Arc<Context>>) {}
    fn open_until(&self, _: Option<jiff::Timestamp>) {}
    fn catalogue(&self) -> Arc<Catalogue> {
        Arc::default()
    }
    fn contexts(&self) -> Vec<String> {
        Vec::new()
    }
    async fn history(&self, _: usize) -> Result<Vec<Earlier>, Report> {
        Ok(Vec::new())
    }
    fn records(&self, _: u64) -> Result<Arc<Vec<serde_json::Value>>, String> {
        Err("nothing ran".to_owned())
    }

    fn stop_all(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().expect("it ran");
            child.wait().expect("its end");
        }
    }
}

/// Breaks at the first key.
struct Broken;

impl Panel for Broken {
    fn id(&self) -> &'static str {
        "broken"
    }
    fn title(&self) -> SafeText {
        "press a key".into()
    }
    fn open(&mut self, _: &Arc<Context>) {}
    fn close(&mut self) {}
    fn version(&self) -> u64 {
        0
    }
    fn health(&self) -> Vec<Sourced> {
        Vec::new()
    }
    fn key(&mut self, _: PanelKey) -> Vec<Effect> {
        panic!("this panel is broken")
    }
    fn draw(
        &mut self,
        _: ratatui::layout::Rect,
        _: &mut ratatui::buffer::Buffer,
        _: &Theme,
        _: bool,
        _: jiff::Timestamp,
    ) {
    }
}

#[test]
#[ignore = "run in a terminal by the test of a panic"]
fn a_console_whose_panel_breaks() {
    let clock = Clock::real();
    let config = ConsoleConfig {
        runner: Arc::new(Busy::default()),
        hub: Hub::new(clock.clone()),
        panels: vec![Box::new(Broken)],
        theme: Theme::standard(),
        themes: Arc::new(|name: &str| Ok((Theme::preset(name)?, Vec::new()))),
        by_background: None,
        keymap: Keymap::preset("default").unwrap(),
        clock,
        user: "test".to_owned(),
        read_only: false,
        sandbox: None,
        programs: Default::default(),
        dresses: None,
        remote: false,
        arrangement: cogdeck::ui::console::arrangement::Arrangement::default(),
        pinned: Vec::new(),
        remember: None,
        behind: None,
        remarks: Vec::new(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(Console::open(config).unwrap().run()).unwrap();
}
