//! What `/` looks for: words that must all be there, and with `!` before them must not. Upper case in a word makes it
//! count, as people know it from their editors. Not for the input line it is typed in.

use std::borrow::Cow;

use crate::core::text::SafeText;

/// A text to look for: capitals count once one is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    text: String,
    exact: bool,
}

impl Needle {
    /// Reads what was typed.
    pub fn new(typed: &str) -> Self {
        let exact = typed.chars().any(char::is_uppercase);
        Needle {
            text: if exact { typed.to_owned() } else { typed.to_lowercase() },
            exact,
        }
    }

    /// What is compared: as typed, or in lower case.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A text as this is compared with it.
    pub fn fold<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.exact {
            true => Cow::Borrowed(text),
            false => Cow::Owned(text.to_lowercase()),
        }
    }

    /// Whether a text has it.
    pub fn is_in(&self, text: &str) -> bool {
        self.fold(text).contains(&self.text)
    }

    fn is_in_either(&self, text: &str, lower: &str) -> bool {
        (if self.exact { text } else { lower }).contains(&self.text)
    }
}

/// Columns of what is looked for in a title: what it found stands behind it.
const TOLD: usize = 24;

/// What is looked for, as a title tells it.
pub fn told(typed: &str) -> SafeText {
    SafeText::line(typed).fit(TOLD)
}

/// A filter as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    needle: Needle,
    absent: bool,
}

impl Filter {
    /// Reads `web !kube-system Ready`; blanks only: everything matches.
    pub fn new(text: &str) -> Self {
        let word = |word: &str| {
            let (absent, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
            let needle = Needle::new(word);
            (!word.is_empty()).then_some(Word { needle, absent })
        };
        Filter {
            text: text.to_owned(),
            words: text.split_whitespace().filter_map(word).collect(),
        }
    }

    /// As typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Lets everything through.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether a text passes.
    pub fn matches(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        self.words
            .iter()
            .all(|word| word.needle.is_in_either(text, &lower) != word.absent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_must_be_there_or_with_a_mark_must_not() {
        let cases = [
            ("", "anything", true),
            ("WEB", "web-1", false),
            ("web", "WEB-1", true),
            ("web run", "web-1 Running", true),
            ("web !run", "web-1 Running", false),
            ("!run", "web-1 Pending", true),
            ("!", "x", true),
            ("Pend", "pending", false),
        ];
        for (filter, text, wanted) in cases {
            assert_eq!(Filter::new(filter).matches(text), wanted, "{filter:?} on {text:?}");
        }
    }
}
