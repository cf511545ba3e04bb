//! Writing the lines of a description: indented levels, maps over several lines, times and yes-or-no as kubectl words
//! them. Tabs are aligned at the end.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::tabs::align;

/// A description under construction.
#[derive(Debug, Default)]
pub struct Text(String);

impl Text {
    /// A line at a level of two blanks each. Line breaks and tabs of remote text cannot make lines or columns.
    pub fn line(&mut self, level: usize, text: &str) {
        self.0.extend(std::iter::repeat_n("  ", level));
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// `Name:<tab>value` at a level.
    pub fn field(&mut self, level: usize, name: &str, value: impl AsRef<str>) {
        let value = value.as_ref().replace(['\n', '\t'], " ");
        self.line(level, &format!("{name}:\t{value}"));
    }

    /// Like [`Text::field`], left out when the value is empty.
    pub fn field_unless_empty(&mut self, level: usize, name: &str, value: &str) {
        if !value.is_empty() {
            self.field(level, name, value);
        }
    }

    /// Like [`Text::field`] with `<none>` for an empty value.
    pub fn field_or_none(&mut self, level: usize, name: &str, value: &str) {
        self.field(level, name, if value.is_empty() { "<none>" } else { value });
    }

    /// Values below each other behind one name; `<none>` without any.
    pub fn lines(&mut self, level: usize, name: &str, values: impl IntoIterator<Item = String>) {
        let mut first = true;
        for value in values {
            let value = value.replace(['\n', '\t'], " ");
            if first {
                self.line(level, &format!("{name}:\t{value}"));
            } else {
                self.line(level, &format!("\t{value}"));
            }
            first = false;
        }
        if first {
            self.field(level, name, "<none>");
        }
    }

    /// A map, sorted, one pair a line: `a=b` for labels, `a: b` for annotations.
    pub fn map(&mut self, level: usize, name: &str, map: Option<&Value>, sign: &str) {
        let mut pairs: Vec<(&String, &Value)> = map.and_then(Value::as_object).into_iter().flatten().collect();
        pairs.sort_by_key(|(key, _)| *key);
        self.lines(
            level,
            name,
            pairs
                .into_iter()
                .map(|(key, value)| format!("{key}{sign}{}", value.as_str().unwrap_or_default())),
        );
    }

    /// Annotations, without the copy of the manifest that apply keeps.
    pub fn annotations(&mut self, level: usize, name: &str, map: Option<&Value>) {
        let mut shown = map.cloned().unwrap_or_default();
        if let Some(fields) = shown.as_object_mut() {
            fields.shift_remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        self.map(level, name, Some(&shown), ": ");
    }

    /// The aligned text, without a trailing line break.
    pub fn finish(self) -> String {
        align(self.0.trim_end())
    }
}

/// A time as Go's RFC1123Z prints it: `Sat, 21 Nov 2026 18:33:28 +0000`.
pub fn time(value: &Value) -> String {
    let parsed: Option<Timestamp> = value.as_str().and_then(|text| text.parse().ok());
    match parsed {
        Some(at) => at
            .to_zoned(TimeZone::system())
            .strftime("%a, %d %b %Y %H:%M:%S %z")
            .to_string(),
        None => "<unknown>".to_owned(),
    }
}

/// `True` or `False`.
pub fn yes(value: &Value) -> &'static str {
    if value.as_bool().unwrap_or(false) {
        "True"
    } else {
        "False"
    }
}

/// A value as it stands in a line.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        other => crate::core::record::to_text(other),
    }
}
