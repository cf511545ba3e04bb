//! The demo as it is presented, and its second and third act by themselves, in a console on a sandbox in a process of its
//! own: a broken image whose cause is named while the old pods serve and one key takes it back, and a change from another
//! terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use cogdeck::lang::script_lines;
use cogdeck::ui::console::app::SCRIPTS;
use cogdeck::ui::console::approval::LOOK;
use regex::Regex;
use support::console::{SOON, chat, input, line, see};
use support::process::{COGDECK, Sandbox};
use support::run::run;
use support::terminal::{Key, Terminal};

fn console(sandbox: &Sandbox) -> Terminal {
    let terminal = sandbox.terminal(COGDECK, &[], 120, 40);
    see(&terminal, "Pipelines run in");
    line(
        &terminal,
        "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --replicas=3",
    );
    let available = |screen: &str| {
        screen
            .lines()
            .any(|row| row.contains("3/3") && row.contains("✓ available"))
    };
    terminal.wait_for(available, SOON).expect("three pods");
    terminal
}

/// How soon the console names what keeps a release from starting, from the Enter behind the line on.
const NAMED_WITHIN: Duration = Duration::from_secs(2);
/// "At once": from the answer to the other terminal to the screen.
const AT_ONCE: Duration = Duration::from_millis(500);
/// A line of a script that waits for the world.
const PLAYED: Duration = Duration::from_secs(120);

/// A release with an image that is never pulled: how long until the cause and what still serves stand on the screen.
fn break_it(terminal: &Terminal) -> Duration {
    terminal.type_text("kubectl:set image deploy inspector inspector=so0k/kuar-inspector:broken");
    see(terminal, "inspector:broken");
    let begun = Instant::now();
    terminal.key(Key::Enter);
    let named = |screen: &str| {
        (screen.contains("✗ ErrImagePull") || screen.contains("✗ ImagePullBackOff"))
            && screen.contains("the old 3/3 still serve")
    };
    terminal.wait_for(named, SOON).expect("the cause, and what still works");
    begun.elapsed()
}

/// One key on the rollout panel, and Enter for its plan: as before.
fn take_it_back(terminal: &Terminal) {
    terminal.key(Key::Alt('3'));
    terminal.type_text("u");
    see(terminal, "kubectl:rollout-undo deploy inspector");
    see(terminal, "Enter applies it");
    // An Enter that comes as soon as the plan counts for nothing: it was meant for something else.
    std::thread::sleep(LOOK);
    terminal.key(Key::Enter);
    let well = |screen: &str| {
        screen.contains("inspector rolled back") && !screen.contains("still serve") && screen.contains("✓ available")
    };
    terminal.wait_for(well, SOON).expect("as before");
    terminal.type_text("i");
}

/// At the sandbox's own speed. A machine that is busy with other tests is slow now and then: what the console can do is
/// the best of three, and the cause and the three pods that serve on are there each time.
#[test]
fn a_broken_image_is_named_within_two_seconds_the_old_serve_on_and_one_key_takes_it_back() {
    let sandbox = Sandbox::start(&[]);
    let terminal = console(&sandbox);
    let mut times = Vec::new();
    while times.len() < 3 && times.iter().all(|time| *time > NAMED_WITHIN) {
        times.push(break_it(&terminal));
        take_it_back(&terminal);
    }
    println!("the cause is named after {times:?}");
    assert!(times.iter().any(|time| *time <= NAMED_WITHIN), "named after {times:?}");
}

#[test]
fn a_scale_from_another_terminal_moves_the_panels_at_once() {
    let Some(kubectl) = support::require("kubectl") else {
        return;
    };
    let sandbox = Sandbox::start(&["--speed", "5"]);
    let terminal = console(&sandbox);
    let mut times = Vec::new();
    for replicas in 4..=6 {
        let scaled = sandbox
            .client(&kubectl)
            .args(["scale", "deploy", "inspector", &format!("--replicas={replicas}")])
            .output()
            .expect("kubectl runs");
        let answered = Instant::now();
        assert!(scaled.status.success(), "{}", String::from_utf8_lossy(&scaled.stderr));
        let asked = format!("/{replicas} ");
        terminal
            .wait_for(|screen| screen.contains(&asked), SOON)
            .expect("the count that was asked for elsewhere");
        times.push(answered.elapsed());
        let whole = format!("{replicas}/{replicas}");
        let all = |screen: &str| {
            let mut rows = screen.lines();
            rows.any(|row| row.contains(&whole) && row.contains("✓ available"))
        };
        terminal.wait_for(all, SOON).expect("all pods");
    }
    println!("on the screen after kubectl's answer: {times:?}");
    assert!(
        times.iter().any(|time| *time <= AT_ONCE),
        "on the screen after {times:?}"
    );
}

