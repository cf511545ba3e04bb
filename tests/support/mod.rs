//! Helpers that integration tests share: tools which a machine may lack, a terminal to type into, the built-in world as
//! a process. Not for product code, and not a test itself.
//!
//! `tests/run` prepares the machine and says by `COGDECK_TEST_…` variables what there is. Under it, on CI, a missing
//! tool fails the test (`COGDECK_TEST_REQUIRE=1`); under plain `cargo test` on somebody's machine the test ends early
//! with a `skipped:` line that says what would bring the tool.
#![allow(
    dead_code,
    reason = "every test binary compiles this module and uses its own part of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a failed expectation is how a test fails, and a skipped test says so; helpers of tests included"
)]

pub mod bounds;
pub mod console;
pub mod first_frame;
pub mod image;
pub mod keys;
pub mod process;
pub mod run;
pub mod terminal;
pub mod tunnel;
pub mod usage;

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Programs that only an administrator's `PATH` finds live here.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// The path of a program (`kubectl`, `dig`, `tmux` …), or `None` when the caller should end its test as skipped.
/// `aws` is the client that `tests/run` installed, where it did.
///
/// Panics when the machine is required to have every tool.
pub fn require(tool: &str) -> Option<PathBuf> {
    let prepared = (tool == "aws").then(|| variable("COGDECK_TEST_AWSCLI")).flatten();
    let found = prepared
        .map(PathBuf::from)
        .or_else(|| find(tool, std::env::var_os("PATH")));
    found.or_else(|| {
        missing(
            tool,
            "not found on this machine",
            "run ./tests/run as root or with CI=true, or install it",
        );
        None
    })
}

/// A Python that has PyPI's Kubernetes client, or `None` when the caller should end its test as skipped.
///
/// Panics when the machine is required to have every tool.
pub fn require_kubernetes_python() -> Option<PathBuf> {
    let python = variable("COGDECK_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        missing(
            "kubernetes (Python)",
            "no Python with this client was prepared",
            "run ./tests/run as root or with CI=true, or set COGDECK_TEST_PYTHON",
        );
    }
    python
}

/// The address of a Docker engine that tests may use (`unix:///…`), or `None` when the caller should end its test as
/// skipped. Containers on it have no network but loopback.
///
/// Panics when the machine is required to have every tool.
pub fn require_docker() -> Option<String> {
    let host = variable("COGDECK_TEST_DOCKER_HOST").and_then(|host| host.into_string().ok());
    if host.is_none() {
        missing(
            "docker",
            "no engine that tests may use",
            "run ./tests/run as root, or set COGDECK_TEST_DOCKER_HOST",
        );
    }
    host
}

/// A statically linked busybox to build images from, or `None` when the caller should end its test as skipped.
///
/// Panics when the machine is required to have every tool.
pub fn require_busybox() -> Option<PathBuf> {
    let busybox = variable("COGDECK_TEST_BUSYBOX").map(PathBuf::from);
    if busybox.is_none() {
        missing(
            "busybox",
            "no static busybox",
            "run ./tests/run as root, or set COGDECK_TEST_BUSYBOX",
        );
    }
    busybox
}

/// Sends a signal by its name without `SIG` to a process that the test started. A process that is gone already is fine.
pub fn signal(pid: u32, name: &str) {
    // The shell's own `kill`: a program of that name is not on every machine.
    let status = Command::new("sh")
        .args(["-c", r#"kill -s "$0" "$1" 2>/dev/null || true"#, name, &pid.to_string()])
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "sh could not send SIG{name} to {pid}"
    );
}

/// Waits until a process that the test started is stopped, as by SIGTSTP (Linux: the state `T` of proc(5)).
pub fn wait_until_stopped(pid: u32, timeout: Duration) {
    let deadline = Instant::now() + timeout;
    let is_stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process");
        stat.rsplit_once(") ")
            .is_some_and(|(_, fields)| fields.starts_with('T'))
    };
    while !is_stopped() {
        assert!(Instant::now() < deadline, "{pid} is not stopped within {timeout:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An empty variable counts as unset, so that a shell script may export what it did not find.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The first program of this name in a search path or the system's folders.
pub fn find(tool: &str, path: Option<OsString>) -> Option<PathBuf> {
    let path = path.unwrap_or_default();
    std::env::split_paths(&path)
        .chain(SYSTEM_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(tool))
        .find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Says that the current test is skipped; `tests/run` repeats the line in its summary, because the test harness hides
/// what a passing test prints.
fn missing(what: &str, why: &str, remedy: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let line = format!("skipped: {test}: {what} ({why}; {remedy})");
    assert!(
        variable("COGDECK_TEST_REQUIRE").is_none(),
        "{line}\nCOGDECK_TEST_REQUIRE is set: every tool must be here"
    );
    eprintln!("{line}");
    if let Some(path) = variable("COGDECK_TEST_SKIPS")
        && let Ok(mut file) = OpenOptions::new().append(true).open(path)
        && let Err(error) = writeln!(file, "{line}")
    {
        eprintln!("the summary of tests/run will not show it: {error}");
    }
}
