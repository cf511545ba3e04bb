#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::core::clock::Clock;
use crate::features::Shared;
use crate::features::aws::client::Clients;
use crate::feed::{HealthState, Hub};
use crate::ui::panel::testing::{filled, panel_text, pipelines};
use crate::ui::panel::{Motion, Panel, PanelKey};

/// A panel whose feed is filled by the test instead of by polling.
fn panel(rows: Vec<InstanceRow>) -> (ListPanel<Instances>, Subscription<InstanceRow>) {
    let hub = Hub::new(Clock::real());
    let context = Arc::new(Context::empty("test"));
    let rows = rows.into_iter().map(|row| (row.id.clone(), row));
    let feed = filled(&hub, &context, "ec2/instances", rows);
    let shared = Shared::alone(hub, Clock::real());
    let mut panel = super::panel(Service {
        shared,
        clients: Clients::new(),
    });
    panel.open(&context);
    (panel, feed)
}

fn row(id: &str, name: &str, state: &str, public: &str) -> InstanceRow {
    InstanceRow {
        id: id.into(),
        name: name.into(),
        state: state.into(),
        kind: "m4.large".into(),
        zone: "ap-southeast-2a".into(),
        private_ip: "172.20.1.2".into(),
        public_ip: public.into(),
        ..InstanceRow::default()
    }
}

#[tokio::test]
async fn states_are_words_and_absent_addresses_dashes() {
    let (mut panel, _feed) = panel(vec![
        row("i-1", "nodes.staging", "running", "203.0.113.7"),
        row("i-2", "", "terminated", ""),
    ]);
    assert_eq!(
        (panel.title().as_str(), panel.folded().as_str()),
        ("instances 2", "instances 2  running 1")
    );
    let screen = panel_text(&mut panel, 100, 4);
    let lines: Vec<&str> = screen.lines().collect();
    assert!(
        lines[1].starts_with("nodes.staging") && lines[1].contains("running") && lines[1].ends_with("203.0.113.7"),
        "{screen}"
    );
    assert!(
        lines[2].starts_with("i-2") && lines[2].contains("terminated") && lines[2].ends_with('-'),
        "{screen}"
    );
}

#[tokio::test]
async fn keys_act_on_the_selected_instance() {
    let (mut panel, feed) = panel(vec![
        row("i-1", "a", "running", ""),
        row("i-2", "b", "stopped", "203.0.113.8"),
    ]);
    panel.key(PanelKey::Move(Motion::Down));
    assert_eq!(
        pipelines(&panel.key(PanelKey::Open)),
        ["ec2:instance-search instance-id=i-2"]
    );
    feed.source()
        .write(|table| table.upsert("i-0", row("i-0", "new", "pending", "")));
    assert_eq!(
        panel.key(PanelKey::Act("copy")),
        [Effect::Copy("203.0.113.8".into())],
        "the selection stays on its row"
    );
}

#[tokio::test]
async fn an_empty_table_says_why_and_hostile_tags_do_no_harm() {
    let (mut none, feed) = panel(Vec::new());
    assert!(panel_text(&mut none, 60, 3).contains("no instance in this region"));
    feed.source()
        .set_health(HealthState::Failed, Some("Region not set.".into()));
    assert!(panel_text(&mut none, 60, 3).contains("error: Region not set."));
    let (mut hostile, _feed) = panel(vec![row("i-1", "\u{1b}]0;x\u{7}';|\n\u{202e}", "\u{1b}[2J", "")]);
    for (columns, rows) in [(1, 1), (20, 2), (90, 4)] {
        assert!(!panel_text(&mut hostile, columns, rows).contains('\u{1b}'));
    }
}

#[tokio::test]
async fn a_long_name_loses_its_middle_and_a_filter_keeps_what_has_it() {
    let long = "control-plane-ap-southeast-2a.masters.staging.spawnhub.com";
    let (mut panel, _feed) = panel(vec![
        row("i-1", long, "running", "203.0.113.7"),
        row("i-2", "bastion", "stopped", ""),
    ]);
    let narrow = panel_text(&mut panel, 52, 4);
    let lines: Vec<&str> = narrow.lines().collect();
    assert!(lines[1].starts_with("control-") && lines[1].contains('…'), "{narrow}");
    assert!(lines[2].starts_with("bastion"), "one line a row: {narrow}");
    assert!(panel.filter("stop"));
    let filtered = panel_text(&mut panel, 60, 4);
    assert!(
        filtered.contains("bastion") && !filtered.contains("control"),
        "{filtered}"
    );
    assert_eq!(panel.title().as_str(), "instances 2  /stop 1");
    panel.filter("nothing like it");
    assert!(panel_text(&mut panel, 60, 3).contains("none of 2 has /nothing like it"));
    panel.filter("");
    assert_eq!(panel.title().as_str(), "instances 2");
}
