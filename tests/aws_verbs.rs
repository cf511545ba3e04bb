//! The verbs of route53 and ec2 against the sandbox's real AWS endpoint and name server: planned, applied and run the way
//! the engine does it, with every inverse parsed, bound and applied again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cogdeck::core::change::{Change, Origin, Plan, Requirement, Risk};
use cogdeck::core::clock::Clock;
use cogdeck::core::context::Context;
use cogdeck::core::record::Record;
use cogdeck::core::report::Report;
use cogdeck::core::text::{SafeText, Secret};
use cogdeck::features::aws::client::Clients;
use cogdeck::features::{Feature, Shared, ec2, kubernetes, route53};
use cogdeck::feed::{HealthState, Hub};
use cogdeck::lang::ast::{Part, Quote};
use cogdeck::render::View;
use cogdeck::sandbox::aws::{AwsConfig, AwsHandle, AwsServer, ec2::default_world};
use cogdeck::sandbox::clock::Clock as SandboxClock;
use cogdeck::sandbox::dns::{DnsHandle, DnsServer, Names};
use cogdeck::ui::panel::{Panel, Theme};
use cogdeck::verb::operator::TerminalCommand;
use cogdeck::verb::session::{AuditEntry, Job};
use cogdeck::verb::{
    Action, Arguments, Call, Catalogue, Decision, Input, Item, Operator, OptionKind, Output, Session, Verb,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const ZONE: &str = "Z37AJ8CHRUEZC6";
const ELB: &str = "a0123456789-1.ap-southeast-2.elb.amazonaws.com";
const NAME: &str = "inspector.spawnhub.com";

/// Asks nobody and remembers what it was told.
#[derive(Default)]
struct Silent {
    progress: Mutex<Vec<String>>,
}

#[async_trait]
impl Operator for Silent {
    fn origin(&self) -> Origin {
        Origin::Typed
    }
    async fn ask(&self, _: &Plan, _: Requirement) -> Decision {
        Decision::Declined("nobody to ask".into())
    }
    fn note(&self, _: SafeText) {}
    fn progress(&self, text: SafeText) {
        self.progress.lock().unwrap().push(text.to_string());
    }
    async fn suspend(&self, _: TerminalCommand) -> Result<i32, Report> {
        Err(Report::refused("E-TEST", "no terminal"))
    }
}

struct NoSession;

#[async_trait]
impl Session for NoSession {
    fn catalogue(&self) -> Arc<Catalogue> {
        unreachable!("these verbs ask the session for nothing")
    }
    fn jobs(&self) -> Vec<Job> {
        Vec::new()
    }
    async fn wait(&self, _: Option<u64>) -> Result<Vec<Job>, Report> {
        Ok(Vec::new())
    }
    fn stop(&self, _: u64) -> Result<Job, Report> {
        Err(Report::refused("E-TEST", "no jobs"))
    }
    async fn audit(&self, _: usize) -> Result<Vec<AuditEntry>, Report> {
        Ok(Vec::new())
    }
    async fn audited(&self, _: u64) -> Result<Option<AuditEntry>, Report> {
        Ok(None)
    }
    async fn undo(&self, _: u64, _: &Call, _: &Output) -> Result<(), Report> {
        Err(Report::refused("E-TEST", "no journal"))
    }
}

struct World {
    aws: AwsHandle,
    dns: DnsHandle,
    verbs: Vec<Verb>,
    panels: Mutex<Vec<Box<dyn Panel>>>,
    context: Context,
    operator: Arc<Silent>,
    cancel: CancellationToken,
}

async fn world(speed: f64) -> World {
    let aws = AwsServer::start(AwsConfig {
        access_key_id: "AKIASANDBOX".into(),
        secret_access_key: "sandbox-secret".into(),
        region: "ap-southeast-2".into(),
        instances: default_world(),
        clock: SandboxClock::new(speed),
        seed: 1,
    })
    .await
    .unwrap();
    let addresses = vec![Ipv4Addr::new(198, 51, 100, 1), Ipv4Addr::new(198, 51, 100, 2)];
    let names = Names::new(
        aws.zones.clone(),
        Arc::new(move |host| (host == ELB).then(|| addresses.clone())),
    );
    let dns = DnsServer::start(names).await.unwrap();
    let mut context = Context::empty("sandbox");
    context.aws.endpoint = Some(format!("http://{}", aws.addr));
    context.aws.region = Some("ap-southeast-2".into());
    context.aws.keys = Some(("AKIASANDBOX".into(), Secret::new("sandbox-secret")));
    context.resolver = Some(dns.addr);
    context.closed = true;
    let clock = Clock::real();
    let shared = Shared::alone(Hub::new(clock.clone()), clock);
    let clients = Clients::new();
    let hosts = kubernetes::hosts::completer(&kubernetes::client::Clients::new());
    let features: [Feature; 2] = [
        route53::feature(route53::Service::new(&shared, clients.clone(), hosts)),
        ec2::feature(&shared, clients),
    ];
    let (mut verbs, mut panels) = (Vec::new(), Vec::new());
    for feature in features {
        verbs.extend(feature.verbs);
        panels.extend(feature.panels);
    }
    World {
        aws,
        dns,
        verbs,
        panels: Mutex::new(panels),
        context,
        operator: Arc::default(),
        cancel: CancellationToken::new(),
    }
}

impl World {
    /// Binds a stage of plain words as the engine would: options by their declaration, the rest in order.
    fn call(&self, pipeline: &str, record: Option<Record>) -> (Verb, Call) {
        let line = cogdeck::lang::parse(pipeline).unwrap();
        assert_eq!(
            (line.items.len(), line.items[0].pipeline.stages.len()),
            (1, 1),
            "{pipeline}"
        );
        let words = line.items[0].pipeline.stages[0].words.iter().map(|word| {
            let text = |part: &Part| match part {
                Part::Text { text, .. } => text.clone(),
                Part::Variable { .. } => panic!("a variable in {pipeline}"),
            };
            // A quoted or escaped start is data and never an option.
            let bare = matches!(word.parts.first(), Some(Part::Text { quote: Quote::None, .. }));
            (bare, word.parts.iter().map(text).collect::<String>())
        });
        let mut words = words.collect::<Vec<(bool, String)>>().into_iter();
        let (_, name) = words.next().unwrap();
        let verb = self
            .verbs
            .iter()
            .find(|verb| verb.declaration.qualified() == name)
            .unwrap()
            .clone();
        let mut arguments = Arguments::default();
        while let Some((bare, word)) = words.next() {
            let options = &verb.declaration.signature.options;
            let spec = options.iter().find(|spec| {
                bare && (word == format!("--{}", spec.name)
                    || spec.short.is_some_and(|short| word == format!("-{short}")))
            });
            let Some(spec) = spec else {
                assert!(!bare || !word.starts_with('-'), "{word}");
                arguments.positionals.push(json!(word));
                continue;
            };
            let value = match spec.kind {
                OptionKind::Bool => json!(true),
                OptionKind::Int => json!(words.next().unwrap().1.parse::<i64>().unwrap()),
                OptionKind::List => json!(words.next().unwrap().1.split(',').collect::<Vec<_>>()),
                _ => json!(words.next().unwrap().1),
            };
            arguments.options.insert(spec.name.clone(), value);
        }
        let call = Call {
            verb: name,
            arguments,
            record,
            step: None,
            context: Arc::new(self.context.clone()),
            user: "tester".into(),
            operator: self.operator.clone(),
            session: Arc::new(NoSession),
            cancel: self.cancel.clone(),
            pipeline_id: "1".into(),
            stage: 1,
            last_stage: true,
        };
        (verb, call)
    }

    async fn run_items(&self, pipeline: &str, record: Option<Record>) -> Result<Vec<Item>, Report> {
        let (verb, call) = self.call(pipeline, record);
        let Action::Read(read) = &verb.action else {
            panic!("{pipeline} changes something")
        };
        let (sender, receiver) = mpsc::channel(256);
        let output = Output::new(sender);
        read.run(&call, &mut Input::empty(), &output).await?;
        drop(output);
        Ok(collected(receiver).await)
    }

    async fn run(&self, pipeline: &str) -> Result<Vec<Record>, Report> {
        let items = self.run_items(pipeline, None).await?;
        Ok(items.into_iter().map(|item| item.record).collect())
    }

    async fn plan(&self, pipeline: &str) -> Result<Change, Report> {
        self.plan_on(pipeline, None).await
    }

    async fn plan_on(&self, pipeline: &str, record: Option<Record>) -> Result<Change, Report> {
        let (verb, call) = self.call(pipeline, record);
        let Action::Mutate(mutate) = &verb.action else {
            panic!("{pipeline} changes nothing")
        };
        let mut changes = mutate.plan(&call).await?;
        assert_eq!(changes.len(), 1);
        Ok(changes.remove(0))
    }

    async fn apply(&self, pipeline: &str, change: &Change) -> Result<Item, Report> {
        let (verb, call) = self.call(pipeline, None);
        let Action::Mutate(mutate) = &verb.action else {
            panic!("{pipeline} changes nothing")
        };
        let (sender, receiver) = mpsc::channel(256);
        let output = Output::new(sender);
        let applied = mutate.apply(&call, change, &output).await;
        drop(output);
        let mut items = collected(receiver).await;
        applied?;
        assert_eq!(items.len(), 1);
        Ok(items.remove(0))
    }

    /// Plans and applies.
    async fn make(&self, pipeline: &str) -> Change {
        let change = self.plan(pipeline).await.unwrap();
        self.apply(pipeline, &change).await.unwrap();
        change
    }

    /// Applies the inverse as `undo` does: what it finds must be what the change left.
    async fn undo(&self, change: &Change) {
        let inverse = change.inverse.as_ref().expect("an inverse");
        let back = self.plan(&inverse.pipeline).await.unwrap();
        assert_eq!(back.before, inverse.expects, "{}", inverse.pipeline);
        self.apply(&inverse.pipeline, &back).await.unwrap();
        assert_eq!(back.after, change.before, "what was there is there again");
    }

    /// One of the features' panels, open in this world.
    fn panel(&self, id: &str) -> Box<dyn Panel> {
        let mut panels = self.panels.lock().unwrap();
        let at = panels.iter().position(|panel| panel.id() == id).unwrap();
        let mut panel = panels.remove(at);
        panel.open(&Arc::new(self.context.clone()));
        panel
    }

    async fn records(&self, name: &str) -> Vec<Record> {
        self.run(&format!("r53:record-list -z {ZONE} --name {name}"))
            .await
            .unwrap()
    }

    async fn dig(&self, name: &str, kind: &str) -> Vec<String> {
        let answers = cogdeck::features::dns::client::ask(&self.context, None, name, kind.parse().unwrap())
            .await
            .unwrap();
        answers.records.into_iter().map(|answer| answer.data).collect()
    }
}

async fn collected(mut receiver: mpsc::Receiver<Result<Item, Report>>) -> Vec<Item> {
    let mut items = Vec::new();
    while let Some(item) = receiver.recv().await {
        items.push(item.unwrap());
    }
    items
}

fn text(item: &Item) -> &str {
    match item.view.as_ref() {
        Some(View::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn screen(panel: &mut Box<dyn Panel>) -> String {
    let area = Rect::new(0, 0, 140, 20);
    let mut buffer = Buffer::empty(area);
    let now = jiff::Timestamp::now();
    panel.draw(area, &mut buffer, &Theme::plain(), true, now);
    let cell = |x, y| buffer[(x, y)].symbol().to_owned();
    (0..20)
        .map(|y| (0..140).map(|x| cell(x, y)).collect::<String>() + "\n")
        .collect()
}

/// The screen once it shows this; how long that took.
async fn shows(panel: &mut Box<dyn Panel>, what: impl Fn(&str) -> bool) -> Duration {
    let begin = std::time::Instant::now();
    loop {
        let shown = screen(panel);
        if what(&shown) {
            return begin.elapsed();
        }
        assert!(
            begin.elapsed() < Duration::from_secs(14),
            "{:?}\n{shown}",
            panel.health()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_dns_panel_follows_a_change_made_here_long_before_its_next_poll() {
    let world = world(2.0).await;
    let mut panel = world.panel("dns");
    shows(&mut panel, |screen| screen.contains("SOA")).await;
    assert_eq!(panel.title().as_str(), "dns spawnhub.com 2");
    assert_eq!(panel.health()[0].1.state, HealthState::Live);
    world
        .make(&format!("r53:record-create -z {ZONE} -t CNAME {NAME} {ELB}"))
        .await;
    let took = shows(&mut panel, |screen| screen.contains("pending") && screen.contains(ELB)).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    shows(&mut panel, |screen| screen.contains(ELB) && !screen.contains("pending")).await;
    assert_eq!(panel.title().as_str(), "dns spawnhub.com 3");
}

#[tokio::test]
async fn panels_say_what_is_wrong_instead_of_being_empty() {
    let mut world = world(100.0).await;
    let mut instances = world.panel("instances");
    shows(&mut instances, |screen| {
        screen.contains("203.0.113.") && screen.contains("running")
    })
    .await;
    assert_eq!(instances.title().as_str(), "instances 6");
    world.context.aws.keys = Some(("AKIASANDBOX".into(), Secret::new("wrong-secret")));
    let mut dns = world.panel("dns");
    shows(&mut dns, |screen| {
        screen.contains("login: cannot list the hosted zones: ")
    })
    .await;
    assert_eq!(dns.health()[0].1.state, HealthState::Login);
    world.context.aws.region = None;
    instances.open(&Arc::new(world.context.clone()));
    shows(&mut instances, |screen| screen.contains("error: Region not set.")).await;
}

#[tokio::test]
async fn missing_credentials_name_every_source_and_do_not_hang() {
    let mut world = world(100.0).await;
    world.context.closed = false;
    world.context.aws.keys = None;
    world.context.aws.profile = Some("a-profile-that-is-nowhere".into());
    let begin = std::time::Instant::now();
    let refused = world.run("r53:zone").await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(refused.code, "E-AWS-002", "{refused:?}");
    let hint = refused.hint.unwrap();
    for source in [
        "AWS_ACCESS_KEY_ID",
        "profile",
        "SSO",
        "container",
        "instance",
        "AWS_EC2_METADATA_DISABLED",
    ] {
        assert!(hint.contains(source), "{hint}");
    }
    assert_eq!(
        refused.causes,
        Vec::<String>::new(),
        "the SDK has nothing useful to add"
    );
}

#[tokio::test]
async fn zones_and_records_are_listed_by_id_name_and_pipe() {
    let world = world(100.0).await;
    let zones = world.run("r53:zone list").await.unwrap();
    assert_eq!(zones[0]["Id"], json!(format!("/hostedzone/{ZONE}")));
    assert_eq!(
        (&zones[0]["Name"], &zones[0]["Private"]),
        (&json!("spawnhub.com."), &json!(false))
    );
    assert_eq!(world.run("r53:zone --name nosuch").await.unwrap(), Vec::<Value>::new());
    let kinds = |records: Vec<Record>| {
        records
            .into_iter()
            .map(|r| r["Type"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for zone in [
        ZONE.to_owned(),
        format!("/hostedzone/{ZONE}"),
        "spawnhub.com".into(),
        "SpawnHub.com.".into(),
    ] {
        let records = world.run(&format!("r53:record-list -z {zone}")).await.unwrap();
        assert!(records.iter().all(|record| record["Zone"] == ZONE), "{records:?}");
        assert_eq!(kinds(records), ["NS", "SOA"], "{zone}");
    }
    let piped = world
        .run_items("r53:record-list -t soa", Some(zones[0].clone()))
        .await
        .unwrap();
    assert_eq!(piped.len(), 1);
    assert_eq!(world.run("r53:record-list").await.unwrap_err().code, "E-R53-004");
    let unknown = world.run("r53:record-list -z spawnhub.con").await.unwrap_err();
    assert_eq!(
        (unknown.code, unknown.hint.as_deref()),
        ("E-R53-001", Some("did you mean spawnhub.com.?"))
    );
    let absent = world.run("r53:record-list -z Z0000000000000").await.unwrap_err();
    assert!(
        absent
            .message
            .contains("NoSuchHostedZone: No hosted zone found with ID: Z0000000000000"),
        "{absent:?}"
    );
}

#[tokio::test]
async fn a_record_is_created_waited_for_answered_and_undone() {
    let world = world(20.0).await;
    let line = format!("r53:record-create -z {ZONE} -t CNAME --wait {NAME} {ELB}");
    let change = world.plan(&line).await.unwrap();
    assert_eq!(
        (change.risk, &change.before, change.target.name.as_str()),
        (Risk::Change, &Value::Null, NAME)
    );
    assert_eq!(
        world.records("inspector").await,
        Vec::<Value>::new(),
        "a plan changes nothing"
    );
    let item = world.apply(&line, &change).await.unwrap();
    assert_eq!(item.record["change"]["status"], "INSYNC");
    let id = item.record["change"]["id"].as_str().unwrap();
    assert_eq!(
        text(&item),
        format!("Request: upsert basic CNAME record {NAME}. -> {ELB} (TTL 300)\nChange:  {id} INSYNC")
    );
    assert!(
        world
            .operator
            .progress
            .lock()
            .unwrap()
            .iter()
            .any(|text| text.contains("PENDING"))
    );
    assert_eq!(
        world.records("inspector").await,
        [
            json!({"Zone": ZONE, "Name": "inspector.spawnhub.com.", "Type": "CNAME", "TTL": 300, "AliasTarget": null,
                "ResourceRecords": [ELB]})
        ]
    );
    let answer = world.dig(NAME, "A").await;
    assert_eq!(answer.len(), 3, "{answer:?}");
    assert_eq!(answer[0].trim_end_matches('.'), ELB);

    let over = world
        .make(&format!(
            "r53:record-create -z {ZONE} -t CNAME --ttl 60 {NAME} elsewhere.example"
        ))
        .await;
    assert_eq!(over.risk, Risk::Destroy, "a live record is replaced");
    assert_eq!(over.before, change.after);
    world.undo(&over).await;
    world.undo(&change).await;
    assert_eq!(world.records("inspector").await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_apex_takes_an_alias_and_no_cname() {
    let world = world(100.0).await;
    let cname = format!("r53:record-create -z {ZONE} -t CNAME spawnhub.com {ELB}");
    let change = world.plan(&cname).await.unwrap();
    let refused = world.apply(&cname, &change).await.unwrap_err();
    assert!(
        refused.message.contains("InvalidChangeBatch: ")
            && refused
                .message
                .contains("is not permitted at apex in zone spawnhub.com."),
        "{refused:?}"
    );
    let advice = refused.hint.unwrap();
    let alias = advice.strip_prefix("at the apex make an alias: ").unwrap();
    assert!(alias.contains("--alias-target-zone auto"), "{alias}");
    let change = world.make(&format!("{alias} --wait")).await;
    assert_eq!(change.after["AliasTarget"]["HostedZoneId"], "Z1GM3OXH4ZPM65");
    let shown = world.run(&format!("r53:record-list -z {ZONE} -t A")).await.unwrap();
    assert_eq!(
        (&shown[0]["TTL"], &shown[0]["ResourceRecords"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(shown[0]["AliasTarget"]["EvaluateTargetHealth"], false);
    assert_eq!(world.dig("spawnhub.com", "A").await, ["198.51.100.1", "198.51.100.2"]);

    let explicit = format!("r53:record-create -z {ZONE} -t A -a Z1GM3OXH4ZPM65 spawnhub.com {ELB}.");
    assert!(
        world.plan(&explicit).await.unwrap().is_noop(),
        "a final dot makes no difference"
    );
    let over = world
        .make(&format!(
            "r53:record-create -z {ZONE} -t A spawnhub.com 203.0.113.9 203.0.113.8"
        ))
        .await;
    world.undo(&over).await;
    let wrong = format!("r53:record-create -z {ZONE} -t A -a Z1H1FL5HABSF5 www.spawnhub.com {ELB}");
    let planned = world.plan(&wrong).await.unwrap();
    let refused = world.apply(&wrong, &planned).await.unwrap_err();
    assert!(
        refused
            .message
            .contains("the alias target name does not lie within the target zone"),
        "{refused:?}"
    );
    world.undo(&change).await;
}

#[tokio::test]
async fn a_cname_stands_alone_and_the_hint_says_how() {
    let world = world(100.0).await;
    world
        .make(&format!("r53:record-create -z {ZONE} -t A {NAME} 203.0.113.9"))
        .await;
    let line = format!("r53:record-create -z {ZONE} -t CNAME {NAME} {ELB}");
    let change = world.plan(&line).await.unwrap();
    let refused = world.apply(&line, &change).await.unwrap_err();
    assert!(refused.message.contains("conflicts with other records"), "{refused:?}");
    let hint = refused.hint.unwrap();
    let (_, removal) = hint.split_once("first: ").unwrap();
    let removed = world.make(removal).await;
    world.apply(&line, &world.plan(&line).await.unwrap()).await.unwrap();
    let back = removed.inverse.unwrap().pipeline;
    let refused = world.apply(&back, &world.plan(&back).await.unwrap()).await.unwrap_err();
    assert!(
        refused.message.contains("conflicting RRSet of type CNAME"),
        "{refused:?}"
    );
    assert!(refused.hint.unwrap().contains("--type CNAME"));
}

#[tokio::test]
async fn what_moved_meanwhile_is_refused_with_the_difference() {
    let world = world(100.0).await;
    let line = format!("r53:record-create -z {ZONE} -t CNAME {NAME} {ELB}");
    let old_plan = world.plan(&line).await.unwrap();
    world
        .make(&format!("r53:record-create -z {ZONE} -t CNAME {NAME} other.example"))
        .await;
    let refused = world.apply(&line, &old_plan).await.unwrap_err();
    assert_eq!((refused.code, refused.severity.exit_code()), ("E-R53-006", 2));
    assert!(refused.message.contains("other.example"), "{refused:?}");
    let delete = format!("r53:record-delete -z {ZONE} {NAME}");
    let old_plan = world.plan(&delete).await.unwrap();
    world.make(&line).await;
    assert_eq!(world.apply(&delete, &old_plan).await.unwrap_err().code, "E-R53-006");
    assert_eq!(
        world.records("inspector").await[0]["ResourceRecords"],
        json!([ELB]),
        "nothing was deleted"
    );
}

#[tokio::test]
async fn deletions_take_exactly_what_was_meant() {
    let world = world(100.0).await;
    world
        .make(&format!(
            "r53:record-create -z {ZONE} -t A --ttl 60 {NAME} 203.0.113.9 203.0.113.8"
        ))
        .await;
    world
        .make(&format!("r53:record-create -z {ZONE} -t TXT {NAME} 'say \"hi\"; exit'"))
        .await;
    let listed = world.records("inspector").await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1]["ResourceRecords"], json!(["\"say \\\"hi\\\"; exit\""]));
    let several = world
        .plan(&format!("r53:record-delete -z {ZONE} {NAME}"))
        .await
        .unwrap_err();
    assert_eq!(
        (several.code, several.hint.as_deref()),
        ("E-R53-019", Some("name one with --type: A, TXT"))
    );
    let other = world
        .plan(&format!("r53:record-delete -z {ZONE} -t A {NAME} 203.0.113.9"))
        .await
        .unwrap_err();
    assert_eq!(other.code, "E-R53-020");
    let absent = world
        .plan(&format!("r53:record-delete -z {ZONE} -t MX {NAME}"))
        .await
        .unwrap_err();
    assert_eq!(
        (absent.code, absent.hint.as_deref()),
        ("E-R53-021", Some("that name has: A, TXT"))
    );

    for record in listed {
        let change = world.plan_on("r53:record-delete", Some(record.clone())).await.unwrap();
        assert_eq!(change.risk, Risk::Destroy);
        world.apply("r53:record-delete", &change).await.unwrap();
        assert_eq!(
            world.plan_on("r53:record-delete", Some(record)).await.unwrap_err().code,
            "E-R53-021"
        );
        world.undo(&change).await;
    }
    assert_eq!(world.records("inspector").await.len(), 2, "all undone");
    let nonsense = world
        .plan_on("r53:record-delete -z spawnhub.com", Some(json!({"x": 1})))
        .await
        .unwrap_err();
    assert_eq!(nonsense.code, "E-R53-018");
    let soa = format!("r53:record-delete -z {ZONE} -t SOA spawnhub.com");
    let refused = world.apply(&soa, &world.plan(&soa).await.unwrap()).await.unwrap_err();
    assert!(refused.message.contains("must contain at least one SOA"), "{refused:?}");
}

#[tokio::test]
async fn the_host_of_a_service_comes_down_the_pipe() {
    let world = world(100.0).await;
    let line = format!("r53:record-create -z {ZONE} -t CNAME {NAME}");
    let service = json!({"kind": "Service", "status": {"loadBalancer": {"ingress": [{"hostname": ELB}]}}});
    let change = world.plan_on(&line, Some(service)).await.unwrap();
    assert_eq!(change.after["ResourceRecords"], json!([ELB]));
    world.apply(&line, &change).await.unwrap();
    assert_eq!(world.records("inspector").await[0]["ResourceRecords"], json!([ELB]));
    let pending = json!({"kind": "Service", "status": {"loadBalancer": {}}});
    assert_eq!(world.plan_on(&line, Some(pending)).await.unwrap_err().code, "E-R53-017");
}

#[tokio::test]
async fn hostile_names_stay_data_there_and_back() {
    let world = world(100.0).await;
    for name in [
        "*.spawnhub.com",
        "$(reboot).spawnhub.com",
        "-t.spawnhub.com",
        "a'b;c|d.spawnhub.com",
    ] {
        let set = json!({"Zone": ZONE, "Name": name, "Type": "TXT", "TTL": 60, "AliasTarget": null,
                         "ResourceRecords": ["\"x\""]});
        let (verb, mut call) = world.call(&format!("r53:record-create -z {ZONE} -t TXT x"), None);
        call.arguments.positionals = vec![json!(name), json!("; $(reboot) | 'x' \"\u{1b}[2J\" --yes")];
        let Action::Mutate(mutate) = &verb.action else { panic!() };
        let Ok(mut changes) = mutate.plan(&call).await else {
            panic!("{set}")
        };
        let change = changes.remove(0);
        let (sender, receiver) = mpsc::channel(16);
        mutate.apply(&call, &change, &Output::new(sender)).await.unwrap();
        assert_eq!(collected(receiver).await.len(), 1);
        world.undo(&change).await;
    }
    assert_eq!(
        world.run(&format!("r53:record-list -z {ZONE} -t TXT")).await.unwrap(),
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn a_cancelled_wait_tells_that_the_change_was_made() {
    let world = world(0.01).await;
    let line = format!("r53:record-create -z {ZONE} -t CNAME --wait {NAME} {ELB}");
    let change = world.plan(&line).await.unwrap();
    let (verb, call) = world.call(&line, None);
    let Action::Mutate(mutate) = &verb.action else { panic!() };
    let (sender, receiver) = mpsc::channel(16);
    let output = Output::new(sender);
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        world.cancel.cancel();
    };
    let (applied, ()) = tokio::join!(mutate.apply(&call, &change, &output), cancel);
    drop(output);
    assert_eq!(applied.unwrap_err().severity.exit_code(), 130);
    assert_eq!(collected(receiver).await[0].record["change"]["status"], "PENDING");
}

#[tokio::test]
async fn instances_are_listed_and_searched() {
    let world = world(100.0).await;
    let all = world.run_items("ec2:instance-list", None).await.unwrap();
    assert_eq!(all.len(), 6);
    let View::Row { header, cells } = all[0].view.as_ref().unwrap() else {
        panic!("a row")
    };
    assert_eq!(
        header.columns.join(" "),
        "INSTANCE-ID NAME STATE TYPE ZONE PRIVATE-IP PUBLIC-IP AGE"
    );
    assert!(cells[0].starts_with("i-") && cells[2] == "running", "{cells:?}");

    let cluster = world
        .run("ec2:instance-search 'tag:KubernetesCluster=staging.spawnhub.com'")
        .await
        .unwrap();
    assert_eq!(cluster.len(), 4);
    let public: Vec<&str> = cluster
        .iter()
        .filter_map(|record| record.get("public_ip_address")?.as_str())
        .collect();
    assert!(
        public.len() == 3 && public.iter().all(|ip| ip.starts_with("203.0.113.")),
        "{public:?}"
    );
    for record in &cluster {
        assert_eq!(record["tags"]["KubernetesCluster"], "staging.spawnhub.com");
        assert_eq!(record["state"], json!({"code": 16, "name": "running"}));
        assert!(
            record["placement"]["availability_zone"]
                .as_str()
                .unwrap()
                .starts_with("ap-southeast-2")
        );
        assert!(record["launch_time"].as_str().unwrap().ends_with('Z'));
        assert!(!record.to_string().contains("null"), "{record}");
    }
    assert_eq!(
        world
            .run("ec2:instance-search 'tag:Name=bastion.*' 'tag:Name=cog-postgre?'")
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        world
            .run("ec2:instance-search 'tag:Name=bastion.*' instance-type=none")
            .await
            .unwrap()
            .len(),
        0
    );
    let wrong = world.run("ec2:instance-search colour=red").await.unwrap_err();
    assert!(
        wrong
            .message
            .contains("InvalidParameterValue: The filter 'colour' is invalid"),
        "{wrong:?}"
    );
    assert_eq!(
        world.run("ec2:instance-search running").await.unwrap_err().code,
        "E-EC2-001"
    );
    let closed = world.run("ec2:instance-list -r 'evil.example/'").await.unwrap_err();
    assert_eq!(closed.code, "E-AWS-010");
}

#[tokio::test]
async fn wrong_keys_and_silence_are_told_apart() {
    let mut world = world(100.0).await;
    world.context.aws.keys = Some(("AKIASANDBOX".into(), Secret::new("wrong-secret")));
    for line in ["r53:zone", "ec2:instance-list"] {
        let refused = world.run(line).await.unwrap_err();
        assert_eq!(refused.code, "E-AWS-003", "{refused:?}");
        let told = format!("{refused:?}");
        assert!(
            !told.contains("wrong-secret") && told.contains("AWS_SECRET_ACCESS_KEY"),
            "{told}"
        );
    }
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    world.context.aws.endpoint = Some(format!("http://127.0.0.1:{port}"));
    let refused = world.run("r53:zone").await.unwrap_err();
    assert_eq!(refused.code, "E-AWS-006");
    assert!(
        refused
            .causes
            .iter()
            .any(|cause| cause.to_lowercase().contains("refused")),
        "{refused:?}"
    );
    world.context.aws.keys = None;
    assert_eq!(
        world.run("r53:zone").await.unwrap_err().code,
        "E-AWS-009",
        "a closed world uses no other account"
    );
    let _ = (&world.aws, &world.dns);
}
