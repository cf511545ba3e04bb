//! Which files of a folder or a repository make a bundle, and how large that may be. Without IO.

use crate::bundle::manifest::Manifest;
use crate::bundle::package::{own_executables, stays_inside};
use crate::core::report::Report;

/// Files, at most.
pub const MOST_FILES: usize = 5_000;
/// Folders inside one another, at most.
pub const DEEPEST: usize = 16;
/// Bytes of all files, at most.
pub const LARGEST_TREE: u64 = 64 << 20;

/// Files that come with a bundle's executables, at most.
pub const MOST_COPIED: usize = 256;
/// Bytes of those, at most.
pub const LARGEST_COPIED: u64 = 8 << 20;

/// Names a manifest has, the first that is there counts.
const MANIFESTS: [&str; 6] = [
    "config.yaml",
    "config.yml",
    "config.json",
    "bundle.yaml",
    "bundle.yml",
    "bundle.json",
];

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path below the top, `/` between folders.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// What reads it: its own path, or an object's name.
    pub handle: String,
    /// Whether it may be run.
    pub executable: bool,
}

/// The files that make the bundle.
#[derive(Debug, PartialEq, Eq)]
pub struct Selection {
    /// The manifest.
    pub manifest: Entry,
    /// Templates by name.
    pub templates: Vec<(String, Entry)>,
    /// Everything else.
    pub rest: Vec<Entry>,
}

/// Checks that a tree is within its limits.
pub fn bounded(count: usize, depth: usize, bytes: u64) -> Result<(), Report> {
    let why = if count > MOST_FILES {
        format!("it holds more than {MOST_FILES} files")
    } else if depth > DEEPEST {
        format!("its folders are nested deeper than {DEEPEST}")
    } else if bytes > LARGEST_TREE {
        format!("it is larger than {} MiB", LARGEST_TREE >> 20)
    } else {
        return Ok(());
    };
    Err(
        Report::refused("E-BUNDLE-036", format!("this is too large for a bundle: {why}"))
            .hint("name the folder that holds the bundle alone"),
    )
}

/// Bytes of all. Sizes come from outside: more than can be counted is too large as well.
fn size(entries: &[Entry]) -> u64 {
    entries.iter().map(|entry| entry.size).fold(0, u64::saturating_add)
}

/// Finds manifest and templates.
pub fn select(entries: Vec<Entry>, place: &str) -> Result<Selection, Report> {
    let depth = entries
        .iter()
        .map(|entry| entry.path.split('/').count())
        .max()
        .unwrap_or(0);
    bounded(entries.len(), depth, size(&entries))?;
    // Git lists what a commit holds, and a commit may hold entries that no folder can.
    if let Some(entry) = entries.iter().find(|entry| !stays_inside(&entry.path)) {
        let message = format!("{place} holds a file that leads out of it: {:?}", entry.path);
        return Err(Report::refused("E-BUNDLE-037", message).hint("nothing was written; do not trust this bundle"));
    }
    let found = MANIFESTS
        .iter()
        .find_map(|name| entries.iter().find(|entry| entry.path == *name));
    let manifest = found.cloned().ok_or_else(|| {
        Report::refused("E-BUNDLE-037", format!("{place} holds no manifest"))
            .hint(format!("looked for {}", MANIFESTS.join(", ")))
    })?;
    let template = |entry: &Entry| {
        let name = entry.path.strip_prefix("templates/")?.strip_suffix(".greenbar")?;
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (plain && !name.is_empty()).then(|| name.to_owned())
    };
    let (mut templates, mut rest) = (Vec::new(), Vec::new());
    for entry in entries.into_iter().filter(|entry| *entry != manifest) {
        match template(&entry) {
            Some(name) => templates.push((name, entry)),
            None => rest.push(entry),
        }
    }
    Ok(Selection {
        manifest,
        templates,
        rest,
    })
}

/// The files that go with the executables a manifest has of its own; none where it has none.
pub fn copied(manifest: &str, rest: Vec<Entry>) -> Result<Vec<Entry>, Report> {
    // What is wrong with the manifest is told where it is read for good.
    let runs_own = Manifest::parse(manifest).is_ok_and(|manifest| !own_executables(&manifest).is_empty());
    if !runs_own {
        return Ok(Vec::new());
    }
    let bytes = size(&rest);
    let why = if rest.len() > MOST_COPIED {
        format!("more than {MOST_COPIED} files lie beside its executables")
    } else if bytes > LARGEST_COPIED {
        format!(
            "its executables and what lies beside them are larger than {} MiB",
            LARGEST_COPIED >> 20
        )
    } else {
        return Ok(rest);
    };
    Err(
        Report::refused("E-BUNDLE-036", format!("this is too large for a bundle: {why}")).hint(
            "keep only what its commands need in the folder, or name executables of the host by their whole path",
        ),
    )
}
