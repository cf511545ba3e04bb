//! All namespaces at once: rows say in which they are, and what is done with them is done there.

use super::super::{deployments, pods, target};
use super::*;
use crate::ui::panel::testing::pipelines;
use crate::ui::panel::{Scope, Which};

/// A context whose panels show all namespaces.
fn empty() -> Bench {
    let mut context = Context::empty("test");
    context.kubernetes.everywhere = true;
    Bench::new().in_context(&Arc::new(context))
}

/// The same pod in two of them, and another one.
fn everywhere() -> Bench {
    let in_namespace = |namespace: &str, name: &str| PodRow {
        namespace: namespace.into(),
        containers: 1,
        ..pod(name, "s", "Running", true)
    };
    empty().with(
        vec![
            ("blue/web-1", in_namespace("blue", "web-1")),
            ("blue/web-2", in_namespace("blue", "web-2")),
            ("green/web-1", in_namespace("green", "web-1")),
        ],
        HealthState::Live,
        None,
    )
}

fn lines(effects: &[Effect]) -> String {
    pipelines(effects).join("; ")
}

#[tokio::test]
async fn rows_of_all_namespaces_say_where_they_are_and_are_acted_on_there() {
    let bench = everywhere();
    let mut panel = pods::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let text = screen(&mut panel, 100, 5);
    let begins: Vec<String> = text
        .lines()
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        begins,
        ["NAMESPACE NAME", "blue web-1", "blue web-2", "green web-1"],
        "{text}"
    );
    let grid = panel.grid(Which::All, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(
        (grid.columns[0].as_str(), grid.rows[2][0].as_str()),
        ("NAMESPACE", "green")
    );
    panel.key(PanelKey::Move(Motion::Last));
    assert_eq!(
        lines(&panel.key(PanelKey::Act("logs"))),
        "kubectl:logs --namespace=green web-1 --tail=50"
    );
    assert_eq!(
        lines(&panel.key(PanelKey::Act("shell"))),
        "kubectl:exec --namespace=green --stdin --tty web-1 -- sh",
        "before the command that runs there"
    );
    assert_eq!(
        lines(&panel.key(PanelKey::Act("delete"))),
        "kubectl:delete --namespace=green po web-1"
    );
    panel.filter("green");
    assert!(panel.title().as_str().ends_with("/green 1"), "{}", panel.title());
}

/// Of two pods with one name only the marked one is meant, and it stays marked while the other one goes.
#[tokio::test]
async fn the_same_name_in_two_namespaces_is_two_rows() {
    let bench = everywhere();
    let mut panel = pods::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    panel.key(PanelKey::Move(Motion::Last));
    panel.key(PanelKey::Mark);
    let feed = bench.feeds[0].downcast_ref::<Subscription<PodRow>>().unwrap();
    feed.source().write(|table| table.remove("blue/web-1"));
    assert_eq!(panel.title().as_str(), "pods 2  1 marked");
    let describe = |panel: &mut dyn Panel| lines(&panel.key(PanelKey::Act("describe")));
    assert_eq!(describe(&mut panel), "kubectl:describe --namespace=green po web-1");
    // One line a namespace.
    panel.key(PanelKey::Move(Motion::First));
    panel.key(PanelKey::Mark);
    assert_eq!(
        describe(&mut panel),
        "kubectl:describe --namespace=blue po web-2; kubectl:describe --namespace=green po web-1"
    );
    // Copied as one text.
    let copied = panel.key(PanelKey::Act("copy"));
    assert_eq!(copied, [Effect::Copy(crate::core::text::SafeText::new("web-2\nweb-1"))]);
}

#[tokio::test]
async fn where_one_namespace_is_shown_nothing_names_it() {
    let rows = vec![("a", pod("a", "s", "Running", true))];
    let bench = Bench::new().with(rows, HealthState::Live, None);
    let mut panel = pods::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    assert!(screen(&mut panel, 100, 3).starts_with("NAME "));
    assert_eq!(lines(&panel.key(PanelKey::Act("describe"))), "kubectl:describe po a");
}

