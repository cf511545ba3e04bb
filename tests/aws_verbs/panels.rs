//! The panels of both features, open in this world.

use std::sync::Arc;
use std::time::Duration;

use super::{ELB, NAME, ZONE, world};
use cogdeck::core::context::Cloud;
use cogdeck::core::text::Secret;
use cogdeck::feed::HealthState;
use cogdeck::ui::panel::{Panel, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

fn screen(panel: &mut Box<dyn Panel>) -> String {
    let area = Rect::new(0, 0, 140, 20);
    let mut buffer = Buffer::empty(area);
    let now = jiff::Timestamp::now();
    panel.draw(area, &mut buffer, &Theme::plain(), true, now);
    let cell = |x, y| buffer[(x, y)].symbol().to_owned();
    (0..20)
        .map(|y| (0..140).map(|x| cell(x, y)).collect::<String>() + "\n")
        .collect()
}

/// The screen once it shows this; how long that took.
async fn shows(panel: &mut Box<dyn Panel>, what: impl Fn(&str) -> bool) -> Duration {
    let begin = std::time::Instant::now();
    loop {
        let shown = screen(panel);
        if what(&shown) {
            return begin.elapsed();
        }
        assert!(
            begin.elapsed() < Duration::from_secs(14),
            "{:?}\n{shown}",
            panel.health()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_account_and_its_region_are_learnt_once_a_poll_has_been_answered() {
    let world = world(2.0).await;
    let context = Arc::new(world.context.clone());
    let (mut dns, instances) = (world.panel("dns"), world.panel("instances"));
    assert_eq!(dns.cloud(&context).account, None, "nobody was asked yet");
    let begin = std::time::Instant::now();
    while dns.cloud(&context).account.is_none() {
        assert!(begin.elapsed() < Duration::from_secs(14), "{}", screen(&mut dns));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let wanted = Cloud {
        account: Some("555555555555".to_owned()),
        region: Some("ap-southeast-2".to_owned()),
    };
    assert_eq!(
        (dns.cloud(&context), instances.cloud(&context)),
        (wanted.clone(), wanted)
    );
    let mut elsewhere = world.context.clone();
    elsewhere.aws.keys = Some(("AKIAOTHER".into(), Secret::new("other")));
    assert_eq!(
        dns.cloud(&Arc::new(elsewhere)),
        Cloud::default(),
        "of other keys nothing is known"
    );
}

#[tokio::test]
async fn the_dns_panel_follows_a_change_made_here_long_before_its_next_poll() {
    let world = world(2.0).await;
    let mut panel = world.panel("dns");
    shows(&mut panel, |screen| screen.contains("SOA")).await;
    assert_eq!(panel.title().as_str(), "dns spawnhub.com 2");
    assert_eq!(panel.health()[0].health.state, HealthState::Live);
    world
        .make(&format!("r53:record-create -z {ZONE} -t CNAME {NAME} {ELB}"))
        .await;
    let took = shows(&mut panel, |screen| screen.contains("pending") && screen.contains(ELB)).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    shows(&mut panel, |screen| screen.contains(ELB) && !screen.contains("pending")).await;
    assert_eq!(panel.title().as_str(), "dns spawnhub.com 3");
}

#[tokio::test]
async fn panels_say_what_is_wrong_instead_of_being_empty() {
    let mut world = world(100.0).await;
    let mut instances = world.panel("instances");
    shows(&mut instances, |screen| {
        screen.contains("203.0.113.") && screen.contains("running")
    })
    .await;
    assert_eq!(instances.title().as_str(), "instances 6");
    world.context.aws.keys = Some(("AKIASANDBOX".into(), Secret::new("wrong-secret")));
    let mut dns = world.panel("dns");
    shows(&mut dns, |screen| {
        screen.contains("login: cannot list the hosted zones: ")
    })
    .await;
    assert_eq!(dns.health()[0].health.state, HealthState::Login);
    world.context.aws.region = None;
    instances.open(&Arc::new(world.context.clone()));
    shows(&mut instances, |screen| screen.contains("error: Region not set.")).await;
}
