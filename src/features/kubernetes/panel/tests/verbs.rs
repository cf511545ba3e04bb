//! Each panel of the cluster and each verb on its row: the pipeline that it builds, or what it says instead.

use super::super::objects::{Objects, nodes};
use super::super::{deployments, events, pods, services, target};
use super::*;
use crate::features::kubernetes::feed::containers::ContainerRow;
use crate::features::kubernetes::model::{TableHead, TableRow};

/// The verbs that rows have in common: describe, logs, shell, edit, copy, YAML, delete.
const VERBS: [&str; 7] = ["describe", "logs", "shell", "edit", "copy", "yaml", "delete"];

/// What the table says where a panel has no key for a verb: the console tells that itself.
const NO_KEY: &str = "no key";

/// What a verb on the selected row wants done, in one line.
fn done(panel: &mut dyn Panel, verb: &'static str) -> String {
    if panel.actions().iter().all(|action| action.name != verb) {
        return NO_KEY.to_owned();
    }
    match panel.key(PanelKey::Act(verb)).as_slice() {
        [Effect::Run(pipeline)] => print(pipeline),
        [Effect::Toast(text)] => format!("({text})"),
        [Effect::Copy(text)] => format!("copied {text}"),
        other => panic!("{verb}: {other:?}"),
    }
}

fn row(kind: &str, resource: &str, name: &str) -> TableRow {
    let mut row = TableRow::default();
    row.head = Arc::new(TableHead {
        resource: resource.into(),
        kind: kind.into(),
        ..TableHead::default()
    });
    row.name = name.into();
    row
}

/// A panel of any kind, as `:WORD` shows it, with one row of that kind.
fn table(bench: &mut Bench, word: &str, row: TableRow) -> Box<dyn Panel> {
    let key = FeedKey {
        context: bench.context.clone(),
        kind: format!("kubernetes/table/{word}/own"),
    };
    let feed: Subscription<TableRow> = bench.hub.subscribe(key, |source, _| {
        source.replace([(format!("default/{}", row.name), row)]);
    });
    bench.feeds.push(Box::new(feed));
    if word == "nodes" {
        return Box::new(nodes(&bench.hub, &Clients::new()));
    }
    let mut panel = Objects::new(&bench.hub, &Clients::new());
    panel.visit(word);
    Box::new(panel)
}

fn world() -> Bench {
    let mut web = deployment("web", 1, 1, 1);
    web.namespace = "default".into();
    let mut set = set("web-1", 1, 1, 1);
    set.namespace = "default".into();
    let one = PodRow {
        containers: 1,
        namespace: "default".into(),
        ..pod("web-1-a", "web-1", "Running", true)
    };
    let event = |kind: &str, name: &str, second: i64| EventRow {
        object_kind: kind.into(),
        object: name.into(),
        message: "told".into(),
        at: Timestamp::from_second(second).ok(),
        ..EventRow::default()
    };
    let service = ServiceRow {
        name: "front".into(),
        ..ServiceRow::default()
    };
    let events = vec![
        ("e1", event("Pod", "web-1-a", 3)),
        ("e2", event("ConfigMap", "settings", 2)),
    ];
    Bench::new()
        .with(vec![("web", web)], HealthState::Live, None)
        .with(vec![("web-1", set)], HealthState::Live, None)
        .with(vec![("web-1-a", one)], HealthState::Live, None)
        .with(vec![("front", service)], HealthState::Live, None)
        .with(events, HealthState::Live, None)
}

fn containers(bench: &mut Bench) -> Box<dyn Panel> {
    let key = FeedKey {
        context: bench.context.clone(),
        kind: "kubernetes/containers/default/web-1-a".into(),
    };
    let app = ContainerRow {
        name: "app".into(),
        state: "Running".into(),
        ..ContainerRow::default()
    };
    let feed: Subscription<ContainerRow> = bench
        .hub
        .subscribe(key, |source, _| source.replace([("0".to_owned(), app)]));
    bench.feeds.push(Box::new(feed));
    Box::new(Objects::new(&bench.hub, &Clients::new()))
}

