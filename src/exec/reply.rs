//! What a command answers on stdout, line by line, and what its end means. A machine without IO.
//!
//! Tags at the start of a line: `COG_TEMPLATE: name`, `COGCMD_DEBUG|INFO|WARN|ERR|ERROR: text`, `COGCMD_ACTION: abort`;
//! a line that is exactly `JSON` makes everything after it one JSON document. Source: Cog's relay contract; mended:
//! scalars and mixed lists are records too, and stderr of a success is kept.

use serde_json::{Value, json};

use super::request::Request;
use crate::core::record::Record;
use crate::core::report::Report;

/// Output kept at most, stdout and stderr each; a command that writes more fails rather than filling memory.
pub const LARGEST_OUTPUT: usize = 16 << 20;
/// What keeping a line costs beside its bytes, so that empty lines are not free.
const LINE_COST: usize = 32;

/// A command's finished answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The records: none, one, or one an element of the JSON list.
    pub records: Vec<Record>,
    /// The template it chose.
    pub template: Option<String>,
    /// Its log lines: level and text.
    pub log: Vec<(String, String)>,
    /// It asked to abort the pipeline.
    pub abort: bool,
    /// What it wrote to stderr.
    pub notes: String,
    /// Its exit code; records are kept only when it is 0.
    pub exit_code: i64,
    /// The last line of plain text, for a failure that says nothing on stderr.
    last_line: Option<String>,
}

impl Reply {
    /// An exit code other than 0 is a failure whose reason is the last line on stderr.
    pub fn failure(&self) -> Option<Report> {
        if self.exit_code == 0 {
            return None;
        }
        let ending = format!("(exit code {})", self.exit_code);
        let said = self.notes.lines().rfind(|line| !line.trim().is_empty());
        let message = match (said, &self.last_line) {
            (Some(line), _) => format!("{} {ending}", line.trim()),
            (None, Some(line)) => {
                format!("the command failed and said nothing on stderr; its last line is {line:?} {ending}")
            }
            (None, None) => format!("the command failed and said nothing {ending}"),
        };
        Some(Report::failed("E-EXEC-002", message))
    }

    /// Passes everything that becomes messages through `clean`; records are data and stay.
    pub fn redact(&mut self, clean: impl Fn(&str) -> String) {
        self.notes = clean(&self.notes);
        self.last_line = self.last_line.as_deref().map(&clean);
        for (_, text) in &mut self.log {
            *text = clean(text);
        }
    }
}

/// Reads stdout as it comes.
#[derive(Debug, Default)]
pub struct ReplyParser {
    pending: Vec<u8>,
    lines: Vec<String>,
    json: Option<Vec<u8>>,
    reply: Reply,
    size: usize,
}

impl ReplyParser {
    /// Takes a piece of stdout; gives the plain text lines that became complete, for whoever watches.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, Report> {
        self.grow(bytes.len())?;
        let mut shown = Vec::new();
        let mut rest = bytes;
        while self.json.is_none() {
            let Some(at) = rest.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            self.pending.extend_from_slice(&rest[..at]);
            rest = &rest[at + 1..];
            self.grow(LINE_COST)?;
            shown.extend(self.line());
        }
        match &mut self.json {
            Some(document) => document.extend_from_slice(rest),
            None => self.pending.extend_from_slice(rest),
        }
        Ok(shown)
    }

    fn grow(&mut self, bytes: usize) -> Result<(), Report> {
        self.size += bytes;
        if self.size <= LARGEST_OUTPUT {
            return Ok(());
        }
        let message = format!("the command wrote more than {} MiB", LARGEST_OUTPUT >> 20);
        Err(Report::failed("E-EXEC-001", message).hint("let it write less, or fewer lines"))
    }

    fn line(&mut self) -> Option<String> {
        let bytes = std::mem::take(&mut self.pending);
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_suffix('\r').unwrap_or(&text);
        if text == "JSON" {
            self.json = Some(Vec::new());
            return None;
        }
        let tagged = text.split_once(':').map(|(tag, value)| (tag, value.trim()));
        match tagged {
            Some(("COG_TEMPLATE", name)) => self.reply.template = Some(name.to_owned()),
            Some(("COGCMD_ACTION", "abort")) => self.reply.abort = true,
            Some((tag, message)) if log_level(tag).is_some() => {
                let level = log_level(tag).unwrap_or_default().to_owned();
                self.reply.log.push((level, message.to_owned()));
            }
            _ => {
                self.lines.push(text.to_owned());
                return Some(text.to_owned());
            }
        }
        None
    }

    /// The end: with an exit code other than 0 stdout holds no records.
    pub fn finish(mut self, exit_code: i64, stderr: &str) -> Result<Reply, Report> {
        if !self.pending.is_empty() {
            self.line();
        }
        self.reply.exit_code = exit_code;
        self.reply.notes = stderr.trim_end().to_owned();
        self.reply.last_line = self.lines.iter().rfind(|line| !line.trim().is_empty()).cloned();
        self.reply.records = match self.json.take() {
            _ if exit_code != 0 => Vec::new(),
            Some(document) => records(&document)?,
            None if self.lines.is_empty() => Vec::new(),
            None => vec![json!({"body": self.lines})],
        };
        Ok(self.reply)
    }
}

/// Both output streams of one command as they come, wherever it runs.
#[derive(Debug, Default)]
pub struct Answer {
    parser: ReplyParser,
    stderr: Vec<u8>,
}

