//! Writing what is remembered of the screen: whole or not at all, in order, for its owner only, safe for two consoles at
//! once. The arrangement is the last one that was made; pinned pipelines are added and taken away one by one.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::Message;
use crate::core::text::SafeText;
use crate::ui::console::app::Event;
use crate::ui::console::pin::kept::{Change, changed};
use crate::ui::panel::Tone;

/// The one writer of a console's file: never two writes at once, and the last text is the one that stays. Of several
/// that wait only the latest is written.
pub(super) struct Writer {
    texts: watch::Sender<String>,
    task: JoinHandle<()>,
}

impl Writer {
    /// Begins with nothing to write. Inside a Tokio runtime. `outbox` is told what went wrong.
    pub(super) fn new(path: PathBuf, outbox: mpsc::Sender<Message>) -> Self {
        let (texts, mut wanted) = watch::channel(String::new());
        let task = tokio::spawn(async move {
            while wanted.changed().await.is_ok() {
                let (text, place) = (wanted.borrow_and_update().clone(), path.clone());
                let written = tokio::task::spawn_blocking(move || write(&place, &text)).await;
                if let Err(error) = written.unwrap_or_else(|broken| Err(io::Error::other(broken))) {
                    tell(
                        &outbox,
                        &format!("the layout is not remembered: {}: {error}", path.display()),
                    );
                }
            }
        });
        Writer { texts, task }
    }

    /// Takes this text as the one to be kept.
    pub(super) fn write(&self, text: String) {
        self.texts.send_replace(text);
    }

    /// Waits until the last text is kept, as long as that is allowed to take.
    pub(super) async fn finish(self, most: Duration) {
        drop(self.texts);
        // Nothing can be done about a disk that does not answer.
        let _ = tokio::time::timeout(most, self.task).await;
    }
}

/// Changes that wait for the disk at most. Policy: one more is told as not kept.
const CHANGES: usize = 64;

/// Keeps pinned pipelines: each change is made to the file as it is then, whoever has written it.
pub(super) struct Keeper {
    changes: mpsc::Sender<Change>,
    outbox: mpsc::Sender<Message>,
    task: JoinHandle<()>,
}

impl Keeper {
    /// Begins with nothing to change. Inside a Tokio runtime. `outbox` is told what went wrong.
    pub(super) fn new(path: PathBuf, outbox: mpsc::Sender<Message>) -> Self {
        let (changes, mut wanted) = mpsc::channel::<Change>(CHANGES);
        let told = outbox.clone();
        let task = tokio::spawn(async move {
            while let Some(change) = wanted.recv().await {
                let place = path.clone();
                let done = tokio::task::spawn_blocking(move || amend(&place, &change)).await;
                if let Err(error) = done.unwrap_or_else(|broken| Err(io::Error::other(broken))) {
                    tell(
                        &told,
                        &format!("the pin is not remembered: {}: {error}", path.display()),
                    );
                }
            }
        });
        Keeper { changes, outbox, task }
    }

    /// Makes this change, after those before it.
    pub(super) fn keep(&self, change: Change) {
        if self.changes.try_send(change).is_err() {
            tell(&self.outbox, "the pin is not remembered: the disk does not answer");
        }
    }

    /// Waits until the last change is made, as long as that is allowed to take.
    pub(super) async fn finish(self, most: Duration) {
        drop(self.changes);
        // Nothing can be done about a disk that does not answer.
        let _ = tokio::time::timeout(most, self.task).await;
    }
}

/// Dropped only while the loop is flooded or closes; the next write tells it again.
fn tell(outbox: &mpsc::Sender<Message>, text: &str) {
    let _ = outbox.try_send(Message::App(Event::Tell(SafeText::line(text), Tone::Warn)));
}

/// Changes the file of pinned pipelines, while no other console does.
fn amend(path: &Path, change: &Change) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let lock = fs::File::open(folder)?;
    // A file system without locks: two consoles that pin in the same moment are too rare to refuse for that.
    let _ = lock.lock();
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let text = changed(&text, change).map_err(|report| io::Error::other(report.sentence()))?;
    write(path, &text)
}

/// Replaces the file.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // One name a process: two consoles never write into the same file, and the later one wins.
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ui::console::pin::Pinned;
    use crate::ui::console::pin::kept::read;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_whole_and_is_its_owner_s() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/cogdeck/layout.toml");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[tokio::test]
    async fn of_many_texts_in_a_row_the_last_one_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/layout.toml");
        let (outbox, mut inbox) = mpsc::channel(8);
        let writer = Writer::new(path.clone(), outbox);
        for n in 0..500 {
            writer.write(format!("text {n}"));
            tokio::task::yield_now().await;
        }
        writer.finish(Duration::from_secs(30)).await;
        assert_eq!(fs::read_to_string(&path).unwrap(), "text 499");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert!(inbox.recv().await.is_none(), "nothing went wrong");
    }

    #[tokio::test]
    async fn pins_of_two_consoles_and_of_a_file_that_cannot_be_read_stay() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/pins.toml");
        let pin = |line: String| {
            Change::Add(Pinned {
                id: "pin1".into(),
                line,
                every: 5_000,
            })
        };
        let (outbox, mut inbox) = mpsc::channel(8);
        let both = [
            Keeper::new(path.clone(), outbox.clone()),
            Keeper::new(path.clone(), outbox.clone()),
        ];
        for n in 0..4 {
            both[0].keep(pin(format!("here {n}")));
            both[1].keep(pin(format!("there {n}")));
        }
        for keeper in both {
            keeper.finish(Duration::from_secs(30)).await;
        }
        let (pins, remarks) = read(&fs::read_to_string(&path).unwrap());
        assert_eq!((pins.len(), remarks.len()), (8, 0), "{pins:?} {remarks:?}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(inbox.try_recv().is_err(), "nothing went wrong");

        fs::write(&path, "pin = 1").unwrap();
        let keeper = Keeper::new(path.clone(), outbox);
        keeper.keep(pin("one more".to_owned()));
        keeper.finish(Duration::from_secs(30)).await;
        assert_eq!(fs::read_to_string(&path).unwrap(), "pin = 1");
        let told = inbox.recv().await;
        assert!(matches!(told, Some(Message::App(Event::Tell(text, _))) if text.as_str().contains("pins.toml")));
    }

    #[tokio::test]
    async fn a_text_that_cannot_be_kept_is_told() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("file"), "").unwrap();
        let (outbox, mut inbox) = mpsc::channel(8);
        let writer = Writer::new(home.path().join("file/layout.toml"), outbox);
        writer.write("text".into());
        writer.finish(Duration::from_secs(30)).await;
        let told = inbox.recv().await;
        assert!(
            matches!(told, Some(Message::App(Event::Tell(text, Tone::Warn))) if text.as_str().contains("layout.toml")),
        );
    }
}
