//! Containers while they run: they write, become ready, are probed, end by themselves or are killed for a probe, and are
//! started again, at once the first time, then each time later. What is due next stands in an agenda. Not for the end of
//! the pod as a whole (`end`).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use serde_json::Value;

use super::{FIRST, LONGEST, Life, SETTLE};
use crate::sandbox::kubernetes::container::Container;
use crate::sandbox::kubernetes::controllers::recorder::Severity;
use crate::sandbox::kubernetes::kubelet::course::{Beat, Course};
use crate::sandbox::kubernetes::kubelet::image::Program;
use crate::sandbox::kubernetes::kubelet::probe::{Probe, Purpose};
use crate::sandbox::kubernetes::kubelet::status::{Policy, State};
use crate::sandbox::kubernetes::objects::{name, namespace, uid};

/// A container that ran this long starts over with its waits.
const SOUND: Duration = Duration::from_secs(600);
/// Exit code of a container that was killed.
const KILLED: i64 = 137;

/// What is due next, in world time since the containers were started. Bounded: an entry for each probe, and one for a
/// container's program.
#[derive(Debug, Default)]
struct Agenda {
    now: Duration,
    due: BinaryHeap<Reverse<Entry>>,
    count: u64,
}

/// Earlier first, and in the order in which they were noted.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Duration,
    order: u64,
    container: usize,
    /// The restarts of the container when this was noted: after another one it means nothing.
    run: i64,
    what: What,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// Its program goes on.
    Go,
    /// Counts as ready: nothing probes it.
    Ready,
    /// Is asked.
    Probe(Purpose),
    /// Starts again.
    Restart,
}

impl Agenda {
    fn note(&mut self, after: Duration, container: usize, run: i64, what: What) {
        self.count += 1;
        self.due.push(Reverse(Entry {
            at: self.now.saturating_add(after),
            order: self.count,
            container,
            run,
            what,
        }));
    }

    /// How long until the next one.
    fn wait(&self) -> Option<Duration> {
        self.due.peek().map(|Reverse(entry)| entry.at.saturating_sub(self.now))
    }

    fn pop(&mut self) -> Option<Entry> {
        let due = self.due.peek().is_some_and(|Reverse(entry)| entry.at <= self.now);
        due.then(|| self.due.pop().map(|Reverse(entry)| entry)).flatten()
    }
}

/// One container's program, probes and waits.
#[derive(Debug, Default)]
struct Care {
    /// None once it does nothing more. Boxed: most do nothing at all.
    course: Option<Box<Course>>,
    probes: Vec<Asked>,
    /// The next wait before a restart; none before the first one.
    wait: Option<Duration>,
    started: Duration,
}

#[derive(Debug)]
struct Asked {
    purpose: Purpose,
    probe: Probe,
    passed: i64,
    failed: i64,
}

impl Life {
    /// Runs the started containers; never returns.
    pub(super) async fn keep_running(&mut self) {
        let mut agenda = Agenda::default();
        let mut cares: Vec<Care> = self.pod.containers.iter().map(|_| Care::default()).collect();
        let settle = self.jitter(SETTLE);
        for index in 0..cares.len() {
            self.plan(&mut agenda, &mut cares, index, settle);
        }
        loop {
            let Some(wait) = agenda.wait() else {
                return std::future::pending().await;
            };
            self.shared.clock.sleep(wait).await;
            agenda.now += wait;
            let mut changed = false;
            while let Some(entry) = agenda.pop() {
                let current = self.pod.containers.get(entry.container).map(|c| c.restarts);
                if current == Some(entry.run) {
                    changed |= self.act(&mut agenda, &mut cares, entry).await;
                }
            }
            if changed {
                self.report();
            }
        }
    }

