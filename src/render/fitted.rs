//! A table in a room narrower than it is: short columns stay whole, long ones are cut in the middle (names differ at
//! both ends), the last one wraps under itself, and what still has no room leaves from the right. A lone row, and every
//! row when all of it is asked for, becomes a card of `KEY  value` lines, in which nothing is cut. Not for tables that
//! fit: those are laid out as kubectl does it, in `table`.

use super::document::{Line, Role, Span};
use super::table::Layout;
use crate::core::text::{SafeText, differ_at_end, fit, fit_middle, width};
use crate::core::wrap::wrap;

/// Blanks between columns.
const GAP: usize = 2;
/// Columns up to this width are never cut: half an address helps nobody.
const SHORT: usize = 16;
/// Longer columns keep at least this much.
const LEAST: usize = 12;
/// Lines the last cell of a row may take before it ends in `…`.
const WRAPPED: usize = 8;

/// How a table is shown in its room.
pub(super) enum Fitted {
    /// As it is.
    Natural,
    /// Each row as lines of key and value.
    Cards {
        /// Width of the keys.
        keys: usize,
        /// Columns in all.
        room: usize,
    },
    /// Columns of these widths; none: left out.
    Squeezed(Vec<Option<Column>>),
}

/// A column that is shown.
#[derive(Clone, Copy)]
pub(super) struct Column {
    width: usize,
    /// Its cells are told apart by their ends: those stay when the middle goes.
    keeps_end: bool,
}

impl Fitted {
    /// The form for a table of these rows in `room` columns; `whole`: nothing may be cut.
    pub(super) fn of(layout: &Layout, header: &[String], rows: &[Vec<SafeText>], room: usize, whole: bool) -> Self {
        let natural = layout.natural();
        if layout.total() <= room || natural.len() < 2 {
            return Fitted::Natural;
        }
        if rows.len() == 1 || whole {
            // Without names there is nothing to put before the values.
            if header.is_empty() {
                return Fitted::Natural;
            }
            let keys = header.iter().map(|name| width(name)).max().unwrap_or(0);
            return Fitted::Cards { keys, room };
        }
        let column = |(at, width): (usize, Option<usize>)| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(SafeText::as_str);
            width.map(|width| Column {
                width,
                keeps_end: differ_at_end(cells),
            })
        };
        Fitted::Squeezed(squeeze(&natural, room).into_iter().enumerate().map(column).collect())
    }

    /// Whether something of the table is not to be seen in this form: a column that is left out, a cell that is cut. A
    /// last cell that wraps is all there.
    pub(super) fn cuts(&self, layout: &Layout, rows: &[Vec<SafeText>]) -> bool {
        let Fitted::Squeezed(columns) = self else { return false };
        let narrower = |(column, natural): (&Option<Column>, usize)| column.is_none_or(|column| column.width < natural);
        let natural = layout.natural();
        let before = columns.len().saturating_sub(1);
        let mut all = columns.iter().zip(natural.iter().copied());
        if all.by_ref().take(before).any(narrower) {
            return true;
        }
        let Some(Some(last)) = columns.last() else { return true };
        let cut = |cell: &SafeText| wrapped(cell.as_str(), last.width).len() > WRAPPED;
        rows.iter().filter_map(|row| row.get(before)).any(cut)
    }

    /// The header; none for cards, whose rows name their columns.
    pub(super) fn header(&self, layout: &Layout, header: &[String]) -> Vec<Line> {
        match self {
            Fitted::Natural => vec![Line::new(&layout.line(header), Role::Header)],
            Fitted::Cards { .. } => Vec::new(),
            Fitted::Squeezed(widths) => {
                let left_out = widths.iter().filter(|width| width.is_none()).count();
                let mut text = one_line(widths, header);
                if left_out > 0 {
                    text.push_str(&format!("{}+{left_out}", " ".repeat(GAP)));
                }
                vec![Line::new(&text, Role::Header)]
            }
        }
    }

    /// One row; `first` is the one right below the header.
    pub(super) fn row(&self, layout: &Layout, header: &[String], cells: &[SafeText], first: bool) -> Vec<Line> {
        let texts: Vec<&str> = cells.iter().map(SafeText::as_str).collect();
        match self {
            Fitted::Natural => vec![Line::plain(&layout.line(&texts))],
            Fitted::Cards { keys, room } => card(header, cells, *keys, *room, first),
            Fitted::Squeezed(widths) => squeezed(widths, &texts),
        }
    }
}

