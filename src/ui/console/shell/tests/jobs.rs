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
