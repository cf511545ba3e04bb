//! The traffic panel: who answered the last requests, per pod and per version, and the requests one by one. Not for
//! sending requests: it shows what `traffic:watch` sends and what `traffic:logs` reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::model::{Sample, Tally, latest, samples};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::feed::{HealthState, Hub, Subscription};
use crate::ui::panel::widgets::bar::{Fill, Part, bar};
use crate::ui::panel::widgets::{line, message};
use crate::ui::panel::{Effect, Meaning, Motion, Panel, PanelKey, Scope, Sourced, Theme};

/// Requests that the shares are counted over.
const WINDOW: usize = 60;
/// Requests shown one by one.
const RIBBON: usize = 200;
/// Columns of a lane's name.
const LANE: usize = 10;
/// Letters of the versions in the ribbon, oldest version first.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// The panel.
pub struct TrafficPanel {
    hub: Hub,
    feed: Option<Subscription<Sample>>,
    /// The context, where several are shown: it keeps to the session's own.
    place: Option<String>,
    scroll: usize,
    moved: u64,
}

impl TrafficPanel {
    /// Shows nothing until it is opened.
    pub fn new(hub: Hub) -> Self {
        TrafficPanel {
            hub,
            feed: None,
            place: None,
            scroll: 0,
            moved: 0,
        }
    }

    fn read<T>(&self, look: impl FnOnce(&[Sample]) -> T) -> T {
        let samples: Vec<Sample> = self.feed.as_ref().map_or_else(Vec::new, |feed| {
            feed.source()
                .read(|rows, _| latest(rows).take(RIBBON).cloned().collect())
        });
        look(&samples)
    }
}

impl Panel for TrafficPanel {
    fn id(&self) -> &'static str {
        "traffic"
    }

    fn title(&self) -> SafeText {
        let place = self.place.as_ref().map_or(String::new(), |name| format!(" @{name}"));
        self.read(|samples| match samples.first() {
            Some(newest) => SafeText::line(&format!("traffic {}{place}", newest.url)),
            None => SafeText::line(&format!("traffic{place}")),
        })
    }

    fn open(&mut self, context: &Arc<Context>) {
        self.open_in(&Scope::one(context));
    }

    fn open_in(&mut self, scope: &Scope) {
        let own = scope.own();
        self.feed = Some(samples(&self.hub, own));
        self.place = scope.is_several().then(|| own.name.clone());
        self.moved += 1;
    }

    fn close(&mut self) {
        self.feed = None;
    }

    fn version(&self) -> u64 {
        self.moved + self.feed.as_ref().map_or(0, |feed| feed.source().version())
    }

    fn health(&self) -> Vec<Sourced> {
        let Some(feed) = &self.feed else { return Vec::new() };
        let health = feed.source().health();
        // Before the first watch there is nothing that could be out of date.
        match health.data_at {
            Some(_) => vec![Sourced::new("traffic", health).of(self.place.as_deref())],
            None => Vec::new(),
        }
    }

    fn key(&mut self, key: PanelKey) -> Vec<Effect> {
        if let PanelKey::Move(motion) = key {
            self.scroll = match motion {
                Motion::Up | Motion::PageUp => self.scroll.saturating_sub(1),
                Motion::Down | Motion::PageDown => self.scroll + 1,
                _ => 0,
            };
            self.moved += 1;
        }
        Vec::new()
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, _focused: bool, _now: Timestamp) {
        let scroll = self.scroll;
        let lines = self.read(|samples| {
            (!samples.is_empty())
                .then(|| Picture::of(samples).lines(theme, area.width, usize::from(area.height), scroll))
        });
        let health = self.feed.as_ref().map(|feed| feed.source().health());
        let ended = health.filter(|health| health.state == HealthState::Ended);
        let Some(mut lines) = lines else {
            let text =
                "no traffic yet: traffic:watch URL, traffic:logs deploy/NAME -f, or paste the shell loop with curl"
                    .into();
            return message(area, buffer, theme, &text);
        };
        if let (Some(head), Some(reason)) = (lines.first_mut(), ended.and_then(|health| health.reason)) {
            head.push_span(Span::styled(format!("  {reason}"), theme.style(Meaning::Dim)));
        }
        for (row, drawn) in (0..area.height).zip(&lines) {
            line(area, row, buffer, drawn);
        }
    }

    fn folded(&self) -> SafeText {
        self.read(|samples| SafeText::line(&format!("traffic  {}", Picture::of(samples).headline())))
    }

    fn minimum(&self) -> (u16, u16) {
        (28, 4)
    }

    fn weight(&self) -> u16 {
        // Three pods, two versions, the ribbon and the head line are to be seen at once in a screen of 40 rows.
        4
    }
}

