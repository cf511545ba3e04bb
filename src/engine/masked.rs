//! A line as blocks, jobs, history and journal keep it: a mark where a secret value was. Not for what reports quote,
//! where every place has to stay where it is: that is `starred`.

use super::aliases::Expanded;
use crate::core::text::MASK;
use crate::lang::ast::{Part, Quote};
use crate::lang::{Pipeline, Span, Stage, Word};

/// What stands where a secret was: bare, while the same characters as a text are always printed in quotes.
pub fn mark() -> Word {
    let part = Part::Text {
        text: MASK.to_owned(),
        quote: Quote::None,
        span: Span::default(),
    };
    Word {
        parts: vec![part],
        span: Span::default(),
    }
}

/// Whether a word is that mark.
pub fn is_mark(word: &Word) -> bool {
    word.plain() == Some(MASK)
}

/// The pipeline as it was typed, secrets masked. Which argument of an alias's call became a secret is not traced: if
/// one did, all are masked.
pub fn masked_calls(typed: &Pipeline, expanded: &Expanded, hidden: &Pipeline) -> Pipeline {
    let mut masked = typed.clone();
    for (at, origin) in expanded.origins.iter().enumerate() {
        let (before, after) = (expanded.pipeline.stages.get(at), hidden.stages.get(at));
        let (Some(after), Some(slot)) = (
            after.filter(|after| Some(*after) != before),
            masked.stages.get_mut(origin.typed),
        ) else {
            continue;
        };
        match origin.alias {
            None => slot.clone_from(after),
            Some(_) => slot.words.iter_mut().skip(1).for_each(|word| *word = mark()),
        }
    }
    masked
}

/// Replaces secret values by a mark.
pub fn mask(stage: &mut Stage, secrets: &[Span]) {
    // The name is never secret; what an alias brings stands in its place.
    for word in stage.words.iter_mut().skip(1) {
        let Some(secret) = secrets
            .iter()
            .find(|secret| word.span.start <= secret.start && secret.end <= word.span.end)
        else {
            continue;
        };
        *word = match word.as_option() {
            Some(option) if *secret != word.span || option.value.is_some() => Word::option(&option.name, Some(mark())),
            Some(_) => Word::option(word.plain().and_then(|text| text.get(..2)).unwrap_or("-"), Some(mark())),
            None => mark(),
        };
    }
}
