//! A block: one line that was run, and what came of it. Bounded: an endless stream forgets its oldest lines and says
//! how many.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::{Report, Severity};
use crate::core::text::{SafeText, fit};
use crate::render::document::Row;
use crate::render::{Document, Line};
use crate::ui::panel::{Meaning, Tone};
use crate::verb::{Item, View};

use super::super::ports::Ended;

/// Lines a block keeps at most; older ones are dropped half of this at a time, and counted.
pub const BLOCK_LINES: usize = 10_000;
/// Remarks (notes, failed records) a block keeps at most; later ones are counted.
pub const BLOCK_REMARKS: usize = 200;
/// Characters of one line at most: a record of megabytes is cut, and says so.
pub const LINE_CHARACTERS: usize = 64 * 1024;

/// Where a block is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Asked for, not running yet.
    Starting,
    /// Runs.
    Running,
    /// Waits for an approval.
    Asking,
    /// Being cancelled.
    Stopping,
    /// Ended with this exit code.
    Ended(u8),
    /// A word of the console itself: it never ran.
    Word,
}

impl State {
    /// Whether it still goes on.
    pub fn is_live(self) -> bool {
        matches!(self, State::Starting | State::Running | State::Asking | State::Stopping)
    }

    /// Tone and word.
    pub fn label(self) -> (Tone, &'static str) {
        match self {
            State::Starting => (Tone::Progress, "starting"),
            State::Running => (Tone::Progress, "running"),
            State::Asking => (Tone::Waiting, "needs approval"),
            State::Stopping => (Tone::Warn, "stopping"),
            State::Ended(0) => (Tone::Ok, "done"),
            State::Ended(code) if code == Severity::Refused.exit_code() => (Tone::Bad, "refused"),
            State::Ended(code) if code == Severity::Interrupted.exit_code() => (Tone::Warn, "cancelled"),
            State::Ended(code) if code == Severity::TimedOut.exit_code() => (Tone::Bad, "timed out"),
            State::Ended(_) => (Tone::Bad, "failed"),
            State::Word => (Tone::Neutral, ""),
        }
    }
}

/// Whether a block shows all of its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fold {
    /// Open while it is the latest, folded when others follow.
    #[default]
    Auto,
    /// Opened by the operator: all lines, tables as they fit.
    Open,
    /// As `Open`, and nothing of a table is cut: its rows may become cards.
    Whole,
    /// Folded by the operator.
    Folded,
}

/// One line that was run.
pub struct Block {
    /// The console's own key for it, unique and increasing.
    pub id: u64,
    /// The engine's number, once it runs.
    pub number: Option<u64>,
    /// The line as shown: secrets masked.
    pub line: String,
    /// What it was translated to.
    pub translation: Option<SafeText>,
    /// Where it runs.
    pub context: Arc<Context>,
    /// When it was asked for.
    pub at: Timestamp,
    /// Where it is in its life.
    pub state: State,
    /// In the background.
    pub background: bool,
    /// How long it ran.
    pub elapsed: Option<Duration>,
    /// The latest word about work that goes on.
    pub progress: Option<SafeText>,
    /// Whether all lines are shown.
    pub fold: Fold,
    /// Moves with every change of what it shows.
    pub version: u64,
    /// Records so far.
    pub records: u64,
    /// Its line changes nothing: what it shows is only true as of its end.
    pub reads: bool,
    /// Its answer is read from its beginning.
    pub page: bool,
    /// It goes on until it is stopped.
    pub follows: bool,
    older: Document,
    newer: Document,
    /// Shown instead of the result until as much of that has come, so that no row goes away and comes back.
    early: Option<Document>,
    dropped: u64,
    remarks: Vec<(SafeText, Meaning)>,
    remarks_dropped: u64,
}

impl Block {
    /// A line just asked for.
    pub fn new(id: u64, line: String, context: Arc<Context>, at: Timestamp) -> Self {
        Block {
            id,
            number: None,
            line,
            translation: None,
            context,
            at,
            state: State::Starting,
            background: false,
            elapsed: None,
            progress: None,
            fold: Fold::Auto,
            version: 0,
            records: 0,
            reads: false,
            page: false,
            follows: false,
            older: Document::default(),
            newer: Document::default(),
            early: None,
            dropped: 0,
            remarks: Vec::new(),
            remarks_dropped: 0,
        }
    }

    /// A word of the console itself.
    pub fn word(id: u64, at: Timestamp, lines: impl IntoIterator<Item = (SafeText, Meaning)>) -> Self {
        let mut block = Block::new(id, String::new(), Arc::new(Context::empty("")), at);
        block.state = State::Word;
        for (text, meaning) in lines {
            block.remark(text, meaning);
        }
        block
    }

    /// Shows rows until the records come that they stand for. Not beside a result: rows of an earlier pipeline of the
    /// line stay.
    pub fn preview(&mut self, rows: &[View]) {
        if self.records > 0 || !self.state.is_live() {
            return;
        }
        let mut early = Document::default();
        for row in rows {
            early.push(&Record::Null, Some(row));
        }
        self.early = Some(early);
    }

    /// Adds a record of the result.
    pub fn push(&mut self, item: &Item) {
        self.records += 1;
        self.newer.push(&item.record, item.view.as_ref());
        self.early.take_if(|early| early.len() <= self.newer.len());
        if self.newer.len() > BLOCK_LINES / 2 {
            self.dropped += self.older.len() as u64;
            self.older = std::mem::take(&mut self.newer);
        }
    }

