//! Offers types, names of live objects, namespaces, labels, containers, container=image pairs and revisions. Not for
//! choosing: the input line ranks and inserts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::Instant;

use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::FORBIDDEN;
use crate::features::kubernetes::listing::Listing;
use crate::features::kubernetes::object;
use crate::features::kubernetes::path::Query;
use crate::verb::{Candidate, Completer, Completion, CompletionRequest};

/// A completion that takes longer is of no use.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pages of a large collection are asked for until then, so that what they held is told before [`PATIENCE`] is over.
const LOOKING: Duration = Duration::from_millis(1_500);
/// More names than this are not looked through by anyone: whoever types on is answered anew.
const MOST: usize = 400;
/// A key with more values than this is offered without them at first.
const FEW: usize = 8;
/// What has pods, as it is written before a name.
const WITH_PODS: [(&str, &str); 7] = [
    ("deploy/", "Deployment"),
    ("sts/", "StatefulSet"),
    ("ds/", "DaemonSet"),
    ("rs/", "ReplicaSet"),
    ("job/", "Job"),
    ("svc/", "Service"),
    ("po/", "Pod"),
];

/// What the words of a verb name.
#[derive(Clone, Copy, PartialEq)]
enum Words {
    /// `TYPE NAME`, `TYPE/NAME`.
    Objects,
    /// The same, then `container=image` pairs.
    Images,
    /// A pod, or `TYPE/NAME` of something that has pods.
    Pods,
    /// Objects of this type.
    Only(&'static str),
}

/// Completes the words of a verb, and the options that name something.
pub struct Names {
    clients: Arc<Clients>,
    words: Words,
}

impl Names {
    /// Types and names.
    pub fn of(clients: &Arc<Clients>) -> Arc<dyn Completer> {
        Self::completing(clients, Words::Objects)
    }

    /// Names of one type, for verbs that take no other.
    pub fn of_type(clients: &Arc<Clients>, only: &'static str) -> Arc<dyn Completer> {
        Self::completing(clients, Words::Only(only))
    }

    /// Pods, and types of what has pods.
    pub fn of_pods(clients: &Arc<Clients>) -> Arc<dyn Completer> {
        Self::completing(clients, Words::Pods)
    }

    /// Types and names, then `container=image` pairs.
    pub fn with_images(clients: &Arc<Clients>) -> Arc<dyn Completer> {
        Self::completing(clients, Words::Images)
    }

    fn completing(clients: &Arc<Clients>, words: Words) -> Arc<dyn Completer> {
        let clients = clients.clone();
        Arc::new(Names { clients, words })
    }
}

#[async_trait]
impl Completer for Names {
    async fn complete(&self, request: CompletionRequest) -> Completion {
        candidates(self.ask(&request)).await
    }
}

/// What a completer found. It never interrupts typing with an error: what was wrong is told beside the candidates.
pub async fn candidates(asking: impl Future<Output = Result<Completion, Report>>) -> Completion {
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(found)) => found,
        Ok(Err(report)) => Completion::none(reason(&report)),
        Err(_) => Completion::none(format!("the cluster gave no answer within {} s", PATIENCE.as_secs())),
    }
}

/// Why nothing is offered, for one short line: what is missing comes first.
fn reason(report: &Report) -> String {
    let said = report.message.as_str();
    match said.split_once(": ") {
        Some((_, denied)) if report.code == FORBIDDEN => format!("not allowed: {denied}"),
        _ => said.to_owned(),
    }
}

impl Names {
    async fn ask(&self, request: &CompletionRequest) -> Result<Completion, Report> {
        let session = self.clients.session(&request.context).await?;
        let words = request.positionals.as_slice();
        let namespace = request.options.get("namespace");
        let namespace = namespace.cloned().unwrap_or_else(|| session.namespace.clone());
        match request.option.as_deref() {
            Some("namespace") => return names(&session, "namespaces", &namespace, "", &request.prefix).await,
            Some("selector") => {
                let kind = match (self.words, words) {
                    (Words::Only(only), _) => only,
                    (Words::Pods, _) => "pods",
                    (_, [first, ..]) => first.split(['/', ',']).next().unwrap_or_default(),
                    (_, []) => return Ok(Completion::default()),
                };
                let found = listed(&session, kind, &namespace, |_| true).await?;
                return Ok(Completion {
                    more: found.more,
                    ..labels(&found.objects, &request.prefix).into()
                });
            }
            Some("to-revision" | "revision") => return Ok(revisions(&session, &namespace, words).await?.into()),
            Some("container") => {
                let Some((kind, name)) = named(words) else {
                    return Ok(Completion::default());
                };
                let found = containers(&session, &kind, &namespace, &name).await?;
                let fits = found.into_iter().filter(|(name, _)| name.starts_with(&request.prefix));
                let fits = fits.map(|(value, note)| Candidate { value, note });
                return Ok(fits.collect::<Vec<_>>().into());
            }
            Some(_) => return Ok(Completion::default()),
            None => {}
        }
        match self.words {
            Words::Only(only) => return names(&session, only, &namespace, "", &request.prefix).await,
            Words::Pods if words.is_empty() && !request.prefix.contains('/') => {
                return pods(&session, &namespace, &request.prefix).await;
            }
            // Behind the pod stands what is run in it, or a port.
            Words::Pods if !words.is_empty() => return Ok(Completion::default()),
            _ => {}
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
            Some((kind, name)) if self.words == Words::Images && complete => {
                let found = containers(&session, &kind, &namespace, &name).await?;
                Ok(pairs(found, words).into())
            }
            Some((kind, _)) if !complete_in_one(words) => names(&session, &kind, &namespace, "", &request.prefix).await,
            _ => match request.prefix.split_once('/') {
                Some((kind, typed)) => names(&session, kind, &namespace, &format!("{kind}/"), typed).await,
                None => {
                    let found = types(&session, &request.prefix).await?;
                    Ok(match self.words {
                        Words::Images => with_images(found).into(),
                        _ => found.into(),
                    })
                }
            },
        }
    }
}

