//! Who asks for something over HTTP: the user of an address as a header (RFC 7617).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::core::address::userinfo;
use crate::core::text::Secret;

/// The value of an `Authorization` header for the user of an address; none: it names none.
pub fn authorization(address: &str) -> Option<Secret> {
    let (name, word) = userinfo(address).map(|user| user.split_once(':').unwrap_or((user, "")))?;
    let plain = [decoded(name), b":".to_vec(), decoded(word)].concat();
    Some(Secret::new(format!("Basic {}", STANDARD.encode(plain))))
}

/// `%41` is `A`; what is no such thing stays.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(symbol) = rest.chars().next() {
        let code = rest.get(1..3).filter(|_| symbol == '%');
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = rest.get(3..).unwrap_or_default();
            }
            None => {
                bytes.extend(rest.get(..symbol.len_utf8()).unwrap_or_default().as_bytes());
                rest = rest.get(symbol.len_utf8()..).unwrap_or_default();
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_user_of_an_address_becomes_a_header() {
        let header = |address: &str| authorization(address).map(|header| header.reveal().to_owned());
        assert_eq!(
            header("https://Aladdin:open%20sesame@x/").unwrap(),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(header("https://tok@x").unwrap(), "Basic dG9rOg==");
        assert_eq!(header("https://x/"), None);
        assert_eq!(decoded("%4%zé%C3%A9"), "%4%zéé".as_bytes());
    }
}
