//! A wait that nobody sleeps for: begun now, asked about later. It is measured by the monotonic clock, so a step of
//! the time of day does not move it, and follows the sandbox's speed even when that changes on the way.

use std::time::{Duration, Instant};

use crate::sandbox::clock::Clock;

/// A wait in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delay {
    begun: Instant,
    nominal: Duration,
}

impl Delay {
    /// Begins to wait for `nominal`, as long as it lasts at speed 1.
    pub fn begin(nominal: Duration) -> Self {
        Self {
            begun: Instant::now(),
            nominal,
        }
    }

    /// Whether the wait is over at the speed that the clock has now.
    pub fn is_over(&self, clock: &Clock) -> bool {
        self.begun.elapsed() >= clock.scaled(self.nominal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_follows_the_speed() {
        let clock = Clock::new(1.0);
        assert!(Delay::begin(Duration::ZERO).is_over(&clock));
        let delay = Delay::begin(Duration::from_secs(2));
        assert!(!delay.is_over(&clock));
        std::thread::sleep(Duration::from_millis(30));
        clock.set_speed(100.0);
        assert!(delay.is_over(&clock));
    }
}
