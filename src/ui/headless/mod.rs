//! Pipelines without a screen: `cogdeck run`. Records go to stdout, notes, progress and errors to stderr; the exit code
//! is that of the contract. Not for deciding anything: the engine plans, asks and runs.

pub mod input;
mod operator;
pub mod printer;
mod prompt;

use std::future::Future;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use self::operator::NoOneToAsk;
use self::printer::{Format, Printer};
use crate::core::change::Origin;
use crate::core::report::{Report, Severity};
use crate::core::text::SafeText;
use crate::engine::{Block, BlockEvent, Items, OnError, Session, Start};
use crate::lang::{ScriptLine, is_repeat};
use crate::render::Document;

/// Rows wait this long for more, so that columns fit what comes together.
const SETTLE: Duration = Duration::from_millis(120);
/// Lines of background jobs that wait to be printed; a job waits when they are that many.
const JOB_LINES: usize = 256;

/// How to run.
pub struct Settings {
    /// What to print.
    pub format: Format,
    /// Echo each pipeline before its results, as scripts do.
    pub echo: bool,
    /// The approvals given beforehand.
    pub origin: Origin,
    /// For the whole run.
    pub timeout: Option<Duration>,
    /// Records for the first stage of the first line.
    pub input: Option<Items>,
    /// Whether those come from standard input.
    pub input_from_stdin: bool,
    /// For stages that do not say.
    pub on_error: OnError,
    /// Go on after a failed line.
    pub keep_going: bool,
}

/// Runs lines one after another and gives the exit code. `interrupt` ends them when it resolves; so does a stdout
/// that nobody reads any more, quietly.
pub async fn run<O: Write, E: Write>(
    session: &Session,
    lines: &[ScriptLine],
    settings: Settings,
    streams: (O, E),
    interrupt: impl Future<Output = ()>,
) -> u8 {
    let (sender, receiver) = mpsc::channel(JOB_LINES);
    let structured = !matches!(settings.format, Format::Text { .. });
    let errors = Errors {
        stream: streams.1,
        structured,
    };
    let printer = Printer::new(streams.0, settings.format);
    let mut runner = Runner {
        session,
        printer,
        errors,
        echo: settings.echo,
        jobs: (sender, receiver),
        begun: false,
    };
    let lines = match repeated(session, lines).await {
        Ok(lines) => lines,
        Err(report) => {
            runner.errors.report(&report);
            return report.severity.exit_code();
        }
    };
    let texts = lines.iter().map(|line| line.text.as_str());
    if let Err((index, report)) = session.check_script(texts, settings.origin, settings.input.is_some()) {
        if let (true, Some(line)) = (settings.echo, lines.get(index)) {
            runner.errors.line(&format!("line {}:", line.number));
        }
        runner.errors.report(&report);
        return report.severity.exit_code();
    }
    let ended = tokio::select! {
        ended = runner.lines(&lines, settings) => ended,
        () = interrupt => {
            session.interrupt_all();
            runner.errors.report(&Report::interrupted());
            Ok(Severity::Interrupted.exit_code())
        }
    };
    let _ = runner.printer.end();
    runner.stop_jobs().await;
    match ended {
        Ok(code) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            runner
                .errors
                .report(&Report::failed("E-OUTPUT-001", "stdout cannot be written").because(&error));
            1
        }
    }
}

/// The lines with the line before in the place of `!!`; before the first line stands the last of the history.
async fn repeated(session: &Session, lines: &[ScriptLine]) -> Result<Vec<ScriptLine>, Report> {
    let mut found: Vec<ScriptLine> = Vec::with_capacity(lines.len());
    for line in lines {
        let text = match (is_repeat(&line.text), found.last()) {
            (false, _) => line.text.clone(),
            (true, Some(before)) => before.text.clone(),
            (true, None) => {
                let last = session.journal().history(1).await?.pop();
                let none = || Report::refused("E-REPEAT-001", "!! repeats the line before, and there is none");
                last.ok_or_else(none)?.line
            }
        };
        found.push(ScriptLine {
            number: line.number,
            text,
        });
    }
    Ok(found)
}

/// A line of a background job, ready to be printed.
enum JobWord {
    Line(String),
    Record(crate::core::record::Record),
    Error(Report),
    Note(SafeText),
}

/// A job's number and what it says.
type Told = (u64, JobWord);

struct Runner<'a, O: Write, E: Write> {
    session: &'a Session,
    printer: Printer<O>,
    errors: Errors<E>,
    echo: bool,
    /// Both ends: every job gets a sender.
    jobs: (mpsc::Sender<Told>, mpsc::Receiver<Told>),
    /// A pipeline's output is open.
    begun: bool,
}

