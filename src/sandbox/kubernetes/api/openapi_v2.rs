//! OpenAPI v2, as far as clients older than version 3 of it (kubectl before 1.27) can't go on without: they fetch the
//! document before they apply or create from a file, and only as protobuf. It names no types, so such a client leaves
//! validation to the server and computes its patches by the types it was built with.

use http::{HeaderMap, header};
use serde_json::json;

use super::body::{self, Reply};
use crate::sandbox::kubernetes::RELEASE;

/// The one representation that kubectl reads. It asks for `…spec.v2@v1.0+protobuf`, but `@` may not stand in the media
/// type of an answer (Go's `mime` refuses it), so servers answer with a dot.
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// What both representations say.
const SWAGGER: &str = "2.0";
const TITLE: &str = "Kubernetes";

/// `/openapi/v2`.
pub(super) fn answer(headers: &HeaderMap) -> Reply {
    let mut accepted = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    if accepted.any(|value| value.contains("proto-openapi")) {
        return body::reply(200, PROTOBUF, document());
    }
    body::json(
        200,
        &json!({"swagger": SWAGGER, "info": {"title": TITLE, "version": RELEASE}, "paths": {}}),
    )
}

/// `openapi.v2.Document` of github.com/google/gnostic: swagger is field 1, info field 2 with title 1 and version 2.
fn document() -> Vec<u8> {
    let info = [field(1, TITLE.as_bytes()), field(2, RELEASE.as_bytes())].concat();
    [field(1, SWAGGER.as_bytes()), field(2, &info)].concat()
}

/// A length-delimited field. Numbers up to 15 and contents up to 127 bytes take one byte each for tag and length, and
/// nothing here is longer.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    const LENGTH_DELIMITED: u8 = 2;
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX) & 0x7f;
    [&[(number << 3) | LENGTH_DELIMITED, length][..], content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_protobuf_that_kubectl_reads() {
        assert_eq!(document(), b"\x0a\x032.0\x12\x15\x0a\x0aKubernetes\x12\x07v1.36.2");
    }

    #[test]
    fn others_get_json() {
        let kind = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, header::HeaderValue::from_static(accept));
            answer(&headers).headers().get(header::CONTENT_TYPE).cloned()
        };
        assert_eq!(kind(PROTOBUF), Some(header::HeaderValue::from_static(PROTOBUF)));
        assert_eq!(
            kind("application/json"),
            Some(header::HeaderValue::from_static("application/json"))
        );
    }
}
