//! S3: one bucket, its objects in memory within a bound, its versioning flag. Not for multipart uploads, ACLs, old
//! versions or making buckets. An ETag is a digest of the object, but not its MD5 (as with KMS-encrypted objects).

mod chunks;
mod list;
mod objects;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use jiff::Timestamp;

use super::encoding::{decode, pairs};
use super::fault::Fault;
use super::server::{Call, Reply, xml};
use super::sts::ACCOUNT;
use super::xml::{self, Xml};
use crate::sandbox::clock::Clock;

/// The bucket in which kops keeps its state.
pub(super) const BUCKET: &str = "kubernetes-spawnhub-com-state-store";
/// The largest object: what the aws CLI still sends in one piece.
pub(super) const MAX_OBJECT: usize = 8 << 20;
/// What chunk heads and a trailer may add to it on the wire.
pub(super) const CHUNK_OVERHEAD: usize = 64 << 10;
/// All objects together.
const MAX_TOTAL: usize = 64 << 20;
const MAX_OBJECTS: usize = 10_000;

/// The namespace of S3 documents.
const XMLNS: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The service's state.
pub(super) struct Store {
    region: String,
    clock: Clock,
    bucket: Mutex<Bucket>,
}

/// The bucket.
struct Bucket {
    created: Timestamp,
    /// `Enabled` or `Suspended`; never set at the start, as with a new bucket.
    versioning: Option<&'static str>,
    objects: BTreeMap<String, Object>,
    total: usize,
}

/// An object.
#[derive(Clone)]
struct Object {
    body: Bytes,
    etag: String,
    modified: Timestamp,
    content_type: HeaderValue,
    metadata: Vec<(http::HeaderName, HeaderValue)>,
}

impl Store {
    pub fn new(region: String, clock: Clock) -> Self {
        let bucket = Bucket {
            created: clock.now(),
            versioning: None,
            objects: BTreeMap::new(),
            total: 0,
        };
        Self {
            region,
            clock,
            bucket: Mutex::new(bucket),
        }
    }

    /// Answers a verified request, path style or virtual-host style.
    pub fn answer(&self, call: &Call<'_>, body: &Bytes) -> Result<Reply, Fault> {
        let path = decode(call.parts.uri.path(), false);
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = match virtual_host(call) {
            Some(bucket) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        let query = pairs(call.parts.uri.query().unwrap_or_default(), true);
        let has = |name: &str| query.iter().any(|(key, _)| key == name);
        let method = &call.parts.method;
        if bucket.is_empty() {
            return match *method {
                Method::GET => Ok(self.buckets()),
                _ => Err(not_implemented("this method on the list of buckets")),
            };
        }
        if bucket != BUCKET {
            return Err(match *method {
                Method::PUT if key.is_empty() => not_implemented("making buckets"),
                _ => Fault::not_found("NoSuchBucket", "The specified bucket does not exist"),
            });
        }
        if has("uploads") || has("uploadId") {
            return Err(not_implemented(
                "multipart uploads; it takes objects of up to 8 MiB in one piece",
            ));
        }
        const OTHER: [&str; 7] = ["versions", "acl", "policy", "tagging", "lifecycle", "delete", "cors"];
        if let Some(unknown) = OTHER.iter().find(|name| has(name)) {
            return Err(not_implemented(unknown));
        }
        match (method, key) {
            (&Method::HEAD, "") => Ok(self.bucket_head()),
            (&Method::GET, "") if has("location") => Ok(self.location()),
            (&Method::GET, "") if has("versioning") => Ok(self.versioning()),
            (&Method::PUT, "") if has("versioning") => self.set_versioning(body),
            (&Method::GET, "") => list::objects(&self.bucket(), &query),
            (&Method::PUT, key) if !key.is_empty() => objects::put(self, call, key, body),
            (&Method::GET | &Method::HEAD, key) => objects::get(self, call, key),
            (&Method::DELETE, key) if !key.is_empty() => Ok(objects::delete(self, key)),
            (method, _) => Err(not_implemented(method.as_str())),
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn buckets(&self) -> Reply {
        let created = time(self.bucket().created);
        let body = Xml::document("ListAllMyBucketsResult", XMLNS, |x| {
            x.element("Owner", |x| {
                x.text("ID", ACCOUNT);
                x.text("DisplayName", "sandbox");
            });
            x.element("Buckets", |x| {
                x.element("Bucket", |x| {
                    x.text("Name", BUCKET);
                    x.text("CreationDate", created);
                });
            });
        });
        xml(StatusCode::OK, body)
    }

    fn bucket_head(&self) -> Reply {
        let mut reply = xml(StatusCode::OK, String::new());
        if let Ok(region) = HeaderValue::from_str(&self.region) {
            reply.headers_mut().insert("x-amz-bucket-region", region);
        }
        reply
    }

    fn location(&self) -> Reply {
        // The oldest region is called by the empty string here.
        let region = if self.region == "us-east-1" { "" } else { &self.region };
        xml(
            StatusCode::OK,
            Xml::document("LocationConstraint", XMLNS, |x| x.content(region)),
        )
    }

    fn versioning(&self) -> Reply {
        let status = self.bucket().versioning;
        xml(
            StatusCode::OK,
            Xml::document("VersioningConfiguration", XMLNS, |x| x.optional("Status", status)),
        )
    }

    fn set_versioning(&self, body: &[u8]) -> Result<Reply, Fault> {
        let malformed = || {
            Fault::bad(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            )
        };
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        let root = xml::parse(text).map_err(|_| malformed())?;
        let status = match root.child_text("Status") {
            Some("Enabled") => "Enabled",
            Some("Suspended") => "Suspended",
            _ => return Err(malformed()),
        };
        self.bucket().versioning = Some(status);
        Ok(xml(StatusCode::OK, String::new()))
    }
}

/// The refusal of an object, or of a sum of objects, that is too large.
pub(super) fn too_large() -> Fault {
    Fault::bad(
        "EntityTooLarge",
        format!(
            "Your proposed upload exceeds the maximum allowed size: the sandbox takes objects of up to {MAX_OBJECT} bytes."
        ),
    )
}

fn not_implemented(what: &str) -> Fault {
    Fault::new(
        StatusCode::NOT_IMPLEMENTED,
        "NotImplemented",
        format!("The sandbox's S3 does not implement {what}."),
    )
}

fn virtual_host<'a>(call: &Call<'a>) -> Option<&'a str> {
    let host = call.parts.headers.get(http::header::HOST)?.to_str().ok()?;
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let bucket = host.strip_suffix(".localhost")?;
    Some(bucket.strip_suffix(".s3").unwrap_or(bucket))
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
