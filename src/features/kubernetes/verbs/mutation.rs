//! How the changing verbs plan and apply: a plan keeps one write request, applying checks the live object against the
//! plan and sends that one request. Not for any one verb's meaning.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::apply::difference;
use super::common::{say, sentence};
use super::dry_run::DryRun;
use crate::core::change::{Change, Inverse, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, JSON, Session};
use crate::features::kubernetes::target::{self, Target};
use crate::features::kubernetes::{error, object};
use crate::lang;
use crate::verb::{Call, Output, View};

/// Times a write is tried again when only something outside the plan moved (a status, mostly).
const ATTEMPTS: usize = 6;

/// The target moved between plan and application.
pub const MOVED: &str = "E-KUBE-MOVED";

/// What `apply` sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Write {
    /// POST to a collection.
    Create {
        /// The collection's path.
        collection: String,
        /// The object.
        body: Value,
    },
    /// PATCH of the live object or one of its subresources.
    Patch {
        /// Appended to the object's path: `/scale`, or a query; empty for the object itself.
        subresource: String,
        /// Media type of the patch.
        media: String,
        /// A merge or strategic-merge patch, a list of JSON patch operations, or a configuration to apply.
        body: Value,
    },
    /// DELETE.
    Delete {
        /// DeleteOptions, without preconditions.
        options: Value,
    },
    /// No request: there is only something to say.
    Nothing,
}

/// A write, and what it says when it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Path of the object.
    pub path: String,
    /// Group and version of the type, to find it again.
    pub api_version: String,
    /// The write.
    pub write: Write,
    /// The server is to try it only: nothing is kept.
    pub trial: bool,
    /// `scaled`.
    pub action: String,
    /// kubectl's sentence.
    pub message: String,
}

/// A change under construction; what is not set is the harmless default.
pub struct Draft<'a> {
    target: &'a Target,
    change: Change,
    dry_run: Option<DryRun>,
}

impl<'a> Draft<'a> {
    /// A change of class `change` on this target.
    pub fn new(call: &Call, target: &'a Target, summary: impl Into<String>, before: Value, after: Value) -> Self {
        let change = Change {
            verb: call.verb.clone(),
            summary: summary.into(),
            target: target.changed(),
            before,
            after,
            precondition: Value::Null,
            request: Value::Null,
            risk: Risk::Change,
            inverse: None,
            recovery: false,
        };
        Draft {
            target,
            change,
            dry_run: DryRun::of(call),
        }
    }

    /// What must still be the same object: its uid.
    pub fn of(mut self, live: &Value) -> Self {
        self.change.precondition = json!({"uid": object::uid(live)});
        self
    }

    /// The state before.
    pub fn before(&self) -> &Value {
        &self.change.before
    }

    /// Sets the class.
    pub fn risk(mut self, risk: Risk) -> Self {
        self.change.risk = risk;
        self
    }

    /// Marks it as a recovery.
    pub fn recovery(mut self) -> Self {
        self.change.recovery = true;
        self
    }

    /// How to take it back; it expects to find `after`.
    pub fn undone_by(mut self, stage: lang::Stage) -> Self {
        self.change.inverse = Some(Inverse {
            pipeline: lang::print(&in_namespace(stage, self.target)),
            expects: self.change.after.clone(),
        });
        self
    }

    /// No change at all: it only says how things are, or what a change would do. A difference is told in the record's
    /// `before` and `after`.
    pub fn answering(self, action: &str, message: String) -> Result<Change, Report> {
        self.risk(Risk::Read).sending(Write::Nothing, action, message)
    }

    /// The finished change. Of a dry run it is none: what was asked is answered.
    pub fn sending(mut self, mut write: Write, action: &str, mut message: String) -> Result<Change, Report> {
        // Without a name the path would be that of all objects of the type.
        target::named(&self.target.name)?;
        if let Some(dry_run) = self.dry_run {
            (self.change.risk, self.change.inverse) = (Risk::Read, None);
            message.push_str(dry_run.words());
            if dry_run == DryRun::Client {
                write = Write::Nothing;
            }
        }
        let request = Request {
            path: self.target.path(),
            api_version: self.target.resource.api_version(),
            write,
            trial: self.dry_run == Some(DryRun::Server),
            action: action.to_owned(),
            message,
        };
        self.change.request = serde_json::to_value(request)
            .map_err(|error| Report::failed(error::UNREADABLE, "the request cannot be written").because(&error))?;
        Ok(self.change)
    }
}

