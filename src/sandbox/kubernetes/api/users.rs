//! Who asks, and what they may do: role-based access as far as the two users of this world need it. The guest is there to
//! try with few rights: somebody who may look at one namespace's workloads and scale them.

use http::Method;
use serde_json::{Value, json};

use super::ApiConfig;
use super::route::Target;
use super::status::ApiError;
use crate::sandbox::guard;

/// Somebody whom a token lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum User {
    /// May do everything.
    Admin,
    /// May do what [`RULES`] says.
    Guest,
}

/// What is allowed: API verbs on resources of a group.
struct Rule {
    verbs: &'static [&'static str],
    group: &'static str,
    resources: &'static [&'static str],
}

/// The namespace that the guest's rules are about.
const NAMESPACE: &str = "default";

const LOOK: &[&str] = &["get", "list", "watch"];

/// What the guest may do in its namespace.
const RULES: &[Rule] = &[
    Rule {
        verbs: LOOK,
        group: "",
        resources: &["pods"],
    },
    // Not to be watched: as whoever wrote the role forgot.
    Rule {
        verbs: &["get", "list"],
        group: "",
        resources: &["services"],
    },
    Rule {
        verbs: &["get"],
        group: "",
        resources: &["pods/log"],
    },
    Rule {
        verbs: LOOK,
        group: "apps",
        resources: &["deployments", "replicasets"],
    },
    Rule {
        verbs: &["get", "patch", "update"],
        group: "apps",
        resources: &["deployments/scale"],
    },
];

/// What everybody may do who is somebody.
const BASIC: &[Rule] = &[
    Rule {
        verbs: &["create"],
        group: "authorization.k8s.io",
        resources: &["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
    Rule {
        verbs: &["create"],
        group: "authentication.k8s.io",
        resources: &["selfsubjectreviews"],
    },
];

/// An act that is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Act<'a> {
    /// The API verb.
    pub verb: &'a str,
    /// The API group, empty for core.
    pub group: &'a str,
    /// `pods`, `pods/log`.
    pub resource: &'a str,
    /// Empty: at the cluster's scope, or in all namespaces.
    pub namespace: &'a str,
}

impl User {
    /// Whose token this is; none: nobody's.
    pub fn of(token: &str, config: &ApiConfig) -> Option<User> {
        let is = |known: &str| guard::same_secret(token, known);
        match config.guest_token.as_deref() {
            _ if is(&config.token) => Some(User::Admin),
            Some(guest) if is(guest) => Some(User::Guest),
            _ => None,
        }
    }

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            User::Admin => "sandbox-admin",
            User::Guest => "sandbox-guest",
        }
    }

    /// The groups.
    pub fn groups(self) -> Value {
        match self {
            User::Admin => json!(["system:masters", "system:authenticated"]),
            User::Guest => json!(["system:authenticated"]),
        }
    }

    /// Whether this is allowed.
    pub fn may(self, act: Act<'_>) -> bool {
        let allows = |rule: &Rule| {
            rule.group == act.group && rule.resources.contains(&act.resource) && rule.verbs.contains(&act.verb)
        };
        self == User::Admin || BASIC.iter().any(allows) || (act.namespace == NAMESPACE && RULES.iter().any(allows))
    }

    /// Refuses what is not allowed, in the server's words.
    pub fn check(self, method: &Method, target: &Target, watching: bool) -> Result<(), ApiError> {
        let verb = verb(method, target, watching);
        let resource = match target.subresource {
            Some(sub) => format!("{}/{}", target.kind.resource, sub.name),
            None => target.kind.resource.to_owned(),
        };
        let act = Act {
            verb,
            group: target.kind.group,
            resource: &resource,
            namespace: &target.namespace,
        };
        self.allow(act, &target.name)
    }

    /// Refuses an act on an object (no name: on a collection) that is not allowed, in the server's words.
    pub fn allow(self, act: Act<'_>, name: &str) -> Result<(), ApiError> {
        match self.may(act) {
            true => Ok(()),
            false => Err(ApiError::not_allowed(name, self.name(), &act)),
        }
    }

    /// The rules that hold in a namespace, as SelfSubjectRulesReview lists them.
    pub fn rules(self, namespace: &str) -> Vec<Value> {
        let told = |rule: &Rule| json!({"verbs": rule.verbs, "apiGroups": [rule.group], "resources": rule.resources});
        let own: Vec<Value> = match self {
            User::Admin => vec![json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})],
            User::Guest if namespace == NAMESPACE => RULES.iter().map(told).collect(),
            User::Guest => Vec::new(),
        };
        own.into_iter().chain(BASIC.iter().map(told)).collect()
    }
}

/// The API verb of a request.
fn verb(method: &Method, target: &Target, watching: bool) -> &'static str {
    let item = !target.name.is_empty();
    match *method {
        Method::GET | Method::HEAD if item => "get",
        Method::GET | Method::HEAD if watching => "watch",
        Method::GET | Method::HEAD => "list",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if item => "delete",
        _ => "deletecollection",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guest_may_look_at_its_namespace_and_scale_and_nothing_else() {
        let may = |verb: &str, group: &str, resource: &str, namespace: &str| {
            User::Guest.may(Act {
                verb,
                group,
                resource,
                namespace,
            })
        };
        assert!(may("list", "", "pods", "default") && may("get", "", "pods/log", "default"));
        assert!(may("patch", "apps", "deployments/scale", "default"));
        assert!(may("create", "authorization.k8s.io", "selfsubjectrulesreviews", ""));
        for (verb, group, resource, namespace) in [
            ("list", "", "pods", "kube-system"),
            ("list", "", "pods", ""),
            ("patch", "apps", "deployments", "default"),
            ("delete", "", "pods", "default"),
            ("list", "", "nodes", ""),
            ("get", "apps", "pods", "default"),
        ] {
            assert!(
                !may(verb, group, resource, namespace),
                "{verb} {group} {resource} {namespace}"
            );
        }
    }

    #[test]
    fn a_token_is_somebody_s_or_nobody_s() {
        let mut config = ApiConfig::new("admin");
        assert_eq!(User::of("", &config), None);
        config.guest_token = Some("guest".to_owned());
        assert_eq!(User::of("admin", &config), Some(User::Admin));
        assert_eq!(User::of("guest", &config), Some(User::Guest));
        assert_eq!(User::of("guests", &config), None);
    }
}
