//! Runs one invocation as a process of this host, under a supervisor: the contract's environment over an allow-list, the
//! real argument vector and working directory. Not a sandbox: the executable may do what the operator may.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio_util::sync::CancellationToken;

use super::helper::Helper;
use super::reply::{Answer, Reply};
use super::request::Request;
use super::supervisor::{Job, Process};
use crate::core::report::Report;

/// Read from a stream at a time.
const PIECE: usize = 16 << 10;

/// What an executable finds around it.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Variables of our own environment that it may see; the contract's win over them.
    pub environment: BTreeMap<String, String>,
    /// Its working directory.
    pub directory: PathBuf,
    /// Where the bundle's own files are: a relative executable is one of them.
    pub files: PathBuf,
}

/// Runs one invocation. `watch` sees each line of plain text as it comes. `stop` ends it with all its descendants.
pub async fn run(
    helper: &Helper,
    surroundings: &Surroundings,
    request: &Request,
    stop: &CancellationToken,
    mut watch: impl FnMut(String) + Send,
) -> Result<Reply, Report> {
    request.check()?;
    let mut process = Process::start(helper, &job(surroundings, request)).await?;
    let mut watch = |line: String| watch(request.redact(&line));
    let ended = tokio::select! {
        biased;
        () = stop.cancelled() => Err(Report::interrupted()),
        ended = converse(&mut process, request, &mut watch) => ended,
    };
    process.end().await;
    ended
}

fn job(surroundings: &Surroundings, request: &Request) -> Job {
    let mut environment = surroundings.environment.clone();
    environment.extend(request.environment());
    let path = PathBuf::from(&request.executable);
    // `bin/greet` is a file of the bundle; `greet` alone is looked for in the PATH.
    let program = match path.is_relative() && path.components().count() > 1 {
        true => surroundings.files.join(path).to_string_lossy().into_owned(),
        false => request.executable.clone(),
    };
    Job {
        program,
        arguments: request.argv(),
        environment,
        directory: surroundings.directory.clone(),
    }
}

async fn converse(
    process: &mut Process,
    request: &Request,
    watch: &mut (impl FnMut(String) + Send),
) -> Result<Reply, Report> {
    let mut answer = Answer::default();
    let feed = feed(process.stdin.take(), request.stdin());
    let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
    let read = async {
        let (Some(mut stdout), Some(mut stderr)) = (stdout, stderr) else {
            return Ok(());
        };
        let (mut out, mut err) = (vec![0; PIECE], vec![0; PIECE]);
        let (mut more_out, mut more_err) = (true, true);
        while more_out || more_err {
            tokio::select! {
                read = stdout.read(&mut out), if more_out => {
                    let read = read.map_err(|error| unreadable(&error))?;
                    more_out = read > 0;
                    answer.stdout(out.get(..read).unwrap_or_default(), watch)?;
                }
                read = stderr.read(&mut err), if more_err => {
                    let read = read.map_err(|error| unreadable(&error))?;
                    more_err = read > 0;
                    answer.stderr(err.get(..read).unwrap_or_default());
                }
            }
        }
        Ok(())
    };
    let (status, _) = process.follow(feed, read).await?;
    answer.finish(status.exit_code(), request)
}

/// A command that does not read its stdin closes it: that is no failure.
async fn feed(stdin: Option<pipe::Sender>, record: Vec<u8>) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(&record).await;
    }
}

fn unreadable(error: &std::io::Error) -> Report {
    Report::failed("E-EXEC-007", "reading the command's output failed").because(error)
}
