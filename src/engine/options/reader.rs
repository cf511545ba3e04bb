//! The spellings of options: which words after a command's name are options, which are their values, and which are
//! positionals. Not for what the values mean.

use super::{Given, NAME, NO_VALUE, UNKNOWN};
use crate::engine::problem::Problem;
use crate::lang::{OptionWord, Part, Quote, Span, Word};
use crate::verb::catalogue::{did_you_mean, nearest};
use crate::verb::{Declaration, OptionKind, Signature};

/// Sorts words into options and positionals.
struct Reader<'a> {
    signature: &'a Signature,
    declaration: &'a Declaration,
    options: Vec<Given>,
    positionals: Vec<Word>,
}

/// Sorts them: what was given for options, in its order, and the positionals.
pub fn read(declaration: &Declaration, words: &[Word]) -> Result<(Vec<Given>, Vec<Word>), Problem> {
    let mut reader = Reader::of(declaration);
    let mut rest = words;
    while let Some((word, tail)) = rest.split_first() {
        rest = tail.get(reader.word(word, tail)?..).unwrap_or_default();
    }
    Ok((reader.options, reader.positionals))
}

/// The same of words that are still being typed: an option that is wrong, or has no value yet, is passed over.
pub fn read_so_far(declaration: &Declaration, words: &[Word]) -> (Vec<Given>, Vec<Word>) {
    let mut reader = Reader::of(declaration);
    let mut rest = words;
    while let Some((word, tail)) = rest.split_first() {
        rest = tail.get(reader.word(word, tail).unwrap_or(0)..).unwrap_or_default();
    }
    (reader.options, reader.positionals)
}

impl<'a> Reader<'a> {
    fn of(declaration: &'a Declaration) -> Self {
        Reader {
            signature: &declaration.signature,
            declaration,
            options: Vec::new(),
            positionals: Vec::new(),
        }
    }
}

impl Reader<'_> {
    /// Sorts a word; how many of the following words belong to it.
    fn word(&mut self, word: &Word, tail: &[Word]) -> Result<usize, Problem> {
        if !word.is_option() {
            self.positionals.push(word.clone());
            return Ok(0);
        }
        let Some(option) = word.as_option().or_else(|| short_with_variable(word)) else {
            return Err(
                Problem::new(NAME, word.span, "an option's name can't come from a variable").hint(Some(
                    "write --name=$value, or -- before a value that starts with a dash".to_owned(),
                )),
            );
        };
        if option.name == "--" && option.value.is_none() {
            self.positionals.extend(tail.iter().cloned());
            return Ok(tail.len());
        }
        match option.name.strip_prefix("--") {
            Some(name) => self.long(name, &option, word, tail),
            None => self.short(&option, word, tail),
        }
    }

    /// How many of the following words were used as the value.
    fn long(&mut self, name: &str, option: &OptionWord, word: &Word, tail: &[Word]) -> Result<usize, Problem> {
        let found = self
            .signature
            .options
            .iter()
            .position(|o| o.name == name || o.aliases.contains(&name));
        let Some(index) = found else {
            return Err(self.unknown_long(name, word));
        };
        self.take(index, option.value.clone(), word, tail)
    }

    /// `-it`, `-n5`, `-n=5`, `-lapp=web`: flags one after another, the first that wants a value takes what is left.
    fn short(&mut self, option: &OptionWord, word: &Word, tail: &[Word]) -> Result<usize, Problem> {
        let cluster: Vec<char> = option.name.chars().skip(1).collect();
        // `-image=x` would mean `-i mage=x`: never what was meant where there is an `--image`.
        let long = option.name.trim_start_matches('-');
        if cluster.len() > 1 && self.signature.options.iter().any(|o| o.name == long) {
            return Err(self.unknown(format!("-{long}"), vec![format!("--{long}")], word));
        }
        for (at, flag) in cluster.iter().enumerate() {
            let Some(index) = self.signature.options.iter().position(|o| o.short == Some(*flag)) else {
                return Err(self.unknown_short(*flag, word));
            };
            let rest: String = cluster.iter().skip(at + 1).collect();
            let flag_alone = self.is_flag(index);
            if flag_alone && !rest.is_empty() {
                self.take(index, None, word, &[])?;
                continue;
            }
            let value = match (rest.is_empty(), &option.value) {
                (true, value) => value.clone(),
                (false, None) => Some(prefixed(&rest, None, word.span)),
                (false, Some(value)) => Some(prefixed(&format!("{rest}="), Some(value), word.span)),
            };
            return self.take(index, value, word, tail);
        }
        Ok(0)
    }

    fn take(&mut self, index: usize, value: Option<Word>, word: &Word, tail: &[Word]) -> Result<usize, Problem> {
        let option = self.signature.options.get(index);
        let wanted = match option.map(|option| &option.kind) {
            Some(OptionKind::Pair) => 2,
            _ => usize::from(!self.is_flag(index)),
        };
        let mut values: Vec<Option<Word>> = value.into_iter().map(Some).collect();
        let mut used = 0;
        while values.len() < wanted {
            match tail.get(used) {
                Some(next) if !next.is_option() => {
                    values.push(Some(next.clone()));
                    used += 1;
                }
                // Asked for.
                _ if option.is_some_and(|option| option.secret) => break,
                next => {
                    let name = option.map_or("", |option| option.name.as_str());
                    let (needs, dashed) = match wanted {
                        1 => (
                            "a value",
                            format!("a value that starts with a dash is written --{name}=-…"),
                        ),
                        _ => (
                            "a name and a value",
                            "a value that starts with a dash is quoted: '-…'".to_owned(),
                        ),
                    };
                    let hint = next.map(|_| dashed);
                    return Err(Problem::new(NO_VALUE, word.span, format!("--{name} needs {needs}")).hint(hint));
                }
            }
        }
        if values.is_empty() {
            values.push(None);
        }
        self.options.extend(values.into_iter().map(|value| Given {
            option: index,
            value,
            span: word.span,
        }));
        Ok(used)
    }

    fn is_flag(&self, index: usize) -> bool {
        let kind = self.signature.options.get(index).map(|option| &option.kind);
        matches!(kind, Some(OptionKind::Bool | OptionKind::Incr))
    }

    fn unknown_long(&self, name: &str, word: &Word) -> Problem {
        let known = self.signature.options.iter().map(|option| option.name.clone());
        let near: Vec<String> = nearest(name, known)
            .into_iter()
            .map(|name| format!("--{name}"))
            .collect();
        self.unknown(format!("--{name}"), near, word)
    }

    fn unknown_short(&self, flag: char, word: &Word) -> Problem {
        let typed = word.literal().unwrap_or_default();
        let long = nearest(
            typed.trim_start_matches('-'),
            self.signature.options.iter().map(|o| o.name.clone()),
        );
        let near = match typed.chars().count() {
            0..=2 => Vec::new(),
            _ => long.into_iter().map(|name| format!("--{name}")).collect(),
        };
        self.unknown(format!("-{flag}"), near, word)
    }

    /// What to do instead of an option that only the original has, or that no command has.
    fn elsewhere(&self, name: &str) -> Option<String> {
        let absent = self.signature.absent.iter();
        absent
            .chain(&ELSEWHERE)
            .find(|(known, _)| *known == name)
            .map(|(_, hint)| (*hint).to_owned())
    }

    fn unknown(&self, option: String, near: Vec<String>, word: &Word) -> Problem {
        let verb = self.declaration.qualified();
        let known = self.elsewhere(option.trim_start_matches('-'));
        let hint = known
            .or_else(|| did_you_mean(&near))
            .unwrap_or_else(|| match self.signature.options.is_empty() {
                true => format!("{verb} has no options; write -- before a value that starts with a dash"),
                false => format!("`help {verb}` lists its options"),
            });
        Problem::new(UNKNOWN, word.span, format!("{verb} has no option {option}")).hint(Some(hint))
    }
}

