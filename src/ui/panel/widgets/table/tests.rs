use super::*;
use ratatui::style::Modifier;

const HOST: &str = "a1b2c3d4e5f6-1234567890.ap-southeast-2.elb.amazonaws.com";

fn columns() -> Vec<Column> {
    vec![
        Column::new("NAME"),
        Column::new("EXTERNAL-IP").wrapping(16),
        Column::new("AGE").right().expendable(2),
        Column::new("PORT").right().expendable(1),
    ]
}

fn draw(width: u16, height: u16, count: usize, selection: &mut Selection) -> Buffer {
    let row = |index: usize| {
        vec![
            Cell::new(&format!("svc-{index}")),
            Cell::new(HOST),
            Cell::new("4m"),
            Cell::new("80/TCP"),
        ]
    };
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let columns = columns();
    Table {
        columns: &columns,
        count,
        row: &row,
        focused: true,
    }
    .draw(area, &mut buffer, &Theme::plain(), selection);
    buffer
}

fn text(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    (0..area.height)
        .map(|y| {
            (0..area.width)
                .map(|x| buffer[(x, y)].symbol())
                .collect::<String>()
                .trim_end()
                .to_owned()
        })
        .collect()
}

#[test]
fn with_room_nothing_is_cut() {
    let lines = text(&draw(80, 4, 2, &mut Selection::default()));
    assert_eq!(lines[0], format!("NAME   {:<56}  AGE    PORT", "EXTERNAL-IP"));
    assert_eq!(lines[1], format!("svc-0  {HOST}   4m  80/TCP"));
}

#[test]
fn a_host_name_wraps_and_is_there_in_full_when_there_is_no_room() {
    let lines = text(&draw(30, 12, 2, &mut Selection::default()));
    let host: String = lines[1..]
        .iter()
        .map(|l| l.get(7..).unwrap_or("").trim_end())
        .take(3)
        .collect::<String>();
    assert!(host.starts_with("a1b2c3d4e5f6"), "{lines:?}");
    let joined: String = lines[1..].iter().map(|l| l.get(7..).unwrap_or("").trim()).collect();
    assert!(joined.contains(HOST), "{lines:?}");
    assert!(
        !lines[0].contains("PORT") && !lines[0].contains("AGE"),
        "expendable columns leave first: {lines:?}"
    );
}

#[test]
fn the_selection_is_reversed_and_stays_visible() {
    let mut selection = Selection::default();
    for _ in 0..500 {
        selection.step(Motion::Down, 1000, 5);
        let buffer = draw(80, 6, 1000, &mut selection);
        let row = (1..6)
            .find(|y| buffer[(0, *y)].modifier.contains(Modifier::REVERSED))
            .unwrap();
        let name: String = (0..7).map(|x| buffer[(x, row)].symbol()).collect();
        assert_eq!(name.trim(), format!("svc-{}", selection.index()));
    }
    selection.step(Motion::Last, 1000, 5);
    assert!(
        text(&draw(30, 6, 1000, &mut selection))
            .iter()
            .any(|line| line.contains("svc-")),
        "tall rows too"
    );
}

#[test]
fn the_selection_stays_on_its_row_when_rows_come_and_go() {
    let mut selection = Selection::default();
    let keep = |selection: &mut Selection, rows: &[&str]| {
        selection.keep(
            rows.len(),
            |k| rows.iter().position(|r| *r == k),
            |at| rows.get(at).map(|r| (*r).to_owned()),
        );
    };
    keep(&mut selection, &["b", "c", "d"]);
    selection.step(Motion::Down, 3, 10);
    selection.settle(Some("c".into()));
    keep(&mut selection, &["a", "b", "c", "d"]);
    assert_eq!((selection.index(), selection.key().map(String::as_str)), (2, Some("c")));
    keep(&mut selection, &["a", "b"]);
    assert_eq!((selection.index(), selection.key().map(String::as_str)), (1, Some("b")));
    keep(&mut selection, &[]);
    keep(&mut selection, &["b"]);
    assert_eq!((selection.index(), selection.key().map(String::as_str)), (0, Some("b")));
}

