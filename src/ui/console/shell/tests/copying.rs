//! Text onto the clipboards.

use super::*;
use crate::ui::console::terminal::COPIED;

#[tokio::test]
async fn records_are_copied_as_json_and_what_is_not_kept_says_so() {
    use base64::Engine;
    let terminal = Terminal::open();
    terminal.line("echo hello");
    terminal.sees("  hello").await;
    terminal.key(KeyCode::Char('1'), KeyModifiers::ALT);
    terminal.key(KeyCode::Char('J'), KeyModifiers::NONE);
    terminal.sees("of JSON copied").await;
    let copied = base64::engine::general_purpose::STANDARD.encode("{\n  \"name\": \"web\"\n}");
    let bytes = String::from_utf8_lossy(&terminal.bytes.0.lock().unwrap()).into_owned();
    assert!(bytes.contains(&format!("\u{1b}]52;c;{copied}")), "on the clipboard");
    terminal.key(KeyCode::Char('i'), KeyModifiers::NONE);
    terminal.line("echo more");
    terminal.sees("  more").await;
    terminal.key(KeyCode::Char('1'), KeyModifiers::ALT);
    terminal.key(KeyCode::Char('J'), KeyModifiers::NONE);
    terminal.sees("gone").await;
    terminal.run.abort();
}

#[tokio::test]
async fn a_program_of_the_operators_gets_the_text_and_one_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clip");
    let argv = ["sh", "-c", "cat > \"$0\"", file.to_str().unwrap()].map(str::to_owned);
    programs::feed(&argv, "copied; rm -rf /".into()).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "copied; rm -rf /");
    let missing = programs::feed(&["no-such-program".to_owned()], String::new()).await;
    assert!(missing.unwrap_err().sentence().contains("no-such-program"));
    let big = "x".repeat(1 << 20);
    assert!(
        programs::feed(&["true".to_owned()], big).await.is_ok(),
        "one that reads nothing does not hold us"
    );
}

#[tokio::test]
async fn what_is_too_long_for_the_terminals_clipboard_is_said_and_not_sent() {
    let fake = Arc::new(Fake::default());
    let (mut shell, _, bytes) = shell(&fake, |_| {});
    let told = |shell: &Shell<Bytes>| {
        let shown = shell
            .app
            .toasts
            .shown()
            .map(|(toast, _)| toast.text.as_str().to_owned());
        shown.unwrap_or_default()
    };
    shell.copy("x".repeat(COPIED + 1), "all of it copied");
    assert!(
        told(&shell).starts_with("not copied: 716801 bytes are too long"),
        "{}",
        told(&shell)
    );
    assert!(bytes.0.lock().unwrap().is_empty(), "nothing is sent");
    shell.copy("x".repeat(COPIED), "all of it copied");
    assert_eq!(told(&shell), "all of it copied, to the terminal's clipboard (OSC 52)");
    let sent = bytes.0.lock().unwrap().len();
    assert!((900 * 1024..1024 * 1024).contains(&sent), "{sent} bytes are sent");
    shell.own.clipboard = Some(vec!["true".to_owned()]);
    shell.copy("x".repeat(1 << 20), "all of it copied");
    assert!(told(&shell).starts_with("all of it copied, by the desktop's clipboard only"));
    assert_eq!(bytes.0.lock().unwrap().len(), sent);
}
