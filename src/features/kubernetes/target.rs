//! What a verb acts on: `TYPE NAME…`, `TYPE/NAME…`, `TYPE1,TYPE2`, a selector, manifests, or the object that came down
//! the pipe. Not for reading the objects themselves.

use std::sync::Arc;

use serde_json::Value;

use super::client::Session;
use super::discovery::{Discovery, Resource};
use super::documents::{self, Document};
use super::error::{self, UNKNOWN_TYPE, usage};
use super::listing;
use super::nearby;
use super::object;
use super::path::Query;
use crate::core::record::Record;
use crate::core::report::Report;
use crate::verb::Call;

/// One object.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Its type.
    pub resource: Arc<Resource>,
    /// Its namespace; empty for a cluster's own.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Target {
    /// `deployment.apps/web`, as kubectl's sentences begin.
    pub fn title(&self) -> String {
        format!("{}/{}", self.resource.type_name(), self.name)
    }

    /// The object's path.
    pub fn path(&self) -> String {
        self.resource.object(&self.namespace, &self.name)
    }

    /// As a change names it.
    pub fn changed(&self) -> crate::core::change::Target {
        crate::core::change::Target {
            kind: self.resource.kind.clone(),
            scope: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// Reads the object.
    pub async fn read(&self, session: &Session) -> Result<Value, Report> {
        let found: Value = session
            .cluster
            .get(&self.path())
            .await
            .map_err(|error| session.cluster.report(&error))?;
        Ok(object::cleaned(
            found,
            &self.resource.api_version(),
            &self.resource.kind,
        ))
    }
}

/// What the words of a command name.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// These objects.
    Named(Vec<Target>),
    /// All objects of these types that the selectors let through.
    Listed {
        /// The types.
        resources: Vec<Arc<Resource>>,
        /// One namespace; none: all.
        namespace: Option<String>,
    },
}

/// The namespace a call means: `--namespace`, else the context's.
pub fn namespace_of(call: &Call, session: &Session) -> String {
    call.arguments
        .text("namespace")
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| session.namespace.clone())
}

/// Reads `TYPE NAME…`, `TYPE/NAME…` or `TYPE,TYPE` from words. `all_namespaces` widens a list.
pub fn parse(
    discovery: &Discovery,
    words: &[String],
    namespace: &str,
    all_namespaces: bool,
) -> Result<Selection, Report> {
    let Some(first) = words.first() else {
        return Err(usage("You must specify the type of resource").hint("for example: deploy, pods, svc/NAME"));
    };
    if first.is_empty() {
        return Err(usage("You must specify the type of resource").hint("for example: deploy, pods, svc/NAME"));
    }
    if words.iter().any(|word| word.contains('/')) {
        return by_slash(discovery, words, namespace).map(Selection::Named);
    }
    let mut resources = Vec::new();
    for word in first.split(',').filter(|word| !word.is_empty()) {
        for resource in discovery.find_all(word)? {
            if !resources.contains(&resource) {
                resources.push(resource);
            }
        }
    }
    let names = &words[1..];
    names.iter().try_for_each(|name| named(name))?;
    if names.is_empty() {
        let namespace = (!all_namespaces).then(|| namespace.to_owned());
        return Ok(Selection::Listed { resources, namespace });
    }
    let mut named = Vec::new();
    for resource in &resources {
        named.extend(names.iter().map(|name| target(resource, namespace, name)));
    }
    Ok(Selection::Named(named))
}

/// Refuses what is no object's name: without one a path means the whole collection.
pub fn named(name: &str) -> Result<(), Report> {
    let why = match name {
        "" => return Err(usage("resource name may not be empty")),
        "." | ".." => format!("may not be '{name}'"),
        _ if name.contains('%') => "may not contain '%'".to_owned(),
        _ => return Ok(()),
    };
    Err(usage(format!("invalid resource name \"{name}\": [{why}]")))
}

fn by_slash(discovery: &Discovery, words: &[String], namespace: &str) -> Result<Vec<Target>, Report> {
    words
        .iter()
        .map(|word| match word.split_once('/') {
            None => Err(usage(format!(
                "there is no need to specify a resource type as a separate argument when passing arguments in \
                 resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource \
                 resource/<resource_name>'): {word}"
            ))),
            Some(("", _)) | Some((_, "")) => Err(usage(format!(
                "arguments in resource/name form must have a single resource and name: {word}"
            ))),
            Some((_, name)) if name.contains('/') => Err(usage(format!(
                "arguments in resource/name form may not have more than one slash: {word}"
            ))),
            Some((kind, name)) => {
                named(name)?;
                Ok(target(&discovery.find(kind)?, namespace, name))
            }
        })
        .collect()
}

fn target(resource: &Arc<Resource>, namespace: &str, name: &str) -> Target {
    let namespace = if resource.namespaced {
        namespace.to_owned()
    } else {
        String::new()
    };
    Target {
        resource: resource.clone(),
        namespace,
        name: name.to_owned(),
    }
}

