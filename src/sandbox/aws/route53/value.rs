//! Checks the text of a record's value and turns it into what DNS carries: one reading for the API and the DNS server.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_server::proto::rr::{Name, RData, RecordType as WireType, rdata};

use super::name::DnsName;
use super::record::RecordType;

/// The value as record data, or Route 53's reason why it is none (`Code (words)`).
pub fn rdata(kind: RecordType, value: &str) -> Result<RData, String> {
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    match kind {
        RecordType::A => match value.parse::<Ipv4Addr>() {
            Ok(address) => Ok(RData::A(address.into())),
            Err(_) => Err("ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)".into()),
        },
        RecordType::AAAA => match value.parse::<Ipv6Addr>() {
            Ok(address) => Ok(RData::AAAA(address.into())),
            Err(_) => Err("AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)".into()),
        },
        RecordType::CNAME => Ok(RData::CNAME(rdata::CNAME(wire_name(value)?))),
        RecordType::NS => Ok(RData::NS(rdata::NS(wire_name(value)?))),
        RecordType::PTR => Ok(RData::PTR(rdata::PTR(wire_name(value)?))),
        RecordType::TXT | RecordType::SPF => {
            let strings = strings(value)?;
            let strings: Vec<&[u8]> = strings.iter().map(Vec::as_slice).collect();
            Ok(RData::TXT(rdata::TXT::from_bytes(strings)))
        }
        RecordType::MX => match fields.as_slice() {
            [preference, host] => {
                let preference = preference
                    .parse()
                    .map_err(|_| "MXRRDATAPreference (Preference is not a number between 0 and 65535)")?;
                Ok(RData::MX(rdata::MX::new(preference, wire_name(host)?)))
            }
            _ => Err("MXRRDATANotTwoFields (Value does not contain exactly a preference and a host name)".into()),
        },
        RecordType::SRV => match fields.as_slice() {
            [priority, weight, port, host] => {
                let number = |text: &str| {
                    text.parse::<u16>()
                        .map_err(|_| "SRVRRDATANumber (Priority, weight and port are numbers between 0 and 65535)")
                };
                Ok(RData::SRV(rdata::SRV::new(
                    number(priority)?,
                    number(weight)?,
                    number(port)?,
                    wire_name(host)?,
                )))
            }
            _ => Err("SRVRRDATANotFourFields (Value does not contain priority, weight, port and a host name)".into()),
        },
        RecordType::CAA => parsed(WireType::CAA, value, "CAA"),
        RecordType::HTTPS => parsed(WireType::HTTPS, value, "HTTPS"),
        RecordType::NAPTR => parsed(WireType::NAPTR, value, "NAPTR"),
        RecordType::SOA => parsed(WireType::SOA, value, "SOA"),
        RecordType::SSHFP => parsed(WireType::SSHFP, value, "SSHFP"),
        RecordType::SVCB => parsed(WireType::SVCB, value, "SVCB"),
        RecordType::TLSA => parsed(WireType::TLSA, value, "TLSA"),
        RecordType::DS => Err("UnsupportedType (The sandbox serves no DNSSEC records)".into()),
    }
}

/// The name that a value points to.
pub(super) fn target(value: &str) -> Result<DnsName, String> {
    DnsName::parse(value).map_err(str::to_owned)
}

/// Text of the zone-file form, read by the DNS library; bounded beforehand, its errors shortened.
fn parsed(kind: WireType, value: &str, name: &str) -> Result<RData, String> {
    if value.contains(['\n', '\r', '(', ')', ';']) {
        return Err(format!("{name}RRDATASyntax (Value contains unsupported characters)"));
    }
    RData::try_from_str(kind, value)
        .map_err(|_| format!("{name}RRDATASyntax (Value is not of the form of a {name} record)"))
}

fn wire_name(value: &str) -> Result<Name, String> {
    let name = target(value)?;
    to_wire(&name).ok_or_else(|| "DomainNameTooLong (Domain name is too long)".into())
}

