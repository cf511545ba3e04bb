//! What the operator made of the screen: how wide the columns are, which panels stand in them, in which order and how
//! tall. Remembered across sessions as a small TOML file that may name panels this build does not have. Not for where
//! things are on a screen of some size: `layout` works that out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::report::Report;

/// The file's name in the folder of what is remembered.
pub const FILE: &str = "layout.toml";
/// The form of the file. Another one is not read: the arrangement starts anew and the file is kept until it changes.
const VERSION: u32 = 1;
/// Percent of its place a column has at least.
const LEAST: u16 = 20;
/// Percent of its place a column has at most.
const MOST: u16 = 80;

/// An arrangement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Arrangement {
    version: u32,
    /// Percent of the width that the chat has beside one column of panels.
    pub chat: u16,
    /// Percent of the width that the chat has beside two.
    pub chat_of_three: u16,
    /// Percent of the rest that the first of two columns of panels has.
    pub middle: u16,
    /// Ids of panels in their order; empty: as they come. Unknown ones are kept for the build that knows them.
    pub order: Vec<String>,
    /// Panels beside the others that would not be there by themselves.
    pub shown: Vec<String>,
    /// Panels that are not beside the others.
    pub hidden: Vec<String>,
    /// Rows beyond the smallest height, as they were when somebody changed them; for a column of another height their
    /// proportions count.
    pub rows: BTreeMap<String, u16>,
}

impl Default for Arrangement {
    fn default() -> Self {
        Arrangement {
            version: VERSION,
            chat: 55,
            chat_of_three: 42,
            middle: 53,
            order: Vec::new(),
            shown: Vec::new(),
            hidden: Vec::new(),
            rows: BTreeMap::new(),
        }
    }
}

/// The three boundaries between columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The chat, beside one column of panels.
    Chat,
    /// The chat, beside two.
    ChatOfThree,
    /// The first of two columns of panels.
    Middle,
}

/// The file cannot be read, for this reason.
pub fn broken(reason: &str) -> Report {
    Report::failed(
        "E-LAYOUT-001",
        format!("the remembered layout cannot be read: {reason}"),
    )
    .hint("the screen starts as it is by default; :layout reset forgets the file")
}

impl Arrangement {
    /// Reads a file; what is out of bounds is put into them.
    pub fn parse(text: &str) -> Result<Self, Report> {
        let mut read: Arrangement = toml::from_str(text).map_err(|error| broken(error.message()))?;
        if read.version != VERSION {
            return Err(broken(&format!("it has version {}, this is {VERSION}", read.version)));
        }
        for percent in [&mut read.chat, &mut read.chat_of_three, &mut read.middle] {
            *percent = (*percent).clamp(LEAST, MOST);
        }
        read.rows.values_mut().for_each(|rows| *rows = (*rows).min(1_000));
        Ok(read)
    }

    /// As a file.
    pub fn to_text(&self) -> String {
        // Numbers, lists and a table of numbers always have a form.
        toml::to_string(self).unwrap_or_default()
    }

    /// Percent of a column.
    pub fn percent(&self, column: Column) -> u16 {
        match column {
            Column::Chat => self.chat,
            Column::ChatOfThree => self.chat_of_three,
            Column::Middle => self.middle,
        }
    }

    /// Sets a column's width in percent, within bounds.
    pub fn set_percent(&mut self, column: Column, percent: u16) {
        let slot = match column {
            Column::Chat => &mut self.chat,
            Column::ChatOfThree => &mut self.chat_of_three,
            Column::Middle => &mut self.middle,
        };
        *slot = percent.clamp(LEAST, MOST);
    }

    /// Whether a panel stands beside the others; `by_itself`: it would.
    pub fn shows(&self, id: &str, by_itself: bool) -> bool {
        let named = |list: &[String]| list.iter().any(|known| known == id);
        named(&self.shown) || (by_itself && !named(&self.hidden))
    }

    /// Puts a panel beside the others, or away.
    pub fn set_shown(&mut self, id: &str, shown: bool) {
        self.shown.retain(|known| known != id);
        self.hidden.retain(|known| known != id);
        let list = if shown { &mut self.shown } else { &mut self.hidden };
        list.push(id.to_owned());
    }

    /// A panel of this id is gone for good: another one may get the id.
    pub fn forget(&mut self, id: &str) {
        let lists = [&mut self.shown, &mut self.hidden, &mut self.order];
        lists.into_iter().for_each(|list| list.retain(|known| known != id));
        self.rows.remove(id);
    }

    /// Where a panel stands in the order; none: after those that are named.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.order.iter().position(|known| known == id)
    }

    /// Takes over an order, keeping the places of panels that are not among them.
    pub fn set_order(&mut self, ids: Vec<String>) {
        let unknown: Vec<String> = self.order.iter().filter(|id| !ids.contains(id)).cloned().collect();
        self.order = ids;
        self.order.extend(unknown);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_survives_a_file_and_panels_nobody_knows() {
        let mut own = Arrangement::default();
        own.set_percent(Column::Chat, 40);
        own.set_shown("jobs", true);
        own.set_shown("events", false);
        own.set_order(vec!["pods".into(), "dns".into()]);
        own.rows.insert("dns".into(), 7);
        assert_eq!(Arrangement::parse(&own.to_text()).unwrap(), own);
        let newer = "version = 1\nchat = 99\nshape = \"round\"\norder = [\"balloons\", \"dns\"]\n";
        let mut read = Arrangement::parse(newer).unwrap();
        assert_eq!((read.chat, read.place("dns"), read.place("pods")), (80, Some(1), None));
        read.set_order(vec!["dns".into()]);
        assert_eq!(read.order, ["dns", "balloons"], "what another build knows is kept");
        assert!(read.shows("pods", true) && !read.shows("pods", false) && !own.shows("events", true));
    }

    #[test]
    fn a_file_of_another_version_or_no_file_at_all_is_told() {
        for text in ["version = 2\n", "chat = \"wide\"\n", "\u{0}", "[rows]\ndns = -1\n"] {
            let report = Arrangement::parse(text).unwrap_err();
            assert_eq!(report.code, "E-LAYOUT-001", "{text}");
        }
    }
}
