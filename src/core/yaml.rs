//! YAML texts that may hold secrets: what is wrong with one is told by place and reason, never by its lines. Not for
//! writing YAML, and not for manifests of bundles, whose errors point into the text on purpose.

use serde_json::Value;

/// Reads one document.
///
/// # Errors
/// Where the text is wrong and why, without a word of it.
pub fn one(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| reason(&error))
}

/// Reads all documents; empty ones are null.
///
/// # Errors
/// As for [`one`].
pub fn all(text: &str) -> Result<Vec<Value>, String> {
    serde_saphyr::from_multiple(text).map_err(|error| reason(&error))
}

/// What the reader complains about, without the lines that it would quote.
pub fn reason(error: &serde_saphyr::Error) -> String {
    error.without_snippet().to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_complaint_names_the_place_and_quotes_nothing() {
        let text = "kind: Secret\ndata:\n  password: hunter2\n  token: [s3cret\n";
        for told in [one(text).unwrap_err(), all(text).unwrap_err()] {
            assert!(told.contains("line"), "{told}");
            assert!(!told.contains("hunter2") && !told.contains("s3cret"), "{told}");
        }
        assert_eq!(all("a: 1\n---\nb\n").unwrap().len(), 2);
    }
}
