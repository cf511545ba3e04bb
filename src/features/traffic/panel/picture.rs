//! What the traffic panel draws of the last requests: who answered, which versions, how many a second, why some failed,
//! each as a cell. Not for where they come from.

use std::collections::{BTreeMap, BTreeSet};

use ratatui::text::{Line, Span};

use super::versions::{Versions, letter};
use crate::core::text::SafeText;
use crate::features::traffic::model::{Sample, Tally};
use crate::ui::panel::widgets::bar::{Fill, Part, bar};
use crate::ui::panel::widgets::sparkline::sparkline;
use crate::ui::panel::{Meaning, Theme};

/// Requests that the shares are counted over.
pub(super) const WINDOW: usize = 60;
/// Seconds of the rate that are shown at most, and at least for it to be worth its room.
const RATE: (usize, usize) = (60, 8);
/// Below this width a row has a bar for its share, but no lane.
const LANES: u16 = 31;
/// Columns of a name before its lane, at least and at most.
const NAME: (u16, u16) = (12, 30);
/// Columns of a bar at most.
const BAR: u16 = 30;

/// What is drawn, worked out once a frame.
pub(super) struct Picture {
    tally: Tally,
    /// The ranks of the versions that are counted.
    ranks: BTreeMap<String, usize>,
    /// Who answered how many, and the version it told last, those of the oldest version first: what says more than the
    /// version's own line.
    answerers: Vec<(String, usize, Option<String>)>,
    /// Why requests failed, the most frequent reason first.
    reasons: Vec<(String, usize)>,
    /// Some answer told its pod.
    has_pods: bool,
    /// The requests, newest first.
    requests: Vec<Request>,
    /// Requests of each of the last seconds, the newest last.
    rate: Vec<Option<f64>>,
}

/// What decides how it looks besides the requests.
pub(super) struct Look<'a> {
    pub theme: &'a Theme,
    pub columns: u16,
    pub rows: usize,
    /// The first answerer shown.
    pub scroll: usize,
    /// That the watch has ended.
    pub note: Option<&'a SafeText>,
}

/// One request as a cell.
struct Request {
    /// Who answered.
    answerer: String,
    /// The rank of the version told, if one was.
    rank: Option<usize>,
    failed: bool,
}

/// A row of the counts.
struct Share {
    label: String,
    count: usize,
    /// Of all requests that are counted, in whole percents that add up.
    percent: usize,
    rank: Option<usize>,
}

impl Picture {
    /// `samples`: newest first.
    pub fn of(samples: &[Sample], versions: &Versions) -> Self {
        let told = samples.iter().filter_map(|sample| sample.version.as_ref());
        let ranks: BTreeMap<String, usize> = told
            .filter_map(|version| Some((version.clone(), versions.rank(version)?)))
            .collect();
        let rank = |sample: &Sample| sample.version.as_ref().and_then(|version| ranks.get(version)).copied();
        let requests = samples
            .iter()
            .map(|sample| Request {
                answerer: sample.answerer().to_owned(),
                rank: rank(sample),
                failed: !sample.succeeded(),
            })
            .collect();
        let tally = Tally::of(samples.iter().take(WINDOW));
        let pods: BTreeSet<&str> = samples.iter().filter_map(|sample| sample.pod.as_deref()).collect();
        // What matched is often the version itself, and answers without a match that all told theirs say nothing more.
        let is_nameless = |sample: &&Sample| sample.succeeded() && sample.pod.is_none() && sample.matched.is_none();
        let nameless: Vec<&Sample> = samples.iter().take(WINDOW).filter(is_nameless).collect();
        let nobody = nameless.first().map(|sample| sample.answerer());
        let all_tell = nameless.iter().all(|sample| sample.version.is_some());
        let repeats = |name: &str, count: usize, version: &Option<String>| {
            let versions = version.as_ref().and_then(|version| tally.versions.get(version));
            !pods.contains(name) && (versions == Some(&count) || (all_tell && nobody == Some(name)))
        };
        let mut answerers = tally
            .answerers
            .iter()
            .filter(|(name, (count, version))| !repeats(name, *count, version))
            .map(|(name, (count, version))| {
                // Nobody in particular has no version in particular.
                let version = version.clone().filter(|_| nobody != Some(name.as_str()));
                (name.clone(), *count, version)
            })
            .collect::<Vec<_>>();
        answerers.sort_by_key(|(.., version)| version.as_ref().and_then(|version| ranks.get(version)).copied());
        Picture {
            answerers,
            reasons: reasons(samples),
            has_pods: !pods.is_empty(),
            rate: rate(samples),
            requests,
            tally,
            ranks,
        }
    }

