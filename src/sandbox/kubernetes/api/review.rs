//! Access reviews: what the user who asks may do.

use serde_json::{Value, json};

use super::body::{self, Reply};
use super::decode::{self, Unknown};
use super::dispatch::Call;
use super::status::ApiError;
use super::users::{Act, User};
use crate::sandbox::kubernetes::kinds::Kind;

/// Whether objects of this kind are questions that are answered, not stored.
pub(super) fn is_review(kind: &Kind) -> bool {
    matches!(kind.group, "authorization.k8s.io" | "authentication.k8s.io")
}

/// `POST` of a question.
pub(super) fn review(call: &Call) -> Result<Reply, ApiError> {
    let kind = call.target.kind;
    let (mut object, _) = decode::decode(kind, &call.body, &call.content_type, Unknown::Ignore)?;
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let user = call.user;
    match kind.kind {
        "SelfSubjectRulesReview" => {
            let namespace = object["spec"]["namespace"].as_str().unwrap_or_default();
            object["status"] = rules(user, namespace);
            object["spec"] = json!({});
        }
        "SelfSubjectReview" => {
            object["status"] = json!({"userInfo": {"username": user.name(), "groups": user.groups()}});
        }
        "SelfSubjectAccessReview" => object["status"] = json!({"allowed": allowed(user, &object["spec"])}),
        // Tokens of service accounts are not issued here, so none is known.
        "TokenReview" => object["status"] = json!({"user": {}}),
        _ => object["status"] = json!({"allowed": true}),
    }
    Ok(body::json(201, &object))
}

/// Whether what a SelfSubjectAccessReview asks about is allowed.
fn allowed(user: User, spec: &Value) -> bool {
    let Some(asked) = spec.get("resourceAttributes") else {
        // A path: everybody may read what the API consists of.
        return user == User::Admin || spec["nonResourceAttributes"]["verb"] == "get";
    };
    let field = |name: &str| asked[name].as_str().unwrap_or_default();
    let resource = match field("subresource") {
        "" => field("resource").to_owned(),
        subresource => format!("{}/{subresource}", field("resource")),
    };
    user.may(Act {
        verb: field("verb"),
        group: field("group"),
        resource: &resource,
        namespace: field("namespace"),
    })
}

fn rules(user: User, namespace: &str) -> Value {
    let mut rules = json!({
        "resourceRules": user.rules(namespace),
        "nonResourceRules": [
            {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]},
            {"verbs": ["get"], "nonResourceURLs": ["/.well-known", "/.well-known/*"]},
            {"verbs": ["*"], "nonResourceURLs": ["*"]},
            {"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi",
             "/openapi/*", "/readyz", "/version", "/version/"]}
        ],
        "incomplete": false
    });
    if user != User::Admin
        && let Some(Value::Array(paths)) = rules.get_mut("nonResourceRules")
    {
        paths.retain(|rule| rule["verbs"] != json!(["*"]));
    }
    rules
}
