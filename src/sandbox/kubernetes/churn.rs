//! Pod status changes at a steady rate, for load tests (`--events`): a container of a random pod restarts. Readiness does
//! not change, so nothing else in the cluster moves.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::objects::{int, name, namespace, text};
use super::store::{Store, Term};
use super::world::LOAD_LABEL;
use crate::sandbox::random::Random;

const TICK: Duration = Duration::from_millis(20);

/// Makes `rate` changes a second until `stop` is cancelled. What a slow machine can't keep up with is left out.
pub async fn run(store: Store, rate: usize, seed: u64, stop: CancellationToken) {
    let mut random = Random::new(seed).fork("churn");
    let labelled = store.find("pods", None, Term::Label(LOAD_LABEL.0, LOAD_LABEL.1));
    let pods = if labelled.is_empty() {
        store.list("pods", None)
    } else {
        labelled
    };
    // Names only: the objects would outlive every change that is made to them here.
    let pods: Vec<(String, String)> = pods
        .iter()
        .map(|pod| (namespace(pod).to_owned(), name(pod).to_owned()))
        .collect();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut last = Instant::now();
    let mut owed = 0.0_f64;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let now = Instant::now();
        let passed = now.duration_since(last).min(TICK * 5);
        last = now;
        owed += passed.as_secs_f64() * rate as f64;
        while owed >= 1.0 {
            owed -= 1.0;
            let Some((namespace, name)) = random.choose(&pods) else {
                return;
            };
            let _ = store.modify("pods", namespace, name, |p| {
                if text(p, "/status/phase") == "Running" {
                    let restarts = int(p, "/status/containerStatuses/0/restartCount", 0);
                    p["status"]["containerStatuses"][0]["restartCount"] = (restarts + 1).into();
                }
            });
        }
    }
}
