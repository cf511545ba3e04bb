//! `pods/NAME/exec`: standard streams on numbered channels, the end as a Status. Not for how the channels are carried.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Api;
use super::body::Reply;
use super::logs;
use super::route::{Query, Target};
use super::status::ApiError;
use super::upgrade::channels::{self, CLOSE, Channels, RESIZE, STATUS, STDERR, STDIN, STDOUT};
use crate::sandbox::kubernetes::container::{self, Container, Gone, QUEUE, Reads, Run, Shell, Sink, Stream};
use crate::sandbox::kubernetes::objects::{is_deleting, name, text, uid};
use crate::sandbox::kubernetes::store::Object;

/// Pieces of input that wait for the program. Policy: the client waits.
const INPUTS: usize = 16;
/// What a program may be given before it begins (bytes).
const MOST_INPUT: usize = 64 * 1024 * 1024;
/// A line typed to a shell that is longer than this is cut off (bytes).
const LONGEST_LINE: usize = 64 * 1024;
/// Ctrl-C.
const INTERRUPT: u8 = 3;
/// Between two looks whether the pod is there still.
const LOOK: Duration = Duration::from_millis(250);

/// `GET` or `POST` with `?command=sh&command=-c&command=…&stdin=true&stdout=true&stderr=true&tty=false`.
pub(super) fn exec(
    api: &Arc<Api>,
    request: Request<Incoming>,
    target: &Target,
    query: &Query,
) -> Result<Reply, ApiError> {
    let pod = running(api, target)?;
    let command = query.all("command").to_vec();
    if command.is_empty() {
        return Err(ApiError::bad_request(
            "you must specify at least 1 command for the container",
        ));
    }
    let container = logs::choose(&pod, query.text("container"), name(&pod))?;
    let absent = || {
        ApiError::internal(format!(
            "unable to upgrade connection: container not found (\"{container}\")"
        ))
    };
    let state = list(&pod, "/status/containerStatuses")
        .iter()
        .find(|state| text(state, "/name") == container);
    let id = state
        .filter(|state| state.pointer("/state/running").is_some())
        .ok_or_else(absent)?;
    let index = list(&pod, "/spec/containers")
        .iter()
        .position(|one| text(one, "/name") == container)
        .ok_or_else(absent)?;
    let runtime = api.config.runtime.as_ref().ok_or_else(absent)?;
    let inside = runtime.inside(&pod, index, text(id, "/containerID"));
    let (reply, waiting) = channels::accept(request, query)?;
    let process = Process {
        inside,
        command,
        reads_stdin: query.flag("stdin"),
        tty: query.flag("tty"),
    };
    let watch = Watch {
        api: api.clone(),
        target: target.clone(),
        uid: uid(&pod).to_owned(),
    };
    let stop = api.stop.clone();
    let work = async move {
        if let Some(socket) = waiting.open(&stop).await {
            converse(socket, process, watch).await;
        }
    };
    tokio::spawn(api.stop.clone().run_until_cancelled_owned(work));
    Ok(reply)
}

/// The pod of a request, as long as it runs.
pub(super) fn running(api: &Api, target: &Target) -> Result<Object, ApiError> {
    let found = api.store.get(target.kind.resource, &target.namespace, &target.name);
    let pod = found.ok_or_else(|| ApiError::not_found(target.kind, &target.name))?;
    match text(&pod, "/status/phase") {
        "Succeeded" | "Failed" => Err(ApiError::bad_request(format!(
            "cannot exec into a container in a completed pod; current phase is {}",
            text(&pod, "/status/phase")
        ))),
        _ if text(&pod, "/spec/nodeName").is_empty() => Err(ApiError::bad_request(format!(
            "pod {} does not have a host assigned",
            target.name
        ))),
        _ => Ok(pod),
    }
}

fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// What comes from the client for the program.
enum Given {
    /// What is typed, or piped.
    Keys(Bytes),
    /// Columns and rows of its terminal.
    Size(u16, u16),
}

/// `{"Width":80,"Height":24}`.
fn size(bytes: &[u8]) -> Option<Given> {
    let told: Value = serde_json::from_slice(bytes).ok()?;
    let of = |field: &str| u16::try_from(told[field].as_u64()?).ok();
    Some(Given::Size(of("Width")?, of("Height")?))
}

