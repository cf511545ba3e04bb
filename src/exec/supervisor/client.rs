//! The console's side: starting a job under a supervisor and following it to its end.

use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStderr, ChildStdout};

use super::MODE;
use super::wire::{Job, Status, Word, send_descriptor};
use crate::core::report::Report;
use crate::exec::helper::Helper;

const NOT_STARTED: &str = "E-EXEC-005";
const LOST: &str = "E-EXEC-006";

/// How long output may still come when the command itself has ended, from processes that it left behind.
const DRAIN: Duration = Duration::from_millis(300);
/// How long the supervisor is waited for; it goes on by itself after that.
const PATIENCE: Duration = Duration::from_secs(4);

/// A running command. Dropping it ends the command with everything it started, as [`Process::end`] does.
pub struct Process {
    supervisor: Child,
    control: BufReader<UnixStream>,
    /// The command's stdin; dropping it is the end of its input.
    pub stdin: Option<pipe::Sender>,
    /// Its stdout.
    pub stdout: Option<ChildStdout>,
    /// Its stderr.
    pub stderr: Option<ChildStderr>,
}

impl Process {
    /// Starts a job. That the program itself can't be started is told by [`Process::follow`].
    pub async fn start(helper: &Helper, job: &Job) -> Result<Process, Report> {
        let begun = Process::begin(helper, job).await;
        begun.map_err(|error| Report::failed(NOT_STARTED, format!("{} was not started", job.program)).because(&error))
    }

    async fn begin(helper: &Helper, job: &Job) -> io::Result<Process> {
        let job = job.encode()?;
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        let (reader, writer) = io::pipe()?;
        let mut command = helper.command(MODE);
        let mut supervisor = command.stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
        // It holds their end of the socket: with it here too, we would not see the supervisor end.
        drop(command);
        send_descriptor(&ours, reader.as_fd())?;
        drop(reader);
        ours.set_nonblocking(true)?;
        let mut control = UnixStream::from_std(ours)?;
        control.write_all(&job).await?;
        Ok(Process {
            stdin: Some(pipe::Sender::from_owned_fd(OwnedFd::from(writer))?),
            stdout: supervisor.stdout.take(),
            stderr: supervisor.stderr.take(),
            supervisor,
            control: BufReader::new(control),
        })
    }

    /// Waits for the command's end while `feed` writes its input and `read` reads its output to the end. Output that
    /// processes left behind hold open is waited for no longer than a moment; false: something was left behind.
    pub async fn follow(
        &mut self,
        feed: impl Future<Output = ()>,
        read: impl Future<Output = Result<(), Report>>,
    ) -> Result<(Status, bool), Report> {
        // Only these end it: a command need not read its input.
        let feed = async {
            feed.await;
            std::future::pending::<()>().await;
        };
        let status = word(&mut self.control);
        tokio::pin!(feed, read, status);
        let mut unread = true;
        let status = loop {
            tokio::select! {
                () = &mut feed => {}
                result = &mut read, if unread => {
                    result?;
                    unread = false;
                }
                status = &mut status => break status?,
            }
        };
        if unread {
            match tokio::time::timeout(DRAIN, &mut read).await {
                Ok(result) => result?,
                Err(_) => return Ok((status, false)),
            }
        }
        Ok((status, true))
    }

    /// Ends whatever is left of it: asks first, then insists. Back when all of it is gone.
    pub async fn end(mut self) {
        drop(self.control);
        if tokio::time::timeout(PATIENCE, self.supervisor.wait()).await.is_err() {
            tracing::warn!("a command's processes have not ended {PATIENCE:?} after they were told to");
        }
    }
}

/// The supervisor's word about the command.
async fn word(control: &mut BufReader<UnixStream>) -> Result<Status, Report> {
    let mut line = String::new();
    let lost = |why: &str| Report::failed(LOST, format!("the command's supervisor was lost: {why}"));
    control
        .read_line(&mut line)
        .await
        .map_err(|error| lost(&error.to_string()))?;
    match serde_json::from_str(&line) {
        Ok(Word::Ended(status)) => Ok(status),
        Ok(Word::NotStarted(why)) => Err(Report::failed(NOT_STARTED, format!("it could not be started: {why}"))),
        Err(_) => Err(lost("it ended before the command")),
    }
}
