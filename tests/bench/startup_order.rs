//! Writes `assets/startup.order`, the list of the functions that a console calls up to its first frame: `cargo bench
//! --bench startup_order`. The linker puts them side by side (`build.rs`), where they would otherwise lie in 200 places of
//! a program of 39 MB, each of which the kernel maps when it is first run.
//!
//! To be run again where `cargo bench --bench large_cluster` finds the first frame slower than it was: names that a newer
//! compiler or library spells differently are passed over.
//!
//! Needs valgrind, and a console linked with names.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use support::first_frame::Opened;
use support::process::{COGDECK, Sandbox};

const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let valgrind = support::require("valgrind").expect("valgrind is installed");
    let sandbox = Sandbox::start(&[]);
    let folder = tempfile::tempdir().expect("a folder for the profile");
    let profile = folder.path().join("profile");
    let args = [
        "--tool=callgrind".to_owned(),
        format!("--callgrind-out-file={}", profile.display()),
        "--dump-after=*console*terminal*Screen*frame*".to_owned(),
        "--compress-strings=no".to_owned(),
        "--demangle=no".to_owned(),
        COGDECK.to_owned(),
    ];
    let opened = Opened::start(&valgrind, &args, sandbox.envs());
    let written = written(&profile.with_extension("1"));
    drop(opened);
    let names = called(&written);
    assert!(names.len() > 500, "only {} functions are named", names.len());
    let mut list: String =
        "# Functions that are called up to the first frame: cargo bench --bench startup_order\n".into();
    names.iter().for_each(|name| list.extend([name, "\n"]));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/startup.order");
    std::fs::write(path, list).expect("assets can be written");
    println!("assets/startup.order: {} functions", names.len());
}

/// A profile, once it is written as far as its last line, that of the totals.
fn written(profile: &Path) -> String {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let text = std::fs::read_to_string(profile).unwrap_or_default();
        if text.contains("\ntotals:") {
            return text;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("valgrind writes no profile of the first frame to {}", profile.display());
}

/// The program's own functions in a profile of callgrind: the lines `fn=NAME` behind `ob=PROGRAM`. One that calls itself
/// has a second name, `NAME'2`.
fn called(profile: &str) -> BTreeSet<&str> {
    let (mut ours, mut names) = (false, BTreeSet::new());
    for line in profile.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            ours = object == COGDECK;
        } else if let Some(name) = line.strip_prefix("fn=").filter(|_| ours) {
            names.insert(name.split_once('\'').map_or(name, |(name, _)| name));
        }
    }
    names.retain(|name| name.starts_with(|first: char| first == '_' || first.is_ascii_lowercase()));
    names
}
