//! `kubectl:set-env`: environment variables of containers; a workload rolls out anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::common::{READ, WRITE, declare, record_option, selector_option};
use super::completer::Names;
use super::dry_run::dry_run;
use super::mutation::Draft;
use super::template::{self, Words};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::{CONFLICT, usage};
use crate::features::kubernetes::object;
use crate::features::kubernetes::target::{self, Target, namespace_of};
use crate::verb::declaration::{OptionKind, OptionSpec, Positional};
use crate::verb::{Call, Mutate, Output, Verb};

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("set-env", "Change environment variables of containers")
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
        .options([
            containers_option(),
            OptionSpec::new(
                "from",
                OptionKind::String,
                "Take variables from configmap/NAME or secret/NAME",
            )
            .value_name("object"),
            OptionSpec::new("keys", OptionKind::List, "With --from: only these keys").value_name("keys"),
            OptionSpec::new("prefix", OptionKind::String, "With --from: before each name").value_name("text"),
            OptionSpec::new(
                "list",
                OptionKind::Bool,
                "Only tell the variables, with those of --from; changes nothing",
            ),
            OptionSpec::new("overwrite", OptionKind::Bool, "Replace values that are there already").default("true"),
            OptionSpec::new("all", OptionKind::Bool, "All objects of the type in the namespace"),
            selector_option(),
        ])
        .exclusive(&["all", "selector"])
        .output("{kind, name, namespace, action, message}; nothing where all is so already.")
        .notes(
            "The plan and the revision's cause name the variables, never their values. Variables from a config map or \
             a secret refer to it; they hold no copy.",
        )
        .example(
            "kubectl:set env deploy/inspector LEVEL=debug",
            "a rolling update with another variable",
        )
        .example("kubectl:set env deploy/inspector LEVEL-", "without it again");
    Verb::mutate(
        dry_run(declaration).only_looking(&[("list", "true")], READ),
        SetEnv {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of(clients))
}

/// `-c, --containers`.
pub fn containers_option() -> OptionSpec {
    OptionSpec::new(
        "containers",
        OptionKind::String,
        "Only containers of this name; * stands for any text",
    )
    .short('c')
    .default("*")
    .value_name("name")
}

struct SetEnv {
    clients: Arc<Clients>,
}

/// Variables by name: what `env` holds of them, or none to remove.
type Wanted = BTreeMap<String, Option<Value>>;

#[async_trait]
impl Mutate for SetEnv {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let (words, mut wanted) = split(&call.arguments.texts())?;
        target::some(call, &words)?;
        let lists = call.arguments.flag("list");
        if wanted.is_empty() && !lists && call.arguments.text("from").is_none() {
            return Err(usage("at least one environment variable must be provided").hint("KEY=VALUE, KEY- or --from"));
        }
        let session = self.clients.planning(call).await?;
        if let Some(from) = call.arguments.text("from") {
            wanted.extend(references(call, &session, &from).await?);
        }
        let mut changes = Vec::new();
        for (target, live) in target::chosen(call, &session, &words).await? {
            if lists {
                changes.extend(listed(call, &target, &live, &wanted)?);
                continue;
            }
            changes.extend(change(call, &target, &live, &wanted)?);
        }
        Ok(changes)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        template::apply(call, &self.clients, change, output).await
    }
}

fn split(words: &[String]) -> Result<(Vec<String>, Wanted), Report> {
    let is_pair = |word: &String| word.contains('=') || word.ends_with('-');
    let first = words.iter().position(is_pair).unwrap_or(words.len());
    let (resources, rest) = words.split_at(first);
    let mut wanted = Wanted::new();
    for word in rest {
        let (name, value) = match (word.split_once('='), word.strip_suffix('-')) {
            (Some((name, value)), _) => (name, Some(json!({"name": name, "value": value}))),
            (None, Some(name)) => (name, None),
            (None, None) => {
                return Err(usage(format!(
                    "all resources must be specified before environment changes: {word}"
                )));
            }
        };
        check_name(name)?;
        if wanted.get(name).is_some_and(|known| known.is_some() != value.is_some()) {
            return Err(usage(
                "can not both modify and remove the same environment variable in the same command",
            ));
        }
        wanted.insert(name.to_owned(), value);
    }
    Ok((resources.to_vec(), wanted))
}

