//! The filter's process: compiles the filter of the first line and runs it over the records that follow. Its memory and
//! stack are limited; what goes beyond them ends it, and the stage says so. It ends when nobody reads it any more, also
//! while its filter computes without a word.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jaq_json::Val;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::convert::write_json;
use super::filter::{Next, Program};
use super::wire::{BATCH, DONE, FAILED, Failed, Fault, LARGEST_OUTPUT, OUTPUT, READY, REFUSED, Setup};

/// Address space of the process, its program and stacks included.
pub const MEMORY: u64 = 1 << 30;
/// Frames of a filter's recursion fit in here; pages of it that are never touched cost nothing.
pub const STACK: usize = 64 << 20;
/// An output waits this long at most for others to be written with.
const TICK: Duration = Duration::from_millis(20);

/// Runs to the end of stdin; the exit code.
pub fn serve() -> u8 {
    let limit = Rlimit {
        current: Some(MEMORY),
        maximum: Some(MEMORY),
    };
    let begun = setrlimit(Resource::As, limit).map_err(io::Error::from).and_then(|()| {
        std::thread::Builder::new()
            .name("jq".to_owned())
            .stack_size(STACK)
            .spawn(work)
    });
    let ended = begun.map(|thread| {
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the filter crashed")))
    });
    match ended.and_then(|result| result) {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "jq: {error}");
            1
        }
    }
}

fn work() -> io::Result<()> {
    let stdin = File::from(rustix::stdio::stdin().try_clone_to_owned()?);
    let stdout = File::from(rustix::stdio::stdout().try_clone_to_owned()?);
    let mut input = BufReader::with_capacity(BATCH, stdin);
    let output = Arc::new(Output {
        pending: Mutex::default(),
        sink: stdout,
    });
    let ticking = output.clone();
    std::thread::Builder::new().spawn(move || ticking.tick())?;
    let mut setup = String::new();
    input.read_line(&mut setup)?;
    let setup: Setup = serde_json::from_str(&setup)?;
    let program = match Program::compile(&setup.filter, setup.options) {
        Ok(program) => program,
        Err(fault) => {
            output.line(REFUSED, |text| Ok(serde_json::to_writer(text, &fault)?))?;
            return output.flush();
        }
    };
    output.line(READY, |_| Ok(()))?;
    output.flush()?;
    program.run(records(input, &output), &mut |record, result| {
        let said = match result {
            Ok(value) => output.value(value),
            Err(fault) => Ok(Some(fault)),
        };
        match said {
            Ok(None) => Next::Output,
            Ok(Some(fault)) => match output.failed(record, fault) {
                Ok(()) => Next::Input,
                Err(_) => Next::Stop,
            },
            // Nobody reads any more.
            Err(_) => Next::Stop,
        }
    });
    output.line(DONE, |_| Ok(()))?;
    output.flush()
}

/// The lines of the records. What is pending is written before anything is waited for.
fn records(mut input: impl BufRead, output: &Output) -> impl Iterator<Item = Vec<u8>> {
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        let is_whole = input.fill_buf().is_ok_and(|ready| ready.contains(&b'\n'));
        if !is_whole {
            output.flush().ok()?;
        }
        match input.read_until(b'\n', &mut line) {
            Ok(read) if read > 0 => Some(line),
            _ => None,
        }
    })
}

/// stdout, written in large pieces.
struct Output {
    pending: Mutex<Vec<u8>>,
    sink: File,
}

impl Output {
    /// Adds a line.
    fn line(&self, tag: u8, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.push(tag);
        write(&mut pending)?;
        pending.push(b'\n');
        match pending.len() < BATCH {
            true => Ok(()),
            false => self.drain(&mut pending),
        }
    }

    /// Adds an output; a fault if it can't be told.
    fn value(&self, value: &Val) -> io::Result<Option<Fault>> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let start = pending.len();
        pending.push(OUTPUT);
        let fault = match write_json(value, &mut pending) {
            Err(_) => Some(Fault::TooDeep),
            Ok(()) if pending.len() - start > LARGEST_OUTPUT => Some(Fault::TooLong),
            Ok(()) => None,
        };
        if fault.is_some() {
            pending.truncate(start);
            return Ok(fault);
        }
        pending.push(b'\n');
        match pending.len() < BATCH {
            true => Ok(None),
            false => self.drain(&mut pending).map(|()| None),
        }
    }

    fn failed(&self, record: Option<&[u8]>, fault: Fault) -> io::Result<()> {
        let record = record.and_then(|line| serde_json::from_slice(line).ok());
        self.line(FAILED, |text| {
            Ok(serde_json::to_writer(text, &Failed { record, fault })?)
        })
    }

    fn flush(&self) -> io::Result<()> {
        self.drain(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn drain(&self, pending: &mut Vec<u8>) -> io::Result<()> {
        let written = (&self.sink).write_all(pending);
        pending.clear();
        written
    }

    /// Writes what is pending from time to time, and ends the process when its reader is gone.
    fn tick(&self) {
        let patience = Timespec::try_from(TICK).ok();
        loop {
            // Without anything asked for, only the loss of the reader is told.
            let mut sources = [PollFd::new(&self.sink, PollFlags::empty())];
            let gone = poll(&mut sources, patience.as_ref()).is_ok_and(|told| told > 0);
            if gone || self.flush().is_err() {
                std::process::exit(1);
            }
        }
    }
}
