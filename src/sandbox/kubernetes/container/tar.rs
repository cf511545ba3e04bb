//! Archives as `tar` writes and reads them (POSIX ustar; GNU long names are understood). Folders and files only.

use super::files::{Files, Node, Trouble};

const BLOCK: usize = 512;

/// An archive of paths, named without their leading slash, as tar does.
pub fn pack<'a>(entries: impl Iterator<Item = (&'a str, &'a Node)>) -> Vec<u8> {
    let mut archive = Vec::new();
    for (path, node) in entries {
        let name = path.trim_start_matches('/');
        let (name, kind, bytes): (String, u8, &[u8]) = match node {
            Node::Folder => (format!("{name}/"), b'5', &[]),
            Node::File(bytes) => (name.to_owned(), b'0', bytes),
        };
        if name.len() > 100 {
            header(&mut archive, "././@LongLink", b'L', name.len() + 1);
            block(&mut archive, format!("{name}\0").as_bytes());
        }
        header(&mut archive, &name, kind, bytes.len());
        block(&mut archive, bytes);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

fn header(archive: &mut Vec<u8>, name: &str, kind: u8, size: usize) {
    let mut head = [0u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8], most: usize| {
        for (slot, byte) in head.iter_mut().skip(at).zip(bytes.iter().take(most)) {
            *slot = *byte;
        }
    };
    put(0, name.as_bytes(), 100);
    put(100, if kind == b'5' { b"0000755\0" } else { b"0000644\0" }, 8);
    put(108, b"0000000\0", 8);
    put(116, b"0000000\0", 8);
    put(124, format!("{size:011o}\0").as_bytes(), 12);
    put(136, b"00000000000\0", 12);
    put(148, b"        ", 8);
    put(156, &[kind], 1);
    put(257, b"ustar\x0000", 8);
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    for (slot, byte) in head.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *slot = byte;
    }
    archive.extend(head);
}

fn block(archive: &mut Vec<u8>, bytes: &[u8]) {
    archive.extend_from_slice(bytes);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
}

/// Why an archive could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It is no archive, or ends in the middle.
    #[error("short read")]
    Short,
    /// A path could not be made.
    #[error("can't create '{0}': {1}")]
    Path(String, Trouble),
}

/// Unpacks an archive below a folder.
pub fn unpack(files: &mut Files, folder: &str, archive: &[u8]) -> Result<(), Broken> {
    let mut long = None;
    for entry in entries(archive) {
        let (name, kind, bytes) = entry?;
        if kind == b'L' {
            long = Some(String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned());
            continue;
        }
        let name = long.take().unwrap_or(name);
        // Extended headers and links have nothing to say here.
        if !matches!(kind, b'0' | 0 | b'5') {
            continue;
        }
        let path = format!("{folder}{}", Files::resolve("", name.trim_start_matches('/')));
        let told = |trouble| Broken::Path(name.clone(), trouble);
        if kind == b'5' {
            files.make(&path, true).map_err(told)?;
            continue;
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            files.make(parent, true).map_err(told)?;
        }
        files.write(&path, bytes, false).map_err(told)?;
    }
    Ok(())
}

/// Whether the archive is there to its end mark.
pub fn is_whole(archive: &[u8]) -> bool {
    let mut at = 0;
    while let Some(head) = archive.get(at..at + BLOCK) {
        if head.iter().all(|byte| *byte == 0) {
            return archive.len() >= at + 2 * BLOCK;
        }
        at = at
            .saturating_add(BLOCK)
            .saturating_add(size(head).next_multiple_of(BLOCK));
    }
    false
}

/// Names, kinds and contents.
fn entries(archive: &[u8]) -> impl Iterator<Item = Result<(String, u8, &[u8]), Broken>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let head = archive.get(at..at + BLOCK)?;
        if head.iter().all(|byte| *byte == 0) {
            return None;
        }
        let size = size(head);
        let begin = at + BLOCK;
        let Some(bytes) = begin.checked_add(size).and_then(|end| archive.get(begin..end)) else {
            at = archive.len();
            return Some(Err(Broken::Short));
        };
        at = begin + size.next_multiple_of(BLOCK);
        let field = |from: usize, most: usize| -> String {
            let bytes = head.iter().skip(from).take(most).copied().take_while(|byte| *byte != 0);
            String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
        };
        let (prefix, name) = (field(345, 155), field(0, 100));
        let ustar = head.get(257..262) == Some(b"ustar");
        let name = if ustar && !prefix.is_empty() {
            format!("{prefix}/{name}")
        } else {
            name
        };
        Some(Ok((name, head.get(156).copied().unwrap_or(0), bytes)))
    })
}

/// The size field: octal, bounded by what an address can say.
fn size(head: &[u8]) -> usize {
    let digits = head.iter().skip(124).take(11).filter(|byte| byte.is_ascii_digit());
    digits
        .fold(0usize, |sum, digit| {
            sum.saturating_mul(8).saturating_add(usize::from(digit - b'0'))
        })
        .min(1 << 40)
}
