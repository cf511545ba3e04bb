//! Opened destinations: what a pipeline that runs writes to beside its block. Not for what may be one: that is checked
//! before, in `destination`.

use std::path::Path;

use async_trait::async_trait;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::destination::{NOT_WRITABLE, Outlets, Target, descriptor};
use super::ports::Destination;
use super::problem::Problem;
use super::variables::Values;
use crate::core::record::to_text;
use crate::core::report::Report;
use crate::lang::Span;
use crate::verb::{Item, View};

/// Receives every item of the pipeline.
pub struct Sinks {
    /// Whether the block itself gets the items.
    pub here: bool,
    open: Vec<(String, Box<dyn Destination>)>,
    written: u64,
}

impl Sinks {
    /// Opens the destinations of a pipeline that starts now. Files that are there already are emptied when all are open:
    /// nothing is to be lost where another destination is refused.
    pub async fn open(targets: &[Target], values: &Values, outlets: &Outlets, source: &str) -> Result<Sinks, Report> {
        let mut sinks = Sinks {
            here: targets.is_empty(),
            open: Vec::new(),
            written: 0,
        };
        let known = targets.iter().map(|target| match target {
            Target::Built(word) => outlets.built(word, values),
            known => Ok(known.clone()),
        });
        let known = known
            .collect::<Result<Vec<Target>, Problem>>()
            .map_err(|problem| problem.refused(source))?;
        let mut opened = Vec::with_capacity(known.len());
        for target in &known {
            opened.extend(open(target, outlets, source).await?);
        }
        sinks.here |= known.len() > opened.len();
        for (name, opened) in opened {
            let destination: Box<dyn Destination> = match opened {
                Opened::Beyond(destination) => destination,
                Opened::File(file, old) => {
                    if let Some(span) = old {
                        let emptied = emptied(&file).await;
                        emptied.map_err(|error| not_writable(&name, &error, span).refused(source))?;
                    }
                    Box::new(Lines {
                        name: name.clone(),
                        file: BufWriter::new(file),
                    })
                }
            };
            sinks.open.push((name, destination));
        }
        Ok(sinks)
    }

    /// Hands an item to all of them.
    pub async fn write(&mut self, item: &Item) -> Result<(), Report> {
        self.written += 1;
        for (_, destination) in &mut self.open {
            destination.write(item).await?;
        }
        Ok(())
    }

    /// Nothing more comes; a sentence on what was written, if anything was. All are told, whichever of them fails.
    pub async fn close(&mut self) -> Result<Option<String>, Report> {
        let mut failed = None;
        for (_, destination) in &mut self.open {
            if let Err(report) = destination.close().await {
                failed.get_or_insert(report);
            }
        }
        if let Some(report) = failed {
            return Err(report);
        }
        let names: Vec<&str> = self.open.iter().map(|(name, _)| name.as_str()).collect();
        Ok((!names.is_empty()).then(|| format!("{} records written to {}", self.written, names.join(", "))))
    }
}

/// What a destination opened to.
enum Opened {
    Beyond(Box<dyn Destination>),
    /// With its place in the line where what it holds is to be replaced.
    File(File, Option<Span>),
}

/// Opens a destination and changes nothing in it yet, with its name; none: the block.
async fn open(target: &Target, outlets: &Outlets, source: &str) -> Result<Option<(String, Opened)>, Report> {
    let (name, file, span, replaced) = match target {
        Target::Here | Target::Built(_) => return Ok(None),
        Target::Beyond(whom, span) => {
            let open = outlets.bus.open(whom).await;
            let open = open.map_err(|report| report.at(source, span.start..span.end))?;
            return Ok(Some((whom.to_string(), Opened::Beyond(open))));
        }
        Target::File(path, span) => (path.display().to_string(), old_file(path).await, *span, Some(*span)),
        Target::NewFile(path, span) => (path.display().to_string(), new_file(path).await, *span, None),
        Target::Descriptor(number, span) => {
            let file = descriptor(*number).map(File::from_std);
            (format!("fd:{number}"), file, *span, None)
        }
    };
    let file = file.map_err(|error| not_writable(&name, &error, span).refused(source))?;
    Ok(Some((name, Opened::File(file, replaced))))
}

async fn old_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .await
}

/// Empties a file; a device or a pipe holds nothing.
async fn emptied(file: &File) -> std::io::Result<()> {
    match file.metadata().await?.is_file() {
        true => file.set_len(0).await,
        false => Ok(()),
    }
}

async fn new_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path).await
}

