//! One request to a sandbox's admin API: JSON in, JSON out, a connection of its own. Loopback only, whatever the
//! configuration says: the token must not leave this machine.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::core::context::{Context, SandboxAdmin};
use crate::core::report::Report;

/// For the whole request; the API is on this machine.
const TIMEOUT: Duration = Duration::from_secs(5);
/// No answer is longer.
const LARGEST: usize = 64 * 1024;

/// Asks the sandbox that this process knows: `body` none reads, else it is posted.
///
/// # Errors
/// `E-SANDBOX-010` when none is known or its address is no loopback address, `-011` when it does not answer or
/// refuses, with its reason.
pub async fn ask(context: &Context, path: &str, body: Option<&Value>) -> Result<Value, Report> {
    let Some(admin) = &context.sandbox else {
        let report = Report::refused("E-SANDBOX-010", "no sandbox is known here");
        return Err(report.hint(
            "start the console with --sandbox, or set COGDECK_ADMIN_URL and COGDECK_ADMIN_TOKEN from the file of \
             cogdeck sandbox --admin FILE",
        ));
    };
    let address = address(&admin.url)?;
    let failed = |why: String| Report::failed("E-SANDBOX-011", format!("the sandbox at {address}: {why}"));
    match tokio::time::timeout(TIMEOUT, send(admin, address, path, body)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(why)) => Err(failed(why)),
        Err(_) => Err(failed(format!("no answer within {} s", TIMEOUT.as_secs()))),
    }
}

fn address(url: &str) -> Result<SocketAddr, Report> {
    let place = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let address: Option<SocketAddr> = place.and_then(|place| place.parse().ok());
    address.filter(|address| address.ip().is_loopback()).ok_or_else(|| {
        Report::refused(
            "E-SANDBOX-010",
            format!("COGDECK_ADMIN_URL is {url}, which is no address of this machine"),
        )
        .hint("http://127.0.0.1:PORT, as cogdeck sandbox --admin FILE writes it")
    })
}

async fn send(admin: &SandboxAdmin, address: SocketAddr, path: &str, body: Option<&Value>) -> Result<Value, String> {
    let request = Request::builder()
        .method(if body.is_some() { Method::POST } else { Method::GET })
        .uri(path)
        .header("host", address.to_string())
        .header("authorization", format!("Bearer {}", admin.token.reveal()))
        .header("content-type", "application/json")
        .header("connection", "close")
        .body(Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default())))
        .map_err(|error| error.to_string())?;
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let driver = tokio::spawn(connection);
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let why = answer
            .get("error")
            .and_then(Value::as_str)
            .unwrap_or("it gave no reason");
        Err(format!("{status}: {why}"))
    }
    .await;
    driver.abort();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_gets_the_token() {
        assert_eq!(address("http://127.0.0.1:7000").unwrap().port(), 7000);
        assert_eq!(address("http://[::1]:7000/").unwrap().port(), 7000);
        for other in [
            "http://203.0.113.7:80",
            "http://localhost:1",
            "https://127.0.0.1:1",
            "http://127.0.0.1",
            "",
        ] {
            assert_eq!(address(other).unwrap_err().code, "E-SANDBOX-010", "{other}");
        }
    }
}
