//! Instances: listed and searched.

use super::world;
use cogdeck::render::View;
use serde_json::json;

#[tokio::test]
async fn instances_are_listed_and_searched() {
    let world = world(100.0).await;
    let all = world.run_items("ec2:instance-list", None).await.unwrap();
    assert_eq!(all.len(), 6);
    let View::Row { header, cells } = all[0].view.as_ref().unwrap() else {
        panic!("a row")
    };
    assert_eq!(
        header.columns.join(" "),
        "INSTANCE-ID NAME STATE TYPE ZONE PRIVATE-IP PUBLIC-IP AGE"
    );
    assert!(cells[0].starts_with("i-") && cells[2] == "running", "{cells:?}");

    let cluster = world
        .run("ec2:instance-search 'tag:KubernetesCluster=staging.spawnhub.com'")
        .await
        .unwrap();
    assert_eq!(cluster.len(), 4);
    let public: Vec<&str> = cluster
        .iter()
        .filter_map(|record| record.get("public_ip_address")?.as_str())
        .collect();
    assert!(
        public.len() == 3 && public.iter().all(|ip| ip.starts_with("203.0.113.")),
        "{public:?}"
    );
    for record in &cluster {
        assert_eq!(record["tags"]["KubernetesCluster"], "staging.spawnhub.com");
        assert_eq!(record["state"], json!({"code": 16, "name": "running"}));
        assert!(
            record["placement"]["availability_zone"]
                .as_str()
                .unwrap()
                .starts_with("ap-southeast-2")
        );
        assert!(record["launch_time"].as_str().unwrap().ends_with('Z'));
        assert!(!record.to_string().contains("null"), "{record}");
    }
    assert_eq!(
        world
            .run("ec2:instance-search 'tag:Name=bastion.*' 'tag:Name=cog-postgre?'")
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        world
            .run("ec2:instance-search 'tag:Name=bastion.*' instance-type=none")
            .await
            .unwrap()
            .len(),
        0
    );
    let wrong = world.run("ec2:instance-search colour=red").await.unwrap_err();
    assert!(
        wrong
            .message
            .contains("InvalidParameterValue: The filter 'colour' is invalid"),
        "{wrong:?}"
    );
    assert_eq!(
        world.run("ec2:instance-search running").await.unwrap_err().code,
        "E-EC2-001"
    );
    let closed = world.run("ec2:instance-list -r 'evil.example/'").await.unwrap_err();
    assert_eq!(closed.code, "E-AWS-010");
}
