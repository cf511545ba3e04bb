//! Access reviews: whoever has the token may do everything, and the answers say so.

use serde_json::{Value, json};

use super::body::{self, Reply};
use super::decode::{self, Unknown};
use super::dispatch::Call;
use super::status::ApiError;
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
    match kind.kind {
        "SelfSubjectRulesReview" => {
            object["spec"] = json!({});
            object["status"] = rules();
        }
        "SelfSubjectReview" => object["status"] = json!({"userInfo": user()}),
        // Tokens of service accounts are not issued here, so none is known.
        "TokenReview" => object["status"] = json!({"user": {}}),
        _ => object["status"] = json!({"allowed": true}),
    }
    Ok(body::json(201, &object))
}

fn user() -> Value {
    json!({"username": "sandbox-admin", "groups": ["system:masters", "system:authenticated"]})
}

fn rules() -> Value {
    json!({
        "resourceRules": [
            {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
            {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
             "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]},
            {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]}
        ],
        "nonResourceRules": [
            {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]},
            {"verbs": ["get"], "nonResourceURLs": ["/.well-known", "/.well-known/*"]},
            {"verbs": ["*"], "nonResourceURLs": ["*"]},
            {"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi",
             "/openapi/*", "/readyz", "/version", "/version/"]}
        ],
        "incomplete": false
    })
}
