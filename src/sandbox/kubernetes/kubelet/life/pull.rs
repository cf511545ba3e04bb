//! Getting a container's image, with the kubelet's back-off when there is none.

use std::time::Duration;

use super::{FIRST, LONGEST, Life};
use crate::sandbox::kubernetes::controllers::recorder::Severity;
use crate::sandbox::kubernetes::kubelet::image::{Image, Program};
use crate::sandbox::kubernetes::kubelet::status::State;

/// How long `ErrImagePull` shows before the back-off begins.
const PULL_ERROR: Duration = Duration::from_secs(2);

impl Life {
    /// Waits until all images are there. A missing one never comes: the attempts back off for ever.
    pub(super) async fn pull_all(&mut self) {
        for index in 0..self.pod.containers.len() {
            let image = self.pod.containers[index].image.clone();
            if image.program() != Program::Missing {
                self.pull(index, &image);
                continue;
            }
            let mut wait = FIRST;
            loop {
                let error = image.pull_error();
                let given = image.given();
                self.event(
                    index,
                    Severity::Normal,
                    "Pulling",
                    &format!("Pulling image \"{given}\""),
                );
                self.event(
                    index,
                    Severity::Warning,
                    "Failed",
                    &format!("Failed to pull image \"{given}\": {error}"),
                );
                self.event(index, Severity::Warning, "Failed", "Error: ErrImagePull");
                self.pod.containers[index].state = State::Waiting("ErrImagePull", Some(error.clone()));
                self.report();
                self.shared.clock.sleep(PULL_ERROR).await;
                self.event(
                    index,
                    Severity::Normal,
                    "BackOff",
                    &format!("Back-off pulling image \"{given}\""),
                );
                self.event(index, Severity::Warning, "Failed", "Error: ImagePullBackOff");
                let message = format!("Back-off pulling image \"{given}\": ErrImagePull: {error}");
                self.pod.containers[index].state = State::Waiting("ImagePullBackOff", Some(message));
                self.report();
                self.shared.clock.sleep(wait).await;
                wait = (wait * 2).min(LONGEST);
            }
        }
    }

    pub(super) fn pull(&mut self, index: usize, image: &Image) {
        let key = (self.node.clone(), image.canonical());
        let given = image.given();
        let new = self.shared.lock().images.insert(key);
        if new || image.always_pulled() {
            self.event(
                index,
                Severity::Normal,
                "Pulling",
                &format!("Pulling image \"{given}\""),
            );
            let (took, size) = {
                let random = &mut self.shared.lock().random;
                (300 + random.below(500), 2_000_000 + random.below(40_000_000))
            };
            self.event(
                index,
                Severity::Normal,
                "Pulled",
                &format!("Successfully pulled image \"{given}\" in {took}ms ({took}ms including waiting). Image size: {size} bytes."),
            );
        } else {
            self.event(
                index,
                Severity::Normal,
                "Pulled",
                &format!("Container image \"{given}\" already present on machine"),
            );
        }
    }
}
