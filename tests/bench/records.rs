//! A million records through a pipeline, and the same through jq: `cargo bench --bench records`.
//!
//! Both read the same file from stdin, parse it, keep half of the records and reshape them; they run in turns. Printed
//! are the times, the ratio of their medians and the peak memory of the process with its helpers. `COGDECK_BENCH_RECORDS`
//! sets another number of records, `COGDECK_BENCH_BINARY` another binary (one that was built earlier).
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
/// One that looks keys up where it stands, and one that needs jq's process.
const FILTERS: [&str; 2] = ["{id,v}", "{id,v:(.v|.)}"];

fn main() {
    let count: usize = variable("COGDECK_BENCH_RECORDS").map_or(1_000_000, |text| text.parse().expect("a number"));
    let binary = variable("COGDECK_BENCH_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_cogdeck").to_owned());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("records.jsonl");
    write(&file, count).expect("the records are written");
    let version = Command::new("jq").arg("--version").output();
    match &version {
        Ok(output) => println!("{}", String::from_utf8_lossy(&output.stdout).trim()),
        Err(error) => println!("jq: {error}: only cogdeck is measured"),
    }
    for filter in FILTERS {
        println!("{filter}");
        let (mut ours, mut theirs, mut peak) = (Vec::new(), Vec::new(), (0, 0));
        for _ in 0..ROUNDS {
            let line = format!("filter --path=ok --matches=true | jq '{filter}' | count");
            let mut command = Command::new(&binary);
            command.args(["run", "--input", "-", &line]).env("HOME", folder.path());
            let (time, text, memory) = measured(command, &file);
            assert_eq!(text.trim(), (count / 2).to_string(), "records are lost");
            peak = (peak.0.max(memory.0), peak.1.max(memory.1));
            ours.push(time);
            if version.is_ok() {
                // What the pipeline does, counting included.
                let mut command = Command::new("sh");
                command.args(["-c", "jq -c \"select(.ok)|$0\" | wc -l", filter]);
                let (time, text, _) = measured(command, &file);
                assert_eq!(text.trim(), (count / 2).to_string(), "jq loses records");
                theirs.push(time);
            }
        }
        let our = median(&mut ours);
        println!(
            "  cogdeck {our:.2?} ({:.0} records/s), peak {} MiB and {} MiB in helpers",
            count as f64 / our.as_secs_f64(),
            peak.0 >> 10,
            peak.1 >> 10
        );
        if !theirs.is_empty() {
            let their = median(&mut theirs);
            println!(
                "  jq -c   {their:.2?} ({:.0} records/s); ratio {:.2}",
                count as f64 / their.as_secs_f64(),
                their.as_secs_f64() / our.as_secs_f64()
            );
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn write(path: &Path, count: usize) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for n in 0..count {
        let ok = n % 2 == 0;
        writeln!(
            out,
            r#"{{"id":{n},"ok":{ok},"v":"value-{n}","tags":["a","b"],"n":{{"x":{},"y":null}}}}"#,
            n * 2
        )?;
    }
    out.flush()
}

/// Time, output, and peak memory in KiB of the process itself and of its children together.
fn measured(mut command: Command, input: &Path) -> (Duration, String, (u64, u64)) {
    let input = File::open(input).expect("the records");
    let begun = Instant::now();
    let mut child = command
        .stdin(input)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut peak = (0, 0);
    while child.try_wait().expect("a child to ask").is_none() {
        peak = (peak.0.max(high_water(child.id())), peak.1.max(helpers(&child)));
        std::thread::sleep(Duration::from_millis(5));
    }
    let time = begun.elapsed();
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "{command:?}: {}", output.status);
    (time, String::from_utf8_lossy(&output.stdout).into_owned(), peak)
}

fn helpers(child: &Child) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id()));
    let tasks = tasks.into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let ids = children.flat_map(|ids| {
        ids.split_whitespace()
            .filter_map(|id| id.parse().ok())
            .collect::<Vec<u32>>()
    });
    ids.map(high_water).sum()
}

/// `VmHWM`, in KiB.
fn high_water(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or(0)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
