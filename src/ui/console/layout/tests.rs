//! Panes share every screen without overlapping, and seams move as far as panes allow.

use super::*;
use proptest::prelude::*;

fn wants(panels: usize) -> Wants {
    Wants {
        panels: vec![
            Want {
                beside: true,
                weight: 2,
                share: 2,
                width: 24,
                height: 3
            };
            panels
        ],
        columns: (55, 42, 53),
        shown: 0,
        zoomed: false,
        stage: false,
        input: 1,
        toast: false,
        covered: false,
    }
}

fn at(width: u16, height: u16, wants: &Wants) -> Layout {
    layout(Rect::new(0, 0, width, height), wants)
}

#[test]
fn the_breakpoints() {
    let narrow = at(80, 24, &wants(5));
    assert_eq!(
        (narrow.panes.len(), narrow.tabs.is_some(), narrow.borders),
        (1, true, false)
    );
    let middle = at(120, 40, &wants(5));
    assert_eq!((middle.panes.len(), middle.tabs, middle.borders), (6, None, true));
    assert_eq!(middle.panes[0].area.width, 66);
    assert!(middle.panes[1..].iter().all(|pane| pane.area.x == 66));
    let wide = at(200, 60, &wants(5));
    let columns: std::collections::BTreeSet<u16> = wide.panes.iter().map(|pane| pane.area.x).collect();
    assert_eq!(columns.len(), 3);
    let zoomed = at(
        200,
        60,
        &Wants {
            zoomed: true,
            shown: 3,
            ..wants(5)
        },
    );
    assert_eq!((zoomed.panes.len(), zoomed.panes[0].index), (1, 3));
}

#[test]
fn the_smallest_usable_screen_has_room_to_read() {
    let small = at(40, 12, &wants(5));
    assert!(small.panes[0].area.height >= 6, "{small:?}");
    assert_eq!(small.input.height, 2);
}

#[test]
fn panels_without_room_fold_to_one_line_and_the_chosen_one_last() {
    let low = at(120, 20, &Wants { shown: 5, ..wants(6) });
    let folded: Vec<usize> = low
        .panes
        .iter()
        .filter(|pane| pane.folded)
        .map(|pane| pane.index)
        .collect();
    assert!(!folded.is_empty() && !folded.contains(&5), "{low:?}");
    assert!(
        low.panes
            .iter()
            .filter(|pane| pane.folded)
            .all(|pane| pane.area.height == 1)
    );
}

#[test]
fn a_chosen_panel_that_is_too_tall_is_seen_all_the_same() {
    let mut wants = Wants { shown: 2, ..wants(6) };
    wants.panels[1].height = 9;
    let panes = at(100, 14, &wants).panes;
    let chosen = panes.iter().find(|pane| pane.index == 2).expect("it is there");
    assert!(!chosen.folded && chosen.area.height >= 8, "{panes:?}");
    let bottom = panes.iter().map(|pane| pane.area.bottom()).max();
    assert_eq!(bottom, Some(panes[0].area.bottom()), "nothing leaves the column");
}

#[test]
fn columns_and_rows_have_seams_where_they_can_be_dragged() {
    let wide = at(200, 60, &wants(4));
    let columns: Vec<u16> = wide
        .seams
        .iter()
        .filter(|(_, seam)| matches!(seam, Seam::Columns { .. }))
        .map(|(area, _)| area.x)
        .collect();
    assert_eq!(columns, [83, 144], "the border columns of chat and middle");
    let rows = wide.seams.iter().filter(|(_, seam)| matches!(seam, Seam::Rows { .. }));
    assert_eq!(rows.count(), 2);
    assert!(at(80, 24, &wants(4)).seams.is_empty());
    let mut narrow = wants(4);
    narrow.columns.0 = 30;
    assert_eq!(at(120, 40, &narrow).panes[0].area.width, 36);
    narrow.panels[1].beside = false;
    let shown: Vec<usize> = at(120, 40, &narrow).panes.iter().map(|pane| pane.index).collect();
    assert_eq!(shown, [0, 1, 3, 4]);
}

#[test]
fn on_a_stage_the_panels_stand_beside_each_other_over_the_chat() {
    let stage = |width, height, shown| {
        let wants = Wants {
            stage: true,
            shown,
            ..wants(2)
        };
        at(width, height, &wants).panes
    };
    let places = |panes: &[Pane]| -> Vec<(usize, u16, u16)> {
        panes
            .iter()
            .map(|pane| (pane.index, pane.area.x, pane.area.width))
            .collect()
    };
    let wide = stage(121, 40, 0);
    assert_eq!(places(&wide), [(0, 0, 121), (1, 0, 60), (2, 60, 61)]);
    assert_eq!(wide[1].area.bottom(), wide[0].area.y);
    assert!(wide[1].area.height > wide[0].area.height);
    let narrow = stage(80, 24, 0);
    assert_eq!(
        places(&narrow),
        [(0, 0, 80), (1, 0, 80), (2, 0, 80)],
        "above each other"
    );
    assert_eq!(narrow[1].area.bottom(), narrow[2].area.y);
    assert_eq!(narrow[2].area.bottom(), narrow[0].area.y);
    assert!(narrow[0].area.height > LEAST_CHAT && narrow[1].area.height > narrow[2].area.height);
    assert_eq!(places(&stage(80, 18, 0)), [(0, 0, 80), (1, 0, 80)], "too low for two");
    assert_eq!(places(&stage(80, 24, 2)), [(2, 0, 80)], "or the one gone to");
    assert_eq!(places(&stage(80, 12, 0)), [(0, 0, 80)], "too low for both");
}

proptest! {
    #[test]
    fn nothing_overlaps_or_leaves_the_screen(
        width in 1u16..320, height in 1u16..100, panels in 0usize..9, shown in 0usize..9, input in 1u16..20,
        toast: bool, covered: bool, zoomed: bool, stage: bool,
    ) {
        let screen = Rect::new(0, 0, width, height);
        let wants = Wants { shown: shown.min(panels), zoomed, stage, input, toast, covered, ..wants(panels) };
        let layout = layout(screen, &wants);
        let mut areas: Vec<Rect> = layout.panes.iter().map(|pane| pane.area).collect();
        areas.extend([layout.status, layout.input]);
        // In the line over the input, which has nothing else in it.
        let line = Rect { height: 1, ..layout.input };
        let toast = layout.toast.filter(|toast| covered || layout.input.height < 2 || *toast != line);
        areas.extend(layout.tabs.into_iter().chain(toast).chain(layout.hints));
        for (at, area) in areas.iter().enumerate() {
            prop_assert_eq!(area.intersection(screen), *area);
            for other in &areas[..at] {
                prop_assert!(area.is_empty() || other.is_empty() || !area.intersects(*other), "{:?} {:?}", area, other);
            }
        }
    }
}
