//! Where a pipeline's result may go, checked before anything runs: here, to a file, to a descriptor that the process was
//! started with, over the message bus to a room or a user. A target built from a variable is data: it stays under the
//! working directory, follows no link, replaces nothing and names no descriptor. Not for writing: that is `sinks`.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::ports::{Addressee, Bus};
use super::problem::Problem;
use super::variables::{Scope, Values, evaluate};
use crate::core::record::to_text;
use crate::core::report::Report;
use crate::lang::{Redirect, Span, Word};

const UNKNOWN: &str = "E-REDIRECT-002";
/// The code of a file or descriptor that can't be written.
pub const NOT_WRITABLE: &str = "E-REDIRECT-003";
const OUTSIDE: &str = "E-REDIRECT-004";
/// The code of a room or user out of reach.
pub const NO_BUS: &str = "E-REDIRECT-001";

/// What redirects of a session can reach.
#[derive(Clone)]
pub struct Outlets {
    /// Where relative paths start.
    pub directory: PathBuf,
    /// Descriptors beside stdout and stderr that were open when the process started: never one of our own.
    pub descriptors: BTreeSet<u32>,
    /// Reaches rooms and users.
    pub bus: Arc<dyn Bus>,
}

impl Outlets {
    /// Files from this folder on, stdout and stderr; no bus.
    pub fn local(directory: PathBuf) -> Self {
        Outlets {
            directory,
            descriptors: BTreeSet::new(),
            bus: Arc::new(NoBus),
        }
    }
}

/// No message bus is configured: every room and user is out of reach.
pub struct NoBus;

#[async_trait::async_trait]
impl Bus for NoBus {
    fn reach(&self, whom: &Addressee) -> Result<(), Report> {
        let report = Report::refused(NO_BUS, format!("{whom} can't be reached: no message bus is configured"));
        Err(report.hint("file:PATH writes to a file, here shows it here"))
    }

    async fn open(&self, whom: &Addressee) -> Result<Box<dyn super::ports::Destination>, Report> {
        self.reach(whom)
            .and(Err(Report::refused(NO_BUS, "no message bus is configured")))
    }
}

/// One target of a redirect, checked as far as it is known.
#[derive(Clone, Debug)]
pub enum Target {
    /// The block itself (`here`, `me`).
    Here,
    /// A file named by the operator: replaced if it exists.
    File(PathBuf, Span),
    /// A new file that a variable named.
    NewFile(PathBuf, Span),
    /// A descriptor: what stands in the line is added to what it leads to.
    Descriptor(u32, Span),
    /// A room or a user.
    Beyond(Addressee, Span),
    /// Built from variables: known when the pipeline starts.
    Built(Word),
}

impl Outlets {
    /// Checks a redirect's targets before anything runs.
    pub fn targets(&self, redirect: &Redirect) -> Result<Vec<Target>, Problem> {
        let targets = redirect.targets.iter();
        let found = targets.map(|target| match target.literal() {
            None => Ok(Target::Built(target.clone())),
            Some(text) => self.literal(&text, target.span),
        });
        found.collect()
    }

    fn literal(&self, text: &str, span: Span) -> Result<Target, Problem> {
        let target = self.named(text, span)?;
        match &target {
            Target::File(path, _) => {
                let parent = path.parent().unwrap_or(&self.directory);
                if path.is_dir() || !parent.is_dir() {
                    let why = match path.is_dir() {
                        true => "is a folder",
                        false => "lies in no folder that exists",
                    };
                    return Err(Problem::new(NOT_WRITABLE, span, format!("{text} {why}")));
                }
            }
            Target::Descriptor(number, _) => self.checked_descriptor(*number, span)?,
            _ => {}
        }
        Ok(target)
    }

    fn named(&self, text: &str, span: Span) -> Result<Target, Problem> {
        if matches!(text, "here" | "me") {
            return Ok(Target::Here);
        }
        if let Some(whom) = Addressee::of(text) {
            let refused = |report: Report| Problem::new(report.code, span, report.sentence()).hint(report.hint);
            return self
                .bus
                .reach(&whom)
                .map(|()| Target::Beyond(whom, span))
                .map_err(refused);
        }
        if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Target::File(self.directory.join(path), span));
        }
        if let Some(number) = text.strip_prefix("fd:").and_then(|number| number.parse().ok()) {
            return Ok(Target::Descriptor(number, span));
        }
        let hint = match text.starts_with("chat:") {
            true => "write chat://#room or chat://@user".to_owned(),
            false => format!("write file:{text} for a file; here, me, #room, @user and fd:N are the others"),
        };
        Err(Problem::new(UNKNOWN, span, format!("{text:?} is no destination")).hint(Some(hint)))
    }

    fn checked_descriptor(&self, number: u32, span: Span) -> Result<(), Problem> {
        let refused = |message: String| Problem::new(NOT_WRITABLE, span, message);
        if !(matches!(number, 1 | 2) || self.descriptors.contains(&number)) {
            let hint = "fd:1 is stdout, fd:2 is stderr; a shell opens others for us: 3>log";
            return Err(refused(format!("fd:{number} was not open when cogdeck started")).hint(Some(hint.to_owned())));
        }
        let file = descriptor(number).map_err(|error| refused(format!("can't write to fd:{number}: {error}")))?;
        match file.is_terminal() {
            true => Err(refused(format!("fd:{number} is the terminal")).hint(Some("here shows it there".to_owned()))),
            false => Ok(()),
        }
    }

    /// What a target that was built from variables means, if it may be written.
    pub fn built(&self, word: &Word, values: &Values) -> Result<Target, Problem> {
        let scope = Scope { record: None, values };
        let text = to_text(&evaluate(word, scope)?);
        let span = word.span;
        let outside = || {
            let message = format!("{text} does not lie under the working directory");
            let hint = "a target that comes from a variable may only name a new file below it";
            Problem::new(OUTSIDE, span, message).hint(Some(hint.to_owned()))
        };
        match self.named(&text, span)? {
            Target::File(path, _) => {
                let relative = Path::new(text.strip_prefix("file:").unwrap_or(&text));
                let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
                if !relative.components().all(plain) {
                    return Err(outside());
                }
                let root = self.directory.canonicalize();
                let parent = path.parent().unwrap_or(&self.directory).canonicalize();
                match (root, parent, path.file_name()) {
                    (Ok(root), Ok(parent), Some(name)) if parent.starts_with(&root) => {
                        Ok(Target::NewFile(parent.join(name), span))
                    }
                    _ => Err(outside()),
                }
            }
            Target::Descriptor(..) => {
                let message = format!("{text} comes from a variable, which may not name a descriptor");
                Err(Problem::new(OUTSIDE, span, message))
            }
            target => Ok(target),
        }
    }
}

