//! The talk's demo, headless: `assets/demo/talk.cog` in the built-in world, each step's result read from what the run
//! printed. Not for single commands: their own tests know more about each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;
use serde_json::{Value, json};
use support::process::command;
use support::run::{Ended, run};

/// The whole demo takes a quarter of this at speed 5.
const LIMIT: Duration = Duration::from_secs(120);

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/talk.cog")
}

/// Runs the script in a world of its own.
fn talk(output: &str) -> Ended {
    let home = tempfile::tempdir().expect("a home");
    let script = script();
    let args = [
        "run",
        "--sandbox",
        "--speed",
        "5",
        "-o",
        output,
        "-f",
        script.to_str().expect("UTF-8"),
    ];
    run(command(&args, home.path()), LIMIT)
}

/// What a run of a script printed: the lines under each echoed pipeline, and those of each background job.
struct Transcript {
    steps: Vec<(String, Vec<String>)>,
    jobs: BTreeMap<u64, Vec<String>>,
}

impl Transcript {
    fn of(stdout: &str) -> Self {
        let job_line = Regex::new(r"^\[(\d+)\] (.*)$").unwrap();
        let (mut steps, mut jobs) = (Vec::<(String, Vec<String>)>::new(), BTreeMap::<u64, Vec<String>>::new());
        for line in stdout.lines() {
            if let Some(job) = job_line.captures(line) {
                jobs.entry(job[1].parse().unwrap()).or_default().push(job[2].to_owned());
            } else if let Some(pipeline) = line.strip_prefix("> ") {
                steps.push((pipeline.to_owned(), Vec::new()));
            } else {
                steps
                    .last_mut()
                    .unwrap_or_else(|| panic!("before any step: {line}"))
                    .1
                    .push(line.to_owned());
            }
        }
        Self { steps, jobs }
    }

    /// The answers of all steps that begin so, in order.
    fn all(&self, start: &str) -> Vec<&[String]> {
        let found: Vec<_> = self
            .steps
            .iter()
            .filter(|(step, _)| step.starts_with(start))
            .map(|(_, lines)| &lines[..])
            .collect();
        assert!(
            !found.is_empty(),
            "no step {start} among {:#?}",
            self.steps.iter().map(|(step, _)| step).collect::<Vec<_>>()
        );
        found
    }

    /// The answer of the first step that begins so, as text.
    fn answer(&self, start: &str) -> String {
        self.all(start)[0].join("\n")
    }
}

