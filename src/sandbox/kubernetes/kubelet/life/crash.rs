//! Containers that end by themselves: restarted at once the first time, then each time later.

use std::time::Duration;

use super::{FIRST, LONGEST, Life};
use crate::sandbox::kubernetes::controllers::recorder::Severity;
use crate::sandbox::kubernetes::kubelet::image::Program;
use crate::sandbox::kubernetes::kubelet::status::State;
use crate::sandbox::kubernetes::objects::{name, namespace, uid};

/// How long a crashing program runs.
const CRASH: Duration = Duration::from_millis(400);

impl Life {
    /// Waits for the end; containers that crash are started again, each time later.
    pub(super) async fn keep_running(&mut self) {
        let Some(index) = self
            .pod
            .containers
            .iter()
            .position(|c| c.image.program() == Program::Crashes)
        else {
            return std::future::pending().await;
        };
        let mut wait = FIRST;
        loop {
            let State::Running(since) = self.pod.containers[index].state.clone() else {
                return std::future::pending().await;
            };
            self.shared.clock.sleep(CRASH).await;
            let ended = State::Ended(1, "Error", since, self.shared.clock.rfc3339());
            self.pod.containers[index].state = ended.clone();
            self.report();
            if self.pod.containers[index].restarts > 0 {
                let container = self.pod.containers[index].name.clone();
                let (pod, space, id) = (
                    name(&self.object).to_owned(),
                    namespace(&self.object).to_owned(),
                    uid(&self.object).to_owned(),
                );
                self.event(
                    index,
                    Severity::Warning,
                    "BackOff",
                    &format!("Back-off restarting failed container {container} in pod {pod}_{space}({id})"),
                );
                let message = format!(
                    "back-off {} restarting failed container={container} pod={pod}_{space}({id})",
                    go_duration(wait)
                );
                self.pod.containers[index].last = Some(ended);
                self.pod.containers[index].state = State::Waiting("CrashLoopBackOff", Some(message));
                self.report();
                self.shared.clock.sleep(wait).await;
                wait = (wait * 2).min(LONGEST);
            } else {
                self.pod.containers[index].last = Some(ended);
            }
            self.pod.containers[index].restarts += 1;
            let image = self.pod.containers[index].image.clone();
            self.pull(index, &image);
            self.start(index).await;
            self.report();
        }
    }
}

/// A duration of whole seconds as Go prints it: `10s`, `1m20s`, `5m0s`.
fn go_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{seconds}s")
    } else {
        format!("{}m{}s", seconds / 60, seconds % 60)
    }
}
