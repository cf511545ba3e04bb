//! A line that a verb runs, as if it were typed now: planned and checked as a whole, in a block of its own whose records
//! flow on through the verb.

use std::sync::Arc;

use super::block::BlockEvent;
use super::ending::Ending;
use super::session::{Front, Inner};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::verb::{Call, Catalogue, Output};

/// Lines that run lines that run lines.
const DEEPEST: usize = 4;

/// Runs it to its end.
pub(super) async fn run_line(
    inner: &Arc<Inner>,
    catalogue: &Arc<Catalogue>,
    depth: usize,
    line: &str,
    call: &Call,
    output: &Output,
) -> Result<(), Report> {
    if depth >= DEEPEST {
        let message = format!("lines that run lines are more than {DEEPEST} deep");
        return Err(Report::refused("E-RERUN-001", message).hint("this line runs itself"));
    }
    let mut names = inner.with_memory(|memory| memory.names()).into_iter().collect();
    let planner = inner.planner(catalogue, &call.context, call.operator.origin());
    let plan = planner.line(line, &mut names)?;
    let ending = Ending::below(&call.cancel);
    let (number, records) = inner.jobs.begin(&plan.masked, false, inner.clock.now(), ending.clone());
    let front = Front {
        number,
        records,
        catalogue: catalogue.clone(),
        ending,
        background: false,
        operator: call.operator.clone(),
    };
    let (mut block, run) = front.open(inner.clone(), plan.masked.clone(), depth + 1);
    // Boxed: a line run that started in a line run.
    let work: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(run.line(plan, None, None));
    tokio::spawn(work);
    let canceller = block.canceller();
    let mut unread = None;
    while let Some(event) = block.next().await {
        let passed = match event {
            BlockEvent::Item(item) if unread.is_none() => output.send(item).await,
            BlockEvent::Failed(report) if unread.is_none() => output.fail(report).await,
            BlockEvent::Note(note) => {
                call.operator.note(note);
                Ok(())
            }
            BlockEvent::Progress(progress) => {
                call.operator.progress(progress);
                Ok(())
            }
            BlockEvent::Job(mut job) => {
                let text = format!("[{}] {}", job.number(), job.pipeline());
                call.operator.note(SafeText::line(&text));
                tokio::spawn(async move { while job.next().await.is_some() {} });
                Ok(())
            }
            BlockEvent::Ended { report, .. } => return unread.or(report).map_or(Ok(()), Err),
            BlockEvent::Item(_) | BlockEvent::Failed(_) | BlockEvent::Pipeline(_) | BlockEvent::Preview(_) => Ok(()),
        };
        if let Err(report) = passed {
            // Nobody reads any more: the line is told to end, and its end is waited for.
            canceller.cancel();
            unread = Some(report);
        }
    }
    unread.map_or(Ok(()), Err)
}
