//! What the app asks for, done: one arm an effect. Copies and pages are in `hands`, blocks in `blocks`.

use std::io::Write;

use super::{COMPLETER, Message, Shell, programs};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::lang::script_lines;
use crate::ui::console::app::{Effect, Event};
use crate::ui::panel::Tone;
use crate::verb::catalogue::{did_you_mean, nearest};

impl<W: Write> Shell<W> {
    /// What the app asks for happens here.
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Start { block, line, origin } => {
                let event = self.blocks.start(block, &line, origin);
                self.reduce(event);
            }
            Effect::Cancel(block) => self.blocks.cancel(block),
            Effect::Kill(block) => {
                if let Some(event) = self.blocks.kill(block) {
                    self.reduce(event);
                }
            }
            Effect::Answer(question, decision) => self.blocks.answer(question, decision),
            Effect::Complete(question, live) => {
                let outbox = self.outbox.clone();
                tokio::spawn(async move {
                    let asked = tokio::time::timeout(COMPLETER, live.completer.complete(live.request)).await;
                    let candidates = asked.unwrap_or_default();
                    // The console closed meanwhile: nobody wants them.
                    let _ = outbox.send(Message::App(Event::Candidates(question, candidates))).await;
                });
            }
            Effect::StartSandbox => self.start_sandbox(),
            Effect::Switch(context) => self.runner.switch(context),
            Effect::UseContext(name) => self.use_context(&name),
            Effect::ReadScript(file) => self.read_script(file),
            Effect::Mouse(on) => self.restore.mouse(on),
            Effect::Copy(text, told) => self.copy(text, &told),
            Effect::CopyRecords(number) => self.copy_records(number),
            Effect::Page(text) => self.page(text),
            Effect::EditLine(text) => self.edit_line(text),
            Effect::Transcript(text) => {
                if self.restore.aside(&text).is_err() {
                    self.reduce(Event::Tell("the terminal took no transcript".into(), Tone::Warn));
                }
                self.screen.forget();
            }
            Effect::Detach => {
                self.detached = true;
                self.quit = Some(0);
            }
            Effect::Remember(text) => {
                if let Some(writer) = &self.remember {
                    writer.write(text);
                }
            }
            Effect::KeepPin(change) => {
                if let Some(keeper) = &self.keep_pins {
                    keeper.keep(change);
                }
            }
            Effect::Redraw => self.screen.forget(),
            Effect::Suspend => self.suspend = true,
            Effect::Quit(code) => self.quit = Some(code),
        }
    }

    fn start_sandbox(&self) {
        let Some(sandbox) = self.sandbox.clone() else { return };
        let outbox = self.outbox.clone();
        tokio::spawn(async move {
            let started = sandbox.start().await.map_err(Box::new);
            let _ = outbox.send(Message::App(Event::Sandbox(started))).await;
        });
    }

    fn use_context(&mut self, name: &str) {
        let told = match self.switch_context(name) {
            Ok(()) => (SafeText::line(&format!("context {name}")), Tone::Ok),
            Err(report) => (report.told(), Tone::Warn),
        };
        self.reduce(Event::Tell(told.0, told.1));
    }

    /// Another context for this console; refused when there is none by this name.
    pub(super) fn switch_context(&mut self, name: &str) -> Result<(), Report> {
        let Some(context) = self.runner.find_context(name) else {
            let report = Report::refused("E-CONSOLE-007", format!("there is no context {name}"));
            return Err(match did_you_mean(&nearest(name, self.runner.contexts())) {
                Some(hint) => report.hint(hint),
                None => report,
            });
        };
        self.runner.switch(context.clone());
        self.reduce(Event::Session(context, self.runner.catalogue()));
        Ok(())
    }

    fn read_script(&self, file: String) {
        let outbox = self.outbox.clone();
        tokio::spawn(async move {
            let read = programs::read_script(&file).await;
            let lines = read.map(|text| script_lines(&text).into_iter().map(|line| line.text).collect());
            // The console closed meanwhile: nobody presents.
            let _ = outbox.send(Message::App(Event::Script(lines.map_err(Box::new)))).await;
        });
    }
}