/// The object a record stands for: an API object, or a record of ours with kind, name and namespace.
pub fn of_record(discovery: &Discovery, record: &Record, namespace: &str) -> Result<Target, Report> {
    let kind = object::text(record, "/kind");
    let name = [object::name(record), object::text(record, "/name")]
        .into_iter()
        .find(|n| !n.is_empty())
        .unwrap_or_default();
    if kind.is_empty() || name.is_empty() {
        return Err(Report::failed(
            super::error::USAGE,
            "the incoming record is no Kubernetes object: it has no kind and name",
        )
        .hint("feed it from kubectl:get, or name the object")
        .on_record(record));
    }
    let version = object::text(record, "/apiVersion");
    let resource = discovery
        .of_kind(Some(version).filter(|version| !version.is_empty()), kind)
        .ok_or_else(|| {
            Report::failed(
                super::error::UNKNOWN_TYPE,
                format!("the server doesn't have a kind \"{kind}\""),
            )
            .on_record(record)
        })?;
    let own = [object::namespace(record), object::text(record, "/namespace")]
        .into_iter()
        .find(|n| !n.is_empty());
    Ok(target(&resource, own.unwrap_or(namespace), name))
}

/// What a call acts on: what `--filename` names, else its words if there are any, else the incoming record.
pub async fn selection(call: &Call, session: &Session, words: &[String]) -> Result<Selection, Report> {
    let other = || is_picked(call) || !words.is_empty() || call.arguments.flag("all");
    if !call.arguments.list("filename").is_empty() && other() {
        return Err(usage(
            "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
        ));
    }
    if let Some(targets) = documented(call, session).await? {
        return Ok(Selection::Named(targets));
    }
    let namespace = namespace_of(call, session);
    let attempt = |discovery: &Discovery| match &call.record {
        Some(record) if words.is_empty() => {
            of_record(discovery, record, &namespace).map(|target| Selection::Named(vec![target]))
        }
        _ => parse(discovery, words, &namespace, call.arguments.flag("all-namespaces")),
    };
    match attempt(&*session.cluster.discovery().await?) {
        // The type may have been installed since the server was asked.
        Err(report) if report.code == super::error::UNKNOWN_TYPE => attempt(&*session.cluster.rediscover().await?),
        other => other,
    }
}

/// The objects of a selection, read: named ones one by one, others through the selectors of the call. Every name that
/// is missing is told.
pub async fn objects(call: &Call, session: &Session, selection: Selection) -> Result<Vec<(Target, Value)>, Report> {
    let mut found = Vec::new();
    match selection {
        Selection::Named(targets) => {
            let mut failures = Vec::new();
            for target in targets {
                match target.read(session).await {
                    Ok(object) => found.push((target, object)),
                    Err(report) if report.code == error::NOT_FOUND => failures.push((target, report)),
                    Err(report) => return Err(report),
                }
            }
            if !failures.is_empty() && !call.arguments.flag("ignore-not-found") {
                let missing = failures.iter().map(|(target, report)| (target, report.clone()));
                return match nearby::missing(call, session, missing.collect()).await {
                    Some(report) => Err(report),
                    None => Ok(found),
                };
            }
        }
        Selection::Listed { resources, namespace } => {
            for resource in resources {
                let path = resource.collection(namespace.as_deref());
                for item in listing::list(session, &path, &selectors(call)).await? {
                    let item = object::cleaned(item, &resource.api_version(), &resource.kind);
                    let target = target(&resource, object::namespace(&item), object::name(&item));
                    found.push((target, item));
                }
            }
        }
    }
    Ok(found)
}

