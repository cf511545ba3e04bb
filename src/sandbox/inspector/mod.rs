//! The inspector application that the pods of the sandbox really serve: a small web program that shows its version,
//! network and environment. One instance is one pod's container. Not for routing to pods (`kubernetes::network`).

mod log;
mod pages;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::sandbox::kubernetes::log::ContainerLog;

/// The port the program listens on inside its pod.
pub const PORT: u16 = 80;
/// Open connections of one instance. Policy: further ones wait to be accepted.
const CONNECTIONS: usize = 1_024;

/// What an instance knows of the container it runs in.
#[derive(Debug, Clone)]
pub struct Container {
    /// The version it prints: the image's tag.
    pub version: String,
    /// The pod's address.
    pub ip: Ipv4Addr,
    /// The address requests seem to come from: the node's.
    pub node_ip: Ipv4Addr,
    /// The pod's namespace, for `/etc/resolv.conf`.
    pub namespace: String,
    /// Environment variables.
    pub env: Vec<(String, String)>,
}

/// A running instance. Dropping it kills it.
#[derive(Debug)]
pub struct Inspector {
    /// Where it really listens.
    pub address: SocketAddr,
    kill: CancellationToken,
}

impl Drop for Inspector {
    fn drop(&mut self) {
        self.kill.cancel();
    }
}

impl Inspector {
    /// Starts an instance on a loopback port of its own.
    ///
    /// # Errors
    /// When no loopback port can be had.
    pub async fn start(container: Container, log: Arc<ContainerLog>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let kill = CancellationToken::new();
        log.line("Starting inspector...");
        let app = Arc::new(App { container, log });
        tokio::spawn(
            kill.clone()
                .run_until_cancelled_owned(accept(listener, app, kill.clone())),
        );
        Ok(Self { address, kill })
    }

    /// Dies now, as a program without a signal handler does: open connections are cut.
    pub fn kill(&self) {
        self.kill.cancel();
    }
}

struct App {
    container: Container,
    log: Arc<ContainerLog>,
}

async fn accept(listener: TcpListener, app: Arc<App>, kill: CancellationToken) {
    let slots = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let serve = serve(stream, peer, app.clone());
                connections.spawn(kill.clone().run_until_cancelled_owned(async move {
                    serve.await;
                    drop(slot);
                }));
            }
            // Out of descriptors, most likely: give others time to close some.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, app: Arc<App>) {
    let service = service_fn(move |request| {
        let answer = app.answer(&request, peer);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(10))
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away in the middle is its own affair.
    let _ = connection.await;
}

impl App {
    fn answer(&self, request: &Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let begin = Instant::now();
        let path = request.uri().path();
        let (kind, body) = match path {
            "/net" => ("text/html; charset=utf-8", pages::net(&self.container)),
            "/env" => ("text/html; charset=utf-8", pages::env(&self.container)),
            "/healthz" => ("", String::new()),
            css if css.starts_with("/css/") => ("text/css; charset=utf-8", pages::CSS.to_owned()),
            // The program's router sends every other path to its home page.
            _ => ("text/html; charset=utf-8", pages::home(&self.container)),
        };
        log::request(
            &self.log,
            self.container.node_ip,
            peer.port(),
            request,
            body.len(),
            begin.elapsed(),
        );
        let mut response = Response::new(Full::new(Bytes::from(body)));
        if !kind.is_empty() {
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        response
    }
}

fn user_agent(request: &Request<Incoming>) -> &str {
    request
        .headers()
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}