/// The widths: every column at its least, the ones without room gone from the right (never the first and never the
/// widest, which is what the table is about), then what is spare to the narrowest that want more.
fn squeeze(natural: &[usize], room: usize) -> Vec<Option<usize>> {
    let widest = natural
        .iter()
        .enumerate()
        .max_by_key(|(_, width)| **width)
        .map(|(at, _)| at);
    let mut widths: Vec<Option<usize>> = natural
        .iter()
        .map(|width| Some(if *width <= SHORT { *width } else { LEAST }))
        .collect();
    let total = |widths: &[Option<usize>]| {
        let kept = widths.iter().flatten().count();
        // What is left out is counted at the end of the header.
        let mark = if kept < widths.len() { GAP + 3 } else { 0 };
        widths.iter().flatten().sum::<usize>() + GAP * kept.saturating_sub(1) + mark
    };
    while total(&widths) > room {
        let leaves = (1..widths.len())
            .rev()
            .find(|at| Some(*at) != widest && widths.get(*at).is_some_and(Option::is_some));
        match leaves.and_then(|at| widths.get_mut(at)) {
            Some(slot) => *slot = None,
            None => break,
        }
    }
    let mut spare = room.saturating_sub(total(&widths));
    while spare > 0 {
        let wants = widths
            .iter_mut()
            .zip(natural)
            .filter_map(|(width, natural)| width.as_mut().filter(|width| **width < *natural))
            .min_by_key(|width| **width);
        let Some(width) = wants else { break };
        *width += 1;
        spare -= 1;
    }
    widths
}

fn one_line<T: AsRef<str>>(columns: &[Option<Column>], cells: &[T]) -> String {
    let mut line = String::new();
    let kept = columns
        .iter()
        .zip(cells)
        .filter_map(|(column, cell)| Some(((*column)?, cell.as_ref())));
    for (column, cell) in kept {
        let text = cut(cell, column);
        let blanks = column.width.saturating_sub(width(&text)) + GAP;
        line.push_str(&text);
        line.push_str(&" ".repeat(blanks));
    }
    line.trim_end().to_owned()
}

/// Sentences lose their end, and so do names that end alike; other names and hosts lose their middle.
fn cut(cell: &str, column: Column) -> String {
    if cell.contains(' ') || !column.keeps_end {
        fit(cell, column.width)
    } else {
        fit_middle(cell, column.width)
    }
}

fn squeezed(widths: &[Option<Column>], cells: &[&str]) -> Vec<Line> {
    let last = cells.len().saturating_sub(1);
    let (Some(Some(column)), Some(cell)) = (widths.get(last), cells.last()) else {
        return vec![Line::plain(&one_line(widths, cells))];
    };
    let columns = column.width;
    if width(cell) <= columns {
        return vec![Line::plain(&one_line(widths, cells))];
    }
    let mut pieces = wrapped(cell, columns);
    if pieces.len() > WRAPPED {
        pieces.truncate(WRAPPED);
        if let Some(end) = pieces.last_mut() {
            *end = fit(&format!("{end}……"), columns);
        }
    }
    let before: usize = widths
        .iter()
        .take(last)
        .flatten()
        .map(|column| column.width + GAP)
        .sum();
    let start = one_line(
        widths.get(..last).unwrap_or_default(),
        cells.get(..last).unwrap_or_default(),
    );
    let mut lines = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let text = if at == 0 { start.as_str() } else { "" };
        let blanks = before.saturating_sub(width(text));
        lines.push(Line::plain(&format!("{text}{}{piece}", " ".repeat(blanks))));
    }
    lines
}

fn wrapped(cell: &str, columns: usize) -> Vec<String> {
    wrap(cell, u16::try_from(columns).unwrap_or(u16::MAX))
}

