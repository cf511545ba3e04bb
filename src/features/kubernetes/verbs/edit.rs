//! `kubectl:edit`: an object in the operator's own editor; what was changed there is the plan. Needs a terminal to give.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::Method;
use serde_json::Value;

use super::apply::difference;
use super::common::{WRITE, declare, more_names, types_or_objects};
use super::completer::Names;
use super::mutation::{self, Draft, Write};
use super::template::merge_patch;
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, MERGE_PATCH, Session};
use crate::features::kubernetes::error::{CONFLICT, UNREADABLE, usage};
use crate::features::kubernetes::object;
use crate::features::kubernetes::path::Query;
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
        .positional(types_or_objects("What to edit, also TYPE/NAME; the incoming object when not given").optional())
        .positional(more_names())
        .output("{kind, name, namespace, action, message}; a note where nothing was changed.")
        .notes("Opens KUBE_EDITOR, EDITOR or vi; needs the console. What the server refuses stays in a file that is named.")
        .example("kubectl:edit deploy/inspector", "as YAML, in the editor");
    Verb::mutate(
        declaration,
        Edit {
            clients: clients.clone(),
            last: Mutex::default(),
        },
    )
    .completed_by(Names::of(clients))
}

struct Edit {
    clients: Arc<Clients>,
    /// The newest edit, by pipeline, stage and object: a plan that is made a second time, after it was approved, does not
    /// open the editor again.
    last: Mutex<Option<(String, Value)>>,
}

#[async_trait]
impl Mutate for Edit {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let session = self.clients.session(&call.context).await?;
        let found = target::chosen(call, &session, &call.arguments.texts()).await?;
        let [(target, live)] = found.as_slice() else {
            return Err(usage("edit takes one object at a time").hint("name one: TYPE/NAME"));
        };
        let key = format!("{}/{}/{}", call.pipeline_id, call.stage, target.path());
        let known = self.last().filter(|(known, _)| *known == key).map(|(_, edited)| edited);
        let edited = match known {
            Some(edited) => edited,
            None => edit(call, target, live).await?,
        };
        let patch = merge_patch(live, &edited);
        if patch.as_object().is_none_or(serde_json::Map::is_empty) {
            call.operator.note(SafeText::line("Edit cancelled, no changes made."));
            return Ok(Vec::new());
        }
        let change = change(call, &session, target, live, patch).await?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((key, edited));
        Ok(vec![change])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let view = |live: &Value| difference::at(live, &change.before);
        mutation::apply(call, &self.clients, change, view, output)
            .await
            .map(|_| ())
    }
}

impl Edit {
    fn last(&self) -> Option<(String, Value)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Gives the object to the editor and reads what comes back.
async fn edit(call: &Call, target: &Target, live: &Value) -> Result<Value, Report> {
    let yaml = serde_saphyr::to_string(live)
        .map_err(|error| Report::failed(UNREADABLE, "the object cannot be written as YAML").because(&error))?;
    let file = file_of(call, &format!("{HEAD}{yaml}"))?;
    let editor = ["KUBE_EDITOR", "EDITOR"]
        .iter()
        .find_map(|name| call.context.environment.get(*name).filter(|value| !value.is_empty()))
        .map_or("vi", String::as_str);
    let mut argv = shlex::split(editor).unwrap_or_else(|| vec![editor.to_owned()]);
    argv.push(file.display().to_string());
    let command = TerminalCommand {
        argv,
        environment: call.context.environment.clone(),
    };
    let ended = call.operator.suspend(command).await;
    let text = std::fs::read_to_string(&file);
    let remove = || drop(std::fs::remove_file(&file));
    match ended {
        Ok(0) => {}
        Ok(_) => {
            remove();
            return Err(Report::failed(
                CONFLICT,
                format!("there was a problem with the editor \"{editor}\""),
            ));
        }
        Err(report) => {
            remove();
            return Err(report);
        }
    }
    let text = text.map_err(|error| Report::failed(UNREADABLE, "the edited file cannot be read").because(&error))?;
    match read(&text, target, live) {
        Ok(edited) => {
            remove();
            Ok(edited)
        }
        Err(report) => Err(report.hint(format!("a copy of your changes is in {}", file.display()))),
    }
}

/// The edited object; an empty file means that nothing shall change.
fn read(text: &str, target: &Target, live: &Value) -> Result<Value, Report> {
    let wrong = || format!("{} \"{}\" is invalid", target.resource.group_resource(), target.name);
    let bare: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    if bare.iter().all(|line| line.trim().is_empty()) {
        return Ok(live.clone());
    }
    let edited: Value = serde_saphyr::from_str(&bare.join("\n"))
        .map_err(|error| Report::failed(UNREADABLE, wrong()).because(&error))?;
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

/// A new file that only its owner can read: the object may hold secrets.
fn file_of(call: &Call, text: &str) -> Result<PathBuf, Report> {
    let unusable = |error: std::io::Error| Report::failed(UNREADABLE, "no file for the editor").because(&error);
    let folder = call.context.environment.get("TMPDIR").map_or("/tmp", String::as_str);
    let at = jiff::Timestamp::now().as_nanosecond();
    let path = Path::new(folder).join(format!("cogdeck-edit-{}-{at}.yaml", std::process::id()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(unusable)?;
    file.write_all(text.as_bytes()).map_err(unusable)?;
    Ok(path)
}

/// What the server would make of the patch.
async fn change(call: &Call, session: &Session, target: &Target, live: &Value, patch: Value) -> Result<Change, Report> {
    let path = Query::new().with("dryRun", "All").on(&target.path());
    let wanted = session
        .cluster
        .write(Method::PATCH, &path, MERGE_PATCH, &patch)
        .await
        .map_err(|error| session.cluster.report(&error))?;
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
        let text =
            |change: &str| format!("{HEAD}apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n{change}");
        let edited = read(&text("spec:\n  replicas: 2\n"), &web, &live).unwrap();
        assert_eq!(merge_patch(&live, &edited), json!({"spec": {"replicas": 2}}));
        assert_eq!(read(HEAD, &web, &live).unwrap(), live, "an empty file changes nothing");
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
