//! Small text files that anybody may have written to: configuration, and what is remembered between sessions. Not for
//! data, and not for writing.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Bytes of such a file at most: parsed, each one takes some fifty in memory.
const MOST: u64 = 1 << 20;

/// The whole text; none where there is no such file. A file of more than a mebibyte is refused.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = String::new();
    match file.take(MOST + 1).read_to_string(&mut text)? as u64 {
        ..=MOST => Ok(Some(text)),
        _ => Err(io::Error::new(
            ErrorKind::FileTooLarge,
            "it is larger than a mebibyte, which no such file has to be",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(read(&path).unwrap(), None);
        for (bytes, wanted) in [(0, true), (1 << 20, true), ((1 << 20) + 1, false)] {
            std::fs::write(&path, "x".repeat(bytes)).unwrap();
            assert_eq!(
                read(&path).is_ok_and(|text| text.is_some_and(|text| text.len() == bytes)),
                wanted
            );
        }
        std::fs::write(&path, b"\xff\xfe").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("UTF-8"));
        assert!(read(folder.path()).is_err());
    }
}