impl Answer {
    /// Takes a piece of stdout; `watch` sees each plain text line that became complete.
    pub fn stdout(&mut self, bytes: &[u8], watch: &mut impl FnMut(String)) -> Result<(), Report> {
        self.parser.feed(bytes)?.into_iter().for_each(watch);
        Ok(())
    }

    /// Takes a piece of stderr; what is beyond [`LARGEST_OUTPUT`] is dropped.
    pub fn stderr(&mut self, bytes: &[u8]) {
        let room = LARGEST_OUTPUT.saturating_sub(self.stderr.len());
        self.stderr.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// The end. What becomes messages shows no secret of the request.
    pub fn finish(self, exit_code: i64, request: &Request) -> Result<Reply, Report> {
        let mut reply = self.parser.finish(exit_code, &String::from_utf8_lossy(&self.stderr))?;
        reply.redact(|text| request.redact(text));
        Ok(reply)
    }
}

fn log_level(tag: &str) -> Option<&'static str> {
    match tag {
        "COGCMD_DEBUG" => Some("debug"),
        "COGCMD_INFO" => Some("info"),
        "COGCMD_WARN" => Some("warn"),
        "COGCMD_ERR" | "COGCMD_ERROR" => Some("error"),
        _ => None,
    }
}

fn records(document: &[u8]) -> Result<Vec<Record>, Report> {
    let value: Value = serde_json::from_slice(document).map_err(|error| {
        Report::failed("E-EXEC-003", "what the command wrote after its JSON line is not JSON").because(&error)
    })?;
    Ok(match value {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        one => vec![one],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(stdout: &str) -> Result<Reply, Report> {
        let mut parser = ReplyParser::default();
        for piece in stdout.as_bytes().chunks(3) {
            parser.feed(piece)?;
        }
        parser.finish(0, "")
    }

    #[test]
    fn c4_tags_are_read_and_text_becomes_one_body() {
        let reply = parse("COG_TEMPLATE: a\nhello\nCOGCMD_WARN: low disk\nCOG_TEMPLATE: b\nworld").unwrap();
        assert_eq!(reply.records, [json!({"body": ["hello", "world"]})]);
        assert_eq!(reply.template.as_deref(), Some("b"));
        assert_eq!(reply.log, [("warn".to_owned(), "low disk".to_owned())]);
    }

    #[test]
    fn c4_after_the_json_line_no_tag_is_looked_for() {
        let reply = parse("note: x\nJSON\n[{\"a\": 1},\n{\"b\": \"COG_TEMPLATE: x\"}]\n").unwrap();
        assert_eq!(reply.records, [json!({"a": 1}), json!({"b": "COG_TEMPLATE: x"})]);
        assert_eq!(reply.template, None);
    }

    #[test]
    fn c6_scalars_and_mixed_lists_are_records_and_broken_json_is_an_error() {
        assert_eq!(parse("JSON\n5").unwrap().records, [json!(5)]);
        assert_eq!(
            parse("JSON\n[1, \"a\", null]").unwrap().records,
            [json!(1), json!("a"), Value::Null]
        );
        assert_eq!(parse("JSON\nnull").unwrap().records, Vec::<Value>::new());
        assert_eq!(parse("JSON\n{").unwrap_err().code, "E-EXEC-003");
    }

    #[test]
    fn c5_c7_stderr_of_a_success_is_kept_and_abort_is_told() {
        let mut parser = ReplyParser::default();
        parser.feed(b"COGCMD_ACTION: abort\n").unwrap();
        let reply = parser.finish(0, "warning: slow\n").unwrap();
        assert_eq!(
            (reply.abort, reply.notes.as_str(), reply.records.len()),
            (true, "warning: slow", 0)
        );
    }

    #[test]
    fn a_failure_always_says_something_and_has_no_records() {
        let failure = |stdout: &str, stderr: &str| {
            let mut parser = ReplyParser::default();
            parser.feed(stdout.as_bytes()).unwrap();
            let reply = parser.finish(3, stderr).unwrap();
            assert!(reply.records.is_empty());
            reply.failure().unwrap().message
        };
        assert_eq!(
            failure("", "Traceback:\n  line 1\nno such zone\n\n"),
            "no such zone (exit code 3)"
        );
        assert!(failure("it broke\n", " \n").contains("\"it broke\" (exit code 3)"));
        assert!(failure("", "").contains("exit code 3"));
        assert!(failure("JSON\n{broken", "").contains("exit code 3"));
    }

    #[test]
    fn output_without_end_is_refused() {
        let mut parser = ReplyParser::default();
        let piece = vec![b'x'; 1 << 20];
        let refused = (0..20).find_map(|_| parser.feed(&piece).err());
        assert_eq!(refused.map(|report| report.code), Some("E-EXEC-001"));
        let mut parser = ReplyParser::default();
        assert!(parser.feed(&vec![b'\n'; 1 << 20]).is_err(), "empty lines are not free");
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_pieces_do_not_matter(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 1usize..20) {
            let mut whole = ReplyParser::default();
            whole.feed(&bytes).unwrap();
            let mut pieces = ReplyParser::default();
            for piece in bytes.chunks(cut) {
                pieces.feed(piece).unwrap();
            }
            prop_assert_eq!(whole.finish(0, ""), pieces.finish(0, ""));
        }
    }
}
