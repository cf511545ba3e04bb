//! A manifest over HTTPS: one request, a few redirects, a small answer, through the proxy that the environment names.
//! Plain HTTP only from this machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::proxy::Route;
use super::user;
use crate::bundle::manifest::LARGEST;
use crate::core::address;
use crate::core::report::Report;

/// For everything together.
const PATIENCE: Duration = Duration::from_secs(30);
/// Redirects, at most.
const REDIRECTS: usize = 3;

/// The text at a URL. `environment` may name a proxy (`https_proxy`, `no_proxy`).
pub async fn fetch(url: &str, environment: &BTreeMap<String, String>) -> Result<String, Report> {
    let failed = |why: String| {
        Report::failed("E-BUNDLE-038", format!("cannot fetch {}: {why}", address::shown(url)))
            .hint("see that the address is right and reachable")
    };
    match tokio::time::timeout(PATIENCE, follow(url, environment)).await {
        Ok(fetched) => fetched.map_err(failed),
        Err(_) => Err(failed(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

async fn follow(url: &str, environment: &BTreeMap<String, String>) -> Result<String, String> {
    let mut uri: Uri = url.parse().map_err(|_| "it is not a URL".to_owned())?;
    for _ in 0..=REDIRECTS {
        match exchange(&uri, environment).await? {
            Answer::Text(text) => return Ok(text),
            Answer::Elsewhere(place) => {
                let next = joined(&uri, &place)?;
                if uri.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                    let next = address::shown(&next.to_string());
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

/// Where a redirect leads (RFC 3986 §5.2): the base gives what the reference leaves out, never who asks.
fn joined(base: &Uri, place: &str) -> Result<Uri, String> {
    let wrong = || format!("it leads to {:?}, which is not a URL", address::shown(place));
    let place = place.split('#').next().unwrap_or_default();
    let scheme = base.scheme_str().unwrap_or("https");
    let authority = base.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    let has_scheme = (place.split_once(':')).is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
    });
    let whole = if has_scheme {
        place.to_owned()
    } else if place.starts_with("//") {
        format!("{scheme}:{place}")
    } else {
        let (path, query) = place
            .split_once('?')
            .map_or((place, None), |(path, query)| (path, Some(query)));
        let folder = || base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        let (path, query) = match path {
            "" => (base.path().to_owned(), query.or(base.query())),
            absolute if absolute.starts_with('/') => (without_dots(absolute), query),
            relative => (without_dots(&format!("{}/{relative}", folder())), query),
        };
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        format!("{scheme}://{host}{path}{query}")
    };
    whole.parse().map_err(|_| wrong())
}

/// A path without its `.` and `..` (RFC 3986 §5.2.4); there is nothing above the top.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

async fn exchange(uri: &Uri, environment: &BTreeMap<String, String>) -> Result<Answer, String> {
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
    if !tls {
        return send(uri, Route::Direct.connect(&bare, port).await?).await;
    }
    let stream = Route::to(&bare, environment)?.connect(&bare, port).await?;
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
        let response = sender.send_request(request(uri)?).await.map_err(said)?;
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

/// Who asks goes into a header of its own, not into the name of the host.
fn request(uri: &Uri) -> Result<Request<Empty<Bytes>>, String> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let mut request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header("host", authority.rsplit('@').next().unwrap_or_default())
        .header("user-agent", concat!("cogdeck/", env!("CARGO_PKG_VERSION")))
        .header("connection", "close");
    if let Some(header) = user::authorization(&uri.to_string()) {
        request = request.header(AUTHORIZATION, header.reveal());
    }
    request.body(Empty::new()).map_err(|error| error.to_string())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn b4_a_redirect_leads_where_the_standard_says() {
        let base: Uri = "https://ana:word@example.com:8443/a/b/c?q=1".parse().unwrap();
        for (place, expected) in [
            ("d", "https://example.com:8443/a/b/d"),
            ("./d?x=1", "https://example.com:8443/a/b/d?x=1"),
            ("../d", "https://example.com:8443/a/d"),
            ("../../../d", "https://example.com:8443/d"),
            ("..", "https://example.com:8443/a/"),
            ("/d/./e", "https://example.com:8443/d/e"),
            ("?x=2", "https://example.com:8443/a/b/c?x=2"),
            ("//other.example/x", "https://other.example/x"),
            (
                "https://other.example/x?u=http://y",
                "https://other.example/x?u=http://y",
            ),
            ("d?u=http://y/z#part", "https://example.com:8443/a/b/d?u=http://y/z"),
        ] {
            assert_eq!(joined(&base, place).unwrap().to_string(), expected, "{place}");
        }
        assert!(joined(&base, "http://tok:en@a b/").is_err_and(|why| !why.contains("en@")));
    }

    #[test]
    fn b4_who_asks_is_a_header_and_no_part_of_the_host() {
        let request = request(&"https://ana:word@example.com:8443/x".parse().unwrap()).unwrap();
        assert_eq!(request.headers()["host"], "example.com:8443");
        assert_eq!(request.headers()["authorization"], "Basic YW5hOndvcmQ=");
        assert_eq!(request.uri(), "/x");
    }
}
