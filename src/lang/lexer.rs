//! Text → tokens, never failing: what is wrong is collected beside the tokens, so that the parser, highlighting and
//! completion all see the same words. Every byte is looked at a bounded number of times.
//!
//! Not for grammar: a token does not know whether it is a command, a modifier or an argument.

use super::ast::{Part, Path, Quote, RedirectMode, Span, Word};
use super::error::{self, SyntaxError};

/// The longest line in bytes.
pub const MAX_LINE: usize = 1 << 20;
/// The most pieces (tokens, parts of words, steps of paths) a line may have: bounds memory, not only length.
pub const MAX_PIECES: usize = 1 << 16;
/// How deep defaults may nest (`${a:-${b:-…}}`).
pub const MAX_DEPTH: usize = 16;
/// More problems than a person would read; the rest is dropped.
const MAX_PROBLEMS: usize = 64;
/// How far to look for the `>` of a placeholder such as `<elb>`.
const MAX_PLACEHOLDER: usize = 64;

/// What a token is.
#[derive(Clone, PartialEq, Debug)]
pub enum TokenKind {
    /// A command, option, argument, modifier or target.
    Word(Word),
    /// `|`
    Pipe,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `;`
    Sequence,
    /// `&`
    Background,
    /// `>` or `*>`
    Redirect(RedirectMode),
    /// A line break outside quotes.
    LineBreak,
    /// `#` at the start of a line, up to its end.
    Comment,
    /// Something the language does not have, such as `<`.
    Invalid,
}

/// A token and its place. Blanks are not tokens.
#[derive(Clone, PartialEq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// The tokens of any text. Open quotes and braces reach to the end of the text.
#[must_use]
pub fn lex_lenient(source: &str) -> Vec<Token> {
    lex(source).tokens
}

/// A variable that the end of the text cuts off, for completion.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct OpenVariable {
    /// The complete steps before; none while the root itself is being typed.
    pub path: Option<Path>,
    /// The piece being typed, up to the end of the text.
    pub span: Span,
}

/// Tokens, and what is wrong with them in the order it was found.
pub(crate) struct Lexed {
    pub tokens: Vec<Token>,
    pub problems: Vec<SyntaxError>,
    pub open_variable: Option<OpenVariable>,
}

pub(crate) fn lex(source: &str) -> Lexed {
    let mut lexer = Lexer {
        source,
        at: 0,
        pieces: 0,
        problems: Vec::new(),
        open_variable: None,
    };
    let tokens = lexer.tokens();
    Lexed {
        tokens,
        problems: lexer.problems,
        open_variable: lexer.open_variable,
    }
}

/// Whether a variable's name or a key after a dot may start with it.
pub(crate) fn starts_name(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

pub(crate) fn continues_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Whether a `$` before it is more than a text character, outside double quotes.
pub(crate) fn follows_dollar(c: char) -> bool {
    starts_name(c) || c.is_ascii_digit() || c == '{' || c == '('
}

/// The characters that end a bare word wherever they stand.
pub(crate) fn ends_bare(c: char) -> bool {
    c.is_whitespace() || matches!(c, '|' | '&' | ';' | '>' | '<')
}

pub(super) struct Lexer<'a> {
    pub(super) source: &'a str,
    pub(super) at: usize,
    pieces: usize,
    problems: Vec<SyntaxError>,
    pub(super) open_variable: Option<OpenVariable>,
}

