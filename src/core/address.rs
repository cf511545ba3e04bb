//! Addresses (`scheme://user:password@host/path`) as they may be shown, and whether a proxy stands before one. Not for
//! reading them whole: who connects does that.

use std::net::IpAddr;

/// Who asks: what stands between `://` and the `@` of an address, if anything does.
pub fn userinfo(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit_once('@').map(|(user, _)| user)
}

/// The address without what lets someone in. Over http a name alone may be a token; over ssh it is a name.
pub fn shown(address: &str) -> String {
    let Some(user) = userinfo(address) else {
        return address.to_owned();
    };
    let named = address.starts_with("ssh://").then(|| user.split(':').next()).flatten();
    let kept = named.map_or_else(String::new, |name| format!("{name}@"));
    address.replacen(&format!("://{user}@"), &format!("://{kept}"), 1)
}

/// Whether an address in the text holds what lets someone in: a password, or over http a name, which may be a token.
pub fn has_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let (scheme, rest) = (
            text.get(..at).unwrap_or_default(),
            text.get(at + 3..).unwrap_or_default(),
        );
        let ends = |c: char| "/?#'\"".contains(c) || c.is_whitespace();
        let user = rest.split(ends).next().and_then(|authority| authority.rsplit_once('@'));
        user.is_some_and(|(user, _)| match user.split_once(':') {
            Some((_, word)) => !word.is_empty(),
            None => !user.is_empty() && is_http(scheme),
        })
    })
}

/// `http`, `https`, or one of them behind something else (`git+https`).
fn is_http(scheme: &str) -> bool {
    let scheme = scheme.to_ascii_lowercase();
    scheme.ends_with("http") || scheme.ends_with("https")
}

/// The usual reading of `no_proxy`: names, suffixes with or without a leading dot, addresses and their blocks
/// (`10.0.0.0/8`), `*`.
pub fn bypasses(host: &str, no_proxy: &str) -> bool {
    let (host, no_proxy) = (host.to_ascii_lowercase(), no_proxy.to_ascii_lowercase());
    no_proxy
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            let suffix = entry.trim_start_matches("*.").trim_start_matches('.');
            let is_below = || host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'));
            entry == "*" || host == suffix || is_below() || in_block(&host, entry)
        })
}

/// Whether a host is an address of a block, as `10.0.0.0/8` names one.
fn in_block(host: &str, block: &str) -> bool {
    let Some((first, bits)) = block.split_once('/') else {
        return false;
    };
    let (Ok(host), Ok(first), Ok(bits)) = (host.parse(), first.parse(), bits.parse::<u32>()) else {
        return false;
    };
    // Left-aligned, so that the block is what the first bits have in common.
    let aligned = |address: IpAddr| match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits()) << 96),
        IpAddr::V6(address) => (128, address.to_bits()),
    };
    let ((length, host), (same, first)) = (aligned(host), aligned(first));
    let differ = (host ^ first).checked_shr(128u32.saturating_sub(bits)).unwrap_or(0);
    length == same && bits <= length && differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_someone_in_is_not_shown() {
        for (address, expected, password) in [
            ("https://example.com/a@b", "https://example.com/a@b", false),
            (
                "https://ana:tok-1@example.com/x?y=a@b",
                "https://example.com/x?y=a@b",
                true,
            ),
            ("https://tok-1@example.com/x", "https://example.com/x", true),
            ("HTTP://tok-1@example.com/x", "HTTP://example.com/x", true),
            ("git+https://a:b:c@example.com", "git+https://example.com", true),
            ("ssh://git:word@example.com/x", "ssh://git@example.com/x", true),
            ("ssh://git@example.com/x", "ssh://git@example.com/x", false),
            ("git@example.com:a/x.git", "git@example.com:a/x.git", false),
            ("https://a:b@c@example.com/", "https://example.com/", true),
            ("no address", "no address", false),
        ] {
            assert_eq!(
                (shown(address).as_str(), has_password(address)),
                (expected, password),
                "{address}"
            );
        }
    }

    #[test]
    fn an_address_that_lets_someone_in_is_found_wherever_it_stands() {
        for (text, expected) in [
            ("curl -x http://proxy:3128 https://mia:pw@host/", true),
            ("curl -x http://proxy:3128 'https://ghp_1@host/'", true),
            ("see http://a/x and mail mia@example.com", false),
            ("http://\"mia@example.com", false),
            ("https://@host/", false),
        ] {
            assert_eq!(has_password(text), expected, "{text}");
        }
    }

    #[test]
    fn no_proxy_is_read_as_everywhere() {
        assert!(bypasses("localhost", "127.0.0.1,localhost"));
        assert!(bypasses("a.example.com", ".example.com"));
        assert!(bypasses("a.example.com", "example.com"));
        assert!(!bypasses("notexample.com", "example.com"));
        assert!(
            bypasses("Intranet.example.com", "intranet.Example.com"),
            "names have no case"
        );
        assert!(bypasses("anything", "*"));
        assert!(!bypasses("anything", ""));
        assert!(bypasses("10.200.0.1", "a, 10.0.0.0/8") && bypasses("10.0.0.1", "0.0.0.0/0"));
        assert!(bypasses("fd00::5", "fd00::/8") && bypasses("10.0.0.1", "10.0.0.1/32"));
        for other in ["11.0.0.0/8", "10.0.0.2/32", "10.0.0.0/33", "10.0.0.0/x", "::/0", "/8"] {
            assert!(!bypasses("10.0.0.1", other), "{other}");
        }
    }
}
