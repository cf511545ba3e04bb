//! What can be wrong with a line, and the table of codes. Not for errors that need to know commands.

use super::ast::Span;

/// Why a line is not in the language. The span says where; the caller draws it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// One of [`CODES`].
    pub code: &'static str,
    /// What to mark in the source.
    pub span: Span,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// More typing can mend it (an open quote, a trailing `|`): a front end may ask for another line.
    pub incomplete: bool,
}

impl SyntaxError {
    pub(crate) fn new(code: &'static str, span: Span, message: impl Into<String>) -> SyntaxError {
        SyntaxError {
            code,
            span,
            message: message.into(),
            hint: None,
            incomplete: false,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> SyntaxError {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn incomplete(mut self) -> SyntaxError {
        self.incomplete = true;
        self
    }
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SyntaxError {}

pub(crate) const TOO_LARGE: &str = "E-SYNTAX-001";
pub(crate) const OPEN_QUOTE: &str = "E-SYNTAX-002";
pub(crate) const OPEN_BRACE: &str = "E-SYNTAX-003";
pub(crate) const BAD_PATH: &str = "E-SYNTAX-004";
pub(crate) const NO_COMMAND: &str = "E-SYNTAX-005";
pub(crate) const BAD_REDIRECT: &str = "E-SYNTAX-006";
pub(crate) const BAD_MODIFIER: &str = "E-SYNTAX-007";
pub(crate) const BAD_LET: &str = "E-SYNTAX-008";
pub(crate) const SHELL: &str = "E-SYNTAX-009";
pub(crate) const NO_INPUT_FILE: &str = "E-SYNTAX-010";
pub(crate) const REPEAT: &str = "E-SYNTAX-011";
pub(crate) const DANGLING_BACKSLASH: &str = "E-SYNTAX-012";
pub(crate) const TOO_DEEP: &str = "E-SYNTAX-013";

/// Every code with its meaning. Codes are stable; new ones go to the end.
pub const CODES: &[(&str, &str)] = &[
    (
        TOO_LARGE,
        "the line is longer, or has more pieces, than a line may have",
    ),
    (OPEN_QUOTE, "a quote is not closed"),
    (OPEN_BRACE, "a `${` is not closed"),
    (BAD_PATH, "what follows a `$` is not a variable's path"),
    (NO_COMMAND, "a command is missing beside an operator"),
    (
        BAD_REDIRECT,
        "a redirect has no target, is not at the end, or is of a kind that does not exist here",
    ),
    (
        BAD_MODIFIER,
        "something before a command is no modifier, or has no value",
    ),
    (BAD_LET, "a `let` is not of the form `let NAME = PIPELINE`"),
    (SHELL, "a construct of the shell that the language does not have"),
    (NO_INPUT_FILE, "a `<`: input redirects do not exist"),
    (REPEAT, "`!!` does not stand alone"),
    (DANGLING_BACKSLASH, "nothing follows a backslash"),
    (TOO_DEEP, "defaults are nested deeper than allowed"),
];
