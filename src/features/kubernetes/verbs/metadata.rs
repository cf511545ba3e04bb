//! Setting and removing keys of `metadata.labels` and `metadata.annotations`: what `label` and `annotate` share. Not for
//! their words: each verb brings its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::common::{WRITE, all_namespaces_option, declare, field_selector_option, record_option, selector_option};
use super::dry_run::dry_run;
use super::mutation::{self, Draft, Write};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::core::text::MASK;
use crate::features::kubernetes::client::{Clients, MERGE_PATCH};
use crate::features::kubernetes::documents;
use crate::features::kubernetes::error::{CONFLICT, usage};
use crate::features::kubernetes::object;
use crate::features::kubernetes::secrecy;
use crate::features::kubernetes::target::{self, Target};
use crate::lang::Stage;
use crate::verb::declaration::{Declaration, OptionKind, OptionSpec, Positional};
use crate::verb::{Call, Mutate, Output};

/// Which of the two maps, and its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `metadata.labels`.
    Labels,
    /// `metadata.annotations`.
    Annotations,
}

impl Field {
    fn field(self) -> &'static str {
        match self {
            Field::Labels => "labels",
            Field::Annotations => "annotations",
        }
    }

    fn one(self) -> &'static str {
        match self {
            Field::Labels => "label",
            Field::Annotations => "annotation",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Field::Labels => "kubectl:label",
            Field::Annotations => "kubectl:annotate",
        }
    }
}

/// What `label` and `annotate` have in common.
pub fn declaration(name: &str, summary: &str) -> Declaration {
    let declaration = declare(name, summary)
        .permission(WRITE)
        .risk(Risk::Change)
        .option(record_option())
        .positional(
            Positional::new(
                "TYPE NAME KEY=VALUE",
                OptionKind::String,
                "What to change (also TYPE/NAME; the incoming object when not given), then pairs; KEY- removes",
            )
            .variadic(),
        )
        .options(documents::options())
        .options([
            OptionSpec::new("overwrite", OptionKind::Bool, "Replace values that are there already"),
            OptionSpec::new("all", OptionKind::Bool, "All objects of the type in the namespace"),
            selector_option(),
            field_selector_option(),
            all_namespaces_option(),
        ])
        .exclusive(&["all", "selector"])
        .output("{kind, name, namespace, action, message}; one too where nothing changes.");
    dry_run(declaration)
}

/// The pairs of a command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// Keys and their new values; none: removed.
    pub wanted: BTreeMap<String, Option<String>>,
}

/// Resources before the first pair, pairs after it.
pub fn split(words: &[String], what: &str) -> Result<(Vec<String>, Pairs), Report> {
    let is_pair = |word: &String| word.contains('=') || word.ends_with('-');
    let first = words.iter().position(is_pair).unwrap_or(words.len());
    let (resources, rest) = words.split_at(first);
    let mut pairs = Pairs::default();
    for word in rest {
        let (key, value) = match (word.split_once('='), word.strip_suffix('-')) {
            (Some((key, value)), _) => (key, Some(value.to_owned())),
            (None, Some(key)) => (key, None),
            (None, None) => {
                return Err(usage(format!(
                    "all resources must be specified before {what} changes: {word}"
                )));
            }
        };
        if key.is_empty() {
            return Err(usage(format!("invalid {what} spec: {word}")).hint("write KEY=VALUE, or KEY- to remove"));
        }
        if pairs
            .wanted
            .get(key)
            .is_some_and(|known| known.is_some() != value.is_some())
        {
            return Err(usage(match what {
                "label" => "can not both modify and remove a label in the same command".to_owned(),
                _ => format!("can not both modify and remove the following {what}(s) in the same command: {key}"),
            }));
        }
        pairs.wanted.insert(key.to_owned(), value);
    }
    if pairs.wanted.is_empty() {
        return Err(usage(format!("at least one {what} update is required")).hint("write KEY=VALUE, or KEY- to remove"));
    }
    Ok((resources.to_vec(), pairs))
}

/// Sets and removes keys of one of the two maps.
pub struct Edit {
    clients: Arc<Clients>,
    map: Field,
}

impl Edit {
    /// Of labels, or of annotations.
    pub fn new(clients: &Arc<Clients>, map: Field) -> Self {
        Edit {
            clients: clients.clone(),
            map,
        }
    }
}

