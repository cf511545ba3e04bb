//! Offers types, names of live objects, namespaces, container=image pairs and revisions. Not for choosing: the input
//! line ranks and inserts.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::object;
use crate::features::kubernetes::path::Query;
use crate::verb::{Candidate, Completer, CompletionRequest};

/// A completion that takes longer is of no use.
const PATIENCE: Duration = Duration::from_secs(2);
/// More names than this are not looked through by anyone.
const MOST: usize = 200;
/// Names without the rest of the objects.
const NAMES_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// Completes `TYPE NAME` and `TYPE/NAME`, and what a verb adds to that.
pub struct Names {
    clients: Arc<Clients>,
    images: bool,
    /// Every word is the name of an object of this type.
    only: Option<&'static str>,
}

impl Names {
    /// Types and names.
    pub fn of(clients: &Arc<Clients>) -> Arc<dyn Completer> {
        Arc::new(Names {
            clients: clients.clone(),
            images: false,
            only: None,
        })
    }

    /// Names of one type, for verbs that take no other.
    pub fn of_type(clients: &Arc<Clients>, only: &'static str) -> Arc<dyn Completer> {
        Arc::new(Names {
            clients: clients.clone(),
            images: false,
            only: Some(only),
        })
    }

    /// Types and names, then `container=image` pairs.
    pub fn with_images(clients: &Arc<Clients>) -> Arc<dyn Completer> {
        Arc::new(Names {
            clients: clients.clone(),
            images: true,
            only: None,
        })
    }
}

#[async_trait]
impl Completer for Names {
    async fn complete(&self, request: CompletionRequest) -> Vec<Candidate> {
        candidates(self.ask(&request)).await
    }
}

/// What a completer found. It never interrupts typing with an error: no answer in time, no candidates.
pub async fn candidates(asking: impl Future<Output = Result<Vec<Candidate>, Report>>) -> Vec<Candidate> {
    let asked = tokio::time::timeout(PATIENCE, asking).await;
    asked.ok().and_then(Result::ok).unwrap_or_default()
}

impl Names {
    async fn ask(&self, request: &CompletionRequest) -> Result<Vec<Candidate>, Report> {
        let session = self.clients.session(&request.context).await?;
        let words = request.positionals.as_slice();
        let namespace = request.options.get("namespace");
        let namespace = namespace.cloned().unwrap_or_else(|| session.namespace.clone());
        match request.option.as_deref() {
            Some("namespace") => return names(&session, "namespaces", &namespace, "", &request.prefix).await,
            Some("to-revision" | "revision") => return revisions(&session, &namespace, words).await,
            Some(_) => return Ok(Vec::new()),
            None => {}
        }
        if let Some(only) = self.only {
            return names(&session, only, &namespace, "", &request.prefix).await;
        }
        let (resource, complete) = match words {
            [] => (None, false),
            [one, rest @ ..] => match one.split_once('/') {
                Some((kind, name)) => (Some((kind.to_owned(), name.to_owned())), true),
                None => (
                    Some((one.clone(), rest.first().cloned().unwrap_or_default())),
                    !rest.is_empty(),
                ),
            },
        };
        match resource {
            Some((kind, name)) if self.images && complete => containers(&session, &kind, &namespace, &name).await,
            Some((kind, _)) if !complete_in_one(words) => names(&session, &kind, &namespace, "", &request.prefix).await,
            _ => match request.prefix.split_once('/') {
                Some((kind, typed)) => names(&session, kind, &namespace, &format!("{kind}/"), typed).await,
                None => types(&session, &request.prefix).await,
            },
        }
    }
}

/// Whether type and name stand in one word, `TYPE/NAME`.
fn complete_in_one(words: &[String]) -> bool {
    words.first().is_some_and(|first| first.contains('/'))
}

async fn types(session: &Session, prefix: &str) -> Result<Vec<Candidate>, Report> {
    let discovery = session.cluster.discovery().await?;
    let (before, typed) = prefix
        .rsplit_once(',')
        .map_or(("", prefix), |(before, typed)| (before, typed));
    let before = if before.is_empty() {
        String::new()
    } else {
        format!("{before},")
    };
    let mut found = Vec::new();
    for resource in discovery.listable() {
        let mut spellings = vec![resource.plural.clone()];
        spellings.extend(resource.short_names.iter().cloned());
        if !resource.group.is_empty() && discovery.find(&resource.plural)?.group != resource.group {
            // The bare word means another group's type.
            spellings = vec![resource.group_resource()];
        }
        for spelling in spellings.into_iter().filter(|spelling| spelling.starts_with(typed)) {
            found.push(Candidate {
                value: format!("{before}{spelling}"),
                note: resource.kind.clone(),
            });
        }
    }
    Ok(found)
}

async fn names(
    session: &Session,
    kind: &str,
    namespace: &str,
    before: &str,
    prefix: &str,
) -> Result<Vec<Candidate>, Report> {
    let discovery = session.cluster.discovery().await?;
    let resource = discovery.find(kind.rsplit(',').next().unwrap_or(kind))?;
    let path = Query::new()
        .with("limit", MOST.to_string())
        .on(&resource.collection(Some(namespace)));
    let list: Value = session
        .cluster
        .get_as(&path, NAMES_ONLY)
        .await
        .map_err(|error| session.cluster.report(&error))?;
    Ok(object::list(&list, "/items")
        .iter()
        .map(object::name)
        .filter(|name| name.starts_with(prefix))
        .map(|name| Candidate {
            value: format!("{before}{name}"),
            note: resource.kind.clone(),
        })
        .collect())
}

async fn containers(session: &Session, kind: &str, namespace: &str, name: &str) -> Result<Vec<Candidate>, Report> {
    let resource = session.cluster.discovery().await?.find(kind)?;
    let live: Value = session
        .cluster
        .get(&resource.object(namespace, name))
        .await
        .map_err(|error| session.cluster.report(&error))?;
    let images = object::pod_spec_pointer(&resource.kind)
        .and_then(|at| live.pointer(at))
        .map(object::images)
        .unwrap_or_default();
    Ok(images
        .into_iter()
        .map(|(name, image)| Candidate {
            value: format!("{name}={}", object::text(&image, "")),
            note: "current image".to_owned(),
        })
        .collect())
}

async fn revisions(session: &Session, namespace: &str, words: &[String]) -> Result<Vec<Candidate>, Report> {
    let name = match words {
        [one] => one.split_once('/').map_or(one.as_str(), |(_, name)| name),
        [_, name, ..] => name,
        [] => return Ok(Vec::new()),
    };
    let history = super::rollout::history::revisions_of(session, namespace, name).await?;
    Ok(history
        .into_iter()
        .rev()
        .map(|revision| Candidate {
            value: revision.number.to_string(),
            note: revision.cause,
        })
        .collect())
}
