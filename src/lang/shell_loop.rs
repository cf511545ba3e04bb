//! The one loop of the shell that people paste: poll an address with curl, filter, sleep. It runs as the equal
//! `traffic:watch`, which the caller shows. Any other loop is an error of the parser that names the alternatives.
//!
//! Not a shell: only the shapes below are known, and everything that would change the result makes it unknown.
//!
//! ```text
//! while (true | : | sleep N); do
//!   curl [-s -S -f -L -k -m N …] URL [2>/dev/null] [| egrep/grep [-o -E -i …] RE] [| head -n 1]; [echo;] [sleep N;]
//! done
//! ```

use std::time::Duration;

use super::ast::{Pipeline, Stage};
use super::lexer::{self, Token, TokenKind};

/// What such a loop watches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShellLoop {
    /// As curl was given it.
    pub url: String,
    /// In the syntax of extended regular expressions; none: the whole answer.
    pub pattern: Option<String>,
    /// Between two requests.
    pub interval: Duration,
}

/// Recognises the loop in a whole source, on one line or several.
#[must_use]
pub fn recognise(source: &str) -> Option<ShellLoop> {
    let start = source.trim_start().trim_start_matches('!').trim_start();
    // Cheap to say no: every typed line comes through here.
    if !start.starts_with("while") || source.len() > lexer::MAX_LINE {
        return None;
    }
    let lexed = lexer::lex(start);
    if !lexed.problems.is_empty() {
        return None;
    }
    Loop::new(&lexed.tokens)?.read()
}

impl ShellLoop {
    /// The equal pipeline: `traffic:watch URL --match RE --interval 500ms`.
    #[must_use]
    pub fn pipeline(&self) -> Pipeline {
        let mut stage = Stage::new("traffic:watch").arg(&self.url);
        if let Some(pattern) = &self.pattern {
            stage = stage.arg_option("--match", pattern);
        }
        let millis = self.interval.as_millis();
        let interval = if millis.is_multiple_of(1000) {
            format!("{}s", millis / 1000)
        } else {
            format!("{millis}ms")
        };
        stage.arg_option("--interval", &interval).into()
    }
}

/// One simple command: its words as the shell would see them.
type Command = Vec<String>;

struct Loop {
    condition: Command,
    /// The commands between `do` and `done`: pipelines of simple commands.
    body: Vec<Vec<Command>>,
}

impl Loop {
    fn new(tokens: &[Token]) -> Option<Loop> {
        let mut statements: Vec<Vec<Command>> = vec![vec![Vec::new()]];
        let mut tokens = tokens.iter().peekable();
        while let Some(token) = tokens.next() {
            match &token.kind {
                TokenKind::Word(word) => {
                    let text = word.literal()?;
                    let redirect = tokens.next_if(|next| {
                        matches!(next.kind, TokenKind::Redirect(_)) && next.span.start == token.span.end && text == "2"
                    });
                    if redirect.is_some() {
                        // `2>/dev/null` only hides curl's complaints.
                        match tokens.next().map(|next| &next.kind) {
                            Some(TokenKind::Word(word)) if word.plain() == Some("/dev/null") => continue,
                            _ => return None,
                        }
                    }
                    let keyword = matches!(word.plain(), Some("while" | "do" | "done"));
                    let command = statements.last_mut()?.last_mut()?;
                    let first = command.is_empty();
                    command.push(text);
                    if keyword && first {
                        // Keywords stand for themselves, what follows them is a statement.
                        statements.push(vec![Vec::new()]);
                    }
                }
                TokenKind::Pipe => statements.last_mut()?.push(Vec::new()),
                TokenKind::Sequence | TokenKind::LineBreak => statements.push(vec![Vec::new()]),
                _ => return None,
            }
        }
        statements.retain(|statement| statement.len() > 1 || statement.iter().any(|command| !command.is_empty()));
        let keyword = |statement: &[Command], word: &str| {
            statement.len() == 1
                && statement
                    .first()
                    .is_some_and(|c| c.len() == 1 && c.first().is_some_and(|w| w == word))
        };
        let mut statements = statements.into_iter();
        let starts = keyword(&statements.next()?, "while");
        let condition = statements.next()?;
        let does = keyword(&statements.next()?, "do");
        let mut body: Vec<Vec<Command>> = statements.collect();
        let ends = keyword(&body.pop()?, "done");
        let [condition] = <[Command; 1]>::try_from(condition).ok()?;
        (starts && does && ends).then_some(Loop { condition, body })
    }

    fn read(self) -> Option<ShellLoop> {
        let mut interval = match self.condition.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["true" | ":"] => None,
            ["sleep", time] => Some(duration(time)?),
            _ => return None,
        };
        let mut body = self.body.into_iter();
        let mut stages = body.next()?.into_iter();
        let url = curl(&stages.next()?)?;
        let mut stage = stages.next();
        let mut pattern = None;
        if let Some(found) = stage.as_deref().and_then(grep) {
            pattern = Some(found);
            stage = stages.next();
        }
        if let Some(command) = stage {
            is_head_one(&command).then_some(())?;
        }
        if stages.next().is_some() {
            return None;
        }
        for statement in body {
            let [command] = <[Command; 1]>::try_from(statement).ok()?;
            match command.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["echo"] => {}
                ["sleep", time] if interval.is_none() => interval = Some(duration(time)?),
                _ => return None,
            }
        }
        Some(ShellLoop {
            url,
            pattern,
            interval: interval?,
        })
    }
}

