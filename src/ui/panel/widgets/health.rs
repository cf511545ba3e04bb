//! How the health of a source looks: glyph, name, word and the age of the data. Age is text, never colour alone.

use jiff::Timestamp;
use ratatui::text::Span;

use super::super::theme::{Theme, Tone};
use crate::core::text::SafeText;
use crate::feed::health::age;
use crate::feed::{Health, HealthState};

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
}
