//! The lexer's half for quotes and escapes.

use super::ast::{Part, Quote, Span, Word};
use super::error::{self, SyntaxError};
use super::lexer::{Lexer, MAX_DEPTH};

impl Lexer<'_> {
    pub(super) fn escape(&mut self) -> Part {
        let start = self.at;
        self.bump();
        let text = match self.bump() {
            Some(c) => c.to_string(),
            None => {
                let problem = SyntaxError::new(
                    error::DANGLING_BACKSLASH,
                    self.from(start),
                    "nothing follows the backslash",
                );
                self.problem(problem.hint("write \\\\ for a backslash").incomplete());
                "\\".to_owned()
            }
        };
        Part::Text {
            text,
            quote: Quote::Escaped,
            span: self.from(start),
        }
    }

    pub(super) fn single(&mut self) -> Part {
        let start = self.at;
        self.bump();
        let length = self.rest().find('\'');
        let text = self
            .rest()
            .get(..length.unwrap_or(self.rest().len()))
            .unwrap_or_default();
        self.at += text.len();
        if !self.eat("'") {
            self.open_quote(start, '\'');
        }
        Part::Text {
            text: text.to_owned(),
            quote: Quote::Single,
            span: self.from(start),
        }
    }

    pub(super) fn open_quote(&mut self, start: usize, quote: char) {
        let span = Span {
            start,
            end: self.source.len(),
        };
        let problem = SyntaxError::new(error::OPEN_QUOTE, span, format!("the quote {quote} is not closed"));
        let hint = if quote == '\'' {
            "close it, or write \\' for the character"
        } else {
            "close it, or write \\\" for the character"
        };
        self.problem(problem.hint(hint).incomplete());
    }

    pub(super) fn double(&mut self, word: &mut Word, depth: usize) {
        let start = self.at;
        let pieces = word.parts.len();
        self.bump();
        self.quoted(word, start, '"', depth);
        let closed = self.eat("\"");
        if !closed {
            self.open_quote(start, '"');
        }
        let span = self.from(start);
        if word.parts.len() == pieces {
            // Perhaps merged into the piece before, perhaps nothing: then only the quotes show it.
            word.push(Part::Text {
                text: String::new(),
                quote: Quote::Double,
                span,
            });
        } else if let (true, Some(Part::Text { span, .. })) = (closed, word.parts.last_mut()) {
            span.end = self.at;
        }
    }

    /// Text in double quotes, up to `until` or the end of the text, or up to `"` inside a default.
    pub(super) fn quoted(&mut self, word: &mut Word, start: usize, until: char, depth: usize) {
        let mut text = String::new();
        let mut text_start = start;
        while let Some(c) = self.peek() {
            let from = self.at;
            match c {
                '"' => break,
                _ if c == until => break,
                '\\' => {
                    self.bump();
                    match self.peek() {
                        Some(next @ ('"' | '\\' | '$' | '`')) => {
                            self.bump();
                            text.push(next);
                        }
                        Some('}') if until == '}' => {
                            self.bump();
                            text.push('}');
                        }
                        _ if self.eat("\n") || self.eat("\r\n") => {}
                        _ => text.push('\\'),
                    }
                }
                '$' if self.second() == Some('{') && depth < MAX_DEPTH => {
                    if !self.spend() {
                        break;
                    }
                    let before = Span {
                        start: text_start,
                        end: from,
                    };
                    push_double(word, &mut text, before);
                    let variable = self.variable(true, depth);
                    word.push(variable);
                    text_start = self.at;
                }
                '$' => {
                    self.dollar_text(false);
                    text.push_str(self.from(from).of(self.source));
                }
                '`' => {
                    self.backtick();
                    text.push('`');
                }
                _ => {
                    self.bump();
                    text.push(c);
                }
            }
        }
        let span = self.from(text_start);
        push_double(word, &mut text, span);
    }
}

fn push_double(word: &mut Word, text: &mut String, span: Span) {
    if !text.is_empty() {
        word.push(Part::Text {
            text: std::mem::take(text),
            quote: Quote::Double,
            span,
        });
    }
}
