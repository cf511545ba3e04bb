//! The verbs beside real kubectl: both run the same line on the same server, each in a namespace of its own that holds
//! the same objects; text and exit code are compared. One file a group of verbs.

mod absent;
mod answers;
mod describe;
mod dry_run;
mod fields;
mod follow;
mod forward;
mod inside;
mod jobs;
mod look;
mod make;
mod nodes;
mod objects;
mod rollout;
mod sources;
mod spdy;
mod watches;

use std::time::Duration;

use super::bench::{Bench, Ran};

/// kubectl acts here, we there.
pub const THEIRS: &str = "theirs";

pub const OURS: &str = "default";

/// A cluster with the same deployment `web` in both namespaces, ready. None where there is no kubectl.
pub async fn twins() -> Option<Bench> {
    let bench = Bench::start().await;
    bench.kubectl(&format!("create namespace {THEIRS}")).await?;
    for space in [THEIRS, OURS] {
        for line in [
            format!("create deployment web --image=nginx:1 -n {space}"),
            format!("rollout status deploy/web -n {space}"),
        ] {
            let (code, _, error) = bench.kubectl(&line).await?;
            assert_eq!(code, 0, "{line}: {error}");
        }
    }
    Some(bench)
}

/// What a line says, sorted: the two programs share their words between stdout and stderr differently.
pub fn lines(text: &str) -> Vec<String> {
    let pod = regex::Regex::new(r"\b(web|api)-[a-z0-9]+-[a-z0-9]{5}\b").unwrap();
    let text = pod.replace_all(text, "POD");
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .map(|line| line.strip_prefix("error: ").unwrap_or(&line).to_owned())
        .map(|line| line.replace(THEIRS, OURS))
        .filter(|line| !line.is_empty() && !line.starts_with("See 'kubectl") && !line.starts_with("____"))
        .collect();
    lines.sort();
    lines
}

pub fn said(ran: &Ran) -> Vec<String> {
    let mut all = String::new();
    let mut header = None;
    for (columns, cells) in &ran.rows {
        if header != Some(columns) {
            all.push_str(&format!("{}\n", columns.join(" ")));
            header = Some(columns);
        }
        all.push_str(&format!("{}\n", cells.join(" ")));
    }
    for line in ran.text.iter().chain(&ran.notes) {
        // What undoes a change is our own word.
        if !line.starts_with("undo ") {
            all.push_str(&format!("{line}\n"));
        }
    }
    for report in ran.failed.iter().chain(&ran.report) {
        all.push_str(&format!("{}\n", report.message));
    }
    lines(&all)
}

/// Runs a line in both.
pub async fn same(bench: &Bench, line: &str) {
    let (code, out, error) = bench.kubectl(&format!("{line} -n {THEIRS}")).await.unwrap();
    let ran = bench.run(&format!("kubectl:{} -n {OURS}", quoted(line))).await;
    assert_eq!(lines(&format!("{out}\n{error}")), said(&ran), "{line}\n{ran:?}");
    // 2 is ours for what was refused before anything was asked of the server; kubectl knows only 1.
    assert_eq!(code, i32::from(ran.exit.min(1)), "{line}: {ran:?}");
}

