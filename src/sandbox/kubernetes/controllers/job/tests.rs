//! What a pass over a job does, from objects to actions.

use super::*;

const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// A job, and what was counted of it.
struct Tried {
    job: Value,
    counted: Counted,
}

impl std::ops::Index<&str> for Tried {
    type Output = Value;
    fn index(&self, field: &str) -> &Value {
        &self.job[field]
    }
}

impl std::ops::IndexMut<&str> for Tried {
    fn index_mut(&mut self, field: &str) -> &mut Value {
        &mut self.job[field]
    }
}

fn job(spec: Value) -> Tried {
    let mut job = json!({"metadata": {"name": "j", "namespace": "default", "uid": "u"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c"}]}}}, "status": {}});
    for (key, value) in spec.as_object().into_iter().flatten() {
        job["spec"][key] = value.clone();
    }
    Tried {
        job,
        counted: Counted::new(),
    }
}

fn pod(own: &str, phase: &str, ended_ago: i64) -> Arc<Value> {
    let at = rfc3339(NOW - jiff::SignedDuration::from_secs(ended_ago));
    Arc::new(json!({"metadata": {"name": own}, "status": {"phase": phase,
        "containerStatuses": [{"state": {"terminated": {"finishedAt": at}}}]}}))
}

/// What happens, as words, and the status after it.
fn acts(tried: &mut Tried, pods: &[Arc<Value>]) -> Vec<String> {
    let mut said = Vec::new();
    for action in sync(&tried.job, pods, &mut tried.counted, "x", NOW) {
        match action {
            Action::Create(_) => said.push("+".to_owned()),
            Action::Delete(own) => said.push(format!("-{own}")),
            Action::Event(_, reason, _) => said.push(reason.to_owned()),
            Action::Requeue(after) => said.push(format!("{}s", after.as_secs())),
            Action::Remove => said.push("gone".to_owned()),
            Action::Status(status) => tried["status"] = Value::Object(status),
        }
    }
    said
}

fn is(tried: &Tried, kind: &str) -> bool {
    objects::condition(&tried.job, kind).is_some_and(|c| c["status"] == "True")
}

#[test]
fn as_many_run_at_once_as_shall_and_no_more_than_are_missing() {
    let mut three = job(json!({"completions": 3, "parallelism": 2}));
    assert_eq!(acts(&mut three, &[]), ["+", "+"]);
    let running = [pod("a", "Running", 0), pod("b", "Running", 0)];
    assert!(acts(&mut three, &running).is_empty());
    assert_eq!(three["status"]["active"], 2);
    let last = [pod("a", "Succeeded", 0), pod("b", "Succeeded", 0)];
    assert_eq!(acts(&mut three, &last), ["+"]);
    // One that was counted may be gone.
    let all = [pod("b", "Succeeded", 0), pod("c", "Succeeded", 0)];
    assert_eq!(acts(&mut three, &all), ["Completed"]);
    assert!(is(&three, "Complete") && is(&three, "SuccessCriteriaMet"));
    assert_eq!(
        (&three["status"]["succeeded"], three["status"].get("active")),
        (&json!(3), None)
    );
    assert!(acts(&mut three, &all).is_empty(), "over is over");
}

#[test]
fn what_was_counted_stays_counted_and_nothing_counts_twice() {
    let mut four = job(json!({"completions": 4, "parallelism": 2}));
    acts(&mut four, &[pod("a", "Succeeded", 9), pod("b", "Succeeded", 8)]);
    // One that was counted is removed by hand, and another one ends.
    acts(&mut four, &[pod("b", "Succeeded", 8), pod("c", "Succeeded", 0)]);
    assert_eq!(four["status"]["succeeded"], 3);
    // Who finds the job and its pods later goes on from there.
    let there = [pod("b", "Succeeded", 8), pod("c", "Succeeded", 5)];
    four.counted = counted_before(&four.job, &there);
    acts(&mut four, &there);
    assert_eq!(four["status"]["succeeded"], 3);
    let last = [pod("c", "Succeeded", 5), pod("d", "Succeeded", 0)];
    assert_eq!(acts(&mut four, &last), ["Completed"]);
}

#[test]
fn failures_are_retried_later_and_later_until_the_limit() {
    let mut one = job(json!({"completions": 1, "backoffLimit": 1}));
    assert_eq!(acts(&mut one, &[pod("a", "Failed", 4)]), ["6s"]);
    assert_eq!(acts(&mut one, &[pod("a", "Failed", 10)]), ["+"]);
    let both = [pod("a", "Failed", 30), pod("b", "Failed", 0)];
    assert_eq!(acts(&mut one, &both), ["BackoffLimitExceeded"]);
    assert!(is(&one, "Failed"));
    assert_eq!(one["status"]["failed"], 2);
}

#[test]
fn an_indexed_job_has_a_pod_for_each_index_until_all_have_succeeded() {
    let mut three = job(json!({"completions": 3, "parallelism": 2, "completionMode": "Indexed"}));
    let made = |tried: &Tried, pods: &[Arc<Value>]| -> Vec<String> {
        let actions = sync(&tried.job, pods, &mut tried.counted.clone(), "x", NOW).into_iter();
        let made = actions.filter_map(|action| match action {
            Action::Create(pod) => Some(text(&pod, "/metadata/generateName").to_owned()),
            _ => None,
        });
        made.collect()
    };
    let indexed = |phase: &str, index: i64| {
        let mut one = (*pod(&format!("p{index}"), phase, 60)).clone();
        one["metadata"]["annotations"] = json!({"batch.kubernetes.io/job-completion-index": index.to_string()});
        Arc::new(one)
    };
    assert_eq!(made(&three, &[]), ["j-0-", "j-1-"]);
    let some = [indexed("Running", 0), indexed("Succeeded", 1)];
    assert_eq!(made(&three, &some), ["j-2-"]);
    acts(&mut three, &some);
    assert_eq!(three["status"]["completedIndexes"], "1");
    // One that failed is tried again; one that succeeded twice counts once, and stays counted when it is gone.
    let twice = [indexed("Failed", 0), indexed("Succeeded", 2), indexed("Succeeded", 2)];
    assert_eq!(made(&three, &twice), ["j-0-"]);
    acts(&mut three, &twice);
    assert_eq!(
        (&three["status"]["completedIndexes"], &three["status"]["succeeded"]),
        (&json!("1,2"), &json!(2))
    );
    let all = [indexed("Succeeded", 0), indexed("Succeeded", 2)];
    assert_eq!(acts(&mut three, &all), ["Completed"]);
    assert_eq!(three["status"]["completedIndexes"], "0-2");
}

#[test]
fn a_deadline_ends_what_runs_before_the_job_is_over() {
    let mut slow = job(json!({"completions": 1, "activeDeadlineSeconds": 5}));
    slow["status"]["startTime"] = rfc3339(NOW - jiff::SignedDuration::from_secs(5)).into();
    assert_eq!(acts(&mut slow, &[pod("a", "Running", 0)]), ["-a"]);
    assert!(is(&slow, "FailureTarget") && !is(&slow, "Failed"));
    assert_eq!(acts(&mut slow, &[pod("a", "Failed", 0)]), ["DeadlineExceeded"]);
    assert_eq!(slow["status"]["failed"], 1, "it counts once");
    assert!(is(&slow, "Failed"));
}

#[test]
fn a_suspended_job_runs_nothing_and_a_finished_one_goes_in_time() {
    let mut held = job(json!({"completions": 1, "suspend": true}));
    assert_eq!(acts(&mut held, &[pod("a", "Running", 0)]), ["Suspended", "-a"]);
    assert!(is(&held, "Suspended"));
    held["spec"]["suspend"] = false.into();
    assert_eq!(acts(&mut held, &[]), ["Resumed", "+"]);
    let mut done = job(json!({"completions": 1, "ttlSecondsAfterFinished": 0}));
    acts(&mut done, &[pod("a", "Succeeded", 0)]);
    assert_eq!(acts(&mut done, &[]), ["gone"]);
}
