//! What a name is answered with: chains, aliases, wildcards, delegations, weights, and when.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{ADDRESSES, ELB, addresses, question, udp, world};
use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{DNSClass, RecordType};

#[tokio::test]
async fn a_chain_is_one_answer_and_an_alias_answers_as_addresses() {
    let world = world(1e6).await;
    world
        .basic("inspector.spawnhub.com", RrType::Cname, &[ELB.into()])
        .await;
    world
        .alias("spawnhub.com", "Z1GM3OXH4ZPM65", &format!("dualstack.{ELB}"))
        .await;
    world
        .alias("again.spawnhub.com", "Z37AJ8CHRUEZC6", "spawnhub.com")
        .await;

    let answer = world.ask("INSPECTOR.spawnhub.COM.", RecordType::A).await;
    assert!(answer.metadata.authoritative && !answer.metadata.recursion_available);
    assert_eq!(
        answer.answers[0].name.to_ascii(),
        "INSPECTOR.spawnhub.COM.",
        "the case of the question"
    );
    assert_eq!(answer.answers[0].record_type(), RecordType::CNAME);
    assert_eq!(answer.answers[0].ttl, 300);
    assert_eq!(addresses(&answer), ADDRESSES);
    assert!(
        answer.answers[1..]
            .iter()
            .all(|record| record.ttl == 60 && record.name.to_ascii() == format!("{ELB}."))
    );

    for name in ["spawnhub.com.", "again.spawnhub.com."] {
        let answer = world.ask(name, RecordType::A).await;
        assert_eq!(addresses(&answer), ADDRESSES);
        assert!(answer.answers.iter().all(|record| record.name.to_ascii() == name));
    }
    assert_eq!(world.names.canonical("inspector.spawnhub.com").as_deref(), Some(ELB));
    assert_eq!(world.names.canonical("Again.spawnhub.com.").as_deref(), Some(ELB));
    assert_eq!(world.names.canonical("none.spawnhub.com"), None);
    assert_eq!(world.names.canonical("gone.ap-southeast-2.elb.amazonaws.com"), None);
}

#[tokio::test]
async fn negative_answers_say_which_kind_they_are() {
    let world = world(1e6).await;
    world
        .basic("deep.down.spawnhub.com", RrType::A, &["203.0.113.5".into()])
        .await;
    for (name, kind, code, soa) in [
        (
            "none.spawnhub.com.",
            RecordType::A,
            ResponseCode::NXDomain,
            "spawnhub.com.",
        ),
        (
            "spawnhub.com.",
            RecordType::AAAA,
            ResponseCode::NoError,
            "spawnhub.com.",
        ),
        (
            "down.spawnhub.com.",
            RecordType::A,
            ResponseCode::NoError,
            "spawnhub.com.",
        ),
        (
            "x.ap-southeast-2.elb.amazonaws.com.",
            RecordType::A,
            ResponseCode::NXDomain,
            "elb.amazonaws.com.",
        ),
        (
            &format!("{ELB}."),
            RecordType::AAAA,
            ResponseCode::NoError,
            "elb.amazonaws.com.",
        ),
    ] {
        let answer = world.ask(name, kind).await;
        assert_eq!(
            (answer.metadata.response_code, answer.answers.len()),
            (code, 0),
            "{name} {kind}"
        );
        assert!(answer.metadata.authoritative);
        let authority = &answer.authorities[0];
        assert_eq!(
            (authority.record_type(), authority.name.to_ascii().as_str()),
            (RecordType::SOA, soa)
        );
    }
    for name in ["example.com.", ".", "com.", "amazonaws.com.", "google.com."] {
        let answer = world.ask(name, RecordType::A).await;
        assert_eq!(answer.metadata.response_code, ResponseCode::Refused, "{name}");
        assert!(!answer.metadata.authoritative);
    }
    let axfr = world.ask("spawnhub.com.", RecordType::AXFR).await;
    assert_eq!(
        (axfr.metadata.response_code, axfr.answers.len()),
        (ResponseCode::Refused, 0)
    );
    let mut chaos = question("version.bind.", RecordType::TXT);
    chaos.queries[0].set_query_class(DNSClass::CH);
    assert_eq!(
        udp(world.dns.addr, &chaos).await.unwrap().metadata.response_code,
        ResponseCode::Refused
    );
    let any = world.ask("spawnhub.com.", RecordType::ANY).await;
    let kinds: Vec<_> = any.answers.iter().map(|record| record.record_type()).collect();
    assert!(
        !kinds.is_empty() && kinds.iter().all(|kind| *kind == kinds[0]),
        "one set only: {kinds:?}"
    );
}

