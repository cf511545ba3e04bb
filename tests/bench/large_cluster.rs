//! A console on a cluster of 200 deployments and 20,000 pods, beside its peers: `cargo bench --bench large_cluster`.
//!
//! Everything runs against `cogdeck sandbox` in a process of its own, each program in a terminal of 120×40. Printed are
//!
//! - the time from the start of the process to the last byte of its first frame, of each program in turns, and of the
//!   console on its own sandbox (`--sandbox`) apart;
//! - the time from the start of the process to its first row, its peak memory once everything is loaded, and the share
//!   of one core it takes while only ages tick; the same of kubetui and kdash where they are found (`COGDECK_BENCH_KUBETUI`,
//!   `COGDECK_BENCH_KDASH`, else `PATH`; `tests/bench/peers.sh` builds them);
//! - whether the rows on the screen are those of the server while 500 pods change a second;
//! - the time from Enter to the rows of `kubectl:get deploy` in a running console, beside a `kubectl` process on the
//!   same server, in turns.
//!
//! A bound that is passed ends the bench with a failure: a first frame slower than that of the faster peer, a row that is
//! wrong, and the limits that are printed beside the figures.
//!
//! `COGDECK_BENCH_COGDECK` measures another build of the console than the one cargo made.
//!
//! Linux only: memory and CPU time are read from `/proc`.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use kube::config::{KubeConfigOptions, Kubeconfig};

use support::bounds::Bounds;
use support::first_frame::Opened;
use support::process::{COGDECK, Sandbox};
use support::terminal::{Key, Terminal};
use support::usage::{cpu_seconds, memory_mib, millis};

const PODS: &[&str] = &["--deployments", "200", "--pods", "20000"];
/// Starts of our own console; the others are started once.
const STARTS: usize = 5;
/// Starts for a first frame: a few milliseconds, of which one that is disturbed must not be the measure.
const FRAMES: usize = 21;
/// Between two of them.
const QUIET: Duration = Duration::from_millis(400);
/// How long a program may take to show its first row.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a program gets to load everything before it is measured.
const LOADING: Duration = Duration::from_secs(15);
/// How long CPU time is counted.
const WATCHED: Duration = Duration::from_secs(10);
/// Rounds of a command in the console and a kubectl process.
const ROUNDS: usize = 50;

fn main() -> ExitCode {
    let mut bounds = Bounds::default();
    {
        let sandbox = Sandbox::start(PODS);
        println!("200 deployments, 20,000 pods, a terminal of 120×40:");
        first_frames(&mut bounds, &sandbox);
        ours(&mut bounds, &sandbox);
        peer(&sandbox, "kubetui", "COGDECK_BENCH_KUBETUI");
        peer(&sandbox, "kdash", "COGDECK_BENCH_KDASH");
        commands(&mut bounds, &sandbox);
    }
    changing(&mut bounds);
    bounds.end()
}

/// What a program in a terminal costs.
struct Cost {
    first_row: Duration,
    peak_mib: f64,
    cpu_percent: f64,
}

fn ours(bounds: &mut Bounds, sandbox: &Sandbox) {
    let mut first_rows = Vec::new();
    for _ in 1..STARTS {
        let begun = Instant::now();
        let terminal = start(sandbox, &console(), 120, 40);
        row_shown(&terminal);
        first_rows.push(begun.elapsed());
    }
    let cost = measured(sandbox, &console());
    first_rows.push(cost.first_row);
    first_rows.sort();
    let first_row = first_rows[first_rows.len() / 2];
    println!("  cogdeck, {STARTS} starts:");
    bounds.at_most("median time to the first row", millis(first_row), 500.0, " ms");
    bounds.at_most("peak memory", cost.peak_mib, 60.0, " MiB");
    bounds.at_most("share of a core while only ages tick", cost.cpu_percent, 1.0, " %");
}