/// The way down and the rollout panel are about the deployment of one namespace.
#[tokio::test]
async fn a_deployment_is_gone_down_from_and_rolled_back_in_its_own_namespace() {
    let web = |namespace: &str| DeploymentRow {
        namespace: namespace.into(),
        uid: namespace.into(),
        ..deployment("web", 1, 1, 1)
    };
    let set = |namespace: &str| ReplicaSetRow {
        namespace: namespace.into(),
        owner_uid: namespace.into(),
        uid: format!("{namespace}-set"),
        ..set("web-7", 7, 1, 1)
    };
    let own = |namespace: &str| PodRow {
        namespace: namespace.into(),
        owner_kind: "ReplicaSet".into(),
        owner: "web-7".into(),
        ..pod(
            &format!("web-7-{namespace}"),
            &format!("{namespace}-set"),
            "Running",
            true,
        )
    };
    let names = ["blue", "green"];
    let (deployed, sets, all) = (
        names.map(|name| format!("{name}/web")),
        names.map(|name| format!("{name}/web-7")),
        names.map(|name| format!("{name}/web-7-{name}")),
    );
    let bench = empty()
        .with(
            vec![(&deployed[0], web("blue")), (&deployed[1], web("green"))],
            HealthState::Live,
            None,
        )
        .with(
            vec![(&sets[0], set("blue")), (&sets[1], set("green"))],
            HealthState::Live,
            None,
        )
        .with(
            vec![(&all[0], own("blue")), (&all[1], own("green"))],
            HealthState::Live,
            None,
        );
    let mut list = deployments::panel(&bench.hub, &Clients::new());
    list.open(&bench.context);
    list.key(PanelKey::Move(Motion::Last));
    let effects = list.key(PanelKey::Open);
    let [Effect::Show { subject, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(subject.target, target("Deployment", "green", "web"));
    let mut objects = super::super::objects::Objects::new(&bench.hub, &Clients::new());
    objects.open_in(&Scope::one(&bench.context));
    objects.show(subject);
    let text = screen(&mut objects, 80, 4);
    assert!(
        text.starts_with("NAME ") && text.lines().count() == 2,
        "one set: {text}"
    );
    assert_eq!(
        lines(&objects.key(PanelKey::Act("edit"))),
        "kubectl:edit --namespace=green rs web-7"
    );
    objects.key(PanelKey::Open);
    let text = screen(&mut objects, 80, 4);
    assert!(text.contains("web-7-green") && !text.contains("web-7-blue"), "{text}");
    let mut rollout = RolloutPanel::new(&bench.hub, &Clients::new());
    rollout.open(&bench.context);
    rollout.show(subject);
    screen(&mut rollout, 80, 12);
    assert_eq!(rollout.title().as_str(), "rollout green/web");
    assert_eq!(
        lines(&rollout.key(PanelKey::Act("undo"))),
        "kubectl:rollout-undo --namespace=green deploy web"
    );
    assert!(rollout.turn_to("blue/web").is_some_and(|turned| turned.is_ok()));
    screen(&mut rollout, 80, 12);
    assert_eq!(
        lines(&rollout.key(PanelKey::Act("describe"))),
        "kubectl:describe --namespace=blue po web-7-blue"
    );
}

/// A set of one name in two namespaces: what is refused in one explains nothing in the other.
#[tokio::test]
async fn the_cause_of_a_rollout_is_told_by_the_events_of_its_own_namespace() {
    let names = ["blue", "green"];
    let deployed = names.map(|namespace| DeploymentRow {
        namespace: namespace.into(),
        uid: namespace.into(),
        ..deployment("web", 2, 1, 1)
    });
    let sets = names.map(|namespace| ReplicaSetRow {
        namespace: namespace.into(),
        owner_uid: namespace.into(),
        uid: format!("{namespace}-set"),
        current: 1,
        ..set("web-7", 7, 2, 1)
    });
    let refused = EventRow {
        namespace: "blue".into(),
        object_kind: "ReplicaSet".into(),
        object: "web-7".into(),
        reason: "FailedCreate".into(),
        message: "exceeded quota".into(),
        ..EventRow::default()
    };
    let bench = empty()
        .with(
            ["blue/web", "green/web"].into_iter().zip(deployed).collect(),
            HealthState::Live,
            None,
        )
        .with(
            ["blue/web-7", "green/web-7"].into_iter().zip(sets).collect(),
            HealthState::Live,
            None,
        )
        .with(vec![("blue/refused", refused)], HealthState::Live, None);
    let mut rollout = RolloutPanel::new(&bench.hub, &Clients::new());
    rollout.open(&bench.context);
    let mut is_told = |namespace: &str| {
        rollout.turn_to(&format!("{namespace}/web")).unwrap().unwrap();
        screen(&mut rollout, 100, 14).contains("FailedCreate")
    };
    assert_eq!((is_told("blue"), is_told("green")), (true, false));
}
