//! An alias's pipeline in the place of the stage that calls it: arguments, modifiers and places. Works on trees, so an
//! argument stays one argument whatever it holds. Not for finding aliases or guarding against loops: the engine's.
//!
//! In an alias `$1`, `$2` … are the call's words after the name (options count), and `$*` alone stands for those that
//! no number takes. Words that are left over go to the end of the first stage.

use std::collections::BTreeSet;
use std::mem::discriminant;

use super::ast::{Contexts, Modifier, ModifierKind, Part, Path, Pipeline, Quote, Redirect, Root, Span, Stage, Word};

/// Why an alias can't take what it was called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpliceError {
    /// `$N` has no argument and no default.
    Missing(u64),
    /// `$N.key`, but the argument is no variable.
    NotAVariable(u64),
    /// `$0`.
    Zero,
    /// The call stands under several contexts, and the body has several stages: each would run in each of them again
    /// for what the one before answered.
    SeveralContexts,
}

impl std::fmt::Display for SpliceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SpliceError::Missing(number) => {
                write!(f, "it needs {number} argument{}", if *number == 1 { "" } else { "s" })
            }
            SpliceError::NotAVariable(number) => {
                write!(f, "it looks into ${number}, and argument {number} is no variable")
            }
            SpliceError::Zero => write!(f, "it uses $0, and arguments are counted from 1"),
            SpliceError::SeveralContexts => write!(
                f,
                "it has several stages, and only the one that reads from the contexts can run in several of them: write \
                 the contexts into the alias, before that stage"
            ),
        }
    }
}

const REST: &str = "$*";

/// The body with the call's arguments and modifiers. Everything that comes from the body stands where the call's name
/// stands; what the call brings keeps its place.
///
/// # Errors
/// When the body asks for an argument that the call does not give.
pub fn splice(call: &Stage, name_words: usize, body: &Pipeline) -> Result<Pipeline, SpliceError> {
    if call.in_several_contexts() && body.stages.len() > 1 {
        return Err(SpliceError::SeveralContexts);
    }
    let (name, arguments) = call.words.split_at(name_words.min(call.words.len()));
    let place = name.iter().map(|word| word.span).reduce(Span::to).unwrap_or_default();
    let mut used = Used::default();
    body.stages
        .iter()
        .flat_map(stage_words)
        .for_each(|word| used.look(word));
    body.redirect
        .iter()
        .flat_map(|redirect| &redirect.targets)
        .for_each(|word| used.look(word));
    let rest = arguments.iter().enumerate();
    let rest: Vec<Word> = rest
        .filter(|(index, _)| !used.numbers.contains(&(*index as u64 + 1)))
        .map(|(_, word)| word.clone())
        .collect();
    let filler = Filler {
        arguments,
        rest: &rest,
        place,
    };
    let mut stages = body
        .stages
        .iter()
        .map(|stage| filler.stage(stage, call))
        .collect::<Result<Vec<_>, _>>()?;
    if let (false, Some(first)) = (used.rest, stages.first_mut()) {
        first.words.extend(rest.iter().cloned());
    }
    let redirect = match &body.redirect {
        None => None,
        Some(redirect) => Some(Redirect {
            mode: redirect.mode,
            targets: filler.words(&redirect.targets)?,
            span: place,
        }),
    };
    Ok(Pipeline {
        binding: None,
        stages,
        redirect,
        span: place,
    })
}

fn stage_words(stage: &Stage) -> impl Iterator<Item = &Word> {
    stage
        .modifiers
        .iter()
        .flat_map(|modifier| modifier.kind.words())
        .chain(&stage.words)
}

/// What of the call a body names.
#[derive(Default)]
struct Used {
    numbers: BTreeSet<u64>,
    rest: bool,
}

impl Used {
    fn look(&mut self, word: &Word) {
        self.rest |= word.plain() == Some(REST);
        for part in &word.parts {
            if let Part::Variable { path, default, .. } = part {
                if let Root::Block(number) = path.root {
                    self.numbers.insert(number);
                }
                default.iter().for_each(|default| self.look(default));
            }
        }
    }
}

struct Filler<'a> {
    arguments: &'a [Word],
    rest: &'a [Word],
    place: Span,
}

