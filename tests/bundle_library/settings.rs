//! What a bundle is configured with: layers, and secrets that are never seen.

use std::process::{Command, Stdio};

use super::Home;
use super::support::process::COGDECK;
use serde_json::json;

#[test]
fn b8_b9_b11_layers_are_merged_shown_without_secrets_and_enforced_before_anything_runs() {
    let mut home = Home::new();
    let config = "config:\n  env:\n  - {var: TOKEN, description: of the account}\n  - {var: REGION, description: optional place}\n";
    let file = home.demo(
        "0.1.0",
        "[ -z \"$1\" ] || echo \"of $TOKEN\" >&2; echo \"$TOKEN $REGION\"",
        config,
    );
    home.install(&file);
    home.done("bundle enable demo");
    // A later stage that lacks its configuration: nothing runs, the first stage neither.
    let stderr = home.refused("echo before > file:ran.txt ; demo:greet");
    assert!(
        stderr.contains("E-BUNDLE-011") && stderr.contains("TOKEN") && !stderr.contains("REGION"),
        "{stderr}"
    );
    assert!(!home.folder.path().join("ran.txt").exists());
    home.done("bundle config set demo TOKEN --value t-base");
    home.done("bundle config set demo REGION --value base");
    home.done("bundle config set demo REGION --value ops --layer room/ops");
    home.done("bundle config set demo REGION --value ana --layer user/ana");
    home.done("bundle config set demo REGION --value bob --layer user/bob");
    assert_eq!(home.done("demo:greet"), "t-base ana\n");
    // What was set in plain words is no secret anywhere.
    let (_, _, stderr) = home.run("demo:greet t-base-is-said");
    assert!(
        stderr.contains("note: of t-base") && !stderr.contains("•••"),
        "{stderr}"
    );
    home.done("bundle config unset demo REGION --layer user/ana");
    assert_eq!(home.done("demo:greet"), "t-base base\n");
    let (_, stdout, _) = home.cogdeck(&["run", "--room", "ops", "demo:greet"]);
    assert_eq!(stdout, "t-base ops\n");
    home.variables
        .push(("COGDECK_BUNDLE_DEMO__REGION".to_owned(), "here-and-now".to_owned()));
    assert_eq!(home.done("demo:greet"), "t-base here-and-now\n");
    let shown = home.records("bundle config demo --user bob | jq -c '[.variable, .value, .layer]'");
    assert_eq!(
        shown,
        [
            json!(["REGION", "•••", "environment"]),
            json!(["TOKEN", "t-base", "base"])
        ]
    );
    assert!(!home.done("bundle config demo --all").contains("here-and-now"));
    assert!(
        home.refused("bundle config set demo COG_USERNAME --value root")
            .contains("E-BUNDLE-049")
    );
    assert!(
        home.refused("bundle config set demo X --value 1 --layer team/x")
            .contains("room/NAME")
    );
}

#[test]
fn b10_secrets_are_kept_encrypted_or_not_at_all() {
    let home = Home::new();
    let file = home.demo(
        "0.1.0",
        "test \"$TOKEN\" = tok-123456 && echo same",
        "config: {env: [{var: TOKEN}]}\n",
    );
    home.install(&file);
    home.done("bundle enable demo");
    std::fs::write(home.folder.path().join("token"), "tok-123456\n").unwrap();
    let set = "bundle config set demo TOKEN --secret @token";
    let stderr = home.refused(set);
    assert!(
        stderr.contains("E-SECRET-001") && stderr.contains("cogdeck bundle keygen"),
        "{stderr}"
    );
    let (code, stdout, _) = home.cogdeck(&["bundle", "keygen"]);
    assert!(code == Some(0) && stdout.contains("identity.txt"), "{stdout}");
    assert_ne!(
        home.cogdeck(&["bundle", "keygen"]).0,
        Some(0),
        "a key is never replaced"
    );
    home.done(set);
    assert_eq!(home.done("demo:greet"), "same\n");
    // Neither shown, nor in the journal, nor in any file of ours.
    for line in ["bundle config demo", "bundle config demo --all", "audit", "history"] {
        assert!(!home.done(line).contains("tok-123456"), "{line}");
    }
    let state = home.folder.path().join(".local/state/cogdeck");
    for file in std::fs::read_dir(&state).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&bytes).contains("tok-123456"),
            "{}",
            path.display()
        );
    }
    // Without the key the value is not replaced by another, and nothing runs.
    std::fs::remove_file(home.folder.path().join(".config/cogdeck/identity.txt")).unwrap();
    assert!(home.refused("demo:greet").contains("cannot be decrypted"));
}

