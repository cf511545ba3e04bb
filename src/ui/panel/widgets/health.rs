//! How the health of a source looks: glyph, name, word and the age of the data, and below rows why they are not live.
//! Age is text, never colour alone.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::theme::{Meaning, Theme, Tone};
use super::{line, wrap};
use crate::core::text::SafeText;
use crate::feed::health::age;
use crate::feed::{Health, HealthState};

/// From this height on a panel without the keys gives a line for why its rows are not live.
const ROOMY: u16 = 8;
/// Lines of its rows that a panel with the keys gives for it at most, and one in how many of all it has.
const GIVEN: (u16, u16) = (3, 4);
/// Lines that rows keep: the header and one of them.
const KEPT: u16 = 2;

/// The tone of a state.
pub fn tone(state: HealthState) -> Tone {
    match state {
        HealthState::Live => Tone::Ok,
        HealthState::Loading => Tone::Progress,
        HealthState::Ended => Tone::Neutral,
        HealthState::Resync | HealthState::Stale => Tone::Warn,
        HealthState::Login => Tone::Waiting,
        HealthState::Denied | HealthState::Failed => Tone::Bad,
    }
}

/// `live 2s`, `stale 48s`, `denied 2m`: the state and, where there is data, how old it is; `, first 150000 only` behind
/// it where the rows are not all, and shortly before a login ends, that it does.
pub fn words(health: &Health, now: Timestamp) -> String {
    match (health.state, health.data_at) {
        (HealthState::Live, Some(at)) => {
            let live = format!("live {}{}", age(now, at), health.part_words());
            match &health.login_ends {
                Some((ends, _)) => format!("{live}, login expires in {}", age(*ends, now)),
                None => live,
            }
        }
        _ => health.label(now),
    }
}

/// The cell of the status line: `✓ k8s live 2s`.
pub fn cell(theme: &Theme, name: &SafeText, health: &Health, now: Timestamp) -> Span<'static> {
    theme.state(
        tone(health.state),
        &SafeText::line(&format!("{name} {}", words(health, now))),
    )
}

/// Why a panel shows no rows, for a source without any: the state in words, its reason, or `empty` when it is live.
pub fn empty_reason(health: &Health, empty: &str) -> SafeText {
    let reason = health.reason.as_ref().map_or("", SafeText::as_str);
    match health.state {
        HealthState::Live => empty.into(),
        HealthState::Loading if reason.is_empty() => "loading…".into(),
        state if reason.is_empty() => state.word().into(),
        state => format!("{}: {reason}", state.word()).into(),
    }
}

/// `stale: connection refused`: why rows that are there are not live; none: they are, or nobody knows.
pub fn trouble(health: &Health) -> Option<SafeText> {
    let reason = health.reason.as_ref().filter(|_| health.state != HealthState::Live)?;
    Some(format!("{}: {reason}", health.state.word()).into())
}

