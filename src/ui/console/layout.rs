//! Where everything is, for a size of the screen: one pane and tabs below 100 columns, chat left and panels right up to
//! 159, three columns from 160. Few rows drop the borders first. Pure arithmetic.

use ratatui::layout::Rect;

use super::arrangement::Column;

/// Below this width: one pane and tabs.
pub const NARROW: u16 = 100;
/// From this width: three columns.
pub const WIDE: u16 = 160;
/// From this height on columns have room for every panel.
pub const TALL: u16 = 50;
/// Below this height: no borders between panes.
pub const LOW: u16 = 30;

/// Percent of the height that panels have over the chat on a stage, and where rows are few: the pods of both versions
/// are to be seen at once.
const STAGE: (u16, u16) = (55, 60);
/// Rows of the chat that a stage leaves at least.
const LEAST_CHAT: u16 = 5;

/// What a panel wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// It stands beside the others.
    pub beside: bool,
    /// Its part when panels are dealt out to two columns, beside the others' weights.
    pub weight: u16,
    /// Its part of the height that its column has left, beside the others' shares.
    pub share: u16,
    /// Smallest content width.
    pub width: u16,
    /// Smallest content height.
    pub height: u16,
}

/// What the layout has to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wants {
    /// The panels, in their order.
    pub panels: Vec<Want>,
    /// Percent: the chat beside one column, beside two, the first of the two.
    pub columns: (u16, u16, u16),
    /// The pane shown in one-pane mode or zoomed: 0 is the chat, then the panels.
    pub shown: usize,
    /// The shown pane alone, whatever the width.
    pub zoomed: bool,
    /// The panels large beside each other over the chat: an audience looks at them.
    pub stage: bool,
    /// Lines the input wants.
    pub input: u16,
    /// Whether there is a toast.
    pub toast: bool,
    /// The toast must have a row of its own: something lies over the input.
    pub covered: bool,
}

/// One pane's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pane {
    /// 0 is the chat, then the panels.
    pub index: usize,
    /// Border or title line included.
    pub area: Rect,
    /// One line only: name and counts.
    pub folded: bool,
}

/// A boundary that can be dragged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seam {
    /// Between two columns, which share `place`.
    Columns {
        /// Whose width it sets.
        column: Column,
        /// What both have together.
        place: Rect,
    },
    /// Between two panes of a column, by their indices.
    Rows {
        /// The upper one.
        upper: usize,
        /// The lower one.
        lower: usize,
    },
}

impl Seam {
    /// With the numbers that its panes have now; none: one of them is gone.
    pub fn renumbered(self, number: impl Fn(usize) -> Option<usize>) -> Option<Seam> {
        Some(match self {
            Seam::Columns { .. } => self,
            Seam::Rows { upper, lower } => Seam::Rows {
                upper: number(upper)?,
                lower: number(lower)?,
            },
        })
    }
}

/// The places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Top line.
    pub status: Rect,
    /// Names of the panes, in one-pane mode.
    pub tabs: Option<Rect>,
    /// The visible panes.
    pub panes: Vec<Pane>,
    /// Where they can be dragged.
    pub seams: Vec<(Rect, Seam)>,
    /// The input.
    pub input: Rect,
    /// The toast's line: that over the input, or one of its own.
    pub toast: Option<Rect>,
    /// Key hints, jobs, clock.
    pub hints: Option<Rect>,
    /// Whether panes have borders; otherwise a title line.
    pub borders: bool,
}

