//! Actions on rows: pipelines, on the selected row or on all that are marked.

use super::*;
use crate::ui::panel::Which;
use crate::ui::panel::testing::pipelines;

#[tokio::test]
async fn rows_of_pods_and_services_are_acted_on_by_pipelines() {
    let hostile = "web; kubectl:delete ns default";
    let bench = Bench::new()
        .with(vec![("p", pod(hostile, "s", "Running", true))], HealthState::Live, None)
        .with(
            vec![(
                "s",
                ServiceRow {
                    name: "web".into(),
                    cluster_ip: "100.64.0.9".into(),
                    ..ServiceRow::default()
                },
            )],
            HealthState::Live,
            None,
        );
    let mut pods = super::super::pods::panel(&bench.hub, &Clients::new());
    pods.open(&bench.context);
    let run = |effects: Vec<Effect>| pipelines(&effects).join("; ");
    assert_eq!(
        run(pods.key(PanelKey::Open)),
        format!("kubectl:logs '{hostile}' --tail=50")
    );
    assert_eq!(
        run(pods.key(PanelKey::Act("yaml"))),
        format!("kubectl:get po '{hostile}' --output=yaml")
    );
    let mut services = super::super::services::panel(&bench.hub, &Clients::new());
    services.open(&bench.context);
    assert_eq!(run(services.key(PanelKey::Open)), "kubectl:describe svc web");
    assert_eq!(
        services.key(PanelKey::Act("copy-address")),
        [Effect::Copy("100.64.0.9".into())]
    );
}

/// Editor and shell have the whole terminal: one at a time, and which is said where it is not plain.
#[tokio::test]
async fn an_editor_and_a_shell_are_for_one_row() {
    let rows = ["a", "b"].map(|name| (name, deployment(name, 1, 1, 1))).to_vec();
    let two = PodRow {
        containers: 2,
        ..pod("two", "s", "Running", true)
    };
    let one = PodRow {
        containers: 1,
        ..pod("one; x", "s", "Running", true)
    };
    let bench = Bench::new().with(rows, HealthState::Live, None).with(
        vec![("one", one), ("two", two)],
        HealthState::Live,
        None,
    );
    let mut deployments = super::super::deployments::panel(&bench.hub, &Clients::new());
    deployments.open(&bench.context);
    let line = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Run(pipeline)] => print(pipeline),
        [Effect::Toast(text)] => format!("({text})"),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        line(deployments.key(PanelKey::Act("shell"))),
        "kubectl:exec --stdin --tty deploy/a -- sh"
    );
    assert_eq!(line(deployments.key(PanelKey::Act("edit"))), "kubectl:edit deploy a");
    deployments.key(PanelKey::Mark);
    deployments.key(PanelKey::Mark);
    assert!(line(deployments.key(PanelKey::Act("edit"))).starts_with("(2 are marked, and edit takes one"));
    assert!(line(deployments.key(PanelKey::Act("shell"))).starts_with("(2 are marked, and a shell is in one"));
    let mut pods = super::super::pods::panel(&bench.hub, &Clients::new());
    pods.open(&bench.context);
    assert_eq!(
        line(pods.key(PanelKey::Act("shell"))),
        "kubectl:exec --stdin --tty 'one; x' -- sh"
    );
    pods.key(PanelKey::Move(Motion::Down));
    let effects = pods.key(PanelKey::Act("shell"));
    let [
        Effect::Show {
            panel: "objects",
            subject,
        },
        Effect::Toast(_),
    ] = effects.as_slice()
    else {
        panic!("{effects:?}")
    };
    assert_eq!(subject.target.name, "two", "of several containers one is chosen");
}

/// Marks are by row, have a column of their own, and what a filter hides is not acted on.
#[tokio::test]
async fn an_action_is_about_all_marked_rows_in_one_pipeline() {
    let names = ["a-1", "a-2", "b-1"];
    let rows = names.map(|name| (name, pod(name, "s", "Running", true))).to_vec();
    let bench = Bench::new().with(rows, HealthState::Live, None);
    let mut panel = super::super::pods::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    let line = |effects: &[Effect]| pipelines(effects).join("; ");
    // At once: its plan asks.
    assert_eq!(line(&panel.key(PanelKey::Act("delete"))), "kubectl:delete po a-1");
    panel.key(PanelKey::Mark);
    panel.key(PanelKey::Mark);
    panel.key(PanelKey::Mark);
    assert_eq!(panel.title().as_str(), "pods 3  3 marked");
    assert_eq!(
        line(&panel.key(PanelKey::Act("delete"))),
        "kubectl:delete po a-1 a-2 b-1"
    );
    let logs = line(&panel.key(PanelKey::Act("logs")));
    assert_eq!(logs, "kubectl:get po a-1 a-2 b-1 | kubectl:logs --tail=50 --prefix");
    let text = screen(&mut panel, 80, 5);
    assert_eq!(text.lines().filter(|row| row.starts_with('●')).count(), 3, "{text}");
    // Opening is about the selected row alone; a mark under a filter sleeps.
    assert_eq!(line(&panel.key(PanelKey::Open)), "kubectl:logs b-1 --tail=50");
    panel.filter("a-");
    assert_eq!(line(&panel.key(PanelKey::Act("delete"))), "kubectl:delete po a-1 a-2");
    assert_eq!(panel.title().as_str(), "pods 3  /a- 2  2 of 3 marked");
    panel.filter("nothing");
    assert!(matches!(
        panel.key(PanelKey::Act("delete")).as_slice(),
        [Effect::Toast(_)]
    ));
    let hidden = "the filter hides the marked rows";
    assert_eq!(panel.subjects().unwrap_err().as_str(), hidden);
    let grid = panel.grid(Which::All, jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(grid.unwrap_err().as_str(), hidden, "not all rows instead");
    panel.filter("b-");
    screen(&mut panel, 80, 5);
    assert_eq!(panel.subjects().unwrap().len(), 1);
    panel.key(PanelKey::Mark);
    let effects = panel.key(PanelKey::Act("delete"));
    assert!(
        matches!(effects.as_slice(), [Effect::Toast(_)]),
        "not the selected row while others are marked: {effects:?}"
    );
    panel.key(PanelKey::Mark);
    panel.filter("");
    panel.key(PanelKey::Move(Motion::First));
    panel.key(PanelKey::Mark);
    assert_eq!(
        line(&panel.key(PanelKey::Act("describe"))),
        "kubectl:describe po a-2 b-1"
    );
    assert!(panel.back() && !panel.back());
    assert_eq!(panel.title().as_str(), "pods 3");
}

#[tokio::test]
async fn marks_of_rows_that_went_and_of_another_context_are_gone() {
    let rows = vec![
        ("a", pod("a", "s", "Running", true)),
        ("b", pod("b", "s", "Running", true)),
    ];
    let bench = Bench::new().with(rows, HealthState::Live, None);
    let mut panel = super::super::pods::panel(&bench.hub, &Clients::new());
    panel.open(&bench.context);
    panel.key(PanelKey::Mark);
    panel.key(PanelKey::Mark);
    let feed: Subscription<PodRow> = bench.hub.subscribe(
        FeedKey {
            context: bench.context.clone(),
            kind: "kubernetes/pods/own".into(),
        },
        |_, _| unreachable!("it runs"),
    );
    feed.source().write(|rows| rows.remove("default/a"));
    screen(&mut panel, 60, 4);
    assert_eq!(panel.title().as_str(), "pods 1  1 marked");
    panel.open(&Arc::new(Context::empty("other")));
    assert_eq!(panel.title().as_str(), "pods");
}
