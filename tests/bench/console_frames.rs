//! What a console's frames cost: `cargo bench --bench console_frames`. Everything runs against sandboxes in processes of
//! their own, in a terminal of 200×60. Printed are
//!
//! - the time from a key to its character on the screen, in a world of 20,000 pods of which 500 change a second and in
//!   an empty one, in turns, and their ratio;
//! - memory and the share of a core while 500 pods change a second, and in the empty world while only ages tick;
//! - bytes written in a second in which nothing on the screen changes but the clock (those of a changed cell and of a
//!   scrolled line are held by `tests/instructions.rs`);
//! - how a block takes 50 MB of lines: the rate until the screen shows the last one and that it is done.
//!
//! Linux only: memory and CPU time are read from `/proc`.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::process::{COGDECK, Sandbox};
use support::terminal::{Key, Terminal};
use support::usage::{cpu_seconds, memory_mib, millis};

const LARGE: &[&str] = &["--deployments", "200", "--pods", "20000", "--events", "500"];
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a console gets to load everything before it is measured.
const LOADING: Duration = Duration::from_secs(15);
/// How long CPU time and bytes are counted.
const WATCHED: Duration = Duration::from_secs(10);
/// Keys measured in each world.
const KEYS: usize = 200;
/// Lines of the flood, and the text of each.
const FLOOD: usize = 500_000;

fn main() {
    let (large, empty) = (Sandbox::start(LARGE), Sandbox::start(&[]));
    let (mut busy, mut calm) = (console(&large), console(&empty));
    std::thread::sleep(LOADING);
    keys(&busy, &calm);
    println!(
        "memory: {:.1} MiB beside 20,000 pods, {:.1} MiB in an empty world",
        memory_mib(pid(&busy), "VmRSS"),
        memory_mib(pid(&calm), "VmRSS")
    );
    let of_busy = load(&busy);
    println!(
        "500 changes a second: {:.1} % of a core, {:.0} bytes a second",
        of_busy.0, of_busy.1
    );
    let of_calm = load(&calm);
    println!(
        "nothing but the clock: {:.2} % of a core, {:.0} bytes a second",
        of_calm.0, of_calm.1
    );
    flood(&calm);
    for terminal in [&mut busy, &mut calm] {
        terminal.kill("TERM");
        terminal.exit_status(PATIENCE).expect("the console ends");
    }
}

fn console(sandbox: &Sandbox) -> Terminal {
    let terminal = sandbox.terminal(COGDECK, &[], 200, 60);
    terminal
        .wait_for_text("Pipelines run in", PATIENCE)
        .expect("the console");
    terminal
}

/// Keys to both consoles in turns: what the machine does beside them meets both alike.
fn keys(busy: &Terminal, calm: &Terminal) {
    let mut spans = [Vec::new(), Vec::new()];
    for n in 0..KEYS {
        for (terminal, spans) in [busy, calm].into_iter().zip(&mut spans) {
            let typed = format!("❯ {}", "x".repeat(n % 40 + 1));
            let pressed = Instant::now();
            terminal.key(Key::Char('x'));
            terminal.wait_for_text(&typed, PATIENCE).expect("the character");
            spans.push(pressed.elapsed());
            if n % 40 == 39 {
                terminal.key(Key::Ctrl('u'));
                terminal
                    .wait_for(|screen| !screen.contains("❯ x"), PATIENCE)
                    .expect("an empty line");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    for terminal in [busy, calm] {
        terminal.key(Key::Ctrl('u'));
    }
    let [mut busy, mut calm] = spans;
    busy.sort();
    calm.sort();
    let at = |spans: &[Duration], part: usize| millis(spans[(spans.len() - 1) * part / 100]);
    for (name, part) in [("p50", 50), ("p99", 99)] {
        let (busy, calm) = (at(&busy, part), at(&calm, part));
        println!(
            "key to screen, {name}: {busy:.1} ms beside 20,000 pods, {calm:.1} ms in an empty world, ratio {:.2}",
            busy / calm
        );
    }
}

/// Percent of a core and bytes a second over a while.
fn load(terminal: &Terminal) -> (f64, f64) {
    let (cpu, mark, begun) = (cpu_seconds(pid(terminal)), terminal.mark(), Instant::now());
    std::thread::sleep(WATCHED);
    let seconds = begun.elapsed().as_secs_f64();
    let bytes = terminal.raw_output_since(mark).len();
    (
        (cpu_seconds(pid(terminal)) - cpu) / seconds * 100.0,
        bytes as f64 / seconds,
    )
}

/// Lines of 100 bytes, far faster than the 10 MB a second that are asked for.
fn flood(calm: &Terminal) {
    let begun = Instant::now();
    calm.type_text(&format!(
        "sh 'yes {} | head -n {FLOOD}; echo the-last-line'",
        "x".repeat(99)
    ));
    calm.key(Key::Enter);
    calm.wait_for(
        |screen| {
            let text = |row: &str| row.trim_start_matches(['│', ' ']).starts_with("the-last-line");
            screen.lines().any(text)
        },
        Duration::from_secs(120),
    )
    .expect("the end of the flood");
    let seconds = begun.elapsed().as_secs_f64();
    // At its top the block says what it has not kept.
    calm.key(Key::Alt('1'));
    calm.type_text("g");
    let told = calm
        .wait_for_text("earlier lines dropped", PATIENCE)
        .expect("the lines that are not kept are counted");
    let row = told.lines().find(|row| row.contains("earlier lines dropped"));
    let counted = row.unwrap_or_default().trim_matches(['│', ' ', '…']).to_owned();
    println!(
        "a block of {FLOOD} lines of 100 bytes: {:.1} MB a second; the screen says: {counted}",
        FLOOD as f64 / 1e4 / seconds
    );
}

fn pid(terminal: &Terminal) -> u32 {
    terminal.pid().expect("it runs")
}
