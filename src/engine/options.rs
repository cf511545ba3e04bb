//! A signature and the words after a command's name to bound arguments. Everything that holds no variable is checked
//! before anything runs; words with variables are checked, by the same rules, when each record gives them a value.

mod partial;
mod reader;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::coerce::{Mismatch, from_text, from_value};
use super::masked::is_mark;
use super::problem::Problem;
use super::secrets::Source;
use super::variables::{Scope, evaluate, is_dynamic};
use crate::core::address::has_password;
use crate::core::text::MASK;
use crate::lang::{Part, Span, Word};
use crate::verb::{Arguments, Declaration, Known, OptionKind, OptionSpec, Signature};

pub use self::partial::Partial;

const UNKNOWN: &str = "E-OPTION-001";
const NO_VALUE: &str = "E-OPTION-002";
const MISSING: &str = "E-OPTION-003";
const EXCLUSIVE: &str = "E-OPTION-004";
const NAME: &str = "E-OPTION-005";
const TYPE: &str = "E-TYPE-001";
const TOO_MANY: &str = "E-ARGUMENT-001";
const TOO_FEW: &str = "E-ARGUMENT-002";
const MASKED: &str = "E-OPTION-006";

/// What was typed for one option.
#[derive(Clone, Debug)]
struct Given {
    /// Index in the signature.
    option: usize,
    /// None: a flag alone.
    value: Option<Word>,
    /// The option's word.
    span: Span,
}

/// A stage's arguments as far as they are known before it runs.
#[derive(Clone, Debug)]
pub struct Template {
    declaration: Arc<Declaration>,
    options: Vec<Given>,
    positionals: Vec<Word>,
    /// All arguments, when no word holds a variable.
    fixed: Option<Arguments>,
}

impl Template {
    /// Reads the words after a command's name (which stands at `name`). `fed`: records come down the pipe, so that
    /// positionals which a record can stand in for may be left out.
    pub fn read(declaration: Arc<Declaration>, words: &[Word], name: Span, fed: bool) -> Result<Template, Problem> {
        let (options, positionals) = reader::read(&declaration, words)?;
        let mut template = Template {
            declaration,
            options,
            positionals,
            fixed: None,
        };
        template.check_presence(name, fed)?;
        template.check_marks()?;
        let known = template.fold(None)?;
        let mut given = template.options.iter().filter_map(|given| given.value.as_ref());
        if !template.positionals.iter().any(is_dynamic) && !given.any(is_dynamic) {
            template.fixed = Some(known);
        }
        Ok(template)
    }

    /// The arguments of one invocation.
    pub fn arguments(&self, scope: Scope<'_>) -> Result<Arguments, Problem> {
        match &self.fixed {
            Some(arguments) => Ok(arguments.clone()),
            None => self.fold(Some(scope)),
        }
    }

    /// Whether the arguments are the same for every record.
    pub fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// What is known before the start: not the values of secret options that come from elsewhere.
    pub fn known(&self) -> Known {
        let mut known = match &self.fixed {
            Some(fixed) => Known::from(fixed),
            None => self.literal(),
        };
        let elsewhere = self.elsewhere().into_iter();
        known.options.extend(elsewhere.map(|(name, _)| (name, None)));
        known
    }

    /// What stands on the line; of words with variables, that they are there.
    fn literal(&self) -> Known {
        let folded = self.fold(None).unwrap_or_default();
        let mut literal = folded.positionals.into_iter();
        let positionals = self.positionals.iter();
        let positionals = positionals.map(|word| if is_dynamic(word) { None } else { literal.next() });
        let mut known = Known {
            positionals: positionals.collect(),
            options: folded
                .options
                .into_iter()
                .map(|(name, value)| (name, Some(value)))
                .collect(),
        };
        for given in self
            .options
            .iter()
            .filter(|given| given.value.as_ref().is_some_and(is_dynamic))
        {
            if let Some(option) = self.declaration.signature.options.get(given.option) {
                known.options.insert(option.name.clone(), None);
            }
        }
        known
    }

    /// Whether an option stands there, of whatever value.
    pub fn mentions(&self, name: &str) -> bool {
        let options = &self.declaration.signature.options;
        let is_it = |given: &Given| options.get(given.option).is_some_and(|option| option.name == name);
        self.options.iter().any(is_it)
    }

    /// Words that hold variables.
    pub fn dynamic_words(&self) -> impl Iterator<Item = &Word> {
        self.words().filter(|word| is_dynamic(word))
    }

    /// The places of values that must not be seen.
    pub fn secrets(&self) -> Vec<Span> {
        let addresses = self.words().filter(|word| holds_password(word));
        self.hidden().chain(addresses).map(|word| word.span).collect()
    }

    /// Values of options that are marked secret.
    fn hidden(&self) -> impl Iterator<Item = &Word> {
        let options = &self.declaration.signature.options;
        let secret = |given: &&Given| options.get(given.option).is_some_and(|option| option.secret);
        self.options
            .iter()
            .filter(secret)
            .filter_map(|given| given.value.as_ref())
    }

