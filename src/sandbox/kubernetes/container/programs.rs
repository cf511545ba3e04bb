//! The programs of a container: what each writes for its words and its input. Pure but for the files. Words they do not
//! know are errors, as with the real ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::files::{Files, Node};
use super::{Reads, tar};

/// Their names, as `/bin` lists them.
pub const NAMES: [&str; 28] = [
    "ash", "bash", "cat", "date", "echo", "env", "false", "grep", "head", "hostname", "id", "ls", "mkdir", "printenv",
    "ps", "pwd", "rm", "seq", "sh", "sleep", "stty", "tar", "test", "touch", "true", "uname", "wc", "whoami",
];

/// The name of a program without the folders that hold it.
pub fn base(program: &str) -> &str {
    program
        .strip_prefix("/usr/bin/")
        .or_else(|| program.strip_prefix("/bin/"))
        .unwrap_or(program)
}

/// Whether it is here.
pub fn is_known(program: &str) -> bool {
    NAMES.contains(&base(program))
}

/// Whether it is a shell.
pub fn is_shell(program: &str) -> bool {
    matches!(base(program), "sh" | "ash" | "bash")
}

/// What it reads.
pub fn reads(program: &str, words: &[&str]) -> Reads {
    let files = words.iter().filter(|word| !word.starts_with('-') || **word == "-");
    match base(program) {
        "tar" if words.first().is_some_and(|flags| flags.contains('x')) => Reads::Archive,
        "cat" if files.clone().all(|file| *file == "-") => Reads::Everything,
        "wc" if files.clone().count() == 0 => Reads::Everything,
        "head" if files.filter(|word| word.parse::<usize>().is_err()).count() == 0 => Reads::Everything,
        "grep" if words.iter().filter(|word| !word.starts_with('-')).count() < 2 => Reads::Everything,
        _ => Reads::Nothing,
    }
}

/// What a program sees.
pub struct World<'a> {
    /// The files.
    pub files: &'a mut Files,
    /// The variables.
    pub env: &'a BTreeMap<String, String>,
    /// The folder it is in.
    pub cwd: &'a str,
    /// Columns and rows of its terminal, if it has one.
    pub size: Option<(u16, u16)>,
}

/// What a program did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: String,
    /// Exit code.
    pub code: i32,
}

impl Done {
    fn said(text: impl Into<String>) -> Self {
        Done {
            out: text.into().into_bytes(),
            ..Done::default()
        }
    }

    fn failed(code: i32, text: impl Into<String>) -> Self {
        Done {
            err: format!("{}\n", text.into()),
            code,
            ..Done::default()
        }
    }
}

