//! `aws-chunked` bodies: hex size, line break, data, line break, until size 0; then trailers, which are skipped.

use bytes::Bytes;

use super::super::fault::Fault;

/// The object inside. Chunk extensions (signatures) are not accepted.
pub(super) fn decode(body: &[u8]) -> Result<Bytes, Fault> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    loop {
        let (size, tail) = head(rest).ok_or_else(incomplete)?;
        if size == 0 {
            return Ok(out.into());
        }
        let data = tail.get(..size).ok_or_else(incomplete)?;
        out.extend_from_slice(data);
        rest = tail[size..].strip_prefix(b"\r\n").ok_or_else(incomplete)?;
    }
}

fn head(body: &[u8]) -> Option<(usize, &[u8])> {
    let end = body.windows(2).take(20).position(|pair| pair == b"\r\n")?;
    let digits = std::str::from_utf8(&body[..end]).ok()?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((usize::from_str_radix(digits, 16).ok()?, &body[end + 2..]))
}

fn incomplete() -> Fault {
    Fault::bad("IncompleteBody", "The chunks of the body do not add up.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn chunks_are_joined_and_broken_ones_refused() {
        assert_eq!(
            decode(b"3\r\nabc\r\n1\r\nd\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n").unwrap(),
            "abcd"
        );
        assert_eq!(decode(b"0\r\n\r\n").unwrap(), "");
        for body in [
            &b""[..],
            b"3\r\nab",
            b"3\r\nabcd\r\n0\r\n",
            b"ffffffffffffffff\r\na\r\n",
            b"+1\r\na\r\n0\r\n",
            b"zz\r\n",
        ] {
            assert!(decode(body).is_err(), "{body:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(body: Vec<u8>) {
            let _ = decode(&body);
        }
    }
}
