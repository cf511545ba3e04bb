//! From a file to a checked manifest. What is wrong is named by line, column and JSON pointer, and marked in the text.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeSeed;
use serde_path_to_error::Segment;
use serde_saphyr::{Options, budget::Budget};

use super::{Manifest, late};
use crate::core::report::Report;

/// The largest manifest file, bytes.
pub const LARGEST: u64 = 1 << 20;

impl Manifest {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Manifest, Report> {
        Manifest::parse(&text_of(path, LARGEST)?).map_err(|report| Report {
            message: format!("{}: {}", path.display(), report.message),
            ..report
        })
    }

    /// Parses and checks a manifest. What is wrong is named by its JSON pointer and marked in the text.
    pub fn parse(text: &str) -> Result<Manifest, Report> {
        let mut pointer = "#".to_owned();
        let read = serde_saphyr::with_deserializer_from_str_with_options(text, limits(), |document| {
            serde_path_to_error::deserialize(document).map_err(|error| {
                pointer = json_pointer(error.path());
                error.into_inner()
            })
        });
        let manifest: Manifest = read.map_err(|error| wrong(text, &pointer, &error))?;
        match late::objection(&manifest) {
            Some((steps, why)) => Err(wrong_at(text, &steps, &why)),
            None => Ok(manifest),
        }
    }
}

/// The text of a regular file of at most `most` bytes. What has no end (a device) or no beginning (a pipe that nobody
/// writes into) is refused.
pub fn text_of(path: &Path, most: u64) -> Result<String, Report> {
    String::from_utf8(bytes_of(path, most)?).map_err(|_| unreadable(path, &"it is not UTF-8"))
}

/// The bytes of a regular file, at most `most`; otherwise as [`text_of`].
pub fn bytes_of(path: &Path, most: u64) -> Result<Vec<u8>, Report> {
    let known = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !known.is_file() {
        return Err(unreadable(path, &"it is no file"));
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut bytes = Vec::new();
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    match bytes.len() as u64 > most {
        true => Err(unreadable(path, &format!("it is larger than {most} bytes"))),
        false => Ok(bytes),
    }
}

/// That a file or folder of a bundle cannot be read, and why.
pub fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Report {
    Report::refused(
        "E-BUNDLE-001",
        format!("cannot read the bundle {}: {why}", path.display()),
    )
}

/// What a manifest may cost to read: far above any real one, far below what could be felt.
fn limits() -> Options {
    let mut budget = Budget::default();
    budget.max_events = 100_000;
    budget.max_nodes = 50_000;
    budget.max_depth = 32;
    budget.max_documents = 1;
    budget.max_aliases = 500;
    budget.max_anchors = 100;
    budget.max_merge_keys = 100;
    budget.max_recorded_anchor_events = 20_000;
    budget.max_recorded_anchor_bytes = 1 << 20;
    let mut options = Options::default();
    options.budget = Some(budget);
    options
}

/// The report for the value that `steps` lead to.
fn wrong_at(text: &str, steps: &[String], why: &str) -> Report {
    let pointer = steps
        .iter()
        .fold("#".to_owned(), |pointer, step| format!("{pointer}/{}", escaped(step)));
    let walk = serde_saphyr::with_deserializer_from_str_with_options(text, limits(), |document| {
        late::FailAt { steps, why }.deserialize(document)
    });
    match walk {
        Err(error) => wrong(text, &pointer, &error),
        Ok(()) => Report::refused("E-BUNDLE-002", format!("{pointer}: {why}")),
    }
}

fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

fn json_pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold("#".to_owned(), |pointer, step| match step {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", escaped(key)),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

fn wrong(text: &str, pointer: &str, error: &serde_saphyr::Error) -> Report {
    let why = error.without_snippet().to_string();
    let Some(location) = error.location() else {
        return Report::refused("E-BUNDLE-002", format!("{pointer}: {why}"));
    };
    let (line, column) = (location.line(), location.column());
    // The place is told once, by us.
    let why = why.split(&format!(" at line {line}")).next().unwrap_or_default();
    let before = |count: u64| usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(before(line)).map(str::len).sum();
    let marked = &text[start..];
    let from: usize = marked.chars().take(before(column)).map(char::len_utf8).sum();
    let word = marked[from..]
        .find([' ', '\t', '\r', '\n', ',', '}', ']'])
        .unwrap_or(marked.len() - from);
    Report::refused(
        "E-BUNDLE-002",
        format!("line {line}, column {column}, {pointer}: {why}"),
    )
    .at(text, start + from..start + from + word.max(1))
}
