//! Texts that many rows have in common (a node's name, a status, an owner): kept once, however many rows say them. Not
//! for texts that are each row's own; those are plain strings.

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A text that may be shared. Reads as a `str`; the empty one costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(Option<Arc<str>>);

impl Word {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl Deref for Word {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Word((!text.is_empty()).then(|| text.into()))
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Word::from(text.as_str())
    }
}

impl From<Word> for String {
    fn from(word: Word) -> Self {
        word.as_str().to_owned()
    }
}

impl PartialEq<str> for Word {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Word {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Word {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Word> for String {
    fn eq(&self, other: &Word) -> bool {
        self == other.as_str()
    }
}

/// Words held before those that nobody else holds are let go; the limit then grows with what is in use.
const MOST: usize = 4096;

/// The words of one feed.
#[derive(Debug)]
pub struct Words {
    known: HashSet<Arc<str>>,
    limit: usize,
}

impl Default for Words {
    fn default() -> Self {
        Words {
            known: HashSet::new(),
            limit: MOST,
        }
    }
}

impl Words {
    /// Makes `word` the known one of this text.
    pub fn share(&mut self, word: &mut Word) {
        let Some(text) = &mut word.0 else { return };
        if let Some(known) = self.known.get(&**text) {
            text.clone_from(known);
            return;
        }
        if self.known.len() >= self.limit {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            self.limit = MOST.max(self.known.len().saturating_mul(2));
        }
        self.known.insert(text.clone());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn equal_words_are_one_and_read_as_text() {
        let mut words = Words::default();
        let (mut one, mut two, mut none) = (Word::from("node-1"), Word::from("node-1".to_owned()), Word::default());
        words.share(&mut one);
        words.share(&mut two);
        words.share(&mut none);
        assert!(Arc::ptr_eq(one.0.as_ref().unwrap(), two.0.as_ref().unwrap()));
        assert!(none.is_empty() && one == "node-1");
        assert_eq!(String::from(one), "node-1");
    }

    #[test]
    fn words_nobody_says_any_more_are_let_go() {
        let mut words = Words::default();
        let mut kept = Word::from("kept");
        words.share(&mut kept);
        for number in 0..10 * MOST {
            words.share(&mut Word::from(number.to_string()));
        }
        assert!(words.known.len() <= MOST, "{}", words.known.len());
        let mut again = Word::from("kept");
        words.share(&mut again);
        assert!(Arc::ptr_eq(kept.0.as_ref().unwrap(), again.0.as_ref().unwrap()));
    }
}