/// A name of ours as a name of the DNS library.
pub(in crate::sandbox) fn to_wire(name: &DnsName) -> Option<Name> {
    let mut wire = Name::from_labels(name.labels()).ok()?;
    wire.set_fqdn(true);
    Some(wire)
}

/// The quoted strings of a TXT value, each of at most 255 bytes.
fn strings(value: &str) -> Result<Vec<Vec<u8>>, String> {
    const QUOTES: &str = "InvalidCharacterString (Value should be enclosed in quotation marks)";
    let mut all = Vec::new();
    let mut bytes = value.bytes();
    loop {
        match bytes.next() {
            None if all.is_empty() => return Err(QUOTES.into()),
            None => return Ok(all),
            Some(b' ' | b'\t') => continue,
            Some(b'"') => {}
            Some(_) => return Err(QUOTES.into()),
        }
        let mut one = Vec::new();
        loop {
            match bytes.next() {
                None => return Err(QUOTES.into()),
                Some(b'"') => break,
                Some(b'\\') => one.push(escaped(&mut bytes)?),
                Some(byte) => one.push(byte),
            }
        }
        if one.len() > 255 {
            return Err("CharacterStringTooLong (Value is too long)".into());
        }
        all.push(one);
    }
}

/// `\ooo` in octal, or the next byte literally.
fn escaped(bytes: &mut std::str::Bytes<'_>) -> Result<u8, String> {
    const ESCAPE: &str = "InvalidEscape (Value contains an invalid escape code)";
    let first = bytes.next().ok_or(ESCAPE)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let digits = [first, bytes.next().ok_or(ESCAPE)?, bytes.next().ok_or(ESCAPE)?];
    std::str::from_utf8(&digits)
        .ok()
        .and_then(|digits| u8::from_str_radix(digits, 8).ok())
        .ok_or_else(|| ESCAPE.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn good_values_are_read() {
        for (kind, value) in [
            (RecordType::A, "203.0.113.7"),
            (RecordType::AAAA, "2001:db8::1"),
            (RecordType::CNAME, "a.b.example."),
            (RecordType::MX, "10 mail.example.com"),
            (RecordType::SRV, "1 2 443 host.example.com."),
            (RecordType::TXT, "\"v=spf1 -all\" \"second\""),
            (RecordType::CAA, "0 issue \"letsencrypt.org\""),
            (RecordType::SOA, "ns.example. host.example. 1 7200 900 1209600 86400"),
            (RecordType::NAPTR, "100 50 \"s\" \"http\" \"\" _http._tcp.example.com."),
        ] {
            assert!(rdata(kind, value).is_ok(), "{kind} {value}: {:?}", rdata(kind, value));
        }
        assert_eq!(strings("\"a\\\"b\\134\\101\"").unwrap(), [b"a\"b\\A"]);
    }

    #[test]
    fn bad_values_are_refused_with_a_reason() {
        let long = format!("\"{}\"", "a".repeat(256));
        for (kind, value) in [
            (RecordType::A, "elb.example.com"),
            (RecordType::A, "1.2.3.256"),
            (RecordType::A, "1.2.3.4 "),
            (RecordType::AAAA, "1.2.3.4"),
            (RecordType::CNAME, "a b"),
            (RecordType::CNAME, ""),
            (RecordType::MX, "mail.example.com"),
            (RecordType::MX, "70000 mail.example.com"),
            (RecordType::TXT, "no quotes"),
            (RecordType::TXT, "\"open"),
            (RecordType::TXT, "\"a\\9\""),
            (RecordType::TXT, &long),
            (RecordType::SOA, "x"),
            (RecordType::CAA, "0 issue (\n"),
        ] {
            let reason = rdata(kind, value).unwrap_err();
            assert!(reason.contains('('), "{kind} {value}: {reason}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(value in ".{0,80}") {
            for kind in RecordType::ALL {
                let _ = rdata(*kind, &value);
            }
        }
    }
}
