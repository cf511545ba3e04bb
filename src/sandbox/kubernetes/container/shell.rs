//! The shell of a container: words, quotes, variables, `;`, `&&`, `||`, pipes and redirections. Not for loops, functions,
//! substitutions and patterns: a script with them is refused as a syntax error.

use std::collections::BTreeMap;
use std::time::Duration;

use super::files::Files;
use super::programs::{self, Done, World};
use super::{Container, Gone, Reads, Sink, Stream, send};

/// A script longer than this is refused (bytes).
const LONGEST: usize = 256 * 1024;

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(String),
}

/// A word; `bare` when nothing of it was quoted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Word {
    pieces: Vec<Piece>,
    bare: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(Word),
    Sign(&'static str),
}

/// One command of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Simple {
    words: Vec<Word>,
    /// Sign and file.
    redirects: Vec<(&'static str, Word)>,
    /// `2>&1`.
    joined: bool,
}

/// What stands before a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    Always,
    And,
    Or,
}

type Script = Vec<(Join, Vec<Simple>)>;

/// A shell in a container.
pub struct Shell {
    container: Container,
    env: BTreeMap<String, String>,
    cwd: String,
    status: i32,
    /// It was told to end.
    pub ended: bool,
}

/// What a script reads when it runs: all input when some command of it reads any.
pub fn reads(script: &str) -> Reads {
    let Ok(script) = parse(script) else {
        return Reads::Nothing;
    };
    let first = script.iter().filter_map(|(_, pipeline)| pipeline.first());
    let mut found = Reads::Nothing;
    for simple in first.filter(|simple| simple.redirects.iter().all(|(sign, _)| *sign != "<")) {
        let words: Vec<String> = simple
            .words
            .iter()
            .map(|word| expand(word, &BTreeMap::new(), 0))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let [program, rest @ ..] = words.as_slice()
            && found == Reads::Nothing
        {
            found = programs::reads(program, rest);
        }
    }
    found
}

impl Shell {
    /// A shell at the root with the container's variables.
    pub fn new(container: Container) -> Self {
        let env = (*container.env).clone();
        Shell {
            container,
            env,
            cwd: String::new(),
            status: 0,
            ended: false,
        }
    }

