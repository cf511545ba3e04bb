//! The end of a pod that is deleted: out of the endpoints, finish what is in flight, exit, report, go.

use std::time::Duration;

use super::Life;
use crate::sandbox::kubernetes::controllers::recorder::Severity;
use crate::sandbox::kubernetes::graceful;
use crate::sandbox::kubernetes::kubelet::status::State;
use crate::sandbox::kubernetes::objects::{int, name, namespace};

/// What a program does after it was told to stop, beyond finishing its requests.
const DRAIN: Duration = Duration::from_millis(800);
/// How long it takes to remove a pod that has nothing to drain.
const TEAR_DOWN: Duration = Duration::from_millis(200);
/// How often a draining pod looks whether it is still in use, and how long it waits at most for its endpoints to go (real time).
const LOOK: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(10);

impl Life {
    /// The graceful end: out of the endpoints, finish what is in flight, exit, report, go.
    pub(super) async fn end(&mut self) {
        let drain = self.jitter(DRAIN);
        if self.shared.drain_race {
            self.stop_serving();
        }
        for index in 0..self.pod.containers.len() {
            let container = self.pod.containers[index].clone();
            if matches!(container.state, State::Running(_)) {
                self.event(
                    index,
                    Severity::Normal,
                    "Killing",
                    &format!("Stopping container {}", container.name),
                );
            }
        }
        let runs = self.pod.containers.iter().any(|c| matches!(c.state, State::Running(_)));
        if runs && !self.shared.drain_race {
            self.drain(drain).await;
        } else {
            self.shared.clock.sleep(TEAR_DOWN).await;
        }
        self.stop_serving();
        let now = self.shared.clock.rfc3339();
        for container in &mut self.pod.containers {
            container.ready = false;
            if let State::Running(since) = &container.state {
                container.state = State::Ended(0, "Completed", since.clone(), now.clone());
            }
        }
        self.pod.stopped = true;
        self.report();
        // Gone already is what we want.
        let _ = graceful::remove(
            &self.shared.store,
            &self.shared.clock,
            namespace(&self.object),
            name(&self.object),
        );
    }

    pub(super) async fn drain(&self, least: Duration) {
        let grace = u64::try_from(int(&self.object, "/spec/terminationGracePeriodSeconds", 30)).unwrap_or(30);
        let Some(ip) = self.pod.ip else { return };
        if !self.servers.is_empty() {
            let left = async {
                while self.shared.network.is_routed(ip) {
                    tokio::time::sleep(LOOK).await;
                }
            };
            let _ = tokio::time::timeout(PATIENCE, left).await;
        }
        self.shared.clock.sleep(least).await;
        let idle = async {
            while self.shared.network.in_flight(ip) > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = idle => {}
            () = self.shared.clock.sleep(Duration::from_secs(grace)) => {}
        }
    }

    pub(super) fn stop_serving(&mut self) {
        if let Some(ip) = self.pod.ip {
            self.shared.network.unlisten(ip);
        }
        self.servers.clear();
    }
}