#[async_trait]
impl Mutate for Edit {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let (words, pairs) = split(&call.arguments.texts(), self.map.one())?;
        target::some(call, &words)?;
        let session = self.clients.planning(call).await?;
        let mut changes = Vec::new();
        for (target, live) in target::chosen(call, &session, &words).await? {
            changes.push(self.change(call, &target, &live, &pairs)?);
        }
        Ok(changes)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let field = self.map.field();
        let keys: Vec<String> = object::map(&change.before, &format!("/{field}"))
            .into_iter()
            .flat_map(Map::keys)
            .cloned()
            .collect();
        mutation::apply(
            call,
            &self.clients,
            change,
            |live| view(field, &change.target.kind, live, &keys),
            output,
        )
        .await
        .map(|_| ())
    }
}

fn view(field: &str, kind: &str, live: &Value, keys: &[String]) -> Value {
    let live = &secrecy::veiled(kind, live.clone());
    let present = object::map(live, &format!("/metadata/{field}"));
    let seen: Map<String, Value> = keys
        .iter()
        .map(|key| {
            (
                key.clone(),
                present.and_then(|map| map.get(key)).cloned().unwrap_or_default(),
            )
        })
        .collect();
    json!({field: seen})
}

impl Edit {
    fn change(&self, call: &Call, target: &Target, live: &Value, pairs: &Pairs) -> Result<Change, Report> {
        let (field, verb, kind) = (self.map.field(), self.map.verb(), target.resource.kind.as_str());
        let hidden = |key: &str, value: &str| self.map == Field::Annotations && secrecy::hides(kind, key, value);
        let present = object::map(live, &format!("/metadata/{field}"))
            .cloned()
            .unwrap_or_default();
        let text = |key: &str| present.get(key).and_then(Value::as_str);
        let mut wanted: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        let mut said = String::new();
        for (key, value) in &pairs.wanted {
            match (text(key), value.as_deref()) {
                (None, None) if self.map == Field::Labels => {
                    said.push_str(&format!("label \"{key}\" not found.\n"));
                }
                (Some(now), Some(new))
                    if !call.arguments.flag("overwrite") && now != new && key != object::CHANGE_CAUSE =>
                {
                    return Err(self.refused(key, if hidden(key, now) { MASK } else { now }));
                }
                (now, new) if now == new => {}
                (_, new) => drop(wanted.insert(key, new)),
            }
        }
        if wanted.is_empty() {
            let action = match self.map {
                Field::Labels => "not labeled",
                Field::Annotations => "annotated",
            };
            let now = view(field, kind, live, &[]);
            return Draft::new(call, target, target.title(), now.clone(), now)
                .answering(action, format!("{said}{} {action}", target.title()));
        }
        let keys: Vec<String> = wanted.keys().map(|key| (*key).to_owned()).collect();
        let removes_only = wanted.values().all(Option::is_none);
        let action = match (self.map, removes_only) {
            (Field::Labels, true) => "unlabeled",
            (Field::Labels, false) => "labeled",
            (Field::Annotations, _) => "annotated",
        };
        let mut back = Stage::new(verb).arg(&target.resource.type_name()).arg(&target.name);
        for key in &keys {
            back = match text(key) {
                Some(old) => back.arg(&format!("{key}={old}")),
                None => back.arg(&format!("{key}-")),
            };
        }
        let told: Vec<String> = wanted
            .iter()
            .map(|(key, value)| match value {
                Some(value) if hidden(key, value) => format!("{key}={MASK}"),
                Some(value) => format!("{key}={value}"),
                None => format!("{key}-"),
            })
            .collect();
        let summary = format!(
            "{} {}: {}",
            verb.trim_start_matches("kubectl:"),
            target.title(),
            told.join(" ")
        );
        let body = json!({"metadata": {field: &wanted}});
        let before = view(field, kind, live, &keys);
        let draft = Draft::new(call, target, summary, before, view(field, kind, &body, &keys)).of(live);
        // The way back is journalled as it is typed: it must not hold what is hidden.
        let draft = match keys.iter().any(|key| text(key).is_some_and(|old| hidden(key, old))) {
            true => draft,
            false => draft.undone_by(back.option("--overwrite", None)),
        };
        let write = Write::Patch {
            subresource: String::new(),
            media: MERGE_PATCH.to_owned(),
            body,
        };
        draft.sending(write, action, format!("{said}{} {action}", target.title()))
    }

