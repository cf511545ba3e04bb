//! `history [RANGE]`: the lines that were run, oldest first.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use serde_json::json;

use super::limit;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{
    Call, Declaration, Header, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb, View,
};

/// Lines that are looked at, at most.
pub const MOST: usize = 20_000;

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "history", "List the lines that were run, oldest first")
        .description("Lines that start with a blank are not kept; secret values are masked.")
        .input(InputMode::None)
        .positional(
            Positional::new(
                "range",
                OptionKind::String,
                "numbers: 7, 7- (from it on), -7 (up to it), 3-7",
            )
            .optional(),
        )
        .options([
            OptionSpec::new("limit", OptionKind::Int, "at most so many, the newest")
                .short('l')
                .default("20"),
            OptionSpec::new("search", OptionKind::String, "only lines that hold this text").short('s'),
        ])
        .output("{\"number\", \"line\", \"context\", \"exit\"}")
        .example("history -l 5", "the last five")
        .example("history 10-20 -s kubectl", "");
    Verb::read(declaration, History)
}

struct History;

#[async_trait]
impl Read for History {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let limit = limit(call, "limit")?;
        let range = call.arguments.text_at(0).map(|text| range(&text)).transpose()?;
        let search = call.arguments.text("search");
        let mut lines = call.session.history(MOST).await?;
        lines.retain(|line| {
            range.as_ref().is_none_or(|range| range.contains(&line.number))
                && search.as_ref().is_none_or(|text| line.line.contains(text.as_str()))
        });
        let header = Header::new(["NUMBER", "EXIT", "CONTEXT", "LINE"]);
        let skip = lines.len().saturating_sub(limit);
        for entry in lines.into_iter().skip(skip) {
            let exit = entry.exit.map_or_else(|| "-".to_owned(), |exit| exit.to_string());
            let view = View::row(
                &header,
                vec![
                    entry.number.to_string(),
                    exit,
                    entry.context.clone(),
                    entry.line.clone(),
                ],
            );
            let record =
                json!({"number": entry.number, "line": entry.line, "context": entry.context, "exit": entry.exit});
            output.emit_as(record, view).await?;
        }
        Ok(())
    }
}

/// `7`, `7-`, `-7`, `3-7`.
fn range(text: &str) -> Result<RangeInclusive<u64>, Report> {
    let wrong = || {
        Report::refused("E-HISTORY-003", format!("{text:?} is no range of numbers")).hint("such as 7, 7-, -7 or 3-7")
    };
    let number = |text: &str, open: u64| match text {
        "" => Ok(open),
        digits => digits.parse::<u64>().map_err(|_| wrong()),
    };
    match text.split_once('-') {
        None => number(text, u64::MAX).map(|one| one..=one),
        Some(("", "")) => Err(wrong()),
        Some((from, to)) => {
            let range = number(from, 0)?..=number(to, u64::MAX)?;
            match range.is_empty() {
                true => Err(wrong()),
                false => Ok(range),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::range;

    #[test]
    fn d4_ranges_of_every_form() {
        assert_eq!(range("7").unwrap(), 7..=7);
        assert_eq!(range("7-").unwrap(), 7..=u64::MAX);
        // The ancestor crashed on this form.
        assert_eq!(range("-10").unwrap(), 0..=10);
        assert_eq!(range("3-7").unwrap(), 3..=7);
        for wrong in ["-", "x", "1-x", "1-2-3", "--2", "5-2"] {
            assert_eq!(range(wrong).unwrap_err().code, "E-HISTORY-003", "{wrong}");
        }
    }
}
