//! Reading request bodies within a limit, and building answers.

use std::io;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde::Serialize;

use super::status::ApiError;

/// The body of an answer: whole, or a stream that lives as long as the watch.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;
/// An HTTP answer.
pub(super) type Reply = Response<Body>;

/// Longest request body the server reads, in bytes (a real server's default).
pub(super) const BODY_LIMIT: usize = 3 * 1024 * 1024;

/// A body that is all there.
pub(super) fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// Reads a request's body, at most [`BODY_LIMIT`] bytes of it.
pub(super) async fn read(request: Request<Incoming>) -> Result<Bytes, ApiError> {
    match Limited::new(request.into_body(), BODY_LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::body_too_large()),
        Err(error) => Err(ApiError::bad_request(format!(
            "unable to read the request body: {error}"
        ))),
    }
}

/// An answer of a content type.
pub(super) fn reply(code: u16, content_type: &'static str, bytes: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(full(bytes.into()));
    *reply.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    reply
}

/// A JSON answer.
pub(super) fn json(code: u16, value: &impl Serialize) -> Reply {
    let mut text = bytes(value);
    text.push(b'\n');
    reply(code, "application/json", text)
}

/// JSON of what has only names for keys, which can be written always.
pub(super) fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// A plain text answer.
pub(super) fn text(code: u16, text: impl Into<Bytes>) -> Reply {
    reply(code, "text/plain; charset=utf-8", text)
}