#[test]
fn hostile_and_wide_cells_stay_inside_their_column() {
    let row = |_: usize| vec![Cell::new("世界世界世界\u{1b}[31m\u{202e}x"), Cell::new("y")];
    let columns = [Column::new("A"), Column::new("B")];
    for width in 1..30 {
        let area = Rect::new(0, 0, width, 3);
        let mut buffer = Buffer::empty(area);
        Table {
            columns: &columns,
            count: 1,
            row: &row,
            focused: false,
        }
        .draw(area, &mut buffer, &Theme::plain(), &mut Selection::<String>::default());
        let all = text(&buffer).concat();
        assert!(!all.contains('\u{1b}') && !all.contains('\u{202e}'), "{all:?}");
    }
}

#[test]
fn a_name_loses_its_middle_before_it_wraps_and_values_may_have_lines() {
    let row = |_: usize| {
        vec![
            Cell::new("nodes.staging.spawnhub.com"),
            Cell::lines(["ns-1.org.", "ns-2\n.com."], Meaning::Text),
        ]
    };
    let columns = [Column::new("NAME").shortening(12), Column::new("VALUE").wrapping(9)];
    let area = Rect::new(0, 0, 30, 4);
    let mut buffer = Buffer::empty(area);
    let table = Table {
        columns: &columns,
        count: 1,
        row: &row,
        focused: true,
    };
    table.draw(area, &mut buffer, &Theme::plain(), &mut Selection::<String>::default());
    let lines = text(&buffer);
    assert_eq!(lines[1], "nodes.sta…wnhub.com  ns-1.org.", "{lines:#?}");
    assert_eq!(lines[2].trim(), "ns-2⏎.", "a line break in a value is seen: {lines:#?}");
}

#[test]
fn no_room_is_no_panic() {
    for (width, height) in [(0, 0), (1, 1), (1, 2), (3, 2), (5, 1)] {
        draw(width, height, 3, &mut Selection::default());
    }
}

#[test]
fn nothing_in_a_selected_row_is_dim_and_bold_at_once() {
    for theme in Theme::PRESETS.iter().map(|name| Theme::preset(name).unwrap()) {
        for focused in [true, false] {
            let row = |index: usize| vec![Cell::new(&format!("pod-{index}")), Cell::styled("4m", Meaning::Dim)];
            let area = Rect::new(0, 0, 20, 3);
            let mut buffer = Buffer::empty(area);
            let columns = [Column::new("NAME"), Column::new("AGE")];
            let table = Table {
                columns: &columns,
                count: 2,
                row: &row,
                focused,
            };
            table.draw(area, &mut buffer, &theme, &mut Selection::<String>::default());
            let (selected, other) = (buffer[(7, 1)].modifier, buffer[(7, 2)].modifier);
            assert!(!selected.contains(Modifier::DIM), "{} {focused}", theme.name);
            let dim = theme.style(Meaning::Dim).add_modifier;
            assert_eq!(
                other.contains(Modifier::DIM),
                dim.contains(Modifier::DIM),
                "{}",
                theme.name
            );
        }
    }
}

#[test]
fn columns_that_hold_their_widths_do_not_move_with_what_is_in_them() {
    let draw = |status: &str, selection: &mut Selection| {
        let row = |_: usize| {
            vec![
                Cell::new("inspector-57984c6bd5-jpgv9"),
                Cell::new(status),
                Cell::new("100.96.1.7"),
            ]
        };
        let columns = [
            Column::new("POD").shortening(12),
            Column::new("STATUS"),
            Column::new("IP").expendable(1),
        ];
        let area = Rect::new(0, 0, 46, 2);
        let mut buffer = Buffer::empty(area);
        let table = Table {
            columns: &columns,
            count: 1,
            row: &row,
            focused: false,
        };
        table.draw(area, &mut buffer, &Theme::plain(), selection);
        text(&buffer)[0].find("STATUS")
    };
    let mut free = Selection::default();
    assert_ne!(
        draw("ContainerCreating", &mut free),
        draw("Running", &mut free),
        "the case in question"
    );
    let mut held: Selection = Selection::default();
    held.hold_widths();
    let wide = draw("ContainerCreating", &mut held);
    assert_eq!(draw("Running", &mut held), wide);
    held.hold_widths();
    assert_ne!(draw("Running", &mut held), wide, "another subject begins anew");
}