    pub fn headline(&self) -> String {
        format!("last {}  failed {}", self.tally.total, self.tally.failed)
    }

    /// The version that came last is the new one.
    fn meaning(&self, rank: Option<usize>) -> Meaning {
        match rank {
            Some(rank) if self.ranks.values().all(|other| *other <= rank) => Meaning::StateNew,
            Some(_) => Meaning::StateOld,
            None => Meaning::Text,
        }
    }

    /// The lines; and of the answerers how many there are, and how many of them have a line.
    pub fn lines(&self, look: &Look<'_>) -> (Vec<Line<'static>>, (usize, usize)) {
        let (theme, columns) = (look.theme, look.columns);
        let mut lines = vec![self.head(theme, columns, look.note)];
        let failures = self.failures(theme, columns);
        let others = 1 + usize::from(failures.is_some()) + self.tally.versions.len() + self.answerers.len();
        lines.extend(self.ribbon(theme, columns, look.rows.saturating_sub(others).max(1)));
        lines.extend(failures);
        let rank = |version: &String| self.ranks.get(version).copied();
        let lanes = self.answerers.len() > 1 && columns >= LANES;
        let counts: Vec<usize> = self.tally.versions.values().copied().collect();
        let percents = percents(&counts, self.tally.total);
        for ((version, count), percent) in self.tally.versions.iter().zip(percents) {
            let share = Share {
                label: format!("version {version}"),
                count: *count,
                percent,
                rank: rank(version),
            };
            lines.push(match lanes {
                true => self.beside(theme, columns, &share, None),
                false => self.share(theme, columns, &share),
            });
        }
        let room = look.rows.saturating_sub(lines.len()).min(self.answerers.len());
        let first = look.scroll.min(self.answerers.len() - room);
        let counts: Vec<usize> = self.answerers.iter().map(|(_, count, _)| *count).collect();
        let percents = self::percents(&counts, self.tally.total);
        for ((name, count, version), percent) in self.answerers.iter().zip(percents).skip(first).take(room) {
            let label = match version {
                Some(version) if !lanes => format!("{name} {version}"),
                _ => name.clone(),
            };
            let share = Share {
                label,
                count: *count,
                percent,
                rank: version.as_ref().and_then(rank),
            };
            lines.push(match lanes {
                true => self.beside(theme, columns, &share, Some(name)),
                false => self.share(theme, columns, &share),
            });
        }
        (lines, (self.answerers.len(), room))
    }

