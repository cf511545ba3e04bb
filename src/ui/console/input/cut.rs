//! A text that was cut out of a line, and whether it may outlive that line. Not for what cuts and inserts it: that is
//! `edits` and `vi`.

use std::ops::Range;

/// A text that was cut.
#[derive(Clone, Debug, Default)]
pub struct Cut {
    text: String,
    /// The line that it was cut out of, and from where, until one was sent: only the line tells what in it is secret.
    from: Option<(String, Range<usize>)>,
}

impl Cut {
    /// A part of a line; none: there is no such part.
    pub fn of(line: &str, range: Range<usize>) -> Option<Self> {
        let text = line.get(range.clone())?.to_owned();
        let from = Some((line.to_owned(), range));
        (!text.is_empty()).then_some(Cut { text, from })
    }

    /// It.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether any of it stood where `secrets` finds one in its line. It is asked once: the line is kept no longer.
    pub fn holds_secret(&mut self, secrets: impl Fn(&str) -> Vec<Range<usize>>) -> bool {
        self.from.take().is_some_and(|(line, range)| {
            let meets = |secret: &Range<usize>| secret.start < range.end && range.start < secret.end;
            secrets(&line).iter().any(meets)
        })
    }
}
