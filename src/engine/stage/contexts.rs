//! A stage in several contexts at once. Their results come in the order in which the contexts were named, or as they
//! happen when the verb goes on by itself; each says which context it is from. A context that fails is reported and
//! takes no other with it. Not which contexts there are, nor what may run in them: that was checked before.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::{AHEAD, Ahead, StageRun, caught, crashed};
use crate::core::change::{Origin, Plan, Requirement, Target};
use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::{Report, Severity};
use crate::core::text::{SafeText, Secret};
use crate::engine::plan::{OnError, StagePlan};
use crate::engine::run::Items;
use crate::verb::invocation::NOBODY_READS;
use crate::verb::operator::{Pin, TerminalCommand, TerminalWork};
use crate::verb::{Call, ContextMark, Decision, Input, InputMode, Item, Operator, Output, Read, Step, View};

/// Contexts that are asked at a time, unless `parallel=` says how many. What those behind the first have ready waits in
/// channels of [`AHEAD`]: the reader holds all of them back.
const AT_ONCE: usize = 16;

/// The field of a record that names its context.
const FIELD: &str = "context";

/// Where a record goes that has no room for that field.
const WHOLE: &str = "record";

impl StageRun {
    /// Runs in each of the stage's contexts; fed with records, in each for every record.
    pub(super) async fn everywhere(&mut self, read: Arc<dyn Read>) -> Result<(), Report> {
        let tracker = TaskTracker::new();
        let result = self.rounds(&tracker, &read).await;
        self.cancel.cancel();
        tracker.close();
        tracker.wait().await;
        result
    }

