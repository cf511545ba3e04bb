//! An alias: a name for a pipeline, of one user or of the whole site. Not for expanding it: that is the engine's.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose an alias is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AliasScope {
    /// The user's own; found first.
    User,
    /// Everyone's.
    Site,
}

impl AliasScope {
    /// Both, in the order in which names are looked up.
    pub const ALL: [AliasScope; 2] = [AliasScope::User, AliasScope::Site];

    /// `user` or `site`: the word before the colon.
    pub fn word(self) -> &'static str {
        match self {
            AliasScope::User => "user",
            AliasScope::Site => "site",
        }
    }

    /// The scope of this word.
    pub fn of_word(word: &str) -> Option<AliasScope> {
        AliasScope::ALL.into_iter().find(|scope| scope.word() == word)
    }
}

/// A name for a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// Whose.
    pub scope: AliasScope,
    /// Letters, digits, `_` and `-`.
    pub name: String,
    /// The pipeline as it was given.
    pub body: String,
}

impl Alias {
    /// `user:ls`.
    pub fn qualified(&self) -> String {
        format!("{}:{}", self.scope.word(), self.name)
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.qualified(), self.body)
    }
}