/// What is drawn, worked out once a frame.
struct Picture {
    tally: Tally,
    /// Versions in the order they were first seen, each with its rank.
    ranks: BTreeMap<String, usize>,
    /// The requests, newest first.
    requests: Vec<Request>,
}

/// One request as a cell.
struct Request {
    /// Who answered.
    answerer: String,
    /// The rank of the version told, if one was.
    rank: Option<usize>,
    failed: bool,
}

impl Picture {
    /// `samples`: newest first.
    fn of(samples: &[Sample]) -> Self {
        let mut ranks = BTreeMap::new();
        for version in samples.iter().rev().filter_map(|sample| sample.version.as_ref()) {
            let next = ranks.len();
            ranks.entry(version.clone()).or_insert(next);
        }
        let rank = |sample: &Sample| sample.version.as_ref().and_then(|version| ranks.get(version)).copied();
        let requests = samples
            .iter()
            .map(|sample| Request {
                answerer: sample.answerer().to_owned(),
                rank: rank(sample),
                failed: !sample.succeeded(),
            })
            .collect();
        Picture {
            tally: Tally::of(samples.iter().take(WINDOW)),
            requests,
            ranks,
        }
    }

    fn headline(&self) -> String {
        format!("last {}  failed {}", self.tally.total, self.tally.failed)
    }

    /// The version that came last is the new one.
    fn meaning(&self, rank: Option<usize>) -> Meaning {
        match rank {
            Some(rank) if rank + 1 == self.ranks.len() => Meaning::StateNew,
            Some(_) => Meaning::StateOld,
            None => Meaning::Text,
        }
    }

    fn lines(&self, theme: &Theme, columns: u16, rows: usize, scroll: usize) -> Vec<Line<'static>> {
        let failed = if self.tally.failed > 0 {
            Meaning::StateBad
        } else {
            Meaning::Dim
        };
        let mut lines = vec![Line::from(vec![
            Span::styled(
                format!("last {} requests  ", self.tally.total),
                theme.style(Meaning::Dim),
            ),
            Span::styled(format!("failed {}", self.tally.failed), theme.style(failed)),
        ])];
        let lanes = match self.tally.answerers.len() {
            lanes @ 2.. => lanes + 1,
            _ => 0,
        };
        let others = 1 + self.tally.versions.len() + self.tally.answerers.len() + lanes;
        lines.extend(self.ribbon(theme, columns, rows.saturating_sub(others).max(1)));
        for (version, count) in &self.tally.versions {
            lines.push(self.share(
                theme,
                columns,
                &format!("version {version}"),
                *count,
                self.ranks.get(version).copied(),
            ));
        }
        let room = rows.saturating_sub(lines.len()).max(1);
        let first = scroll.min(self.tally.answerers.len().saturating_sub(room));
        for (name, (count, version)) in self.tally.answerers.iter().skip(first) {
            let rank = version.as_ref().and_then(|version| self.ranks.get(version)).copied();
            let label = match version {
                Some(version) => format!("{name} {version}"),
                None => name.clone(),
            };
            lines.push(self.share(theme, columns, &label, *count, rank));
        }
        let lanes = self.tally.answerers.len();
        if lanes > 1 && lines.len() + lanes < rows && usize::from(columns) > 3 * LANE {
            lines.push(Line::default());
            lines.extend(self.tally.answerers.keys().map(|name| self.lane(theme, columns, name)));
        }
        lines
    }

    /// The requests that one of them answered, each under its cell of the ribbon's right end.
    fn lane(&self, theme: &Theme, columns: u16, name: &str) -> Line<'static> {
        let label = fit_end(SafeText::line(name).as_str(), LANE - 1);
        let blanks = LANE.saturating_sub(crate::core::text::width(&label));
        let mut spans = vec![Span::styled(
            format!("{label}{}", " ".repeat(blanks)),
            theme.style(Meaning::Dim),
        )];
        let room = usize::from(columns) - LANE;
        // What has not come yet is left blank at the left, so that the newest of all lanes stand below each other.
        spans.push(Span::raw(" ".repeat(room.saturating_sub(self.requests.len()))));
        let newest: Vec<&Request> = self.requests.iter().take(room).collect();
        spans.extend(newest.into_iter().rev().map(|request| match request.answerer == name {
            true => self.cell(theme, request),
            false => Span::styled(theme.glyphs.neutral, theme.style(Meaning::Border)),
        }));
        Line::from(spans)
    }

    /// One cell a request, newest at the right of the last row: the version's letter, `!` for a failure, `.` where none
    /// is told. In as many rows as there is room for.
    fn ribbon(&self, theme: &Theme, columns: u16, rows: usize) -> Vec<Line<'static>> {
        let columns = usize::from(columns).max(1);
        let newest: Vec<_> = self.requests.iter().take(columns * rows).collect();
        let mut lines: Vec<Line<'static>> = newest
            .chunks(columns)
            .map(|row| Line::from_iter(row.iter().rev().map(|request| self.cell(theme, request))))
            .collect();
        lines.reverse();
        lines
    }

    fn cell(&self, theme: &Theme, request: &Request) -> Span<'static> {
        if request.failed {
            return Span::styled("!", theme.style(Meaning::StateBad));
        }
        let letter = request.rank.and_then(|rank| LETTERS.chars().nth(rank));
        let text = letter.map_or_else(|| ".".to_owned(), String::from);
        Span::styled(text, theme.style(self.meaning(request.rank)))
    }

    fn share(&self, theme: &Theme, columns: u16, label: &str, count: usize, rank: Option<usize>) -> Line<'static> {
        let number = format!(" {count:>3} {:>3}%", count * 100 / self.tally.total.max(1));
        let letter = rank
            .and_then(|rank| LETTERS.chars().nth(rank))
            .map(|letter| format!("{letter} "))
            .unwrap_or_default();
        let bar_columns = (columns / 3).clamp(6, 30);
        let used = bar_columns + u16::try_from(number.len()).unwrap_or(0) + 1;
        let room = usize::from(columns.saturating_sub(used));
        let label = format!(
            "{letter}{}",
            fit_end(SafeText::line(label).as_str(), room.saturating_sub(letter.len()))
        );
        let blanks = room.saturating_sub(crate::core::text::width(&label)) + 1;
        let meaning = self.meaning(rank);
        let part = Part {
            amount: count as u64,
            fill: Fill::Full,
            meaning,
        };
        let mut spans = vec![Span::styled(
            format!("{label}{}", " ".repeat(blanks)),
            theme.style(meaning),
        )];
        spans.extend(bar(theme, bar_columns, self.tally.total as u64, &[part]).spans);
        spans.push(Span::styled(number, theme.style(Meaning::Text)));
        Line::from(spans)
    }
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

