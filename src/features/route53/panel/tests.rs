#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::model::{Alias, Zone, tests::cname};
use super::*;
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::features::Shared;
use crate::features::aws::client::Clients;
use crate::feed::{HealthState, Hub};
use crate::lang::print;
use crate::ui::panel::testing::{filled, panel_text, pipelines};
use crate::ui::panel::{Motion, Panel, PanelKey};

/// A panel whose feed is filled by the test instead of by polling.
fn panel(rows: Vec<DnsRow>) -> (ListPanel<Records>, Subscription<DnsRow>) {
    let hub = Hub::new(Clock::real());
    let context = Arc::new(Context::empty("test"));
    let rows = rows.into_iter().enumerate().map(|(at, row)| (format!("{at:04}"), row));
    let feed = filled(&hub, &context, "route53/records", rows);
    let shared = Shared::alone(hub, Clock::real());
    let service = Service::new(&shared, Clients::new(), Arc::new(NoHosts));
    let mut panel = super::panel(service);
    panel.open(&context);
    (panel, feed)
}

struct NoHosts;

#[async_trait::async_trait]
impl crate::verb::Completer for NoHosts {
    async fn complete(&self, _: crate::verb::CompletionRequest) -> crate::verb::Completion {
        crate::verb::Completion::default()
    }
}

fn zone(name: &str, count: i64) -> DnsRow {
    let zone = Zone {
        id: "Z1".into(),
        name: name.into(),
        private: false,
        count: Some(count),
        comment: None,
    };
    DnsRow::Zone {
        zone,
        kept: 2,
        error: None,
    }
}

fn record(set: RecordSet, pending: bool) -> DnsRow {
    DnsRow::Record {
        zone: "Z1".into(),
        set,
        pending,
    }
}

fn sample() -> Vec<DnsRow> {
    let mut alias = cname("spawnhub.com.", "");
    alias.kind = "A".into();
    (alias.ttl, alias.values) = (None, Vec::new());
    alias.alias = Some(Alias {
        zone: "Z9".into(),
        host: "lb.example.".into(),
        evaluate: false,
    });
    let host = "ab4ea5ab1f1234567890-1234567890.ap-southeast-2.elb.amazonaws.com";
    vec![
        zone("spawnhub.com.", 2),
        record(alias, false),
        record(cname("\\052.spawnhub.com.", host), true),
    ]
}

#[tokio::test]
async fn aliases_and_pending_changes_are_marked_and_hosts_are_whole() {
    let (mut panel, _feed) = panel(sample());
    assert_eq!(panel.title().as_str(), "dns spawnhub.com 2");
    let wide = panel_text(&mut panel, 120, 5);
    assert!(wide.contains("ALIAS lb.example. (Z9)"), "{wide}");
    assert!(
        wide.contains("*.spawnhub.com") && wide.contains("pending ab4ea5ab1f"),
        "{wide}"
    );
    let narrow = panel_text(&mut panel, 50, 9).replace(['\n', ' '], "");
    assert!(
        narrow.contains("pendingab4ea5") && narrow.contains('…'),
        "cut with a mark: {narrow}"
    );
    panel.key(PanelKey::Move(Motion::Last));
    let open = panel_text(&mut panel, 50, 9).replace(['\n', ' '], "");
    let pieces = ["ab4ea5ab1f1234567890", "amazonaws.com"];
    assert!(
        pieces.iter().all(|piece| open.contains(piece)) && !open.contains('…'),
        "{open}"
    );
}

#[tokio::test]
async fn several_values_are_one_and_a_count_and_all_in_the_selected_row() {
    let mut name_servers = cname("spawnhub.com.", "ns-1.awsdns-01.org.");
    name_servers.kind = "NS".into();
    name_servers.values = (1..=4).map(|n| format!("ns-{n}.awsdns-0{n}.org.")).collect();
    let (mut panel, _feed) = panel(vec![
        record(cname("a.spawnhub.com.", "b."), false),
        record(name_servers, false),
    ]);
    let rows = panel_text(&mut panel, 60, 7);
    let lines: Vec<&str> = rows.lines().collect();
    assert!(lines[2].ends_with("ns-1.awsdns-01.org. +3"), "{rows}");
    panel.key(PanelKey::Move(Motion::Down));
    let rows = panel_text(&mut panel, 60, 7);
    let lines: Vec<&str> = rows.lines().collect();
    let values: Vec<&str> = lines[2..6]
        .iter()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    assert_eq!(values[0], "ns-1.awsdns-01.org.", "{rows}");
    assert_eq!(values[3], "ns-4.awsdns-04.org.", "{rows}");
}

