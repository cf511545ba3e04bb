//! What may stand before a command: prefixes that mean nothing, modifiers, and the words that are reserved there.

use super::ast::{Contexts, Modifier, ModifierKind, Span, Word};
use super::error::{self, SyntaxError};

/// Words that a shell reads as the start of a loop or condition; as bare heads they are refused, not looked up.
pub(crate) const SHELL_HEADS: &[&str] = &["for", "while", "until", "if", "case"];

/// What a first word before `=` can be.
pub(crate) const MODIFIERS: &[&str] = &["on", "parallel", "on-error", "timeout"];

/// `@cog` or `@cog:`: how the ancestor was spoken to; means nothing.
pub(crate) fn is_mention(word: &Word) -> bool {
    matches!(word.plain(), Some("@cog" | "@cog:"))
}

/// The bare text before `=` if a head that starts so would be read as a modifier.
pub(crate) fn modifier_key(bare: &str) -> Option<&str> {
    let (key, _) = bare.split_once('=')?;
    let name = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    (name && !key.starts_with('-')).then_some(key)
}

/// Whether a bare head would not be read as a command's name.
pub(crate) fn is_reserved_head(head: &str) -> bool {
    head == "let" || SHELL_HEADS.contains(&head)
}

/// The modifier that a bare head is, if it is one.
pub(crate) fn modifier(word: &Word) -> Result<Option<Modifier>, SyntaxError> {
    let Some(bare) = word.bare_start() else {
        return Ok(None);
    };
    let value = |start: usize| {
        let value = word.without_start(start);
        match value.parts.is_empty() {
            true => Err(
                SyntaxError::new(error::BAD_MODIFIER, word.span, format!("`{bare}` has no value"))
                    .hint("write the value behind it without a blank: @staging, on=group:web, parallel=4"),
            ),
            false => Ok(value),
        }
    };
    let kind = if bare.starts_with('@') {
        ModifierKind::Context(contexts(&value(1)?)?)
    } else if let Some(key) = modifier_key(bare) {
        let make: fn(Word) -> ModifierKind = match key {
            "on" => ModifierKind::On,
            "parallel" => ModifierKind::Parallel,
            "on-error" => ModifierKind::OnError,
            "timeout" => ModifierKind::Timeout,
            _ => return Err(unknown_modifier(key, word.span)),
        };
        make(value(key.len() + 1)?)
    } else {
        return Ok(None);
    };
    Ok(Some(Modifier { kind, span: word.span }))
}

/// A bare star, in place of the names.
const EVERY: &str = "*";

/// What stands behind `@`: names between bare commas, or a bare star alone.
fn contexts(list: &Word) -> Result<Contexts, SyntaxError> {
    if list.plain() == Some(EVERY) {
        return Ok(Contexts::Every);
    }
    let names = list.between_commas();
    let hint = "@A,B runs a command in two contexts, @* in all there are; no blanks around a comma";
    if names.iter().any(|name| name.parts.is_empty()) {
        let message = "a context's name is missing beside a comma";
        return Err(SyntaxError::new(error::BAD_MODIFIER, list.span, message).hint(hint));
    }
    if let Some(star) = names.iter().find(|name| is_every(name)) {
        let message = "`*` means every context and stands alone";
        return Err(SyntaxError::new(error::BAD_MODIFIER, star.span, message).hint(hint));
    }
    Ok(Contexts::Named(names))
}

/// Whether this would not be read as a context's name.
pub(crate) fn is_every(name: &Word) -> bool {
    name.plain() == Some(EVERY)
}

fn unknown_modifier(key: &str, span: Span) -> SyntaxError {
    let known = MODIFIERS.join("=, ");
    SyntaxError::new(error::BAD_MODIFIER, span, format!("`{key}=` is no modifier")).hint(format!(
        "before a command may stand @CONTEXT, {known}=; a shell's NAME=value needs sh '…', and an address with & or ; needs quotes"
    ))
}

pub(crate) fn misplaced_let(span: Span) -> SyntaxError {
    SyntaxError::new(error::BAD_LET, span, "`let` stands only at the start of a pipeline")
        .hint("let NAME = @context PIPELINE names the records of the whole pipeline")
}

pub(crate) fn shell_head(head: &str, span: Span) -> SyntaxError {
    SyntaxError::new(error::SHELL, span, format!("`{head}` is the shell's")).hint(
        "run it with sh '…'; a loop that polls an address with curl is traffic:watch URL --match REGEX --interval 500ms",
    )
}
