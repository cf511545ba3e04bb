//! Where a pipeline's result goes: here, to a file; rooms and users are refused while there is no message bus. Targets
//! are checked before anything runs. A target built from a variable is data: it stays under the working directory,
//! follows no link and replaces nothing.

use std::path::{Component, Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::problem::Problem;
use super::variables::{Scope, Values, evaluate, is_dynamic};
use crate::core::record::to_text;
use crate::core::report::Report;
use crate::lang::{Redirect, Span, Word};
use crate::verb::{Item, View};

const NO_BUS: &str = "E-REDIRECT-001";
const UNKNOWN: &str = "E-REDIRECT-002";
const NOT_WRITABLE: &str = "E-REDIRECT-003";
const OUTSIDE: &str = "E-REDIRECT-004";

/// One target of a redirect, checked as far as it is known.
#[derive(Clone, Debug)]
pub enum Destination {
    /// The block itself (`here`, `me`).
    Here,
    /// A file named by the operator: replaced if it exists.
    File(PathBuf, Span),
    /// A target built from variables: known when the pipeline starts.
    Built(Word),
}

/// Checks a redirect's targets before anything runs.
pub fn destinations(redirect: &Redirect, directory: &Path) -> Result<Vec<Destination>, Problem> {
    let mut found = Vec::new();
    for target in &redirect.targets {
        found.push(match target.literal() {
            None => Destination::Built(target.clone()),
            Some(text) => literal(&text, target.span, directory)?,
        });
    }
    Ok(found)
}

fn literal(text: &str, span: Span, directory: &Path) -> Result<Destination, Problem> {
    match kind(text, span)? {
        None => Ok(Destination::Here),
        Some(path) => {
            let path = directory.join(path);
            let parent = path.parent().unwrap_or(directory);
            if path.is_dir() || !parent.is_dir() {
                let why = if path.is_dir() {
                    "is a folder"
                } else {
                    "lies in no folder that exists"
                };
                return Err(Problem::new(NOT_WRITABLE, span, format!("{text} {why}")));
            }
            Ok(Destination::File(path, span))
        }
    }
}

/// None: here. Some: the path of a file.
fn kind(text: &str, span: Span) -> Result<Option<&str>, Problem> {
    match text {
        "here" | "me" => Ok(None),
        _ if text.starts_with(['#', '@']) || text.starts_with("chat:") => Err(Problem::new(
            NO_BUS,
            span,
            format!("{text} can't be reached: no message bus is configured"),
        )
        .hint(Some("file:PATH writes to a file, here shows it here".to_owned()))),
        _ => match text.strip_prefix("file:").filter(|path| !path.is_empty()) {
            Some(path) => Ok(Some(path)),
            None => {
                let hint = Some(format!(
                    "write file:{text} for a file; here, me, #room and @user are the others"
                ));
                Err(Problem::new(UNKNOWN, span, format!("{text:?} is no destination")).hint(hint))
            }
        },
    }
}

/// Opened destinations: receives every item of the pipeline.
pub struct Sinks {
    /// Whether the block itself gets the items.
    pub here: bool,
    files: Vec<(PathBuf, BufWriter<File>)>,
    written: u64,
}

impl Sinks {
    /// Opens the files of a pipeline that starts now.
    pub async fn open(
        destinations: &[Destination],
        values: &Values,
        directory: &Path,
        source: &str,
    ) -> Result<Sinks, Report> {
        let mut sinks = Sinks {
            here: destinations.is_empty(),
            files: Vec::new(),
            written: 0,
        };
        for destination in destinations {
            let refused = |problem: Problem| problem.refused(source);
            match destination {
                Destination::Here => sinks.here = true,
                Destination::File(path, span) => {
                    let file = File::create(path).await;
                    sinks.add(path.clone(), file, *span).map_err(refused)?;
                }
                Destination::Built(word) => {
                    match built(word, values, directory).map_err(refused)? {
                        None => sinks.here = true,
                        Some(path) => {
                            let file = OpenOptions::new().write(true).create_new(true).open(&path).await;
                            sinks.add(path, file, word.span).map_err(refused)?;
                        }
                    };
                }
            }
        }
        Ok(sinks)
    }

    fn add(&mut self, path: PathBuf, file: std::io::Result<File>, span: Span) -> Result<(), Problem> {
        let file =
            file.map_err(|error| Problem::new(NOT_WRITABLE, span, format!("can't write {}: {error}", path.display())))?;
        self.files.push((path, BufWriter::new(file)));
        Ok(())
    }

    /// Writes one line: text as it is, everything else as compact JSON.
    pub async fn write(&mut self, item: &Item) -> Result<(), Report> {
        if self.files.is_empty() {
            return Ok(());
        }
        let mut line = match &item.view {
            Some(View::Text(text) | View::Verbatim(text)) => text.clone(),
            Some(View::Lines(lines)) => lines.iter().map(|line| line.text() + "\n").collect(),
            _ => to_text(&item.record),
        };
        if !line.ends_with('\n') {
            line.push('\n');
        }
        self.written += 1;
        for (path, file) in &mut self.files {
            file.write_all(line.as_bytes())
                .await
                .map_err(|error| lost(path, &error))?;
        }
        Ok(())
    }

    /// Writes what is buffered; a sentence on what was written, if anything was.
    pub async fn close(&mut self) -> Result<Option<String>, Report> {
        for (path, file) in &mut self.files {
            file.flush().await.map_err(|error| lost(path, &error))?;
        }
        let names: Vec<String> = self.files.iter().map(|(path, _)| path.display().to_string()).collect();
        Ok((!names.is_empty()).then(|| format!("{} records written to {}", self.written, names.join(", "))))
    }
}

fn lost(path: &Path, error: &std::io::Error) -> Report {
    Report::failed("E-REDIRECT-005", format!("writing {} failed: {error}", path.display()))
}

/// The path a built target names, if it may be written.
fn built(word: &Word, values: &Values, directory: &Path) -> Result<Option<PathBuf>, Problem> {
    debug_assert!(is_dynamic(word));
    let scope = Scope { record: None, values };
    let text = to_text(&evaluate(word, scope)?);
    let span = word.span;
    let Some(path) = kind(&text, span)? else {
        return Ok(None);
    };
    let outside = || {
        Problem::new(
            OUTSIDE,
            span,
            format!("{text} does not lie under the working directory"),
        )
        .hint(Some(
            "a target that comes from a variable may only name a new file below it".to_owned(),
        ))
    };
    let relative = Path::new(path);
    if relative
        .components()
        .any(|part| !matches!(part, Component::Normal(_) | Component::CurDir))
    {
        return Err(outside());
    }
    let path = directory.join(relative);
    let (root, parent) = (
        directory.canonicalize(),
        path.parent().unwrap_or(directory).canonicalize(),
    );
    match (root, parent, path.file_name()) {
        (Ok(root), Ok(parent), Some(name)) if parent.starts_with(&root) => Ok(Some(parent.join(name))),
        _ => Err(outside()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            ("chat://x", Some(NO_BUS)),
            ("out.txt", Some(UNKNOWN)),
            ("file:", Some(UNKNOWN)),
            ("file:no/such/x", Some(NOT_WRITABLE)),
            ("file:.", Some(NOT_WRITABLE)),
        ];
        for (targets, code) in cases {
            let found = destinations(&redirect(targets), folder.path())
                .err()
                .map(|problem| problem.code);
            assert_eq!(found, code, "{targets}");
        }
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
            let targets = destinations(&redirect("\"file:${name}\""), &inside).unwrap();
            let opened = Sinks::open(&targets, &values, &inside, "").await;
            assert_eq!(opened.is_ok(), allowed, "{name}");
        }
        assert!(!folder.path().join("new").exists());
    }
}