/// Runs one; `None` when there is none of this name.
pub fn run(program: &str, words: &[&str], stdin: &[u8], world: &mut World<'_>) -> Option<Done> {
    if !is_known(program) && program != "[" {
        return None;
    }
    let at = |path: &str| Files::resolve(world.cwd, path);
    Some(match (base(program), words) {
        ("true", _) => Done::default(),
        ("false", _) => Done {
            code: 1,
            ..Done::default()
        },
        ("echo", ["-n", rest @ ..]) => Done::said(rest.join(" ")),
        ("echo", rest) => Done::said(rest.join(" ") + "\n"),
        ("pwd", _) => Done::said(format!("{}\n", if world.cwd.is_empty() { "/" } else { world.cwd })),
        ("whoami", _) => Done::said("root\n"),
        ("id", _) => Done::said("uid=0(root) gid=0(root) groups=0(root)\n"),
        ("hostname", _) => Done::said(world.env.get("HOSTNAME").cloned().unwrap_or_default() + "\n"),
        ("uname", words) if words.contains(&"-a") => {
            let host = world.env.get("HOSTNAME").map_or("", String::as_str);
            Done::said(format!("Linux {host} 6.1.0-cloud-amd64 #1 SMP x86_64 Linux\n"))
        }
        ("uname", _) => Done::said("Linux\n"),
        ("date", _) => Done::said(format!(
            "{}\n",
            jiff::Timestamp::now().strftime("%a %b %e %H:%M:%S UTC %Y")
        )),
        ("ps", _) => Done::said("PID   USER     TIME  COMMAND\n    1 root      0:00 main\n"),
        ("env", []) | ("printenv", []) => Done::said(
            world
                .env
                .iter()
                .map(|(name, value)| format!("{name}={value}\n"))
                .collect::<String>(),
        ),
        ("printenv", names) => {
            let found: Vec<&String> = names.iter().filter_map(|name| world.env.get(*name)).collect();
            let mut done = Done::said(found.iter().map(|value| format!("{value}\n")).collect::<String>());
            done.code = i32::from(found.len() < names.len());
            done
        }
        ("env", [word, ..]) => Done::failed(127, format!("env: can't execute '{word}': No such file or directory")),
        ("cat", files) => cat(files, stdin, world),
        ("head", words) => head(words, stdin, world),
        ("seq", words) => seq(words),
        ("wc", words) => {
            let files: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
            let input = cat(&files, stdin, world);
            let text = String::from_utf8_lossy(&input.out);
            let (lines, bytes) = (input.out.iter().filter(|byte| **byte == b'\n').count(), input.out.len());
            match words.first() {
                Some(&"-l") => Done {
                    out: format!("{lines}\n").into_bytes(),
                    ..input
                },
                Some(&"-c") => Done {
                    out: format!("{bytes}\n").into_bytes(),
                    ..input
                },
                _ => Done {
                    out: format!("{lines:>7} {:>7} {bytes:>7}\n", text.split_whitespace().count()).into_bytes(),
                    ..input
                },
            }
        }
        ("grep", words) => grep(words, stdin, world),
        ("ls", words) => ls(words, world),
        ("mkdir", words) => each("mkdir: can't create directory", words, |path, flags| {
            world.files.make(&at(path), flags.contains('p'))
        }),
        ("rm", words) => each("rm: can't remove", words, |path, flags| {
            match world.files.remove(&at(path), flags.contains(['r', 'R'])) {
                Err(_) if flags.contains('f') && world.files.get(&at(path)).is_none() => Ok(()),
                other => other,
            }
        }),
        ("touch", words) => each("touch:", words, |path, _| world.files.write(&at(path), b"", true)),
        ("test", words) => test(words, world),
        ("[", [words @ .., "]"]) => test(words, world),
        ("[", _) => Done::failed(2, "sh: missing ]"),
        ("stty", ["size"]) => match world.size {
            Some((columns, rows)) => Done::said(format!("{rows} {columns}\n")),
            None => Done::failed(1, "stty: standard input: Not a tty"),
        },
        ("tar", words) => tape(words, stdin, world),
        (name, _) => Done::failed(1, format!("{name}: not in this world")),
    })
}

/// Does something for each path, and says which failed.
fn each(what: &str, words: &[&str], mut act: impl FnMut(&str, &str) -> Result<(), super::files::Trouble>) -> Done {
    let flags: String = words.iter().filter(|word| word.starts_with('-')).copied().collect();
    let mut done = Done::default();
    for path in words.iter().filter(|word| !word.starts_with('-')) {
        if let Err(why) = act(path, &flags) {
            let _ = writeln!(done.err, "{what} '{path}': {why}");
            done.code = 1;
        }
    }
    done
}

fn cat(files: &[&str], stdin: &[u8], world: &World<'_>) -> Done {
    let mut done = Done::default();
    if files.is_empty() {
        done.out = stdin.to_vec();
    }
    for file in files {
        if *file == "-" {
            done.out.extend_from_slice(stdin);
            continue;
        }
        match world.files.read(&Files::resolve(world.cwd, file)) {
            Ok(bytes) => done.out.extend_from_slice(bytes),
            Err(why) => {
                let _ = writeln!(done.err, "cat: can't open '{file}': {why}");
                done.code = 1;
            }
        }
    }
    done
}

/// Lines that one `seq` writes at most.
const NUMBERS: i64 = 100_000;

