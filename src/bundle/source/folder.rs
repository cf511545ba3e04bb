//! A bundle in a folder of this machine. Links are not followed: what they point to was not given.

use std::fs;
use std::path::Path;

use super::tree::{self, Entry};
use crate::bundle::manifest::{LARGEST, text_of, unreadable};
use crate::bundle::package::Package;
use crate::core::report::Report;
use crate::render::greenbar;

/// Reads the bundle of a folder.
pub fn read(folder: &Path) -> Result<Package, Report> {
    let mut entries = Vec::new();
    walk(folder, "", 1, &mut entries)?;
    let selection = tree::select(entries, &folder.display().to_string())?;
    let manifest = text_of(Path::new(&selection.manifest.handle), LARGEST)?;
    let templates = selection.templates.into_iter().map(|(name, entry)| {
        let body = text_of(Path::new(&entry.handle), greenbar::LONGEST as u64)?;
        Ok((name, body))
    });
    Ok(Package {
        manifest,
        templates: templates.collect::<Result<_, Report>>()?,
    })
}

fn walk(folder: &Path, prefix: &str, depth: usize, entries: &mut Vec<Entry>) -> Result<(), Report> {
    tree::bounded(entries.len(), depth, 0)?;
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = entry.path();
        // Not followed: of a link this is the link itself, which is neither file nor folder.
        let known = fs::symlink_metadata(&path).map_err(|error| unreadable(&path, &error))?;
        if known.is_dir() && name != ".git" {
            walk(&path, &format!("{prefix}{name}/"), depth + 1, entries)?;
        } else if known.is_file() {
            tree::bounded(entries.len() + 1, depth, 0)?;
            let handle = path.display().to_string();
            entries.push(Entry {
                path: format!("{prefix}{name}"),
                size: known.len(),
                handle,
            });
        }
    }
    Ok(())
}
