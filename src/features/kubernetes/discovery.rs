//! What the server serves, and which of it a word means: `po`, `pod`, `pods`, `deployments.apps`, `deployments.v1.apps`.
//! Not for reading objects.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::client::Cluster;
use super::{error, path};
use crate::core::report::Report;
use crate::verb::catalogue::{did_you_mean, nearest};

/// Aggregated discovery (KEP-3352), plain JSON where the server is too old for it.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// A type of objects the server serves.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Resource {
    /// API group; empty for the core.
    pub group: String,
    /// Version, `v1`.
    pub version: String,
    /// The word in paths, `deployments`.
    pub plural: String,
    /// `deployment`.
    pub singular: String,
    /// `Deployment`.
    pub kind: String,
    /// `deploy`.
    pub short_names: Vec<String>,
    /// `all`.
    pub categories: Vec<String>,
    /// Lies in namespaces.
    pub namespaced: bool,
    /// API verbs it takes.
    pub verbs: Vec<String>,
}

impl Resource {
    /// `apps/v1`, or `v1` for the core.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The type before a name in kubectl's sentences: `deployment.apps`, `pod`.
    pub fn type_name(&self) -> String {
        qualified(&self.kind.to_lowercase(), &self.group)
    }

    /// The type in the server's errors: `deployments.apps`, `pods`.
    pub fn group_resource(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    /// `Job.batch`, `Service`: the kind with its group.
    pub fn qualified_kind(&self) -> String {
        qualified(&self.kind, &self.group)
    }

    /// The path of the collection: in a namespace, or over all.
    pub fn collection(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace {
            Some(namespace) if self.namespaced => {
                format!("{root}/namespaces/{}/{}", path::encode(namespace), self.plural)
            }
            _ => format!("{root}/{}", self.plural),
        }
    }

    /// The path of one object.
    pub fn object(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(Some(namespace)), path::encode(name))
    }

    fn is_called(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        self.plural == word
            || self.singular == word
            || self.kind.to_lowercase() == word
            || self.short_names.contains(&word)
    }

    fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}

/// A type's word with its group, unless that is the core: `deployments.apps`, `pods`.
pub fn qualified(word: &str, group: &str) -> String {
    if group.is_empty() {
        word.to_owned()
    } else {
        format!("{word}.{group}")
    }
}

/// Everything a server serves, in the order of its preference: the core first.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    resources: Vec<Arc<Resource>>,
}

impl Discovery {
    /// Asks the server: two aggregated requests, or one for each group version where it is too old for that.
    pub async fn ask(cluster: &Cluster) -> Result<Self, kube::Error> {
        let mut resources = Vec::new();
        for root in ["/api", "/apis"] {
            let answer: Value = cluster.get_as(root, AGGREGATED).await?;
            if answer["kind"] == "APIGroupDiscoveryList" {
                resources.extend(aggregated(answer).map_err(kube::Error::SerdeError)?);
            } else {
                resources.extend(one_by_one(cluster, &answer).await?);
            }
        }
        Ok(Self::new(resources))
    }

    /// A table of these types.
    pub fn new(resources: impl IntoIterator<Item = Resource>) -> Self {
        Discovery {
            resources: resources.into_iter().map(Arc::new).collect(),
        }
    }

    /// Every type that can be listed.
    pub fn listable(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.iter().filter(|resource| resource.can("list"))
    }

    /// Every type once, in the version its group prefers (which discovery names first).
    pub fn preferred(&self) -> impl Iterator<Item = &Arc<Resource>> {
        let mut seen = std::collections::HashSet::new();
        self.resources
            .iter()
            .filter(move |resource| seen.insert((&resource.group, &resource.plural)))
    }

    /// The types a word means: one, or those of a category such as `all`.
    pub fn find_all(&self, word: &str) -> Result<Vec<Arc<Resource>>, Report> {
        if let Some(one) = self.lookup(word) {
            return Ok(vec![one]);
        }
        let members: Vec<_> = self
            .listable()
            .filter(|r| r.categories.iter().any(|c| c == word))
            .cloned()
            .collect();
        if members.is_empty() {
            Err(self.unknown(word))
        } else {
            Ok(members)
        }
    }

    /// The type a word means.
    pub fn find(&self, word: &str) -> Result<Arc<Resource>, Report> {
        self.lookup(word).ok_or_else(|| self.unknown(word))
    }

    /// The type of an object.
    pub fn of_kind(&self, api_version: Option<&str>, kind: &str) -> Option<Arc<Resource>> {
        let of_kind = || self.resources.iter().filter(|resource| resource.kind == kind);
        let group = api_version.map(|version| version.rsplit_once('/').map_or("", |(group, _)| group));
        of_kind()
            .find(|r| api_version.is_some_and(|version| r.api_version() == version))
            .or_else(|| of_kind().find(|r| group.is_none_or(|group| r.group == group)))
            .cloned()
    }