impl<'a> Lexer<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character after the next.
    pub(super) fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    pub(super) fn from(&self, start: usize) -> Span {
        Span { start, end: self.at }
    }

    pub(super) fn problem(&mut self, problem: SyntaxError) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Counts one more piece; `false` once the line has too many.
    pub(super) fn spend(&mut self) -> bool {
        self.pieces += 1;
        self.pieces <= MAX_PIECES
    }

    fn tokens(&mut self) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut line_start = true;
        loop {
            self.skip_blanks();
            let start = self.at;
            let Some(c) = self.peek() else { return tokens };
            let kind = if self.spend() {
                self.token(c, line_start)
            } else {
                self.at = self.source.len();
                let message = format!("a line has at most {MAX_PIECES} words and other pieces");
                let problem = SyntaxError::new(error::TOO_LARGE, self.from(start), message);
                self.problem(problem.hint("pass the data with --input, a pipe or a file"));
                TokenKind::Invalid
            };
            line_start = kind == TokenKind::LineBreak;
            let span = self.from(start);
            tokens.push(Token { kind, span });
        }
    }

    fn token(&mut self, c: char, line_start: bool) -> TokenKind {
        match c {
            '#' if line_start => {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                TokenKind::Comment
            }
            '*' if self.second() == Some('>') => {
                self.bump();
                self.redirect(RedirectMode::Many)
            }
            '>' => self.redirect(RedirectMode::One),
            '<' => self.less_than(),
            '\n' | '|' | '&' | ';' => {
                self.bump();
                match c {
                    '\n' => TokenKind::LineBreak,
                    '|' if self.eat("|") => TokenKind::Or,
                    '|' => TokenKind::Pipe,
                    '&' if self.eat("&") => TokenKind::And,
                    '&' => TokenKind::Background,
                    _ => TokenKind::Sequence,
                }
            }
            _ => TokenKind::Word(self.word(false, 0)),
        }
    }

    fn redirect(&mut self, mode: RedirectMode) -> TokenKind {
        let start = self.at;
        self.bump();
        if !(self.eat(">") || self.eat("&")) {
            return TokenKind::Redirect(mode);
        }
        let problem = SyntaxError::new(
            error::BAD_REDIRECT,
            self.from(start),
            format!("`{}` is the shell's", self.from(start).of(self.source)),
        );
        self.problem(
            problem.hint(
                "redirect to here, me, #room, @user or file:PATH with > or *>; notes and errors need no redirect",
            ),
        );
        TokenKind::Invalid
    }

    /// `<` alone, or a whole `<placeholder>` copied from a page.
    fn less_than(&mut self) -> TokenKind {
        let start = self.at;
        self.bump();
        let close = self
            .rest()
            .char_indices()
            .take(MAX_PLACEHOLDER)
            .take_while(|(_, c)| *c == '>' || !ends_bare(*c))
            .find(|(_, c)| *c == '>');
        let problem = match close {
            Some((length, _)) if length > 0 => {
                self.at += length + 1;
                let span = self.from(start);
                let message = format!("`{}` is a placeholder", span.of(self.source));
                SyntaxError::new(error::NO_INPUT_FILE, span, message)
                    .hint("put the value in its place, or a variable such as $_.name; quote it to mean the text itself")
            }
            _ => SyntaxError::new(error::NO_INPUT_FILE, self.from(start), "there is no `<`")
                .hint("pipe the records in with |, or run a shell with sh '…'; quote it to mean the character"),
        };
        self.problem(problem);
        TokenKind::Invalid
    }

    fn skip_blanks(&mut self) {
        while let Some(c) = self.peek() {
            if c != '\n' && c.is_whitespace() {
                self.bump();
            } else if !self.eat("\\\n") && !self.eat("\\\r\n") {
                return;
            }
        }
    }

    /// A word outside double quotes. In a default it also ends before `}`.
    pub(super) fn word(&mut self, in_default: bool, depth: usize) -> Word {
        let start = self.at;
        let mut word = Word::default();
        while let Some(c) = self.peek() {
            if self.ends_word(c, in_default) || !self.spend() {
                break;
            }
            match c {
                '\'' => {
                    let part = self.single();
                    word.push(part);
                }
                '"' => self.double(&mut word, depth),
                '\\' => {
                    let part = self.escape();
                    word.push(part);
                }
                '$' if self.starts_variable(depth) => {
                    let part = self.variable(false, depth);
                    word.push(part);
                }
                _ => {
                    let part = self.bare(in_default, depth);
                    word.push(part);
                }
            }
        }
        word.span = self.from(start);
        word
    }

    fn ends_word(&self, c: char, in_default: bool) -> bool {
        match c {
            '*' => self.second() == Some('>'),
            '}' => in_default,
            '\\' => self.rest().starts_with("\\\n") || self.rest().starts_with("\\\r\n"),
            _ => ends_bare(c),
        }
    }

    /// Whether the `$` ahead starts a variable that may still be nested here.
    fn starts_variable(&self, depth: usize) -> bool {
        match self.second() {
            Some('{') => depth < MAX_DEPTH,
            Some('(') | None => false,
            Some(c) => follows_dollar(c),
        }
    }

    /// A run of bare characters; the first is taken whatever it is.
    fn bare(&mut self, in_default: bool, depth: usize) -> Part {
        let start = self.at;
        loop {
            match self.peek() {
                Some('$') => {
                    self.dollar_text(true);
                }
                Some('`') => self.backtick(),
                _ => {
                    self.bump();
                }
            }
            let Some(c) = self.peek() else { break };
            let special = matches!(c, '\'' | '"' | '\\');
            if special || self.ends_word(c, in_default) || (c == '$' && self.starts_variable(depth)) {
                break;
            }
        }
        let span = self.from(start);
        Part::Text {
            text: span.of(self.source).to_owned(),
            quote: Quote::None,
            span,
        }
    }

    /// Takes a `$` that is text, and says so where a shell would see more in it.
    pub(super) fn dollar_text(&mut self, bare: bool) {
        let start = self.at;
        self.bump();
        match self.peek() {
            Some('(') => {
                self.bump();
                let problem = SyntaxError::new(error::SHELL, self.from(start), "`$(…)` is the shell's");
                self.problem(
                    problem
                        .hint("run a shell with sh '…', or use an earlier answer such as $_.name; in '…' it is text"),
                );
            }
            Some('{') => {
                self.bump();
                let message = format!("defaults nest at most {MAX_DEPTH} deep");
                let problem = SyntaxError::new(error::TOO_DEEP, self.from(start), message);
                self.problem(problem.hint("name the inner value with let first"));
            }
            None if bare => {
                self.open_variable = Some(OpenVariable {
                    path: None,
                    span: self.from(self.at),
                });
            }
            _ => {}
        }
    }

    pub(super) fn backtick(&mut self) {
        let start = self.at;
        self.bump();
        let problem = SyntaxError::new(error::SHELL, self.from(start), "backticks are the shell's");
        self.problem(problem.hint("run a shell with sh '…'; in '…' a backtick is text"));
    }
}
