//! Header blocks of SPDY/3: names and values, compressed in one zlib stream a direction, with a preset dictionary.

use std::collections::HashSet;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::Malformed;

/// Longest header block, unpacked (bytes); kubectl's have a hundred.
const LONGEST: usize = 8 * 1024;
/// Names of one block.
const MOST: usize = 64;

/// Names in lower case with their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The value of a name in lower case; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// Unpacks the blocks of one direction. Every block has to pass through it, in order: they share one zlib stream.
pub(super) struct Unpack(Decompress);

impl Unpack {
    pub fn new() -> Self {
        Unpack(Decompress::new(true))
    }

    /// One block.
    pub fn read(&mut self, block: &[u8]) -> Result<Headers, Malformed> {
        parse(&self.inflate(block)?)
    }

    fn inflate(&mut self, mut block: &[u8]) -> Result<Vec<u8>, Malformed> {
        // Nothing is ever written beyond the capacity, however much the block unpacks to.
        let mut plain = Vec::with_capacity(LONGEST + 1);
        while !block.is_empty() {
            let before = self.0.total_in();
            let length = plain.len();
            let unpacked = self.0.decompress_vec(block, &mut plain, FlushDecompress::Sync);
            let taken = usize::try_from(self.0.total_in() - before).unwrap_or(usize::MAX);
            block = block.get(taken..).unwrap_or_default();
            match unpacked {
                Ok(Status::StreamEnd) => return Err(Malformed::Headers("ends the compressed stream")),
                Ok(_) if plain.len() > LONGEST => return Err(Malformed::Headers("unpacks to too much")),
                Ok(_) if taken == 0 && plain.len() == length => {
                    return Err(Malformed::Headers("does not unpack any further"));
                }
                Ok(_) => {}
                Err(error) if error.needs_dictionary().is_some() => {
                    self.0
                        .set_dictionary(&dictionary())
                        .map_err(|_| Malformed::Headers("is packed with another dictionary"))?;
                }
                Err(_) => return Err(Malformed::Headers("does not unpack")),
            }
        }
        Ok(plain)
    }
}

/// Packs the blocks of the other direction.
pub(super) struct Pack {
    deflate: Compress,
    begun: bool,
}

impl Pack {
    pub fn new() -> Self {
        Pack {
            deflate: Compress::new(Compression::fast(), true),
            begun: false,
        }
    }

    /// One block.
    pub fn write(&mut self, headers: &Headers) -> Result<Vec<u8>, Malformed> {
        const FAILED: Malformed = Malformed::Headers("cannot be packed");
        if !std::mem::replace(&mut self.begun, true) {
            self.deflate.set_dictionary(&dictionary()).map_err(|_| FAILED)?;
        }
        let mut plain = Vec::new();
        push_length(&mut plain, headers.0.len());
        for text in headers.0.iter().flat_map(|(name, value)| [name, value]) {
            push_length(&mut plain, text.len());
            plain.extend_from_slice(text.as_bytes());
        }
        let mut packed = Vec::with_capacity(plain.len() + 64);
        let begin = self.deflate.total_in();
        loop {
            let done = usize::try_from(self.deflate.total_in() - begin).unwrap_or(usize::MAX);
            let rest = plain.get(done..).unwrap_or_default();
            self.deflate
                .compress_vec(rest, &mut packed, FlushCompress::Sync)
                .map_err(|_| FAILED)?;
            // Room that was left says that all is out.
            if packed.len() < packed.capacity() {
                return Ok(packed);
            }
            packed.reserve(packed.len());
        }
    }
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
}

/// How many pairs, then length and bytes of each name and each value.
fn parse(mut plain: &[u8]) -> Result<Headers, Malformed> {
    let count = number(&mut plain)?;
    if count > MOST {
        return Err(Malformed::Headers("has too many names"));
    }
    let mut pairs = Vec::with_capacity(count);
    let mut names = HashSet::new();
    for _ in 0..count {
        let (name, value) = (text(&mut plain)?, text(&mut plain)?);
        if name.is_empty() || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Malformed::Headers("has a name that is empty or not in lower case"));
        }
        if !names.insert(name.clone()) {
            return Err(Malformed::Headers("has a name twice"));
        }
        pairs.push((name, value));
    }
    match plain {
        [] => Ok(Headers(pairs)),
        _ => Err(Malformed::Headers("goes on after its last value")),
    }
}

fn number(plain: &mut &[u8]) -> Result<usize, Malformed> {
    const SHORT: Malformed = Malformed::Headers("ends early");
    let (bytes, rest) = plain.split_first_chunk().ok_or(SHORT)?;
    *plain = rest;
    usize::try_from(u32::from_be_bytes(*bytes)).map_err(|_| SHORT)
}

fn text(plain: &mut &[u8]) -> Result<String, Malformed> {
    let length = number(plain)?;
    let (bytes, rest) = plain.split_at_checked(length).ok_or(Malformed::Headers("ends early"))?;
    *plain = rest;
    String::from_utf8(bytes.to_vec()).map_err(|_| Malformed::Headers("is no text"))
}