    /// `last 60 requests  failed 0  per second ▂▂▃▂ max 3`: the rate where there is room for it.
    fn head(&self, theme: &Theme, columns: u16, note: Option<&SafeText>) -> Line<'static> {
        let failed = if self.tally.failed > 0 {
            Meaning::StateBad
        } else {
            Meaning::Dim
        };
        let dim = theme.style(Meaning::Dim);
        let mut head = Line::from(vec![
            Span::styled(format!("last {} requests  ", self.tally.total), dim),
            Span::styled(format!("failed {}", self.tally.failed), theme.style(failed)),
        ]);
        let most = self.rate.iter().flatten().copied().fold(0.0, f64::max);
        let (before, after) = ("  per second ", format!(" max {most}"));
        let room = usize::from(columns).saturating_sub(head.width() + before.len() + after.len());
        match note {
            Some(note) => head.push_span(Span::styled(format!("  {note}"), dim)),
            None if self.rate.len() > 1 && room >= RATE.1 => {
                let cells = u16::try_from(room.min(self.rate.len())).unwrap_or(0);
                head.push_span(Span::styled(before, dim));
                head.push_span(sparkline(theme, &self.rate, most, cells, Meaning::Text));
                head.push_span(Span::styled(after, dim));
            }
            None => {}
        }
        if !self.has_pods && self.tally.total > self.tally.failed && note.is_none() {
            let texts = [
                "  no answer names its pod: ask a page that tells it, as /net may",
                "  no answer names its pod",
            ];
            let room = usize::from(columns).saturating_sub(head.width());
            if let Some(text) = texts.into_iter().find(|text| text.len() <= room) {
                head.push_span(Span::styled(text, dim));
            }
        }
        head
    }

    /// `! 24 x HTTP 503 Service Unavailable, 2 x no answer within 5 s`; none: nothing failed.
    fn failures(&self, theme: &Theme, columns: u16) -> Option<Line<'static>> {
        let each: Vec<String> = self
            .reasons
            .iter()
            .map(|(why, count)| format!("{count} x {why}"))
            .collect();
        let text = SafeText::line(&format!("! {}", each.join(", "))).fit(usize::from(columns));
        (!each.is_empty()).then(|| Line::from(theme.span(&text, Meaning::StateBad)))
    }

    /// Name and count before a lane: the requests that one of them answered, each under its cell of the ribbon's right
    /// end. A version has a bar there, since the ribbon's letters tell its requests.
    fn beside(&self, theme: &Theme, columns: u16, share: &Share, answerer: Option<&str>) -> Line<'static> {
        let name = (columns / 3).clamp(NAME.0, NAME.1);
        let number = format!("{} ", number(share));
        let room = columns.saturating_sub(name + u16::try_from(number.len()).unwrap_or(0));
        let mut line = Line::from(vec![
            self.label(theme, share, usize::from(name)),
            Span::styled(number, theme.style(Meaning::Text)),
        ]);
        match answerer {
            Some(answerer) => line.spans.extend(self.lane(theme, usize::from(room), answerer)),
            None => line.spans.extend(self.bar(theme, room.min(BAR), share)),
        }
        line
    }

    fn lane(&self, theme: &Theme, room: usize, answerer: &str) -> Vec<Span<'static>> {
        let newest: Vec<&Request> = self.requests.iter().take(room).collect();
        // What has not come yet is left blank at the left, so that the newest of all lanes stand below each other.
        let blank = Span::raw(" ".repeat(room - newest.len()));
        let cells = newest
            .into_iter()
            .rev()
            .map(|request| match request.answerer == answerer {
                true => self.cell(theme, request),
                false => Span::styled(theme.glyphs.neutral, theme.style(Meaning::Border)),
            });
        std::iter::once(blank).chain(cells).collect()
    }

    /// One cell a request, newest at the right of the last row: the version's letter, `!` for a failure, `.` where none
    /// is told. In as many rows as there is room for.
    fn ribbon(&self, theme: &Theme, columns: u16, rows: usize) -> Vec<Line<'static>> {
        let columns = usize::from(columns).max(1);
        let newest: Vec<_> = self.requests.iter().take(columns * rows).collect();
        let mut lines: Vec<Line<'static>> = newest
            .chunks(columns)
            .map(|row| {
                // What has not come yet is blank: the newest stands above the right end of the lanes.
                let blank = Span::raw(" ".repeat(columns - row.len()));
                let cells = row.iter().rev().map(|request| self.cell(theme, request));
                std::iter::once(blank).chain(cells).collect()
            })
            .collect();
        lines.reverse();
        lines
    }

    fn cell(&self, theme: &Theme, request: &Request) -> Span<'static> {
        if request.failed {
            return Span::styled("!", theme.style(Meaning::StateBad));
        }
        let text = request.rank.map_or('.', letter).to_string();
        Span::styled(text, theme.style(self.meaning(request.rank)))
    }

    /// A row without a lane: the name as whole as it can be, a bar, the count.
    fn share(&self, theme: &Theme, columns: u16, share: &Share) -> Line<'static> {
        let number = number(share);
        let bar = (columns / 3).clamp(6, BAR);
        let used = usize::from(bar) + number.len() + 1;
        let name = usize::from(columns).saturating_sub(used);
        let mut line = Line::from(vec![self.label(theme, share, name), Span::raw(" ")]);
        line.spans.extend(self.bar(theme, bar, share));
        line.push_span(Span::styled(number, theme.style(Meaning::Text)));
        line
    }

    /// The version's letter and the name, `columns` wide.
    fn label(&self, theme: &Theme, share: &Share, columns: usize) -> Span<'static> {
        let letter = share.rank.map_or_else(String::new, |rank| format!("{} ", letter(rank)));
        let name = fit_end(
            SafeText::line(&share.label).as_str(),
            columns.saturating_sub(letter.len()),
        );
        let label = format!("{letter}{name}");
        let blanks = " ".repeat(columns.saturating_sub(crate::core::text::width(&label)));
        Span::styled(format!("{label}{blanks}"), theme.style(self.meaning(share.rank)))
    }

    fn bar(&self, theme: &Theme, columns: u16, share: &Share) -> Vec<Span<'static>> {
        let part = Part {
            amount: share.count as u64,
            fill: Fill::Full,
            meaning: self.meaning(share.rank),
        };
        bar(theme, columns, self.tally.total as u64, &[part]).spans
    }
}

