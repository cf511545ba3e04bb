//! The sandbox's clock: wall-clock time, and waits that `--speed` makes shorter. Not a simulated time: what is
//! stamped into objects is always the real time of day, only delays shrink.

use std::time::Duration;

use jiff::Timestamp;

/// Tells the time and waits. Cheap to copy; every part of the sandbox gets one.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    speed: f64,
}

impl Clock {
    /// A clock whose waits are divided by `speed`: 1 is real time, 10 ten times as fast. A value that is not a
    /// positive finite number counts as 1.
    pub fn new(speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { speed }
    }

    /// The wall-clock time now.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Waits for `duration` divided by the speed.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(self.scaled(duration)).await;
    }

    /// `duration` as it really lasts at this speed.
    pub fn scaled(&self, duration: Duration) -> Duration {
        duration.div_f64(self.speed.max(1e-6))
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
}
