//! `kubectl:create-deployment`: a deployment as current kubectl makes it, labelled `app=NAME`.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::common::{WRITE, declare, record_option};
use super::dry_run::dry_run;
use super::mutation::{self, change_cause, must_not_exist};
use super::run::{creation, named};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::error::{CONFLICT, usage};
use crate::features::kubernetes::object::CHANGE_CAUSE;
use crate::features::kubernetes::target::namespace_of;
use crate::verb::declaration::{OptionKind, OptionSpec, Positional};
use crate::verb::{Call, Mutate, Output, Verb};

/// Letters of names that nobody chose, as Kubernetes uses them.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("create-deployment", "Create a deployment")
        .description(
            "The label and the selector are app=NAME; each container is called as its image without path and tag. \
             With several images no command can be given.",
        )
        .permission(WRITE)
        .risk(Risk::Change)
        .option(record_option())
        .positional(Positional::new("NAME", OptionKind::String, "Name of the deployment"))
        .positional(
            Positional::new("COMMAND", OptionKind::String, "Command of the container, after --")
                .optional()
                .variadic(),
        )
        .options([
            OptionSpec::new(
                "image",
                OptionKind::List,
                "The image to run; several: several containers",
            )
            .required()
            .value_name("image"),
            OptionSpec::new("port", OptionKind::Int, "Port the first container listens on").value_name("port"),
            OptionSpec::new("replicas", OptionKind::Int, "Number of pods")
                .short('r')
                .default("1")
                .value_name("count"),
        ])
        .output("{kind, name, namespace, action, message}.")
        .example(
            "kubectl:create deployment web --image=nginx:1.27 --replicas=2",
            "two pods of one container",
        );
    Verb::mutate(
        dry_run(declaration),
        Create {
            clients: clients.clone(),
        },
    )
}

struct Create {
    clients: Arc<Clients>,
}

#[async_trait]
impl Mutate for Create {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let mut body = object(call)?;
        let session = self.clients.planning(call).await?;
        let namespace = namespace_of(call, &session);
        let name = call.arguments.text_at(0).unwrap_or_default();
        let target = named(&session, "Deployment", &namespace, &name).await?;
        must_not_exist(call, &session, &target)
            .await
            .map_err(|report| match report.code {
                CONFLICT => Report::failed(
                    CONFLICT,
                    format!("failed to create deployment: deployments.apps \"{name}\" already exists"),
                ),
                _ => report,
            })?;
        body["metadata"]["namespace"] = json!(namespace);
        let images = call.arguments.list("image").join(" ");
        body["metadata"]["annotations"] = json!({CHANGE_CAUSE: change_cause(call, &target, &images)});
        Ok(vec![creation(call, &target, body)?])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        mutation::apply(call, &self.clients, change, |_| Value::Null, output)
            .await
            .map(|_| ())
    }
}

fn object(call: &Call) -> Result<Value, Report> {
    let arguments = &call.arguments;
    let name = arguments.text_at(0).unwrap_or_default();
    let images: Vec<String> = arguments
        .list("image")
        .into_iter()
        .filter(|image| !image.is_empty())
        .collect();
    let command: Vec<String> = arguments.texts().into_iter().skip(1).collect();
    if name.is_empty() {
        return Err(usage("exactly one NAME is required, got 0"));
    }
    if images.is_empty() {
        return Err(usage("required flag(s) \"image\" not set"));
    }
    if images.len() > 1 && !command.is_empty() {
        return Err(usage("cannot specify multiple --image options and command"));
    }
    let replicas = arguments.int("replicas").unwrap_or(1);
    if replicas < 0 {
        return Err(usage("--replicas must be 0 or more"));
    }
    let mut containers: Vec<Value> = images
        .iter()
        .map(|image| json!({"name": container_name(image), "image": image}))
        .collect();
    if let Some(first) = containers.first_mut() {
        if !command.is_empty() {
            first["command"] = json!(command);
        }
        if let Some(port) = arguments.int("port") {
            if !(1..=65535).contains(&port) {
                return Err(usage("--port must be between 1 and 65535, inclusive"));
            }
            first["ports"] = json!([{"containerPort": port}]);
        }
    }
    let labels = json!({"app": name});
    Ok(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}}},
    }))
}

/// An image's last part without tag and digest. Where that cannot be a name its letters are replaced and five more
/// added; they come from the image, so that a plan made twice is the same plan.
fn container_name(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let bare = last.split([':', '@']).next().unwrap_or(last);
    if !bare.contains(['_', '.']) {
        return bare.to_owned();
    }
    let digest = Sha256::digest(image);
    let suffix: String = digest
        .iter()
        .take(5)
        .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
        .map(|letter| char::from(*letter))
        .collect();
    format!("{}-{suffix}", bare.replace(['_', '.'], "-"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::call;
    use super::*;

    #[test]
    fn containers_are_called_as_their_images() {
        assert_eq!(container_name("reg:5000/x/nginx:1.2"), "nginx");
        assert_eq!(container_name("b@sha256:aaaa"), "b");
        let odd = container_name("a_b.c:1");
        assert!(odd.starts_with("a-b-c-") && odd.len() == "a-b-c-".len() + 5, "{odd}");
        assert_eq!(odd, container_name("a_b.c:1"));
    }

    #[test]
    fn labels_port_and_command_are_where_kubectl_puts_them() {
        let made = object(&call(
            &["web", "sleep", "1"],
            json!({"image": ["nginx:1"], "port": 80, "replicas": 2}),
        ))
        .unwrap();
        assert_eq!(made["spec"]["selector"]["matchLabels"], json!({"app": "web"}));
        assert_eq!(
            made["spec"]["template"]["spec"]["containers"],
            json!([{"name": "nginx", "image": "nginx:1", "command": ["sleep", "1"], "ports": [{"containerPort": 80}]}])
        );
        let refused = object(&call(&["web", "x"], json!({"image": ["a", "b"]}))).unwrap_err();
        assert_eq!(refused.message, "cannot specify multiple --image options and command");
    }
}