/// Names the namespace in a stage, so that it means the same wherever the session stands by then.
pub fn in_namespace(stage: lang::Stage, target: &Target) -> lang::Stage {
    if target.namespace.is_empty() {
        stage
    } else {
        stage.option("--namespace", Some(&target.namespace))
    }
}

/// Who changed what, for `kubernetes.io/change-cause`: never the pipeline's text, which may hold values.
pub fn change_cause(call: &Call, target: &Target, detail: &str) -> String {
    let detail = if detail.is_empty() {
        String::new()
    } else {
        format!(" {detail}")
    };
    format!("{} {} {}{detail}", call.user, call.verb, target.title())
}

/// Applies a change: checks that the live object is the planned one and still shows `before` through `view`, sends the
/// request, says its sentence. Returns the server's answer.
pub async fn apply(
    call: &Call,
    clients: &Clients,
    change: &Change,
    view: impl Fn(&Value) -> Value,
    output: &Output,
) -> Result<Value, Report> {
    let session = clients.planned(call).await?;
    let request: Request = serde_json::from_value(change.request.clone())
        .map_err(|error| Report::failed(error::UNREADABLE, "the planned request is not this verb's").because(&error))?;
    let answer = send(&session, change, &request, view).await?;
    let target = find(&session, change, &request).await?;
    let mut record = sentence(&target, &request.action, &request.message);
    let only_told = request.trial || request.write == Write::Nothing;
    if !only_told || change.is_noop() {
        return say(output, record).await.map(|()| answer);
    }
    (record["before"], record["after"]) = (change.before.clone(), change.after.clone());
    let text = format!("{}{}", request.message, difference::told(&change.before, &change.after));
    output.emit_as(record, View::Text(text)).await.map(|()| answer)
}

async fn find(session: &Session, change: &Change, request: &Request) -> Result<Target, Report> {
    let discovery = session.cluster.discovery().await?;
    let resource = discovery
        .of_kind(Some(&request.api_version), &change.target.kind)
        .ok_or_else(|| {
            Report::failed(
                error::UNKNOWN_TYPE,
                format!("the server doesn't have a kind \"{}\"", change.target.kind),
            )
        })?;
    Ok(Target {
        resource,
        namespace: change.target.scope.clone(),
        name: change.target.name.clone(),
    })
}

/// Sends the write, none where there is none. The one place that decides where a write goes: what is only to be tried
/// says so in each of its requests.
async fn send(
    session: &Session,
    change: &Change,
    request: &Request,
    view: impl Fn(&Value) -> Value,
) -> Result<Value, Report> {
    let at = |path: &str| match request.trial {
        true => DryRun::path(path),
        false => path.to_owned(),
    };
    match &request.write {
        Write::Nothing => Ok(Value::Null),
        Write::Create { collection, body } => {
            let sent = session.cluster.write(Method::POST, &at(collection), JSON, body).await;
            sent.map_err(|error| session.cluster.report(&error))
        }
        Write::Patch {
            subresource,
            media,
            body,
        } => {
            let path = at(&format!("{}{subresource}", request.path));
            if change.precondition.is_null() {
                return create_by_patch(session, change, request, &path, media, body).await;
            }
            let body = |live: &Value| pinned(body, live);
            send_checked(session, change, request, view, (Method::PATCH, &path, media), body).await
        }
        Write::Delete { options } => {
            let body = |live: &Value| deletion(options, live, request.trial);
            let path = at(&request.path);
            send_checked(session, change, request, view, (Method::DELETE, &path, JSON), body).await
        }
    }
}

