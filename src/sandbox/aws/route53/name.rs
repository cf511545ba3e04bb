//! A domain name as Route 53 reads, sorts and prints it: case folded, reversed-label order, octal escapes.

use std::fmt;

/// A fully qualified name. The order is Route 53's: by label, from the root down (`com.example.www`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName {
    /// From the root down, lower case.
    labels: Vec<Vec<u8>>,
}

impl DnsName {
    /// Reads a name with or without its last dot. `\ooo` is a byte in octal, `\x` any other character literally.
    /// The reason is Route 53's own code and words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EMPTY: &str = "DomainLabelEmpty (Domain label is empty)";
        let mut labels = vec![Vec::new()];
        let mut bytes = text.bytes();
        let mut length = 1;
        while let Some(byte) = bytes.next() {
            let byte = match byte {
                b'.' => {
                    labels.push(Vec::new());
                    continue;
                }
                b'\\' => escape(&mut bytes).ok_or("InvalidEscape (Value contains an incomplete escape code)")?,
                byte if byte.is_ascii_graphic() => byte,
                _ => return Err("UnsupportedCharacter (Value contains unsupported characters)"),
            };
            length += 1;
            if let Some(label) = labels.last_mut() {
                label.push(byte.to_ascii_lowercase());
            }
        }
        if labels.last().is_some_and(Vec::is_empty) {
            labels.pop();
        }
        if labels.is_empty() || labels.iter().any(Vec::is_empty) {
            return Err(EMPTY);
        }
        if labels.iter().any(|label| label.len() > 63) {
            return Err("DomainLabelTooLong (Domain label is too long)");
        }
        if length + labels.len() > 255 {
            return Err("DomainNameTooLong (Domain name is too long)");
        }
        labels.reverse();
        Ok(Self { labels })
    }

    /// From a name's labels in the order of the wire; anything is a valid label there.
    pub fn from_labels<'a>(labels: impl DoubleEndedIterator<Item = &'a [u8]>) -> Self {
        Self {
            labels: labels.rev().map(<[u8]>::to_ascii_lowercase).collect(),
        }
    }

    /// The labels in the order of the wire, without the root.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        self.labels.iter().rev().map(Vec::as_slice)
    }

    /// Whether the name is `other` or below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.labels.starts_with(&other.labels)
    }

    /// The name without its first label; `None` above the last one.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.labels.split_last()?;
        Some(Self { labels: rest.to_vec() })
    }

    /// `*.` before the name.
    pub fn wildcard(&self) -> Self {
        let mut labels = self.labels.clone();
        labels.push(b"*".to_vec());
        Self { labels }
    }

    /// Plain lower-case text without the last dot, for looking up host names; `None` if a label is not plain.
    pub fn host(&self) -> Option<String> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !self.labels.iter().flatten().all(plain) {
            return None;
        }
        Some(self.to_string().trim_end_matches('.').to_owned())
    }
}

/// `\ooo` or `\x`.
fn escape(bytes: &mut std::str::Bytes<'_>) -> Option<u8> {
    let octal = |byte: u8| (b'0'..=b'7').contains(&byte).then(|| u32::from(byte - b'0'));
    let first = bytes.next()?;
    let Some(high) = octal(first) else {
        return first.is_ascii_graphic().then_some(first);
    };
    let (middle, low) = (octal(bytes.next()?)?, octal(bytes.next()?)?);
    u8::try_from(high * 64 + middle * 8 + low).ok()
}

/// As Route 53 prints it: letters, digits, `-` and `_` as they are, all else (`*` included) in octal.
impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for label in self.labels() {
            for &byte in label {
                match byte {
                    b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03o}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    #[test]
    fn names_fold_and_escape() {
        assert_eq!(name("WWW.Example.com").to_string(), "www.example.com.");
        assert_eq!(name("*.example.com.").to_string(), "\\052.example.com.");
        assert_eq!(name("\\052.example.com"), name("*.example.com"));
        assert_eq!(name("a\\.b.c").labels().next(), Some(&b"a.b"[..]));
        assert_eq!(name("a\\.b.c").to_string(), "a\\056b.c.");
    }

    #[test]
    fn the_order_is_from_the_root_down() {
        let mut names = [
            name("b.example.com"),
            name("example.com"),
            name("z.a.example.com"),
            name("a.example.com"),
        ];
        names.sort();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            ["example.com.", "a.example.com.", "z.a.example.com.", "b.example.com."]
        );
    }

    #[test]
    fn bad_names_are_refused() {
        let long = "a".repeat(64);
        let many = "a.".repeat(200);
        for text in [
            "",
            ".",
            "a..b",
            ".a",
            &long,
            &many,
            "a b",
            "ü.de",
            "a\\",
            "a\\9\u{7}",
            "a\\777",
            "a\n.b",
        ] {
            assert!(DnsName::parse(text).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn printing_and_reading_agree(text in ".{0,60}") {
            if let Ok(read) = DnsName::parse(&text) {
                proptest::prop_assert_eq!(DnsName::parse(&read.to_string()), Ok(read));
            }
        }
    }
}
