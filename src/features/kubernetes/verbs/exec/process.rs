//! The end of a command that runs in a container, and what it complains about. Not for what its output means.
//!
//! The pipes of kube's `AttachedProcess` tell neither that the other side was dropped nor that the connection is gone: a
//! read or write then waits for ever. Its status always comes, so every stream is carried beside it.

use std::future::Future;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::AttachedProcess;
use tokio::io::{AsyncRead, AsyncReadExt, copy, sink};

use crate::core::report::Report;
use crate::features::kubernetes::error::{CONFLICT, UNREACHABLE};

/// Of what a command complains about, the bytes that are kept.
const COMPLAINT: u64 = 4096;

/// Carries `streams` until they and the command have ended: what they brought, and the command's exit code. An error of
/// theirs ends it at once; dropping the process then ends the command.
pub fn to_the_end<T>(
    process: &mut AttachedProcess,
    streams: impl Future<Output = Result<T, Report>>,
) -> impl Future<Output = Result<(T, i32), Report>> {
    let status = process.take_status();
    async move {
        let status = async {
            match status {
                Some(status) => status.await,
                None => None,
            }
        };
        tokio::pin!(status, streams);
        tokio::select! {
            biased;
            brought = &mut streams => Ok((brought?, exit_code(status.await)?)),
            // It ended well or ill, then the streams end too. Without a status it was cut off, and they would not.
            ended = &mut status => {
                let code = exit_code(ended)?;
                Ok((streams.await?, code))
            }
        }
    }
}

/// Waits for `ended`, and feeds the command meanwhile, for as long as there is something to feed it.
pub async fn fed<T>(ended: impl Future<Output = T>, feed: impl Future<Output = ()>) -> T {
    tokio::pin!(ended);
    tokio::select! {
        biased;
        result = &mut ended => return result,
        () = feed => {}
    }
    ended.await
}

/// What a command writes to its standard error: read to its end, so that it never waits for us, and the beginning kept.
pub async fn complaint(stderr: Option<impl AsyncRead + Unpin>) -> String {
    let mut kept = Vec::new();
    if let Some(mut stderr) = stderr {
        // What came before it broke off is the best there is.
        let _ = (&mut stderr).take(COMPLAINT).read_to_end(&mut kept).await;
        let _ = copy(&mut stderr, &mut sink()).await;
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// The exit code that a Status tells (kubelet's `remotecommand`); an error when the command did not run.
pub fn exit_code(status: Option<Status>) -> Result<i32, Report> {
    let Some(status) = status else {
        return Err(Report::failed(
            UNREACHABLE,
            "the connection to the container ended before the command did",
        ));
    };
    if status.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let causes = status.details.and_then(|details| details.causes).unwrap_or_default();
    let code = causes
        .iter()
        .find(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .and_then(|cause| cause.message.as_deref()?.parse().ok());
    match code {
        Some(code) if status.reason.as_deref() == Some("NonZeroExitCode") => Ok(code),
        _ => Err(Report::failed(
            CONFLICT,
            status.message.unwrap_or_else(|| "the command did not run".to_owned()),
        )),
    }
}
