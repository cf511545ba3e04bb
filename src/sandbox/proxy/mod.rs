//! The HTTP forward proxy of the sandbox, which serves the world's names only: a name leads to a load balancer, that to a
//! service's port, that to a random ready pod for each request's new connection. Not a way to anything outside.
//!
//! A pod that refuses is not replaced by another one: a real load balancer would not do that either.

mod route;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::kubernetes::network::Route;
pub use route::{Refusal, Router};

/// Open client connections. Policy: further ones wait to be accepted.
const CLIENTS: usize = 2_048;
/// Open connections to pods. Policy: further requests wait their turn, which costs no file descriptor.
const UPSTREAM: usize = 512;
/// Longest request head.
const HEAD: usize = 32 * 1024;
/// How long a client may take for its head, a pod to accept, a pod to answer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Headers that concern one connection only (RFC 9110 §7.6.1, and the proxy's own).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

type Answer = Response<Pin<Box<dyn Body<Data = Bytes, Error = hyper::Error> + Send>>>;

/// The running proxy; it ends, with its connections, when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens: a port on 127.0.0.1.
    pub addr: SocketAddr,
    lost: Arc<AtomicU64>,
    stop: CancellationToken,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Proxy {
    /// Requests that reached a pod's address and were not answered in full: what a watcher must have counted as failed.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Binds a free port on 127.0.0.1 and serves until dropped.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(router: Router) -> io::Result<Self> {
        Self::serve(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?, router)
    }

    /// Serves on a port that is bound already, until dropped.
    ///
    /// # Errors
    /// When the port's number can't be read.
    pub fn serve(listener: TcpListener, router: Router) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        let stop = CancellationToken::new();
        let lost = Arc::<AtomicU64>::default();
        let shared = Arc::new(Shared {
            lost: lost.clone(),
            router,
            addr,
            upstream: Arc::new(Semaphore::new(UPSTREAM)),
        });
        tokio::spawn(
            stop.clone()
                .run_until_cancelled_owned(accept(listener, shared, stop.clone())),
        );
        Ok(Self { addr, lost, stop })
    }
}

struct Shared {
    lost: Arc<AtomicU64>,
    router: Router,
    addr: SocketAddr,
    upstream: Arc<Semaphore>,
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(CLIENTS));
    let connections = TaskTracker::new();
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let serve = serve(stream, shared.clone());
                connections.spawn(stop.clone().run_until_cancelled_owned(async move {
                    serve.await;
                    drop(slot);
                }));
            }
            // Out of descriptors, most likely: give others time to close some.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(shared.answer(request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away in the middle is its own affair.
    let _ = connection.await;
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        match self.forward(request).await {
            Ok(answer) => answer,
            Err(refusal) => refuse(&refusal),
        }
    }

    async fn forward(&self, mut request: Request<Incoming>) -> Result<Answer, Refusal> {
        let (host, port) = self.target(&request)?;
        rewrite(&mut request, &host, port)?;
        // Waiting for a turn comes before the choice of a pod: a pod that was chosen is connected to at once.
        let turn = self.upstream.clone().acquire_owned().await;
        let turn = turn.map_err(|_| Refusal::closing())?;
        let route = self.router.route(&host, port)?;
        let (ip, pod_port) = route.pod;
        let listener = route.listener;
        match exchange(listener, request).await {
            Ok((mut answer, sender)) => {
                remove_hop_by_hop(answer.headers_mut());
                let lost = self.lost.clone();
                Ok(answer.map(|body| {
                    Box::pin(Held {
                        body,
                        lost,
                        _route: route,
                        _turn: turn,
                        _sender: sender,
                    }) as Pin<Box<_>>
                }))
            }
            Err((status, why)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                Err(Refusal::new(status, format!("{host}: pod {ip}:{pod_port} {why}")))
            }
        }
    }

    /// The host and port that a request names, if it may be served at all.
    fn target(&self, request: &Request<Incoming>) -> Result<(String, u16), Refusal> {
        let bad = |text: &str| Refusal::new(StatusCode::BAD_REQUEST, text.to_owned());
        if request.method() == Method::CONNECT {
            let text = "CONNECT is not served: this world has no TLS sites. Ask for http:// names";
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, text.into()));
        }
        let headers = request.headers();
        if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
            return Err(bad(
                "a request with both Transfer-Encoding and Content-Length is ambiguous and refused",
            ));
        }
        if headers.get_all(HOST).iter().count() > 1 {
            return Err(bad("a request with several Host headers is ambiguous and refused"));
        }
        let Some(authority) = request.uri().authority() else {
            return Err(self.not_proxied(headers));
        };
        if request.uri().scheme_str() != Some("http") {
            return Err(bad("only http:// is served here"));
        }
        if authority.as_str().contains('@') {
            return Err(bad("a user name in the address is not accepted"));
        }
        Ok((
            authority.host().to_ascii_lowercase(),
            authority.port_u16().unwrap_or(80),
        ))
    }

    /// A request for the proxy itself rather than through it.
    fn not_proxied(&self, headers: &HeaderMap) -> Refusal {
        let host = headers.get(HOST).and_then(|h| h.to_str().ok()).unwrap_or("");
        let own = [
            format!("127.0.0.1:{}", self.addr.port()),
            format!("localhost:{}", self.addr.port()),
        ];
        if own.iter().any(|name| name == host) {
            let text = format!(
                "this is an HTTP proxy: set http_proxy=http://{} and ask for a name.\n{}",
                self.addr,
                self.router.what_exists()
            );
            return Refusal::new(StatusCode::BAD_REQUEST, text);
        }
        Refusal::new(
            StatusCode::FORBIDDEN,
            "a direct request with a foreign Host is refused: use this address as a proxy".into(),
        )
    }
}

