//! Several rollouts at once, which of them is shown, and in which context.

use super::*;

/// What goes on in several at once: three of them, one with a broken image.
fn several() -> Bench {
    let moving = |name: &str, second: i64| {
        let mut row = deployment(name, 3, 1, 3);
        row.created = Timestamp::from_second(second).ok();
        row
    };
    let own = |name: &str, owner: &str, revision: i64, desired: i64, ready: i64| {
        let mut row = set(name, revision, desired, ready);
        row.owner_uid = owner.into();
        row
    };
    Bench::new()
        .with(
            vec![
                ("api", deployment("api", 1, 1, 1)),
                ("one", moving("one", 1)),
                ("three", moving("three", 3)),
                ("two", moving("two", 2)),
            ],
            HealthState::Live,
            None,
        )
        .with(
            vec![
                ("one-1", own("one-1", "one", 1, 3, 3)),
                ("one-2", own("one-2", "one", 2, 1, 0)),
                ("two-1", own("two-1", "two", 1, 2, 2)),
                ("two-2", own("two-2", "two", 2, 2, 1)),
                ("three-2", own("three-2", "three", 2, 3, 2)),
            ],
            HealthState::Live,
            None,
        )
        .with(
            vec![("n1", pod("one-2-n1", "one-2", "ErrImagePull", false))],
            HealthState::Live,
            None,
        )
}

#[tokio::test]
async fn several_rollouts_are_a_bar_each_and_one_can_be_opened() {
    let bench = several();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let text = screen(&mut panel, 80, 12);
    assert_eq!(panel.title().as_str(), "rollouts 3");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("3 rollouts go on"), "{text}");
    assert!(
        lines[1].starts_with("three  [█") && lines[1].contains("2/3 of 2.0.0"),
        "the last to move first: {text}"
    );
    assert!(
        lines[2].starts_with("two") && lines[2].contains('▒') && lines[2].contains("~ updating"),
        "{text}"
    );
    assert!(
        lines[3].starts_with("one") && lines[4].contains("✗ ErrImagePull one-2-n1"),
        "{text}"
    );
    assert!(!text.contains("api"), "what rests is not there: {text}");
    // What was changed here stands first.
    panel.focus_on(&deployment_named("one").into());
    assert!(screen(&mut panel, 80, 12).lines().nth(1).unwrap().starts_with("one"));
    panel.key(PanelKey::Move(Motion::Last));
    screen(&mut panel, 80, 12);
    assert!(panel.key(PanelKey::Open).is_empty());
    let text = screen(&mut panel, 80, 12);
    assert_eq!(panel.title().as_str(), "rollout two");
    assert!(text.lines().any(|line| line.starts_with("new 2.0.0")), "{text}");
    assert!(panel.back() && !panel.back());
    assert_eq!(panel.title().as_str(), "rollouts 3");
    for (columns, rows) in [(1, 1), (10, 3), (40, 6), (200, 60)] {
        screen(&mut panel, columns, rows);
    }
    assert!(screen(&mut panel, 40, 3).contains("two"), "the selected one is in view");
}

#[tokio::test]
async fn what_is_pinned_wins_over_changes_and_over_several() {
    let bench = several();
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let told = panel.hold(&deployment_named("api").into()).unwrap();
    assert_eq!(told.as_str(), "the rollout panel stays on api");
    assert!(!panel.focus_on(&deployment_named("one").into()));
    assert_eq!(panel.title().as_str(), "rollout api  pinned");
    assert!(screen(&mut panel, 80, 12).contains("✓ available 1 of 1"));
    assert!(!panel.back(), "back does not let go of it");
    screen(&mut panel, 80, 12);
    let effects = panel.key(PanelKey::Act("hold"));
    let [Effect::Toast(told)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(told.as_str(), "the rollout panel follows the last change again");
    assert_eq!(panel.title().as_str(), "rollouts 3");
    // Shown from another panel it stays until something else is changed here.
    panel.show(&deployment_named("api").into());
    assert_eq!(panel.title().as_str(), "rollout api");
    panel.focus_on(&deployment_named("two").into());
    assert_eq!(panel.title().as_str(), "rollouts 3");
    // A pin on a deployment that is gone holds nothing up.
    panel.hold(&deployment_named("gone").into());
    assert_eq!(panel.title().as_str(), "rollouts 3");
    let service = Target {
        kind: "Service".into(),
        ..deployment_named("api")
    };
    assert!(panel.hold(&service.clone().into()).is_none());
}

#[tokio::test]
async fn it_shows_one_context_and_says_which() {
    let bench = rolling();
    let here = bench.context.clone();
    let there = Arc::new(Context::empty("green"));
    let bench = bench
        .in_context(&there)
        .with(vec![("db", deployment("db", 2, 2, 2))], HealthState::Live, None);
    let mut panel = RolloutPanel::new(&bench.hub, &Clients::new());
    let scope = Scope::with(&here, std::slice::from_ref(&there));
    panel.open_in(&scope);
    assert_eq!(panel.title().as_str(), "rollout web @test", "the session's own");
    let db = Subject::of(deployment_named("db"), &there);
    panel.show(&db);
    assert_eq!(panel.title().as_str(), "rollout db @green", "what was chosen");
    assert!(panel.folded().as_str().starts_with("rollout db @green  "));
    assert!(
        panel
            .health()
            .iter()
            .all(|source| source.context == Some("green".into()))
    );
    screen(&mut panel, 80, 12);
    assert_eq!(
        pipelines(&panel.key(PanelKey::Act("undo"))),
        ["@green kubectl:rollout-undo deploy db"]
    );
    // It stays there when it is looked at again, and follows changes into the contexts that are shown.
    panel.close();
    panel.open_in(&scope);
    assert_eq!(panel.title().as_str(), "rollout db @green");
    screen(&mut panel, 80, 12);
    assert!(panel.focus_on(&deployment_named("api").into()));
    assert_eq!(panel.title().as_str(), "rollout api @test");
    assert_eq!(
        panel.key(PanelKey::Act("undo")),
        [Effect::Toast(super::super::acts::NOTHING.into())],
        "nothing of the context before is acted on"
    );
    let elsewhere = Subject::of(deployment_named("web"), &Arc::new(Context::empty("red")));
    assert!(!panel.focus_on(&elsewhere));
    assert_eq!(panel.title().as_str(), "rollout api @test", "red is not shown");
    panel.hold(&deployment_named("api").into());
    assert!(!panel.focus_on(&db), "what is pinned stays");
    assert_eq!(panel.title().as_str(), "rollout api @test  pinned");
    // One context again: it is not said, and what was followed among several is not.
    panel.open(&here);
    assert_eq!(panel.title().as_str(), "rollout web");
}
