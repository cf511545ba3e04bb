//! Archives (POSIX.1-1988 ustar, with GNU's long names and the `path` of pax headers): heads written, and a reader that is fed
//! pieces. Without IO. Not for owners, times and special files.

use std::path::{Component, Path, PathBuf};

/// Everything in an archive is a multiple of this.
pub const BLOCK: usize = 512;
/// Longest name that is read (bytes).
const LONGEST_NAME: usize = 8 * 1024;

/// What a head announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file of this many bytes.
    File(u64),
    /// A folder.
    Folder,
}

/// The head of an entry, before a long name's own head and text.
pub fn head(name: &str, kind: Kind, mode: u32, out: &mut Vec<u8>) {
    let name = match kind {
        Kind::Folder => format!("{}/", name.trim_end_matches('/')),
        Kind::File(_) => name.to_owned(),
    };
    if name.len() > 100 {
        block("././@LongLink", b'L', name.len() as u64 + 1, 0o644, out);
        out.extend(name.as_bytes());
        out.push(0);
        pad(out);
    }
    match kind {
        Kind::Folder => block(&name, b'5', 0, mode, out),
        Kind::File(size) => block(&name, b'0', size, mode, out),
    }
}

fn block(name: &str, kind: u8, size: u64, mode: u32, out: &mut Vec<u8>) {
    let mut block = [0u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8], most: usize| {
        for (slot, byte) in block.iter_mut().skip(at).zip(bytes.iter().take(most)) {
            *slot = *byte;
        }
    };
    put(0, name.as_bytes(), 100);
    put(100, format!("{:07o}\0", mode & 0o7777).as_bytes(), 8);
    put(108, b"0000000\0", 8);
    put(116, b"0000000\0", 8);
    match format!("{size:011o}\0").as_bytes() {
        octal if octal.len() == 12 => put(124, octal, 12),
        // GNU's way for what eleven octal digits cannot say.
        _ => {
            put(124, &[0x80], 1);
            put(128, &size.to_be_bytes(), 8);
        }
    }
    put(136, b"00000000000\0", 12);
    put(148, b"        ", 8);
    put(156, &[kind], 1);
    put(257, b"ustar\x0000", 8);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    for (slot, byte) in block.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *slot = byte;
    }
    out.extend(block);
}

/// Fills up to a whole block.
pub fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// The end of an archive.
pub fn end(out: &mut Vec<u8>) {
    out.resize(out.len() + 2 * BLOCK, 0);
}

/// What a reader comes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An entry begins.
    Begin(String, Kind),
    /// Bytes of the file that began.
    Data(Vec<u8>),
    /// A link or a special file, which is passed over.
    PassedOver(String),
    /// The archive is over.
    End,
}

/// What is wrong with an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A head's sum is wrong.
    #[error("it is no tar archive, or a broken one")]
    Sum,
    /// A name is longer than any.
    #[error("it holds a name longer than {LONGEST_NAME} bytes")]
    Name,
}

/// Where in an archive a reader stands.
#[derive(Debug, Default)]
enum State {
    #[default]
    Head,
    /// Bytes left, of them padding; whether they are wanted.
    Body {
        left: u64,
        padding: u64,
        wanted: bool,
    },
    /// A name for the next entry: bytes left, of them padding; pax or GNU.
    Name {
        left: u64,
        padding: u64,
        pax: bool,
        text: Vec<u8>,
    },
    Over,
}

/// Reads an archive that comes in pieces of any size.
#[derive(Debug, Default)]
pub struct Reader {
    state: State,
    head: Vec<u8>,
    long: Option<String>,
}

