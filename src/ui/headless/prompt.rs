//! A secret typed on the terminal, unseen, or read from standard input. The terminal is put into its raw mode, so that
//! nothing echoes; what is typed is edited here. Not for questions about plans: without a screen nobody is asked those.

use std::io::{self, Read, Write};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use tokio::sync::oneshot;

use crate::core::report::Report;
use crate::core::text::{Secret, safe_line};

/// A value, at most; the same as of one from a file.
const LONGEST: usize = 64 << 10;

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
        Ok(Ok(Some(secret))) => Ok(secret),
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
    let (answer, read) = oneshot::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(LONGEST as u64 + 2).read_to_end(&mut bytes);
        let _ = answer.send(read.map(|_| bytes));
    });
    let bytes = read
        .await
        .map_err(|error| refuse(&error))?
        .map_err(|error| refuse(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| refuse(&"it is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text).trim_end_matches('\r');
    match text.len() {
        0 => Err(refuse(&"it is empty")),
        length if length > LONGEST => Err(refuse(&format!("it is larger than {LONGEST} bytes"))),
        _ => Ok(Secret::new(text)),
    }
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

/// Reads keys to Enter; none: it was given up by Ctrl-C, Ctrl-D or the terminal's end.
#[expect(
    clippy::unbuffered_bytes,
    reason = "what is typed behind Enter is not ours to take from the terminal"
)]
fn read(keys: impl Read) -> io::Result<Option<Secret>> {
    let mut typed: Vec<u8> = Vec::new();
    for key in keys.bytes() {
        match key? {
            b'\r' | b'\n' => {
                let text = String::from_utf8(typed).map_err(|_| io::Error::other("it is not UTF-8"))?;
                return Ok(Some(Secret::new(text)));
            }
            // Ctrl-C, Ctrl-D.
            3 | 4 => return Ok(None),
            // Backspace takes a whole character: its first byte is the one that continues nothing.
            8 | 127 => while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // Ctrl-U.
            21 => typed.clear(),
            control if control < b' ' => {}
            _ if typed.len() >= LONGEST => return Err(io::Error::other("it is too long")),
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
            ("\r", Some("")),
            ("tok\u{3}", None),
            ("\u{4}", None),
            ("tok", None),
        ] {
            let found = read(keys.as_bytes()).unwrap();
            assert_eq!(found.as_ref().map(Secret::reveal), expected, "{keys:?}");
        }
        assert!(read([0xff, b'\r'].as_slice()).is_err());
        assert!(read(vec![b'x'; LONGEST + 1].as_slice()).is_err());
    }
}
