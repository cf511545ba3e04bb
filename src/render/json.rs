//! JSON over several lines, with a role for each part so that a theme can colour it. Keys and strings are escaped as
//! JSON demands and made safe besides.

use serde_json::Value;

use super::document::{Line, Role, Span};
use crate::core::text::SafeText;

/// A value as JSON lines, indented by `indent` blanks a level; `0` puts everything on one line.
pub fn lines(value: &Value, indent: usize) -> Vec<Line> {
    if indent == 0 {
        return vec![Line::plain(&value.to_string())];
    }
    let mut writer = Writer {
        lines: vec![Line::default()],
        indent,
    };
    writer.value(value, 0);
    writer.lines
}

struct Writer {
    lines: Vec<Line>,
    indent: usize,
}

impl Writer {
    fn put(&mut self, text: &str, role: Role) {
        if let Some(line) = self.lines.last_mut() {
            line.spans.push(Span {
                text: SafeText::line(text),
                role,
            });
        }
    }

    fn next_line(&mut self, depth: usize) {
        self.lines.push(Line::default());
        if depth > 0 {
            self.put(&" ".repeat(depth * self.indent), Role::Plain);
        }
    }

    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::String(text) => self.put(&quoted(text), Role::String),
            Value::Array(items) if !items.is_empty() => {
                self.put("[", Role::Plain);
                for (index, item) in items.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.value(item, depth + 1);
                }
                self.next_line(depth);
                self.put("]", Role::Plain);
            }
            Value::Object(map) if !map.is_empty() => {
                self.put("{", Role::Plain);
                for (index, (key, item)) in map.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.put(&quoted(key), Role::Key);
                    self.put(": ", Role::Plain);
                    self.value(item, depth + 1);
                }
                self.next_line(depth);
                self.put("}", Role::Plain);
            }
            Value::Null => self.put("null", Role::Dim),
            other => self.put(&other.to_string(), Role::Number),
        }
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.put(",", Role::Plain);
        }
        self.next_line(depth);
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: &Value, indent: usize) -> Vec<String> {
        lines(value, indent).iter().map(Line::text).collect()
    }

    #[test]
    fn nested_values_are_indented() {
        let value = json!({"a": [1, {"b": null}], "c": {}, "d": "x"});
        let pretty = text(&value, 2);
        assert_eq!(pretty.join("\n"), serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(text(&value, 0), vec![value.to_string()]);
    }

    #[test]
    fn controls_inside_strings_are_never_raw() {
        let shown = text(&json!({"k\u{9b}31m": "\u{1b}[2J\u{202e}x"}), 2).join("\n");
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{shown:?}");
    }
}