/// Runs each line in both and fails with all that differ. `alike` takes out what no two looks have in common.
async fn all_same(bench: &Bench, lines_: &[&str], alike: impl Fn(Vec<String>) -> Vec<String>) {
    let mut different = Vec::new();
    for line in lines_ {
        let (code, out, error) = bench.kubectl(&format!("{line} -n {THEIRS}")).await.unwrap();
        let ran = bench.run(&format!("kubectl:{} -n {OURS}", quoted(line))).await;
        let (theirs, ours) = (alike(lines(&format!("{out}\n{error}"))), alike(said(&ran)));
        if theirs != ours || code != i32::from(ran.exit.min(1)) {
            let only = |one: &[String], other: &[String]| -> Vec<String> {
                one.iter().filter(|line| !other.contains(line)).cloned().collect()
            };
            different.push(format!(
                "{line}\n  kubectl ({code}) alone: {:#?}\n  ours ({}) alone: {:#?}",
                only(&theirs, &ours),
                ran.exit,
                only(&ours, &theirs)
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Ages, times, addresses and identities stand as words.
pub fn masked(line: &str) -> String {
    let patterns = [
        (r"\b\d+(s|m|h|d)(\d+s)?( \(x\d+ over [^)]*\))( {2,}|$)", "AGE  "),
        (r"\b(\d+d)?(\d+h)?(\d+m)?\d+s\b|\b\d+m\b", "AGE"),
        (r"\b\d+\.\d+\.\d+\.\d+\b", "ADDRESS"),
        (r"\w{3}, \d\d \w{3} \d{4} [\d:]+ \+\d{4}", "TIME"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"[0-9a-f]{8}-[0-9a-f-]{27}", "UID"),
        (r"\b[0-9a-f]{64}\b", "ID"),
        (r"ip-\d+-\d+-\d+-\d+", "NODE"),
        (r"\b(3\d{4})(/TCP)", "PORT$2"),
        (r"\b3\d{4}\b", "PORT"),
        (r"resourceVersion: .*", "VERSION"),
        (r"\b\d+ms\b", "AGE"),
        (r"Image size: \d+", "Image size: N"),
        (r"ap-southeast-2[abc]", "ZONE"),
    ];
    let mut line = line.to_owned();
    for (pattern, word) in patterns {
        let pattern = regex::Regex::new(pattern).unwrap();
        line = pattern.replace_all(&line, word).into_owned();
    }
    line
}

/// Such lines, sorted.
fn timeless(found: Vec<String>) -> Vec<String> {
    let mut found: Vec<String> = found.iter().map(|line| masked(line)).collect();
    found.sort();
    found
}

/// Like [`same`] for verbs without a namespace.
pub async fn same_everywhere(bench: &Bench, line: &str) {
    let (code, out, error) = bench.kubectl(line).await.unwrap();
    let ran = bench.run(&format!("kubectl:{}", quoted(line))).await;
    assert_eq!(lines(&format!("{out}\n{error}")), said(&ran), "{line}\n{ran:?}");
    assert_eq!(code, i32::from(ran.exit.min(1)), "{line}: {ran:?}");
}

/// The namespace stands before `--`, where words of a command begin.
pub async fn same_created(bench: &Bench, line: &str) {
    let (head, tail) = line
        .split_once(" -- ")
        .map_or((line, String::new()), |(head, tail)| (head, format!(" -- {tail}")));
    let (code, out, error) = bench.kubectl(&format!("{head} -n {THEIRS}{tail}")).await.unwrap();
    let ran = bench.run(&format!("kubectl:{head} -n {OURS}{tail}")).await;
    assert_eq!(lines(&format!("{out}\n{error}")), said(&ran), "{line}\n{ran:?}");
    assert_eq!(code, i32::from(ran.exit.min(1)), "{line}: {ran:?}");
}

/// kubectl gets words, we get a line: what our language would read otherwise is quoted.
pub fn quoted(line: &str) -> String {
    let special = |text: &str| text.contains(['{', '*', '$', '<', '>', '|', ';', '&', '[', '(']);
    let one = |word: &str| match word.split_once('=') {
        Some((name, value)) if word.starts_with("--") && special(value) => format!("{name}='{value}'"),
        _ if special(word) => format!("'{word}'"),
        _ => word.to_owned(),
    };
    line.split_whitespace().map(one).collect::<Vec<_>>().join(" ")
}

/// Both at the beginning of a second: a restart twice within one is refused.
pub async fn next_second() {
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

/// Writes a manifest; the file lives as long as what is returned.
pub fn manifest(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}