/// Options that people type behind a command and that stand elsewhere: flags of the program, and what other programs
/// take behind each of their commands.
const ELSEWHERE: [(&str, &str); 12] = [
    (
        "yes",
        "a flag of the program stands before the pipeline: cogdeck run --yes 'PIPELINE'",
    ),
    (
        "max-targets",
        "a flag of the program stands before the pipeline: cogdeck run --max-targets N 'PIPELINE'",
    ),
    (
        "read-only",
        "a flag of the program stands before the pipeline: cogdeck run --read-only 'PIPELINE'",
    ),
    (
        "sandbox",
        "a flag of the program stands before the pipeline: cogdeck run --sandbox 'PIPELINE'",
    ),
    (
        "input",
        "a flag of the program stands before the pipeline: cogdeck run --input JSON 'PIPELINE'",
    ),
    (
        "keep-going",
        "a flag of the program stands before the pipeline: cogdeck run --keep-going -f SCRIPT",
    ),
    ("on-error", "it stands before the command: on-error=continue COMMAND"),
    ("timeout", "it stands before the command: timeout=10s COMMAND"),
    ("request-timeout", "it stands before the command: timeout=10s COMMAND"),
    ("context", "it stands before the command: @NAME COMMAND"),
    (
        "kubeconfig",
        "the environment names it (KUBECONFIG=FILE), or a context of the configuration",
    ),
    (
        "dry-run",
        "cogdeck check 'PIPELINE' shows what a line needs; the console shows each plan before it is applied",
    ),
];

/// `-n$count`: short flags with a value that starts with a variable.
fn short_with_variable(word: &Word) -> Option<OptionWord> {
    let flags = word
        .bare_start()
        .filter(|text| text.len() > 1 && !text.starts_with("--"))?;
    Some(OptionWord {
        name: flags.to_owned(),
        value: Some(word.without_start(flags.len())),
    })
}

/// Bare text before a value that was typed in the same word.
fn prefixed(text: &str, value: Option<&Word>, span: Span) -> Word {
    let mut parts = vec![Part::Text {
        text: text.to_owned(),
        quote: Quote::None,
        span,
    }];
    parts.extend(value.into_iter().flat_map(|word| word.parts.clone()));
    Word { parts, span }
}
