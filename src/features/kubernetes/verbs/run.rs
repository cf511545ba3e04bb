//! `kubectl:run`: an image becomes a Deployment (as kubectl did when the talk was given) or, on request, a single pod
//! (as kubectl does today). The answer names which.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::common::{WRITE, declare};
use super::dry_run::dry_run;
use super::expose;
use super::mutation::{self, Draft, Write, change_cause, essence, must_not_exist};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::{UNKNOWN_TYPE, usage};
use crate::features::kubernetes::object::CHANGE_CAUSE;
use crate::features::kubernetes::target::{Target, namespace_of};
use crate::lang::Stage;
use crate::verb::declaration::{OptionKind, OptionSpec, Positional};
use crate::verb::{Call, Mutate, Output, Verb};

/// Instead of a program that is run in the terminal.
const INTERACTIVE: &str =
    "make the pod (--pod), then kubectl:exec -it NAME -- COMMAND, and kubectl:delete pod NAME in the end";

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("run", "Run an image")
        .description(
            "Creates a Deployment with the label run=NAME and a container called NAME. With --restart=Never (or \
             OnFailure) or --pod it creates a single pod instead, as current kubectl does.",
        )
        .permission(WRITE)
        .risk(Risk::Change)
        .without(&[
            ("i", INTERACTIVE),
            ("stdin", INTERACTIVE),
            ("t", INTERACTIVE),
            ("tty", INTERACTIVE),
            ("rm", INTERACTIVE),
            ("attach", "kubectl:logs -f NAME follows what it writes"),
        ])
        .positional(Positional::new(
            "NAME",
            OptionKind::String,
            "Name of the deployment (or pod)",
        ))
        .positional(
            Positional::new("ARGS", OptionKind::String, "Arguments of the container, after --")
                .optional()
                .variadic(),
        )
        .options([
            OptionSpec::new("image", OptionKind::String, "The image to run")
                .required()
                .value_name("image"),
            OptionSpec::new("port", OptionKind::Int, "Port the container listens on").value_name("port"),
            OptionSpec::new("expose", OptionKind::Bool, "Create a ClusterIP service for --port too"),
            OptionSpec::new("replicas", OptionKind::Int, "Number of pods")
                .short('r')
                .default("1")
                .value_name("count"),
            OptionSpec::new("env", OptionKind::List, "Environment variables, NAME=VALUE").value_name("pairs"),
            OptionSpec::new("labels", OptionKind::List, "Labels instead of run=NAME, KEY=VALUE")
                .short('l')
                .value_name("pairs"),
            OptionSpec::new(
                "restart",
                OptionKind::Enum(&["Always", "OnFailure", "Never"]),
                "Restart policy; other than Always: a pod",
            )
            .default("Always"),
            OptionSpec::new("pod", OptionKind::Bool, "A single pod, as current kubectl"),
            OptionSpec::new(
                "command",
                OptionKind::Bool,
                "ARGS replace the image's command instead of its arguments",
            ),
        ])
        .output("{kind, name, namespace, action, message}, one for each object made.")
        .example(
            "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80",
            "a deployment with one pod",
        )
        .example(
            "kubectl:run once --image=busybox --restart=Never -- echo hi",
            "one pod that runs once",
        );
    Verb::mutate(
        dry_run(declaration),
        Run {
            clients: clients.clone(),
        },
    )
}

struct Run {
    clients: Arc<Clients>,
}

#[async_trait]
impl Mutate for Run {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let request = Wanted::read(call)?;
        let session = self.clients.planning(call).await?;
        let namespace = namespace_of(call, &session);
        let kind = if request.pod { "Pod" } else { "Deployment" };
        let target = named(&session, kind, &namespace, &request.name).await?;
        must_not_exist(call, &session, &target).await?;
        let body = request.object(&namespace, &change_cause(call, &target, &request.image));
        let mut changes = vec![creation(call, &target, body)?];
        if request.expose {
            let service = named(&session, "Service", &namespace, &request.name).await?;
            must_not_exist(call, &session, &service).await?;
            changes.push(creation(call, &service, request.service(&namespace))?);
        }
        Ok(changes)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        mutation::apply(call, &self.clients, change, |_| Value::Null, output)
            .await
            .map(|_| ())
    }
}

