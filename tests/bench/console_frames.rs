//! What a console's frames cost: `cargo bench --bench console_frames`. Everything runs against sandboxes in processes of
//! their own, in a terminal of 200×60. Printed and judged are
//!
//! - the time of a frame and the bytes it writes, in a console on a terminal that is memory;
//! - the time from a key to its character on the screen, in a world of 20,000 pods of which 500 change a second and in
//!   an empty one, in turns, and their ratio; memory, and the share of a core that the changes take;
//! - what it costs when nothing but ages change, beside 20,000 pods: the share of a core, frames, bytes between two ticks
//!   of the clock;
//! - a block that follows 10 MB of lines a second, of a program here and of a container's log: how far the screen is
//!   behind, and that every line is there or counted.
//!
//! A bound that is passed ends the bench with a failure. Times mean something on a quiet machine and in the release
//! profile only. Linux only: memory and CPU time are read from `/proc`.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "../support/desk.rs"]
mod desk;
#[path = "../support/mod.rs"]
mod support;

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use desk::{Desk, LINE};
use support::bounds::Bounds;
use support::process::{COGDECK, Sandbox};
use support::terminal::{Key, Terminal};
use support::usage::{cpu_seconds, memory_mib, millis};

const LARGE: &[&str] = &["--deployments", "200", "--pods", "20000"];
const CHANGING: &[&str] = &["--deployments", "200", "--pods", "20000", "--events", "500"];
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a console gets to load everything before it is measured.
const LOADING: Duration = Duration::from_secs(15);
/// How long CPU time, frames and bytes are counted.
const WATCHED: Duration = Duration::from_secs(20);
/// Steps measured in memory, and keys measured in each world.
const STEPS: u64 = 200;
const KEYS: usize = 1_000;
/// What begins each frame: the terminal shows nothing of it before its end.
const FRAME: &[u8] = b"\x1b[?2026h";
/// Ticks of the clock between which nothing may be written, and how much of the second behind one is watched.
const TICKS: usize = 10;
const TICK_DRAWN: Duration = Duration::from_millis(150);
const BETWEEN: Duration = Duration::from_millis(600);
/// The flood: lines of 100 bytes, so many each time, which is 10 MB a second for ten seconds.
const FLOOD: u64 = 1_000_000;
const AT_ONCE: u64 = 1_000;
const EACH: Duration = Duration::from_millis(10);
const LINE_BYTES: usize = 100;
/// What a container writes at once and how often: as much a second, in a script that is no longer than it has to be.
const POD_AT_ONCE: u64 = 10_000;
const POD_EACH: &str = "0.1";
/// How long it is silent first, so that it is followed from its first line on.
const POD_SILENT: &str = "10";

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|asked| asked == "flood") {
        return pour();
    }
    let mut bounds = Bounds::default();
    in_memory(&mut bounds);
    {
        let (large, empty) = (Sandbox::start(CHANGING), Sandbox::start(&[]));
        let (mut busy, mut calm) = (console(&large), console(&empty));
        std::thread::sleep(LOADING);
        keys(&mut bounds, &busy, &calm);
        println!("500 changes a second in 20,000 pods:");
        bounds.at_most("memory", memory_mib(pid(&busy), "VmRSS"), 60.0, " MiB");
        let load = load(&busy);
        println!("  {:.1} % of a core, {} bytes in {WATCHED:?}", load.cpu, load.bytes);
        end(&mut busy);
        println!("an empty world:");
        println!("  memory: {:.1} MiB", memory_mib(pid(&calm), "VmRSS"));
        println!("a block that follows {FLOOD} lines of a program, 10 MB a second:");
        let program = std::env::current_exe().expect("this program");
        flood(
            &mut bounds,
            &calm,
            &format!("sh '{} flood'", program.display()),
            stamped,
        );
        end(&mut calm);
        println!("a block that follows {FLOOD} lines of a container, 10 MB a second:");
        let mut calm = console(&empty);
        start_pod(&empty);
        flood(&mut bounds, &calm, "kubectl:logs flood -f --timestamps", timestamped);
        end(&mut calm);
    }
    ages(&mut bounds);
    bounds.end()
}

fn console(sandbox: &Sandbox) -> Terminal {
    let terminal = sandbox.terminal(COGDECK, &[], 200, 60);
    terminal
        .wait_for_text("Pipelines run in", PATIENCE)
        .expect("the console");
    terminal
}

fn end(terminal: &mut Terminal) {
    terminal.kill("TERM");
    terminal.exit_status(PATIENCE).expect("the console ends");
}