/// What the audience sees behind a line of the scripts: how the line begins, and a text of the screen.
const SEEN: [(&str, &str); 10] = [
    ("kubectl:run inspector", r"deployment\.apps/inspector created"),
    ("kubectl:expose", "service/inspector exposed"),
    ("dig --short inspector", r"(?m)^│ +\d+\.\d+\.\d+\.\d+ "),
    ("kubectl:scale", "3 wanted"),
    (
        "traffic:watch http://inspector.spawnhub.com/net",
        "traffic http://inspector",
    ),
    (
        "kubectl:set image deploy inspector inspector=so0k/kuar-inspector:2.0.0",
        r"new 2\.0\.0 .* 3/3 ready",
    ),
    ("kubectl:rollout history", "(?s)failed 0.*REVISION"),
    ("instance-search", r#"(?m)^│ +"ssh://admin@203\.0\.113\."#),
    ("dig --short spawnhub.com", r"(?m)^│ +\d+\.\d+\.\d+\.\d+ "),
    (
        "kubectl:set image deploy inspector inspector=so0k/kuar-inspector:broken",
        "(?s)(ErrImagePull|ImagePullBackOff).*the old 3/3 still serve",
    ),
];

/// Plays a script as a presenter does: the key types its next line, Enter runs it.
fn play(terminal: &Terminal, name: &str, script: &str) {
    line(terminal, &format!(":present {name}"));
    see(terminal, "lines to present");
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    for line in script_lines(script) {
        let until = |what: &str, seen: &dyn Fn(&str) -> bool| {
            let seen = terminal.wait_for(seen, PLAYED);
            let screen = seen.unwrap_or_else(|unseen| panic!("{}: {what}: {unseen}", line.text));
            let failed = screen.lines().any(|row| row.contains("❯ ") && row.contains("✗ failed"));
            assert!(!failed, "a line failed before {}: {screen}", line.text);
        };
        // What runs ends first; a second press types the rest at once.
        terminal.key(Key::F(5));
        until("its first characters", &|_| !input(terminal).is_empty());
        terminal.key(Key::F(5));
        until("typed", &|_| plain(&input(terminal)) == plain(&line.text));
        terminal.key(Key::Enter);
        until("taken", &|_| input(terminal).is_empty());
        let Some((_, wanted)) = SEEN.iter().find(|(begins, _)| line.text.starts_with(begins)) else {
            continue;
        };
        let wanted = Regex::new(wanted).unwrap();
        let asks = |screen: &str| screen.contains("Enter applies it");
        until(wanted.as_str(), &|screen| wanted.is_match(screen) || asks(screen));
        if asks(&terminal.screen()) {
            std::thread::sleep(LOOK);
            terminal.key(Key::Enter);
        }
        until(wanted.as_str(), &|screen| wanted.is_match(screen) && !asks(screen));
    }
    terminal.key(Key::F(5));
    see(terminal, "the script is over");
}

#[test]
fn both_scripts_are_presented_from_their_first_line_to_their_last() {
    for (begins, _) in SEEN {
        let known = SCRIPTS
            .iter()
            .any(|script| script.text.contains(&format!("\n{begins}")));
        assert!(known, "no script has the line {begins}");
    }
    let sandbox = Sandbox::start(&["--speed", "5"]);
    let terminal = sandbox.terminal(COGDECK, &[], 120, 40);
    see(&terminal, "Pipelines run in");
    for script in SCRIPTS {
        play(&terminal, script.name, script.text);
    }
}

/// At a fiftieth of its speed a pod takes more than a minute to start: it is there at once when the world goes faster.
#[test]
fn the_speed_of_the_sandbox_changes_while_it_runs() {
    let terminal = Terminal::spawn(COGDECK, &["--sandbox", "--speed", "0.02"], &[], 120, 40);
    see(&terminal, "Pipelines run in");
    line(&terminal, "kubectl:run slow --image=so0k/kuar-inspector:1.0.0");
    see(&terminal, "deployment.apps/slow created");
    line(&terminal, "sandbox:speed 0.5x");
    see(&terminal, "the sandbox goes at 0.5 times real speed (before: 0.02)");
    line(&terminal, "sandbox:speed 100");
    let begun = Instant::now();
    let available = |screen: &str| {
        let mut rows = screen.lines();
        rows.any(|row| row.contains("slow ") && row.contains("1/1") && row.contains("✓ available"))
    };
    terminal.wait_for(available, SOON).expect("the pod");
    println!("the pod is there {:?} after the change", begun.elapsed());
    line(&terminal, "sandbox:speed slower");
    see(&terminal, "the sandbox goes at 50 times real speed (before: 100)");
    line(&terminal, "sandbox:speed 0");
    see(&terminal, "0 is no speed");
}

#[test]
fn a_sandbox_in_another_process_is_steered_with_what_its_admin_file_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let admin = folder.path().join("admin");
    let sandbox = Sandbox::start(&["--admin", admin.to_str().expect("a path in UTF-8")]);
    let speed = |envs: &[(String, String)], line: &str| {
        let output = sandbox
            .cogdeck(&["run", line])
            .envs(envs.iter().cloned())
            .output()
            .expect("cogdeck runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text)
    };
    let (code, text) = speed(&[], "sandbox:speed 5");
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("E-SANDBOX-010") && text.contains("COGDECK_ADMIN_URL"),
        "{text}"
    );
    let written = std::fs::read_to_string(&admin).expect("the admin file");
    let pairs = written.lines().filter_map(|line| line.split_once('='));
    let mut envs: Vec<(String, String)> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (code, text) = speed(&envs, "sandbox:speed 5");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("at 5 times real speed (before: 1)"), "{text}");
    for (name, value) in &mut envs {
        if name == "COGDECK_ADMIN_TOKEN" {
            "wrong".clone_into(value);
        }
    }
    let (code, text) = speed(&envs, "sandbox:speed 9");
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("401") && text.contains("token") && !text.contains("wrong\n"),
        "{text}"
    );
}