/// What shall run.
struct Process {
    inside: Container,
    command: Vec<String>,
    reads_stdin: bool,
    tty: bool,
}

/// Tells when the pod is gone.
struct Watch {
    api: Arc<Api>,
    target: Target,
    uid: String,
}

impl Watch {
    async fn gone(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let pod = self
                .api
                .store
                .get(self.target.kind.resource, &self.target.namespace, &self.target.name);
            let same = pod.is_some_and(|pod| {
                uid(&pod) == self.uid && !(is_deleting(&pod) && text(&pod, "/status/phase") != "Running")
            });
            if !same {
                return;
            }
        }
    }
}

/// Carries the streams until the program ends, the pod goes or the client goes.
async fn converse(mut socket: Channels, process: Process, watch: Watch) {
    let (sink, mut output) = mpsc::channel(QUEUE);
    let (give, take) = mpsc::channel(INPUTS);
    let (tty, reads_stdin) = (process.tty, process.reads_stdin);
    let mut ended = Box::pin(run(process, take, sink));
    let mut status = None;
    let gone = watch.gone();
    tokio::pin!(gone);
    let mut give = Some(give).filter(|_| reads_stdin);
    let mut place = None;
    loop {
        // A message is taken only when there is a place for what it brings.
        if let (Some(give), None) = (&give, &place) {
            place = give.clone().try_reserve_owned().ok();
        }
        let ready = give.is_none() || place.is_some();
        let waiting = give.clone().filter(|_| place.is_none());
        tokio::select! {
            biased;
            piece = output.recv() => match piece {
                Some((stream, bytes)) => {
                    let channel = if stream == Stream::Err && !tty { STDERR } else { STDOUT };
                    let bytes = if tty { crlf(&bytes) } else { bytes };
                    if !socket.send(channel, &bytes).await {
                        return;
                    }
                }
                None => break,
            },
            code = &mut ended, if status.is_none() => status = Some(code),
            permit = async { match waiting { Some(give) => give.reserve_owned().await.ok(), None => None } }, if !ready => {
                match permit {
                    Some(permit) => place = Some(permit),
                    // The program does not read any more.
                    None => give = None,
                }
            }
            message = socket.receive(), if ready => match message {
                Some((STDIN, bytes)) => if let Some(place) = place.take() {
                    place.send(Given::Keys(bytes));
                },
                Some((RESIZE, bytes)) => if let (Some(size), Some(place)) = (size(&bytes), place.take()) {
                    place.send(size);
                },
                Some((CLOSE, of)) if of.first() == Some(&STDIN) => {
                    place = None;
                    give = None;
                }
                Some(_) => {}
                None => return,
            },
            () = &mut gone => {
                status = Some(Ok(exit(137)));
                break;
            }
        }
    }
    let status = match status {
        Some(status) => status,
        None => ended.await,
    };
    if let Ok(status) = status {
        socket.send(STATUS, status.to_string().as_bytes()).await;
        socket.close().await;
    }
}

/// A terminal begins a line at its left edge.
fn crlf(bytes: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out.into()
}

