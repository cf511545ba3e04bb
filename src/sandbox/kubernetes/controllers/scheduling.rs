//! Carries out the scheduler's decisions.

use super::Controllers;
use super::recorder::{Severity, Source};
use crate::sandbox::kubernetes::scheduler;

impl Controllers {
    pub(super) fn schedule(&mut self, space: &str, own: &str) {
        let Some(pod) = self.store.get("pods", space, own).filter(|p| scheduler::is_waiting(p)) else {
            return;
        };
        let nodes = self.store.list("nodes", None);
        let now = self.clock.rfc3339();
        match scheduler::choose(&pod, &nodes, &self.load, &mut self.random) {
            Ok(node) => {
                let bound = self
                    .store
                    .modify("pods", space, own, |p| scheduler::bind(p, node, &now));
                if bound.is_ok() {
                    let node = crate::sandbox::kubernetes::objects::name(node);
                    let message = format!("Successfully assigned {space}/{own} to {node}");
                    self.recorder
                        .record(&pod, &Source::Scheduler, Severity::Normal, "Scheduled", &message);
                }
            }
            Err(message) => {
                self.unschedulable.insert((space.to_owned(), own.to_owned()));
                let _ = self
                    .store
                    .modify("pods", space, own, |p| scheduler::mark_unschedulable(p, &message, &now));
                self.recorder.record(
                    &pod,
                    &Source::Scheduler,
                    Severity::Warning,
                    "FailedScheduling",
                    &message,
                );
            }
        }
    }
}