#[test]
fn the_sandbox_of_a_console_lets_other_programs_in() {
    use std::os::unix::fs::PermissionsExt;
    let Some(kubectl) = support::require("kubectl") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kube config");
    let terminal = Terminal::spawn(COGDECK, &["--sandbox"], &[], 160, 40);
    see(&terminal, "Pipelines run in");
    let ask = format!("sandbox:kubeconfig '{}'", file.display());
    // A long line is broken where it has blanks.
    let says = |wanted: &str| {
        let words = |screen: &str| screen.lines().map(chat).collect::<Vec<_>>().join(" ");
        let joined = |screen: &str| words(screen).split_whitespace().collect::<Vec<_>>().join(" ");
        let seen = terminal.wait_for(|screen| joined(screen).contains(wanted), SOON);
        seen.unwrap_or_else(|unseen| panic!("{wanted}: {unseen}"));
    };
    line(&terminal, &ask);
    says(&format!("export KUBECONFIG='{}'", file.display()));
    let mode = std::fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let written = std::fs::read_to_string(&file).expect("the file");
    assert!(written.contains("current-context: sandbox"), "{written}");
    let nodes = || {
        let mut command = std::process::Command::new(&kubectl);
        command.env("HOME", folder.path()).env("KUBECONFIG", &file);
        command.args(["get", "nodes", "-o", "name"]);
        run(command, SOON)
    };
    let found = nodes().ok();
    assert!(found.lines().count() > 0, "no nodes");
    assert!(found.lines().all(|node| node.starts_with("node/")), "{found}");
    line(&terminal, &ask);
    says("remove this one");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), written);
    drop(terminal);
    assert_ne!(nodes().code, Some(0), "it ends with its console");
}

#[test]
fn who_only_looks_changes_neither_the_speed_of_the_sandbox_nor_aliases_of_everyone() {
    for (line, code, told) in [
        ("sandbox:speed 9", 2, "E-READONLY-001"),
        ("sandbox:speed", 0, "at 1 times real speed"),
        ("alias create site:x 'echo 1'", 2, "site:x is everyone's alias"),
        ("alias create x 'echo 1'", 0, "user:x"),
    ] {
        let home = tempfile::tempdir().expect("a folder");
        let mut command = std::process::Command::new(COGDECK);
        command.env("HOME", home.path());
        command.args(["run", "--sandbox", "--read-only", line]);
        let ended = run(command, SOON).code(code);
        assert!(format!("{ended}").contains(told), "{ended}");
    }
}

#[test]
fn an_image_that_is_not_there_is_named_as_the_cause() {
    let sandbox = Sandbox::start(&["--speed", "20"]);
    let cogdeck = |line: &str| run(sandbox.cogdeck(&["run", line]), SOON);
    cogdeck("kubectl:run web --image=so0k/kuar-inspector:9.9.9-nope").ok();
    let ended = cogdeck("kubectl:rollout status deploy web --fail-fast --timeout=60s").code(1);
    assert!(
        ended.stderr.contains("9.9.9-nope") && ended.stderr.contains("not found"),
        "{ended}"
    );
}

#[test]
fn the_page_of_the_sandbox_says_how_images_fail() {
    let mut command = std::process::Command::new(COGDECK);
    command.args(["run", "--sandbox", "help sandbox"]);
    let page = run(command, SOON).ok();
    assert!(
        page.contains("ImagePullBackOff") && page.contains("CrashLoopBackOff"),
        "{page}"
    );
}
