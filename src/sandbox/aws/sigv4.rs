//! AWS Signature Version 4, the checking side (header form). Pure: a request, the account's key and the time in, the
//! credential scope or a reason out. Not for presigned URLs, SigV4a or chunk signatures.

use http::{HeaderMap, request::Parts};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use ring::{digest, hmac};

use super::encoding::{decode, encode, hex, pairs, unhex};

/// How far a request's clock may be off, in seconds, before and after.
const SKEW: i64 = 15 * 60;
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The `Authorization` header, taken apart. Nothing in it is verified yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    /// The access key id.
    pub key_id: &'a str,
    /// `YYYYMMDD` of the credential scope.
    date: &'a str,
    /// The region of the credential scope.
    pub region: &'a str,
    /// The service of the credential scope: decides who answers.
    pub service: &'a str,
    signed_headers: Vec<&'a str>,
    signature: Vec<u8>,
}

/// Why a signature does not hold. Each service has its own code and words for each.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request carries a session token, and this account has none.
    Token,
    /// The access key is not this account's.
    Key,
    /// The signature is not what the secret gives, or leaves out what must be signed.
    Mismatch,
    /// `X-Amz-Content-Sha256` is not the hash of the body.
    Body,
    /// There is no usable date, or it is not the credential scope's.
    Date,
    /// The request's time is too far away; the request's time as it was sent.
    Skew(String),
}

/// The account's key pair.
#[derive(Clone)]
pub(super) struct Key {
    pub id: String,
    pub secret: String,
}

/// What the body is signed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload {
    /// The body's hash is signed.
    Signed,
    /// The body is not signed (S3 only).
    Unsigned,
    /// Unsigned chunks with a trailer (S3 only).
    UnsignedChunks,
    /// Each chunk is signed (S3 only); not supported here.
    SignedChunks,
}

impl Payload {
    /// What the headers announce.
    pub fn of(headers: &HeaderMap) -> Self {
        match text(headers, "x-amz-content-sha256") {
            Some("UNSIGNED-PAYLOAD") => Self::Unsigned,
            Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER") => Self::UnsignedChunks,
            Some(other) if other.starts_with("STREAMING-") => Self::SignedChunks,
            _ => Self::Signed,
        }
    }
}

impl<'a> Authorization<'a> {
    /// Takes the header's value apart; `None` when it is not of the SigV4 form.
    pub fn parse(header: &'a str) -> Option<Self> {
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in header.strip_prefix(ALGORITHM)?.split(',') {
            match part.trim().split_once('=')? {
                ("Credential", value) => credential = Some(value),
                ("SignedHeaders", value) => signed_headers = Some(value),
                ("Signature", value) => signature = Some(value),
                _ => return None,
            }
        }
        let mut scope = credential?.split('/');
        let parsed = Self {
            key_id: scope.next()?,
            date: scope.next()?,
            region: scope.next()?,
            service: scope.next()?,
            signed_headers: signed_headers?.split(';').collect(),
            signature: unhex(signature?)?,
        };
        (scope.next() == Some("aws4_request") && scope.next().is_none()).then_some(parsed)
    }