/// The variables of the containers that are meant as kubectl lists them: as they would be with the changes of the same
/// line, which are not made. Nothing is resolved, so no secret is told.
fn listed(call: &Call, target: &Target, live: &Value, wanted: &Wanted) -> Result<Option<Change>, Report> {
    let Some(pointer) = object::pod_spec_pointer(&target.resource.kind) else {
        return Err(usage(format!("{} has no pod template", target.title())));
    };
    let (pattern, keeps) = (pattern(call), keeps(call));
    let mut lines = Vec::new();
    for field in ["containers", "initContainers"] {
        let all = object::list(live, &format!("{pointer}/{field}"));
        for container in all.iter().filter(|one| fits(&pattern, object::text(one, "/name"))) {
            let mut container = container.clone();
            set(&mut container, wanted, keeps).map_err(|report| kept(target, &report))?;
            let (kind, name) = (&target.resource.kind, object::text(&container, "/name"));
            lines.push(format!("# {kind} {}, container {name}", target.name));
            lines.extend(object::list(&container, "/env").iter().map(told));
        }
    }
    if lines.is_empty() {
        none_fits(call, target, &pattern);
        return Ok(None);
    }
    Draft::new(call, target, target.title(), Value::Null, Value::Null)
        .answering("listed", lines.join("\n"))
        .map(Some)
}

/// A variable: its value, or where it comes from (kubectl `envutil.GetEnvVarRefString`).
fn told(variable: &Value) -> String {
    let name = object::text(variable, "/name");
    let Some(from) = variable.get("valueFrom") else {
        return format!("{name}={}", object::text(variable, "/value"));
    };
    let key = |field: &str, kind: &str| {
        let (object, key) = (
            from.pointer(&format!("/{field}/name"))?,
            from.pointer(&format!("/{field}/key"))?,
        );
        Some(format!(
            "{kind} {}, key {}",
            object::text(object, ""),
            object::text(key, "")
        ))
    };
    let field = || {
        Some(format!(
            "field path {}",
            object::text(from.pointer("/fieldRef/fieldPath")?, "")
        ))
    };
    let resource = || {
        let of = from.get("resourceFieldRef")?;
        let container = match object::text(of, "/containerName") {
            "" => String::new(),
            container => format!("{container}/"),
        };
        Some(format!("resource field {container}{}", object::text(of, "/resource")))
    };
    let source = key("configMapKeyRef", "configmap")
        .or_else(|| key("secretKeyRef", "secret"))
        .or_else(field)
        .or_else(resource);
    format!("# {name} from {}", source.as_deref().unwrap_or("invalid valueFrom"))
}

/// `-c`.
fn pattern(call: &Call) -> String {
    call.arguments.text("containers").unwrap_or_else(|| "*".to_owned())
}

/// `--overwrite=false`.
fn keeps(call: &Call) -> bool {
    call.arguments.options.get("overwrite") == Some(&json!(false))
}

fn kept(target: &Target, why: &str) -> Report {
    Report::failed(CONFLICT, format!("{}/{} {why}", target.resource.plural, target.name))
}

fn none_fits(call: &Call, target: &Target, pattern: &str) {
    call.operator.note(SafeText::line(&format!(
        "Warning: {}/{} does not have any containers matching \"{pattern}\"",
        target.resource.kind, target.name
    )));
}

fn check_name(name: &str) -> Result<(), Report> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || "-._".contains(c));
    if starts && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)) {
        return Ok(());
    }
    Err(usage(format!(
        "\"{name}\" is not a valid key name: a valid environment variable name must consist of alphabetic characters, \
         digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or \
         'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
    )))
}

