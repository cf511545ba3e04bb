//! The files of installed bundles: one folder each, named by the digest that pins the bundle, so that no version touches
//! another's. Only regular files are written, each anew, and each is looked at again before it is run.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::package::{Contents, FileMark, Package, stays_inside};
use crate::core::report::Report;

/// A larger file is no executable of a bundle.
const LARGEST: u64 = super::source::LARGEST_COPIED;

/// Where the folders are.
#[derive(Clone, Debug, Default)]
pub struct Depot {
    /// The folder of all of them.
    pub folder: PathBuf,
}

impl Depot {
    /// The folder of a bundle.
    pub fn of(&self, digest: &str) -> PathBuf {
        self.folder.join(digest.trim_start_matches("sha256:"))
    }

    /// Writes the files of a bundle. Refused when they are not the ones that the package was pinned with, or when one
    /// would not lie in the bundle's folder.
    pub fn put(&self, package: &Package, contents: &Contents) -> Result<(), Report> {
        let marks =
            |(path, (bytes, executable)): (&String, &(Vec<u8>, bool))| (path.clone(), FileMark::of(bytes, *executable));
        if contents.iter().map(marks).ne(package.files.clone()) {
            return Err(Report::failed(
                "E-BUNDLE-042",
                "the files are not what was approved; nothing was done",
            ));
        }
        if self.folder.as_os_str().is_empty() {
            return Err(Report::failed(
                "E-BUNDLE-052",
                "there is no folder for the files of bundles here",
            ));
        }
        if let Some(path) = contents.keys().find(|path| !stays_inside(path)) {
            return Err(Report::failed(
                "E-BUNDLE-042",
                format!("{path:?} leads out of the bundle's folder; nothing was done"),
            ));
        }
        if contents.is_empty() {
            return Ok(());
        }
        let folder = self.of(&package.digest());
        // Beside it first: what is there may be running, and stays whole should this one not come about.
        let fresh = folder.with_extension(format!("new-{}", std::process::id()));
        let written = fill(&fresh, contents).and_then(|()| {
            discard(&folder)?;
            fs::rename(&fresh, &folder)
        });
        written.map_err(|error| {
            let _ = discard(&fresh);
            let message = format!("the files of the bundle cannot be written below {}", folder.display());
            Report::failed("E-BUNDLE-052", message).because(&error)
        })
    }

    /// Removes the files of a bundle, if it has any.
    pub fn remove(&self, digest: &str) -> Result<(), Report> {
        let folder = self.of(digest);
        discard(&folder).map_err(|error| {
            let message = format!("{} cannot be removed", folder.display());
            Report::failed("E-BUNDLE-052", message).because(&error)
        })
    }
}

/// Removes a folder, if it is there.
fn discard(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes files into a folder that has no others.
fn fill(folder: &Path, contents: &Contents) -> std::io::Result<()> {
    discard(folder)?;
    contents
        .iter()
        .try_for_each(|(path, (bytes, executable))| write(&folder.join(path), bytes, *executable))
}

fn write(path: &Path, bytes: &[u8], executable: bool) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mode = if executable { 0o700 } else { 0o600 };
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(bytes)
}

/// Refuses a bundle's files while one of them is not what was installed: an executable reads what lies beside it.
pub fn unchanged(folder: &Path, marks: &BTreeMap<String, FileMark>) -> Result<(), Report> {
    marks.iter().try_for_each(|(path, mark)| {
        let path = folder.join(path);
        let found = super::manifest::bytes_of(&path, LARGEST)?;
        match FileMark::of(&found, mark.executable) == *mark {
            true => Ok(()),
            false => Err(Report::failed(
                "E-BUNDLE-031",
                format!("{} is not what was installed; nothing was run", path.display()),
            )
            .hint("install the bundle again")),
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn b4_files_are_written_as_pinned_and_checked_before_they_run() {
        let home = tempfile::tempdir().unwrap();
        let depot = Depot {
            folder: home.path().join("bundles"),
        };
        let contents = Contents::from([
            ("bin/greet".to_owned(), (b"#!/bin/sh\n".to_vec(), true)),
            ("lib/words".to_owned(), (b"hello".to_vec(), false)),
        ]);
        let package = Package::of_parts(String::new(), [].into(), &contents);
        depot.put(&package, &contents).unwrap();
        let folder = depot.of(&package.digest());
        let mode = |path: &str| fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode("bin/greet"), mode("lib/words"), mode("bin")),
            (0o700, 0o600, 0o700)
        );
        let look = || unchanged(&folder, &package.files);
        look().unwrap();
        for path in ["bin/greet", "lib/words"] {
            fs::write(folder.join(path), "evil\n").unwrap();
            let refused = look().unwrap_err();
            assert_eq!(refused.code, "E-BUNDLE-031");
            assert!(refused.message.contains(path), "{refused}");
            // Again, over what was spoiled.
            depot.put(&package, &contents).unwrap();
            look().unwrap();
        }
        fs::remove_file(folder.join("lib/words")).unwrap();
        assert!(look().is_err(), "a file that is gone is no less changed");
        // One that cannot be written leaves what is there.
        let wrong = Contents::from([
            ("bin".to_owned(), (b"a file".to_vec(), false)),
            ("bin/greet".to_owned(), (b"#!/bin/sh\n".to_vec(), true)),
        ]);
        let broken = Package::of_parts(String::new(), [].into(), &wrong);
        assert_eq!(depot.put(&broken, &wrong).unwrap_err().code, "E-BUNDLE-052");
        assert_eq!(fs::read_dir(&depot.folder).unwrap().count(), 1, "only what was whole");
        depot.put(&package, &contents).unwrap();
        look().unwrap();
        // Never other files than the pinned.
        assert_eq!(
            depot.put(&package, &Contents::default()).unwrap_err().code,
            "E-BUNDLE-042"
        );
        depot.remove(&package.digest()).unwrap();
        assert!(!folder.exists() && look().is_err());
        depot.remove(&package.digest()).unwrap();
    }

    #[test]
    fn b4_a_file_that_leads_out_of_the_folder_is_never_written() {
        let home = tempfile::tempdir().unwrap();
        let depot = Depot {
            folder: home.path().join("bundles"),
        };
        let outside = home.path().join("x").display().to_string();
        for path in ["../x", "a/../../x", outside.as_str(), "..", "."] {
            let contents = Contents::from([(path.to_owned(), (b"evil".to_vec(), true))]);
            let package = Package::of_parts(String::new(), [].into(), &contents);
            assert_eq!(
                depot.put(&package, &contents).unwrap_err().code,
                "E-BUNDLE-042",
                "{path}"
            );
        }
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