/// Sends what is bound to the live object, after a look whether that is still the planned one.
async fn send_checked(
    session: &Session,
    change: &Change,
    request: &Request,
    view: impl Fn(&Value) -> Value,
    (method, path, media): (Method, &str, &str),
    body: impl Fn(&Value) -> Value,
) -> Result<Value, Report> {
    let cluster = &session.cluster;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let live: Value = cluster
            .get(&request.path)
            .await
            .map_err(|error| cluster.report(&error))?;
        check(change, &live, &view(&live))?;
        match cluster.write(method.clone(), path, media, &body(&live)).await {
            // Something else of the object moved (its status, mostly); look again whether the plan still holds.
            Err(error) if error::code(&error) == Some(409) && attempt < ATTEMPTS => {}
            other => return other.map_err(|error| cluster.report(&error)),
        }
    }
}

/// A patch that makes an object (server-side apply). Somebody else may have made it since the plan.
async fn create_by_patch(
    session: &Session,
    change: &Change,
    request: &Request,
    path: &str,
    media: &str,
    body: &Value,
) -> Result<Value, Report> {
    if exists(session, &request.path).await? {
        return Err(Report::refused(
            MOVED,
            format!(
                "{} \"{}\" was made since the plan",
                change.target.kind, change.target.name
            ),
        )
        .hint("look again and repeat the command"));
    }
    session
        .cluster
        .write(Method::PATCH, path, media, body)
        .await
        .map_err(|error| session.cluster.report(&error))
}

async fn exists(session: &Session, path: &str) -> Result<bool, Report> {
    match session.cluster.get::<Value>(path).await {
        Ok(_) => Ok(true),
        Err(error) if error::code(&error) == Some(404) => Ok(false),
        Err(error) => Err(session.cluster.report(&error)),
    }
}

fn check(change: &Change, live: &Value, seen: &Value) -> Result<(), Report> {
    let planned = change.precondition["uid"].as_str().unwrap_or_default();
    let what = format!("{} \"{}\"", change.target.kind, change.target.name);
    if planned != object::uid(live) {
        return Err(
            Report::refused(MOVED, format!("{what} was deleted and made anew since the plan"))
                .hint("look again and repeat the command"),
        );
    }
    if *seen != change.before {
        return Err(Report::refused(
            MOVED,
            format!(
                "{what} changed since the plan: it was {}, now it is {seen}",
                change.before
            ),
        )
        .hint("look again and repeat the command"));
    }
    Ok(())
}

/// The patch bound to the version of the object that was checked: the server answers 409 when it moved since.
fn pinned(body: &Value, live: &Value) -> Value {
    let version = object::text(live, "/metadata/resourceVersion");
    let mut body = body.clone();
    match &mut body {
        Value::Array(operations) => {
            operations.push(json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version}));
        }
        Value::Object(fields) => {
            fields.entry("metadata").or_insert_with(|| json!({}))["resourceVersion"] = json!(version);
        }
        _ => {}
    }
    body
}

/// DeleteOptions for the object that was checked, and no other of its name. A server that gets them does not look at the
/// query: that the deletion is only to be tried has to stand among them.
fn deletion(options: &Value, live: &Value, trial: bool) -> Value {
    let mut options = options.clone();
    options["preconditions"] =
        json!({"uid": object::uid(live), "resourceVersion": object::text(live, "/metadata/resourceVersion")});
    if trial {
        options["dryRun"] = json!(["All"]);
    }
    options
}

/// What a change or a deletion of an object is about: small, stable while the object lives its life, different when
/// someone changed it. Shown as `before`, and what an undo expects to find.
pub fn essence(kind: &str, live: &Value) -> Value {
    let mut essence = serde_json::Map::new();
    if let Some(replicas) = live.pointer("/spec/replicas") {
        essence.insert("replicas".to_owned(), replicas.clone());
    }
    if let Some(spec) = object::pod_spec_pointer(kind).and_then(|pointer| live.pointer(pointer)) {
        essence.insert("images".to_owned(), Value::Object(object::images(spec)));
    }
    if kind == "Service" {
        essence.insert(
            "type".to_owned(),
            live.pointer("/spec/type")
                .cloned()
                .unwrap_or_else(|| json!("ClusterIP")),
        );
        let ports = object::list(live, "/spec/ports")
            .iter()
            .map(|port| port["port"].clone())
            .collect();
        essence.insert("ports".to_owned(), Value::Array(ports));
        essence.insert(
            "selector".to_owned(),
            live.pointer("/spec/selector").cloned().unwrap_or_else(|| json!({})),
        );
    }
    if essence.is_empty() {
        essence.insert("exists".to_owned(), json!(true));
    }
    Value::Object(essence)
}