/// Variables that refer to the keys of a config map or a secret.
async fn references(call: &Call, session: &Session, from: &str) -> Result<Wanted, Report> {
    let namespace = namespace_of(call, session);
    let discovery = session.cluster.discovery().await?;
    let found = target::parse(&discovery, &[from.to_owned()], &namespace, false)?;
    let target::Selection::Named(targets) = found else {
        return Err(usage(format!("--from names no object: {from}")).hint("write configmap/NAME or secret/NAME"));
    };
    let (keys, prefix) = (
        call.arguments.list("keys"),
        call.arguments.text("prefix").unwrap_or_default(),
    );
    let mut wanted = Wanted::new();
    for source in targets {
        let field = match source.resource.kind.as_str() {
            "ConfigMap" => "configMapKeyRef",
            "Secret" => "secretKeyRef",
            kind => return Err(usage(format!("unsupported resource specified in --from: {kind}"))),
        };
        let live = source.read(session).await?;
        for key in object::map(&live, "/data").into_iter().flat_map(serde_json::Map::keys) {
            if !keys.is_empty() && !keys.contains(key) {
                continue;
            }
            let name = format!("{prefix}{}", variable(key));
            if variable(key) != *key {
                let words = format!("Warning: key {key} transferred to {}", variable(key));
                call.operator.note(SafeText::line(&words));
            }
            let reference = json!({"name": name, "valueFrom": {field: {"key": key, "name": source.name}}});
            wanted.insert(name, Some(reference));
        }
    }
    Ok(wanted)
}

/// A key as a variable's name: upper case, what cannot stand in one becomes `_`.
fn variable(key: &str) -> String {
    key.to_uppercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' })
        .collect()
}

/// Whether a container's name fits a pattern in which `*` stands for any text.
pub fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|at| rest.is_char_boundary(*at))
                .any(|at| rest.get(at..).is_some_and(|rest| fits(after, rest)))
        }),
    }
}

/// The containers of a template's spec that a pattern means, init containers included.
pub fn containers<'a>(template: &'a mut Value, pattern: &'a str) -> impl Iterator<Item = &'a mut Value> {
    template
        .get_mut("spec")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|spec| spec.iter_mut())
        .filter(|(field, _)| matches!(field.as_str(), "containers" | "initContainers"))
        .filter_map(|(_, list)| list.as_array_mut())
        .flatten()
        .filter(move |container| fits(pattern, object::text(container, "/name")))
}

/// No change where all is so already, as in kubectl.
fn change(call: &Call, target: &Target, live: &Value, wanted: &Wanted) -> Result<Option<Change>, Report> {
    let mut edited = template::of(target, live)?.clone();
    let before = edited.clone();
    let (pattern, keeps) = (pattern(call), keeps(call));
    let mut seen = false;
    for container in containers(&mut edited, &pattern) {
        seen = true;
        set(container, wanted, keeps).map_err(|why| kept(target, &why))?;
    }
    if !seen {
        none_fits(call, target, &pattern);
    }
    if edited == before {
        return Ok(None);
    }
    let names: Vec<String> = wanted
        .iter()
        .map(|(name, value)| {
            if value.is_some() {
                name.clone()
            } else {
                format!("{name}-")
            }
        })
        .collect();
    let words = Words {
        summary: format!("set env of {}: {}", target.title(), names.join(", ")),
        action: "env updated",
        cause: names.join(" "),
    };
    template::change(call, target, live, edited, &words).map(Some)
}

