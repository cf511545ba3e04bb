//! The sandbox's AWS endpoint under requests made by hand: S3 (which has no client crate here), identity, and what a
//! client would never send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;

use cogdeck::sandbox::aws::{AwsConfig, AwsHandle, AwsServer, ec2::default_world};
use cogdeck::sandbox::clock::Clock;
use ring::{digest, hmac};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const KEY: &str = "AKIASANDBOX";
const SECRET: &str = "sandbox-secret";
const ZONE: &str = "Z37AJ8CHRUEZC6";

async fn start() -> AwsHandle {
    AwsServer::start(AwsConfig {
        access_key_id: KEY.into(),
        secret_access_key: SECRET.into(),
        region: "ap-southeast-2".into(),
        instances: default_world(),
        clock: Clock::new(1.0),
        seed: 1,
    })
    .await
    .unwrap()
}

struct Raw<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    service: &'a str,
    key: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

impl Raw<'_> {
    fn s3<'a>(method: &'a str, path: &'a str, query: &'a str, body: &'a [u8]) -> Raw<'a> {
        Raw {
            method,
            path,
            query,
            service: "s3",
            key: KEY,
            headers: &[],
            body,
        }
    }

    /// Signs as the documentation says, sends, and gives status and the rest of the answer.
    async fn send(&self, addr: SocketAddr) -> (u16, String) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let sha = |bytes: &[u8]| hex(digest::digest(&digest::SHA256, bytes).as_ref());
        let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
        let (region, service) = ("ap-southeast-2", self.service);
        let at = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = &at[..8];
        let hash = sha(self.body);
        let canonical = format!(
            "{}\n{}\n{}\nhost:{addr}\nx-amz-content-sha256:{hash}\nx-amz-date:{at}\n\nhost;x-amz-content-sha256;x-amz-date\n{hash}",
            self.method, self.path, self.query
        );
        let scope = format!("{day}/{region}/{service}/aws4_request");
        let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", sha(canonical.as_bytes()));
        let mut key = sign(format!("AWS4{SECRET}").as_bytes(), day);
        for part in [region, service, "aws4_request"] {
            key = sign(key.as_ref(), part);
        }
        let signature = hex(sign(key.as_ref(), &text).as_ref());
        let mut head = format!(
            "{} {}?{} HTTP/1.1\r\nhost: {addr}\r\nx-amz-date: {at}\r\nx-amz-content-sha256: {hash}\r\ncontent-length: {}\r\nconnection: close\r\nauthorization: AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}\r\n",
            self.method,
            self.path,
            self.query,
            self.body.len(),
            self.key
        );
        for (name, value) in self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        exchange(addr, &[head.as_bytes(), b"\r\n", self.body].concat()).await
    }
}

async fn exchange(addr: SocketAddr, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // A refusal may come before the body is read: the rest of the write may fail then.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer)
}

#[tokio::test]
async fn objects_are_kept_listed_and_bounded() {
    let server = start().await;
    let bucket = "/kubernetes-spawnhub-com-state-store";
    let path = |key: &str| format!("{bucket}/{key}");
    let get = async |key: &str| Raw::s3("GET", &path(key), "", b"").send(server.addr).await;
    assert!(
        Raw::s3("GET", "/", "", b"")
            .send(server.addr)
            .await
            .1
            .contains("<Name>kubernetes-spawnhub-com-state-store</Name>")
    );
    for key in ["a/config", "a/secrets/ca%20key", "b"] {
        assert_eq!(
            Raw::s3("PUT", &path(key), "", b"hello <world>")
                .send(server.addr)
                .await
                .0,
            200
        );
    }
    let (status, answer) = get("a/secrets/ca%20key").await;
    assert!(status == 200 && answer.ends_with("\r\n\r\nhello <world>"), "{answer}");
    let (_, listed) = Raw::s3("GET", bucket, "delimiter=%2F&list-type=2&prefix=a%2F", b"")
        .send(server.addr)
        .await;
    assert!(
        listed.contains("<Key>a/config</Key>") && listed.contains("<Prefix>a/secrets/</Prefix>"),
        "{listed}"
    );
    assert!(!listed.contains("<Key>b</Key>"));
    assert_eq!(Raw::s3("DELETE", &path("b"), "", b"").send(server.addr).await.0, 204);
    let (status, answer) = get("b").await;
    assert!(
        status == 404 && answer.contains("<Error><Code>NoSuchKey</Code>"),
        "{answer}"
    );
    assert!(
        Raw::s3("GET", "/other", "list-type=2", b"")
            .send(server.addr)
            .await
            .1
            .contains("NoSuchBucket")
    );
    let versioning = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(
        Raw::s3("PUT", bucket, "versioning=", versioning)
            .send(server.addr)
            .await
            .0,
        200
    );
    assert!(
        Raw::s3("GET", bucket, "versioning=", b"")
            .send(server.addr)
            .await
            .1
            .contains("<Status>Enabled</Status>")
    );
    let huge = vec![0_u8; 9 << 20];
    let (status, answer) = Raw::s3("PUT", &path("huge"), "", &huge).send(server.addr).await;
    assert!(
        (status == 400 && answer.contains("EntityTooLarge")) || status == 0,
        "{answer}"
    );
    assert_eq!(get("huge").await.0, 404);
}

