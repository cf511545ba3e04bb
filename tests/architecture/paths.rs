//! Finds the paths into our own crate that a Rust source text names, without compiling it. It knows just enough of the
//! grammar for that: comments, literals, inline modules, `use` groups. Not for macros that build paths from pieces.

/// A path from the crate's root (`["core", "text", "SafeText"]`) and the line it stands on. Empty segments: the path
/// is the root itself, as `use super::*` in a top-level module is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub segments: Vec<String>,
    pub line: usize,
}

/// A word or a punctuation mark of the source; comments and literals are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// The module that a file below `src` holds: `core/text.rs` and `core/text/mod.rs` are both `["core", "text"]`, the
/// crate's roots are empty.
pub fn module_of(file: &str) -> Vec<String> {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" || path == "main" {
        Vec::new()
    } else {
        path.split('/').map(String::from).collect()
    }
}

/// Every path that starts at `crate`, `super` or `self`, made absolute. `module` is the one that the file holds.
pub fn imports(module: &[String], tokens: &[Token]) -> Vec<Import> {
    let mut found = Vec::new();
    let mut here = module.to_vec();
    // The brace depths at which the inline modules around the current token opened.
    let mut inline = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text.as_str());
        match token.text.as_str() {
            "mod" if next(2) == "{" => {
                here.push(next(1).to_owned());
                inline.push(depth);
                depth += 1;
                at += 3;
            }
            "{" => {
                depth += 1;
                at += 1;
            }
            "}" => {
                depth = depth.saturating_sub(1);
                if inline.last() == Some(&depth) {
                    inline.pop();
                    here.pop();
                }
                at += 1;
            }
            "crate" if next(1) == "::" => at = follow(tokens, at + 2, Vec::new(), &mut found),
            "super" | "self" if next(1) == "::" => at = follow(tokens, at, here.clone(), &mut found),
            _ => at += 1,
        }
    }
    found
}

/// Reads one path or group from token `at` on, below `base`; answers where reading goes on.
fn follow(tokens: &[Token], mut at: usize, mut base: Vec<String>, found: &mut Vec<Import>) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = follow(tokens, at, base.clone(), found);
                    // `as name`, and the comma.
                    while tokens
                        .get(at)
                        .is_some_and(|token| token.text != "," && token.text != "}")
                    {
                        at += 1;
                    }
                    at += usize::from(tokens.get(at).is_some_and(|token| token.text == ","));
                }
                return at + 1;
            }
            "self" => {}
            "super" => {
                base.pop();
            }
            word if word.starts_with(is_word) => base.push(word.to_owned()),
            // `*`, a turbofish, the end of a group after a comma.
            _ => {
                found.push(Import {
                    segments: base,
                    line: token.line,
                });
                return at + usize::from(token.text == "*");
            }
        }
        at += 1;
        if tokens.get(at).is_none_or(|token| token.text != "::") {
            found.push(Import {
                segments: base,
                line: token.line,
            });
            return at;
        }
        at += 1;
    }
    at
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Splits a source text into words and punctuation marks.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader {
        chars: source.chars().collect(),
        at: 0,
        line: 1,
    };
    let mut tokens = Vec::new();
    while let Some(c) = reader.peek(0) {
        let line = reader.line;
        let mut token = |text: String| tokens.push(Token { text, line });
        match (c, reader.peek(1)) {
            ('/', Some('/')) => reader.skip_while(|c| c != '\n'),
            ('/', Some('*')) => reader.block_comment(),
            ('"', _) => reader.string(),
            ('\'', _) => reader.quote(),
            (':', Some(':')) => {
                reader.advance(2);
                token("::".to_owned());
            }
            (c, _) if is_word(c) => {
                let word = reader.word();
                match (word.as_str(), reader.peek(0)) {
                    ("b" | "c", Some('"')) => reader.string(),
                    ("r" | "br" | "cr", Some('"' | '#')) => {
                        if let Some(name) = reader.raw() {
                            token(name);
                        }
                    }
                    _ => token(word),
                }
            }
            (c, _) => {
                reader.advance(1);
                if !c.is_whitespace() {
                    token(c.to_string());
                }
            }
        }
    }
    tokens
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn advance(&mut self, count: usize) {
        for _ in 0..count {
            self.line += usize::from(self.peek(0) == Some('\n'));
            self.at += 1;
        }
    }

    fn skip_while(&mut self, mut keep_on: impl FnMut(char) -> bool) {
        while self.peek(0).is_some_and(&mut keep_on) {
            self.advance(1);
        }
    }

    fn word(&mut self) -> String {
        let start = self.at;
        self.skip_while(is_word);
        self.chars[start..self.at].iter().collect()
    }

    /// Block comments nest in Rust.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.advance(1);
                    continue;
                }
            }
            self.advance(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.advance(1);
        while let Some(c) = self.peek(0) {
            self.advance(if c == '\\' { 2 } else { 1 });
            if c == '"' {
                return;
            }
        }
    }

    /// After `r`: a raw string is skipped, a raw identifier answered.
    fn raw(&mut self) -> Option<String> {
        let start = self.at;
        self.skip_while(|c| c == '#');
        let hashes = self.at - start;
        if self.peek(0) != Some('"') {
            return Some(self.word());
        }
        self.advance(1);
        while let Some(c) = self.peek(0) {
            self.advance(1);
            if c == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                self.advance(hashes);
                break;
            }
        }
        None
    }

    /// A character literal is skipped; of a lifetime only the mark, its name is an ordinary word.
    fn quote(&mut self) {
        match (self.peek(1), self.peek(2)) {
            (Some('\\'), _) => {
                self.advance(3);
                self.skip_while(|c| c != '\'');
                self.advance(1);
            }
            (Some(_), Some('\'')) => self.advance(3),
            _ => self.advance(1),
        }
    }
}
