//! The line being typed in the operator's own editor: through a file that only he can read, which is gone afterwards.
//! Not for objects of a cluster (`kubectl:edit`).

use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::programs;
use crate::core::report::Report;
use crate::lang::MAX_LINE;
use crate::verb::operator::TerminalCommand;

/// Gives a text to the editor and waits for its end; what the file holds then. `folder`: where the file is made.
/// `leaving` ends the editor.
pub(super) async fn edit(
    editor: &[String],
    folder: Option<PathBuf>,
    text: &str,
    leaving: &CancellationToken,
) -> Result<String, Report> {
    let file = File::new(folder.unwrap_or_else(std::env::temp_dir), text)?;
    let mut argv = editor.to_vec();
    argv.push(file.path.display().to_string());
    let command = TerminalCommand {
        argv,
        environment: Default::default(),
    };
    match programs::spawn(&command, None, leaving).await? {
        0 => file.read(),
        code => {
            let name = editor.first().map_or("the editor", String::as_str);
            let report = Report::failed(
                "E-CONSOLE-008",
                format!("{name} ended with {code}: the line stays as it was"),
            );
            Err(report.hint("EDITOR names another one"))
        }
    }
}

/// A file that only its owner can read, for a line may hold a secret. It is gone when this is dropped.
struct File {
    path: PathBuf,
}

impl File {
    fn new(folder: PathBuf, text: &str) -> Result<Self, Report> {
        let at = jiff::Timestamp::now().as_nanosecond();
        let path = folder.join(format!("cogdeck-line-{}-{at}", std::process::id()));
        let mut opened = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| unusable(&error))?;
        let file = File { path };
        let ends = if text.ends_with('\n') { "" } else { "\n" };
        let written = opened
            .write_all(text.as_bytes())
            .and_then(|()| opened.write_all(ends.as_bytes()));
        written.map_err(|error| unusable(&error))?;
        Ok(file)
    }

    /// What it holds now: at most a byte more than a line takes, which is enough to refuse it.
    fn read(&self) -> Result<String, Report> {
        let mut text = String::new();
        let bound = u64::try_from(MAX_LINE).unwrap_or(u64::MAX).saturating_add(2);
        let opened = std::fs::File::open(&self.path).map_err(|error| unusable(&error))?;
        opened
            .take(bound)
            .read_to_string(&mut text)
            .map_err(|error| unusable(&error))?;
        Ok(text)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // It may be gone already: the editor's own doing.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn unusable(error: &io::Error) -> Report {
    Report::failed(
        "E-CONSOLE-008",
        "the file for the editor cannot be used: the line stays as it was",
    )
    .because(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn script(text: &str) -> Vec<String> {
        ["sh", "-c", text, "editor"].map(str::to_owned).to_vec()
    }

    /// The console is not left.
    fn stays() -> CancellationToken {
        CancellationToken::new()
    }

    #[tokio::test]
    async fn the_line_comes_back_changed_and_its_file_was_the_owners_alone_and_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let inside = folder.path().join("lines");
        std::fs::create_dir(&inside).unwrap();
        let editor = script(&format!(
            "ls -l \"$1\" | cut -c1-10 > {0}; cat \"$1\" >> {0}; printf 'echo two\\n| jq .\\n' > \"$1\"",
            seen.display()
        ));
        let edited = edit(&editor, Some(inside.clone()), "echo one", &stays()).await.unwrap();
        assert_eq!(edited, "echo two\n| jq .\n");
        assert_eq!(std::fs::read_to_string(seen).unwrap(), "-rw-------\necho one\n");
        assert_eq!(std::fs::read_dir(inside).unwrap().count(), 0, "the file is gone");
    }

    #[tokio::test]
    async fn an_editor_is_told_to_end_when_the_console_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let (begun, told) = (folder.path().join("begun"), folder.path().join("told"));
        let editor = script(&format!(
            "trap 'echo > {}; exit 0' TERM; echo > {}; while :; do sleep 0.1; done",
            told.display(),
            begun.display()
        ));
        let leaving = CancellationToken::new();
        let leave = async {
            while !begun.exists() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            leaving.cancel();
        };
        let there = Some(folder.path().to_owned());
        let both = async { tokio::join!(edit(&editor, there, "echo", &leaving), leave).0 };
        let edited = tokio::time::timeout(std::time::Duration::from_secs(20), both).await;
        assert_eq!(edited.unwrap().unwrap(), "echo\n");
        assert!(told.exists(), "it could tidy up");
    }

    #[tokio::test]
    async fn an_editor_that_fails_or_is_missing_or_leaves_no_text_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let there = || Some(folder.path().to_owned());
        for (editor, word) in [
            (script("exit 3"), "ended with 3"),
            (script("rm \"$1\""), "cannot be used"),
            (script("printf '\\377' > \"$1\""), "cannot be used"),
            (vec!["no-such-editor".to_owned()], "cannot be started"),
            (Vec::new(), "cannot be started"),
        ] {
            let told = edit(&editor, there(), "echo", &stays()).await.unwrap_err().sentence();
            assert!(told.contains(word), "{editor:?}: {told}");
        }
        let long = script("yes x | head -c 9000000 > \"$1\"");
        let read = edit(&long, there(), "echo", &stays()).await.unwrap();
        assert!(read.len() > MAX_LINE && read.len() < MAX_LINE + 8, "bounded");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
