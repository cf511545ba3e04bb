//! `pods/NAME/attach`: what a running container writes from now on, until it ends. Nothing in this world reads what is
//! typed to a container's own program, so that goes nowhere.

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;

use super::Api;
use super::body::Reply;
use super::exec;
use super::logs;
use super::route::{Query, Target};
use super::status::ApiError;
use super::upgrade::channels::{self, Channels, STATUS, STDOUT};
use crate::sandbox::kubernetes::log::LogReader;
use crate::sandbox::kubernetes::objects::name;

/// `GET` or `POST` with `?container=c&stdout=true&stderr=true&tty=false`.
pub(super) fn attach(
    api: &Arc<Api>,
    request: Request<Incoming>,
    target: &Target,
    query: &Query,
) -> Result<Reply, ApiError> {
    let pod = exec::running(api, target)?;
    let container = logs::choose(&pod, query.text("container"), name(&pod))?;
    let runtime = api.config.runtime.as_ref();
    let log = runtime.and_then(|runtime| runtime.logs(&target.namespace, &target.name, &container, false));
    let log = log.ok_or_else(|| {
        let pod = &target.name;
        ApiError::bad_request(format!(
            "container \"{container}\" in pod \"{pod}\" is waiting to start"
        ))
    })?;
    let (reply, waiting) = channels::accept(request, query)?;
    let line_end = if query.flag("tty") { "\r\n" } else { "\n" };
    let stop = api.stop.clone();
    let work = async move {
        if let Some(socket) = waiting.open(&stop).await {
            pass_on(socket, log, line_end).await;
        }
    };
    tokio::spawn(api.stop.clone().run_until_cancelled_owned(work));
    Ok(reply)
}

/// Sends what is written until the container ends or the client goes.
async fn pass_on(mut socket: Channels, mut log: LogReader, line_end: &str) {
    // From now on.
    log.past();
    loop {
        tokio::select! {
            lines = log.next() => {
                let Some(lines) = lines else { break };
                let text: String = lines.iter().flat_map(|line| [&*line.text, line_end]).collect();
                if !socket.send(STDOUT, text.as_bytes()).await {
                    return;
                }
            }
            message = socket.receive() => if message.is_none() {
                return;
            },
        }
    }
    socket.send(STATUS, exec::exit(0).to_string().as_bytes()).await;
    socket.close().await;
}