    /// Notes everything that a freshly started container will do and be asked.
    fn plan(&self, agenda: &mut Agenda, cares: &mut [Care], index: usize, settle: Duration) {
        let container = &self.pod.containers[index];
        if !matches!(container.state, State::Running(_)) {
            return;
        }
        let declared = self.declared(index);
        let run = container.restarts;
        let course = Course::of(&container.image, declared, || self.inside(index));
        agenda.note(Duration::ZERO, index, run, What::Go);
        let probes: Vec<Asked> = Purpose::ALL
            .into_iter()
            .filter_map(|purpose| {
                Some(Asked {
                    probe: Probe::read(declared, purpose)?,
                    purpose,
                    passed: 0,
                    failed: 0,
                })
            })
            .collect();
        let has = |purpose| probes.iter().any(|asked| asked.purpose == purpose);
        for asked in &probes {
            // The others wait until the container has come up.
            if asked.purpose == Purpose::Startup || !has(Purpose::Startup) {
                agenda.note(settle + asked.probe.delay, index, run, What::Probe(asked.purpose));
            }
        }
        if !has(Purpose::Readiness) && !has(Purpose::Startup) {
            agenda.note(settle, index, run, What::Ready);
        }
        cares[index].course = Some(Box::new(course));
        cares[index].probes = probes;
        cares[index].started = agenda.now;
    }

    /// Where the container's programs run.
    fn inside(&self, index: usize) -> Container {
        let id = &self.pod.containers[index].id;
        self.shared.inside(&self.object, &self.addresses(), index, id)
    }

    /// The container as the pod declares it.
    fn declared(&self, index: usize) -> &Value {
        self.object
            .pointer(&format!("/spec/containers/{index}"))
            .unwrap_or(&Value::Null)
    }

    /// Carries out what is due; true when the pod's status has to be told.
    async fn act(&mut self, agenda: &mut Agenda, cares: &mut [Care], entry: Entry) -> bool {
        let index = entry.container;
        match entry.what {
            What::Go => self.go(agenda, cares, index),
            What::Ready => {
                // A program that ended sooner than it would have settled was never ready.
                let runs = matches!(self.pod.containers[index].state, State::Running(_));
                self.pod.containers[index].ready |= runs;
                runs
            }
            What::Restart => {
                self.pod.containers[index].restarts += 1;
                let image = self.pod.containers[index].image.clone();
                self.pull(index, &image);
                self.start(index).await;
                let settle = self.jitter(SETTLE);
                self.plan(agenda, cares, index, settle);
                true
            }
            What::Probe(purpose) => self.probe(agenda, cares, index, purpose).await,
        }
    }

    /// Lets a program run until it waits or ends.
    fn go(&mut self, agenda: &mut Agenda, cares: &mut [Care], index: usize) -> bool {
        let run = self.pod.containers[index].restarts;
        while let Some(beat) = cares[index].course.as_mut().and_then(Iterator::next) {
            match beat {
                Beat::Says(line) => {
                    if let Some(Some(log)) = self.outputs.get(index) {
                        log.line(line);
                    }
                }
                Beat::Waits(length) => {
                    agenda.note(length, index, run, What::Go);
                    return false;
                }
                Beat::Ends(code) => return self.ended(agenda, cares, index, code),
            }
        }
        cares[index].course = None;
        false
    }

    /// Asks once, tells a failure, and draws the consequence of too many.
    async fn probe(&mut self, agenda: &mut Agenda, cares: &mut [Care], index: usize, purpose: Purpose) -> bool {
        // What has ended is asked nothing, until it starts again with probes of its own.
        if !matches!(self.pod.containers[index].state, State::Running(_)) {
            return false;
        }
        let (Some(ip), run) = (self.pod.ip, self.pod.containers[index].restarts) else {
            return false;
        };
        let care = &mut cares[index];
        let Some(asked) = care.probes.iter_mut().find(|asked| asked.purpose == purpose) else {
            return false;
        };
        let inside = || self.inside(index);
        let answer = asked.probe.ask(ip, &self.shared.network, inside).await;
        match &answer {
            Ok(()) => (asked.passed, asked.failed) = (asked.passed + 1, 0),
            Err(_) => (asked.passed, asked.failed) = (0, asked.failed + 1),
        }
        let (passes, fails) = (asked.passed >= asked.probe.passes, asked.failed >= asked.probe.failures);
        let period = asked.probe.period;
        if let Err(why) = answer {
            let message = format!("{} probe failed: {why}", purpose.word());
            self.event(index, Severity::Warning, "Unhealthy", &message);
        }
        if fails && purpose != Purpose::Readiness {
            let container = self.pod.containers[index].name.clone();
            let word = purpose.word().to_lowercase();
            let message = format!("Container {container} failed {word} probe, will be restarted");
            self.event(index, Severity::Normal, "Killing", &message);
            // The pod has one address, and one of its containers serves on it.
            if self.pod.containers[index].image.program() == Program::Inspector {
                self.stop_serving();
            }
            return self.ended(agenda, cares, index, KILLED);
        }
        if purpose == Purpose::Startup && passes {
            let rest: Vec<(Purpose, Duration)> = cares[index]
                .probes
                .iter()
                .filter(|asked| asked.purpose != Purpose::Startup)
                .map(|asked| (asked.purpose, asked.probe.delay))
                .collect();
            let probed = rest.iter().any(|(purpose, _)| *purpose == Purpose::Readiness);
            for (purpose, delay) in rest {
                agenda.note(delay, index, run, What::Probe(purpose));
            }
            self.pod.containers[index].ready |= !probed;
            return !probed;
        }
        agenda.note(period, index, run, What::Probe(purpose));
        let container = &mut self.pod.containers[index];
        let before = container.ready;
        match purpose {
            Purpose::Readiness if passes => container.ready = true,
            Purpose::Readiness if fails => container.ready = false,
            _ => {}
        }
        container.ready != before
    }