/// Changes one container's variables in place; those that are new come last, in the order of their names.
fn set(container: &mut Value, wanted: &Wanted, keeps: bool) -> Result<(), String> {
    let mut list = object::list(container, "/env").to_vec();
    for (name, value) in wanted {
        let at = list.iter().position(|variable| object::text(variable, "/name") == name);
        match (at, value) {
            (Some(at), None) => drop(list.remove(at)),
            (Some(at), Some(value)) => {
                let Some(known) = list.get_mut(at) else { continue };
                if keeps && known != value {
                    // kubectl tells the value too; it may be a secret.
                    return Err(format!("'{name}' already has a value, and --overwrite is false"));
                }
                known.clone_from(value);
            }
            (None, Some(value)) => list.push(value.clone()),
            (None, None) => {}
        }
    }
    if let Some(fields) = container.as_object_mut() {
        if list.is_empty() {
            fields.shift_remove("env");
        } else {
            fields.insert("env".to_owned(), Value::Array(list));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{call, target};
    use super::*;

    fn planned(line: &str, containers: &str) -> Option<Change> {
        let live = json!({"metadata": {"uid": "u"}, "spec": {"template": {"spec": {"containers": [
            {"name": "web", "image": "i", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"name": "side", "image": "s"}]}}}});
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let (_, wanted) = split(&words).unwrap();
        change(
            &call(&[], json!({"containers": containers})),
            &target("Deployment", "web"),
            &live,
            &wanted,
        )
        .unwrap()
    }

    #[test]
    fn variables_are_replaced_in_place_added_and_removed() {
        let change = planned("A=9 B- C=secret", "we*").unwrap();
        let patched = &change.request["write"]["Patch"]["body"]["spec"]["template"]["spec"]["containers"];
        assert_eq!(
            patched[0]["env"],
            json!([{"name": "A", "value": "9"}, {"name": "C", "value": "secret"}])
        );
        assert_eq!(patched[1], json!({"name": "side", "image": "s"}));
        assert!(!format!("{} {} {}", change.summary, change.before, change.after).contains("secret"));
        assert_eq!(change.summary, "set env of deployment.apps/web: A, B-, C");
    }

    #[test]
    fn a_list_tells_the_containers_that_are_meant_and_where_their_variables_come_from() {
        let env = json!([{"name": "A", "value": "1"}, {"name": "E"},
            {"name": "K", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k"}}},
            {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "p"}}},
            {"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "C", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "containerName": "web"}}},
            {"name": "M", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
            {"name": "X", "valueFrom": {}}]);
        let live = json!({"metadata": {"uid": "u"}, "spec": {"template": {"spec": {
            "initContainers": [{"name": "prepare", "env": [{"name": "I", "value": "2"}]}],
            "containers": [{"name": "web", "env": env}]}}}});
        let listed = |containers: &str, wanted: &Wanted| {
            let call = call(&[], json!({"containers": containers}));
            let change = listed(&call, &target("Deployment", "web"), &live, wanted).unwrap();
            change.map(|change| change.request["message"].as_str().unwrap().to_owned())
        };
        let web = "# Deployment web, container web\nA=1\nE=\n# K from configmap cm, key k\n# S from secret s, key p\n\
            # N from field path metadata.name\n# C from resource field web/limits.cpu\n\
            # M from resource field limits.memory\n# X from invalid valueFrom";
        let prepare = "# Deployment web, container prepare\nI=2";
        assert_eq!(listed("*", &Wanted::new()).unwrap(), format!("{web}\n{prepare}"));
        assert_eq!(listed("pre*", &Wanted::new()).unwrap(), prepare);
        assert_eq!(listed("nope", &Wanted::new()), None);
        let reference = json!({"name": "P", "valueFrom": {"secretKeyRef": {"name": "s", "key": "p"}}});
        let wanted = Wanted::from([("P".to_owned(), Some(reference))]);
        assert_eq!(
            listed("prepare", &wanted).unwrap(),
            format!("{prepare}\n# P from secret s, key p")
        );
    }

    #[test]
    fn nothing_new_is_no_change() {
        assert!(planned("A=1", "web").is_none());
        assert!(planned("Z-", "*").is_none());
        assert!(planned("A=2", "nope").is_none());
    }

    #[test]
    fn a_value_that_is_kept_is_not_told() {
        let mut container = json!({"name": "c", "env": [{"name": "PASSWORD", "value": "hunter2"}]});
        let (_, wanted) = split(&["PASSWORD=other".to_owned()]).unwrap();
        let told = set(&mut container, &wanted, true).unwrap_err();
        assert_eq!(told, "'PASSWORD' already has a value, and --overwrite is false");
    }

    #[test]
    fn names_are_checked_and_patterns_match() {
        assert!(check_name("my.env-name").is_ok() && check_name("1a").is_err() && check_name("a b").is_err());
        assert!(fits("*", "x") && fits("a*c", "abc") && fits("a*", "a") && !fits("a*c", "ab") && !fits("a", "ab"));
        assert_eq!(variable("db.url-1"), "DB_URL_1");
    }
}