/// The types that have images, those first whose images are changed as a rule.
fn with_images(mut types: Vec<Candidate>) -> Vec<Candidate> {
    types.retain(|candidate| object::pod_spec_pointer(&candidate.note).is_some());
    let rank = |kind: &str| WITH_PODS.iter().position(|(_, known)| *known == kind);
    types.sort_by_key(|candidate| rank(&candidate.note).unwrap_or(WITH_PODS.len()));
    types
}

/// The object that the first word names: a pod, where it names no type.
fn named(words: &[String]) -> Option<(String, String)> {
    let (kind, name) = words.first()?.split_once('/').unwrap_or(("pods", words.first()?));
    Some((kind.to_owned(), name.to_owned()))
}

/// The pods, then the types of what has pods.
async fn pods(session: &Session, namespace: &str, prefix: &str) -> Result<Completion, Report> {
    // Who may not list pods may still name what has them.
    let found = names(session, "pods", namespace, "", prefix).await;
    let mut found = found.unwrap_or_else(|report| Completion::none(reason(&report)));
    let types = WITH_PODS.iter().filter(|(before, _)| before.starts_with(prefix));
    found.candidates.extend(types.map(|(before, kind)| Candidate {
        value: (*before).to_owned(),
        note: (*kind).to_owned(),
    }));
    Ok(found)
}

/// `container=image` of those that no word names yet.
fn pairs(containers: Vec<(String, String)>, words: &[String]) -> Vec<Candidate> {
    let given = |name: &str| {
        words
            .iter()
            .any(|word| word.split_once('=').is_some_and(|(known, _)| known == name))
    };
    let open = containers.into_iter().filter(|(name, _)| !given(name));
    open.map(|(name, image)| Candidate {
        value: format!("{name}={image}"),
        note: "current image".to_owned(),
    })
    .collect()
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
) -> Result<Completion, Report> {
    let found = listed(session, kind, namespace, |name| name.starts_with(prefix)).await?;
    let names = found.objects.iter().map(object::name);
    let candidates = names.map(|name| Candidate {
        value: format!("{before}{name}"),
        note: found.kind.clone(),
    });
    Ok(Completion {
        candidates: candidates.collect(),
        more: found.more,
        why: found.why,
    })
}

/// Objects of a type with nothing but their metadata.
struct Listed {
    kind: String,
    objects: Vec<Value>,
    /// Not all were looked at, for this reason; none: there was enough.
    more: bool,
    why: Option<String>,
}

/// The objects whose names fit, page after page, until they are enough or it takes too long.
async fn listed(session: &Session, kind: &str, namespace: &str, fits: impl Fn(&str) -> bool) -> Result<Listed, Report> {
    let until = Instant::now() + LOOKING;
    let discovery = session.cluster.discovery().await?;
    let resource = discovery.find(kind.rsplit(',').next().unwrap_or(kind))?;
    let path = resource.collection(Some(namespace));
    let (mut listing, all) = (Listing::names(), Query::new());
    let (mut objects, mut looked_at, mut why) = (Vec::new(), 0, None);
    while listing.more && objects.len() < MOST {
        let page = listing.page(session, &path, &all);
        // The first page has all the time there is: without it there is nothing.
        let asked = match looked_at {
            0 => Ok(page.await),
            _ => tokio::time::timeout_at(until, page).await,
        };
        match asked {
            Ok(Ok(())) => {}
            Ok(Err(error)) if looked_at == 0 => return Err(session.cluster.report(&error)),
            Ok(Err(error)) => why = Some(reason(&session.cluster.report(&error))),
            Err(_) => why = Some(format!("only the first {looked_at} were looked at")),
        }
        if why.is_some() {
            break;
        }
        let page = std::mem::take(&mut listing.items);
        looked_at += page.len();
        objects.extend(page.into_iter().filter(|object| fits(object::name(object))));
    }
    Ok(Listed {
        kind: resource.kind.clone(),
        more: listing.more,
        objects,
        why,
    })
}

