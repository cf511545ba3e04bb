//! Tokens → tree, strictly: the first thing that is wrong in the order of the text is the error.

use super::ast::{Binding, Connector, Item, Line, Modifier, Pipeline, Redirect, RedirectMode, Span, Stage, Word};
use super::error::{self, SyntaxError};
use super::lexer::{self, MAX_LINE, Token, TokenKind};
use super::prelude::{SHELL_HEADS, is_mention, misplaced_let, modifier, shell_head};
use super::variable::is_name;

/// Parses one typed line; several lines are one source too, a line break then joins like `;`.
///
/// # Errors
/// The first place where the text is not in the language. Nothing is resolved: names may be unknown.
pub fn parse(source: &str) -> Result<Line, SyntaxError> {
    let whole = Span {
        start: 0,
        end: source.len(),
    };
    if source.len() > MAX_LINE {
        let message = format!(
            "a line has at most {} KiB, this one has {}",
            MAX_LINE >> 10,
            source.len() >> 10
        );
        return Err(
            SyntaxError::new(error::TOO_LARGE, whole, message).hint("pass the data with --input, a pipe or a file")
        );
    }
    let lexed = lexer::lex(source);
    let tokens: Vec<Token> = lexed
        .tokens
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
        pushed_back: None,
        end: source.trim_end().len(),
    };
    let parsed = parser.line().map(|items| Line { items, span: whole });
    match (lexed.problems.into_iter().min_by_key(|p| p.span.start), parsed) {
        (None, parsed) => parsed,
        (Some(problem), Err(earlier)) if earlier.span.start < problem.span.start => Err(earlier),
        (Some(problem), _) => Err(problem),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    /// The second half of a word that was taken apart.
    pushed_back: Option<Word>,
    /// Where an error stands that is about the end of the text.
    end: usize,
}

impl Parser {
    fn line(&mut self) -> Result<Vec<Item>, SyntaxError> {
        let mut items: Vec<Item> = Vec::new();
        self.skip_breaks();
        while self.tokens.peek().is_some() {
            let wanted = matches!(
                items.last(),
                Some(Item {
                    then: Some(Connector::And | Connector::Or),
                    ..
                })
            );
            let Some(pipeline) = self.pipeline(wanted)? else {
                self.skip_breaks();
                continue;
            };
            let then = self.connector();
            let open = matches!(then, Some(Connector::And | Connector::Or));
            items.push(Item { pipeline, then });
            if open && self.tokens.peek().is_none() {
                return Err(self.no_command());
            }
        }
        // A line break after the last pipeline joins nothing.
        Ok(items)
    }

    fn connector(&mut self) -> Option<Connector> {
        let connector = match self.tokens.peek()?.kind {
            TokenKind::And => Connector::And,
            TokenKind::Or => Connector::Or,
            TokenKind::Sequence => Connector::Sequence,
            TokenKind::Background => Connector::Background,
            _ => {
                self.skip_breaks();
                return self.tokens.peek().map(|_| Connector::Sequence);
            }
        };
        self.tokens.next();
        self.skip_breaks();
        Some(connector)
    }

    fn skip_breaks(&mut self) {
        while self
            .tokens
            .next_if(|token| token.kind == TokenKind::LineBreak)
            .is_some()
        {}
    }

    /// `None`: there were only prefixes (`!`, `@cog`) and nothing to run.
    fn pipeline(&mut self, wanted: bool) -> Result<Option<Pipeline>, SyntaxError> {
        let mut binding = None;
        let mut modifiers = Vec::new();
        let mut span = self.tokens.peek().map(|token| token.span).unwrap_or_default();
        let head = loop {
            match self.head(&mut modifiers)? {
                Some(word) if word.plain() == Some("let") => {
                    if binding.is_some() || !modifiers.is_empty() {
                        return Err(misplaced_let(word.span));
                    }
                    binding = Some(self.binding(word.span)?);
                }
                Some(word) => break word,
                None if !wanted && binding.is_none() && modifiers.is_empty() && self.at_end_of_line() => {
                    return Ok(None);
                }
                None => return Err(self.no_command()),
            }
        };
        let mut stages = vec![self.stage(modifiers, head)];
        loop {
            span = stages.last().map_or(span, |stage| span.to(stage.span));
            if self.tokens.next_if(|token| token.kind == TokenKind::Pipe).is_none() {
                break;
            }
            self.skip_breaks();
            let mut modifiers = Vec::new();
            let head = match self.head(&mut modifiers)? {
                Some(word) if word.plain() == Some("let") => return Err(misplaced_let(word.span)),
                Some(word) => word,
                None => return Err(self.no_command()),
            };
            stages.push(self.stage(modifiers, head));
        }
        let redirect = self.redirect()?;
        if let Some(redirect) = &redirect {
            span = span.to(redirect.span);
        }
        Ok(Some(Pipeline {
            binding,
            stages,
            redirect,
            span,
        }))
    }

    fn at_end_of_line(&mut self) -> bool {
        self.tokens
            .peek()
            .is_none_or(|token| token.kind == TokenKind::LineBreak)
    }

    /// The next word of this stage.
    fn word(&mut self) -> Option<Word> {
        if let Some(word) = self.pushed_back.take() {
            return Some(word);
        }
        let token = self
            .tokens
            .next_if(|token| matches!(token.kind, TokenKind::Word(_) | TokenKind::Invalid))?;
        match token.kind {
            TokenKind::Word(word) => Some(word),
            // The lexer has reported it; a word in its place keeps the errors after it out.
            _ => Some(Word {
                parts: Vec::new(),
                span: token.span,
            }),
        }
    }

