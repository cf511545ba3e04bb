//! `kubectl:cp`: files between this machine and a container, as a tar archive through exec. The container needs `tar`.

mod local;
mod tar;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use kube::api::AttachParams;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::common::{WRITE, declare, say, until_stopped};
use super::completer::Names;
use super::exec::process::{complaint, to_the_end};
use super::exec::{BUFFER, Place, container_option};
use crate::core::change::Risk;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::{CONFLICT, NOT_FOUND, UNREACHABLE, usage};
use crate::verb::declaration::{OptionKind, Positional};
use crate::verb::{Call, Input, InputMode, Output, Read, Verb};

/// Pieces of an archive between disk and network. Policy: the faster side waits.
const PIECES: usize = 16;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("cp", "Copy files to or from a container")
        .permission(WRITE)
        .risk(Risk::Change)
        .input(InputMode::None)
        .positional(Positional::new("FROM", OptionKind::String, "A local path, or [NAMESPACE/]POD:PATH"))
        .positional(Positional::new("TO", OptionKind::String, "A local path, or [NAMESPACE/]POD:PATH"))
        .option(container_option())
        .output("{action, from, to, files, bytes, message}.")
        .notes(
            "Folders are copied whole. Links are passed over, and a file that would land outside the target is refused. The \
             container needs tar.",
        )
        .example("kubectl:cp inspector-abc:/etc/hosts /tmp/hosts", "a file out of a pod")
        .example("kubectl:cp ./conf inspector-abc:/tmp", "a folder into a pod");
    Verb::read(
        declaration,
        Cp {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of_type(clients, "pods"))
}

struct Cp {
    clients: Arc<Clients>,
}

/// One end of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Local(PathBuf),
    Remote {
        namespace: Option<String>,
        pod: String,
        path: String,
    },
}

impl End {
    /// kubectl's rule: what holds a colon is in a pod, unless a slash or a dot begins it.
    fn read(word: &str) -> Result<End, Report> {
        let local = || Ok(End::Local(PathBuf::from(word)));
        let Some((place, path)) = word.split_once(':').filter(|_| !word.starts_with(['/', '.'])) else {
            return local();
        };
        let (namespace, pod) = match place.split('/').collect::<Vec<_>>().as_slice() {
            [pod] => (None, (*pod).to_owned()),
            [namespace, pod] => (Some((*namespace).to_owned()), (*pod).to_owned()),
            _ => return local(),
        };
        if pod.is_empty() || path.is_empty() {
            return Err(usage("filepath can not be empty").hint("[NAMESPACE/]POD:PATH"));
        }
        Ok(End::Remote {
            namespace,
            pod,
            path: path.to_owned(),
        })
    }
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    files: u64,
    bytes: u64,
}

#[async_trait]
impl Read for Cp {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, self.copy(call, output)).await
    }
}

impl Cp {
    async fn copy(&self, call: &Call, output: &Output) -> Result<(), Report> {
        let words = call.arguments.texts();
        let [from, to] = words.as_slice() else {
            return Err(usage("source and destination are required"));
        };
        let count = match (End::read(from)?, End::read(to)?) {
            (End::Local(from), End::Remote { namespace, pod, path }) => {
                if !from.exists() {
                    let message = format!("{} doesn't exist in local filesystem", from.display());
                    return Err(Report::failed(NOT_FOUND, message));
                }
                let (session, place) = self.place(call, namespace, &pod).await?;
                upload(&session, &place, from, &path).await?
            }
            (End::Remote { namespace, pod, path }, End::Local(to)) => {
                let (session, place) = self.place(call, namespace, &pod).await?;
                download(call, &session, &place, &path, to).await?
            }
            _ => return Err(usage("one of src or dest must be a local file specification")),
        };
        let message = format!("{from} copied to {to}: {} files, {} bytes", count.files, count.bytes);
        let record = json!({
            "action": "copied", "from": from, "to": to, "files": count.files, "bytes": count.bytes, "message": message,
        });
        say(output, record).await
    }

    async fn place(&self, call: &Call, namespace: Option<String>, pod: &str) -> Result<(Session, Place), Report> {
        let session = self.clients.session(&call.context).await?;
        let mut call = call.clone();
        if let Some(namespace) = namespace {
            call.arguments.options.insert("namespace".to_owned(), json!(namespace));
        }
        let place = Place::find(&call, &session, Some(pod)).await?;
        Ok((session, place))
    }
}

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|word| (*word).to_owned()).collect()
}

/// Whether tar ended well; what it complained about is the reason when not.
fn judged((complaint, code): (String, i32)) -> Result<(), Report> {
    if code == 0 {
        return Ok(());
    }
    Err(Report::failed(
        CONFLICT,
        format!("tar in the container ended with exit code {code}: {complaint}"),
    ))
}

