//! The shell of a container: runs a script step by step, without ever waiting itself. Whoever lets it run passes on what
//! it writes and sleeps when it wants to sleep: `exec` at once, the kubelet by the time of the world. Not for loops,
//! functions, substitutions and patterns (`parse`).

mod parse;

use std::borrow::BorrowMut;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use self::parse::{Join, Piece, Script, Simple, Word, is_name, parse};
use super::files::Files;
use super::programs::{self, Done, World};
use super::{Container, Reads, Stream};

/// Longest wait of one step: a year.
const LONGEST: f64 = 31_536_000.0;

/// What a script does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It wrote this; never nothing.
    Wrote(Stream, Vec<u8>),
    /// It goes on after this time.
    Sleeps(Duration),
    /// It never goes on by itself.
    Hangs,
}

/// A shell in a container.
#[derive(Debug)]
pub struct Shell {
    container: Container,
    env: BTreeMap<String, String>,
    cwd: String,
    status: i32,
    /// Columns and rows of its terminal.
    size: Option<(u16, u16)>,
    /// It runs the container's own program: one that this world does not know is taken for a server, which runs on.
    is_main: bool,
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
            size: None,
            is_main: false,
            ended: false,
        }
    }

    /// What runs the container's own program.
    pub fn main(container: Container) -> Self {
        Shell {
            is_main: true,
            ..Shell::new(container)
        }
    }

    /// Its terminal has so many columns and rows.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.size = Some((columns, rows));
    }

    /// Where it stands, for a prompt.
    pub fn cwd(&self) -> &str {
        if self.cwd.is_empty() { "/" } else { &self.cwd }
    }

    /// The exit code of what ran last.
    pub fn status(&self) -> i32 {
        self.status
    }

    /// It was interrupted: what ran last counts as killed by it.
    pub fn interrupt(&mut self) {
        self.status = 130;
    }

    /// The text of a file.
    fn file(&self, path: &str) -> Result<String, String> {
        let files = self.container.files();
        let bytes = files
            .read(&Files::resolve(&self.cwd, path))
            .map_err(|why| why.to_string())?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// One command of a pipeline; none: its program runs on and on.
    fn simple(&mut self, simple: &Simple, words: &[String], stdin: &[u8]) -> Option<Done> {
        let mut input = stdin.to_vec();
        let mut target = None;
        for (sign, word) in &simple.redirects {
            let path = Files::resolve(&self.cwd, &expand(word, &self.env, self.status));
            if *sign == "<" {
                match self.container.files().read(&path) {
                    Ok(bytes) => input = bytes.to_vec(),
                    Err(why) => return Some(failed(1, format!("sh: can't open {path}: {why}"))),
                }
            } else {
                target = Some((*sign, path));
            }
        }
        let mut done = self.builtin(words, &input)?;
        if let Some((sign, path)) = target {
            let bytes = match sign {
                "2>" => std::mem::take(&mut done.err).into_bytes(),
                _ => std::mem::take(&mut done.out),
            };
            if path != "/dev/null"
                && let Err(why) = self.container.files().write(&path, &bytes, sign == ">>")
            {
                return Some(failed(1, format!("sh: can't create {path}: {why}")));
            }
        }
        Some(done)
    }

    fn builtin(&mut self, words: &[String], stdin: &[u8]) -> Option<Done> {
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        Some(match texts.as_slice() {
            [] | [":", ..] => Done::default(),
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
                    return Some(failed(
                        2,
                        format!("sh: cd: can't cd to {}: No such file or directory", rest.concat()),
                    ));
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
                    size: self.size,
                };
                match programs::run(program, rest, stdin, &mut world) {
                    Some(done) => done,
                    None if self.is_main => return None,
                    None => failed(127, format!("sh: {program}: not found")),
                }
            }
        })
    }

    fn assign(&mut self, pair: &str) {
        if let Some((name, value)) = pair.split_once('=') {
            self.env.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// A script while it runs: an iterator over its steps. After the last one the shell has its exit code.
#[derive(Debug)]
pub struct Run<S> {
    shell: S,
    script: std::vec::IntoIter<(Join, Vec<Simple>)>,
    /// What is left of the pipeline that runs.
    pipeline: VecDeque<Simple>,
    /// What the next command of the pipeline reads.
    input: Vec<u8>,
    stdin: Vec<u8>,
    steps: VecDeque<Step>,
}

impl<S: BorrowMut<Shell>> Run<S> {
    fn of(shell: S, script: Script, stdin: &[u8]) -> Self {
        Run {
            shell,
            script: script.into_iter(),
            pipeline: VecDeque::new(),
            input: Vec::new(),
            stdin: stdin.to_vec(),
            steps: VecDeque::new(),
        }
    }

    /// Runs a script.
    pub fn script(shell: S, text: &str, stdin: &[u8]) -> Self {
        let mut run = Run::of(shell, Script::new(), stdin);
        match parse(text) {
            Ok(script) => run.script = script.into_iter(),
            // A real shell knows what this one does not.
            Err(_) if run.shell().is_main => run.steps.push_back(Step::Hangs),
            Err(why) => run.fail(format!("sh: syntax error: {why}\n")),
        }
        run
    }

    /// Runs a command: its words as they are, or what a shell is told by them.
    pub fn command(shell: S, words: &[String], stdin: &[u8]) -> Self {
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        match texts.as_slice() {
            [program, flag, script, ..] if programs::is_shell(program) && is_inline(flag) => {
                Run::script(shell, script, stdin)
            }
            [program, file, ..] if programs::is_shell(program) => {
                let mut run = Run::of(shell, Script::new(), &[]);
                match run.shell().file(file) {
                    Ok(text) => return Run::script(run.shell, &text, &[]),
                    Err(why) => run.fail(format!("{program}: can't open '{file}': {why}\n")),
                }
                run
            }
            [program] if programs::is_shell(program) => Run::script(shell, &String::from_utf8_lossy(stdin), &[]),
            _ => {
                let word = |text: &String| Word {
                    pieces: vec![Piece::Text(text.clone())],
                    bare: false,
                };
                let simple = Simple {
                    words: words.iter().map(word).collect(),
                    ..Simple::default()
                };
                Run::of(shell, vec![(Join::Always, vec![simple])], stdin)
            }
        }
    }

    /// It cannot even begin.
    fn fail(&mut self, why: String) {
        let shell: &mut Shell = self.shell.borrow_mut();
        shell.status = 2;
        self.steps.push_back(Step::Wrote(Stream::Err, why.into_bytes()));
    }

    fn shell(&self) -> &Shell {
        self.shell.borrow()
    }

    /// The exit code so far.
    pub fn status(&self) -> i32 {
        self.shell().status
    }

    fn simple(&mut self, simple: &Simple) {
        let shell: &mut Shell = self.shell.borrow_mut();
        let words: Vec<String> = simple
            .words
            .iter()
            .map(|word| (word.bare, expand(word, &shell.env, shell.status)))
            .filter(|(bare, text)| !(*bare && text.is_empty()))
            .map(|(_, text)| text)
            .collect();
        let done = match words.as_slice() {
            [program, times @ ..] if programs::base(program) == "sleep" => match length(times) {
                Ok(Some(length)) => {
                    self.steps.push_back(Step::Sleeps(length));
                    Some(Done::default())
                }
                Ok(None) => None,
                Err(why) => Some(failed(1, why)),
            },
            _ => shell.simple(simple, &words, &self.input),
        };
        let Some(mut done) = done else {
            self.steps.push_back(Step::Hangs);
            return;
        };
        if simple.joined {
            done.out.extend(std::mem::take(&mut done.err).into_bytes());
        }
        shell.status = done.code;
        let mut wrote = vec![(Stream::Err, done.err.into_bytes())];
        if self.pipeline.is_empty() {
            wrote.push((Stream::Out, done.out));
        } else {
            self.input = done.out;
        }
        let wrote = wrote.into_iter().filter(|(_, bytes)| !bytes.is_empty());
        self.steps
            .extend(wrote.map(|(stream, bytes)| Step::Wrote(stream, bytes)));
    }
}

impl<S: BorrowMut<Shell>> Iterator for Run<S> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return Some(step);
            }
            if let Some(simple) = self.pipeline.pop_front() {
                self.simple(&simple);
                continue;
            }
            if self.shell().ended {
                return None;
            }
            let (join, pipeline) = self.script.next()?;
            let status = self.status();
            let skip = match join {
                Join::Always => false,
                Join::And => status != 0,
                Join::Or => status == 0,
            };
            if !skip {
                self.pipeline = pipeline.into();
                self.input.clone_from(&self.stdin);
            }
        }
    }
}

/// `-c`, `-ec`: a script follows.
pub(super) fn is_inline(flag: &str) -> bool {
    flag.starts_with('-') && flag.ends_with('c')
}

/// How long `sleep` sleeps: `5`, `0.5`, `2m 3s`; none: for ever.
fn length(times: &[String]) -> Result<Option<Duration>, String> {
    if times.is_empty() {
        return Err("sleep: missing operand".to_owned());
    }
    let mut sum = 0.0;
    for time in times {
        let (number, unit) = match time.char_indices().last() {
            Some((at, 's')) => (&time[..at], 1.0),
            Some((at, 'm')) => (&time[..at], 60.0),
            Some((at, 'h')) => (&time[..at], 3_600.0),
            Some((at, 'd')) => (&time[..at], 86_400.0),
            _ => (time.as_str(), 1.0),
        };
        let seconds = number.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0);
        sum += seconds.ok_or_else(|| format!("sleep: invalid number '{time}'"))? * unit;
    }
    Ok(sum.is_finite().then(|| Duration::from_secs_f64(sum.min(LONGEST))))
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
