//! One invocation of a verb: bound arguments, context, ports, and the bounded streams of records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::operator::Operator;
use super::session::Session;
use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::Report;
use crate::render::View;

/// Records between two stages at most; a full channel makes the producer wait (backpressure end to end).
pub const CHANNEL_ITEMS: usize = 512;

/// Arguments after binding and coercion; every declared option with a value (given or default) is present.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// Positionals in order, a variadic one spread out.
    pub positionals: Vec<Value>,
    /// Options by long name. Types as declared: durations are milliseconds (a JSON number), lists JSON lists.
    pub options: Map<String, Value>,
}

impl Arguments {
    /// The positional at `index` as text.
    pub fn text_at(&self, index: usize) -> Option<String> {
        self.positionals.get(index).map(crate::core::record::to_text)
    }

    /// All positionals as text.
    pub fn texts(&self) -> Vec<String> {
        self.positionals.iter().map(crate::core::record::to_text).collect()
    }

    /// A string (or enum) option.
    pub fn text(&self, name: &str) -> Option<String> {
        self.options.get(name).map(crate::core::record::to_text)
    }

    /// A flag; false when not given.
    pub fn flag(&self, name: &str) -> bool {
        self.options.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.options.get(name).and_then(Value::as_i64)
    }

    /// A number.
    pub fn float(&self, name: &str) -> Option<f64> {
        self.options.get(name).and_then(Value::as_f64)
    }

    /// A duration.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        self.options
            .get(name)
            .and_then(Value::as_u64)
            .map(Duration::from_millis)
    }

    /// A list option as texts; empty when not given.
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.options.get(name) {
            Some(Value::Array(items)) => items.iter().map(crate::core::record::to_text).collect(),
            Some(other) => vec![crate::core::record::to_text(other)],
            None => Vec::new(),
        }
    }
}

/// Arguments as far as they are known before the run: what a permission may depend on. `None`: a variable gives the
/// value when its record comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Positionals in order.
    pub positionals: Vec<Option<Value>>,
    /// Options by long name, defaults included.
    pub options: BTreeMap<String, Option<Value>>,
}

impl From<&Arguments> for Known {
    fn from(arguments: &Arguments) -> Known {
        let options = arguments.options.iter();
        Known {
            positionals: arguments.positionals.iter().cloned().map(Some).collect(),
            options: options
                .map(|(name, value)| (name.clone(), Some(value.clone())))
                .collect(),
        }
    }
}

/// Where in its stage's stream a record stands; an only one is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first of several.
    First,
    /// Between the two.
    Middle,
    /// The last.
    Last,
}

/// One invocation.
#[derive(Clone)]
pub struct Call {
    /// The verb's qualified name.
    pub verb: String,
    /// Bound arguments.
    pub arguments: Arguments,
    /// The record of an `Each` verb; none at the start of a pipeline.
    pub record: Option<Record>,
    /// Where the record stands, for a verb that declares itself stepped.
    pub step: Option<Step>,
    /// The targets.
    pub context: Arc<Context>,
    /// Who runs it.
    pub user: String,
    /// The front end.
    pub operator: Arc<dyn Operator>,
    /// The session.
    pub session: Arc<dyn Session>,
    /// Fires when the pipeline is cancelled or timed out.
    pub cancel: CancellationToken,
    /// The same for all stages of a pipeline.
    pub pipeline_id: String,
    /// The stage's number in its pipeline, from 1.
    pub stage: usize,
    /// Whether this stage is the last of its pipeline: what it emits is shown, not piped.
    pub last_stage: bool,
    /// Its records are what the operator sees: the last stage of a pipeline that goes nowhere else.
    pub shown: bool,
}

impl Call {
    /// For what a verb that mostly reads can change for others: refused where a verb that changes something would be,
    /// by the same rule and in the same words. `what`: the sentence's beginning, `site:x is everyone's alias`.
    ///
    /// # Errors
    /// `E-READONLY-001` and `E-READONLY-002`.
    pub fn may_change(&self, what: &str) -> Result<(), Report> {
        self.session.may_change(&self.context, what)
    }
}

/// A record on its way, with its rendering.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The record.
    pub record: Record,
    /// How to show it; none: by its own shape.
    pub view: Option<View>,
}

/// Records that a stage takes out of its channel at a time, beside [`CHANNEL_ITEMS`] that wait in it.
const TAKEN_ITEMS: usize = 256;

