//! The console's keys, mouse, pastes and resizes in a real terminal, under both keymaps and without colour. Not for the
//! demo, and not for how the terminal is left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::process::COGDECK;
use support::terminal::{Key, Terminal};

const SOON: Duration = Duration::from_secs(30);

fn console(args: &[&str], envs: &[(&str, &str)], columns: u16, rows: u16) -> Terminal {
    let all: Vec<&str> = ["--sandbox", "--speed", "5"]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    let terminal = Terminal::spawn(COGDECK, &all, envs, columns, rows);
    terminal
        .wait_for_text("Pipelines run in sandbox", SOON)
        .expect("the console");
    terminal
}

fn line(terminal: &Terminal, text: &str) {
    terminal.type_text(text);
    terminal.key(Key::Enter);
}

fn see(terminal: &Terminal, text: &str) -> String {
    terminal.wait_for_text(text, SOON).expect("on the screen")
}

/// Row and column of a text on the screen.
fn place(terminal: &Terminal, text: &str) -> (u16, u16) {
    let screen = terminal.screen();
    let found = screen.lines().zip(0..).find_map(|(row, y)| {
        let before = row.split_once(text)?.0;
        Some((y, u16::try_from(before.chars().count()).ok()?))
    });
    found.unwrap_or_else(|| panic!("{text} is not on the screen: {screen}"))
}

fn deploy(terminal: &Terminal, name: &str) {
    line(
        terminal,
        &format!("kubectl:run {name} --image=so0k/kuar-inspector:1.0.0"),
    );
    see(terminal, &format!("deployment.apps/{name} created"));
    terminal
        .wait_for(
            |screen| {
                screen
                    .lines()
                    .any(|row| row.contains(name) && row.contains("✓ available"))
            },
            SOON,
        )
        .expect("its row in the panel");
}

#[test]
fn vim_keys_without_colour_select_filter_and_act_on_rows() {
    let terminal = console(&["--keymap", "vim"], &[("NO_COLOR", "1")], 120, 40);
    deploy(&terminal, "alpha");
    deploy(&terminal, "beta");
    terminal.key(Key::Alt('2'));
    see(&terminal, "m actions");
    terminal.type_text("G");
    let selected = |_: &str| {
        let (y, x) = place(&terminal, "beta   1/1");
        terminal.cell(y, x).inverse()
    };
    terminal.wait_for(selected, SOON).expect("the selected row, reversed");
    let bytes = String::from_utf8_lossy(&terminal.raw_output_since(0)).into_owned();
    let sgr = regex::Regex::new("\u{1b}\\[([0-9;]*)m").unwrap();
    for found in sgr.captures_iter(&bytes) {
        let mut numbers = found[1].split(';').map(str::parse::<u16>);
        let colour = numbers.any(|number| matches!(number, Ok(30..=38 | 40..=48 | 90..=107)));
        assert!(!colour, "a colour left the program: {}", &found[1]);
    }
    terminal.type_text("/alp");
    see(&terminal, "filter deployments: /alp");
    terminal.key(Key::Enter);
    see(&terminal, "/alp 1");
    terminal.type_text("d");
    // The end of its page: the line that was run is above what the pane shows.
    see(&terminal, "NewReplicaSet:   alpha-");
    terminal.key(Key::Escape);
    terminal
        .wait_for(|screen| !screen.contains("/alp 1"), SOON)
        .expect("the first Esc shows all again");
    // Esc is also how Alt begins: the next key must not come at once.
    std::thread::sleep(Duration::from_millis(200));
    terminal.type_text("i");
    terminal.type_text("echo back in the line");
    see(&terminal, "❯ echo back in the line");
    terminal.key(Key::Escape);
    std::thread::sleep(Duration::from_millis(200));
    terminal.type_text("/created");
    see(&terminal, "search the chat: /created");
    see(&terminal, "/created in ");
}

