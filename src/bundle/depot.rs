//! The files of installed bundles: one folder each, named by the digest that pins the bundle, so that no version touches
//! another's. Only regular files are written, each anew, and each is looked at again before it is run.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::package::{Contents, FileMark, Package};
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

    /// Writes the files of a bundle. Refused when they are not the ones that the package was pinned with.
    pub fn put(&self, package: &Package, contents: &Contents) -> Result<(), Report> {
        let marks =
            |(path, (bytes, executable)): (&String, &(Vec<u8>, bool))| (path.clone(), FileMark::of(bytes, *executable));
        if contents.iter().map(marks).ne(package.files.clone()) {
            return Err(Report::failed(
                "E-BUNDLE-042",
                "the files are not what was approved; nothing was done",
            ));
        }
        if contents.is_empty() {
            return Ok(());
        }
        let folder = self.of(&package.digest());
        self.remove(&package.digest())?;
        let written = contents
            .iter()
            .try_for_each(|(path, (bytes, executable))| write(&folder.join(path), bytes, *executable));
        written.map_err(|error| {
            let message = format!("the files of the bundle cannot be written below {}", folder.display());
            Report::failed("E-BUNDLE-052", message).because(&error)
        })
    }

    /// Removes the files of a bundle, if it has any.
    pub fn remove(&self, digest: &str) -> Result<(), Report> {
        let folder = self.of(digest);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let message = format!("{} cannot be removed", folder.display());
                Err(Report::failed("E-BUNDLE-052", message).because(&error))
            }
            _ => Ok(()),
        }
    }
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

/// Refuses a file that is not what was installed.
pub fn unchanged(path: &Path, mark: &FileMark) -> Result<(), Report> {
    let found = super::manifest::bytes_of(path, LARGEST)?;
    match FileMark::of(&found, mark.executable) == *mark {
        true => Ok(()),
        false => Err(Report::failed(
            "E-BUNDLE-031",
            format!("{} is not what was installed; it was not run", path.display()),
        )
        .hint("install the bundle again")),
    }
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
        let (path, mark) = (folder.join("bin/greet"), &package.files["bin/greet"]);
        unchanged(&path, mark).unwrap();
        fs::write(&path, "#!/bin/sh\nevil\n").unwrap();
        assert_eq!(unchanged(&path, mark).unwrap_err().code, "E-BUNDLE-031");
        // Again, over what was spoiled; and never other files than the pinned.
        depot.put(&package, &contents).unwrap();
        unchanged(&path, mark).unwrap();
        assert_eq!(
            depot.put(&package, &Contents::default()).unwrap_err().code,
            "E-BUNDLE-042"
        );
        depot.remove(&package.digest()).unwrap();
        assert!(!folder.exists() && unchanged(&path, mark).is_err());
        depot.remove(&package.digest()).unwrap();
    }
}
