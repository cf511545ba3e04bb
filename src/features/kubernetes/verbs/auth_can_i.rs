//! `kubectl:auth-can-i`: whether the user of the context may do something.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::common::{READ, all_namespaces_option, declare, header, no_headers_option, until_stopped};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, JSON, Session};
use crate::features::kubernetes::discovery::qualified;
use crate::features::kubernetes::error::{FORBIDDEN, usage};
use crate::features::kubernetes::object::{list, text};
use crate::features::kubernetes::target::namespace_of;
use crate::verb::declaration::{OptionKind, OptionSpec, Positional};
use crate::verb::{Call, Input, InputMode, Output, Read, Verb, View};

/// API verbs that Kubernetes itself knows.
const KNOWN: [&str; 18] = [
    "*",
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
    "approve",
    "sign",
    "attest",
    "proxy",
    "connect",
];
/// Where the questions are asked.
const REVIEWS: &str = "/apis/authorization.k8s.io/v1";

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("auth-can-i", "Ask whether something is allowed")
        .permission(READ)
        .input(InputMode::None)
        .positional(
            Positional::new(
                "VERB",
                OptionKind::String,
                "An API verb: get, list, create, delete … or *",
            )
            .optional(),
        )
        .positional(
            Positional::new(
                "TYPE[/NAME]",
                OptionKind::String,
                "What it is done to, or a path such as /healthz",
            )
            .optional(),
        )
        .positional(Positional::new("NAME", OptionKind::String, "The name of one object").optional())
        .options([
            all_namespaces_option(),
            OptionSpec::new("subresource", OptionKind::String, "A part of it: log, exec, scale").value_name("name"),
            OptionSpec::new("quiet", OptionKind::Bool, "Say nothing, only end with 0 or 1").short('q'),
            OptionSpec::new("list", OptionKind::Bool, "Everything that is allowed in the namespace"),
            no_headers_option(),
        ])
        .output(
            "{allowed, verb, resource, subresource, name, namespace, reason}; with --list {resource, urls, names, verbs}, \
             one a row.",
        )
        .notes("Ends with 0 for yes and 1 for no.")
        .example("kubectl:auth can-i delete pods", "yes or no")
        .example("kubectl:auth can-i --list", "all rules that hold here");
    Verb::read(
        declaration,
        CanI {
            clients: clients.clone(),
        },
    )
}

struct CanI {
    clients: Arc<Clients>,
}

#[async_trait]
impl Read for CanI {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, async {
            let session = self.clients.session(&call.context).await?;
            if call.arguments.flag("list") {
                rules(call, &session, output).await
            } else {
                ask(call, &session, output).await
            }
        })
        .await
    }
}

async fn ask(call: &Call, session: &Session, output: &Output) -> Result<(), Report> {
    let words = call.arguments.texts();
    let (verb, resource, name) = match words.as_slice() {
        [verb, resource] => (verb, resource.as_str(), ""),
        [verb, resource, name] => (verb, resource.as_str(), name.as_str()),
        _ => {
            return Err(usage(
                "you must specify two arguments: verb resource or verb resource/resourceName.",
            ));
        }
    };
    let note = |text: String| call.operator.note(SafeText::line(&text));
    if !KNOWN.contains(&verb.as_str()) {
        note(format!("Warning: verb '{verb}' is not a known verb"));
    }
    let subresource = call.arguments.text("subresource").unwrap_or_default();
    let (spec, asked) = if resource.starts_with('/') {
        if !subresource.is_empty() {
            return Err(usage("--subresource can not be used with NonResourceURL"));
        }
        (
            json!({"nonResourceAttributes": {"path": resource, "verb": verb}}),
            json!({"resource": resource}),
        )
    } else {
        let (kind, name) = resource.split_once('/').unwrap_or((resource, name));
        let attributes = attributes(call, session, verb, kind, name, &subresource).await?;
        (json!({"resourceAttributes": attributes}), attributes)
    };
    let body = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec});
    let answer = post(session, "selfsubjectaccessreviews", &body).await?;
    let allowed = answer.pointer("/status/allowed") == Some(&json!(true));
    let (reason, problem) = (
        text(&answer, "/status/reason"),
        text(&answer, "/status/evaluationError"),
    );
    let mut message = if allowed { "yes".to_owned() } else { "no".to_owned() };
    if !reason.is_empty() {
        message.push_str(&format!(" - {reason}"));
    }
    if !problem.is_empty() {
        message.push_str(&format!(" - {problem}"));
    }
    if !call.arguments.flag("quiet") {
        let field = |name: &str| text(&asked, &format!("/{name}")).to_owned();
        let record = json!({
            "allowed": allowed, "verb": verb, "resource": qualified(&field("resource"), &field("group")),
            "subresource": subresource, "name": field("name"), "namespace": field("namespace"), "reason": reason,
        });
        output.emit_as(record, View::Text(message)).await?;
    }
    if allowed {
        return Ok(());
    }
    Err(Report::failed(FORBIDDEN, format!("not allowed: {verb} {resource}")))
}

