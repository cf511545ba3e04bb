//! `kubectl:cordon`: no new pods on a node.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::common::{ADMIN, declare, selector_option};
use super::completer::Names;
use super::dry_run::dry_run;
use super::mutation::{self, Draft, Write};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, MERGE_PATCH, Session};
use crate::features::kubernetes::error::usage;
use crate::features::kubernetes::target::{self, Selection, Target};
use crate::lang::Stage;
use crate::verb::declaration::{Declaration, OptionKind, Positional};
use crate::verb::{Call, Mutate, Output, Verb};

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declaration("cordon", "Let no new pods be scheduled on a node").example(
        "kubectl:get nodes -l topology.kubernetes.io/zone=ap-southeast-2a | kubectl:cordon",
        "a whole zone",
    );
    Verb::mutate(declaration, Cordon::new(clients, true)).completed_by(Names::of_type(clients, "nodes"))
}

/// What `cordon` and `uncordon` have in common.
pub fn declaration(name: &str, summary: &str) -> Declaration {
    let declaration = declare(name, summary)
        .permission(ADMIN)
        .risk(Risk::Change)
        .positional(node_names())
        .option(selector_option())
        .output("{kind, name, namespace, action, message}; one too where the node is so already.");
    dry_run(declaration)
}

/// `NODE…`.
pub fn node_names() -> Positional {
    Positional::new(
        "NODE",
        OptionKind::String,
        "Names of nodes, also node/NAME; the incoming nodes when not given",
    )
    .optional()
    .variadic()
}

/// The nodes a call means: named, selected, or the incoming one.
pub async fn nodes(call: &Call, session: &Session) -> Result<Vec<(Target, Value)>, Report> {
    let words = call.arguments.texts();
    let selected = target::is_picked(call);
    let selection = if words.is_empty() && !selected {
        if call.record.is_none() {
            return Err(usage("a node must be named").hint("for example: NODE, or -l LABEL=VALUE"));
        }
        target::selection(call, session, &[]).await?
    } else if selected && !words.is_empty() {
        return Err(usage("cannot specify both a node name and a --selector option"));
    } else {
        let words: Vec<String> = if words.iter().any(|word| word.contains('/')) {
            words
        } else {
            std::iter::once("nodes".to_owned()).chain(words).collect()
        };
        target::selection(call, session, &words).await?
    };
    if let Selection::Named(targets) = &selection
        && let Some(other) = targets.iter().find(|target| target.resource.kind != "Node")
    {
        return Err(usage(format!("{} is no node", other.title())));
    }
    target::objects(call, session, selection).await
}

/// Sets or clears `spec.unschedulable`.
pub struct Cordon {
    clients: Arc<Clients>,
    closed: bool,
}

impl Cordon {
    /// Cordoning, or uncordoning.
    pub fn new(clients: &Arc<Clients>, closed: bool) -> Self {
        Cordon {
            clients: clients.clone(),
            closed,
        }
    }
}

/// What a cordon changes of a node.
pub fn view(live: &Value) -> Value {
    json!({"unschedulable": live.pointer("/spec/unschedulable") == Some(&json!(true))})
}

#[async_trait]
impl Mutate for Cordon {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let session = self.clients.planning(call).await?;
        let nodes = nodes(call, &session).await?;
        nodes
            .iter()
            .map(|(target, live)| change(call, target, live, self.closed))
            .collect()
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        mutation::apply(call, &self.clients, change, view, output)
            .await
            .map(|_| ())
    }
}

/// The change of one node; an answer when it is so already.
pub fn change(call: &Call, target: &Target, live: &Value, closed: bool) -> Result<Change, Report> {
    let (before, after) = (view(live), json!({"unschedulable": closed}));
    let (word, action, back) = if closed {
        ("cordon", "cordoned", "kubectl:uncordon")
    } else {
        ("uncordon", "uncordoned", "kubectl:cordon")
    };
    let so_already = before == after;
    let draft = Draft::new(call, target, format!("{word} {}", target.title()), before, after).of(live);
    if so_already {
        return draft.answering(action, format!("{} already {action}", target.title()));
    }
    let write = Write::Patch {
        subresource: String::new(),
        media: MERGE_PATCH.to_owned(),
        body: json!({"spec": {"unschedulable": closed.then_some(true)}}),
    };
    draft
        .undone_by(Stage::new(back).arg(&target.name))
        .sending(write, action, format!("{} {action}", target.title()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{call, target};
    use super::*;

    #[test]
    fn a_cordon_is_taken_back_and_made_once() {
        let call = call(&[], json!({}));
        let node = target("Node", "n1");
        let open = json!({"metadata": {"uid": "u"}, "spec": {}});
        let found = change(&call, &node, &open, true).unwrap();
        assert_eq!(found.inverse.unwrap().pipeline, "kubectl:uncordon n1");
        assert_eq!(found.request["message"], "node/n1 cordoned");
        let closed = json!({"spec": {"unschedulable": true}});
        let again = change(&call, &node, &closed, true).unwrap();
        assert!(again.only_answers() && again.inverse.is_none());
        assert_eq!(again.request["message"], "node/n1 already cordoned");
        let back = change(&call, &node, &closed, false).unwrap();
        assert_eq!(
            back.request["write"]["Patch"]["body"]["spec"],
            json!({"unschedulable": null})
        );
    }
}
