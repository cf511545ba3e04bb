//! The way down: deployment, replica sets, pods, containers, logs.

use super::super::target;
use super::*;
use crate::ui::panel::testing::pipelines;
use crate::ui::panel::{Scope, Subject};

/// Deployment, replica sets, pods, containers, logs; and back, each level as it was left.
#[tokio::test]
async fn the_way_down_from_a_deployment_and_back() {
    use crate::features::kubernetes::feed::containers::ContainerRow;
    let owned = |name: &str, owner: &str| PodRow {
        owner_kind: "ReplicaSet".into(),
        owner: owner.into(),
        namespace: "default".into(),
        ..pod(name, owner, "Running", true)
    };
    let mut deployments = vec![("web", deployment("web", 3, 3, 3))];
    deployments[0].1.namespace = "default".into();
    let sets = ["web-1", "web-2"].map(|name| {
        let revision = if name == "web-1" { 1 } else { 2 };
        let mut row = set(name, revision, 1, 1);
        row.namespace = "default".into();
        (name, row)
    });
    let bench = Bench::new()
        .with(deployments, HealthState::Live, None)
        .with(sets.to_vec(), HealthState::Live, None)
        .with(
            vec![
                ("a", owned("a", "web-1")),
                ("b", owned("b", "web-1")),
                ("c", owned("c", "web-2")),
            ],
            HealthState::Live,
            None,
        );
    let containers: Subscription<ContainerRow> = bench.hub.subscribe(
        FeedKey {
            context: bench.context.clone(),
            kind: "kubernetes/containers/default/b".into(),
        },
        |source, _| {
            source.replace([(
                "0".to_owned(),
                ContainerRow {
                    name: "app".into(),
                    image: "i:1".into(),
                    state: "Running".into(),
                    ready: true,
                    ..ContainerRow::default()
                },
            )]);
        },
    );
    let mut panel = super::super::objects::Objects::new(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    assert!(screen(&mut panel, 80, 3).contains("any kind by its name"));
    let target = Target {
        kind: "Deployment".into(),
        scope: "default".into(),
        name: "web".into(),
    };
    panel.show(&target.into());
    assert_eq!(panel.title().as_str(), "replica sets of web");
    let text = screen(&mut panel, 80, 4);
    let row = |n: usize| text.lines().nth(n).unwrap_or_default().to_owned();
    assert!(
        row(1).starts_with("web-2") && row(2).starts_with("web-1"),
        "the newest first: {text}"
    );
    let subjects = panel.subjects().unwrap();
    assert_eq!(
        subjects
            .iter()
            .map(|set| (set.target.kind.as_str(), set.target.name.as_str()))
            .collect::<Vec<_>>(),
        [("ReplicaSet", "web-2")],
        "for pipelines that a keymap binds to rows"
    );
    let actions: Vec<&str> = panel.all_actions().iter().map(|action| action.name).collect();
    for level in ["open", "delete", "pods", "logs"] {
        assert!(actions.contains(&level), "{level}: {actions:?}");
    }
    panel.key(PanelKey::Move(Motion::Last));
    let mut seen = vec![panel.version()];
    panel.key(PanelKey::Open);
    seen.push(panel.version());
    assert_eq!(panel.title().as_str(), "< pods of web-1");
    assert!(!screen(&mut panel, 80, 5).contains("\nc "), "pods of the other set");
    panel.key(PanelKey::Move(Motion::Last));
    panel.key(PanelKey::Open);
    seen.push(panel.version());
    assert_eq!(panel.title().as_str(), "< containers of b");
    assert!(screen(&mut panel, 80, 3).contains("✓ Running"));
    assert_eq!(
        pipelines(&panel.key(PanelKey::Open)),
        ["kubectl:logs b --container app --tail=50"]
    );
    assert_eq!(
        pipelines(&panel.key(PanelKey::Act("shell"))),
        ["kubectl:exec --stdin --tty --container=app b -- sh"]
    );
    assert!(panel.back());
    seen.push(panel.version());
    assert_eq!(
        pipelines(&panel.key(PanelKey::Act("describe"))),
        ["kubectl:describe po b"],
        "the selection is where it was"
    );
    panel.key(PanelKey::Move(Motion::Left));
    seen.push(panel.version());
    assert_eq!(panel.title().as_str(), "replica sets of web");
    assert!(!panel.back());
    assert!(seen.is_sorted_by(|a, b| a < b), "a frame is due at each step: {seen:?}");
    drop(containers);
}

#[tokio::test]
async fn the_way_down_stays_in_the_context_of_the_row() {
    let bench = Bench::new();
    let here = bench.context.clone();
    let there = Arc::new(Context::empty("green"));
    let mut web = deployment("web", 1, 1, 1);
    web.namespace = "default".into();
    let bench = bench
        .in_context(&there)
        .with(vec![("web", web)], HealthState::Live, None)
        .with(vec![("web-2", set("web-2", 2, 1, 1))], HealthState::Live, None);
    let mut panel = super::super::objects::Objects::new(&bench.hub, &Clients::new());
    let scope = Scope::with(&here, std::slice::from_ref(&there));
    panel.open_in(&scope);
    let web = target("Deployment", "default", "web");
    panel.show(&Subject::of(web.clone(), &there));
    assert_eq!(panel.title().as_str(), "replica sets of web @green");
    let describe =
        |panel: &mut super::super::objects::Objects| pipelines(&panel.key(PanelKey::Act("describe"))).join("; ");
    screen(&mut panel, 80, 4);
    assert_eq!(describe(&mut panel), "@green kubectl:describe rs web-2");
    panel.key(PanelKey::Open);
    assert_eq!(panel.title().as_str(), "< pods of web-2 @green");
    // Hidden and shown again it is where it was; in other contexts it begins anew, at home.
    panel.close();
    panel.open_in(&scope);
    assert_eq!(panel.title().as_str(), "< pods of web-2 @green");
    panel.open(&here);
    assert_eq!(panel.title().as_str(), "replica sets of web");
    // A row of the session's own needs no name on its lines.
    panel.open_in(&scope);
    panel.show(&web.into());
    assert_eq!(panel.title().as_str(), "replica sets of web");
}
