//! One HTTP request on a connection of its own: no keep-alive, no cached address, through the context's proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use hickory_resolver::proto::rr::RecordType;

use crate::core::address::{bypasses, shown};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::features::dns::client::{Answers, ask};

/// A body beyond this is cut off: the pattern looks at its beginning only.
const LARGEST_BODY: usize = 1 << 20;
/// For the whole request, connection included.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, not UTF-8 replaced.
    pub body: String,
}

/// Sends requests for one URL.
pub struct Client {
    uri: Uri,
    proxy: Option<String>,
    resolver: Option<SocketAddr>,
    closed: bool,
    tls: Option<TlsConnector>,
}

impl Client {
    /// Refuses what is not an absolute http or https URL.
    pub fn new(url: &str, context: &Context) -> Result<Self, Report> {
        let refused = |why: &str| {
            Report::refused("E-TRAFFIC-001", format!("{url} cannot be fetched: {why}")).hint("http://HOST[:PORT]/PATH")
        };
        let with_scheme = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        let uri: Uri = with_scheme.parse().map_err(|_| refused("it is not a URL"))?;
        let host = uri.host().ok_or_else(|| refused("it names no host"))?.to_owned();
        let tls = match uri.scheme_str() {
            Some("http") => None,
            Some("https") => Some(TlsConnector::from(Arc::new(tls_config()?))),
            _ => return Err(refused("only http and https are spoken here")),
        };
        let proxy = context
            .http_proxy
            .as_deref()
            .filter(|_| tls.is_none() && !bypasses(&host, context.no_proxy.as_deref().unwrap_or_default()))
            .map(|proxy| {
                authority(proxy).ok_or_else(|| refused(&format!("the proxy {} is not HOST:PORT", shown(proxy))))
            })
            .transpose()?;
        if context.closed && proxy.is_none() {
            return Err(refused(
                "this is a closed world, and only its own names are reachable, over http",
            ));
        }
        Ok(Client {
            uri,
            proxy,
            resolver: context.resolver,
            closed: context.closed,
            tls,
        })
    }

    /// The URL.
    pub fn url(&self) -> String {
        self.uri.to_string()
    }

    /// Sends one request and reads the answer; the sentence says what went wrong.
    pub async fn fetch(&self) -> Result<Answer, String> {
        let asked = async {
            let answer = self.exchange().await?;
            // A proxy says the same of a name that does not exist as of a server that does not answer.
            match answer.status == 502 && self.proxy.is_some() && self.is_unknown_host().await {
                true => Err(format!(
                    "no such host: {} (NXDOMAIN)",
                    self.uri.host().unwrap_or_default()
                )),
                false => Ok(answer),
            }
        };
        match tokio::time::timeout(TIMEOUT, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {} s", TIMEOUT.as_secs())),
        }
    }

    /// Whether the context's own name server says that the host's name does not exist; without one nobody knows.
    async fn is_unknown_host(&self) -> bool {
        let host = self.uri.host().unwrap_or_default();
        match self.resolver {
            Some(server) => self
                .lookup(server, host)
                .await
                .is_ok_and(|found| found.code.as_deref() == Some("NXDOMAIN")),
            None => false,
        }
    }

    async fn lookup(&self, server: SocketAddr, host: &str) -> Result<Answers, Report> {
        let context = Context {
            resolver: Some(server),
            closed: self.closed,
            ..Context::empty("traffic")
        };
        ask(&context, None, host, RecordType::A).await
    }

    async fn exchange(&self) -> Result<Answer, String> {
        let stream = self.connect().await?;
        match (&self.tls, self.uri.host()) {
            (Some(tls), Some(host)) => {
                let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
                let stream = tls
                    .connect(name, stream)
                    .await
                    .map_err(|error| format!("TLS: {error}"))?;
                self.send(stream).await
            }
            _ => self.send(stream).await,
        }
    }

    async fn connect(&self) -> Result<TcpStream, String> {
        let target = match &self.proxy {
            Some(proxy) => proxy.clone(),
            None => self.target().await?,
        };
        TcpStream::connect(&target)
            .await
            .map_err(|error| format!("cannot connect to {target}: {error}"))
    }

    async fn target(&self) -> Result<String, String> {
        let host = self.uri.host().unwrap_or_default();
        let port = self.uri.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let literal = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>()
            .is_ok();
        let Some(server) = self.resolver.filter(|_| !literal) else {
            return Ok(format!("{host}:{port}"));
        };
        let answers = self.lookup(server, host).await.map_err(|r| r.sentence())?;
        if answers.code.as_deref() == Some("NXDOMAIN") {
            return Err(format!("no such host: {host} (NXDOMAIN)"));
        }
        let address = answers.records.iter().find(|answer| answer.kind == "A");
        address
            .map(|answer| format!("{}:{port}", answer.data))
            .ok_or_else(|| format!("{host} has no address"))
    }

    async fn send<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S) -> Result<Answer, String> {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| told(&error))?;
        let driver = tokio::spawn(connection);
        let answer = async {
            let response = sender
                .send_request(self.request()?)
                .await
                .map_err(|error| told(&error))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LARGEST_BODY).collect().await;
            let body = body
                .map_err(|error| format!("the answer broke off: {error}"))?
                .to_bytes();
            Ok(Answer {
                status,
                body: String::from_utf8_lossy(&body).into_owned(),
            })
        }
        .await;
        driver.abort();
        answer
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, String> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let target = if self.proxy.is_some() {
            self.uri.to_string()
        } else {
            path.to_owned()
        };
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        Request::get(target)
            .header("host", authority)
            .header("user-agent", concat!("cogdeck/", env!("CARGO_PKG_VERSION")))
            .header("accept", "*/*")
            .header("connection", "close")
            .body(Empty::new())
            .map_err(|error| error.to_string())
    }
}

/// An error with what lies below it: hyper's own sentence is often only "connection error".
fn told(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn tls_config() -> Result<ClientConfig, Report> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(
            Report::refused("E-TRAFFIC-002", "no certificate authority is installed on this machine")
                .hint("install ca-certificates, or watch over http"),
        );
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| Report::failed("E-TRAFFIC-003", "TLS cannot be set up").because(&error))
}

/// `http://127.0.0.1:3128/` or `127.0.0.1:3128` as `127.0.0.1:3128`.
fn authority(proxy: &str) -> Option<String> {
    let with_scheme = if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("http://{proxy}")
    };
    let uri: Uri = with_scheme.parse().ok()?;
    Some(format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(80)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_world_reaches_nothing_outside() {
        let context = Context {
            closed: true,
            ..Context::empty("sandbox")
        };
        let report = Client::new("http://example.com/", &context).err().unwrap();
        assert!(report.message.contains("closed world"), "{report}");
    }

    #[test]
    fn a_wrong_url_is_refused() {
        let context = Context::empty("x");
        for url in ["ftp://example.com", "http://", "http://a b/"] {
            assert_eq!(
                Client::new(url, &context).err().map(|r| r.code),
                Some("E-TRAFFIC-001"),
                "{url}"
            );
        }
    }
}
