//! The admin API: `POST /faults`, `GET /faults`, `DELETE /faults`, `POST /restart`, `GET` and `POST /speed`. Loopback only, bearer token
//! required, foreign Host and Origin refused: a web page must not be able to break the sandbox.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::rules::Faults;
use crate::sandbox::clock::Clock;
use crate::sandbox::guard;

/// Longest request body, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// As `--speed` takes them.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.01..=1000.0;

/// Why the admin API could not start.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The listener is unusable.
    #[error("the admin API's listener is unusable: {0}")]
    Listener(#[from] std::io::Error),
    /// The listener is reachable from other machines.
    #[error("the admin API listens on loopback only, not on {0}: bind 127.0.0.1 or ::1")]
    NotLoopback(SocketAddr),
}

/// A running admin API. It stops when dropped.
#[derive(Debug)]
pub struct Admin {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    _stop: DropGuard,
}

/// What the admin API moves.
pub struct Levers {
    /// Faults that requests meet.
    pub faults: Faults,
    /// Every wait of the world.
    pub clock: Clock,
    /// Does what `POST /restart` promises: versions jump and watches are cut.
    pub restart: Box<dyn Fn() + Send + Sync>,
}

struct Shared {
    token: String,
    levers: Levers,
}

impl Admin {
    /// Serves the admin API.
    ///
    /// # Errors
    /// When the listener is unusable or not on loopback.
    pub fn start(listener: TcpListener, token: String, levers: Levers) -> Result<Self, AdminError> {
        let addr = listener.local_addr()?;
        if !addr.ip().is_loopback() {
            return Err(AdminError::NotLoopback(addr));
        }
        let shared = Arc::new(Shared { token, levers });
        let app = Router::new()
            .route("/faults", post(add).get(count).delete(clear))
            .route("/restart", post(restart_now))
            .route("/speed", post(set_speed).get(speed))
            .route("/healthz", get(|| async { "ok" }))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(middleware::from_fn_with_state(shared.clone(), guard))
            .with_state(shared);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            let serve = axum::serve(listener, app);
            tokio::select! {
                () = stopped.cancelled() => {}
                result = serve => {
                    if let Err(error) = result {
                        tracing::warn!(%error, "the admin API stopped");
                    }
                }
            }
        });
        Ok(Self {
            url: format!("http://{addr}"),
            _stop: stop.drop_guard(),
        })
    }
}

async fn add(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let rule: Value = match serde_json::from_slice(&body) {
        Ok(rule) => rule,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &format!("the body is no JSON: {error}")),
    };
    match shared.levers.faults.add(&rule) {
        Ok(()) => answer(StatusCode::CREATED, &json!({"faults": shared.levers.faults.len()})),
        Err(error) => refuse(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

async fn count(State(shared): State<Arc<Shared>>) -> Response {
    answer(StatusCode::OK, &json!({"faults": shared.levers.faults.len()}))
}

async fn clear(State(shared): State<Arc<Shared>>) -> Response {
    shared.levers.faults.clear();
    answer(StatusCode::OK, &json!({"faults": 0}))
}

async fn restart_now(State(shared): State<Arc<Shared>>) -> Response {
    (shared.levers.restart)();
    answer(StatusCode::OK, &json!({"restarted": true}))
}

async fn speed(State(shared): State<Arc<Shared>>) -> Response {
    answer(StatusCode::OK, &json!({"speed": shared.levers.clock.speed()}))
}

/// `{"speed": X}`: waits that have begun become shorter or longer, too.
async fn set_speed(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let asked: Option<Value> = serde_json::from_slice(&body).ok();
    let speed = asked
        .as_ref()
        .and_then(|asked| asked.get("speed"))
        .and_then(Value::as_f64);
    match speed.filter(|speed| SPEEDS.contains(speed)) {
        Some(speed) => {
            let before = shared.levers.clock.speed();
            shared.levers.clock.set_speed(speed);
            answer(StatusCode::OK, &json!({"speed": speed, "before": before}))
        }
        None => refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            &format!(
                "the body is {{\"speed\": X}}, X from {} to {}",
                SPEEDS.start(),
                SPEEDS.end()
            ),
        ),
    }
}

async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !local(headers, header::HOST, true) || !local(headers, header::ORIGIN, false) {
        return refuse(
            StatusCode::FORBIDDEN,
            "the admin API answers on loopback names only, and to no web page of another origin",
        );
    }
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .unwrap_or_default();
    if !guard::same_secret(given, &shared.token) {
        return refuse(
            StatusCode::UNAUTHORIZED,
            "the admin token is missing or wrong: send Authorization: Bearer TOKEN from the admin file",
        );
    }
    next.run(request).await
}