/// What both sides know before the first block (draft-mbelshe-httpbis-spdy, section 2.6.10.1).
fn dictionary() -> Vec<u8> {
    const WORDS: &[&str] = &[
        "options",
        "head",
        "post",
        "put",
        "delete",
        "trace",
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "accept-ranges",
        "age",
        "allow",
        "authorization",
        "cache-control",
        "connection",
        "content-base",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "date",
        "etag",
        "expect",
        "expires",
        "from",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "last-modified",
        "location",
        "max-forwards",
        "pragma",
        "proxy-authenticate",
        "proxy-authorization",
        "range",
        "referer",
        "retry-after",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "vary",
        "via",
        "warning",
        "www-authenticate",
        "method",
        "get",
        "status",
        "200 OK",
        "version",
        "HTTP/1.1",
        "url",
        "public",
        "set-cookie",
        "keep-alive",
        "origin",
    ];
    const REST: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 \
        Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not \
        Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov \
        Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, \
        GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,\
        text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
    let mut dictionary = Vec::with_capacity(1423);
    for word in WORDS {
        push_length(&mut dictionary, word.len());
        dictionary.extend_from_slice(word.as_bytes());
    }
    dictionary.extend_from_slice(REST.as_bytes());
    dictionary
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        Headers(
            pairs
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
        )
    }

    /// A block that holds these bytes, with the right dictionary.
    fn packed(plain: &[u8]) -> Vec<u8> {
        let mut deflate = Compress::new(Compression::best(), true);
        deflate.set_dictionary(&dictionary()).unwrap();
        let mut out = Vec::with_capacity(plain.len() + 1024);
        deflate.compress_vec(plain, &mut out, FlushCompress::Sync).unwrap();
        out
    }

    #[test]
    fn the_dictionary_is_the_one_of_the_protocol() {
        // Its Adler-32, which stands in the first bytes of every SPDY/3 header stream.
        let packed = packed(b"");
        assert_eq!(dictionary().len(), 1423);
        assert_eq!(packed.get(2..6).unwrap(), 0xe3c6_a7c2_u32.to_be_bytes());
    }

    #[test]
    fn blocks_of_a_connection_share_one_stream() {
        let (mut pack, mut unpack) = (Pack::new(), Unpack::new());
        let many: Vec<(String, String)> = (0..60)
            .map(|n| (format!("name-{n}"), format!("{n:x}").repeat(40)))
            .collect();
        for block in [
            headers(&[("streamtype", "error"), ("port", "80"), ("requestid", "0")]),
            Headers::default(),
            headers(&[("streamtype", "data"), ("port", "80"), ("requestid", "0")]),
            Headers(many),
        ] {
            let bytes = pack.write(&block).unwrap();
            assert_eq!(unpack.read(&bytes).unwrap(), block);
        }
    }

    #[test]
    fn what_is_no_block_is_told() {
        let why = |block: &[u8]| Unpack::new().read(block).unwrap_err().to_string();
        assert_eq!(
            why(&packed(&vec![0; 100_000_000])),
            "a header block that unpacks to too much"
        );
        assert_eq!(why(b"not zlib at all"), "a header block that does not unpack");
        assert_eq!(why(b""), "a header block that ends early");
        assert_eq!(
            why(&packed(&[0, 0, 0, 0, 1])),
            "a header block that goes on after its last value"
        );
        assert_eq!(why(&packed(&[255; 4])), "a header block that has too many names");
        assert_eq!(
            why(&packed(&[0, 0, 0, 1, 255, 255, 255, 255])),
            "a header block that ends early"
        );
        let mut ended = Vec::with_capacity(1024);
        let mut deflate = Compress::new(Compression::best(), true);
        deflate.set_dictionary(&dictionary()).unwrap();
        deflate
            .compress_vec(&[0; 4], &mut ended, FlushCompress::Finish)
            .unwrap();
        assert_eq!(why(&ended), "a header block that ends the compressed stream");
        let mut other = Compress::new(Compression::best(), true);
        other.set_dictionary(b"another").unwrap();
        let mut bytes = Vec::with_capacity(1024);
        other.compress_vec(&[0; 4], &mut bytes, FlushCompress::Sync).unwrap();
        assert_eq!(why(&bytes), "a header block that is packed with another dictionary");
        for (pairs, told) in [
            (
                headers(&[("Port", "80")]),
                "has a name that is empty or not in lower case",
            ),
            (headers(&[("", "80")]), "has a name that is empty or not in lower case"),
            (headers(&[("a", "1"), ("a", "2")]), "has a name twice"),
        ] {
            let block = Pack::new().write(&pairs).unwrap();
            assert_eq!(why(&block), format!("a header block that {told}"));
        }
    }

    proptest! {
        #[test]
        fn anything_is_a_block_or_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Unpack::new().read(&bytes);
            let _ = Unpack::new().read(&packed(&bytes));
        }
    }
}
