//! What the user of a cluster may do in a namespace (SelfSubjectRulesReview). Asked so that panels ask only for what is
//! allowed and say what is missing, for as long as the answer is new; the server decides. Where nobody can tell,
//! everything is tried.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::client::{Cluster, JSON};
use super::discovery::qualified;
use crate::core::text::SafeText;

/// Longer the answer is not waited for: what is asked then is answered by the server itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// So long an answer counts that allows all that was asked for.
const FRESH: Duration = Duration::from_secs(60);
/// So long one counts by which something is missing: it may be granted any time.
const DENYING: Duration = Duration::from_secs(5);
/// So long a key is refused by an answer, while another one is asked for.
const REFUSING: Duration = Duration::from_secs(10);

/// Something to be done: an API verb on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need<'a> {
    /// `list`, `patch`.
    pub verb: &'a str,
    /// API group; empty for core.
    pub group: &'a str,
    /// `pods`, `pods/log`.
    pub resource: &'a str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

/// The rules that hold for the user in a namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rights {
    namespace: String,
    rules: Vec<Rule>,
    /// The server says that these are all.
    complete: bool,
    asked: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    verbs: Vec<String>,
    api_groups: Vec<String>,
    resources: Vec<String>,
    resource_names: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    resource_rules: Vec<Rule>,
    incomplete: bool,
    evaluation_error: String,
}

impl Rule {
    fn allows(&self, need: &Need<'_>) -> bool {
        let has = |list: &[String], wanted: &str| list.iter().any(|one| one == "*" || one == wanted);
        let part = need.resource.split_once('/').map(|(_, part)| format!("*/{part}"));
        let resource = has(&self.resources, need.resource) || part.is_some_and(|part| self.resources.contains(&part));
        // What is allowed for some names is nothing where no name is told.
        let named = self.resource_names.is_empty() || !matches!(need.verb, "list" | "watch" | "create");
        has(&self.verbs, need.verb) && has(&self.api_groups, need.group) && resource && named
    }
}

impl Rights {
    /// Asks the server. What it does not tell leaves everything open.
    pub async fn ask(cluster: &Cluster, namespace: &str) -> Rights {
        let body = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace}});
        let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        let answer = timeout(PATIENCE, cluster.write(Method::POST, path, JSON, &body)).await;
        let answer = answer.ok().and_then(Result::ok);
        Rights {
            asked: Some(Timestamp::now()),
            ..answer.map_or_else(Rights::default, |answer| Rights::read(namespace, answer))
        }
    }

    fn read(namespace: &str, answer: serde_json::Value) -> Rights {
        let answer: Answer = serde_json::from_value(answer).unwrap_or_default();
        let Some(status) = answer.status else {
            return Rights::default();
        };
        Rights {
            namespace: namespace.to_owned(),
            rules: status.resource_rules,
            complete: !status.incomplete && status.evaluation_error.is_empty(),
            asked: None,
        }
    }

    /// Whether to ask again before this need is refused, or granted, by it.
    pub fn is_old(&self, now: Timestamp, need: &Need<'_>) -> bool {
        let fresh = if self.missing(need).is_some() { DENYING } else { FRESH };
        self.is_older(now, fresh)
    }

    /// Whether it was told before that time.
    pub fn is_older_than(&self, then: Timestamp) -> bool {
        self.asked.is_none_or(|asked| asked <= then)
    }

    /// Whether it is too old to refuse anything by it.
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.is_older(now, REFUSING)
    }

    fn is_older(&self, now: Timestamp, age: Duration) -> bool {
        self.asked.is_none_or(|asked| asked + age <= now)
    }

    /// Which right is missing for something, in a sentence; none: it is allowed, or nobody knows.
    pub fn missing(&self, need: &Need<'_>) -> Option<SafeText> {
        if !self.complete || self.rules.iter().any(|rule| rule.allows(need)) {
            return None;
        }
        let (plural, part) = need.resource.split_once('/').unwrap_or((need.resource, ""));
        let mut what = qualified(plural, need.group);
        if !part.is_empty() {
            what = format!("{what}/{part}");
        }
        let place = match need.namespaced {
            true => format!("in the namespace {}", self.namespace),
            false => "at the cluster scope".to_owned(),
        };
        Some(SafeText::line(&format!("you may not {} {what} {place}", need.verb)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::Value;

    fn rights(rules: Value, incomplete: bool) -> Rights {
        Rights::read(
            "shop",
            json!({"status": {"resourceRules": rules, "incomplete": incomplete}}),
        )
    }

    fn need<'a>(verb: &'a str, group: &'a str, resource: &'a str) -> Need<'a> {
        Need {
            verb,
            group,
            resource,
            namespaced: resource != "nodes",
        }
    }

    #[test]
    fn what_is_missing_is_said_with_verb_resource_and_namespace() {
        let few = rights(
            json!([
                {"verbs": ["get", "list"], "apiGroups": ["", "apps"], "resources": ["pods", "deployments"]},
                {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*/scale"]},
                {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"]},
            ]),
            false,
        );
        for allowed in [
            need("list", "apps", "deployments"),
            need("patch", "apps", "deployments/scale"),
            need("get", "", "secrets"),
        ] {
            assert_eq!(few.missing(&allowed), None, "{allowed:?}");
        }
        let said = |need: Need<'_>| few.missing(&need).unwrap();
        assert_eq!(
            said(need("patch", "apps", "deployments")).as_str(),
            "you may not patch deployments.apps in the namespace shop"
        );
        assert_eq!(
            said(need("list", "", "nodes")).as_str(),
            "you may not list nodes at the cluster scope"
        );
        assert!(
            said(need("get", "", "pods/log"))
                .as_str()
                .starts_with("you may not get pods/log in")
        );
        said(need("list", "", "secrets"));
        said(need("list", "batch", "pods"));
        let all = rights(json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]), false);
        assert_eq!(all.missing(&need("delete", "x", "y/z")), None);
    }

    #[test]
    fn what_nobody_knows_is_not_missing() {
        let deny = need("delete", "", "pods");
        assert!(rights(json!([]), false).missing(&deny).is_some());
        assert_eq!(rights(json!([]), true).missing(&deny), None);
        for strange in [
            json!({}),
            json!({"status": null}),
            json!({"status": {"resourceRules": 5}}),
            json!([1]),
        ] {
            assert_eq!(Rights::read("n", strange.clone()).missing(&deny), None, "{strange}");
        }
    }

    #[test]
    fn a_refusal_is_asked_about_sooner_than_a_right() {
        let now = Timestamp::now();
        let mut few = rights(
            json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]),
            false,
        );
        assert!(few.is_old(now, &need("get", "", "pods")));
        few.asked = Some(now);
        assert!(!few.is_old(now + DENYING, &need("get", "", "pods")));
        assert!(few.is_old(now + DENYING, &need("list", "", "pods")));
        assert!(few.is_old(now + FRESH, &need("get", "", "pods")));
        assert!(!few.is_past(now + DENYING) && few.is_past(now + REFUSING));
    }
}
