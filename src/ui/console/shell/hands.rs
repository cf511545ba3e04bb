//! What leaves the console by the operator's own key: text onto the clipboard, into the pager and into the editor.

use std::io::Write;

use super::{Message, Shell, editor, programs};
use crate::core::record::Record;
use crate::core::text::SafeText;
use crate::ui::console::app::Event;
use crate::ui::console::operator::Borrower;
use crate::ui::console::terminal::COPIED;
use crate::ui::panel::Tone;
use crate::verb::operator::TerminalCommand;

impl<W: Write> Shell<W> {
    /// The records of a block, as JSON.
    pub(super) fn copy_records(&mut self, number: u64) {
        match self.runner.records(number) {
            Ok(records) => {
                let text = as_json(&records);
                let told = format!("{} records, {} bytes of JSON copied", records.len(), text.len());
                self.copy(text, &told);
            }
            Err(reason) => self.reduce(Event::Tell(SafeText::line(&reason), Tone::Warn)),
        }
    }

    /// Onto the terminal's clipboard, and the desktop's where there is a program for it; `told` once it is there. What is
    /// too long for the one still gets to the other.
    pub(super) fn copy(&mut self, text: String, told: &str) {
        let program = self.own.clipboard.is_some();
        let (told, tone) = match self.screen.copy(&text) {
            // Whether it came there is told by nobody: so it is said which way it went.
            Ok(true) if program => (
                format!("{told}, to the terminal's clipboard and the desktop's"),
                Tone::Ok,
            ),
            Ok(true) => (format!("{told}, to the terminal's clipboard (OSC 52)"), Tone::Ok),
            Ok(false) if program => (
                format!("{told}, by the desktop's clipboard only: too long for the terminal's"),
                Tone::Ok,
            ),
            Ok(false) => {
                let size = text.len();
                let told =
                    format!("not copied: {size} bytes are too long for the terminal's clipboard, at most {COPIED}");
                (told, Tone::Warn)
            }
            Err(_) => ("the terminal took no copy".to_owned(), Tone::Warn),
        };
        self.reduce(Event::Tell(SafeText::line(&told), tone));
        if let Some(argv) = self.own.clipboard.clone() {
            let outbox = self.outbox.clone();
            tokio::spawn(async move {
                if let Err(report) = programs::feed(&argv, text).await {
                    let told = Event::Tell(report.told(), Tone::Warn);
                    let _ = outbox.send(Message::App(told)).await;
                }
            });
        }
    }

    pub(super) fn page(&mut self, text: String) {
        let (answer, ended) = tokio::sync::oneshot::channel();
        let command = TerminalCommand {
            argv: self.own.pager.clone(),
            environment: Default::default(),
        };
        let leaving = self.leaving.clone();
        let work = Box::pin(async move { programs::spawn(&command, Some(text), &leaving).await });
        self.programs.push_back(programs::Program {
            borrower: Borrower::Work(work),
            answer,
        });
        let outbox = self.outbox.clone();
        tokio::spawn(async move {
            if let Ok(Err(report)) = ended.await {
                let told = Event::Tell(report.told(), Tone::Warn);
                let _ = outbox.send(Message::App(told)).await;
            }
        });
    }

    /// The line being typed, in the operator's editor; it comes back as an event.
    pub(super) fn edit_line(&mut self, text: String) {
        let (answer, ended) = tokio::sync::oneshot::channel();
        let (give, edited) = tokio::sync::oneshot::channel();
        let (own, leaving) = (self.own.clone(), self.leaving.clone());
        let work = Box::pin(async move {
            // The console closes: nobody types any more.
            let _ = give.send(editor::edit(&own.editor, own.scratch, &text, &leaving).await);
            Ok(0)
        });
        self.programs.push_back(programs::Program {
            borrower: Borrower::Work(work),
            answer,
        });
        let outbox = self.outbox.clone();
        // Not from the work itself: it would wait for the inbox with the terminal in its hands.
        tokio::spawn(async move {
            if let Ok(edited) = edited.await {
                let _ = outbox.send(Message::App(Event::Edited(edited.map_err(Box::new)))).await;
            }
            drop(ended);
        });
    }
}

/// Records as JSON: one as it is, several as a list.
fn as_json(records: &[Record]) -> String {
    let text = match records {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    text.unwrap_or_default()
}
