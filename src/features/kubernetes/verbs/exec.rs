//! `kubectl:exec`: a command in a container. Its output is records; with `-i` or `-t` it gets the terminal instead.

pub mod process;
mod terminal;

use std::io::IsTerminal;
use std::sync::Arc;

use async_trait::async_trait;
use kube::api::{AttachParams, AttachedProcess};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use self::process::to_the_end;
use super::behind;
use super::common::{WRITE, declare, until_stopped};
use super::completer::Names;
use crate::core::change::Risk;
use crate::core::report::{Report, Severity};
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::{CONFLICT, UNREACHABLE, usage};
use crate::features::kubernetes::object::{self, text};
use crate::render::View;
use crate::verb::declaration::{OptionKind, OptionSpec, Positional};
use crate::verb::{Call, Input, Output, Read, Verb};

/// The program in the container ended with another code than 0.
pub const ENDED: &str = "E-KUBE-EXIT";
/// Longer lines are cut into pieces of this many bytes.
const LINE: u64 = 1 << 20;
/// Output that waits to be read (bytes); then the program waits.
pub const BUFFER: usize = 64 * 1024;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("exec", "Run a command in a container")
        .permission(WRITE)
        .risk(Risk::Change)
        .positional(
            Positional::new(
                "POD|TYPE/NAME COMMAND",
                OptionKind::String,
                "A pod, or something that has pods (the incoming object when not given), then the command after --",
            )
            .variadic(),
        )
        .options([
            container_option(),
            OptionSpec::new("stdin", OptionKind::Bool, "Hand the standard input over").short('i'),
            OptionSpec::new("tty", OptionKind::Bool, "Hand the terminal over").short('t'),
        ])
        .output("{line, source}, one a line of its standard output; the source is POD/CONTAINER.")
        .notes(
            "Standard error is shown beside the result, and the command's exit code is kept. With -it the console gives the \
             terminal to the command until it ends.",
        )
        .example("kubectl:exec deploy/inspector -- env", "the variables of one of its pods")
        .example("kubectl:exec -it inspector-abc -- sh", "a shell in the pod");
    Verb::read(
        declaration,
        Exec {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of_pods(clients))
}

/// `-c, --container`.
pub fn container_option() -> OptionSpec {
    OptionSpec::new("container", OptionKind::String, "This container")
        .short('c')
        .value_name("name")
}

struct Exec {
    clients: Arc<Clients>,
}

#[async_trait]
impl Read for Exec {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, self.exec(call, output)).await
    }
}

impl Exec {
    async fn exec(&self, call: &Call, output: &Output) -> Result<(), Report> {
        let words = call.arguments.texts();
        // A piped object is the pod: all words are the command.
        let (pod, command) = match (&call.record, words.as_slice()) {
            (Some(_), command) => (None, command),
            (None, [pod, command @ ..]) => (Some(pod.as_str()), command),
            (None, []) => return Err(usage("pod, type/name or --filename must be specified")),
        };
        if command.is_empty() {
            return Err(usage("you must specify at least one command for the container"));
        }
        let session = self.clients.session(&call.context).await?;
        let place = Place::find(call, &session, pod).await?;
        let (stdin, tty) = (call.arguments.flag("stdin"), call.arguments.flag("tty"));
        if stdin || tty {
            return place.hand_over(call, &session, command, stdin, tty).await;
        }
        let mut process = place.start(&session, command, AttachParams::default()).await?;
        let source = format!("{}/{}", place.pod, place.container);
        let (mut stdout, mut stderr) = (Lines::of(process.stdout()), Lines::of(process.stderr()));
        let out = async {
            while let Some(line) = stdout.next().await? {
                let record = json!({"line": line, "source": source});
                output.emit_as(record, View::Text(line)).await?;
            }
            Ok::<_, Report>(())
        };
        let err = async {
            while let Some(line) = stderr.next().await? {
                call.operator.note(SafeText::line(&line));
            }
            Ok(())
        };
        let (_, code) = to_the_end(&mut process, async { tokio::try_join!(out, err) }).await?;
        verdict(code)
    }
}

/// A container of a pod that runs.
pub struct Place {
    /// The pod's namespace.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// The container's.
    pub container: String,
}