/// The first frames of all, in turns.
fn first_frames(bounds: &mut Bounds, sandbox: &Sandbox) {
    let peers = [("kubetui", "COGDECK_BENCH_KUBETUI"), ("kdash", "COGDECK_BENCH_KDASH")];
    // Installed, as the peers are: pages of a file that the linker has just written are mapped one by one, those of a copy
    // many at a time.
    let folder = tempfile::tempdir().expect("a folder to install into");
    let own = folder.path().join("cogdeck");
    std::fs::copy(console(), &own).expect("the console is installed");
    let mut programs: Vec<(&str, PathBuf, &[&str])> = vec![
        ("cogdeck", own.clone(), &[]),
        ("cogdeck --sandbox", own, &["--sandbox"]),
    ];
    for (name, variable) in peers {
        programs.extend(find(name, variable).map(|program| (name, program, &[][..])));
    }
    let mut spans: Vec<Vec<Duration>> = vec![Vec::new(); programs.len()];
    for round in 0..FRAMES {
        // There and back: none always starts behind the one that asks the server for most.
        let mut order: Vec<usize> = (0..programs.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let (_, program, args) = &programs[at];
            spans[at].push(Opened::start(program, args, sandbox.envs()).after);
            // What this one asked of the server is answered before the next one starts.
            std::thread::sleep(QUIET);
        }
    }
    let medians: Vec<f64> = spans.into_iter().map(|spans| millis(median(spans))).collect();
    for ((name, ..), median) in programs.iter().zip(&medians) {
        println!("  {name}: first frame after {median:.1} ms (median of {FRAMES} starts)");
    }
    bounds.at_most("our first frame, the goal", medians[0], 50.0, " ms");
    // The peers come behind the console and the console with a sandbox of its own, which is no match for them.
    let faster = medians[2..].iter().copied().reduce(f64::min);
    match faster {
        Some(faster) => bounds.at_most("our first frame beside the faster peer's", medians[0], faster, " ms"),
        None => println!("  the first frame is not judged beside a peer's: neither is here"),
    }
}

fn peer(sandbox: &Sandbox, name: &str, variable: &str) {
    let Some(program) = find(name, variable) else {
        println!("  {name}: not measured, it is neither in PATH nor in {variable} (tests/bench/peers.sh builds it)");
        return;
    };
    let cost = measured(sandbox, &program);
    println!(
        "  {name}: first row after {:.0} ms, peak memory {:.1} MiB, {:.1} % of a core while nothing changes",
        millis(cost.first_row),
        cost.peak_mib,
        cost.cpu_percent
    );
}

fn measured(sandbox: &Sandbox, program: &Path) -> Cost {
    let begun = Instant::now();
    let mut terminal = start(sandbox, program, 120, 40);
    row_shown(&terminal);
    let first_row = begun.elapsed();
    let pid = terminal.pid().expect("it runs");
    std::thread::sleep(LOADING);
    let (before, counted) = (cpu_seconds(pid), Instant::now());
    std::thread::sleep(WATCHED);
    let cost = Cost {
        first_row,
        cpu_percent: (cpu_seconds(pid) - before) / counted.elapsed().as_secs_f64() * 100.0,
        peak_mib: memory_mib(pid, "VmHWM"),
    };
    terminal.kill("TERM");
    cost
}

fn start(sandbox: &Sandbox, program: &Path, cols: u16, rows: u16) -> Terminal {
    sandbox.terminal(program, &[], cols, rows)
}

fn row_shown(terminal: &Terminal) {
    terminal.wait_for_text("load-", PATIENCE).expect("a row is shown");
}

/// Enter to rows, beside a process of kubectl.
fn commands(bounds: &mut Bounds, sandbox: &Sandbox) {
    let Some(kubectl) = find("kubectl", "COGDECK_BENCH_KUBECTL") else {
        println!("kubectl:get deploy: not measured, there is no kubectl in PATH");
        return;
    };
    let terminal = start(sandbox, &console(), 120, 40);
    row_shown(&terminal);
    // Rows in the middle of the answer: on the screen only as long as it is the last block.
    let whole = |screen: &str| screen.contains("load-0180");
    let (mut console, mut process) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS + 1 {
        terminal.type_text("kubectl:get deploy");
        terminal
            .wait_for(|screen| screen.contains("❯ kubectl:get deploy "), PATIENCE)
            .expect("the line is typed");
        let begun = Instant::now();
        terminal.key(Key::Enter);
        terminal.wait_for(whole, PATIENCE).expect("the rows are shown");
        let in_console = begun.elapsed();
        let done = format!("round-{round}.");
        terminal.type_text(&format!("echo {done}\n"));
        terminal
            .wait_for(|screen| screen.matches(&done).count() > 1 && !whole(screen), PATIENCE)
            .expect("the block is folded");
        let begun = Instant::now();
        let output = sandbox
            .client(&kubectl)
            .args(["get", "deploy"])
            .stderr(Stdio::null())
            .output()
            .expect("kubectl runs");
        let in_process = begun.elapsed();
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("load-0180"),
            "kubectl shows the rows"
        );
        // The first of both reads discovery; kubectl keeps it in a file from then on.
        if round > 0 {
            console.push(in_console);
            process.push(in_process);
        }
    }
    let (console, process) = (median(console), median(process));
    let ratio = process.as_secs_f64() / console.as_secs_f64();
    println!(
        "kubectl:get deploy (200 rows): {:.1} ms from Enter to rows, {:.1} ms by a kubectl process (medians of {ROUNDS})",
        millis(console),
        millis(process),
    );
    bounds.at_least("times faster", ratio, 10.0, "");
}

