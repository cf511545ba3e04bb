//! The sandbox's AWS endpoint, judged by Amazon's own client crates, and by the aws CLI where it is installed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_sdk_ec2::types::Filter;
use aws_sdk_route53::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_smithy_http_client::{Builder, tls};
use cogdeck::sandbox::aws::{AwsConfig, AwsHandle, AwsServer, ec2::default_world};
use cogdeck::sandbox::clock::Clock;
use cogdeck::sandbox::cluster::MACHINES;
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
        let http = Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https();
        let config = $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::latest())
            .http_client(http)
            .endpoint_url(format!("http://{}", $server.addr))
            .region($service::config::Region::new("ap-southeast-2"))
            .credentials_provider($service::config::Credentials::new(KEY, $secret, None, None, "test"))
            .retry_config($service::config::retry::RetryConfig::disabled())
            .build();
        $service::Client::from_conf(config)
    }};
}

fn filter(name: &str, values: &[&str]) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values.iter().map(|value| (*value).to_owned()).collect()))
        .build()
}

#[tokio::test]
async fn instances_are_found_by_filters() {
    let server = start(1.0).await;
    let ec2 = client!(aws_sdk_ec2, server, SECRET);
    let search = async |filters: Vec<Filter>| {
        let answer = ec2
            .describe_instances()
            .set_filters(Some(filters))
            .send()
            .await
            .unwrap();
        let mut found: Vec<_> = answer
            .reservations()
            .iter()
            .flat_map(|r| r.instances())
            .cloned()
            .collect();
        found.sort_by(|a, b| a.private_ip_address().cmp(&b.private_ip_address()));
        found
    };
    let cluster = search(vec![filter("tag:KubernetesCluster", &["staging.spawnhub.com"])]).await;
    let mut names: Vec<_> = cluster.iter().filter_map(|i| i.private_dns_name()).collect();
    names.sort_unstable();
    let mut nodes = MACHINES.map(|machine| machine.name);
    nodes.sort_unstable();
    assert_eq!(names, nodes);
    assert_eq!(cluster.iter().filter(|i| i.public_ip_address().is_none()).count(), 1);
    let public = cluster.iter().filter_map(|i| i.public_ip_address());
    assert!(public.clone().count() == 3 && public.into_iter().all(|ip| ip.starts_with("203.0.113.")));
    assert_eq!(search(vec![]).await.len(), 6);
    let either = filter("tag:Name", &["bastion.*", "cog-postgre?"]);
    assert_eq!(search(vec![either.clone()]).await.len(), 2);
    assert_eq!(
        search(vec![either, filter("instance-type", &["r4.large"])]).await.len(),
        1
    );
    assert_eq!(search(vec![filter("tag-key", &["k8s.io/role/node"])]).await.len(), 3);
    assert!(
        search(vec![filter("instance-state-name", &["Running"])])
            .await
            .is_empty()
    );

    let wrong = ec2
        .describe_instances()
        .filters(filter("colour", &["red"]))
        .send()
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Some("InvalidParameterValue"));
    assert_eq!(wrong.message(), Some("The filter 'colour' is invalid"));
    for (id, code) in [
        ("i-00000000", "InvalidInstanceID.NotFound"),
        ("web-1", "InvalidInstanceID.Malformed"),
    ] {
        let wrong = ec2.describe_instances().instance_ids(id).send().await.unwrap_err();
        assert_eq!(wrong.code(), Some(code), "{}", DisplayErrorContext(&wrong));
    }
}

#[tokio::test]
async fn pages_give_every_instance_once() {
    let server = start(1.0).await;
    let ec2 = client!(aws_sdk_ec2, server, SECRET);
    let mut pages = ec2.describe_instances().max_results(5).into_paginator().send();
    let (mut ids, mut count) = (std::collections::BTreeSet::new(), 0);
    while let Some(page) = pages.next().await {
        count += 1;
        ids.extend(
            page.unwrap()
                .reservations()
                .iter()
                .flat_map(|r| r.instances())
                .filter_map(|i| i.instance_id().map(str::to_owned)),
        );
    }
    assert_eq!((count, ids.len()), (2, 6));
    assert_eq!(ec2.describe_regions().send().await.unwrap().regions().len(), 17);
}

