//! What could be typed at a cursor, on any unfinished text. Not for candidates: what exists is asked elsewhere, with
//! the position found here.

use super::ast::{Modifier, Path, Root, Span, Stage, Step, Word};
use super::lexer::{self, TokenKind};
use super::prelude::{is_mention, modifier};
use super::printer::print;
use super::roles::{Role, Walk, without_bang};
use super::variable::is_name;

/// What is being typed. `prefix` is the text so far, unquoted; `span` is what a candidate replaces: up to the cursor,
/// an open quote included. Candidates are inserted as `print(&Word::text(candidate))`, those of a variable by
/// [`complete_variable`]. `stage` holds the modifiers and complete words before, the command's name first.
#[derive(Clone, PartialEq, Debug)]
pub enum CompletionPosition {
    /// A command's name; a modifier is possible too.
    Command {
        /// Modifiers before.
        stage: Stage,
        /// So far.
        prefix: String,
        /// To replace.
        span: Span,
    },
    /// An option's name, dashes included.
    Option {
        /// Before.
        stage: Stage,
        /// So far.
        prefix: String,
        /// To replace.
        span: Span,
    },
    /// The value after `--option=`.
    OptionValue {
        /// Before.
        stage: Stage,
        /// With its dashes.
        option: String,
        /// So far.
        prefix: String,
        /// To replace.
        span: Span,
    },
    /// Any other word after the command.
    Argument {
        /// Before.
        stage: Stage,
        /// How many words before it are neither options nor the command; some may be options' values.
        index: usize,
        /// The option right before it, if it has no `=`: this may be its value.
        after: Option<String>,
        /// So far.
        prefix: String,
        /// To replace.
        span: Span,
    },
    /// A variable's name or key.
    Variable {
        /// The steps before; none for the name itself.
        path: Option<Path>,
        /// So far.
        prefix: String,
        /// To replace.
        span: Span,
    },
    /// A context's name after `@`, or after a comma there. Candidates are inserted as `print(&Word::listed(candidate))`.
    Context {
        /// The names before it in the list.
        before: Vec<String>,
        /// So far.
        prefix: String,
        /// To replace, without the `@`.
        span: Span,
    },
    /// The value of a modifier.
    Modifier {
        /// Without its `=`.
        name: String,
        /// So far.
        prefix: String,
        /// To replace.
        span: Span,
    },
    /// Where a redirect goes.
    RedirectTarget {
        /// So far.
        prefix: String,
        /// To replace.
        span: Span,
    },
    /// Nothing to offer: a comment, a new name, a word with variables in it.
    None,
}

/// The position at a cursor (a byte offset; past the end or inside a character it moves back).
#[must_use]
pub fn complete_at(source: &str, cursor: usize) -> CompletionPosition {
    let text = source.get(..source.floor_char_boundary(cursor)).unwrap_or_default();
    let lexed = lexer::lex(text);
    let mut walk = Walk::default();
    let mut stage = empty_stage();
    for token in &lexed.tokens {
        let touches = token.span.end == text.len();
        let TokenKind::Word(word) = &token.kind else {
            walk.operator(&token.kind);
            if matches!(token.kind, TokenKind::Comment | TokenKind::Invalid) && touches {
                return CompletionPosition::None;
            }
            stage = empty_stage();
            continue;
        };
        let role = walk.word(word);
        if touches {
            return match lexed.open_variable {
                Some(variable) => CompletionPosition::Variable {
                    path: variable.path,
                    prefix: variable.span.of(text).to_owned(),
                    span: variable.span,
                },
                _ => word_position(role, word, stage),
            };
        }
        match role {
            Role::Modifier => stage.modifiers.extend(modifier_of(word)),
            Role::Head => stage.words.push(without_bang(word)),
            Role::Argument => stage.words.push(word.clone()),
            _ => {}
        }
    }
    let nothing = Word {
        parts: Vec::new(),
        span: Span {
            start: text.len(),
            end: text.len(),
        },
    };
    let role = match walk {
        Walk::Start | Walk::Head => Role::Head,
        Walk::Arguments => Role::Argument,
        Walk::Targets => Role::Target,
        Walk::LetName | Walk::LetSign => Role::Binding,
    };
    word_position(role, &nothing, stage)
}

