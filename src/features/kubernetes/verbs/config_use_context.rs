//! `kubectl:config-use-context`: another kube context for the lines to come. Writes no kubeconfig: what runs keeps its
//! context, and so does every other program.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::common::{BUNDLE, READ, say};
use crate::core::report::Report;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::error::NOT_FOUND;
use crate::features::kubernetes::kubeconfig;
use crate::verb::catalogue::{did_you_mean, nearest};
use crate::verb::declaration::{Declaration, OptionKind, Positional};
use crate::verb::{Call, Input, InputMode, Output, Read, Verb};

/// The verb.
pub fn verb(_clients: &Arc<Clients>) -> Verb {
    let declaration = Declaration::new(BUNDLE, "config-use-context", "Go over to another kube context")
        .once()
        .permission(READ)
        .input(InputMode::None)
        .positional(Positional::new("CONTEXT", OptionKind::String, "Its name, as config get-contexts shows it"))
        .output("{name, message}.")
        .notes(
            "For the lines of the console that start from now on; what runs keeps its context, and the kubeconfig is not \
             written. A run without a screen keeps its context: --context NAME, or @NAME before a command.",
        )
        .example("kubectl:config use-context staging", "as :ctx staging does");
    Verb::read(declaration, UseContext)
}

struct UseContext;

#[async_trait]
impl Read for UseContext {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let name = call.arguments.text_at(0).unwrap_or_default();
        let target = &call.context.kubernetes;
        let known = kubeconfig::contexts(&target.kubeconfig, target.kube_context.as_deref()).await?;
        if known.iter().all(|one| one.name != name) {
            let report = Report::failed(NOT_FOUND, format!("no context exists with the name: \"{name}\""));
            let near = nearest(&name, known.into_iter().map(|one| one.name));
            return Err(report
                .hint(did_you_mean(&near).unwrap_or_else(|| "`kubectl:config get-contexts` lists them".to_owned())));
        }
        call.operator.use_context(&name).await?;
        let message = format!("Switched to context \"{name}\".");
        say(output, json!({"name": name, "message": message})).await
    }
}
