//! One stage of a running pipeline: takes records, invokes its verb, hands results on. `each` in order, one at a time
//! or several with their order kept; `all` once over the whole stream. A panic in a verb is a failure of its stage.

mod contexts;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ending::timed_out;
use super::mutation;
use super::plan::{OnError, StagePlan};
use super::run::{Items, Run};
use super::secrets::Answers;
use super::variables::Scope;
use crate::core::record::Record;
use crate::core::report::{Report, Severity};
use crate::verb::invocation::NOBODY_READS;
use crate::verb::{Action, Arguments, Call, Input, InputMode, Item, Known, Output, Read, Step};

/// How long a verb may take to end after it was told to, before it is dropped where it waits.
pub const GRACE: Duration = Duration::from_secs(5);

/// Results that one of several parallel invocations may be ahead of its turn.
const AHEAD: usize = 64;

/// A stage about to run.
pub struct StageRun {
    run: Arc<Run>,
    plan: Arc<StagePlan>,
    input: Option<Items>,
    output: Output,
    /// Ends this stage alone: nobody reads it any more, or a parallel invocation failed.
    cancel: CancellationToken,
    /// Values of options that were not on the line.
    answers: Arc<Answers>,
}

impl StageRun {
    /// A stage between its two channels; no input: it is the first and nothing is fed to it.
    pub fn new(run: Arc<Run>, plan: Arc<StagePlan>, input: Option<Items>, output: Output) -> Self {
        let output = if plan.on_error == OnError::Stop {
            output.stopping()
        } else {
            output
        };
        let cancel = run.ending.token().child_token();
        StageRun {
            run,
            plan,
            input,
            output,
            cancel,
            answers: Arc::default(),
        }
    }

    /// With values of options that were not on the line.
    #[must_use]
    pub fn answered(self, answers: Answers) -> Self {
        StageRun {
            answers: Arc::new(answers),
            ..self
        }
    }

    /// Runs to the end. A failure is recorded before the output closes, so that the next stage can tell an end from
    /// a break.
    pub async fn run(mut self) {
        let result = caught(self.execute()).await;
        if let Err(report) = result {
            self.run.fail(self.placed(report));
        }
    }

    async fn execute(&mut self) -> Result<(), Report> {
        match self.plan.verb.action.clone() {
            Action::Mutate(action) => {
                let Some(calls) = self.targets().await? else {
                    return Ok(());
                };
                let work = mutation::Work {
                    run: &self.run,
                    stage: &self.plan,
                    action: action.as_ref(),
                    recovery: None,
                };
                work.perform(calls, &self.output).await
            }
            Action::Read(read) => {
                mutation::approve_opaque(&self.run, &self.plan).await?;
                if !self.plan.contexts.is_empty() {
                    return self.everywhere(read).await;
                }
                match (self.input.take(), self.plan.verb.declaration.input) {
                    (Some(items), InputMode::Each) if self.parallel_calls() > 1 => self.parallel(items, read).await,
                    (Some(items), InputMode::Each) => self.each(items, read.as_ref()).await,
                    (items, _) => self.once(items, read.as_ref()).await,
                }
            }
        }
    }

    /// One invocation: without a record, or over the whole stream.
    async fn once(&self, items: Option<Items>, read: &dyn Read) -> Result<(), Report> {
        let call = self.call(None)?;
        let run = self.run.clone();
        let mut input = items.map_or_else(Input::empty, |items| {
            Input::new(items, self.output.clone()).breaking(move || run.has_failed() || run.ending.is_ending())
        });
        self.invoke(read, &call, &mut input, &self.output).await
    }

