//! What representation the client accepts: plain objects, Tables, or metadata only.

use http::{HeaderMap, header};

use super::status::ApiError;

/// The representation to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The object or list itself.
    Object,
    /// The object as YAML.
    Yaml,
    /// A `meta.k8s.io/v1` Table.
    Table,
    /// `PartialObjectMetadata` or its list.
    Metadata,
    /// `APIGroupDiscoveryList`, version 2.
    Discovery,
}

/// Picks the first representation of the `Accept` header that the server has.
pub(super) fn negotiate(headers: &HeaderMap) -> Result<Form, ApiError> {
    let text = header_text(headers, header::ACCEPT);
    if text.trim().is_empty() {
        return Ok(Form::Object);
    }
    text.split(',').find_map(one).ok_or_else(ApiError::not_acceptable)
}

/// The media type of the request's body, without parameters, in lower case.
pub(super) fn content_type(headers: &HeaderMap) -> String {
    let text = header_text(headers, header::CONTENT_TYPE);
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> String {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    values.join(",")
}

fn one(range: &str) -> Option<Form> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?.to_ascii_lowercase();
    let yaml = match media.as_str() {
        "application/json" | "*/*" | "application/*" => false,
        "application/yaml" => true,
        _ => return None,
    };
    let (mut shape, mut version, mut group) = ("", "", "");
    for part in parts {
        match part.split_once('=') {
            Some(("as", value)) => shape = value,
            Some(("v", value)) => version = value,
            Some(("g", value)) => group = value,
            _ => {}
        }
    }
    match (shape, group, version) {
        ("", _, _) => Some(if yaml { Form::Yaml } else { Form::Object }),
        ("Table", "meta.k8s.io", "v1") if !yaml => Some(Form::Table),
        ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io", "v1") if !yaml => Some(Form::Metadata),
        ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2") if !yaml => Some(Form::Discovery),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn form(accept: &str) -> Option<Form> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        negotiate(&headers).ok()
    }

    #[test]
    fn the_first_known_representation_wins() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(form(kubectl), Some(Form::Table));
        assert_eq!(
            form("application/json;as=Table;v=v9;g=meta.k8s.io, application/json"),
            Some(Form::Object)
        );
        assert_eq!(
            form("application/vnd.kubernetes.protobuf, application/json"),
            Some(Form::Object)
        );
        assert_eq!(form("*/*"), Some(Form::Object));
        assert_eq!(form("application/yaml"), Some(Form::Yaml));
        assert_eq!(form("text/csv"), None);
        assert_eq!(negotiate(&HeaderMap::new()).ok(), Some(Form::Object));
    }
}