/// The type of this kind and an object of it.
pub async fn named(session: &Session, kind: &str, namespace: &str, name: &str) -> Result<Target, Report> {
    let discovery = session.cluster.discovery().await?;
    let resource = discovery
        .of_kind(None, kind)
        .ok_or_else(|| Report::failed(UNKNOWN_TYPE, format!("the server doesn't have a kind \"{kind}\"")))?;
    Ok(Target {
        resource,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

/// The change that creates an object; its inverse deletes it.
pub fn creation(call: &Call, target: &Target, body: Value) -> Result<Change, Report> {
    let after = essence(&target.resource.kind, &body);
    let stage = Stage::new("kubectl:delete")
        .arg(&target.resource.type_name())
        .arg(&target.name);
    let collection = target.resource.collection(Some(&target.namespace));
    Draft::new(call, target, format!("create {}", target.title()), Value::Null, after)
        .undone_by(stage)
        .sending(
            Write::Create { collection, body },
            "created",
            format!("{} created", target.title()),
        )
}

/// What the command line asks for.
#[derive(Debug)]
struct Wanted {
    name: String,
    image: String,
    arguments: Vec<String>,
    replaces_command: bool,
    port: Option<i64>,
    expose: bool,
    replicas: i64,
    env: Vec<(String, String)>,
    labels: Map<String, Value>,
    restart: String,
    pod: bool,
}

impl Wanted {
    fn read(call: &Call) -> Result<Self, Report> {
        let arguments = &call.arguments;
        let name = arguments.text_at(0).unwrap_or_default();
        if name.is_empty() {
            return Err(usage("NAME is required for run"));
        }
        let image = arguments.text("image").unwrap_or_default();
        if image.trim().is_empty() || image.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(usage(format!(
                "Invalid image name \"{image}\": invalid reference format"
            )));
        }
        let restart = arguments.text("restart").unwrap_or_else(|| "Always".to_owned());
        let port = arguments.int("port");
        if port.is_some_and(|port| !(1..=65535).contains(&port)) {
            return Err(usage("--port must be between 1 and 65535, inclusive"));
        }
        if arguments.flag("expose") && port.is_none() {
            return Err(usage("--port must be set when exposing a service"));
        }
        let replicas = arguments.int("replicas").unwrap_or(1);
        if replicas < 0 {
            return Err(usage("--replicas must be 0 or more"));
        }
        let mut labels: Map<String, Value> = pairs(&arguments.list("labels"), "label")?
            .into_iter()
            .map(|(key, value)| (key, Value::String(value)))
            .collect();
        if labels.is_empty() {
            labels.insert("run".to_owned(), json!(name));
        }
        Ok(Wanted {
            arguments: arguments.texts().into_iter().skip(1).collect(),
            replaces_command: arguments.flag("command"),
            port,
            expose: arguments.flag("expose"),
            replicas,
            env: pairs(&arguments.list("env"), "env")?,
            labels,
            pod: arguments.flag("pod") || restart != "Always",
            restart,
            name,
            image,
        })
    }

    fn container(&self) -> Value {
        let mut container = json!({"name": self.name, "image": self.image});
        if !self.arguments.is_empty() {
            container[if self.replaces_command { "command" } else { "args" }] = json!(self.arguments);
        }
        if let Some(port) = self.port {
            container["ports"] = json!([{"containerPort": port}]);
        }
        if !self.env.is_empty() {
            container["env"] = self
                .env
                .iter()
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect();
        }
        container
    }

    fn object(&self, namespace: &str, cause: &str) -> Value {
        let metadata = json!({"name": self.name, "namespace": namespace, "labels": self.labels});
        if self.pod {
            return json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
                "spec": {"containers": [self.container()], "restartPolicy": self.restart}});
        }
        let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {
            "replicas": self.replicas,
            "selector": {"matchLabels": self.labels},
            "template": {"metadata": {"labels": self.labels}, "spec": {"containers": [self.container()]}}}});
        object["metadata"]["annotations"] = json!({CHANGE_CAUSE: cause});
        object
    }

    fn service(&self, namespace: &str) -> Value {
        let port = json!({"port": self.port, "targetPort": self.port, "protocol": "TCP"});
        expose::service(&self.name, namespace, &Map::new(), json!(self.labels), vec![port], None)
    }
}

/// `KEY=VALUE` pairs, split at the first `=`.
pub fn pairs(texts: &[String], what: &str) -> Result<Vec<(String, String)>, Report> {
    texts
        .iter()
        .map(|text| match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(usage(format!("invalid {what}: {text}")).hint("write KEY=VALUE")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::call;
    use super::*;

    #[test]
    fn the_talk_s_line_makes_its_deployment() {
        let call = call(
            &["inspector"],
            json!({"image": "so0k/kuar-inspector:1.0.0", "port": 80, "replicas": 1, "restart": "Always"}),
        );
        let object = Wanted::read(&call).unwrap().object("default", "cause");
        assert_eq!(object["kind"], "Deployment");
        assert_eq!(object["metadata"]["labels"], json!({"run": "inspector"}));
        assert_eq!(object["spec"]["selector"]["matchLabels"], json!({"run": "inspector"}));
        assert_eq!(
            object["spec"]["template"]["spec"]["containers"],
            json!([{"name": "inspector", "image": "so0k/kuar-inspector:1.0.0", "ports": [{"containerPort": 80}]}])
        );
    }

    #[test]
    fn other_restart_policies_make_a_pod_with_the_words_after_the_dashes() {
        let call = call(
            &["once", "echo", "a;b"],
            json!({"image": "busybox", "restart": "Never", "env": ["A=b=c"]}),
        );
        let object = Wanted::read(&call).unwrap().object("default", "");
        assert_eq!(object["kind"], "Pod");
        assert_eq!(object["spec"]["restartPolicy"], "Never");
        assert_eq!(object["spec"]["containers"][0]["args"], json!(["echo", "a;b"]));
        assert_eq!(
            object["spec"]["containers"][0]["env"],
            json!([{"name": "A", "value": "b=c"}])
        );
    }

    #[test]
    fn what_cannot_be_right_is_refused_before_asking() {
        for options in [
            json!({"image": ""}),
            json!({"image": "a b"}),
            json!({"image": "a", "port": 70000}),
            json!({"image": "a", "expose": true}),
            json!({"image": "a", "env": ["=x"]}),
            json!({"image": "a", "replicas": -1}),
        ] {
            assert!(Wanted::read(&call(&["x"], options.clone())).is_err(), "{options}");
        }
    }
}
