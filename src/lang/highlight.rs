//! Which meaning each stretch of a line has, for an editor to colour. Works on any text. Not for colours: themes map
//! meanings to them.

use super::ast::{Part, Quote, Span, Word};
use super::lexer::{self, TokenKind};
use super::parser::parse;
use super::roles::{Role, Walk};

/// A meaning to colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Highlight {
    /// A command's name.
    Command,
    /// An option, its `=` included.
    Option,
    /// The bare value after an option's `=`.
    OptionValue,
    /// Quoted or escaped text, the quotes included.
    String,
    /// A variable, or the name that `let` gives.
    Variable,
    /// `|`, `&&`, `>` and so on; `let`, `=`, and the prefixes that mean nothing.
    Operator,
    /// `@NAME`, `on=…` and the other modifiers.
    Modifier,
    /// `#` to the end of its line.
    Comment,
    /// A bare argument that is a number.
    Number,
    /// Any other bare text.
    Text,
    /// What more typing cannot mend.
    Error,
}

/// The meanings in the order of the text, without overlaps; blanks have none.
#[must_use]
pub fn highlight(source: &str) -> Vec<(Span, Highlight)> {
    let lexed = lexer::lex(source);
    let mut paint = Paint {
        source,
        bytes: vec![None; source.len()],
    };
    let mut walk = Walk::default();
    let mut options_ended = false;
    for token in &lexed.tokens {
        let TokenKind::Word(word) = &token.kind else {
            walk.operator(&token.kind);
            let meaning = match token.kind {
                TokenKind::Comment => Highlight::Comment,
                TokenKind::Invalid => Highlight::Error,
                _ => Highlight::Operator,
            };
            options_ended &= matches!(token.kind, TokenKind::Invalid);
            if token.kind != TokenKind::LineBreak {
                paint.fill(token.span, meaning);
            }
            continue;
        };
        let before = walk;
        let role = walk.word(word);
        match role {
            Role::Prefix | Role::Let => paint.fill(word.span, Highlight::Operator),
            Role::Binding => paint.binding(word),
            Role::Modifier => paint.word(word, Highlight::Modifier),
            Role::Head => paint.word(word, Highlight::Command),
            Role::Target => paint.word(word, Highlight::Text),
            Role::Argument => paint.argument(word, options_ended),
        }
        options_ended |= role == Role::Argument && word.plain() == Some("--");
        if matches!(before, Walk::Start | Walk::Head) && word.bare_start().is_some_and(|bare| bare.starts_with('!')) {
            let start = word.span.start;
            paint.fill(Span { start, end: start + 1 }, Highlight::Operator);
        }
    }
    for problem in lexed.problems.iter().filter(|problem| !problem.incomplete) {
        paint.fill(problem.span, Highlight::Error);
    }
    if let Err(error) = parse(source)
        && !error.incomplete
    {
        paint.fill(error.span, Highlight::Error);
    }
    paint.runs()
}

struct Paint<'a> {
    source: &'a str,
    bytes: Vec<Option<Highlight>>,
}

impl Paint<'_> {
    fn fill(&mut self, span: Span, meaning: Highlight) {
        if let Some(bytes) = self.bytes.get_mut(span.start..span.end) {
            bytes.fill(Some(meaning));
        }
    }

    /// Pieces by their quotes; what is bare means `bare`.
    fn word(&mut self, word: &Word, bare: Highlight) {
        let quoted = |part: &Part| matches!(part, Part::Variable { quoted: true, .. });
        // The quotes around a variable belong to no piece.
        let between = if word.parts.iter().any(quoted) {
            Highlight::String
        } else {
            bare
        };
        self.fill(word.span, between);
        for part in &word.parts {
            match part {
                Part::Text {
                    quote: Quote::None,
                    span,
                    ..
                } => self.fill(*span, bare),
                Part::Text { span, .. } => self.fill(*span, Highlight::String),
                Part::Variable { span, default, .. } => {
                    self.fill(*span, Highlight::Variable);
                    if let Some(default) = default {
                        self.word(default, Highlight::Text);
                    }
                }
            }
        }
    }

    fn argument(&mut self, word: &Word, options_ended: bool) {
        if !options_ended && word.is_option() {
            let name = word.bare_start().unwrap_or_default();
            match name.find('=') {
                Some(at) => {
                    let start = word.span.start;
                    self.word(word, Highlight::OptionValue);
                    self.fill(
                        Span {
                            start,
                            end: start + at + 1,
                        },
                        Highlight::Option,
                    );
                }
                None => self.word(word, Highlight::Option),
            }
            return;
        }
        let number = word.plain().is_some_and(|text| {
            text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.')) && text.parse::<f64>().is_ok()
        });
        self.word(word, if number { Highlight::Number } else { Highlight::Text });
    }

    fn binding(&mut self, word: &Word) {
        self.word(word, Highlight::Variable);
        if let Some(at) = word.bare_start().and_then(|bare| bare.find('=')) {
            let at = word.span.start + at;
            self.fill(
                Span {
                    start: at + 1,
                    end: word.span.end,
                },
                Highlight::Command,
            );
            self.fill(Span { start: at, end: at + 1 }, Highlight::Operator);
        }
    }

    fn runs(&self) -> Vec<(Span, Highlight)> {
        let mut runs: Vec<(Span, Highlight)> = Vec::new();
        for (at, meaning) in self.bytes.iter().enumerate() {
            let Some(meaning) = *meaning else { continue };
            match runs.last_mut() {
                Some((span, last)) if *last == meaning && span.end == at => span.end = at + 1,
                _ => runs.push((Span { start: at, end: at + 1 }, meaning)),
            }
        }
        runs.retain(|(span, _)| span.of(self.source).chars().any(|c| !c.is_whitespace()));
        runs
    }
}
