//! Which proxy stands before a cluster, as kubectl reads it: the cluster entry's `proxy-url`, else `HTTPS_PROXY` unless
//! `NO_PROXY` or a loopback address says otherwise. Pure; the client does the connecting.

use http::Uri;

use super::error::KUBECONFIG;
use crate::core::address;
use crate::core::report::Report;

/// The proxy for a server; none: it is connected to straight.
///
/// `own` is the cluster entry's `proxy-url`, which counts for every server; `https_proxy` and `no_proxy` are the
/// environment's, which count for `https` servers.
pub fn before(
    server: &Uri,
    own: Option<&str>,
    https_proxy: Option<&str>,
    no_proxy: Option<&str>,
) -> Result<Option<Uri>, Report> {
    if let Some(own) = own.filter(|own| !own.is_empty()) {
        return parse("proxy-url", own).map(Some);
    }
    let host = server.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let direct = server.scheme_str() != Some("https")
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        || no_proxy.is_some_and(|list| address::bypasses(host, list));
    match https_proxy.filter(|proxy| !proxy.is_empty() && !direct) {
        None => Ok(None),
        Some(proxy) if proxy.contains("://") => parse("HTTPS_PROXY", proxy).map(Some),
        Some(proxy) => parse("HTTPS_PROXY", &format!("http://{proxy}")).map(Some),
    }
}

fn parse(name: &str, proxy: &str) -> Result<Uri, Report> {
    // Names are always resolved by the proxy, which is what the h asks for.
    let plain = proxy.replacen("socks5h://", "socks5://", 1);
    let uri = plain.parse::<Uri>().ok().filter(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https" | "socks5")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    uri.ok_or_else(|| {
        let shown = address::shown(proxy);
        Report::failed(
            KUBECONFIG,
            format!("the proxy of the cluster, {name}, is {shown:?}, which cannot be used"),
        )
        .hint("http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_entry_wins_and_the_environment_counts_for_distant_tls_servers() {
        let proxy = |server: &str, own: Option<&str>, https: Option<&str>, no: Option<&str>| {
            before(&server.parse().unwrap(), own, https, no)
                .unwrap()
                .map(|uri| uri.to_string())
        };
        let (far, env) = ("https://api.example.com:6443", Some("http://p:3128"));
        assert_eq!(proxy(far, None, None, None), None);
        assert_eq!(
            proxy(far, Some("socks5h://own:1"), env, Some("*")).as_deref(),
            Some("socks5://own:1/")
        );
        assert_eq!(
            proxy(far, Some(""), Some("p:3128"), None).as_deref(),
            Some("http://p:3128/")
        );
        for (server, no) in [
            (far, "example.com"),
            ("https://10.1.2.3", "10.0.0.0/8"),
            ("https://[fd00::1]:6443", "fd00::/16"),
            ("https://127.0.0.1:6443", ""),
            ("https://[::1]:6443", ""),
            ("https://localhost:6443", ""),
            ("http://api.example.com", ""),
        ] {
            assert_eq!(proxy(server, None, env, Some(no)), None, "{server} {no}");
        }
        assert!(proxy("https://11.1.2.3", None, env, Some("10.0.0.0/8")).is_some());
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_named_without_its_password() {
        for wrong in ["ftp://ana:word@p", "http://", "socks4://p:1", "p q"] {
            let report = before(&"https://a".parse().unwrap(), Some(wrong), None, None).unwrap_err();
            let told = format!("{report:?}");
            assert!(told.contains("proxy-url") && !told.contains("word"), "{told}");
        }
    }
}
