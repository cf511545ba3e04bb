//! PutObject, GetObject and HeadObject (with a single range), DeleteObject.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::Full;

use super::super::fault::Fault;
use super::super::server::{Call, Reply};
use super::super::sigv4::{Payload, sha256};
use super::{MAX_OBJECT, MAX_OBJECTS, MAX_TOTAL, Object, Store, chunks, not_implemented, too_large};

/// The API's limits of a key and of user metadata.
const MAX_KEY: usize = 1_024;
const MAX_METADATA: usize = 2_048;

/// Stores an object, replacing one of the same key.
pub(super) fn put(store: &Store, call: &Call<'_>, key: &str, body: &Bytes) -> Result<Reply, Fault> {
    let headers = &call.parts.headers;
    if headers.contains_key("x-amz-copy-source") {
        return Err(not_implemented("copying objects"));
    }
    if key.len() > MAX_KEY {
        return Err(Fault::bad("KeyTooLongError", "Your key is too long"));
    }
    let body = match Payload::of(headers) {
        Payload::UnsignedChunks => chunks::decode(body)?,
        _ => body.clone(),
    };
    let metadata: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-amz-meta-"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if metadata
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum::<usize>()
        > MAX_METADATA
    {
        return Err(Fault::bad(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    let object = Object {
        etag: format!("\"{:.32}\"", sha256(&body)),
        modified: store.clock.now(),
        content_type: headers
            .get(header::CONTENT_TYPE)
            .cloned()
            .unwrap_or(HeaderValue::from_static("binary/octet-stream")),
        metadata,
        body,
    };
    let mut bucket = store.bucket();
    let old = bucket.objects.get(key).map(|old| old.body.len());
    let total = bucket.total - old.unwrap_or(0) + object.body.len();
    if object.body.len() > MAX_OBJECT || total > MAX_TOTAL || (old.is_none() && bucket.objects.len() >= MAX_OBJECTS) {
        return Err(too_large());
    }
    bucket.total = total;
    let mut reply = Reply::new(Full::default());
    insert(&mut reply, header::ETAG, &object.etag);
    bucket.objects.insert(key.to_owned(), object);
    Ok(reply)
}

/// Gives an object, or its headers.
pub(super) fn get(store: &Store, call: &Call<'_>, key: &str) -> Result<Reply, Fault> {
    let object = store
        .bucket()
        .objects
        .get(key)
        .cloned()
        .ok_or_else(|| Fault::not_found("NoSuchKey", "The specified key does not exist."))?;
    let size = object.body.len();
    let wanted = call
        .parts
        .headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    let mut reply = Reply::new(Full::default());
    let body = match wanted.and_then(|range| parse_range(range, size)) {
        Some(Some((from, to))) => {
            *reply.status_mut() = StatusCode::PARTIAL_CONTENT;
            insert(&mut reply, header::CONTENT_RANGE, &format!("bytes {from}-{to}/{size}"));
            object.body.slice(from..=to)
        }
        Some(None) => {
            return Err(Fault::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "InvalidRange",
                "The requested range is not satisfiable",
            ));
        }
        None => object.body.clone(),
    };
    insert(&mut reply, header::ETAG, &object.etag);
    insert(&mut reply, header::ACCEPT_RANGES, "bytes");
    insert(
        &mut reply,
        header::LAST_MODIFIED,
        &object.modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    );
    insert(&mut reply, header::CONTENT_LENGTH, &body.len().to_string());
    reply.headers_mut().insert(header::CONTENT_TYPE, object.content_type);
    for (name, value) in object.metadata {
        reply.headers_mut().append(name, value);
    }
    if call.parts.method == Method::GET {
        *reply.body_mut() = Full::new(body);
    }
    Ok(reply)
}

/// Removes an object; one that is not there counts as removed.
pub(super) fn delete(store: &Store, key: &str) -> Reply {
    let mut bucket = store.bucket();
    if let Some(old) = bucket.objects.remove(key) {
        bucket.total -= old.body.len();
    }
    let mut reply = Reply::new(Full::default());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    reply
}

/// First and last byte of a single range; `Some(None)` when it cannot be satisfied, `None` when it is to be ignored.
fn parse_range(text: &str, size: usize) -> Option<Option<(usize, usize)>> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let last = size.checked_sub(1);
    let range = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) if from <= to => last.map(|last| (from, to.min(last))),
        (Ok(from), Err(_)) if to.is_empty() => last.map(|last| (from, last)),
        (Err(_), Ok(0)) if from.is_empty() => None,
        (Err(_), Ok(suffix)) if from.is_empty() => last.map(|last| (size.saturating_sub(suffix), last)),
        _ => return None,
    };
    Some(range.filter(|(from, to)| from <= to))
}

fn insert(reply: &mut Reply, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(parse_range("bytes=2-3", 10), Some(Some((2, 3))));
        assert_eq!(parse_range("bytes=8-99", 10), Some(Some((8, 9))));
        assert_eq!(parse_range("bytes=-3", 10), Some(Some((7, 9))));
        assert_eq!(parse_range("bytes=-99", 10), Some(Some((0, 9))));
        assert_eq!(parse_range("bytes=10-", 10), Some(None));
        assert_eq!(parse_range("bytes=0-", 0), Some(None));
        assert_eq!(parse_range("bytes=3-2", 10), None);
        assert_eq!(parse_range("lines=1-2", 10), None);
        assert_eq!(parse_range("bytes=1-2,4-5", 10), None);
    }
}
