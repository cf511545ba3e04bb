//! The lexer's half for variables: `$name.key[0]`, `${name.key:-default}`.

use super::ast::{Part, Path, Root, Span, Step, Word};
use super::error::{self, SyntaxError};
use super::lexer::{Lexer, OpenVariable, continues_name, starts_name};

/// Whether a text can stand as a name or key without quotes.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(starts_name) && name_length(text) == text.len()
}

/// The length of the name that `text` starts with: name characters, with single dashes between them.
fn name_length(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let goes_on = continues_name(c) || (c == '-' && chars.peek().is_some_and(|(_, next)| continues_name(*next)));
        if !goes_on {
            return at;
        }
    }
    text.len()
}

impl Lexer<'_> {
    /// A variable; the caller made sure that a `$` and something of a variable are ahead.
    pub(super) fn variable(&mut self, quoted: bool, depth: usize) -> Part {
        let start = self.at;
        self.bump();
        let braced = self.eat("{");
        let path = self.path(start, braced);
        let mut default = None;
        if braced {
            if self.eat(":-") {
                default = Some(Box::new(self.default(quoted, depth + 1)));
            }
            self.close(start, default.is_some());
        }
        Part::Variable {
            path,
            default,
            quoted,
            span: self.from(start),
        }
    }

    fn default(&mut self, quoted: bool, depth: usize) -> Word {
        if !quoted {
            return self.word(true, depth);
        }
        let start = self.at;
        let mut word = Word::default();
        self.quoted(&mut word, start, '}', depth);
        word.span = self.from(start);
        word
    }

    fn close(&mut self, start: usize, after_default: bool) {
        if self.eat("}") {
            return;
        }
        let problem = match self.peek() {
            None => SyntaxError::new(error::OPEN_BRACE, self.from(start), "the `${` is not closed")
                .hint("close it with }")
                .incomplete(),
            Some(_) if after_default => SyntaxError::new(error::OPEN_BRACE, self.from(start), "the `${` is not closed")
                .hint("close it with }; a default of several words stands in quotes: ${x:-\"two words\"}"),
            Some(c) => {
                let span = Span {
                    start: self.at,
                    end: self.at + c.len_utf8(),
                };
                SyntaxError::new(
                    error::BAD_PATH,
                    span,
                    format!("`{}` is not part of a variable", c.escape_debug()),
                )
                .hint("a variable is ${name.key[0]}, with a default ${name:-text}")
            }
        };
        self.problem(problem);
    }

    fn path(&mut self, start: usize, braced: bool) -> Path {
        let from = self.at;
        let root = self.root(start, braced);
        self.typing(None, from);
        let mut path = Path {
            root,
            steps: Vec::new(),
        };
        while self.spend() && self.step(&mut path, braced) {}
        path
    }

    /// Remembers what is being typed when the text ends here.
    fn typing(&mut self, path: Option<&Path>, from: usize) {
        if self.at == self.source.len() {
            self.open_variable = Some(OpenVariable {
                path: path.cloned(),
                span: self.from(from),
            });
        }
    }

    fn root(&mut self, start: usize, braced: bool) -> Root {
        match self.peek() {
            Some(c) if starts_name(c) => match self.name() {
                name if name == "_" => Root::Last,
                name => Root::Name(name),
            },
            Some(c) if c.is_ascii_digit() => {
                let digits = self.rest().trim_start_matches(|c: char| c.is_ascii_digit());
                let digits = self.rest().len() - digits.len();
                let number = self.rest().get(..digits).unwrap_or_default().parse();
                self.at += digits;
                number.map_or_else(
                    |_| {
                        let span = self.from(start);
                        let problem = SyntaxError::new(error::BAD_PATH, span, "no block has this number");
                        self.problem(problem.hint("a block's number stands beside it, as in $41; $_ is the last"));
                        Root::Block(u64::MAX)
                    },
                    Root::Block,
                )
            }
            Some('\'' | '"') if braced => Root::Name(self.quoted_key()),
            next => {
                let problem = SyntaxError::new(error::BAD_PATH, self.from(start), "a variable's name is missing")
                    .hint("write ${name}, $_ for the last answer or $41 for block 41; \\$ is the character");
                self.problem(if next.is_none() { problem.incomplete() } else { problem });
                Root::Name(String::new())
            }
        }
    }

    fn name(&mut self) -> String {
        let length = name_length(self.rest());
        let name = self.rest().get(..length).unwrap_or_default().to_owned();
        self.at += length;
        name
    }

    /// Takes one step; `false` where the path ends.
    fn step(&mut self, path: &mut Path, braced: bool) -> bool {
        match (self.peek(), self.second()) {
            (Some('.'), Some(c)) if starts_name(c) => {
                self.bump();
                let from = self.at;
                let key = self.name();
                self.typing(Some(path), from);
                path.steps.push(Step::Key(key));
                true
            }
            (Some('.'), Some('\'' | '"')) => {
                self.bump();
                path.steps.push(Step::Key(self.quoted_key()));
                true
            }
            (Some('.'), None) => {
                if braced {
                    self.bump();
                    self.typing(Some(path), self.at);
                } else {
                    // The dot is text, but whoever types it wants a key.
                    self.open_variable = Some(OpenVariable {
                        path: Some(path.clone()),
                        span: Span {
                            start: self.source.len(),
                            end: self.source.len(),
                        },
                    });
                }
                false
            }
            (Some('['), _) => self.bracket(path),
            _ => false,
        }
    }

    fn bracket(&mut self, path: &mut Path) -> bool {
        let start = self.at;
        self.bump();
        let step = if matches!(self.peek(), Some('\'' | '"')) {
            Some(Step::Key(self.quoted_key()))
        } else {
            let rest = self.rest();
            let bare = |c: char| continues_name(c) || matches!(c, '-' | '.' | '/');
            let length = rest.find(|c| !bare(c)).unwrap_or(rest.len());
            let key = rest.get(..length).unwrap_or_default();
            self.at += length;
            let digits = key.strip_prefix('-').unwrap_or(key);
            if digits.is_empty() && key.is_empty() {
                None
            } else if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
                key.parse().ok().map(Step::Index)
            } else {
                Some(Step::Key(key.to_owned()))
            }
        };
        let open = self.peek().is_none();
        match step {
            Some(step) if self.eat("]") => {
                path.steps.push(step);
                true
            }
            _ => {
                let span = self.from(start);
                let problem = SyntaxError::new(
                    error::BAD_PATH,
                    span,
                    "what stands in [ ] is neither a key nor a place in a list",
                )
                .hint("write [0], [-1], [key] or ['a key']; to put text after a variable write ${name}[…");
                self.problem(if open { problem.incomplete() } else { problem });
                false
            }
        }
    }

    /// A key in quotes: nothing is put in; in double quotes `\"` and `\\` are the characters.
    fn quoted_key(&mut self) -> String {
        let start = self.at;
        let mut key = String::new();
        let Some(quote) = self.bump() else { return key };
        loop {
            match self.bump() {
                Some(c) if c == quote => return key,
                Some('\\') if quote == '"' && matches!(self.peek(), Some('"' | '\\')) => key.extend(self.bump()),
                Some(c) => key.push(c),
                None => {
                    self.open_quote(start, quote);
                    return key;
                }
            }
        }
    }
}
