//! The request budget of an account. Route 53 allows five requests a second to all users of an account together, so
//! this process keeps below that. The schedule is a pure state machine; waiting is its caller's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;

/// Four requests a second leave one to everybody else.
const INTERVAL: Duration = Duration::from_millis(250);
/// After a pause this many may go at once.
const BURST: u32 = 4;

/// When the next request may go (the "theoretical arrival time" of GCRA).
#[derive(Debug, Default)]
struct Schedule {
    next: Option<Instant>,
}

impl Schedule {
    /// Takes the next place; how long to wait for it.
    fn reserve(&mut self, now: Instant) -> Duration {
        let next = self.next.map_or(now, |next| next.max(now));
        self.next = Some(next + INTERVAL);
        next.saturating_duration_since(now + INTERVAL * (BURST - 1))
    }
}

/// What all clients of one account share.
#[derive(Debug, Default)]
pub struct Account {
    schedule: Mutex<Schedule>,
    /// One change a zone at a time (Route 53 answers a second with `PriorRequestNotComplete`).
    zones: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Account {
    /// Waits until a request may go.
    pub async fn permit(&self) {
        let wait = self
            .schedule
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .reserve(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Waits until no other change of this zone is under way here; the next one waits until the guard is dropped.
    pub async fn zone(&self, id: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
            zones.retain(|_, lock| Arc::strong_count(lock) > 1);
            zones.entry(id.to_owned()).or_default().clone()
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_four_a_second() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        let waits: Vec<u128> = (0..8).map(|_| schedule.reserve(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 250, 500, 750, 1000]);
        let later = start + Duration::from_secs(60);
        let waits: Vec<u128> = (0..5).map(|_| schedule.reserve(later).as_millis()).collect();
        assert_eq!(
            waits,
            [0, 0, 0, 0, 250],
            "a pause does not add up to more than one burst"
        );
    }

    #[tokio::test]
    async fn changes_of_one_zone_wait_for_each_other() {
        let account = Account::default();
        let first = account.zone("Z1").await;
        assert!(
            tokio::time::timeout(Duration::from_millis(20), account.zone("Z1"))
                .await
                .is_err()
        );
        let _other = account.zone("Z2").await;
        drop(first);
        let _second = account.zone("Z1").await;
        assert_eq!(account.zones.lock().unwrap().len(), 2, "idle zones are forgotten");
    }
}