    fn lookup(&self, word: &str) -> Option<Arc<Resource>> {
        let named = |name: &str, fits: &dyn Fn(&Resource) -> bool| {
            self.resources
                .iter()
                .find(|resource| resource.is_called(name) && fits(resource))
                .cloned()
        };
        if let Some(found) = named(word, &|_| true) {
            return Some(found);
        }
        let (name, rest) = word.split_once('.')?;
        named(name, &|resource| resource.group == rest).or_else(|| {
            let (version, group) = rest.split_once('.').unwrap_or((rest, ""));
            named(name, &|resource| resource.version == version && resource.group == group)
        })
    }

    /// Every word for a type that can be listed.
    pub fn words(&self) -> Vec<String> {
        let words = |r: &Arc<Resource>| {
            [r.plural.clone(), r.singular.clone()]
                .into_iter()
                .chain(r.short_names.clone())
        };
        self.listable().flat_map(words).collect()
    }

    fn unknown(&self, word: &str) -> Report {
        let known = self.words();
        let report = Report::failed(
            error::UNKNOWN_TYPE,
            format!("the server doesn't have a resource type \"{word}\""),
        );
        let all = "`kubectl:api-resources` lists what it has";
        match did_you_mean(&nearest(word, known)) {
            Some(hint) => report.hint(format!("{hint} {all}")),
            None => report.hint(all),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct AggregatedResource {
    resource: String,
    response_kind: ResponseKind,
    scope: String,
    singular_resource: String,
    verbs: Vec<String>,
    short_names: Vec<String>,
    categories: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResponseKind {
    kind: String,
}

#[derive(Deserialize)]
struct AggregatedVersion {
    version: String,
    #[serde(default)]
    resources: Vec<AggregatedResource>,
}

#[derive(Deserialize)]
struct AggregatedGroup {
    #[serde(default)]
    metadata: GroupName,
    #[serde(default)]
    versions: Vec<AggregatedVersion>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct GroupName {
    name: String,
}

#[derive(Deserialize)]
struct AggregatedList {
    items: Vec<AggregatedGroup>,
}

fn aggregated(answer: Value) -> Result<Vec<Resource>, serde_json::Error> {
    let list: AggregatedList = serde_json::from_value(answer)?;
    let mut resources = Vec::new();
    for group in list.items {
        for version in group.versions {
            resources.extend(version.resources.into_iter().map(|found| Resource {
                group: group.metadata.name.clone(),
                version: version.version.clone(),
                plural: found.resource,
                singular: found.singular_resource,
                kind: found.response_kind.kind,
                short_names: found.short_names,
                categories: found.categories,
                namespaced: found.scope == "Namespaced",
                verbs: found.verbs,
            }));
        }
    }
    Ok(resources)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct PlainResource {
    name: String,
    singular_name: String,
    namespaced: bool,
    kind: String,
    verbs: Vec<String>,
    short_names: Vec<String>,
    categories: Vec<String>,
}

/// The older form: `/api` and `/apis` name the group versions, each has its own list.
async fn one_by_one(cluster: &Cluster, answer: &Value) -> Result<Vec<Resource>, kube::Error> {
    let mut resources = Vec::new();
    for (path, group, version) in group_versions(answer) {
        // One broken aggregated API server must not hide all others.
        let Ok(list) = cluster.get::<Value>(&path).await else {
            continue;
        };
        resources.extend(plain(&list, &group, &version));
    }
    Ok(resources)
}

/// `(path, group, version)` of every group version that `/api` (APIVersions) or `/apis` (APIGroupList) names.
fn group_versions(answer: &Value) -> Vec<(String, String, String)> {
    let strings = |value: &Value| {
        value.as_array().map_or(Vec::new(), |items| {
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        })
    };
    if answer["kind"] == "APIVersions" {
        return strings(&answer["versions"])
            .into_iter()
            .map(|v| (format!("/api/{v}"), String::new(), v))
            .collect();
    }
    let mut found = Vec::new();
    for group in answer["groups"].as_array().map_or(&[][..], Vec::as_slice) {
        let name = group["name"].as_str().unwrap_or_default();
        let preferred = group.pointer("/preferredVersion/version").and_then(Value::as_str);
        let all = group["versions"].as_array().map_or(&[][..], Vec::as_slice);
        let mut versions: Vec<&str> = all.iter().filter_map(|version| version["version"].as_str()).collect();
        versions.sort_by_key(|version| Some(*version) != preferred);
        found.extend(
            versions
                .into_iter()
                .map(|v| (format!("/apis/{name}/{v}"), name.to_owned(), v.to_owned())),
        );
    }
    found
}

fn plain(list: &Value, group: &str, version: &str) -> Vec<Resource> {
    let resources: Vec<PlainResource> = serde_json::from_value(list["resources"].clone()).unwrap_or_default();
    resources
        .into_iter()
        .filter(|found| !found.name.contains('/'))
        .map(|found| Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            singular: if found.singular_name.is_empty() {
                found.kind.to_lowercase()
            } else {
                found.singular_name
            },
            plural: found.name,
            kind: found.kind,
            short_names: found.short_names,
            categories: found.categories,
            namespaced: found.namespaced,
            verbs: found.verbs,
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    /// A few types as a server would name them.
    pub(crate) fn sample() -> Discovery {
        let answer = json!({"items": [
            {"metadata": {}, "versions": [{"version": "v1", "resources": [
                {"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced", "singularResource": "pod",
                 "verbs": ["get", "list"], "shortNames": ["po"], "categories": ["all"]},
                {"resource": "services", "responseKind": {"kind": "Service"}, "scope": "Namespaced", "singularResource": "service",
                 "verbs": ["get", "list"], "shortNames": ["svc"], "categories": ["all"]},
                {"resource": "nodes", "responseKind": {"kind": "Node"}, "scope": "Cluster", "singularResource": "node",
                 "verbs": ["get", "list"], "shortNames": ["no"]},
                {"resource": "events", "responseKind": {"kind": "Event"}, "scope": "Namespaced", "singularResource": "event",
                 "verbs": ["get", "list"], "shortNames": ["ev"]}]}]},
            {"metadata": {"name": "events.k8s.io"}, "versions": [{"version": "v1", "resources": [
                {"resource": "events", "responseKind": {"kind": "Event"}, "scope": "Namespaced", "singularResource": "event",
                 "verbs": ["get", "list"], "shortNames": ["ev"]}]}]},
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
                {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced",
                 "singularResource": "deployment", "verbs": ["get", "list"], "shortNames": ["deploy"], "categories": ["all"]},
                {"resource": "replicasets", "responseKind": {"kind": "ReplicaSet"}, "scope": "Namespaced",
                 "singularResource": "replicaset", "verbs": ["get", "list"], "shortNames": ["rs"], "categories": ["all"]}]}]}]});
        Discovery::new(aggregated(answer).unwrap())
    }

    #[test]
    fn words_lead_to_types() {
        let discovery = sample();
        for word in [
            "deploy",
            "deployment",
            "deployments",
            "Deployment",
            "deployments.apps",
            "deploy.apps",
            "deployments.v1.apps",
        ] {
            assert_eq!(
                discovery.find(word).unwrap().group_resource(),
                "deployments.apps",
                "{word}"
            );
        }
        assert_eq!(discovery.find("ev").unwrap().group, "", "the core comes first");
        assert_eq!(discovery.find("events.events.k8s.io").unwrap().group, "events.k8s.io");
        assert_eq!(discovery.find_all("all").unwrap().len(), 4);
        assert_eq!(
            discovery.of_kind(Some("apps/v1"), "Deployment").unwrap().type_name(),
            "deployment.apps"
        );
        assert_eq!(
            discovery.of_kind(None, "Pod").unwrap().collection(Some("a/b")),
            "/api/v1/namespaces/a%2Fb/pods"
        );
    }

    #[test]
    fn an_unknown_word_is_answered_as_by_kubectl_and_with_a_suggestion() {
        let report = sample().find("deploymnets").err().unwrap();
        assert_eq!(
            report.message,
            "the server doesn't have a resource type \"deploymnets\""
        );
        assert_eq!(
            report.hint.as_deref(),
            Some("did you mean deployments or deployment? `kubectl:api-resources` lists what it has")
        );
    }

    #[test]
    fn older_servers_name_group_versions_preferred_first() {
        let groups = json!({"kind": "APIGroupList", "groups": [{"name": "autoscaling",
            "versions": [{"version": "v1"}, {"version": "v2"}], "preferredVersion": {"version": "v2"}}]});
        let paths: Vec<String> = group_versions(&groups).into_iter().map(|(path, ..)| path).collect();
        assert_eq!(paths, ["/apis/autoscaling/v2", "/apis/autoscaling/v1"]);
        let list = json!({"resources": [{"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["list"]},
            {"name": "pods/log", "kind": "Pod", "namespaced": true, "verbs": ["get"]}]});
        assert_eq!(plain(&list, "", "v1").len(), 1, "subresources are no types");
    }
}