/// `seq [-f FORMAT] [FIRST [STEP]] LAST` with whole numbers and a step above 0, as GNU's.
fn seq(words: &[&str]) -> Done {
    let (format, words) = match words {
        ["-f", format, rest @ ..] => (*format, rest),
        _ => ("%g", words),
    };
    let Some((before, width, zeros, after)) = number_format(format) else {
        return Done::failed(
            1,
            format!("seq: format '{format}' has no single %g, %f or %.0f directive"),
        );
    };
    let numbers: Result<Vec<i64>, _> = words.iter().map(|word| word.parse().map_err(|_| *word)).collect();
    let (first, step, last) = match numbers.as_deref() {
        Err(word) => return Done::failed(1, format!("seq: invalid number '{word}'")),
        Ok([last]) => (1, 1, *last),
        Ok([first, last]) => (*first, 1, *last),
        Ok([first, step, last]) if *step > 0 => (*first, *step, *last),
        Ok(_) => return Done::failed(1, "usage: seq [-f FORMAT] [FIRST [STEP]] LAST, with a STEP above 0"),
    };
    if last.saturating_sub(first) / step >= NUMBERS {
        return Done::failed(1, format!("seq: this one writes no more than {NUMBERS} numbers"));
    }
    let mut out = String::new();
    let mut next = Some(first);
    while let Some(number) = next.filter(|number| *number <= last) {
        let _ = match zeros {
            true => writeln!(out, "{before}{number:0width$}{after}"),
            false => writeln!(out, "{before}{number:width$}{after}"),
        };
        next = number.checked_add(step);
    }
    Done::said(out)
}

/// What stands around the number, its width, and whether zeros fill it: `%[0][WIDTH][.0]f` or `%g`.
fn number_format(format: &str) -> Option<(&str, usize, bool, &str)> {
    let (before, rest) = format.split_once('%')?;
    let (spec, after) = rest.split_at(rest.find(['f', 'g'])?);
    let width = spec.trim_end_matches(".0");
    let zeros = width.starts_with('0');
    let width = if width.is_empty() { 0 } else { width.parse().ok()? };
    let after = after.get(1..).filter(|after| !after.contains('%'))?;
    (width <= 64).then_some((before, width, zeros, after))
}

fn head(words: &[&str], stdin: &[u8], world: &World<'_>) -> Done {
    let (mut most, mut files) = (10, Vec::new());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let number = match word.strip_prefix("-n") {
            Some("") => rest.next().copied(),
            Some(number) => Some(number),
            None => word.strip_prefix('-').filter(|number| !number.is_empty()),
        };
        match number {
            Some(number) => match number.parse() {
                Ok(number) => most = number,
                Err(_) => return Done::failed(1, format!("head: invalid number '{number}'")),
            },
            None => files.push(*word),
        }
    }
    let mut done = cat(&files, stdin, world);
    done.out = done
        .out
        .split_inclusive(|byte| *byte == b'\n')
        .take(most)
        .flatten()
        .copied()
        .collect();
    done
}

fn grep(words: &[&str], stdin: &[u8], world: &World<'_>) -> Done {
    let flags: String = words.iter().filter(|word| word.starts_with('-')).copied().collect();
    let mut rest = words.iter().copied().filter(|word| !word.starts_with('-'));
    let Some(pattern) = rest.next() else {
        return Done::failed(2, "Usage: grep [-ivqE] PATTERN [FILE]...");
    };
    let pattern = match regex::RegexBuilder::new(pattern)
        .case_insensitive(flags.contains('i'))
        .size_limit(1 << 20)
        .build()
    {
        Ok(pattern) => pattern,
        Err(_) => return Done::failed(2, format!("grep: bad regex '{pattern}'")),
    };
    let input = cat(&rest.collect::<Vec<_>>(), stdin, world);
    let text = String::from_utf8_lossy(&input.out).into_owned();
    let found: String = text
        .lines()
        .filter(|line| pattern.is_match(line) != flags.contains('v'))
        .map(|line| format!("{line}\n"))
        .collect();
    let code = if input.code == 0 {
        i32::from(found.is_empty())
    } else {
        2
    };
    let out = if flags.contains('q') {
        Vec::new()
    } else {
        found.into_bytes()
    };
    Done { out, code, ..input }
}

