//! `sandbox:kubeconfig`: a way for other programs into the cluster of the console's own sandbox. Not for a sandbox that
//! `cogdeck sandbox` serves: that one writes its file itself.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::json;

use crate::core::context::KubeconfigSource;
use crate::core::report::Report;
use crate::render::View;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb. It changes nothing in the world; the file is one that was not there.
pub fn verb() -> Verb {
    let declaration = Declaration::new("sandbox", "kubeconfig", "Let kubectl of another terminal into the sandbox")
        .once()
        .description(
            "Writes a kubeconfig for the cluster of this console's sandbox, readable by its owner only: what kubectl \
             then does in another terminal moves the panels here. It is of use as long as the sandbox runs. A file that \
             exists is not written over.",
        )
        .input(InputMode::None)
        .positional(Positional::new("file", OptionKind::String, "the file to write"))
        .output("{path}")
        .example("sandbox:kubeconfig /tmp/kubeconfig", "then in another terminal: export KUBECONFIG=/tmp/kubeconfig");
    Verb::read(declaration, Kubeconfig)
}

struct Kubeconfig;

#[async_trait]
impl Read for Kubeconfig {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let file = PathBuf::from(call.arguments.text_at(0).unwrap_or_default());
        let path = std::path::absolute(&file).map_err(|error| unwritten(&file, &error))?;
        let KubeconfigSource::Inline(text) = &call.context.kubernetes.kubeconfig else {
            let message = format!("context {} is no sandbox of this console", call.context.name);
            return Err(Report::refused("E-SANDBOX-013", message).hint(
                "its kubeconfig is a file already; `cogdeck --sandbox` opens a console on a sandbox of its own",
            ));
        };
        let (text, target) = (text.clone(), path.clone());
        let written = tokio::task::spawn_blocking(move || write(&target, text.reveal())).await;
        let written = written.map_err(|error| Report::failed("E-SANDBOX-014", "writing ended").because(&error))?;
        written.map_err(|error| unwritten(&path, &error))?;
        let name = path.to_string_lossy().into_owned();
        let quoted = shlex::try_quote(&name).map_or_else(|_| name.clone(), |quoted| quoted.into_owned());
        let said = format!("in another terminal: export KUBECONFIG={quoted}");
        output.emit_as(json!({ "path": name }), View::Text(said)).await
    }
}

/// A new file of mode 0600; no link is followed, and half of it does not stay.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes()).inspect_err(|_| {
        // What is reported is that it could not be written.
        let _ = std::fs::remove_file(path);
    })
}

fn unwritten(path: &Path, error: &std::io::Error) -> Report {
    let report = Report::refused("E-SANDBOX-014", format!("cannot write {}", path.display())).because(error);
    match error.kind() {
        ErrorKind::AlreadyExists => report.hint("name another file, or remove this one"),
        _ => report,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_a_new_file_is_written_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        write(&path, "token: x").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(write(&path, "other").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "token: x");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
        assert!(write(&link, "x").is_err() && !folder.path().join("elsewhere").exists());
    }
}