impl Reader {
    /// Whether the archive came to its end.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Takes a piece and tells what it held.
    pub fn feed(&mut self, mut piece: &[u8], mut tell: impl FnMut(Event)) -> Result<(), Broken> {
        while !piece.is_empty() {
            match &mut self.state {
                State::Over => return Ok(()),
                State::Head => {
                    let taken = piece.len().min(BLOCK - self.head.len());
                    let (mine, rest) = piece.split_at(taken);
                    self.head.extend_from_slice(mine);
                    piece = rest;
                    if self.head.len() == BLOCK {
                        let head = std::mem::take(&mut self.head);
                        self.state = self.begin(&head, &mut tell)?;
                    }
                }
                State::Body { left, padding, wanted } => {
                    let data = left.saturating_sub(*padding);
                    let taken = usize::try_from(if data > 0 { data } else { *left })
                        .unwrap_or(usize::MAX)
                        .min(piece.len());
                    let (mine, rest) = piece.split_at(taken);
                    if data > 0 && *wanted {
                        tell(Event::Data(mine.to_vec()));
                    }
                    *left -= taken as u64;
                    piece = rest;
                    if *left == 0 {
                        self.state = State::Head;
                    }
                }
                State::Name {
                    left,
                    padding,
                    pax,
                    text,
                } => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
                    let (mine, rest) = piece.split_at(taken);
                    text.extend_from_slice(mine);
                    *left -= taken as u64;
                    piece = rest;
                    if *left == 0 {
                        let padding = usize::try_from(*padding).unwrap_or(0);
                        text.truncate(text.len().saturating_sub(padding));
                        let text = String::from_utf8_lossy(text).into_owned();
                        self.long = if *pax {
                            pax_path(&text).or(self.long.take())
                        } else {
                            Some(text.trim_end_matches('\0').to_owned())
                        };
                        self.state = State::Head;
                    }
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, head: &[u8], tell: &mut impl FnMut(Event)) -> Result<State, Broken> {
        if head.iter().all(|byte| *byte == 0) {
            tell(Event::End);
            return Ok(State::Over);
        }
        let sum = |(index, byte): (usize, &u8)| u64::from(if (148..156).contains(&index) { b' ' } else { *byte });
        if head.iter().enumerate().map(sum).sum::<u64>() != number(head, 148, 8) {
            return Err(Broken::Sum);
        }
        let size = number(head, 124, 12);
        let padding = size.next_multiple_of(BLOCK as u64) - size;
        let left = size + padding;
        let kind = head.get(156).copied().unwrap_or(0);
        if matches!(kind, b'L' | b'x') {
            if size > LONGEST_NAME as u64 {
                return Err(Broken::Name);
            }
            let (pax, text) = (kind == b'x', Vec::new());
            return Ok(if left == 0 {
                State::Head
            } else {
                State::Name {
                    left,
                    padding,
                    pax,
                    text,
                }
            });
        }
        let name = self.long.take().unwrap_or_else(|| name_of(head));
        let wanted = matches!(kind, b'0' | 0);
        match kind {
            b'0' | 0 => tell(Event::Begin(name, Kind::File(size))),
            b'5' => tell(Event::Begin(name, Kind::Folder)),
            // Global headers say nothing about one entry.
            b'g' => {}
            _ => tell(Event::PassedOver(name)),
        }
        Ok(if left == 0 {
            State::Head
        } else {
            State::Body { left, padding, wanted }
        })
    }
}

/// A number of a head: octal, or GNU's big-endian form; never more than a file can have.
fn number(head: &[u8], at: usize, length: usize) -> u64 {
    let field = head.get(at..at + length).unwrap_or_default();
    let value = match field.first() {
        Some(first) if first & 0x80 != 0 => field.iter().skip(1).fold(u64::from(first & 0x7f), |sum, byte| {
            sum.saturating_mul(256).saturating_add(u64::from(*byte))
        }),
        _ => field
            .iter()
            .filter(|byte| (b'0'..=b'7').contains(byte))
            .fold(0, |sum: u64, digit| {
                sum.saturating_mul(8).saturating_add(u64::from(digit - b'0'))
            }),
    };
    value.min(1 << 60)
}

fn name_of(head: &[u8]) -> String {
    let field = |from: usize, most: usize| {
        let bytes: Vec<u8> = head
            .iter()
            .skip(from)
            .take(most)
            .copied()
            .take_while(|byte| *byte != 0)
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (prefix, name) = (field(345, 155), field(0, 100));
    if head.get(257..262) == Some(b"ustar") && head.get(262) == Some(&0) && !prefix.is_empty() {
        format!("{prefix}/{name}")
    } else {
        name
    }
}

/// The `path` of a pax header: `LENGTH path=NAME\n`.
fn pax_path(text: &str) -> Option<String> {
    text.lines()
        .find_map(|line| Some(line.split_once(' ')?.1.strip_prefix("path=")?.to_owned()))
}

/// Where an entry belongs below the target: its name without the prefix. None: it is not below the prefix, or a step of it
/// would lead out.
pub fn below(prefix: &str, name: &str) -> Option<PathBuf> {
    let name = name.trim_start_matches("./").trim_end_matches('/');
    let rest = match name.strip_prefix(prefix)? {
        rest if prefix.is_empty() || rest.is_empty() => rest,
        rest => rest.strip_prefix('/')?,
    };
    let path = Path::new(rest);
    let steps = path
        .components()
        .all(|step| matches!(step, Component::Normal(_) | Component::CurDir));
    steps.then(|| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(archive: &[u8], piece: usize) -> Result<Vec<Event>, Broken> {
        let (mut reader, mut found) = (Reader::default(), Vec::new());
        for piece in archive.chunks(piece) {
            reader.feed(piece, |event| match (event, found.last_mut()) {
                (Event::Data(more), Some(Event::Data(bytes))) => bytes.extend(more),
                (event, _) => found.push(event),
            })?;
        }
        Ok(found)
    }

    #[test]
    fn what_is_written_is_read_in_pieces_of_any_size() {
        let long = format!("folder/{}", "n".repeat(150));
        let mut archive = Vec::new();
        head("folder", Kind::Folder, 0o755, &mut archive);
        head(&long, Kind::File(3), 0o644, &mut archive);
        archive.extend(b"abc");
        pad(&mut archive);
        head("empty", Kind::File(0), 0o600, &mut archive);
        end(&mut archive);
        let expected = vec![
            Event::Begin("folder/".into(), Kind::Folder),
            Event::Begin(long, Kind::File(3)),
            Event::Data(b"abc".to_vec()),
            Event::Begin("empty".into(), Kind::File(0)),
            Event::End,
        ];
        for piece in [1, 7, 512, 4096] {
            assert_eq!(read(&archive, piece).unwrap(), expected, "{piece}");
        }
    }

    #[test]
    fn hostile_archives_end_in_an_error_or_in_nothing() {
        assert_eq!(read(&[b'x'; 2048], 512), Err(Broken::Sum));
        let mut endless = Vec::new();
        block("././@LongLink", b'L', 1 << 40, 0, &mut endless);
        assert_eq!(read(&endless, 512), Err(Broken::Name));
        let mut huge = Vec::new();
        block("x", b'0', u64::MAX, 0, &mut huge);
        assert_eq!(
            read(&huge, 512).unwrap(),
            [Event::Begin("x".into(), Kind::File(1 << 60))]
        );
        let mut link = Vec::new();
        block("etc", b'2', 0, 0, &mut link);
        assert_eq!(read(&link, 512).unwrap(), [Event::PassedOver("etc".into())]);
    }

    #[test]
    fn names_stay_below_the_target() {
        let at = |prefix: &str, name: &str| below(prefix, name).map(|path| path.display().to_string());
        assert_eq!(at("data", "data/a/b").as_deref(), Some("a/b"));
        assert_eq!(at("data", "data/").as_deref(), Some(""));
        assert_eq!(at("", "./a").as_deref(), Some("a"));
        for (prefix, name) in [
            ("data", "data/../../etc/passwd"),
            ("data", "etc/passwd"),
            ("", "/etc/passwd"),
            ("data", "database/x"),
        ] {
            assert_eq!(at(prefix, name), None, "{name}");
        }
    }
}
