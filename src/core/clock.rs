//! The clock that rooms are given instead of asking the system: real, or paused and moved by a test.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Tells the time, and the zone of whoever looks at it. Cheap to clone; clones of a paused clock move together.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Read when it is asked for: the first frame shows no time of day.
    zone: Arc<OnceLock<TimeZone>>,
    /// Milliseconds since the epoch, when paused.
    paused: Option<Arc<AtomicI64>>,
}

impl Default for Clock {
    fn default() -> Self {
        Clock::real()
    }
}

impl Clock {
    /// The system's clock.
    pub fn real() -> Self {
        Clock {
            zone: Arc::default(),
            paused: None,
        }
    }

    /// A clock in UTC that stands at `start` until [`Clock::advance`].
    pub fn paused(start: Timestamp) -> Self {
        Clock {
            zone: Arc::new(TimeZone::UTC.into()),
            paused: Some(Arc::new(AtomicI64::new(start.as_millisecond()))),
        }
    }

    /// Now; with millisecond precision when paused.
    pub fn now(&self) -> Timestamp {
        match &self.paused {
            None => Timestamp::now(),
            Some(millis) => {
                Timestamp::from_millisecond(millis.load(Ordering::Relaxed)).unwrap_or(Timestamp::UNIX_EPOCH)
            }
        }
    }

    /// Where the clock hangs.
    pub fn zone(&self) -> &TimeZone {
        self.zone.get_or_init(local_zone)
    }

    /// Moves a paused clock; a real one does not move.
    pub fn advance(&self, by: Duration) {
        if let Some(millis) = &self.paused {
            millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }

    /// Time passed since `earlier`; zero when `earlier` lies ahead.
    pub fn since(&self, earlier: Timestamp) -> Duration {
        Duration::try_from(self.now().duration_since(earlier)).unwrap_or(Duration::ZERO)
    }
}

/// The zone of `TZ` or `/etc/localtime`. The file is read as it is: to find the zone by its name, jiff would list the whole
/// database first, which takes longer than anything else before the first frame.
fn local_zone() -> TimeZone {
    let file = || TimeZone::tzif("", &std::fs::read("/etc/localtime").ok()?).ok();
    let named = std::env::var_os("TZ").is_some();
    let zone = if named { None } else { file() };
    zone.unwrap_or_else(TimeZone::system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_clock_moves_only_when_told() {
        let clock = Clock::paused(Timestamp::UNIX_EPOCH);
        let seen = clock.clone();
        clock.advance(Duration::from_millis(1500));
        assert_eq!(seen.since(Timestamp::UNIX_EPOCH), Duration::from_millis(1500));
        assert_eq!(seen.since(seen.now() + Duration::from_secs(9)), Duration::ZERO);
    }
}
