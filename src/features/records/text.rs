//! Records that are text, as `from-…` take them: streamed lines, a finished text, or a plain string.

use serde_json::Value;

use crate::core::record::{Record, text_at, to_text};
use crate::core::report::Report;
use crate::verb::Input;

/// Bytes of text that a reader of whole documents holds.
const MOST_BYTES: usize = 64 << 20;

/// The text of a record; none: it is no text.
pub fn text_of(record: &Record) -> Option<String> {
    match record {
        Value::String(text) => Some(text.clone()),
        Value::Object(map) => match (text_at(record, &["line"]), map.get("body")) {
            (Some(line), _) => Some(line.to_owned()),
            (None, Some(Value::Array(lines))) => Some(lines.iter().map(to_text).collect::<Vec<_>>().join("\n")),
            (None, Some(Value::String(body))) => Some(body.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// All text that comes, one record a line.
pub async fn all(verb: &str, input: &mut Input) -> Result<String, Report> {
    let mut all = String::new();
    while let Some(item) = input.next().await {
        let text = text_of(&item.record).ok_or_else(|| no_text(verb).on_record(&item.record))?;
        if all.len() + text.len() > MOST_BYTES {
            let message = format!("{verb} would have to hold more than {} MiB", MOST_BYTES >> 20);
            return Err(Report::failed("E-TEXT-002", message));
        }
        all.push_str(&text);
        all.push('\n');
    }
    Ok(all)
}

/// The failure of a record that is no text.
pub fn no_text(verb: &str) -> Report {
    Report::failed("E-TEXT-001", format!("{verb} takes text, and this record is none"))
        .hint("pluck the field that holds the text, or leave the reader out: records are JSON already")
}
