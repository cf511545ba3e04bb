//! What each word of an unfinished line is for: the parser's order of things without its errors. Serves highlighting
//! and completion.

use super::ast::Word;
use super::lexer::TokenKind;
use super::prelude::{MODIFIERS, is_mention, modifier_key};

/// What a word is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// `!` alone or `@cog`.
    Prefix,
    Modifier,
    Let,
    /// What `let` names, or its `=`.
    Binding,
    Head,
    Argument,
    Target,
}

/// Walks the tokens of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Walk {
    /// Before a pipeline: `let` may follow.
    #[default]
    Start,
    /// Before a stage's command.
    Head,
    Arguments,
    Targets,
    LetName,
    LetSign,
}

impl Walk {
    /// Passes a word and says what it is for.
    pub fn word(&mut self, word: &Word) -> Role {
        match self {
            Walk::Start | Walk::Head => self.head(word),
            Walk::Arguments => Role::Argument,
            Walk::Targets => Role::Target,
            Walk::LetName | Walk::LetSign => {
                let sign = word.bare_start().and_then(|bare| bare.split_once('='));
                *self = match sign {
                    Some((_, value)) if value.is_empty() && word.parts.len() == 1 => Walk::Head,
                    Some(_) => Walk::Arguments,
                    None => Walk::LetSign,
                };
                Role::Binding
            }
        }
    }

    fn head(&mut self, word: &Word) -> Role {
        let bare = without_bang(word);
        if bare.parts.is_empty() && !word.parts.is_empty() || is_mention(&bare) {
            return Role::Prefix;
        }
        if *self == Walk::Start && bare.plain() == Some("let") {
            *self = Walk::LetName;
            return Role::Let;
        }
        let start = bare.bare_start().unwrap_or_default();
        if start.starts_with('@') || modifier_key(start).is_some_and(|key| MODIFIERS.contains(&key)) {
            *self = Walk::Head;
            return Role::Modifier;
        }
        *self = Walk::Arguments;
        Role::Head
    }

    /// Passes anything but a word.
    pub fn operator(&mut self, kind: &TokenKind) {
        *self = match kind {
            TokenKind::Pipe => Walk::Head,
            TokenKind::Redirect(_) => Walk::Targets,
            // After an operator that wants more, a line break changes nothing.
            TokenKind::LineBreak if *self == Walk::Head => Walk::Head,
            TokenKind::LineBreak | TokenKind::And | TokenKind::Or | TokenKind::Sequence | TokenKind::Background => {
                Walk::Start
            }
            TokenKind::Word(_) | TokenKind::Comment | TokenKind::Invalid => *self,
        };
    }
}

/// A head without the `!` that means nothing.
pub(crate) fn without_bang(word: &Word) -> Word {
    match word.bare_start() {
        Some(bare) if bare.starts_with('!') => word.without_start(1),
        _ => word.clone(),
    }
}