    /// Secret options whose value is not on the line, and where it comes from; the last mention of one counts.
    pub fn elsewhere(&self) -> Vec<(String, Source)> {
        let mut found: Vec<(String, Option<Source>)> = Vec::new();
        for given in &self.options {
            let Some(option) = self
                .declaration
                .signature
                .options
                .get(given.option)
                .filter(|o| o.secret)
            else {
                continue;
            };
            found.retain(|(name, _)| *name != option.name);
            found.push((option.name.clone(), elsewhere(option, given)));
        }
        let sources = found.into_iter().filter_map(|(name, source)| Some((name, source?)));
        sources.collect()
    }

    /// Values of options, then positionals.
    fn words(&self) -> impl Iterator<Item = &Word> {
        self.options
            .iter()
            .filter_map(|given| given.value.as_ref())
            .chain(&self.positionals)
    }

    /// A line out of a block, the history or a journal holds the mark where a secret was: it must not become a value.
    /// In quotes it is text like any other, but no secret.
    fn check_marks(&self) -> Result<(), Problem> {
        let quoted = self.hidden().filter(|word| word.literal().as_deref() == Some(MASK));
        match self.words().filter(|word| is_mark(word)).chain(quoted).next() {
            None => Ok(()),
            Some(word) => Err(masked(word.span)),
        }
    }

    /// Options given and positionals counted: known without any value.
    fn check_presence(&self, name: Span, fed: bool) -> Result<(), Problem> {
        let signature = &self.declaration.signature;
        let given = |index: usize| self.options.iter().any(|given| given.option == index);
        let missing: Vec<String> = signature
            .options
            .iter()
            .enumerate()
            .filter(|(index, option)| option.required && option.default.is_none() && !given(*index))
            .map(|(_, option)| format!("--{}", option.name))
            .collect();
        let count = self.positionals.len();
        let absent: Vec<String> = signature
            .positionals
            .iter()
            .skip(count)
            .filter(|positional| positional.required && (positional.always || !fed))
            .map(|positional| format!("<{}>", positional.name))
            .collect();
        let verb = self.declaration.qualified();
        let help = Some(format!("`help {verb}` shows how to use it"));
        if !missing.is_empty() {
            let all: Vec<String> = missing.into_iter().chain(absent).collect();
            return Err(Problem::new(MISSING, name, format!("{verb} needs {}", all.join(", "))).hint(help));
        }
        if !absent.is_empty() {
            return Err(Problem::new(TOO_FEW, name, format!("{verb} needs {}", absent.join(", "))).hint(help));
        }
        let most = signature.positionals.len();
        let variadic = signature
            .positionals
            .last()
            .is_some_and(|positional| positional.variadic);
        if let (false, Some(extra)) = (variadic, self.positionals.get(most)) {
            let takes = match most {
                0 => "no arguments".to_owned(),
                1 => "one argument".to_owned(),
                n => format!("{n} arguments"),
            };
            return Err(Problem::new(TOO_MANY, extra.span, format!("{verb} takes {takes}")).hint(help));
        }
        self.check_exclusive(name)
    }

    fn check_exclusive(&self, name: Span) -> Result<(), Problem> {
        let signature = &self.declaration.signature;
        for group in &signature.exclusive {
            let mut given: Vec<(String, Span)> = Vec::new();
            for member in group {
                let option = self.options.iter().find(|given| {
                    signature
                        .options
                        .get(given.option)
                        .is_some_and(|option| option.name == *member)
                });
                let positional = signature
                    .positionals
                    .iter()
                    .position(|positional| positional.name == *member);
                if let Some(option) = option {
                    given.push((format!("--{member}"), option.span));
                } else if let Some(word) = positional.and_then(|index| self.positionals.get(index)) {
                    given.push((format!("<{member}>"), word.span));
                }
            }
            if given.len() > 1 {
                let names: Vec<String> = given.iter().map(|(name, _)| name.clone()).collect();
                let span = given.last().map_or(name, |(_, span)| *span);
                return Err(Problem::new(
                    EXCLUSIVE,
                    span,
                    format!("{} exclude each other", names.join(" and ")),
                ));
            }
        }
        Ok(())
    }

    /// Values in the order they were typed; without a scope words with variables are passed over.
    fn fold(&self, scope: Option<Scope<'_>>) -> Result<Arguments, Problem> {
        let signature = &self.declaration.signature;
        let mut options = defaults(signature)?;
        let mut listed: Vec<usize> = Vec::new();
        for given in &self.options {
            let Some(option) = signature.options.get(given.option) else {
                continue;
            };
            if elsewhere(option, given).is_some() {
                continue;
            }
            // A value that stands apart is marked itself; `--type=x` is one word and marked whole.
            let apart = given.value.as_ref().map(|value| value.span);
            let span = apart.filter(|span| span.start >= given.span.end).unwrap_or(given.span);
            let found = value(&option.kind, given.value.as_ref(), span, scope);
            let Some(value) = found.map_err(|problem| named(problem, &format!("--{}", option.name)))? else {
                continue;
            };
            let again = listed.contains(&given.option);
            listed.push(given.option);
            merge(&mut options, option, value, again);
        }
        Ok(Arguments {
            positionals: self.fold_positionals(scope)?,
            options,
        })
    }

