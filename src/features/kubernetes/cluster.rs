//! An open connection to one cluster: asking it, following it, and what it is known to serve. Not for how the
//! connection comes about: that is the clients'.

use std::sync::Arc;

use futures::io::AsyncBufRead;
use futures::{AsyncReadExt, Stream};
use http::{Method, Request, header};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::core::WatchEvent;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::connection::Connection;
use super::discovery::Discovery;
use super::error;
use crate::core::report::Report;
use crate::core::text::SafeText;

/// Media type of plain answers.
pub const JSON: &str = "application/json";
/// Asks for the server's own table; plain JSON where it has none.
pub const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
/// Names without the rest of the objects.
pub const NAMES_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
/// JSON merge patch (RFC 7386).
pub const MERGE_PATCH: &str = "application/merge-patch+json";
/// JSON patch (RFC 6902).
pub const JSON_PATCH: &str = "application/json-patch+json";
/// Strategic merge patch: lists merge by the key their type names.
pub const STRATEGIC_PATCH: &str = "application/strategic-merge-patch+json";

/// An open cluster: the connection and what it is known to serve. The same one for as long as it is the same cluster,
/// whatever credentials come and go.
pub struct Cluster {
    connection: Arc<Connection>,
    discovery: tokio::sync::RwLock<Option<Arc<Discovery>>>,
}

impl Cluster {
    /// One behind a connection.
    pub fn new(connection: Connection) -> Cluster {
        Cluster {
            connection: Arc::new(connection),
            discovery: tokio::sync::RwLock::default(),
        }
    }

    /// How it is reached.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Host and port of the server, as errors name it.
    pub fn server(&self) -> &str {
        self.connection.server()
    }

    /// A failed request as a report.
    pub fn report(&self, error: &kube::Error) -> Report {
        let report = error::report(error, self.server(), self.connection.proxy().as_deref());
        match self.connection.ended() {
            Some(ended) if error::may_be_of_certificate(error) => ended.explains(report),
            _ => report,
        }
    }

    /// When the credential ends; none: nobody said.
    pub fn credential_ends(&self) -> Option<Timestamp> {
        self.connection.lease().ends
    }

    /// When the credential ends, and why there is no next one yet; none: it does not end, or was not tried to be
    /// renewed in vain.
    pub fn expiring(&self) -> Option<(Timestamp, SafeText)> {
        self.connection.expiring()
    }

    /// Sends by a client whose credential counts. One that the server refuses is not used again.
    async fn send<T, F>(&self, ask: impl FnOnce(kube::Client) -> F) -> Result<T, kube::Error>
    where
        F: Future<Output = Result<T, kube::Error>>,
    {
        let (client, pass) = self.connection.client().await.map_err(error::not_sent)?;
        let answer = ask(client).await;
        if let Err(refused) = &answer
            && error::code(refused) == Some(401)
        {
            self.connection.refused(&pass);
        }
        answer
    }

    /// What the server serves; asked once.
    pub async fn discovery(&self) -> Result<Arc<Discovery>, Report> {
        if let Some(known) = self.discovery.read().await.clone() {
            return Ok(known);
        }
        self.rediscover().await
    }

    /// What the server serves, as far as it was asked already. Waits for nobody.
    pub fn discovered(&self) -> Option<Arc<Discovery>> {
        self.discovery.try_read().ok()?.clone()
    }

    /// Asks again what the server serves: a type may have been installed meanwhile.
    pub async fn rediscover(&self) -> Result<Arc<Discovery>, Report> {
        let fresh = Arc::new(Discovery::ask(self).await.map_err(|error| self.report(&error))?);
        *self.discovery.write().await = Some(fresh.clone());
        Ok(fresh)
    }

    /// Reads JSON.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, kube::Error> {
        self.get_as(path, JSON).await
    }

    /// Reads with a particular `Accept`.
    pub async fn get_as<T: DeserializeOwned>(&self, path: &str, accept: &str) -> Result<T, kube::Error> {
        let asked = request(Method::GET, path, accept, None)?;
        self.send(async move |client: kube::Client| client.request(asked).await)
            .await
    }

    /// Reads a body unread, with a particular `Accept`.
    pub async fn get_text(&self, path: &str, accept: &str) -> Result<String, kube::Error> {
        let asked = request(Method::GET, path, accept, None)?;
        self.send(async move |client: kube::Client| client.request_text(asked).await)
            .await
    }

    /// The same up to a limit (bytes); `None`: it is longer. What is not UTF-8 is shown as far as it is.
    pub async fn get_bounded(&self, path: &str, accept: &str, most: usize) -> Result<Option<String>, kube::Error> {
        let asked = request(Method::GET, path, accept, None)?;
        let body = self
            .send(async move |client: kube::Client| client.request_stream(asked).await)
            .await?;
        futures::pin_mut!(body);
        let mut bytes = Vec::new();
        let mut read = body.take(most as u64 + 1);
        read.read_to_end(&mut bytes).await.map_err(kube::Error::ReadEvents)?;
        Ok((bytes.len() <= most).then(|| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Sends a body.
    pub async fn write(&self, method: Method, path: &str, media: &str, body: &Value) -> Result<Value, kube::Error> {
        let mut sent = request(method, path, JSON, Some(body))?;
        if let Ok(value) = media.parse() {
            sent.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        self.send(async move |client: kube::Client| client.request(sent).await)
            .await
    }

    /// Reads a body as it comes, line by line.
    pub async fn stream(&self, path: &str) -> Result<impl AsyncBufRead + use<>, kube::Error> {
        let asked = request(Method::GET, path, "*/*", None)?;
        self.send(async move |client: kube::Client| client.request_stream(asked).await)
            .await
    }

    /// The pods of a namespace through kube's own client, for what goes over WebSocket.
    pub async fn pods(&self, namespace: &str) -> Result<kube::Api<Pod>, Report> {
        let (client, _) = self.connection.client().await?;
        Ok(kube::Api::namespaced(client, namespace))
    }

    /// Follows changes. The stream ends when the server or the connection ends it; an error event is an item.
    pub async fn watch<T: DeserializeOwned + Clone + Send + 'static>(
        &self,
        path: &str,
        accept: &str,
    ) -> Result<impl Stream<Item = Result<WatchEvent<T>, kube::Error>> + Send + use<T>, kube::Error> {
        let asked = request(Method::GET, path, accept, None)?;
        self.send(async move |client: kube::Client| client.request_events::<T>(asked).await)
            .await
    }
}

fn request(method: Method, path: &str, accept: &str, body: Option<&Value>) -> Result<Request<Vec<u8>>, kube::Error> {
    let bytes = match body {
        Some(body) => serde_json::to_vec(body).map_err(kube::Error::SerdeError)?,
        None => Vec::new(),
    };
    let mut builder = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ACCEPT, accept);
    if body.is_some() {
        builder = builder.header(header::CONTENT_TYPE, JSON);
    }
    builder.body(bytes).map_err(kube::Error::HttpError)
}
