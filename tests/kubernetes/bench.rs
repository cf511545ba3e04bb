//! A session on a cluster of the built-in world, for the tests of the Kubernetes verbs.
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cogdeck::core::change::{Origin, Plan, Requirement};
use cogdeck::core::clock::Clock;
use cogdeck::core::context::{Context, KubeconfigSource};
use cogdeck::core::report::Report;
use cogdeck::core::text::{SafeText, Secret};
use cogdeck::engine::ports::{Authorise, Contexts, Permit, Place, Site};
use cogdeck::engine::{BlockEvent, MemoryJournal, MemoryShelf, Session, SessionConfig};
use cogdeck::exec::Helper;
use cogdeck::features::kubernetes::client::Clients;
use cogdeck::features::{Shared, kubernetes, records};
use cogdeck::feed::Hub;
use cogdeck::render::View;
use cogdeck::sandbox::clock::Clock as WorldClock;
use cogdeck::sandbox::cloud::LoadBalancers;
use cogdeck::sandbox::faults::{Fault, Gate};
use cogdeck::sandbox::kubernetes::api::{ApiConfig, ApiHandle, ApiServer};
use cogdeck::sandbox::kubernetes::control_plane::{ClusterConfig, ControlPlane};
use cogdeck::verb::operator::TerminalCommand;
use cogdeck::verb::{Catalogue, Decision, Declaration, Known, Operator, Verb};
use serde_json::Value;

use super::support::require;

pub const SPEED: f64 = 10.0;

/// How long anything may take that must come; a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// A cluster, a session on it, and the kubeconfig file for kubectl.
pub struct Bench {
    pub plane: ControlPlane,
    _api: ApiHandle,
    pub session: Session,
    pub journal: Arc<MemoryJournal>,
    pub shared: Shared,
    pub clients: Arc<Clients>,
    pub context: Arc<Context>,
    pub faults: Arc<Faults>,
    kubeconfig: tempfile::NamedTempFile,
    /// What kubectl leaves behind goes with it.
    home: tempfile::TempDir,
    /// What `edit` runs with the file's name, here and in kubectl: a shell script.
    pub editor: tempfile::NamedTempFile,
}

/// One fault for every request, or for some, while it is set; and what was asked for.
#[derive(Default)]
pub struct Faults {
    fault: Mutex<Option<Fault>>,
    /// The fault is for paths that hold this.
    only: Mutex<&'static str>,
    /// The next open stream that answers such a path breaks.
    cut: Mutex<Option<&'static str>>,
    seen: Mutex<Vec<String>>,
}

impl Faults {
    pub fn set(&self, fault: Option<Fault>) {
        self.set_on("", fault);
    }

    /// For paths that hold this part.
    pub fn set_on(&self, part: &'static str, fault: Option<Fault>) {
        *self.only.lock().unwrap() = part;
        *self.fault.lock().unwrap() = fault;
    }

    /// Breaks one open stream that answers a path with this part.
    pub fn cut(&self, part: &'static str) {
        *self.cut.lock().unwrap() = Some(part);
    }

    /// Forgets what was asked for.
    pub fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }

    /// Whether something was asked for that holds all of these.
    pub fn saw(&self, parts: &[&str]) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.iter().any(|path| parts.iter().all(|part| path.contains(part)))
    }
}

impl Gate for Faults {
    fn check(&self, method: &str, path: &str) -> Option<Fault> {
        self.seen.lock().unwrap().push(format!("{method} {path}"));
        let only = *self.only.lock().unwrap();
        self.fault.lock().unwrap().filter(|_| path.contains(only))
    }

    fn cuts(&self, _: &str, path: &str) -> bool {
        self.cut.lock().unwrap().take_if(|part| path.contains(*part)).is_some()
    }
}

/// What a line answered.
#[derive(Debug, Default)]
pub struct Ran {
    pub records: Vec<Value>,
    pub text: Vec<String>,
    pub rows: Vec<(Vec<String>, Vec<String>)>,
    pub notes: Vec<String>,
    pub failed: Vec<Report>,
    pub exit: u8,
    pub report: Option<Report>,
}

impl Ran {
    pub fn message(&self) -> String {
        self.report
            .as_ref()
            .map(|report| report.message.clone())
            .unwrap_or_default()
    }

    pub fn ok(self) -> Self {
        assert_eq!(self.exit, 0, "{self:?}");
        self
    }
}

