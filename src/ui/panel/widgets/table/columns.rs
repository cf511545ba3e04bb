//! How wide the columns of a table are: natural widths where they fit; then wrapping and shortening columns give way, then expendable
//! ones leave, then all that are left share what there is.

use super::{Cell, Column, GAP, Overflow};
use crate::core::text::width;

/// The width of each column, `None` for those left out. `widest`: how wide their cells have been at most, which counts
/// with those of now.
pub(super) fn widths(
    columns: &[Column],
    rows: &[Vec<Cell>],
    room: u16,
    widest: Option<&mut Vec<u16>>,
) -> Vec<Option<u16>> {
    let mut natural: Vec<u16> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| self::natural(column, at, rows))
        .collect();
    if let Some(widest) = widest {
        for (now, before) in natural.iter_mut().zip(widest.iter()) {
            *now = (*now).max(*before);
        }
        widest.clone_from(&natural);
    }
    let least: Vec<u16> = columns
        .iter()
        .zip(&natural)
        .map(|(column, natural)| {
            if column.overflow != Overflow::CutEnd {
                column.minimum.min(*natural)
            } else {
                *natural
            }
        })
        .collect();
    let mut kept: Vec<bool> = vec![true; columns.len()];
    while total(&least, &kept) > u32::from(room) {
        let candidates = columns
            .iter()
            .enumerate()
            .filter(|(at, column)| column.expendable > 0 && kept.get(*at).copied().unwrap_or(false));
        let Some((leaves, _)) = candidates.max_by_key(|(_, column)| column.expendable) else {
            break;
        };
        if let Some(slot) = kept.get_mut(leaves) {
            *slot = false;
        }
    }
    let mut given = least;
    let over = total(&given, &kept).saturating_sub(u32::from(room));
    if over > 0 {
        squeeze(columns, &mut given, &kept, over);
    } else {
        let spare = u32::from(room) - total(&given, &kept);
        widen(&natural, &mut given, &kept, spare);
    }
    given
        .into_iter()
        .zip(kept)
        .map(|(width, kept)| kept.then_some(width))
        .collect()
}

fn natural(column: &Column, at: usize, rows: &[Vec<Cell>]) -> u16 {
    let cells = rows.iter().filter_map(|row| row.get(at)).map(Cell::width);
    let widest = cells.max().unwrap_or(0).max(width(&column.title));
    u16::try_from(widest).unwrap_or(u16::MAX)
}

fn total(widths: &[u16], kept: &[bool]) -> u32 {
    let shown = || widths.iter().zip(kept).filter(|(_, kept)| **kept);
    let gaps = u32::try_from(shown().count().saturating_sub(1)).unwrap_or(0) * u32::from(GAP);
    shown().map(|(width, _)| u32::from(*width)).sum::<u32>() + gaps
}

/// Takes from the widest until it fits or nothing is left above its minimum.
fn squeeze(columns: &[Column], given: &mut [u16], kept: &[bool], mut over: u32) {
    while over > 0 {
        let widest = given
            .iter_mut()
            .zip(columns)
            .zip(kept)
            .filter(|((width, column), kept)| **kept && **width > column.minimum.clamp(1, 8))
            .max_by_key(|((width, _), _)| **width);
        let Some(((width, _), _)) = widest else { return };
        *width -= 1;
        over -= 1;
    }
}

fn widen(natural: &[u16], given: &mut [u16], kept: &[bool], mut spare: u32) {
    for ((width, natural), kept) in given.iter_mut().zip(natural).zip(kept) {
        let more = u32::from(natural.saturating_sub(*width)).min(spare);
        if *kept {
            *width += u16::try_from(more).unwrap_or(0);
            spare -= more;
        }
    }
}
