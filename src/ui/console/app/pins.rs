//! Pipelines pinned as panels: where a new one goes, and taking one away. What it shows is the panel's own business.

use super::{App, Effect, Finder, Focus};
use crate::core::report::Report;
use crate::ui::console::pin::kept::{Change, ids};
use crate::ui::console::pin::{MOST, Pinned};
use crate::ui::panel::Tone;
use crate::verb::operator::Pin;

impl App {
    /// Shows a pipeline as a panel from now on; the panel's name. Inside a Tokio runtime.
    pub fn pin(&mut self, pin: &Pin) -> (Result<String, Report>, Vec<Effect>) {
        if let Some(known) = self.pinned.iter().find(|known| known.line == pin.line) {
            let report = Report::refused("E-PIN-007", format!("it is pinned already: {}", known.id));
            return (
                Err(report.hint(format!(":unpin {} takes that away", known.id))),
                Vec::new(),
            );
        }
        let free = ids()
            .into_iter()
            .find(|id| self.panels.iter().all(|panel| panel.id() != id));
        let Some(id) = free else {
            let message = format!("{MOST} pipelines are pinned already, which is the most");
            let report = Report::refused("E-PIN-007", message).hint(":unpin NAME takes one away");
            return (Err(report), Vec::new());
        };
        let pinned = Pinned::new(id.clone(), pin);
        let panel = (self.pins)(&pinned);
        self.pinned.push(pinned.clone());
        self.registered.push(id.clone());
        // Behind all others, whose numbers are under the operator's fingers.
        self.panels.push(panel);
        self.drawn.clear();
        self.touch();
        // Where panels stand beside the chat the new one is the last to fold.
        if self.places.tabs.is_empty() {
            self.shown = self.panels.len();
        }
        self.subscribe_offered();
        (Ok(id), vec![Effect::KeepPin(Change::Add(pinned))])
    }

    /// Takes a pinned pipeline's panel away.
    pub(super) fn unpin(&mut self, id: &str) -> Vec<Effect> {
        let pins = &mut self.pinned;
        let Some(known) = pins.iter().position(|pin| pin.id == id) else {
            let names: Vec<&str> = pins.iter().map(|pin| pin.id.as_str()).collect();
            let there = match names.is_empty() {
                true => "nothing is pinned".to_owned(),
                false => format!("pinned: {}", names.join("  ")),
            };
            self.tell(&format!("{id} is no pinned pipeline; {there}"), Tone::Warn);
            return Vec::new();
        };
        let pinned = pins.remove(known);
        self.arrangement.forget(id);
        self.registered.retain(|known| known != id);
        self.opened.remove(id);
        if let Some(at) = self.panels.iter().position(|panel| panel.id() == id) {
            if self.focus == Focus::Pane(at + 1) {
                self.leave_pane();
            }
            let mut panel = self.panels.remove(at);
            panel.close();
            self.renumber(|pane| match pane {
                pane if pane == at + 1 => None,
                pane if pane > at => Some(pane - 1),
                pane => Some(pane),
            });
            self.subscribe_offered();
        }
        self.tell(&format!("unpinned: {}", pinned.line), Tone::Ok);
        let mut effects = self.remember();
        effects.push(Effect::KeepPin(Change::Remove(pinned.line)));
        effects
    }

    /// Panes have other numbers now: all that names one by its number goes along with it, or with what is gone.
    fn renumber(&mut self, number: impl Fn(usize) -> Option<usize>) {
        if let Focus::Pane(pane) = self.focus {
            self.focus = number(pane).map_or(Focus::Input, Focus::Pane);
        }
        self.shown = number(self.shown).unwrap_or(match self.focus {
            Focus::Pane(pane) => pane,
            Focus::Input => 0,
        });
        self.finder = self.finder.take().and_then(|finder| {
            let pane = number(finder.pane)?;
            Some(Finder { pane, ..finder })
        });
        self.dragged = self
            .dragged
            .take()
            .and_then(|(seam, before)| Some((seam.renumbered(&number)?, before)));
        self.places.renumber(&number);
        self.drawn.clear();
        self.touch();
    }
}