fn pretty(record: &Value, indent: usize) -> String {
    let (mut text, blanks) = (Vec::new(), " ".repeat(indent));
    let formatter = serde_json::ser::PrettyFormatter::with_indent(blanks.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    serde::Serialize::serialize(record, &mut serializer).unwrap();
    String::from_utf8(text).unwrap()
}

struct Anyone(Vec<Arc<Context>>);

impl Authorise for Anyone {
    fn authorise(&self, _: &str, _: &Declaration, _: &Known) -> Result<Permit, Report> {
        Ok(Permit::Granted)
    }
}

impl Place for Anyone {
    fn place(&self, _: &Arc<Context>, _: &Declaration, _: Option<&str>) -> Result<Site, Report> {
        Ok(Site::Here)
    }
}

impl Contexts for Anyone {
    fn context(&self, name: &str) -> Option<Arc<Context>> {
        self.0.iter().find(|context| context.name == name).cloned()
    }
    fn names(&self) -> Vec<String> {
        self.0.iter().map(|context| context.name.clone()).collect()
    }
}

/// Headless with `--yes`.
struct Yes;

#[async_trait]
impl Operator for Yes {
    fn origin(&self) -> Origin {
        Origin::Headless {
            yes: true,
            max_targets: None,
        }
    }
    async fn ask(&self, plan: &Plan, _: Requirement, _: &Arc<Context>) -> Decision {
        Decision::Approved(plan.digest())
    }
    fn note(&self, _: SafeText) {}
    fn progress(&self, _: SafeText) {}
    async fn use_context(&self, name: &str) -> Result<(), Report> {
        // As a console on one context only.
        match name {
            "sandbox" => Ok(()),
            other => Err(Report::refused("E-TEST", format!("there is no context {other}"))),
        }
    }
    async fn suspend(&self, command: TerminalCommand) -> Result<i32, Report> {
        let mut program = Command::new(&command.argv[0]);
        program.args(&command.argv[1..]).envs(&command.environment);
        let ended = tokio::task::spawn_blocking(move || program.status()).await.unwrap();
        Ok(ended.map_or(127, |status| status.code().unwrap_or(-1)))
    }
}

/// Looks at results as they come, and only at that.
pub struct Onlooker;

#[async_trait]
impl Operator for Onlooker {
    fn origin(&self) -> Origin {
        Origin::Typed
    }
    async fn ask(&self, _: &Plan, _: Requirement, _: &Arc<Context>) -> Decision {
        Decision::Declined("only looks".to_owned())
    }
    fn note(&self, _: SafeText) {}
    fn progress(&self, _: SafeText) {}
    fn shows_previews(&self) -> bool {
        true
    }
    async fn suspend(&self, _: TerminalCommand) -> Result<i32, Report> {
        Err(Report::refused("E-TEST", "no terminal"))
    }
}

impl Bench {
    pub async fn start() -> Self {
        let clock = WorldClock::new(SPEED);
        let plane = ControlPlane::start(
            &clock,
            ClusterConfig {
                seed: 7,
                ..Default::default()
            },
            LoadBalancers::new(7),
        )
        .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let faults = Arc::new(Faults::default());
        let config = ApiConfig {
            gate: Some(faults.clone()),
            runtime: Some(Arc::new(plane.kubelets.clone())),
            metrics: true,
            ..ApiConfig::new("secret")
        };
        let api = ApiServer::start(plane.store.clone(), config, listener).unwrap();
        let text = api.kubeconfig("staging.spawnhub.com", "sandbox", "secret");
        let kubeconfig = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(kubeconfig.path(), &text).unwrap();
        let mut context = Context::empty("sandbox");
        context.kubernetes.kubeconfig = KubeconfigSource::Inline(Secret::new(text));
        let editor = tempfile::NamedTempFile::new().unwrap();
        let run = format!("sh {}", editor.path().display());
        context.environment.insert("KUBE_EDITOR".to_owned(), run);
        let context = Arc::new(context);
        let shared = Shared::alone(Hub::new(Clock::real()), Clock::real());
        let clients = Clients::new();
        let mut verbs: Vec<Verb> = kubernetes::feature(&shared, &clients).verbs;
        verbs.extend(records::feature(&helper()).verbs);
        verbs.push(undo());
        let ports = Arc::new(Anyone(vec![context.clone()]));
        let journal = Arc::new(MemoryJournal::new(Clock::real()));
        let session = Session::new(SessionConfig {
            catalogue: Box::new(move || Arc::new(Catalogue::new(verbs))),
            context: context.clone(),
            contexts: ports.clone(),
            journal: journal.clone(),
            shelf: Arc::new(MemoryShelf::default()),
            authorise: ports.clone(),
            place: ports,
            user: "mia".into(),
            clock: Clock::real(),
            outlets: cogdeck::engine::Outlets::local(std::env::temp_dir()),
            read_only: false,
        });
        Bench {
            plane,
            _api: api,
            session,
            journal,
            shared,
            clients,
            context,
            faults,
            kubeconfig,
            home: tempfile::TempDir::new().unwrap(),
            editor,
        }
    }

    /// Who answers for a block that a test follows itself.
    pub fn operator(&self) -> Arc<dyn Operator> {
        Arc::new(Yes)
    }

    /// Puts a deployment into the store behind the server's back, and waits for its pods.
    pub async fn deploy(&self, name: &str, replicas: usize) {
        let object = serde_json::json!({
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"run": name}},
                "template": {"metadata": {"labels": {"run": name}}, "spec": {"containers": [{"name": name, "image": "i"}]}},
                "strategy": {"type": "RollingUpdate"}, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
            },
        });
        self.plane.store.create("deployments", object).unwrap();
        for _ in 0..1000 {
            if self.plane.store.list("pods", Some("default")).len() == replicas {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no pods");
    }

    /// Runs a line to its end; a line that hangs fails the test.
    pub async fn run(&self, line: &str) -> Ran {
        tokio::time::timeout(Duration::from_secs(30), self.run_unlimited(line))
            .await
            .unwrap_or_else(|_| panic!("hangs: {line}"))
    }

    /// The same while the context is marked read-only.
    pub async fn run_read_only(&self, line: &str) -> Ran {
        let marked = Context {
            read_only: true,
            ..Context::clone(&self.context)
        };
        self.session.set_context(Arc::new(marked));
        let ran = self.run(line).await;
        self.session.set_context(self.context.clone());
        ran
    }

    async fn run_unlimited(&self, line: &str) -> Ran {
        let mut ran = Ran::default();
        let mut block = match self.session.start(line, Arc::new(Yes)) {
            Ok(block) => block,
            Err(report) => {
                return Ran {
                    exit: report.severity.exit_code(),
                    report: Some(report),
                    ..ran
                };
            }
        };
        while let Some(event) = block.next().await {
            match event {
                BlockEvent::Item(item) => {
                    match item.view {
                        Some(View::Text(text) | View::Raw(text)) => ran.text.push(text),
                        Some(View::Json(indent)) => ran.text.push(pretty(&item.record, indent)),
                        Some(View::Row { header, cells }) => ran.rows.push((header.columns.clone(), cells)),
                        _ => {}
                    }
                    ran.records.push(item.record);
                }
                BlockEvent::Failed(report) => ran.failed.push(report),
                BlockEvent::Note(note) => ran.notes.push(note.to_string()),
                BlockEvent::Ended { exit_code, report, .. } => {
                    ran.exit = exit_code;
                    ran.report = report;
                }
                _ => {}
            }
        }
        ran
    }

    /// Real kubectl on the same server: exit code, stdout, stderr. None when there is no kubectl here.
    pub async fn kubectl(&self, arguments: &str) -> Option<(i32, String, String)> {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        self.kubectl_words(&words).await
    }

    /// kubectl as a process of its own, for what goes on until it is interrupted. It ends with what it is kept in.
    pub fn spawn_kubectl(&self, words: &[&str]) -> tokio::process::Child {
        self.spawn(words, |_| ())
    }

    /// The same with these variables, with what it reads and with what it complains about.
    pub fn spawn_kubectl_with(&self, variables: &[(&str, &str)], words: &[&str]) -> tokio::process::Child {
        self.spawn(words, |command| {
            command.envs(variables.iter().copied());
            command.stdin(Stdio::piped()).stderr(Stdio::piped());
        })
    }

    fn spawn(&self, words: &[&str], change: impl FnOnce(&mut tokio::process::Command)) -> tokio::process::Child {
        let kubectl = require("kubectl").unwrap();
        let mut command = tokio::process::Command::from(self.kubectl_command(&kubectl, words));
        command.stdout(Stdio::piped()).kill_on_drop(true);
        change(&mut command);
        command.spawn().unwrap()
    }

    fn kubectl_command(&self, kubectl: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(kubectl);
        command
            .env("KUBECONFIG", self.kubeconfig.path())
            .env("HOME", self.home.path())
            .env("TMPDIR", self.home.path())
            .env("KUBE_EDITOR", &self.context.environment["KUBE_EDITOR"])
            .args(words);
        command
    }

    /// The same, for words that hold blanks.
    pub async fn kubectl_words(&self, words: &[&str]) -> Option<(i32, String, String)> {
        let mut command = self.kubectl_command(&require("kubectl")?, words);
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .unwrap()
            .unwrap();
        Some((
            output.status.code().unwrap_or(-1),
            text(&output.stdout),
            text(&output.stderr),
        ))
    }
}

/// What a program wrote.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits until something holds.
pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < PATIENCE, "waited for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What `jq` and others run in a process of their own.
pub fn helper() -> Helper {
    Helper::at(env!("CARGO_BIN_EXE_cogdeck"))
}

/// The code of `undo-last` where nothing was changed.
pub const NOTHING_JOURNALLED: &str = "E-TEST-EMPTY";

struct UndoLast;

#[async_trait]
impl cogdeck::verb::Read for UndoLast {
    async fn run(
        &self,
        call: &cogdeck::verb::Call,
        _: &mut cogdeck::verb::Input,
        output: &cogdeck::verb::Output,
    ) -> Result<(), Report> {
        let newest = call.session.audit(1).await?;
        let Some(newest) = newest.first() else {
            return Err(Report::refused(NOTHING_JOURNALLED, "nothing is journalled"));
        };
        call.session.undo(newest.number, call, output).await
    }
}

/// `undo-last`: what `undo N` does, for the newest change.
fn undo() -> Verb {
    Verb::read(
        Declaration::new("test", "undo-last", "Undo the newest change"),
        UndoLast,
    )
}
