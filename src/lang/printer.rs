//! Tree → text. What it writes parses back to the normal form of the tree, whatever the tree's texts hold: names and
//! tags of other systems stay data. Keys, completion, undo, pin and re-run go through here instead of formatting text.

use super::ast::{
    Connector, Contexts, Item, Line, ModifierKind, Part, Path, Pipeline, Quote, RedirectMode, Root, Stage, Step, Word,
};
use super::variable::is_name;

/// A tree that can be written as text.
pub trait Print {
    /// Writes it to `out`.
    fn print_to(&self, out: &mut String);
}

/// The text of a tree.
#[must_use]
pub fn print(tree: &impl Print) -> String {
    let mut out = String::new();
    tree.print_to(&mut out);
    out
}

impl Print for Line {
    fn print_to(&self, out: &mut String) {
        let line = self.normal();
        let last = line.items.len().saturating_sub(1);
        for (at, Item { pipeline, then }) in line.items.iter().enumerate() {
            pipeline_to(pipeline, out);
            out.push_str(match then {
                None => "",
                Some(Connector::And) => " && ",
                Some(Connector::Or) => " || ",
                Some(Connector::Sequence) if at == last => ";",
                Some(Connector::Sequence) => "; ",
                Some(Connector::Background) if at == last => " &",
                Some(Connector::Background) => " & ",
            });
        }
    }
}

impl Print for Pipeline {
    fn print_to(&self, out: &mut String) {
        pipeline_to(&self.normal(), out);
    }
}

impl Print for Stage {
    fn print_to(&self, out: &mut String) {
        stage_to(&self.normal(), out);
    }
}

impl Print for Word {
    fn print_to(&self, out: &mut String) {
        word_to(&self.normal(), out);
    }
}

impl Print for Path {
    /// The braced form is used only where the bare one would not be read back.
    fn print_to(&self, out: &mut String) {
        if bare_root(&self.root) {
            out.push('$');
            path_to(self, out);
        } else {
            out.push_str("${");
            path_to(self, out);
            out.push('}');
        }
    }
}

fn pipeline_to(pipeline: &Pipeline, out: &mut String) {
    if let Some(binding) = &pipeline.binding {
        out.push_str("let ");
        if is_name(&binding.name) && binding.name != "_" {
            out.push_str(&binding.name);
        } else {
            Word::quoted(binding.name.as_str()).print_to(out);
        }
        out.push_str(" = ");
    }
    for (at, stage) in pipeline.stages.iter().enumerate() {
        if at > 0 {
            out.push_str(" | ");
        }
        stage_to(stage, out);
    }
    if let Some(redirect) = &pipeline.redirect {
        out.push_str(match redirect.mode {
            RedirectMode::One => " >",
            RedirectMode::Many => " *>",
        });
        for target in &redirect.targets {
            out.push(' ');
            word_to(target, out);
        }
    }
}

fn stage_to(stage: &Stage, out: &mut String) {
    for modifier in &stage.modifiers {
        out.push_str(match &modifier.kind {
            ModifierKind::Context(Contexts::Named(_)) => "@",
            ModifierKind::Context(Contexts::Every) => "@*",
            ModifierKind::On(_) => "on=",
            ModifierKind::Parallel(_) => "parallel=",
            ModifierKind::OnError(_) => "on-error=",
            ModifierKind::Timeout(_) => "timeout=",
        });
        for (at, value) in modifier.kind.words().iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            word_to(value, out);
        }
        out.push(' ');
    }
    for (at, word) in stage.words.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        word_to(word, out);
    }
}

/// A normal word.
fn word_to(word: &Word, out: &mut String) {
    let mut in_double = false;
    for (at, part) in word.parts.iter().enumerate() {
        let double = matches!(
            part,
            Part::Text {
                quote: Quote::Double,
                ..
            } | Part::Variable { quoted: true, .. }
        );
        if double != in_double {
            out.push('"');
            in_double = double;
        }
        match part {
            Part::Text {
                text,
                quote: Quote::None,
                ..
            } => out.push_str(text),
            Part::Text {
                text,
                quote: Quote::Escaped,
                ..
            } => text.chars().for_each(|c| out.extend(['\\', c])),
            Part::Text {
                text,
                quote: Quote::Single,
                ..
            } => {
                out.push('\'');
                out.push_str(text);
                out.push('\'');
            }
            Part::Text {
                text,
                quote: Quote::Double,
                ..
            } => double_to(text, false, out),
            Part::Variable {
                path, default, quoted, ..
            } => {
                let last = at + 1 == word.parts.len();
                if default.is_none() && !quoted && last {
                    path.print_to(out);
                } else {
                    braced_to(path, default.as_deref(), *quoted, out);
                }
            }
        }
    }
    if in_double {
        out.push('"');
    }
}

/// A default inside double quotes is written without quotes of its own, any other as the word it is.
fn braced_to(path: &Path, default: Option<&Word>, quoted: bool, out: &mut String) {
    out.push_str("${");
    path_to(path, out);
    if let Some(default) = default {
        out.push_str(":-");
        if !quoted {
            word_to(default, out);
        }
        for part in default.parts.iter().filter(|_| quoted) {
            match part {
                Part::Text { text, .. } => double_to(text, true, out),
                Part::Variable { path, default, .. } => braced_to(path, default.as_deref(), true, out),
            }
        }
    }
    out.push('}');
}

/// Text inside double quotes; `}` ends a default there.
fn double_to(text: &str, in_default: bool, out: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escape = match (c, chars.peek()) {
            ('"' | '`', _) => true,
            ('}', _) => in_default,
            ('$', next) => matches!(next, Some('{' | '(')),
            // A backslash means itself unless it would protect what follows; a regular expression stays readable.
            ('\\', next) => matches!(next, None | Some('"' | '\\' | '$' | '`' | '\n' | '\r' | '}')),
            _ => false,
        };
        if escape {
            out.push('\\');
        }
        out.push(c);
    }
}

fn bare_root(root: &Root) -> bool {
    match root {
        Root::Last | Root::Block(_) => true,
        Root::Name(name) => name != "_" && is_name(name),
    }
}

fn path_to(path: &Path, out: &mut String) {
    match &path.root {
        Root::Last => out.push('_'),
        Root::Block(number) => out.push_str(&number.to_string()),
        Root::Name(name) if bare_root(&path.root) => out.push_str(name),
        Root::Name(name) => key_to(name, out),
    }
    for step in &path.steps {
        match step {
            Step::Key(key) if is_name(key) => {
                out.push('.');
                out.push_str(key);
            }
            Step::Key(key) => {
                out.push('[');
                key_to(key, out);
                out.push(']');
            }
            Step::Index(index) => {
                out.push('[');
                out.push_str(&index.to_string());
                out.push(']');
            }
        }
    }
}

fn key_to(key: &str, out: &mut String) {
    let quote = if key.contains('\'') { '"' } else { '\'' };
    out.push(quote);
    for c in key.chars() {
        if quote == '"' && matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push(quote);
}