#[cfg(test)]
mod tests {
    use super::super::model::{Watching, append, tests::sample};
    use super::*;
    use crate::core::clock::Clock;

    fn drawn(panel: &mut TrafficPanel, columns: u16, rows: u16) -> String {
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        panel.draw(area, &mut buffer, &Theme::plain(), false, Timestamp::UNIX_EPOCH);
        (0..rows)
            .map(|y| {
                (0..columns)
                    .map(|x| buffer[(x, y)].symbol().to_owned())
                    .collect::<String>()
                    .trim_end()
                    .to_owned()
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[tokio::test]
    async fn shares_and_the_ribbon_follow_the_samples() {
        let hub = Hub::new(Clock::real());
        let mut panel = TrafficPanel::new(hub.clone());
        let context = Arc::new(Context::empty("test"));
        panel.open(&context);
        assert!(drawn(&mut panel, 60, 6).contains("no traffic yet"));
        let before = panel.version();
        let feed = samples(&hub, &context);
        feed.source().write(|table| {
            append(table, sample(Some("web-1"), Some("1.0.0"), None));
            append(table, sample(Some("web-1"), Some("1.0.0"), None));
            append(table, sample(None, None, Some("refused")));
            append(table, sample(Some("web-2"), Some("2.0.0"), None));
        });
        assert_ne!(panel.version(), before);
        let screen = drawn(&mut panel, 60, 8);
        assert!(screen.contains("last 4 requests  failed 1"), "{screen}");
        assert!(screen.lines().nth(1) == Some("aa!b"), "{screen}");
        assert!(
            screen
                .lines()
                .any(|l| l.starts_with("a version 1.0.0") && l.ends_with("2  50%")),
            "{screen}"
        );
        assert!(
            screen
                .lines()
                .any(|l| l.starts_with("b web-2 2.0.0") && l.ends_with("1  25%")),
            "{screen}"
        );
    }

    #[tokio::test]
    async fn with_room_each_pod_has_a_lane_with_its_requests() {
        let hub = Hub::new(Clock::real());
        let mut panel = TrafficPanel::new(hub.clone());
        let context = Arc::new(Context::empty("test"));
        panel.open(&context);
        samples(&hub, &context).source().write(|table| {
            for (pod, version) in [
                ("web-1", "1.0.0"),
                ("web-2", "2.0.0"),
                ("web-1", "1.0.0"),
                ("web-2", "2.0.0"),
            ] {
                append(table, sample(Some(pod), Some(version), None));
            }
        });
        let screen = drawn(&mut panel, 60, 12);
        let lane = |name: &str| {
            let rows: Vec<&str> = screen.lines().filter(|row| row.starts_with(name)).collect();
            rows.last().map(|row| row.trim_end().to_owned())
        };
        assert!(lane("web-1").is_some_and(|row| row.ends_with("a·a·")), "{screen}");
        assert!(lane("web-2").is_some_and(|row| row.ends_with("·b·b")), "{screen}");
        assert!(!drawn(&mut panel, 60, 6).contains("a·a·"), "no room, no lanes");
    }

    #[tokio::test]
    async fn with_room_the_ribbon_has_as_many_rows_as_two_hundred_requests_take() {
        let hub = Hub::new(Clock::real());
        let mut panel = TrafficPanel::new(hub.clone());
        let context = Arc::new(Context::empty("test"));
        panel.open(&context);
        samples(&hub, &context).source().write(|table| {
            for n in 0..RIBBON + 10 {
                let failed = (n == RIBBON + 9).then_some("refused");
                append(table, sample(Some("web-1"), Some("1.0.0"), failed));
            }
        });
        let ribbon = |screen: &str| {
            let cells = |row: &&str| !row.is_empty() && row.chars().all(|cell| cell == 'a' || cell == '!');
            screen.lines().filter(cells).map(str::len).sum::<usize>()
        };
        let screen = drawn(&mut panel, 60, 20);
        assert_eq!(ribbon(&screen), RIBBON, "{screen}");
        assert!(
            screen.lines().any(|row| row.ends_with("aaa!")),
            "the newest is the last: {screen}"
        );
        assert_eq!(ribbon(&drawn(&mut panel, 60, 4)), 60, "one row at least");
    }

    #[tokio::test]
    async fn a_watch_that_has_ended_is_not_out_of_date_and_says_that_it_ended() {
        let hub = Hub::new(Clock::real());
        let mut panel = TrafficPanel::new(hub.clone());
        let context = Arc::new(Context::empty("test"));
        panel.open(&context);
        assert!(panel.health().is_empty(), "nothing was watched");
        let watch = Watching::begin(&hub, &context);
        watch.add(sample(Some("web-1"), Some("1.0.0"), None));
        assert_eq!(panel.health()[0].health.state, HealthState::Live);
        assert!(!drawn(&mut panel, 60, 6).contains("ended"));
        drop(watch);
        let health = panel.health().remove(0).health;
        assert_eq!(
            health.label(health.data_at.unwrap() + std::time::Duration::from_secs(48)),
            "ended 48s"
        );
        let screen = drawn(&mut panel, 60, 6);
        assert!(
            screen.starts_with("last 1 requests  failed 0  the watch has ended"),
            "{screen}"
        );
    }

    #[tokio::test]
    async fn shares_are_those_of_the_question_asked_last() {
        let hub = Hub::new(Clock::real());
        let mut panel = TrafficPanel::new(hub.clone());
        let context = Arc::new(Context::empty("test"));
        panel.open(&context);
        let other = Sample {
            url: "http://other/".to_owned(),
            ..sample(Some("web-1"), Some("1.0.0"), None)
        };
        samples(&hub, &context).source().write(|table| {
            append(table, other.clone());
            append(table, sample(Some("web-2"), Some("2.0.0"), None));
        });
        let screen = drawn(&mut panel, 60, 8);
        assert!(screen.contains("last 1 requests"), "{screen}");
        assert!(!screen.contains("1.0.0"), "{screen}");
    }

    #[tokio::test]
    async fn hostile_names_and_tiny_areas_are_harmless() {
        let hub = Hub::new(Clock::real());
        let mut panel = TrafficPanel::new(hub.clone());
        let context = Arc::new(Context::empty("test"));
        panel.open(&context);
        let hostile = sample(Some("\u{1b}]52;c;eHg=\u{7}世界世界世界世界世界世界"), Some("\n1"), None);
        samples(&hub, &context).source().write(|table| append(table, hostile));
        for (columns, rows) in [(1, 1), (10, 2), (40, 6)] {
            assert!(!drawn(&mut panel, columns, rows).contains('\u{1b}'));
        }
    }
}