fn number(share: &Share) -> String {
    format!(" {:>3} {:>3}%", share.count, share.percent)
}

/// Whole percents of `total` whose sum is that of the counts: what is lost by cutting goes where most was cut, as seats
/// are by the largest remainder.
fn percents(counts: &[usize], total: usize) -> Vec<usize> {
    let total = total.max(1);
    let mut percents: Vec<usize> = counts.iter().map(|count| count * 100 / total).collect();
    let whole = (counts.iter().sum::<usize>() * 100 + total / 2) / total;
    let lost = whole.saturating_sub(percents.iter().sum());
    let mut by_rest: Vec<usize> = (0..counts.len()).collect();
    by_rest.sort_by_key(|at| std::cmp::Reverse(counts.get(*at).map_or(0, |count| count * 100 % total)));
    for at in by_rest.into_iter().take(lost) {
        if let Some(percent) = percents.get_mut(at) {
            *percent += 1;
        }
    }
    percents
}

/// Why the last requests failed, the most frequent reason first.
fn reasons(samples: &[Sample]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (sample, error) in samples.iter().take(WINDOW).filter_map(|s| Some((s, s.error.as_ref()?))) {
        let status = sample.status.and_then(|status| http::StatusCode::from_u16(status).ok());
        let words = status.and_then(|status| status.canonical_reason());
        let why = words.map_or_else(|| error.clone(), |words| format!("{error} {words}"));
        *counts.entry(why).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// How many requests each of the last seconds had, the newest last, from the first request on. The second that goes on
/// is left out: it is not over.
fn rate(samples: &[Sample]) -> Vec<Option<f64>> {
    let second = |sample: &Sample| sample.at.as_second();
    let Some(newest) = samples.iter().map(second).max() else {
        return Vec::new();
    };
    let mut counts: Vec<Option<f64>> = Vec::new();
    for sample in samples {
        let ago = usize::try_from(newest - second(sample)).unwrap_or(usize::MAX);
        if ago == 0 || ago > RATE.0 {
            continue;
        }
        if counts.len() < ago {
            counts.resize(ago, Some(0.0));
        }
        if let Some(Some(count)) = counts.get_mut(ago - 1) {
            *count += 1.0;
        }
    }
    counts.reverse();
    counts
}

/// At most `columns` wide; cut at the front, since pods of one deployment differ at the end of their names.
fn fit_end(text: &str, columns: usize) -> String {
    let mut kept = String::new();
    if crate::core::text::width(text) <= columns {
        return text.to_owned();
    }
    for symbol in text.chars().rev() {
        let longer = format!("{symbol}{kept}");
        if crate::core::text::width(&longer) + 1 > columns {
            break;
        }
        kept = longer;
    }
    if columns == 0 { kept } else { format!("…{kept}") }
}
