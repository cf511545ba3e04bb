//! What the app asks for, done: one arm an effect. Copies and pages are in `hands`, blocks in `blocks`.

use std::io::Write;
use std::sync::Arc;

use super::{COMPLETER, Message, Shell, programs};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::ui::console::app::{Effect, Event};
use crate::ui::console::contexts::Known;
use crate::ui::panel::Tone;
use crate::verb::Completion;

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
                for event in self.blocks.kill(block) {
                    self.reduce(event);
                }
            }
            Effect::Answer(question, decision) => self.blocks.answer(question, decision),
            Effect::Complete(question, live) => {
                let (outbox, runner) = (self.outbox.clone(), self.runner.clone());
                tokio::spawn(async move {
                    let asked = tokio::time::timeout(COMPLETER, live.ask(|name| runner.meant_by(name))).await;
                    let late = |_| Completion::none(format!("no answer within {} s", COMPLETER.as_secs()));
                    let found = asked.unwrap_or_else(late);
                    // The console closed meanwhile: nobody wants it.
                    let _ = outbox.send(Message::App(Event::Candidates(question, found))).await;
                });
            }
            Effect::StartSandbox => self.start_sandbox(),
            Effect::OpenUntil(until) => self.runner.open_until(until),
            Effect::Switch(context, beside) => self.runner.switch(context, beside),
            Effect::UseContexts(names) => self.use_contexts(&names),
            Effect::ReadScript(file) => self.read_script(file),
            Effect::Wear(name) => self.wear(name),
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

    fn use_contexts(&mut self, names: &str) {
        let (text, tone) = match self.known_contexts(|known| known.named(names)) {
            Err(report) => (report.told(), Tone::Warn),
            Ok(found) => {
                let names: Vec<&str> = found.iter().map(|context| context.name.as_str()).collect();
                let text = match names.as_slice() {
                    [first, _, ..] => format!("contexts {}; lines run in {first}", names.join(", ")),
                    one => format!("context {}", one.concat()),
                };
                self.show_contexts(found);
                (SafeText::line(&text), Tone::Ok)
            }
        };
        self.reduce(Event::Tell(text, tone));
    }

    /// Another context for this console; refused when there is none by this name.
    pub(super) fn switch_context(&mut self, name: &str) -> Result<(), Report> {
        let context = self.known_contexts(|known| known.one(name))?;
        self.show_contexts(vec![context]);
        Ok(())
    }

    fn known_contexts<T>(&self, look: impl FnOnce(&Known<'_>) -> T) -> T {
        look(&Known {
            own: self.runner.context().name.clone(),
            names: self.runner.contexts(),
            find: &|name| self.runner.find_context(name),
        })
    }

    /// The first is where lines run.
    fn show_contexts(&mut self, mut contexts: Vec<Arc<Context>>) {
        let beside = contexts.split_off(contexts.len().min(1));
        let Some(own) = contexts.pop() else { return };
        self.runner.switch(own.clone(), beside.clone());
        self.reduce(Event::Contexts(own, beside));
    }

    /// Another theme. Its file is read beside the loop.
    fn wear(&self, name: String) {
        let (themes, outbox) = (self.themes.clone(), self.outbox.clone());
        tokio::task::spawn_blocking(move || {
            let event = match themes(&name) {
                Ok((theme, remarks)) => Event::Chosen(Box::new(theme), remarks),
                Err(report) => Event::Tell(report.told(), Tone::Warn),
            };
            // The console closed meanwhile: nobody wears it.
            let _ = outbox.blocking_send(Message::App(event));
        });
    }

    fn read_script(&self, file: String) {
        let outbox = self.outbox.clone();
        tokio::spawn(async move {
            let read = programs::read_script(&file).await;
            // The console closed meanwhile: nobody presents.
            let _ = outbox.send(Message::App(Event::Script(read.map_err(Box::new)))).await;
        });
    }
}
