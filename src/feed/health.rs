//! How true a table is right now. Shown beside every panel; never guessed by the view.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::text::SafeText;

/// The state of a source of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthState {
    /// The first answer is on its way.
    Loading,
    /// Follows the source, or polled it within its interval.
    Live,
    /// Lists again after a gap; rows may be behind.
    Resync,
    /// What filled it came to its end, as it was meant to; rows are what it left.
    Ended,
    /// The source does not answer; rows are as old as the last data.
    Stale,
    /// The source refuses: a permission is missing.
    Denied,
    /// The source wants a new login.
    Login,
    /// Cannot work as configured (no such resource, no configuration).
    Failed,
}

impl HealthState {
    /// The word on the screen.
    pub fn word(self) -> &'static str {
        match self {
            HealthState::Loading => "loading",
            HealthState::Live => "live",
            HealthState::Resync => "resync",
            HealthState::Ended => "ended",
            HealthState::Stale => "stale",
            HealthState::Denied => "denied",
            HealthState::Login => "login",
            HealthState::Failed => "error",
        }
    }
}

/// State, since when, and the age of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The state.
    pub state: HealthState,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// When data last arrived that proves the rows right (an event, a bookmark, a poll); none: never.
    pub data_at: Option<Timestamp>,
    /// Why it is not live; what to do about it.
    pub reason: Option<SafeText>,
    /// The rows are only a part of what there is: so many are kept at most.
    pub part: Option<usize>,
    /// When the login ends that the source lets us in by, where there is no next one yet, and why there is none.
    pub login_ends: Option<(Timestamp, SafeText)>,
}

impl Health {
    /// Loading since `now`.
    pub fn loading(now: Timestamp) -> Self {
        Health {
            state: HealthState::Loading,
            since: now,
            data_at: None,
            reason: None,
            part: None,
            login_ends: None,
        }
    }

    /// `live`, `stale 48s`, `denied 2m`: the word, and how old the data is wherever it is not being renewed.
    pub fn label(&self, now: Timestamp) -> String {
        let label = match (self.state, self.data_at) {
            (HealthState::Live | HealthState::Loading, _) | (_, None) => self.state.word().to_owned(),
            (_, Some(at)) => format!("{} {}", self.state.word(), age(now, at)),
        };
        label + &self.part_words()
    }

    /// Why the rows are not there or not as they should be; none: they are.
    pub fn trouble(&self) -> Option<String> {
        match self.state {
            HealthState::Live | HealthState::Resync | HealthState::Ended => None,
            HealthState::Loading => Some("no answer yet: ask again".to_owned()),
            state => Some(match &self.reason {
                Some(reason) => format!("{}: {reason}", state.word()),
                None => state.word().to_owned(),
            }),
        }
    }

    /// `, first 150000 only` behind the state of rows that are not all; else nothing.
    pub fn part_words(&self) -> String {
        self.part.map_or(String::new(), |most| format!(", first {most} only"))
    }

    /// That the login ends soon and why there is no next one, as a sentence; none: it does not, or the source lets us in
    /// no more anyway.
    pub fn login_words(&self, now: Timestamp) -> Option<String> {
        let (ends, why) = self.login_ends.as_ref()?;
        let live = self.state == HealthState::Live && self.data_at.is_some();
        live.then(|| format!("login expires in {}: {why}", age(*ends, now)))
    }

    /// Worse states have a higher one; among equals the older data.
    pub fn rank(&self) -> (u8, i64) {
        let state = match self.state {
            HealthState::Live => 0,
            HealthState::Ended => 1,
            HealthState::Loading => 2,
            HealthState::Resync => 3,
            HealthState::Stale => 4,
            HealthState::Login => 5,
            HealthState::Denied => 6,
            HealthState::Failed => 7,
        };
        (state, self.data_at.map_or(i64::MAX, |at| -at.as_millisecond()))
    }

    /// Moves to a state; keeps `since` when it is the same.
    pub fn become_state(&mut self, state: HealthState, reason: Option<SafeText>, now: Timestamp) {
        if self.state != state {
            self.since = now;
            self.state = state;
        }
        self.reason = reason;
    }
}

/// A short age as Kubernetes prints it (apimachinery `HumanDuration`): `5s`, `2m5s`, `3h`, `2d4h`.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    let passed = Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO);
    human_duration(passed)
}

/// A duration as Kubernetes prints it.
pub fn human_duration(passed: Duration) -> String {
    let seconds = passed.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |big: u64, unit: char, small: u64, small_unit: char| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{small_unit}"),
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => pair(minutes, 'm', seconds % 60, 's'),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => pair(hours, 'h', minutes % 60, 'm'),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => pair(days, 'd', hours % 24, 'h'),
        () if days < 730 => format!("{days}d"),
        () if days < 2920 => pair(days / 365, 'y', days % 365, 'd'),
        () => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_those_of_kubectl() {
        let cases = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (599, "9m59s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (12_060, "3h21m"),
            (28_800, "8h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (187_200, "2d4h"),
            (691_200, "8d"),
            (63_072_000, "2y"),
            (63_158_400, "2y1d"),
            (252_288_000, "8y"),
        ];
        for (seconds, wanted) in cases {
            assert_eq!(human_duration(Duration::from_secs(seconds)), wanted, "{seconds}");
        }
    }

    #[test]
    fn stale_tells_its_age_and_live_does_not() {
        let start = Timestamp::UNIX_EPOCH;
        let later = start + Duration::from_secs(48);
        let mut health = Health::loading(start);
        health.data_at = Some(start);
        health.become_state(HealthState::Live, None, start);
        assert_eq!(health.label(later), "live");
        health.become_state(HealthState::Stale, Some("connection refused".into()), later);
        assert_eq!(health.label(later), "stale 48s");
        assert_eq!(health.since, later);
    }
}
