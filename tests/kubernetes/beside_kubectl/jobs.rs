//! Indexed jobs, cron jobs and the scopes of quotas: what runs when, and how both programs show it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::describe::{described, until};
use super::{OURS, THEIRS, lines, manifest, said, same, timeless, twins};
use crate::bench::Bench;

/// Applies a manifest in our namespace; none where there is no kubectl.
async fn apply(bench: &Bench, text: &str) -> Option<()> {
    let file = manifest(text);
    let (code, _, error) = bench.kubectl(&format!("apply -f {}", file.path().display())).await?;
    assert_eq!(code, 0, "{error}");
    Some(())
}

/// Both look at the same objects.
async fn alike(bench: &Bench, line: &str) {
    let mut last = Default::default();
    // A minute may begin between the two looks.
    for _ in 0..5 {
        let (code, out, error) = bench.kubectl(line).await.unwrap();
        let ran = bench.run(&format!("kubectl:{line}")).await;
        let theirs = (timeless(lines(&format!("{out}\n{error}"))), code);
        let ours = (timeless(said(&ran)), i32::from(ran.exit.min(1)));
        if theirs == ours {
            return;
        }
        last = (theirs, ours);
    }
    assert_eq!(last.0, last.1, "{line}");
}

const PARTS: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: parts}
spec:
  completions: 3
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: [sh, -c, 'echo part $JOB_COMPLETION_INDEX on $HOSTNAME']}]
";

#[tokio::test(flavor = "multi_thread")]
async fn each_index_of_a_job_runs_once() {
    let bench = Bench::start().await;
    if apply(&bench, PARTS).await.is_none() {
        return;
    }
    alike(&bench, "wait job/parts --for=condition=complete --timeout=25s").await;
    let job = bench.plane.store.get("jobs", OURS, "parts").unwrap();
    assert_eq!(
        (&job["status"]["completedIndexes"], &job["status"]["succeeded"]),
        (&json!("0-2"), &json!(3))
    );
    let mut ran = bench.run("kubectl:logs -l job-name=parts --tail=-1").await.ok().text;
    ran.sort();
    assert_eq!(ran, ["part 0 on parts-0", "part 1 on parts-1", "part 2 on parts-2"]);
    for line in [
        "get jobs",
        "get jobs -o wide",
        "get pods -l batch.kubernetes.io/job-completion-index=1",
    ] {
        alike(&bench, line).await;
    }
    assert_eq!(described(&bench, "job/parts").await, None);
    let open = PARTS
        .replace("  completions: 3\n", "")
        .replace("name: parts", "name: open");
    let file = manifest(&open);
    alike(&bench, &format!("apply --server-side -f {}", file.path().display())).await;
}

