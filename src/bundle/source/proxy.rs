//! The way to a host: straight, or through the proxy that `https_proxy` names, by `CONNECT` (RFC 9110 §9.3.6).

use std::collections::BTreeMap;

use http::Uri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::user;
use crate::core::address;
use crate::core::text::Secret;

/// What a proxy answers before the tunnel, at most.
const LONGEST_ANSWER: usize = 8 << 10;

/// How a host is reached.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    /// By its own address.
    Direct,
    /// By a tunnel through this proxy.
    Proxy {
        /// Where the proxy listens.
        host: String,
        /// Its port.
        port: u16,
        /// The value of its header, if it wants to know who asks.
        authorization: Option<Secret>,
    },
}

impl Route {
    /// The way to a host that the environment prescribes; small letters win, as with curl.
    pub fn to(host: &str, environment: &BTreeMap<String, String>) -> Result<Route, String> {
        let named = |names: [&str; 2]| {
            let mut found = names.iter().filter_map(|name| environment.get(*name));
            found.find(|value| !value.is_empty())
        };
        let proxy = named(["https_proxy", "HTTPS_PROXY"]).or_else(|| named(["all_proxy", "ALL_PROXY"]));
        let bypassed = named(["no_proxy", "NO_PROXY"]).is_some_and(|list| address::bypasses(host, list));
        let Some(proxy) = proxy.filter(|_| !bypassed) else {
            return Ok(Route::Direct);
        };
        let whole = match proxy.contains("://") {
            true => proxy.clone(),
            false => format!("http://{proxy}"),
        };
        let wrong = || format!("the proxy {} is not http://HOST:PORT", address::shown(&whole));
        let uri: Uri = whole.parse().map_err(|_| wrong())?;
        let name = uri
            .host()
            .filter(|_| uri.scheme_str() == Some("http"))
            .ok_or_else(wrong)?;
        Ok(Route::Proxy {
            host: name.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: uri.port_u16().unwrap_or(80),
            authorization: user::authorization(&whole),
        })
    }

    /// A connection to the host.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, String> {
        let (to, at) = match self {
            Route::Direct => (host, port),
            Route::Proxy { host, port, .. } => (host.as_str(), *port),
        };
        let what = if *self == Route::Direct { "" } else { "the proxy " };
        let mut stream = TcpStream::connect((to, at))
            .await
            .map_err(|error| format!("cannot connect to {what}{to}:{at}: {error}"))?;
        if let Route::Proxy { authorization, .. } = self {
            tunnel(&mut stream, host, port, authorization.as_ref()).await?;
        }
        Ok(stream)
    }
}

/// Asks for the tunnel and reads the answer to its empty line: what comes after belongs to the host.
async fn tunnel(stream: &mut TcpStream, host: &str, port: u16, user: Option<&Secret>) -> Result<(), String> {
    let broken = |error: std::io::Error| format!("the proxy broke off: {error}");
    let name = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let user = user.map_or_else(String::new, |user| {
        format!("Proxy-Authorization: {}\r\n", user.reveal())
    });
    let head = format!("CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n{user}\r\n");
    stream.write_all(head.as_bytes()).await.map_err(broken)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= LONGEST_ANSWER {
            return Err("the proxy's answer is too long".to_owned());
        }
        answer.push(stream.read_u8().await.map_err(broken)?);
    }
    let text = String::from_utf8_lossy(&answer);
    let status = text.lines().next().unwrap_or_default();
    let code = status.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    match code.is_some_and(|code| code.len() == 3 && code.starts_with('2')) {
        true => Ok(()),
        false => Err(format!("the proxy answers {status:?}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn b4_the_environment_says_which_proxy_stands_before_a_host() {
        let proxy = |host: &str, port: u16| Route::Proxy {
            host: host.to_owned(),
            port,
            authorization: None,
        };
        for (pairs, expected) in [
            (vec![], Route::Direct),
            (vec![("https_proxy", "")], Route::Direct),
            (vec![("https_proxy", "http://p.example:3128")], proxy("p.example", 3128)),
            (vec![("HTTPS_PROXY", "p.example:3128/")], proxy("p.example", 3128)),
            (vec![("ALL_PROXY", "http://[::1]:1")], proxy("::1", 1)),
            (
                vec![("https_proxy", "http://a"), ("HTTPS_PROXY", "http://b")],
                proxy("a", 80),
            ),
            (
                vec![("https_proxy", "http://a"), ("no_proxy", "example.com")],
                Route::Direct,
            ),
            (
                vec![("https_proxy", "http://a"), ("NO_PROXY", "b.example.com")],
                proxy("a", 80),
            ),
            (vec![("http_proxy", "http://a")], Route::Direct),
        ] {
            assert_eq!(
                Route::to("a.example.com", &environment(&pairs)).unwrap(),
                expected,
                "{pairs:?}"
            );
        }
        let wrong = environment(&[("https_proxy", "socks5://ana:word@p.example")]);
        let why = Route::to("a.example.com", &wrong).unwrap_err();
        assert!(why.contains("p.example") && !why.contains("word"), "{why}");
    }

    #[tokio::test]
    async fn b4_a_tunnel_is_asked_for_and_a_refusal_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let answers = [
            "HTTP/1.1 200 ok\r\nX: y\r\n\r\nhello",
            "HTTP/1.1 407 who\r\n\r\n",
            "nonsense\r\n\r\n",
            "",
        ];
        let served = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                stream.write_all(answer.as_bytes()).await.unwrap();
                asked.push(String::from_utf8(head).unwrap());
            }
            asked
        });
        let route = Route::to(
            "x.example",
            &environment(&[("https_proxy", &format!("http://ana:word@{at}"))]),
        )
        .unwrap();
        let mut stream = route.connect("x.example", 443).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello");
        for why in ["407 who", "nonsense", "broke off"] {
            let said = route.connect("::1", 8443).await.unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        let asked = served.await.unwrap();
        let first =
            "CONNECT x.example:443 HTTP/1.1\r\nHost: x.example:443\r\nProxy-Authorization: Basic YW5hOndvcmQ=\r\n\r\n";
        assert_eq!(asked[0], first);
        assert!(asked[1].starts_with("CONNECT [::1]:8443 HTTP/1.1\r\n"));
    }
}