    fn fold_positionals(&self, scope: Option<Scope<'_>>) -> Result<Vec<Value>, Problem> {
        let declared = &self.declaration.signature.positionals;
        let mut values = Vec::with_capacity(self.positionals.len());
        for (index, word) in self.positionals.iter().enumerate() {
            let Some(positional) = declared.get(index).or(declared.last()) else {
                continue;
            };
            let found = value(&positional.kind, Some(word), word.span, scope);
            values.extend(found.map_err(|problem| named(problem, &format!("<{}>", positional.name)))?);
        }
        Ok(values)
    }
}

/// Where a secret value is to be found that is not on the line; none: it is.
fn elsewhere(option: &OptionSpec, given: &Given) -> Option<Source> {
    let text = given.value.as_ref().map(Word::literal);
    match (option.secret, text) {
        (false, _) | (_, Some(None)) => None,
        (true, text) => Source::of(text.flatten().as_deref()),
    }
}

/// The mark of a secret stands where its value has to.
pub fn masked(span: Span) -> Problem {
    let message = format!("{MASK} stands for a secret value, which is not kept");
    let hint = format!("type the value again; as a text it is written '{MASK}'");
    Problem::new(MASKED, span, message).hint(Some(hint))
}

/// An address with a password in it, wherever it stands. A variable is no secret by itself: what was typed around it,
/// and for it where it has no value, may be.
pub fn holds_password(word: &Word) -> bool {
    let defaults = word.parts.iter().filter_map(|part| match part {
        Part::Variable { default, .. } => default.as_deref(),
        Part::Text { .. } => None,
    });
    has_password(&typed(word)) || defaults.into_iter().any(holds_password)
}

/// What was typed of a word: of a variable its default, if it has one.
fn typed(word: &Word) -> String {
    let pieces = word.parts.iter().map(|part| match part {
        Part::Text { text, .. } => text.clone(),
        Part::Variable { default, .. } => default.as_deref().map(typed).unwrap_or_default(),
    });
    pieces.collect()
}

/// The value of one word by its declared type; none: unknown before there is a scope.
fn value(
    kind: &OptionKind,
    word: Option<&Word>,
    span: Span,
    scope: Option<Scope<'_>>,
) -> Result<Option<Value>, Problem> {
    let wrong = |error: Mismatch| Problem::new(TYPE, span, error.message).hint(error.hint);
    let Some(word) = word else {
        return Ok(Some(if *kind == OptionKind::Incr {
            json!(1)
        } else {
            json!(true)
        }));
    };
    match (word.literal(), scope) {
        (Some(text), _) => from_text(kind, &text).map(Some).map_err(wrong),
        (None, Some(scope)) => from_value(kind, evaluate(word, scope)?).map(Some).map_err(wrong),
        (None, None) => Ok(None),
    }
}

/// Says which argument is of a wrong type; a variable without a value names itself.
fn named(mut problem: Problem, argument: &str) -> Problem {
    if problem.code == TYPE {
        problem.message = format!("{argument}: {}", problem.message);
    }
    problem
}

fn defaults(signature: &Signature) -> Result<Map<String, Value>, Problem> {
    let mut options = Map::new();
    for option in &signature.options {
        let value = match (&option.default, &option.kind) {
            (Some(text), kind) => from_text(kind, text).map_err(|error| {
                let message = format!("the default of --{}: {}", option.name, error.message);
                Problem::new(TYPE, Span::default(), message)
            })?,
            (None, OptionKind::Incr) => json!(0),
            (None, OptionKind::Bool) => json!(false),
            (None, _) => continue,
        };
        options.insert(option.name.clone(), value);
    }
    Ok(options)
}

/// Lists and counters add up, everything else: the last one counts. The first one replaces a default.
fn merge(options: &mut Map<String, Value>, option: &OptionSpec, value: Value, again: bool) {
    let merged = match (options.get_mut(&option.name), value) {
        (Some(Value::Array(items)), Value::Array(more)) if again => {
            items.extend(more);
            return;
        }
        (Some(before), value) if again && option.kind == OptionKind::Incr => {
            let sum = before.as_i64().unwrap_or(0).saturating_add(value.as_i64().unwrap_or(0));
            json!(sum)
        }
        (_, value) => value,
    };
    options.insert(option.name.clone(), merged);
}

#[cfg(test)]
mod tests;