#[tokio::test]
async fn every_panel_answers_every_verb_with_its_pipeline_or_says_why_not() {
    let (mut bench, clients) = (world(), Clients::new());
    let sets = Objects::new(&bench.hub, &clients);
    let panels: Vec<(&str, Box<dyn Panel>, [&str; 7])> = vec![
        (
            "deployments",
            Box::new(deployments::panel(&bench.hub, &clients)),
            [
                "kubectl:describe deploy web",
                "kubectl:logs deploy/web --tail=50",
                "kubectl:exec --stdin --tty deploy/web -- sh",
                "kubectl:edit deploy web",
                "copied web",
                "kubectl:get deploy web --output=yaml",
                "kubectl:delete deploy web",
            ],
        ),
        (
            "rollout",
            Box::new(RolloutPanel::new(&bench.hub, &clients)),
            [
                "kubectl:describe po web-1-a",
                "kubectl:logs web-1-a --tail=50",
                "kubectl:exec --stdin --tty web-1-a -- sh",
                "kubectl:edit po web-1-a",
                "copied web-1-a",
                "kubectl:get po web-1-a --output=yaml",
                NO_KEY,
            ],
        ),
        (
            "pods",
            Box::new(pods::panel(&bench.hub, &clients)),
            [
                "kubectl:describe po web-1-a",
                "kubectl:logs web-1-a --tail=50",
                "kubectl:exec --stdin --tty web-1-a -- sh",
                "kubectl:edit po web-1-a",
                "copied web-1-a",
                "kubectl:get po web-1-a --output=yaml",
                "kubectl:delete po web-1-a",
            ],
        ),
        (
            "services",
            Box::new(services::panel(&bench.hub, &clients)),
            [
                "kubectl:describe svc front",
                "kubectl:logs svc/front --tail=50",
                "kubectl:exec --stdin --tty svc/front -- sh",
                "kubectl:edit svc front",
                "copied front",
                "kubectl:get svc front --output=yaml",
                "kubectl:delete svc front",
            ],
        ),
        (
            "events",
            Box::new(events::panel(&bench.hub, &clients)),
            [
                "kubectl:describe pod/web-1-a",
                "kubectl:logs pod/web-1-a --tail=50",
                NO_KEY,
                "kubectl:edit pod/web-1-a",
                "copied told",
                NO_KEY,
                NO_KEY,
            ],
        ),
        (
            "replica sets of web",
            Box::new(sets),
            [
                "kubectl:describe rs web-1",
                "kubectl:logs rs/web-1 --tail=50",
                "kubectl:exec --stdin --tty rs/web-1 -- sh",
                "kubectl:edit rs web-1",
                "copied web-1",
                "kubectl:get rs web-1 --output=yaml",
                "kubectl:delete rs web-1",
            ],
        ),
        (
            "containers of web-1-a",
            containers(&mut bench),
            [
                "kubectl:describe po web-1-a",
                "kubectl:logs web-1-a --container app --tail=50",
                "kubectl:exec --stdin --tty --container=app web-1-a -- sh",
                "kubectl:edit po web-1-a",
                "copied app",
                "kubectl:get po web-1-a --output=yaml",
                NO_KEY,
            ],
        ),
        (
            "nodes",
            table(&mut bench, "nodes", row("Node", "nodes", "n1")),
            [
                "kubectl:describe nodes n1",
                NO_KEY,
                NO_KEY,
                "kubectl:edit nodes n1",
                "copied n1",
                "kubectl:get nodes n1 --output=yaml",
                "kubectl:delete nodes n1",
            ],
        ),
        (
            "statefulsets",
            table(
                &mut bench,
                "sts",
                row("StatefulSet", "statefulsets.apps", "db; kubectl:delete ns x"),
            ),
            [
                "kubectl:describe statefulsets.apps 'db; kubectl:delete ns x'",
                "kubectl:logs 'statefulsets.apps/db; kubectl:delete ns x' --tail=50",
                "kubectl:exec --stdin --tty 'statefulsets.apps/db; kubectl:delete ns x' -- sh",
                "kubectl:edit statefulsets.apps 'db; kubectl:delete ns x'",
                "copied db; kubectl:delete ns x",
                "kubectl:get statefulsets.apps 'db; kubectl:delete ns x' --output=yaml",
                "kubectl:delete statefulsets.apps 'db; kubectl:delete ns x'",
            ],
        ),
        (
            "configmaps",
            table(&mut bench, "cm", row("ConfigMap", "configmaps", "settings")),
            [
                "kubectl:describe configmaps settings",
                "(no logs of a ConfigMap: what has pods writes them)",
                "(no shell in a ConfigMap: what has pods can have one)",
                "kubectl:edit configmaps settings",
                "copied settings",
                "kubectl:get configmaps settings --output=yaml",
                "kubectl:delete configmaps settings",
            ],
        ),
    ];
    for (name, mut panel, wanted) in panels {
        panel.open(&bench.context);
        match name {
            "replica sets of web" => panel.show(&target("Deployment", "default", "web").into()),
            "containers of web-1-a" => panel.show(&target("Pod", "default", "web-1-a").into()),
            _ => {}
        }
        screen(panel.as_mut(), 80, 12);
        for (verb, wanted) in VERBS.into_iter().zip(wanted) {
            assert_eq!(done(panel.as_mut(), verb), wanted, "{verb} in {name}");
        }
    }
}

/// Events are about objects of any kind: which has logs is not known before.
#[tokio::test]
async fn a_verb_of_an_event_is_about_one_object_that_has_such_a_thing() {
    let bench = world();
    let mut panel = events::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    screen(&mut panel, 80, 5);
    panel.key(PanelKey::Move(Motion::Down));
    assert_eq!(
        done(&mut panel, "logs"),
        "(no logs of a ConfigMap: what has pods writes them)"
    );
    assert_eq!(done(&mut panel, "edit"), "kubectl:edit configmap/settings");
    panel.key(PanelKey::Move(Motion::First));
    panel.key(PanelKey::Mark);
    panel.key(PanelKey::Mark);
    assert_eq!(
        done(&mut panel, "describe"),
        "kubectl:describe configmap/settings pod/web-1-a"
    );
    assert_eq!(
        done(&mut panel, "edit"),
        "(they are about 2 objects: mark those of one)"
    );
}