impl<O: Write, E: Write> Runner<'_, O, E> {
    async fn lines(&mut self, lines: &[ScriptLine], settings: Settings) -> io::Result<u8> {
        let deadline = settings.timeout.map(|timeout| Instant::now() + timeout);
        let operator = Arc::new(NoOneToAsk::new(settings.origin, settings.input_from_stdin));
        let mut input = settings.input;
        let mut exit_code = 0;
        for line in lines {
            let started = self.session.start_with(Start {
                line: &line.text,
                operator: operator.clone(),
                input: input.take(),
                on_error: settings.on_error,
                timeout: deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())),
            });
            let code = match started {
                Ok(block) => self.block(block).await?,
                Err(report) => {
                    self.errors.report(&report);
                    report.severity.exit_code()
                }
            };
            if code != 0 {
                exit_code = code;
                let final_word = code == Severity::Interrupted.exit_code() || code == Severity::TimedOut.exit_code();
                if final_word || !settings.keep_going {
                    break;
                }
            }
        }
        Ok(exit_code)
    }

    async fn block(&mut self, mut block: Block) -> io::Result<u8> {
        loop {
            let event = tokio::select! {
                event = tokio::time::timeout(SETTLE, block.next()) => event,
                Some((number, word)) = self.jobs.1.recv() => {
                    self.job_word(number, word)?;
                    continue;
                }
            };
            match event {
                Err(_) => self.printer.settle()?,
                Ok(None) => return Ok(0),
                Ok(Some(BlockEvent::Ended { exit_code, report, .. })) => {
                    if self.begun {
                        self.printer.end()?;
                        self.begun = false;
                    }
                    if let Some(report) = report {
                        self.errors.report(&report);
                    }
                    return Ok(exit_code);
                }
                Ok(Some(event)) => self.event(event)?,
            }
        }
    }

    fn event(&mut self, event: BlockEvent) -> io::Result<()> {
        match event {
            BlockEvent::Pipeline(text) => {
                if self.begun {
                    self.printer.end()?;
                }
                self.begun = true;
                self.printer.begin(self.echo.then_some(text.as_str()))?;
            }
            BlockEvent::Item(item) => self.printer.record(&item.record, item.view.as_ref())?,
            BlockEvent::Failed(report) => {
                self.printer.settle()?;
                self.errors.report(&report);
            }
            BlockEvent::Note(text) => {
                self.printer.settle()?;
                self.errors.note(&text);
            }
            BlockEvent::Progress(text) => {
                self.printer.settle()?;
                self.errors.line(text.as_str());
            }
            BlockEvent::Preview(_) | BlockEvent::Ended { .. } => {}
            BlockEvent::Job(job) => self.follow(*job),
        }
        Ok(())
    }

    /// Reads a background job's events in a task of its own; what they say comes through the channel.
    fn follow(&mut self, mut job: Block) {
        let sender = self.jobs.0.clone();
        let structured = self.errors.structured;
        self.errors.line(&format!("[{}] {}", job.number(), job.pipeline()));
        tokio::spawn(async move {
            while let Some(event) = job.next().await {
                let words = match event {
                    BlockEvent::Item(item) if structured => vec![JobWord::Record(item.record)],
                    BlockEvent::Item(item) => {
                        let mut document = Document::default();
                        document.push(&item.record, item.view.as_ref());
                        document
                            .text()
                            .lines()
                            .map(|line| JobWord::Line(line.to_owned()))
                            .collect()
                    }
                    BlockEvent::Failed(report)
                    | BlockEvent::Ended {
                        report: Some(report), ..
                    } => vec![JobWord::Error(report)],
                    BlockEvent::Note(text) => vec![JobWord::Note(text)],
                    _ => Vec::new(),
                };
                for word in words {
                    if sender.send((job.number(), word)).await.is_err() {
                        return;
                    }
                }
            }
        });
    }

    fn job_word(&mut self, number: u64, word: JobWord) -> io::Result<()> {
        match word {
            JobWord::Line(line) => {
                self.printer.record(
                    &line.clone().into(),
                    Some(&crate::render::View::Text(format!("[{number}] {line}"))),
                )?;
                self.printer.settle()?;
            }
            JobWord::Record(record) => self.printer.record(&record, None)?,
            JobWord::Error(report) if report.severity == Severity::Interrupted => {}
            JobWord::Error(report) => self.errors.report(&report),
            JobWord::Note(text) => self.errors.note(&SafeText::line(&format!("[{number}] {text}"))),
        }
        Ok(())
    }

    /// At the end nothing runs on unseen: jobs are stopped, and that is said.
    async fn stop_jobs(&mut self) {
        use crate::verb::session::JobState;
        let running: Vec<_> = self
            .session
            .jobs()
            .into_iter()
            .filter(|job| job.state == JobState::Running)
            .collect();
        for job in running.iter().filter(|job| job.background) {
            let text = format!("[{}] stopped at the end of the run: {}", job.number, job.pipeline);
            self.errors.note(&SafeText::line(&text));
        }
        self.session.interrupt_all();
        let all_ended = async {
            while self.session.jobs().iter().any(|job| job.state == JobState::Running) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(5), all_ended).await;
        while let Ok((number, word)) = self.jobs.1.try_recv() {
            let _ = self.job_word(number, word);
        }
        let _ = self.printer.settle();
    }
}

/// stderr.
struct Errors<E: Write> {
    stream: E,
    structured: bool,
}

impl<E: Write> Errors<E> {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.stream, "{}", crate::core::text::safe_line(text));
    }

    fn note(&mut self, text: &SafeText) {
        let _ = writeln!(self.stream, "note: {text}");
    }

    fn report(&mut self, report: &Report) {
        if self.structured {
            let _ = writeln!(self.stream, "{}", report.to_json());
            return;
        }
        for line in report.lines() {
            let _ = writeln!(self.stream, "{line}");
        }
    }
}
