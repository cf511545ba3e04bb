//! `kubectl:config-get-contexts`: the kube contexts of the kubeconfig in use. Not for switching:
//! `config use-context` does that for the lines that start from then on.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::common::{BUNDLE, READ, header, no_headers_option};
use crate::core::report::Report;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::error::{NOT_FOUND, usage};
use crate::features::kubernetes::kubeconfig;
use crate::verb::declaration::{Declaration, OptionKind, OptionSpec, Positional};
use crate::verb::{Call, Input, InputMode, Output, Read, Verb, View};

/// The verb.
pub fn verb(_clients: &Arc<Clients>) -> Verb {
    let declaration = Declaration::new(
        BUNDLE,
        "config-get-contexts",
        "Show the kube contexts of the kubeconfig",
    )
    .permission(READ)
    .input(InputMode::None)
    .positional(
        Positional::new("CONTEXT", OptionKind::String, "Only these")
            .optional()
            .variadic(),
    )
    .options([
        OptionSpec::new("output", OptionKind::String, "name")
            .short('o')
            .value_name("format")
            .values(&["name"]),
        no_headers_option(),
    ])
    .output("{current, name, cluster, user, namespace}, one a context; never a credential.")
    .notes(
        "Another kube context for one stage: @NAME before the command, several at once: @A,B, all: @*; for the session: \
         --context NAME.",
    )
    .example("kubectl:config get-contexts", "which clusters there are");
    Verb::read(declaration, GetContexts)
}

struct GetContexts;

#[async_trait]
impl Read for GetContexts {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let format = call.arguments.text("output").unwrap_or_default();
        if !matches!(format.as_str(), "" | "name") {
            return Err(usage(format!("output must be one of '' or 'name': {format}")));
        }
        let target = &call.context.kubernetes;
        let mut known = kubeconfig::contexts(&target.kubeconfig, target.kube_context.as_deref()).await?;
        known.sort_by(|a, b| a.name.cmp(&b.name));
        let header = header(call, ["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]);
        let words = call.arguments.texts();
        for context in known.iter().filter(|one| words.is_empty() || words.contains(&one.name)) {
            let record = json!({
                "current": context.current, "name": context.name, "cluster": context.cluster, "user": context.user,
                "namespace": context.namespace,
            });
            let view = if format == "name" {
                View::Text(context.name.clone())
            } else {
                let mark = if context.current { "*" } else { "" };
                View::row(
                    &header,
                    vec![
                        mark.to_owned(),
                        context.name.clone(),
                        context.cluster.clone(),
                        context.user.clone(),
                        context.namespace.clone(),
                    ],
                )
            };
            output.emit_as(record, view).await?;
        }
        match words.iter().find(|word| known.iter().all(|one| one.name != **word)) {
            Some(missing) => Err(Report::failed(NOT_FOUND, format!("context {missing} not found"))),
            None => Ok(()),
        }
    }
}