    /// One invocation a record, in order.
    async fn each(&self, mut items: Items, read: &dyn Read) -> Result<(), Report> {
        let mut call: Option<Call> = None;
        let mut ahead = Ahead::default();
        while let Some((item, step)) = self.next_step(&mut items, &mut ahead).await? {
            let record = match item {
                Ok(item) => item.record,
                failed => {
                    self.output.pass_on(failed).await?;
                    continue;
                }
            };
            let bound = self.rebind(call.take(), record);
            let result = match bound {
                Ok(bound) => {
                    let call = call.insert(Call { step, ..bound });
                    self.invoke(read, call, &mut Input::empty(), &self.output)
                        .await
                        .map_err(|report| {
                            call.record
                                .as_ref()
                                .map_or(report.clone(), |record| report.on_record(record))
                        })
                }
                Err(report) => Err(report),
            };
            self.settle(result).await?;
        }
        Ok(())
    }

    /// Several invocations at a time; results stay in the order of the records.
    async fn parallel(&self, mut items: Items, read: Arc<dyn Read>) -> Result<(), Report> {
        let permits = Arc::new(Semaphore::new(self.parallel_calls()));
        let (queue, mut turns) = mpsc::channel::<Turn>(self.parallel_calls());
        let tracker = TaskTracker::new();
        let feed = async {
            // Moved in, so that the queue closes with the feeder.
            let queue = queue;
            let mut ahead = Ahead::default();
            while let Some((item, step)) = self.next_step(&mut items, &mut ahead).await? {
                let turn = match item {
                    Err(report) => Turn::Failed(report),
                    Ok(item) => {
                        let Ok(permit) = permits.clone().acquire_owned().await else {
                            break;
                        };
                        self.start(&tracker, read.clone(), (item.record, step), permit)
                    }
                };
                if queue.send(turn).await.is_err() {
                    break;
                }
            }
            Ok::<(), Report>(())
        };
        let drain = async {
            while let Some(turn) = turns.recv().await {
                self.drain(turn).await?;
            }
            Ok(())
        };
        let result = tokio::try_join!(feed, drain).map(|_| ());
        self.cancel.cancel();
        tracker.close();
        tracker.wait().await;
        result
    }

    fn start(
        &self,
        tracker: &TaskTracker,
        read: Arc<dyn Read>,
        (record, step): (Record, Option<Step>),
        permit: OwnedSemaphorePermit,
    ) -> Turn {
        let (sender, results) = mpsc::channel(AHEAD);
        let output = match self.plan.on_error {
            OnError::Stop => Output::new(sender).stopping(),
            OnError::Continue => Output::new(sender),
        };
        let stage = self.without_channels(output);
        let work = tracker.spawn(async move {
            let call = Call {
                step,
                ..stage.call(Some(record))?
            };
            let result = caught(stage.invoke(read.as_ref(), &call, &mut Input::empty(), &stage.output)).await;
            result.map_err(|report| {
                call.record
                    .as_ref()
                    .map_or(report.clone(), |record| report.on_record(record))
            })
        });
        Turn::Running {
            results,
            work,
            _permit: permit,
        }
    }

    async fn drain(&self, turn: Turn) -> Result<(), Report> {
        match turn {
            Turn::Failed(report) => self.output.pass_on(Err(report)).await,
            Turn::Running { mut results, work, .. } => {
                while let Some(item) = results.recv().await {
                    self.output.pass_on(item).await?;
                }
                let result = work.await.unwrap_or_else(|error| Err(crashed(&error.to_string())));
                self.settle(result).await
            }
        }
    }

    fn without_channels(&self, output: Output) -> StageRun {
        StageRun {
            run: self.run.clone(),
            plan: self.plan.clone(),
            input: None,
            output,
            cancel: self.cancel.clone(),
            answers: self.answers.clone(),
        }
    }

