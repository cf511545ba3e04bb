//! Paths and query strings for the API server; names are hostile input and stay one segment. Not for sending them.

use std::fmt::Write as _;

/// One path segment or query value, everything but unreserved characters (RFC 3986) percent-encoded.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    // A segment of dots alone would walk up the path.
    let dots = !text.is_empty() && text.bytes().all(|byte| byte == b'.');
    for byte in text.bytes() {
        let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') || (byte == b'.' && !dots);
        if unreserved {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A query string under construction.
#[derive(Clone, Debug, Default)]
pub struct Query(String);

impl Query {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(&encode(value.as_ref()));
        self
    }

    /// Adds a parameter unless its value is empty or missing.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) if !value.as_ref().is_empty() => self.with(name, value),
            _ => self,
        }
    }

    /// The path with this query.
    pub fn on(&self, path: &str) -> String {
        format!("{path}{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_one_segment() {
        assert_eq!(encode("../x?y#z"), "..%2Fx%3Fy%23z");
        assert_eq!(encode(".."), "%2E%2E");
        assert_eq!(encode("a.b-c"), "a.b-c");
        assert_eq!(encode("世"), "%E4%B8%96");
    }

    #[test]
    fn queries_encode_their_values() {
        let query = Query::new()
            .with("labelSelector", "a=b,c in (d)")
            .with_some("continue", None::<&str>)
            .with("limit", "5");
        assert_eq!(query.on("/x"), "/x?labelSelector=a%3Db%2Cc%20in%20%28d%29&limit=5");
    }
}
