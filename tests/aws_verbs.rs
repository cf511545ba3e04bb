//! The verbs of route53 and ec2 against the sandbox's real AWS endpoint and name server: planned, applied and run the way
//! the engine does it, with every inverse parsed, bound and applied again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "aws_verbs/access.rs"]
mod access;
#[path = "aws_verbs/instances.rs"]
mod instances;
#[path = "aws_verbs/panels.rs"]
mod panels;
#[path = "aws_verbs/records.rs"]
mod records;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cogdeck::core::change::{Change, Origin, Plan, Requirement};
use cogdeck::core::clock::Clock;
use cogdeck::core::context::Context;
use cogdeck::core::record::Record;
use cogdeck::core::report::Report;
use cogdeck::core::text::{SafeText, Secret};
use cogdeck::features::aws::client::Clients;
use cogdeck::features::{Shared, ec2, kubernetes, route53};
use cogdeck::feed::Hub;
use cogdeck::lang::ast::{Part, Quote};
use cogdeck::sandbox::aws::ec2::default_world;
use cogdeck::sandbox::aws::{AwsConfig, AwsHandle, AwsServer};
use cogdeck::sandbox::clock::Clock as SandboxClock;
use cogdeck::sandbox::dns::{DnsHandle, DnsServer, Names};
use cogdeck::ui::panel::Panel;
use cogdeck::verb::operator::TerminalCommand;
use cogdeck::verb::session::{AuditEntry, Job};
use cogdeck::verb::{
    Action, Arguments, Call, Catalogue, Decision, Input, Item, Operator, OptionKind, Output, Session, Verb,
};
use serde_json::json;
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
    async fn ask(&self, _: &Plan, _: Requirement, _: &Arc<Context>) -> Decision {
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
    let records = route53::Service::new(&shared, clients.clone(), hosts);
    let panels = vec![route53::panel(&records), ec2::panel(&shared, &clients)];
    let mut verbs = route53::feature(&records).verbs;
    verbs.extend(ec2::feature(&shared, &clients).verbs);
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
            shown: true,
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