const TICK: &str = "
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: '* * * * *'
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 300
  jobTemplate:
    metadata: {labels: {made: by-tick}}
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers: [{name: c, image: busybox, command: [echo, tick]}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_cron_job_makes_a_job_when_its_time_has_come() {
    let Some(bench) = twins().await else { return };
    for (from, to) in [
        ("'* * * * *'", "'61 * * * *'"),
        ("'* * * * *'", "'every day'"),
        ("'* * * * *'", "'TZ=UTC * * * * *'"),
        ("Forbid", "Sometimes"),
        ("OnFailure", "Always"),
        ("  startingDeadlineSeconds: 300\n", "  timeZone: Mars/Olympus\n"),
    ] {
        let file = manifest(&TICK.replace(from, to));
        same(&bench, &format!("apply --server-side -f {}", file.path().display())).await;
        assert!(bench.plane.store.get("cronjobs", THEIRS, "tick").is_none(), "{to}");
    }
    apply(&bench, TICK).await.unwrap();
    for line in ["get cronjobs", "get cj tick -o wide"] {
        alike(&bench, line).await;
    }
    // As if its last job had been two minutes ago: its time has come.
    let store = &bench.plane.store;
    let earlier = jiff::Timestamp::now() - Duration::from_secs(120);
    let earlier = earlier.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    store
        .modify("cronjobs", OURS, "tick", |cron| {
            cron["status"]["lastScheduleTime"] = earlier.clone().into()
        })
        .unwrap();
    let done = |job: &Arc<Value>| job["status"]["succeeded"] == 1;
    until("a job of its own that has ended", || {
        let cron = store.get("cronjobs", OURS, "tick").unwrap();
        store.list("jobs", Some(OURS)).iter().any(done) && cron["status"]["lastSuccessfulTime"].is_string()
    })
    .await;
    let jobs = store.list("jobs", Some(OURS));
    let job = jobs.iter().find(|job| done(job)).unwrap();
    let name = job["metadata"]["name"].as_str().unwrap();
    let minute: i64 = name.strip_prefix("tick-").unwrap().parse().unwrap();
    let cron = store.get("cronjobs", OURS, "tick").unwrap();
    let scheduled: jiff::Timestamp = cron["status"]["lastScheduleTime"].as_str().unwrap().parse().unwrap();
    assert!(minute * 60 <= scheduled.as_second(), "{cron}");
    assert_eq!(job["metadata"]["labels"]["made"], "by-tick");
    let ran = bench.run(&format!("kubectl:logs job/{name}")).await.ok();
    assert_eq!(ran.text, ["tick"]);
    assert_eq!(described(&bench, "cronjob/tick").await, None);
    for line in ["get cronjobs", "get cj tick -o wide", "events --for cronjob/tick"] {
        alike(&bench, line).await;
    }
    let told = bench.run("kubectl:events --for cronjob/tick").await.ok();
    let told = said(&told).join("\n");
    assert!(
        told.contains("Created job tick-") && told.contains("condition: Complete"),
        "{told}"
    );
    // What belongs to it goes with it.
    bench.run("kubectl:delete cronjob tick").await.ok();
    until("its jobs are gone", || {
        let pods = store.list("pods", Some(OURS));
        store.list("jobs", Some(OURS)).is_empty()
            && !pods
                .iter()
                .any(|pod| pod["metadata"]["name"].as_str().unwrap().starts_with("tick"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_pick_the_pods_that_a_quota_is_about() {
    let Some(bench) = twins().await else { return };
    let quota = |spec: &str| format!("apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: few}}\nspec: {spec}\n");
    for wrong in [
        "{hard: {services: '1'}, scopes: [BestEffort]}",
        "{hard: {pods: '1'}, scopes: [BestEffort, NotBestEffort]}",
        "{hard: {pods: '1'}, scopes: [Nope]}",
    ] {
        let file = manifest(&quota(wrong));
        same(&bench, &format!("apply --server-side -f {}", file.path().display())).await;
    }
    let none = quota("{hard: {pods: '0'}, scopes: [BestEffort]}");
    let file = manifest(&none);
    same(&bench, &format!("apply --server-side -f {}", file.path().display())).await;
    let known =
        |space: &str| bench.plane.store.get("resourcequotas", space, "few").unwrap()["status"]["hard"].is_object();
    until("the quotas are known", || known(OURS) && known(THEIRS)).await;
    same(&bench, "run best --image=nginx:1 --restart=Never").await;
    let pods = bench.plane.store.list("pods", Some(OURS));
    assert!(
        !pods.iter().any(|pod| pod["metadata"]["name"] == "best"),
        "refused by both"
    );
    let asks = "apiVersion: v1\nkind: Pod\nmetadata: {name: asks}\nspec: {containers: [{name: c, image: 'nginx:1', resources: {requests: {cpu: 10m}}}]}\n";
    let file = manifest(asks);
    same(&bench, &format!("apply --server-side -f {}", file.path().display())).await;
    assert!(bench.plane.store.get("pods", OURS, "asks").is_some());
}