/// Whether every value of this header names loopback; without a value, whether it may be missing.
fn local(headers: &HeaderMap, name: header::HeaderName, required: bool) -> bool {
    let mut values = headers.get_all(&name).iter().peekable();
    if values.peek().is_none() {
        return !required;
    }
    values.all(|value| {
        let Ok(text) = value.to_str() else { return false };
        let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
        let Ok(authority) = authority.parse::<axum::http::uri::Authority>() else {
            return false;
        };
        guard::is_loopback(authority.host())
    })
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn refuse(status: StatusCode, why: &str) -> Response {
    answer(status, &json!({"error": why}))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::sandbox::faults::{Fault, Gate};

    async fn send(url: &str, request: &str, headers: &str, body: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(url.trim_start_matches("http://"))
            .await
            .unwrap();
        let length = body.len();
        let text =
            format!("{request} HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn faults_are_set_and_strangers_refused() {
        let faults = Faults::new();
        let restarts = Arc::new(AtomicUsize::new(0));
        let counted = restarts.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = Clock::new(1.0);
        let levers = Levers {
            faults: faults.clone(),
            clock: clock.clone(),
            restart: Box::new(move || {
                counted.fetch_add(1, Ordering::Relaxed);
            }),
        };
        let admin = Admin::start(listener, "t".into(), levers).unwrap();
        let good = "host: localhost\r\nauthorization: Bearer t\r\n";
        let rule = "{\"match\":{\"method\":\"GET\",\"path\":\"/x\"},\"kind\":\"cut\",\"count\":1}";
        assert_eq!(send(&admin.url, "POST /faults", good, rule).await, "201");
        assert_eq!(faults.check("GET", "/x"), Some(Fault::Cut));
        assert_eq!(send(&admin.url, "POST /faults", good, "{").await, "400");
        assert_eq!(send(&admin.url, "POST /faults", good, "{}").await, "422");
        assert_eq!(
            send(&admin.url, "POST /faults", good, &" ".repeat(BODY_LIMIT + 1)).await,
            "413"
        );
        assert_eq!(send(&admin.url, "DELETE /faults", good, "").await, "200");
        assert_eq!(send(&admin.url, "POST /speed", good, "{\"speed\": 5}").await, "200");
        assert_eq!(clock.speed(), 5.0);
        for wrong in [
            "",
            "5",
            "{}",
            "{\"speed\": 0}",
            "{\"speed\": \"5\"}",
            "{\"speed\": 1e9}",
        ] {
            assert_eq!(send(&admin.url, "POST /speed", good, wrong).await, "422", "{wrong}");
        }
        assert_eq!(clock.speed(), 5.0);
        assert_eq!(send(&admin.url, "GET /speed", "host: localhost\r\n", "").await, "401");
        assert_eq!(send(&admin.url, "POST /restart", good, "").await, "200");
        assert_eq!(restarts.load(Ordering::Relaxed), 1);
        assert_eq!(
            send(&admin.url, "POST /restart", "host: localhost\r\n", "").await,
            "401"
        );
        let foreign = "host: evil.example\r\nauthorization: Bearer t\r\n";
        assert_eq!(send(&admin.url, "POST /restart", foreign, "").await, "403");
        let page = "host: localhost\r\norigin: https://evil.example\r\nauthorization: Bearer t\r\n";
        assert_eq!(send(&admin.url, "POST /restart", page, "").await, "403");
        assert_eq!(restarts.load(Ordering::Relaxed), 1);
    }
}