fn ls(words: &[&str], world: &World<'_>) -> Done {
    let flags: String = words.iter().filter(|word| word.starts_with('-')).copied().collect();
    let mut paths: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
    if paths.is_empty() {
        paths.push(".");
    }
    let mut done = Done::default();
    let mut text = String::new();
    for path in &paths {
        let whole = Files::resolve(world.cwd, path);
        let (names, folder): (Vec<&str>, String) = match world.files.get(&whole) {
            None => {
                let _ = writeln!(done.err, "ls: {path}: No such file or directory");
                done.code = 1;
                continue;
            }
            Some(Node::File(_)) => (vec![path], String::new()),
            Some(Node::Folder) => (world.files.list(&whole), whole.clone()),
        };
        if paths.len() > 1 && !folder.is_empty() {
            let _ = writeln!(text, "{path}:");
        }
        for name in names {
            let inside = if folder.is_empty() && whole.is_empty() {
                format!("/{name}")
            } else {
                format!("{folder}/{name}")
            };
            let node = world
                .files
                .get(if matches!(world.files.get(&whole), Some(Node::File(_))) {
                    &whole
                } else {
                    &inside
                });
            let (kind, size) = match node {
                Some(Node::File(bytes)) => ('-', bytes.len()),
                _ => ('d', 4096),
            };
            let _ = match flags.contains('l') {
                true => writeln!(
                    text,
                    "{kind}rwxr-xr-x    1 root     root     {size:>9} Jan  1 00:00 {name}"
                ),
                false => writeln!(text, "{name}"),
            };
        }
    }
    done.out = text.into_bytes();
    done
}

fn test(words: &[&str], world: &World<'_>) -> Done {
    let at = |path: &str| world.files.get(&Files::resolve(world.cwd, path));
    let holds = match words {
        ["!", rest @ ..] => test(rest, world).code != 0,
        ["-d", path] => at(path) == Some(&Node::Folder),
        ["-f", path] => matches!(at(path), Some(Node::File(_))),
        ["-e", path] => at(path).is_some(),
        ["-n", text] => !text.is_empty(),
        ["-z", text] => text.is_empty(),
        [one, "=" | "==", other] => one == other,
        [one, "!=", other] => one != other,
        [text] => !text.is_empty(),
        [] => false,
        [word, ..] => return Done::failed(2, format!("sh: {word}: unknown operand")),
    };
    Done {
        code: i32::from(!holds),
        ..Done::default()
    }
}

/// `tar cf - [-C FOLDER] PATH…`, `tar xf - [-C FOLDER]`: to and from a pipe only.
fn tape(words: &[&str], stdin: &[u8], world: &mut World<'_>) -> Done {
    let [flags, rest @ ..] = words else {
        return Done::failed(1, "tar: need at least one option");
    };
    let mut folder = world.cwd.to_owned();
    let (mut paths, mut device) = (Vec::new(), None);
    let mut rest = rest.iter().copied();
    while let Some(word) = rest.next() {
        match word {
            "-C" => folder = Files::resolve(world.cwd, rest.next().unwrap_or_default()),
            option if option.starts_with("--") => {}
            file if device.is_none() && flags.contains('f') => device = Some(file),
            path => paths.push(path),
        }
    }
    if device != Some("-") {
        return Done::failed(1, "tar: archives come and go through a pipe only here: -f -");
    }
    if !world.files.is_folder(&folder) {
        return Done::failed(
            1,
            format!("tar: can't change directory to '{folder}': No such file or directory"),
        );
    }
    if flags.contains('x') {
        return match tar::unpack(world.files, &folder, stdin) {
            Ok(()) => Done::default(),
            Err(why) => Done::failed(1, format!("tar: {why}")),
        };
    }
    let mut done = Done::default();
    let mut found = Vec::new();
    for path in paths {
        let whole = Files::resolve(&folder, path);
        if world.files.get(&whole).is_none() {
            let _ = writeln!(done.err, "tar: {path}: No such file or directory");
            done.code = 1;
            continue;
        }
        // Relative paths keep their name, absolute ones lose their slash.
        let strip = if path.starts_with('/') { 0 } else { folder.len() };
        let below: Vec<(String, Node)> = world
            .files
            .below(&whole)
            .map(|(path, node)| (path.get(strip..).unwrap_or(path).to_owned(), node.clone()))
            .collect();
        found.extend(below);
    }
    done.out = tar::pack(found.iter().map(|(path, node)| (path.as_str(), node)));
    done
}
