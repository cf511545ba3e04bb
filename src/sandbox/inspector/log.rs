//! The inspector's access log. Not for keeping and reading it.

use std::net::Ipv4Addr;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use jiff::Timestamp;

use crate::sandbox::kubernetes::log::ContainerLog;

/// Writes the line of one request into the inspector's access log, in its format (a 12-hour clock without am or pm).
pub(super) fn request(
    log: &ContainerLog,
    remote: Ipv4Addr,
    port: u16,
    request: &Request<Incoming>,
    bytes: usize,
    took: Duration,
) {
    let at = Timestamp::now().strftime("%d/%b/%Y %I:%M:%S");
    let target = request.uri().path_and_query().map_or("/", |p| p.as_str());
    log.line(format!(
        "{remote}:{port} - [{at}] \"{} {target} {:?} 200 {bytes}\" {} {:.6}",
        request.method(),
        request.version(),
        super::user_agent(request),
        took.as_secs_f64()
    ));
}
