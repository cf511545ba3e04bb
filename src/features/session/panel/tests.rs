//! What the panels of the session show, and what their keys do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::engine::ports::{Journal, NewEntry};
use crate::features::session::testing::change;
use crate::feed::Hub;
use crate::store::Store;
use crate::ui::panel::testing::{panel_rows, pipelines};
use crate::ui::panel::{Effect, Panel, PanelKey};
use crate::verb::session::{Job, JobState};

fn job(number: u64, state: JobState, pipeline: &str) -> Job {
    Job {
        number,
        pipeline: pipeline.to_owned(),
        state,
        background: false,
        started: Timestamp::UNIX_EPOCH,
        records: number,
    }
}

fn entry(summary: &str, outcome: &str) -> NewEntry {
    NewEntry {
        user: "ops".into(),
        context: "sandbox".into(),
        pipeline: format!("kubectl:{summary}"),
        change: change(summary),
        outcome: outcome.into(),
        undoes: None,
    }
}

async fn shown(panel: &mut dyn Panel, wanted: &str) -> Vec<String> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let rows = panel_rows(panel, 100, 6, Timestamp::UNIX_EPOCH);
        if rows.iter().any(|row| row.contains(wanted)) {
            return rows;
        }
        assert!(tokio::time::Instant::now() < deadline, "{wanted}: {rows:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn jobs_and_changes_are_live_rows_that_can_be_stopped_and_undone() {
    let running = Arc::new(Mutex::new(vec![job(1, JobState::Done, "echo one")]));
    let journal = Arc::new(Store::in_memory(Clock::real()));
    let (jobs, hub) = (running.clone(), Hub::new(Clock::real()));
    let mut panels = panels(&SessionFeeds {
        hub,
        jobs: Arc::new(move || jobs.lock().unwrap().clone()),
        journal: journal.clone(),
    });
    let context = Arc::new(Context::empty("test"));
    panels.iter_mut().for_each(|panel| panel.open(&context));
    let [jobs, audit] = panels.as_mut_slice() else { panic!() };
    assert!(shown(jobs.as_mut(), "✓ done").await[1].contains("echo one"));
    assert!(matches!(jobs.key(PanelKey::Act("stop")).as_slice(), [Effect::Toast(_)]));
    running
        .lock()
        .unwrap()
        .push(job(2, JobState::Running, "traffic:watch x"));
    let rows = shown(jobs.as_mut(), "~ running").await;
    assert!(rows[1].contains("#2") && rows[2].contains("#1"), "{rows:#?}");
    assert_eq!(jobs.title().as_str(), "jobs 1 running");
    // The selection stayed on the row it was on.
    jobs.key(PanelKey::Move(crate::ui::panel::Motion::First));
    assert_eq!(pipelines(&jobs.key(PanelKey::Act("stop"))), ["pipeline-kill 2"]);
    jobs.key(PanelKey::Mark);
    jobs.key(PanelKey::Mark);
    assert_eq!(
        pipelines(&jobs.key(PanelKey::Act("stop"))),
        ["pipeline-kill 2"],
        "of the marked ones those that run"
    );

    shown(audit.as_mut(), "nothing was changed yet").await;
    journal.append(entry("scale web to 3", "applied")).await.unwrap();
    journal.append(entry("scale web to 4", "failed: denied")).await.unwrap();
    let rows = shown(audit.as_mut(), "✗ failed: denied").await;
    assert!(
        rows[2].contains("scale web to 3") && rows[2].contains("✓ applied"),
        "{rows:#?}"
    );
    audit.key(PanelKey::Mark);
    audit.key(PanelKey::Mark);
    assert_eq!(pipelines(&audit.key(PanelKey::Act("undo"))), ["undo 2 1"]);
    let show = pipelines(&audit.key(PanelKey::Act("show")));
    assert!(show[0].contains("IN(2, 1)"), "{show:?}");
}
