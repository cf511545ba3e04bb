//! A container's output: the newest lines, and readers that follow at their own pace. Not for reading it over the API.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

/// Bytes of text kept of one run of a container. Policy: the oldest lines go, as when the kubelet rotates the file; a
/// reader that is further behind misses them.
const KEPT: usize = 4 << 20;
/// What a line takes beside its text.
const EACH: usize = size_of::<LogLine>() + 2 * size_of::<usize>();
/// Longest line kept; the rest is cut off.
const LINE: usize = 4_096;
/// Lines handed to a reader at once, at most.
const BATCH: usize = 1_024;

/// One line of a container's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// The line without its end.
    pub text: Arc<str>,
}

/// The output of one run of a container.
#[derive(Debug, Default)]
pub struct ContainerLog {
    state: Mutex<State>,
    /// There is a line more, or the end.
    moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<LogLine>,
    bytes: usize,
    /// The number of the oldest line that is kept, from 0.
    first: u64,
    ended: bool,
}

impl ContainerLog {
    /// Writes a line.
    pub fn line(&self, text: impl Into<String>) {
        let mut text: String = text.into();
        text.truncate(text.floor_char_boundary(LINE));
        let line = LogLine {
            at: Timestamp::now(),
            text: text.into(),
        };
        let mut state = self.state();
        state.bytes += line.text.len() + EACH;
        state.lines.push_back(line);
        while state.bytes > KEPT
            && let Some(oldest) = state.lines.pop_front()
        {
            state.bytes -= oldest.text.len() + EACH;
            state.first += 1;
        }
        drop(state);
        self.moved.notify_waiters();
    }

    /// The run is over: who follows comes to an end.
    pub fn end(&self) {
        self.state().ended = true;
        self.moved.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a container's output from the oldest line that is kept.
#[derive(Debug)]
pub struct LogReader {
    log: Arc<ContainerLog>,
    /// The number of the next line.
    next: u64,
}

impl LogReader {
    /// From the beginning.
    pub fn new(log: Arc<ContainerLog>) -> Self {
        LogReader { log, next: 0 }
    }

    /// All lines up to now that have not been read.
    pub fn past(&mut self) -> Vec<LogLine> {
        self.read(usize::MAX).0
    }

    /// The next lines, as soon as there are any: at least one; `None` behind the last line of a run that is over.
    pub async fn next(&mut self) -> Option<Vec<LogLine>> {
        let log = self.log.clone();
        loop {
            // Before looking: what comes in between wakes it too.
            let moved = log.moved.notified();
            match self.read(BATCH) {
                (lines, _) if !lines.is_empty() => return Some(lines),
                (_, true) => return None,
                (_, false) => moved.await,
            }
        }
    }

    /// So many lines at most, and whether the run is over.
    fn read(&mut self, most: usize) -> (Vec<LogLine>, bool) {
        let state = self.log.state();
        let next = self.next.max(state.first);
        let skipped = usize::try_from(next - state.first).unwrap_or(usize::MAX);
        let lines: Vec<LogLine> = state.lines.iter().skip(skipped).take(most).cloned().collect();
        self.next = next + lines.len() as u64;
        (lines, state.ended)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn texts(lines: &[LogLine]) -> Vec<&str> {
        lines.iter().map(|line| &*line.text).collect()
    }

    #[tokio::test]
    async fn a_reader_gets_each_line_once_and_the_end() {
        let log = Arc::new(ContainerLog::default());
        log.line("one");
        let mut reader = LogReader::new(log.clone());
        assert_eq!(texts(&reader.past()), ["one"]);
        let following = tokio::spawn(async move {
            let mut read = Vec::new();
            while let Some(lines) = reader.next().await {
                read.extend(lines);
            }
            read
        });
        for number in 0..5_000 {
            log.line(number.to_string());
            if number % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        log.end();
        let read = following.await.unwrap();
        let expected: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
        assert_eq!(texts(&read), expected);
    }

    #[test]
    fn the_oldest_lines_go_and_a_long_line_is_cut() {
        let log = Arc::new(ContainerLog::default());
        let mut late = LogReader::new(log.clone());
        let long = "é".repeat(LINE);
        for _ in 0..3_000 {
            log.line(long.clone());
        }
        let kept = late.past();
        assert!(kept.iter().all(|line| line.text.len() == LINE));
        let most = KEPT / LINE;
        assert!(kept.len() < most && kept.len() > most * 9 / 10, "{} lines", kept.len());
        log.line("new");
        assert_eq!(texts(&late.past()), ["new"]);
    }
}