#[tokio::test]
async fn wildcards_loops_and_delegations() {
    let world = world(1e6).await;
    world
        .basic("*.apps.spawnhub.com", RrType::A, &["203.0.113.7".into()])
        .await;
    world
        .basic("one.spawnhub.com", RrType::Cname, &["two.spawnhub.com".into()])
        .await;
    world
        .basic("two.spawnhub.com", RrType::Cname, &["one.spawnhub.com".into()])
        .await;
    world
        .basic("out.spawnhub.com", RrType::Cname, &["example.com".into()])
        .await;
    world
        .basic("sub.spawnhub.com", RrType::Ns, &["ns.example.com".into()])
        .await;
    assert_eq!(
        addresses(&world.ask("a.b.apps.spawnhub.com.", RecordType::A).await),
        [Ipv4Addr::new(203, 0, 113, 7)]
    );
    let looped = world.ask("one.spawnhub.com.", RecordType::A).await;
    assert_eq!(looped.answers.len(), 2);
    assert_eq!(world.names.canonical("one.spawnhub.com"), None);
    let out = world.ask("out.spawnhub.com.", RecordType::A).await;
    assert_eq!(
        (out.metadata.response_code, out.answers.len()),
        (ResponseCode::NoError, 1)
    );
    let referral = world.ask("www.sub.spawnhub.com.", RecordType::A).await;
    assert!(!referral.metadata.authoritative && referral.answers.is_empty());
    assert_eq!(referral.authorities[0].record_type(), RecordType::NS);
}

#[tokio::test]
async fn weighted_sets_share_by_weight() {
    let world = world(1e6).await;
    for (id, weight, address) in [
        ("blue", 3, "203.0.113.1"),
        ("green", 1, "203.0.113.2"),
        ("off", 0, "203.0.113.3"),
    ] {
        let record = ResourceRecord::builder().value(address).build().unwrap();
        let set = ResourceRecordSet::builder()
            .name("w.spawnhub.com")
            .r#type(RrType::A)
            .ttl(1);
        world
            .put(
                set.set_identifier(id)
                    .weight(weight)
                    .resource_records(record)
                    .build()
                    .unwrap(),
            )
            .await;
    }
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..200 {
        let found = addresses(&world.ask("w.spawnhub.com.", RecordType::A).await);
        assert_eq!(found.len(), 1);
        *counts.entry(found[0].octets()[3]).or_insert(0) += 1;
    }
    assert!(
        (120..=180).contains(&counts[&1]) && !counts.contains_key(&3),
        "{counts:?}"
    );
}

#[tokio::test]
async fn a_record_is_served_when_its_change_is_insync_and_not_before() {
    let world = world(10.0).await;
    let record = ResourceRecord::builder().value("203.0.113.5").build().unwrap();
    let set = ResourceRecordSet::builder()
        .name("late.spawnhub.com")
        .r#type(RrType::A)
        .ttl(60);
    world.submit(set.resource_records(record).build().unwrap()).await;
    let early = world.ask("late.spawnhub.com.", RecordType::A).await;
    assert_eq!(early.metadata.response_code, ResponseCode::NXDomain);
    let begin = std::time::Instant::now();
    while addresses(&world.ask("late.spawnhub.com.", RecordType::A).await).len() != 1 {
        assert!(begin.elapsed() < Duration::from_secs(20), "it is never served");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
