//! What a frame and a step of the console cost: instructions, counted by valgrind, and bytes written to the terminal.
//! Instructions are the same on a loaded machine, so that a change that makes a step dearer by a tenth is seen at once.
//! Times are for `cargo bench --bench console_frames`.
//!
//! A step is measured in this very program, started again under valgrind with [`PROBE`] set: once with some rounds, once
//! with more, and the difference leaves out what getting there takes. Getting there differs by some 40,000 instructions
//! from run to run (the seeds of hash maps), so a step of a few thousand has as many rounds as make that a percent.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "support/desk.rs"]
mod desk;
mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crossterm::event::KeyCode;

use desk::{Desk, LINE};

/// The step and its rounds, for the copy of this program that valgrind runs: `typed 20`.
const PROBE: &str = "COGDECK_TEST_PROBE";
/// What a step may cost more than recorded, in percent.
const TOLERANCE: u64 = 10;

/// The steps, the rounds of the shorter run (the longer one has three times as many), and how many instructions each step
/// took when it was last looked at (release profile, x86-64).
const RECORDED: [(&str, u64, u64); 6] = [
    ("pod-changed", 10, 12_357_000),
    ("ages", 10, 7_418_000),
    ("typed", 10, 3_030_000),
    ("selection-moved", 10, 7_455_000),
    ("key-reduced", 10 * LINE, 10_200),
    ("line-reduced", 400, 6_550),
];

#[test]
fn no_step_takes_a_tenth_more_instructions_than_recorded() {
    let Some(valgrind) = support::require("valgrind") else {
        return;
    };
    let mut dearer = Vec::new();
    for (step, rounds, recorded) in RECORDED {
        let (fewer, more) = std::thread::scope(|scope| {
            let fewer = scope.spawn(|| instructions(&valgrind, step, rounds));
            let more = instructions(&valgrind, step, 3 * rounds);
            (fewer.join().expect("the shorter run"), more)
        });
        let each = more.saturating_sub(fewer) / (2 * rounds);
        println!("{step}: {each} instructions, {recorded} recorded");
        assert!(each > 1_000, "{step} is not what was measured: {each} instructions");
        if each > recorded + recorded * TOLERANCE / 100 {
            dearer.push(format!("{step}: {each} instead of {recorded}"));
        }
    }
    assert!(
        dearer.is_empty(),
        "over {TOLERANCE} % more instructions than recorded: {}. Find out what made it dearer; where it is worth it, \
         write the new figure down with the reason.",
        dearer.join(", ")
    );
}

fn instructions(valgrind: &Path, step: &str, rounds: u64) -> u64 {
    let output = Command::new(valgrind)
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "probe", "--nocapture", "--test-threads=1"])
        .env(PROBE, format!("{step} {rounds}"))
        .output()
        .expect("valgrind starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{step}: {told}");
    let counted = told
        .lines()
        .find_map(|line| line.split_once("I refs:").or(line.split_once("I   refs:")));
    let digits: String = counted
        .unwrap_or_else(|| panic!("no count: {told}"))
        .1
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().expect("a count")
}

#[test]
#[ignore = "run under valgrind by the test of instructions"]
fn probe() {
    let asked = std::env::var(PROBE).expect("a step and its rounds");
    let (step, rounds) = asked.split_once(' ').expect("a step and its rounds");
    let mut desk = Desk::new(200, 60);
    for round in 0..rounds.parse().expect("a number") {
        desk.step(step, round);
    }
}

#[test]
fn a_frame_writes_what_changed_and_no_more() {
    let mut desk = Desk::new(200, 60);
    // The first character of a line also changes the hints.
    desk.step("typed", 0);
    let cell = desk.step("typed", 1);
    assert!((1..80).contains(&cell), "{cell} bytes for one changed cell");
    for _ in 0..2 {
        desk.press(KeyCode::Backspace);
    }
    desk.frame();

    desk.fill_with_pods();
    let line = desk.step("selection-moved", 0);
    assert!(
        (80..3_500).contains(&line),
        "{line} bytes for a table scrolled by one line"
    );

    assert_eq!(desk.frame(), 0, "nothing changed");
    // The bottom line shows seconds: between two of them nothing on the screen changes.
    assert_eq!(desk.later(Duration::from_millis(999)), 0, "the same second");
    let second = desk.later(Duration::from_millis(1));
    // The clock's last digit and the ages of the sources: some cells each, and nothing beside them.
    assert!((1..240).contains(&second), "{second} bytes for the next second");
    println!("{cell} bytes for one changed cell, {line} for a full-screen table scrolled by one line");
}