/// Places everything on the screen.
pub fn layout(screen: Rect, wants: &Wants) -> Layout {
    let mut rows = Rows { left: screen };
    let single = screen.width < NARROW || wants.zoomed;
    let borders = screen.height >= LOW;
    let status = rows.top(1);
    let tabs = (single && screen.height >= 8).then(|| rows.top(1));
    let hints = (screen.height >= 6).then(|| rows.bottom(1));
    let most = (screen.height / 3).max(1);
    let frame = if borders { 2 } else { u16::from(screen.height >= 10) };
    // In the line over the input, so that no pane gives a row for it and jumps.
    let own = wants.toast && (frame == 0 || wants.covered) && screen.height >= 8;
    let own = own.then(|| rows.bottom(1));
    let input = rows.bottom(wants.input.clamp(1, most) + frame);
    let over = (wants.toast && frame > 0).then_some(Rect { height: 1, ..input });
    let toast = own.or(over);
    let body = rows.left;
    let (mut panes, mut seams) = (Vec::new(), Vec::new());
    let stage = wants.stage && !wants.zoomed && (!single || wants.shown == 0);
    if let Some(staged) = stage.then(|| self::stage(body, wants, borders)).flatten() {
        panes = staged;
    } else if single {
        panes.push(Pane {
            index: wants.shown,
            area: body,
            folded: false,
        });
    } else {
        let all: Vec<usize> = (0..wants.panels.len())
            .filter(|at| wants.panels.get(*at).is_some_and(|panel| panel.beside))
            .collect();
        let one = screen.width < WIDE || all.len() < 2;
        let (column, percent) = match one {
            true => (Column::Chat, wants.columns.0),
            false => (Column::ChatOfThree, wants.columns.1),
        };
        let (chat, rest) = split(body, percent);
        seams.push((edge(chat, borders), Seam::Columns { column, place: body }));
        panes.push(Pane {
            index: 0,
            area: chat,
            folded: false,
        });
        if one {
            stack(rest, &all, wants, borders, &mut panes);
        } else {
            let (middle, right) = split(rest, wants.columns.2);
            let column = Column::Middle;
            seams.push((edge(middle, borders), Seam::Columns { column, place: rest }));
            let cut = balance(&wants.panels, &all);
            stack(middle, &all[..cut], wants, borders, &mut panes);
            stack(right, &all[cut..], wants, borders, &mut panes);
        }
        seams.extend(panes.iter().zip(panes.iter().skip(1)).filter_map(|(upper, lower)| {
            let open = upper.area.x == lower.area.x && !upper.folded && !lower.folded;
            let place = Rect {
                height: 1,
                ..lower.area
            };
            let (upper, lower) = (upper.index, lower.index);
            open.then_some((place, Seam::Rows { upper, lower }))
        }));
    }
    Layout {
        status,
        tabs,
        panes,
        seams,
        input,
        toast,
        hints,
        borders,
    }
}

struct Rows {
    left: Rect,
}

impl Rows {
    fn top(&mut self, height: u16) -> Rect {
        let height = height.min(self.left.height);
        let taken = Rect { height, ..self.left };
        self.left.y += height;
        self.left.height -= height;
        taken
    }

    fn bottom(&mut self, height: u16) -> Rect {
        let height = height.min(self.left.height);
        self.left.height -= height;
        Rect {
            y: self.left.bottom(),
            height,
            ..self.left
        }
    }
}

/// The column of cells by which a pane can be dragged wider: both borders, without borders its last column.
fn edge(left: Rect, borders: bool) -> Rect {
    Rect {
        x: left.right().saturating_sub(1),
        width: if borders { 2 } else { 1 },
        ..left
    }
}

fn split(area: Rect, percent: u16) -> (Rect, Rect) {
    let width = u32::from(area.width) * u32::from(percent.min(100)) / 100;
    let width = u16::try_from(width).unwrap_or(area.width);
    let left = Rect { width, ..area };
    (
        left,
        Rect {
            x: area.x + width,
            width: area.width - width,
            ..area
        },
    )
}

/// How many panels go into the first of two columns so that their weights come out even.
fn balance(panels: &[Want], members: &[usize]) -> usize {
    let weight = |at: &usize| panels.get(*at).map_or(0, |panel| u32::from(panel.weight.max(1)));
    let total: u32 = members.iter().map(weight).sum();
    let mut sum = 0;
    for (index, member) in members.iter().enumerate() {
        sum += weight(member);
        if sum * 2 >= total {
            return (index + 1).min(members.len().saturating_sub(1)).max(1);
        }
    }
    members.len()
}

/// Panels beside each other, as many as there is width for, over the chat, which is the first of the panes; none: there
/// is no room for both.
fn stage(area: Rect, wants: &Wants, borders: bool) -> Option<Vec<Pane>> {
    let (frame, sides) = if borders { (2, 2) } else { (1, 0) };
    let mut members: Vec<(usize, &Want)> = wants
        .panels
        .iter()
        .enumerate()
        .filter(|(_, want)| want.beside)
        .collect();
    if area.width < NARROW {
        if let Some(panes) = low_stage(area, &members, (frame, sides)) {
            return Some(panes);
        }
        members.truncate(1);
    }
    let columns = |count: usize| u16::try_from(count).map_or(0, |count| area.width / count.max(1));
    while members
        .iter()
        .any(|(_, want)| want.width + sides > columns(members.len()))
    {
        members.pop();
    }
    let least = members.iter().map(|(_, want)| want.height + frame).max()?;
    let percent = if area.height < LOW { STAGE.1 } else { STAGE.0 };
    let large = u32::from(area.height) * u32::from(percent) / 100;
    let height = u16::try_from(large).unwrap_or(area.height).max(least);
    let chat = area
        .height
        .checked_sub(height)
        .filter(|rows| *rows >= LEAST_CHAT + frame)?;
    let mut panes = vec![Pane {
        index: 0,
        area: Rect {
            y: area.y + height,
            height: chat,
            ..area
        },
        folded: false,
    }];
    let (width, count) = (columns(members.len()), members.len());
    panes.extend(members.iter().zip(0..).map(|((at, _), column)| {
        let x = area.x + column * width;
        let last = usize::from(column) + 1 == count;
        Pane {
            index: at + 1,
            area: Rect {
                x,
                width: if last { area.right() - x } else { width },
                height,
                ..area
            },
            folded: false,
        }
    }));
    Some(panes)
}

