//! The files of installed bundles: one folder each, named by the digest that pins the bundle, so that no version touches
//! another's. Only regular files are written, each anew, and each is looked at again before it is run.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::package::{Contents, FileMark, Package, stays_inside};
use crate::core::report::Report;

/// A larger file is no executable of a bundle.
const LARGEST: u64 = super::source::LARGEST_COPIED;

/// Behind the digest and before the number of the process that writes a folder, until it is whole.
const BESIDE: &str = "new-";
/// How long what a dead process left stays.
const SETTLED: Duration = Duration::from_secs(86_400);

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
        sweep(&self.folder, BESIDE);
        // Beside it first: what is there may be running, and stays whole should this one not come about.
        let fresh = folder.with_extension(format!("{BESIDE}{}", std::process::id()));
        let written = fill(&fresh, contents).and_then(|()| replace(&fresh, &folder));
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

/// Puts a folder in the place of another, if there is one. Whoever looks meanwhile finds the whole of either.
fn replace(fresh: &Path, folder: &Path) -> std::io::Result<()> {
    match renameat_with(CWD, fresh, CWD, folder, RenameFlags::EXCHANGE) {
        // The old one, which is ready to be removed now; should that fail, a later call sweeps it.
        Ok(()) => {
            let _ = discard(fresh);
            Ok(())
        }
        Err(Errno::NOENT) => fs::rename(fresh, folder),
        // A file system that exchanges nothing.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            discard(folder)?;
            fs::rename(fresh, folder)
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes what processes left behind that did not come to their end: everything in a folder whose name ends in this
/// and the number of a process which is no more, unless it was changed within a day: processes that share this folder
/// need not share their numbers (containers, network file systems). Best effort: what stays takes room and is used by
/// nobody.
pub fn sweep(folder: &Path, named: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let left = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.rsplit_once(named)?.1.parse().ok());
        number
            .and_then(Pid::from_raw)
            .is_some_and(|process| test_kill_process(process) == Err(Errno::SRCH))
            && entry.metadata().is_ok_and(|about| is_settled(&about))
    });
    for entry in left {
        let _ = discard(&entry.path());
    }
}

fn is_settled(about: &fs::Metadata) -> bool {
    let age = about.modified().ok().and_then(|at| at.elapsed().ok());
    age.is_some_and(|age| age > SETTLED)
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

/// A file as it was when it was read last. Its owner may set every time of a file but that of its last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let known = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some(Stamp {
            place: (known.dev(), known.ino()),
            size: known.size(),
            changed: (known.ctime(), known.ctime_nsec()),
        })
    }

    /// Whether another change would show: file systems count time in steps, so one right after this one might not.
    fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.is_ok_and(|now| i64::try_from(now.as_secs()).is_ok_and(|now| self.changed.0 + SETTLES < now))
    }
}

/// Seconds after which a file's last change tells it from the next one.
const SETTLES: i64 = 2;

/// The files of a bundle that were found to be what was installed. They are read again only when they were changed: a
/// pipeline runs a command for every record.
#[derive(Debug, Default)]
pub struct Inspector(Mutex<BTreeMap<PathBuf, Stamp>>);

impl Inspector {
    /// Refuses a bundle's files while one of them is not what was installed: an executable reads what lies beside it.
    pub fn unchanged(&self, folder: &Path, marks: &BTreeMap<String, FileMark>) -> Result<(), Report> {
        marks.iter().try_for_each(|(path, mark)| {
            let path = folder.join(path);
            let stamp = Stamp::of(&path);
            if stamp.is_some() && self.seen().get(&path) == stamp.as_ref() {
                return Ok(());
            }
            let found = super::manifest::bytes_of(&path, LARGEST)?;
            if FileMark::of(&found, mark.executable) != *mark {
                let message = format!("{} is not what was installed; nothing was run", path.display());
                return Err(Report::failed("E-BUNDLE-031", message).hint("install the bundle again"));
            }
            match stamp.filter(Stamp::is_settled) {
                Some(stamp) => self.seen().insert(path, stamp),
                None => self.seen().remove(&path),
            };
            Ok(())
        })
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Stamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let inspector = Inspector::default();
        let look = || inspector.unchanged(&folder, &package.files);
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
    fn files_are_read_again_only_when_they_were_changed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("greet");
        let marks = BTreeMap::from([("greet".to_owned(), FileMark::of(b"hello", true))]);
        fs::write(&path, "hello").unwrap();
        let inspector = Inspector::default();
        let look = || inspector.unchanged(home.path(), &marks);
        look().unwrap();
        assert!(inspector.seen().is_empty(), "too new to tell its next change");
        // As if it had been looked at long after it was written.
        let stamp = Stamp::of(&path).unwrap();
        inspector.seen().insert(path.clone(), stamp);
        look().unwrap();
        // The same size, and its owner's word that it is as old as before.
        let then = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, "evil!").unwrap();
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(then)
            .unwrap();
        assert_eq!(look().unwrap_err().code, "E-BUNDLE-031");
        let old = Stamp {
            changed: (0, 0),
            ..stamp
        };
        assert!(old.is_settled() && !stamp.is_settled());
    }

    #[test]
    fn what_a_process_left_behind_is_swept_when_it_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let mut gone = std::process::Command::new("true").spawn().unwrap();
        let number = gone.id();
        gone.wait().unwrap();
        let own = std::process::id();
        let names = [
            format!("ab.new-{number}"),
            format!("ab.new-{own}"),
            "ab".into(),
            "new-x".into(),
            "new--1".into(),
        ];
        for name in &names {
            fs::create_dir_all(home.path().join(name).join("bin")).unwrap();
        }
        let there = || -> Vec<bool> { names.iter().map(|name| home.path().join(name).exists()).collect() };
        sweep(home.path(), BESIDE);
        assert_eq!(there(), [true; 5], "another machine's process may have this number");
        let long_ago = std::time::SystemTime::now() - 2 * SETTLED;
        for name in &names {
            fs::File::open(home.path().join(name))
                .unwrap()
                .set_modified(long_ago)
                .unwrap();
        }
        sweep(home.path(), BESIDE);
        let is_there = there();
        assert_eq!(is_there, [false, true, true, true, true]);
        sweep(&home.path().join("none"), BESIDE);
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