/// How a variable's name or key is inserted at the span of [`CompletionPosition::Variable`]: a key that is not a
/// plain name needs brackets instead of the dot before it, such a name needs braces.
#[must_use]
pub fn complete_variable(source: &str, span: Span, name: &str) -> (Span, String) {
    if is_name(name) {
        return (span, name.to_owned());
    }
    let before = source.get(..span.start).unwrap_or_default();
    let quoted = print(&Path {
        root: Root::Last,
        steps: vec![Step::Key(name.to_owned())],
    });
    // `$_['name']`
    let bracket = quoted.trim_start_matches("$_");
    let key = bracket.trim_start_matches('[').trim_end_matches(']');
    if before.ends_with('.') {
        let span = Span {
            start: span.start - 1,
            end: span.end,
        };
        (span, bracket.to_owned())
    } else if before.ends_with('{') {
        (span, key.to_owned())
    } else {
        (span, format!("{{{key}}}"))
    }
}

fn empty_stage() -> Stage {
    Stage {
        modifiers: Vec::new(),
        words: Vec::new(),
        span: Span::default(),
    }
}

/// The modifier that a complete word is.
fn modifier_of(word: &Word) -> Option<Modifier> {
    modifier(&without_bang(word)).ok().flatten()
}

fn word_position(role: Role, word: &Word, stage: Stage) -> CompletionPosition {
    let bare = match role {
        Role::Argument | Role::Target | Role::Binding => word.clone(),
        _ => without_bang(word),
    };
    let Some(prefix) = bare.literal() else {
        return CompletionPosition::None;
    };
    let span = bare.span;
    match role {
        Role::Binding => CompletionPosition::None,
        Role::Target => CompletionPosition::RedirectTarget { prefix, span },
        Role::Prefix if is_mention(&bare) => context(&bare),
        Role::Prefix | Role::Head | Role::Let => CompletionPosition::Command { stage, prefix, span },
        Role::Modifier => match bare.bare_start().and_then(|start| start.split_once('=')) {
            Some((name, _)) if !name.starts_with('@') => {
                let value = bare.without_start(name.len() + 1);
                CompletionPosition::Modifier {
                    name: name.to_owned(),
                    prefix: value.literal().unwrap_or_default(),
                    span: value.span,
                }
            }
            _ => context(&bare),
        },
        Role::Argument => argument(word, prefix, stage),
    }
}

fn context(word: &Word) -> CompletionPosition {
    let mut names = word.without_start(1).between_commas();
    let name = names.pop().unwrap_or_default();
    CompletionPosition::Context {
        before: names.iter().filter_map(Word::literal).collect(),
        prefix: name.literal().unwrap_or_default(),
        span: name.span,
    }
}

fn argument(word: &Word, prefix: String, stage: Stage) -> CompletionPosition {
    let span = word.span;
    let ended = stage.words.iter().any(|word| word.plain() == Some("--"));
    if !ended {
        if let Some(option) = word.as_option() {
            return match option.value {
                Some(value) => CompletionPosition::OptionValue {
                    stage,
                    prefix: value.literal().unwrap_or_default(),
                    span: value.span,
                    option: option.name,
                },
                None => CompletionPosition::Option { stage, prefix, span },
            };
        }
        if word.plain() == Some("-") {
            return CompletionPosition::Option { stage, prefix, span };
        }
    }
    let after = stage
        .words
        .last()
        .filter(|_| !ended && stage.words.len() > 1)
        .and_then(Word::as_option)
        .filter(|option| option.value.is_none())
        .map(|option| option.name);
    let arguments = stage.words.iter().skip(1);
    let index = arguments.filter(|word| !word.is_option()).count();
    CompletionPosition::Argument {
        stage,
        index,
        after,
        prefix,
        span,
    }
}
