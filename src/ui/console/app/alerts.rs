//! What is told once when a source of rows that are shown goes bad: why and what to do, in one line for all that fail for
//! the same reason in the same context; and that they are live again. Not for what panels and the status line show of it
//! all the while.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::App;
use crate::core::text::SafeText;
use crate::feed::HealthState;
use crate::ui::console::toast::Until;
use crate::ui::panel::widgets::health::{tone, trouble};
use crate::ui::panel::{Sourced, Tone};

/// A source that is back within this time is worth no line; others have the time to fail for the same reason.
const LASTING: Duration = Duration::from_secs(1);

/// One reason in one context.
type Reason = (Option<SafeText>, SafeText);

/// What was told and is still so, as far as anybody knows.
#[derive(Default)]
pub struct Alerts(BTreeMap<Reason, Told>);

struct Told {
    names: BTreeSet<SafeText>,
    line: SafeText,
    /// Its sources are shown. Those that are not may be as ill as before: shown again, that is no news.
    shown: bool,
}

/// What there is to tell.
#[derive(Debug, Default, PartialEq, Eq)]
struct News {
    /// Lines that are not true any more.
    over: Vec<SafeText>,
    /// New ones.
    lines: Vec<(SafeText, Tone)>,
    /// Which sources are live again, one line a context.
    well: Vec<SafeText>,
}

impl Alerts {
    /// What has changed since it was asked last.
    fn news(&mut self, sources: &[Sourced], now: Timestamp) -> News {
        let mut ill: BTreeMap<Reason, (BTreeSet<SafeText>, Tone)> = BTreeMap::new();
        for source in sources {
            // Without any row ever a panel says it in their place.
            let told = source.health.data_at.and_then(|_| alert(source, now));
            if let Some((reason, tone)) = told {
                let known = ill.entry((source.context.clone(), reason));
                known
                    .or_insert_with(|| (BTreeSet::new(), tone))
                    .0
                    .insert(source.name.clone());
            }
        }
        let mut news = News::default();
        let mut well: BTreeMap<Option<SafeText>, BTreeSet<SafeText>> = BTreeMap::new();
        for (reason, mut told) in std::mem::take(&mut self.0) {
            let is_ill = ill.contains_key(&reason);
            let shown = told.names.iter().any(|name| is_shown(sources, name, reason.0.as_ref()));
            if told.shown && !is_ill {
                news.over.push(told.line.clone());
            }
            if is_ill || !shown {
                told.shown = is_ill;
                self.0.insert(reason, told);
                continue;
            }
            let live = told
                .names
                .into_iter()
                .filter(|name| is_live(sources, name, reason.0.as_ref()));
            well.entry(reason.0.clone()).or_default().extend(live);
        }
        well.retain(|_, names| !names.is_empty());
        let live =
            |(context, names): (&Option<SafeText>, &BTreeSet<SafeText>)| line(names, context.as_ref(), "live again");
        news.well = well.iter().map(live).collect();
        for (reason, (names, tone)) in ill {
            if let Entry::Vacant(told) = self.0.entry(reason) {
                let (context, text) = told.key();
                let line = line(&names, context.as_ref(), text.as_str());
                news.lines.push((line.clone(), tone));
                told.insert(Told {
                    names,
                    line,
                    shown: true,
                });
            }
        }
        news
    }
}

/// State and reason of a source that somebody has to know about.
fn alert(source: &Sourced, now: Timestamp) -> Option<(SafeText, Tone)> {
    let health = &source.health;
    let is_ill = match health.state {
        HealthState::Stale | HealthState::Denied | HealthState::Login | HealthState::Failed => true,
        HealthState::Loading | HealthState::Live | HealthState::Resync | HealthState::Ended => false,
    };
    let lasts = Duration::try_from(now.duration_since(health.since)).is_ok_and(|since| since >= LASTING);
    (is_ill && lasts).then(|| Some((trouble(health)?, tone(health.state))))?
}

/// Whether anything is called so.
fn is_shown(sources: &[Sourced], name: &SafeText, context: Option<&SafeText>) -> bool {
    let mut own = sources.iter();
    own.any(|source| source.name == *name && source.context.as_ref() == context)
}

/// Whether all that is called so is live, and something is.
fn is_live(sources: &[Sourced], name: &SafeText, context: Option<&SafeText>) -> bool {
    let mut own = sources
        .iter()
        .filter(|source| source.name == *name && source.context.as_ref() == context)
        .peekable();
    own.peek().is_some() && own.all(|source| source.health.state == HealthState::Live)
}