    /// Adds a remark; one that only repeats the translation shown above is left out.
    pub fn note(&mut self, text: &SafeText) {
        let repeats = |translation: &SafeText| text.as_str().contains(translation.as_str());
        if self.translation.as_ref().is_some_and(repeats) {
            return;
        }
        for line in text.as_str().split('\n') {
            self.remark(SafeText::line(line), Meaning::ChatNote);
        }
    }

    /// Adds an error.
    pub fn error(&mut self, report: &Report) {
        for (index, line) in report.lines().into_iter().enumerate() {
            let meaning = match line.trim_start() {
                _ if index == 0 => Meaning::Error,
                text if text.starts_with("hint:") => Meaning::Hint,
                text if text.trim_start_matches("| ").trim().chars().all(|c| c == '^') => Meaning::Error,
                _ => Meaning::Text,
            };
            self.remark(SafeText::line(&line), meaning);
        }
    }

    fn remark(&mut self, text: SafeText, meaning: Meaning) {
        if self.remarks.len() < BLOCK_REMARKS {
            let cut = fit(text.as_str(), LINE_CHARACTERS);
            self.remarks.push((SafeText::line(&cut), meaning));
        } else {
            self.remarks_dropped += 1;
        }
    }

    /// It ended.
    pub fn end(&mut self, ended: &Ended) {
        // The state already says that it was cancelled.
        if let Some(report) = ended
            .report
            .as_ref()
            .filter(|report| report.severity != Severity::Interrupted)
        {
            self.error(report);
        }
        self.early = None;
        self.state = State::Ended(ended.exit_code);
        self.elapsed = Some(ended.elapsed);
        self.progress = None;
    }

    /// Moves to another state. What has ended stays so.
    pub fn become_state(&mut self, state: State) {
        if self.state.is_live() {
            self.state = state;
        }
    }

    /// What is shown after the older lines, of which there are none as long as this is a preview.
    fn latest(&self) -> &Document {
        self.early.as_ref().unwrap_or(&self.newer)
    }

    /// Lines of the result it holds.
    pub fn len(&self) -> usize {
        self.older.len() + self.latest().len()
    }

    /// No result (yet).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lines that were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Result lines from `first`, at most `count`.
    pub fn lines(&self, first: usize, count: usize) -> Vec<Line> {
        let older = self.older.len();
        let mut lines = self.older.lines(first, count);
        if lines.len() < count {
            lines.extend(self.latest().lines(first.saturating_sub(older), count - lines.len()));
        }
        lines
    }

    /// Result lines from `first`, at most `count`, with tables laid out for a room of `columns`.
    pub fn lines_within(&self, first: usize, count: usize, columns: u16) -> Vec<Line> {
        let (columns, whole) = (usize::from(columns), self.fold == Fold::Whole);
        let older = self.older.len();
        let mut lines = self.older.lines_within(first, count, columns, whole);
        let taken = older.saturating_sub(first).min(count);
        if taken < count {
            let newer = self
                .latest()
                .lines_within(first.saturating_sub(older), count - taken, columns, whole);
            lines.extend(newer);
        }
        lines
    }

    /// Whether a table is cut to fit a room of `columns`, which opening the block would mend.
    pub fn is_cut(&self, columns: u16) -> bool {
        let columns = usize::from(columns);
        self.fold != Fold::Whole && (self.older.is_cut(columns) || self.latest().is_cut(columns))
    }

    /// Rows and lines of the result, without headers; at most the last `count`.
    pub fn rows(&self, count: usize) -> Vec<Row> {
        let newer = self.latest().rows(count);
        let mut rows = self.older.rows(count - newer.len());
        rows.extend(newer);
        rows
    }

    /// Remarks in order, and how many more there were.
    pub fn remarks(&self) -> (&[(SafeText, Meaning)], u64) {
        (&self.remarks, self.remarks_dropped)
    }

    /// When what it shows was true: for a line that only reads and has ended.
    pub fn as_of(&self) -> Option<Timestamp> {
        let elapsed = self.elapsed.filter(|_| self.reads && !self.is_empty())?;
        Some(self.at + elapsed)
    }

    /// All of it as text: the line typed, how it ended, the result.
    pub fn transcript(&self) -> String {
        let head = match self.state {
            State::Word => String::new(),
            state => {
                let line = crate::core::text::safe_line(&self.line);
                let number = self.number.map(|number| format!("  #{number}")).unwrap_or_default();
                format!("> {line}\n  {}{number}\n", state.label().1)
            }
        };
        format!("{head}{}\n", self.text())
    }

    /// The result as text, for the clipboard; what is missing of it is said in its place.
    pub fn text(&self) -> String {
        let mut text = match self.dropped {
            0 => String::new(),
            count => format!("{}\n", not_kept(count, "earlier line")),
        };
        text.push_str(&self.older.text());
        text.push_str(&self.latest().text());
        for (line, _) in &self.remarks {
            text.push_str(line.as_str());
            text.push('\n');
        }
        if self.remarks_dropped > 0 {
            text.push_str(&not_kept(self.remarks_dropped, "more remark"));
            text.push('\n');
        }
        text
    }

    /// How many lines and remarks [`Block::text`] lacks.
    pub fn missing(&self) -> u64 {
        self.dropped + self.remarks_dropped
    }
}

/// `… 3 earlier lines are not kept`.
pub fn not_kept(count: u64, what: &str) -> String {
    match count {
        1 => format!("… 1 {what} is not kept"),
        _ => format!("… {count} {what}s are not kept"),
    }
}