/// Where a stage's records come from.
pub struct Input {
    receiver: Option<mpsc::Receiver<Result<Item, Report>>>,
    /// Taken out of the channel together, the next one last.
    taken: Vec<Result<Item, Report>>,
    /// Where records go that failed in an earlier stage and were passed over: around the verb, in their order.
    around: Option<Output>,
    /// Whether an earlier stage has failed.
    broken: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Input {
    /// No records.
    pub fn empty() -> Self {
        Input {
            receiver: None,
            taken: Vec::new(),
            around: None,
            broken: None,
        }
    }

    /// The records of the stage before. An `Err` in the channel is a failed record that the pipeline was told to pass
    /// over: it goes to `around` and the verb never sees it.
    pub fn new(receiver: mpsc::Receiver<Result<Item, Report>>, around: Output) -> Self {
        Input {
            receiver: Some(receiver),
            taken: Vec::with_capacity(TAKEN_ITEMS),
            around: Some(around),
            broken: None,
        }
    }

    /// Can tell an end from a break by asking this.
    #[must_use]
    pub fn breaking(mut self, broken: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.broken = Some(Arc::new(broken));
        self
    }

    /// At the end of the records: whether they ended because an earlier stage failed, so that they are not complete.
    pub fn is_broken(&self) -> bool {
        self.broken.as_ref().is_some_and(|broken| broken())
    }

    /// Whether anything comes down a pipe at all, be it no records.
    pub fn is_fed(&self) -> bool {
        self.receiver.is_some()
    }

    /// The next record; `None` at the end, or when nobody reads any more.
    pub async fn next(&mut self) -> Option<Item> {
        loop {
            if self.taken.is_empty() {
                let receiver = self.receiver.as_mut()?;
                receiver.recv_many(&mut self.taken, TAKEN_ITEMS).await;
                self.taken.reverse();
            }
            match self.taken.pop()? {
                Ok(item) => return Some(item),
                Err(report) => {
                    if let Some(around) = &self.around {
                        around.sender.send(Err(report)).await.ok()?;
                    }
                }
            }
        }
    }

    /// Waits for a record and takes with it all that are there, for a verb that is done with each at once: a reader that
    /// is woken for each record costs more than the work. False: the end, or nobody reads any more.
    pub async fn batch(&mut self, into: &mut Vec<Item>) -> bool {
        let Some(first) = self.next().await else {
            return false;
        };
        into.push(first);
        // A failed one goes around in its turn, which may have to wait.
        while let Some(Ok(item)) = self.taken.pop_if(|item| item.is_ok()) {
            into.push(item);
        }
        true
    }
}

/// Where a stage's records go. Cheap to clone.
#[derive(Clone)]
pub struct Output {
    sender: mpsc::Sender<Result<Item, Report>>,
    pass_over: bool,
}

impl Output {
    /// Wraps the sending end; failed records are passed over.
    pub fn new(sender: mpsc::Sender<Result<Item, Report>>) -> Self {
        Output {
            sender,
            pass_over: true,
        }
    }

    /// The same, for a stage that ends at its first failed record (`on-error=stop`).
    #[must_use]
    pub fn stopping(mut self) -> Self {
        self.pass_over = false;
        self
    }

    /// Hands on a record; waits while the next stage is busy. An error means that nobody reads any more: stop quietly
    /// by returning it (the engine knows it for what it is).
    pub async fn emit(&self, record: Record) -> Result<(), Report> {
        self.send(Item { record, view: None }).await
    }

    /// Hands on a record with a rendering.
    pub async fn emit_as(&self, record: Record, view: View) -> Result<(), Report> {
        self.send(Item {
            record,
            view: Some(view),
        })
        .await
    }

    /// Hands on an item.
    pub async fn send(&self, item: Item) -> Result<(), Report> {
        self.sender.send(Ok(item)).await.map_err(|_| nobody_reads())
    }

    /// Hands on several items, which are taken out of the list, so that the next stage is woken once.
    pub async fn send_all(&self, items: &mut Vec<Item>) -> Result<(), Report> {
        while !items.is_empty() {
            let count = items.len().min(self.sender.max_capacity());
            let places = self.sender.reserve_many(count).await.map_err(|_| nobody_reads())?;
            for (place, item) in places.zip(items.drain(..count)) {
                place.send(Ok(item));
            }
        }
        Ok(())
    }

    /// Hands on what came from the stage before as it is, a failed record included.
    pub async fn pass_on(&self, item: Result<Item, Report>) -> Result<(), Report> {
        self.sender.send(item).await.map_err(|_| nobody_reads())
    }

    /// Names a record that failed, for a verb that takes several: reported, and the verb goes on; with
    /// `on-error=stop` the report comes back as the error to return.
    pub async fn fail(&self, report: Report) -> Result<(), Report> {
        match self.pass_over {
            true => self.sender.send(Err(report)).await.map_err(|_| nobody_reads()),
            false => Err(report),
        }
    }

    /// Resolves when nobody reads any more.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }
}

/// The code of the error that [`Output::emit`] gives when the reader is gone.
pub const NOBODY_READS: &str = "E-RUN-PIPE";

fn nobody_reads() -> Report {
    Report::failed(NOBODY_READS, "the next stage ended")
}