/// Refuses a verb that was given no object, before the server is asked for any.
pub fn some(call: &Call, words: &[String]) -> Result<(), Report> {
    if words.is_empty() && call.record.is_none() && call.arguments.list("filename").is_empty() {
        return Err(usage(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    Ok(())
}

/// Whether a selector of the call picks objects. An empty one picks nothing rather than everything.
pub fn is_picked(call: &Call) -> bool {
    let picks = |name: &&str| call.arguments.text(name).is_some_and(|text| !text.trim().is_empty());
    ["selector", "field-selector"].iter().any(picks)
}

/// The objects of a verb that changes them: named ones, or a listing that `--all` or a selector asks for.
pub async fn chosen(call: &Call, session: &Session, words: &[String]) -> Result<Vec<(Target, Value)>, Report> {
    let selection = selection(call, session, words).await?;
    if matches!(selection, Selection::Listed { .. }) && !is_picked(call) && !call.arguments.flag("all") {
        return Err(usage("resource(s) were provided, but no name was specified").hint("name it, or add --all"));
    }
    objects(call, session, selection).await
}

/// The query of a call's `--selector` and `--field-selector`.
pub fn selectors(call: &Call) -> Query {
    Query::new()
        .with_some("labelSelector", call.arguments.text("selector"))
        .with_some("fieldSelector", call.arguments.text("field-selector"))
}

/// The objects of the cluster that `--filename` means; none where the option is not given.
async fn documented(call: &Call, session: &Session) -> Result<Option<Vec<Target>>, Report> {
    if call.arguments.list("filename").is_empty() {
        return Ok(None);
    }
    let mut targets = Vec::new();
    for document in documents::of(call).await? {
        targets.push(of_document(call, session, &document).await?);
    }
    Ok(Some(targets))
}

/// The object of the cluster that a document means.
pub async fn of_document(call: &Call, session: &Session, document: &Document) -> Result<Target, Report> {
    let (object, source) = (&document.object, &document.source);
    let (version, kind) = (object::text(object, "/apiVersion"), object::text(object, "/kind"));
    let (own, name) = (object::namespace(object), object::name(object));
    let exact = |discovery: &Discovery| {
        discovery
            .of_kind(Some(version), kind)
            .filter(|resource| resource.api_version() == version)
    };
    let known = exact(&*session.cluster.discovery().await?);
    // The type may have been installed since the server was asked.
    let known = match known {
        Some(resource) => Some(resource),
        None => exact(&*session.cluster.rediscover().await?),
    };
    let Some(resource) = known else {
        return Err(Report::failed(
            UNKNOWN_TYPE,
            format!(
                "resource mapping not found for name: \"{name}\" namespace: \"{own}\" from \"{source}\": no matches for \
                 kind \"{kind}\" in version \"{version}\"\nensure CRDs are installed first"
            ),
        ));
    };
    if name.is_empty() {
        let hint = match object::text(object, "/metadata/generateName") {
            "" => "give it a name",
            _ => "give it a name: none is made of metadata.generateName",
        };
        return Err(usage("resource name may not be empty").hint(hint));
    }
    let asked = call.arguments.text("namespace").filter(|name| !name.is_empty());
    if let (true, Some(asked)) = (resource.namespaced, &asked)
        && !own.is_empty()
        && own != asked
    {
        return Err(usage(format!(
            "the namespace from the provided object \"{own}\" does not match the namespace \"{asked}\". You must pass \
             '--namespace={own}' to perform this operation."
        )));
    }
    let namespace = match (resource.namespaced, own) {
        (false, _) => String::new(),
        (true, "") => namespace_of(call, session),
        (true, own) => own.to_owned(),
    };
    Ok(Target {
        resource,
        namespace,
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::super::discovery::tests::sample;
    use super::*;
    use serde_json::json;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn titles(line: &str) -> Vec<String> {
        match parse(&sample(), &words(line), "default", false).unwrap() {
            Selection::Named(targets) => targets.iter().map(Target::title).collect(),
            Selection::Listed { resources, .. } => resources
                .iter()
                .map(|r| format!("all {}", r.group_resource()))
                .collect(),
        }
    }

    #[test]
    fn the_forms_of_kubectl() {
        assert_eq!(titles("deploy a b"), ["deployment.apps/a", "deployment.apps/b"]);
        assert_eq!(titles("po/a svc/b"), ["pod/a", "service/b"]);
        assert_eq!(titles("po,svc"), ["all pods", "all services"]);
        assert_eq!(titles("po,svc a"), ["pod/a", "service/a"]);
    }

    #[test]
    fn mixed_forms_and_half_names_are_usage_errors() {
        for line in ["deploy po/a", "po/a b", "po/", "/a", "po/a/b", ""] {
            let report = parse(&sample(), &words(line), "default", false).err().unwrap();
            assert_eq!(report.code, super::super::error::USAGE, "{line}");
        }
    }

    #[test]
    fn what_is_no_name_never_becomes_a_collection() {
        for words in [
            vec!["deploy", ""],
            vec!["deploy", "web", ""],
            vec!["deploy", ".."],
            vec!["deploy", "a%2fb"],
            vec![""],
        ] {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            let report = parse(&sample(), &words, "default", false).unwrap_err();
            assert_eq!(report.code, super::super::error::USAGE, "{words:?}");
        }
        assert!(parse(&sample(), &words("deploy/.."), "default", false).is_err());
    }

    #[test]
    fn a_cluster_s_own_object_has_no_namespace() {
        let Selection::Named(targets) = parse(&sample(), &words("no n1"), "default", false).unwrap() else {
            panic!()
        };
        assert_eq!(targets[0].path(), "/api/v1/nodes/n1");
    }

    #[test]
    fn upstream_records_name_their_own_namespace() {
        let object =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}});
        let target = of_record(&sample(), &object, "default").unwrap();
        assert_eq!(target.path(), "/apis/apps/v1/namespaces/shop/deployments/web");
        let sentence =
            json!({"kind": "Service", "name": "web", "namespace": "shop", "action": "exposed", "message": "m"});
        assert_eq!(
            of_record(&sample(), &sentence, "default").unwrap().path(),
            "/api/v1/namespaces/shop/services/web"
        );
        assert!(of_record(&sample(), &json!({"a": 1}), "default").is_err());
    }
}
