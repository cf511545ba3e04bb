//! Keeps the rows of a pinned pipeline up to date: runs it, waits, runs it again; one that goes on is followed. An error
//! leaves the rows of the answer before it, with the reason beside them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Pinned;
use super::rows::{self, MOST, Row};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::feed::{FeedKey, HealthState, Hub, Source, Subscription};
use crate::render::Header;
use crate::ui::console::ports::{BlockEvent, Observed, Runner};
use crate::verb::Item;

/// How often the rows of one that goes on are handed to the panel.
const FLUSH: Duration = Duration::from_millis(100);
/// A run that takes longer shows what it has so far.
const PATIENCE: Duration = Duration::from_secs(3);

/// The rows of a pinned pipeline in a context. `again`: runs it without waiting.
pub fn subscribe(
    hub: &Hub,
    runner: &Arc<dyn Runner>,
    context: &Arc<Context>,
    pinned: &Pinned,
    again: &Arc<Notify>,
) -> Subscription<Row> {
    let key = FeedKey {
        context: context.clone(),
        kind: format!("pin/{}/{}", pinned.every, pinned.line),
    };
    hub.subscribe(key, |source, stop| {
        let (runner, context, pinned, again) = (runner.clone(), context.clone(), pinned.clone(), again.clone());
        tokio::spawn(async move {
            loop {
                let round = async {
                    match runner.observe(&pinned.line, &context) {
                        Ok(observed) => run(observed, &source).await,
                        Err(report) => fail(&source, &report),
                    }
                };
                tokio::select! {
                    () = stopped(&stop) => return,
                    () = round => {}
                }
                tokio::select! {
                    () = stopped(&stop) => return,
                    () = again.notified() => {}
                    () = tokio::time::sleep(pinned.pause()) => {}
                }
            }
        });
    })
}

async fn stopped(stop: &CancellationToken) {
    stop.cancelled().await;
}

fn fail(source: &Source<Row>, report: &Report) {
    let reason = SafeText::line(&report.sentence());
    let health = source.health();
    if health.state != HealthState::Failed || health.reason.as_ref() != Some(&reason) {
        source.set_health(HealthState::Failed, Some(reason));
    }
}

async fn run(observed: Observed, source: &Source<Row>) {
    match observed.follows {
        true => follow(observed, source).await,
        false => once(observed, source).await,
    }
}

/// One answer. What was there before stays until it is whole.
async fn once(mut observed: Observed, source: &Source<Row>) {
    let (mut items, mut more, mut failed): (Vec<Item>, usize, Option<Report>) = (Vec::new(), 0, None);
    let mut patience = Box::pin(tokio::time::sleep(PATIENCE));
    let mut waited = false;
    loop {
        let event = tokio::select! {
            event = observed.events.next() => event,
            () = &mut patience, if !waited => {
                waited = true;
                if !items.is_empty() {
                    source.replace(rows::of_answer(&items, more));
                }
                continue;
            }
        };
        match event {
            Some(BlockEvent::Item(item)) if items.len() < MOST => items.push(item),
            Some(BlockEvent::Item(_)) => more += 1,
            Some(BlockEvent::Failed(report)) => {
                failed.get_or_insert(report);
            }
            Some(BlockEvent::Ended(ended)) => {
                failed = ended.report.or(failed);
                break;
            }
            Some(BlockEvent::Pipeline(_) | BlockEvent::Note(_) | BlockEvent::Progress(_) | BlockEvent::Job(_)) => {}
            None => break,
        }
    }
    // What failed without any record leaves the answer before it.
    if failed.is_none() || !items.is_empty() {
        let rows = rows::of_answer(&items, more);
        let same = source.read(|known, health| {
            health.state == HealthState::Live
                && known.len() == rows.len()
                && rows.iter().all(|(key, row)| known.get(key) == Some(row))
        });
        match same {
            true => source.touch(),
            false => source.replace(rows),
        }
    }
    if let Some(report) = failed {
        fail(source, &report);
    }
}

/// An answer that goes on: the newest records, handed over a few times a second. The rows of the run before stay until
/// there are new ones.
async fn follow(mut observed: Observed, source: &Source<Row>) {
    let mut head: Option<Arc<Header>> = None;
    let mut fresh: VecDeque<Row> = VecDeque::new();
    let (mut count, mut begun, mut failed) = (0, false, None);
    let mut tick = tokio::time::interval(FLUSH);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = observed.events.next() => match event {
                Some(BlockEvent::Item(item)) => {
                    if let Some(row) = rows::of_stream(count, &item, &mut head) {
                        count += 1;
                        fresh.push_back(row);
                        if fresh.len() > MOST {
                            fresh.pop_front();
                        }
                    }
                }
                Some(BlockEvent::Failed(report)) => failed = Some(report),
                Some(BlockEvent::Ended(ended)) => {
                    hand_over(&mut fresh, &mut begun, source);
                    let again = || Report::failed("E-PIN-008", "it has ended, and is run again");
                    return fail(source, &ended.report.or(failed).unwrap_or_else(again));
                }
                Some(_) => {}
                None => return,
            },
            _ = tick.tick() => hand_over(&mut fresh, &mut begun, source),
        }
    }
}

fn hand_over(fresh: &mut VecDeque<Row>, begun: &mut bool, source: &Source<Row>) {
    let Some(newest) = fresh.back().map(|row| row.at) else {
        // That nothing new comes is as true as what comes.
        if *begun {
            source.touch();
        }
        return;
    };
    let rows = fresh
        .drain(..)
        .map(|row| (format!("{:020}", row.at.unsigned_abs()), row));
    if !std::mem::replace(begun, true) {
        return source.replace(rows);
    }
    let oldest = newest + i64::try_from(MOST).unwrap_or(i64::MAX);
    source.write(|table| {
        rows.for_each(|(key, row)| table.upsert(key, row));
        let old = table.iter().take_while(|(_, row)| row.at >= oldest);
        let old: Vec<String> = old.map(|(key, _)| key.to_owned()).collect();
        old.iter().for_each(|key| drop(table.remove(key)));
    });
}
