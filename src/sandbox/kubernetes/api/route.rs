//! Where a request goes: its path taken apart into resource, namespace, name and subresource, and its query.

use std::collections::BTreeMap;

use crate::sandbox::kubernetes::kinds::{self, Kind, Subresource};

/// A request target that names a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub kind: &'static Kind,
    /// Empty for cluster scoped resources and for all namespaces.
    pub namespace: String,
    /// Empty for collections.
    pub name: String,
    pub subresource: Option<&'static Subresource>,
}

/// What a path means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// A resource or a collection.
    Resource(Target),
    /// Anything else the server answers: discovery, health, schemas. The path without trailing slash.
    Other(String),
    /// Nothing.
    Unknown,
}

impl Route {
    /// Takes a path apart. Percent signs are decoded within segments, so a name can never add a segment.
    pub fn parse(path: &str) -> Route {
        let segments: Vec<String> = path.split('/').skip(1).map(decode).collect();
        let mut parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        if parts.last() == Some(&"") {
            parts.pop();
        }
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
            _ => return Route::Other(path.trim_end_matches('/').to_owned()),
        };
        Self::resource(group, version, rest).map_or(Route::Unknown, Route::Resource)
    }

    fn resource(group: &str, version: &str, rest: &[&str]) -> Option<Target> {
        let (namespace, rest) = match rest {
            ["namespaces", name, "status" | "finalize"] if !name.is_empty() => ("", rest),
            ["namespaces", namespace, tail @ ..] if !tail.is_empty() => (*namespace, tail),
            _ => ("", rest),
        };
        let (resource, name, subresource) = match rest {
            [resource] => (*resource, "", None),
            [resource, name] if !name.is_empty() => (*resource, *name, None),
            [resource, name, sub] if !name.is_empty() => (*resource, *name, Some(*sub)),
            // Deeper paths belong to the proxy subresources, which the sandbox does not have.
            _ => return None,
        };
        let kind = kinds::find(group, version, resource)?;
        let subresource = match subresource {
            None => None,
            Some(name) => Some(kind.subresource(name)?),
        };
        let all_namespaces = kind.namespaced && namespace.is_empty();
        if (!kind.namespaced && !namespace.is_empty()) || (all_namespaces && !name.is_empty()) {
            return None;
        }
        Some(Target {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource,
        })
    }
}

/// The query of a request. A repeated key keeps its first value, as Go's `url.Values.Get` reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query(BTreeMap<String, Vec<String>>);

impl Query {
    pub fn parse(text: Option<&str>) -> Self {
        let mut map = BTreeMap::new();
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            map.entry(decode(&key.replace('+', " ")))
                .or_insert_with(Vec::new)
                .push(decode(&value.replace('+', " ")));
        }
        Self(map)
    }

    /// The value, empty when missing.
    pub fn text(&self, key: &str) -> &str {
        self.all(key).first().map_or("", String::as_str)
    }

    /// Every value of a key that may stand several times.
    pub fn all(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether the key says yes, as Go's query conversion reads booleans.
    pub fn flag(&self, key: &str) -> bool {
        self.all(key)
            .first()
            .is_some_and(|value| !matches!(value.to_ascii_lowercase().as_str(), "false" | "0"))
    }

    /// The value as a number; `None` when missing or not a number.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.text(key).parse().ok()
    }
}

/// Decodes percent escapes; what is no valid escape or UTF-8 stays visible instead of failing.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escape {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn target(path: &str) -> (String, String, String, String) {
        match Route::parse(path) {
            Route::Resource(t) => (
                t.kind.qualified(),
                t.namespace,
                t.name,
                t.subresource.map(|s| s.name.to_owned()).unwrap_or_default(),
            ),
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn paths_name_resources() {
        let row = |a: &str, b: &str, c: &str, d: &str| (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned());
        assert_eq!(target("/api/v1/pods"), row("pods", "", "", ""));
        assert_eq!(
            target("/api/v1/namespaces/default/pods/x/log"),
            row("pods", "default", "x", "log")
        );
        assert_eq!(
            target("/api/v1/namespaces/default"),
            row("namespaces", "", "default", "")
        );
        assert_eq!(
            target("/api/v1/namespaces/default/status"),
            row("namespaces", "", "default", "status")
        );
        assert_eq!(target("/api/v1/namespaces"), row("namespaces", "", "", ""));
        assert_eq!(
            target("/apis/apps/v1/namespaces/a/deployments/d/scale"),
            row("deployments.apps", "a", "d", "scale")
        );
        assert_eq!(
            target("/apis/apps/v1/namespaces/a/deployments/b%2Fc"),
            row("deployments.apps", "a", "b/c", "")
        );
    }

    #[test]
    fn what_does_not_exist_is_unknown() {
        for path in [
            "/apis/apps/v1/unicorns",
            "/api/v1/pods/x",
            "/api/v1/namespaces/a/nodes",
            "/apis/apps/v1/namespaces/a/deployments/d/nope",
            "/api/v1/namespaces/a/pods/p/proxy/a/b",
            "/apis/apps/v2/deployments",
        ] {
            assert_eq!(Route::parse(path), Route::Unknown, "{path}");
        }
        assert_eq!(Route::parse("/apis/apps/v1/"), Route::Other("/apis/apps/v1".into()));
        assert_eq!(Route::parse("/"), Route::Other(String::new()));
    }

    #[test]
    fn queries_are_decoded() {
        let query = Query::parse(Some("labelSelector=a%20in+(b%2Cc)&watch=1&x&bad=%zz&limit=5"));
        assert_eq!(query.text("labelSelector"), "a in (b,c)");
        assert!(query.flag("watch") && query.flag("x") && !query.flag("missing"));
        assert_eq!(query.text("bad"), "%zz");
        assert_eq!(query.number("limit"), Some(5));
        assert!(!Query::parse(Some("watch=false")).flag("watch"));
    }
}