/// The columns of a table's row.
fn cells(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn the_demo_shows_each_steps_result() {
    let ended = talk("text").code(0);
    let transcript = Transcript::of(&ended.stdout);
    let answer = |start: &str| transcript.answer(start);

    assert!(
        answer("help kubectl").contains("rollout-status - "),
        "the bundle's page lists its commands"
    );
    assert!(
        answer("help kubectl:run").contains("--image"),
        "the command's page lists its options"
    );

    assert_eq!(answer("kubectl:run"), "deployment.apps/inspector created");
    let deployments = transcript.all("kubectl:get deploy inspector");
    assert_eq!(
        cells(&deployments[0][0]),
        ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    );
    assert_eq!(deployments.len(), 2, "before and after scaling");
    assert!(answer("kubectl:rollout status").ends_with("deployment \"inspector\" successfully rolled out"));

    assert_eq!(answer("kubectl:expose"), "service/inspector exposed");
    let services = transcript.all("kubectl:get svc inspector");
    assert_eq!(
        cells(&services[0][0])[..5],
        ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)"]
    );
    assert_eq!(cells(&services[0][1])[3], "<pending>");
    let named = transcript.all("let elb = kubectl:get svc inspector");
    let host = cells(&named[0][1])[3];
    let whole = Regex::new(r"^a[0-9a-f]{31}-[0-9]+\.ap-southeast-2\.elb\.amazonaws\.com$").unwrap();
    assert!(whole.is_match(host), "the name is not cut: {host}");

    let cname = answer("r53:record-create -z Z37AJ8CHRUEZC6 -t CNAME inspector.spawnhub.com");
    assert!(
        cname.contains("inspector.spawnhub.com") && cname.contains(host) && cname.contains("INSYNC"),
        "{cname}"
    );
    let dug = transcript.all("dig --short inspector.spawnhub.com")[0];
    assert_eq!(dug[0], format!("{host}."), "the chain comes first");
    let addresses: Vec<Ipv4Addr> = dug[1..]
        .iter()
        .map(|line| line.parse().expect("then addresses"))
        .collect();
    assert!(!addresses.is_empty(), "{dug:?}");

    assert_eq!(answer("kubectl:scale"), "deployment.apps/inspector scaled");
    assert_eq!(cells(&deployments[1][1])[..4], ["inspector", "3/3", "3", "3"]);

    let [net, versions] = transcript.jobs.values().collect::<Vec<_>>()[..] else {
        panic!("two background jobs: {:?}", transcript.jobs.keys());
    };
    let pods: BTreeSet<_> = net.iter().map(|line| cells(line)[0]).collect();
    assert!(
        pods.len() == 3 && pods.iter().all(|ip| ip.starts_with("100.")),
        "all three pods were seen: {pods:?}"
    );

    assert_eq!(answer("kubectl:set image"), "deployment.apps/inspector image updated");
    rolled_without_a_loss(versions);
    assert!(
        ended.stderr.matches(" 0 failed").count() >= 4,
        "the tallies of four watches:\n{}",
        ended.stderr
    );
    let pages = transcript.all("traffic:watch http://inspector.spawnhub.com/ ");
    let [before, after] = pages[..] else {
        panic!("the page before and after: {pages:?}");
    };
    for (told, count, version) in [(before, 5, "1.0.0"), (after, 10, "2.0.0")] {
        assert_eq!(told.len(), count, "{told:?}");
        let wanted = format!("Version: Inspector {version}");
        assert!(told.iter().all(|line| line.starts_with(&wanted)), "{told:?}");
    }
    let history = transcript.all("kubectl:rollout history")[0];
    let revisions: Vec<_> = history.iter().map(|line| cells(line)[0]).collect();
    assert_eq!(
        revisions,
        ["deployment.apps/inspector", "REVISION", "1", "2"],
        "{history:?}"
    );

    let ssh = transcript.all("instance-search")[0];
    let quoted = Regex::new(r#"^"ssh://admin@203\.0\.113\.\d+"$"#).unwrap();
    assert_eq!(ssh.len(), 3, "four instances, one without a public address: {ssh:?}");
    assert!(ssh.iter().all(|line| quoted.is_match(line)), "{ssh:?}");

    let records = answer("r53:record-list");
    assert!(
        records
            .lines()
            .any(|line| line.starts_with("spawnhub.com. ") && line.contains(host)),
        "the alias: {records}"
    );
    let apex: BTreeSet<Ipv4Addr> = transcript.all("dig --short spawnhub.com")[0]
        .iter()
        .map(|line| line.parse().expect("an address"))
        .collect();
    assert_eq!(
        apex,
        addresses.into_iter().collect(),
        "an alias has its target's addresses"
    );

    let described = answer("kubectl:get deploy | kubectl:describe");
    let squeezed: Vec<String> = described.lines().map(|line| cells(line).join(" ")).collect();
    for wanted in [
        "Name: inspector",
        "Labels: run=inspector",
        "inspector:",
        "Image: so0k/kuar-inspector:2.0.0",
    ] {
        assert!(squeezed.iter().any(|line| line == wanted), "{wanted} in\n{described}");
    }

    let audit = transcript.all("audit")[0];
    assert_eq!(
        audit.len(),
        1 + 6,
        "a header, then run, expose, CNAME, scale, set image, alias: {audit:#?}"
    );
    assert!(audit[1..].iter().all(|line| line.contains("applied")), "{audit:#?}");
}

/// The lines of the watch over the rolling update: the old version, both, the new one, and nothing else; each names the
/// pod that answered.
fn rolled_without_a_loss(lines: &[String]) {
    let answers: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| match cells(line)[..] {
            [ip, pod, version] if ip.starts_with("100.") && pod.starts_with("inspector-") => (pod, version),
            _ => panic!("a lost request: {line}"),
        })
        .collect();
    let of = |wanted: &str| -> BTreeSet<&str> {
        let answers = answers.iter().filter(|(_, version)| *version == wanted);
        answers.map(|(pod, _)| *pod).collect()
    };
    assert!(of("1.0.0").is_disjoint(&of("2.0.0")), "a pod has one version");
    assert!(
        of("1.0.0").len() > 1 && of("2.0.0").len() > 1,
        "several pods of each: {answers:?}"
    );
    let versions: Vec<&str> = answers.iter().map(|(_, version)| *version).collect();
    let (old, new): (Vec<&str>, Vec<&str>) = versions.iter().copied().partition(|version| *version == "1.0.0");
    assert!(
        !old.is_empty() && new.iter().all(|version| *version == "2.0.0"),
        "{versions:?}"
    );
    let first_new = versions
        .iter()
        .position(|version| *version == "2.0.0")
        .expect("the new version");
    let last_old = versions
        .iter()
        .rposition(|version| *version == "1.0.0")
        .expect("the old version");
    assert!(first_new < last_old, "both at the same time: {versions:?}");
    assert!(versions.len() - last_old > 10, "at last only the new one: {versions:?}");
}