impl Place {
    /// The container that a call means: `--container`, or the pod's first.
    pub async fn find(call: &Call, session: &Session, word: Option<&str>) -> Result<Place, Report> {
        let pod = behind::pod(call, session, word).await?;
        let phase = text(&pod, "/status/phase");
        if matches!(phase, "Succeeded" | "Failed") {
            return Err(Report::failed(
                CONFLICT,
                format!("cannot exec into a container in a completed pod; current phase is {phase}"),
            ));
        }
        let named = call.arguments.text("container").filter(|name| !name.is_empty());
        let container = named.unwrap_or_else(|| behind::default_container(call, &pod));
        Ok(Place {
            namespace: object::namespace(&pod).to_owned(),
            pod: object::name(&pod).to_owned(),
            container,
        })
    }

    /// Starts a command there.
    pub async fn start(
        &self,
        session: &Session,
        command: &[String],
        streams: AttachParams,
    ) -> Result<AttachedProcess, Report> {
        let mut streams = streams.container(&self.container);
        streams.max_stdin_buf_size = Some(BUFFER);
        streams.max_stdout_buf_size = Some(BUFFER);
        streams.max_stderr_buf_size = Some(BUFFER);
        session
            .cluster
            .pods(&self.namespace)
            .await?
            .exec(&self.pod, command, &streams)
            .await
            .map_err(|error| session.cluster.report(&error))
    }

    /// Gives the command the terminal, and waits for its end.
    async fn hand_over(
        &self,
        call: &Call,
        session: &Session,
        command: &[String],
        stdin: bool,
        tty: bool,
    ) -> Result<(), Report> {
        let tty = tty && call.operator.has_terminal() && std::io::stdout().is_terminal();
        if call.arguments.flag("tty") && !tty {
            call.operator.note(SafeText::line(
                "Unable to use a TTY - input is not a terminal or the right kind of file",
            ));
        }
        let streams = AttachParams::default().stdin(stdin).tty(tty).stderr(!tty);
        let process = self.start(session, command, streams).await?;
        let code = call.operator.lend(Box::pin(terminal::converse(process))).await?;
        verdict(code)
    }
}

/// The lines of a stream; bytes that are no UTF-8 are replaced.
struct Lines<R>(Option<BufReader<R>>);

impl<R: AsyncRead + Unpin> Lines<R> {
    fn of(stream: Option<R>) -> Self {
        Lines(stream.map(BufReader::new))
    }

    async fn next(&mut self) -> Result<Option<String>, Report> {
        let Some(stream) = &mut self.0 else { return Ok(None) };
        let mut line = Vec::new();
        let read = stream.take(LINE).read_until(b'\n', &mut line).await;
        if read.map_err(|error| lost(&error))? == 0 {
            return Ok(None);
        }
        if line.ends_with(b"\n") {
            line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }
}

fn lost(error: &(dyn std::error::Error + 'static)) -> Report {
    Report::failed(UNREACHABLE, "the connection to the container was lost").because(error)
}

/// A code other than 0 is a failure that keeps it.
fn verdict(code: i32) -> Result<(), Report> {
    match code {
        0 => Ok(()),
        code => Err(Report::new(
            ENDED,
            format!("command terminated with exit code {code}"),
            Severity::Ended(u8::try_from(code).unwrap_or(1)),
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::process::exit_code;
    use super::*;

    #[test]
    fn the_exit_code_is_kept_and_what_did_not_run_is_told() {
        let of = |value: serde_json::Value| exit_code(Some(serde_json::from_value(value).unwrap()));
        assert_eq!(of(json!({"status": "Success"})).unwrap(), 0);
        let ended = json!({"status": "Failure", "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}});
        assert_eq!(verdict(of(ended).unwrap()).unwrap_err().severity.exit_code(), 7);
        let refused = of(json!({"status": "Failure", "reason": "InternalError", "message": "no such file"}));
        assert_eq!(refused.unwrap_err().message, "no such file");
        assert!(exit_code(None).is_err());
    }

    #[tokio::test]
    async fn lines_come_one_by_one_whatever_they_hold() {
        let mut found = Vec::new();
        let mut lines = Lines::of(Some(&b"a\n\xff\n\nlast"[..]));
        while let Some(line) = lines.next().await.unwrap() {
            found.push(line);
        }
        assert_eq!(found, ["a", "\u{fffd}", "", "last"]);
    }
}
