//! `sh 'LINE'`: a line for the system's shell, its output as records. What is not our language goes here.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;

use crate::core::change::Risk;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::exec::Helper;
use crate::exec::supervisor::{Job, Process, Status};
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb, View};

const STATUS: &str = "E-SH-002";

/// Said once to whom looks.
const OUTSIDE: &str = "a shell's line runs on this machine, not inside the sandbox";

/// Longer lines are cut into pieces of this many bytes.
const LINE_BYTES: usize = 1 << 20;

/// The last lines of stderr that a failure quotes.
const QUOTED: usize = 3;

/// The verb.
pub fn verb(helper: Helper) -> Verb {
    let declaration = Declaration::new(BUILT_IN, "sh", "Run a line in the system's shell")
        .description(
            "Records from a pipe come on standard input, one JSON value a line. Each line of standard output is a \
             record; standard error is shown beside the result. A status other than 0 is a failure. It sees a few \
             harmless variables and the context's HTTP proxy, and it ends with everything it started. It runs on \
             this machine, with your rights, in the sandbox's contexts too.",
        )
        .input(InputMode::All)
        .risk(Risk::Change)
        .permission("cogdeck:shell")
        .positional(Positional::new("line", OptionKind::String, "what /bin/sh -c runs").always())
        .positional(
            Positional::new("arguments", OptionKind::String, "its $1, $2 …")
                .optional()
                .variadic(),
        )
        .output("{\"line\", \"source\"}: one record for each line.")
        .example_expecting("sh 'printf \"%s\\n\" \"$1\" b' a", "lines become records", "a\nb")
        .example("jq -n '{a: 1}' | sh 'cat'", "records as JSON lines on standard input");
    let told = AtomicBool::new(false);
    Verb::read(declaration, Sh { helper, told })
}

struct Sh {
    helper: Helper,
    /// Where a line typed in the sandbox runs was said.
    told: AtomicBool,
}

#[async_trait]
impl Read for Sh {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let elsewhere = call.context.closed && call.operator.shows_previews();
        if elsewhere && !self.told.swap(true, Ordering::Relaxed) {
            call.operator.note(OUTSIDE.into());
        }
        let mut process = Process::start(&self.helper, &job(call)).await?;
        let result = tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(Report::interrupted()),
            result = converse(&mut process, call, input, output) => result,
        };
        process.end().await;
        result
    }
}

fn job(call: &Call) -> Job {
    let mut environment = call.context.environment.clone();
    let mut set = |name: &str, value: &Option<String>| {
        environment.extend(value.iter().map(|value| (name.to_owned(), value.clone())));
    };
    set("http_proxy", &call.context.http_proxy);
    set("no_proxy", &call.context.no_proxy);
    set("NO_PROXY", &call.context.no_proxy);
    let texts = call.arguments.texts();
    let mut arguments = vec![
        "-c".to_owned(),
        texts.first().cloned().unwrap_or_default(),
        "sh".to_owned(),
    ];
    arguments.extend(texts.into_iter().skip(1));
    Job {
        program: "/bin/sh".to_owned(),
        arguments,
        environment,
        directory: std::env::current_dir().unwrap_or_else(|_| "/".into()),
    }
}

/// Feeds it, reads it, waits for it.
async fn converse(process: &mut Process, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
    let feed = feed(process.stdin.take(), input);
    let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
    let mut quoted: Vec<String> = Vec::new();
    let read = async {
        let out = lines(stdout, |line| async {
            let record = json!({"line": line, "source": "stdout"});
            output.emit_as(record, View::Text(line)).await
        });
        let err = lines(stderr, |line| {
            call.operator.note(SafeText::line(&line));
            quoted.push(line);
            if quoted.len() > QUOTED {
                quoted.remove(0);
            }
            async { Ok(()) }
        });
        tokio::try_join!(out, err).map(|_| ())
    };
    let (status, complete) = process.follow(feed, read).await?;
    if !complete {
        call.operator
            .note("processes that the line left in the background are ended".into());
    }
    verdict(status, &quoted)
}

fn verdict(status: Status, quoted: &[String]) -> Result<(), Report> {
    let how = match status {
        Status::Code(0) => return Ok(()),
        Status::Code(code) => format!("the line ended with status {code}"),
        Status::Signal(signal) => format!("the line was ended by signal {signal}"),
    };
    Err(Report::failed(
        STATUS,
        match quoted.is_empty() {
            true => how,
            false => format!("{how}: {}", quoted.join(" / ")),
        },
    ))
}

/// Records as JSON lines, until they or the reader end.
async fn feed(stdin: Option<pipe::Sender>, input: &mut Input) {
    let Some(mut stdin) = stdin else { return };
    while let Some(item) = input.next().await {
        let line = format!("{}\n", item.record);
        if stdin.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Hands on each line; bytes that are no UTF-8 are replaced.
async fn lines<F: Future<Output = Result<(), Report>>>(
    stream: Option<impl AsyncRead + Unpin>,
    mut take: impl FnMut(String) -> F,
) -> Result<(), Report> {
    let Some(stream) = stream else { return Ok(()) };
    let mut reader = BufReader::new(stream);
    let mut line: Vec<u8> = Vec::new();
    loop {
        let chunk = match reader.fill_buf().await {
            Ok(chunk) => chunk,
            Err(error) => return Err(Report::failed(STATUS, "reading the shell's output failed").because(&error)),
        };
        if chunk.is_empty() {
            return match line.is_empty() {
                true => Ok(()),
                false => take(text(&line)).await,
            };
        }
        let room = LINE_BYTES - line.len();
        let window = chunk.get(..room.min(chunk.len())).unwrap_or(chunk);
        let end = window.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(window.len(), |at| at + 1);
        line.extend_from_slice(window.get(..end.unwrap_or(window.len())).unwrap_or_default());
        reader.consume(used);
        if end.is_some() || line.len() >= LINE_BYTES {
            take(text(&line)).await?;
            line.clear();
        }
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}