#[test]
fn b10_standard_input_is_a_secret_for_one_line_only() {
    let home = Home::new();
    let reply = "echo \"$TOKEN+$OTHER\"";
    home.install(&home.demo("0.1.0", reply, "config: {env: [{var: TOKEN}, {var: OTHER}]}\n"));
    home.done("bundle enable demo");
    home.cogdeck(&["bundle", "keygen"]);
    home.done("bundle config set demo OTHER --value none");
    let set = |variable: &str| format!("bundle config set demo {variable} --secret -\n");
    std::fs::write(home.folder.path().join("both.cog"), set("TOKEN") + &set("OTHER")).unwrap();
    let mut child = Command::new(COGDECK)
        .args(["run", "-f", "both.cog"])
        .current_dir(home.folder.path())
        .env_clear()
        .env("HOME", home.folder.path())
        .env("USER", "ana")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"tok-123456\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains("E-SECRET-007"), "{stderr}");
    assert_eq!(home.done("demo:greet"), "tok-123456+none\n");
}

#[test]
fn b10_a_secret_is_asked_for_unseen_or_read_and_refused_where_nobody_can_be_asked() {
    use crate::support::terminal::{Key, Terminal};
    let home = Home::new();
    let reply = "test \"$TOKEN\" = tok-123456 && echo same || echo other";
    home.install(&home.demo("0.1.0", reply, "config: {env: [{var: TOKEN}]}\n"));
    home.done("bundle enable demo");
    home.cogdeck(&["bundle", "keygen"]);
    // Nobody to ask: refused before anything runs, and the ways that are left are named.
    let asking = "bundle config set demo TOKEN --secret";
    let stderr = home.refused(asking);
    assert!(stderr.contains("E-SECRET-007") && stderr.contains("@FILE"), "{stderr}");
    for (wrong, why) in [
        ("@nowhere", "cannot be read"),
        ("@/dev/zero", "no file"),
        ("@.", "no file"),
    ] {
        let stderr = home.refused(&format!("{asking} {wrong}"));
        assert!(
            stderr.contains("E-SECRET-008") && stderr.contains(why),
            "{wrong}: {stderr}"
        );
    }
    // A variable's value is data: it never names a file.
    std::fs::write(home.folder.path().join("token"), "tok-123456\n").unwrap();
    home.done("let place = seed '{\"v\": \"@token\"}' ; bundle config set demo TOKEN --secret=\"${place.v}\"");
    assert_eq!(home.done("demo:greet"), "other\n");
    // From standard input.
    let mut child = Command::new(COGDECK)
        .args(["run", &format!("{asking} -")])
        .current_dir(home.folder.path())
        .env_clear()
        .env("HOME", home.folder.path())
        .env("USER", "ana")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"tok-123456\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(home.done("demo:greet"), "same\n");
    home.done(&format!("{asking}=another"));
    assert_eq!(home.done("demo:greet"), "other\n");
    // On a terminal: typed, and not seen. In the console: in the box of approvals, pasted too.
    let place = home.folder.path().to_str().unwrap();
    let variables = [("HOME", place), ("USER", "ana"), ("TERM", "xterm-256color")];
    let patience = std::time::Duration::from_secs(20);
    let mut terminal = Terminal::spawn(COGDECK, &["run", asking], &variables, 100, 20);
    terminal
        .wait_for_text("--secret of cogdeck:bundle-config-set:", patience)
        .unwrap();
    terminal.type_text("tok-1234567\u{7f}");
    terminal.key(Key::Enter);
    terminal.wait_for_text("TOKEN of demo set", patience).unwrap();
    assert!(!terminal.screen().contains("tok-"), "{}", terminal.screen());
    assert!(terminal.exit_status(patience).unwrap().success());
    assert_eq!(home.done("demo:greet"), "same\n");
    home.done(&format!("{asking}=another"));
    let terminal = Terminal::spawn(COGDECK, &[], &variables, 120, 40);
    terminal.wait_for_text("❯", patience).ok();
    terminal
        .wait_until_idle(std::time::Duration::from_millis(300), patience)
        .unwrap();
    terminal.type_text(asking);
    terminal.key(Key::Enter);
    terminal.wait_for_text("a secret value", patience).unwrap();
    terminal.paste("tok-123456\n");
    terminal.wait_for_text("••••••••••", patience).unwrap();
    terminal.key(Key::Enter);
    terminal.wait_for_text("TOKEN of demo set", patience).unwrap();
    assert!(!terminal.screen().contains("tok-"), "{}", terminal.screen());
    assert_eq!(home.done("demo:greet"), "same\n");
    for line in ["audit", "history"] {
        assert!(!home.done(line).contains("tok-123456"), "{line}");
    }
}
