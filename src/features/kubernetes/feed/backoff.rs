//! How long to wait before the next attempt: short at first, longer the longer it lasts, never in step with others.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(200);
/// The longest pause for a while: an interruption that ends is noticed within two seconds.
const QUICK: Duration = Duration::from_millis(1500);
/// After this many attempts the server is likely gone for longer.
const PATIENT_AFTER: u32 = 60;
/// The longest pause then.
const LONG: Duration = Duration::from_secs(10);

/// Counts failed attempts.
#[derive(Debug, Default)]
pub struct Backoff {
    failed: u32,
}

impl Backoff {
    /// The next pause, with a fifth of it left to chance. The server may ask for a longer one.
    pub fn next(&mut self, asked: Option<Duration>) -> Duration {
        let longest = if self.failed > PATIENT_AFTER { LONG } else { QUICK };
        let plain = FIRST
            .saturating_mul(1u32.checked_shl(self.failed.min(16)).unwrap_or(u32::MAX))
            .min(longest);
        self.failed = self.failed.saturating_add(1);
        let chance = RandomState::new().build_hasher().finish() % 1000;
        let jittered = plain.mul_f64(0.8 + 0.2 * f64::from(u32::try_from(chance).unwrap_or(0)) / 1000.0);
        jittered.max(asked.unwrap_or(Duration::ZERO).min(LONG))
    }

    /// It worked.
    pub fn reset(&mut self) {
        self.failed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limits_and_start_anew() {
        let mut backoff = Backoff::default();
        assert!(backoff.next(None) <= FIRST);
        for _ in 0..PATIENT_AFTER {
            assert!(backoff.next(None) <= QUICK);
        }
        backoff.next(None);
        assert!(backoff.next(None) > QUICK);
        backoff.reset();
        assert!(backoff.next(None) <= FIRST);
        assert_eq!(backoff.next(Some(Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(
            backoff.next(Some(Duration::from_secs(3600))),
            LONG,
            "a server cannot silence us"
        );
    }
}
