//! The sandbox's AWS endpoint, judged by Amazon's own client crates, and by the aws CLI where it is installed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_sdk_route53::error::ProvideErrorMetadata;
use cogdeck::sandbox::aws::ec2::default_world;
use cogdeck::sandbox::aws::{AwsConfig, AwsHandle, AwsServer};
use cogdeck::sandbox::clock::Clock;
use tokio::net::TcpStream;

const KEY: &str = "AKIASANDBOX";
const SECRET: &str = "sandbox-secret";
const ZONE: &str = "Z37AJ8CHRUEZC6";
const ELB: &str = "a0123456789-1.ap-southeast-2.elb.amazonaws.com";

async fn start(speed: f64) -> AwsHandle {
    AwsServer::start(AwsConfig {
        access_key_id: KEY.into(),
        secret_access_key: SECRET.into(),
        region: "ap-southeast-2".into(),
        instances: default_world(),
        clock: Clock::new(speed),
        seed: 1,
    })
    .await
    .unwrap()
}

macro_rules! client {
    ($service:ident, $server:expr, $secret:expr) => {{
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
                aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https();
        let config = $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::latest())
            .http_client(http)
            .endpoint_url(format!("http://{}", $server.addr))
            .region($service::config::Region::new("ap-southeast-2"))
            .credentials_provider($service::config::Credentials::new(
                crate::KEY,
                $secret,
                None,
                None,
                "test",
            ))
            .retry_config($service::config::retry::RetryConfig::disabled())
            .build();
        $service::Client::from_conf(config)
    }};
}

// Behind the macro, which they use.
#[path = "sandbox_aws/instances.rs"]
mod instances;
#[path = "sandbox_aws/records.rs"]
mod records;

#[tokio::test]
async fn wrong_keys_fail_as_each_service_says() {
    let server = start(1.0).await;
    let ec2 = client!(aws_sdk_ec2, server, "wrong");
    assert_eq!(
        ec2.describe_instances().send().await.unwrap_err().code(),
        Some("AuthFailure")
    );
    let r53 = client!(aws_sdk_route53, server, "wrong");
    assert_eq!(
        r53.list_hosted_zones().send().await.unwrap_err().code(),
        Some("SignatureDoesNotMatch")
    );
}

#[tokio::test]
async fn the_endpoint_ends_with_its_handle() {
    let server = start(1.0).await;
    let addr = server.addr;
    assert!(addr.ip().is_loopback());
    drop(server);
    // 20 s.
    for _ in 0..2_000 {
        if TcpStream::connect(addr).await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{addr} still accepts connections");
}

#[tokio::test]
async fn the_aws_cli_reads_it() {
    if std::process::Command::new("aws").arg("--version").output().is_err() {
        eprintln!("skipped: the aws CLI is not installed (PyPI: awscli)");
        return;
    }
    let server = start(200.0).await;
    let home = tempfile::tempdir().unwrap();
    let aws = async |line: &[&str]| {
        let output = tokio::process::Command::new("aws")
            .args(line)
            .env("HOME", home.path())
            .env("AWS_ENDPOINT_URL", format!("http://{}", server.addr))
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", "ap-southeast-2")
            .env("AWS_DEFAULT_REGION", "ap-southeast-2")
            .env("AWS_DEFAULT_OUTPUT", "text")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_PAGER", "")
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .output()
            .await
            .unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let filter = "Name=tag:KubernetesCluster,Values=staging.spawnhub.com";
    let query = "sort(Reservations[].Instances[].PublicIpAddress)";
    let found = aws(&["ec2", "describe-instances", "--filters", filter, "--query", query]).await;
    assert_eq!(found.trim(), "203.0.113.121\t203.0.113.15\t203.0.113.209");
    let batch = format!(
        r#"{{"Changes":[{{"Action":"UPSERT","ResourceRecordSet":{{"Name":"inspector.spawnhub.com","Type":"CNAME","TTL":300,"ResourceRecords":[{{"Value":"{ELB}"}}]}}}}]}}"#
    );
    let change = [
        "route53",
        "change-resource-record-sets",
        "--hosted-zone-id",
        ZONE,
        "--change-batch",
        &batch,
    ];
    assert!(aws(&change).await.contains("PENDING"));
    let apex = batch.replace("inspector.", "");
    let refused = aws(&[
        "route53",
        "change-resource-record-sets",
        "--hosted-zone-id",
        ZONE,
        "--change-batch",
        &apex,
    ])
    .await;
    assert!(
        refused.contains("is not permitted at apex in zone spawnhub.com."),
        "{refused}"
    );
    let listed = aws(&["route53", "list-resource-record-sets", "--hosted-zone-id", ZONE]).await;
    assert!(listed.contains(&format!("RESOURCERECORDS\t{ELB}")), "{listed}");
    let file = home.path().join("in");
    std::fs::write(&file, "state").unwrap();
    let object = "s3://kubernetes-spawnhub-com-state-store/a key";
    aws(&["s3", "cp", file.to_str().unwrap(), object]).await;
    assert_eq!(aws(&["s3", "cp", object, "-"]).await, "state");
    assert!(
        aws(&["sts", "get-caller-identity"])
            .await
            .contains("arn:aws:iam::555555555555:user/")
    );
    assert!(
        aws(&["dynamodb", "list-tables"])
            .await
            .contains("no service 'dynamodb'")
    );
}
