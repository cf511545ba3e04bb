//! A manifest over HTTPS: one request, a few redirects, a small answer. Plain HTTP only from this machine.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::bundle::manifest::LARGEST;
use crate::core::report::Report;

/// For everything together.
const PATIENCE: Duration = Duration::from_secs(30);
/// Redirects, at most.
const REDIRECTS: usize = 3;

/// The text at a URL.
pub async fn fetch(url: &str) -> Result<String, Report> {
    let failed = |why: String| {
        Report::failed("E-BUNDLE-038", format!("cannot fetch {url}: {why}"))
            .hint("see that the address is right and reachable")
    };
    match tokio::time::timeout(PATIENCE, follow(url)).await {
        Ok(fetched) => fetched.map_err(failed),
        Err(_) => Err(failed(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

async fn follow(url: &str) -> Result<String, String> {
    let mut uri: Uri = url.parse().map_err(|_| "it is not a URL".to_owned())?;
    for _ in 0..=REDIRECTS {
        match exchange(&uri).await? {
            Answer::Text(text) => return Ok(text),
            Answer::Elsewhere(place) => {
                let next = joined(&uri, &place)?;
                if uri.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                    return Err(format!("it leads to {next}, which is not https"));
                }
                uri = next;
            }
        }
    }
    Err(format!("more than {REDIRECTS} redirects"))
}

enum Answer {
    Text(String),
    Elsewhere(String),
}

fn joined(base: &Uri, place: &str) -> Result<Uri, String> {
    let wrong = |_| format!("it leads to {place:?}, which is not a URL");
    if place.contains("://") {
        return place.parse().map_err(wrong);
    }
    let path = if place.starts_with('/') {
        place.to_owned()
    } else {
        format!("/{place}")
    };
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(path.parse().map_err(wrong)?);
    Uri::from_parts(parts).map_err(|_| format!("it leads to {place:?}, which is not a URL"))
}

async fn exchange(uri: &Uri) -> Result<Answer, String> {
    let host = uri.host().ok_or("it names no host")?;
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") if bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()) => {
            false
        }
        _ => return Err("only https is fetched from other machines".to_owned()),
    };
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let stream = TcpStream::connect((bare.as_str(), port))
        .await
        .map_err(|error| format!("cannot connect to {host}:{port}: {error}"))?;
    if !tls {
        return send(uri, stream).await;
    }
    let name = ServerName::try_from(bare).map_err(|error| error.to_string())?;
    let stream = connector()?
        .connect(name, stream)
        .await
        .map_err(|error| format!("TLS: {error}"))?;
    send(uri, stream).await
}

async fn send<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(uri: &Uri, stream: S) -> Result<Answer, String> {
    let said = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(said)?;
    let driver = tokio::spawn(connection);
    let answer = async {
        let request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
            .header("host", uri.authority().map_or("", |authority| authority.as_str()))
            .header("user-agent", concat!("cogdeck/", env!("CARGO_PKG_VERSION")))
            .header("connection", "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(said)?;
        let status = response.status();
        if status.is_redirection() {
            let place = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            return place
                .map(|place| Answer::Elsewhere(place.to_owned()))
                .ok_or_else(|| "a redirect to nowhere".to_owned());
        }
        if status != StatusCode::OK {
            return Err(format!("the server answers {status}"));
        }
        let most = usize::try_from(LARGEST).unwrap_or(usize::MAX);
        let body = Limited::new(response.into_body(), most).collect().await;
        let body = body.map_err(|error| format!("the answer is broken or larger than {most} bytes: {error}"))?;
        String::from_utf8(body.to_bytes().to_vec())
            .map(Answer::Text)
            .map_err(|_| "it is not UTF-8".to_owned())
    };
    let answer = answer.await;
    driver.abort();
    answer
}

fn connector() -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
