//! What is marked as wrong in the line while it is typed. What is wrong is the engine's answer, from the same pass that
//! would refuse the line; this only says what may be marked by now.

use std::ops::Range;

use super::{App, goto, window};
use crate::core::report::Report;
use crate::lang::is_repeat;
use crate::verb::Catalogue;

/// Longer lines are not checked while they are typed.
const CHECKED: usize = 16 * 1024;

/// What more typing behind it does not mend. What is missing is not here: it may come yet.
const CERTAIN: [&str; 14] = [
    "E-RESOLVE-001",
    "E-RESOLVE-002",
    "E-RESOLVE-003",
    "E-RESOLVE-004",
    "E-OPTION-001",
    "E-OPTION-004",
    "E-TYPE-001",
    "E-VALUE-001",
    "E-VALUE-002",
    "E-ACCESS-001",
    "E-CONTEXT-001",
    "E-MODIFIER-001",
    "E-PLACE-001",
    "E-READONLY-002",
];

/// A quote that is open: its beginning is marked, wherever the cursor is.
const OPEN_QUOTE: &str = "E-SYNTAX-002";

/// The line as it was checked last.
#[derive(Default)]
pub(super) struct Checked {
    text: String,
    wrong: Option<(Range<usize>, bool)>,
}

impl App {
    /// The line being typed, where it has changed since it was checked last.
    pub fn unchecked(&self) -> Option<String> {
        let text = self.input.text();
        (text != self.checked.text && self.input.search().is_none()).then_some(text)
    }

    /// Whether anything can be wrong in a line for the engine: words of the console are not its.
    pub fn is_for_engine(text: &str) -> bool {
        let text = text.trim();
        let word = goto::is_one(text) || window::is_one(text) || is_repeat(text);
        !text.is_empty() && text.len() <= CHECKED && !word
    }

    /// What would refuse this line.
    pub fn check(&mut self, text: String, report: Option<Report>) {
        let wrong = report.and_then(|report| {
            let place = report.place.filter(|place| place.source.len() == text.len())?;
            let range = place.span;
            let first = text.get(range.clone())?.chars().next()?;
            if report.code == OPEN_QUOTE {
                return Some((range.start..range.start + first.len_utf8(), true));
            }
            let unfinished = report.code == "E-RESOLVE-004" && goes_on(&self.catalogue, text.get(range.clone())?);
            (CERTAIN.contains(&report.code) && !unfinished).then_some((range, false))
        });
        let shown = self.wrong();
        self.checked = Checked { text, wrong };
        self.dirty |= self.wrong() != shown;
    }

    /// Whether the line, as far as it was checked, ends within a quote.
    pub(in crate::ui::console) fn quote_is_open(&self) -> bool {
        matches!(self.checked.wrong, Some((_, true))) && self.wrong().is_some()
    }

    /// What is marked as wrong, in bytes of the line: what the cursor still touches may become right. It stays marked while
    /// the line goes on behind it, until that is checked; a word that goes on itself is another word.
    pub(in crate::ui::console) fn wrong(&self) -> Option<Range<usize>> {
        let (range, always) = self.checked.wrong.clone()?;
        let cursor = self.input.cursor();
        let left = always || cursor < range.start || cursor > range.end;
        let (checked, text) = (&self.checked.text, self.input.text());
        let end = if always { range.end } else { range.end + 1 };
        let same = *checked == text
            || checked
                .as_bytes()
                .get(..end)
                .is_some_and(|part| text.as_bytes().starts_with(part));
        (left && same).then_some(range)
    }
}

/// Whether a name is the beginning of a longer one, as `set` is of `set image`: the next word may complete it.
fn goes_on(catalogue: &Catalogue, name: &str) -> bool {
    let (bundle, command) = match name.split_once(':') {
        Some((bundle, command)) => (Some(bundle), command),
        None => (None, name),
    };
    let beginning = format!("{command}-");
    catalogue.iter().any(|verb| {
        let declaration = &verb.declaration;
        bundle.is_none_or(|bundle| declaration.bundle == bundle) && declaration.name.starts_with(&beginning)
    })
}