/// What is asked (ResourceAttributes), with what the server's discovery says of the type.
async fn attributes(
    call: &Call,
    session: &Session,
    verb: &str,
    kind: &str,
    name: &str,
    subresource: &str,
) -> Result<Value, Report> {
    let note = |text: String| call.operator.note(SafeText::line(&text));
    let everywhere = call.arguments.flag("all-namespaces");
    let mut namespace = if everywhere {
        String::new()
    } else {
        namespace_of(call, session)
    };
    let (mut group, mut plural) = match kind.split_once('.') {
        Some((plural, group)) => (group.to_owned(), plural.to_owned()),
        None => (String::new(), kind.to_owned()),
    };
    if kind != "*" {
        match session.cluster.discovery().await?.find(kind) {
            Ok(found) => {
                if !found.namespaced && !everywhere {
                    note(format!("Warning: resource '{}' is not namespace scoped", found.plural));
                    namespace.clear();
                }
                (group, plural) = (found.group.clone(), found.plural.clone());
            }
            Err(_) => note(format!("Warning: the server doesn't have a resource type '{kind}'")),
        }
    } else {
        group = "*".to_owned();
    }
    Ok(json!({
        "namespace": namespace, "verb": verb, "group": group, "resource": plural, "subresource": subresource, "name": name,
    }))
}

async fn post(session: &Session, what: &str, body: &Value) -> Result<Value, Report> {
    session
        .cluster
        .write(Method::POST, &format!("{REVIEWS}/{what}"), JSON, body)
        .await
        .map_err(|error| session.cluster.report(&error))
}

async fn rules(call: &Call, session: &Session, output: &Output) -> Result<(), Report> {
    if !call.arguments.positionals.is_empty() {
        return Err(usage("list option must be specified with no arguments"));
    }
    let namespace = namespace_of(call, session);
    let body = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace}});
    let answer = post(session, "selfsubjectrulesreviews", &body).await?;
    let mut rows = Vec::new();
    for rule in list(&answer, "/status/resourceRules") {
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                let (plural, rest) = resource
                    .split_once('/')
                    .map_or((resource, ""), |(plural, rest)| (plural, rest));
                let mut name = qualified(plural, group);
                if !rest.is_empty() {
                    name = format!("{name}/{rest}");
                }
                rows.push((name, Vec::new(), words(rule, "resourceNames"), words(rule, "verbs")));
            }
        }
    }
    for rule in list(&answer, "/status/nonResourceRules") {
        for url in words(rule, "nonResourceURLs") {
            rows.push((String::new(), vec![url], Vec::new(), words(rule, "verbs")));
        }
    }
    rows.sort_by(|a, b| b.0.is_empty().cmp(&a.0.is_empty()).reverse().then(a.1.cmp(&b.1)));
    let header = header(call, ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]);
    for (resource, urls, names, verbs) in rows {
        let bracketed = |words: &[&str]| format!("[{}]", words.join(" "));
        let record = json!({"resource": resource, "urls": urls, "names": names, "verbs": verbs});
        let cells = vec![resource, bracketed(&urls), bracketed(&names), bracketed(&verbs)];
        output.emit_as(record, View::row(&header, cells)).await?;
    }
    if answer.pointer("/status/incomplete") == Some(&json!(true)) {
        let problem = text(&answer, "/status/evaluationError");
        call.operator.note(SafeText::line(&format!(
            "warning: the list may be incomplete: {problem}"
        )));
    }
    Ok(())
}

fn words<'a>(rule: &'a Value, field: &str) -> Vec<&'a str> {
    list(rule, &format!("/{field}"))
        .iter()
        .filter_map(Value::as_str)
        .collect()
}