    /// Every call of a verb that changes something, once all its records are known. None: nothing may be changed,
    /// since the records are not complete.
    async fn targets(&mut self) -> Result<Option<Vec<Call>>, Report> {
        let Some(mut items) = self.input.take() else {
            return Ok(Some(vec![self.call(None)?]));
        };
        let mut calls = Vec::new();
        while let Some(item) = self.next(&mut items).await? {
            match item {
                Err(report) => self.output.pass_on(Err(report)).await?,
                Ok(_) if calls.len() >= mutation::MAX_TARGETS => return Err(mutation::too_many()),
                Ok(item) => match self.call(Some(item.record)) {
                    Ok(call) => calls.push(call),
                    Err(report) => self.settle(Err(report)).await?,
                },
            }
        }
        if self.run.ending.is_ending() {
            return Err(self.run.ending.report());
        }
        if self.run.has_failed() {
            let verb = self.plan.verb.declaration.qualified();
            let note = format!("{verb} changed nothing: a stage before it failed, so its targets are not complete");
            self.run.operator.note(note.into());
            return Ok(None);
        }
        Ok(Some(calls))
    }

    /// The next item and, for a verb that must know, where it stands. Failed records in between are handed on at once.
    async fn next_step(&self, items: &mut Items, ahead: &mut Ahead) -> Result<Option<Placed>, Report> {
        loop {
            match self.next(items).await? {
                Some(Ok(item)) if self.plan.verb.declaration.stepped => {
                    if let Some((before, step)) = ahead.push(item) {
                        return Ok(Some((Ok(before), Some(step))));
                    }
                }
                Some(item) => return Ok(Some((item, None))),
                None => return Ok(ahead.end().map(|(last, step)| (Ok(last), Some(step)))),
            }
        }
    }

    /// The next item; none at the end. Waits for nothing once the pipeline has to end or nobody reads.
    async fn next(&self, items: &mut Items) -> Result<Option<Result<Item, Report>>, Report> {
        tokio::select! {
            biased;
            item = items.recv() => match self.run.ending.is_ending() {
                true => Err(self.run.ending.report()),
                false => Ok(item),
            },
            () = self.cancel.cancelled() => Err(self.stopped()),
            () = self.output.closed() => Err(self.unread()),
        }
    }

    /// One invocation under the pipeline's cancellation, the stage's time limit and its reader's interest.
    async fn invoke(&self, read: &dyn Read, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let work = read.run(call, input, output);
        tokio::pin!(work);
        let stop = tokio::select! {
            biased;
            result = &mut work => return result,
            () = call.cancel.cancelled() => self.stopped(),
            () = output.closed() => self.unread(),
            () = elapsed(self.plan.timeout) => timed_out(self.plan.timeout.unwrap_or_default()),
        };
        call.cancel.cancel();
        let _ = tokio::time::timeout(GRACE, &mut work).await;
        Err(stop)
    }

    /// What a failed record does to the stage.
    async fn settle(&self, result: Result<(), Report>) -> Result<(), Report> {
        match result {
            Ok(()) => Ok(()),
            Err(report) if report.code == NOBODY_READS || report.severity == Severity::Interrupted => Err(report),
            Err(report) => self.output.fail(self.placed(report)).await,
        }
    }

    /// Records that are worked on at a time.
    fn parallel_calls(&self) -> usize {
        self.plan.parallel.unwrap_or(1)
    }

    fn stopped(&self) -> Report {
        match self.run.ending.is_ending() {
            true => self.run.ending.report(),
            false => self.unread(),
        }
    }

    fn unread(&self) -> Report {
        Report::failed(NOBODY_READS, "the next stage ended")
    }

    fn placed(&self, report: Report) -> Report {
        let span = self.plan.span;
        report
            .in_stage(self.plan.number)
            .at(&self.run.plan.source, span.start..span.end)
    }

    /// The call for the next record; the one before is used again where its arguments are the same.
    fn rebind(&self, call: Option<Call>, record: Record) -> Result<Call, Report> {
        match call {
            Some(mut call) if self.plan.template.is_fixed() && self.plan.timeout.is_none() => {
                call.record = Some(record);
                Ok(call)
            }
            Some(mut call) => {
                call.arguments = self
                    .arguments(Some(&record))
                    .map_err(|report| report.on_record(&record))?;
                call.cancel = self.token();
                call.record = Some(record);
                Ok(call)
            }
            None => self.call(Some(record)),
        }
    }

