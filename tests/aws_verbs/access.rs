//! What is said where there are no credentials, wrong ones, or nobody who answers.

use std::time::Duration;

use super::world;
use cogdeck::core::text::Secret;

#[tokio::test]
async fn missing_credentials_name_every_source_and_do_not_hang() {
    let mut world = world(100.0).await;
    world.context.closed = false;
    world.context.aws.keys = None;
    world.context.aws.profile = Some("a-profile-that-is-nowhere".into());
    let begin = std::time::Instant::now();
    let refused = world.run("r53:zone").await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(refused.code, "E-AWS-002", "{refused:?}");
    let hint = refused.hint.unwrap();
    for source in [
        "AWS_ACCESS_KEY_ID",
        "profile",
        "SSO",
        "container",
        "instance",
        "AWS_EC2_METADATA_DISABLED",
    ] {
        assert!(hint.contains(source), "{hint}");
    }
    assert_eq!(
        refused.causes,
        Vec::<String>::new(),
        "the SDK has nothing useful to add"
    );
}

#[tokio::test]
async fn wrong_keys_and_silence_are_told_apart() {
    let mut world = world(100.0).await;
    world.context.aws.keys = Some(("AKIASANDBOX".into(), Secret::new("wrong-secret")));
    for line in ["r53:zone", "ec2:instance-list"] {
        let refused = world.run(line).await.unwrap_err();
        assert_eq!(refused.code, "E-AWS-003", "{refused:?}");
        let told = format!("{refused:?}");
        assert!(
            !told.contains("wrong-secret") && told.contains("AWS_SECRET_ACCESS_KEY"),
            "{told}"
        );
    }
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    world.context.aws.endpoint = Some(format!("http://127.0.0.1:{port}"));
    let refused = world.run("r53:zone").await.unwrap_err();
    assert_eq!(refused.code, "E-AWS-006");
    assert!(
        refused
            .causes
            .iter()
            .any(|cause| cause.to_lowercase().contains("refused")),
        "{refused:?}"
    );
    world.context.aws.keys = None;
    assert_eq!(
        world.run("r53:zone").await.unwrap_err().code,
        "E-AWS-009",
        "a closed world uses no other account"
    );
    let _ = (&world.aws, &world.dns);
}
