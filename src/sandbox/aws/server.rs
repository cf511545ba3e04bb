//! HTTP side of the endpoint: connections, limits, the Host and Origin rule, signature, dispatch. Knows no operation.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::fault::{Fault, Service};
use super::route53::Zones;
use super::sigv4::{Authorization, Key, Payload, Refusal};
use super::{AwsConfig, ec2, route53, s3, sts};
use crate::sandbox::clock::Clock;
use crate::sandbox::guard;

/// Connections served at once; more wait in the listen queue.
const MAX_CONNECTIONS: usize = 128;
/// The largest body of anything but an object upload.
const MAX_BODY: usize = 1 << 20;
/// Bodies of uploads being received at once: bounds the memory that unfinished uploads can hold.
const MAX_UPLOADS: usize = 4;
/// A slower head or body is cut off.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// An answer in the making.
pub(super) type Reply = Response<Full<Bytes>>;

/// The account: its key and the state of each service.
pub(super) struct Account {
    key: Key,
    region: String,
    clock: Clock,
    ec2: ec2::Ec2,
    zones: Zones,
    s3: s3::Store,
    uploads: Semaphore,
    requests: AtomicU64,
}

/// A verified request.
pub(super) struct Call<'a> {
    pub parts: &'a Parts,
    pub body: &'a [u8],
    /// The region of the credential scope.
    pub region: &'a str,
    pub request_id: &'a str,
}

impl Account {
    pub fn new(config: AwsConfig) -> Self {
        Self {
            ec2: ec2::Ec2::new(config.instances, config.clock.clone(), config.seed),
            zones: Zones::new(config.clock.clone(), config.seed),
            s3: s3::Store::new(config.region.clone(), config.clock.clone()),
            key: Key {
                id: config.access_key_id,
                secret: config.secret_access_key,
            },
            region: config.region,
            clock: config.clock,
            uploads: Semaphore::new(MAX_UPLOADS),
            requests: AtomicU64::new(1),
        }
    }

    pub fn zones(&self) -> Zones {
        self.zones.clone()
    }

    async fn answer(&self, request: Request<Incoming>) -> Reply {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let request_id = format!("00000000-0000-4000-8000-{number:012x}");
        let (parts, body) = request.into_parts();
        let head = parts.method == Method::HEAD;
        let mut reply = match self.call(&parts, body, &request_id).await {
            Ok(reply) => reply,
            Err((_, fault)) if head => xml(fault.status, String::new()),
            Err((service, fault)) => refusal(&parts, service, &fault, &request_id),
        };
        if let Ok(value) = request_id.parse() {
            reply.headers_mut().insert("x-amzn-requestid", value);
        }
        reply
    }

    async fn call(&self, parts: &Parts, body: Incoming, request_id: &str) -> Result<Reply, (Option<Service>, Fault)> {
        check_origin(&parts.headers).map_err(|fault| (None, fault))?;
        let authorization = match parts.headers.get(header::AUTHORIZATION) {
            None => return Err((None, unsigned(parts))),
            Some(value) => value.to_str().ok().and_then(Authorization::parse).ok_or_else(|| {
                let fault = Fault::bad(
                    "IncompleteSignature",
                    "The Authorization header is not of the form 'AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…'.",
                );
                (None, fault)
            })?,
        };
        let service = match authorization.service {
            "ec2" => Service::Ec2,
            "route53" => Service::Route53,
            "s3" => Service::S3,
            "sts" => Service::Sts,
            other => {
                let shown: String = other.chars().take(40).collect();
                let message = format!(
                    "The sandbox has no service '{shown}'. It serves ec2, route53, s3 and sts; use a real account for others."
                );
                return Err((None, Fault::bad("UnsupportedService", message)));
            }
        };
        let fail = |fault| (Some(service), fault);
        let body = self.receive(service, parts, body).await.map_err(fail)?;
        authorization
            .verify(parts, &body, &self.key, self.clock.now())
            .map_err(|refusal| fail(refused(service, &refusal)))?;
        let call = Call {
            parts,
            body: &body,
            region: authorization.region,
            request_id,
        };
        self.check_region(service, &call).map_err(fail)?;
        match service {
            Service::Ec2 => self.ec2.answer(&call),
            Service::Route53 => route53::answer(&self.zones, &call),
            Service::S3 => self.s3.answer(&call, &body),
            Service::Sts => sts::answer(&call),
        }
        .map_err(fail)
    }

    fn check_region(&self, service: Service, call: &Call<'_>) -> Result<(), Fault> {
        let wrong = |code, right: &str| {
            let message = format!(
                "The authorization header is malformed; the region '{}' is wrong; expecting '{right}'",
                call.region
            );
            Err(Fault::bad(code, message))
        };
        match service {
            Service::S3 if call.region != self.region && call.parts.uri.path() != "/" => {
                wrong("AuthorizationHeaderMalformed", &self.region)
            }
            // Route 53 itself signs for us-east-1 only, but clients sent to an endpoint of our own sign for their region.
            Service::Ec2 | Service::Route53 | Service::Sts if !ec2::is_region(call.region) => Err(Fault::forbidden(
                "SignatureDoesNotMatch",
                "Credential should be scoped to a valid region. ",
            )),
            _ => Ok(()),
        }
    }