/// Draws below rows why they are not live; the place that is left for the rows, which take `wanted` lines. Lines that
/// they leave blank are for it. From rows that fill the panel it takes few, and more where the keys are.
pub fn explained(
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
    reason: &SafeText,
    wanted: usize,
    focused: bool,
) -> Rect {
    let blank = area.height.saturating_sub(u16::try_from(wanted).unwrap_or(u16::MAX));
    let given = match focused {
        true => (area.height / GIVEN.1).clamp(1, GIVEN.0),
        false => u16::from(area.height >= ROOMY),
    };
    let room = blank.max(given).min(area.height.saturating_sub(KEPT));
    let mut lines = wrap(reason.as_str(), area.width);
    if lines.len() > usize::from(room) {
        let rest = lines.split_off(usize::from(room).saturating_sub(1)).join(" ");
        // What is cut says so; the toast, and `:messages`, have all of it.
        let last = SafeText::line(&rest).fit(usize::from(area.width));
        lines.extend((room > 0).then(|| last.as_str().to_owned()));
    }
    let first = area.height - u16::try_from(lines.len()).unwrap_or(room);
    for (row, text) in (first..).zip(lines) {
        line(
            area,
            row,
            buffer,
            &Line::from(Span::styled(text, theme.style(Meaning::Error))),
        );
    }
    Rect { height: first, ..area }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_state_has_glyph_word_and_age_where_there_is_data() {
        let start = Timestamp::UNIX_EPOCH;
        let now = start + Duration::from_secs(48);
        let theme = Theme::plain();
        let mut health = Health::loading(start);
        let k8s: SafeText = "k8s".into();
        assert_eq!(cell(&theme, &k8s, &health, now).content, "~ k8s loading");
        health.data_at = Some(start);
        let cases = [
            (HealthState::Live, "✓ k8s live 48s"),
            (HealthState::Ended, "· k8s ended 48s"),
            (HealthState::Resync, "! k8s resync 48s"),
            (HealthState::Stale, "! k8s stale 48s"),
            (HealthState::Denied, "✗ k8s denied 48s"),
            (HealthState::Login, "? k8s login 48s"),
            (HealthState::Failed, "✗ k8s error 48s"),
        ];
        health.login_ends = Some((now + Duration::from_secs(45), "the plugin failed".into()));
        health.become_state(HealthState::Live, None, now);
        // Coming back to life says nothing about the login.
        assert_eq!(
            health.login_words(now).as_deref(),
            Some("login expires in 45s: the plugin failed")
        );
        assert_eq!(
            cell(&theme, &k8s, &health, now).content,
            "✓ k8s live 48s, login expires in 45s"
        );
        health.login_ends = None;
        for (state, wanted) in cases {
            health.become_state(state, None, now);
            assert_eq!(cell(&theme, &k8s, &health, now).content, wanted);
            assert_eq!(health.login_words(now), None);
        }
        health.part = Some(150_000);
        assert_eq!(
            cell(&theme, &k8s, &health, now).content,
            "✗ k8s error 48s, first 150000 only"
        );
        health.become_state(HealthState::Live, None, now);
        assert_eq!(
            cell(&theme, &k8s, &health, now).content,
            "✓ k8s live 48s, first 150000 only"
        );
    }

    #[test]
    fn an_empty_table_says_why() {
        let mut health = Health::loading(Timestamp::UNIX_EPOCH);
        assert_eq!(empty_reason(&health, "no deployments").as_str(), "loading…");
        health.become_state(HealthState::Live, None, Timestamp::UNIX_EPOCH);
        assert_eq!(empty_reason(&health, "no deployments").as_str(), "no deployments");
        health.become_state(
            HealthState::Denied,
            Some("list pods needs a role".into()),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(
            empty_reason(&health, "no deployments").as_str(),
            "denied: list pods needs a role"
        );
    }

    #[test]
    fn a_reason_takes_blank_lines_first_and_few_of_those_that_rows_fill() {
        let reason: SafeText = "stale: the connection was refused".into();
        let drawn = |height: u16, wanted: usize, focused: bool| {
            let area = Rect::new(0, 0, 14, height);
            let mut buffer = Buffer::empty(area);
            let left = explained(area, &mut buffer, &Theme::plain(), &reason, wanted, focused);
            let text = super::super::super::testing::rows(&buffer).split_off(usize::from(left.height));
            (left.height, text)
        };
        let whole = || ["stale: the", "connection was", "refused"].map(str::to_owned).to_vec();
        assert_eq!(drawn(9, 4, false), (6, whole()), "below rows that leave blank lines");
        assert_eq!(
            drawn(12, 40, true),
            (9, whole()),
            "of rows that fill it, for the panel with the keys"
        );
        assert_eq!(drawn(12, 40, false), (11, vec!["stale: the co…".to_owned()]));
        assert_eq!(drawn(6, 40, true), (5, vec!["stale: the co…".to_owned()]));
        assert_eq!(drawn(7, 40, false), (7, Vec::new()), "too small to give one");
        assert_eq!(drawn(2, 40, true), (2, Vec::new()), "header and selected row stay");
    }
}