#[tokio::test]
async fn instances_stop_start_and_are_tagged() {
    let server = start(200.0).await;
    let ec2 = client!(aws_sdk_ec2, server, SECRET);
    let bastion = filter("tag:Name", &["bastion.*"]);
    let look = async || {
        ec2.describe_instances()
            .filters(bastion.clone())
            .send()
            .await
            .unwrap()
            .reservations()[0]
            .instances()[0]
            .clone()
    };
    let id = look().await.instance_id().unwrap().to_owned();
    let stopped = ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    let change = &stopped.stopping_instances()[0];
    let name = |state: Option<&aws_sdk_ec2::types::InstanceState>| state.unwrap().name().unwrap().as_str().to_owned();
    assert_eq!(
        (name(change.previous_state()), name(change.current_state())),
        ("running".into(), "stopping".into())
    );
    let state = async |wanted: &str| {
        for _ in 0..200 {
            if name(look().await.state()) == wanted {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("never {wanted}");
    };
    state("stopped").await;
    assert_eq!(look().await.public_ip_address(), None);
    ec2.start_instances().instance_ids(&id).send().await.unwrap();
    state("running").await;
    assert!(look().await.public_ip_address().is_some());
    let hostile = "a\"; rm -rf / <b>&\n";
    let tag = aws_sdk_ec2::types::Tag::builder().key("note").value(hostile).build();
    ec2.create_tags().resources(&id).tags(tag).send().await.unwrap();
    let tags = look().await.tags().to_vec();
    assert!(
        tags.iter()
            .any(|tag| tag.key() == Some("note") && tag.value() == Some(hostile))
    );
    ec2.terminate_instances().instance_ids(&id).send().await.unwrap();
    state("terminated").await;
    let again = ec2.start_instances().instance_ids(&id).send().await.unwrap_err();
    assert_eq!(again.code(), Some("IncorrectInstanceState"));
}

fn basic(name: &str, kind: RrType, values: &[&str]) -> ResourceRecordSet {
    let records = values
        .iter()
        .map(|value| ResourceRecord::builder().value(*value).build().unwrap())
        .collect();
    ResourceRecordSet::builder()
        .name(name)
        .r#type(kind)
        .ttl(300)
        .set_resource_records(Some(records))
        .build()
        .unwrap()
}

fn alias(name: &str, zone: &str, target: &str) -> ResourceRecordSet {
    let target = AliasTarget::builder()
        .hosted_zone_id(zone)
        .dns_name(target)
        .evaluate_target_health(false)
        .build()
        .unwrap();
    ResourceRecordSet::builder()
        .name(name)
        .r#type(RrType::A)
        .alias_target(target)
        .build()
        .unwrap()
}

/// The change's id, or code and message of the refusal.
async fn change(
    r53: &aws_sdk_route53::Client,
    changes: Vec<(ChangeAction, ResourceRecordSet)>,
) -> Result<String, (String, String)> {
    let changes = changes
        .into_iter()
        .map(|(action, set)| {
            Change::builder()
                .action(action)
                .resource_record_set(set)
                .build()
                .unwrap()
        })
        .collect();
    let batch = ChangeBatch::builder().set_changes(Some(changes)).build().unwrap();
    match r53
        .change_resource_record_sets()
        .hosted_zone_id(ZONE)
        .change_batch(batch)
        .send()
        .await
    {
        Ok(answer) => Ok(answer.change_info().unwrap().id().to_owned()),
        Err(error) => Err((
            error.code().unwrap_or_default().into(),
            error.message().unwrap_or_default().into(),
        )),
    }
}

async fn refused(r53: &aws_sdk_route53::Client, action: ChangeAction, set: ResourceRecordSet, words: &str) {
    let (code, message) = change(r53, vec![(action, set)]).await.unwrap_err();
    assert_eq!(code, "InvalidChangeBatch", "{message}");
    assert!(message.contains(words), "{message}");
}

#[tokio::test]
async fn records_follow_the_rules_of_the_zone() {
    use ChangeAction::{Create, Delete, Upsert};
    let server = start(1.0).await;
    let r53 = client!(aws_sdk_route53, server, SECRET);
    let name = "inspector.spawnhub.com";
    let cname = || basic(name, RrType::Cname, &[ELB]);
    change(&r53, vec![(Create, cname())]).await.unwrap();
    refused(
        &r53,
        Create,
        cname(),
        "Tried to create resource record set [name='inspector.spawnhub.com.', type='CNAME'] but it already exists",
    )
    .await;
    let a = || basic(name, RrType::A, &["203.0.113.1"]);
    refused(
        &r53,
        Upsert,
        a(),
        "because a conflicting RRSet of type CNAME with the same DNS name already exists in zone spawnhub.com.",
    )
    .await;
    refused(
        &r53,
        Delete,
        basic(name, RrType::Cname, &["other.example.com"]),
        "do not match the current values",
    )
    .await;
    refused(&r53, Delete, a(), "but it was not found").await;
    refused(
        &r53,
        Create,
        basic("spawnhub.com", RrType::Cname, &[ELB]),
        "is not permitted at apex in zone spawnhub.com.",
    )
    .await;
    refused(
        &r53,
        Create,
        basic("example.com", RrType::A, &["203.0.113.1"]),
        "RRSet with DNS name example.com. is not permitted in zone spawnhub.com.",
    )
    .await;
    refused(
        &r53,
        Upsert,
        basic("a.spawnhub.com", RrType::A, &[ELB]),
        "Value is not a valid IPv4 address",
    )
    .await;
    refused(
        &r53,
        Upsert,
        basic("a.spawnhub.com", RrType::Txt, &["no quotes"]),
        "enclosed in quotation marks",
    )
    .await;
    refused(
        &r53,
        Upsert,
        basic("a.spawnhub.com", RrType::Cname, &["b.example", "c.example"]),
        "more than one value",
    )
    .await;
    refused(
        &r53,
        Upsert,
        alias("spawnhub.com", ZONE, ELB),
        "does not lie within the target zone",
    )
    .await;
    refused(
        &r53,
        Upsert,
        alias("spawnhub.com", "Z35SXDOTRQ7X7K", ELB),
        "does not lie within the target zone",
    )
    .await;
    refused(
        &r53,
        Upsert,
        alias("spawnhub.com", ZONE, "nowhere.spawnhub.com"),
        "that target was not found",
    )
    .await;
    // All or nothing: the good half of a bad batch leaves no trace.
    let half = vec![
        (Create, basic("good.spawnhub.com", RrType::A, &["203.0.113.9"])),
        (Delete, a()),
    ];
    change(&r53, half).await.unwrap_err();
    // A CNAME becomes an A within one batch.
    change(&r53, vec![(Delete, cname()), (Create, a())]).await.unwrap();
    let twice = vec![(Delete, a()), (Delete, a())];
    assert!(
        change(&r53, twice)
            .await
            .unwrap_err()
            .1
            .contains("invalid set of changes")
    );
    change(&r53, vec![(Upsert, alias("spawnhub.com", "Z1GM3OXH4ZPM65", ELB))])
        .await
        .unwrap();

    let sets = r53
        .list_resource_record_sets()
        .hosted_zone_id(ZONE)
        .send()
        .await
        .unwrap();
    let listed: Vec<_> = sets
        .resource_record_sets()
        .iter()
        .map(|set| format!("{} {}", set.name(), set.r#type().as_str()))
        .collect();
    assert_eq!(
        listed,
        [
            "spawnhub.com. A",
            "spawnhub.com. NS",
            "spawnhub.com. SOA",
            "inspector.spawnhub.com. A"
        ]
    );
    let target = sets.resource_record_sets()[0].alias_target().unwrap();
    assert_eq!(target.dns_name().trim_end_matches('.'), ELB);
}

#[tokio::test]
async fn a_batch_counts_an_upsert_twice() {
    let server = start(1.0).await;
    let r53 = client!(aws_sdk_route53, server, SECRET);
    let many = |action: ChangeAction, count: usize| {
        (0..count)
            .map(|n| {
                (
                    action.clone(),
                    basic(&format!("n{n}.spawnhub.com"), RrType::A, &["203.0.113.1"]),
                )
            })
            .collect()
    };
    let (code, message) = change(&r53, many(ChangeAction::Upsert, 501)).await.unwrap_err();
    assert_eq!(
        (code.as_str(), message.contains("limit of 1000")),
        ("InvalidChangeBatch", true),
        "{message}"
    );
    change(&r53, many(ChangeAction::Create, 501)).await.unwrap();
    let mut names = Vec::new();
    let mut pages = 0;
    let mut start: Option<(String, RrType)> = None;
    loop {
        let mut list = r53.list_resource_record_sets().hosted_zone_id(ZONE).max_items(200);
        if let Some((name, kind)) = start {
            list = list.start_record_name(name).start_record_type(kind);
        }
        let page = list.send().await.unwrap();
        pages += 1;
        names.extend(page.resource_record_sets().iter().map(|set| set.name().to_owned()));
        if !page.is_truncated() {
            break;
        }
        start = Some((
            page.next_record_name().unwrap().into(),
            page.next_record_type().unwrap().clone(),
        ));
    }
    assert_eq!((pages, names.len()), (3, 503));
}

#[tokio::test]
async fn changes_become_insync_and_ids_are_checked() {
    let server = start(20.0).await;
    let r53 = client!(aws_sdk_route53, server, SECRET);
    let set = basic("*.spawnhub.com", RrType::A, &["203.0.113.1"]);
    let id = change(&r53, vec![(ChangeAction::Create, set)]).await.unwrap();
    let status = async || {
        r53.get_change()
            .id(&id)
            .send()
            .await
            .unwrap()
            .change_info()
            .unwrap()
            .status()
            .clone()
    };
    assert_eq!(status().await, ChangeStatus::Pending);
    let mut left = 200;
    while status().await != ChangeStatus::Insync {
        left -= 1;
        assert!(left > 0);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let sets = r53
        .list_resource_record_sets()
        .hosted_zone_id(ZONE)
        .send()
        .await
        .unwrap();
    assert_eq!(sets.resource_record_sets()[2].name(), "\\052.spawnhub.com.");
    let unknown = r53.get_change().id("C0").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_no_such_change());
    let unknown = r53
        .get_hosted_zone()
        .id("Z0")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(unknown.is_no_such_hosted_zone());
    assert_eq!(unknown.message(), Some("No hosted zone found with ID: Z0"));
    let created = r53
        .create_hosted_zone()
        .name("example.org")
        .caller_reference("1")
        .send()
        .await
        .unwrap();
    let id = created.hosted_zone().unwrap().id().to_owned();
    let by_name = r53.list_hosted_zones_by_name().send().await.unwrap();
    let names: Vec<_> = by_name.hosted_zones().iter().map(|zone| zone.name()).collect();
    assert_eq!(names, ["spawnhub.com.", "example.org."]);
    r53.delete_hosted_zone().id(id).send().await.unwrap();
    assert_eq!(r53.list_hosted_zones().send().await.unwrap().hosted_zones().len(), 1);
}

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
    for _ in 0..100 {
        if TcpStream::connect(addr).await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{addr} still accepts connections");
}

#[tokio::test]
async fn too_many_pending_changes_wait_for_the_prior_ones() {
    let server = start(0.01).await;
    let r53 = client!(aws_sdk_route53, server, SECRET);
    let set = |n: usize| {
        (
            ChangeAction::Create,
            basic(&format!("n{n}.spawnhub.com"), RrType::A, &["203.0.113.1"]),
        )
    };
    for n in 0..100 {
        change(&r53, vec![set(n)]).await.unwrap();
    }
    assert_eq!(
        change(&r53, vec![set(100)]).await.unwrap_err().0,
        "PriorRequestNotComplete"
    );
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
