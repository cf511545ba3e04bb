//! Zones and their records: listed, created, replaced, deleted and brought back.

use std::time::Duration;

use super::{ELB, NAME, ZONE, collected, world};
use cogdeck::core::change::Risk;
use cogdeck::core::record::Record;
use cogdeck::render::View;
use cogdeck::verb::{Action, Item, Output};
use serde_json::{Value, json};
use tokio::sync::mpsc;

fn text(item: &Item) -> &str {
    match item.view.as_ref() {
        Some(View::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn zones_and_records_are_listed_by_id_name_and_pipe() {
    let world = world(100.0).await;
    let zones = world.run("r53:zone list").await.unwrap();
    assert_eq!(zones[0]["Id"], json!(format!("/hostedzone/{ZONE}")));
    assert_eq!(
        (&zones[0]["Name"], &zones[0]["Private"]),
        (&json!("spawnhub.com."), &json!(false))
    );
    assert_eq!(world.run("r53:zone --name nosuch").await.unwrap(), Vec::<Value>::new());
    let kinds = |records: Vec<Record>| {
        records
            .into_iter()
            .map(|r| r["Type"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for zone in [
        ZONE.to_owned(),
        format!("/hostedzone/{ZONE}"),
        "spawnhub.com".into(),
        "SpawnHub.com.".into(),
    ] {
        let records = world.run(&format!("r53:record-list -z {zone}")).await.unwrap();
        assert!(records.iter().all(|record| record["Zone"] == ZONE), "{records:?}");
        assert_eq!(kinds(records), ["NS", "SOA"], "{zone}");
    }
    let piped = world
        .run_items("r53:record-list -t soa", Some(zones[0].clone()))
        .await
        .unwrap();
    assert_eq!(piped.len(), 1);
    // The only zone of the account needs no name, and a name needs no option.
    for line in ["r53:record-list", "r53:record-list spawnhub.com"] {
        assert_eq!(kinds(world.run(line).await.unwrap()), ["NS", "SOA"], "{line}");
    }
    let unknown = world.run("r53:record-list -z spawnhub.con").await.unwrap_err();
    assert_eq!(
        (unknown.code, unknown.hint.as_deref()),
        ("E-R53-001", Some("did you mean spawnhub.com.?"))
    );
    let absent = world.run("r53:record-list -z Z0000000000000").await.unwrap_err();
    assert!(
        absent
            .message
            .contains("NoSuchHostedZone: No hosted zone found with ID: Z0000000000000"),
        "{absent:?}"
    );
}

#[tokio::test]
async fn a_record_is_created_waited_for_answered_and_undone() {
    let world = world(20.0).await;
    let line = format!("r53:record-create -z {ZONE} -t CNAME --wait {NAME} {ELB}");
    let change = world.plan(&line).await.unwrap();
    assert_eq!(
        (change.risk, &change.before, change.target.name.as_str()),
        (Risk::Change, &Value::Null, NAME)
    );
    assert_eq!(
        world.records("inspector").await,
        Vec::<Value>::new(),
        "a plan changes nothing"
    );
    let item = world.apply(&line, &change).await.unwrap();
    assert_eq!(item.record["change"]["status"], "INSYNC");
    let id = item.record["change"]["id"].as_str().unwrap();
    assert_eq!(
        text(&item),
        format!("Request: upsert basic CNAME record {NAME}. -> {ELB} (TTL 300)\nChange:  {id} INSYNC")
    );
    assert!(
        world
            .operator
            .progress
            .lock()
            .unwrap()
            .iter()
            .any(|text| text.contains("PENDING"))
    );
    assert_eq!(
        world.records("inspector").await,
        [
            json!({"Zone": ZONE, "Name": "inspector.spawnhub.com.", "Type": "CNAME", "TTL": 300, "AliasTarget": null,
                "ResourceRecords": [ELB]})
        ]
    );
    let answer = world.dig(NAME, "A").await;
    assert_eq!(answer.len(), 3, "{answer:?}");
    assert_eq!(answer[0].trim_end_matches('.'), ELB);

    let over = world
        .make(&format!(
            "r53:record-create -z {ZONE} -t CNAME --ttl 60 {NAME} elsewhere.example"
        ))
        .await;
    assert_eq!(over.risk, Risk::Destroy, "a live record is replaced");
    assert_eq!(over.before, change.after);
    world.undo(&over).await;
    world.undo(&change).await;
    assert_eq!(world.records("inspector").await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_apex_takes_an_alias_and_no_cname() {
    let world = world(100.0).await;
    let short = format!("r53:record-create -z {ZONE} -t CNAME www {ELB}");
    let change = world.plan(&short).await.unwrap();
    let hint = world.apply(&short, &change).await.unwrap_err().hint.unwrap();
    assert!(hint.ends_with("did you mean www.spawnhub.com?"), "{hint}");
    let cname = format!("r53:record-create -z {ZONE} -t CNAME spawnhub.com {ELB}");
    let change = world.plan(&cname).await.unwrap();
    let refused = world.apply(&cname, &change).await.unwrap_err();
    assert!(
        refused.message.contains("InvalidChangeBatch: ")
            && refused
                .message
                .contains("is not permitted at apex in zone spawnhub.com."),
        "{refused:?}"
    );
    let advice = refused.hint.unwrap();
    let alias = advice.strip_prefix("at the apex make an alias: ").unwrap();
    assert!(alias.contains("--alias-target-zone auto"), "{alias}");
    let change = world.make(&format!("{alias} --wait")).await;
    assert_eq!(change.after["AliasTarget"]["HostedZoneId"], "Z1GM3OXH4ZPM65");
    let shown = world.run(&format!("r53:record-list -z {ZONE} -t A")).await.unwrap();
    assert_eq!(
        (&shown[0]["TTL"], &shown[0]["ResourceRecords"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(shown[0]["AliasTarget"]["EvaluateTargetHealth"], false);
    assert_eq!(world.dig("spawnhub.com", "A").await, ["198.51.100.1", "198.51.100.2"]);

    let explicit = format!("r53:record-create -z {ZONE} -t A -a Z1GM3OXH4ZPM65 spawnhub.com {ELB}.");
    assert!(
        world.plan(&explicit).await.unwrap().is_noop(),
        "a final dot makes no difference"
    );
    let over = world
        .make(&format!(
            "r53:record-create -z {ZONE} -t A spawnhub.com 203.0.113.9 203.0.113.8"
        ))
        .await;
    world.undo(&over).await;
    let wrong = format!("r53:record-create -z {ZONE} -t A -a Z1H1FL5HABSF5 www.spawnhub.com {ELB}");
    let planned = world.plan(&wrong).await.unwrap();
    let refused = world.apply(&wrong, &planned).await.unwrap_err();
    assert!(
        refused
            .message
            .contains("the alias target name does not lie within the target zone"),
        "{refused:?}"
    );
    world.undo(&change).await;
}

#[tokio::test]
async fn a_cname_stands_alone_and_the_hint_says_how() {
    let world = world(100.0).await;
    world
        .make(&format!("r53:record-create -z {ZONE} -t A {NAME} 203.0.113.9"))
        .await;
    let line = format!("r53:record-create -z {ZONE} -t CNAME {NAME} {ELB}");
    let change = world.plan(&line).await.unwrap();
    let refused = world.apply(&line, &change).await.unwrap_err();
    assert!(refused.message.contains("conflicts with other records"), "{refused:?}");
    let hint = refused.hint.unwrap();
    let (_, removal) = hint.split_once("first: ").unwrap();
    let removed = world.make(removal).await;
    world.apply(&line, &world.plan(&line).await.unwrap()).await.unwrap();
    let back = removed.inverse.unwrap().pipeline;
    let refused = world.apply(&back, &world.plan(&back).await.unwrap()).await.unwrap_err();
    assert!(
        refused.message.contains("conflicting RRSet of type CNAME"),
        "{refused:?}"
    );
    assert!(refused.hint.unwrap().contains("--type CNAME"));
}

#[tokio::test]
async fn what_moved_meanwhile_is_refused_with_the_difference() {
    let world = world(100.0).await;
    let line = format!("r53:record-create -z {ZONE} -t CNAME {NAME} {ELB}");
    let old_plan = world.plan(&line).await.unwrap();
    world
        .make(&format!("r53:record-create -z {ZONE} -t CNAME {NAME} other.example"))
        .await;
    let refused = world.apply(&line, &old_plan).await.unwrap_err();
    assert_eq!((refused.code, refused.severity.exit_code()), ("E-R53-006", 2));
    assert!(refused.message.contains("other.example"), "{refused:?}");
    let delete = format!("r53:record-delete -z {ZONE} {NAME}");
    let old_plan = world.plan(&delete).await.unwrap();
    world.make(&line).await;
    assert_eq!(world.apply(&delete, &old_plan).await.unwrap_err().code, "E-R53-006");
    assert_eq!(
        world.records("inspector").await[0]["ResourceRecords"],
        json!([ELB]),
        "nothing was deleted"
    );
}

#[tokio::test]
async fn deletions_take_exactly_what_was_meant() {
    let world = world(100.0).await;
    world
        .make(&format!(
            "r53:record-create -z {ZONE} -t A --ttl 60 {NAME} 203.0.113.9 203.0.113.8"
        ))
        .await;
    world
        .make(&format!("r53:record-create -z {ZONE} -t TXT {NAME} 'say \"hi\"; exit'"))
        .await;
    let listed = world.records("inspector").await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1]["ResourceRecords"], json!(["\"say \\\"hi\\\"; exit\""]));
    let several = world
        .plan(&format!("r53:record-delete -z {ZONE} {NAME}"))
        .await
        .unwrap_err();
    assert_eq!(
        (several.code, several.hint.as_deref()),
        ("E-R53-019", Some("name one with --type: A, TXT"))
    );
    let other = world
        .plan(&format!("r53:record-delete -z {ZONE} -t A {NAME} 203.0.113.9"))
        .await
        .unwrap_err();
    assert_eq!(other.code, "E-R53-020");
    let absent = world
        .plan(&format!("r53:record-delete -z {ZONE} -t MX {NAME}"))
        .await
        .unwrap_err();
    assert_eq!(
        (absent.code, absent.hint.as_deref()),
        ("E-R53-021", Some("that name has: A, TXT"))
    );

    for record in listed {
        let change = world.plan_on("r53:record-delete", Some(record.clone())).await.unwrap();
        assert_eq!(change.risk, Risk::Destroy);
        world.apply("r53:record-delete", &change).await.unwrap();
        assert_eq!(
            world.plan_on("r53:record-delete", Some(record)).await.unwrap_err().code,
            "E-R53-021"
        );
        world.undo(&change).await;
    }
    assert_eq!(world.records("inspector").await.len(), 2, "all undone");
    let nonsense = world
        .plan_on("r53:record-delete -z spawnhub.com", Some(json!({"x": 1})))
        .await
        .unwrap_err();
    assert_eq!(nonsense.code, "E-R53-018");
    let soa = format!("r53:record-delete -z {ZONE} -t SOA spawnhub.com");
    let refused = world.apply(&soa, &world.plan(&soa).await.unwrap()).await.unwrap_err();
    assert!(refused.message.contains("must contain at least one SOA"), "{refused:?}");
}

#[tokio::test]
async fn the_host_of_a_service_comes_down_the_pipe() {
    let world = world(100.0).await;
    let line = format!("r53:record-create -z {ZONE} -t CNAME {NAME}");
    let service = json!({"kind": "Service", "status": {"loadBalancer": {"ingress": [{"hostname": ELB}]}}});
    let change = world.plan_on(&line, Some(service)).await.unwrap();
    assert_eq!(change.after["ResourceRecords"], json!([ELB]));
    world.apply(&line, &change).await.unwrap();
    assert_eq!(world.records("inspector").await[0]["ResourceRecords"], json!([ELB]));
    let pending = json!({"kind": "Service", "status": {"loadBalancer": {}}});
    assert_eq!(world.plan_on(&line, Some(pending)).await.unwrap_err().code, "E-R53-017");
}

#[tokio::test]
async fn hostile_names_stay_data_there_and_back() {
    let world = world(100.0).await;
    for name in [
        "*.spawnhub.com",
        "$(reboot).spawnhub.com",
        "-t.spawnhub.com",
        "a'b;c|d.spawnhub.com",
    ] {
        let set = json!({"Zone": ZONE, "Name": name, "Type": "TXT", "TTL": 60, "AliasTarget": null,
                         "ResourceRecords": ["\"x\""]});
        let (verb, mut call) = world.call(&format!("r53:record-create -z {ZONE} -t TXT x"), None);
        call.arguments.positionals = vec![json!(name), json!("; $(reboot) | 'x' \"\u{1b}[2J\" --yes")];
        let Action::Mutate(mutate) = &verb.action else { panic!() };
        let Ok(mut changes) = mutate.plan(&call).await else {
            panic!("{set}")
        };
        let change = changes.remove(0);
        let (sender, receiver) = mpsc::channel(16);
        mutate.apply(&call, &change, &Output::new(sender)).await.unwrap();
        assert_eq!(collected(receiver).await.len(), 1);
        world.undo(&change).await;
    }
    assert_eq!(
        world.run(&format!("r53:record-list -z {ZONE} -t TXT")).await.unwrap(),
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn a_cancelled_wait_tells_that_the_change_was_made() {
    let world = world(0.01).await;
    let line = format!("r53:record-create -z {ZONE} -t CNAME --wait {NAME} {ELB}");
    let change = world.plan(&line).await.unwrap();
    let (verb, call) = world.call(&line, None);
    let Action::Mutate(mutate) = &verb.action else { panic!() };
    let (sender, receiver) = mpsc::channel(16);
    let output = Output::new(sender);
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        world.cancel.cancel();
    };
    let (applied, ()) = tokio::join!(mutate.apply(&call, &change, &output), cancel);
    drop(output);
    assert_eq!(applied.unwrap_err().severity.exit_code(), 130);
    assert_eq!(collected(receiver).await[0].record["change"]["status"], "PENDING");
}
