//! A session that has the session's and the records' verbs and no others.

use std::sync::Arc;
use std::time::Duration;

use cogdeck::access::{self, Policy};
use cogdeck::core::change::{Origin, Plan, Requirement};
use cogdeck::core::clock::Clock;
use cogdeck::core::context::Context;
use cogdeck::core::report::Report;
use cogdeck::core::text::SafeText;
use cogdeck::engine::ports::{Authorise, Contexts, Permit, Place, Site};
use cogdeck::engine::{Block, BlockEvent, MemoryJournal, MemoryShelf, Outlets, Session, SessionConfig};
use cogdeck::exec::Helper;
use cogdeck::features::{records, session};
use cogdeck::render::Document;
use cogdeck::verb::operator::TerminalCommand;
use cogdeck::verb::{Catalogue, Decision, Declaration, Known, Operator};
use serde_json::Value;

pub struct Script;

#[async_trait::async_trait]
impl Operator for Script {
    fn origin(&self) -> Origin {
        Origin::Headless {
            yes: false,
            max_targets: None,
        }
    }

    async fn ask(&self, _: &Plan, _: Requirement, _: &Arc<Context>) -> Decision {
        Decision::Declined("nobody there".into())
    }

    fn note(&self, _: SafeText) {}

    fn progress(&self, _: SafeText) {}

    async fn suspend(&self, _: TerminalCommand) -> Result<i32, Report> {
        Err(Report::refused("E-TEST-001", "no terminal"))
    }
}

struct Ports;

impl Contexts for Ports {
    fn context(&self, _: &str) -> Option<Arc<Context>> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Authorise for Ports {
    fn authorise(&self, _: &str, _: &Declaration, _: &Known) -> Result<Permit, Report> {
        Ok(Permit::Granted)
    }
}

impl Place for Ports {
    fn place(&self, _: &Arc<Context>, _: &Declaration, _: Option<&str>) -> Result<Site, Report> {
        Ok(Site::Here)
    }
}

pub fn catalogue() -> Catalogue {
    let (records, session) = (
        records::feature(&Helper::at(env!("CARGO_BIN_EXE_cogdeck"))),
        session::feature(&Clock::real(), None),
    );
    Catalogue::new(records.verbs.into_iter().chain(session.verbs)).describe(records.bundles)
}

pub fn fresh() -> Session {
    built(Arc::new(Ports))
}

fn built(authorise: Arc<dyn Authorise>) -> Session {
    let mut context = Context::empty("test");
    context.environment.insert("PATH".into(), "/usr/bin:/bin".into());
    context.http_proxy = Some("http://127.0.0.1:1".into());
    Session::new(SessionConfig {
        catalogue: Box::new(|| Arc::new(catalogue())),
        context: Arc::new(context),
        contexts: Arc::new(Ports),
        journal: Arc::new(MemoryJournal::new(Clock::real())),
        shelf: Arc::new(MemoryShelf::default()),
        authorise,
        place: Arc::new(Ports),
        user: "mia".into(),
        clock: Clock::real(),
        outlets: Outlets::local(std::env::temp_dir()),
        read_only: false,
    })
}

#[derive(Debug, Default)]
pub struct Ran {
    pub records: Vec<Value>,
    pub text: String,
    pub notes: Vec<String>,
    pub failed: Vec<Report>,
    pub exit: u8,
    pub report: Option<Report>,
}

pub async fn run(session: &Session, line: &str) -> Ran {
    match session.start(line, Arc::new(Script)) {
        Ok(block) => finish(block).await,
        Err(report) => Ran {
            exit: report.severity.exit_code(),
            report: Some(report),
            ..Ran::default()
        },
    }
}

pub async fn finish(mut block: Block) -> Ran {
    let mut ran = Ran::default();
    let mut document = Document::default();
    let end = async {
        while let Some(event) = block.next().await {
            match event {
                BlockEvent::Item(item) => {
                    document.push(&item.record, item.view.as_ref());
                    ran.records.push(item.record);
                }
                BlockEvent::Failed(report) => ran.failed.push(report),
                BlockEvent::Note(text) => ran.notes.push(text.to_string()),
                BlockEvent::Job(mut job) => {
                    tokio::spawn(async move { while job.next().await.is_some() {} });
                }
                BlockEvent::Pipeline(_) | BlockEvent::Progress(_) | BlockEvent::Preview(_) => {}
                BlockEvent::Ended { exit_code, report, .. } => {
                    ran.exit = exit_code;
                    ran.report = report;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), end)
        .await
        .expect("the block ends");
    ran.text = document.text();
    ran
}

pub async fn values(line: &str) -> Vec<Value> {
    let ran = run(&fresh(), line).await;
    assert_eq!(ran.exit, 0, "{line}: {ran:?}");
    ran.records
}

/// Whether a text is the wanted one, `…` standing for anything.
pub fn fits(wanted: &str, text: &str) -> bool {
    let mut rest = text;
    wanted
        .split('…')
        .enumerate()
        .all(|(index, piece)| match rest.find(piece) {
            Some(at) if index > 0 || at == 0 => {
                rest = &rest[at + piece.len()..];
                true
            }
            _ => false,
        })
}

/// Runs a line that has to be refused or to fail: its code and exit code.
pub async fn code(session: &Session, line: &str) -> (&'static str, u8) {
    let ran = run(session, line).await;
    let code = ran.report.as_ref().map_or("", |report| report.code);
    (code, ran.exit)
}

/// A session with this policy, run by `mia`.
pub fn with_policy(policy: Policy) -> Session {
    built(Arc::new(Rules(policy)))
}

struct Rules(Policy);

impl Authorise for Rules {
    fn authorise(&self, user: &str, declaration: &Declaration, known: &Known) -> Result<Permit, Report> {
        match self.0.decide(user, declaration, known)? {
            access::Decision::Allowed => Ok(Permit::Granted),
            access::Decision::Depends => Ok(Permit::Conditional),
            access::Decision::Denied(denial) => Err(self.0.refusal(user, declaration, &denial)),
        }
    }
}

/// Headless, nothing granted.
pub const HEADLESS: Origin = Origin::Headless {
    yes: false,
    max_targets: None,
};
