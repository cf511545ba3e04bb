//! `sh 'LINE'`: a line for the system's shell, its output as records. What is not our language goes here.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::core::change::Risk;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb, View};

const NOT_STARTED: &str = "E-SH-001";
const STATUS: &str = "E-SH-002";

/// Longer lines are cut into pieces of this many bytes.
const LINE_BYTES: usize = 1 << 20;

/// How long the process group may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);

/// How long output may still come when the shell itself has ended (from processes it left behind).
const DRAIN: Duration = Duration::from_millis(300);

/// The last lines of stderr that a failure quotes.
const QUOTED: usize = 3;

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "sh", "Run a line in the system's shell")
        .description(
            "Records from a pipe come on standard input, one JSON value a line. Each line of standard output is a \
             record; standard error is shown beside the result. A status other than 0 is a failure. It sees a few \
             harmless variables and the context's HTTP proxy, and it ends with everything it started.",
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
    Verb::read(declaration, Sh)
}

struct Sh;

#[async_trait]
impl Read for Sh {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let mut child = command(call)
            .spawn()
            .map_err(|error| Report::failed(NOT_STARTED, "the shell could not be started").because(&error))?;
        let group = Group(child.id());
        let result = tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(Report::interrupted()),
            result = converse(&mut child, call, input, output) => result,
        };
        group.end(&mut child).await;
        result
    }
}

fn command(call: &Call) -> Command {
    let texts = call.arguments.texts();
    let mut command = Command::new("/bin/sh");
    command
        .arg("-c")
        .arg(texts.first().map_or("", String::as_str))
        .arg("sh")
        .args(texts.iter().skip(1));
    command.env_clear().envs(&call.context.environment);
    if let Some(proxy) = &call.context.http_proxy {
        command.env("http_proxy", proxy);
    }
    if let Some(except) = &call.context.no_proxy {
        command.env("no_proxy", except).env("NO_PROXY", except);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // A group of its own: it can be ended as a whole, and a Ctrl-C at our terminal is ours to handle.
    command.process_group(0).kill_on_drop(true);
    command
}

/// Feeds it, reads it, waits for it.
async fn converse(child: &mut Child, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let mut quoted: Vec<String> = Vec::new();
    let status = {
        let feed = async {
            feed(stdin, input).await;
            std::future::pending::<()>().await;
        };
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
        tokio::pin!(feed, read);
        let mut unread = true;
        let status = loop {
            tokio::select! {
                () = &mut feed => {}
                result = &mut read, if unread => {
                    result?;
                    unread = false;
                }
                status = child.wait() => break status,
            }
        };
        if unread {
            // What it left behind may hold the pipes open; what it wrote itself is read.
            match tokio::time::timeout(DRAIN, &mut read).await {
                Ok(result) => result?,
                Err(_) => call
                    .operator
                    .note("processes that the line left in the background are ended".into()),
            }
        }
        status
    };
    verdict(status, &quoted)
}

fn verdict(status: std::io::Result<ExitStatus>, quoted: &[String]) -> Result<(), Report> {
    use std::os::unix::process::ExitStatusExt;
    let status = status.map_err(|error| Report::failed(STATUS, "the shell was lost").because(&error))?;
    if status.success() {
        return Ok(());
    }
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("the line ended with status {code}"),
        (None, Some(signal)) => format!("the line was ended by signal {signal}"),
        (None, None) => "the line ended without a status".to_owned(),
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
async fn feed(stdin: Option<ChildStdin>, input: &mut Input) {
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

/// The process group of a shell.
struct Group(Option<u32>);

impl Group {
    /// Ends whatever is left of it: asks first, then insists.
    async fn end(&self, child: &mut Child) {
        if !self.signal("TERM").await {
            return;
        }
        let _ = tokio::time::timeout(GRACE, async {
            let _ = child.wait().await;
            while self.signal("0").await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        self.signal("KILL").await;
        let _ = child.wait().await;
    }

    /// Whether there was anyone to receive it. The shell's own `kill` does it: there is no safe call in the standard
    /// library for a group.
    async fn signal(&self, name: &str) -> bool {
        let Some(id) = self.0 else { return false };
        let mut kill = Command::new("/bin/sh");
        kill.arg("-c")
            .arg("kill -s \"$1\" -- \"-$2\"")
            .arg("sh")
            .arg(name)
            .arg(id.to_string());
        kill.env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        kill.status().await.is_ok_and(|status| status.success())
    }
}
