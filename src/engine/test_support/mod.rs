//! A scripted operator, ports and a session around fake verbs ([`verbs`]), for the engine's tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod verbs;

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use self::verbs::verbs;
pub use self::verbs::{World, catalogue_of};
use super::ports::{Authorise, Bus, Contexts, Permit, Place, Site};
use super::{Block, BlockEvent, MemoryJournal, MemoryShelf, NoBus, Outlets, Session, SessionConfig};
use crate::core::change::{Origin, Plan, Requirement};
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::verb::operator::{Pin, TerminalCommand};
use crate::verb::*;

/// Headless, nothing granted.
pub const HEADLESS: Origin = Origin::Headless {
    yes: false,
    max_targets: None,
};

/// Answers plans as told, in turn; without an answer left it declines.
pub struct Script {
    origin: Origin,
    answers: Mutex<VecDeque<Answer>>,
    pub asked: Mutex<Vec<(Plan, Requirement)>>,
    pub pinned: Mutex<Vec<Pin>>,
    /// The operator of jobs.
    pub of_jobs: Mutex<Option<Arc<Script>>>,
}

/// An answer, and what happens meanwhile.
pub enum Answer {
    Yes,
    No(&'static str),
    /// Approves something else.
    Wrong,
    /// This happens while it is looked at, then yes.
    After(Box<dyn FnOnce() + Send>),
}

impl Script {
    pub fn new(origin: Origin, answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Script {
            origin,
            answers: Mutex::new(answers.into_iter().collect()),
            asked: Mutex::default(),
            pinned: Mutex::default(),
            of_jobs: Mutex::default(),
        })
    }
}

#[async_trait]
impl Operator for Script {
    fn origin(&self) -> Origin {
        self.origin
    }

    fn of_job(&self, _: u64) -> Option<Arc<dyn Operator>> {
        let own = self.of_jobs.lock().unwrap().clone();
        own.map(|own| own as Arc<dyn Operator>)
    }

    async fn ask(&self, plan: &Plan, requirement: Requirement, _: &Arc<Context>) -> Decision {
        self.asked.lock().unwrap().push((plan.clone(), requirement));
        let answer = self.answers.lock().unwrap().pop_front();
        match answer.unwrap_or(Answer::No("nobody there")) {
            Answer::Yes => Decision::Approved(plan.digest()),
            Answer::No(reason) => Decision::Declined(reason.to_owned()),
            Answer::Wrong => Decision::Approved("0".into()),
            Answer::After(happens) => {
                happens();
                Decision::Approved(plan.digest())
            }
        }
    }

    fn note(&self, _: SafeText) {}

    fn progress(&self, _: SafeText) {}

    async fn suspend(&self, _: TerminalCommand) -> Result<i32, Report> {
        Err(Report::refused("E-TEST-005", "no terminal"))
    }

    async fn pin(&self, pin: Pin) -> Result<String, Report> {
        self.pinned.lock().unwrap().push(pin);
        Ok("pin1".to_owned())
    }
}

struct Ports(Vec<Arc<Context>>);

impl Contexts for Ports {
    fn context(&self, name: &str) -> Option<Arc<Context>> {
        self.0.iter().find(|context| context.name == name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|context| context.name.clone()).collect()
    }
}

impl Authorise for Ports {
    fn authorise(&self, _: &str, declaration: &Declaration, known: &Known) -> Result<Permit, Report> {
        match &declaration.permission {
            Some(permission) if permission == "t:never" => {
                Err(Report::refused("E-ACCESS-001", format!("{permission} is missing")))
            }
            // Who may run it depends on its first argument: 3 may not be.
            Some(permission) if permission == "t:values" => match known.positionals.first() {
                Some(None) => Ok(Permit::Conditional),
                Some(Some(value)) if crate::core::record::to_text(value) == "3" => {
                    Err(Report::refused("E-ACCESS-001", "not 3"))
                }
                _ => Ok(Permit::Granted),
            },
            _ => Ok(Permit::Granted),
        }
    }
}