fn not_writable(name: &str, error: &std::io::Error, span: Span) -> Problem {
    Problem::new(NOT_WRITABLE, span, format!("can't write {name}: {error}"))
}

/// A file or descriptor that gets one line a record: text as it is, everything else as compact JSON. What is shown
/// without a line break of ours has none here either.
struct Lines {
    name: String,
    file: BufWriter<File>,
}

impl Lines {
    fn lost(&self, error: &std::io::Error) -> Report {
        Report::failed("E-REDIRECT-005", format!("writing {} failed: {error}", self.name))
    }
}

#[async_trait]
impl Destination for Lines {
    async fn write(&mut self, item: &Item) -> Result<(), Report> {
        let mut line = match &item.view {
            Some(View::Raw(text)) => {
                let written = self.file.write_all(text.as_bytes()).await;
                return written.map_err(|error| self.lost(&error));
            }
            Some(View::Text(text) | View::Verbatim(text)) => text.clone(),
            Some(View::Prose(paragraphs)) => {
                let lines = paragraphs.iter().flat_map(|paragraph| paragraph.plain());
                lines.map(|line| line + "\n").collect()
            }
            Some(View::Lines(lines)) => lines.iter().map(|line| line.text() + "\n").collect(),
            _ => to_text(&item.record),
        };
        if !line.ends_with('\n') {
            line.push('\n');
        }
        let written = self.file.write_all(line.as_bytes()).await;
        written.map_err(|error| self.lost(&error))
    }

    async fn close(&mut self) -> Result<(), Report> {
        let flushed = self.file.flush().await;
        flushed.map_err(|error| self.lost(&error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// Notes that it was closed; may fail at that.
    struct Closing(Arc<AtomicBool>, bool);

    #[async_trait]
    impl Destination for Closing {
        async fn write(&mut self, _: &Item) -> Result<(), Report> {
            Ok(())
        }

        async fn close(&mut self) -> Result<(), Report> {
            self.0.store(true, Ordering::Relaxed);
            match self.1 {
                true => Err(Report::failed("E-TEST", "full")),
                false => Ok(()),
            }
        }
    }

    #[tokio::test]
    async fn l14_nothing_is_lost_where_another_destination_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("old"), "kept for long\n").unwrap();
        std::fs::create_dir(path("folder")).unwrap();
        let outlets = Outlets::local(folder.path().to_path_buf());
        let file = |name: &str| Target::File(path(name), Span::default());
        let open = async |names: &[&str]| {
            let targets: Vec<Target> = names.iter().map(|name| file(name)).collect();
            Sinks::open(&targets, &Values::default(), &outlets, "").await
        };
        let refused = open(&["old", "folder"]).await.err().unwrap();
        assert_eq!(refused.code, NOT_WRITABLE);
        assert_eq!(std::fs::read_to_string(path("old")).unwrap(), "kept for long\n");
        let mut sinks = open(&["old", "new"]).await.unwrap();
        let item = Item {
            record: "x".into(),
            view: None,
        };
        sinks.write(&item).await.unwrap();
        sinks.close().await.unwrap();
        for name in ["old", "new"] {
            assert_eq!(std::fs::read_to_string(path(name)).unwrap(), "x\n", "{name}");
        }
    }

    #[tokio::test]
    async fn what_brings_no_line_break_gets_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        let targets = [Target::File(path.clone(), Span::default())];
        let outlets = Outlets::local(folder.path().to_path_buf());
        let mut sinks = Sinks::open(&targets, &Values::default(), &outlets, "").await.unwrap();
        for (text, raw) in [("a", true), ("b", true), ("\nc", true), ("d", false)] {
            let view = if raw {
                View::Raw(text.into())
            } else {
                View::Text(text.into())
            };
            let item = Item {
                record: text.into(),
                view: Some(view),
            };
            sinks.write(&item).await.unwrap();
        }
        sinks.close().await.unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "ab\ncd\n");
    }

    #[tokio::test]
    async fn l14_one_destination_that_fails_keeps_nothing_from_the_others() {
        let closed = [Arc::new(AtomicBool::default()), Arc::new(AtomicBool::default())];
        let open = closed.iter().zip([true, false]).map(|(closed, fails)| {
            let destination: Box<dyn Destination> = Box::new(Closing(closed.clone(), fails));
            ("x".to_owned(), destination)
        });
        let mut sinks = Sinks {
            here: false,
            open: open.collect(),
            written: 0,
        };
        assert_eq!(sinks.close().await.unwrap_err().code, "E-TEST");
        assert!(closed.iter().all(|closed| closed.load(Ordering::Relaxed)));
    }
}