/// Into the container: a folder that is there takes the copy under its own name.
async fn upload(session: &Session, place: &Place, from: PathBuf, to: &str) -> Result<Count, Report> {
    let to = to.trim_end_matches('/');
    let to = if to.is_empty() { "/" } else { to };
    let streams = AttachParams::default().stdin(false);
    let mut probe = place.start(session, &words(&["test", "-d", to]), streams).await?;
    let complained = complaint(probe.stderr());
    let is_folder = match to_the_end(&mut probe, complained.map(Ok)).await {
        Ok((_, code)) => code == 0,
        Err(report) if report.code == UNREACHABLE => return Err(report),
        // No `test` in the container: tar will say what is wrong.
        Err(_) => false,
    };
    let own = from.file_name().map(|name| name.to_string_lossy().into_owned());
    let (folder, name) = match (is_folder, to.rsplit_once('/')) {
        (true, _) => (to, own.unwrap_or_else(|| ".".to_owned())),
        (false, Some((parent, name))) => (if parent.is_empty() { "/" } else { parent }, name.to_owned()),
        (false, None) => (".", to.to_owned()),
    };
    let streams = AttachParams::default().stdin(true).stdout(false);
    let command = words(&["tar", "-xmf", "-", "-C", folder]);
    let mut process = place.start(session, &command, streams).await?;
    let stdin = process.stdin();
    let (sender, mut pieces) = mpsc::channel(PIECES);
    let packing = tokio::task::spawn_blocking(move || local::pack(&from, &name, &sender));
    let feed = async move {
        if let Some(mut stdin) = stdin {
            while let Some(piece) = pieces.recv().await {
                // It ended early: its own words say why.
                if stdin.write_all(&piece).await.is_err() {
                    return;
                }
            }
            let _ = stdin.shutdown().await;
        }
    };
    let complained = complaint(process.stderr());
    let ended = to_the_end(&mut process, complained.map(Ok));
    tokio::pin!(ended);
    let early = tokio::select! {
        biased;
        done = &mut ended => Some(done),
        () = feed => None,
    };
    // What is wrong on this side says more than what tar makes of half an archive.
    let count = packing.await.map_err(|error| lost(&error))??;
    judged(match early {
        Some(done) => done?,
        None => ended.await?,
    })?;
    Ok(count)
}

/// Out of the container.
async fn download(call: &Call, session: &Session, place: &Place, from: &str, to: PathBuf) -> Result<Count, Report> {
    let command = words(&["tar", "cf", "-", from]);
    let mut process = place.start(session, &command, AttachParams::default()).await?;
    let stdout = process.stdout();
    let (sender, mut pieces) = mpsc::channel(PIECES);
    let prefix = prefix(from);
    let unpacking = tokio::task::spawn_blocking(move || local::unpack(&prefix, &to, &mut pieces));
    let mut untaken = false;
    let data = async {
        let Some(mut stdout) = stdout else { return Ok(()) };
        // Moved here, so that its end is the archive's.
        let sender = sender;
        let mut piece = vec![0; BUFFER];
        loop {
            let count = stdout.read(&mut piece).await.map_err(|error| lost(&error))?;
            let bytes = piece.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(());
            }
            if sender.send(bytes.to_vec()).await.is_err() {
                untaken = true;
                return Err(Report::failed(CONFLICT, "nobody takes the archive any more"));
            }
        }
    };
    let complained = complaint(process.stderr());
    let streams = async { tokio::try_join!(complained.map(Ok), data) };
    let ended = to_the_end(&mut process, streams).await;
    let unpacked = unpacking.await.map_err(|error| lost(&error))?;
    if !untaken {
        // How tar ended says more than what came of a part of the archive.
        let ((complaint, ()), code) = ended?;
        judged((complaint, code))?;
    }
    let (count, passed_over) = unpacked?;
    for name in passed_over {
        call.operator
            .note(SafeText::line(&format!("warning: skipping link: {name}")));
    }
    if count == Count::default() {
        call.operator.note(SafeText::line("nothing was in it"));
    }
    Ok(count)
}

/// What the names in the archive begin with: the path without what tar leaves out.
fn prefix(path: &str) -> String {
    let mut rest = path.trim_end_matches('/').trim_start_matches('/');
    while let Some(shorter) = rest.strip_prefix("../").or_else(|| rest.strip_prefix("./")) {
        rest = shorter.trim_start_matches('/');
    }
    if matches!(rest, "." | "..") {
        String::new()
    } else {
        rest.to_owned()
    }
}

fn lost(error: &(dyn std::error::Error + 'static)) -> Report {
    Report::failed(UNREACHABLE, "the copy was cut off").because(error)
}

/// An unreadable or unwritable local path.
fn unusable(path: &Path, error: &std::io::Error) -> Report {
    Report::failed(CONFLICT, format!("{} cannot be used", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_ends_are_told_apart_as_kubectl_does() {
        let remote = |namespace: Option<&str>, pod: &str, path: &str| End::Remote {
            namespace: namespace.map(str::to_owned),
            pod: pod.into(),
            path: path.into(),
        };
        assert_eq!(End::read("web:/tmp/x").unwrap(), remote(None, "web", "/tmp/x"));
        assert_eq!(End::read("shop/web:x").unwrap(), remote(Some("shop"), "web", "x"));
        assert_eq!(End::read("./a:b").unwrap(), End::Local("./a:b".into()));
        assert_eq!(End::read("/a:b").unwrap(), End::Local("/a:b".into()));
        assert!(End::read("web:").is_err() && End::read(":x").is_err());
    }

    #[test]
    fn names_in_the_archive_have_no_shortcuts() {
        assert_eq!(prefix("/etc/hosts"), "etc/hosts");
        assert_eq!(prefix("../../x/"), "x");
        assert_eq!(prefix("./."), "");
    }
}
