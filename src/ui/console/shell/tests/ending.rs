//! Blocks that are ended by key.

use super::*;

#[tokio::test]
async fn what_a_killed_block_still_did_is_told_and_nothing_waits_for_it() {
    let terminal = Terminal::open();
    let interrupt = || terminal.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    terminal.line("stubborn x");
    terminal.sees("running").await;
    interrupt();
    terminal.sees("stopping").await;
    interrupt();
    terminal.sees("not waited for any more").await;
    terminal.sees("cancelled").await;
    terminal.fake.ask.notify_one();
    terminal.sees("undo 7 takes it back").await;
    terminal.line("stubborn y");
    terminal.sees("#2").await;
    interrupt();
    terminal.sees("stopping").await;
    interrupt();
    terminal
        .waits_for("another end", |bytes| {
            screen_of(bytes).matches("not waited for any more").count() == 2
        })
        .await;
    terminal.key(KeyCode::Char('d'), KeyModifiers::CONTROL);
    let (code, farewell) = tokio::time::timeout(Duration::from_secs(20), terminal.run)
        .await
        .expect("it quits without asking")
        .unwrap();
    assert_eq!((code.unwrap(), farewell.as_str()), (0, ""));
}