/// What may stand behind the last comma of a selector: `KEY=VALUE`; of a key with many values `KEY=` until that is typed.
fn labels(objects: &[Value], prefix: &str) -> Vec<Candidate> {
    let (before, typed) = match prefix.rsplit_once(',') {
        Some((before, typed)) => (format!("{before},"), typed),
        None => (String::new(), prefix),
    };
    let mut found: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for object in objects {
        for (key, value) in object::map(object, "/metadata/labels").into_iter().flatten() {
            let values = found.entry(key).or_default();
            *values.entry(value.as_str().unwrap_or_default()).or_default() += 1;
        }
    }
    let mut offered = Vec::new();
    for (key, values) in found {
        if values.len() > FEW && !typed.starts_with(&format!("{key}=")) {
            offered.push((format!("{key}="), format!("{} values", values.len())));
            continue;
        }
        let objects = |count: usize| match count {
            1 => "1 object".to_owned(),
            count => format!("{count} objects"),
        };
        let pairs = values.into_iter();
        offered.extend(pairs.map(|(value, count)| (format!("{key}={value}"), objects(count))));
    }
    offered.retain(|(text, _)| text.starts_with(typed));
    let candidate = |(text, note)| Candidate {
        value: format!("{before}{text}"),
        note,
    };
    offered.into_iter().map(candidate).collect()
}

/// The containers of an object's pods with their images.
async fn containers(
    session: &Session,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<Vec<(String, String)>, Report> {
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
    let text = |(name, image): (String, _)| (name, object::text(&image, "").to_owned());
    Ok(images.into_iter().map(text).collect())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn types_with_images_come_first_for_images_and_others_not_at_all() {
        let kinds = [
            ("configmaps", "ConfigMap"),
            ("pods", "Pod"),
            ("po", "Pod"),
            ("deployments", "Deployment"),
            ("cronjobs", "CronJob"),
        ];
        let types = kinds.map(|(value, note)| Candidate {
            value: value.to_owned(),
            note: note.to_owned(),
        });
        let found: Vec<String> = with_images(types.to_vec()).into_iter().map(|c| c.value).collect();
        assert_eq!(found, ["deployments", "pods", "po", "cronjobs"]);
    }

    #[test]
    fn a_container_whose_image_is_named_already_is_not_offered_again() {
        let containers = || {
            vec![
                ("web".to_owned(), "nginx:1".to_owned()),
                ("log".to_owned(), "fluent:2".to_owned()),
            ]
        };
        let offered = |text: &str| -> Vec<String> {
            let found = pairs(containers(), &words(text));
            found.into_iter().map(|candidate| candidate.value).collect()
        };
        assert_eq!(offered("deploy web"), ["web=nginx:1", "log=fluent:2"]);
        assert_eq!(offered("deploy web web=nginx:2"), ["log=fluent:2"]);
        assert_eq!(offered("deploy/web log=a=b web=x"), Vec::<String>::new());
    }

    #[test]
    fn labels_are_offered_with_their_values_where_those_are_few() {
        let objects: Vec<Value> = (0..20)
            .map(|n| (if n % 2 == 0 { "web" } else { "api" }, format!("h{n}")))
            .map(|(app, hash)| serde_json::json!({"metadata": {"labels": {"app": app, "hash": hash}}}))
            .chain([serde_json::json!({"metadata": {}})])
            .collect();
        let offered = |prefix: &str| -> Vec<String> {
            labels(&objects, prefix)
                .into_iter()
                .map(|candidate| candidate.value)
                .collect()
        };
        assert_eq!(offered(""), ["app=api", "app=web", "hash="]);
        assert_eq!(offered("app=w"), ["app=web"]);
        assert_eq!(offered("app=web,ha"), ["app=web,hash="]);
        assert_eq!(offered("hash=h19"), ["hash=h19"]);
        assert_eq!(labels(&objects, "app=w")[0].note, "10 objects");
        assert!(offered("nope").is_empty());
    }

    #[test]
    fn the_first_word_names_a_pod_or_something_that_has_pods() {
        assert_eq!(named(&words("web-abc")).unwrap(), ("pods".into(), "web-abc".into()));
        assert_eq!(named(&words("deploy/web x")).unwrap(), ("deploy".into(), "web".into()));
        assert_eq!(named(&[]), None);
    }
}