#[test]
fn the_demos_records_say_the_same_to_a_script() {
    let ended = talk("jsonl").code(0);
    let records: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("one record a line"))
        .collect();
    let of_kind = |kind: &str| {
        records
            .iter()
            .filter(|record| record["kind"] == kind && record["spec"].is_object())
            .collect::<Vec<_>>()
    };

    let deployment = of_kind("Deployment")[0];
    assert_eq!(deployment["metadata"]["labels"], json!({"run": "inspector"}));
    assert_eq!(
        deployment["spec"]["selector"]["matchLabels"],
        json!({"run": "inspector"})
    );
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    assert_eq!(
        (&containers[0]["name"], &containers[0]["image"]),
        (&json!("inspector"), &json!("so0k/kuar-inspector:1.0.0"))
    );
    assert!(
        deployment["metadata"].get("managedFields").is_none(),
        "left out, as documented"
    );
    let last = of_kind("Deployment").into_iter().next_back().unwrap();
    assert_eq!(last["status"]["readyReplicas"], 3);
    assert_eq!(
        last["spec"]["template"]["spec"]["containers"][0]["image"],
        "so0k/kuar-inspector:2.0.0"
    );

    let services = of_kind("Service");
    assert_eq!(
        services[0].pointer("/status/loadBalancer/ingress"),
        None,
        "pending at first"
    );
    assert_eq!(services[0]["spec"]["selector"], json!({"run": "inspector"}));
    let host = services
        .last()
        .unwrap()
        .pointer("/status/loadBalancer/ingress/0/hostname")
        .expect("then named");

    let requests: Vec<_> = records
        .iter()
        .filter(|record| record.get("latency_ms").is_some())
        .collect();
    assert!(requests.len() > 20, "{}", requests.len());
    assert!(
        requests
            .iter()
            .all(|request| request["status"] == 200 && request["error"].is_null()),
        "no request was lost"
    );
    for version in ["1.0.0", "2.0.0"] {
        let told = requests.iter().filter(|request| request["version"] == version);
        let pods: BTreeSet<_> = told
            .filter_map(|request| request["match"].as_str())
            .filter(|text| text.starts_with("100."))
            .collect();
        assert_eq!(pods.len(), 3, "{version}: {pods:?}");
    }

    let changes: Vec<_> = records
        .iter()
        .filter(|record| {
            record
                .get("change")
                .is_some_and(|change| change.get("status").is_some())
        })
        .collect();
    assert_eq!(changes.len(), 2, "the CNAME and the alias");
    assert!(
        changes.iter().all(|record| record["change"]["status"] == "INSYNC"),
        "{changes:?}"
    );
    let answers: Vec<_> = records.iter().filter(|record| record.get("ttl").is_some()).collect();
    assert_eq!(answers[0]["type"], "CNAME");
    assert_eq!(
        answers[0]["data"].as_str().unwrap().trim_end_matches('.'),
        host.as_str().unwrap()
    );
    assert!(answers[1..].iter().all(|answer| answer["type"] == "A"), "{answers:?}");

    let audit: Vec<_> = records.iter().filter(|record| record.get("hash").is_some()).collect();
    let verbs: Vec<_> = audit
        .iter()
        .rev()
        .map(|entry| entry["change"]["verb"].as_str().unwrap())
        .collect();
    let wanted = [
        "kubectl:run",
        "kubectl:expose",
        "r53:record-create",
        "kubectl:scale",
        "kubectl:set-image",
        "r53:record-create",
    ];
    assert_eq!(verbs, wanted);
    assert!(
        audit
            .iter()
            .all(|entry| entry["outcome"] == "applied" && entry["change"]["inverse"].is_object()),
        "each can be undone"
    );
}

