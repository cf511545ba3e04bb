//! Permissions as lines meet them.

use std::collections::BTreeMap;

use cogdeck::access::{Decision, Permissions, Policy, rules_of};
use cogdeck::core::clock::Clock;
use cogdeck::features::{Features, Shared};
use cogdeck::feed::Hub;
use cogdeck::verb::{Declaration, Known, Verb};
use serde_json::{Value, json};

use super::bench::{code, run, with_policy};

fn policy(mia: &[&str], rules: &[&str]) -> Policy {
    let own = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let users = BTreeMap::from([
        ("mia".to_owned(), Permissions::new(own(mia)).unwrap()),
        ("root".to_owned(), Permissions::new(own(&["*"])).unwrap()),
    ]);
    Policy::new(users, own(rules), Vec::new()).unwrap()
}

#[tokio::test]
async fn r6_a_denied_third_stage_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ran");
    let session = with_policy(policy(
        &["cogdeck:shell"],
        &["when command is cogdeck:count must have site:count"],
    ));
    let touch = format!("sh 'touch {}'", file.display());
    assert_eq!(
        code(&session, &format!("{touch} | head 1 | count")).await,
        ("E-ACCESS-001", 2)
    );
    assert_eq!(
        code(&session, &format!("{touch} | head 1 | head --lines x")).await,
        ("E-TYPE-001", 2)
    );
    assert!(!file.exists());
    assert_eq!(run(&session, &format!("{touch} | head 1")).await.exit, 0);
    assert!(file.exists());
    let session = with_policy(policy(&[], &[]));
    let report = run(&session, &touch).await.report.unwrap();
    assert!(
        report
            .message
            .contains("mia may not run cogdeck:sh: when command is cogdeck:sh must have cogdeck:shell")
    );
    let place = report.place.unwrap();
    assert_eq!(&place.source[place.span], "sh");
}

#[tokio::test]
async fn r6_values_of_records_are_asked_about_one_by_one() {
    let rules = [
        "when command is cogdeck:echo allow",
        "when command is cogdeck:echo with arg[0] == 3 must have site:three",
    ];
    let session = with_policy(policy(&[], &rules));
    let ran = run(&session, "seed --range 1-5 | map n= | on-error=continue echo $n").await;
    assert_eq!(
        (ran.records, ran.exit),
        (vec![json!(1), json!(2), json!(4), json!(5)], 1)
    );
    assert_eq!((ran.failed.len(), ran.failed[0].code), (1, "E-ACCESS-001"));
    assert_eq!(ran.failed[0].record.as_deref(), Some(&json!({"n": 3})));
    assert_eq!(code(&session, "echo 3").await, ("E-ACCESS-001", 2));
    assert_eq!(code(&session, "echo 4").await, ("", 0));
}

#[tokio::test]
async fn r5_may_answers_without_running() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ran");
    let rules = [
        "when command is cogdeck:echo allow",
        "when command is cogdeck:echo with arg[0] == x must have site:x",
    ];
    let session = with_policy(policy(&["cogdeck:shell"], &rules));
    let line = format!("sh \"touch {}\" | echo $line", file.display());
    let allowed = |ran: super::bench::Ran| ran.records.iter().map(|r| r["allowed"].clone()).collect::<Vec<Value>>();
    let ask = |user: &str| format!("may {user} '{}'", line);
    assert_eq!(
        allowed(run(&session, &ask("mia")).await),
        vec![json!(true), json!(null)]
    );
    assert_eq!(
        allowed(run(&session, &ask("root")).await),
        vec![json!(true), json!(true)]
    );
    let ran = run(&session, &ask("bo")).await;
    assert!(
        ran.records[0]["reason"]
            .as_str()
            .unwrap()
            .contains("bo may not run cogdeck:sh"),
        "{ran:?}"
    );
    assert_eq!(allowed(ran), vec![json!(false), json!(null)]);
    assert!(!file.exists());
    assert_eq!(code(&session, "may mia 'nope'").await, ("E-RESOLVE-004", 2));
}

#[tokio::test]
async fn l25_the_sites_aliases_are_guarded() {
    let session = with_policy(policy(&[], &[]));
    assert_eq!(run(&session, "alias create x 'echo x'").await.exit, 0);
    for line in [
        "alias create site:y 'echo y'",
        "alias move x site",
        "alias move x site:z",
    ] {
        assert_eq!(code(&session, line).await, ("E-ACCESS-001", 2), "{line}");
    }
    let session = with_policy(policy(&["cogdeck:site-aliases"], &[]));
    assert_eq!(run(&session, "alias create site:y 'echo y'").await.exit, 0);
    assert_eq!(run(&session, "alias delete site:y").await.exit, 0);
}

#[tokio::test]
async fn r4_every_built_in_rule_can_be_read() {
    let clock = Clock::real();
    let shared = Shared::alone(Hub::new(clock.clone()), clock);
    let verbs = Features::new(shared)
        .commands()
        .into_iter()
        .flat_map(|feature| feature.verbs);
    for verb in verbs {
        for known in [Known::default(), looking(&verb.declaration)] {
            let rules = rules_of(&verb.declaration, &known);
            assert!(rules.is_ok(), "{}: {:?}", verb.declaration.qualified(), rules.err());
        }
    }
}

/// Arguments with which a command that changes something only looks, where there are some.
fn looking(declaration: &Declaration) -> Known {
    let first = declaration.only_looks.with.first();
    let option = first.map(|(option, value)| ((*option).to_owned(), Some(json!(value))));
    Known {
        options: option.into_iter().collect(),
        ..Known::default()
    }
}

#[tokio::test]
async fn who_may_look_may_do_what_only_looks() {
    let clock = Clock::real();
    let shared = Shared::alone(Hub::new(clock.clone()), clock);
    let policy = policy(&["kubectl:read"], &[]);
    let allowed =
        |verb: &Verb, known: &Known| policy.decide("mia", &verb.declaration, known).unwrap() == Decision::Allowed;
    let mut looked = 0;
    for verb in Features::new(shared)
        .commands()
        .into_iter()
        .flat_map(|feature| feature.verbs)
    {
        if verb.declaration.bundle != "kubectl" || verb.declaration.only_looks.with.is_empty() {
            continue;
        }
        looked += 1;
        let known = looking(&verb.declaration);
        assert!(allowed(&verb, &known), "{}", verb.declaration.qualified());
        // What a variable will say may be the change.
        let unknown = known.options.keys().map(|name| (name.clone(), None)).collect();
        let unknown = Known {
            options: unknown,
            ..Known::default()
        };
        for known in [Known::default(), unknown] {
            assert!(!allowed(&verb, &known), "{}", verb.declaration.qualified());
        }
    }
    assert!(looked >= 10, "{looked}");
}
