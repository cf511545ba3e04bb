//! Running text: paragraphs that are laid out for the room there is when they are shown. Not for tables, and not for text
//! whose line breaks are its author's.

use crate::core::text::width;
use crate::core::wrap::wrap;

/// Columns of running text at most: longer lines are hard to read, and where the room is not known these are assumed.
pub const COLUMNS: usize = 96;
/// Columns a paragraph gets at least, however far it is indented.
const LEAST: usize = 12;

/// A paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph {
    /// What stands before its first line: blanks, a bullet.
    pub first: &'static str,
    /// What stands before the others.
    pub rest: &'static str,
    /// Its text, without line breaks.
    pub text: String,
    /// Something to type: one line where the room is not known, so that it can be copied.
    pub verbatim: bool,
}

impl Paragraph {
    /// Its lines in a room of so many columns.
    pub fn within(&self, columns: usize) -> Vec<String> {
        let indent = width(self.first).max(width(self.rest));
        let room = columns.min(COLUMNS).saturating_sub(indent).max(LEAST);
        let pieces = wrap(&self.text, u16::try_from(room).unwrap_or(u16::MAX));
        let line = |(at, piece): (usize, &String)| {
            let before = if at == 0 { self.first } else { self.rest };
            format!("{before}{piece}").trim_end().to_owned()
        };
        pieces.iter().enumerate().map(line).collect()
    }

    /// Its lines where the room is not known.
    pub fn plain(&self) -> Vec<String> {
        match self.verbatim {
            true => vec![format!("{}{}", self.first, self.text)],
            false => self.within(COLUMNS),
        }
    }
}

/// All paragraphs where the room is not known, each line ended.
pub fn plain(paragraphs: &[Paragraph]) -> String {
    let lines = paragraphs.iter().flat_map(Paragraph::plain);
    lines.fold(String::new(), |text, line| text + &line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_keeps_to_the_room_and_hangs_behind_its_bullet() {
        let mut paragraph = Paragraph {
            first: "  • ",
            rest: "    ",
            text: "run - creates a deployment from an image".to_owned(),
            verbatim: false,
        };
        assert_eq!(
            paragraph.within(26),
            ["  • run - creates a", "    deployment from an", "    image"]
        );
        assert_eq!(paragraph.plain(), ["  • run - creates a deployment from an image"]);
        assert!(
            paragraph.within(1).iter().all(|line| width(line) <= 4 + LEAST),
            "never without end"
        );
        paragraph.text = "word ".repeat(60).trim_end().to_owned();
        assert!(paragraph.within(400).iter().all(|line| width(line) <= COLUMNS));
        assert!(paragraph.plain().len() > 1);
        paragraph.verbatim = true;
        assert_eq!(paragraph.plain().len(), 1, "what is typed stays one line");
        assert!(paragraph.within(40).len() > 1);
    }
}