    /// The whole body, within the bounds of what the service can want.
    async fn receive(&self, service: Service, parts: &Parts, body: Incoming) -> Result<Bytes, Fault> {
        let upload = service == Service::S3 && parts.method == Method::PUT;
        let limit = if upload {
            s3::MAX_OBJECT + s3::CHUNK_OVERHEAD
        } else {
            MAX_BODY
        };
        let _slot = if upload {
            self.uploads.acquire().await.ok()
        } else {
            None
        };
        let body = timeout(READ_TIMEOUT, Limited::new(body, limit).collect())
            .await
            .map_err(|_| Fault::bad("RequestTimeout", "The body did not arrive in time."))?
            .map_err(|_| match upload {
                true => s3::too_large(),
                false => Fault::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "RequestEntityTooLarge",
                    "The body is too large, or ended early.",
                ),
            })?
            .to_bytes();
        match Payload::of(&parts.headers) {
            Payload::SignedChunks => Err(Fault::new(
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "The sandbox does not verify chunk signatures; send the object with a signed or an unsigned payload.",
            )),
            _ => Ok(body),
        }
    }
}

/// Serves connections until the task is aborted; they end with it.
pub(super) async fn serve(listener: TcpListener, account: Arc<Account>) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => {
                // Out of descriptors: give the others time to end.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let account = account.clone();
        connections.spawn(async move {
            let _slot = slot;
            let service = service_fn(|request| async { Ok::<_, Infallible>(account.answer(request).await) });
            // An error here is the peer's: it went away or sent no HTTP.
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(READ_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The error document in the protocol that the client speaks: a service that is not here may be one of the JSON kind.
fn refusal(parts: &Parts, service: Option<Service>, fault: &Fault, request_id: &str) -> Reply {
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-amz-json"));
    if service.is_some() || !json {
        return xml(fault.status, fault.document(service, parts.uri.path(), request_id));
    }
    let body = serde_json::json!({"__type": fault.code, "message": fault.message}).to_string();
    let mut reply = xml(fault.status, body);
    let kind = header::HeaderValue::from_static("application/x-amz-json-1.0");
    reply.headers_mut().insert(header::CONTENT_TYPE, kind);
    reply
}

/// An XML answer; the type is left out when there is no body.
pub(super) fn xml(status: StatusCode, body: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = status;
    reply
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/xml"));
    reply
}

/// Keeps pages of other origins and names that only resolve here (DNS rebinding) away.
fn check_origin(headers: &HeaderMap) -> Result<(), Fault> {
    let local = |authority: &str| {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            _ => authority,
        };
        let host = host.to_ascii_lowercase();
        guard::is_loopback(&host) || host.ends_with(".localhost")
    };
    let refuse = || {
        Fault::forbidden(
            "AccessDenied",
            "The sandbox answers on 127.0.0.1 and localhost only; the Host or Origin header names something else.",
        )
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(local) {
        return Err(refuse());
    }
    match headers.get(header::ORIGIN).map(|origin| origin.to_str()) {
        None => Ok(()),
        Some(Ok(origin)) if origin.strip_prefix("http://").is_some_and(local) => Ok(()),
        Some(_) => Err(refuse()),
    }
}

fn unsigned(parts: &Parts) -> Fault {
    if parts
        .uri
        .query()
        .is_some_and(|query| query.contains("X-Amz-Signature="))
    {
        return Fault::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            "The sandbox takes signatures in the Authorization header only, no presigned URLs.",
        );
    }
    Fault::forbidden("MissingAuthenticationToken", "Missing Authentication Token")
}

/// Each service's own code and words.
fn refused(service: Service, refusal: &Refusal) -> Fault {
    const EC2: &str = "AWS was not able to validate the provided access credentials";
    const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. \
                            Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
    match (service, refusal) {
        (Service::Ec2, Refusal::Skew(_)) => Fault::bad("RequestExpired", "Request has expired."),
        (Service::Ec2, _) => Fault::new(StatusCode::UNAUTHORIZED, "AuthFailure", EC2),
        (Service::S3, Refusal::Key) => Fault::forbidden(
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        (Service::S3, Refusal::Token) => {
            Fault::bad("InvalidToken", "The provided token is malformed or otherwise invalid.")
        }
        (Service::S3, Refusal::Body) => Fault::bad(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
        (Service::S3, Refusal::Skew(_)) => Fault::forbidden(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        (Service::S3, Refusal::Date) => Fault::forbidden(
            "AccessDenied",
            "AWS authentication requires a valid Date or x-amz-date header",
        ),
        (_, Refusal::Key | Refusal::Token) => Fault::forbidden(
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        (_, Refusal::Skew(sent)) => Fault::forbidden(
            "SignatureDoesNotMatch",
            format!("Signature expired or not yet current: {sent} is more than 15 min. away from the server's time"),
        ),
        (_, Refusal::Date) => Fault::bad(
            "IncompleteSignature",
            "The X-Amz-Date header is missing, malformed, or not of the credential scope's day.",
        ),
        (_, Refusal::Mismatch | Refusal::Body) => Fault::forbidden("SignatureDoesNotMatch", MISMATCH),
    }
}
