//! What a process uses, from `/proc` (proc(5)): for benches. Linux only.

use std::time::Duration;

/// A clock tick of `/proc/PID/stat` on every Linux there is.
const TICK: f64 = 0.01;

/// A size of `/proc/PID/status` in MiB: `VmRSS`, or `VmHWM` for the most there ever was.
pub fn memory_mib(pid: u32, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process's status");
    let size = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':')?.strip_suffix("kB"))
        .expect("a size");
    size.trim().parse::<f64>().expect("a number") / 1024.0
}

/// The CPU time a process has used, in user and in kernel mode.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process's stat");
    // The name in brackets may hold blanks; user and system time are the 12th and 13th fields after it.
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks: f64 = [11, 12]
        .iter()
        .map(|at| fields[*at].parse::<f64>().expect("ticks"))
        .sum();
    ticks * TICK
}

/// A span in milliseconds.
pub fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
