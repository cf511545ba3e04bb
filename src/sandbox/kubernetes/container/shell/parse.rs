//! Reads a script: words, quotes, variables, `;`, `&&`, `||`, pipes and redirections. What it does not know (loops,
//! functions, substitutions, patterns) is an error. Not for running it.

/// A script longer than this is refused (bytes).
const LONGEST: usize = 256 * 1024;

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Variable(String),
}

/// A word; `bare` when nothing of it was quoted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) pieces: Vec<Piece>,
    pub(super) bare: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(Word),
    Sign(&'static str),
}

/// One command of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Simple {
    pub(super) words: Vec<Word>,
    /// Sign and file.
    pub(super) redirects: Vec<(&'static str, Word)>,
    /// `2>&1`.
    pub(super) joined: bool,
}

/// What stands before a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Always,
    And,
    Or,
}

pub(super) type Script = Vec<(Join, Vec<Simple>)>;

pub(super) fn is_name(symbol: char) -> bool {
    symbol.is_ascii_alphanumeric() || symbol == '_'
}

/// Reads a script.
///
/// # Errors
/// What is wrong with it, in a few words.
pub(super) fn parse(text: &str) -> Result<Script, String> {
    let mut script = Script::new();
    let (mut join, mut pipeline, mut simple) = (Join::Always, Vec::new(), Simple::default());
    let mut tokens = lex(text)?.into_iter().peekable();
    let mut dangling = None;
    while let Some(token) = tokens.next() {
        let sign = match token {
            Token::Word(word) => {
                simple.words.push(word);
                dangling = None;
                continue;
            }
            Token::Sign(sign) => sign,
        };
        match sign {
            ">" | ">>" | "<" | "2>" => match tokens.next() {
                Some(Token::Word(word)) => simple.redirects.push((sign, word)),
                _ => return Err(format!("unexpected end after {sign}")),
            },
            "2>&1" => simple.joined = true,
            _ if simple == Simple::default() && (sign != ";" || dangling.is_some()) => {
                return Err(format!("unexpected \"{sign}\""));
            }
            "|" => {
                pipeline.push(std::mem::take(&mut simple));
                dangling = Some(sign);
            }
            _ => {
                if simple != Simple::default() {
                    pipeline.push(std::mem::take(&mut simple));
                    script.push((join, std::mem::take(&mut pipeline)));
                }
                (join, dangling) = match sign {
                    "&&" => (Join::And, Some(sign)),
                    "||" => (Join::Or, Some(sign)),
                    _ => (Join::Always, None),
                };
            }
        }
    }
    if let Some(sign) = dangling {
        return Err(format!("unexpected end after {sign}"));
    }
    if simple != Simple::default() {
        pipeline.push(simple);
        script.push((join, pipeline));
    }
    Ok(script)
}

fn lex(text: &str) -> Result<Vec<Token>, String> {
    if text.len() > LONGEST {
        return Err("the script is too long".to_owned());
    }
    let mut tokens = Vec::new();
    let mut word: Option<Word> = None;
    let mut rest = text;
    /// Longest first.
    const SIGNS: [&str; 9] = ["2>&1", "2>", "&&", "||", ">>", ">", "<", "|", ";"];
    while let Some(symbol) = rest.chars().next() {
        let sign = SIGNS
            .iter()
            .find(|sign| rest.starts_with(**sign) && (word.is_none() || !sign.starts_with('2')));
        if let Some(sign) = sign {
            tokens.extend(word.take().map(Token::Word));
            tokens.push(Token::Sign(sign));
            rest = rest.get(sign.len()..).unwrap_or_default();
            continue;
        }
        let after = rest.get(symbol.len_utf8()..).unwrap_or_default();
        match symbol {
            ' ' | '\t' | '\r' => {
                tokens.extend(word.take().map(Token::Word));
                rest = after;
            }
            '\n' => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::Sign(";"));
                rest = after;
            }
            '#' if word.is_none() => rest = rest.find('\n').and_then(|at| rest.get(at..)).unwrap_or_default(),
            '\'' => {
                let end = after.find('\'').ok_or("unterminated quoted string")?;
                quoted(&mut word).push(Piece::Text(after.get(..end).unwrap_or_default().to_owned()));
                rest = after.get(end + 1..).unwrap_or_default();
            }
            '"' => {
                quoted(&mut word);
                rest = double(after, quoted(&mut word))?;
            }
            '\\' => {
                let taken = after.chars().next().ok_or("unexpected end after \\")?;
                quoted(&mut word).push(Piece::Text(taken.to_string()));
                rest = after.get(taken.len_utf8()..).unwrap_or_default();
            }
            '$' => rest = variable(after, &mut bare(&mut word).pieces)?,
            '`' | '&' | '(' | ')' => return Err(format!("unexpected \"{symbol}\"")),
            other => {
                bare(&mut word).pieces.push(Piece::Text(other.to_string()));
                rest = after;
            }
        }
    }
    tokens.extend(word.map(Token::Word));
    let keyword = |token: &&Token| {
        matches!(token, Token::Word(Word { pieces, bare: true })
        if ["while", "for", "if", "until", "case"].contains(&pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Variable(_) => "$",
        }).collect::<String>().as_str()))
    };
    match tokens.first().filter(keyword) {
        Some(_) => Err("loops and conditions are not in this world".to_owned()),
        None => Ok(tokens),
    }
}

fn bare(word: &mut Option<Word>) -> &mut Word {
    word.get_or_insert(Word {
        pieces: Vec::new(),
        bare: true,
    })
}

fn quoted(word: &mut Option<Word>) -> &mut Vec<Piece> {
    let word = word.get_or_insert_with(Word::default);
    word.bare = false;
    &mut word.pieces
}

/// The inside of double quotes; what follows them.
fn double<'a>(mut rest: &'a str, pieces: &mut Vec<Piece>) -> Result<&'a str, String> {
    loop {
        let symbol = rest.chars().next().ok_or("unterminated quoted string")?;
        let after = rest.get(symbol.len_utf8()..).unwrap_or_default();
        match symbol {
            '"' => return Ok(after),
            '$' => rest = variable(after, pieces)?,
            '`' => return Err("unexpected \"`\"".to_owned()),
            '\\' if after.starts_with(['"', '\\', '$', '`']) => {
                pieces.push(Piece::Text(after.get(..1).unwrap_or_default().to_owned()));
                rest = after.get(1..).unwrap_or_default();
            }
            other => {
                pieces.push(Piece::Text(other.to_string()));
                rest = after;
            }
        }
    }
}

/// A variable after its `$`; what follows it.
fn variable<'a>(rest: &'a str, pieces: &mut Vec<Piece>) -> Result<&'a str, String> {
    if rest.starts_with('(') {
        return Err("unexpected \"(\"".to_owned());
    }
    if let Some(after) = rest.strip_prefix('?') {
        pieces.push(Piece::Variable("?".to_owned()));
        return Ok(after);
    }
    if let Some(inner) = rest.strip_prefix('{') {
        let (name, after) = inner.split_once('}').ok_or("missing }")?;
        if name.is_empty() || !name.chars().all(is_name) {
            return Err("bad substitution".to_owned());
        }
        pieces.push(Piece::Variable(name.to_owned()));
        return Ok(after);
    }
    let end = rest.find(|symbol| !is_name(symbol)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    pieces.push(match name {
        "" => Piece::Text("$".to_owned()),
        name => Piece::Variable(name.to_owned()),
    });
    Ok(after)
}
