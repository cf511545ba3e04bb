//! What `/` looks for: words that must all be there, and with `!` before them must not. Upper case in a word makes it
//! count, as people know it from their editors. Not for the input line it is typed in.

/// A filter as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    text: String,
    exact: bool,
    absent: bool,
}

impl Filter {
    /// Reads `web !kube-system Ready`; blanks only: everything matches.
    pub fn new(text: &str) -> Self {
        let word = |word: &str| {
            let (absent, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
            let exact = word.chars().any(char::is_uppercase);
            let text = if exact { word.to_owned() } else { word.to_lowercase() };
            (!text.is_empty()).then_some(Word { text, exact, absent })
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
        self.words.iter().all(|word| {
            let there = if word.exact { text } else { &lower };
            there.contains(&word.text) != word.absent
        })
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
