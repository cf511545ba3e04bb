//! How the console is left: by key, with questions open, with a panel that breaks, with an answer on its way.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use super::*;

#[tokio::test]
async fn what_runs_at_the_end_is_stopped_and_named() {
    let terminal = Terminal::open();
    terminal.line("watch");
    terminal.sees("running").await;
    terminal.key(KeyCode::Char('d'), KeyModifiers::CONTROL);
    terminal.key(KeyCode::Char('d'), KeyModifiers::CONTROL);
    let (code, farewell) = terminal.run.await.unwrap();
    assert_eq!((code.unwrap(), farewell.as_str()), (0, "cogdeck: stopped #1 watch\n"));
    assert!(*terminal.fake.stopped.lock().unwrap());
}

#[tokio::test]
async fn what_asks_while_nobody_looks_is_declined_and_comes_to_its_end() {
    let terminal = Terminal::open();
    terminal.line("later x");
    terminal.sees("running").await;
    terminal.key(KeyCode::Char('d'), KeyModifiers::CONTROL);
    terminal.sees("detach").await;
    // One question while the menu is open, which nobody sees; the other after the screen is gone.
    terminal.fake.ask.notify_one();
    terminal.sees("1 to approve").await;
    terminal.key(KeyCode::Char('d'), KeyModifiers::NONE);
    let ask = terminal.fake.ask.clone();
    let Terminal { run, keys, .. } = terminal;
    let ends = async {
        let mut run = run;
        loop {
            ask.notify_one();
            if let Ok(ended) = tokio::time::timeout(Duration::from_millis(50), &mut run).await {
                return ended.unwrap();
            }
        }
    };
    let (code, farewell) = tokio::time::timeout(Duration::from_secs(20), ends)
        .await
        .expect("a block waits for an answer that nobody can give");
    assert_eq!((code.unwrap(), farewell.as_str()), (0, ""));
    drop(keys);
}

#[tokio::test]
async fn a_terminal_that_is_gone_ends_the_console() {
    let terminal = Terminal::open();
    drop(terminal.keys);
    assert_eq!(terminal.run.await.unwrap().0.unwrap(), 129);
}

/// A panel that is broken: it cannot even be closed.
struct Broken;

impl Panel for Broken {
    fn id(&self) -> &str {
        "broken"
    }
    fn title(&self) -> SafeText {
        "broken".into()
    }
    fn open(&mut self, _: &Arc<Context>) {}
    fn close(&mut self) {
        panic!("broken again");
    }
    fn version(&self) -> u64 {
        0
    }
    fn health(&self) -> Vec<crate::ui::panel::Sourced> {
        Vec::new()
    }
    fn key(&mut self, _: crate::ui::panel::PanelKey) -> Vec<crate::ui::panel::Effect> {
        Vec::new()
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

#[tokio::test]
async fn a_panel_that_breaks_while_it_is_closed_takes_no_last_words_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let layout = folder.path().join("layout.toml");
    let fake = Arc::new(Fake::default());
    let remembered = layout.clone();
    let (mut shell, (typing, keys), _) = shell(&fake, move |config| {
        config.panels = vec![Box::new(Broken)];
        config.remember = Some(remembered);
    });
    let mut keys = Some(keys);
    type_line(&typing, "watch");
    // What is remembered last is only written at the end.
    type_line(&typing, ":layout reset");
    for _ in 0..2 {
        let leave = KeyEvent::new(KeyCode::Char('d'), KeyModifiers::CONTROL);
        typing.send(Ok(TerminalEvent::Key(leave))).unwrap();
    }
    assert_eq!(shell.run(|| Ok(keys.take().unwrap())).await.unwrap(), 0);
    let mut farewell = Vec::new();
    let broke = AssertUnwindSafe(shell.close(&mut farewell)).catch_unwind().await;
    assert!(broke.is_err(), "the panel breaks");
    assert_eq!(String::from_utf8(farewell).unwrap(), "cogdeck: stopped #1 watch\n");
    assert!(layout.exists(), "the layout is written");
}

/// The answer comes between the key that leaves and the end, whatever the machine's load: the stream says when.

#[tokio::test]
async fn an_answer_on_its_way_is_waited_for_before_the_terminal_is_given_back() {
    let begins = KeyEvent::new(KeyCode::Char(']'), KeyModifiers::ALT);
    let ends = KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL);
    let body = "11;rgb:fdfd/f6f6/e3e3"
        .chars()
        .map(|symbol| KeyCode::Char(symbol).into());
    let answer: Vec<KeyEvent> = std::iter::once(begins).chain(body).chain([ends]).collect();
    for answer in [answer, Vec::new()] {
        let (fake, theme) = (Arc::new(Fake::default()), Theme::standard());
        let (mut shell, _, _) = shell(&fake, |config| {
            config.by_background = Some(ByBackground {
                dark: theme.clone(),
                light: theme,
            });
        });
        let leave = KeyEvent::new(KeyCode::Char('d'), KeyModifiers::CONTROL);
        // Nothing in between: by then the console has taken in all that was there, and leaves.
        let mut keys: VecDeque<Option<KeyEvent>> = [Some(leave), None].into();
        keys.extend(answer.iter().copied().map(Some));
        let never = answer.is_empty();
        let left = Mutex::new(keys);
        let mut events = Some(futures::stream::poll_fn(|context| {
            match left.lock().unwrap().pop_front() {
                Some(Some(key)) => Poll::Ready(Some(Ok(TerminalEvent::Key(key)))),
                Some(None) => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                None => Poll::Pending,
            }
        }));
        let begun = Instant::now();
        assert_eq!(shell.run(|| Ok(events.take().unwrap())).await.unwrap(), 0);
        assert_eq!(left.lock().unwrap().len(), 0, "nothing is left to the shell");
        assert!(
            !never || begun.elapsed() >= Duration::from_millis(500),
            "it was waited for"
        );
    }
}

#[tokio::test]
async fn who_left_gets_no_panel_and_nothing_is_watched_for_him() {
    let fake = Arc::new(Fake::default());
    let (mut shell, ..) = shell(&fake, |_| {});
    shell.app.open_panels();
    let pin = |line: &str| crate::verb::operator::Pin {
        line: line.into(),
        every: Duration::from_secs(1),
    };
    let (answer, named) = tokio::sync::oneshot::channel();
    shell.request(Request::Pin(pin("echo here"), answer));
    assert_eq!(named.await.unwrap().unwrap(), "pin1");
    let runs = || fake.started.lock().unwrap().len();
    for _ in 0..3_000 {
        if runs() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(runs() > 0, "it runs while somebody looks");
    shell.wait_for_the_rest().await.unwrap();
    let so_far = runs();
    let (answer, named) = tokio::sync::oneshot::channel();
    shell.answer_alone(Request::Pin(pin("echo later"), answer));
    assert_eq!(named.await.unwrap().unwrap_err().code, "E-CONSOLE-003");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(runs(), so_far, "every second would be more by now");
}