#[test]
fn the_mouse_selects_and_goes_to_panes_and_a_key_gives_it_to_the_terminal() {
    let terminal = console(&[], &[], 120, 40);
    deploy(&terminal, "alpha");
    deploy(&terminal, "beta");
    assert_ne!(terminal.view().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    see(&terminal, "beta   1/1");
    let (y, x) = place(&terminal, "beta   1/1");
    terminal.send(format!("\x1b[<0;{};{}M", x + 1, y + 1).as_bytes());
    terminal.send(format!("\x1b[<0;{};{}m", x + 1, y + 1).as_bytes());
    terminal
        .wait_for(|_| terminal.cell(y, x).inverse(), SOON)
        .expect("the row clicked is selected");
    see(&terminal, "m actions");
    terminal.type_text("y");
    let copied = |_: &str| String::from_utf8_lossy(&terminal.raw_output_since(0)).contains("\x1b]52;c;YmV0YQ==");
    terminal
        .wait_for(copied, SOON)
        .expect("its name on the clipboard, by the operator's own key");
    terminal.key(Key::Alt('m'));
    see(&terminal, "the mouse is the terminal's");
    assert_eq!(terminal.view().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
}

#[test]
fn a_megabyte_pasted_and_a_storm_of_sizes_do_no_harm() {
    let terminal = console(&[], &[], 120, 40);
    terminal.paste(&"kubectl:delete deploy x\n".repeat(44_000));
    see(&terminal, "nothing was pasted");
    terminal.paste("echo one\necho two\n");
    see(&terminal, "echo two");
    assert!(
        !terminal.screen().contains("✓ done"),
        "nothing ran: {}",
        terminal.screen()
    );
    terminal.key(Key::Ctrl('c'));
    for step in 0..40u16 {
        terminal.resize(30 + step * 7, 8 + step * 2);
    }
    for (columns, rows) in [(40, 12), (300, 80), (1, 1), (80, 24)] {
        terminal.resize(columns, rows);
    }
    terminal
        .wait_for(
            |screen| screen.lines().nth(1).is_some_and(|row| row.contains("1 chat  2 depl")),
            SOON,
        )
        .expect("the screen at 80x24");
    line(&terminal, "echo still here");
    terminal
        .wait_for(|screen| screen.lines().any(|row| row.trim() == "still here"), SOON)
        .expect("it answers");
}

#[test]
fn hostile_output_names_and_errors_stay_text() {
    let terminal = console(&[], &[], 120, 40);
    let mark = terminal.mark();
    // A colour, a clipboard write, the main screen, a title, a bell, a cleared screen, a cursor report that would be typed.
    let bytes = r"\033]52;c;ZXZpbA==\007\033[?1049l\033]0;owned\007\a\033[2J\033[6n\033P+q544e\033\\evil";
    line(&terminal, &format!("sh 'printf \"{bytes}\"'"));
    see(&terminal, "evil");
    line(
        &terminal,
        r#"seed '{"name":"\u001b]52;c;ZXZpbA==\u0007\u202egnp.exe 世界 e\u0301 👩‍👩‍👧 \ud55c\uae00"}' | table name"#,
    );
    see(&terminal, "世界");
    // Pasted controls are text of the line, in its error too.
    terminal.paste("no-such-\x1b]52\x07-command");
    terminal.key(Key::Enter);
    see(&terminal, "there is no command");
    line(&terminal, "sh 'head -c 3000000 /dev/zero | tr \"\\0\" x'");
    see(&terminal, "65536 characters");
    line(&terminal, "echo still here");
    terminal
        .wait_for(
            |screen| {
                screen
                    .lines()
                    .any(|row| row.trim_end().ends_with("  still here") || row.contains("│   still here"))
            },
            SOON,
        )
        .expect("it answers");
    nothing_leaked(&terminal, mark);
    let (y, x) = place(&terminal, "1 chat");
    assert!(y == 1 && x < 6, "the frame is where it was: {}", terminal.screen());
}

/// Nothing of a hostile text reached the terminal as a command to it.
fn nothing_leaked(terminal: &Terminal, mark: usize) {
    let raw = String::from_utf8_lossy(&terminal.raw_output_since(mark)).into_owned();
    for leak in [
        "\x1b]52",
        "\x1b[?1049l",
        "\x1b]0;",
        "\x07",
        "\x1b[6n",
        "\x1bP",
        "\u{202e}",
    ] {
        assert!(!raw.contains(leak), "{leak:?} reached the terminal");
    }
    let view = terminal.view();
    assert!(
        view.alternate_screen() && view.bracketed_paste(),
        "the screen is still ours"
    );
}

#[test]
fn hostile_images_titles_and_toasts_stay_text() {
    let terminal = console(&[], &[], 160, 45);
    deploy(&terminal, "alpha");
    let mark = terminal.mark();
    let evil = r"\u001b]52;c;ZXZpbA==\u0007\u001b[?1049l\u001b[2J\u202egnp.exe";
    // What an object of the cluster may hold: an image with a clipboard write in its tag, in panels, plans and errors.
    line(&terminal, &format!("let evil = seed '\"evil{evil}\"'"));
    line(
        &terminal,
        "kubectl:set image deploy alpha \"alpha=so0k/kuar-inspector:${evil}\"",
    );
    terminal
        .wait_for(|screen| screen.contains("evil␛]52"), SOON)
        .expect("the image as text");
    line(&terminal, "kubectl:get events");
    line(&terminal, "kubectl:describe deploy \"no${evil}\"");
    see(&terminal, "error[");
    // The title of a panel, the status line, a toast.
    line(&terminal, &format!("seed '\"title{evil}\"' | pin"));
    terminal.paste(":ns evil\x1b]52;c;ZXZpbA==\x07\x1b[2J\u{202e}");
    terminal.key(Key::Enter);
    see(&terminal, "namespace evil");
    terminal.paste(":present /no/such\x1b]52;c;ZXZpbA==\x07\x1b[?1049l\u{202e}file");
    terminal.key(Key::Enter);
    see(&terminal, "cannot read /no/such");
    line(&terminal, "echo still here");
    terminal
        .wait_for(|screen| screen.lines().any(|row| row.contains("  still here")), SOON)
        .expect("it answers");
    nothing_leaked(&terminal, mark);
}

#[test]
fn theme_and_keymap_files_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let (theme, keymap) = (folder.path().join("mine.toml"), folder.path().join("keys.toml"));
    std::fs::write(&theme, "name = 'mine'\n").expect("a theme");
    std::fs::write(&keymap, "name = 'keys'\n[input]\n'enter' = 'submit'\n").expect("a keymap");
    let path = |path: &std::path::Path| path.to_str().expect("a path in UTF-8").to_owned();
    let (theme_path, keymap_path) = (path(&theme), path(&keymap));
    let terminal = console(&["--theme", &theme_path, "--keymap", &keymap_path], &[], 120, 40);
    std::fs::write(
        &theme,
        "name = 'other'\ninherits = 'dark'\n[styles]\n'state.okk' = { fg = 'red' }\n",
    )
    .expect("written");
    see(&terminal, "unknown meaning state.okk");
    std::fs::write(&theme, "name = 'third'\ninherits = 'dark'\n").expect("written");
    see(&terminal, "read again: theme third");
    std::fs::write(&keymap, "name = 'keys'\n[input]\n'enter' = 'submit'\n'f2' = 'help'\n").expect("written");
    see(&terminal, "read again: keymap");
    terminal.key(Key::F(2));
    see(&terminal, "any other key closes");
    terminal.key(Key::Escape);
    std::fs::write(&keymap, "name = 'keys'\n[input\n").expect("written");
    see(&terminal, "the keymap cannot be read");
    std::thread::sleep(Duration::from_millis(200));
    terminal.key(Key::F(2));
    see(&terminal, "any other key closes");
}

/// Types a line's beginning and Tab until what is asked for stands on the screen; then the line is emptied.
fn completes(terminal: &Terminal, typed: &str, wanted: &str) {
    terminal.type_text(typed);
    see(terminal, typed);
    let deadline = std::time::Instant::now() + SOON;
    loop {
        terminal.key(Key::Tab);
        match terminal.wait_for_text(wanted, Duration::from_secs(3)) {
            Ok(_) => break,
            // The first answer of a service may take longer than a completion waits for it.
            Err(unseen) => assert!(
                std::time::Instant::now() < deadline,
                "{typed} and Tab: {wanted}: {unseen}"
            ),
        }
        terminal.key(Key::Escape);
        std::thread::sleep(Duration::from_millis(100));
    }
    terminal.key(Key::Escape);
    std::thread::sleep(Duration::from_millis(100));
    terminal.key(Key::Ctrl('c'));
    see(terminal, "^R history");
}

#[test]
fn tab_completes_what_lives_in_the_cluster_the_account_and_the_answers() {
    let terminal = console(&[], &[], 160, 45);
    deploy(&terminal, "alpha");
    line(&terminal, "kubectl:expose deploy alpha --type=LoadBalancer --port=80");
    see(&terminal, "service/alpha exposed");
    line(
        &terminal,
        "kubectl:wait svc alpha --for=jsonpath='{.status.loadBalancer.ingress[0].hostname}'",
    );
    see(&terminal, "condition met");
    line(
        &terminal,
        "r53:record-create -z Z37AJ8CHRUEZC6 -t A alpha.spawnhub.com 203.0.113.9 --wait",
    );
    see(&terminal, "INSYNC");
    line(&terminal, "kubectl:get deploy alpha");
    terminal
        .wait_for(
            |screen| {
                screen
                    .lines()
                    .any(|row| row.contains("❯ kubectl:get deploy alpha") && row.contains("done"))
            },
            SOON,
        )
        .expect("the deployment");
    let table = [
        ("kubectl:describe deploy al", "describe deploy alpha"),
        ("kubectl:describe po al", "describe po alpha-"),
        ("kubectl:get po -n kube-s", "-n kube-system"),
        ("r53:record-list -z Z37", "-z Z37AJ8CHRUEZC6"),
        ("r53:record-delete -z Z37AJ8CHRUEZC6 -t A al", "-t A alpha.spawnhub.com"),
        (
            "r53:record-create -z Z37AJ8CHRUEZC6 -t CNAME b.spawnhub.com a",
            ".ap-southeast-2.elb.amazonaws.com",
        ),
        ("dig --short al", "dig --short alpha.spawnhub.com"),
        ("dig alpha.spawnhub.com CN", "alpha.spawnhub.com CNAME"),
        ("instance-search tag:Kub", "tag:KubernetesCluster="),
        (
            "instance-search tag:KubernetesCluster=st",
            "tag:KubernetesCluster=staging.spawnhub.com",
        ),
        ("instance-search instance-type=", "instance-type=m"),
        ("@sand", "@sandbox"),
        ("echo $_.metad", "echo $_.metadata"),
        ("kubectl:get deploy alpha | jq .metad", "jq .metadata"),
        ("sandbox:speed fas", "sandbox:speed faster"),
    ];
    for (typed, wanted) in table {
        completes(&terminal, typed, wanted);
    }
}