/// Frames of a console whose terminal is memory.
fn in_memory(bounds: &mut Bounds) {
    println!("a frame in memory, 20,000 pods:");
    let mut desk = Desk::new(200, 60);
    desk.step("typed", 0);
    let cell = desk.step("typed", 1);
    bounds.at_most("bytes for a changed cell", cell as f64, 79.0, "");
    for step in ["typed", "pod-changed", "ages"] {
        frame_time(&mut desk, step);
    }
    let mut desk = Desk::new(200, 60);
    desk.fill_with_pods();
    let line = desk.step("selection-moved", 1);
    bounds.at_most("bytes for a scrolled line", line as f64, 3_499.0, "");
    frame_time(&mut desk, "selection-moved");
}

fn frame_time(desk: &mut Desk, step: &str) {
    let mut spans = Vec::new();
    for round in 2..STEPS + 2 {
        if step == "typed" && round % LINE == 0 {
            desk.empty_line();
        }
        let begun = Instant::now();
        desk.step(step, round);
        spans.push(begun.elapsed());
    }
    let [p50, p99] = percentiles(spans);
    println!("  {step}: p50 {p50:.2} ms, p99 {p99:.2} ms");
}

/// Keys to both consoles in turns: what the machine does beside them meets both alike.
fn keys(bounds: &mut Bounds, busy: &Terminal, calm: &Terminal) {
    println!("key to screen:");
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
    let [busy, calm] = spans.map(percentiles);
    for (name, busy, calm) in [("p50", busy[0], calm[0]), ("p99", busy[1], calm[1])] {
        println!("  {name}: {busy:.1} ms beside 20,000 pods, {calm:.1} ms in an empty world");
        bounds.at_most(&format!("ratio of the {name}"), busy / calm, 1.5, "");
    }
}

/// What a console does in a while by itself.
struct Load {
    /// Percent of a core.
    cpu: f64,
    frames: usize,
    bytes: usize,
    seconds: f64,
}

fn load(terminal: &Terminal) -> Load {
    let (cpu, mark, begun) = (cpu_seconds(pid(terminal)), terminal.mark(), Instant::now());
    std::thread::sleep(WATCHED);
    let seconds = begun.elapsed().as_secs_f64();
    let written = terminal.raw_output_since(mark);
    Load {
        cpu: (cpu_seconds(pid(terminal)) - cpu) / seconds * 100.0,
        frames: written.windows(FRAME.len()).filter(|bytes| *bytes == FRAME).count(),
        bytes: written.len(),
        seconds,
    }
}

/// 20,000 pods of which none changes: only ages and the clock do.
fn ages(bounds: &mut Bounds) {
    println!("nothing but ages, 20,000 pods:");
    let large = Sandbox::start(LARGE);
    let mut terminal = console(&large);
    std::thread::sleep(LOADING);
    let load = load(&terminal);
    bounds.at_most("share of a core", load.cpu, 1.0, " %");
    // The first one may stand at the very beginning of the span.
    let rate = load.frames.saturating_sub(1) as f64 / load.seconds;
    bounds.at_most("frames a second", rate, 1.0, "");
    bounds.judge("the clock ticks, or nothing was measured", load.frames > 0);
    // Cells that changed and no more: less than a scrolled line, where the screen has 12,000 cells.
    let each = load.bytes as f64 / load.frames as f64;
    bounds.at_most("bytes of such a frame", each, 3_499.0, "");
    let between: usize = (0..TICKS).map(|_| between_ticks(&terminal)).sum();
    bounds.at_most("bytes between two ticks", between as f64, 0.0, "");
    end(&mut terminal);
}

/// Bytes written behind a tick of the clock and before the next one.
fn between_ticks(terminal: &Terminal) -> usize {
    let mark = terminal.mark();
    terminal
        .wait_for(|_| terminal.mark() > mark, PATIENCE)
        .expect("the clock ticks");
    std::thread::sleep(TICK_DRAWN);
    let mark = terminal.mark();
    std::thread::sleep(BETWEEN);
    terminal.raw_output_since(mark).len()
}