/// The rows on the screen against the server's while pods change.
fn changing(bounds: &mut Bounds) {
    let sandbox = Sandbox::start(&[PODS, &["--events", "500"]].concat());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let pods = runtime.block_on(pods(&sandbox));
    let mut terminal = start(&sandbox, &console(), 200, 50);
    row_shown(&terminal);
    terminal.type_text(":pods\n");
    terminal
        .wait_for_text("pods 20000", PATIENCE)
        .expect("all pods are there");
    // Zoomed, names stand there in full.
    terminal.key(Key::Char('z'));
    terminal
        .wait_for(|screen| !restarts(screen).is_empty(), PATIENCE)
        .expect("the pods have the whole screen");
    let pid = terminal.pid().expect("it runs");
    let (before, counted) = (cpu_seconds(pid), Instant::now());
    let mut compared = 0;
    let mut wrong = Vec::new();
    for _ in 0..10 {
        let earlier = restarts(&terminal.screen());
        let now: Vec<(String, i32)> = earlier
            .iter()
            .map(|(name, _)| (name.clone(), runtime.block_on(restart_count(&pods, name))))
            .collect();
        // An event is on the screen within this time, or it is wrong.
        std::thread::sleep(Duration::from_millis(500));
        let later = restarts(&terminal.screen());
        for ((name, shown), (_, truth)) in earlier.iter().zip(&now) {
            let then = later.iter().find(|(other, _)| other == name).map(|(_, count)| *count);
            compared += 1;
            if shown > truth || then.is_some_and(|then| then < *truth) {
                wrong.push(format!(
                    "{name}: {shown} on the screen, {truth} on the server, then {then:?}"
                ));
            }
        }
    }
    println!(
        "500 pod changes a second: {compared} rows on the screen compared with the server, {:.1} % of a core; the sandbox \
         takes {:.0} MiB",
        (cpu_seconds(pid) - before) / counted.elapsed().as_secs_f64() * 100.0,
        memory_mib(sandbox.pid(), "VmHWM"),
    );
    bounds.at_most("rows that are wrong", wrong.len() as f64, 0.0, "");
    bounds.at_most("peak memory", memory_mib(pid, "VmHWM"), 60.0, " MiB");
    for line in wrong {
        println!("  {line}");
    }
    assert!(compared > 0, "no pod is on the screen: {}", terminal.screen());
    terminal.kill("TERM");
}

/// Names and restarts of the pods on the screen: `load-…  1/1  ✓ Running  RESTARTS …`.
fn restarts(screen: &str) -> Vec<(String, i32)> {
    let row = |line: &str| {
        let mut words = line.split_whitespace().skip_while(|word| !word.starts_with("load-"));
        let name = words
            .next()
            .filter(|name| name.matches('-').count() == 3 && !name.contains('…'))?;
        words.next().filter(|ready| ready.contains('/'))?;
        let restarts = words.find_map(|word| word.parse().ok())?;
        Some((name.to_owned(), restarts))
    };
    screen.lines().filter_map(row).collect()
}

async fn pods(sandbox: &Sandbox) -> Api<Pod> {
    let kubeconfig = Kubeconfig::read_from(sandbox.kubeconfig()).expect("the world's kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Api::default_namespaced(kube::Client::try_from(config.expect("a usable kubeconfig")).expect("a client"))
}

async fn restart_count(pods: &Api<Pod>, name: &str) -> i32 {
    let pod = pods.get(name).await.expect("the pod is there");
    let statuses = pod
        .status
        .and_then(|status| status.container_statuses)
        .unwrap_or_default();
    statuses.iter().map(|status| status.restart_count).sum()
}

/// The console under test.
fn console() -> PathBuf {
    std::env::var_os("COGDECK_BENCH_COGDECK").map_or_else(|| COGDECK.into(), PathBuf::from)
}

/// The program a variable names, or the first of this name in `PATH`.
fn find(name: &str, variable: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    named.or_else(|| support::find(name, std::env::var_os("PATH")))
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort();
    spans[spans.len() / 2]
}
