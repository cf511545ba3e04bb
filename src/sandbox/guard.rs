//! What every server of the sandbox checks of a request before it serves it: that the host is loopback's own name and
//! that a secret is the one it gave out. Not for what is answered when they are not: each server has its own protocol.

/// Whether a host names this machine's loopback, brackets of an IPv6 address included.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    matches!(host, "127.0.0.1" | "::1" | "localhost")
}

/// Whether a secret is the one wanted. Compared in full, so that the time tells nothing about how much was right; an
/// empty one is never right.
pub fn same_secret(given: &str, wanted: &str) -> bool {
    let differences = given
        .bytes()
        .zip(wanted.bytes())
        .fold(0_u8, |sum, (a, b)| sum | (a ^ b));
    !wanted.is_empty() && given.len() == wanted.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_only_the_whole_secret() {
        for host in ["127.0.0.1", "localhost", "::1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "127.0.0.2", "0.0.0.0", "localhost.evil.example", "example.org"] {
            assert!(!is_loopback(host), "{host}");
        }
        assert!(same_secret("secret", "secret"));
        for wrong in ["", "secre", "secrets", "Secret"] {
            assert!(!same_secret(wrong, "secret"), "{wrong}");
        }
        assert!(!same_secret("", ""), "no secret set lets nobody in");
    }
}
