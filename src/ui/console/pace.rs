//! When the next frame may be drawn. What the operator did, and what answers him, is shown at once, with a few frames
//! ahead of a sustained rate; rows that change by themselves wait for their turn, and never make a key wait. Not a timer:
//! the loop asks and waits itself.

use std::time::Duration;

use tokio::time::Instant;

/// Frames that may follow each other at once after a quiet while: a key, its block, its first rows, its end.
const AHEAD: u32 = 4;
/// Between two frames of rows that change by themselves, in intervals of the sustained rate: nobody reads faster, and a
/// busy cluster costs half as much.
const UNASKED: u32 = 2;

/// A leaky bucket of frames (the "generic cell rate algorithm" of ITU-T I.371).
pub(super) struct Pace {
    interval: Duration,
    /// When the frames drawn so far would have been due at the sustained rate; none before the first.
    level: Option<Instant>,
    /// When the last one was drawn that shows how the rows are.
    rows: Option<Instant>,
}

impl Pace {
    /// One frame each `interval` in the long run.
    pub(super) fn new(interval: Duration) -> Self {
        Pace {
            interval,
            level: None,
            rows: None,
        }
    }

    /// When the next frame may be drawn; in the past when at once. `awaited`: somebody waits for it.
    pub(super) fn due(&self, now: Instant, awaited: bool) -> Instant {
        if awaited {
            let ahead = self.interval * (AHEAD - 1);
            self.level.and_then(|level| level.checked_sub(ahead)).unwrap_or(now)
        } else {
            let turn = self.rows.map(|last| last + self.interval * UNASKED);
            turn.max(self.level).unwrap_or(now)
        }
    }

    /// A frame was drawn. `rows`: it shows what changed by itself, too.
    pub(super) fn drawn(&mut self, now: Instant, rows: bool) {
        self.level = Some(self.level.map_or(now, |level| level.max(now)) + self.interval);
        if rows {
            self.rows = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(16);

    /// Draws whenever it may for a while, in steps of a millisecond; when each frame came, in milliseconds.
    fn frames(pace: &mut Pace, start: Instant, millis: u64, awaited: bool) -> Vec<u64> {
        let mut drawn = Vec::new();
        for millisecond in 0..millis {
            let now = start + Duration::from_millis(millisecond);
            if pace.due(now, awaited) <= now {
                pace.drawn(now, !awaited);
                drawn.push(millisecond);
            }
        }
        drawn
    }

    #[test]
    fn after_a_quiet_while_a_few_frames_follow_each_other_at_once() {
        let mut pace = Pace::new(INTERVAL);
        let start = Instant::now();
        assert_eq!(frames(&mut pace, start, 20, true), [0, 1, 2, 3, 16]);
        let later = start + Duration::from_secs(5);
        assert_eq!(frames(&mut pace, later, 4, true), [0, 1, 2, 3]);
    }

    #[test]
    fn a_flood_gets_the_sustained_rate() {
        let mut pace = Pace::new(INTERVAL);
        let drawn = frames(&mut pace, Instant::now(), 1_600, true);
        assert_eq!(drawn.len(), 100 + 3, "one each 16 ms, and three ahead of them");
        assert!(drawn.iter().skip(4).zip(drawn.iter().skip(5)).all(|(a, b)| b - a == 16));
    }

    #[test]
    fn rows_that_change_all_the_time_never_make_a_key_wait() {
        let mut pace = Pace::new(INTERVAL);
        let start = Instant::now();
        let drawn = frames(&mut pace, start, 320, false);
        assert!(
            drawn.iter().zip(drawn.iter().skip(1)).all(|(a, b)| b - a == 32),
            "{drawn:?}"
        );
        for key in [1, 3, 5] {
            let now = start + Duration::from_millis(300 + key);
            assert!(pace.due(now, true) <= now, "a key at {key} ms");
            pace.drawn(now, false);
        }
        let now = start + Duration::from_millis(307);
        assert!(
            pace.due(now, false) >= now + INTERVAL,
            "rows give back what the keys took"
        );
    }
}