impl Place for Ports {
    fn place(&self, _: &Arc<Context>, declaration: &Declaration, on: Option<&str>) -> Result<Site, Report> {
        match on {
            None => Ok(Site::Here),
            Some("docker") => Ok(Site::Docker("unix:///run/docker.sock".into())),
            Some(other) => Err(Report::refused(
                "E-PLACE-001",
                format!("{} can't run on {other}", declaration.qualified()),
            )),
        }
    }
}

/// A session over the fake verbs, with what they act on.
pub struct Bench {
    pub session: Session,
    pub world: World,
    pub journal: Arc<MemoryJournal>,
    pub shelf: Arc<MemoryShelf>,
    pub emitted: Arc<AtomicUsize>,
}

/// What a line did.
#[derive(Debug, Default)]
pub struct Ran {
    pub records: Vec<Value>,
    pub failed: Vec<Report>,
    pub notes: Vec<String>,
    pub exit: u8,
    pub report: Option<Report>,
    /// Codes of the failures and of the end.
    pub order: Vec<&'static str>,
}

impl Bench {
    pub fn new() -> Bench {
        Bench::on(Arc::new(NoBus))
    }

    /// With a message bus.
    pub fn on(bus: Arc<dyn Bus>) -> Bench {
        let world = World::default();
        let emitted = Arc::new(AtomicUsize::new(0));
        let journal = Arc::new(MemoryJournal::new(Clock::real()));
        let shelf = Arc::new(MemoryShelf::default());
        let context = |name: &str, production: bool, read_only: bool| {
            Arc::new(Context {
                production,
                read_only,
                ..Context::empty(name)
            })
        };
        let contexts = vec![
            context("test", false, false),
            context("prod", true, false),
            context("ro", false, true),
        ];
        let ports = Arc::new(Ports(contexts.clone()));
        let outlets = Outlets {
            bus,
            ..Outlets::local(std::env::temp_dir())
        };
        let catalogue = Catalogue::new(verbs(&world, &emitted));
        let session = Session::new(SessionConfig {
            catalogue: Box::new(move || Arc::new(catalogue)),
            context: contexts[0].clone(),
            contexts: ports.clone(),
            journal: journal.clone(),
            shelf: shelf.clone(),
            authorise: ports.clone(),
            place: ports,
            user: "mia".into(),
            clock: Clock::real(),
            outlets,
            read_only: false,
        });
        Bench {
            session,
            world,
            journal,
            shelf,
            emitted,
        }
    }

    pub async fn run(&self, line: &str) -> Ran {
        self.run_as(line, Script::new(HEADLESS, [])).await
    }

    pub async fn run_as(&self, line: &str, operator: Arc<Script>) -> Ran {
        match self.session.start(line, operator) {
            Ok(block) => finish(block).await,
            Err(report) => Ran {
                exit: report.severity.exit_code(),
                report: Some(report),
                ..Ran::default()
            },
        }
    }
}

/// Reads a block, and the jobs it starts, to their ends.
pub async fn finish(mut block: Block) -> Ran {
    let mut ran = Ran::default();
    let mut jobs = Vec::new();
    let end = async {
        while let Some(event) = block.next().await {
            match event {
                BlockEvent::Item(item) => ran.records.push(item.record),
                BlockEvent::Failed(report) => {
                    ran.order.push(report.code);
                    ran.failed.push(report);
                }
                BlockEvent::Note(text) => ran.notes.push(text.to_string()),
                BlockEvent::Job(job) => jobs.push(tokio::spawn(finish_boxed(*job))),
                BlockEvent::Pipeline(_) | BlockEvent::Progress(_) | BlockEvent::Preview(_) => {}
                BlockEvent::Ended { exit_code, report, .. } => {
                    ran.exit = exit_code;
                    ran.order.extend(report.as_ref().map(|report| report.code));
                    ran.report = report;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), end)
        .await
        .expect("the block ends");
    for job in jobs {
        job.await.unwrap();
    }
    ran
}

fn finish_boxed(block: Block) -> std::pin::Pin<Box<dyn Future<Output = Ran> + Send>> {
    Box::pin(finish(block))
}
