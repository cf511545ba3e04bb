//! Background jobs: one block for a line that is a job and nothing else.

use super::*;

#[tokio::test]
async fn a_line_that_is_one_job_is_one_block_and_is_stopped_as_the_job() {
    let terminal = Terminal::open();
    terminal.line("bg x &");
    terminal.sees("  from the job").await;
    let screen = screen_of(&terminal.bytes.0.lock().unwrap());
    assert_eq!(screen.matches("bg x &").count(), 1, "{screen}");
    assert!(!screen.contains("of the job\n"), "no second block: {screen}");
    assert!(
        screen.contains("running") && screen.contains("#2"),
        "the number of the job: {screen}"
    );
    assert!(!screen.contains("done") && !screen.contains("#1"), "{screen}");
    terminal.key(KeyCode::Char('1'), KeyModifiers::ALT);
    terminal.key(KeyCode::Char('x'), KeyModifiers::NONE);
    terminal.sees("cancelled").await;
    terminal.run.abort();
}

#[tokio::test]
async fn a_job_among_others_has_a_block_of_its_own() {
    let terminal = Terminal::open();
    terminal.line("bg x & echo y");
    terminal.sees("  from the job").await;
    terminal.sees("of the job").await;
    terminal.sees("#1").await;
    terminal.sees("#2").await;
    terminal.run.abort();
}

#[tokio::test]
async fn what_a_job_among_others_asks_is_asked_for_its_own_block_whenever_its_line_ends() {
    for line in ["ask-bg late & echo", "ask-bg early & echo"] {
        let terminal = Terminal::open();
        terminal.line(line);
        terminal.sees("of the job").await;
        if line.contains("late") {
            terminal.sees("done").await;
            terminal.fake.ask.notify_one();
            terminal.sees("delete it").await;
        } else {
            terminal.sees("delete it").await;
            terminal.fake.ask.notify_one();
            terminal.sees("done").await;
        }
        terminal.sees("needs approval").await;
        // What counts as typed too soon after the box came is over.
        tokio::time::sleep(Duration::from_millis(700)).await;
        terminal.key(KeyCode::Enter, KeyModifiers::NONE);
        terminal.sees("  deleted").await;
        terminal
            .waits_for("two ends", |bytes| screen_of(bytes).matches("done").count() == 2)
            .await;
        // Nothing runs any more: it quits without asking.
        terminal.key(KeyCode::Char('d'), KeyModifiers::CONTROL);
        let (code, farewell) = tokio::time::timeout(Duration::from_secs(20), terminal.run)
            .await
            .expect("nothing holds it back")
            .unwrap();
        assert_eq!((code.unwrap(), farewell.as_str()), (0, ""), "{line}");
    }
}
