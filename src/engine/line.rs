//! A checked line on its way: its pipelines one after another as `&&`, `||` and `;` say, those before `&` as jobs.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::block::{BlockEvent, Board};
use super::ending::Ending;
use super::memory::Recorder;
use super::pin;
use super::plan::{LinePlan, PipelinePlan, StagePlan};
use super::ports::HistoryLine;
use super::run::{self, Delivery, Items, Outcome, Run};
use super::session::{Front, Inner};
use crate::core::text::SafeText;
use crate::lang::Connector;
use crate::verb::operator::Pin;
use crate::verb::session::JobState;
use crate::verb::{Operator, Session};

/// Columns of a line that is quoted, at most: what is said of it stands behind it.
const QUOTED: usize = 200;

/// Pipelines joined by `&&` and `||`: they run, or become a job, together.
struct Group {
    members: Vec<(Option<Connector>, Arc<PipelinePlan>)>,
    background: bool,
}

/// The running end of a block.
pub(super) struct LineRun {
    pub(super) inner: Arc<Inner>,
    pub(super) front: Front,
    pub(super) events: mpsc::Sender<BlockEvent>,
    pub(super) board: Arc<Board>,
    pub(super) operator: Arc<dyn Operator>,
    pub(super) session: Arc<dyn Session>,
}

impl LineRun {
    /// Runs a whole line to its end.
    pub(super) async fn line(self, plan: LinePlan, input: Option<Items>, timeout: Option<Duration>) {
        let started = self.inner.clock.now();
        let limit = timeout.map(|limit| Limit::start(limit, self.front.ending.clone()));
        let (mut outcome, mut input) = (done(), input);
        for group in groups(&plan) {
            if self.front.ending.is_ending() {
                break;
            }
            self.tell(&mut outcome).await;
            outcome = match group.background {
                true => self.job(group).await,
                false => self.group(group, input.take()).await,
            };
        }
        drop(limit);
        let entry = HistoryLine {
            number: 0,
            line: plan.masked.clone(),
            context: String::new(),
            exit: Some(outcome.exit_code),
        };
        if !plan.source.starts_with(char::is_whitespace) && !plan.items.is_empty() {
            self.remember(entry).await;
        }
        self.end(outcome, started).await;
    }

    /// An earlier pipeline's failure, before the next one starts.
    async fn tell(&self, outcome: &mut Outcome) {
        if let Some(report) = outcome.report.take() {
            let _ = self.events.send(BlockEvent::Failed(report)).await;
        }
    }

    async fn remember(&self, mut entry: HistoryLine) {
        entry.context = self.inner.context_name();
        if let Err(report) = self.inner.journal.remember(entry).await {
            self.operator
                .note(format!("this line is not in the history: {report}").into());
        }
    }

    async fn group(&self, group: Group, input: Option<Items>) -> Outcome {
        let (mut outcome, mut input) = (done(), input);
        for (before, pipeline) in group.members {
            let skipped = match before {
                Some(Connector::And) => outcome.exit_code != 0,
                Some(Connector::Or) => outcome.exit_code == 0,
                _ => false,
            };
            if skipped {
                continue;
            }
            if self.front.ending.is_ending() {
                break;
            }
            self.tell(&mut outcome).await;
            outcome = self.pipeline(pipeline, input.take()).await;
        }
        outcome
    }

    /// Runs a pipeline for a panel, which is in no history and whose records are not kept.
    pub(super) async fn observe(self, plan: Arc<PipelinePlan>) {
        let started = self.inner.clock.now();
        let (outcome, _) = self.stages(&plan, None, Recorder::off()).await;
        self.end(outcome, started).await;
    }

    async fn pipeline(&self, plan: Arc<PipelinePlan>, input: Option<Items>) -> Outcome {
        if let Some(pin) = &plan.pin {
            return self.pin(pin.clone(), &plan.stages).await;
        }
        let (outcome, recorder) = self.stages(&plan, input, Recorder::default()).await;
        let foreground = !self.front.background;
        let name = plan.binding.as_deref().filter(|_| outcome.exit_code == 0);
        self.inner
            .with_memory(|memory| memory.remember(self.front.number, name, recorder, foreground));
        outcome
    }