fn card(header: &[String], cells: &[SafeText], keys: usize, room: usize, first: bool) -> Vec<Line> {
    let mut lines = if first { Vec::new() } else { vec![Line::default()] };
    let value_room = room.saturating_sub(keys + GAP).max(LEAST);
    for (key, cell) in header.iter().zip(cells) {
        for (at, piece) in wrapped(cell.as_str(), value_room).into_iter().enumerate() {
            let key = if at == 0 { key.as_str() } else { "" };
            let blanks = keys.saturating_sub(width(key)) + GAP;
            let span = |text: String, role| Span {
                text: SafeText::line(&text),
                role,
            };
            lines.push(Line {
                spans: vec![
                    span(format!("{key}{}", " ".repeat(blanks)), Role::Header),
                    span(piece, Role::Plain),
                ],
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOST: &str = "ab4ea5ab1f1234567890abcdef012345-1234567890.ap-southeast-2.elb.amazonaws.com";

    fn table(header: &[&str], rows: &[&[&str]]) -> (Layout, Vec<String>, Vec<Vec<SafeText>>) {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        let mut layout = Layout::default();
        layout.fit(&header);
        rows.iter().for_each(|row| {
            layout.fit(row);
        });
        let rows = rows
            .iter()
            .map(|row| row.iter().map(|cell| SafeText::line(cell)).collect())
            .collect();
        (layout, header, rows)
    }

    fn shown(header: &[&str], rows: &[&[&str]], room: usize, whole: bool) -> (Vec<String>, bool) {
        let (layout, header, rows) = table(header, rows);
        let fitted = Fitted::of(&layout, &header, &rows, room, whole);
        let mut lines = fitted.header(&layout, &header);
        for (at, row) in rows.iter().enumerate() {
            lines.extend(fitted.row(&layout, &header, row, at == 0));
        }
        (lines.iter().map(Line::text).collect(), fitted.cuts(&layout, &rows))
    }

    const SERVICE: [&str; 6] = ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"];

    #[test]
    fn a_last_cell_that_wraps_is_not_cut() {
        let rows: [&[&str]; 2] = [&["1", "image set to so0k/kuar-inspector:1.0.0"], &["2", "short"]];
        let (lines, cut) = shown(&["REVISION", "CHANGE-CAUSE"], &rows, 30, false);
        assert!(!cut, "{lines:#?}");
        assert!(lines.concat().replace(' ', "").contains("inspector:1.0.0"));
        let long = "word ".repeat(100);
        let rows: [&[&str]; 2] = [&["1", &long], &["2", "short"]];
        assert!(
            shown(&["REVISION", "CHANGE-CAUSE"], &rows, 30, false).1,
            "more lines than it may take"
        );
    }

    #[test]
    fn one_row_too_wide_is_a_card_with_the_host_whole() {
        let row: &[&str] = &["inspector", "LoadBalancer", "100.66.1.2", HOST, "80:31234/TCP", "12s"];
        let (lines, cut) = shown(&SERVICE, &[row], 60, false);
        assert_eq!(lines[0], "NAME         inspector");
        assert_eq!(lines[3], "EXTERNAL-IP  ab4ea5ab1f1234567890abcdef012345-1234567890.");
        assert_eq!(lines[4], "             ap-southeast-2.elb.amazonaws.com");
        assert_eq!((lines.len(), cut), (7, false));
    }

    #[test]
    fn many_rows_stay_rows_short_values_whole_and_what_left_is_counted() {
        let rows: [&[&str]; 2] = [
            &["kubernetes", "ClusterIP", "100.64.0.1", "<none>", "443/TCP", "3h"],
            &["inspector", "LoadBalancer", "100.66.1.2", HOST, "80:31234/TCP", "12s"],
        ];
        let (lines, cut) = shown(&SERVICE, &rows, 60, false);
        assert_eq!(lines[0], "NAME        TYPE          CLUSTER-IP  EXTERNAL-IP  +2");
        assert!(
            lines[2].starts_with("inspector   LoadBalancer  100.66.1.2  ab4ea"),
            "{lines:#?}"
        );
        assert!(lines[2].contains('…') && lines[2].ends_with("com"), "{lines:#?}");
        assert!(
            cut && lines.len() == 3 && lines.iter().all(|line| width(line) <= 60),
            "{lines:#?}"
        );
        let (all, cut) = shown(&SERVICE, &rows, 60, true);
        assert!(!cut && all.concat().replace(' ', "").contains(HOST), "{all:#?}");
        assert_eq!(
            all.iter().filter(|line| line.is_empty()).count(),
            1,
            "a blank line between cards"
        );
    }

    #[test]
    fn the_last_column_wraps_under_itself() {
        let rows: [&[&str]; 2] = [
            &[
                "spawnhub.com.",
                "NS",
                "172800",
                "ns-1.awsdns-01.org., ns-2.awsdns-02.com., ns-3.awsdns-03.net.",
            ],
            &["inspector.spawnhub.com.", "CNAME", "300", HOST],
        ];
        let (lines, _) = shown(&["NAME", "TYPE", "TTL", "VALUE"], &rows, 60, false);
        let joined: String = lines.iter().map(|line| line.trim()).collect();
        assert!(
            joined.contains("elb.amazonaws.com") && joined.contains("ns-3.awsdns-03.net."),
            "{lines:#?}"
        );
        assert!(lines.iter().all(|line| width(line) <= 60), "{lines:#?}");
        let column = lines[0].find("VALUE").unwrap();
        assert!(lines[2].starts_with(&" ".repeat(column)), "{lines:#?}");
    }

    #[test]
    fn names_that_end_alike_lose_their_end() {
        let node = |n: &str| format!("ip-172-20-{n}.ap-southeast-2.compute.internal");
        let (one, two) = (node("108-33"), node("36-15"));
        let rows: [&[&str]; 2] = [&[&one, "Ready", "node"], &[&two, "Ready", "control-plane"]];
        let (lines, _) = shown(&["NAME", "STATUS", "ROLES"], &rows, 46, false);
        assert!(lines[1].starts_with("ip-172-20-108-33.ap-"), "{lines:#?}");
        assert!(lines[2].starts_with("ip-172-20-36-15.ap-"), "{lines:#?}");
    }

    #[test]
    fn a_table_that_fits_is_left_alone() {
        let row: &[&str] = &["inspector", "1/1"];
        assert_eq!(
            shown(&["NAME", "READY"], &[row], 60, false).0,
            ["NAME        READY", "inspector   1/1"]
        );
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_room(
            cells in proptest::collection::vec(proptest::collection::vec("[a-z. 世]{0,40}", 5), 1..4), room in 40usize..90, whole: bool
        ) {
            let rows: Vec<Vec<&str>> = cells.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
            let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
            let (lines, _) = shown(&["A", "B", "C", "D", "E"], &rows, room, whole);
            for line in lines {
                prop_assert!(width(&line) <= room, "{room}: {line:?}");
            }
        }
    }
}