/// A descriptor's other end, opened for adding to it. Never waits: a pipe that nobody reads any more is an error, where a
/// plain opening would wait for a reader. Writing waits as always.
pub fn descriptor(number: u32) -> io::Result<File> {
    match number {
        1 => io::stdout().as_fd().try_clone_to_owned().map(File::from),
        2 => io::stderr().as_fd().try_clone_to_owned().map(File::from),
        _ => {
            let waiting = OFlags::NONBLOCK.bits().cast_signed();
            let file = OpenOptions::new()
                .append(true)
                .custom_flags(waiting)
                .open(format!("/dev/fd/{number}"))?;
            let flags = fcntl_getfl(&file)?;
            fcntl_setfl(&file, flags.difference(OFlags::NONBLOCK))?;
            Ok(file)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sinks::Sinks;
    use crate::engine::variables::Kept;
    use crate::lang::parse;
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn redirect(targets: &str) -> Redirect {
        let line = parse(&format!("echo x > {targets}")).unwrap();
        line.items[0].pipeline.redirect.clone().unwrap()
    }

    #[test]
    fn l14_targets_are_checked_before_anything_runs() {
        let folder = tempfile::tempdir().unwrap();
        let cases = [
            ("here me", None),
            ("file:out.txt", None),
            ("'#ops'", Some(NO_BUS)),
            ("@mia", Some(NO_BUS)),
            ("chat://@mia", Some(NO_BUS)),
            ("chat:@mia", Some(UNKNOWN)),
            ("fd:4711", Some(NOT_WRITABLE)),
            ("fd:0", Some(NOT_WRITABLE)),
            ("fd:x", Some(UNKNOWN)),
            ("out.txt", Some(UNKNOWN)),
            ("file:", Some(UNKNOWN)),
            ("file:no/such/x", Some(NOT_WRITABLE)),
            ("file:.", Some(NOT_WRITABLE)),
        ];
        for (targets, code) in cases {
            let outlets = Outlets::local(folder.path().to_owned());
            let found = outlets.targets(&redirect(targets)).err().map(|problem| problem.code);
            assert_eq!(found, code, "{targets}");
        }
    }

    #[test]
    fn l14_a_pipe_that_nobody_reads_any_more_is_an_error_and_not_waited_for() {
        use rustix::fs::{Mode, mkfifoat};
        use std::io::Read;
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        mkfifoat(rustix::fs::CWD, &path, Mode::RWXU).unwrap();
        // Read and write: opening it alone does not wait.
        let mut reader = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let number = u32::try_from(reader.as_raw_fd()).unwrap();
        std::io::Write::write_all(&mut descriptor(number).unwrap(), b"x").unwrap();
        let mut read = [0];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"x");
        // A descriptor to it that nobody reads from.
        let reader_only = OpenOptions::new().read(true).open(&path).unwrap();
        let writer = OpenOptions::new().write(true).open(&path).unwrap();
        drop((reader, reader_only));
        let number = u32::try_from(writer.as_raw_fd()).unwrap();
        assert_eq!(descriptor(number).unwrap_err().raw_os_error(), Some(6), "ENXIO");
    }

    #[tokio::test]
    async fn l15_a_target_from_a_variable_stays_inside_follows_no_link_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("work");
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("there"), "old").unwrap();
        std::os::unix::fs::symlink("/tmp", inside.join("away")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("new"), inside.join("link")).unwrap();
        let cases = [
            ("fresh", true),
            ("./fresh2", true),
            ("there", false),
            ("../out", false),
            ("/tmp/out", false),
            ("away/out", false),
            ("link", false),
            ("", false),
        ];
        for (name, allowed) in cases {
            let records = Kept::Records(Arc::new(vec![json!(name)]));
            let values = Values {
                names: BTreeMap::from([("name".to_owned(), records)]),
                ..Values::default()
            };
            let outlets = Outlets::local(inside.clone());
            let targets = outlets.targets(&redirect("\"file:${name}\"")).unwrap();
            let opened = Sinks::open(&targets, &values, &outlets, "").await;
            assert_eq!(opened.is_ok(), allowed, "{name}");
        }
        assert!(!folder.path().join("new").exists());
        let values = Values {
            names: BTreeMap::from([("name".to_owned(), Kept::Records(Arc::new(vec![json!("fd:1")])))]),
            ..Values::default()
        };
        let outlets = Outlets::local(inside);
        let word = redirect("$name").targets.remove(0);
        assert_eq!(
            outlets.built(&word, &values).unwrap_err().code,
            OUTSIDE,
            "nor a descriptor"
        );
    }
}