    async fn pin(&self, pin: Pin, stages: &[Arc<StagePlan>]) -> Outcome {
        let line = SafeText::line(&pin.line).fit(QUOTED);
        match self.operator.pin(pin).await {
            Ok(name) => {
                let advice = pin::advice(stages).unwrap_or_default();
                let text = format!("{line} is the panel {name} from now on, :{name} goes to it{advice}");
                self.operator.note(SafeText::line(&text));
                done()
            }
            Err(report) => Outcome {
                exit_code: report.severity.exit_code(),
                report: Some(report),
            },
        }
    }

    async fn stages(&self, plan: &Arc<PipelinePlan>, input: Option<Items>, recorder: Recorder) -> (Outcome, Recorder) {
        let delivery = Delivery {
            events: self.events.clone(),
            board: self.board.clone(),
            records: self.front.records.clone(),
            background: self.front.background,
        };
        if !delivery.send(BlockEvent::Pipeline(plan.text.clone())).await {
            self.front.ending.interrupt();
        }
        let run = Run {
            plan: plan.clone(),
            operator: self.operator.clone(),
            session: self.session.clone(),
            journal: self.inner.journal.clone(),
            authorise: self.inner.authorise.clone(),
            user: self.inner.user.clone(),
            ending: self.front.ending.clone(),
            values: Arc::new(self.inner.with_memory(|memory| memory.snapshot())),
            id: format!("{:x}-{}", self.inner.clock.now().as_millisecond(), self.front.number),
            window: self.inner.window.clone(),
            outlets: self.inner.outlets.clone(),
            failure: std::sync::Mutex::default(),
        };
        run::run(Arc::new(run), input, &delivery, recorder).await
    }

    /// Starts a group as a job with a block of its own.
    async fn job(&self, group: Group) -> Outcome {
        let text: Vec<&str> = group
            .members
            .iter()
            .map(|(_, pipeline)| pipeline.text.as_str())
            .collect();
        let text = text.join(" … ");
        let started = self.inner.clock.now();
        let ending = Ending::below(&self.inner.shutdown);
        let (number, records) = self.inner.jobs.begin(&text, true, started, ending.clone());
        let front = Front {
            number,
            records,
            catalogue: self.front.catalogue.clone(),
            ending,
            background: true,
            // What it asks is asked for its own block: that of the line may have ended by then.
            operator: self
                .front
                .operator
                .of_job(number)
                .unwrap_or_else(|| self.front.operator.clone()),
        };
        let (block, run) = front.open(self.inner.clone(), text, 0);
        // Boxed: a job is a line run that started in a line run.
        let work: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            let outcome = run.group(group, None).await;
            run.end(outcome, started).await;
        });
        tokio::spawn(work);
        let _ = self.events.send(BlockEvent::Job(Box::new(block))).await;
        done()
    }

    async fn end(self, mut outcome: Outcome, started: Timestamp) {
        if self.front.ending.is_ending() && outcome.report.is_none() {
            let report = self.front.ending.report();
            outcome = Outcome {
                exit_code: report.severity.exit_code(),
                report: Some(report),
            };
        }
        let state = match outcome.exit_code {
            0 => JobState::Done,
            130 => JobState::Stopped,
            _ => JobState::Failed,
        };
        self.inner.jobs.end(self.front.number, state);
        let ended = BlockEvent::Ended {
            exit_code: outcome.exit_code,
            report: outcome.report,
            elapsed: self.inner.clock.since(started),
        };
        let _ = self.events.send(ended).await;
    }
}

fn done() -> Outcome {
    Outcome {
        exit_code: 0,
        report: None,
    }
}

/// `a && b; c & d`: what `;` and `&` separate.
fn groups(plan: &LinePlan) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut members = Vec::new();
    let mut before = None;
    for (pipeline, then) in &plan.items {
        members.push((before, pipeline.clone()));
        before = *then;
        if !matches!(then, Some(Connector::And | Connector::Or)) {
            let background = *then == Some(Connector::Background);
            let members = std::mem::take(&mut members);
            groups.push(Group { members, background });
            before = None;
        }
    }
    groups
}

/// Ends a line when its time is up; disarmed when dropped.
struct Limit(tokio::task::JoinHandle<()>);

impl Limit {
    fn start(limit: Duration, ending: Ending) -> Self {
        Limit(tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            ending.time_out(limit);
        }))
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.0.abort();
    }
}
