//! The sandbox's clock: wall-clock time, and waits that `--speed` makes shorter. Not a simulated time: what is
//! stamped into objects is always the real time of day, only delays shrink.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// The longest real wait before a sleeper looks at the speed again.
const SLICE: Duration = Duration::from_millis(250);

/// Tells the time and waits. Cheap to clone; every part of the sandbox gets one, and all clones share the speed.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The speed's bits, as an atomic so that it can change while parts wait.
    speed: Arc<AtomicU64>,
}

impl Clock {
    /// A clock whose waits are divided by `speed`: 1 is real time, 10 ten times as fast. A value that is not a
    /// positive finite number counts as 1.
    pub fn new(speed: f64) -> Self {
        Self {
            speed: Arc::new(AtomicU64::new(sane(speed).to_bits())),
        }
    }

    /// Changes the speed of this clock and all its clones, for waits that have begun too.
    pub fn set_speed(&self, speed: f64) {
        self.speed.store(sane(speed).to_bits(), Ordering::Relaxed);
    }

    /// The speed now.
    pub fn speed(&self) -> f64 {
        f64::from_bits(self.speed.load(Ordering::Relaxed))
    }

    /// The wall-clock time now.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Waits for `duration` divided by the speed.
    pub async fn sleep(&self, duration: Duration) {
        let mut left = duration;
        while !left.is_zero() {
            let speed = self.speed();
            let part = left.min(SLICE.mul_f64(speed));
            tokio::time::sleep(part.div_f64(speed)).await;
            left -= part;
        }
    }

    /// `duration` as it really lasts at this speed.
    pub fn scaled(&self, duration: Duration) -> Duration {
        duration.div_f64(self.speed())
    }

    /// Now, as Kubernetes prints a `metav1.Time`: RFC 3339, UTC, whole seconds.
    pub fn rfc3339(&self) -> String {
        self.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Now, as Kubernetes prints a `metav1.MicroTime`: RFC 3339, UTC, microseconds.
    pub fn rfc3339_micros(&self) -> String {
        self.now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }
}

/// Nonsense counts as real time; beyond these bounds waits would overflow or vanish.
fn sane(speed: f64) -> f64 {
    if speed.is_finite() && speed > 0.0 {
        speed.clamp(1e-3, 1e4)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_divides_waits_and_nonsense_counts_as_one() {
        let second = Duration::from_secs(1);
        assert_eq!(Clock::new(10.0).scaled(second), Duration::from_millis(100));
        assert_eq!(Clock::new(0.0).scaled(second), second);
        assert_eq!(Clock::new(f64::NAN).scaled(second), second);
        assert_eq!(Clock::new(-3.0).scaled(second), second);
    }

    #[test]
    fn times_look_as_kubernetes_prints_them() {
        let clock = Clock::new(1.0);
        let text = clock.rfc3339();
        assert_eq!(text.len(), "2026-11-21T18:33:28Z".len());
        assert!(text.ends_with('Z') && text.as_bytes()[10] == b'T');
        assert_eq!(clock.rfc3339_micros().len(), "2026-11-21T18:33:28.123456Z".len());
    }

    #[tokio::test]
    async fn a_changed_speed_shortens_a_wait_that_has_begun() {
        let clock = Clock::new(1.0);
        let begin = std::time::Instant::now();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(100)).await }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        clock.set_speed(1_000.0);
        assert!(sleeper.await.is_ok());
        let took = begin.elapsed();
        assert!(
            took > Duration::from_millis(90) && took < Duration::from_secs(10),
            "{took:?}"
        );
    }
}
