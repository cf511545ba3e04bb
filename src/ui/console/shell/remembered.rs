//! Writing the remembered arrangement: whole or not at all, in order, for its owner only, safe for two consoles at once.

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
                    let text = format!("the layout is not remembered: {}: {error}", path.display());
                    // Dropped only while the loop is flooded or closes; the next write tells it again.
                    let _ = outbox.try_send(Message::App(Event::Tell(SafeText::line(&text), Tone::Warn)));
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
