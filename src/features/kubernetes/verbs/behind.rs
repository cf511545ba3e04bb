//! From what a person names to where something runs: the pods behind a workload or service, the container that is meant.

use serde_json::Value;

use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Session;
use crate::features::kubernetes::error::{NOT_FOUND, usage};
use crate::features::kubernetes::listing;
use crate::features::kubernetes::object::{self, list, text};
use crate::features::kubernetes::path::Query;
use crate::features::kubernetes::target::{self, Selection, Target};
use crate::verb::Call;

/// The one pod that a word (`POD`, `TYPE/NAME`) or the incoming object means.
pub async fn pod(call: &Call, session: &Session, word: Option<&str>) -> Result<Value, Report> {
    let words: Vec<String> = match word {
        None => Vec::new(),
        Some(word) if word.contains('/') => vec![word.to_owned()],
        Some(word) => vec!["pods".to_owned(), word.to_owned()],
    };
    let selection = target::selection(call, session, &words).await?;
    if matches!(selection, Selection::Listed { .. }) {
        return Err(usage("a POD or TYPE/NAME is needed"));
    }
    let found = target::objects(call, session, selection).await?;
    let Some((target, live)) = found.into_iter().next() else {
        return Err(usage("a POD or TYPE/NAME is needed"));
    };
    if target.resource.kind == "Pod" {
        return Ok(live);
    }
    let pods = pods_of(call, session, &target, &live).await?;
    pods.into_iter()
        .next()
        .ok_or_else(|| Report::failed(NOT_FOUND, format!("{} has no pods", target.title())))
}

/// The pods of a workload or service: all, or the one to look at first.
pub async fn pods_of(call: &Call, session: &Session, target: &Target, live: &Value) -> Result<Vec<Value>, Report> {
    let selector = pod_selector(target, live)?;
    let resource = session.cluster.discovery().await?.find("pods")?;
    let path = resource.collection(Some(&target.namespace));
    let mut pods = listing::list(session, &path, &Query::new().with("labelSelector", selector)).await?;
    pods.sort_by_key(rank);
    if pods.is_empty() {
        return Err(Report::failed(
            NOT_FOUND,
            format!("timed out waiting for the condition: {} has no pods", target.title()),
        ));
    }
    if call.arguments.flag("all-pods") {
        return Ok(pods);
    }
    if pods.len() > 1 {
        let chosen = pods.first().map(object::name).unwrap_or_default();
        call.operator.note(SafeText::line(&format!(
            "Found {} pods, using pod/{chosen}",
            pods.len()
        )));
    }
    pods.truncate(1);
    Ok(pods)
}

/// The label selector of the pods of a workload or service.
pub fn pod_selector(target: &Target, live: &Value) -> Result<String, Report> {
    let selector = match target.resource.kind.as_str() {
        "Service" | "ReplicationController" => object::map(live, "/spec/selector").map(object::label_query),
        _ => live.pointer("/spec/selector").map(object::selector_query),
    };
    selector
        .filter(|selector| !selector.is_empty())
        .ok_or_else(|| usage(format!("cannot find pods of {}: it selects none", target.title())))
}

/// Pods that tell more come first: placed, running, ready, then the oldest.
pub fn rank(pod: &Value) -> (bool, u8, bool, String) {
    let phase = match text(pod, "/status/phase") {
        "Running" => 0,
        "Pending" => 2,
        _ => 1,
    };
    let ready = list(pod, "/status/conditions")
        .iter()
        .any(|c| text(c, "/type") == "Ready" && text(c, "/status") == "True");
    (
        text(pod, "/spec/nodeName").is_empty(),
        phase,
        !ready,
        text(pod, "/metadata/creationTimestamp").to_owned(),
    )
}

/// The container that is meant when none is named: the one that the pod's annotation names, else the first.
pub fn default_name(pod: &Value) -> String {
    let first = || list(pod, "/spec/containers").first().map(|c| text(c, "/name"));
    annotated(pod).or_else(first).unwrap_or_default().to_owned()
}

fn annotated(pod: &Value) -> Option<&str> {
    let regular = list(pod, "/spec/containers");
    object::annotation(pod, "kubectl.kubernetes.io/default-container")
        .filter(|name| regular.iter().any(|container| text(container, "/name") == *name))
}

/// [`default_name`]; where several could be meant and the pod does not say which, it is told.
pub fn default_container(call: &Call, pod: &Value) -> String {
    let default = default_name(pod);
    let names = |pointer: &str, mark: &str| -> Vec<String> {
        let containers = list(pod, pointer).iter();
        containers.map(|c| format!("{}{mark}", text(c, "/name"))).collect()
    };
    let all = [names("/spec/containers", ""), names("/spec/initContainers", " (init)")].concat();
    if all.len() > 1 && annotated(pod).is_none() {
        call.operator.note(SafeText::line(&format!(
            "Defaulted container \"{default}\" out of: {}",
            all.join(", ")
        )));
    }
    default
}
