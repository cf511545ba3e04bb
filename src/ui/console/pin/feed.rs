//! Keeps the rows of a pinned pipeline up to date: runs it, waits, runs it again; one that goes on is followed. An error
//! leaves the rows of the answer before it, with the reason beside them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};

use super::Pinned;
use super::rows::{self, MOST, Row};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::feed::{HealthState, Hub, Source, Subscription};
use crate::render::Header;
use crate::ui::console::ports::{BlockEvent, Observed, Runner};
use crate::verb::Item;

/// How often the rows of one that goes on are handed to the panel.
const FLUSH: Duration = Duration::from_millis(100);
/// The first answer is shown as far as it is there each time this has passed; one that goes on and says nothing for so
/// long has begun.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// The rows of a pinned pipeline in a context, for one panel: nothing runs when that looks no more. `again`: runs it
/// without waiting.
pub fn subscribe(
    hub: &Hub,
    runner: &Arc<dyn Runner>,
    context: &Arc<Context>,
    pinned: &Pinned,
    again: &Arc<Notify>,
) -> Subscription<Row> {
    hub.subscribe_alone(|source, stop| {
        let (runner, context, pinned, again) = (runner.clone(), context.clone(), pinned.clone(), again.clone());
        tokio::spawn(async move {
            let mut rounds = Rounds { source, whole: false };
            let all = async {
                loop {
                    match runner.observe(&pinned.line, &context) {
                        Ok(observed) if observed.follows => rounds.follow(observed).await,
                        Ok(observed) => rounds.once(observed).await,
                        Err(report) => rounds.fail(&report),
                    }
                    tokio::select! {
                        () = again.notified() => {}
                        () = tokio::time::sleep(pinned.pause()) => {}
                    }
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = all => {}
            }
        });
    })
}

/// The runs of one pipeline, one after another, and the rows they leave.
struct Rounds {
    source: Arc<Source<Row>>,
    /// The rows are a whole answer: only another one replaces it.
    whole: bool,
}

/// What one run has answered so far.
#[derive(Default)]
struct Answer {
    items: Vec<Item>,
    more: usize,
}

impl Answer {
    fn push(&mut self, item: Item) {
        match self.items.len() < MOST {
            true => self.items.push(item),
            false => self.more += 1,
        }
    }

    fn rows(&self) -> Vec<(String, Row)> {
        rows::of_answer(&self.items, self.more)
    }
}

impl Rounds {
    fn fail(&self, report: &Report) {
        self.tell(HealthState::Failed, report);
    }

    fn tell(&self, state: HealthState, report: &Report) {
        let reason = SafeText::line(&report.sentence());
        let health = self.source.health();
        if health.state != state || health.reason.as_ref() != Some(&reason) {
            self.source.set_health(state, Some(reason));
        }
    }

    /// One answer. A whole one before it stays until this one is whole.
    async fn once(&mut self, mut observed: Observed) {
        let (mut answer, mut failed) = (Answer::default(), None);
        let mut tick = tokio::time::interval_at(Instant::now() + PATIENCE, PATIENCE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                event = observed.events.next() => event,
                _ = tick.tick(), if !self.whole => {
                    self.show_part(&answer);
                    continue;
                }
            };
            match event {
                Some(BlockEvent::Item(item)) => answer.push(item),
                Some(BlockEvent::Failed(report)) => {
                    failed.get_or_insert(report);
                }
                Some(BlockEvent::Ended(ended)) => {
                    failed = ended.report.or(failed);
                    break;
                }
                Some(
                    BlockEvent::Pipeline(_)
                    | BlockEvent::Note(_)
                    | BlockEvent::Progress(_)
                    | BlockEvent::Preview(_)
                    | BlockEvent::Job(_),
                ) => {}
                None => break,
            }
        }
        match failed {
            None => self.show_whole(&answer),
            Some(report) => {
                if !self.whole {
                    self.show_part(&answer);
                }
                self.fail(&report);
            }
        }
    }

    /// Rows without a word that they are all: the health stays what it is.
    fn show_part(&self, answer: &Answer) {
        if answer.items.is_empty() {
            return;
        }
        self.source.write(|table| {
            table.begin_list();
            answer.rows().into_iter().for_each(|(key, row)| table.upsert(key, row));
            table.end_list();
        });
    }

    fn show_whole(&mut self, answer: &Answer) {
        let rows = answer.rows();
        let same = self.source.read(|known, health| {
            health.state == HealthState::Live
                && known.len() == rows.len()
                && rows.iter().all(|(key, row)| known.get(key) == Some(row))
        });
        match same {
            true => self.source.touch(),
            false => self.source.replace(rows),
        }
        self.whole = true;
    }

    /// An answer that goes on: the newest records, handed over a few times a second. The rows of the run before stay
    /// until there are new ones.
    async fn follow(&mut self, mut observed: Observed) {
        let mut head: Option<Arc<Header>> = None;
        let mut fresh: VecDeque<Row> = VecDeque::new();
        let (mut count, mut begun, mut trouble) = (0, false, false);
        let mut tick = tokio::time::interval(FLUSH);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        let mut quiet = true;
        // One of several contexts that is gone for good, whatever the others tell.
        let mut lost: Option<Report> = None;
        loop {
            tokio::select! {
                event = observed.events.next() => match event {
                    Some(BlockEvent::Item(item)) => {
                        trouble = lost.is_some();
                        if let Some(row) = rows::of_stream(count, &item, &mut head) {
                            count += 1;
                            fresh.push_back(row);
                            if fresh.len() > MOST {
                                fresh.pop_front();
                            }
                        }
                    }
                    Some(BlockEvent::Failed(report)) => {
                        self.hand_over(&mut fresh, &mut begun);
                        self.fail(&report);
                        trouble = true;
                        if report.context_name().is_some() {
                            lost.get_or_insert(report);
                        }
                    }
                    Some(BlockEvent::Ended(ended)) => {
                        self.hand_over(&mut fresh, &mut begun);
                        return match ended.report {
                            Some(report) => self.fail(&report),
                            None if trouble => {}
                            None => {
                                let again = Report::failed("E-PIN-008", "it has ended, and is run again");
                                self.tell(HealthState::Stale, &again);
                            }
                        };
                    }
                    Some(_) => {}
                    None => return,
                },
                // It has begun, and there is nothing to tell so far.
                () = &mut patience, if quiet => {
                    quiet = false;
                    if !trouble && self.source.health().state != HealthState::Live {
                        self.source.set_health(HealthState::Live, None);
                    }
                }
                _ = tick.tick() => {
                    self.hand_over(&mut fresh, &mut begun);
                    if let Some(report) = &lost {
                        self.fail(report);
                    }
                }
            }
        }
    }

    fn hand_over(&self, fresh: &mut VecDeque<Row>, begun: &mut bool) {
        let live = self.source.health().state == HealthState::Live;
        let Some(newest) = fresh.back().map(|row| row.at) else {
            // That nothing new comes is as true as what comes.
            if live {
                self.source.touch();
            }
            return;
        };
        let rows = fresh
            .drain(..)
            .map(|row| (format!("{:020}", row.at.unsigned_abs()), row));
        if !std::mem::replace(begun, true) {
            return self.source.replace(rows);
        }
        let oldest = newest + i64::try_from(MOST).unwrap_or(i64::MAX);
        self.source.write(|table| {
            rows.for_each(|(key, row)| table.upsert(key, row));
            let old = table.iter().take_while(|(_, row)| row.at >= oldest);
            let old: Vec<String> = old.map(|(key, _)| key.to_owned()).collect();
            old.iter().for_each(|key| drop(table.remove(key)));
        });
        if !live {
            self.source.set_health(HealthState::Live, None);
        }
    }
}