    /// Holds the request to its signature.
    pub fn verify(&self, parts: &Parts, body: &[u8], key: &Key, now: Timestamp) -> Result<(), Refusal> {
        if parts.headers.contains_key("x-amz-security-token") {
            return Err(Refusal::Token);
        }
        if self.key_id != key.id {
            return Err(Refusal::Key);
        }
        let sent = text(&parts.headers, "x-amz-date").ok_or(Refusal::Date)?;
        let at = DateTime::strptime("%Y%m%dT%H%M%SZ", sent)
            .and_then(|civil| civil.to_zoned(TimeZone::UTC))
            .map_err(|_| Refusal::Date)?
            .timestamp();
        if !sent.starts_with(self.date) || self.date.len() != 8 {
            return Err(Refusal::Date);
        }
        if (now.as_second() - at.as_second()).abs() > SKEW {
            return Err(Refusal::Skew(sent.to_owned()));
        }
        let hash = self.payload_hash(&parts.headers, body)?;
        let canonical = self.canonical(parts, &hash).ok_or(Refusal::Mismatch)?;
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let to_sign = format!("{ALGORITHM}\n{sent}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let mut signing = sign(format!("AWS4{}", key.secret).as_bytes(), self.date);
        for part in [self.region, self.service, "aws4_request"] {
            signing = sign(signing.as_ref(), part);
        }
        let signing = hmac::Key::new(hmac::HMAC_SHA256, signing.as_ref());
        // `hmac::verify` compares in constant time.
        hmac::verify(&signing, to_sign.as_bytes(), &self.signature).map_err(|_| Refusal::Mismatch)
    }

    /// The hash that stands in the canonical request.
    fn payload_hash(&self, headers: &HeaderMap, body: &[u8]) -> Result<String, Refusal> {
        let announced = text(headers, "x-amz-content-sha256");
        match (Payload::of(headers), announced) {
            (Payload::Signed, Some(announced)) => {
                let actual = sha256(body);
                if announced == actual {
                    Ok(actual)
                } else {
                    Err(Refusal::Body)
                }
            }
            (Payload::Signed, None) => Ok(sha256(body)),
            (_, Some(announced)) if self.service == "s3" => Ok(announced.to_owned()),
            _ => Err(Refusal::Body),
        }
    }

    fn canonical(&self, parts: &Parts, payload_hash: &str) -> Option<String> {
        // S3 encodes the path once, every other service encodes what is on the wire again.
        let path = match self.service {
            "s3" => encode(&decode(parts.uri.path(), false), true),
            _ => encode(parts.uri.path(), true),
        };
        let mut query: Vec<(String, String)> = pairs(parts.uri.query().unwrap_or_default(), false)
            .into_iter()
            .map(|(key, value)| (encode(&key, false), encode(&value, false)))
            .collect();
        query.sort();
        let query: Vec<String> = query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if !self.signed_headers.contains(&"host") || !self.signed_headers.contains(&"x-amz-date") {
            return None;
        }
        let mut headers = String::new();
        for name in &self.signed_headers {
            let mut values = Vec::new();
            for value in parts.headers.get_all(*name) {
                let value = value.to_str().ok()?;
                values.push(value.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
            }
            if values.is_empty() {
                return None;
            }
            headers.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        Some(format!(
            "{}\n{path}\n{}\n{headers}\n{}\n{payload_hash}",
            parts.method,
            query.join("&"),
            self.signed_headers.join(";"),
        ))
    }
}

/// The hex SHA-256 of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn sign(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SCOPE: &str = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";

    fn key() -> Key {
        Key {
            id: "AKIDEXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        }
    }

    fn request(uri: &str, extra: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::get(uri)
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z");
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn at() -> Timestamp {
        "2015-08-30T12:40:00Z".parse().unwrap()
    }

    fn check(uri: &str, signature: &str) -> Result<(), Refusal> {
        let header =
            format!("AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature={signature}");
        Authorization::parse(&header)
            .unwrap()
            .verify(&request(uri, &[]), b"", &key(), at())
    }

    /// The vectors `get-vanilla` and `get-vanilla-query-order-key-case` of the published SigV4 test suite.
    #[test]
    fn published_vectors_hold() {
        let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        let query = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        assert_eq!(check("/", vanilla), Ok(()));
        assert_eq!(check("/?Param2=value2&Param1=value1", query), Ok(()));
        assert_eq!(check("/?Param2=value3&Param1=value1", query), Err(Refusal::Mismatch));
        assert_eq!(check("/", &query.replace('b', "c")), Err(Refusal::Mismatch));
        assert_eq!(check("/", "00"), Err(Refusal::Mismatch));
    }

    #[test]
    fn other_keys_times_and_bodies_are_refused() {
        let header = format!("AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=00");
        let authorization = Authorization::parse(&header).unwrap();
        let late = "2015-08-30T12:52:00Z".parse().unwrap();
        let plain = request("/", &[]);
        let skew = Refusal::Skew("20150830T123600Z".into());
        assert_eq!(authorization.verify(&plain, b"", &key(), late), Err(skew));
        let other = Key {
            id: "OTHER".into(),
            ..key()
        };
        assert_eq!(authorization.verify(&plain, b"", &other, at()), Err(Refusal::Key));
        let token = request("/", &[("x-amz-security-token", "t")]);
        assert_eq!(authorization.verify(&token, b"", &key(), at()), Err(Refusal::Token));
        for hash in ["abc", "UNSIGNED-PAYLOAD"] {
            let body = request("/", &[("x-amz-content-sha256", hash)]);
            assert_eq!(authorization.verify(&body, b"x", &key(), at()), Err(Refusal::Body));
        }
    }

    #[test]
    fn a_signature_must_cover_host_and_date() {
        let header = format!("AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=x-amz-date, Signature=00");
        let authorization = Authorization::parse(&header).unwrap();
        assert_eq!(
            authorization.verify(&request("/", &[]), b"", &key(), at()),
            Err(Refusal::Mismatch)
        );
    }

    #[test]
    fn other_forms_are_no_authorization() {
        for header in [
            "",
            "Bearer x",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=a/b/c",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request/e, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=zz",
        ] {
            assert_eq!(Authorization::parse(header), None, "{header}");
        }
    }
}