type Sender = hyper::client::conn::http1::SendRequest<Incoming>;

/// One request on one new connection to a pod. The connection lives as long as the sender.
async fn exchange(
    listener: Option<SocketAddr>,
    request: Request<Incoming>,
) -> Result<(Response<Incoming>, Sender), (StatusCode, String)> {
    let bad = |why: String| (StatusCode::BAD_GATEWAY, why);
    let listener = listener.ok_or_else(|| bad("refused the connection".into()))?;
    let unreachable = |error: &dyn std::error::Error| bad(format!("could not be reached: {error}"));
    let stream = connect(listener).await.map_err(|error| unreachable(&error))?;
    let handshake = hyper::client::conn::http1::Builder::new()
        .max_buf_size(HEAD)
        .handshake(TokioIo::new(stream))
        .await;
    let (mut sender, connection) = handshake.map_err(|error| unreachable(&error))?;
    tokio::spawn(async move {
        // Its errors reach the request, which is waiting for the answer.
        let _ = connection.await;
    });
    match tokio::time::timeout(ANSWER_TIMEOUT, sender.send_request(request)).await {
        Ok(Ok(answer)) => Ok((answer, sender)),
        Ok(Err(error)) => Err(bad(format!("cut the connection: {error}"))),
        Err(_) => Err((StatusCode::GATEWAY_TIMEOUT, "did not answer in time".into())),
    }
}

/// Connects, waiting a little when this process is out of file descriptors (that is not the pod's refusal).
async fn connect(listener: SocketAddr) -> io::Result<TcpStream> {
    const TOO_MANY_FILES: i32 = 24;
    let attempt = async {
        loop {
            match TcpStream::connect(listener).await {
                Err(error) if error.raw_os_error() == Some(TOO_MANY_FILES) => {
                    tokio::time::sleep(Duration::from_millis(20)).await
                }
                other => break other,
            }
        }
    };
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, attempt)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Turns a request to the proxy into one to the pod.
fn rewrite(request: &mut Request<Incoming>, host: &str, port: u16) -> Result<(), Refusal> {
    let bad = |_| Refusal::new(StatusCode::BAD_REQUEST, "the address is not valid".into());
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
    *request.uri_mut() = path.parse::<Uri>().map_err(|e| bad(e.to_string()))?;
    let headers = request.headers_mut();
    remove_hop_by_hop(headers);
    let name = if port == 80 {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    };
    headers.insert(HOST, HeaderValue::from_str(&name).map_err(|e| bad(e.to_string()))?);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(())
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn refuse(refusal: &Refusal) -> Answer {
    let body = Full::new(Bytes::from(format!("{}\n", refusal.text))).map_err(|never: Infallible| match never {});
    let mut answer: Answer = Response::new(Box::pin(body));
    *answer.status_mut() = refusal.status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// A body on its way; while it lasts, the pod counts the request as in flight.
struct Held {
    body: Incoming,
    lost: Arc<AtomicU64>,
    _route: Route,
    _turn: tokio::sync::OwnedSemaphorePermit,
    _sender: Sender,
}

impl Body for Held {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(Some(Err(_)))) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