    /// Takes prefixes and modifiers up to the word that names the command (or is `let`).
    fn head(&mut self, modifiers: &mut Vec<Modifier>) -> Result<Option<Word>, SyntaxError> {
        while let Some(mut word) = self.word() {
            if let Some(bare) = word.bare_start().and_then(|bare| bare.strip_prefix('!')) {
                if bare.starts_with('!') {
                    return Err(SyntaxError::new(
                        error::REPEAT,
                        word.span,
                        "`!!` repeats the line before and stands alone",
                    )
                    .hint("type !! and nothing else"));
                }
                word = word.without_start(1);
                if word.parts.is_empty() {
                    continue;
                }
            }
            if is_mention(&word) {
                continue;
            }
            match modifier(&word)? {
                Some(modifier) => modifiers.push(modifier),
                None => {
                    return match word.plain().filter(|head| SHELL_HEADS.contains(head)) {
                        Some(head) => Err(shell_head(head, word.span)),
                        None => Ok(Some(word)),
                    };
                }
            }
        }
        Ok(None)
    }

    fn stage(&mut self, modifiers: Vec<Modifier>, head: Word) -> Stage {
        let mut span = modifiers.first().map_or(head.span, |first| first.span.to(head.span));
        let mut words = vec![head];
        while let Some(word) = self.word() {
            span = span.to(word.span);
            words.push(word);
        }
        Stage { modifiers, words, span }
    }

    /// `NAME =` after `let`; the blanks around `=` may be missing.
    fn binding(&mut self, place: Span) -> Result<Binding, SyntaxError> {
        let form = |span: Span| {
            SyntaxError::new(error::BAD_LET, span, "`let` needs a name and a pipeline")
                .hint("let NAME = PIPELINE, as in: let elb = kubectl:get svc inspector; quote 'let' to run a command of that name")
        };
        let Some(word) = self.word() else {
            let error = form(place);
            return Err(if self.tokens.peek().is_none() {
                error.incomplete()
            } else {
                error
            });
        };
        let (name, span, value) = match word.bare_start().and_then(|bare| bare.find('=')) {
            Some(at) => {
                let name = word.bare_start().and_then(|bare| bare.get(..at)).unwrap_or_default();
                let span = Span {
                    start: word.span.start,
                    end: word.span.start + at,
                };
                (name.to_owned(), span, Some(word.without_start(at + 1)))
            }
            None => (word.literal().ok_or_else(|| form(word.span))?, word.span, None),
        };
        let value = match value {
            Some(value) => value,
            None => match self.word() {
                Some(sign) if sign.bare_start().is_some_and(|bare| bare.starts_with('=')) => sign.without_start(1),
                Some(other) => return Err(form(other.span)),
                None => {
                    let error = form(place.to(span));
                    return Err(if self.tokens.peek().is_none() {
                        error.incomplete()
                    } else {
                        error
                    });
                }
            },
        };
        let quoted = word.bare_start().is_none();
        if !quoted && (name == "_" || !is_name(&name)) {
            return Err(SyntaxError::new(
                error::BAD_LET,
                word.span,
                format!("`{}` is not a name", name.escape_debug()),
            )
            .hint("a name starts with a letter and holds letters, digits, _ and single dashes"));
        }
        if !value.parts.is_empty() {
            self.pushed_back = Some(value);
        }
        Ok(Binding { name, span })
    }

    fn redirect(&mut self) -> Result<Option<Redirect>, SyntaxError> {
        let Some(token) = self
            .tokens
            .next_if(|token| matches!(token.kind, TokenKind::Redirect(_)))
        else {
            return Ok(None);
        };
        let mode = match token.kind {
            TokenKind::Redirect(mode) => mode,
            _ => RedirectMode::One,
        };
        let mut targets = Vec::new();
        let mut span = token.span;
        while let Some(word) = self.word() {
            span = span.to(word.span);
            targets.push(word);
        }
        if targets.is_empty() {
            let error = SyntaxError::new(error::BAD_REDIRECT, token.span, "the redirect has no target")
                .hint("name one or more of here, me, #room, @user or file:PATH");
            return Err(if self.tokens.peek().is_none() {
                error.incomplete()
            } else {
                error
            });
        }
        match self.tokens.peek() {
            Some(Token {
                kind: TokenKind::Pipe,
                span,
            }) => Err(
                SyntaxError::new(error::BAD_REDIRECT, *span, "a redirect ends a pipeline")
                    .hint("move it behind the last stage, or use tee to look at a stage"),
            ),
            Some(Token {
                kind: TokenKind::Redirect(_),
                span,
            }) => Err(
                SyntaxError::new(error::BAD_REDIRECT, *span, "a pipeline has one redirect")
                    .hint("one redirect takes several targets: *> here #ops"),
            ),
            _ => Ok(Some(Redirect { mode, targets, span })),
        }
    }

    /// A command is missing before the next token.
    fn no_command(&mut self) -> SyntaxError {
        let hint = "write a command here, or quote the operator to mean the character";
        match self.tokens.peek() {
            Some(token) => {
                let operator = match token.kind {
                    TokenKind::Pipe => "`|`",
                    TokenKind::And => "`&&`",
                    TokenKind::Or => "`||`",
                    TokenKind::Sequence => "`;`",
                    TokenKind::Background => "`&`",
                    TokenKind::Redirect(RedirectMode::One) => "`>`",
                    TokenKind::Redirect(RedirectMode::Many) => "`*>`",
                    _ => "the line break",
                };
                let message = format!("a command is missing before {operator}");
                SyntaxError::new(error::NO_COMMAND, token.span, message).hint(hint)
            }
            None => {
                let end = Span {
                    start: self.end,
                    end: self.end,
                };
                SyntaxError::new(error::NO_COMMAND, end, "a command is missing at the end")
                    .hint(hint)
                    .incomplete()
            }
        }
    }
}
