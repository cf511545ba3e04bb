//! Route 53: the rules of a zone, batches, and changes on their way to INSYNC.

use super::{ELB, SECRET, ZONE, start};
use aws_sdk_route53::error::ProvideErrorMetadata;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord, ResourceRecordSet, RrType,
};

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
