//! Client certificates that ended or end soon, against servers that ask for them and such that do not know who asks.
#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::features::kubernetes::certificate::tests::signed;
use crate::features::kubernetes::error;

fn from_now(minutes: i64) -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap() + SignedDuration::from_mins(minutes)
}

/// A kubeconfig whose user `mia` has this certificate, in PEM.
fn kubeconfig(server: &str, certificate: &str, key: &str) -> String {
    let (certificate, key) = (STANDARD.encode(certificate), STANDARD.encode(key));
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters: [{{name: c, cluster: {{server: '{server}', insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: mia, user: {{client-certificate-data: {certificate}, client-key-data: {key}}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: mia}}}}]\n"
    )
}

fn context(file: &std::path::Path) -> Context {
    let mut context = Context::empty("test");
    context.kubernetes.kubeconfig = KubeconfigSource::Files(vec![file.to_owned()]);
    context
}

/// A TLS server that answers 401 to whom it lets in; `asks` for a certificate that counts.
async fn server(asks: bool) -> String {
    let (certificate, key) = signed(from_now(-60), from_now(60));
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if asks {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(chain.first().unwrap().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let config = builder.with_single_cert(chain, key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = match acceptor.accept(stream).into_fallible().await {
                Ok(stream) => stream,
                Err((_, mut refused)) => {
                    // Closed with something unread, the connection would be reset before the client has heard why.
                    let _ = refused.read_to_end(&mut Vec::new()).await;
                    continue;
                }
            };
            let _ = stream.read(&mut [0; 4096]).await;
            let body = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#;
            let answer = format!(
                "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    format!("https://{address}")
}

#[tokio::test]
async fn one_that_ended_is_named_as_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let asked = async |server: &str, ends: i64| {
        let ends = from_now(ends);
        let (certificate, key) = signed(from_now(-600), ends);
        std::fs::write(&file, kubeconfig(server, &certificate, &key)).unwrap();
        let session = Clients::new().session(&context(&file)).await.unwrap();
        (session.cluster.discovery().await.err().unwrap(), ends)
    };
    for asks in [false, true] {
        let server = server(asks).await;
        let (report, ends) = asked(&server, -5).await;
        let told = format!("the client certificate of user mia ended at {ends}");
        assert_eq!(report.message, told, "{asks}: {report:?}");
        assert!(
            report.hint.as_ref().unwrap().starts_with("renew it"),
            "{asks}: {report:?}"
        );
        assert!(
            !report.causes.is_empty(),
            "what the server said stays: {asks}: {report:?}"
        );
    }
    // One that counts is not the reason.
    let (report, _) = asked(&server(false).await, 60).await;
    assert!(
        report.code == error::UNAUTHORIZED && !report.message.contains("certificate"),
        "{report:?}"
    );
    // Nor is one that ended, where nobody listens.
    let (report, _) = asked("https://127.0.0.1:1", -5).await;
    assert!(
        report.message.contains("was refused") && !report.message.contains("certificate"),
        "{report:?}"
    );
}

#[tokio::test]
async fn one_that_ends_soon_is_told_until_there_is_a_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let write = |ends: i64| {
        let (certificate, key) = signed(from_now(-600), from_now(ends));
        std::fs::write(&file, kubeconfig("https://127.0.0.1:1", &certificate, &key)).unwrap();
    };
    write(30);
    let session = Clients::new().session(&context(&file)).await.unwrap();
    let connection = session.cluster.connection().clone();
    let (_, first) = connection.client().await.unwrap();
    let (ends, why) = session.cluster.expiring().unwrap();
    assert_eq!(why.as_str(), "nobody has put a newer client certificate in its place");
    assert!(ends <= from_now(30) && ends > from_now(28), "{ends}");
    assert_eq!(session.cluster.credential_ends(), Some(ends));
    // It is looked for again in a minute, not with every request; a login looks at once.
    let lease = connection.lease();
    assert!(lease.renew.unwrap() > Timestamp::now() && !lease.is_over(Timestamp::now()));
    write(600);
    connection.again(connection.turn().await, Asking::Nobody).await.unwrap();
    assert!(session.cluster.expiring().is_none());
    assert!(
        connection.pass().is_some_and(|pass| pass != first),
        "another certificate, another connection"
    );
}

#[tokio::test]
async fn one_that_is_unreadable_is_no_use_and_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, kubeconfig("https://127.0.0.1:1", "no certificate", "no key")).unwrap();
    let report = Clients::new().session(&context(&file)).await.err().unwrap();
    assert_eq!(
        (report.code, report.message.as_str()),
        (error::KUBECONFIG, "the kubeconfig cannot be used")
    );
}

#[tokio::test]
async fn whoever_it_acts_as_and_its_key_make_another_client() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let (certificate, key) = signed(from_now(-600), from_now(600));
    let write = |key: &str, acts_as: &str| {
        let text = kubeconfig("https://127.0.0.1:1", &certificate, key);
        let acts_as = format!("client-key-data: {}{acts_as}", STANDARD.encode(key));
        std::fs::write(
            &file,
            text.replace(&format!("client-key-data: {}", STANDARD.encode(key)), &acts_as),
        )
        .unwrap();
    };
    write(&key, "");
    let session = Clients::new().session(&context(&file)).await.unwrap();
    let connection = session.cluster.connection().clone();
    // The server says that it does not know who asks.
    let again = async || {
        connection.refused(&connection.pass().unwrap());
        connection.client().await.map(|(_, pass)| pass)
    };
    let first = connection.pass().unwrap();
    assert!(again().await.unwrap() == first, "nothing became different");
    for acts_as in [", as: root", ", as: root, as-groups: [admins]", ""] {
        let before = connection.pass().unwrap();
        write(&key, acts_as);
        assert!(again().await.unwrap() != before, "{acts_as}");
    }
    // A key that is not the certificate's is found out, instead of the old one going on.
    write(&signed(from_now(-600), from_now(600)).1, "");
    let before = connection.pass().unwrap();
    match again().await {
        Ok(pass) => assert!(pass != before, "the server will tell"),
        Err(report) => assert_eq!(report.code, error::KUBECONFIG, "{report}"),
    }
}