    async fn rounds(&mut self, tracker: &TaskTracker, read: &Arc<dyn Read>) -> Result<(), Report> {
        let mut left: Vec<Arc<StagePlan>> = self.plan.contexts.iter().map(|context| self.plan_in(context)).collect();
        let items = self.input.take();
        let Some(mut items) = items.filter(|_| self.plan.verb.declaration.input == InputMode::Each) else {
            return self.round(&mut left, |plan| self.lane(tracker, read, plan, None)).await;
        };
        let mut ahead = Ahead::default();
        while let Some((item, step)) = self.next_step(&mut items, &mut ahead).await? {
            match item {
                Err(report) => self.output.pass_on(Err(report)).await?,
                Ok(item) => {
                    let record = Some((item.record, step));
                    self.round(&mut left, |plan| self.lane(tracker, read, plan, record.clone()))
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Once in each context. Those that failed are not asked again, unless failed records are passed over.
    async fn round(
        &self,
        left: &mut Vec<Arc<StagePlan>>,
        lane: impl Fn(&Arc<StagePlan>) -> Lane + Send + Sync,
    ) -> Result<(), Report> {
        let mut failed: Vec<String> = Vec::new();
        let following = self.plan.may_go_on();
        let at_once = match following {
            // One that goes on never makes room for the next.
            true => left.len(),
            false => self.plan.parallel.unwrap_or(AT_ONCE),
        };
        let mut waiting = left.iter();
        let mut running: VecDeque<Lane> = waiting.by_ref().take(at_once).map(&lane).collect();
        if following {
            let mut all = stream::select_all(running.into_iter().map(Lane::stream));
            while let Some(item) = self.unless_unread(all.next()).await? {
                self.hand_on(item, &mut failed).await?;
            }
        } else {
            while let Some(mut first) = running.pop_front() {
                while let Some(item) = self.unless_unread(first.next()).await? {
                    self.hand_on(item, &mut failed).await?;
                }
                running.extend(waiting.next().map(&lane));
            }
        }
        if self.plan.on_error == OnError::Stop {
            left.retain(|plan| !failed.contains(&plan.context.name));
        }
        Ok(())
    }

    async fn unless_unread<T>(&self, work: impl Future<Output = T>) -> Result<T, Report> {
        tokio::select! {
            biased;
            result = work => Ok(result),
            () = self.output.closed() => Err(self.unread()),
        }
    }

    /// A failure is passed over whatever `on-error=` says: contexts have nothing to do with each other.
    async fn hand_on(&self, item: Result<Item, Report>, failed: &mut Vec<String>) -> Result<(), Report> {
        match item {
            Err(_) if self.run.ending.is_ending() => Err(self.run.ending.report()),
            Err(report) if report.code == NOBODY_READS || report.severity == Severity::Interrupted => Err(report),
            Err(report) => {
                failed.extend(report.context_name().map(str::to_owned));
                self.output.pass_on(Err(self.placed(report))).await
            }
            item => self.output.pass_on(item).await,
        }
    }

    /// This stage in one of its contexts.
    fn plan_in(&self, context: &Arc<Context>) -> Arc<StagePlan> {
        Arc::new(StagePlan {
            context: context.clone(),
            contexts: Vec::new(),
            ..self.plan.as_ref().clone()
        })
    }

    /// Starts an invocation in one context.
    fn lane(
        &self,
        tracker: &TaskTracker,
        read: &Arc<dyn Read>,
        plan: &Arc<StagePlan>,
        record: Option<(Record, Option<Step>)>,
    ) -> Lane {
        let (sender, results) = mpsc::channel(AHEAD);
        let output = match plan.on_error {
            OnError::Stop => Output::new(sender).stopping(),
            OnError::Continue => Output::new(sender),
        };
        let stage = StageRun {
            plan: plan.clone(),
            ..self.without_channels(output)
        };
        let (name, read) = (plan.context.name.clone(), read.clone());
        let work = tracker.spawn(async move {
            let (record, step) = record.map_or((None, Some(Step::Last)), |(record, step)| (Some(record), step));
            let call = stage.call(record)?;
            let operator = Arc::new(FromContext {
                inner: call.operator.clone(),
                name: stage.plan.context.name.clone(),
            });
            let call = Call { operator, step, ..call };
            let result = caught(stage.invoke(read.as_ref(), &call, &mut Input::empty(), &stage.output)).await;
            result.map_err(|report| match &call.record {
                Some(record) => report.on_record(record),
                None => report,
            })
        });
        Lane {
            mark: ContextMark::new(name.as_str()),
            name,
            results,
            work: Some(work),
        }
    }
}

/// One context's results on their way.
struct Lane {
    name: String,
    mark: ContextMark,
    results: Items,
    /// Until it was seen to have ended.
    work: Option<JoinHandle<Result<(), Report>>>,
}

impl Lane {
    /// The next result; the failure of the whole comes last.
    async fn next(&mut self) -> Option<Result<Item, Report>> {
        let result = match self.results.recv().await {
            Some(result) => result,
            None => {
                let work = self.work.take()?.await;
                Err(work.unwrap_or_else(|error| Err(crashed(&error.to_string()))).err()?)
            }
        };
        Some(match result {
            Ok(item) => Ok(self.marked(item)),
            Err(report) => Err(report.in_context(&self.name)),
        })
    }

    fn stream(self) -> BoxStream<'static, Result<Item, Report>> {
        stream::unfold(self, |mut lane| async move { Some((lane.next().await?, lane)) }).boxed()
    }

    fn marked(&mut self, item: Item) -> Item {
        let view = item.view.unwrap_or_else(|| View::by_shape(&item.record));
        Item {
            view: Some(self.mark.view(view)),
            record: named(item.record, &self.name),
        }
    }
}

/// A map gets the field. What is no map, or says something else in a field of that name, is held as a whole beside it.
fn named(record: Record, context: &str) -> Record {
    match record {
        Value::Object(mut map) if !map.contains_key(FIELD) => {
            map.insert(FIELD.to_owned(), Value::from(context));
            Value::Object(map)
        }
        whole => json!({FIELD: context, WHOLE: whole}),
    }
}

/// The operator as a verb sees it that runs in one of several contexts: what it says tells which.
struct FromContext {
    inner: Arc<dyn Operator>,
    name: String,
}

impl FromContext {
    fn told(&self, text: &SafeText) -> SafeText {
        SafeText::line(&format!("context {}: {}", self.name, text.as_str()))
    }
}

#[async_trait]
impl Operator for FromContext {
    fn origin(&self) -> Origin {
        self.inner.origin()
    }

    async fn ask(&self, plan: &Plan, requirement: Requirement, context: &Arc<Context>) -> Decision {
        self.inner.ask(plan, requirement, context).await
    }

    async fn secret(&self, what: &str, from_input: bool) -> Result<Secret, Report> {
        self.inner.secret(what, from_input).await
    }

    async fn input(&self) -> Result<String, Report> {
        self.inner.input().await
    }

    fn note(&self, text: SafeText) {
        self.inner.note(self.told(&text));
    }

    fn progress(&self, text: SafeText) {
        self.inner.progress(self.told(&text));
    }

    fn acting_on(&self, target: &Target, context: &Arc<Context>) {
        self.inner.acting_on(target, context);
    }

    async fn suspend(&self, command: TerminalCommand) -> Result<i32, Report> {
        self.inner.suspend(command).await
    }

    fn has_terminal(&self) -> bool {
        self.inner.has_terminal()
    }

    async fn lend(&self, work: TerminalWork) -> Result<i32, Report> {
        self.inner.lend(work).await
    }

    async fn use_context(&self, name: &str) -> Result<(), Report> {
        self.inner.use_context(name).await
    }

    async fn pin(&self, pin: Pin) -> Result<String, Report> {
        self.inner.pin(pin).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_its_context_and_loses_nothing() {
        let object = json!({"kind": "Pod", "context": null, "record": 1});
        for (record, wanted) in [
            (json!({"kind": "Pod"}), json!({"kind": "Pod", "context": "blue"})),
            (json!({}), json!({"context": "blue"})),
            (object.clone(), json!({"context": "blue", "record": object})),
            (json!([1]), json!({"context": "blue", "record": [1]})),
            (json!("x"), json!({"context": "blue", "record": "x"})),
            (Value::Null, json!({"context": "blue", "record": null})),
        ] {
            assert_eq!(named(record, "blue"), wanted);
        }
    }
}
