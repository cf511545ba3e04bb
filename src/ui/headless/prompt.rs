//! A secret typed on the terminal, unseen, or read from standard input. The terminal is put into its raw mode, so that
//! nothing echoes; what is typed is edited here. Not for questions about plans: without a screen nobody is asked those.

use std::io::{self, Read, Write};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use tokio::sync::oneshot;

use crate::core::report::Report;
use crate::core::text::{LONGEST_SECRET, Secret, safe_line};

/// The longest text that standard input is read as (bytes).
const LONGEST_TEXT: u64 = 16 << 20;

/// Asks on the terminal.
pub async fn ask(what: &str) -> Result<Secret, Report> {
    let failed = |error: io::Error| Report::refused("E-SECRET-007", "the terminal cannot be asked").because(&error);
    // Before the question: who answers at once is not seen either.
    let raw = Raw::begin().map_err(failed)?;
    let _ = write!(io::stderr(), "{}: ", safe_line(what));
    let _ = io::stderr().flush();
    // A thread of its own: it may wait for a key for ever, and nobody waits for it.
    let (answer, typed) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = answer.send(read(io::stdin().lock()));
    });
    let typed = typed.await;
    drop(raw);
    let _ = writeln!(io::stderr());
    match typed {
        Ok(Ok(Some(bytes))) => Secret::read(bytes).map_err(|why| {
            let message = format!("{}: {why}", safe_line(what));
            Report::refused("E-SECRET-008", message)
        }),
        Ok(Err(error)) => Err(failed(error)),
        Ok(Ok(None)) | Err(_) => Err(Report::interrupted()),
    }
}

/// All of standard input, without its last line break.
pub async fn of_input(what: &str) -> Result<Secret, Report> {
    let refuse = |why: &dyn std::fmt::Display| {
        Report::refused(
            "E-SECRET-008",
            format!("{what} cannot be read from standard input: {why}"),
        )
    };
    let bytes = at_most(LONGEST_SECRET as u64 + 2)
        .await
        .map_err(|error| refuse(&error))?;
    Secret::read(bytes).map_err(|why| refuse(&why))
}

/// All of standard input as text.
pub async fn text_of_input() -> Result<String, Report> {
    let refuse = |why: &str| Report::failed("E-RUN-INPUT", format!("standard input {why}"));
    let bytes = at_most(LONGEST_TEXT + 1)
        .await
        .map_err(|error| refuse("cannot be read").because(&error))?;
    if bytes.len() as u64 > LONGEST_TEXT {
        return Err(refuse(&format!("holds more than {} MiB", LONGEST_TEXT >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| refuse("is no text in UTF-8").because(&error))
}

/// So many bytes of standard input, or all of it. A thread of its own: a read may take for ever.
async fn at_most(bytes: u64) -> io::Result<Vec<u8>> {
    let (answer, read) = oneshot::channel();
    std::thread::spawn(move || {
        let mut found = Vec::new();
        let read = io::stdin().lock().take(bytes).read_to_end(&mut found);
        let _ = answer.send(read.map(|_| found));
    });
    read.await.map_err(io::Error::other)?
}

/// The raw mode as long as it lives.
struct Raw;

impl Raw {
    fn begin() -> io::Result<Raw> {
        enable_raw_mode()?;
        Ok(Raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = disable_raw_mode();
    }
}

/// What a key of several bytes has sent so far.
#[derive(Clone, Copy)]
enum Escape {
    /// ESC, which may be all.
    Begun,
    /// `ESC [`: goes on up to a letter or `~`.
    Long,
    /// `ESC O`: one more.
    Short,
}

impl Escape {
    /// What it is with one byte more: still open, over with this byte, or over before it.
    fn next(self, byte: u8) -> Result<Option<Escape>, ()> {
        match (self, byte) {
            (Escape::Begun, b'[') => Ok(Some(Escape::Long)),
            (Escape::Begun, b'O') => Ok(Some(Escape::Short)),
            (Escape::Long, b' '..=b'?') => Ok(Some(Escape::Long)),
            (Escape::Long, b'@'..=b'~') | (Escape::Short, b' '..=b'~') => Ok(None),
            _ => Err(()),
        }
    }
}

/// Reads keys to Enter; none: it was given up by Ctrl-C, Ctrl-D or the terminal's end.
#[expect(
    clippy::unbuffered_bytes,
    reason = "what is typed behind Enter is not ours to take from the terminal"
)]
fn read(keys: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut typed: Vec<u8> = Vec::new();
    let mut escape = None;
    for key in keys.bytes() {
        let key = key?;
        if let Some(Ok(open)) = escape.take().map(|escape: Escape| escape.next(key)) {
            escape = open;
            continue;
        }
        match key {
            b'\r' | b'\n' => return Ok(Some(typed)),
            // Ctrl-C, Ctrl-D.
            3 | 4 => return Ok(None),
            // Backspace takes a whole character: its first byte is the one that continues nothing.
            8 | 127 => while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // Ctrl-U.
            21 => typed.clear(),
            27 => escape = Some(Escape::Begun),
            control if control < b' ' => {}
            _ if typed.len() >= LONGEST_SECRET => return Err(io::Error::other("it is too long")),
            byte => typed.push(byte),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn b10_what_is_typed_is_edited_and_can_be_given_up() {
        for (keys, expected) in [
            ("tok-1\r", Some("tok-1")),
            ("tok\u{7f}\u{8}ab\n", Some("tab")),
            ("é\u{7f}x\u{7f}\u{7f}\u{7f}y\r", Some("y")),
            ("wrong\u{15}right\r", Some("right")),
            ("a\u{1b}\tb\r", Some("ab")),
            // Arrows, Delete, F1, Alt-x, Esc.
            ("a\u{1b}[Db\u{1b}[1;5C\u{1b}[3~c\u{1b}OPd\r", Some("abcd")),
            ("a\u{1b}x\u{1b}\r", Some("ax")),
            ("a\u{1b}[1\r", Some("a")),
            ("\r", Some("")),
            ("tok\u{3}", None),
            ("\u{4}", None),
            ("tok", None),
        ] {
            let found = read(keys.as_bytes()).unwrap();
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{keys:?}");
        }
        assert!(read(vec![b'x'; LONGEST_SECRET + 1].as_slice()).is_err());
    }
}
