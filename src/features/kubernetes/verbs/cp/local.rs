//! The local side of a copy: files into an archive, an archive into files. Blocking; on a thread of its own. Nothing lands
//! outside the target, and no link is followed below it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::tar::{self, Event, Kind, Reader};
use super::{Count, unusable};
use crate::core::report::Report;
use crate::features::kubernetes::error::UNREADABLE;

/// An entry of the archive would land outside the target.
pub const OUTSIDE: &str = "E-KUBE-CP";
/// What is read from a file at a time (bytes).
const PIECE: usize = 64 * 1024;
/// Links that are named at most.
const NAMED: usize = 20;

/// Writes the archive of a file or folder, which is called `name` in it. Ends early, and well, when nobody takes any more.
pub fn pack(from: &Path, name: &str, pieces: &mpsc::Sender<Vec<u8>>) -> Result<Count, Report> {
    let mut count = Count::default();
    let mut left = vec![(from.to_path_buf(), name.to_owned())];
    while let Some((path, name)) = left.pop() {
        // The path itself may be a link, as with cp; links inside a folder are passed over.
        let about = if path == from {
            fs::metadata(&path)
        } else {
            fs::symlink_metadata(&path)
        };
        let about = about.map_err(|error| unusable(&path, &error))?;
        let mut out = Vec::new();
        if about.is_dir() {
            tar::head(&name, Kind::Folder, about.mode(), &mut out);
            let entries = fs::read_dir(&path).map_err(|error| unusable(&path, &error))?;
            for entry in entries {
                let entry = entry.map_err(|error| unusable(&path, &error))?;
                left.push((entry.path(), format!("{name}/{}", entry.file_name().to_string_lossy())));
            }
        } else if about.is_file() {
            count.files += 1;
            count.bytes += about.len();
            tar::head(&name, Kind::File(about.len()), about.mode(), &mut out);
            if pieces.blocking_send(std::mem::take(&mut out)).is_err() || !content(&path, about.len(), pieces)? {
                return Ok(count);
            }
            continue;
        }
        if pieces.blocking_send(out).is_err() {
            return Ok(count);
        }
    }
    let mut out = Vec::new();
    tar::end(&mut out);
    let _ = pieces.blocking_send(out);
    Ok(count)
}

/// Exactly as many bytes as the head said; false when nobody takes any more.
fn content(path: &Path, size: u64, pieces: &mpsc::Sender<Vec<u8>>) -> Result<bool, Report> {
    let mut file = File::open(path).map_err(|error| unusable(path, &error))?.take(size);
    let mut sent = 0;
    loop {
        let mut piece = vec![0; PIECE];
        let count = file.read(&mut piece).map_err(|error| unusable(path, &error))?;
        piece.truncate(count);
        sent += count as u64;
        if count == 0 {
            if sent < size {
                return Err(unusable(
                    path,
                    &std::io::Error::other("it became shorter while it was read"),
                ));
            }
            let mut rest = vec![0; usize::try_from(size % tar::BLOCK as u64).unwrap_or(0)];
            let before = rest.len();
            tar::pad(&mut rest);
            return Ok(pieces.blocking_send(rest.split_off(before)).is_ok());
        }
        if pieces.blocking_send(piece).is_err() {
            return Ok(false);
        }
    }
}

/// Puts an archive to `to`, names without `prefix`. What was copied, and the links that were passed over.
pub fn unpack(prefix: &str, to: &Path, pieces: &mut mpsc::Receiver<Vec<u8>>) -> Result<(Count, Vec<String>), Report> {
    let mut target = Target {
        prefix: prefix.to_owned(),
        to: to.to_path_buf(),
        open: None,
        count: Count::default(),
        passed_over: Vec::new(),
    };
    let mut reader = Reader::default();
    while let Some(piece) = pieces.blocking_recv() {
        let mut result = Ok(());
        let fed = reader.feed(&piece, |event| {
            if result.is_ok() {
                result = target.take(event);
            }
        });
        result?;
        fed.map_err(|error| {
            Report::failed(UNREADABLE, "the archive from the container cannot be read").because(&error)
        })?;
    }
    if !reader.is_over() {
        return Err(Report::failed(
            UNREADABLE,
            "the archive from the container ended in the middle",
        ));
    }
    Ok((target.count, target.passed_over))
}

struct Target {
    prefix: String,
    to: PathBuf,
    open: Option<(PathBuf, File)>,
    count: Count,
    passed_over: Vec<String>,
}