/// The first two of a stage that is too narrow for them side by side: above each other over the chat, the second one no
/// taller than it must be; none: there is no room for both.
fn low_stage(area: Rect, members: &[(usize, &Want)], (frame, sides): (u16, u16)) -> Option<Vec<Pane>> {
    let [(first, upper), (second, lower), ..] = members else {
        return None;
    };
    if upper.width.max(lower.width) + sides > area.width {
        return None;
    }
    let least = upper.height + lower.height + 2 * frame;
    let room = area.height.checked_sub(LEAST_CHAT + frame)?;
    let large = u32::from(area.height) * u32::from(STAGE.1) / 100;
    // One row more than the smallest height has, where there is one: a pod more is seen.
    let height = u16::try_from(large).unwrap_or(room).max(least + 1).min(room);
    let under = (lower.height + frame).max(height / 3);
    let over = height.checked_sub(under).filter(|over| *over >= upper.height + frame)?;
    let pane = |index: usize, y: u16, height: u16| Pane {
        index,
        area: Rect { y, height, ..area },
        folded: false,
    };
    Some(vec![
        pane(0, area.y + height, area.height - height),
        pane(first + 1, area.y, over),
        pane(second + 1, area.y + over, under),
    ])
}

/// Stacks panels: heights by share, never under the smallest; those for which there is no room fold to one line.
fn stack(area: Rect, members: &[usize], wants: &Wants, borders: bool, panes: &mut Vec<Pane>) {
    let frame = if borders { 2 } else { 1 };
    let least = |index: usize| wants.panels.get(index).map_or(1, |panel| panel.height) + frame;
    let fits_width = |index: usize| {
        wants
            .panels
            .get(index)
            .is_some_and(|panel| panel.width + if borders { 2 } else { 0 } <= area.width)
    };
    let mut open: Vec<usize> = members.iter().copied().filter(|index| fits_width(*index)).collect();
    let needed = |open: &[usize]| {
        open.iter().map(|index| u32::from(least(*index))).sum::<u32>()
            + u32::try_from(members.len() - open.len()).unwrap_or(0)
    };
    // The chosen pane is the last to fold.
    while needed(&open) > u32::from(area.height) {
        let last = open
            .iter()
            .rposition(|index| index + 1 != wants.shown)
            .or(open.len().checked_sub(1));
        match last {
            Some(last) => open.remove(last),
            None => break,
        };
    }
    // Who has the keys is seen, if only in part: rather than that the names of others go.
    let chosen = members.iter().copied().find(|index| index + 1 == wants.shown);
    let hidden = chosen.filter(|index| !open.contains(index) && fits_width(*index));
    let members: Vec<usize> = match hidden {
        Some(chosen) => {
            open = vec![chosen];
            let names = usize::from(area.height.saturating_sub(least(chosen)));
            let others = members.iter().copied().filter(|index| *index != chosen).take(names);
            let kept: Vec<usize> = others.chain([chosen]).collect();
            members.iter().copied().filter(|index| kept.contains(index)).collect()
        }
        None => members.to_vec(),
    };
    let needed = open.iter().map(|index| u32::from(least(*index))).sum::<u32>()
        + u32::try_from(members.len() - open.len()).unwrap_or(0);
    let spare = u32::from(area.height).saturating_sub(needed);
    let weight = |index: &usize| wants.panels.get(*index).map_or(0, |panel| u32::from(panel.share));
    let weights: u32 = open.iter().map(weight).sum();
    // Rows that nobody claims are shared evenly.
    let weight = |index: &usize| if weights == 0 { 1 } else { weight(index) };
    let weights: u32 = open.iter().map(weight).sum();
    let (mut y, mut shared, mut seen) = (area.y, 0, 0);
    for index in &members {
        let height = if open.contains(index) {
            seen += weight(index);
            let so_far = (spare * seen).checked_div(weights).unwrap_or(0);
            let extra = so_far - shared;
            shared = so_far;
            least(*index) + u16::try_from(extra).unwrap_or(0)
        } else {
            1
        };
        let height = height.min(area.bottom().saturating_sub(y));
        if height > 0 {
            let place = Rect { y, height, ..area };
            panes.push(Pane {
                index: index + 1,
                area: place,
                folded: !open.contains(index),
            });
        }
        y += height;
    }
}

#[cfg(test)]
mod tests;