    fn refused(&self, key: &str, now: &str) -> Report {
        let words = format!("'{key}' already has a value ({now})");
        let message = match self.map {
            Field::Labels => format!("{words}, and --overwrite is false"),
            Field::Annotations => {
                format!("--overwrite is false but found the following declared annotation(s): {words}")
            }
        };
        Report::failed(CONFLICT, message).hint("add --overwrite")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{call, target};
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn planned(map: Field, line: &str, overwrite: bool) -> Result<Change, Report> {
        let live = json!({"metadata": {"uid": "u", "labels": {"a": "1", "b": "2"}, "annotations": {"a": "1"}}});
        let (_, pairs) = split(&words(line), map.one())?;
        Edit::new(&Clients::new(), map).change(
            &call(&[], json!({"overwrite": overwrite})),
            &target("Deployment", "web"),
            &live,
            &pairs,
        )
    }

    #[test]
    fn the_way_back_restores_and_removes() {
        let change = planned(Field::Labels, "a=9 b- c=x", true).unwrap();
        assert_eq!(change.before, json!({"labels": {"a": "1", "b": "2", "c": null}}));
        assert_eq!(change.after, json!({"labels": {"a": "9", "b": null, "c": "x"}}));
        assert_eq!(
            change.inverse.unwrap().pipeline,
            "kubectl:label deployment.apps web a=1 b=2 c- --overwrite --namespace=default"
        );
        assert_eq!(change.request["message"], "deployment.apps/web labeled");
    }

    #[test]
    fn values_are_kept_unless_told_otherwise() {
        let refused = planned(Field::Labels, "a=9", false).unwrap_err();
        assert_eq!(refused.message, "'a' already has a value (1), and --overwrite is false");
        let same = planned(Field::Labels, "a=1 nope-", false).unwrap();
        assert!(same.only_answers());
        assert_eq!(
            same.request["message"],
            "label \"nope\" not found.\ndeployment.apps/web not labeled"
        );
        assert!(planned(Field::Annotations, "a=1", false).unwrap().only_answers());
        let refused = planned(Field::Annotations, "a=2", false).unwrap_err();
        assert!(refused.message.starts_with("--overwrite is false but found"));
    }

    #[test]
    fn what_a_secret_s_annotations_copy_is_told_to_nobody() {
        let key = "kubectl.kubernetes.io/last-applied-configuration";
        let live = json!({"metadata": {"uid": "u", "annotations": {key: r#"{"data":{"k":"b2xk"}}"#, "team": "web"}}});
        let planned = |kind: &str, line: &str, overwrite: bool| {
            let (_, pairs) = split(&words(line), "annotation").unwrap();
            let mut object = target("Pod", "s");
            Arc::make_mut(&mut object.resource).kind = kind.to_owned();
            let call = call(&[], json!({"overwrite": overwrite}));
            Edit::new(&Clients::new(), Field::Annotations).change(&call, &object, &live, &pairs)
        };
        let change = planned("Secret", &format!("{key}={{\"data\":{{\"k\":\"bmV3\"}}}} team-"), true).unwrap();
        let journalled = serde_json::to_string(&change).unwrap();
        assert!(
            !journalled.contains("b2xk") && !journalled.contains("bmV3"),
            "{journalled}"
        );
        assert!(change.before != change.after && change.inverse.is_none());
        assert!(
            change.request.to_string().contains("bmV3"),
            "what is sent is what was asked for"
        );
        let refused = planned("Secret", &format!("{key}={{}}"), false).unwrap_err();
        assert!(!refused.message.contains("b2xk"), "{refused}");
        assert!(planned("Secret", "team-", true).unwrap().inverse.is_some());
        let open = planned("ConfigMap", &format!("{key}-"), true).unwrap();
        assert!(open.inverse.unwrap().pipeline.contains("b2xk"));
    }

    #[test]
    fn wrong_lines_have_kubectl_s_words() {
        let message = |line: &str| split(&words(line), "label").unwrap_err().message;
        assert_eq!(message("deploy web"), "at least one label update is required");
        assert_eq!(
            message("deploy a=1 a-"),
            "can not both modify and remove a label in the same command"
        );
        assert_eq!(
            message("deploy a=1 web"),
            "all resources must be specified before label changes: web"
        );
        assert_eq!(
            split(&words("deploy web u=a=b"), "label").unwrap().1.wanted["u"],
            Some("a=b".to_owned())
        );
    }
}