#[tokio::test]
async fn keys_build_pipelines_for_the_selected_record() {
    let (mut panel, _feed) = panel(sample());
    panel.key(PanelKey::Move(Motion::Last));
    let line = |effects: &[Effect]| pipelines(effects).join("; ");
    assert_eq!(
        line(&panel.key(PanelKey::Act("dig"))),
        "net:dig '*.spawnhub.com.' CNAME"
    );
    assert_eq!(
        line(&panel.key(PanelKey::Act("delete"))),
        "r53:record-delete --zone Z1 --type CNAME '*.spawnhub.com'"
    );
    let subject = Target {
        kind: "RecordSet".into(),
        scope: "Z1".into(),
        name: "spawnhub.com".into(),
    };
    panel.focus_on(&subject.into());
    assert_eq!(line(&panel.key(PanelKey::Open)), "net:dig spawnhub.com. A");
    // Several are one pipeline, fed by what is marked.
    panel.key(PanelKey::Move(Motion::First));
    panel.key(PanelKey::Mark);
    panel.key(PanelKey::Mark);
    let several = line(&panel.key(PanelKey::Act("delete")));
    assert!(several.starts_with("seed '[{\"zone\":\"Z1\""), "{several}");
    assert!(
        several.ends_with("| r53:record-delete --zone $zone --type $type $name"),
        "{several}"
    );
}

#[tokio::test]
async fn what_is_not_shown_is_said() {
    let (mut some, _feed) = panel(vec![
        zone("spawnhub.com.", 900),
        record(cname("a.spawnhub.com.", "b"), false),
    ]);
    assert!(panel_text(&mut some, 100, 4).contains("the first 2 of 900 records"));
    let (mut none, feed) = panel(Vec::new());
    assert!(panel_text(&mut none, 60, 3).contains("no hosted zone in this account"));
    feed.source()
        .set_health(HealthState::Login, Some("no usable AWS credentials".into()));
    assert!(panel_text(&mut none, 60, 3).contains("login: no usable AWS credentials"));
}

#[tokio::test]
async fn hostile_records_and_tiny_areas_are_harmless() {
    let mut hostile = cname(
        "a;'\u{1b}]52;c;eHg=\u{7}|b.spawnhub.com.",
        "\u{202e}\n$(reboot)\u{1b}[2J",
    );
    hostile.kind = "\u{1b}c".into();
    let (mut panel, _feed) = panel(vec![record(hostile, true)]);
    for (columns, rows) in [(1, 1), (12, 2), (80, 5)] {
        assert!(!panel_text(&mut panel, columns, rows).contains('\u{1b}'));
    }
    let effects = panel.key(PanelKey::Act("delete"));
    let [Effect::Run(pipeline)] = effects.as_slice() else {
        panic!("a pipeline")
    };
    assert_eq!(crate::lang::parse(&print(pipeline)).unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_filter_finds_every_value_and_a_choice_by_hand_is_not_taken_away() {
    let mut name_servers = cname("spawnhub.com.", "ns-1.awsdns-01.org.");
    name_servers.kind = "NS".into();
    name_servers.values = (1..=4).map(|n| format!("ns-{n}.awsdns-0{n}.org.")).collect();
    let rows = vec![
        record(cname("a.spawnhub.com.", "b."), false),
        record(name_servers, false),
    ];
    let (mut panel, _feed) = panel(rows);
    panel.filter("awsdns-03");
    // Before anything was drawn: a key may come in the same batch as the filter.
    let effects = panel.key(PanelKey::Open);
    assert!(
        !effects.is_empty(),
        "the row that has the hidden value is the one acted on"
    );
    let shown = panel_text(&mut panel, 120, 8);
    assert!(shown.contains("ns-3.awsdns-03.org."), "{shown}");
}

#[tokio::test]
async fn a_row_that_tells_about_a_zone_answers_every_key() {
    let rows = vec![zone("spawnhub.com.", 900), record(cname("a.spawnhub.com.", "b"), false)];
    let (mut panel, _feed) = panel(rows);
    panel_text(&mut panel, 100, 4);
    let dig = pipelines(&panel.key(PanelKey::Open));
    assert_eq!(dig, ["net:dig spawnhub.com NS"]);
    assert_eq!(panel.key(PanelKey::Act("copy")), [Effect::Copy("spawnhub.com".into())]);
    let told = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Toast(text)] => text.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        told(panel.key(PanelKey::Act("delete"))),
        "spawnhub.com is a zone: only records are deleted here"
    );
    panel.key(PanelKey::Mark);
    panel.key(PanelKey::Mark);
    assert_eq!(
        told(panel.key(PanelKey::Act("delete"))),
        "spawnhub.com is a zone and no record: take its mark back",
        "and the record stays, too"
    );
}