    /// The text of a file.
    pub fn file(&self, path: &str) -> Result<String, String> {
        let files = self.container.files();
        let bytes = files
            .read(&Files::resolve(&self.cwd, path))
            .map_err(|why| why.to_string())?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Where it stands, for a prompt.
    pub fn cwd(&self) -> &str {
        if self.cwd.is_empty() { "/" } else { &self.cwd }
    }

    /// Runs a script; its exit code.
    pub async fn script(&mut self, text: &str, stdin: &[u8], sink: &Sink) -> Result<i32, Gone> {
        let script = match parse(text) {
            Ok(script) => script,
            Err(why) => {
                send(sink, Stream::Err, format!("sh: syntax error: {why}\n").into_bytes()).await?;
                self.status = 2;
                return Ok(2);
            }
        };
        for (join, pipeline) in script {
            let skip = match join {
                Join::Always => false,
                Join::And => self.status != 0,
                Join::Or => self.status == 0,
            };
            if !skip {
                self.status = self.pipeline(&pipeline, stdin, sink).await?;
            }
            if self.ended {
                break;
            }
        }
        Ok(self.status)
    }

    /// Runs words as they are.
    pub async fn command(&mut self, words: &[String], stdin: &[u8], sink: &Sink) -> Result<i32, Gone> {
        let words = words.iter().map(|word| Word {
            pieces: vec![Piece::Text(word.clone())],
            bare: false,
        });
        let simple = Simple {
            words: words.collect(),
            ..Simple::default()
        };
        self.pipeline(&[simple], stdin, sink).await
    }

    async fn pipeline(&mut self, pipeline: &[Simple], stdin: &[u8], sink: &Sink) -> Result<i32, Gone> {
        let mut input = stdin.to_vec();
        let mut code = 0;
        for (index, simple) in pipeline.iter().enumerate() {
            let words: Vec<String> = simple
                .words
                .iter()
                .map(|word| (word.bare, expand(word, &self.env, self.status)))
                .filter(|(bare, text)| !(*bare && text.is_empty()))
                .map(|(_, text)| text)
                .collect();
            if words.first().map(String::as_str) == Some("sleep") {
                let seconds = words.get(1).and_then(|text| text.parse::<f64>().ok());
                let length = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                tokio::time::sleep(length.unwrap_or_default()).await;
                code = 0;
                continue;
            }
            let mut done = self.simple(simple, &words, &input);
            if simple.joined {
                done.out.extend(std::mem::take(&mut done.err).into_bytes());
            }
            send(sink, Stream::Err, done.err.into_bytes()).await?;
            code = done.code;
            if index + 1 < pipeline.len() {
                input = done.out;
            } else {
                send(sink, Stream::Out, done.out).await?;
            }
        }
        Ok(code)
    }

    fn simple(&mut self, simple: &Simple, words: &[String], stdin: &[u8]) -> Done {
        let mut input = stdin.to_vec();
        let mut target = None;
        for (sign, word) in &simple.redirects {
            let path = Files::resolve(&self.cwd, &expand(word, &self.env, self.status));
            if *sign == "<" {
                match self.container.files().read(&path) {
                    Ok(bytes) => input = bytes.to_vec(),
                    Err(why) => return failed(1, format!("sh: can't open {path}: {why}")),
                }
            } else {
                target = Some((*sign, path));
            }
        }
        let mut done = self.builtin(words, &input);
        if let Some((sign, path)) = target {
            let bytes = match sign {
                "2>" => std::mem::take(&mut done.err).into_bytes(),
                _ => std::mem::take(&mut done.out),
            };
            if path != "/dev/null"
                && let Err(why) = self.container.files().write(&path, &bytes, sign == ">>")
            {
                return failed(1, format!("sh: can't create {path}: {why}"));
            }
        }
        done
    }

    fn builtin(&mut self, words: &[String], stdin: &[u8]) -> Done {
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        match texts.as_slice() {
            [] => Done::default(),
            [word] if is_assignment(word) => {
                self.assign(word);
                Done::default()
            }
            ["export", pairs @ ..] => {
                pairs.iter().for_each(|pair| self.assign(pair));
                Done::default()
            }
            ["exit", code @ ..] => {
                self.ended = true;
                let code = code.first().map_or(Some(self.status), |code| code.parse().ok());
                match code {
                    Some(code) => Done {
                        code: code & 255,
                        ..Done::default()
                    },
                    None => failed(2, "sh: exit: Illegal number".to_owned()),
                }
            }
            ["cd", rest @ ..] => {
                let path = Files::resolve(&self.cwd, rest.first().copied().unwrap_or("/root"));
                if !self.container.files().is_folder(&path) {
                    return failed(
                        2,
                        format!("sh: cd: can't cd to {}: No such file or directory", rest.concat()),
                    );
                }
                self.cwd = path;
                Done::default()
            }
            [program, rest @ ..] => {
                let mut files = self.container.files();
                let mut world = World {
                    files: &mut files,
                    env: &self.env,
                    cwd: &self.cwd,
                };
                programs::run(program, rest, stdin, &mut world)
                    .unwrap_or_else(|| failed(127, format!("sh: {program}: not found")))
            }
        }
    }

    fn assign(&mut self, pair: &str) {
        if let Some((name, value)) = pair.split_once('=') {
            self.env.insert(name.to_owned(), value.to_owned());
        }
    }
}

fn failed(code: i32, text: String) -> Done {
    Done {
        err: text + "\n",
        code,
        ..Done::default()
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(is_name))
}

fn is_name(symbol: char) -> bool {
    symbol.is_ascii_alphanumeric() || symbol == '_'
}

fn expand(word: &Word, env: &BTreeMap<String, String>, status: i32) -> String {
    word.pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Variable(name) if name == "?" => status.to_string(),
            Piece::Variable(name) => env.get(name).cloned().unwrap_or_default(),
        })
        .collect()
}

fn parse(text: &str) -> Result<Script, String> {
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