/// Refuses when an object of this name is there already, with the server's words.
pub async fn must_not_exist(call: &Call, session: &Session, target: &Target) -> Result<(), Report> {
    // A dry run of the client asks no server.
    if DryRun::of(call) == Some(DryRun::Client) || !exists(session, &target.path()).await? {
        return Ok(());
    }
    Err(Report::failed(
        error::CONFLICT,
        format!(
            "Error from server (AlreadyExists): {} \"{}\" already exists",
            target.resource.group_resource(),
            target.name
        ),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn change(before: Value) -> Change {
        Change {
            verb: "kubectl:scale".into(),
            summary: String::new(),
            target: crate::core::change::Target {
                kind: "Deployment".into(),
                scope: "default".into(),
                name: "web".into(),
            },
            before,
            after: Value::Null,
            precondition: json!({"uid": "u1"}),
            request: Value::Null,
            risk: Risk::Change,
            inverse: None,
            recovery: false,
        }
    }

    #[test]
    fn a_moved_or_replaced_target_is_refused_and_the_difference_named() {
        let live = json!({"metadata": {"uid": "u1"}});
        let planned = change(json!({"replicas": 1}));
        assert!(check(&planned, &live, &json!({"replicas": 1})).is_ok());
        let moved = check(&planned, &live, &json!({"replicas": 5})).unwrap_err();
        assert!(
            moved
                .message
                .contains(r#"it was {"replicas":1}, now it is {"replicas":5}"#),
            "{moved}"
        );
        let other = json!({"metadata": {"uid": "u2"}});
        assert_eq!(
            check(&planned, &other, &json!({"replicas": 1})).unwrap_err().code,
            MOVED
        );
    }

    #[test]
    fn writes_are_bound_to_the_version_that_was_checked() {
        let live = json!({"metadata": {"uid": "u1", "resourceVersion": "7"}});
        let merged = pinned(&json!({"spec": {"replicas": 3}}), &live);
        assert_eq!(
            merged,
            json!({"spec": {"replicas": 3}, "metadata": {"resourceVersion": "7"}})
        );
        let listed = pinned(&json!([{"op": "replace", "path": "/a", "value": 1}]), &live);
        assert_eq!(
            listed[1],
            json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "7"})
        );
        let options = |trial: bool| deletion(&json!({"kind": "DeleteOptions"}), &live, trial);
        let bound = json!({"uid": "u1", "resourceVersion": "7"});
        assert_eq!(options(false), json!({"kind": "DeleteOptions", "preconditions": bound}));
        assert_eq!(options(true)["dryRun"], json!(["All"]));
    }

    #[test]
    fn an_essence_survives_getting_ready_but_not_a_change() {
        let made =
            json!({"spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "a", "image": "i:1"}]}}}});
        let mut ready = made.clone();
        ready["status"] = json!({"readyReplicas": 1});
        ready["spec"]["progressDeadlineSeconds"] = json!(600);
        assert_eq!(essence("Deployment", &made), essence("Deployment", &ready));
        ready["spec"]["replicas"] = json!(2);
        assert_ne!(essence("Deployment", &made), essence("Deployment", &ready));
        let service = json!({"spec": {"ports": [{"port": 80}], "selector": {"run": "x"}, "type": "LoadBalancer"}});
        let mut placed = service.clone();
        placed["spec"]["clusterIP"] = json!("100.64.0.9");
        placed["spec"]["ports"][0]["nodePort"] = json!(30001);
        assert_eq!(essence("Service", &service), essence("Service", &placed));
    }
}
