//! One pipeline on its way: its stages as tasks joined by bounded channels, and the end that delivers what comes out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::block::{BlockEvent, Board};
use super::destination::Outlets;
use super::ending::Ending;
use super::memory::Recorder;
use super::plan::PipelinePlan;
use super::ports::{Authorise, Journal};
use super::secrets::{self, Answers};
use super::sinks::Sinks;
use super::stage::StageRun;
use super::variables::Values;
use super::window::Window;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::verb::invocation::{CHANNEL_ITEMS, NOBODY_READS};
use crate::verb::{Item, Operator, Output, Session};

/// Items on their way from stage to stage.
pub type Items = mpsc::Receiver<Result<Item, Report>>;

/// What all stages of a running pipeline share.
pub struct Run {
    /// The checked pipeline.
    pub plan: Arc<PipelinePlan>,
    /// The front end.
    pub operator: Arc<dyn Operator>,
    /// The session.
    pub session: Arc<dyn Session>,
    /// Where changes are recorded.
    pub journal: Arc<dyn Journal>,
    /// Asked again where values decide.
    pub authorise: Arc<dyn Authorise>,
    /// Who runs it.
    pub user: String,
    /// Ends it early.
    pub ending: Ending,
    /// Earlier answers, as they were at the start.
    pub values: Arc<Values>,
    /// The same for all stages.
    pub id: String,
    /// Which context takes changes although it is marked read-only.
    pub window: Window,
    /// What redirects can reach.
    pub outlets: Outlets,
    /// The first failure that ends it.
    pub failure: Mutex<Option<Report>>,
}

impl Run {
    /// A stage has failed. Only the first counts: others usually follow from it.
    pub fn fail(&self, report: Report) {
        if report.code != NOBODY_READS {
            self.failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(report);
        }
    }

    /// Whether a stage has failed so far.
    pub fn has_failed(&self) -> bool {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// How a pipeline ended.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub exit_code: u8,
    /// Why it did not end well; none also when records were passed over.
    pub report: Option<Report>,
}

/// Where the result goes.
pub struct Delivery {
    /// The block's events.
    pub events: mpsc::Sender<BlockEvent>,
    /// The block's board: what is posted there to look at until records come counts no more once they do.
    pub board: Arc<Board>,
    /// Counts the records.
    pub records: Arc<AtomicU64>,
    /// A background job goes on when nobody looks.
    pub background: bool,
}

impl Delivery {
    /// Whether there is any reason to go on.
    pub async fn send(&self, event: BlockEvent) -> bool {
        self.board.outdate_preview();
        self.events.send(event).await.is_ok() || self.background
    }
}

/// Runs a pipeline to its end. `input`: records for its first stage; `recorder` is given what comes out, and handed back.
pub async fn run(
    run: Arc<Run>,
    input: Option<Items>,
    delivery: &Delivery,
    mut recorder: Recorder,
) -> (Outcome, Recorder) {
    let answers = match secrets::answers(&run).await {
        Ok(answers) => answers,
        Err(report) => return (ended(report), recorder),
    };
    let opened = Sinks::open(&run.plan.destinations, &run.values, &run.outlets, &run.plan.source).await;
    let mut sinks = match opened {
        Ok(sinks) => sinks,
        Err(report) => return (ended(report), recorder),
    };
    let mut tasks = JoinSet::new();
    let passed_over = match spawn_stages(&run, answers, input, &mut tasks) {
        Some(items) => deliver(&run, items, &mut sinks, &mut recorder, delivery).await,
        None => false,
    };
    // Every stage has ended before the pipeline is said to have: a panic was caught in its task and is a failure.
    while tasks.join_next().await.is_some() {}
    match sinks.close().await {
        Ok(Some(written)) => run.operator.note(SafeText::line(&written)),
        Ok(None) => {}
        Err(report) => run.fail(report),
    }
    let failure = run.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    let outcome = match failure {
        _ if run.ending.is_ending() => ended(run.ending.report()),
        Some(report) => ended(report),
        None => Outcome {
            exit_code: u8::from(passed_over),
            report: None,
        },
    };
    (outcome, recorder)
}

fn ended(report: Report) -> Outcome {
    Outcome {
        exit_code: report.severity.exit_code(),
        report: Some(report),
    }
}

fn spawn_stages(run: &Arc<Run>, answers: Vec<Answers>, input: Option<Items>, tasks: &mut JoinSet<()>) -> Option<Items> {
    let stages = run.plan.stages.iter().zip(answers);
    stages.fold(input, |input, (plan, answers)| {
        let (sender, receiver) = mpsc::channel(CHANNEL_ITEMS);
        let stage = StageRun::new(run.clone(), plan.clone(), input, Output::new(sender));
        tasks.spawn(stage.answered(answers).run());
        Some(receiver)
    })
}

/// Delivers until the end, or until nobody looks any more. Whether records were passed over.
async fn deliver(run: &Run, mut items: Items, sinks: &mut Sinks, recorder: &mut Recorder, delivery: &Delivery) -> bool {
    let mut passed_over = false;
    while let Some(result) = items.recv().await {
        let event = match result {
            Ok(item) => {
                delivery.records.fetch_add(1, Ordering::Relaxed);
                recorder.push(&item.record);
                if let Err(report) = sinks.write(&item).await {
                    run.fail(report);
                    break;
                }
                if !sinks.here {
                    continue;
                }
                BlockEvent::Item(item)
            }
            Err(report) => {
                passed_over = true;
                BlockEvent::Failed(report)
            }
        };
        if !delivery.send(event).await {
            break;
        }
    }
    passed_over
}