impl Filler<'_> {
    fn stage(&self, stage: &Stage, call: &Stage) -> Result<Stage, SpliceError> {
        let mut modifiers = stage
            .modifiers
            .iter()
            .map(|modifier| self.modifier(modifier))
            .collect::<Result<Vec<_>, _>>()?;
        for modifier in &call.modifiers {
            let own = |known: &Modifier| discriminant(&known.kind) == discriminant(&modifier.kind);
            if !modifiers.iter().any(own) {
                modifiers.push(modifier.clone());
            }
        }
        Ok(Stage {
            modifiers,
            words: self.words(&stage.words)?,
            span: call.span,
        })
    }

    fn modifier(&self, modifier: &Modifier) -> Result<Modifier, SpliceError> {
        let kind = match &modifier.kind {
            ModifierKind::Context(Contexts::Every) => ModifierKind::Context(Contexts::Every),
            ModifierKind::Context(Contexts::Named(names)) => {
                let names = names.iter().map(|name| self.word(name)).collect::<Result<_, _>>()?;
                ModifierKind::Context(Contexts::Named(names))
            }
            ModifierKind::On(word) => ModifierKind::On(self.word(word)?),
            ModifierKind::Parallel(word) => ModifierKind::Parallel(self.word(word)?),
            ModifierKind::OnError(word) => ModifierKind::OnError(self.word(word)?),
            ModifierKind::Timeout(word) => ModifierKind::Timeout(self.word(word)?),
        };
        Ok(Modifier { kind, span: self.place })
    }

    fn words(&self, words: &[Word]) -> Result<Vec<Word>, SpliceError> {
        let mut filled = Vec::with_capacity(words.len());
        for word in words {
            match word.plain() == Some(REST) {
                true => filled.extend(self.rest.iter().cloned()),
                false => filled.push(self.word(word)?),
            }
        }
        Ok(filled)
    }

    fn word(&self, word: &Word) -> Result<Word, SpliceError> {
        let mut filled = Word {
            parts: Vec::new(),
            span: self.place,
        };
        let mut from_call: Option<Span> = None;
        for part in &word.parts {
            match part {
                Part::Text { text, quote, .. } => filled.push(Part::Text {
                    text: text.clone(),
                    quote: *quote,
                    span: self.place,
                }),
                Part::Variable {
                    path, default, quoted, ..
                } => {
                    let value = self.variable(path, default.as_deref(), *quoted)?;
                    if let Root::Block(_) = path.root {
                        from_call = Some(from_call.map_or(value.span, |span| span.to(value.span)));
                    }
                    value.parts.into_iter().for_each(|part| filled.push(part));
                }
            }
        }
        filled.span = from_call.unwrap_or(self.place);
        Ok(filled)
    }

    fn variable(&self, path: &Path, default: Option<&Word>, quoted: bool) -> Result<Word, SpliceError> {
        let Root::Block(number) = path.root else {
            let default = default.map(|word| self.word(word)).transpose()?;
            let part = Part::Variable {
                path: path.clone(),
                default: default.map(Box::new),
                quoted,
                span: self.place,
            };
            return Ok(Word {
                parts: vec![part],
                span: self.place,
            });
        };
        let index = number.checked_sub(1).ok_or(SpliceError::Zero)?;
        let given = usize::try_from(index).ok().and_then(|index| self.arguments.get(index));
        let mut word = match (given, default) {
            (Some(given), _) if path.steps.is_empty() => given.clone(),
            (Some(given), _) => deeper(given, path).ok_or(SpliceError::NotAVariable(number))?,
            (None, Some(default)) => self.word(default)?,
            (None, None) => return Err(SpliceError::Missing(number)),
        };
        if quoted {
            word.parts.iter_mut().for_each(into_quotes);
        }
        Ok(word)
    }
}

/// `$1.key` where argument 1 is `$pod`: `$pod.key`.
fn deeper(given: &Word, path: &Path) -> Option<Word> {
    let (start, default) = given.as_variable()?;
    let steps = start.steps.iter().chain(&path.steps).cloned().collect();
    let part = Part::Variable {
        path: Path {
            root: start.root.clone(),
            steps,
        },
        default: default.cloned().map(Box::new),
        quoted: false,
        span: given.span,
    };
    Some(Word {
        parts: vec![part],
        span: given.span,
    })
}

fn into_quotes(part: &mut Part) {
    match part {
        Part::Text { quote, .. } => *quote = Quote::Double,
        Part::Variable { quoted, .. } => *quoted = true,
    }
}
