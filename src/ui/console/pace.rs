//! When the next frame may be drawn: a sustained rate with a few frames ahead of it, so that the answer to a key does
//! not wait for the frame that showed the key. Not a timer: the loop asks and waits itself.

use std::time::Duration;

use tokio::time::Instant;

/// Frames that may follow each other at once after a quiet while: a key, its block, its first rows, its end.
const AHEAD: u32 = 4;

/// A leaky bucket of frames (the "generic cell rate algorithm" of ITU-T I.371).
pub(super) struct Pace {
    interval: Duration,
    /// When the frames drawn so far would have been due at the sustained rate; none before the first.
    level: Option<Instant>,
}

impl Pace {
    /// One frame each `interval` in the long run.
    pub(super) fn new(interval: Duration) -> Self {
        Pace { interval, level: None }
    }

    /// When the next frame may be drawn; in the past when at once.
    pub(super) fn due(&self, now: Instant) -> Instant {
        let ahead = self.interval * (AHEAD - 1);
        self.level.and_then(|level| level.checked_sub(ahead)).unwrap_or(now)
    }

    /// A frame was drawn.
    pub(super) fn drawn(&mut self, now: Instant) {
        self.level = Some(self.level.map_or(now, |level| level.max(now)) + self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(16);

    /// Draws whenever it may for a while, in steps of a millisecond; when each frame came, in milliseconds.
    fn frames(pace: &mut Pace, start: Instant, millis: u64) -> Vec<u64> {
        let mut drawn = Vec::new();
        for millisecond in 0..millis {
            let now = start + Duration::from_millis(millisecond);
            if pace.due(now) <= now {
                pace.drawn(now);
                drawn.push(millisecond);
            }
        }
        drawn
    }

    #[test]
    fn after_a_quiet_while_a_few_frames_follow_each_other_at_once() {
        let mut pace = Pace::new(INTERVAL);
        let start = Instant::now();
        assert_eq!(frames(&mut pace, start, 20), [0, 1, 2, 3, 16]);
        let later = start + Duration::from_secs(5);
        assert_eq!(frames(&mut pace, later, 4), [0, 1, 2, 3]);
    }

    #[test]
    fn a_flood_gets_the_sustained_rate() {
        let mut pace = Pace::new(INTERVAL);
        let drawn = frames(&mut pace, Instant::now(), 1_600);
        assert_eq!(drawn.len(), 100 + 3, "one each 16 ms, and three ahead of them");
        assert!(drawn.iter().skip(4).zip(drawn.iter().skip(5)).all(|(a, b)| b - a == 16));
    }
}
