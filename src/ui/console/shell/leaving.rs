//! How the console is left: what runs is stopped and named, or comes to its end without a screen. Not for giving the
//! terminal back, which is `terminal`'s.

use std::io::{self, Write};

use tokio::time::Instant;

use super::programs::{Signals, Told};
use super::{FAREWELL, Message, Shell};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::ui::console::app::Event;
use crate::ui::console::chat::block::Block;
use crate::ui::console::operator::Request;
use crate::ui::console::ports::BlockEvent;
use crate::verb::Decision;

/// Lines of a block that are told when it ends without a screen.
const LAST_LINES: usize = 10;
/// Why questions that nobody can see are declined.
const LEFT: &str = "the console was left";

impl<W: Write> Shell<W> {
    /// Lets what runs come to its end, without a screen, and tells how each ended: the highest exit code of them is ours.
    /// A signal ends it.
    pub(super) async fn wait_for_the_rest(&mut self) -> io::Result<u8> {
        // Nobody looks: nothing is watched, polled or run for panels any more.
        self.app.close_panels();
        // Nobody answers what was asked, and no program gets a terminal any more: what waits for that goes on now.
        self.programs.clear();
        self.blocks.decline_all(LEFT);
        let mut out = io::stderr();
        // Nothing can be done about a closed stderr.
        let _ = writeln!(out, "cogdeck: waits for {}; ^C stops it", self.running().join(", "));
        let mut signals = Signals::new()?;
        let mut code = 0;
        while !self.blocks.is_empty() {
            tokio::select! {
                told = signals.next() => match told {
                    Told::End(code) => return Ok(code),
                    Told::Stop => signals.stop_here()?,
                    Told::GoOn => {}
                },
                Some(request) = self.requests.recv() => self.answer_alone(request),
                Some(message) = self.inbox.recv() => {
                    let ended = match &message {
                        Message::App(Event::Block(block, event)) => match event.as_ref() {
                            BlockEvent::Ended(ended) => Some((*block, ended.exit_code)),
                            _ => None,
                        },
                        _ => None,
                    };
                    self.message(message);
                    if let Some((block, its_code)) = ended {
                        code = code.max(its_code);
                        let told = self.app.chat().block(block).map(last_words).unwrap_or_default();
                        let _ = out.write_all(told.as_bytes());
                    }
                }
                else => break,
            }
        }
        Ok(code)
    }

    /// A question that comes when nobody looks any more: nothing is approved, no program gets the terminal, no panel opens.
    pub(super) fn answer_alone(&mut self, request: Request) {
        match request {
            Request::Ask { answer, .. } | Request::Secret { answer, .. } => {
                let _ = answer.send(Decision::Declined(LEFT.to_owned()));
            }
            Request::Terminal(_, answer) => {
                let _ = answer.send(Err(Report::refused(
                    "E-CONSOLE-003",
                    "the console was left: there is no terminal to give",
                )));
            }
            Request::Pin(_, answer) => {
                let _ = answer.send(Err(Report::refused(
                    "E-CONSOLE-003",
                    "the console was left: there is no screen for a panel",
                )));
            }
            other => self.request(other),
        }
    }

    /// What runs, each by number and line.
    fn running(&self) -> Vec<String> {
        let live = self.app.chat().blocks().filter(|block| block.state.is_live());
        live.map(named).collect()
    }

    /// Ends what runs, keeps what is remembered, gives the terminal back and tells `out` what was stopped.
    pub(super) async fn close(&mut self, mut out: impl Write) {
        let told = self.stop_what_runs().await;
        if let Some(writer) = self.remember.take() {
            writer.finish(FAREWELL).await;
        }
        if let Some(keeper) = self.keep_pins.take() {
            keeper.finish(FAREWELL).await;
        }
        self.restore.leave();
        if !told.is_empty() {
            // Nothing can be done about a closed stderr.
            let _ = writeln!(out, "{told}");
        }
        // Last: one of them may be what broke the console, and break again.
        self.app.close_panels();
    }

    async fn stop_what_runs(&mut self) -> String {
        let running = self.running();
        if running.is_empty() {
            return String::new();
        }
        self.runner.stop_all();
        let deadline = Instant::now() + FAREWELL;
        while !self.blocks.is_empty() {
            match tokio::time::timeout_at(deadline, self.inbox.recv()).await {
                Ok(Some(Message::Gone(block))) => self.blocks.forget(block),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        format!("cogdeck: stopped {}", running.join(", "))
    }
}

/// How a block ended, and the last that it said.
fn last_words(block: &Block) -> String {
    let text = block.text();
    let lines: Vec<&str> = text.lines().collect();
    let left_out = lines.len().saturating_sub(LAST_LINES);
    let mut told = format!("cogdeck: {} {}\n", block.state.label().1, named(block));
    let earlier = block
        .dropped()
        .saturating_add(u64::try_from(left_out).unwrap_or(u64::MAX));
    if earlier > 0 {
        told.push_str(&format!("  … {earlier} earlier lines\n"));
    }
    for line in lines.into_iter().skip(left_out) {
        told.push_str(&format!("  {line}\n"));
    }
    told
}

/// `#41 kubectl:get deploy`.
fn named(block: &Block) -> String {
    let number = block.number.map(|number| format!("#{number} ")).unwrap_or_default();
    let text = SafeText::line(&format!("{number}{}", block.line)).fit(60);
    text.as_str().to_owned()
}