/// The address, if every option leaves the answer's body as it is.
fn curl(command: &[String]) -> Option<String> {
    let mut words = command.iter().map(String::as_str);
    if words.next()? != "curl" {
        return None;
    }
    let mut url = None;
    while let Some(word) = words.next() {
        match word {
            "--silent"
            | "--show-error"
            | "--fail"
            | "--location"
            | "--insecure"
            | "--no-keepalive"
            | "--no-progress-meter" => {}
            "-m" | "--max-time" | "--connect-timeout" => {
                words.next()?.parse::<f64>().ok()?;
            }
            _ if word.starts_with("--") => {
                let (name, value) = word.split_once('=')?;
                matches!(name, "--max-time" | "--connect-timeout").then_some(())?;
                value.parse::<f64>().ok()?;
            }
            _ if word.starts_with('-') => {
                let flags = word.get(1..)?;
                let (flags, time) = flags
                    .split_once('m')
                    .map_or((flags, None), |(flags, time)| (flags, Some(time)));
                flags.chars().all(|c| "sSfLk4".contains(c)).then_some(())?;
                match time {
                    None if flags.is_empty() => return None,
                    None => {}
                    Some("") => {
                        words.next()?.parse::<f64>().ok()?;
                    }
                    Some(time) => {
                        time.parse::<f64>().ok()?;
                    }
                }
            }
            _ if url.is_none() && !word.is_empty() => url = Some(word.to_owned()),
            _ => return None,
        }
    }
    url
}

#[derive(Clone, Copy, PartialEq)]
enum Dialect {
    Basic,
    Extended,
    Fixed,
}

/// The pattern of a grep, as an extended regular expression that finds what grep would print.
fn grep(command: &[String]) -> Option<String> {
    let mut words = command.iter().map(String::as_str);
    let mut dialect = match words.next()? {
        "egrep" => Dialect::Extended,
        "grep" => Dialect::Basic,
        "fgrep" => Dialect::Fixed,
        _ => return None,
    };
    let (mut only, mut fold, mut pattern) = (false, false, None);
    while let Some(word) = words.next() {
        match word {
            "--only-matching" => only = true,
            "--extended-regexp" => dialect = Dialect::Extended,
            "--ignore-case" => fold = true,
            "--line-buffered" | "--color=never" | "--color=auto" | "-m1" => {}
            "-m" => (words.next()? == "1").then_some(())?,
            "-e" if pattern.is_none() => pattern = Some(words.next()?.to_owned()),
            _ if word.starts_with('-') && word.len() > 1 => {
                for flag in word.chars().skip(1) {
                    match flag {
                        'o' => only = true,
                        'E' => dialect = Dialect::Extended,
                        'F' => dialect = Dialect::Fixed,
                        'i' => fold = true,
                        'a' | 'h' => {}
                        _ => return None,
                    }
                }
            }
            _ if pattern.is_none() && !word.is_empty() => pattern = Some(word.to_owned()),
            _ => return None,
        }
    }
    let pattern = pattern?;
    let mut pattern = match dialect {
        Dialect::Extended => pattern,
        Dialect::Basic => extended_from_basic(&pattern),
        Dialect::Fixed => escaped(&pattern),
    };
    if !only {
        // Without -o grep prints the whole line.
        pattern = format!(".*({pattern}).*");
    }
    Some(if fold { format!("(?i){pattern}") } else { pattern })
}

/// In a basic expression `+ ? | ( ) { }` are text, and operators behind a backslash.
fn extended_from_basic(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        let swapped = |c: char| "+?|(){}".contains(c);
        match c {
            _ if in_class => {
                in_class = c != ']';
                out.push(c);
            }
            '[' => {
                in_class = true;
                out.push(c);
            }
            '\\' => match chars.next() {
                Some(next) if swapped(next) => out.push(next),
                Some(next) => out.extend(['\\', next]),
                None => out.push_str("\\\\"),
            },
            _ => {
                if swapped(c) {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn is_head_one(command: &[String]) -> bool {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    matches!(
        words.as_slice(),
        ["head", "-1" | "-n1" | "--lines=1"] | ["head", "-n" | "--lines", "1"]
    )
}

/// A time as `sleep` takes it, longer than nothing.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) if text.ends_with('m') => (number, 60.0),
        Some(number) if text.ends_with('h') => (number, 3600.0),
        Some(number) => (number, 1.0),
        None => (text, 1.0),
    };
    number
        .starts_with(|c: char| c.is_ascii_digit() || c == '.')
        .then_some(())?;
    let duration = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()?;
    (duration >= Duration::from_millis(1) && duration <= Duration::from_secs(86_400)).then_some(duration)
}
