//! The thread a filter runs on. Its values can't leave it, its stack is large, and it may be busy for long: so it is
//! no thread of the async runtime.
//!
//! What bounds it: outputs wait for their reader, so an endless filter runs no further than it is read, and it ends
//! with its first output after cancellation. A filter that yields nothing can't be stopped inside a thread: cancelling
//! ends its stage, and the thread ends with its filter.

use std::thread;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::filter::{Fault, Options, Program};

/// Frames of a filter's recursion fit in here; pages of it that are never touched cost nothing.
const STACK: usize = 256 << 20;

/// Records between the stage and its thread.
const QUEUE: usize = 64;

/// What the thread says.
#[derive(Debug)]
pub enum Reply {
    /// An output.
    Output(Value),
    /// An input that failed (none: the one run over all), and why.
    Failed(Option<Value>, Fault),
}

/// A running filter: records go in, replies come out; both ends close when it is done.
pub struct Worker {
    /// Where records go.
    pub records: mpsc::Sender<Value>,
    /// What comes out.
    pub replies: mpsc::Receiver<Reply>,
}

/// Starts a filter. `Err`: it can't be compiled, or there is no thread to be had.
pub async fn start(code: String, options: Options, cancel: CancellationToken) -> Result<Worker, Fault> {
    let (records, mut input) = mpsc::channel::<Value>(QUEUE);
    let (output, replies) = mpsc::channel(QUEUE);
    let (ready, compiled) = oneshot::channel();
    let work = move || {
        let program = match Program::compile(&code, options) {
            Ok(program) => program,
            Err(fault) => {
                let _ = ready.send(Err(fault));
                return;
            }
        };
        let _ = ready.send(Ok(()));
        program.run(std::iter::from_fn(|| input.blocking_recv()), &mut |record, result| {
            let reply = match result {
                Ok(value) => Reply::Output(value),
                Err(fault) => Reply::Failed(record.cloned(), fault),
            };
            !cancel.is_cancelled() && output.blocking_send(reply).is_ok()
        });
    };
    let thread = thread::Builder::new()
        .name("jq".to_owned())
        .stack_size(STACK)
        .spawn(work);
    thread.map_err(|error| Fault::Failed(format!("no thread for jq: {error}")))?;
    match compiled.await {
        Ok(result) => result.map(|()| Worker { records, replies }),
        Err(_) => Err(Fault::Failed("the filter crashed jq's compiler".to_owned())),
    }
}
