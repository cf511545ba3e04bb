//! `rw 10m`: a context that is marked read-only takes changes for so long. A word of the console and no verb, so that no
//! script, alias or pipeline can say it; it counts only where it was typed. What it opens is the engine's.

use std::time::Duration;

use jiff::Timestamp;

use super::{App, Effect};
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::engine::millis;
use crate::ui::console::ports::Ended;
use crate::ui::console::syntax::time_of_day;
use crate::ui::panel::Tone;

/// The word.
const WORD: &str = "rw";

/// The shortest and the longest time: a shift.
const TIMES: std::ops::RangeInclusive<u64> = 1_000..=8 * 3_600_000;

/// Whether a line is meant so.
pub(super) fn is_one(line: &str) -> bool {
    line.split_whitespace().next() == Some(WORD)
}

impl App {
    /// Opens the context, or closes it again; the chat tells what became of it. `by_hand`: all of it was typed.
    pub(super) fn change_window(&mut self, line: &str, by_hand: bool) -> Vec<Effect> {
        let now = self.clock.now();
        self.shown = 0;
        let block = self.chat.open(line.to_owned(), self.context.clone(), now);
        let until = self.wanted(line, by_hand, now);
        let told = until.as_ref().ok().map(|until| self.told(*until));
        self.chat.change(block, |block| {
            told.iter().for_each(|told| block.note(told));
            let report = until.as_ref().err().cloned();
            block.end(&Ended {
                exit_code: report.as_ref().map_or(0, |report| report.severity.exit_code()),
                report,
                elapsed: Duration::ZERO,
            });
        });
        let Ok(until) = until else { return Vec::new() };
        self.open_until = until;
        vec![Effect::OpenUntil(until)]
    }

    /// Until when it is to be open; none: no more.
    fn wanted(&self, line: &str, by_hand: bool, now: Timestamp) -> Result<Option<Timestamp>, Report> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let refused = |code, message: &str| Err(Report::refused(code, message));
        if self.read_only {
            let report = Report::refused("E-READONLY-001", "this process runs with --read-only");
            return Err(report.hint("nothing opens that: start cogdeck without it"));
        }
        if !by_hand {
            let report = Report::refused(
                "E-READONLY-006",
                "rw counts only where it is typed, character by character",
            );
            return Err(report.hint("clear the line and type it"));
        }
        if !self.context.read_only {
            let message = format!("context {} is not read-only", self.context.name);
            return refused("E-READONLY-004", &message);
        }
        match words.as_slice() {
            [_, "off"] => Ok(None),
            [_, time] => match millis(time).filter(|time| TIMES.contains(time)) {
                Some(time) => Ok(Some(now + Duration::from_millis(time))),
                None => refused("E-READONLY-005", "rw takes a time from 1s to 8h, as in rw 10m, or off"),
            },
            [_] => refused("E-READONLY-005", "rw takes a time, as in rw 10m, or off"),
            _ => refused("E-READONLY-005", "rw stands alone on its line, with a time: rw 10m"),
        }
    }

    fn told(&self, until: Option<Timestamp>) -> SafeText {
        let name = &self.context.name;
        SafeText::line(&match until {
            Some(until) => {
                let until = time_of_day(until, self.clock.zone());
                format!("context {name} takes changes until {until}; rw off ends that at once")
            }
            None => format!("context {name} is read-only again"),
        })
    }

    /// How long the context still takes changes although it is marked read-only; none: it does not.
    pub(in crate::ui::console) fn open_for(&self) -> Option<Duration> {
        let now = self.clock.now();
        let until = self.open_until.filter(|until| *until > now)?;
        Duration::try_from(until.duration_since(now)).ok()
    }

    /// A second passed: what was open for a while may not be any more.
    pub(super) fn close_in_time(&mut self) {
        if self.open_until.is_some() && self.open_for().is_none() {
            self.open_until = None;
            let told = self.told(None);
            self.toasts.add(told, Tone::Warn, self.clock.now());
        }
    }
}