/// `k8s green: stale: connection refused`.
fn line(names: &BTreeSet<SafeText>, context: Option<&SafeText>, text: &str) -> SafeText {
    let names: Vec<&str> = names.iter().map(SafeText::as_str).collect();
    let place = context.map_or(String::new(), |name| format!(" {name}"));
    SafeText::line(&format!("{}{place}: {text}", names.join(", ")))
}

impl App {
    /// Tells what has changed about the sources of what is shown.
    pub(super) fn tell_alerts(&mut self) {
        let shown = self.panels.iter().enumerate().filter(|(at, _)| self.is_offered(*at));
        let sources: Vec<Sourced> = shown.flat_map(|(_, panel)| panel.health()).collect();
        let now = self.clock.now();
        let news = self.alerts.news(&sources, now);
        for text in news.over {
            self.toasts.has_come(&Until::Over(text));
        }
        for text in news.well {
            self.toasts.add(text, Tone::Ok, now);
        }
        for (text, tone) in news.lines {
            self.toasts.add_until(text.clone(), tone, Until::Over(text), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Health;

    const START: Timestamp = Timestamp::UNIX_EPOCH;
    const REFUSED: &str = "the connection was refused (check the server)";

    fn source(name: &str, context: Option<&str>, state: HealthState, reason: &str) -> Sourced {
        let mut health = Health::loading(START);
        health.data_at = Some(START);
        health.become_state(state, (!reason.is_empty()).then(|| reason.into()), START);
        Sourced::new(name, health).of(context)
    }

    fn live(name: &str) -> Sourced {
        source(name, None, HealthState::Live, "")
    }

    #[test]
    fn each_reason_is_told_once_for_all_that_fail_for_it_and_taken_back() {
        let mut alerts = Alerts::default();
        let stale = |name| source(name, None, HealthState::Stale, REFUSED);
        let ill = [stale("k8s"), stale("k8s"), stale("pins"), live("ec2")];
        assert_eq!(alerts.news(&ill, START), News::default(), "it may be back at once");
        let later = START + LASTING;
        let told: SafeText = format!("k8s, pins: stale: {REFUSED}").into();
        let news = alerts.news(&ill, later);
        assert_eq!((news.lines, news.over), (vec![(told.clone(), Tone::Warn)], Vec::new()));
        assert_eq!(alerts.news(&ill, later + LASTING), News::default(), "once");
        // Another reason is another line; the first is over, and nothing is live again yet.
        let login = [
            source("k8s", None, HealthState::Login, "401: kubectl:login logs in again"),
            stale("pins"),
        ];
        let news = alerts.news(&login, later);
        assert_eq!(
            news.lines,
            [("k8s: login: 401: kubectl:login logs in again".into(), Tone::Waiting)]
        );
        assert_eq!(
            (news.over.len(), news.well.len()),
            (0, 0),
            "pins still fail for the first"
        );
        let news = alerts.news(&[live("k8s"), live("k8s"), live("pins")], later);
        assert_eq!(news.over.len(), 2);
        assert!(news.over.contains(&told) && news.lines.is_empty());
        assert_eq!(news.well, ["k8s, pins: live again".into()]);
    }

    #[test]
    fn contexts_are_told_apart_and_what_never_had_rows_is_left_to_its_panel() {
        let mut alerts = Alerts::default();
        let mut never = source("ec2", None, HealthState::Denied, "a right is missing");
        never.health.data_at = None;
        let green = || source("k8s", Some("green"), HealthState::Denied, "list pods needs a role");
        let later = START + LASTING;
        let news = alerts.news(
            &[never, source("k8s", Some("blue"), HealthState::Live, ""), green()],
            later,
        );
        let told: SafeText = "k8s green: denied: list pods needs a role".into();
        assert_eq!(news.lines, [(told.clone(), Tone::Bad)]);
        // Nobody looks at it any more: not true on this screen, and not known to be well.
        let news = alerts.news(&[], later);
        assert_eq!((news.over, news.well), (vec![told], Vec::new()));
        assert_eq!(alerts.news(&[], later), News::default(), "taken back once");
        assert_eq!(
            alerts.news(&[green()], later),
            News::default(),
            "shown again, it is no news"
        );
        let news = alerts.news(&[source("k8s", Some("green"), HealthState::Live, "")], later);
        assert_eq!(news.well, ["k8s green: live again".into()]);
        assert_eq!(alerts.news(&[green()], later).lines.len(), 1, "ill again, it is");
    }
}
