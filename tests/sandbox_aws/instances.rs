//! EC2: instances found, paged, stopped, started and tagged.

use super::{SECRET, start};
use aws_sdk_ec2::types::Filter;
use aws_sdk_route53::error::{DisplayErrorContext, ProvideErrorMetadata};
use cogdeck::sandbox::cluster::MACHINES;

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
