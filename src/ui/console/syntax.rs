//! The language's colours and a few small formats, as the console shows them. What is a command, an option or an error
//! is the language's answer; this only styles it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::text::Span;

use crate::core::text::safe_line;
use crate::lang::{Highlight, highlight};
use crate::ui::panel::{Meaning, Theme};

/// Lines longer than this are not analysed while typing or drawing.
const ANALYSED: usize = 16 * 1024;

/// A line of the language in styled pieces, each safe; `plain` is the style of what has no meaning of its own.
pub fn styled(theme: &Theme, line: &str, plain: Meaning) -> Vec<Span<'static>> {
    pieces(line, plain)
        .into_iter()
        .map(|(text, meaning)| Span::styled(text, theme.style(meaning)))
        .collect()
}

/// A line of the language in pieces with their meanings; line breaks become visible.
pub fn pieces(line: &str, plain: Meaning) -> Vec<(String, Meaning)> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut push = |text: &str, meaning| {
        if !text.is_empty() {
            pieces.push((safe_line(text), meaning));
        }
    };
    for (range, meaning) in meanings(line) {
        if range.start < at {
            continue;
        }
        push(line.get(at..range.start).unwrap_or_default(), plain);
        push(line.get(range.clone()).unwrap_or_default(), meaning.unwrap_or(plain));
        at = range.end;
    }
    push(line.get(at..).unwrap_or_default(), plain);
    pieces
}

/// Byte ranges with a meaning, in order.
pub fn meanings(line: &str) -> Vec<(std::ops::Range<usize>, Option<Meaning>)> {
    if line.len() > ANALYSED {
        return Vec::new();
    }
    highlight(line)
        .into_iter()
        .map(|(span, kind)| (span.start..span.end, meaning(kind)))
        .collect()
}

fn meaning(kind: Highlight) -> Option<Meaning> {
    Some(match kind {
        Highlight::Command => Meaning::SyntaxCommand,
        Highlight::Option | Highlight::Modifier => Meaning::SyntaxOption,
        Highlight::String => Meaning::SyntaxString,
        Highlight::Variable | Highlight::Number => Meaning::SyntaxVariable,
        Highlight::Operator => Meaning::SyntaxOperator,
        Highlight::Comment => Meaning::SyntaxComment,
        Highlight::Error => Meaning::SyntaxError,
        Highlight::OptionValue | Highlight::Text => return None,
    })
}

/// A line as it stands on one row.
pub fn one_line(line: &str) -> String {
    safe_line(line)
}

/// `310ms`, `2.1s`, then as Kubernetes prints ages.
pub fn duration(elapsed: Duration) -> String {
    match elapsed.as_millis() {
        millis @ 0..1000 => format!("{millis}ms"),
        millis @ 1000..60_000 => format!("{}.{}s", millis / 1000, millis % 1000 / 100),
        _ => crate::feed::health::human_duration(elapsed),
    }
}

/// The time of day in a zone.
pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    let at = zone.to_datetime(at);
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let cases = [
            (0, "0ms"),
            (999, "999ms"),
            (2150, "2.1s"),
            (59_999, "59.9s"),
            (125_000, "2m5s"),
        ];
        for (millis, wanted) in cases {
            assert_eq!(duration(Duration::from_millis(millis)), wanted);
        }
    }

    #[test]
    fn pieces_hold_the_whole_line_and_nothing_unsafe() {
        let line = "kubectl:get deploy | jq '.x' \u{1b}[31m\nnext";
        let joined: String = pieces(line, Meaning::Text).into_iter().map(|(text, _)| text).collect();
        assert_eq!(joined, safe_line(line));
        assert!(
            pieces(line, Meaning::Text)
                .iter()
                .any(|(text, m)| text.starts_with("kubectl") && *m == Meaning::SyntaxCommand)
        );
    }
}