#[test]
fn requests_are_counted_from_the_pods_own_logs() {
    let home = tempfile::tempdir().expect("a home");
    let lines = [
        "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80 --replicas=2",
        "kubectl:expose deploy inspector --type=LoadBalancer",
        "kubectl:rollout status deploy/inspector",
        "kubectl:wait svc inspector --for=jsonpath='{.status.loadBalancer.ingress[0].hostname}' --timeout=60s",
        "let host = kubectl:get svc inspector",
        "traffic:watch \"http://${host.status.loadBalancer.ingress[0].hostname}/net\" --count 12 --interval 5ms",
        "traffic:logs deploy/inspector",
        "traffic:logs deploy/inspector --match 'GET /nothing'",
    ];
    let script = home.path().join("script.cog");
    std::fs::write(&script, lines.join("\n")).expect("a script");
    let args = [
        "run",
        "--sandbox",
        "--speed",
        "10",
        "-o",
        "jsonl",
        "-f",
        script.to_str().expect("UTF-8"),
    ];
    let ended = run(command(&args, home.path()), LIMIT);
    let stdout = ended.ok();
    let records: Vec<Value> = stdout
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let of = |sent: bool| -> BTreeMap<String, usize> {
        let mut pods = BTreeMap::new();
        let samples = records
            .iter()
            .filter(|record| record.get("latency_ms").is_some_and(|ms| ms.is_number() == sent));
        for sample in samples {
            assert_eq!(
                (&sample["status"], &sample["version"]),
                (&json!(200), &json!("1.0.0")),
                "{sample}"
            );
            *pods
                .entry(sample["pod"].as_str().expect("a pod").to_owned())
                .or_default() += 1;
        }
        pods
    };
    assert_eq!(of(true).values().sum::<usize>(), 12, "{stdout}");
    assert_eq!(of(true), of(false), "what the pods wrote is what was sent to them");
}

/// The second act: its watch over the traffic needs the whole talk, and is left out.
#[test]
fn after_the_broken_release_the_one_before_serves_whichever_way_the_presenter_goes() {
    let broken = include_str!("../assets/demo/broken.cog");
    let breaks = "kubectl:set image deploy inspector inspector=so0k/kuar-inspector:broken";
    for by_hand in ["", "kubectl:rollout-undo deploy inspector"] {
        let mut lines = vec![
            "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80 --replicas=3",
            "kubectl:rollout status deploy inspector --timeout=60s",
            "kubectl:set image deploy inspector inspector=so0k/kuar-inspector:2.0.0",
            "kubectl:rollout status deploy inspector --timeout=60s",
        ];
        for line in broken.lines().filter(|line| !line.ends_with('&')) {
            lines.push(line);
            if line == breaks {
                lines.push(by_hand);
            }
        }
        assert!(lines.contains(&breaks), "{broken}");
        lines.push("echo serves $_.status.readyReplicas $_.spec.template.spec.containers[0].image");
        let home = tempfile::tempdir().expect("a home");
        let script = home.path().join("act.cog");
        std::fs::write(&script, lines.join("\n")).expect("a script");
        let args = [
            "run",
            "--sandbox",
            "--speed",
            "5",
            "-f",
            script.to_str().expect("UTF-8"),
        ];
        let ended = run(command(&args, home.path()), LIMIT).code(0);
        let transcript = Transcript::of(&ended.stdout);
        let served = transcript.answer("echo serves");
        assert!(
            served.contains("serves 3 so0k/kuar-inspector:2.0.0"),
            "{by_hand}: {served}"
        );
        assert!(!transcript.answer(breaks).is_empty(), "it was broken before");
    }
}
