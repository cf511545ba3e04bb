//! The indexes of an indexed job: which are done, which pod has which, and how a list of them is written (`0-2,5`).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::sandbox::kubernetes::objects::{name, text};

const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Most indexes a job has, as in the real API.
const MOST: i64 = 100_000;

/// The indexes that are done, of how many.
#[derive(Debug)]
pub struct Indexes {
    done: BTreeSet<i64>,
    count: i64,
}

impl Indexes {
    /// Of a job and its pods; those that were done before stay so. None for a job without indexes.
    pub fn of(job: &Value, pods: &[Arc<Value>]) -> Option<Self> {
        if text(job, "/spec/completionMode") != "Indexed" {
            return None;
        }
        let count = job.pointer("/spec/completions").and_then(Value::as_i64)?.clamp(0, MOST);
        let mut done = read(text(job, "/status/completedIndexes"), count);
        let succeeded = pods.iter().filter(|pod| text(pod, "/status/phase") == "Succeeded");
        done.extend(
            succeeded
                .filter_map(|pod| index(pod))
                .filter(|index| (0..count).contains(index)),
        );
        Some(Indexes { done, count })
    }

    /// How many are done.
    pub fn completed(&self) -> i64 {
        i64::try_from(self.done.len()).unwrap_or(i64::MAX)
    }

    /// Those that are neither done nor given to one of these pods, the lowest first.
    pub fn missing(&self, active: &[&Value]) -> impl Iterator<Item = i64> + use<> {
        let given: BTreeSet<i64> = active.iter().filter_map(|pod| index(pod)).collect();
        let done = self.done.clone();
        (0..self.count).filter(move |index| !done.contains(index) && !given.contains(index))
    }

    /// `0-2,5`.
    pub fn text(&self) -> String {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for index in &self.done {
            match ranges.last_mut() {
                Some((_, end)) if *end + 1 == *index => *end = *index,
                _ => ranges.push((*index, *index)),
            }
        }
        let words: Vec<String> = ranges
            .into_iter()
            .map(|(begin, end)| match end - begin {
                0 => begin.to_string(),
                1 => format!("{begin},{end}"),
                _ => format!("{begin}-{end}"),
            })
            .collect();
        words.join(",")
    }
}

fn read(text: &str, count: i64) -> BTreeSet<i64> {
    let mut found = BTreeSet::new();
    for part in text.split(',') {
        let (begin, end) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(begin), Ok(end)) = (begin.parse::<i64>(), end.parse::<i64>()) {
            found.extend(begin.max(0)..=end.min(count - 1));
        }
    }
    found
}

fn index(pod: &Value) -> Option<i64> {
    pod.pointer("/metadata/annotations")?.get(INDEX)?.as_str()?.parse().ok()
}

/// Gives a pod its index: in its name, its labels, and a variable of its containers.
pub fn give(pod: &mut Value, job: &Value, index: i64) {
    let own = format!("{}-{index}", name(job));
    pod["metadata"]["generateName"] = format!("{own}-").into();
    pod["spec"]["hostname"] = own.into();
    for field in ["labels", "annotations"] {
        pod["metadata"][field][INDEX] = index.to_string().into();
    }
    let variable = json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {
        "apiVersion": "v1", "fieldPath": format!("metadata.labels['{INDEX}']")}}});
    for list in ["containers", "initContainers"] {
        let containers = pod["spec"].get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            match container.get_mut("env").and_then(Value::as_array_mut) {
                Some(variables) if variables.iter().any(|one| one["name"] == variable["name"]) => {}
                Some(variables) => variables.push(variable.clone()),
                None => container["env"] = json!([variable]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_short_and_come_back() {
        for (text, count) in [("", 3), ("0-2,5", 9), ("1,2", 9), ("0-99999", 100_000)] {
            let indexes = Indexes {
                done: read(text, count),
                count,
            };
            assert_eq!(indexes.text(), text);
        }
        assert_eq!(read("x,-3,9-1,0-99999999999999", 4).len(), 4);
    }

    #[test]
    fn a_pod_knows_its_index() {
        let mut pod = json!({"metadata": {}, "spec": {"containers": [{"env": [{"name": "A"}]}, {}]}});
        give(&mut pod, &json!({"metadata": {"name": "j"}}), 7);
        assert_eq!(super::index(&pod), Some(7));
        assert_eq!(
            (&pod["spec"]["hostname"], &pod["metadata"]["generateName"]),
            (&json!("j-7"), &json!("j-7-"))
        );
        assert_eq!(pod["spec"]["containers"][0]["env"][1]["name"], "JOB_COMPLETION_INDEX");
        assert_eq!(pod["spec"]["containers"][1]["env"][0]["name"], "JOB_COMPLETION_INDEX");
    }
}
