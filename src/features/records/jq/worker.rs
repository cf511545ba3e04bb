//! A stage's side of a filter's process: starting it, feeding it records, reading what it says. Records wait for the
//! process and outputs for their reader, since a pipe is full soon: an endless filter runs no further than it is read.

use std::process::ExitStatus;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

use serde_json::Value;

use super::serve::{MEMORY, STACK};
use super::wire::{BATCH, DONE, FAILED, Failed, Fault, LARGEST_OUTPUT, MODE, OUTPUT, Options, READY, REFUSED, Setup};
use crate::core::record::Record;
use crate::exec::Helper;
use crate::verb::{Input, Item};

/// Of a failure a line may hold one record and its message beside the output's length.
const LARGEST_LINE: usize = LARGEST_OUTPUT + (LARGEST_OUTPUT >> 1);
/// Replies handed on together.
const TOGETHER: usize = 256;
/// Read of what a process says on stderr when it crashes.
const LAST_WORDS: u64 = 4 << 10;

/// What the process says.
#[derive(Debug)]
pub enum Reply {
    /// An output.
    Output(Value),
    /// An input that failed (none: the one run over all), and why.
    Failed(Option<Value>, Fault),
}

/// A running filter. Dropping it kills its process.
pub struct Worker {
    /// Where records go.
    pub records: Records,
    /// What comes out.
    pub replies: Replies,
}

impl Worker {
    /// Starts a filter's process; back when the filter is compiled. `Err`: it can't be, or there is no process to be had.
    pub async fn start(helper: &Helper, filter: String, options: Options) -> Result<Worker, Fault> {
        let broken = |error: std::io::Error| Fault::Ended(format!("jq's process can't be started: {error}"));
        let mut command = helper.command(MODE);
        // A Ctrl-C at our terminal is ours to handle.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(broken)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Fault::Ended("jq's process has no pipes".to_owned()));
        };
        let mut setup = serde_json::to_vec(&Setup { filter, options }).map_err(|error| broken(error.into()))?;
        setup.push(b'\n');
        let mut records = Records { stdin };
        let mut replies = Replies {
            stdout: BufReader::with_capacity(BATCH, stdout),
            line: Vec::new(),
            ended: false,
            child,
        };
        // A process that is gone already says why when it is read.
        let _ = records.stdin.write_all(&setup).await;
        match replies.line(Word::of).await? {
            Some(Word::Ready) => Ok(Worker { records, replies }),
            Some(Word::Refused(fault)) => Err(fault),
            Some(Word::Said(_)) | None => Err(foreign()),
        }
    }
}

/// Where records go; dropping it is their end.
pub struct Records {
    stdin: ChildStdin,
}

impl Records {
    /// Hands over `items` and everything from `input`, what is there at once in large pieces, until it or the process
    /// ends.
    pub async fn send_all(mut self, mut items: Vec<Item>, input: &mut Input) {
        let mut text = Vec::with_capacity(BATCH);
        while !items.is_empty() || input.batch(&mut items).await {
            for item in items.drain(..) {
                write(&mut text, &item.record);
                if text.len() >= BATCH {
                    if self.stdin.write_all(&text).await.is_err() {
                        return;
                    }
                    text.clear();
                }
            }
            if self.stdin.write_all(&text).await.is_err() {
                return;
            }
            text.clear();
        }
    }
}

fn write(text: &mut Vec<u8>, record: &Record) {
    // Writing a value into memory does not fail.
    let _ = serde_json::to_writer(&mut *text, record);
    text.push(b'\n');
}

/// What comes out.
pub struct Replies {
    stdout: BufReader<ChildStdout>,
    /// The part of a line that came before the rest.
    line: Vec<u8>,
    /// Its last line was read.
    ended: bool,
    child: Child,
}

enum Word {
    Ready,
    Refused(Fault),
    /// None: the end.
    Said(Option<Reply>),
}

impl Word {
    fn of(line: &[u8]) -> Option<Word> {
        let (tag, text) = line.split_first()?;
        Some(match *tag {
            OUTPUT => Word::Said(Some(Reply::Output(serde_json::from_slice(text).ok()?))),
            FAILED => {
                let Failed { record, fault } = serde_json::from_slice(text).ok()?;
                Word::Said(Some(Reply::Failed(record, fault)))
            }
            DONE => Word::Said(None),
            READY => Word::Ready,
            REFUSED => Word::Refused(serde_json::from_slice(text).ok()?),
            _ => return None,
        })
    }
}

impl Replies {
    /// Waits for an output or a failure and takes with it those that have come; false: the end. `Err`: the process ended
    /// before its filter did.
    pub async fn batch(&mut self, into: &mut Vec<Reply>) -> Result<bool, Fault> {
        if self.ended {
            return Ok(false);
        }
        loop {
            match self.line(Word::of).await? {
                Some(Word::Said(Some(reply))) => into.push(reply),
                Some(Word::Said(None)) => {
                    self.ended = true;
                    return Ok(!into.is_empty());
                }
                _ => return Err(foreign()),
            }
            if into.len() >= TOGETHER || !self.stdout.buffer().contains(&b'\n') {
                return Ok(true);
            }
        }
    }

    /// Reads one line.
    async fn line<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> Result<T, Fault> {
        self.line.clear();
        loop {
            let chunk = self.stdout.fill_buf().await.unwrap_or_default();
            if chunk.is_empty() {
                return Err(self.lost().await);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            let used = part.len() + usize::from(end.is_some());
            if end.is_some() && self.line.is_empty() {
                let result = read(part);
                self.stdout.consume(used);
                return Ok(result);
            }
            self.line.extend_from_slice(part);
            self.stdout.consume(used);
            if end.is_some() {
                return Ok(read(&self.line));
            }
            if self.line.len() > LARGEST_LINE {
                return Err(Fault::TooLong);
            }
        }
    }

    /// Why there is nothing more to read.
    async fn lost(&mut self) -> Fault {
        let mut last_words = Vec::new();
        if let Some(stderr) = self.child.stderr.take() {
            let _ = stderr.take(LAST_WORDS).read_to_end(&mut last_words).await;
        }
        let status = self.child.wait().await.ok();
        Fault::Ended(cause(&String::from_utf8_lossy(&last_words), status))
    }
}

fn foreign() -> Fault {
    Fault::Ended("jq's process does not speak our language".to_owned())
}

/// What Rust's runtime says of a stack or of memory at its end.
fn cause(last_words: &str, status: Option<ExitStatus>) -> String {
    if last_words.contains("overflowed its stack") {
        return format!("it recurses too deep: {} MiB of stack are used up", STACK >> 20);
    }
    if last_words.contains("memory allocation") {
        return format!("it needs more memory than the {} MiB it may have", MEMORY >> 20);
    }
    let how = status.map_or_else(|| "in an unknown way".to_owned(), |status| format!("with {status}"));
    match last_words.lines().rfind(|line| !line.trim().is_empty()) {
        Some(line) => format!("its process ended {how}: {}", line.trim()),
        None => format!("its process ended {how}"),
    }
}
