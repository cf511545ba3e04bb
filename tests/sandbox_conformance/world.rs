//! A running API server over an empty cluster, and a plain HTTP client for it.

use std::sync::Arc;

use base64::Engine as _;
use cogdeck::sandbox::clock::Clock;
use cogdeck::sandbox::faults::Faults;
use cogdeck::sandbox::kubernetes::api::{ApiConfig, ApiHandle, ApiServer};
use cogdeck::sandbox::kubernetes::store::Store;
use http::header;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

/// The token the server wants.
pub const TOKEN: &str = "conformance";

/// The server, its store and its faults.
pub struct World {
    pub store: Store,
    pub faults: Faults,
    api: ApiHandle,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub warnings: Vec<String>,
    pub body: Value,
}

impl World {
    /// A server over the four namespaces every cluster has.
    pub async fn new() -> Self {
        let store = Store::new(Clock::new(1.0), 7);
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let labels = json!({"kubernetes.io/metadata.name": name});
            let namespace = json!({
                "metadata": {"name": name, "labels": labels}, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}
            });
            store.create("namespaces", namespace).unwrap();
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let faults = Faults::new();
        let config = ApiConfig {
            gate: Some(Arc::new(faults.clone())),
            ..ApiConfig::new(TOKEN)
        };
        let api = ApiServer::start(store.clone(), config, listener).unwrap();
        Self { store, faults, api }
    }

    /// One connection that trusts the sandbox's authority. No client library: they retry and rewrite.
    async fn connect(&self) -> hyper::client::conn::http1::SendRequest<Full<Bytes>> {
        let pem: String = self.api.ca_pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64::engine::general_purpose::STANDARD.decode(pem).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(der.into()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = tokio::net::TcpStream::connect(self.api.addr).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        sender
    }

    /// Sends a request: `method`, `path`, and optionally `accept`, `contentType` and `body` (text goes as it is).
    pub async fn send(&self, request: &Value, token: Option<&str>) -> Answer {
        let response = self.open(request, token).await.unwrap();
        let status = response.status().as_u16();
        let text = |name: header::HeaderName| {
            response
                .headers()
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let (content_type, warnings) = (text(header::CONTENT_TYPE).concat(), text(header::WARNING));
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8(bytes.to_vec()).unwrap()));
        Answer {
            status,
            content_type,
            warnings,
            body,
        }
    }

    /// Sends a request and returns once the answer has begun.
    pub async fn open(&self, request: &Value, token: Option<&str>) -> hyper::Result<http::Response<Incoming>> {
        let mut builder = http::Request::builder()
            .method(request["method"].as_str().unwrap())
            .uri(request["path"].as_str().unwrap())
            .header(header::HOST, "localhost")
            .header(header::USER_AGENT, "python-requests/2.32");
        if let Some(token) = token {
            builder = builder.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, field) in [(header::ACCEPT, "accept"), (header::CONTENT_TYPE, "contentType")] {
            if let Some(value) = request[field].as_str() {
                builder = builder.header(name, value);
            }
        }
        let body = match &request["body"] {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            value => value.to_string().into_bytes(),
        };
        let request = builder.body(Full::new(Bytes::from(body))).unwrap();
        self.connect().await.send_request(request).await
    }

    /// A request without and with a JSON body.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let content_type = if body.is_null() {
            Value::Null
        } else {
            json!("application/json")
        };
        self.send(
            &json!({"method": method, "path": path, "contentType": content_type, "body": body}),
            Some(TOKEN),
        )
        .await
    }

    /// A patch of a content type such as `merge-patch+json`.
    pub async fn patch(&self, path: &str, kind: &str, body: Value) -> Answer {
        let content_type = format!("application/{kind}");
        self.send(
            &json!({"method": "PATCH", "path": path, "contentType": content_type, "body": body}),
            Some(TOKEN),
        )
        .await
    }

    /// Stores an object as it was recorded, generation included.
    pub fn put(&self, resource: &str, object: &Value) {
        let stored = self.store.create(resource, object.clone()).unwrap();
        let text = |field: &str| stored["metadata"][field].as_str().unwrap_or_default().to_owned();
        let generation = object["metadata"]["generation"].clone();
        if !generation.is_null() {
            self.store
                .modify(resource, &text("namespace"), &text("name"), |o| {
                    o["metadata"]["generation"] = generation.clone()
                })
                .unwrap();
        }
    }
}
