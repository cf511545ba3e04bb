//! What is wrong with a part of a line, before it is a report: the place is a span, the source is added by who has it.

use crate::core::report::{Report, Severity};
use crate::lang::{Span, SyntaxError};

/// Something wrong at a place of the line.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Stable code.
    pub code: &'static str,
    /// What is wrong and why, one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What to mark.
    pub span: Span,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Problem {
            code,
            message: message.into(),
            hint: None,
            span,
        }
    }

    /// Adds what to do, if there is anything to say.
    #[must_use]
    pub fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The report, with the place marked in the line.
    pub fn report(self, source: &str, severity: Severity) -> Report {
        let mut report = Report::new(self.code, self.message, severity);
        report.hint = self.hint;
        report.at(source, self.span.start..self.span.end)
    }

    /// The report of something found before anything ran.
    pub fn refused(self, source: &str) -> Report {
        self.report(source, Severity::Refused)
    }
}

/// A line that is not in the language.
pub fn syntax(error: SyntaxError, source: &str) -> Report {
    let problem = Problem::new(error.code, error.span, error.message).hint(error.hint);
    problem.refused(source)
}
