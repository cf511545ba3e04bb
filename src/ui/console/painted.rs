//! What the panels painted last. It is copied into a frame as long as nothing that they show has moved, so that a typed
//! key does not pay for tables of 20,000 pods. Not for deciding when a frame is due.

use std::collections::BTreeMap;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

/// What a pane's cells depend on beside its panel's rows: with another of these they are out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Where it stands.
    pub area: Rect,
    /// How often the operator, or what answers him, may have changed something about the panels.
    pub epoch: u64,
    /// The second: ages are shown.
    pub second: i64,
}

struct Kept {
    look: Look,
    version: u64,
    inside: Rect,
    /// None behind the first frame in which it stands here: most such frames, that of the start above all, are followed
    /// by another look before anybody presses a key.
    cells: Option<Buffer>,
}

/// The cells of each pane.
#[derive(Default)]
pub(super) struct Painted {
    panes: BTreeMap<usize, Kept>,
    /// Rows that changed wait for their turn: a frame that somebody waits for does without them.
    pub rows_wait: bool,
}

impl Painted {
    /// Copies a pane into a frame, unless it is out of date; where its content stands inside it.
    pub fn copy(&self, pane: usize, look: Look, version: u64, onto: &mut Buffer) -> Option<Rect> {
        let kept = self.panes.get(&pane)?;
        if kept.look != look || (kept.version != version && !self.rows_wait) {
            return None;
        }
        transfer(kept.cells.as_ref()?, onto, look.area);
        Some(kept.inside)
    }

    /// Keeps what a pane has painted into a frame.
    pub fn keep(&mut self, pane: usize, look: Look, version: u64, inside: Rect, frame: &Buffer) {
        let cells = self.panes.remove(&pane).filter(|kept| kept.look.area == look.area);
        let cells = cells.map(|kept| match kept.cells {
            Some(mut cells) => {
                transfer(frame, &mut cells, look.area);
                cells
            }
            None => cut(frame, look.area),
        });
        self.panes.insert(
            pane,
            Kept {
                look,
                version,
                inside,
                cells,
            },
        );
    }
}

/// The cells of an area that lies in a buffer, row by row.
fn rows(of: &Buffer, area: Rect) -> impl Iterator<Item = &[Cell]> {
    let width = usize::from(area.width);
    (area.top()..area.bottom()).filter_map(move |y| {
        let start = of.index_of(area.x, y);
        of.content.get(start..start + width)
    })
}

/// A copy of the cells of an area that lies in a buffer.
fn cut(from: &Buffer, area: Rect) -> Buffer {
    let mut content = Vec::with_capacity(usize::from(area.width) * usize::from(area.height));
    rows(from, area).for_each(|row| content.extend_from_slice(row));
    Buffer { area, content }
}

/// Copies the cells of an area that lies in both.
fn transfer(from: &Buffer, onto: &mut Buffer, area: Rect) {
    for (y, source) in (area.top()..area.bottom()).zip(rows(from, area)) {
        let start = onto.index_of(area.x, y);
        if let Some(target) = onto.content.get_mut(start..start + source.len()) {
            target.clone_from_slice(source);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ratatui::style::Style;

    #[test]
    fn cells_are_copied_while_nothing_has_moved_and_rows_may_wait() {
        let area = Rect::new(3, 1, 4, 2);
        let look = Look {
            area,
            epoch: 1,
            second: 7,
        };
        let mut frame = Buffer::empty(Rect::new(0, 0, 10, 4));
        frame.set_string(3, 2, "pods", Style::new());
        let mut painted = Painted::default();
        painted.keep(4, look, 1, area, &frame);
        assert_eq!(painted.copy(4, look, 1, &mut frame), None, "painted once");
        painted.keep(4, look, 1, area, &frame);

        let mut next = Buffer::empty(Rect::new(0, 0, 10, 4));
        assert_eq!(painted.copy(4, look, 1, &mut next), Some(area));
        assert_eq!(next, frame);
        for (look, version) in [
            (look, 2),
            (Look { epoch: 2, ..look }, 1),
            (Look { second: 8, ..look }, 1),
            (
                Look {
                    area: Rect { width: 3, ..area },
                    ..look
                },
                1,
            ),
        ] {
            assert_eq!(painted.copy(4, look, version, &mut next), None, "{look:?} {version}");
        }
        painted.rows_wait = true;
        assert_eq!(painted.copy(4, look, 2, &mut next), Some(area));
        assert_eq!(painted.copy(4, Look { epoch: 2, ..look }, 2, &mut next), None);
    }
}
