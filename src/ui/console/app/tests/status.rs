//! The top line: where lines run, and what gives way where there is no room for all of it.

use super::*;
use crate::core::context::AwsTarget;
use crate::core::text::Secret;

fn desk(name: &str, region: Option<&str>) -> Desk {
    let mut context = Context::empty(name);
    context.kubernetes.namespace = Some("default".into());
    context.read_only = true;
    context.aws = AwsTarget {
        region: region.map(str::to_owned),
        keys: Some(("AKIA".into(), Secret::new("s3cret"))),
        ..AwsTarget::default()
    };
    Desk::with(context, &["deployments", "dns"])
}

#[test]
fn the_account_stands_before_its_region_and_gives_way_before_it() {
    let mut desk = desk("staging", Some("ap-southeast-2"));
    let mut top = |width| desk.screen(width, 24).swap_remove(0);
    let all = " staging │ default │ ! read-only │ 555555555555 │ ap-southeast-2 │ maria ";
    assert!(top(120).starts_with(all), "{}", top(120));
    // The state words stay down to the narrowest screen; what stands behind them goes one by one.
    for (left_out, kept) in [
        (["maria", "maria"], ["555555555555", "ap-southeast-2"]),
        (["maria", "555555555555"], ["! read-only", "ap-southeast-2"]),
        (["555555555555", "ap-southeast-2"], ["default", "! read-only"]),
        (["default", "ap-southeast-2"], [" staging ", "! read-only"]),
    ] {
        let found = (40..120).rev().map(&mut top).find(|line| {
            left_out.iter().all(|word| !line.contains(word)) && kept.iter().all(|word| line.contains(word))
        });
        assert!(found.is_some(), "{kept:?} without {left_out:?}");
    }
    assert!((40..120).all(|width| top(width).contains("! read-only")));
}

#[test]
fn nothing_stands_there_while_the_account_is_not_known_and_the_region_is_what_the_client_uses() {
    let mut found = desk("staging", None);
    assert!(found.shows(120, 24, " read-only │ 555555555555 │ eu-west-1 │ maria "));
    let mut plain = Desk::new();
    assert!(plain.shows(120, 24, "│ rw │ ap-southeast-2 │ maria "));
}

#[test]
fn a_long_name_takes_no_room_from_what_must_be_told() {
    let name = "arn:aws:eks:ap-southeast-2:555555555555:cluster/staging";
    let mut staging = desk(name, None);
    let top = staging.screen(80, 24).swap_remove(0);
    for word in ["arn:aws", "cluster/staging │ default │ ! read-only "] {
        assert!(top.contains(word), "{word}: {top}");
    }
    let mut context = Context::empty(name);
    (context.production, context.read_only) = (true, true);
    let mut several = Desk::with(context, &["deployments", "dns"]);
    let beside = Context {
        production: true,
        ..Context::empty(format!("{name}-beside"))
    };
    several.app.beside = vec![Arc::new(beside)];
    for width in 50..120 {
        let top = several.screen(width, 24).swap_remove(0);
        for word in [" PROD ar", "+ 1 PROD ", "! read-only "] {
            assert!(top.contains(word), "{width}: {word}: {top}");
        }
    }
}

#[test]
fn a_panel_without_rows_to_mark_has_no_such_hint_and_its_key_says_so() {
    let mut desk = Desk::with(Context::empty("staging"), &["deployments", "traffic"]);
    desk.keys("<alt-2>");
    assert!(desk.shows(200, 24, "Space mark"));
    desk.keys("<alt-3>");
    assert!(!desk.shows(200, 24, "Space mark"));
    desk.keys(" ");
    assert!(desk.shows(200, 24, "there is nothing to mark in traffic"));
}

#[test]
fn how_many_sources_are_live_stays_longer_than_who_sits_here() {
    let mut desk = Desk::with(Context::empty("staging"), &["sources"]);
    desk.app.open_panels();
    let mut top = |width| desk.screen(width, 24).swap_remove(0);
    let lines: Vec<String> = (60..160).map(&mut top).collect();
    for line in lines
        .iter()
        .filter(|line| !line.contains("3 live") && !line.contains("k8s"))
    {
        // A count would not fit in the room of the name and of what is left beside it.
        let behind = line.split("maria").nth(1).map_or("", str::trim_start);
        assert!(
            behind.len() + 3 >= line.split("maria").nth(1).map_or(0, str::len),
            "{line}"
        );
    }
    assert!(top(80).contains("3 live"), "{}", top(80));
    assert!(
        lines
            .iter()
            .any(|line| line.contains("3 live") && !line.contains("maria"))
    );
}