    /// A container has ended: it is started again as the pod's policy says, or stays as it is. Tells the status itself,
    /// so that each step is seen.
    fn ended(&mut self, agenda: &mut Agenda, cares: &mut [Care], index: usize, code: i64) -> bool {
        let container = &mut self.pod.containers[index];
        let State::Running(since) = container.state.clone() else {
            return false;
        };
        let reason = if code == 0 { "Completed" } else { "Error" };
        let ended = State::Ended(code, reason, since, self.shared.clock.rfc3339());
        container.state = ended.clone();
        container.ready = false;
        cares[index].course = None;
        if let Some(Some(log)) = self.outputs.get(index) {
            log.end();
        }
        let run = container.restarts;
        // Noted before the status is told: a pod that is done says so at once.
        let again = match self.pod.policy {
            Policy::Always => true,
            Policy::OnFailure => code != 0,
            Policy::Never => false,
        };
        self.report();
        if !again {
            return false;
        }
        let care = &mut cares[index];
        let ran = agenda.now.saturating_sub(care.started);
        if ran >= SOUND {
            care.wait = None;
        }
        self.pod.containers[index].last = Some(ended);
        match care.wait {
            None => {
                care.wait = Some(FIRST);
                agenda.note(Duration::ZERO, index, run, What::Restart);
            }
            Some(wait) => {
                care.wait = Some((wait * 2).min(LONGEST));
                self.back_off(index, wait);
                agenda.note(wait, index, run, What::Restart);
            }
        }
        false
    }

    /// Says that the container waits before its next start.
    fn back_off(&mut self, index: usize, wait: Duration) {
        let container = self.pod.containers[index].name.clone();
        let (pod, space, id) = (name(&self.object), namespace(&self.object), uid(&self.object));
        let subject = format!("{pod}_{space}({id})");
        let event = format!("Back-off restarting failed container {container} in pod {subject}");
        let message = format!(
            "back-off {} restarting failed container={container} pod={subject}",
            go_duration(wait)
        );
        self.event(index, Severity::Warning, "BackOff", &event);
        self.pod.containers[index].state = State::Waiting("CrashLoopBackOff", Some(message));
        self.report();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agenda_gives_what_is_due_in_order() {
        let mut agenda = Agenda::default();
        let second = Duration::from_secs(1);
        agenda.note(2 * second, 0, 0, What::Probe(Purpose::Liveness));
        agenda.note(second, 1, 0, What::Ready);
        agenda.note(second, 0, 0, What::Restart);
        assert_eq!((agenda.wait(), agenda.pop()), (Some(second), None));
        agenda.now += second;
        let order: Vec<What> = std::iter::from_fn(|| agenda.pop()).map(|entry| entry.what).collect();
        assert_eq!(order, [What::Ready, What::Restart]);
        assert_eq!(agenda.wait(), Some(second));
        agenda.note(Duration::MAX, 0, 0, What::Ready);
        assert_eq!(agenda.due.len(), 2, "no overflow");
    }

    #[test]
    fn durations_as_go_prints_them() {
        let of = |seconds| go_duration(Duration::from_secs(seconds));
        assert_eq!([of(10), of(80), of(300)], ["10s", "1m20s", "5m0s"]);
    }
}
