//! `kubectl:edit`: an object in the operator's own editor; what was changed there is the plan. Needs a terminal to give.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use serde_json::Value;

use super::apply::difference;
use super::common::{Remembered, WRITE, declare, more_names, record_option, types_or_objects};
use super::completer::Names;
use super::mutation::{self, Draft, Write};
use super::template::merge_patch;
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::core::yaml;
use crate::features::kubernetes::client::{Clients, MERGE_PATCH, Session};
use crate::features::kubernetes::error::{CONFLICT, FORBIDDEN, UNAUTHORIZED, UNREACHABLE, UNREADABLE, usage};
use crate::features::kubernetes::object;
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::secrecy;
use crate::features::kubernetes::target::{self, Target};
use crate::verb::operator::TerminalCommand;
use crate::verb::{Call, Mutate, Output, Verb};

/// What stands above the object in the editor.
const HEAD: &str = "# Lines that begin with a '#' are ignored. Leave the file as it is to change nothing.\n#\n";

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("edit", "Change an object in an editor")
        .permission(WRITE)
        .risk(Risk::Change)
        .option(record_option())
        .positional(types_or_objects("What to edit, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .output("{kind, name, namespace, action, message}; a note where nothing was changed.")
        .notes("Opens KUBE_EDITOR, EDITOR or vi; needs the console. What the server would refuse is opened again with its words on top; left as it is then, it \
             stays in a file that is named.")
        .example("kubectl:edit deploy/inspector", "as YAML, in the editor");
    Verb::mutate(
        declaration,
        Edit {
            clients: clients.clone(),
            known: Remembered::default(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Edit {
    clients: Arc<Clients>,
    /// What a call's editor gave for an object: a plan that is made a second time, after it was approved, does not open
    /// the editor again.
    known: Remembered<Edited>,
}

/// What came back from the editor.
#[derive(Clone)]
struct Edited {
    /// The difference alone, so that what others changed meanwhile is not taken back.
    patch: Value,
    /// The text, for a copy when the server refuses it in the end.
    text: String,
}

#[async_trait]
impl Mutate for Edit {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let session = self.clients.planning(call).await?;
        let found = target::chosen(call, &session, &call.arguments.texts()).await?;
        let [(target, live)] = found.as_slice() else {
            return Err(usage("edit takes one object at a time").hint("name one: TYPE/NAME"));
        };
        if let Some(edited) = self.known.get(call, &subject(&target.changed())) {
            return Ok(vec![change(call, &session, target, live, edited.patch).await?]);
        }
        let Some((change, edited)) = edit(call, &session, target, live).await? else {
            call.operator.note(SafeText::line("Edit cancelled, no changes made."));
            return Ok(Vec::new());
        };
        self.known.keep(call, &subject(&target.changed()), edited);
        Ok(vec![change])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let kind = &change.target.kind;
        let view = |live: &Value| difference::at(kind, live, &change.before);
        let Err(report) = mutation::apply(call, &self.clients, change, view, output).await else {
            return Ok(());
        };
        let report = secrecy::told(kind, report);
        match self.known.get(call, &subject(&change.target)) {
            Some(edited) => Err(kept(report, File::new(call, &edited.text)?)),
            None => Err(report),
        }
    }
}

fn subject(target: &crate::core::change::Target) -> String {
    format!("{} {}/{}", target.kind, target.scope, target.name)
}

/// Gives the object to the editor until what comes back is something that the server would take: what is wrong stands
/// on top of the text the next time. None: nothing was changed.
async fn edit(
    call: &Call,
    session: &Session,
    target: &Target,
    live: &Value,
) -> Result<Option<(Change, Edited)>, Report> {
    let yaml = serde_saphyr::to_string(live)
        .map_err(|error| Report::failed(UNREADABLE, "the object cannot be written as YAML").because(&error))?;
    let file = File::new(call, &format!("{HEAD}{yaml}"))?;
    let (mut given, mut problem) = (yaml, None::<Report>);
    loop {
        if let Err(report) = editor(call, &file).await {
            return Err(if problem.is_some() { kept(report, file) } else { report });
        }
        let text = bare(&file.read()?);
        if text.trim_end() == given.trim_end() {
            return match problem {
                None => Ok(None),
                Some(report) => {
                    let report = kept(report, file);
                    call.operator
                        .note(SafeText::line("Edit cancelled, no valid changes were saved."));
                    Err(report)
                }
            };
        }
        let tried = async {
            let patch = merge_patch(live, &read(&text, target, live)?);
            if patch.as_object().is_none_or(serde_json::Map::is_empty) {
                return Ok(None);
            }
            let change = change(call, session, target, live, patch.clone()).await?;
            let text = text.clone();
            Ok::<_, Report>(Some((change, Edited { patch, text })))
        };
        match tried.await {
            Ok(found) => return Ok(found),
            // No editing mends that the server is away or forbids it.
            Err(report) if matches!(report.code, UNREACHABLE | UNAUTHORIZED | FORBIDDEN) => {
                return Err(kept(report, file));
            }
            Err(report) => {
                let told: String = report.message.lines().map(|line| format!("# {line}\n")).collect();
                file.write(&format!("{HEAD}{told}#\n{text}"))?;
                (given, problem) = (text, Some(report));
            }
        }
    }
}

/// The report, and where the text is that must not be lost.
fn kept(report: Report, file: File) -> Report {
    report.hint(format!("a copy of your changes is in {}", file.keep().display()))
}

/// Has the operator's editor at a file.
async fn editor(call: &Call, file: &File) -> Result<(), Report> {
    let editor = ["KUBE_EDITOR", "EDITOR"]
        .iter()
        .find_map(|name| call.context.environment.get(*name).filter(|value| !value.is_empty()))
        .map_or("vi", String::as_str);
    let mut argv = shlex::split(editor).unwrap_or_else(|| vec![editor.to_owned()]);
    argv.push(file.path.display().to_string());
    let command = TerminalCommand {
        argv,
        environment: call.context.environment.clone(),
    };
    match call.operator.suspend(command).await? {
        0 => Ok(()),
        _ => Err(Report::failed(
            CONFLICT,
            format!("there was a problem with the editor \"{editor}\""),
        )),
    }
}

/// The text without the lines that are ours.
fn bare(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// The edited object; an empty text means that nothing shall change.
fn read(text: &str, target: &Target, live: &Value) -> Result<Value, Report> {
    let wrong = || format!("{} \"{}\" is invalid", target.resource.group_resource(), target.name);
    if text.trim().is_empty() {
        return Ok(live.clone());
    }
    let edited = yaml::one(text).map_err(|why| Report::failed(UNREADABLE, format!("{}: {why}", wrong())))?;
    for pointer in ["/kind", "/apiVersion", "/metadata/name", "/metadata/namespace"] {
        if edited.pointer(pointer) != live.pointer(pointer) {
            return Err(Report::failed(
                CONFLICT,
                format!(
                    "{}: {} may not be changed",
                    wrong(),
                    pointer.trim_start_matches('/').replace('/', ".")
                ),
            ));
        }
    }
    Ok(edited)
}

/// A file that only its owner can read, for the object may hold secrets. It is gone when this is dropped.
struct File {
    path: PathBuf,
}

impl File {
    fn new(call: &Call, text: &str) -> Result<Self, Report> {
        let folder = call.context.environment.get("TMPDIR").map_or("/tmp", String::as_str);
        let at = jiff::Timestamp::now().as_nanosecond();
        let path = Path::new(folder).join(format!("cogdeck-edit-{}-{at}.yaml", std::process::id()));
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(unusable)?;
        let file = File { path };
        file.write(text)?;
        Ok(file)
    }

    fn read(&self) -> Result<String, Report> {
        std::fs::read_to_string(&self.path).map_err(unusable)
    }

    fn write(&self, text: &str) -> Result<(), Report> {
        std::fs::write(&self.path, text).map_err(unusable)
    }

    /// Leaves it where it is.
    fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // It may be gone already: the editor's own doing.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn unusable(error: std::io::Error) -> Report {
    Report::failed(UNREADABLE, "the file for the editor cannot be used").because(&error)
}

/// What the server would make of the patch.
async fn change(call: &Call, session: &Session, target: &Target, live: &Value, patch: Value) -> Result<Change, Report> {
    let path = Query::new().with("dryRun", "All").on(&target.path());
    let wanted = session
        .cluster
        .write(Method::PATCH, &path, MERGE_PATCH, &patch)
        .await
        .map_err(|error| secrecy::told(&target.resource.kind, session.cluster.report(&error)))?;
    let (before, after) = difference::between(&target.resource.kind, live, &wanted);
    let write = Write::Patch {
        subresource: String::new(),
        media: MERGE_PATCH.to_owned(),
        body: object::as_manifest(patch),
    };
    let fields = before.as_object().map_or(0, serde_json::Map::len);
    Draft::new(
        call,
        target,
        format!("edit {}: {fields} fields become different", target.title()),
        before,
        after,
    )
    .of(live)
    .sending(write, "edited", format!("{} edited", target.title()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::target;
    use super::*;
    use serde_json::json;

    #[test]
    fn what_comes_back_is_checked() {
        let live = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 1}});
        let web = target("Deployment", "web");
        let text = |change: &str| {
            bare(&format!(
                "{HEAD}apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n{change}"
            ))
        };
        let edited = read(&text("spec:\n  replicas: 2\n"), &web, &live).unwrap();
        assert_eq!(merge_patch(&live, &edited), json!({"spec": {"replicas": 2}}));
        assert_eq!(
            read(&bare(HEAD), &web, &live).unwrap(),
            live,
            "an empty file changes nothing"
        );
        assert!(
            read("a: [", &web, &live)
                .unwrap_err()
                .message
                .contains("deployments.apps \"web\" is invalid")
        );
        let renamed = read(&text("").replace("name: web", "name: other"), &web, &live).unwrap_err();
        assert!(
            renamed.message.ends_with("metadata.name may not be changed"),
            "{renamed}"
        );
    }
}
