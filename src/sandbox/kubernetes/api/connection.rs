//! Connections: accept, TLS, HTTP/1.1 or h2, and what is checked before a request is served: Host and Origin
//! (against DNS rebinding), faults, the bearer token.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Request, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::Api;
use super::body::Reply;
use super::cuttable;
use super::dispatch;
use super::status::ApiError;
use super::tls::NAMES;
use super::users::User;
use crate::sandbox::faults::{Fault, Gate};
use crate::sandbox::guard;

/// Connections served at once. Policy: further ones wait in the kernel's queue.
const CONNECTIONS: usize = 1_024;
/// How long a client may take for the TLS handshake and for a request's head.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a hanging request looks whether the faults were removed.
const LOOK: Duration = Duration::from_millis(20);

pub(super) async fn serve(
    api: Arc<Api>,
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    stop: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(tls);
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors or an aborted connection: breathe, then go on.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (api, acceptor, stop) = (api.clone(), acceptor.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = connection(api, stream, acceptor) => {}
            }
            drop(slot);
        });
    }
}

async fn connection(api: Arc<Api>, stream: TcpStream, acceptor: TlsAcceptor) {
    // Small answers go out at once; if the socket refuses, it is only slower.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await else {
        return;
    };
    let service = service_fn(move |request| answer(api.clone(), request));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    builder.http2().max_concurrent_streams(1_000);
    if let Err(error) = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(%error, "the connection ended early");
    }
}

/// Answers a request, or fails to cut the connection (only when a fault asks for it).
async fn answer(api: Arc<Api>, request: Request<Incoming>) -> Result<Reply, io::Error> {
    match checked(api, request).await {
        Ok(reply) => Ok(reply),
        Err(Refusal::Cut) => Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut by a fault")),
        Err(Refusal::Answer(error)) => Ok(error.reply()),
    }
}

enum Refusal {
    Cut,
    Answer(ApiError),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Refusal::Answer(error)
    }
}

async fn checked(api: Arc<Api>, request: Request<Incoming>) -> Result<Reply, Refusal> {
    local_only(&request)?;
    let method = request.method().as_str().to_owned();
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str())
        .to_owned();
    if let Some(gate) = &api.config.gate
        && let Some(fault) = gate.check(&method, &target)
    {
        suffer(fault, &**gate).await?;
    }
    let user = match User::of(token(request.headers()), &api.config) {
        Some(user) => user,
        None if public(request.uri().path()) => User::Guest,
        None => return Err(ApiError::unauthorized().into()),
    };
    let gate = api.config.gate.clone();
    let reply = dispatch::dispatch(api, request, user).await?;
    Ok(match gate {
        Some(gate) if target.contains("watch=") => cuttable::cuttable(reply, gate, method, target),
        _ => reply,
    })
}

/// Refuses what a web page of another site could send to this port.
fn local_only<B>(request: &Request<B>) -> Result<(), ApiError> {
    let headers = request.headers();
    let host = request.uri().host().map(str::to_owned).or_else(|| {
        let value = headers.get(header::HOST)?.to_str().ok()?;
        value
            .parse::<http::uri::Authority>()
            .ok()
            .map(|authority| authority.host().to_owned())
    });
    if !host.as_deref().is_some_and(local_name) {
        let host = host.unwrap_or_default();
        return Err(ApiError::forbidden(format!(
            "the sandbox answers on loopback names only, not as {host:?}: use https://127.0.0.1 or https://localhost"
        )));
    }
    for origin in headers.get_all(header::ORIGIN) {
        let local = origin
            .to_str()
            .ok()
            .and_then(|text| text.parse::<http::Uri>().ok())
            .and_then(|uri| uri.host().map(local_name));
        if local != Some(true) {
            return Err(ApiError::forbidden(
                "the sandbox refuses requests that a web page of another origin sends",
            ));
        }
    }
    Ok(())
}

fn local_name(host: &str) -> bool {
    guard::is_loopback(host) || NAMES.contains(&host)
}

fn public(path: &str) -> bool {
    matches!(
        path.trim_end_matches('/'),
        "/healthz" | "/livez" | "/readyz" | "/version"
    )
}

/// The bearer token; empty: none.
fn token(headers: &HeaderMap) -> &str {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, token)| token.trim())
}

async fn suffer(fault: Fault, gate: &dyn Gate) -> Result<(), Refusal> {
    Err(Refusal::Answer(match fault {
        Fault::Cut => return Err(Refusal::Cut),
        Fault::Hang => {
            // A server that comes to its senses has forgotten its connections.
            let begun = gate.round();
            while gate.round() == begun {
                tokio::time::sleep(LOOK).await;
            }
            return Err(Refusal::Cut);
        }
        Fault::Slow(time) => {
            tokio::time::sleep(time).await;
            return Ok(());
        }
        Fault::Gone410 => {
            ApiError::expired("The provided continue parameter or resourceVersion is too old (injected fault).")
        }
        Fault::TooMany429 { retry_after } => ApiError::too_many_requests(retry_after),
        Fault::Internal500 => ApiError::internal("injected fault"),
        Fault::Forbidden403 => ApiError::forbidden("forbidden: injected fault"),
        Fault::Unauthorized401 => ApiError::unauthorized(),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::ApiConfig;
    use super::*;

    #[test]
    fn foreign_hosts_and_origins_are_refused() {
        let refused = |host: &str, origin: Option<&str>| {
            let mut builder = Request::builder().uri("/api").header(header::HOST, host);
            if let Some(origin) = origin {
                builder = builder.header(header::ORIGIN, origin);
            }
            local_only(&builder.body(()).unwrap()).is_err()
        };
        for host in ["127.0.0.1:1", "localhost:6443", "[::1]:6443", "kubernetes.default.svc"] {
            assert!(!refused(host, None), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:80", "0.0.0.0:1", "", "10.0.0.1"] {
            assert!(refused(host, None), "{host}");
        }
        assert!(!refused("localhost", Some("http://localhost:3000")));
        assert!(refused("localhost", Some("https://evil.example")));
        assert!(refused("localhost", Some("null")));
    }

    #[test]
    fn the_token_must_be_exact() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            User::of(token(&headers), &ApiConfig::new("secret")).is_some()
        };
        assert!(with("Bearer secret") && with("bearer secret"));
        assert!(!with("Bearer secre") && !with("Bearer secrets") && !with("Basic secret") && !with("secret"));
        assert_eq!(token(&HeaderMap::new()), "");
        assert_eq!(User::of("", &ApiConfig::new("secret")), None);
        assert_eq!(User::of("", &ApiConfig::new("")), None, "no token lets nobody in");
    }
}