/// Follows what a line pours out. `flooded` finds the number of a row, from 0, and the time at which it was due.
fn flood(bounds: &mut Bounds, terminal: &Terminal, line: &str, flooded: fn(&str) -> Option<(u64, Duration)>) {
    terminal.type_text(line);
    terminal.key(Key::Enter);
    let (newest, behind) = (Cell::new(None::<(u64, Duration)>), Cell::new(Duration::ZERO));
    let follow = |screen: &str| {
        // What the screen showed until now is as far behind as the present is ahead of it.
        if let Some((_, due)) = newest.get() {
            behind.set(behind.get().max(since_epoch().saturating_sub(due)));
        }
        newest.set(screen.lines().filter_map(flooded).max().or(newest.get()));
        newest.get().is_some_and(|(number, _)| number == FLOOD - 1)
    };
    let followed = terminal.wait_for(follow, Duration::from_secs(120));
    followed.expect("the end of the flood");
    bounds.at_most("the screen is behind by", behind.get().as_secs_f64(), 1.0, " s");
    // At its top the block says what it has not kept, and while it goes on what stands above its newest lines: the first
    // line shown has the number of both.
    terminal.key(Key::Alt('1'));
    terminal.type_text("g");
    let told = terminal
        .wait_for_text("earlier lines dropped", PATIENCE)
        .expect("the lines that are not kept are counted");
    let mut rows = told.lines().skip_while(|row| !row.contains("earlier lines dropped"));
    let dropped = counted(rows.next().unwrap_or_default());
    let mut rows = rows.peekable();
    let above = rows.next_if(|row| row.contains("lines above")).map_or(0, counted);
    let first = rows.find_map(flooded).map(|(number, _)| number);
    bounds.judge(
        &format!("{dropped} lines are said to be dropped and {above} to stand above, the first one there is {first:?}"),
        first.is_some_and(|first| first == dropped + above),
    );
}

/// The number in a row.
fn counted(row: &str) -> u64 {
    let digits: String = row.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

/// Number and due time of a line of this program's flood, where a row shows one.
fn stamped(row: &str) -> Option<(u64, Duration)> {
    let mut words = row.split_once("flood ")?.1.split_whitespace();
    let number = words.next().filter(|word| word.len() == 7)?.parse().ok()?;
    let due = words.next().filter(|word| word.len() == 13)?.parse().ok()?;
    Some((number, Duration::from_millis(due)))
}

/// The same of a container's, with the time at which it was written.
fn timestamped(row: &str) -> Option<(u64, Duration)> {
    let (before, behind) = row.split_once(" flood ")?;
    let number = behind.split_whitespace().next().filter(|word| word.len() == 7)?;
    let written: jiff::Timestamp = before.split_whitespace().last()?.parse().ok()?;
    let written = written.duration_since(jiff::Timestamp::UNIX_EPOCH);
    Some((number.parse().ok()?, written.unsigned_abs()))
}

/// Starts a pod that floods its log.
fn start_pod(sandbox: &Sandbox) {
    let filler = "x".repeat(LINE_BYTES - "flood 0000000 \n".len());
    let mut script = format!("sleep {POD_SILENT}; X={filler}");
    for first in (0..FLOOD).step_by(usize::try_from(POD_AT_ONCE).expect("a small number")) {
        let last = first + POD_AT_ONCE - 1;
        let _ = write!(script, "; seq -f \"flood %07.0f $X\" {first} {last}; sleep {POD_EACH}");
    }
    let container = serde_json::json!({
        "name": "main", "image": "busybox:1.37", "command": ["sh", "-c", script + "; sleep 3600"],
    });
    let pod = serde_json::json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "flood"}, "spec": {"containers": [container]},
    });
    let folder = tempfile::tempdir().expect("a folder for the manifest");
    let file = folder.path().join("flood.json");
    std::fs::write(&file, pod.to_string()).expect("the manifest is written");
    for line in [
        format!("kubectl:apply -f {}", file.display()),
        "kubectl:wait --for=condition=Ready pod/flood".to_owned(),
    ] {
        let status = sandbox.cogdeck(&["run", &line]).status().expect("cogdeck runs");
        assert!(status.success(), "{line}");
    }
}

/// The flood itself. A reader that is slow makes it late, which its lines tell: they name the time they were due.
fn pour() -> ExitCode {
    let (begun, epoch) = (Instant::now(), since_epoch());
    let mut out = std::io::stdout().lock();
    for step in 0..FLOOD / AT_ONCE {
        let due = EACH * u32::try_from(step).expect("few steps");
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        let stamp = (epoch + due).as_millis();
        let mut lines = String::new();
        for number in step * AT_ONCE..(step + 1) * AT_ONCE {
            let told = format!("flood {number:07} {stamp} ");
            let _ = writeln!(lines, "{told:x<width$}", width = LINE_BYTES - 1);
        }
        if out.write_all(lines.as_bytes()).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970")
}

/// p50 and p99 in milliseconds.
fn percentiles(mut spans: Vec<Duration>) -> [f64; 2] {
    spans.sort();
    [50, 99].map(|part| millis(spans[(spans.len() - 1) * part / 100]))
}

fn pid(terminal: &Terminal) -> u32 {
    terminal.pid().expect("it runs")
}
