//! The first words of a console: where it runs, what can be done first, and the sandbox for those who have nothing
//! configured.

use std::sync::Arc;

use super::{App, Effect, Offer};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::ui::console::keymap::{Action, Part};
use crate::ui::console::toast::Until;
use crate::ui::panel::Meaning;

/// What somebody does who has never been here.
const FIRST_STEPS: &str =
    "Try: help, or kubectl:get deploy. Or :present demo, a rolling update typed line by line: F5 types, Enter runs.";

impl App {
    pub(super) fn welcome(&mut self) {
        let mut lines: Vec<(SafeText, Meaning)> = vec![("cogdeck".into(), Meaning::Title)];
        match self.offer {
            Offer::No => lines.push((
                format!("Pipelines run in {}. Type help{}.", self.context.name, self.way_to_commands()).into(),
                Meaning::Text,
            )),
            _ => lines.extend([
                ("Nothing is configured: no kubeconfig, no AWS profile.".into(), Meaning::Text),
                ("Press Enter to start the built-in sandbox: a cluster, DNS, EC2 and Route 53 on this machine; nothing outside it is reached.".into(), Meaning::Strong),
                ("Or set KUBECONFIG and the AWS variables, or write a [contexts.NAME] table, and start again.".into(), Meaning::Text),
            ]),
        }
        if self.context.sandbox.is_some() {
            lines.push((FIRST_STEPS.into(), Meaning::Strong));
        }
        lines.push((
            "? help   Tab completes what is begun   : goes to a pane   ^C stops a block   ^D quits".into(),
            Meaning::Dim,
        ));
        self.chat.say(self.clock.now(), lines);
    }

    /// Tab goes to the panes while nothing is typed, so another key shows what there is.
    fn way_to_commands(&self) -> String {
        let key = self.keymap.key_of(Part::Input, Action::Commands);
        key.map_or_else(String::new, |key| {
            format!(", or press {} for all commands", key.label())
        })
    }

    /// The sandbox was started for a console that had nothing configured, or could not be.
    pub(super) fn sandbox_started(&mut self, result: Result<Arc<Context>, Box<Report>>) -> Vec<Effect> {
        let now = self.clock.now();
        self.toasts.has_come(&Until::Started);
        match result {
            Ok(context) => {
                self.offer = Offer::No;
                self.change_contexts(context.clone(), Vec::new());
                let line = format!("The sandbox runs; context {}.", context.name);
                let lines = [
                    (SafeText::line(&line), Meaning::StateOk),
                    (FIRST_STEPS.into(), Meaning::Strong),
                ];
                self.chat.say(now, lines);
                vec![Effect::Switch(context, Vec::new())]
            }
            Err(report) => {
                self.offer = Offer::Yes;
                let lines = report
                    .lines()
                    .into_iter()
                    .map(|line| (SafeText::line(&line), Meaning::Error));
                self.chat.say(now, lines);
                Vec::new()
            }
        }
    }
}
