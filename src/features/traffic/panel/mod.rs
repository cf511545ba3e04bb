//! The traffic panel: who answered the last requests, per pod and per version, how many a second, why some failed, and
//! the requests one by one. Not for sending requests: it shows what `traffic:watch` sends and what `traffic:logs` reads.

mod picture;
#[cfg(test)]
mod tests;
mod versions;

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::picture::{Look, Picture, WINDOW};
use self::versions::Versions;
use super::model::{Sample, latest, samples};
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::feed::{Health, HealthState, Hub, RowTable, Subscription};
use crate::ui::panel::widgets::health::{empty_reason, explained, trouble};
use crate::ui::panel::widgets::table::Selection;
use crate::ui::panel::widgets::{line, message};
use crate::ui::panel::{Effect, Panel, PanelKey, Scope, Sourced, Theme, Tone};

/// Requests shown one by one.
const RIBBON: usize = 200;
/// What it says before the first request.
const NOTHING: &str = "no traffic yet: traffic:watch URL (t on a service), traffic:logs deploy/NAME -f, or paste the shell \
                       loop with curl";

/// How many answerers can be the first that is shown.
fn places(all: usize, room: usize) -> usize {
    all.saturating_sub(room) + 1
}

/// The panel.
pub struct TrafficPanel {
    hub: Hub,
    feed: Option<Subscription<Sample>>,
    /// The context, where several are shown: it keeps to the session's own.
    place: Option<String>,
    /// The first answerer that is shown.
    scroll: Selection,
    /// The operator scrolled away from the newest version, which stands last; until then it is in sight.
    away: bool,
    /// As drawn last: the answerers, and how many of them there was room for.
    drawn: (usize, usize),
    versions: Versions,
    moved: u64,
}

impl TrafficPanel {
    /// Shows nothing until it is opened.
    pub fn new(hub: Hub) -> Self {
        TrafficPanel {
            hub,
            feed: None,
            place: None,
            scroll: Selection::default(),
            away: false,
            drawn: (0, 0),
            versions: Versions::default(),
            moved: 0,
        }
    }

    /// The requests that are shown, newest first.
    fn shown(&self) -> Vec<Sample> {
        self.feed.as_ref().map_or_else(Vec::new, |feed| {
            feed.source()
                .read(|rows, _| latest(rows).take(RIBBON).cloned().collect())
        })
    }
}

impl Panel for TrafficPanel {
    fn id(&self) -> &'static str {
        "traffic"
    }

    fn title(&self) -> SafeText {
        let place = self.place.as_ref().map_or(String::new(), |name| format!(" @{name}"));
        let url = |rows: &RowTable<Sample>| latest(rows).next().map(|newest| newest.url.clone());
        let newest = self
            .feed
            .as_ref()
            .and_then(|feed| feed.source().read(|rows, _| url(rows)));
        match newest {
            Some(url) => SafeText::line(&format!("traffic {url}{place}")),
            None => SafeText::line(&format!("traffic{place}")),
        }
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
        match health.state {
            HealthState::Loading => Vec::new(),
            _ => vec![Sourced::new("traffic", health).of(self.place.as_deref())],
        }
    }

    fn is_on_stage(&self) -> bool {
        true
    }

    fn key(&mut self, key: PanelKey) -> Vec<Effect> {
        if let PanelKey::Move(motion) = key {
            let (all, room) = self.drawn;
            let places = places(all, room);
            self.scroll.step(motion, places, room);
            self.away = self.scroll.index() + 1 < places;
            self.moved += 1;
        }
        Vec::new()
    }

    fn window(&self) -> Option<(usize, usize, usize)> {
        let (all, room) = self.drawn;
        let first = self.scroll.index();
        (0 < room && room < all).then(|| (first + 1, (first + room).min(all), all))
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, _now: Timestamp) {
        let health = self.feed.as_ref().map(|feed| feed.source().health());
        let samples = self.shown();
        self.versions.meet(&samples);
        if samples.is_empty() {
            self.drawn = (0, 0);
            let why = health.filter(|health| health.state != HealthState::Loading);
            let text = why.map_or_else(|| NOTHING.into(), |health| empty_reason(&health, NOTHING));
            return message(area, buffer, theme, &text);
        }
        let picture = Picture::of(&samples, &self.versions);
        let is_over = |health: &&Health| health.state == HealthState::Ended;
        let note = health
            .as_ref()
            .filter(is_over)
            .and_then(|health| health.reason.as_ref());
        let why = health.as_ref().filter(|health| !is_over(health)).and_then(trouble);
        let area = match why {
            Some(why) => explained(area, buffer, theme, &why, usize::from(area.height), focused),
            None => area,
        };
        let look = Look {
            theme,
            columns: area.width,
            rows: usize::from(area.height),
            scroll: if self.away { self.scroll.index() } else { usize::MAX },
            note,
        };
        let (lines, answerers) = picture.lines(&look);
        self.drawn = answerers;
        // There may be more room by now, or fewer that answer.
        let last = places(answerers.0, answerers.1) - 1;
        self.scroll
            .select(if self.away { self.scroll.index().min(last) } else { last });
        for (row, drawn) in (0..area.height).zip(&lines) {
            line(area, row, buffer, drawn);
        }
    }

    fn folded(&self) -> SafeText {
        let picture = Picture::of(&self.shown(), &self.versions);
        SafeText::line(&format!("traffic  {}", picture.headline()))
    }

    fn mark(&self) -> Option<Tone> {
        let failed = |rows: &RowTable<Sample>| latest(rows).take(WINDOW).any(|sample| !sample.succeeded());
        let bad = |rows: &RowTable<Sample>, health: &Health| health.state != HealthState::Ended && failed(rows);
        self.feed.as_ref()?.source().read(bad).then_some(Tone::Bad)
    }

    fn minimum(&self) -> (u16, u16) {
        (28, 4)
    }

    fn weight(&self) -> u16 {
        // Three pods, two versions, the ribbon and the head line are to be seen at once in a screen of 40 rows.
        4
    }
}
