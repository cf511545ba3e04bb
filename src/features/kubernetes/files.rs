//! Local text that a command names: read as it comes and up to a limit, so that neither a device without an end nor a
//! pipe that nobody writes to holds anything else up. Terminals are refused: whoever reads one takes the keys away from
//! everyone else, and cannot be made to stop. Not for what is in it.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::unix::pipe;

/// The text of a file, a device or a named pipe; `None`: it is longer than `most` bytes. A pipe is waited for until
/// somebody has written to it and is done; dropping the future gives that up.
pub async fn text(path: &Path, most: u64) -> io::Result<Option<String>> {
    let about = tokio::fs::metadata(path).await?;
    match about.file_type().is_fifo() {
        // Opening one as a file would hold a thread until somebody writes, and the end of the process with it.
        true => read(pipe::OpenOptions::new().open_receiver(path)?, most).await,
        false => {
            let file = tokio::fs::File::open(path).await?;
            if file.as_fd().is_terminal() {
                let why = "it is a terminal: give a file, or a pipe from a program";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
            read(file, most).await
        }
    }
}

async fn read(from: impl AsyncRead + Unpin, most: u64) -> io::Result<Option<String>> {
    let mut text = String::new();
    from.take(most + 1).read_to_string(&mut text).await?;
    Ok((text.len() as u64 <= most).then_some(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_pipe_is_read_when_somebody_writes_and_given_up_when_nobody_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        // On one thread: whatever blocks it would block the clock too.
        let given_up = tokio::time::timeout(Duration::from_millis(50), text(&path, 10)).await;
        assert!(given_up.is_err(), "{given_up:?}");
        let (read, wrote) = tokio::join!(text(&path, 10), async {
            let path = path.clone();
            tokio::task::spawn_blocking(move || std::fs::write(path, "late"))
                .await
                .unwrap()
        });
        assert_eq!((read.unwrap().as_deref(), wrote.is_ok()), (Some("late"), true));
    }

    #[tokio::test]
    async fn a_terminal_is_left_to_who_sits_before_it() {
        let pair = portable_pty::native_pty_system()
            .openpty(portable_pty::PtySize::default())
            .unwrap();
        let name = pair.master.tty_name().unwrap();
        let refused = tokio::time::timeout(Duration::from_secs(10), text(&name, 10)).await;
        assert_eq!(refused.unwrap().unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[tokio::test]
    async fn what_has_no_end_or_is_not_there_is_told() {
        assert!(text(Path::new("/dev/zero"), 1000).await.unwrap().is_none());
        assert!(text(Path::new("/does/not/exist"), 1000).await.is_err());
    }
}