/// How a program ended, as a Status.
pub(super) fn exit(code: i32) -> Value {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: command terminated with exit code {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

/// Runs the program; its end as a Status.
async fn run(process: Process, mut input: mpsc::Receiver<Given>, sink: Sink) -> Result<Value, Gone> {
    let program = process.command.first().map_or("", String::as_str);
    if !process.inside.has(program) {
        let why = if program.contains('/') {
            format!("stat {program}: no such file or directory")
        } else {
            "executable file not found in $PATH".to_owned()
        };
        return Ok(json!({
            "metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
            "message": format!(
                "Internal error occurred: error executing command in container: failed to exec in container: failed to start \
                 exec: OCI runtime exec failed: exec failed: unable to start container process: exec: \"{program}\": {why}: unknown"
            ),
        }));
    }
    let reads = if process.reads_stdin {
        container::reads(&process.inside, &process.command)
    } else {
        Reads::Nothing
    };
    if reads == Reads::Commands {
        let session = Session {
            shell: Shell::new(process.inside),
            input,
            typed: VecDeque::new(),
            sink,
            tty: process.tty,
        };
        return session.run().await.map(exit);
    }
    let mut given = Vec::new();
    while reads != Reads::Nothing && !(reads == Reads::Archive && container::is_whole_archive(&given)) {
        let bytes = match input.recv().await {
            Some(Given::Keys(bytes)) => bytes,
            Some(Given::Size(..)) => continue,
            None => break,
        };
        if given.len() + bytes.len() > MOST_INPUT {
            return Ok(exit(1));
        }
        given.extend_from_slice(&bytes);
        // On a terminal Ctrl-D is the end.
        if process.tty && bytes.contains(&4) {
            given.retain(|byte| *byte != 4);
            break;
        }
    }
    container::run(&process.inside, &process.command, &given, &sink)
        .await
        .map(exit)
}

/// A shell that is spoken to line by line; on a terminal it shows what is typed, and Ctrl-C ends what runs.
struct Session {
    shell: Shell,
    input: mpsc::Receiver<Given>,
    /// Keys that came while something ran.
    typed: VecDeque<u8>,
    sink: Sink,
    tty: bool,
}

impl Session {
    async fn run(mut self) -> Result<i32, Gone> {
        let mut line = Vec::new();
        self.prompt().await?;
        while let Some(byte) = self.key().await {
            match byte {
                b'\r' | b'\n' => {
                    self.say("\n").await?;
                    self.obey(&std::mem::take(&mut line)).await?;
                    if self.shell.ended {
                        return Ok(self.shell.status());
                    }
                    self.prompt().await?;
                }
                INTERRUPT if self.tty => {
                    line.clear();
                    self.say("^C\n").await?;
                    self.prompt().await?;
                }
                4 if self.tty && line.is_empty() => return Ok(self.shell.status()),
                8 | 127 if self.tty && line.pop().is_some() => self.say("\u{8} \u{8}").await?,
                8 | 127 if self.tty => {}
                byte if line.len() < LONGEST_LINE => {
                    line.push(byte);
                    if byte >= 32 {
                        self.echo(&[byte]).await?;
                    }
                }
                _ => {}
            }
        }
        if !line.is_empty() {
            self.obey(&line).await?;
        }
        Ok(self.shell.status())
    }

    /// The next key; none at the end of the input.
    async fn key(&mut self) -> Option<u8> {
        loop {
            if let Some(byte) = self.typed.pop_front() {
                return Some(byte);
            }
            match self.input.recv().await? {
                Given::Keys(bytes) => self.typed.extend(bytes),
                Given::Size(columns, rows) => self.shell.resize(columns, rows),
            }
        }
    }

    /// Runs a line.
    async fn obey(&mut self, line: &[u8]) -> Result<(), Gone> {
        let (mut size, mut open) = (None, self.tty);
        let interrupted = {
            let run = Run::script(&mut self.shell, &String::from_utf8_lossy(line), &[]);
            let running = container::play(run, &self.sink);
            tokio::pin!(running);
            loop {
                tokio::select! {
                    biased;
                    code = &mut running => {
                        code?;
                        break false;
                    }
                    // It may have come in one piece with the line itself.
                    () = std::future::ready(()), if self.tty && self.typed.contains(&INTERRUPT) => break true,
                    given = self.input.recv(), if open && self.typed.len() < LONGEST_LINE => match given {
                        Some(Given::Keys(bytes)) => self.typed.extend(bytes),
                        Some(Given::Size(columns, rows)) => size = Some((columns, rows)),
                        None => open = false,
                    }
                }
            }
        };
        if let Some((columns, rows)) = size {
            self.shell.resize(columns, rows);
        }
        if interrupted {
            // What was typed ahead of Ctrl-C goes with it, as a terminal drops it.
            while self.typed.pop_front().is_some_and(|byte| byte != INTERRUPT) {}
            self.shell.interrupt();
            self.say("^C\n").await?;
        }
        Ok(())
    }

    async fn prompt(&self) -> Result<(), Gone> {
        self.say(&format!("{} # ", self.shell.cwd())).await
    }

    async fn say(&self, text: &str) -> Result<(), Gone> {
        self.echo(text.as_bytes()).await
    }

    /// Shows something on the terminal, if it is one.
    async fn echo(&self, bytes: &[u8]) -> Result<(), Gone> {
        if !self.tty {
            return Ok(());
        }
        let piece = (Stream::Out, Bytes::copy_from_slice(bytes));
        self.sink.send(piece).await.map_err(|_| Gone)
    }
}
