//! Requests in a program's log: access-log lines of the usual forms, or what a pattern of the operator's says. Pure.

use std::sync::LazyLock;

use regex::Regex;

/// A request as a line tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the pattern matched (its first group when it has one), else method and path.
    pub matched: String,
    /// HTTP status, where the line tells one.
    pub status: Option<u16>,
    /// It comes from the kubelet's probes.
    pub is_probe: bool,
}

// A pattern of ours, known to compile; an Option keeps the lint wall free of an exception.
static REQUEST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"\b(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) (\S{1,2000})(?: HTTP/\d(?:\.\d)?)?"?(?: ([1-5]\d\d)\b)?"#).ok()
});

/// The request in a line. With a pattern exactly the lines that match it count, without one those that look like an
/// access log's: a method and a path, then a status.
pub fn request(line: &str, pattern: Option<&Regex>) -> Option<Request> {
    let usual = REQUEST.as_ref()?.captures(line);
    let status = usual.as_ref().and_then(|found| found.get(3)?.as_str().parse().ok());
    let is_probe = line.contains("kube-probe/");
    let matched = match pattern {
        Some(pattern) => {
            let found = pattern.captures(line)?;
            found.get(1).or_else(|| found.get(0))?.as_str().to_owned()
        }
        None => {
            status?;
            let found = usual?;
            format!("{} {}", found.get(1)?.as_str(), found.get(2)?.as_str())
        }
    };
    Some(Request {
        matched,
        status,
        is_probe,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_usual_forms_are_requests() {
        for (line, matched, status, is_probe) in [
            (
                r#"172.20.0.1:4711 - [22/Nov/2026 02:11:25] "GET /net HTTP/1.1 200 1234" curl/8.0 0.000123"#,
                "GET /net",
                200,
                false,
            ),
            (
                r#"10.0.0.1 - - [22/Nov/2026:02:11:25 +0000] "POST /a?b=c HTTP/2.0" 503 0 "-" "Go""#,
                "POST /a?b=c",
                503,
                false,
            ),
            (
                r#"172.20.0.1:9 - [x] "GET /healthz HTTP/1.1 200 0" kube-probe/1.36 0.1"#,
                "GET /healthz",
                200,
                true,
            ),
            ("GET /short 404 12ms", "GET /short", 404, false),
        ] {
            let found = request(line, None).unwrap();
            assert_eq!(
                (found.matched.as_str(), found.status, found.is_probe),
                (matched, Some(status), is_probe),
                "{line}"
            );
        }
        for line in [
            "Starting inspector...",
            "",
            "WIDGET /a 200",
            "will GET something",
            "\u{0}\u{fffd}",
        ] {
            assert_eq!(request(line, None), None, "{line}");
        }
    }

    #[test]
    fn a_pattern_alone_decides_what_counts() {
        let pattern = Regex::new(r"served (\S+)").unwrap();
        let found = request("12:00 served /a in 3 ms", Some(&pattern)).unwrap();
        assert_eq!((found.matched.as_str(), found.status), ("/a", None));
        assert_eq!(request("GET / HTTP/1.1 200", Some(&pattern)), None);
        let whole = Regex::new("GET /n\\w+").unwrap();
        let found = request("\"GET /net HTTP/1.1 500 1\"", Some(&whole)).unwrap();
        assert_eq!((found.matched.as_str(), found.status), ("GET /net", Some(500)));
    }
}