    fn call(&self, record: Option<Record>) -> Result<Call, Report> {
        let arguments = self.arguments(record.as_ref()).map_err(|report| {
            record
                .as_ref()
                .map_or(report.clone(), |record| report.on_record(record))
        })?;
        Ok(Call {
            verb: self.plan.verb.declaration.qualified(),
            arguments,
            step: record.is_none().then_some(Step::Last),
            record,
            context: self.plan.context.clone(),
            user: self.run.user.clone(),
            operator: self.run.operator.clone(),
            session: self.run.session.clone(),
            cancel: self.token(),
            pipeline_id: self.run.id.clone(),
            stage: self.plan.number,
            last_stage: self.plan.last,
            shown: self.plan.last && self.run.plan.destinations.is_empty(),
        })
    }

    /// A time limit ends one invocation, not the stage.
    fn token(&self) -> CancellationToken {
        match self.plan.timeout {
            Some(_) => self.cancel.child_token(),
            None => self.cancel.clone(),
        }
    }

    fn arguments(&self, record: Option<&Record>) -> Result<Arguments, Report> {
        let scope = Scope {
            record,
            values: &self.run.values,
        };
        // Before the first stage has a record nothing can have happened yet: that is a refusal.
        let severity = match (self.plan.number, record) {
            (1, None) => Severity::Refused,
            _ => Severity::Failed,
        };
        let bound = self.plan.template.arguments(scope);
        let mut arguments = bound.map_err(|problem| {
            problem
                .report(&self.run.plan.source, severity)
                .in_stage(self.plan.number)
        })?;
        arguments.options.extend(self.answers.iter().cloned());
        if self.plan.conditional {
            let (user, declaration) = (&self.run.user, &self.plan.verb.declaration);
            let known = Known::from(&arguments);
            self.run
                .authorise
                .authorise(user, declaration, &known)
                .map_err(|report| self.placed(Report { severity, ..report }))?;
        }
        Ok(arguments)
    }
}

/// An item of a stream and where it stands, for a verb that must know.
type Placed = (Result<Item, Report>, Option<Step>);

/// Holds one record back, since only the next one or the end tells whether it is the last.
#[derive(Debug, Default)]
struct Ahead {
    held: Option<Item>,
    begun: bool,
}

impl Ahead {
    /// Takes a record; gives the one before it.
    fn push(&mut self, item: Item) -> Option<(Item, Step)> {
        let before = self.held.replace(item)?;
        match std::mem::replace(&mut self.begun, true) {
            false => Some((before, Step::First)),
            true => Some((before, Step::Middle)),
        }
    }

    /// The end of the stream; gives the last record, if there was any.
    fn end(&mut self) -> Option<(Item, Step)> {
        Some((self.held.take()?, Step::Last))
    }
}

/// A record's turn among parallel invocations.
enum Turn {
    /// It failed in an earlier stage and was passed over.
    Failed(Report),
    /// Its invocation.
    Running {
        results: Items,
        work: JoinHandle<Result<(), Report>>,
        /// Given back when its results were handed on: bounds what is ahead.
        _permit: OwnedSemaphorePermit,
    },
}

/// Ends when a time limit does; without one never.
pub(super) async fn elapsed(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// A panic becomes a report: it must never end the session.
async fn caught(work: impl Future<Output = Result<(), Report>>) -> Result<(), Report> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            Err(crashed(&text))
        }
    }
}

fn crashed(text: &str) -> Report {
    Report::failed(
        "E-RUN-PANIC",
        format!("the command crashed, which is a defect of cogdeck: {text}"),
    )
    .hint("please report it with the pipeline that was run")
}