impl Target {
    fn take(&mut self, event: Event) -> Result<(), Report> {
        match event {
            Event::Begin(name, kind) => {
                self.open = None;
                let path = self.place(&name, kind)?;
                match kind {
                    Kind::Folder => fs::create_dir_all(&path).map_err(|error| unusable(&path, &error))?,
                    Kind::File(_) => {
                        if let Some(parent) = path.parent() {
                            fs::create_dir_all(parent).map_err(|error| unusable(parent, &error))?;
                        }
                        let file = OpenOptions::new()
                            .write(true)
                            .create(true)
                            .truncate(true)
                            .mode(0o644)
                            .open(&path)
                            .map_err(|error| unusable(&path, &error))?;
                        self.open = Some((path, file));
                        self.count.files += 1;
                    }
                }
            }
            Event::Data(bytes) => {
                if let Some((path, file)) = &mut self.open {
                    file.write_all(&bytes).map_err(|error| unusable(path, &error))?;
                    self.count.bytes += bytes.len() as u64;
                }
            }
            Event::PassedOver(name) => {
                if self.passed_over.len() < NAMED {
                    self.passed_over.push(name);
                }
            }
            Event::End => self.open = None,
        }
        Ok(())
    }

    /// Where an entry lands. The file that was asked for itself goes into a folder that is there.
    fn place(&self, name: &str, kind: Kind) -> Result<PathBuf, Report> {
        let outside = || {
            Report::failed(
                OUTSIDE,
                format!("the container sent a file that does not belong to what was asked for: {name}"),
            )
            .hint("nothing outside the target was touched; do not trust this container")
        };
        let rest = tar::below(&self.prefix, name).ok_or_else(outside)?;
        if rest.as_os_str().is_empty() {
            let own = Path::new(name).file_name().map(|name| self.to.join(name));
            return Ok(match own {
                Some(own) if self.to.is_dir() && matches!(kind, Kind::File(_)) => own,
                _ => self.to.clone(),
            });
        }
        let mut path = self.to.clone();
        for step in rest.components() {
            path.push(step);
            if fs::symlink_metadata(&path).is_ok_and(|about| about.is_symlink()) {
                return Err(Report::failed(
                    OUTSIDE,
                    format!("{} is a link, and is not followed", path.display()),
                ));
            }
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn unpacked(entries: &[(&str, &[u8])], prefix: &str, to: &Path) -> Result<Count, Report> {
        let mut archive = Vec::new();
        for (name, bytes) in entries {
            tar::head(name, Kind::File(bytes.len() as u64), 0o644, &mut archive);
            archive.extend_from_slice(bytes);
            tar::pad(&mut archive);
        }
        tar::end(&mut archive);
        let (sender, mut pieces) = mpsc::channel(64);
        for piece in archive.chunks(1000) {
            sender.try_send(piece.to_vec()).unwrap();
        }
        drop(sender);
        unpack(prefix, to, &mut pieces).map(|(count, _)| count)
    }

    #[test]
    fn a_folder_goes_out_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::write(from.join("sub/a"), vec![7; 100_000]).unwrap();
        fs::write(from.join("b"), b"").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", from.join("link")).unwrap();
        let (sender, mut pieces) = mpsc::channel(64);
        let sent = pack(&from, "x", &sender).unwrap();
        drop(sender);
        let (came, _) = unpack("x", &to, &mut pieces).unwrap();
        assert_eq!(
            (sent, came),
            (
                Count {
                    files: 2,
                    bytes: 100_000
                },
                Count {
                    files: 2,
                    bytes: 100_000
                }
            )
        );
        assert_eq!(fs::read(to.join("sub/a")).unwrap(), vec![7; 100_000]);
        assert!(!to.join("link").exists());
    }

    #[test]
    fn nothing_lands_outside_the_target() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("to");
        fs::create_dir(&to).unwrap();
        for name in ["data/../../evil", "/evil", "evil", "data/../evil"] {
            let report = unpacked(&[(name, b"x")], "data", &to).unwrap_err();
            assert_eq!(report.code, OUTSIDE, "{name}");
        }
        std::os::unix::fs::symlink(folder.path(), to.join("out")).unwrap();
        assert_eq!(
            unpacked(&[("data/out/evil", b"x")], "data", &to).unwrap_err().code,
            OUTSIDE
        );
        assert!(!folder.path().join("evil").exists());
        assert_eq!(
            unpacked(&[("data", b"abc")], "data", &to).unwrap(),
            Count { files: 1, bytes: 3 }
        );
        assert_eq!(
            fs::read(to.join("data")).unwrap(),
            b"abc",
            "a file goes into the folder that is there"
        );
    }
}