#[tokio::test]
async fn identity_and_unknown_services() {
    let server = start().await;
    let sts = |service: &'static str, key: &'static str| Raw {
        method: "POST",
        path: "/",
        query: "",
        service,
        key,
        headers: &[("content-type", "application/x-www-form-urlencoded")],
        body: b"Action=GetCallerIdentity&Version=2011-06-15",
    };
    let (status, answer) = sts("sts", KEY).send(server.addr).await;
    assert!(
        status == 200 && answer.contains("<Account>555555555555</Account>"),
        "{answer}"
    );
    let (status, answer) = sts("sts", "AKIAOTHER").send(server.addr).await;
    assert!(
        status == 403 && answer.contains("<Code>InvalidClientTokenId</Code>"),
        "{answer}"
    );
    let (_, answer) = Raw {
        key: "AKIAOTHER",
        ..Raw::s3("GET", "/", "", b"")
    }
    .send(server.addr)
    .await;
    assert!(answer.contains("<Code>InvalidAccessKeyId</Code>"), "{answer}");
    let (status, answer) = sts("dynamodb", KEY).send(server.addr).await;
    assert!(
        status == 400 && answer.contains("no service &apos;dynamodb&apos;"),
        "{answer}"
    );
}

#[tokio::test]
async fn foreign_hosts_and_unsigned_or_broken_requests_are_refused() {
    let server = start().await;
    let send =
        async |head: &str| exchange(server.addr, format!("{head}\r\nconnection: close\r\n\r\n").as_bytes()).await;
    let (status, answer) = send("GET / HTTP/1.1\r\nhost: attacker.example").await;
    assert!(status == 403 && answer.contains("AccessDenied"), "{answer}");
    let foreign = Raw {
        headers: &[("origin", "https://attacker.example")],
        ..Raw::s3("GET", "/", "", b"")
    };
    assert_eq!(foreign.send(server.addr).await.0, 403);
    let local = Raw {
        headers: &[("origin", "http://localhost:3000")],
        ..Raw::s3("GET", "/", "", b"")
    };
    assert_eq!(local.send(server.addr).await.0, 200);
    let (status, answer) = send("GET / HTTP/1.1\r\nhost: localhost").await;
    assert!(
        status == 403 && answer.contains("<Code>MissingAuthenticationToken</Code>"),
        "{answer}"
    );
    let (status, answer) = send("GET / HTTP/1.1\r\nhost: 127.0.0.1:1\r\nauthorization: Bearer x").await;
    assert!(status == 400 && answer.contains("IncompleteSignature"), "{answer}");
    for garbage in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        assert_ne!(exchange(server.addr, &[garbage, b"\r\n\r\n\r\n"].concat()).await.0, 200);
    }
    let bomb =
        b"<!DOCTYPE l [<!ENTITY a \"ha\">]><ChangeResourceRecordSetsRequest>&a;</ChangeResourceRecordSetsRequest>";
    let path = format!("/2013-04-01/hostedzone/{ZONE}/rrset/");
    let bomb = Raw {
        method: "POST",
        path: &path,
        query: "",
        service: "route53",
        key: KEY,
        headers: &[],
        body: bomb,
    };
    // A document type is refused before anything is expanded.
    let (status, answer) = bomb.send(server.addr).await;
    assert!(status == 400 && answer.contains("document types"), "{answer}");
    assert_eq!(
        Raw::s3("GET", "/", "", b"").send(server.addr).await.0,
        200,
        "it still answers"
    );
}
